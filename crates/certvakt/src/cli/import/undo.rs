//! `certvakt import list` and `certvakt import undo`

use certvakt_base::Exit;
use certvakt_engine::import::undo as engine;
use certvakt_store::{organisation, undo as store};
use serde_json::json;

use crate::cli::App;
use crate::error::Error;
use crate::output::{count, print, table};

/// The number of imports in a list.
const LISTED: i64 = 20;
/// The number of certifications in a text.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// The organisation's short name
    #[arg(long, value_name = "SLUG")]
    organisation: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Undo {
    /// The import's number
    #[arg(value_name = "ID")]
    id: i64,
    /// Show the result, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn list(args: List, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.registrar().await?;
    let id = organisation::id_of(&mut tx, &args.organisation).await?;
    let zone = organisation::zone_of(&mut tx, id).await?;
    let all = store::list(&mut tx, id, LISTED).await?;
    print(app.format, &json!({ "imports": all }), |_| {
        let rows = all.iter().map(|one| {
            [
                one.id.to_string(),
                one.finished_at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string(),
                count(one.read),
                count(one.added),
                count(one.updated),
                count(one.rejected),
                one.undone_at.map(|at| at.with_timezone(&zone).date_naive().to_string()).unwrap_or_default(),
            ]
        });
        table(["Import", "At", "Read", "Added", "Updated", "Rejected", "Undone"], rows).to_string()
    })?;
    Ok(Exit::Success)
}

pub(super) async fn undo(args: Undo, app: &App) -> Result<Exit, Error> {
    let undone = engine::undo(app.database().await?, args.id, None, args.dry_run).await?;
    print(app.format, &undone, |undone| text(undone, args.dry_run))?;
    Ok(Exit::Success)
}

fn text(undone: &store::Undone, dry_run: bool) -> String {
    let numbers = [undone.deleted, undone.reverted, undone.people].map(count);
    let mut text = table(["Deleted", "Changed back", "People changed back"], [numbers]).to_string();
    if dry_run {
        text += "\nNothing was changed: this was a dry run.";
    }
    if !undone.notified.is_empty() {
        text += &format!(
            "\nCorrected, or suspended if the import had added them, because their mentors have had notices: {}.",
            first(&undone.notified)
        );
    }
    if !undone.kept.is_empty() {
        let rows = undone
            .kept
            .iter()
            .take(SHOWN)
            .map(|one| [one.external_id.clone().unwrap_or_default(), one.fields.join(", ")]);
        text += &format!("\n\nChanged since, so it stays:\n{}", table(["Certification", "Fields"], rows));
        if undone.kept.len() > SHOWN {
            text += &format!("\nand {} more: --output json lists all.", undone.kept.len() - SHOWN);
        }
    }
    text
}

/// The first of some ids.
fn first(ids: &[String]) -> String {
    let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more (--output json lists all)"),
    }
}
