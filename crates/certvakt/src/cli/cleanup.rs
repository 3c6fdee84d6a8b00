//! `certvakt cleanup`

use certvakt_base::Exit;
use certvakt_store::{StoreError, cleanup, stage};

use super::App;
use crate::error::Error;
use crate::output::{count, print, progress, table};

/// The maximum age in days: a hundred years, within the range of the database's dates.
const LONGEST_DAYS: u32 = 36_525;

/// Delete old notices and other old records, in small batches
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt cleanup --older-than 1y --dry-run")]
pub(super) struct Args {
    /// The minimum age of the rows to delete: 1y, 18mo or 400d; at least the days that `certvakt stage list` shows
    #[arg(long, default_value = "1y", value_parser = days, value_name = "AGE")]
    older_than: u32,
    /// Count the rows, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

fn days(text: &str) -> Result<u32, String> {
    let units = [("mo", 30.4375), ("y", 365.25), ("d", 1.0)];
    let days = units.iter().find_map(|(unit, length)| {
        let number: u16 = text.strip_suffix(unit)?.parse().ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "65,535 years are 24 million days"
        )]
        Some((f64::from(number) * length).floor() as u32)
    });
    match days {
        Some(days) if days > LONGEST_DAYS => Err("the age must be at most a hundred years".to_owned()),
        Some(days) => Ok(days),
        None => Err("write it like 1y, 18mo or 400d".to_owned()),
    }
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let mut tx = database.worker().await?;
    let kept = stage::days_kept(&mut tx).await?;
    tx.rollback().await?;
    if i64::from(args.older_than) < i64::from(kept) {
        return Err(StoreError::Invalid(format!(
            "certvakt keeps notices for at least {kept} days, because of the declared lead times: give a greater age with --older-than"
        ))
        .into());
    }
    let found = cleanup::count(database, args.older_than).await?;
    let deleted = if args.dry_run {
        found
    } else {
        let bar = progress(found.notices.unsigned_abs(), "deleting");
        let deleted = cleanup::delete(database, args.older_than, |notices| bar.inc(notices)).await?;
        bar.finish_and_clear();
        deleted
    };
    let shown = serde_json::json!({ "dry_run": args.dry_run, "older_than_days": args.older_than, "deleted": deleted });
    print(app.format, &shown, |_| {
        let verb = if args.dry_run { "Would delete" } else { "Deleted" };
        table(
            [verb, "Rows"],
            [
                ("notices, with their deliveries", deleted.notices),
                ("records of runs", deleted.runs),
                ("records of imports", deleted.imports),
                ("records of people's requests, older than a year", deleted.access_events),
            ]
            .map(|(what, rows)| [what.to_owned(), count(rows)]),
        )
        .to_string()
    })?;
    Ok(Exit::Success)
}
