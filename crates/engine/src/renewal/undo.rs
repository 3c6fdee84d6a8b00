//! The undo of a person's changes: of everything that one form changed, or of one certification of it.

use certvakt_store::caller::change_results::{self, FormResult};
use certvakt_store::renewal::batch::BatchTx;
use certvakt_store::renewal::{ChangeResult, ChangeTx, NewState};
use certvakt_store::{CallerTx, CertificationStatus, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::batch::Begin;

/// What an undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// The certifications that are as they were before.
    pub undone: Vec<Uuid>,
    /// Those that were changed since, or cannot be changed any more.
    pub kept: Vec<Uuid>,
}

/// Undoes the changes that the caller made with a form within the last day, or only that of one certification. A
/// certification that was changed since keeps its state.
pub async fn undo<B: Begin<Tx = CallerTx>>(
    database: &B,
    form: Uuid,
    only: Option<Uuid>,
) -> Result<Undone, B::Error> {
    let mut tx = database.begin().await?;
    let results = change_results::of_form(&mut tx, form).await?;
    let mut states: Vec<NewState> = results
        .iter()
        .filter(|one| one.undone_at.is_none() && only.is_none_or(|id| id == one.certification_id))
        .filter_map(before)
        .collect();
    states.sort_by_key(|state| state.id);
    let changed = match tx.change_all(&states).await {
        Err(StoreError::Conflict(_)) => None,
        changed => changed?,
    };
    let all = states.iter().map(|state| state.id);
    if let Some(kept) = changed {
        let undone: Vec<Uuid> = all.filter(|id| !kept.contains(id)).collect();
        change_results::mark_undone(&mut tx, form, &undone).await?;
        tx.commit().await?;
        return Ok(Undone { undone, kept });
    }
    // The database refused one of them: undo each of the others alone.
    tx.rollback().await?;
    let mut outcome = Undone::default();
    for state in &states {
        let mut tx = database.begin().await?;
        if tx.change(state).await? == ChangeResult::Yes {
            change_results::mark_undone(&mut tx, form, &[state.id]).await?;
            tx.commit().await?;
            outcome.undone.push(state.id);
        } else {
            outcome.kept.push(state.id);
        }
    }
    Ok(outcome)
}

/// The state before a change; `None` if the change was refused.
fn before(result: &FormResult) -> Option<NewState> {
    let replaced = result.replaced.as_ref().ok()?;
    // The next run finds out again that it has lapsed. Its keys depend on the date, so nobody is notified twice.
    let status = match replaced.status {
        CertificationStatus::Expired => CertificationStatus::Active,
        other => other,
    };
    Some(NewState {
        id: result.certification_id,
        seen: replaced.version,
        expires_at: replaced.expires_at,
        status,
        suspended_until: replaced.suspended_until,
        said: json!({ "kind": "undone", "source": "undo" }),
    })
}
