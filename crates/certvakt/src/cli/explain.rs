//! `certvakt explain`

use certvakt_base::Exit;
use certvakt_engine::expiry::explain::{self, Explanation};
use certvakt_store::caller::mentor::PersonChange;
use certvakt_store::{PersonChangeKind, certification, digest, organisation, stage};

use super::App;
use crate::error::Error;
use crate::output::{print, table};

/// Show which notices a certification's mentor got, and why or why not
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt explain 497843\n  certvakt explain 5f0c6f5e-6c0e-4f5e-8f0e-0d3c1f6b8a11 --output json"
)]
pub(super) struct Args {
    /// The certification's id, or its id in the imported register
    #[arg(value_name = "CERTIFICATION|EXTERNAL-ID")]
    certification: String,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let organisations = organisation::list(&mut tx).await?;
    let kept = stage::days_kept(&mut tx).await?;
    let mut explanations = Vec::new();
    for found in certification::find(&mut tx, &args.certification).await? {
        let Some(organisation) = organisations.iter().find(|one| one.slug == found.organisation) else {
            continue;
        };
        let notices = certification::notices(&mut tx, found.id, found.cycle_began).await?;
        let deliveries: Vec<i64> = notices.iter().filter_map(|notice| notice.delivery_id).collect();
        let attempts = certification::attempts(&mut tx, &deliveries).await?;
        let digests = digest::of_certification(&mut tx, found.id).await?;
        let now = app.clock.now();
        explanations.push(explain::explain(&found, organisation, &notices, &attempts, digests, kept, now));
    }
    print(app.format, &serde_json::json!({ "certifications": explanations }), |_| {
        explanations.iter().map(text).collect::<Vec<_>>().join("\n\n")
    })?;
    Ok(Exit::Success)
}

fn text(one: &Explanation) -> String {
    let end = match one.last_valid_day {
        Some(day) => format!("last valid day {day}"),
        None => "does not expire".to_owned(),
    };
    let head = format!(
        "{} {} ({}, {}): {end}, {}{}\ncertification {}, cycle since {}",
        one.type_name,
        one.external_id.as_deref().unwrap_or_default(),
        one.organisation,
        one.chapter,
        one.status,
        one.replaced_by.as_ref().map(|number| format!(", replaced by {number}")).unwrap_or_default(),
        one.certification_id,
        one.cycle_began.with_timezone(&one.zone).date_naive(),
    );
    let happened = one.mentor_changes.iter().map(|change| {
        let day = change.made_at.with_timezone(&one.zone).date_naive();
        format!("\n{day}: the mentor {}", happened(change))
    });
    let head = head + &happened.collect::<String>();
    let digests = one.digests.iter().map(|digest| {
        format!(
            "\n{} {} digest of its chapter: mailed to {} of {}",
            digest.on_date, digest.kind, digest.mailed, digest.recipients
        )
    });
    let head = head + &digests.collect::<String>();
    if one.stages.is_empty() {
        return head;
    }
    let rows = one.stages.iter().map(|stage| {
        let attempts = stage.attempts.iter().map(|attempt| {
            format!(
                "\n{} attempt {} {} {}{}",
                attempt.finished_at.with_timezone(&one.zone).format("%Y-%m-%d %H:%M"),
                attempt.attempt,
                attempt.channel.as_deref().unwrap_or("–"),
                attempt.outcome,
                attempt.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default(),
            )
        });
        [
            stage.due_date.to_string(),
            stage.stage.to_string(),
            stage.text.clone() + &attempts.collect::<String>(),
            stage.idempotency_key.chars().take(12).collect::<String>() + "…",
        ]
    });
    format!("{head}\n{}", table(["Due", "Stage", "Outcome", "Key"], rows))
}

fn happened(change: &PersonChange) -> String {
    let chapter = |name: &Option<String>| name.clone().unwrap_or_else(|| "a deleted chapter".to_owned());
    match change.kind {
        PersonChangeKind::Deceased => "died".to_owned(),
        PersonChangeKind::Left => "left".to_owned(),
        PersonChangeKind::Returned => "came back".to_owned(),
        PersonChangeKind::Moved => {
            format!("moved from {} to {}", chapter(&change.before), chapter(&change.after))
        }
        PersonChangeKind::Promoted => "became an administrator".to_owned(),
        PersonChangeKind::Demoted => "is no longer an administrator".to_owned(),
        PersonChangeKind::Joined => format!("became a mentor of {}", chapter(&change.after)),
        PersonChangeKind::Retired => format!("is no longer a mentor of {}", chapter(&change.before)),
        PersonChangeKind::Appointed => format!("became coordinator of {}", chapter(&change.after)),
        PersonChangeKind::Merged => "was merged with another record of the same person".to_owned(),
        PersonChangeKind::Absorbed => "continues another record of the same person".to_owned(),
        PersonChangeKind::EmailAdded => "got an e-mail address".to_owned(),
        PersonChangeKind::EmailRemoved => "lost an e-mail address".to_owned(),
        PersonChangeKind::PhoneAdded => "got a phone number".to_owned(),
        PersonChangeKind::PhoneRemoved => "lost a phone number".to_owned(),
        PersonChangeKind::Relieved => format!("is no longer coordinator of {}", chapter(&change.before)),
    }
}
