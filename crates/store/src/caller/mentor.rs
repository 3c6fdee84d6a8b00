//! The mentor of a certification in its organisation: what happened to them, their end, return, moves and merge.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::rows_read::of_organisation;
use crate::{CallerTx, MergeOutcome, PersonChangeKind, StoreError};

of_organisation!(Mentor);

/// What happened to a person in an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChange {
    /// The kind.
    pub kind: PersonChangeKind,
    /// The time at which it was recorded.
    pub made_at: DateTime<Utc>,
    /// The person who recorded it.
    pub made_by: Option<Uuid>,
    /// The name of the chapter before a move, if the caller may see the chapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The name of the chapter after a move, if the caller may see the chapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The mentor of a certification.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a permission of its own")]
pub struct Mentor {
    /// The person.
    pub mentor_id: Uuid,
    /// The organisation that certified them.
    pub organisation_id: Uuid,
    /// The form of the caller's last change of the certification, if they can undo it.
    pub undo_form: Option<Uuid>,
    /// The number of certifications that the form changed.
    pub undo_number: Option<i64>,
    /// The chapter from which the caller moved the mentor to that of the certification, less than a day ago, if nothing
    /// else happened to the mentor since.
    pub moved_from: Option<Uuid>,
    /// Whether the caller may record that the mentor died or left.
    pub may_end: bool,
    /// Whether the caller may correct the mentor's addresses.
    pub may_correct_addresses: bool,
    /// Whether the mentor is enrolled at a partner, and the caller may record their consent.
    pub has_listings: bool,
    /// Whether the caller administers the organisation.
    pub is_administrator: bool,
    /// Whether the caller has no role in the organisation among the memberships of certvakt. If they manage the certification, an
    /// app owns the organisation's hierarchy.
    pub is_of_app: bool,
    /// Whether the caller may export and erase the mentor's data.
    pub may_erase: bool,
    /// Whether the person is a mentor of the certification's chapter, so that they can be moved from it.
    pub is_member: bool,
    /// What happened to the mentor, the oldest first.
    pub changes: Json<Vec<PersonChange>>,
}

impl Mentor {
    /// Whether the mentor has died or left, and has not returned, or was merged with another.
    pub fn has_ended(&self) -> bool {
        use PersonChangeKind::{Deceased, Left, Merged, Returned};
        let mut latest = self.changes.iter().rev().map(|change| change.kind);
        latest
            .find(|kind| matches!(kind, Deceased | Left | Merged | Returned))
            .is_some_and(|kind| kind != Returned)
    }

    /// Whether the mentor was merged with another, who stays.
    pub fn is_merged(&self) -> bool {
        self.changes.iter().any(|change| change.kind == PersonChangeKind::Merged)
    }
}

/// The mentor of a certification that the caller may see.
pub async fn mentor(tx: &mut CallerTx, certification: Uuid) -> Result<Option<Mentor>, StoreError> {
    let found = sqlx::query_file_as!(Mentor, "src/caller/mentor.sql", certification);
    let found = found.fetch_optional(&mut *tx).await?;
    tx.saw(found.as_slice());
    Ok(found)
}

/// Records that a person died or left: ends their roles, logins, open deliveries and listings in an organisation. Returns
/// false if the caller may not. The certifications must be withdrawn in the same transaction.
pub async fn end(
    tx: &mut CallerTx,
    person: Uuid,
    organisation: Uuid,
    reason: PersonChangeKind,
) -> Result<bool, StoreError> {
    let ended = sqlx::query_scalar!(
        r#"select certvakt.end_person($1, $2, $3) as "ended!""#,
        person,
        organisation,
        reason.as_str(),
    );
    Ok(ended.fetch_one(tx).await?)
}

/// The certifications of a person in an organisation that the caller may see.
pub async fn certification_ids(
    tx: &mut CallerTx,
    person: Uuid,
    organisation: Uuid,
) -> Result<Vec<Uuid>, StoreError> {
    let found = sqlx::query_scalar!(
        "select id from public.peer_mentor_certifications where peer_mentor_id = $1 and organisation_id = $2 order by id",
        person,
        organisation,
    );
    Ok(found.fetch_all(tx).await?)
}

/// Records that a person is back. Returns false if the caller does not administer the organisation.
pub async fn take_back(tx: &mut CallerTx, person: Uuid, organisation: Uuid) -> Result<bool, StoreError> {
    let returned =
        sqlx::query_scalar!(r#"select certvakt.return_person($1, $2) as "returned!""#, person, organisation);
    Ok(returned.fetch_one(tx).await?)
}

/// Moves mentors of a chapter to another one, or all of them without `people`. Returns how many moved; `None` if the caller
/// may not.
pub async fn move_mentors(
    tx: &mut CallerTx,
    people: Option<&[Uuid]>,
    before: Uuid,
    after: Uuid,
) -> Result<Option<i64>, StoreError> {
    let moved = sqlx::query_scalar!("select certvakt.move_mentors($1, $2, $3)", people, before, after);
    Ok(moved.fetch_one(tx).await?)
}

/// Records that two people of an organisation are the same: the survivor continues the certifications of the duplicate.
pub async fn merge(
    tx: &mut CallerTx,
    duplicate: Uuid,
    survivor: Uuid,
    organisation: Uuid,
) -> Result<MergeOutcome, StoreError> {
    let outcome = sqlx::query_scalar!(
        r#"select certvakt.merge_people($1, $2, $3) as "outcome!: MergeOutcome""#,
        duplicate,
        survivor,
        organisation,
    );
    Ok(outcome.fetch_one(tx).await?)
}
