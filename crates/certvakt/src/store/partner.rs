//! Partners, whose portals publish which mentors one can contact: who is to be listed, what each portal was told,
//! and what its listing shows.

mod comparing;
mod health;
mod mentors;
mod outbox;
pub mod reports;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, WorkerTx, organisation};
use crate::config::nearest;

pub use comparing::{Compared, ToCompare, compared, delist_found, reconciled, some_keys, to_compare};
pub use health::{Health, REMOVAL_SECONDS, WithStanding, with_standings};
pub use mentors::{Enrolment, answer, consent, enrol, replay};
pub use outbox::{
    Claim, Due, SendResult, Stop, approve_removals, claim, finish, finish_one, go_on, has_too_many_removals,
    hold, rest, stop,
};

/// A partner of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Partner {
    /// The organisation.
    #[serde(skip)]
    pub organisation_id: Uuid,
    /// Its short name.
    pub organisation: String,
    /// Its time zone, a name of the IANA database.
    #[serde(skip)]
    pub time_zone: String,
    /// The partner's short name.
    pub partner: String,
    /// `staging` or `live`; none: off.
    pub stage: Option<String>,
    /// The version of the contract.
    pub contract: Option<String>,
    /// Of which one certification is required.
    pub requires: Vec<String>,
    /// More removals than this at once are held.
    pub removal_limit: i64,
    /// When sending stopped.
    pub stopped_at: Option<DateTime<Utc>>,
    /// What for: `contract`, `sign-in` or `outage`.
    pub stopped_by: Option<String>,
    /// In words.
    pub stopped_reason: Option<String>,
    /// When somebody is tried again after an outage.
    pub retry_at: Option<DateTime<Utc>>,
    /// Attempts in a row that were not answered.
    pub failures: i64,
    /// Since when more removals wait than may leave unasked.
    pub held_at: Option<DateTime<Utc>>,
    /// When its listing was last read whole and compared.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// Since when it could not be read.
    pub unread_since: Option<DateTime<Utc>>,
    /// Why.
    pub unread_reason: Option<String>,
    /// How many it showed whom nobody here knows.
    pub unknown_shown: i64,
    /// Since when its reports of completed courses could not be read.
    pub reports_unread_since: Option<DateTime<Utc>>,
    /// Why.
    pub reports_unread_reason: Option<String>,
    /// Whether it is time to read its listing: an hour after it was, five minutes after it could not be.
    #[serde(skip)]
    pub is_to_be_reconciled: bool,
    /// Whether it is time to read what it tells: an hour after it was read, five minutes after it could not be.
    #[serde(skip)]
    pub is_to_be_heard: bool,
    /// Where only what is new of that can be read; none: it is read whole.
    #[serde(skip)]
    pub reports_delta: Option<String>,
    /// Whether it is live, and was not compared for six hours.
    pub is_stale: bool,
    /// The last day on which what signs us in is good, in UTC.
    pub secret_ends_on: Option<NaiveDate>,
    /// The database's clock when this was read.
    #[serde(skip)]
    pub at: DateTime<Utc>,
    /// Whether nothing is to be sent yet.
    #[serde(skip)]
    pub rests: bool,
    /// The local date of the last look at everybody.
    #[serde(skip)]
    pub looked_on: Option<NaiveDate>,
}

/// Administrators are told this many days before a credential expires.
pub const SECRET_DAYS: i64 = 30;

impl Partner {
    /// Whether the portal wants to be left alone.
    pub fn is_resting(&self) -> bool {
        self.rests && self.stopped_by.is_none()
    }

    /// Days until the credential expires; negative once expired.
    pub fn secret_days_left(&self) -> Option<i64> {
        Some((self.secret_ends_on? - self.at.date_naive()).num_days())
    }

    /// Whether somebody must see to it that there is another.
    pub fn needs_secret(&self) -> bool {
        self.stage.is_some() && self.secret_days_left().is_some_and(|days| days < SECRET_DAYS)
    }

    /// Whether only a person can let sending go on.
    pub fn waits_for_person(&self) -> bool {
        self.stopped_by.as_deref().is_some_and(|by| by != "outage")
    }
}

/// Every partner of every organisation.
pub async fn all(tx: &mut WorkerTx) -> Result<Vec<Partner>, StoreError> {
    Ok(sqlx::query_file_as!(Partner, "src/store/partner/all.sql").fetch_all(tx).await?)
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

/// Adds a partner, switched off.
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
    added.execute(&mut *tx).await.map_err(|error| match error.as_database_error() {
        Some(refused) if refused.is_unique_violation() => {
            StoreError::Exists { what: "partner", name: partner.to_owned() }
        }
        Some(refused) if refused.constraint() == Some("partners_code_form") => StoreError::Invalid(format!(
            "'{partner}' is not a valid short name for a partner: use at most 63 lower-case letters, digits and hyphens"
        )),
        _ => error.into(),
    })?;
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

/// To which of a portal's addresses events are sent, by which version of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch<'a> {
    /// `staging` or `live`.
    pub stage: &'a str,
    /// The version.
    pub contract: &'a str,
}

/// Switches sending on, to another stage, or off. What another stage was told counts no more: everybody who ever
/// had an event is told again. How many wait to be told.
pub async fn switch(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    to: Option<Switch<'_>>,
) -> Result<i64, StoreError> {
    if let Some(Switch { stage, contract }) = to {
        sqlx::query_file!("src/store/partner/forget_other_stage.sql", organisation_id, partner, stage)
            .execute(&mut *tx)
            .await?;
        sqlx::query!(
            "update certvakt.partners set stage = $3, told_stage = $3, contract = $4, switched_at = now(),
               switched_by = certvakt.operator(), reports_delta = null
             where organisation_id = $1 and code = $2",
            organisation_id,
            partner,
            stage,
            contract,
        )
        .execute(&mut *tx)
        .await?;
    } else {
        sqlx::query!(
            "update certvakt.partners set stage = null, switched_by = certvakt.operator() where organisation_id = $1 and code = $2",
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
           where organisation_id = $1 and partner = $2 and told_number < number"#,
        organisation_id,
        partner,
    )
    .fetch_one(tx)
    .await?)
}

/// Takes off those whose last valid day has passed. How many.
pub async fn delist_lapsed(tx: &mut WorkerTx, batch: i64) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"select certvakt.delist_lapsed($1) as "lapsed!""#, batch).fetch_one(tx).await?)
}

/// Looks at some of a partner's mentors anew, whatever changed, in the order of their keys. The last key looked at,
/// and how many were not as they were to be; none: there are no more.
pub async fn look_again(
    tx: &mut WorkerTx,
    organisation_id: Uuid,
    partner: &str,
    after: &str,
    batch: i64,
) -> Result<Option<(String, i64)>, StoreError> {
    let row = sqlx::query_file!("src/store/partner/look_again.sql", organisation_id, partner, after, batch)
        .fetch_one(tx)
        .await?;
    Ok(row.last.map(|last| (last, row.changed)))
}

/// Notes the local date of a look at everybody.
pub async fn looked_on(tx: &mut WorkerTx, partner: &Partner, date: NaiveDate) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set looked_on = $3 where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        date,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes the last day on which what signs us in is good.
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

/// Deletes mentors who were deleted or erased and are taken off, and events that are over for a year.
pub async fn forget_delisted(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.forget_delisted()").execute(tx).await?;
    Ok(())
}

/// Writes to the administrators of organisations with a partner to whom nothing is sent any more, whose removals are
/// held, or with whom what signs us in ends soon.
pub async fn tell_of_stops(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/partner/tell_of_stops.sql").execute(tx).await?;
    Ok(())
}

/// A transition of who is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// The portal's key of the mentor.
    pub partner_key: String,
    /// Its number among the mentor's.
    pub number: i64,
    /// `listed` or `delisted`.
    pub status: String,
    /// Why.
    pub cause: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The events of a partner since then, the newest last; of one mentor, if a key is given.
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
