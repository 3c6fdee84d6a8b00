//! `certvakt person`

use std::path::PathBuf;

use chrono_tz::Tz;
use uuid::Uuid;

use super::App;
use crate::delivery::Locale;
use crate::error::{Error, Exit};
use crate::mail::address;
use crate::output::{count, print, progress, table};
use crate::people::ledger::Ledger;
use crate::people::readable::{self, Ordered};
use crate::people::{self, PeopleError, Replayed};
use crate::secret;
use crate::store::access::{self, NewPerson};
use crate::store::people::Erased;
use crate::store::{self, StoreError, organisation};

/// Add coordinators and administrators, invite people to sign in, show or erase what is stored of somebody
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
    /// Send a person no notices by push or mail any more
    #[command(after_help = "Example:\n  certvakt person opt-out 1042 email\n\n\
        It holds for notices of every organisation and for those that wait already. Links to sign in with are\n\
        mailed all the same. People do it themselves with PUT /api/v1/me/opt-outs/email.")]
    OptOut {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
        /// By what they want no notices
        #[arg(value_parser = ["push", "email"])]
        kind: String,
    },
    /// Send a person notices by push or mail again
    #[command(after_help = "Example:\n  certvakt person opt-in 1042 email\n\n\
        Notices whose stage has not passed leave with the next look at the queue.")]
    OptIn {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
        /// By what they want notices again
        #[arg(value_parser = ["push", "email"])]
        kind: String,
    },
    /// Show all that is stored of a person: for them to read, or with `--output json` to take elsewhere
    #[command(after_help = "Examples:\n  certvakt person export 1042 > 1042.txt\n  \
        certvakt person export 1042 --output json > 1042.json\n\n\
        It names who looked at them: hand it to the person alone (docs/privacy.md).")]
    Export {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
        /// The language of the names of fields: nb or en [default: the person's]
        #[arg(long, value_parser = ["nb", "en"])]
        language: Option<String>,
    },
    /// Erase all that is stored of a person but their id, for good
    #[command(
        after_help = "Examples:\n  certvakt person erase 1042 --dry-run\n  certvakt person erase 1042\n  \
        certvakt person erase --replay\n\n\
        Take them out of your register too. After a restore from a backup, `--replay` erases again whom the\n\
        ledger names."
    )]
    Erase {
        /// The person's id, or the id in the register of one of their certifications
        #[arg(required_unless_present = "replay", conflicts_with = "replay")]
        person: Option<String>,
        /// Show what would be erased
        #[arg(long, conflicts_with = "replay")]
        dry_run: bool,
        /// Erase everybody whom the ledger names
        #[arg(long)]
        replay: bool,
        /// The ledger of erased people [default: `erasure.ledger` of the configuration]
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
    },
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    match args.what {
        What::Add { organisation, chapter, role, name, email } => {
            let email = email.as_deref().map(address::canonical).transpose();
            let email = email
                .map_err(|fault| StoreError::Invalid(format!("{fault}: write it like name@example.org")))?;
            let mut tx = app.database().await?.registrar().await?;
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
            let id = one(app, &person).await?;
            let token = secret::fresh();
            let mut tx = app.database().await?.registrar().await?;
            let ends = access::invite(&mut tx, id, &token).await?.ok_or(PeopleError::Unknown)?;
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
        What::OptOut { person, kind } => opt(app, &person, &kind, false).await?,
        What::OptIn { person, kind } => opt(app, &person, &kind, true).await?,
        What::Export { person, language } => {
            let id = one(app, &person).await?;
            let mut tx = app.database().await?.worker().await?;
            let found = store::people::export(&mut tx, id).await?.ok_or(PeopleError::Unknown)?;
            tx.rollback().await?;
            let export: Ordered = serde_json::from_str(&found.export).map_err(PeopleError::Unreadable)?;
            let locale = Locale::from_tag(language.as_deref().unwrap_or(&found.locale));
            // The schema takes no zone that is not in the list.
            let zone = found.time_zone.parse().unwrap_or(Tz::UTC);
            print(app.format, &export, |export| readable::text(export, locale, zone))?;
        }
        What::Erase { person, dry_run, replay, ledger } => {
            let ledger = ledger.unwrap_or_else(|| app.config.erasure.ledger.clone());
            return match person {
                Some(person) if !replay => erase(app, &person, dry_run, ledger).await,
                _ => self::replay(app, ledger).await,
            };
        }
    }
    Ok(Exit::Success)
}

/// The one person whom a name means.
pub(super) async fn one(app: &App, name: &str) -> Result<Uuid, Error> {
    let mut tx = app.database().await?.registrar().await?;
    let found = access::people(&mut tx, name).await?;
    tx.rollback().await?;
    match found[..] {
        [id] => Ok(id),
        [] => Err(PeopleError::Unknown.into()),
        _ => Err(PeopleError::Several.into()),
    }
}

/// Has a person hear by a kind of contact point, or no longer.
async fn opt(app: &App, name: &str, kind: &str, is_in: bool) -> Result<(), Error> {
    let id = one(app, name).await?;
    let mut tx = app.database().await?.registrar().await?;
    if is_in {
        access::opt_in(&mut tx, id, kind).await?;
    } else if !access::opt_out(&mut tx, id, kind).await? {
        return Err(PeopleError::Unknown.into());
    }
    let opt_outs = access::opt_outs(&mut tx, id).await?;
    tx.commit().await?;
    print(app.format, &serde_json::json!({ "person": id, "opt_outs": opt_outs }), |_| {
        if opt_outs.is_empty() {
            "Notices go by everything that reaches the person.".to_owned()
        } else {
            format!("No notices by: {}.", opt_outs.join(", "))
        }
    })?;
    Ok(())
}

async fn erase(app: &App, name: &str, dry_run: bool, ledger: PathBuf) -> Result<Exit, Error> {
    let id = one(app, name).await?;
    let database = app.database().await?;
    let erased = if dry_run {
        people::would_erase(database, id).await?
    } else {
        people::erase(database, id, &Ledger::at(ledger).map_err(PeopleError::from)?, &app.clock).await?
    };
    let answer = serde_json::json!({ "person": id, "dry_run": dry_run, "erased": erased });
    print(app.format, &answer, |_| {
        let rows = erased.iter().map(|Erased { place, rows }| [place.clone(), count(*rows)]);
        let table = table(["What", "Rows"], rows);
        if dry_run {
            format!("{table}\n\nNothing was erased: this is what would be.")
        } else {
            format!("{table}\n\nErased: only the id {id} is left. Take them out of your register too.")
        }
    })?;
    Ok(Exit::Success)
}

async fn replay(app: &App, ledger: PathBuf) -> Result<Exit, Error> {
    let ledger = Ledger::at(ledger).map_err(PeopleError::from)?;
    let replayed = people::replay(app.database().await?, &ledger, &progress(0, "erasing")).await?;
    print(app.format, &replayed, |Replayed { erased, before, unknown, unreadable_lines, failed }| {
        let mut text =
            format!("Erased again: {erased}. Erased already: {before}. Not in this database: {unknown}.");
        if !unreadable_lines.is_empty() {
            let lines = unreadable_lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            text += &format!("\nLines of the ledger that name nobody: {lines}.");
        }
        for (person, code) in failed {
            text += &format!("\nNot erased: {person} [{code}]");
        }
        text
    })?;
    let is_whole = replayed.unreadable_lines.is_empty() && replayed.failed.is_empty();
    Ok(if is_whole { Exit::Success } else { Exit::Found })
}
