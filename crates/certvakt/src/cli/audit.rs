//! `certvakt audit`

use super::App;
use crate::audit::canary::{self, Report};
use crate::error::{Error, Exit};
use crate::output::{count, print, progress, table};
use crate::store::audit::access::{self, Across, Recorded};

/// Events listed, at most.
const MOST_LISTED: i64 = 1000;
/// For how many days events are kept, and so looked at.
const KEPT_DAYS: i32 = 365;

/// Look whether people see what they may and nothing else
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt audit canary")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Plant people in every chapter, ask as them whatever people can ask, and take everything back
    #[command(after_help = "Example:\n  certvakt audit canary\n\n\
        Tables, views and functions are those that the database's catalogue says people can reach.\n\
        Exit status 1: somebody saw what they must not, or not even their own; something gave an error;\n\
        or the canary cannot plant, because an app has a hierarchy of its own (docs/supabase.md).")]
    Canary {},
    /// List requests in which somebody read rows of an organisation that is not theirs: there are none
    #[command(
        after_help = "Example:\n  certvakt audit cross-org\n\nLooks at a year's requests through the API and the pages. Supabase's own REST is not among them:\n\
        there the canary asks what people can see, and the platform's log (or pgaudit) says what they asked.\n\
        Exit status 1: there is one."
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
    let recorded = access::recorded(&mut tx, KEPT_DAYS).await?;
    let across = access::across(&mut tx, MOST_LISTED).await?;
    tx.rollback().await?;
    let shown = serde_json::json!({ "recorded": recorded, "across": across });
    print(app.format, &shown, |_| text_of_accesses(recorded, &across))?;
    Ok(if across.is_empty() { Exit::Success } else { Exit::Found })
}

fn text_of_accesses(Recorded { events, lost }: Recorded, across: &[Across]) -> String {
    let mut text = if across.is_empty() {
        "Nobody read rows of an organisation that is not theirs.".to_owned()
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
        table(["Event", "When", "Person", "Request", "Of", "Read rows of"], rows).to_string()
    };
    text += &format!("\n\n{} requests of the last year are on record", count(events));
    text += &match lost {
        0 => ", and none was lost.".to_owned(),
        lost => format!("; LOST: {}, by a crash, a full buffer or the database.", count(lost)),
    };
    text
}

async fn canary(app: &App) -> Result<Exit, Error> {
    let bar = progress(0, "asking");
    let report = canary::run(app.database().await?, &bar).await?;
    bar.finish_and_clear();
    print(app.format, &report, text)?;
    Ok(if report.is_clean() { Exit::Success } else { Exit::Found })
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
    let rows = table(["Asked", "As", "People", "Theirs to see", "Others'"], rows);
    let mut text = format!("{rows}\n\n{} chapters. ", report.chapters);
    text += match report {
        _ if report.is_clean() => "Everybody saw what they may, and nothing else.",
        _ if report.blind > 0 => {
            "Coordinators did not see their own chapter: access is closed, or a policy is missing."
        }
        _ if report.leaks.is_empty() => "An error may hide a leak: mend what gives it.",
        _ => "Somebody saw what they must not:",
    };
    for failure in &report.failures {
        text += &format!("\nERROR: {failure}");
    }
    for leak in &report.leaks {
        text += &format!("\nLEAK: {leak}");
    }
    text
}
