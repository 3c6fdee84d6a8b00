//! `certvakt partner`

mod mentors;
mod probing;
mod reports;
pub(super) mod show;

use std::path::PathBuf;

use certvakt_base::Exit;
use certvakt_engine::shutdown;
use certvakt_partner::sync::PartnerSync;
use certvakt_partner::{adapters, poller, reconcile};
use certvakt_store::Environment;
use certvakt_store::partner::{self, Partner, Switch};
use certvakt_store::{Database, organisation};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::App;
use super::values::{Named, one_of};
use crate::error::Error;
use crate::output::{count, print};

/// The maximum number of listed events.
const MOST_EVENTS: i64 = 1_000;
/// The environments of a portal.
const ENVIRONMENTS: &[Named<Environment>] = &[
    ("staging", "The portal's test environment", Environment::Staging),
    ("live", "The portal that people see", Environment::Live),
];

/// Manage partners: enrol mentors, send their changes, and compare the partners' listings
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt partner add hlf --organisation hlf --requires likeperson\n  \
    certvakt partner enrol hlf --organisation hlf --file mentors.csv\n  \
    certvakt partner probe hlf --organisation hlf --contract 2026-1\n  \
    certvakt partner enable hlf --organisation hlf --environment staging --contract 2026-1\n\n\
    docs/partners.md explains the steps.")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

/// The name of an organisation's partner.
#[derive(Debug, clap::Args)]
struct PartnerArgs {
    /// The partner's short name, which is the name of its folder of contracts
    partner: String,
    /// The organisation's short name
    #[arg(long)]
    organisation: String,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a partner, which is switched off at first
    #[command(after_help = "Example:\n  certvakt partner add hlf --organisation hlf --requires likeperson")]
    Add {
        #[command(flatten)]
        which: PartnerArgs,
        /// A type of certification that qualifies mentors for the listing; repeat the option for alternatives
        #[arg(long, value_name = "TYPE", required = true)]
        requires: Vec<String>,
        /// The number of removals above which certvakt holds them until you approve them [default: 50]
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
        removal_limit: Option<i64>,
    },
    /// Enrol mentors at a partner, with the keys that its portal uses for them
    #[command(after_help = "Examples:\n  certvakt partner enrol hlf 1042 --organisation hlf --key M-17\n  \
        certvakt partner enrol hlf --organisation hlf --file mentors.csv \\\n    \
        --given-as paper --given-on 2026-11-02 --text-version 2026-11 --language nb\n\n\
        A file (CSV, or a workbook) has the columns mentor, key and consents (yes or no). If somebody consents,\n\
        say how they gave their consent.\n\
        Exit status 1: some rows were rejected.")]
    Enrol {
        #[command(flatten)]
        which: PartnerArgs,
        /// The mentor's id, or the id in the register of one of their certifications
        #[arg(required_unless_present = "file", conflicts_with = "file", requires = "key")]
        mentor: Option<String>,
        /// The portal's key for the mentor
        #[arg(long)]
        key: Option<String>,
        /// Record that the mentor consents to being listed
        #[arg(long, conflicts_with = "file")]
        consents: bool,
        /// Enrol the mentors in a file
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        file: Option<PathBuf>,
        #[command(flatten)]
        given: mentors::GivenArgs,
    },
    /// Record that a mentor consents to being listed, or withdraws that consent
    #[command(
        after_help = "Examples:\n  certvakt partner consent hlf 1042 --organisation hlf --withdrawn\n  \
        certvakt partner consent hlf 1042 --organisation hlf --given \\\n    \
        --given-as paper --given-on 2026-11-02 --text-version 2026-11 --language nb"
    )]
    Consent {
        #[command(flatten)]
        which: PartnerArgs,
        /// The mentor's id, or the id in the register of one of their certifications
        mentor: String,
        /// The mentor consents
        #[arg(long, conflicts_with = "withdrawn", required_unless_present = "withdrawn")]
        given: bool,
        /// The mentor withdraws their consent
        #[arg(long)]
        withdrawn: bool,
        #[command(flatten)]
        how: mentors::GivenArgs,
    },
    /// Start sending changes to a partner, including those that accumulated while it was switched off
    #[command(
        after_help = "Example:\n  certvakt partner enable hlf --organisation hlf --environment live --contract 2026-1"
    )]
    Enable {
        #[command(flatten)]
        which: PartnerArgs,
        /// The portal's environment
        #[arg(long, value_parser = one_of(ENVIRONMENTS))]
        environment: Environment,
        /// The version of the contract: a file in the partner's folder
        #[arg(long, value_name = "VERSION")]
        contract: String,
    },
    /// Stop sending changes to a partner; they stay queued
    #[command(after_help = "Example:\n  certvakt partner disable hlf --organisation hlf")]
    Disable {
        #[command(flatten)]
        which: PartnerArgs,
    },
    /// Show the state of all partners
    #[command(
        after_help = "Example:\n  certvakt partner status\n\nExit status 1: sending has stopped, removals are \
        held,\na listing is wrong,\nor reports of completed courses wait for a decision."
    )]
    Status,
    /// Approve the removals that are held
    #[command(after_help = "Example:\n  certvakt partner approve hlf --organisation hlf")]
    Approve {
        #[command(flatten)]
        which: PartnerArgs,
    },
    /// Send the current state again for every mentor with an event since a time
    #[command(
        after_help = "Example:\n  certvakt partner replay hlf --organisation hlf --since 2026-11-01T00:00:00Z\n\n\
        This is safe to repeat: it sends the current state, not the old events."
    )]
    Replay {
        #[command(flatten)]
        which: PartnerArgs,
        /// The time of the oldest event to include
        #[arg(long, value_name = "RFC 3339")]
        since: DateTime<Utc>,
        /// Only the mentor with this key at the portal
        #[arg(long, value_name = "KEY")]
        mentor: Option<String>,
    },
    /// Send the contract's examples to the portal's staging environment, and list where its responses differ
    #[command(after_help = "Example:\n  certvakt partner probe hlf --organisation hlf --contract 2026-1\n\n\
        With `--environment live`, it sends nothing and only reads some mentors. Exit status 1: a response differs.")]
    Probe {
        #[command(flatten)]
        which: PartnerArgs,
        /// The portal's environment
        #[arg(long, value_parser = one_of(ENVIRONMENTS), default_value = "staging")]
        environment: Environment,
        /// The version of the contract [default: the version in use]
        #[arg(long, value_name = "VERSION")]
        contract: Option<String>,
    },
    /// Resume sending after it has stopped, if a probe passes
    #[command(after_help = "Example:\n  certvakt partner resume hlf --organisation hlf\n\n\
        Exit status 1: the probe failed, and sending stays stopped.")]
    Resume {
        #[command(flatten)]
        which: PartnerArgs,
    },
    /// Decide about a mentor whom the partner removed manually
    #[command(
        after_help = "Example:\n  certvakt partner resolve-removal hlf 1042 --organisation hlf --exclude"
    )]
    ResolveRemoval {
        #[command(flatten)]
        which: PartnerArgs,
        /// The mentor's id, or the id in the register of one of their certifications
        mentor: String,
        /// Exclude the mentor from the listing until they consent again
        #[arg(long, conflicts_with = "list_again", required_unless_present = "list_again")]
        exclude: bool,
        /// List the mentor again: the removal was a mistake
        #[arg(long)]
        list_again: bool,
    },
    /// Show a partner's reports of completed renewal courses, and their outcomes
    #[command(after_help = "Example:\n  certvakt partner reports hlf --organisation hlf --waiting")]
    Reports {
        #[command(flatten)]
        which: PartnerArgs,
        #[command(flatten)]
        args: reports::List,
    },
    /// Resolve a report that waits because it contradicts certvakt's data
    #[command(
        after_help = "Examples:\n  certvakt partner resolve-report hlf E-17 --organisation hlf --accept\n  \
        certvakt partner resolve-report hlf E-17 --organisation hlf --dismiss"
    )]
    ResolveReport {
        #[command(flatten)]
        which: PartnerArgs,
        #[command(flatten)]
        args: reports::ResolveArgs,
    },
    /// Send all pending changes to partners and read their reports, once; for installations without `serve`
    #[command(
        after_help = "Example:\n  certvakt partner sync\n\nExit status 1: sending has stopped, removals are held,\nor reports cannot be read."
    )]
    Sync,
    /// Compare a partner's listing with certvakt's data, and send the differences again
    #[command(
        after_help = "Example:\n  certvakt partner reconcile hlf --organisation hlf\n\nExit status 1: the listing differs or cannot be read."
    )]
    Reconcile {
        #[command(flatten)]
        which: PartnerArgs,
        /// Accept the listing even if more mentors are missing from it than the limit of removals
        #[arg(long)]
        trust_listing: bool,
    },
    /// Show the events for a partner, oldest first
    #[command(
        after_help = "Example:\n  certvakt partner events hlf --organisation hlf --since 2026-11-01T00:00:00Z"
    )]
    Events {
        #[command(flatten)]
        which: PartnerArgs,
        /// The time of the oldest event to include
        #[arg(long, value_name = "RFC 3339")]
        since: DateTime<Utc>,
        /// Only the mentor with this key at the portal
        #[arg(long, value_name = "KEY")]
        mentor: Option<String>,
    },
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    match args.what {
        What::Add { which, requires, removal_limit } => {
            add(app, database, &which, &requires, removal_limit).await
        }
        What::Enrol { which, mentor, key, consents, file, given } => {
            let one = find(database, &which).await?;
            match (mentor, key, file) {
                (Some(mentor), Some(key), _) => {
                    mentors::enrol_one(app, database, &one, (&mentor, &key), consents, &given).await
                }
                (_, _, Some(file)) => mentors::enrol_all(app, database, &one, &file, &given).await,
                _ => Ok(Exit::Usage),
            }
        }
        What::Consent { which, mentor, given, withdrawn: _, how } => {
            mentors::consent(app, database, &find(database, &which).await?, &mentor, given, &how).await
        }
        What::Enable { which, environment, contract } => {
            let one = find(database, &which).await?;
            // Report a faulty contract or configuration now, not when `serve` uses it.
            let read = probing::contract_of(app, &one, &contract)?;
            adapters::of(read, &one.organisation, &one.partner, environment, &app.config.partners)?;
            let to = Switch { environment, contract: &contract };
            switch(app, database, &one, Some(to)).await
        }
        What::Disable { which } => switch(app, database, &find(database, &which).await?, None).await,
        What::Status => status(app, database).await,
        What::Approve { which } => approve(app, database, &find(database, &which).await?).await,
        What::Replay { which, since, mentor } => {
            replay(app, database, &find(database, &which).await?, since, mentor.as_deref()).await
        }
        What::Probe { which, environment, contract } => {
            let one = find(database, &which).await?;
            let version = contract.map_or_else(|| probing::spoken(&one), Ok)?;
            probing::show_points(app, &probing::points(app, database, &one, environment, &version).await?)
        }
        What::Resume { which } => probing::resume(app, database, &find(database, &which).await?).await,
        What::ResolveRemoval { which, mentor, exclude, list_again: _ } => {
            mentors::resolve_removal(app, database, &find(database, &which).await?, &mentor, exclude).await
        }
        What::Reports { which, args } => {
            reports::list(app, database, &find(database, &which).await?, &args).await
        }
        What::ResolveReport { which, args } => {
            reports::resolve(app, database, &find(database, &which).await?, &args).await
        }
        What::Sync => sync(app, database).await,
        What::Reconcile { which, trust_listing } => {
            compare(app, database, &find(database, &which).await?, trust_listing).await
        }
        What::Events { which, since, mentor } => {
            events(app, database, &find(database, &which).await?, since, mentor.as_deref()).await
        }
    }
}

async fn find(database: &Database, which: &PartnerArgs) -> Result<Partner, Error> {
    let mut tx = database.worker().await?;
    let one = partner::one(&mut tx, &which.organisation, &which.partner).await?;
    tx.rollback().await?;
    Ok(one)
}

async fn add(
    app: &App,
    database: &Database,
    which: &PartnerArgs,
    requires: &[String],
    removal_limit: Option<i64>,
) -> Result<Exit, Error> {
    let mut tx = database.registrar().await?;
    let home = organisation::id_of(&mut tx, &which.organisation).await?;
    partner::add(&mut tx, home, &which.partner, requires, removal_limit).await?;
    tx.commit().await?;
    print(app.format, &json!({ "partner": which.partner }), |_| {
        format!("Added the partner {}. It is switched off.", which.partner)
    })?;
    Ok(Exit::Success)
}

async fn switch(
    app: &App,
    database: &Database,
    one: &Partner,
    to: Option<Switch<'_>>,
) -> Result<Exit, Error> {
    let mut tx = database.registrar().await?;
    let waiting = partner::switch(&mut tx, one.organisation_id, &one.partner, to).await?;
    tx.commit().await?;
    let environment = to.map(|to| to.environment);
    let done = json!({ "partner": one.partner, "environment": environment, "waiting": waiting });
    print(app.format, &done, |_| match environment {
        Some(environment) => {
            format!(
                "{} is on ({environment}): changes of {} mentors are pending.",
                one.partner,
                count(waiting)
            )
        }
        None => format!("{} is off: changes of {} mentors stay queued.", one.partner, count(waiting)),
    })?;
    Ok(Exit::Success)
}

async fn status(app: &App, database: &Database) -> Result<Exit, Error> {
    let mut tx = database.worker().await?;
    let all = partner::with_status(&mut tx).await?;
    tx.rollback().await?;
    print(app.format, &json!({ "partners": all }), |_| show::standings(&all))?;
    Ok(if all.iter().all(partner::PartnerStatus::is_well) { Exit::Success } else { Exit::ProblemFound })
}

async fn approve(app: &App, database: &Database, one: &Partner) -> Result<Exit, Error> {
    let mut tx = database.registrar().await?;
    let removals = partner::approve_removals(&mut tx, one.organisation_id, &one.partner).await?;
    tx.commit().await?;
    print(app.format, &json!({ "removals": removals }), |_| {
        format!("Approved {removals} removals. They will now be sent.")
    })?;
    Ok(Exit::Success)
}

async fn replay(
    app: &App,
    database: &Database,
    one: &Partner,
    since: DateTime<Utc>,
    mentor: Option<&str>,
) -> Result<Exit, Error> {
    let mut tx = database.registrar().await?;
    let mentors = partner::replay(&mut tx, one.organisation_id, &one.partner, since, mentor).await?;
    tx.commit().await?;
    print(app.format, &json!({ "mentors": mentors }), |_| {
        format!("The current state of {mentors} mentors will be sent again.")
    })?;
    Ok(Exit::Success)
}

async fn sync(app: &App, database: &Database) -> Result<Exit, Error> {
    // Read reports first, so that the sync also sends the renewals that they cause.
    let polled = if app.config.partners.contracts.as_os_str().is_empty() {
        Vec::new()
    } else {
        poller::poll_all(database, &app.clock, &app.config.partners).await?
    };
    let mut sync = PartnerSync::new(database, &app.clock, &app.config.partners);
    let done = sync.once(&shutdown::requested()).await?;
    print(app.format, &json!({ "partners": done, "reports": polled }), |_| {
        show::sent(&done) + &reports::polled(&polled)
    })?;
    let is_well = polled.iter().all(|one| one.unread.is_none())
        && done.iter().all(|one| one.sent.stopped.is_none() && !one.sent.removals_are_held);
    Ok(if is_well { Exit::Success } else { Exit::ProblemFound })
}

async fn compare(app: &App, database: &Database, one: &Partner, trusts_listing: bool) -> Result<Exit, Error> {
    let adapter = adapters::of_partner(one, &app.config.partners)?;
    let removal_limit = (!trusts_listing).then_some(one.removal_limit);
    match reconcile::once(database, adapter.as_ref(), one, removal_limit).await? {
        Ok(reconciled) => {
            print(app.format, &reconciled, show::compared)?;
            Ok(if reconciled.is_right() { Exit::Success } else { Exit::ProblemFound })
        }
        Err(outcome) => {
            let reason = outcome.reason().unwrap_or_default();
            print(app.format, &json!({ "unread": reason }), |_| {
                format!("The listing cannot be read: {reason}.")
            })?;
            Ok(Exit::ProblemFound)
        }
    }
}

async fn events(
    app: &App,
    database: &Database,
    one: &Partner,
    since: DateTime<Utc>,
    mentor: Option<&str>,
) -> Result<Exit, Error> {
    let mut tx = database.worker().await?;
    let events = partner::events(&mut tx, one, since, mentor, MOST_EVENTS).await?;
    tx.rollback().await?;
    print(app.format, &json!({ "events": events }), |_| show::events(&events))?;
    Ok(Exit::Success)
}
