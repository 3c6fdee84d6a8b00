//! A partner of the sample, to which sending has stopped: some mentors are listed wrongly, and two reports wait.

use certvakt_base::clock::Clock;
use certvakt_engine::renewal::{self, Change, ChangeRequest, Source, batch};
use certvakt_store::partner::reports::{self, New};
use certvakt_store::partner::{self, Enrolment, Stop, Switch};
use certvakt_store::{Database, Environment, StopReason, StoreError, organisation, people};
use chrono::Days;

/// The organisation, its partner, and the partner's contract, which nobody reads: the demo sends nothing to partners.
const ORGANISATION: &str = "horsel";
const PARTNER: &str = "samtalepartner";
const CONTRACT: &str = "2026-1";
/// The mentors who are enrolled, by their numbers in the register of Oslo.
const ENROLLED: std::ops::RangeInclusive<u32> = 20..=60;
/// Those who withdraw their consent.
const WITHDRAWN: [u32; 2] = [31, 32];
/// The one whose certification is suspended.
const SUSPENDED: &str = "oslo-0033";
/// The one about whom a report waits.
const REPORTED: u32 = 34;

/// Adds the partner.
pub(super) async fn add(database: &Database, clock: &Clock) -> Result<(), StoreError> {
    let now = clock.now();
    let mut tx = database.registrar().await?;
    let home = organisation::id_of(&mut tx, ORGANISATION).await?;
    partner::add(&mut tx, home, PARTNER, &["likeperson".to_owned()], None).await?;
    partner::switch(
        &mut tx,
        home,
        PARTNER,
        Some(Switch { environment: Environment::Live, contract: CONTRACT }),
    )
    .await?;
    for number in ENROLLED {
        let found = people::find(&mut tx, &format!("oslo-{number:04}")).await?;
        let Some(person_id) = found.first().copied() else { continue };
        let mentor = Enrolment { person_id, key: &format!("S-{number}"), consents: Some(true), at: now };
        partner::enrol(&mut tx, home, PARTNER, &mentor).await?;
        if WITHDRAWN.contains(&number) {
            partner::consent(&mut tx, home, PARTNER, person_id, None).await?;
        }
    }
    // The mentor of the one-click sign-in has not been asked yet, and can consent.
    let (chapter, _) = super::sample::MENTOR;
    if let Some(person_id) = people::find(&mut tx, &format!("{chapter}-0001")).await?.first().copied() {
        let mentor = Enrolment { person_id, key: "S-1", consents: None, at: now };
        partner::enrol(&mut tx, home, PARTNER, &mentor).await?;
    }
    tx.commit().await?;
    suspend(database, clock).await?;
    let mut tx = database.worker().await?;
    let one = partner::one(&mut tx, ORGANISATION, PARTNER).await?;
    let reason = "the demo sends nothing".to_owned();
    partner::stop(&mut tx, &one, &Stop { by: StopReason::Contract, reason, retry_in: None }).await?;
    tx.commit().await?;
    let certification = batch::find(database, &format!("oslo-{REPORTED:04}")).await?;
    let completed_on = clock.today(chrono_tz::Europe::Oslo) - Days::new(20);
    let mut tx = database.registrar().await?;
    let known = New {
        event_id: "kurs-101",
        partner_key: &format!("S-{REPORTED}"),
        certification_type: Some("likeperson"),
        certification_id: Some(certification),
        completed_on,
        valid_until: Some(completed_on + Days::new(800)),
        outcome: "waiting",
        reason: Some("other-date"),
    };
    let unknown = New {
        event_id: "kurs-102",
        partner_key: "S-9999",
        certification_id: None,
        valid_until: None,
        reason: Some("mentor-unknown"),
        ..known
    };
    for report in [known, unknown] {
        reports::record(&mut tx, &one, &report).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Suspends a certification, so that its mentor is to be removed.
async fn suspend(database: &Database, clock: &Clock) -> Result<(), StoreError> {
    let certification = batch::find(database, SUSPENDED).await?;
    let request = ChangeRequest {
        change: Change::Suspend { until: None },
        evidence: None,
        note: None,
        key: None,
        source: Source::Command,
        seen: None,
        form: None,
    };
    let mut tx = database.registrar().await?;
    renewal::apply(&mut tx, certification, &request, clock.now())
        .await
        .map_err(|error| StoreError::Invalid(error.to_string()))?;
    tx.commit().await?;
    Ok(())
}
