//! `certvakt mapping`

use certvakt_base::Exit;
use certvakt_engine::import::{ImportError, ReadingOptions};
use certvakt_store::{mapping, organisation};
use serde_json::json;

use super::App;
use super::reading_args::ReadingArgs;
use crate::error::Error;
use crate::output::{print, table};

/// Show and change the saved options for reading registers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt mapping show hlf-members --organisation hlf\n\n\
    `certvakt import --save-as NAME` saves a mapping, and `--mapping NAME` uses it.")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The mapping's name
    #[arg(value_parser = name)]
    name: String,
    /// The organisation's short name
    #[arg(long, value_name = "SLUG")]
    organisation: String,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the mappings of an organisation
    #[command(after_help = "Example:\n  certvakt mapping list --organisation hlf")]
    List {
        /// The organisation's short name
        #[arg(long, value_name = "SLUG")]
        organisation: String,
    },
    /// Show the options of a mapping
    #[command(after_help = "Example:\n  certvakt mapping show hlf-members --organisation hlf")]
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Change options of a mapping, or create it
    #[command(
        after_help = "Example:\n  certvakt mapping set hlf-members --organisation hlf --column email=E-post"
    )]
    Set {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        reading: Box<ReadingArgs>,
    },
    /// Remove a mapping
    #[command(after_help = "Example:\n  certvakt mapping remove hlf-members --organisation hlf")]
    Remove {
        #[command(flatten)]
        which: Which,
    },
}

/// Parses a mapping's name.
pub(super) fn name(text: &str) -> Result<String, String> {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let has_ends = !text.starts_with('-') && !text.ends_with('-');
    if is_plain && has_ends && (1..=63).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("a mapping's name has 1 to 63 lower-case letters, digits and hyphens".to_owned())
    }
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.registrar().await?;
    match args.what {
        What::List { organisation } => {
            let id = organisation::id_of(&mut tx, &organisation).await?;
            let all = mapping::list(&mut tx, id, None).await?;
            print(app.format, &json!({ "mappings": all }), |_| {
                let rows = all.iter().map(|one| {
                    let columns = one.options["columns"].as_object().map_or(0, serde_json::Map::len);
                    [one.name.clone(), columns.to_string(), one.updated_at.date_naive().to_string()]
                });
                table(["Mapping", "Columns", "Saved"], rows).to_string()
            })?;
        }
        What::Show { which } => {
            let id = organisation::id_of(&mut tx, &which.organisation).await?;
            let one = mapping::named(&mut tx, id, None, &which.name).await?;
            print(app.format, &one, |one| {
                let options = one.options.as_object().into_iter().flatten();
                let rows = options.flat_map(|(name, value)| match value.as_object() {
                    Some(members) => members
                        .iter()
                        .map(|(field, column)| [format!("{name} {field}"), plain(column)])
                        .collect(),
                    None => vec![[name.clone(), plain(value)]],
                });
                table(["Option", "Value"], rows).to_string()
            })?;
        }
        What::Set { which, reading } => {
            let id = organisation::id_of(&mut tx, &which.organisation).await?;
            let before =
                mapping::list(&mut tx, id, None).await?.into_iter().find(|one| one.name == which.name);
            let before = match &before {
                Some(saved) => {
                    ReadingOptions::of(&saved.name, &saved.options).map_err(ImportError::Options)?
                }
                None => ReadingOptions::default(),
            };
            let options = reading.options()?.over(before);
            options.check().map_err(ImportError::Options)?;
            mapping::save(&mut tx, id, None, &which.name, &options.to_saved(), None).await?;
            tx.commit().await?;
            print(app.format, &json!({ "name": which.name, "options": options.to_saved() }), |_| {
                format!("Saved the mapping {}.", which.name)
            })?;
        }
        What::Remove { which } => {
            let id = organisation::id_of(&mut tx, &which.organisation).await?;
            mapping::remove(&mut tx, id, &which.name).await?;
            tx.commit().await?;
            print(app.format, &json!({ "removed": which.name }), |_| {
                format!("Removed the mapping {}.", which.name)
            })?;
        }
    }
    Ok(Exit::Success)
}

/// A value of an option as text.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
