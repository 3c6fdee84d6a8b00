//! `certvakt organisation`

mod text;

use certvakt_base::Exit;
use certvakt_store::organisation::{self, NewOrganisation};
use certvakt_store::settings::{self, Settings};
use chrono::NaiveTime;
use chrono_tz::Tz;

use super::App;
use crate::error::Error;
use crate::output::{print, table};

/// Add an organisation, change its settings and texts, or list them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt organisation add hlf --name \"Hørselhemmedes forening\" --timezone Europe/Oslo"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add an organisation
    #[command(
        after_help = "Example:\n  certvakt organisation add hlf --name \"Hørselhemmedes forening\" --timezone Europe/Oslo"
    )]
    Add {
        /// The organisation's short name: lower-case letters, digits and hyphens
        slug: String,
        /// The organisation's name
        #[arg(long)]
        name: String,
        /// The organisation's time zone, a name of the IANA database
        #[arg(long, value_parser = time_zone)]
        timezone: Tz,
        /// The default language for people
        #[arg(long, default_value = "nb", value_parser = ["nb", "en"])]
        locale: String,
    },
    /// Change an organisation's settings; settings that you leave out stay the same
    #[command(
        after_help = "Example:\n  certvakt organisation set hlf --deliver-from 08:00 --deliver-until 21:00"
    )]
    Set {
        /// The organisation's short name
        slug: String,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Show or change the text of the e-mails of a stage
    #[command(after_help = "Examples:\n  certvakt organisation text hlf --stage expired --language nb\n  \
                      certvakt organisation text hlf --stage expired --language nb --file expired.txt\n  \
                      certvakt organisation text hlf --stage expired --language nb --built-in")]
    Text(text::TextArgs),
    /// List the organisations
    #[command(after_help = "Example:\n  certvakt organisation list --output json")]
    List,
}

#[derive(Debug, clap::Args)]
struct SettingsArgs {
    /// The organisation's name
    #[arg(long)]
    name: Option<String>,
    /// The default language for people: nb or en
    #[arg(long, value_parser = ["nb", "en"])]
    locale: Option<String>,
    /// The local time of the nightly run, as HH:MM
    #[arg(long, value_parser = time)]
    run_at: Option<NaiveTime>,
    /// The local time from which notices are sent; the whole day if it equals the end
    #[arg(long, value_parser = time)]
    deliver_from: Option<NaiveTime>,
    /// The local time until which notices are sent
    #[arg(long, value_parser = time)]
    deliver_until: Option<NaiveTime>,
    /// The number of days for which the stage `expired` stays current, 1 to 90
    #[arg(long, value_parser = clap::value_parser!(i16).range(1..=90))]
    grace_days: Option<i16>,
    /// The declared lead times on which its mentors get a notice, in days before the last valid day, such as
    /// 90,30,7; the stage `expired` always applies
    #[arg(long, value_delimiter = ',', value_name = "DAYS,…", value_parser = super::stage::days())]
    lead_times: Option<Vec<u16>>,
    /// The number of notices below which a run is never held; above it, --limit-percent applies
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
    limit_floor: Option<i64>,
    /// The limit of notices in a run, as a percentage of the valid certifications, 0 to 100
    #[arg(long, value_parser = clap::value_parser!(i16).range(0..=100))]
    limit_percent: Option<i16>,
    /// Whether lock screens and subjects of e-mails may name the association and the certification
    #[arg(long)]
    names_certification: Option<bool>,
    /// Whether the digests that coordinators get by e-mail may name mentors
    #[arg(long)]
    digest_names: Option<bool>,
}

fn time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "write it like 02:00".to_owned())
}

impl From<SettingsArgs> for Settings {
    fn from(args: SettingsArgs) -> Self {
        Self {
            name: args.name,
            locale: args.locale,
            run_at: args.run_at,
            deliver_from: args.deliver_from,
            deliver_until: args.deliver_until,
            grace_days: args.grace_days,
            lead_times: args.lead_times.map(super::stage::selected),
            limit_floor: args.limit_floor,
            limit_percent: args.limit_percent,
            names_certification: args.names_certification,
            digest_names: args.digest_names,
        }
    }
}

fn time_zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        let near =
            certvakt_base::suggest::nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        match near {
            Some(near) => format!("unknown time zone, did you mean '{near}'?"),
            None => "unknown time zone, use a name such as Europe/Oslo".to_owned(),
        }
    })
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    match args.what {
        What::Text(args) => return text::run(args, app).await,
        What::Add { slug, name, timezone, locale } => {
            let mut tx = database.registrar().await?;
            let new = NewOrganisation { slug: &slug, name: &name, zone: timezone, locale: &locale };
            let id = organisation::add(&mut tx, &new).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "id": id, "slug": slug }), |_| {
                format!("Added the organisation {slug}.")
            })?;
        }
        What::Set { slug, settings: args } => {
            let mut tx = database.registrar().await?;
            settings::set(&mut tx, &slug, &args.into()).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "slug": slug }), |_| {
                format!("Changed the organisation {slug}.")
            })?;
        }
        What::List => {
            let mut tx = database.worker().await?;
            let all = organisation::list(&mut tx).await?;
            print(app.format, &serde_json::json!({ "organisations": all }), |_| {
                table(
                    ["Slug", "Name", "Time zone", "Run at", "Language", "Lead times"],
                    all.iter().map(|one| {
                        [
                            one.slug.clone(),
                            one.name.clone(),
                            one.zone.to_string(),
                            one.run_at.format("%H:%M").to_string(),
                            one.locale.clone(),
                            super::stage::listed(one.selection.own().lead_times()),
                        ]
                    }),
                )
                .to_string()
            })?;
        }
    }
    Ok(Exit::Success)
}
