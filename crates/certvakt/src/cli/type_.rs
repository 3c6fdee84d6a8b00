//! `certvakt type`

use certvakt_base::Exit;
use certvakt_rules::renewal::Rule;
use certvakt_store::organisation::{self, RenewalTerms};

use super::App;
use crate::error::Error;
use crate::output::print;

/// Add a type of certification to an organisation
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt type add likeperson --organisation hlf --name Likeperson --validity 24mo"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a type
    #[command(
        after_help = "Example:\n  certvakt type add likeperson --organisation hlf --name Likeperson --validity 24mo"
    )]
    Add {
        /// The type's code: lower-case letters, digits and hyphens
        code: String,
        /// The organisation's short name
        #[arg(long)]
        organisation: String,
        /// The type's name, which people read [default: the code]
        #[arg(long)]
        name: Option<String>,
        /// The validity: 24mo or 2y; without it, each renewal must give a date
        #[arg(long, value_parser = months)]
        validity: Option<i16>,
        /// The start of a renewal's validity: `completion` of the course; `expiry`, the old last valid day;
        /// `expiry-unless-lapsed`, completion once it has lapsed; a month and day: from completion, extended
        /// to the next such day; or `end-of-year`: until the end of the year of completion
        #[arg(long, value_name = "RULE", default_value_t = Rule::FromCompletion)]
        renews_from: Rule,
        /// The number of days before the last valid day from which a renewal is accepted [default: any time]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i16).range(1..=3650))]
        renewal_window: Option<i16>,
    },
}

fn months(text: &str) -> Result<i16, String> {
    let months = match (text.strip_suffix("mo"), text.strip_suffix('y')) {
        (Some(months), _) => months.parse().ok(),
        (_, Some(years)) => years.parse::<i16>().ok().and_then(|years| years.checked_mul(12)),
        _ => None,
    };
    months.filter(|months| (1..=1200).contains(months)).ok_or_else(|| "write it like 24mo or 2y".to_owned())
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let What::Add { code, organisation, name, validity, renews_from, renewal_window } = args.what;
    let renewal = RenewalTerms { rule: renews_from, window_days: renewal_window };
    let name = name.unwrap_or_else(|| code.clone());
    let mut tx = app.database().await?.registrar().await?;
    organisation::add_type(&mut tx, &organisation, &code, &name, validity, renewal).await?;
    tx.commit().await?;
    print(app.format, &serde_json::json!({ "code": code }), |_| format!("Added the type {code}."))?;
    Ok(Exit::Success)
}
