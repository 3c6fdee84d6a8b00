//! Where the caller is signed in with a browser.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{StoreError, TenantTx};

/// A session that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whether a link in a mail began it, and no provider.
    pub is_link: bool,
    /// The browser, as it names itself; empty: it does not.
    pub browser: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to five minutes.
    pub seen_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// The caller's sessions, the one that was used last first.
pub async fn sessions(tx: &mut TenantTx) -> Result<Vec<Session>, StoreError> {
    let own = sqlx::query_as!(
        Session,
        r#"select id as "id!", is_link as "is_link!", browser as "browser!", created_at as "created_at!",
             seen_at as "seen_at!", is_current as "is_current!"
           from certvakt.my_sessions()"#
    );
    Ok(own.fetch_all(tx).await?)
}

/// Ends a session of the caller's; none: all but the one that asks. Says how many that were.
pub async fn end(tx: &mut TenantTx, session: Option<Uuid>) -> Result<i64, StoreError> {
    let ended = sqlx::query_scalar!(r#"select certvakt.end_my_sessions($1) as "ended!""#, session);
    Ok(ended.fetch_one(tx).await?)
}
