//! `certvakt audit`

use super::App;
use crate::audit::canary::{self, Report};
use crate::error::{Error, Exit};
use crate::output::{count, print, progress, table};

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
        Exit status 1: somebody saw what they must not, or not even their own.")]
    Canary {},
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let What::Canary {} = args.what;
    let bar = progress(0, "asking");
    let report = canary::sing(app.database().await?, &bar).await?;
    bar.finish_and_clear();
    print(app.format, &report, text)?;
    Ok(if report.is_clean() { Exit::Success } else { Exit::Found })
}

fn text(report: &Report) -> String {
    let rows = report.sights.iter().map(|sight| {
        let leaked =
            if sight.leaked > 0 { format!("LEAK: {}", count(sight.leaked)) } else { "none".to_owned() };
        let asked = if sight.refused == sight.asked { "no answer".to_owned() } else { count(sight.seen) };
        [sight.of.clone(), sight.kind.to_owned(), count(sight.asked), asked, leaked]
    });
    let rows = table(["Asked", "As", "People", "Theirs to see", "Others'"], rows);
    let mut text = format!("{rows}\n\n{} chapters. ", report.chapters);
    text += match (report.is_clean(), report.blind) {
        (true, _) => "Everybody saw what they may, and nothing else.",
        (false, 0) => "Somebody saw what they must not:",
        (false, _) => "Coordinators did not see their own chapter: access is closed, or a policy is missing.",
    };
    for leak in &report.leaks {
        text += &format!("\nLEAK: {leak}");
    }
    text
}
