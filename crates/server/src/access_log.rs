//! The access log's record of a request, written however the request ends.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use certvakt_base::clock::Clock;
use certvakt_engine::audit::access_log::Recorder;
use certvakt_store::Seen;
use certvakt_store::audit::access_log::Event;
use certvakt_store::caller::Admission;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::problem::ApiError;
use super::token::Login;

/// The access of a request. If a person made the request, it is recorded when its last clone is dropped: because the
/// response was sent, or the client disconnected.
#[derive(Debug, Clone)]
pub(super) struct Access(Arc<Mutex<Recording>>);

#[derive(Debug)]
struct Recording {
    recorder: Recorder,
    at: DateTime<Utc>,
    method: String,
    resource: String,
    resource_id: Option<Uuid>,
    status: Option<StatusCode>,
    /// The login that the request presented.
    login: Option<Login>,
    admission: Option<Admission>,
    seen: Seen,
}

impl Access {
    /// Starts the record of a new request.
    pub(super) fn begin<B>(recorder: Recorder, request: &Request<B>) -> Self {
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        Self(Arc::new(Mutex::new(Recording {
            recorder,
            // The real time: a rehearsal's clock moves date decisions, not the log.
            at: Clock::system().now(),
            method: request.method().to_string(),
            resource: route.to_owned(),
            // The path of a page in the settings begins with the organisation, and then names the person.
            resource_id: request.uri().path().rsplit('/').find_map(|part| part.parse().ok()),
            status: None,
            login: None,
            admission: None,
            seen: Seen::default(),
        })))
    }

    /// Records the login that the request presented.
    pub(super) fn asked_by(&self, login: &Login) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).login = Some(login.clone());
    }

    /// The login of a request whose person has not been looked up yet.
    pub(super) fn not_admitted(&self) -> Option<Login> {
        let recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recording.login.clone().filter(|_| recording.admission.is_none())
    }

    /// Sets the caller, and the counter of the rows that they read.
    pub(super) fn admitted(&self, admission: Admission, seen: Seen) {
        let mut recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recording.admission = Some(admission);
        recording.seen = seen;
    }

    /// The counter of the rows that the request's transactions read.
    pub(super) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }

    /// Sets the status of the response.
    pub(super) fn answered(&self, status: StatusCode) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).status = Some(status);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Some(Admission { person_id: Some(person_id), number: Some(number), organisations, .. }) =
            self.admission.take()
        else {
            return;
        };
        let rows = self.seen.rows();
        self.recorder.record(Event {
            number,
            at: self.at,
            person_id,
            method: std::mem::take(&mut self.method),
            resource: std::mem::take(&mut self.resource),
            resource_id: self.resource_id,
            status: self.status.map(|status| status.as_u16()),
            rows_read: rows.count,
            addresses_read: rows.addresses,
            organisations_of_person: organisations,
            organisations_of_rows: rows.organisations.into_iter().collect(),
        });
    }
}

/// The layer that starts the record adds it to every request.
impl<S: Sync> FromRequestParts<S> for Access {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::Fault)
    }
}
