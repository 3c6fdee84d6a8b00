//! What a contract makes of a mentor's state, and the rules that messages keep to.

use chrono::{DateTime, SecondsFormat, Utc};
use jsonschema::Validator;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Contract;

/// The present state of a mentor, as a portal is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The portal's key of them.
    pub key: String,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// The last event's id.
    pub event: Uuid,
    /// The id of the message that tells it: the event's, or another for each time that it is sent anew, which a portal
    /// would otherwise take for a repeat.
    pub message: String,
    /// Its number among the mentor's.
    pub number: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl State {
    /// A state, sent anew so often.
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
    /// The body of a request that tells a state.
    pub fn body(&self, state: &State) -> Value {
        fill(&self.request.body, &|name| {
            Some(match name {
                "{key}" => json!(state.key),
                "{status}" => json!(self.words.of(state.is_listed)),
                "{event}" => json!(state.event),
                "{number}" => json!(state.number),
                "{at}" => json!(state.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
                _ => return None,
            })
        })
    }

    /// Whether a word is the portal's for being listed; none: it is neither of the two. Where nothing has been said,
    /// nobody is listed.
    pub fn reads(&self, word: &Value) -> Option<bool> {
        if word.is_null() {
            return Some(false);
        }
        [true, false].into_iter().find(|is_listed| json!(self.words.of(*is_listed)) == *word)
    }
}

/// A template whose texts that are a placeholder are what it stands for.
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
    answer: Option<Validator>,
    report: Option<Validator>,
}

impl Rules {
    /// Those of a contract, or what is wrong with them.
    pub fn of(contract: &Contract) -> Result<Self, String> {
        let compile = |name: &str, schema: &Value| {
            jsonschema::options()
                .should_validate_formats(true)
                .build(schema)
                .map_err(|error| format!("{name} is not a valid JSON Schema: {error}"))
        };
        Ok(Self {
            request: compile("request.schema", &contract.request.schema)?,
            answer: contract
                .answer
                .schema
                .as_ref()
                .map(|schema| compile("answer.schema", schema))
                .transpose()?,
            report: contract
                .inbound
                .as_ref()
                .map(|terms| compile("inbound.schema", &terms.schema))
                .transpose()?,
        })
    }

    /// What in a request is not as the contract says.
    pub fn request_fault(&self, body: &Value) -> Option<String> {
        fault(&self.request, body)
    }

    /// What in a report of a completed course is not as the contract says.
    pub fn report_fault(&self, report: &Value) -> Option<String> {
        fault(self.report.as_ref()?, report)
    }

    /// What in an answer is not as the contract says. It names the rule, and nothing that is there.
    pub fn answer_fault(&self, body: &[u8]) -> Option<String> {
        let schema = self.answer.as_ref()?;
        match serde_json::from_slice(body) {
            Ok(body) => fault(schema, &body),
            Err(_) => Some("it is not JSON".to_owned()),
        }
    }
}

fn fault(schema: &Validator, body: &Value) -> Option<String> {
    // The contract's own words: what the other side calls its fields may be anything.
    Some(format!("it breaks {}", schema.iter_errors(body).next()?.schema_path()))
}
