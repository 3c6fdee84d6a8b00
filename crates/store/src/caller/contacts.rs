//! Contacts: what coordinators recorded after they reached, or tried to reach, a mentor.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{CallerTx, ContactOutcome, StoreError};

/// A recorded contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The certification that it was about.
    pub certification_id: Uuid,
    /// The end of the validity that it was about.
    pub expires_at: Option<DateTime<Utc>>,
    /// The outcome.
    pub outcome: ContactOutcome,
    /// The day on which somebody should contact the mentor again; `None` if nobody needs to until the date changes.
    pub next_on: Option<NaiveDate>,
    /// The time at which it was recorded.
    pub made_at: DateTime<Utc>,
    /// The person who recorded it.
    pub made_by: Option<Uuid>,
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
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.contacts (id, certification_id, expires_at, outcome, next_on, made_by)
         select $1, c.id, c.expires_at, $3, $4, (select certvakt.current_person())
         from public.peer_mentor_certifications c where c.id = $2
         on conflict (id) do nothing",
        id,
        certification,
        outcome.as_str(),
        next_on,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The contacts about a certification, latest first.
pub async fn of_certification(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Contact>, StoreError> {
    let found = sqlx::query_as!(
        Contact,
        r#"select certification_id, expires_at, outcome as "outcome: ContactOutcome", next_on, made_at, made_by
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
        r#"select k.certification_id, k.expires_at, k.outcome as "outcome: ContactOutcome", k.next_on, k.made_at, k.made_by
           from unnest($1::uuid[]) as asked (id)
           cross join lateral (
             select * from certvakt.contacts k where k.certification_id = asked.id order by k.made_at desc, k.id desc limit 1) k"#,
        certifications,
    );
    Ok(found.fetch_all(tx).await?)
}

/// An e-mail address or a phone number of a mentor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `email` or `phone`.
    pub kind: String,
    /// The address; a phone number as E.164 writes it.
    pub address: String,
}

/// The addresses of the mentor of a certification, if the caller manages its chapter.
pub async fn addresses(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Address>, StoreError> {
    let found = sqlx::query_as!(
        Address,
        r#"select kind as "kind!", address as "address!" from certvakt.addresses_of($1)"#,
        certification,
    );
    Ok(found.fetch_all(tx).await?)
}
