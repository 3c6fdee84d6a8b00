//! `certvakt audit`

use certvakt_base::Exit;
use certvakt_engine::audit::canary::{self, Report};
use certvakt_store::audit::access_log::{self, Across, Recorded};

use super::App;
use crate::error::Error;
use crate::output::{count, print, progress, table};

/// The maximum number of listed events.
const MOST_LISTED: i64 = 1000;
/// The number of days for which events are kept.
const KEPT_DAYS: i32 = 365;

/// Check that people can read exactly what they are allowed to
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt audit canary")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Create test people in every chapter, query as each of them all that people can reach, and roll
    /// everything back
    #[command(after_help = "Example:\n  certvakt audit canary\n\n\
        The database's catalogue lists the tables, views and functions that people can reach.\n\
        Exit status 1: a test person read rows that they must not see, or could not read their own; a query\n\
        failed; or an app uses its own hierarchy, so the canary cannot create people (docs/supabase.md).")]
    Canary {},
    /// List requests that read rows of an organisation to which the caller does not belong; none is expected
    #[command(
        after_help = "Example:\n  certvakt audit cross-org\n\nCovers a year of requests to the API and the pages, but not requests to Supabase's REST API:\n\
        for those, use the canary to check permissions, and the platform's log (or pgaudit) to see requests.\n\
        Exit status 1: at least one request is listed."
    )]
    CrossOrg {},
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    match args.what {
        What::Canary {} => canary(app).await,
        What::CrossOrg {} => cross_org(app).await,
    }
}

async fn cross_org(app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let recorded = access_log::recorded(&mut tx, KEPT_DAYS).await?;
    let across = access_log::across(&mut tx, MOST_LISTED).await?;
    tx.rollback().await?;
    let shown = serde_json::json!({ "recorded": recorded, "across": across });
    print(app.format, &shown, |_| text_of_accesses(recorded, &across))?;
    Ok(if across.is_empty() { Exit::Success } else { Exit::ProblemFound })
}

fn text_of_accesses(Recorded { events, lost }: Recorded, across: &[Across]) -> String {
    let mut text = if across.is_empty() {
        "No request read rows of an organisation to which the caller does not belong.".to_owned()
    } else {
        let rows = across.iter().map(|one| {
            let id = one.resource_id.map_or(String::new(), |id| format!(" ({id})"));
            [
                one.number.to_string(),
                one.at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
                one.person_id.map_or(String::new(), |id| id.to_string()),
                format!("{} {}{id}", one.method, one.resource),
                one.of_person.join(", "),
                one.of_others.join(", "),
            ]
        });
        table(["Event", "Time", "Person", "Request", "Member of", "Read rows of"], rows).to_string()
    };
    text += &format!("\n\n{} requests of the last year are recorded", count(events));
    text += &match lost {
        0 => ", and none was lost.".to_owned(),
        lost => format!("; LOST: {}, because of a crash, a full buffer or a database error.", count(lost)),
    };
    text
}

async fn canary(app: &App) -> Result<Exit, Error> {
    let bar = progress(0, "querying");
    let report = canary::run(app.database().await?, &bar).await?;
    bar.finish_and_clear();
    print(app.format, &report, text)?;
    Ok(if report.is_clean() { Exit::Success } else { Exit::ProblemFound })
}

fn text(report: &Report) -> String {
    let rows = report.sights.iter().map(|sight| {
        let leaked =
            if sight.leaked > 0 { format!("LEAK: {}", count(sight.leaked)) } else { "none".to_owned() };
        let asked = match sight {
            _ if sight.failed > 0 => "an error".to_owned(),
            _ if sight.refused == sight.asked => "no answer".to_owned(),
            _ => count(sight.seen),
        };
        [sight.of.clone(), sight.kind.to_owned(), count(sight.asked), asked, leaked]
    });
    let rows = table(["Queried", "Role", "People", "Own rows", "Others' rows"], rows);
    let mut text = format!("{rows}\n\n{} chapters. ", report.chapters);
    text += match report {
        _ if report.is_clean() => "Every test person read exactly what they are allowed to.",
        _ if report.blind > 0 => {
            "Coordinators could not read their own chapter: access is closed, or a policy is missing."
        }
        _ if report.leaks.is_empty() => "An error can hide a leak: fix it, then run the canary again.",
        _ => "Test people read rows that they must not see:",
    };
    for failure in &report.failures {
        text += &format!("\nERROR: {failure}");
    }
    for leak in &report.leaks {
        text += &format!("\nLEAK: {leak}");
    }
    text
}
