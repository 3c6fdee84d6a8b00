//! What the pages about registers share: their paths, results in words, and why a register or a row was refused.

use std::collections::BTreeMap;

use certvakt_base::i18n::line;
use certvakt_engine::import::Reject;
use certvakt_engine::import::rejected_rows::RejectedRows;
use certvakt_store::CallerTx;
use certvakt_store::caller::uploads;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the list of imports.
pub(super) const PATH: &str = "/imports";
/// The number of rejected rows on a page; the file has more.
pub(super) const REJECTS: usize = 20;

/// The path of an import.
pub(super) fn path(id: Uuid) -> String {
    format!("{PATH}/{id}")
}

/// The path of an import by its number.
pub(super) fn path_of_number(number: i64) -> String {
    format!("{PATH}/numbers/{number}")
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
    pub(super) contacts_rejected: i64,
    pub(super) new_chapters: Vec<NewChapter>,
    /// The number under which it can be undone.
    pub(super) import: Option<i64>,
    pub(super) rejects: Vec<Reject>,
    pub(super) undo: Option<Undo>,
}

/// A chapter that an import creates.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct NewChapter {
    name: String,
}

/// The chapters that an import creates, in the words of the key; `None` without any.
pub(super) fn new_chapters(key: &str, chapters: &[NewChapter], text: Text) -> Option<String> {
    let names: Vec<&str> = chapters.iter().map(|one| one.name.as_str()).collect();
    let arguments = [("number", names.len().into()), ("name", line(&names.join(", ")).into())];
    (!names.is_empty()).then(|| text.with(key, &arguments))
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
    pub(super) fn of(result: Option<&Value>) -> Self {
        result.and_then(|result| Self::deserialize(result).ok()).unwrap_or_default()
    }
}

/// An import in one line.
pub(super) fn summary(state: &str, outcome: &Outcome, text: Text) -> String {
    text.with(
        &format!("import-{state}"),
        &[
            ("added", outcome.added.into()),
            ("renewed", outcome.renewed.into()),
            ("corrected", outcome.corrected.into()),
            ("rejected", outcome.rejected.into()),
        ],
    )
}

/// Who made an import: the person who uploaded the register, or the operator of a command.
pub(super) fn maker(sender: Option<&str>, operator: Option<&str>, text: Text) -> String {
    match (sender, operator) {
        (Some(sender), _) => text.named("import-by", sender),
        (None, Some(operator)) => text.named("import-by-command", operator),
        (None, None) => text.say("import-by-unknown"),
    }
}

/// A rejected row or contact on a page.
pub(super) struct Rejection {
    /// The name in the row.
    pub(super) name: String,
    /// Where it is.
    pub(super) place: String,
    /// The columns at fault with their values.
    pub(super) values: Vec<String>,
    /// What is wrong, and what to do.
    pub(super) what: String,
}

impl Rejection {
    /// A rejected row with its cells, of which there are none if the register was not sent on a page.
    pub(super) fn new(
        one: &Reject,
        rows: &RejectedRows,
        columns: &BTreeMap<String, String>,
        text: Text,
    ) -> Self {
        let cells = |field: &str| rows.cells(one.line, columns, field);
        let written = |cells: Vec<(&str, &str)>| {
            let cells = cells.into_iter().map(|(_, cell)| cell.trim()).filter(|cell| !cell.is_empty());
            line(&cells.collect::<Vec<_>>().join(" "))
        };
        let (name, id) = (written(cells("name")), written(cells("external_id")));
        let place = text.count("change-line", one.line.to_string());
        Self {
            name: if name.is_empty() { text.say("reject-unnamed") } else { name },
            place: if id.is_empty() {
                place
            } else {
                format!("{place}, {}", text.named("change-number", &id))
            },
            values: cells(&one.column).into_iter().map(|(column, cell)| value(column, cell, text)).collect(),
            what: sentence("reject-sentence", one, &written(cells(&one.column)), text),
        }
    }

    /// The first rejected rows, at most `most`.
    pub(super) fn first(
        rejects: &[Reject],
        most: usize,
        rows: &RejectedRows,
        columns: &BTreeMap<String, String>,
        text: Text,
    ) -> Vec<Self> {
        rejects.iter().take(most).map(|one| Self::new(one, rows, columns, text)).collect()
    }
}

/// A column with its value, each limited to a line.
fn value(column: &str, cell: &str, text: Text) -> String {
    let cell = cell.trim();
    let key = if cell.is_empty() { "reject-blank" } else { "reject-value" };
    text.with(key, &[("column", line(column).into()), ("value", line(cell).into())])
}

/// Where the fault of a rejected row or contact is, and what it is, as a sentence.
pub(super) fn rejection(one: &Reject, text: Text) -> String {
    sentence("reject-field", one, "", text)
}

/// The sentence, with the value at fault if it is known.
fn sentence(key: &str, one: &Reject, value: &str, text: Text) -> String {
    let field = text.say(&format!("field-{}", one.column));
    let cause = one.code.clone().unwrap_or_else(|| cause(&one.reason));
    let value = if value.is_empty() { text.say("reject-date") } else { value.to_owned() };
    let known = text.with(&format!("reason-{cause}"), &[("value", value.into())]);
    let reason = if known.is_empty() { text.say("reason") } else { known };
    let said = text.with(
        key,
        &[("line", one.line.to_string().into()), ("field", field.into()), ("reason", reason.into())],
    );
    if one.is_row_imported { format!("{said} {}", text.say("reject-rest")) } else { said }
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

/// The rejected rows of an upload as they were in the file.
pub(super) async fn rejected(tx: &mut CallerTx, id: Uuid) -> Result<RejectedRows, ApiError> {
    let found = uploads::rejected(tx, id).await?;
    found.map(serde_json::from_value).transpose().map(Option::unwrap_or_default).map_err(|_| ApiError::Fault)
}
