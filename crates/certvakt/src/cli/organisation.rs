//! `certvakt organisation`

use chrono_tz::Tz;

use super::App;
use crate::error::{Error, Exit};
use crate::output::{print, table};
use crate::store::organisation::{self, NewOrganisation, Settings};

/// Add an organisation, change its settings, or list them
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
        settings: Settings,
    },
    /// List the organisations
    #[command(after_help = "Example:\n  certvakt organisation list --output json")]
    List,
}

fn time_zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        let near = crate::config::nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        match near {
            Some(near) => format!("unknown time zone, did you mean '{near}'?"),
            None => "unknown time zone, use a name such as Europe/Oslo".to_owned(),
        }
    })
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    match args.what {
        What::Add { slug, name, timezone, locale } => {
            let mut tx = database.registrar().await?;
            let new = NewOrganisation { slug: &slug, name: &name, zone: timezone, locale: &locale };
            let id = organisation::add(&mut tx, &new).await?;
            tx.commit().await?;
            print(app.format, &serde_json::json!({ "id": id, "slug": slug }), |_| {
                format!("Added the organisation {slug}.")
            })?;
        }
        What::Set { slug, settings } => {
            let mut tx = database.registrar().await?;
            organisation::set(&mut tx, &slug, &settings).await?;
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
                    ["Slug", "Name", "Time zone", "Run at", "Language"],
                    all.iter().map(|one| {
                        [
                            one.slug.clone(),
                            one.name.clone(),
                            one.zone.to_string(),
                            one.run_at.format("%H:%M").to_string(),
                            one.locale.clone(),
                        ]
                    }),
                )
                .to_string()
            })?;
        }
    }
    Ok(Exit::Success)
}
