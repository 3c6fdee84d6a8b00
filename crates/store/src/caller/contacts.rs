//! Contacts: what coordinators recorded after they reached, or tried to reach, a mentor.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{CallerTx, ContactOutcome, StoreError};

/// A recorded contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: Uuid,
    /// The certification that it was about.
    pub certification_id: Uuid,
    /// The end of the validity that it was about.
    pub expires_at: Option<DateTime<Utc>>,
    /// The outcome.
    pub outcome: ContactOutcome,
    /// The day on which somebody should contact the mentor again; `None` if nobody needs to until the date changes.
    pub next_on: Option<NaiveDate>,
    /// What was said.
    pub note: Option<String>,
    /// The time at which it was recorded.
    pub made_at: DateTime<Utc>,
    /// The person who recorded it.
    pub made_by: Option<Uuid>,
    /// Whether the caller recorded it within the last day, and so can undo it.
    pub may_undo: bool,
}

impl Contact {
    /// Whether nobody needs to contact the mentor yet about a validity until `expires_at`.
    pub fn settles(&self, expires_at: Option<DateTime<Utc>>, today: NaiveDate) -> bool {
        self.expires_at == expires_at && self.next_on.is_none_or(|next| next > today)
    }
}

/// Records a contact, under an id that the form chose, with the mentor of a certification that the caller may change.
/// A repeated form has no effect.
pub async fn record(
    tx: &mut CallerTx,
    id: Uuid,
    certification: Uuid,
    outcome: ContactOutcome,
    next_on: Option<NaiveDate>,
    note: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.contacts (id, certification_id, chapter_id, expires_at, outcome, next_on, note, made_by)
         select $1, c.id, c.chapter_id, c.expires_at, $3, $4, $5, (select certvakt.current_person())
         from public.peer_mentor_certifications c where c.id = $2
         on conflict (id) do nothing",
        id,
        certification,
        outcome.as_str(),
        next_on,
        note,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes a contact about a certification that the caller recorded within the last day. Returns false if there is none.
pub async fn undo(tx: &mut CallerTx, id: Uuid, certification: Uuid) -> Result<bool, StoreError> {
    let removed = sqlx::query!(
        "delete from certvakt.contacts where id = $1 and certification_id = $2",
        id,
        certification
    );
    Ok(removed.execute(tx).await?.rows_affected() > 0)
}

/// The contacts about a certification, latest first.
pub async fn of_certification(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Contact>, StoreError> {
    let found = sqlx::query_as!(
        Contact,
        r#"select id, certification_id, expires_at, outcome as "outcome: ContactOutcome", next_on, note, made_at, made_by,
             coalesce(made_by = (select certvakt.current_person()) and made_at > now() - interval '1 day', false) as "may_undo!"
           from certvakt.contacts where certification_id = $1 order by made_at desc, id desc limit 200"#,
        certification,
    );
    Ok(found.fetch_all(tx).await?)
}

/// The latest contact about each of some certifications.
pub async fn latest(tx: &mut CallerTx, certifications: &[Uuid]) -> Result<Vec<Contact>, StoreError> {
    if certifications.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query_as!(
        Contact,
        r#"select k.id, k.certification_id, k.expires_at, k.outcome as "outcome: ContactOutcome", k.next_on, k.note, k.made_at, k.made_by,
             false as "may_undo!"
           from unnest($1::uuid[]) as asked (id)
           cross join lateral (
             select * from certvakt.contacts k where k.certification_id = asked.id order by k.made_at desc, k.id desc limit 1) k"#,
        certifications,
    );
    Ok(found.fetch_all(tx).await?)
}

/// The contacts that the caller recorded within the last day, and so can undo, latest first.
pub async fn recent(tx: &mut CallerTx, limit: u32) -> Result<Vec<Contact>, StoreError> {
    let found = sqlx::query_as!(
        Contact,
        r#"select id, certification_id, expires_at, outcome as "outcome: ContactOutcome", next_on, note, made_at, made_by,
             true as "may_undo!"
           from certvakt.contacts
           where made_by = (select certvakt.current_person()) and made_at > now() - interval '1 day'
           order by made_at desc, id desc limit $1"#,
        i64::from(limit),
    );
    Ok(found.fetch_all(tx).await?)
}

/// The latest contacts about certifications that the caller manages that put the next contact off to a later day than the
/// present one of their organisation, the earliest first; in all chapters or in one.
pub async fn put_off(
    tx: &mut CallerTx,
    today: &[(Uuid, NaiveDate)],
    chapter: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Contact>, StoreError> {
    let (organisations, days): (Vec<Uuid>, Vec<NaiveDate>) = today.iter().copied().unzip();
    let found = sqlx::query_file_as!(
        Contact,
        "src/caller/put_off.sql",
        &organisations,
        &days,
        i64::from(limit),
        chapter as _
    );
    Ok(found.fetch_all(tx).await?)
}
