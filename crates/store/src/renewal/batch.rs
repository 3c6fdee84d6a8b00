//! Changes of many certifications with a few statements.

use std::collections::HashMap;
use std::future::Future;

use certvakt_rules::normal::normal_id;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::{ChangeTx, CurrentState, NewState};
use crate::error::on_constraint;
use crate::{CallerTx, CertificationStatus, RegistrarTx, StoreError, Zone};

/// A certification that a name matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The position of the name, from 1.
    pub position: i64,
    /// The certification.
    pub id: Uuid,
    /// The organisation's slug.
    pub organisation: String,
    /// The name of the certification's type.
    pub type_name: String,
}

/// Finds the certifications with some ids or register ids: at most three for each name.
pub async fn find(tx: &mut RegistrarTx, names: &[&str]) -> Result<Vec<Match>, StoreError> {
    let given: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let normal: Vec<String> = names.iter().map(|name| normal_id(name).into_owned()).collect();
    let ids: Vec<Option<Uuid>> = names.iter().map(|name| name.parse().ok()).collect();
    let found =
        sqlx::query_file_as!(Match, "src/renewal/find_all.sql", &given, &normal, &ids as &[Option<Uuid>]);
    Ok(found.fetch_all(tx).await?)
}

/// A transaction that can change many certifications.
pub trait BatchTx: ChangeTx + Sized {
    /// The states of certifications that are visible, each with an id of an entry that its history may contain.
    fn standings(
        &mut self,
        asked: &[(Uuid, Uuid)],
    ) -> impl Future<Output = Result<HashMap<Uuid, CurrentState>, StoreError>> + Send;

    /// Changes different certifications, in this order. Returns the ids of those that have changed since they were
    /// read, or that the caller may not change; `None` if a rule of the database refused one of the changes, which ends
    /// the transaction.
    fn change_all(
        &mut self,
        states: &[NewState],
    ) -> impl Future<Output = Result<Option<Vec<Uuid>>, StoreError>> + Send;

    /// Commits.
    fn commit(self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Rolls back.
    fn rollback(self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl BatchTx for RegistrarTx {
    async fn standings(&mut self, asked: &[(Uuid, Uuid)]) -> Result<HashMap<Uuid, CurrentState>, StoreError> {
        let found = standings(self, asked).await?;
        Ok(found.into_iter().map(|one| (one.id, one)).collect())
    }

    async fn change_all(&mut self, states: &[NewState]) -> Result<Option<Vec<Uuid>>, StoreError> {
        change_all(self, states).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        Self::commit(self).await
    }

    async fn rollback(self) -> Result<(), StoreError> {
        Self::rollback(self).await
    }
}

impl BatchTx for CallerTx {
    async fn standings(&mut self, asked: &[(Uuid, Uuid)]) -> Result<HashMap<Uuid, CurrentState>, StoreError> {
        let found = standings(&mut *self, asked).await?;
        self.saw(&found);
        Ok(found.into_iter().map(|one| (one.id, one)).collect())
    }

    async fn change_all(&mut self, states: &[NewState]) -> Result<Option<Vec<Uuid>>, StoreError> {
        change_all(self, states).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        Self::commit(self).await
    }

    async fn rollback(self) -> Result<(), StoreError> {
        Self::rollback(self).await
    }
}

async fn standings<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    asked: &[(Uuid, Uuid)],
) -> Result<Vec<CurrentState>, StoreError> {
    let (ids, entries): (Vec<Uuid>, Vec<Uuid>) = asked.iter().copied().unzip();
    Ok(sqlx::query_file_as!(CurrentState, "src/renewal/standings.sql", &ids, &entries).fetch_all(tx).await?)
}

async fn change_all<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    states: &[NewState],
) -> Result<Option<Vec<Uuid>>, StoreError> {
    let states = states
        .iter()
        .map(|one| {
            serde_json::json!({
                "id": one.id,
                "seen": one.seen,
                "expires_at": one.expires_at,
                "status": one.status.as_str(),
                "suspended_until": one.suspended_until,
                "said": one.said,
            })
        })
        .collect::<serde_json::Value>();
    let changed = sqlx::query_scalar!(
        r#"select s.id as "id!"
           from jsonb_to_recordset($1) as s
             (id uuid, seen timestamptz, expires_at timestamptz, status text, suspended_until date, said jsonb)
           where not certvakt.change_certification(s.id, s.seen, s.expires_at, s.status, s.suspended_until, s.said)"#,
        states,
    );
    on_constraint(changed.fetch_all(tx).await.map(Some), |name| {
        matches!(
            name,
            "history_full"
                | "certification_withdrawn"
                | "person_erased"
                | "person_ended"
                | "certification_lapsed"
        )
        .then_some(Ok(None))
    })
}
