//! The certifications of an import's chapters and types that are missing from its file.

use certvakt_store::import::{self as staging, Coverage, MissingLimit, Target};
use certvakt_store::{RegistrarTx, StoreError};
use serde::Serialize;

use super::brake::{Hold, Rule};

/// The number of missing certifications in the result.
const SHOWN: i64 = 10;
/// The number of missing certifications in an error.
const SHOWN_IN_ERROR: usize = 3;

/// What happens to certifications that are missing from a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missing {
    /// The change.
    pub change: MissingChange,
    /// Whether to make it even if rows of the file are rejected.
    pub despite_rejects: bool,
}

/// The change of certifications that are missing from a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingChange {
    /// Nothing: they are reported.
    #[default]
    Report,
    /// They are suspended until the register contains them again.
    Suspend,
    /// They are withdrawn.
    Withdraw,
}

/// The certifications that are missing from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingCertifications {
    /// Their number.
    pub number: i64,
    /// What was done.
    pub change: MissingChange,
    /// Whether they are only reported because rows of the file were rejected.
    pub kept_for_rejects: bool,
    /// The first ids in the register.
    pub first: Vec<String>,
    /// Why the import would be held without approval.
    #[serde(skip)]
    pub(super) hold: Option<Hold>,
}

impl MissingCertifications {
    /// The number of changed certifications.
    pub(super) fn changed(&self) -> i64 {
        if self.change == MissingChange::Report { 0 } else { self.number }
    }
}

impl Missing {
    /// Whether certifications that are suspended already count.
    pub(super) fn with_suspended(self) -> bool {
        self.change == MissingChange::Withdraw
    }

    /// Makes the change, after the merge. `unread` is the number of rows that could not be read.
    pub(super) async fn apply(
        self,
        tx: &mut RegistrarTx,
        target: &Target,
        coverage: &Coverage,
        unread: i64,
    ) -> Result<MissingCertifications, StoreError> {
        let number = staging::count_missing(tx).await?;
        let first = staging::first_missing(tx, SHOWN).await?;
        // Such a row can be one of the missing ones, under an id that could not be read.
        let kept_for_rejects = self.change != MissingChange::Report && unread > 0 && !self.despite_rejects;
        let change = if kept_for_rejects { MissingChange::Report } else { self.change };
        let mut hold = None;
        if change != MissingChange::Report && number > 0 {
            hold = too_many(number, staging::missing_limit(tx, target, coverage).await?, &first);
            staging::suspend_missing(tx, target, change == MissingChange::Withdraw).await?;
        }
        Ok(MissingCertifications { number, change, kept_for_rejects, first, hold })
    }
}

/// The hold of an import in which too many certifications are missing, by the limit of the organisation's runs.
fn too_many(number: i64, limit: MissingLimit, first: &[String]) -> Option<Hold> {
    let MissingLimit { covered, floor, percent } = limit;
    let exceeds = number > floor && number * 100 > covered * i64::from(percent);
    exceeds.then(|| Hold {
        rule: Rule::MissingShare,
        rows: number,
        of: covered,
        limit_percent: u8::try_from(percent).ok(),
        examples: first.iter().take(SHOWN_IN_ERROR).cloned().collect(),
    })
}
