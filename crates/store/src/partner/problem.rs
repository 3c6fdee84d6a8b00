//! The problems of a partner that need a person. `certvakt.partner_problems` decides which a partner has; the status,
//! the pages, the API, the metrics and the mail all read it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

/// A kind of problem, in the order of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The listing shows mentors who should not be listed.
    StillListed,
    /// A removal has not reached the listing for a day.
    RemovalLate,
    /// Sending has stopped.
    Stopped,
    /// Removals wait for approval.
    RemovalsHeld,
    /// The listing cannot be read.
    ListingUnread,
    /// The live listing was not compared for six hours.
    ListingNotCompared,
    /// The listing does not show mentors who should be listed and were sent.
    Missing,
    /// Mentors were removed manually at the portal.
    RemovedByHand,
    /// The listing shows mentors who are unknown to certvakt.
    Unknown,
    /// The reports of completed courses cannot be read.
    ReportsUnread,
    /// Reports of completed courses wait for a decision.
    ReportsWaiting,
    /// The credential expires within 30 days, or has expired.
    CredentialExpires,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::StillListed,
        Self::RemovalLate,
        Self::Stopped,
        Self::RemovalsHeld,
        Self::ListingUnread,
        Self::ListingNotCompared,
        Self::Missing,
        Self::RemovedByHand,
        Self::Unknown,
        Self::ReportsUnread,
        Self::ReportsWaiting,
        Self::CredentialExpires,
    ];

    /// The kind's name in the database, the API, the metrics and the ids of messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StillListed => "still-listed",
            Self::RemovalLate => "removal-late",
            Self::Stopped => "stopped",
            Self::RemovalsHeld => "removals-held",
            Self::ListingUnread => "listing-unread",
            Self::ListingNotCompared => "listing-not-compared",
            Self::Missing => "missing",
            Self::RemovedByHand => "removed-by-hand",
            Self::Unknown => "unknown",
            Self::ReportsUnread => "reports-unread",
            Self::ReportsWaiting => "reports-waiting",
            Self::CredentialExpires => "credential-expires",
        }
    }
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its kind.
    pub kind: ProblemKind,
    /// The number of mentors or reports; for a credential, the days until it expires, negative once expired.
    pub number: Option<i64>,
    /// The time since which the problem exists, where it is recorded.
    pub since: Option<DateTime<Utc>>,
}

/// The problems of a partner, most severe first.
pub type Problems = Json<Vec<Problem>>;
