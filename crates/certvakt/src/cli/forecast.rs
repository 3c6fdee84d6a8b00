//! `certvakt forecast`

use std::collections::BTreeMap;

use certvakt_base::Exit;
use certvakt_engine::expiry::forecast;
use certvakt_store::organisation;
use certvakt_store::run::ByStage;
use chrono::NaiveDate;

use super::App;
use crate::error::Error;
use crate::output::{bar_chart, by_stage, print};

/// Show how many notices are due in the coming nights
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt forecast --days 14")]
pub(super) struct Args {
    /// The number of nights
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// Only this organisation
    #[arg(long, value_name = "SLUG")]
    organisation: Option<String>,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let mut tx = database.worker().await?;
    let organisations = organisation::named(&mut tx, args.organisation.as_deref()).await?;
    let mut shown = Vec::new();
    let mut sum: BTreeMap<NaiveDate, ByStage> = BTreeMap::new();
    for organisation in &organisations {
        let nights = forecast::forecast(&mut tx, &app.clock, organisation, args.days).await?;
        for (night, notices) in &nights {
            sum.entry(*night).or_default().join(notices);
            shown.push(
                serde_json::json!({ "organisation": organisation.slug, "night": night, "notices": notices }),
            );
        }
    }
    tx.rollback().await?;
    print(app.format, &serde_json::json!({ "nights": shown }), |_| chart(&sum))?;
    Ok(Exit::Success)
}

/// A chart with one bar per night, and the number of notices of each stage that has any next to it.
pub(super) fn chart(nights: &BTreeMap<NaiveDate, ByStage>) -> String {
    let rows = nights.iter().map(|(night, notices)| {
        (night.format("%Y-%m-%d %a").to_string(), notices.total(), by_stage(notices))
    });
    bar_chart("notices per night", rows)
}
