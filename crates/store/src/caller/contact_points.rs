//! The caller's contact points: their devices, mail addresses and phone numbers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{CallerTx, StoreError};

/// A contact point of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPoint {
    /// Its id.
    pub id: Uuid,
    /// `push`, `email` or `phone`.
    pub kind: String,
    /// The address; `None` for a device.
    pub address: Option<String>,
    /// The organisation whose register contains it; `None` if it is the caller's own, which they can remove.
    pub organisation: Option<String>,
    /// The time at which it was added.
    pub created_at: DateTime<Utc>,
}

/// The caller's contact points, their own first.
pub async fn contact_points(tx: &mut CallerTx) -> Result<Vec<ContactPoint>, StoreError> {
    let own = sqlx::query_as!(
        ContactPoint,
        r#"select id as "id!", kind as "kind!", address, organisation, created_at as "created_at!"
           from certvakt.my_contact_points()"#
    );
    Ok(own.fetch_all(tx).await?)
}

/// Adds a phone number of the caller's own, as E.164 writes it. Returns false if they have too many.
pub async fn add_phone(tx: &mut CallerTx, number: &str) -> Result<bool, StoreError> {
    let added = sqlx::query_scalar!(r#"select certvakt.add_phone($1) as "is_added!""#, number);
    Ok(added.fetch_one(tx).await?)
}

/// Removes a contact point of the caller's own. Returns false if there is none with this id.
pub async fn remove(tx: &mut CallerTx, point: Uuid) -> Result<bool, StoreError> {
    let removed = sqlx::query_scalar!(r#"select certvakt.remove_contact_point($1) as "is_removed!""#, point);
    Ok(removed.fetch_one(tx).await?)
}
