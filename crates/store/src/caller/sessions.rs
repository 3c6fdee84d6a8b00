//! The caller's browser sessions.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{CallerTx, StoreError};

/// An active session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whether it started with an e-mailed link instead of a provider.
    pub is_link: bool,
    /// The browser; empty if unknown.
    pub browser: String,
    /// The time of the sign-in.
    pub created_at: DateTime<Utc>,
    /// The time of the last use, with a precision of five minutes.
    pub seen_at: DateTime<Utc>,
    /// Whether the request uses this session.
    pub is_current: bool,
}

/// The caller's sessions, most recently used first.
pub async fn sessions(tx: &mut CallerTx) -> Result<Vec<Session>, StoreError> {
    let own = sqlx::query_as!(
        Session,
        r#"select id as "id!", is_link as "is_link!", browser as "browser!", created_at as "created_at!",
             seen_at as "seen_at!", is_current as "is_current!"
           from certvakt.my_sessions()"#
    );
    Ok(own.fetch_all(tx).await?)
}

/// Ends one of the caller's sessions or, if `session` is `None`, all except the current one. Returns how many
/// ended.
pub async fn end(tx: &mut CallerTx, session: Option<Uuid>) -> Result<i64, StoreError> {
    let ended = sqlx::query_scalar!(r#"select certvakt.end_my_sessions($1) as "ended!""#, session);
    Ok(ended.fetch_one(tx).await?)
}
