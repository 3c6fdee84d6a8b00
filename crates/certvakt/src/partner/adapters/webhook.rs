//! A request for each change.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use uuid::Uuid;

use super::{Adapter, Outcome};
use crate::partner::contract::{Contract, State};
use crate::partner::listing::{self, Shown};
use crate::partner::portal::{Portal, judge};

/// A portal that takes a request for each change.
#[derive(Debug)]
pub(super) struct Webhook {
    portal: Portal,
}

impl Webhook {
    pub(super) const fn new(portal: Portal) -> Self {
        Self { portal }
    }

    async fn tell_one(&self, state: &State) -> Outcome {
        let Portal { contract, rules, addresses, wire, .. } = &self.portal;
        let body = contract.body(state);
        if let Some(fault) = rules.request_fault(&body) {
            return Outcome::Refused(format!("what is to be sent does not keep to the contract: {fault}"));
        }
        let body = body.to_string().into_bytes();
        let make = |headers: HeaderMap| {
            let method = Method::from_bytes(contract.request.method.as_bytes()).unwrap_or(Method::POST);
            wire.client()
                .request(method, addresses.endpoint.clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .headers(headers)
                .body(body.clone())
        };
        let answered = match self.portal.send(&state.message, &body, make).await {
            Ok(answered) => answered,
            Err(outcome) => return outcome,
        };
        let code = answered.status.as_u16();
        if contract.answer.unknown.contains(&code) {
            return if state.is_listed {
                Outcome::Refused(format!("the portal knows no such mentor ({code})"))
            } else {
                Outcome::Taken
            };
        }
        if contract.answer.refused.contains(&code) {
            return Outcome::Refused(format!("the portal does not take it ({code})"));
        }
        if let Err(outcome) = judge(&answered, &contract.answer.taken) {
            return outcome;
        }
        match rules.answer_fault(&answered.body) {
            None => Outcome::Taken,
            Some(fault) => Outcome::Broken(format!("its answer does not keep to the contract: {fault}")),
        }
    }

    async fn read_one(&self, key: &str) -> Result<Option<bool>, Outcome> {
        let Portal { contract, addresses, wire, .. } = &self.portal;
        let Some(terms) = &contract.read else { return Ok(None) };
        let mut url = addresses.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            for part in terms.path.split('/').filter(|part| !part.is_empty()) {
                path.push(if part == "{key}" { key } else { part });
            }
        }
        let make = |headers: HeaderMap| wire.client().get(url.clone()).headers(headers);
        let answered = self.portal.ask(&format!("read-{}", Uuid::new_v4()), make).await?;
        if terms.absent.contains(&answered.status.as_u16()) {
            return Ok(Some(false));
        }
        judge(&answered, &[200])?;
        let broken = |what: &str| Outcome::Broken(format!("what it holds of a mentor {what}"));
        let body: Value = serde_json::from_slice(&answered.body).map_err(|_| broken("is not JSON"))?;
        let word = body.pointer(&terms.status).and_then(Value::as_str);
        let read = word.and_then(|word| contract.reads(word));
        read.map(Some).ok_or_else(|| broken(&format!("has no known status at {}", terms.status)))
    }
}

impl Adapter for Webhook {
    fn contract(&self) -> &Contract {
        &self.portal.contract
    }

    fn tell<'a>(&'a self, states: &'a [State]) -> BoxFuture<'a, Vec<Outcome>> {
        let at_once = usize::from(self.portal.contract.limits.at_once);
        Box::pin(stream::iter(states).map(|state| self.tell_one(state)).buffered(at_once).collect())
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<bool>, Outcome>> {
        Box::pin(self.read_one(key))
    }

    fn listing(&self) -> BoxFuture<'_, Result<Option<Shown>, Outcome>> {
        Box::pin(listing::read(&self.portal))
    }
}
