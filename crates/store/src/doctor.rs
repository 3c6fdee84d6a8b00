//! The queries of `doctor`.

use chrono::{DateTime, Utc};

use super::{Database, LoginTx, StoreError};

/// The facts about the server and our login.
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The value of `server_version_num`, such as 150018.
    pub version: i32,
    /// The database's encoding.
    pub encoding: String,
    /// The login.
    pub login: String,
    /// Whether the login is a superuser.
    pub is_superuser: bool,
    /// Whether the login may switch to `certvakt_worker`.
    pub may_work: bool,
    /// Whether the login may switch to `certvakt_registrar`.
    pub may_register: bool,
    /// Whether the login may switch to `authenticated`, the role for people's requests.
    pub may_answer: bool,
    /// Whether the login may switch to `certvakt_auth`, the role for browser sign-in.
    pub may_authenticate: bool,
    /// The login's privileges beyond switching to those four roles.
    pub excess: Vec<String>,
    /// The service's roles with too many privileges.
    pub strong_roles: Vec<String>,
    /// Whether certvakt's tables exist.
    pub is_migrated: bool,
    /// certvakt's tables without enabled and forced row-level security.
    pub open_tables: Vec<String>,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Whether the connection stays on this machine.
    pub is_local: bool,
    /// The server's time.
    pub now: DateTime<Utc>,
}

/// Queries the facts as the login itself, because some of them are about its roles.
pub async fn facts(database: &Database) -> Result<Facts, StoreError> {
    let mut tx = LoginTx::begin(&database.pool).await?;
    let facts = sqlx::query_file_as!(Facts, "src/doctor/facts.sql").fetch_one(&mut tx).await?;
    tx.rollback().await?;
    Ok(facts)
}
