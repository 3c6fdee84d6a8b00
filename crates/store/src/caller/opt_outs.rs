//! The caller's opt-outs from kinds of notices.

use chrono::{DateTime, Utc};

use crate::{CallerTx, StoreError};

/// An opt-out from notices by one kind of contact point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// `push` or `email`.
    pub kind: String,
    /// The time of the opt-out.
    pub since: DateTime<Utc>,
}

/// The caller's opt-outs.
pub async fn opt_outs(tx: &mut CallerTx) -> Result<Vec<OptOut>, StoreError> {
    let own =
        sqlx::query_as!(OptOut, r#"select kind as "kind!", since as "since!" from certvakt.opt_outs()"#);
    Ok(own.fetch_all(tx).await?)
}

/// Opts the caller out of notices by a kind of contact point.
pub async fn opt_out(tx: &mut CallerTx, kind: &str) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.opt_out($1)", kind).fetch_one(tx).await?;
    Ok(())
}

/// Deletes the caller's opt-out of a kind of contact point.
pub async fn opt_in(tx: &mut CallerTx, kind: &str) -> Result<(), StoreError> {
    sqlx::query!("select certvakt.opt_in($1)", kind).fetch_one(tx).await?;
    Ok(())
}
