//! `certvakt chapter`

use certvakt_base::Exit;
use certvakt_store::organisation;

use super::App;
use crate::error::Error;
use crate::output::print;

/// Add a chapter to an organisation
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt chapter add oslo --organisation hlf --name Oslo --parent ost")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a chapter, at the top level or below another chapter
    #[command(
        after_help = "Example:\n  certvakt chapter add oslo --organisation hlf --name Oslo --parent ost"
    )]
    Add {
        /// The chapter's short name: lower-case letters, digits and hyphens
        slug: String,
        /// The organisation's short name
        #[arg(long)]
        organisation: String,
        /// The chapter's name
        #[arg(long)]
        name: String,
        /// The parent chapter's short name [default: the top level]
        #[arg(long)]
        parent: Option<String>,
        /// The chapter's number in registers
        #[arg(long, value_name = "NUMBER")]
        external_id: Option<String>,
    },
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let What::Add { slug, organisation, name, parent, external_id } = args.what;
    let (parent, external_id) = (parent.as_deref(), external_id.as_deref());
    let mut tx = app.database().await?.registrar().await?;
    let id = organisation::add_chapter(&mut tx, &organisation, &slug, &name, parent, external_id).await?;
    tx.commit().await?;
    print(app.format, &serde_json::json!({ "id": id, "slug": slug }), |_| {
        format!("Added the chapter {slug}.")
    })?;
    Ok(Exit::Success)
}
