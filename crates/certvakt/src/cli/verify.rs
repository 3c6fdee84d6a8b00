//! `certvakt verify`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use certvakt_base::Exit;
use certvakt_engine::renewal::histories::{self, Checked as HistoriesChecked};
use certvakt_store::report::{self, Checked, Finding};
use certvakt_store::{organisation, run};
use chrono::NaiveDate;
use serde::Serialize;

use super::App;
use crate::error::Error;
use crate::output::{count, print, table};

/// Check that every due notice was recorded, with the right key
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt verify\n\nExit status 1: a notice is missing or a key is wrong; with --history, a history is inconsistent."
)]
pub(super) struct Args {
    /// Only this organisation
    #[arg(long, value_name = "SLUG")]
    organisation: Option<String>,
    /// Check the hash chains of the certifications' histories instead; this detects a rewritten history
    /// unless all later hashes were recomputed
    #[arg(long, conflicts_with = "organisation")]
    history: bool,
    /// Compare the histories with the heads in this file, which detects recomputed hashes too
    #[arg(long, value_name = "FILE", requires = "history")]
    heads: Option<PathBuf>,
    /// Write the current heads to this file; store it outside the database
    #[arg(long, value_name = "FILE", requires = "history")]
    write_heads: Option<PathBuf>,
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
    if args.history {
        return of_histories(&args, app).await;
    }
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
    Ok(if all.iter().all(|one| one.faults.is_empty()) { Exit::Success } else { Exit::ProblemFound })
}

async fn of_histories(args: &Args, app: &App) -> Result<Exit, Error> {
    let unreadable =
        |path: &Path, error: io::Error| Error::File(format!("{} cannot be read ({error})", path.display()));
    let kept = match &args.heads {
        None => BTreeMap::new(),
        Some(path) => File::open(path)
            .and_then(|file| histories::read_heads(BufReader::new(file)))
            .map_err(|error| unreadable(path, error))?,
    };
    let mut tx = app.database().await?.worker().await?;
    let checked = match &args.write_heads {
        None => histories::check(&mut tx, kept, &mut io::sink()).await?,
        Some(path) => histories::write(&mut tx, kept, path).await?,
    };
    tx.rollback().await?;
    print(app.format, &checked, |_| histories_text(&checked))?;
    Ok(if checked.faults.is_empty() { Exit::Success } else { Exit::ProblemFound })
}

fn histories_text(checked: &HistoriesChecked) -> String {
    let whole = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    let mut text = format!(
        "{} histories with {} entries: {}.\nDigest of their heads: {}",
        whole(checked.histories),
        whole(checked.entries),
        if checked.faults.is_empty() { "ok".to_owned() } else { format!("{} FAULTS", checked.faults.len()) },
        checked.digest,
    );
    for (number, what) in
        [(checked.erased, "entries whose text was erased"), (checked.later, "entries of a later version")]
    {
        if number > 0 {
            text += &format!("\n{} {what}.", whole(number));
        }
    }
    if !checked.gone.is_empty() {
        let ids: Vec<String> = checked.gone.iter().take(20).map(ToString::to_string).collect();
        text += &format!(
            "\n{} histories no longer exist since the heads were written: {}",
            checked.gone.len(),
            ids.join(", ")
        );
    }
    if !checked.faults.is_empty() {
        let rows = checked.faults.iter().map(|fault| {
            let number = fault.number.map_or_else(|| "–".to_owned(), |number| number.to_string());
            [fault.certification_id.to_string(), number, fault.what.clone()]
        });
        text += &format!("\n\n{}", table(["Certification", "Entry", "Fault"], rows));
    }
    text
}

fn text(all: &[Verified]) -> String {
    let summary = table(
        ["Organisation", "As of", "In a stage", "Notices", "Result"],
        all.iter().map(|one| {
            let result = match (one.as_of, one.faults.is_empty()) {
                (None, _) => "no complete run yet".to_owned(),
                (_, true) => "ok".to_owned(),
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

/// The number of findings, including those that are not listed.
fn total(findings: &[Finding]) -> i64 {
    let mut kinds: Vec<(&str, i64)> =
        findings.iter().map(|one| (one.finding.as_str(), one.of_kind)).collect();
    kinds.dedup();
    kinds.iter().map(|(_, number)| number).sum()
}
