//! `certvakt verify`

use chrono::NaiveDate;
use serde::Serialize;

use super::App;
use crate::error::{Error, Exit};
use crate::output::{count, print, table};
use crate::store::report::{self, Checked, Finding};
use crate::store::{organisation, run};

/// Check that every notice that had to be recorded was, with its right key
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt verify\n\nExit status 1: a notice is missing or a key is wrong."
)]
pub(super) struct Args {
    /// Only this organisation
    #[arg(long, value_name = "SLUG")]
    organisation: Option<String>,
}

#[derive(Debug, Serialize)]
struct Verified {
    organisation: String,
    as_of: Option<NaiveDate>,
    #[serde(flatten)]
    checked: Checked,
    faults: Vec<Finding>,
    not_checked: Vec<Finding>,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let mut all = Vec::new();
    for organisation in organisation::named(&mut tx, args.organisation.as_deref()).await? {
        let calendar = run::calendar(&mut tx, organisation.id).await?;
        let (checked, findings) = match calendar.last_complete {
            Some(date) => report::verify(&mut tx, &organisation, date, &calendar).await?,
            None => (Checked::default(), Vec::new()),
        };
        let (faults, not_checked) = findings
            .into_iter()
            .partition(|finding| matches!(finding.finding.as_str(), "missing" | "wrong key"));
        all.push(Verified {
            organisation: organisation.slug,
            as_of: calendar.last_complete,
            checked,
            faults,
            not_checked,
        });
    }
    tx.rollback().await?;
    print(app.format, &serde_json::json!({ "organisations": all }), |_| text(&all))?;
    Ok(if all.iter().all(|one| one.faults.is_empty()) { Exit::Success } else { Exit::Found })
}

fn text(all: &[Verified]) -> String {
    let summary = table(
        ["Organisation", "As of", "In a stage", "Notices", "Result"],
        all.iter().map(|one| {
            let result = match (one.as_of, one.faults.is_empty()) {
                (None, _) => "no complete run yet".to_owned(),
                (_, true) => "right".to_owned(),
                (_, false) => format!("{} FAULTS", count(total(&one.faults))),
            };
            let as_of = one.as_of.map_or_else(|| "–".to_owned(), |date| date.to_string());
            [one.organisation.clone(), as_of, count(one.checked.in_stage), count(one.checked.notices), result]
        }),
    );
    let mut text = summary.to_string();
    for (heading, pick) in [("Faults", true), ("Could not be checked", false)] {
        let findings: Vec<&Finding> =
            all.iter().flat_map(|one| if pick { &one.faults } else { &one.not_checked }).collect();
        if findings.is_empty() {
            continue;
        }
        let rows = findings.iter().map(|finding| {
            let due = finding.due_date.map_or_else(|| "–".to_owned(), |date| date.to_string());
            [finding.finding.clone(), finding.certification_id.to_string(), finding.stage.clone(), due]
        });
        text += &format!("\n\n{heading}:\n{}", table(["Finding", "Certification", "Stage", "Due"], rows));
    }
    text
}

/// All findings, those beyond the listed ones included.
fn total(findings: &[Finding]) -> i64 {
    let mut kinds: Vec<(&str, i64)> =
        findings.iter().map(|one| (one.finding.as_str(), one.of_kind)).collect();
    kinds.dedup();
    kinds.iter().map(|(_, number)| number).sum()
}
