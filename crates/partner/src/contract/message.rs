//! Builds messages from a mentor's state by a contract, and checks messages against its schemas.

use chrono::{DateTime, SecondsFormat, Utc};
use jsonschema::Validator;
use serde_json::{Value, json};
use uuid::Uuid;

use super::terms::Contract;

/// The current state of a mentor, to be sent to a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The portal's key for the mentor.
    pub key: String,
    /// Whether the mentor belongs on the listing.
    pub is_listed: bool,
    /// The last event's id.
    pub event: Uuid,
    /// The id of the message: the event's id, or a new id for each replay, which a portal would otherwise
    /// treat as a repeat.
    pub message: String,
    /// The number of the event among the mentor's events.
    pub number: i64,
    /// The time of the event.
    pub at: DateTime<Utc>,
}

impl State {
    /// Creates a state, with the number of its replays.
    pub fn new(
        key: &str,
        is_listed: bool,
        event: Uuid,
        number: i64,
        at: DateTime<Utc>,
        replays: i64,
    ) -> Self {
        let message = if replays == 0 { event.to_string() } else { format!("{event}.{replays}") };
        Self { key: key.to_owned(), is_listed, event, message, number, at }
    }
}

impl Contract {
    /// The body of a request that sends a state.
    pub fn body(&self, state: &State) -> Value {
        fill(&self.request.body, &|name| {
            Some(match name {
                "{key}" => json!(state.key),
                "{status}" => json!(self.status_values.of(state.is_listed)),
                "{event}" => json!(state.event),
                "{number}" => json!(state.number),
                "{at}" => json!(state.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
                _ => return None,
            })
        })
    }

    /// Whether a value is the portal's value for a listed mentor; `None` if it is neither of the two values.
    /// Null means not listed.
    pub fn reads(&self, word: &Value) -> Option<bool> {
        if word.is_null() {
            return Some(false);
        }
        [true, false].into_iter().find(|is_listed| json!(self.status_values.of(*is_listed)) == *word)
    }
}

/// Replaces the placeholders in a template.
fn fill(template: &Value, known: &impl Fn(&str) -> Option<Value>) -> Value {
    match template {
        Value::String(text) => known(text).unwrap_or_else(|| template.clone()),
        Value::Array(all) => all.iter().map(|one| fill(one, known)).collect(),
        Value::Object(all) => all
            .iter()
            .map(|(name, one)| (name.clone(), fill(one, known)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The schemas of a contract, compiled.
#[derive(Debug)]
pub struct Rules {
    request: Validator,
    response: Option<Validator>,
    report: Option<Validator>,
}

impl Rules {
    /// Compiles the schemas of a contract, or returns their fault.
    pub fn of(contract: &Contract) -> Result<Self, String> {
        let compile = |name: &str, schema: &Value| {
            jsonschema::options()
                .should_validate_formats(true)
                .build(schema)
                .map_err(|error| format!("{name} is not a valid JSON Schema: {error}"))
        };
        Ok(Self {
            request: compile("request.schema", &contract.request.schema)?,
            response: contract
                .response
                .schema
                .as_ref()
                .map(|schema| compile("response.schema", schema))
                .transpose()?,
            report: contract
                .inbound
                .as_ref()
                .map(|terms| compile("inbound.schema", &terms.schema))
                .transpose()?,
        })
    }

    /// The fault of a request under the contract, if there is one.
    pub fn request_fault(&self, body: &Value) -> Option<String> {
        fault(&self.request, body)
    }

    /// The fault of a report under the contract, if there is one.
    pub fn report_fault(&self, report: &Value) -> Option<String> {
        fault(self.report.as_ref()?, report)
    }

    /// The fault of a response under the contract, if there is one. It contains the schema's rule, but no
    /// value.
    pub fn answer_fault(&self, body: &[u8]) -> Option<String> {
        let schema = self.response.as_ref()?;
        match serde_json::from_slice(body) {
            Ok(body) => fault(schema, &body),
            Err(_) => Some("it is not JSON".to_owned()),
        }
    }
}

fn fault(schema: &Validator, body: &Value) -> Option<String> {
    // Report the schema's path instead of the fields in the message, whose names can be anything.
    Some(format!("it breaks {}", schema.iter_errors(body).next()?.schema_path()))
}
