//! `certvakt history`

use certvakt_base::Exit;
use certvakt_store::{organisation, renewal};
use serde::Serialize;
use uuid::Uuid;

use super::App;
use crate::error::Error;
use crate::output::{count, print, progress, table};

/// Move histories to rows of a separate table, and check that both copies agree
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  certvakt history normalise --organisation hlf\n  certvakt history check\n  certvakt history limit 1000"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Move histories to rows while renewals continue; you can stop and restart it at any time
    #[command(after_help = "Example:\n  certvakt history normalise --organisation hlf\n\n\
        Afterwards the rows are the source. Each certification keeps a copy of its newest entries: at most 200,\n\
        and 20 from its next change on. Readers get the same result before, during and after the move.\n\
        Exit status 1: other transactions held locks on some certifications, so run it again.")]
    Normalise {
        /// Only this organisation
        #[arg(long, value_name = "SLUG")]
        organisation: Option<String>,
        /// The number of certifications to move in one transaction
        #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(i32).range(1..=10_000))]
        batch: i32,
    },
    /// Show or set the number of entries above which a history counts as long; the maximum is ten times as
    /// many
    #[command(after_help = "Examples:\n  certvakt history limit\n  certvakt history limit 1000")]
    Limit {
        /// The number of entries, 1 to 10000
        #[arg(value_name = "ENTRIES", value_parser = clap::value_parser!(i32).range(1..=10_000))]
        entries: Option<i32>,
    },
    /// Check that the rows and the certifications' copies agree
    #[command(after_help = "Example:\n  certvakt history check\n\nExit status 1: they differ.")]
    Check {
        /// Only this organisation
        #[arg(long, value_name = "SLUG")]
        organisation: Option<String>,
    },
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    match args.what {
        What::Normalise { organisation, batch } => normalise(organisation.as_deref(), batch, app).await,
        What::Limit { entries } => limit(entries, app).await,
        What::Check { organisation } => check(organisation.as_deref(), app).await,
    }
}

#[derive(Debug, Serialize)]
struct Normalised {
    organisation: String,
    certifications: i64,
    entries: i64,
    left: i64,
}

async fn normalise(slug: Option<&str>, batch: i32, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let mut tx = database.worker().await?;
    let mut all = Vec::new();
    for one in organisation::named(&mut tx, slug).await? {
        all.push((renewal::to_normalise(&mut tx, one.id).await?, one));
    }
    tx.rollback().await?;
    let total: i64 = all.iter().map(|(number, _)| number).sum();
    let bar = progress(u64::try_from(total).unwrap_or_default(), "moving histories");
    let mut done = Vec::new();
    for (_, one) in all {
        let mut normalised = Normalised { organisation: one.slug, certifications: 0, entries: 0, left: 0 };
        // A pass skips the certifications that another transaction holds; further passes move them.
        loop {
            let before = normalised.certifications;
            let mut after = Uuid::nil();
            loop {
                let mut tx = database.worker().await?;
                let moved = renewal::normalise(&mut tx, one.id, after, batch).await?;
                tx.commit().await?;
                normalised.certifications += moved.certifications;
                normalised.entries += moved.entries;
                bar.inc(u64::try_from(moved.certifications).unwrap_or_default());
                let Some(last) = moved.last else { break };
                after = last;
            }
            let mut tx = database.worker().await?;
            normalised.left = renewal::to_normalise(&mut tx, one.id).await?;
            tx.rollback().await?;
            if normalised.left == 0 || normalised.certifications == before {
                break;
            }
        }
        done.push(normalised);
    }
    bar.finish_and_clear();
    print(app.format, &serde_json::json!({ "organisations": done }), |_| {
        let rows = done.iter().map(|one| {
            [one.organisation.clone(), count(one.certifications), count(one.entries), count(one.left)]
        });
        table(["Organisation", "Histories moved", "Entries", "Skipped (locked)"], rows).to_string()
    })?;
    Ok(if done.iter().all(|one| one.left == 0) { Exit::Success } else { Exit::ProblemFound })
}

async fn limit(entries: Option<i32>, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.registrar().await?;
    if let Some(entries) = entries {
        renewal::set_long_history(&mut tx, entries).await?;
    }
    let long = renewal::long_history(&mut tx).await?;
    tx.commit().await?;
    print(app.format, &serde_json::json!({ "long_history": long }), |_| {
        format!(
            "A history with more than {long} entries counts as long. The maximum is {} entries.",
            10 * i64::from(long)
        )
    })?;
    Ok(Exit::Success)
}

#[derive(Debug, Serialize)]
struct Compared {
    moved: i64,
    different: Vec<Uuid>,
}

async fn check(slug: Option<&str>, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let organisation_id = match slug {
        Some(slug) => organisation::named(&mut tx, Some(slug)).await?.first().map(|one| one.id),
        None => None,
    };
    let (moved, different) = renewal::differences(&mut tx, organisation_id).await?;
    tx.rollback().await?;
    let compared = Compared { moved, different };
    print(app.format, &compared, |_| match compared.different.as_slice() {
        [] => {
            format!("{} histories are rows, and every certification's copy agrees with them.", count(moved))
        }
        different => {
            let ids: Vec<String> = different.iter().map(ToString::to_string).collect();
            format!("{} histories are rows. DIFFERENT: {}", count(moved), ids.join(", "))
        }
    })?;
    Ok(if compared.different.is_empty() { Exit::Success } else { Exit::ProblemFound })
}
