//! Partners, whose portals publish which mentors people can contact: the mentors who belong on a listing, the
//! changes sent to each portal, and the state of its listing.

mod comparing;
mod health;
mod mentors;
mod outbox;
mod problem;
pub mod reports;

use certvakt_base::suggest::nearest;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Environment, RegistrarTx, StopReason, StoreError, WorkerTx, Zone, organisation};

pub use comparing::{
    Compared, ShownNumbers, ToCompare, compared, delist_found, reconciled, some_keys, to_compare,
};
pub use health::{Health, PartnerStatus, with_status};
pub use mentors::{Enrolment, consent, enrol, enrol_all, explain_consents, replay, resolve_removal};
pub use outbox::{
    Claim, Due, Resumption, SendResult, Stop, approve_removals, claim, finish, finish_one,
    has_too_many_removals, hold, rest, resume, stop,
};
pub use problem::{Problem, ProblemKind, Problems};

/// A partner of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// The organisation.
    #[serde(skip)]
    pub organisation_id: Uuid,
    /// The organisation's short name.
    pub organisation: String,
    /// Its time zone.
    #[serde(skip)]
    pub zone: Zone,
    /// The partner's short name.
    pub partner: String,
    /// `staging` or `live`; `None` if the partner is off.
    pub environment: Option<Environment>,
    /// The version of the contract.
    pub contract: Option<String>,
    /// The types of certification of which a mentor must hold at least one.
    pub requires: Vec<String>,
    /// The number of removals above which they are held.
    pub removal_limit: i64,
    /// The time at which sending stopped.
    pub stopped_at: Option<DateTime<Utc>>,
    /// The kind of reason for the stop: `contract`, `sign-in` or `outage`.
    pub stopped_by: Option<StopReason>,
    /// The reason as a text.
    pub stopped_reason: Option<String>,
    /// The time of the next probe after an outage.
    pub retry_at: Option<DateTime<Utc>>,
    /// The number of consecutive attempts without a response.
    pub failures: i64,
    /// The time since which removals are held.
    pub held_at: Option<DateTime<Utc>>,
    /// The time of the last complete comparison of the listing.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// The time since which the listing could not be read.
    pub unread_since: Option<DateTime<Utc>>,
    /// The reason why the listing could not be read.
    pub unread_reason: Option<String>,
    /// The number of listed mentors who are unknown to certvakt.
    pub unknown_shown: i64,
    /// The time since which the reports of completed courses could not be read.
    pub reports_unread_since: Option<DateTime<Utc>>,
    /// The reason why the reports could not be read.
    pub reports_unread_reason: Option<String>,
    /// Whether the listing is due to be read: an hour after a success, five minutes after a failure.
    #[serde(skip)]
    pub is_to_be_reconciled: bool,
    /// Whether the reports are due to be read: an hour after a success, five minutes after a failure.
    #[serde(skip)]
    pub is_to_be_heard: bool,
    /// The URL for new reports only; `None` to read all reports.
    #[serde(skip)]
    pub reports_delta: Option<String>,
    /// The last day on which the credential is valid, in UTC.
    pub secret_ends_on: Option<NaiveDate>,
    /// The database's time when this was read.
    #[serde(skip)]
    pub at: DateTime<Utc>,
    /// Whether sending pauses.
    #[serde(skip)]
    pub rests: bool,
    /// The local date of the last check of every mentor.
    #[serde(skip)]
    pub evaluated_on: Option<NaiveDate>,
}

impl Partner {
    /// Whether the portal asked for a pause that has not ended.
    pub fn is_resting(&self) -> bool {
        self.rests && self.stopped_by.is_none()
    }

    /// Days until the credential expires; negative once expired.
    pub fn secret_days_left(&self) -> Option<i64> {
        Some((self.secret_ends_on? - self.at.date_naive()).num_days())
    }

    /// Whether only a person can resume sending.
    pub fn waits_for_person(&self) -> bool {
        self.stopped_by.is_some_and(|by| by != StopReason::Outage)
    }
}

/// Every partner of every organisation.
pub async fn all(tx: &mut WorkerTx) -> Result<Vec<Partner>, StoreError> {
    Ok(sqlx::query_file_as!(Partner, "src/partner/all.sql").fetch_all(tx).await?)
}

/// One partner of one organisation.
pub async fn one(tx: &mut WorkerTx, organisation: &str, partner: &str) -> Result<Partner, StoreError> {
    let organisation_id = organisation::named(tx, Some(organisation)).await?.pop().map(|one| one.id);
    let all = all(tx).await?;
    let known = || all.iter().filter(|one| Some(one.organisation_id) == organisation_id);
    known().find(|one| one.partner == partner).cloned().ok_or_else(|| StoreError::Unknown {
        what: "partner",
        name: partner.to_owned(),
        hint: nearest(partner, known().map(|one| one.partner.as_str())).map_or_else(
            || {
                "list the partners with `certvakt partner status`, add one with `certvakt partner add`"
                    .to_owned()
            },
            |near| format!("did you mean '{near}'?"),
        ),
    })
}

/// Adds a partner, which is switched off.
pub async fn add(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    requires: &[String],
    removal_limit: Option<i64>,
) -> Result<(), StoreError> {
    for code in requires {
        organisation::check_type(tx, organisation_id, code).await?;
    }
    let added = sqlx::query!(
        "insert into certvakt.partners (organisation_id, code, removal_limit) values ($1, $2, coalesce($3, 50))",
        organisation_id,
        partner,
        removal_limit as _,
    );
    organisation::added(added.execute(&mut *tx).await, "partner", partner)?;
    sqlx::query!(
        "insert into certvakt.partner_types (organisation_id, partner, certification_type)
         select $1, $2, code from unnest($3::text[]) code",
        organisation_id,
        partner,
        requires,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The portal's environment and the version of the contract to switch to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch<'a> {
    /// `staging` or `live`.
    pub environment: Environment,
    /// The version.
    pub contract: &'a str,
}

/// Switches sending on, to another environment, or off. States that were sent to another environment do not count, so the
/// state of every mentor with an event is sent again. Returns the number of mentors with pending changes.
pub async fn switch(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    to: Option<Switch<'_>>,
) -> Result<i64, StoreError> {
    if let Some(Switch { environment, contract }) = to {
        sqlx::query_file!(
            "src/partner/reset_other_environment.sql",
            organisation_id,
            partner,
            environment.as_str()
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "update certvakt.partners set environment = $3, accepted_environment = $3, contract = $4, switched_at = now(),
               switched_by = certvakt.operator(), reports_delta = null
             where organisation_id = $1 and code = $2",
            organisation_id,
            partner,
            environment.as_str(),
            contract,
        )
        .execute(&mut *tx)
        .await?;
    } else {
        sqlx::query!(
            "update certvakt.partners set environment = null, switched_by = certvakt.operator(),
               switched_at = case when environment is null then switched_at else now() end
             where organisation_id = $1 and code = $2",
            organisation_id,
            partner,
        )
        .execute(&mut *tx)
        .await?;
    }
    waiting(tx, organisation_id, partner).await
}

async fn waiting(tx: &mut RegistrarTx, organisation_id: Uuid, partner: &str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "waiting!" from certvakt.listings
           where organisation_id = $1 and partner = $2 and accepted_number < number"#,
        organisation_id,
        partner,
    )
    .fetch_one(tx)
    .await?)
}

/// Delists mentors whose last valid day has passed. Returns their number.
pub async fn delist_lapsed(tx: &mut WorkerTx, batch: i64) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"select certvakt.delist_lapsed($1) as "lapsed!""#, batch).fetch_one(tx).await?)
}

/// Evaluates a batch of a partner's mentors again, even without a change, in the order of their keys. Returns
/// the last key and the number of corrected mentors, or `None` if there are no more.
pub async fn reevaluate(
    tx: &mut WorkerTx,
    organisation_id: Uuid,
    partner: &str,
    after: &str,
    batch: i64,
) -> Result<Option<(String, i64)>, StoreError> {
    let row = sqlx::query_file!("src/partner/reevaluate.sql", organisation_id, partner, after, batch)
        .fetch_one(tx)
        .await?;
    Ok(row.last.map(|last| (last, row.changed)))
}

/// Records the local date of a check of every mentor.
pub async fn record_evaluation(
    tx: &mut WorkerTx,
    partner: &Partner,
    date: NaiveDate,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set evaluated_on = $3 where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        date,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records the last day on which the credential is valid.
pub async fn note_secret(
    tx: &mut WorkerTx,
    partner: &Partner,
    ends_on: Option<NaiveDate>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set secret_ends_on = $3 where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        ends_on as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes the listings of deleted or erased mentors whose removal is complete, and events older than a year.
pub async fn delete_delisted(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.delete_delisted()").execute(tx).await?;
    Ok(())
}

/// Queues alerts to administrators about the new problems of their organisations' partners.
pub async fn queue_alerts(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/partner/queue_alerts.sql").execute(tx).await?;
    Ok(())
}

/// A change of a mentor's state at a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The event's id.
    pub id: Uuid,
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// The number of the event among the mentor's events.
    pub number: i64,
    /// `listed` or `delisted`.
    pub status: String,
    /// The cause.
    pub cause: String,
    /// The time of the event.
    pub at: DateTime<Utc>,
}

/// The events of a partner since a time, newest last; with a key, only those of one mentor.
pub async fn events(
    tx: &mut WorkerTx,
    partner: &Partner,
    since: DateTime<Utc>,
    key: Option<&str>,
    most: i64,
) -> Result<Vec<Event>, StoreError> {
    Ok(sqlx::query_as!(
        Event,
        "select id, partner_key, number, status, cause, at from certvakt.partner_events
         where organisation_id = $1 and partner = $2 and at >= $3 and ($4::text is null or partner_key = $4)
         order by at, partner_key, number limit $5",
        partner.organisation_id,
        partner.partner,
        since,
        key as _,
        most,
    )
    .fetch_all(tx)
    .await?)
}
