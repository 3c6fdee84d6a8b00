//! What the pages about registers share: their paths, results in words, and why a register or a row was refused.

use certvakt_engine::import::Reject;
use certvakt_store::caller::uploads::Upload;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the list of imports.
pub(super) const PATH: &str = "/imports";
/// The name of a register in messages for the log, in place of its file's name.
pub(super) const REGISTER: &str = "register";

/// The path of an import.
pub(super) fn path(id: Uuid) -> String {
    format!("{PATH}/{id}")
}

/// The result of an import, or why it was refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Outcome {
    pub(super) code: Option<String>,
    pub(super) added: i64,
    pub(super) updated: i64,
    pub(super) unchanged: i64,
    pub(super) renewed: i64,
    pub(super) corrected: i64,
    pub(super) rejected: i64,
    pub(super) duplicate: i64,
    /// The number under which it can be undone.
    pub(super) import: Option<i64>,
    pub(super) rejects: Vec<Reject>,
    pub(super) undo: Option<Undo>,
}

/// The result of an undo, or why it was refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Undo {
    pub(super) code: Option<String>,
    pub(super) deleted: i64,
    pub(super) reverted: i64,
    pub(super) notified: Vec<String>,
    pub(super) kept: Vec<Value>,
}

impl Outcome {
    pub(super) fn of(upload: &Upload) -> Self {
        upload.result.clone().and_then(|result| serde_json::from_value(result).ok()).unwrap_or_default()
    }
}

/// An import in one line.
pub(super) fn summary(upload: &Upload, text: Text) -> String {
    let outcome = Outcome::of(upload);
    text.with(
        &format!("import-{}", upload.state),
        &[
            ("added", outcome.added.into()),
            ("renewed", outcome.renewed.into()),
            ("rejected", outcome.rejected.into()),
        ],
    )
}

/// Where the fault of a rejected row or contact is, and what it is, as a sentence.
pub(super) fn rejection(one: &Reject, text: Text) -> String {
    let key = if one.is_row_imported { "reject-contact" } else { "reject-field" };
    let field = text.say(&format!("field-{}", one.column));
    let known = text.say(&format!("reason-{}", cause(&one.reason)));
    let reason = if known.is_empty() { text.say("reason") } else { known };
    text.with(
        key,
        &[("line", one.line.to_string().into()), ("field", field.into()), ("reason", reason.into())],
    )
}

/// The cause in a reason, before what to do, as it is in the key of a text.
fn cause(reason: &str) -> String {
    let cause = reason.split(':').next().unwrap_or_default();
    let words = cause.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// Why a register was refused, as a sentence.
pub(super) fn refusal(code: &str, text: Text) -> String {
    let sentence = text.say(&format!("fault-{code}"));
    if sentence.is_empty() { text.say("fault-import") } else { sentence }
}

/// A value for the database. PostgreSQL's jsonb cannot store U+0000.
pub(super) fn json(value: &impl Serialize) -> Result<Value, ApiError> {
    let value = serde_json::to_value(value).map_err(|_| ApiError::Fault)?;
    if value.to_string().contains("\\u0000") {
        return Err(ApiError::Invalid("a name contains an invalid character".to_owned()));
    }
    Ok(value)
}
