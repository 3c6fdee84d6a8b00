//! The adapter for the Web API of Microsoft Dataverse, version 9.2 (Microsoft Learn, "Use the Microsoft
//! Dataverse Web API"). It changes rows of the mentors' table by an alternate key, with many changes in one
//! request.

use certvakt_engine::outbound::retry_after;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::adapter::{Adapter, Bounds};
use super::multipart::{self, Part};
use crate::client::PortalResponse;
use crate::contract::{State, TableTerms};
use crate::outcome::PortalOutcome;
use crate::portal::{Portal, judge, judge_change, odata};

/// The characters that a key in a URL must not contain ("Define alternate keys to reference rows").
const NOT_IN_KEYS: &str = "/#<>*%&:\\?+";
/// The codes for a missing row, by its key and by its id ("Web service error codes"). Any other 404 means
/// that the table is missing.
const ABSENT: [&str; 2] = ["0x80060891", "0x80040217"];
/// The codes of the service protection limits, with a description ("Service protection API limits").
const PROTECTION: [(&str, &str); 3] = [
    ("0x80072322", "it received too many requests"),
    ("0x80072321", "our requests used too much of its processing time"),
    ("0x80072326", "it received too many concurrent requests"),
];

/// A portal that stores its mentors in a Dataverse table.
#[derive(Debug)]
pub(super) struct Dataverse {
    portal: Portal,
    table: TableTerms,
}

impl Dataverse {
    pub(super) fn new(portal: Portal, table: TableTerms) -> Self {
        Self { portal, table }
    }

    /// The URL of a mentor's row.
    fn row(&self, key: &str) -> Result<Url, PortalOutcome> {
        if key.contains(|character: char| NOT_IN_KEYS.contains(character) || character.is_control()) {
            return Err(PortalOutcome::Refused(format!(
                "the mentor's key cannot be part of a URL: it must not contain {NOT_IN_KEYS}"
            )));
        }
        let mut url = self.portal.addresses.endpoint.clone();
        let set = url.path_segments().and_then(|mut parts| parts.next_back().map(str::to_owned));
        if let (Some(set), Ok(mut path)) = (set, url.path_segments_mut()) {
            path.pop().push(&format!("{set}({}='{}')", self.table.key, key.replace('\'', "''")));
        }
        Ok(url)
    }

    /// The request that sends a state. A removal must not create the row of a deleted mentor again.
    fn change(&self, state: &State) -> Result<Part, PortalOutcome> {
        let body = self.portal.body(state)?;
        let mut headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        if !state.is_listed {
            headers.insert(IF_MATCH, HeaderValue::from_static("*"));
        }
        Ok(Part { method: Method::PATCH, url: self.row(&state.key)?, headers, body })
    }

    async fn tell_some(&self, states: &[State], until: Instant) -> Vec<PortalOutcome> {
        let mut outcomes: Vec<PortalOutcome> = self
            .answers(states.iter().map(|state| self.change(state)).collect(), until)
            .await
            .into_iter()
            .zip(states)
            .map(|(answered, state)| self.judge_change(state, answered))
            .collect();
        // Another client changed these rows at the same time, so read their current state.
        let crossed: Vec<usize> = (0..states.len()).filter(|place| outcomes[*place] == crossed()).collect();
        let keys: Vec<&str> = crossed.iter().map(|place| states[*place].key.as_str()).collect();
        for (place, read) in crossed.into_iter().zip(self.read_some(&keys, until).await) {
            if read == Ok(states[place].is_listed) {
                outcomes[place] = PortalOutcome::Accepted;
            }
        }
        outcomes
    }

    fn judge_change(&self, state: &State, answered: Result<PortalResponse, PortalOutcome>) -> PortalOutcome {
        let answered = match answered {
            Ok(answered) => answered,
            Err(outcome) => return outcome,
        };
        if let Some(busy) = busy(&answered) {
            return busy;
        }
        match answered.status {
            StatusCode::NOT_FOUND if is_absent(&answered) && !state.is_listed => PortalOutcome::Accepted,
            StatusCode::NOT_FOUND if is_absent(&answered) => {
                PortalOutcome::Refused("the portal does not know this mentor (404)".to_owned())
            }
            StatusCode::PRECONDITION_FAILED => crossed(),
            _ => judge_change(&self.portal, state, &answered),
        }
    }

    async fn read_some(&self, keys: &[&str], until: Instant) -> Vec<Result<bool, PortalOutcome>> {
        let select = format!("$select={}", self.table.status);
        let parts = keys.iter().map(|key| {
            let mut url = self.row(key)?;
            url.set_query(Some(&select));
            Ok(Part { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() })
        });
        let answers = self.answers(parts.collect(), until).await;
        answers.into_iter().map(|answered| self.judge_read(&answered?)).collect()
    }

    fn judge_read(&self, answered: &PortalResponse) -> Result<bool, PortalOutcome> {
        if let Some(busy) = busy(answered) {
            return Err(busy);
        }
        if answered.status == StatusCode::NOT_FOUND && is_absent(answered) {
            return Ok(false);
        }
        judge(answered, &[200])?;
        let row: Option<Value> = serde_json::from_slice(&answered.body).ok();
        let read = row.and_then(|row| self.portal.contract.reads(row.get(&self.table.status)?));
        read.ok_or_else(|| {
            PortalOutcome::Broken(format!("its data about a mentor has no known {}", self.table.status))
        })
    }

    /// Sends requests, in batches if possible, and returns the response to each. Requests that could not be
    /// built are not sent.
    async fn answers(
        &self,
        parts: Vec<Result<Part, PortalOutcome>>,
        until: Instant,
    ) -> Vec<Result<PortalResponse, PortalOutcome>> {
        let to_send: Vec<&Part> = parts.iter().filter_map(|part| part.as_ref().ok()).collect();
        let answers = match to_send[..] {
            [] => Ok(Vec::new()),
            [one] => self.send(one, until).await.map(|answered| vec![answered]),
            _ => self.send_all(&to_send, until).await,
        };
        let mut answers = match answers {
            Ok(answers) => Ok(answers.into_iter()),
            Err(outcome) => Err(outcome),
        };
        parts
            .into_iter()
            .map(|part| {
                part?;
                let next = answers.as_mut().map_err(|outcome| outcome.clone())?.next();
                next.ok_or_else(|| {
                    PortalOutcome::InDoubt("the batch response has no response for this change".to_owned())
                })
            })
            .collect()
    }

    async fn send(&self, part: &Part, until: Instant) -> Result<PortalResponse, PortalOutcome> {
        let make = |sign_in: HeaderMap| {
            let request = self.portal.wire.client().request(part.method.clone(), part.url.clone());
            request.headers(odata()).headers(part.headers.clone()).headers(sign_in).body(part.body.clone())
        };
        let id = Uuid::new_v4().to_string();
        if part.method == Method::GET {
            self.portal.ask(&id, Some(until), make).await
        } else {
            self.portal.send(&id, &part.body, Some(until), make).await
        }
    }

    /// Sends many requests as one batch, outside a change set, because in a change set a failure would undo
    /// the others.
    async fn send_all(&self, parts: &[&Part], until: Instant) -> Result<Vec<PortalResponse>, PortalOutcome> {
        let mut url = self.portal.addresses.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop().push("$batch");
        }
        let (kind, body) = multipart::write(parts);
        let make = |sign_in: HeaderMap| {
            let request = self.portal.wire.client().post(url.clone()).headers(odata()).headers(sign_in);
            request.header(CONTENT_TYPE, &kind).header("Prefer", "odata.continue-on-error").body(body.clone())
        };
        let answered = self.portal.send(&Uuid::new_v4().to_string(), &body, Some(until), make).await?;
        if let Some(busy) = busy(&answered) {
            return Err(busy);
        }
        judge(&answered, &[200])?;
        let answers = multipart::read(&answered).filter(|answers| answers.len() <= parts.len());
        answers.ok_or_else(|| PortalOutcome::Broken("its batch response is malformed".to_owned()))
    }
}

/// The outcome of a change that conflicted with another change of the same row.
fn crossed() -> PortalOutcome {
    PortalOutcome::Refused("another client changed the row at the same time (412)".to_owned())
}

/// The outcome of a response under a service protection limit, with the time to wait.
fn busy(answered: &PortalResponse) -> Option<PortalOutcome> {
    let code = error_code(answered);
    let known = PROTECTION.iter().find(|(known, _)| code.as_deref() == Some(known));
    let reason = match known {
        Some((code, reason)) => format!("the portal limits our requests: {reason} ({code})"),
        None if answered.status == StatusCode::TOO_MANY_REQUESTS => {
            "the portal limits our requests (429)".to_owned()
        }
        None => return None,
    };
    Some(PortalOutcome::Busy(reason, retry_after(&answered.headers)))
}

fn is_absent(answered: &PortalResponse) -> bool {
    error_code(answered).is_some_and(|code| ABSENT.contains(&code.as_str()))
}

/// The code of an error (`{"error": {"code": "0x…"}}`).
fn error_code(answered: &PortalResponse) -> Option<String> {
    if answered.status.is_success() {
        return None;
    }
    let body: Value = serde_json::from_slice(&answered.body).ok()?;
    Some(body.pointer("/error/code")?.as_str()?.to_lowercase())
}

impl Adapter for Dataverse {
    fn portal(&self) -> &Portal {
        &self.portal
    }

    fn batch(&self) -> u16 {
        self.table.batch
    }

    fn can_be_asked(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, states: &'a [State], bounds: Bounds) -> BoxFuture<'a, Vec<PortalOutcome>> {
        let batches = stream::iter(states.chunks(self.table.batch.into()));
        let told = batches.map(move |some| self.tell_some(some, bounds.until)).buffered(bounds.at_once);
        Box::pin(told.flat_map(stream::iter).collect())
    }

    fn read<'a>(
        &'a self,
        keys: &'a [&'a str],
        bounds: Bounds,
    ) -> BoxFuture<'a, Vec<Result<bool, PortalOutcome>>> {
        let batches = stream::iter(keys.chunks(self.table.batch.into()));
        let read = batches.map(move |some| self.read_some(some, bounds.until)).buffered(bounds.at_once);
        Box::pin(read.flat_map(stream::iter).collect())
    }
}
