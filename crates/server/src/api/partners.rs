//! The state of the partners of the organisations that the caller administers.

use axum::Json;
use axum::extract::State;
use certvakt_store::tenant::partners;
use certvakt_store::{Environment, StopReason};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::response::response_of;
use super::state::{Api, Caller};
use crate::problem::{Problems, Refusal};

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
        /// The number of mentors who belong on the listing.
        listed: i64,
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
        away: i64,
        /// The number of listed mentors who are unknown to certvakt.
        unknown_shown: i64,
        /// The number of reports of completed courses that wait for a decision.
        reports_waiting: i64,
        /// Days until the credential expires; negative once expired; null if the configuration gives no date.
        secret_days: Option<i32>,
    }
}

/// List the partners of the organisations that the caller administers, with their state
#[utoipa::path(get, path = "/api/v1/partners", tag = "partners", responses(
    (status = OK, body = [Partner]),
    Problems))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Partner>>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let partners = partners::administered(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(partners.into_iter().map(Partner::from).collect()))
}
