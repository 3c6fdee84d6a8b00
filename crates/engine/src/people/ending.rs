//! The end of a person in an organisation: they died or left.

use certvakt_store::caller::mentor::{self, Mentor};
use certvakt_store::{CallerTx, PersonChangeKind};
use chrono::{DateTime, Utc};

use crate::renewal::{Change, ChangeRequest, RenewalError, Source, apply};

/// Ends a mentor: their roles, logins, open deliveries and listings in the organisation, and withdraws their certifications
/// there. Their data stays until it is erased. A repeated end has no effect.
pub async fn end(
    tx: &mut CallerTx,
    who: &Mentor,
    reason: PersonChangeKind,
    now: DateTime<Utc>,
) -> Result<(), RenewalError> {
    if who.has_ended() {
        return Ok(());
    }
    if !mentor::end(tx, who.mentor_id, who.organisation_id, reason).await? {
        return Err(RenewalError::NotTheirs);
    }
    let request = ChangeRequest {
        change: Change::Withdraw,
        evidence: None,
        note: None,
        key: None,
        source: Source::Api,
        seen: None,
        form: None,
    };
    for certification in mentor::certification_ids(tx, who.mentor_id, who.organisation_id).await? {
        apply(tx, certification, &request, now).await?;
    }
    Ok(())
}
