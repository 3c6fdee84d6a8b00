//! `certvakt person`

use std::path::PathBuf;

use certvakt_base::Exit;
use certvakt_base::i18n::Locale;
use certvakt_base::secret;
use certvakt_engine::mail::address;
use certvakt_engine::people::ledger::Ledger;
use certvakt_engine::people::readable::{self, Ordered};
use certvakt_engine::people::{self, PeopleError, Replayed};
use certvakt_store::people::Erased;
use certvakt_store::people::NewPerson;
use certvakt_store::{self, RegistrarTx, StoreError, organisation};
use uuid::Uuid;

use super::App;
use crate::error::Error;
use crate::output::{count, print, progress, table};

/// Add coordinators and administrators, invite people to sign in, export or erase a person's data
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
        /// The role: a coordinator manages the chapter and all below it, an `org_admin` the whole
        /// organisation
        #[arg(long, value_parser = ["mentor", "coordinator", "org_admin"])]
        role: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The person's e-mail address
        #[arg(long)]
        email: Option<String>,
    },
    /// Invite a person to sign in; give the token only to them
    #[command(after_help = "Example:\n  certvakt person invite 1042\n\n\
        The token is shown only now, and can be used once within 14 days. The login that accepts it\n\
        (POST /api/v1/me/invitation) is linked to the person.")]
    Invite {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
    },
    /// Stop sending a person notices by push or e-mail
    #[command(after_help = "Example:\n  certvakt person opt-out 1042 email\n\n\
        This covers notices of every organisation, including queued ones. Sign-in links are still sent by e-mail.\n\
        People can opt out themselves with PUT /api/v1/me/opt-outs/email.")]
    OptOut {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
        /// The kind of notices to stop
        #[arg(value_parser = ["push", "email"])]
        kind: String,
    },
    /// Resume sending a person notices by push or e-mail
    #[command(after_help = "Example:\n  certvakt person opt-in 1042 email\n\n\
        The worker then sends the queued notices whose stage has not passed.")]
    OptIn {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
        /// The kind of notices to resume
        #[arg(value_parser = ["push", "email"])]
        kind: String,
    },
    /// Export all data stored about a person, as readable text or as JSON (`--output json`)
    #[command(after_help = "Examples:\n  certvakt person export 1042 > 1042.txt\n  \
        certvakt person export 1042 --output json > 1042.json\n\n\
        It names the people who read their data: give it only to the person (docs/privacy.md).")]
    Export {
        /// The person's id, or the id in the register of one of their certifications
        person: String,
        /// The language of the field names: nb or en [default: the person's language]
        #[arg(long, value_parser = ["nb", "en"])]
        language: Option<String>,
    },
    /// Erase all data stored about a person except their id, permanently
    #[command(
        after_help = "Examples:\n  certvakt person erase 1042 --dry-run\n  certvakt person erase 1042\n  \
        certvakt person erase --replay\n\n\
        Remove them from your register too. After a restore from a backup, `--replay` again erases the people\n\
        in the ledger."
    )]
    Erase {
        /// The person's id, or the id in the register of one of their certifications
        #[arg(required_unless_present = "replay", conflicts_with = "replay")]
        person: Option<String>,
        /// Show what would be erased, and erase nothing
        #[arg(long, conflicts_with = "replay")]
        dry_run: bool,
        /// Erase every person in the ledger
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
            let id = certvakt_store::people::add_person(&mut tx, &new).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "id": id }), |_| {
                format!("Added a {role} of {chapter}: {id}\nInvite them with `certvakt person invite {id}`.")
            })?;
        }
        What::Invite { person } => {
            let id = one(app, &person).await?;
            let token = secret::fresh();
            let mut tx = app.database().await?.registrar().await?;
            let ends =
                certvakt_store::people::invite(&mut tx, id, &token).await?.ok_or(PeopleError::Unknown)?;
            tx.commit().await?;
            print(
                app.format,
                &serde_json::json!({ "person": id, "token": token, "expires_at": ends }),
                |_| {
                    format!(
                        "{token}\n\nCan be used once, until {}. Give it only to the person.",
                        ends.format("%Y-%m-%d %H:%M UTC")
                    )
                },
            )?;
        }
        What::OptOut { person, kind } => opt_out(app, &person, &kind).await?,
        What::OptIn { person, kind } => opt_in(app, &person, &kind).await?,
        What::Export { person, language } => {
            let id = one(app, &person).await?;
            let others = others(app, id).await?;
            if !others.is_empty() {
                tracing::warn!(
                    "a merge connects this person with another registration; export it too: {}",
                    listed(&others)
                );
            }
            let mut tx = app.database().await?.worker().await?;
            let found = certvakt_store::people::export(&mut tx, id).await?.ok_or(PeopleError::Unknown)?;
            tx.rollback().await?;
            let export: Ordered = serde_json::from_str(&found.export).map_err(PeopleError::Unreadable)?;
            let locale = Locale::from_tag(language.as_deref().unwrap_or(&found.locale));
            // The schema accepts only zones that this list contains.
            let zone = found.zone.0;
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

/// Finds the person with an id or a register's id.
pub(super) async fn one(app: &App, name: &str) -> Result<Uuid, Error> {
    let mut tx = app.database().await?.registrar().await?;
    let found = certvakt_store::people::find(&mut tx, name).await?;
    tx.rollback().await?;
    match found[..] {
        [id] => Ok(id),
        [] => Err(PeopleError::Unknown.into()),
        _ => Err(PeopleError::Several.into()),
    }
}

/// The other registrations of a person, which were merged with this one.
async fn others(app: &App, id: Uuid) -> Result<Vec<Uuid>, Error> {
    let mut tx = app.database().await?.registrar().await?;
    let others = certvakt_store::people::merged(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(others)
}

fn listed(ids: &[Uuid]) -> String {
    ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ")
}

/// Opts a person out of a kind of contact point.
async fn opt_out(app: &App, name: &str, kind: &str) -> Result<(), Error> {
    let id = one(app, name).await?;
    let mut tx = app.database().await?.registrar().await?;
    if !certvakt_store::people::opt_out(&mut tx, id, kind).await? {
        return Err(PeopleError::Unknown.into());
    }
    show_opt_outs(app, tx, id).await
}

/// Opts a person in to a kind of contact point again.
async fn opt_in(app: &App, name: &str, kind: &str) -> Result<(), Error> {
    let id = one(app, name).await?;
    let mut tx = app.database().await?.registrar().await?;
    certvakt_store::people::opt_in(&mut tx, id, kind).await?;
    show_opt_outs(app, tx, id).await
}

/// Commits, and shows what the person has opted out of.
async fn show_opt_outs(app: &App, mut tx: RegistrarTx, id: Uuid) -> Result<(), Error> {
    let opt_outs = certvakt_store::people::opt_outs(&mut tx, id).await?;
    tx.commit().await?;
    print(app.format, &serde_json::json!({ "person": id, "opt_outs": opt_outs }), |_| {
        if opt_outs.is_empty() {
            "The person gets notices by every channel that reaches them.".to_owned()
        } else {
            format!("No notices by: {}.", opt_outs.join(", "))
        }
    })?;
    Ok(())
}

async fn erase(app: &App, name: &str, dry_run: bool, ledger: PathBuf) -> Result<Exit, Error> {
    let id = one(app, name).await?;
    let others = others(app, id).await?;
    let database = app.database().await?;
    let erased = if dry_run {
        people::would_erase(database, id).await?
    } else {
        people::erase(database, id, &Ledger::at(ledger).map_err(PeopleError::from)?, &app.clock).await?
    };
    let answer = serde_json::json!({ "person": id, "dry_run": dry_run, "erased": erased, "merged": others });
    print(app.format, &answer, |_| {
        let rows = erased.iter().map(|Erased { place, rows }| [place.clone(), count(*rows)]);
        let table = table(["Data", "Rows"], rows);
        let end = if dry_run {
            "Nothing was erased: this was a dry run.".to_owned()
        } else {
            format!("Erased: only the id {id} is left. Remove them from your register too.")
        };
        let merged = listed(&others);
        if others.is_empty() {
            format!("{table}\n\n{end}")
        } else {
            format!(
                "{table}\n\n{end}\nA merge connects this person with another registration; erase it too: {merged}."
            )
        }
    })?;
    Ok(Exit::Success)
}

async fn replay(app: &App, ledger: PathBuf) -> Result<Exit, Error> {
    let ledger = Ledger::at(ledger).map_err(PeopleError::from)?;
    let replayed = people::replay(app.database().await?, &ledger, &progress(0, "erasing")).await?;
    print(app.format, &replayed, |Replayed { erased, before, unknown, unreadable_lines, failed }| {
        let mut text =
            format!("Erased again: {erased}. Already erased: {before}. Not in this database: {unknown}.");
        if !unreadable_lines.is_empty() {
            let lines = unreadable_lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            text += &format!("\nInvalid lines in the ledger: {lines}.");
        }
        for (person, code) in failed {
            text += &format!("\nNot erased: {person} [{code}]");
        }
        text
    })?;
    let is_whole = replayed.unreadable_lines.is_empty() && replayed.failed.is_empty();
    Ok(if is_whole { Exit::Success } else { Exit::ProblemFound })
}
