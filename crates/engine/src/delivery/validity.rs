//! Checks whether a notice is still true when it is sent.

use certvakt_base::i18n::Locale;
use certvakt_rules::{Stage, Stages, last_valid_day};
use certvakt_store::delivery::Claimed;
use certvakt_store::organisation::Organisation;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::Notice;
use super::wording::Wordings;

/// Why a suspended certification needs no notice.
pub const SUSPENDED: &str = "certification suspended";
/// Why a notice of another date is not needed.
pub const DATE_CHANGED: &str = "date changed";
/// Why a notice of a stage that is not used is not needed.
pub const NOT_SELECTED: &str = "lead time not selected any more";
/// Why a notice of a stage that is not the current one is not needed.
pub const STAGE_PASSED: &str = "stage passed";

/// The values of a notice that depend on today.
pub(crate) struct Validity {
    stage: Stage,
    last_valid_day: NaiveDate,
    days_left: i64,
}

/// Returns the values that depend on today, or the reason why the notice must not be sent. The claim has
/// already checked that the certification is still in the stage with the date.
pub(super) fn check_validity(
    claimed: &Claimed,
    organisation: &Organisation,
    now: DateTime<Utc>,
) -> Result<Validity, &'static str> {
    let stages = organisation.selection.of(&claimed.type_code);
    if claimed.suspended {
        return Err(SUSPENDED);
    }
    check((&claimed.stage, claimed.due_date), claimed.expires_at, stages, organisation.zone, now)
}

/// Returns the values of a notice that depend on today, or the reason why it is not true any more. `expires_at` is the end of
/// the validity of a certification that is not suspended.
pub(crate) fn check(
    (stage, due_date): (&str, NaiveDate),
    expires_at: Option<DateTime<Utc>>,
    stages: &Stages,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Validity, &'static str> {
    let Some(stage) = Stage::from_name(stage) else { return Err("stage unknown") };
    let Some(expires_at) = expires_at else { return Err(DATE_CHANGED) };
    let last_valid_day = last_valid_day(expires_at, zone);
    let today = certvakt_rules::today(now, zone);
    if stage.due_date(last_valid_day) != due_date {
        return Err(DATE_CHANGED);
    }
    if !stages.has(stage) {
        return Err(NOT_SELECTED);
    }
    if stages.current(last_valid_day, today) != Some(stage) {
        return Err(STAGE_PASSED);
    }
    Ok(Validity { stage, last_valid_day, days_left: (last_valid_day - today).num_days() })
}

impl Validity {
    /// Creates the notice for the channels.
    pub(super) fn notice<'a>(
        self,
        claimed: &'a Claimed,
        organisation: &'a Organisation,
        wordings: &'a Wordings,
    ) -> Notice<'a> {
        let locale = Locale::from_tag(claimed.recipient_locale.as_deref().unwrap_or(&organisation.locale));
        Notice {
            certification_id: claimed.certification_id,
            stage: self.stage,
            last_valid_day: self.last_valid_day,
            days_left: self.days_left,
            idempotency_key: &claimed.idempotency_key,
            locale,
            recipient_name: claimed.recipient_name.as_deref(),
            organisation: &organisation.name,
            certification: &claimed.certification,
            chapter: &claimed.chapter,
            wording: wordings.of(organisation.id, self.stage, locale),
            names_certification: organisation.names_certification,
        }
    }
}
