//! The adapter for portals that accept one request per change.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::adapter::{Adapter, Bounds};
use crate::contract::State;
use crate::outcome::PortalOutcome;
use crate::portal::{Portal, judge, judge_change};

/// A portal that accepts one request per change.
#[derive(Debug)]
pub(super) struct Webhook {
    portal: Portal,
}

impl Webhook {
    pub(super) const fn new(portal: Portal) -> Self {
        Self { portal }
    }

    async fn tell_one(&self, state: &State, until: Instant) -> PortalOutcome {
        let Portal { contract, addresses, wire, .. } = &self.portal;
        let body = match self.portal.body(state) {
            Ok(body) => body,
            Err(outcome) => return outcome,
        };
        let make = |headers: HeaderMap| {
            let method = Method::from_bytes(contract.request.method.as_bytes()).unwrap_or(Method::POST);
            wire.client()
                .request(method, addresses.endpoint.clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .headers(headers)
                .body(body.clone())
        };
        match self.portal.send(&state.message, &body, Some(until), make).await {
            Ok(answered) => judge_change(&self.portal, state, &answered),
            Err(outcome) => outcome,
        }
    }

    async fn read_one(&self, key: &str, until: Instant) -> Result<bool, PortalOutcome> {
        let Portal { contract, addresses, wire, .. } = &self.portal;
        let Some(terms) = &contract.read else {
            return Err(PortalOutcome::InDoubt("the listing does not show the outcome yet".to_owned()));
        };
        let mut url = addresses.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            for part in terms.path.split('/').filter(|part| !part.is_empty()) {
                path.push(if part == "{key}" { key } else { part });
            }
        }
        let make = |headers: HeaderMap| wire.client().get(url.clone()).headers(headers);
        let answered = self.portal.ask(&format!("read-{}", Uuid::new_v4()), Some(until), make).await?;
        if terms.absent.contains(&answered.status.as_u16()) {
            return Ok(false);
        }
        judge(&answered, &[200])?;
        let broken = |what: &str| PortalOutcome::Broken(format!("its data about a mentor {what}"));
        let body: Value = serde_json::from_slice(&answered.body).map_err(|_| broken("is not JSON"))?;
        let read = body.pointer(&terms.status).and_then(|word| contract.reads(word));
        read.ok_or_else(|| broken(&format!("has no known status at {}", terms.status)))
    }
}

impl Adapter for Webhook {
    fn portal(&self) -> &Portal {
        &self.portal
    }

    fn can_be_asked(&self) -> bool {
        self.portal.contract.read.is_some()
    }

    fn send<'a>(&'a self, states: &'a [State], bounds: Bounds) -> BoxFuture<'a, Vec<PortalOutcome>> {
        Box::pin(
            stream::iter(states)
                .map(move |state| self.tell_one(state, bounds.until))
                .buffered(bounds.at_once)
                .collect(),
        )
    }

    fn read<'a>(
        &'a self,
        keys: &'a [&'a str],
        bounds: Bounds,
    ) -> BoxFuture<'a, Vec<Result<bool, PortalOutcome>>> {
        Box::pin(
            stream::iter(keys)
                .map(move |key| self.read_one(key, bounds.until))
                .buffered(bounds.at_once)
                .collect(),
        )
    }
}
