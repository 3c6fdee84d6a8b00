//! The undo of what a person changed with a form.

use certvakt_store::caller::change_results::{self, FormResult};
use certvakt_store::renewal::batch::BatchTx;
use certvakt_store::renewal::{ChangeResult, ChangeTx, NewState};
use certvakt_store::{CallerTx, CertificationStatus, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::batch::{BATCH, Begin};

/// What an undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// The certifications that are as they were before.
    pub undone: Vec<Uuid>,
    /// Those that were changed since, or cannot be changed any more.
    pub kept: Vec<Uuid>,
}

/// Undoes some of the changes that the caller made with a form. A certification that was changed since keeps its state.
pub async fn undo<B: Begin<Tx = CallerTx>>(
    database: &B,
    form: Uuid,
    changes: &[FormResult],
) -> Result<Undone, B::Error> {
    let mut states: Vec<NewState> =
        changes.iter().filter(|one| one.undone_at.is_none()).filter_map(before).collect();
    states.sort_by_key(|state| state.id);
    let mut outcome = Undone::default();
    for some in states.chunks(BATCH) {
        let done = together(database, form, some).await?;
        let Undone { undone, kept } =
            if let Some(done) = done { done } else { one_by_one(database, form, some).await? };
        outcome.undone.extend(undone);
        outcome.kept.extend(kept);
    }
    Ok(outcome)
}

/// Undoes some changes in one transaction; `None` if the database refused one of them.
async fn together<B: Begin<Tx = CallerTx>>(
    database: &B,
    form: Uuid,
    states: &[NewState],
) -> Result<Option<Undone>, B::Error> {
    let mut tx = database.begin().await?;
    let changed = match tx.change_all(states).await {
        Err(StoreError::Conflict(_)) => None,
        changed => changed?,
    };
    let Some(kept) = changed else {
        tx.rollback().await?;
        return Ok(None);
    };
    let undone: Vec<Uuid> = states.iter().map(|state| state.id).filter(|id| !kept.contains(id)).collect();
    change_results::mark_undone(&mut tx, form, &undone).await?;
    tx.commit().await?;
    Ok(Some(Undone { undone, kept }))
}

/// Undoes each change in its own transaction.
async fn one_by_one<B: Begin<Tx = CallerTx>>(
    database: &B,
    form: Uuid,
    states: &[NewState],
) -> Result<Undone, B::Error> {
    let mut outcome = Undone::default();
    for state in states {
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
