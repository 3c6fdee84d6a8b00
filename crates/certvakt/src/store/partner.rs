//! Partners, whose portals publish which mentors one can contact: who is to be listed, what each portal was told,
//! and what its listing shows.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, WorkerTx, organisation};
use crate::config::nearest;

/// A partner of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// The organisation.
    #[serde(skip)]
    pub organisation_id: Uuid,
    /// Its short name.
    pub organisation: String,
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
    /// Whether it is time to read its listing: an hour after it was, five minutes after it could not be.
    #[serde(skip)]
    pub is_to_be_reconciled: bool,
    /// Whether it is live, and was not compared for six hours.
    pub is_stale: bool,
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

impl Partner {
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
            || "`certvakt partner add` adds one, `certvakt partner status` lists them".to_owned(),
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
            "'{partner}' cannot name a partner: use lower-case letters, digits and hyphens, 63 at most"
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

/// A mentor whom a partner is to know.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    /// The mentor.
    pub person_id: Uuid,
    /// The portal's own key of them.
    pub key: &'a str,
    /// Whether they consent to being listed; none: nothing is said of it.
    pub consents: Option<bool>,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// Makes a mentor known to a partner. False: they were known by that key already, and nothing was changed.
pub async fn enrol(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    mentor: &Enrolment<'_>,
) -> Result<bool, StoreError> {
    let known = sqlx::query_scalar!(
        r#"select listing_consent_at is not null as "consents!" from certvakt.listings
           where organisation_id = $1 and partner = $2 and partner_key = $3 and person_id = $4"#,
        organisation_id,
        partner,
        mentor.key,
        mentor.person_id,
    );
    if let Some(consents) = known.fetch_optional(&mut *tx).await? {
        return match mentor.consents {
            Some(said) if said != consents => Err(StoreError::Invalid(
                "they are enrolled, and whether they consent is noted otherwise: note the change with `certvakt partner consent`"
                    .to_owned(),
            )),
            _ => Ok(false),
        };
    }
    let enrolled = sqlx::query!(
        "insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
         values ($1, $2, $3, $4, $5)",
        organisation_id,
        partner,
        mentor.key,
        mentor.person_id,
        mentor.consents.unwrap_or(false).then_some(mentor.at),
    );
    match enrolled.execute(tx).await {
        Ok(_) => Ok(true),
        Err(error) => Err(match error.as_database_error().and_then(|refused| refused.constraint()) {
            Some("listings_pkey" | "partner_events_in_order") => StoreError::Invalid(format!(
                "the key '{}' is somebody else's at this partner: check which mentor it belongs to",
                mentor.key
            )),
            Some("listings_once_a_person") => StoreError::Invalid(
                "the mentor has another key at this partner already: a mentor has one".to_owned(),
            ),
            Some("listings_partner_key_form") => StoreError::Invalid(
                "a partner's key has between 1 and 200 letters, and no line break or tabulator in it"
                    .to_owned(),
            ),
            Some("person_erased") => StoreError::Invalid(
                "the person was erased: whoever comes back is a new person, with an id of their own"
                    .to_owned(),
            ),
            _ => error.into(),
        }),
    }
}

/// Notes that a mentor gave or withdrew consent. None: the partner does not know them; false: it was so already.
pub async fn consent(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    person_id: Uuid,
    consent_at: Option<DateTime<Utc>>,
) -> Result<Option<bool>, StoreError> {
    let before = sqlx::query_scalar!(
        r#"select listing_consent_at is not null and (kept_off_at is null or $4) as "is_given!" from certvakt.listings
           where organisation_id = $1 and partner = $2 and person_id = $3 for update"#,
        organisation_id,
        partner,
        person_id,
        // Who was kept off may consent anew; that they withdraw is one thing either way.
        consent_at.is_none(),
    );
    let Some(is_given) = before.fetch_optional(&mut *tx).await? else { return Ok(None) };
    if is_given == consent_at.is_some() {
        return Ok(Some(false));
    }
    let noted = sqlx::query!(
        "update certvakt.listings set listing_consent_at = $4 where organisation_id = $1 and partner = $2 and person_id = $3",
        organisation_id,
        partner,
        person_id,
        consent_at,
    );
    noted.execute(tx).await?;
    Ok(Some(true))
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
            "update certvakt.partners set stage = $3, told_stage = $3, contract = $4, switched_at = now()
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
            "update certvakt.partners set stage = null where organisation_id = $1 and code = $2",
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

/// Approves of the removals that wait now. How many they are.
pub async fn approve_removals(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
) -> Result<u64, StoreError> {
    let approved = sqlx::query_file!("src/store/partner/approve.sql", organisation_id, partner);
    Ok(approved.execute(tx).await?.rows_affected())
}

/// Has everybody told again who had an event since then, or one mentor. How many.
pub async fn replay(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    since: DateTime<Utc>,
    key: Option<&str>,
) -> Result<u64, StoreError> {
    let replayed =
        sqlx::query_file!("src/store/partner/replay.sql", organisation_id, partner, since, key as _);
    Ok(replayed.execute(tx).await?.rows_affected())
}

/// Somebody whose present state a portal is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The portal's key of them.
    pub partner_key: String,
    /// The number of their last event.
    pub number: i64,
    /// Its id.
    pub event_id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// How often it was sent anew.
    pub replays: i64,
    /// How often this was tried, this time included.
    pub attempt: i64,
    /// Whether a request was left without an answer: the portal's state is to be read first.
    pub is_unsure: bool,
    /// Whether that request was of the last event.
    pub was_asked: bool,
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

/// Deletes mentors who were deleted or erased and are taken off, and events that are over for a year.
pub async fn forget_delisted(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.forget_delisted()").execute(tx).await?;
    Ok(())
}

/// What of a queue is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// How many at most.
    pub most: i64,
    /// Whose the lease is.
    pub token: Uuid,
    /// How long it is.
    pub lease_seconds: u32,
    /// Whether removals are held: they stay where they are.
    pub removals_are_held: bool,
    /// Whether the portal can be asked what it holds of a mentor: otherwise whoever is in doubt waits for its listing.
    pub can_be_asked: bool,
}

/// Claims people who are to be told, one request a person.
pub async fn claim(tx: &mut WorkerTx, partner: &Partner, claim: &Claim) -> Result<Vec<Due>, StoreError> {
    Ok(sqlx::query_file_as!(
        Due,
        "src/store/partner/claim.sql",
        partner.organisation_id,
        partner.partner,
        claim.most,
        claim.token,
        f64::from(claim.lease_seconds),
        claim.removals_are_held,
        partner.stage.as_deref(),
        claim.can_be_asked,
        partner.contract.as_deref(),
    )
    .fetch_all(tx)
    .await?)
}

/// Whether more removals wait than may leave without anybody's approval.
pub async fn has_too_many_removals(tx: &mut WorkerTx, partner: &Partner) -> Result<bool, StoreError> {
    let counted = sqlx::query_file_scalar!(
        "src/store/partner/removals.sql",
        partner.organisation_id,
        partner.partner,
        partner.removal_limit,
    );
    Ok(counted.fetch_one(tx).await? > partner.removal_limit)
}

/// Notes whether removals are held.
pub async fn hold(tx: &mut WorkerTx, partner: &Partner, is_held: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set held_at = case when $3 then now() end
         where organisation_id = $1 and code = $2 and (held_at is not null) <> $3",
        partner.organisation_id,
        partner.partner,
        is_held,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets a portal rest that wants fewer requests.
pub async fn rest(tx: &mut WorkerTx, partner: &Partner, seconds: f64) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set retry_at = now() + make_interval(secs => $3) where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        seconds,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes to the administrators of organisations with a partner to whom nothing is sent any more, or whose removals
/// are held.
pub async fn tell_of_stops(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/partner/tell_of_stops.sql").execute(tx).await?;
    Ok(())
}

/// A register that is being read holds everybody in it: whoever is told meanwhile is asked about later, and keeps
/// nobody else waiting.
async fn wait_briefly(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query_scalar!("select set_config('lock_timeout', '10s', true)").fetch_one(tx).await?;
    Ok(())
}

/// What became of telling a portal.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Told {
    /// The portal's key of the mentor.
    pub partner_key: String,
    /// The number of the event whose state it was.
    pub number: i64,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// Whether the portal has taken it.
    pub is_taken: bool,
    /// Whether there was no answer.
    pub is_unsure: bool,
    /// When it is tried again, in seconds from now.
    pub wait_seconds: f64,
    /// What the portal said, if it did not take it.
    pub trouble: Option<String>,
    /// Whether the portal was sent something.
    pub was_sent: bool,
}

/// Writes down what became of telling a portal, where the lease still holds. For how many it did.
pub async fn finish(
    tx: &mut WorkerTx,
    partner: &Partner,
    token: Uuid,
    told: &[Told],
) -> Result<u64, StoreError> {
    let keys: Vec<String> = told.iter().map(|one| one.partner_key.clone()).collect();
    let numbers: Vec<i64> = told.iter().map(|one| one.number).collect();
    let listed: Vec<bool> = told.iter().map(|one| one.is_listed).collect();
    let taken: Vec<bool> = told.iter().map(|one| one.is_taken).collect();
    let unsure: Vec<bool> = told.iter().map(|one| one.is_unsure).collect();
    let waits: Vec<f64> = told.iter().map(|one| one.wait_seconds).collect();
    let troubles: Vec<Option<String>> = told
        .iter()
        .map(|one| one.trouble.as_ref().map(|reason| reason.chars().take(500).collect()))
        .collect();
    let sent: Vec<bool> = told.iter().map(|one| one.was_sent).collect();
    wait_briefly(tx).await?;
    let finished = sqlx::query_file!(
        "src/store/partner/finish.sql",
        partner.organisation_id,
        partner.partner,
        token,
        &keys,
        &numbers,
        &listed,
        &taken,
        &unsure,
        &waits,
        &troubles as _,
        &sent,
    );
    Ok(finished.execute(tx).await?.rows_affected())
}

/// Why sending stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// `contract`, `sign-in` or `outage`.
    pub by: &'static str,
    /// In words.
    pub reason: String,
    /// In how many seconds it goes on by itself, after an outage.
    pub retry_in: Option<f64>,
}

/// Stops sending. False: it had stopped for the same before.
pub async fn stop(tx: &mut WorkerTx, partner: &Partner, stop: &Stop) -> Result<bool, StoreError> {
    let reason: String = stop.reason.chars().take(500).collect();
    let stopped = sqlx::query_file_scalar!(
        "src/store/partner/stop.sql",
        partner.organisation_id,
        partner.partner,
        stop.by,
        reason,
        stop.retry_in as _,
    );
    Ok(stopped.fetch_one(tx).await?)
}

/// Lets sending go on: after an outage, because the portal answers, or after whatever it was, because a person has
/// seen to it.
pub async fn go_on(tx: &mut WorkerTx, partner: &Partner, says_person: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners
         set stopped_at = null, stopped_by = null, stopped_reason = null, retry_at = null, failures = 0
         where organisation_id = $1 and code = $2 and ($3 or stopped_by is null or stopped_by = 'outage')",
        partner.organisation_id,
        partner.partner,
        says_person,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// How a partner stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The organisation.
    #[serde(skip)]
    pub organisation_id: Uuid,
    /// The partner.
    #[serde(skip)]
    pub partner: String,
    /// Mentors whom the portal knows.
    pub mentors: i64,
    /// Who are to be listed.
    pub listed: i64,
    /// Who are to be put on.
    pub to_list: i64,
    /// Who are to be taken off.
    pub to_delist: i64,
    /// Of these, who were not approved of.
    pub not_approved: i64,
    /// For how many seconds somebody has waited to be taken off.
    pub oldest_removal_seconds: i64,
    /// Whom the portal did not take.
    pub in_trouble: i64,
    /// Of whom an answer did not come.
    pub unsure: i64,
    /// Who are not to be listed, and were in the listing when it was last read.
    pub still_shown: i64,
    /// Who are to be listed, the portal was told so, and they were not in the listing.
    pub not_shown: i64,
    /// Who are gone from the listing although nobody here took them off.
    pub away: i64,
    /// Who are kept off although they consent.
    pub kept_off: i64,
}

/// For how long somebody may wait to be taken off before a person is to look why, in seconds: a day.
const REMOVAL_SECONDS: i64 = 24 * 60 * 60;

/// A partner, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithStanding {
    /// The partner.
    pub partner: Partner,
    /// How it stands.
    pub mentors: Standing,
}

impl WithStanding {
    /// Whether nothing about it wants a person, and its listing shows what it is to show.
    pub const fn is_well(&self) -> bool {
        let Self { partner, mentors } = self;
        partner.stopped_at.is_none()
            && partner.held_at.is_none()
            && partner.unread_since.is_none()
            && !partner.is_stale
            && mentors.oldest_removal_seconds < REMOVAL_SECONDS
            && partner.unknown_shown == 0
            && mentors.away == 0
            && mentors.still_shown == 0
            && mentors.not_shown == 0
    }
}

/// How every partner stands.
pub async fn with_standings(tx: &mut WorkerTx) -> Result<Vec<WithStanding>, StoreError> {
    let standings =
        sqlx::query_file_as!(Standing, "src/store/partner/standings.sql").fetch_all(&mut *tx).await?;
    let stands = |partner: Partner| {
        let is_of = |standing: &&Standing| {
            standing.organisation_id == partner.organisation_id && standing.partner == partner.partner
        };
        let mentors = standings.iter().find(is_of)?.clone();
        Some(WithStanding { partner, mentors })
    };
    Ok(all(tx).await?.into_iter().filter_map(stands).collect())
}

/// The keys of some of a partner's mentors.
pub async fn some_keys(tx: &mut WorkerTx, partner: &Partner, most: i64) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        "select partner_key from certvakt.listings
         where organisation_id = $1 and partner = $2 and told_number > 0 order by partner_key limit $3",
        partner.organisation_id,
        partner.partner,
        most,
    )
    .fetch_all(tx)
    .await?)
}

/// A mentor, to be compared with what the listing shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ToCompare {
    /// The portal's key of them.
    pub partner_key: String,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// The number of their last event.
    pub number: i64,
    /// The last that the portal has taken.
    pub told_number: i64,
    /// The last whose state the listing has shown.
    pub confirmed_number: i64,
    /// Whether a request was left without an answer.
    pub is_unsure: bool,
    /// Whether somebody took them off there, and nobody has answered yet.
    pub is_away: bool,
    /// Whether a request is under way.
    pub is_under_way: bool,
    /// Whether the portal was told so shortly ago that its listing may not show it yet.
    pub is_fresh: bool,
    /// Whether it was asked so shortly ago.
    pub was_asked: bool,
}

/// Some of a partner's mentors, in the order of their keys. The listing may be as old as `cache_seconds`.
pub async fn to_compare(
    tx: &mut WorkerTx,
    partner: &Partner,
    after: &str,
    batch: i64,
    cache_seconds: u32,
) -> Result<Vec<ToCompare>, StoreError> {
    Ok(sqlx::query_file_as!(
        ToCompare,
        "src/store/partner/to_compare.sql",
        partner.organisation_id,
        partner.partner,
        after,
        batch,
        f64::from(cache_seconds),
        partner.at,
    )
    .fetch_all(tx)
    .await?)
}

/// What the listing showed of a mentor, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Compared {
    /// The portal's key of them.
    pub partner_key: String,
    /// The number of their last event, when they were read.
    pub number: i64,
    /// Whether the listing shows them; none: it cannot show their last event yet.
    pub shown: Option<bool>,
    /// Whether that is their last event's state.
    pub confirmed: bool,
    /// Whether it says what became of a request without an answer.
    pub cleared: bool,
    /// Whether the portal is to be told anew.
    pub again: bool,
    /// Whether somebody took them off there.
    pub away: bool,
    /// Whether that was not known before.
    pub is_news: bool,
}

/// Writes down what the listing showed of mentors who have not changed since.
pub async fn compared(tx: &mut WorkerTx, partner: &Partner, all: &[Compared]) -> Result<(), StoreError> {
    let keys: Vec<String> = all.iter().map(|one| one.partner_key.clone()).collect();
    let numbers: Vec<i64> = all.iter().map(|one| one.number).collect();
    let flags = |flag: fn(&Compared) -> bool| all.iter().map(flag).collect::<Vec<bool>>();
    let shown: Vec<Option<bool>> = all.iter().map(|one| one.shown).collect();
    wait_briefly(tx).await?;
    sqlx::query_file!(
        "src/store/partner/compared.sql",
        partner.organisation_id,
        partner.partner,
        &keys,
        &shown as _,
        &flags(|one| one.confirmed),
        &flags(|one| one.cleared),
        &flags(|one| one.again),
        &flags(|one| one.away),
        &numbers,
        partner.stage.as_deref() == Some("live"),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes the first event of mentors whom a portal shows although it was never told so.
pub async fn delist_found(tx: &mut WorkerTx, partner: &Partner, keys: &[String]) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.delist_found($1, $2, $3)", partner.organisation_id, partner.partner, keys,)
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that a listing was read whole, and how many it showed whom nobody here knows; or why it could not be.
/// Whether it could be read before.
pub async fn reconciled(
    tx: &mut WorkerTx,
    partner: &Partner,
    read: Result<i64, &str>,
) -> Result<bool, StoreError> {
    let reason: Option<String> = read.err().map(|reason| reason.chars().take(500).collect());
    sqlx::query!(
        "update certvakt.partners set
           reconciled_at = case when $4::text is null then now() else reconciled_at end, read_tried_at = now(),
           unknown_shown = coalesce($3, unknown_shown),
           unread_since = case when $4 is not null then coalesce(unread_since, now()) end, unread_reason = $4
         where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        read.ok(),
        reason,
    )
    .execute(tx)
    .await?;
    Ok(partner.unread_since.is_none())
}

/// A person's answer to somebody having been removed at the portal by hand, or another one to somebody being kept off
/// since. False: nobody is.
pub async fn answer(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    person_id: Uuid,
    kept_off_at: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let answered = sqlx::query!(
        "update certvakt.listings set away_since = null, kept_off_at = $4,
           told_number = case when $4::timestamptz is null then number - 1 else told_number end,
           replays = replays + ($4::timestamptz is null)::int, available_at = now()
         where organisation_id = $1 and partner = $2 and person_id = $3
           and (away_since is not null or $4::timestamptz is null and kept_off_at is not null)",
        organisation_id,
        partner,
        person_id,
        kept_off_at,
    );
    Ok(answered.execute(tx).await?.rows_affected() > 0)
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
