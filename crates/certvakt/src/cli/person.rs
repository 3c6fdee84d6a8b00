//! `certvakt person`

use super::App;
use crate::error::{Error, Exit};
use crate::output::print;
use crate::secret;
use crate::store::access::{self, NewPerson};
use crate::store::{StoreError, organisation};

/// Add coordinators and administrators, and invite people to sign in
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt person add --organisation hlf --chapter oslo --role coordinator --name 'Koordinator Oslo'\n  certvakt person invite 1042"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a person with a role in a chapter
    #[command(
        after_help = "Example:\n  certvakt person add --organisation hlf --chapter oslo --role coordinator --name 'Koordinator Oslo'"
    )]
    Add {
        /// The organisation's short name
        #[arg(long)]
        organisation: String,
        /// The chapter's short name
        #[arg(long)]
        chapter: String,
        /// A coordinator keeps the chapter and all below it, an `org_admin` the whole organisation
        #[arg(long, value_parser = ["mentor", "coordinator", "org_admin"])]
        role: String,
        /// What they are called
        #[arg(long)]
        name: String,
        /// Their mail address
        #[arg(long)]
        email: Option<String>,
    },
    /// Invite a person to sign in: hand the token to them and to nobody else
    #[command(after_help = "Example:\n  certvakt person invite 1042\n\n\
        The token is shown once, is good once and for 14 days. Whoever accepts it (POST /api/v1/me/invitation)\n\
        is that person from then on.")]
    Invite {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
    },
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.registrar().await?;
    match args.what {
        What::Add { organisation, chapter, role, name, email } => {
            let organisation_id = organisation::id_of(&mut tx, &organisation).await?;
            let chapter_id = organisation::chapter_id(&mut tx, organisation_id, &chapter).await?;
            let new =
                NewPerson { organisation_id, chapter_id, role: &role, name: &name, email: email.as_deref() };
            let id = access::add_person(&mut tx, &new).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "id": id }), |_| {
                format!("Added a {role} of {chapter}: {id}\nInvite them with `certvakt person invite {id}`.")
            })?;
        }
        What::Invite { person } => {
            let unknown = |hint: &str| StoreError::Unknown {
                what: "person",
                name: person.clone(),
                hint: hint.to_owned(),
            };
            let id = match access::people(&mut tx, &person).await?[..] {
                [id] => id,
                [] => {
                    return Err(unknown(
                        "give their id, or the id in the register of one of their certifications",
                    )
                    .into());
                }
                _ => {
                    return Err(unknown(
                        "several people have a certification of that id: give the person's id",
                    )
                    .into());
                }
            };
            let token = secret::fresh();
            let ends = access::invite(&mut tx, id, &token)
                .await?
                .ok_or_else(|| unknown("they were deleted a moment ago"))?;
            tx.commit().await?;
            print(
                app.format,
                &serde_json::json!({ "person": id, "token": token, "expires_at": ends }),
                |_| {
                    format!(
                        "{token}\n\nGood once, until {}. Hand it to the person and to nobody else.",
                        ends.format("%Y-%m-%d %H:%M UTC")
                    )
                },
            )?;
        }
    }
    Ok(Exit::Success)
}
