//! Explains which notices a mentor got and why: every stage of a certification's current cycle.

use certvakt_rules::{DeliveryHours, Stage, last_valid_day, notice_key};
use certvakt_store::caller::mentor::PersonChange;
use certvakt_store::certification::{Attempt, Certification, Notice};
use certvakt_store::digest::DigestsOfDay;
use certvakt_store::organisation::Organisation;
use certvakt_store::{AttemptOutcome, CertificationStatus, DeliveryState};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use uuid::Uuid;

use super::unsent::{Cycle, Unsent};
use crate::delivery::validity::{self, DATE_CHANGED, SUSPENDED};

/// One certification, explained.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The certification's id.
    pub certification_id: Uuid,
    /// The certification's id in the register.
    pub external_id: Option<String>,
    /// The organisation's slug.
    pub organisation: String,
    /// The organisation's time zone.
    #[serde(rename = "timezone")]
    pub zone: Tz,
    /// The chapter's name.
    pub chapter: String,
    /// The name of the certification's type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The status.
    pub status: CertificationStatus,
    /// The end of the validity.
    pub expires_at: Option<DateTime<Utc>>,
    /// The last valid day, in the organisation's time zone.
    pub last_valid_day: Option<NaiveDate>,
    /// The start of the current cycle.
    pub cycle_began: DateTime<Utc>,
    /// The id in the register of the certification that replaced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// What happened to the mentor in the organisation, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentor_changes: Vec<PersonChange>,
    /// The stages, in the order of their due dates, and the notices of this cycle for earlier dates.
    pub stages: Vec<StageExplained>,
    /// The last digests to those who get them about its chapter, latest first.
    pub digests: Vec<DigestsOfDay>,
}

/// One stage, explained.
#[derive(Debug, Clone, Serialize)]
pub struct StageExplained {
    /// The stage.
    pub stage: Stage,
    /// The stage's due date.
    pub due_date: NaiveDate,
    /// The outcome of the stage.
    pub state: StageState,
    /// The outcome as a sentence.
    pub text: String,
    /// The notice's key.
    pub idempotency_key: String,
    /// The time at which its notice was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
    /// The attempts to deliver it.
    pub attempts: Vec<Attempt>,
}

/// The outcome of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// A provider accepted the notice.
    Sent,
    /// Recorded; its delivery is still open.
    Waiting,
    /// Recorded, but the mentor has no contact point yet.
    Unreachable,
    /// Recorded, but refused by every address so far.
    Undeliverable,
    /// Recorded, but no longer true when it should have been sent.
    Cancelled,
    /// Recorded by another program.
    RecordedElsewhere,
    /// Passed without a notice, because a later stage had started or the grace period had ended.
    Superseded,
    /// A declared stage that the organisation, or the type, does not use.
    Off,
    /// Sent before a correction of the date that was too small for a repeat.
    ToldBefore,
    /// Due; the next run will record it.
    DueNow,
    /// Not due yet.
    DueOn,
    /// No notices while the certification is suspended.
    Suspended,
    /// Too long ago: its notice may have been deleted.
    Unknown,
}

/// Explains a certification from its records.
pub fn explain(
    certification: &Certification,
    organisation: &Organisation,
    notices: &[Notice],
    attempts: &[Attempt],
    digests: Vec<DigestsOfDay>,
    days_kept: i32,
    now: DateTime<Utc>,
) -> Explanation {
    let zone = organisation.zone;
    let last = certification.expires_at.map(|at| last_valid_day(at, zone));
    let selected = organisation.selection.of(&certification.type_code);
    let cycle = Cycle {
        certification: certification.id,
        is_suspended: certification.status == CertificationStatus::Suspended,
        began: certification.cycle_began,
        zone,
        stages: selected,
        type_selects: *selected != *organisation.selection.own(),
        declared: &organisation.declared,
        notices,
        days_kept,
        now,
    };
    let view = View { certification, organisation, cycle, attempts };
    let mut stages: Vec<StageExplained> = Vec::new();
    if let Some(last) = last {
        stages.extend(cycle.all(last).map(|(stage, _)| view.stage(stage, last)));
    }
    // Notices for dates that were corrected or renewed since.
    let current: Vec<String> = stages.iter().map(|stage| stage.idempotency_key.clone()).collect();
    stages.extend(notices.iter().filter(|notice| !current.contains(&notice.idempotency_key)).filter_map(
        |notice| Some(view.recorded(Stage::from_name(&notice.stage)?, notice.due_date?, notice)),
    ));
    stages.sort_by_key(|stage| (stage.due_date, stage.stage));
    Explanation {
        certification_id: certification.id,
        external_id: certification.external_id.clone(),
        organisation: certification.organisation.clone(),
        zone,
        chapter: certification.chapter.clone(),
        type_name: certification.type_name.clone(),
        status: certification.status,
        expires_at: certification.expires_at,
        last_valid_day: last,
        cycle_began: certification.cycle_began,
        replaced_by: certification.replaced_by.clone(),
        mentor_changes: certification.mentor_changes.0.clone(),
        stages,
        digests,
    }
}

impl From<Unsent> for StageState {
    fn from(why: Unsent) -> Self {
        match why {
            Unsent::ToldBefore(_) => Self::ToldBefore,
            Unsent::Suspended => Self::Suspended,
            Unsent::OffForType | Unsent::OffForOrganisation => Self::Off,
            Unsent::Ahead(..) => Self::DueOn,
            Unsent::DueNow => Self::DueNow,
            Unsent::TooLongAgo => Self::Unknown,
            Unsent::LaterRecorded(_) | Unsent::BeforeCycle | Unsent::LaterStarted(_) | Unsent::Passed => {
                Self::Superseded
            }
        }
    }
}

struct View<'a> {
    certification: &'a Certification,
    organisation: &'a Organisation,
    cycle: Cycle<'a>,
    attempts: &'a [Attempt],
}

impl View<'_> {
    fn stage(&self, stage: Stage, last_valid_day: NaiveDate) -> StageExplained {
        let due_date = stage.due_date(last_valid_day);
        if let Some(notice) = self.cycle.notice(stage, due_date) {
            return self.recorded(stage, due_date, notice);
        }
        let why = self.cycle.unsent(stage, last_valid_day);
        StageExplained {
            stage,
            due_date,
            state: why.into(),
            text: why.to_string(),
            idempotency_key: notice_key(self.certification.id, stage, due_date),
            recorded_at: None,
            attempts: Vec::new(),
        }
    }

    fn recorded(&self, stage: Stage, due_date: NaiveDate, notice: &Notice) -> StageExplained {
        let attempts: Vec<Attempt> = self
            .attempts
            .iter()
            .filter(|attempt| Some(attempt.delivery_id) == notice.delivery_id)
            .cloned()
            .collect();
        let (state, text) = match self.obsolete(notice) {
            Some(why) => (StageState::Cancelled, format!("not sent: {why}")),
            None => self.outcome(notice, &attempts),
        };
        StageExplained {
            stage,
            due_date,
            state,
            text,
            idempotency_key: notice.idempotency_key.clone(),
            recorded_at: Some(notice.recorded_at),
            attempts,
        }
    }

    /// What became of a notice.
    fn outcome(&self, notice: &Notice, attempts: &[Attempt]) -> (StageState, String) {
        let reason = notice.reason.as_deref().unwrap_or("no reason recorded");
        match notice.delivery {
            None => (
                StageState::RecordedElsewhere,
                "recorded by another program, which delivers it itself".to_owned(),
            ),
            Some(DeliveryState::Delivered) => (StageState::Sent, self.sent(notice, attempts)),
            Some(DeliveryState::Unreachable) if attempts.is_empty() => {
                (StageState::Unreachable, format!("unreachable: {reason}"))
            }
            Some(DeliveryState::Unreachable) => {
                let text = format!("refused: {reason}; a new device or address makes it due again");
                (StageState::Undeliverable, text)
            }
            Some(DeliveryState::Cancelled) => (StageState::Cancelled, format!("not sent: {reason}")),
            Some(DeliveryState::Pending | DeliveryState::Claimed) => {
                (StageState::Waiting, self.waiting(notice))
            }
        }
    }

    /// Why a notice that has not been sent will not be sent, although no worker has cancelled it yet.
    fn obsolete(&self, notice: &Notice) -> Option<&'static str> {
        let certification = self.certification;
        let why = || {
            if certification.status == CertificationStatus::Suspended {
                return Some(SUSPENDED);
            }
            let zone = self.organisation.zone;
            let of_stage = (notice.stage.as_str(), notice.due_date?);
            validity::check(of_stage, certification.expires_at, self.cycle.stages, zone, self.cycle.now).err()
        };
        match notice.delivery {
            Some(DeliveryState::Pending) => why(),
            // Nobody was reached, as long as the date is the same.
            Some(DeliveryState::Unreachable) => why().filter(|why| *why == DATE_CHANGED),
            _ => None,
        }
    }

    fn sent(&self, notice: &Notice, attempts: &[Attempt]) -> String {
        let crossed = notice.crossed_at.map_or_else(String::new, |at| {
            let at = at.with_timezone(&self.organisation.zone).format("%Y-%m-%d %H:%M:%S");
            format!("; it was being sent when the certification changed at {at}")
        });
        let Some(last) = attempts.iter().rev().find(|attempt| attempt.outcome == AttemptOutcome::Delivered)
        else {
            return format!("sent{crossed}");
        };
        let channel = last.channel.as_deref().unwrap_or("a channel");
        // A crash between sending and acknowledgement can cause a repeat; the attempts show it.
        let lost = attempts.iter().any(|attempt| attempt.outcome == AttemptOutcome::LeaseLost);
        let again = if lost { ", perhaps twice: the outcome of an earlier attempt is unknown" } else { "" };
        format!("sent by {channel} on attempt {}{again}{crossed}", last.attempt)
    }

    fn waiting(&self, notice: &Notice) -> String {
        let Organisation { hours, zone, .. } = self.organisation;
        let at = next_attempt(notice, *hours, *zone, self.cycle.now);
        let when = at.with_timezone(zone).format("%Y-%m-%d %H:%M");
        match &notice.reason {
            Some(reason) => format!("waiting, next attempt from {when}: {reason}"),
            None => format!("waiting, will be sent from {when}"),
        }
    }
}

/// The earliest time of the next attempt to deliver a notice.
pub fn next_attempt(notice: &Notice, hours: DeliveryHours, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    hours.next_open(notice.available_at.unwrap_or(now).max(now), zone)
}
