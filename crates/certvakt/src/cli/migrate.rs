//! `certvakt migrate`

use certvakt_base::Exit;
use certvakt_store::{Database, migration};

use super::App;
use crate::error::Error;
use crate::output::print;

/// Bring the database's schema up to date
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  DATABASE_URL=postgres://owner@localhost/certvakt certvakt migrate\n\n\
    The login must be allowed to create schemas in the database, and to create roles. Use a direct address,\n\
    not a pooler's.")]
pub(super) struct Args {
    /// Mark the (still empty) database as a rehearsal, in which `CERTVAKT_NOW` may move the date
    #[arg(long)]
    rehearsal: bool,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let address = app.address().await?;
    let applied = migration::apply(address).await?;
    if args.rehearsal {
        let database = Database::connect(address, 1).await?;
        let mut tx = database.registrar().await?;
        migration::mark_rehearsal(&mut tx).await?;
        tx.commit().await?;
        database.close().await;
    }
    print(app.format, &applied, |applied| {
        if applied.applied.is_empty() && applied.recognised.is_empty() {
            return "The schema is up to date.".to_owned();
        }
        let mut text = String::new();
        for version in &applied.recognised {
            text += &format!("{version} was already applied by the Supabase CLI\n");
        }
        for version in &applied.applied {
            text += &format!("{version} applied\n");
        }
        text + "The schema is up to date."
    })?;
    Ok(Exit::Success)
}
