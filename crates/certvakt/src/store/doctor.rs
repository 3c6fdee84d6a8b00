//! What `doctor` asks the database.

use chrono::{DateTime, Utc};

use super::{Database, LoginTx, StoreError};

/// The server and our place in it.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own to the server")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// As `server_version_num` has it, like 150018.
    pub version: i32,
    /// The database's encoding.
    pub encoding: String,
    /// Who we signed in as.
    pub login: String,
    /// Whether that is a superuser.
    pub is_superuser: bool,
    /// Whether it may become `certvakt_worker`.
    pub may_work: bool,
    /// Whether it may become `certvakt_registrar`.
    pub may_register: bool,
    /// Whether it may become `authenticated`, as which people are answered.
    pub may_answer: bool,
    /// Whether it may become `certvakt_doorkeeper`, who lets browsers in.
    pub may_authenticate: bool,
    /// What the login may do beyond becoming those four.
    pub excess: Vec<String>,
    /// Roles of the service that can do more than they should.
    pub strong_roles: Vec<String>,
    /// Whether our tables are there.
    pub is_migrated: bool,
    /// Our tables on which row-level security is not both enabled and forced.
    pub open_tables: Vec<String>,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Whether it stays on this machine.
    pub is_local: bool,
    /// What time it is there.
    pub now: DateTime<Utc>,
}

/// Asks the server, as the login itself: some of the answers are about its roles.
pub async fn facts(database: &Database) -> Result<Facts, StoreError> {
    let mut tx = LoginTx::begin(&database.pool).await?;
    let facts = sqlx::query_file_as!(Facts, "src/store/doctor/facts.sql").fetch_one(&mut tx).await?;
    tx.rollback().await?;
    Ok(facts)
}
