//! `certvakt demo`

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use certvakt_base::Exit;
use certvakt_rules::{Stage, Stages};
use certvakt_store::StoreError;
use tempfile::TempDir;

use super::App;
use super::forecast::chart;
use crate::demo::{self, DemoError, Report};
use crate::error::Error;
use crate::output::{Format, count, print, stage_heading, table, table_of};

/// The number of nights in the forecast.
const NIGHTS: u32 = 14;

/// Import a generated sample, run and deliver it, and show the results, in a temporary folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt demo")]
pub(super) struct Args {
    /// Keep the folder, so that you can open it with --data-dir
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    if app.clock.is_moved() {
        return Err(StoreError::NoRehearsal.into());
    }
    let folder = folder(args.keep)?;
    let say = |what: &str| {
        if app.format == Format::Text {
            eprintln!("… {what}");
        }
    };
    let report = demo::show(folder.path(), &app.clock, NIGHTS, &say).await?;
    let kept = args.keep.then(|| folder.path().to_owned());
    drop(folder);
    print(app.format, &report, |report| text(report, kept.as_deref()))?;
    Ok(Exit::Success)
}

/// Creates a folder that PostgreSQL's unprivileged user can enter, and that is deleted at the end unless it is kept.
pub(super) fn folder(is_kept: bool) -> Result<TempDir, Error> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("certvakt-demo-").permissions(Permissions::from_mode(0o755)).disable_cleanup(is_kept);
    Ok(folder.tempdir().map_err(|error| DemoError::Sample(error.to_string()))?)
}

fn text(report: &Report, kept: Option<&Path>) -> String {
    let stages: Vec<Stage> = Stages::default().iter().collect();
    let rows = report.runs.iter().map(|run| {
        let mut row = vec![run.organisation.clone()];
        row.extend(stages.iter().map(|stage| count(run.recorded.of(*stage))));
        row.extend([run.recorded.total(), run.unreachable].map(count));
        row
    });
    let headings =
        ["Due tonight".to_owned()].into_iter().chain(stages.iter().map(|stage| stage_heading(*stage)));
    let headings = headings.chain(["Total", "Without a device"].map(str::to_owned)).collect::<Vec<_>>();
    let due = table_of(&headings, rows);
    let tally = &report.deliveries;
    let number = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    let delivered = table(
        ["Deliveries", "Notices"],
        [
            ["delivered".to_owned(), number(tally.delivered)],
            ["unreachable: no working device".to_owned(), count(report.unreachable)],
            ["to retry".to_owned(), number(tally.retried)],
        ],
    );
    // The path that the user typed, so that they can copy the commands.
    let certvakt = std::env::args().next().unwrap_or_else(|| "certvakt".to_owned());
    let next = match kept {
        Some(folder) => format!(
            "Explore it:\n  {certvakt} --data-dir {0} status\n  {certvakt} --data-dir {0} explain oslo-0001",
            folder.display()
        ),
        None => format!("The temporary folder was deleted. To keep it, use `{certvakt} demo --keep`."),
    };
    format!(
        "{} mentors in 12 chapters of 3 organisations, all generated data.\n\n{due}\n\n{delivered}\n\n{}\n\
         {next}\n\nNext, with your own register:\n\
         \x20 {certvakt} organisation add mine --name \"My association\" --timezone Europe/Oslo\n\
         \x20 {certvakt} chapter add main --organisation mine --name Main\n\
         \x20 {certvakt} type add mentor --organisation mine --validity 24mo\n\
         \x20 {certvakt} import register.csv --organisation mine --chapter main --type mentor \\\n\
         \x20   --column external_id=Number --column expires_at=\"Valid until\" --dry-run\n\
         \x20 {certvakt} run --dry-run\n\nIn a browser, with people to sign in as:\n\x20 {certvakt} serve --demo",
        count(i64::try_from(report.mentors).unwrap_or(i64::MAX)),
        chart(&report.forecast),
    )
}
