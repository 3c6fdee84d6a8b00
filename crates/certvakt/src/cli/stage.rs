//! `certvakt stage`

use certvakt_base::Exit;
use certvakt_rules::Stage;
use certvakt_rules::stage::LONGEST_LEAD_TIME;
use certvakt_store::stage::{self, Change};
use clap::Subcommand;

use super::App;
use crate::error::Error;
use crate::output::{print, table};

/// Declare the lead times among which organisations and their types select
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt stage add 180\n  certvakt organisation set hlf --lead-times 180,90,30,7"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Declare a lead time, as the login that owns the schema; nothing selects it yet
    #[command(
        after_help = "Example:\n  certvakt stage add 180 --print-sql > supabase/migrations/20270101000000_declare_180.sql"
    )]
    Add {
        /// The number of days before the last valid day
        #[arg(value_parser = days())]
        days: u16,
        /// Print the statements for your own migrations, and change nothing
        #[arg(long)]
        print_sql: bool,
    },
    /// Remove a lead time that no organisation and no type selects, and no notice has
    #[command(after_help = "Example:\n  certvakt stage remove 180")]
    Remove {
        /// The number of days before the last valid day
        #[arg(value_parser = days())]
        days: u16,
    },
    /// List the declared stages
    #[command(after_help = "Example:\n  certvakt stage list --output json")]
    List,
}

/// A lead time, in days.
pub(super) fn days() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=i64::from(LONGEST_LEAD_TIME))
}

/// Lead times in days, the longest first, each of them once.
pub(super) fn selected(mut days: Vec<u16>) -> Vec<i32> {
    days.sort_unstable_by(|one, other| other.cmp(one));
    days.dedup();
    days.into_iter().map(i32::from).collect()
}

/// Lead times as a list for people.
pub(super) fn listed<T: ToString>(days: &[T]) -> String {
    days.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let (change, verb, days) = match args.what {
        What::List => return list(app).await,
        What::Add { days, print_sql: true } => {
            let sql = sql(days);
            print(app.format, &serde_json::json!({ "sql": sql }), |_| sql.clone())?;
            return Ok(Exit::Success);
        }
        What::Add { days, .. } => (Change::Declare(days), "Declared", days),
        What::Remove { days } => (Change::Remove(days), "Removed", days),
    };
    let kept = stage::change(app.address().await?, change).await?;
    let name = Stage::Warning(days);
    let shown = serde_json::json!({ "stage": name, "days_before": days, "notices_kept_days": kept });
    print(app.format, &shown, |_| format!("{verb} {name}. Notices are kept for at least {kept} days."))?;
    Ok(Exit::Success)
}

/// The statements that declare a lead time.
fn sql(days: u16) -> String {
    format!(
        "-- Validating reads the log. If these run in two transactions, nobody waits for it.\n\
         set lock_timeout = '5s';\n\
         select certvakt.declare_stage({days});\n\
         select certvakt.validate_stages();\n\
         reset lock_timeout;"
    )
}

async fn list(app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let (stages, kept) = stage::list(&mut tx).await?;
    tx.rollback().await?;
    let shown = serde_json::json!({ "stages": stages, "notices_kept_days": kept });
    print(app.format, &shown, |_| {
        let rows = stages.iter().map(|one| [one.name.clone(), one.days_before.to_string()]);
        format!("{}\n\nNotices are kept for at least {kept} days.", table(["Stage", "Days before"], rows))
    })?;
    Ok(Exit::Success)
}
