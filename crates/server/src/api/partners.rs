//! The state of the partners of the organisations that the caller administers.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use certvakt_partner::probe::{self, Point};
use certvakt_store::caller::partners;
use certvakt_store::partner;
use certvakt_store::{Environment, StopReason};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::response::response_of;
use super::state::{Api, Caller};
use crate::problem::{ApiError, Problems};

response_of! {
    partners::Partner =>
    /// A partner, which publishes the mentors whom people can contact.
    Partner {
        /// The organisation.
        organisation_id: Uuid,
        /// The organisation's name.
        organisation: String,
        /// The partner's short name.
        partner: String,
        /// `staging` or `live`; null if sending is off.
        #[schema(value_type = Option<String>)]
        environment: Option<Environment>,
        /// The number of enrolled mentors whom the listing showed when it was last compared; null if it never was.
        enrolled_shown: Option<i64>,
        /// The time of the last complete comparison of the listing.
        reconciled_at: Option<DateTime<Utc>>,
        /// The number of mentors whose addition is pending.
        to_list: i64,
        /// The number of mentors whose removal is pending.
        to_delist: i64,
        /// The age of the oldest pending removal, in seconds.
        oldest_removal_seconds: i64,
        /// The time at which sending stopped.
        stopped_since: Option<DateTime<Utc>>,
        /// The reason why sending stopped: `contract`, `sign-in` or `outage`.
        #[schema(value_type = Option<String>)]
        stopped_by: Option<StopReason>,
        /// The number of removals that wait for approval.
        held: i64,
        /// The time since which the listing could not be read.
        unread_since: Option<DateTime<Utc>>,
        /// The number of mentors who are listed but should not be.
        still_shown: i64,
        /// The number of mentors who should be listed but are not.
        not_shown: i64,
        /// The number of mentors who were removed from the listing manually.
        removed_by_hand: i64,
        /// The number of listed mentors who are unknown to certvakt.
        unknown_shown: i64,
        /// The number of reports of completed courses that wait for a decision.
        reports_waiting: i64,
        /// Days until the credential expires; negative once expired; null if the configuration gives no date.
        secret_days: Option<i32>,
        /// The problems that need a person, most severe first; none if sending is off.
        problems: PartnerProblems,
    }
}

/// The problems of a partner that need a person, most severe first.
#[derive(Serialize, ToSchema)]
pub(super) struct PartnerProblems(Vec<PartnerProblem>);

impl From<partner::Problems> for PartnerProblems {
    fn from(problems: partner::Problems) -> Self {
        Self(problems.0.into_iter().map(PartnerProblem::from).collect())
    }
}

/// A problem of a partner that needs a person.
#[derive(Serialize, ToSchema)]
struct PartnerProblem {
    /// The kind: `still-listed`, `removal-late`, `stopped`, `removals-held`, `listing-unread`,
    /// `listing-not-compared`, `missing`, `removed-by-hand`, `unknown`, `reports-unread`, `reports-waiting` or
    /// `credential-expires`.
    #[schema(example = "stopped")]
    kind: String,
    /// The number of mentors or reports; for `credential-expires`, the days until then, negative once expired.
    number: Option<i64>,
    /// The time since which the problem exists, where it is recorded.
    since: Option<DateTime<Utc>>,
}

impl From<partner::Problem> for PartnerProblem {
    fn from(partner::Problem { kind, number, since }: partner::Problem) -> Self {
        Self { kind: kind.as_str().to_owned(), number, since }
    }
}

/// How long a person waits for the portal to pass a probe.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

impl Api {
    /// Tests whether sending to a partner that has stopped can be resumed: the portal must follow the contract. Returns the
    /// checks; none if this server is not configured for the partner, or the portal took too long.
    pub(crate) async fn probe(&self, organisation_id: Uuid, name: &str) -> Result<Vec<Point>, ApiError> {
        let shared = &self.0;
        let turn = shared.database.stranger().await?;
        let mut tx = shared.database.pool().worker().await?;
        let all = partner::all(&mut tx).await?;
        let is_it = |one: &partner::Partner| one.organisation_id == organisation_id && one.partner == name;
        let one = all.into_iter().find(is_it).ok_or(ApiError::NotFound)?;
        let keys = partner::some_keys(&mut tx, &one, probe::READ_LIVE).await?;
        tx.rollback().await?;
        drop(turn);
        let probing = probe::before_resuming(&shared.partners, &shared.clock, &one, &keys);
        match tokio::time::timeout(PROBE_WITHIN, probing).await {
            Ok(Ok(points)) => Ok(points),
            Ok(Err(error)) => {
                let (organisation, partner) = (&one.organisation, &one.partner);
                tracing::error!(
                    organisation,
                    partner,
                    code = error.code(),
                    "could not probe the portal: {error}"
                );
                Ok(Vec::new())
            }
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// List the partners of the organisations that the caller administers, with their state
#[utoipa::path(get, path = "/api/v1/partners", tag = "partners", responses(
    (status = OK, body = [Partner]),
    Problems))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Partner>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let partners = partners::administered(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(partners.into_iter().map(Partner::from).collect()))
}
