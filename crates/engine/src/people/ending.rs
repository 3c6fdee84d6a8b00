//! The end of a person in an organisation: they died or left, or of a role of theirs.

use certvakt_store::caller::mentor::{self, Mentor};
use certvakt_store::caller::{people, staff};
use certvakt_store::{CallerTx, PersonChangeKind, Role, RoleEnd};
use chrono::{DateTime, Utc};
use uuid::Uuid;

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
    withdraw_all(tx, who.mentor_id, who.organisation_id, now).await
}

/// Ends a role of somebody in an organisation; that of the last coordinator of a chapter, and the last of a mentor, only if
/// `may_be_last`. With the last role of a mentor, their certifications there are withdrawn and they leave partners' lists.
pub async fn end_role(
    tx: &mut CallerTx,
    (person, organisation): (Uuid, Uuid),
    (role, chapter): (Role, Option<Uuid>),
    may_be_last: bool,
    now: DateTime<Utc>,
) -> Result<RoleEnd, RenewalError> {
    let was_mentor = is_mentor(tx, person, organisation).await?;
    let end = staff::end_role(tx, organisation, person, role, chapter, may_be_last).await?;
    if end == RoleEnd::Ended && was_mentor && !is_mentor(tx, person, organisation).await? {
        withdraw_all(tx, person, organisation, now).await?;
    }
    Ok(end)
}

async fn is_mentor(tx: &mut CallerTx, person: Uuid, organisation: Uuid) -> Result<bool, RenewalError> {
    let roles = people::memberships_of(tx, &[person]).await?;
    Ok(roles.iter().any(|one| one.organisation_id == organisation && one.role == Role::Mentor))
}

/// Withdraws every certification of a person in an organisation.
async fn withdraw_all(
    tx: &mut CallerTx,
    person: Uuid,
    organisation: Uuid,
    now: DateTime<Utc>,
) -> Result<(), RenewalError> {
    let request = ChangeRequest {
        change: Change::Withdraw,
        evidence: None,
        note: None,
        key: None,
        source: Source::Api,
        seen: None,
        form: None,
    };
    for certification in mentor::certification_ids(tx, person, organisation).await? {
        apply(tx, certification, &request, now).await?;
    }
    Ok(())
}
