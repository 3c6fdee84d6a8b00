//! `certvakt access`

use certvakt_base::Exit;
use certvakt_store::{kill_switch, organisation};

use super::App;
use crate::error::Error;
use crate::output::print;

/// Close people's access to certifications immediately, and open it again (kill switch)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt access disable certifications --organisation hlf --reason 'wrong import, being undone'"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

/// A resource whose access can be closed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Resource {
    /// Certifications and their notices
    Certifications,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Close access to a resource; runs and deliveries continue
    #[command(
        after_help = "Example:\n  certvakt access disable certifications --reason 'suspected leak'\n\n\
        It takes effect with the next statement, in certvakt's API and in Supabase's REST API."
    )]
    Disable {
        /// The resource to close
        resource: Resource,
        /// The organisation's short name [default: every organisation]
        #[arg(long)]
        organisation: Option<String>,
        /// The reason, which `status` shows
        #[arg(long)]
        reason: String,
    },
    /// Open access to a resource again
    #[command(after_help = "Example:\n  certvakt access enable certifications --organisation hlf")]
    Enable {
        /// The resource to open
        resource: Resource,
        /// The organisation's short name [default: the closure for every organisation]
        #[arg(long)]
        organisation: Option<String>,
    },
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.registrar().await?;
    let (Resource::Certifications, slug) = match &args.what {
        What::Disable { resource, organisation, .. } | What::Enable { resource, organisation } => {
            (resource, organisation.as_deref())
        }
    };
    let id = match slug {
        Some(slug) => Some(organisation::id_of(&mut tx, slug).await?),
        None => None,
    };
    let (is_closed, has_changed) = match &args.what {
        What::Disable { reason, .. } => (true, kill_switch::close(&mut tx, id, reason).await?),
        What::Enable { .. } => (false, kill_switch::open(&mut tx, id).await?),
    };
    tx.commit().await?;
    let whose = slug.unwrap_or("every organisation");
    let result = serde_json::json!({ "closed": is_closed, "changed": has_changed });
    print(app.format, &result, |_| match (is_closed, has_changed) {
        (true, true) => format!("Closed people's access to the certifications of {whose}."),
        (true, false) => format!("People's access to the certifications of {whose} is closed already."),
        (false, true) => format!("Opened people's access to the certifications of {whose}."),
        (false, false) => format!("People's access to the certifications of {whose} was not closed."),
    })?;
    Ok(Exit::Success)
}
