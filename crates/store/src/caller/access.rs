//! The access log of an organisation, for its administrators.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::rows_read::of_organisation;
use crate::{CallerTx, StoreError};

of_organisation!(Access);

/// A request that read rows of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The organisation.
    pub organisation_id: Uuid,
    /// Its number, in the order of time.
    pub number: i64,
    /// The time of the request.
    pub at: DateTime<Utc>,
    /// The person who made it.
    pub person_id: Option<Uuid>,
    /// Their name; `None` if they were erased.
    pub name: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The route.
    pub resource: String,
    /// The person whom it was about, or whose certification.
    pub subject_id: Option<Uuid>,
    /// Their name.
    pub subject: Option<String>,
    /// The HTTP status; `None` if the request was cancelled.
    pub status: Option<i16>,
    /// The number of rows that were read.
    pub rows_read: i64,
    /// How many of them are addresses and phone numbers of mentors.
    pub addresses_read: i64,
}

/// Which requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Which {
    /// Only those about this person or one of their certifications.
    pub about: Option<Uuid>,
    /// Only those of this person.
    pub by: Option<Uuid>,
    /// Only those before the one with this number.
    pub before: Option<i64>,
}

/// The requests that read rows of an organisation, the latest first, without those for one's own pages; none if the caller does
/// not administer it.
pub async fn accesses(
    tx: &mut CallerTx,
    organisation: Uuid,
    which: Which,
    limit: u32,
) -> Result<Vec<Access>, StoreError> {
    let found = sqlx::query_as!(
        Access,
        r#"select $1 as "organisation_id!", number as "number!", at as "at!", person_id, name, method as "method!",
             resource as "resource!", subject_id, subject, status, rows_read as "rows_read!",
             addresses_read as "addresses_read!"
           from certvakt.access_of($1, $2, $3, $4, $5)"#,
        organisation,
        which.about,
        which.by,
        which.before,
        i64::from(limit),
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}
