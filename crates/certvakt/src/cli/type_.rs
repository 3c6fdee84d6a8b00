//! `certvakt type`

use certvakt_base::Exit;
use certvakt_rules::renewal::Rule;
use certvakt_rules::stage::LONGEST_LEAD_TIME;
use certvakt_store::certification_type::{self, CertificationType};
use certvakt_store::organisation::{self, NewType, RenewalTerms};

use super::{App, stage};
use crate::error::Error;
use crate::output::{print, table};

/// Add a type of certification to an organisation, change its lead times, or list the types
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
        /// The declared lead times of its notices, in days before the last valid day, such as 180,90,30
        /// [default: those of the organisation]
        #[arg(long, value_name = "DAYS,…", value_parser = lead_times)]
        lead_times: Option<LeadTimes>,
        /// The type's number in registers
        #[arg(long, value_name = "NUMBER")]
        external_id: Option<String>,
    },
    /// Select the lead times of a type's notices
    #[command(
        after_help = "Example:\n  certvakt type set forstehjelp --organisation hlf --lead-times 180,90,30\n  certvakt type set forstehjelp --organisation hlf --lead-times default"
    )]
    Set {
        /// The type's code
        code: String,
        /// The organisation's short name
        #[arg(long)]
        organisation: String,
        /// The declared lead times, in days before the last valid day, such as 180,90,30; or `default`, for those of
        /// the organisation
        #[arg(long, value_name = "DAYS,…|default", value_parser = lead_times)]
        lead_times: LeadTimes,
    },
    /// List the types
    #[command(after_help = "Example:\n  certvakt type list --organisation hlf")]
    List {
        /// Only this organisation
        #[arg(long, value_name = "SLUG")]
        organisation: Option<String>,
    },
}

/// The lead times that a type selects in days, the longest first; `None` for those of the organisation.
#[derive(Debug, Clone)]
struct LeadTimes(Option<Vec<i32>>);

fn lead_times(text: &str) -> Result<LeadTimes, String> {
    if text == "default" {
        return Ok(LeadTimes(None));
    }
    let days: Option<Vec<u16>> = text
        .split(',')
        .map(|days| days.trim().parse().ok().filter(|days| (1..=LONGEST_LEAD_TIME).contains(days)))
        .collect();
    days.map(|days| LeadTimes(Some(stage::selected(days)))).ok_or_else(|| {
        format!(
            "write days from 1 to {LONGEST_LEAD_TIME} with commas between them, like 180,90,30, or `default`"
        )
    })
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
    let database = app.database().await?;
    match args.what {
        What::Add {
            code,
            organisation,
            name,
            validity,
            renews_from,
            renewal_window,
            lead_times,
            external_id,
        } => {
            let renewal = RenewalTerms { rule: renews_from, window_days: renewal_window };
            let name = name.unwrap_or_else(|| code.clone());
            let days = lead_times.and_then(|LeadTimes(days)| days);
            let mut tx = database.registrar().await?;
            let new = NewType {
                code: &code,
                name: &name,
                validity_months: validity,
                renewal,
                lead_times: days.as_deref(),
                external_id: external_id.as_deref(),
            };
            organisation::add_type(&mut tx, &organisation, &new).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "code": code }), |_| format!("Added the type {code}."))?;
        }
        What::Set { code, organisation, lead_times: LeadTimes(days) } => {
            let mut tx = database.registrar().await?;
            certification_type::select_lead_times(&mut tx, &organisation, &code, days.as_deref()).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "code": code, "lead_times": days }), |_| {
                format!("Changed the type {code}.")
            })?;
        }
        What::List { organisation } => {
            let mut tx = database.worker().await?;
            organisation::named(&mut tx, organisation.as_deref()).await?;
            let types = certification_type::list(&mut tx, organisation.as_deref()).await?;
            tx.rollback().await?;
            print(app.format, &serde_json::json!({ "types": types }), |_| listed(&types))?;
        }
    }
    Ok(Exit::Success)
}

fn listed(types: &[CertificationType]) -> String {
    let rows = types.iter().map(|one| {
        [
            one.organisation.clone(),
            one.code.clone(),
            one.name.clone(),
            one.validity_months.map_or_else(|| "–".to_owned(), |months| format!("{months} months")),
            one.lead_times.as_deref().map_or_else(|| "default".to_owned(), stage::listed),
        ]
    });
    table(["Organisation", "Type", "Name", "Validity", "Lead times"], rows).to_string()
}
