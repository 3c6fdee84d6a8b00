//! By which kinds of contact point the caller wants no notices.

use chrono::{DateTime, Utc};

use crate::store::{StoreError, TenantTx};

/// A kind of contact point by which somebody wants no notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// `push` or `email`.
    pub kind: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The caller's opt-outs.
pub async fn opt_outs(tx: &mut TenantTx) -> Result<Vec<OptOut>, StoreError> {
    let own =
        sqlx::query_as!(OptOut, r#"select kind as "kind!", since as "since!" from certvakt.opt_outs()"#);
    Ok(own.fetch_all(tx).await?)
}

/// Sends the caller no notices by a kind of contact point any more.
pub async fn opt_out(tx: &mut TenantTx, kind: &str) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.opt_out($1)", kind).fetch_one(tx).await?;
    Ok(())
}

/// Sends the caller notices by a kind of contact point again.
pub async fn opt_in(tx: &mut TenantTx, kind: &str) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.opt_in($1)", kind).fetch_one(tx).await?;
    Ok(())
}
