//! What an import would change: the person looks at it, decides about people with the same name, and imports.

use std::collections::{HashMap, HashSet};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::import::rejected_rows::RejectedRows;
use certvakt_engine::import::uploads::Register;
use certvakt_engine::import::{Changes, Reject};
use certvakt_store::CallerTx;
use certvakt_store::caller::uploads::{self, UploadDetails};
use certvakt_store::import::{ChangedRow, CloseMatch, SamePerson};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::file::{Cell, File, Format};
use super::register::{
    self, NewChapter, Outcome, REJECTS, Rejection, json, new_chapters, path, refusal, rejection,
};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The consequences that a person should look at first, because they can end a validity.
const FIRST: [&str; 2] = ["missing", "suspended"];
/// The other consequences, in the order of the page.
const CONSEQUENCES: [&str; 7] =
    ["added", "renewed", "corrected", "moved", "reinstated", "edited", "unchanged"];

#[derive(Template)]
#[template(path = "import_check.html")]
struct CheckPage {
    layout: Layout,
    /// The path of the import.
    path: String,
    /// Why it cannot be imported at all.
    refusal: Option<String>,
    /// Why the whole file looks wrong.
    hold: Option<String>,
    /// What else a person should know, as sentences.
    notes: Vec<String>,
    rejected: i64,
    rejects: Vec<Rejection>,
    /// The groups that a person should look at first.
    first: Vec<Group>,
    close_matches: Vec<Close>,
    groups: Vec<Group>,
    /// Whether the register was checked for somebody else, so that it is checked again before this person imports it.
    is_of_other: bool,
    /// The label of the button.
    button: String,
}

/// A new person with the name of a known one.
struct Close {
    question: String,
    known: String,
    /// The number of the question, which names its field.
    number: usize,
    is_same: bool,
}

/// The rows with one consequence.
struct Group {
    heading: String,
    rows: Vec<Row>,
    /// How many more rows there are.
    more: i64,
}

/// A row with one of its consequences.
struct Row {
    name: String,
    about: String,
    change: String,
}

/// The result of a check.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Checked {
    code: Option<String>,
    read: i64,
    rejected: i64,
    duplicate: i64,
    contacts_rejected: i64,
    hold: Option<Hold>,
    unknown: Vec<Unknown>,
    shared_expiries: Vec<Shared>,
    new_chapters: Vec<NewChapter>,
    missing: Missing,
    rejects: Vec<Reject>,
    changes: Option<Changes>,
}

#[derive(Debug, Clone, Deserialize)]
struct Hold {
    rule: String,
    rows: i64,
    of: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct Unknown {
    field: String,
    value: String,
    rows: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct Shared {
    value: String,
    rows: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Missing {
    change: String,
    kept_for_rejects: bool,
}

/// The register of an upload, and the result of its check.
fn read(found: &UploadDetails) -> Result<(Register, Checked), ApiError> {
    let register = serde_json::from_value(found.options.clone()).map_err(|_| ApiError::Fault)?;
    let result = found.upload.result.clone().unwrap_or_default();
    Ok((register, serde_json::from_value(result).map_err(|_| ApiError::Fault)?))
}

/// The page of a checked register.
pub(super) fn page_of(
    found: &UploadDetails,
    rejected: &RejectedRows,
    layout: Layout,
) -> Result<Response, PageError> {
    let (register, checked) = read(found)?;
    let text = layout.text;
    let changes = checked.changes.as_ref();
    let rows = changes.map_or(&[][..], |changes| &changes.rows);
    let groups = |consequences: &[&str]| -> Vec<Group> {
        consequences.iter().filter_map(|consequence| group(consequence, rows, &checked, text)).collect()
    };
    let close = changes.map_or(&[][..], |changes| &changes.close_matches);
    let close = close.iter().enumerate().map(|(number, one)| described(number, one, &register, text));
    let heading = match (&checked.code, &checked.hold) {
        (Some(_), _) => text.say("checked-refused-title"),
        (None, Some(_)) => text.say("checked-held-title"),
        (None, None) => text.count("checked-title", checked.read),
    };
    let shown = CheckPage {
        path: path(found.upload.id),
        refusal: checked.code.as_deref().map(|code| refusal(code, text)),
        hold: checked.hold.as_ref().map(|hold| {
            let numbers = [("number", hold.rows.into()), ("of", hold.of.into())];
            text.with(&format!("hold-{}", hold.rule), &numbers)
        }),
        notes: notes(&checked, text),
        first: groups(&FIRST),
        close_matches: close.collect(),
        groups: groups(&CONSEQUENCES),
        rejected: checked.rejected,
        rejects: Rejection::first(&checked.rejects, REJECTS, rejected, &register.options.columns, text),
        is_of_other: !found.is_own,
        button: button(found.is_own, &checked, text),
        layout: Layout { heading, has_news: true, ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The label of the button, with the number of rows if some stay out.
fn button(is_own: bool, checked: &Checked, text: Text) -> String {
    let number = checked.read - checked.rejected - checked.duplicate;
    match checked.hold {
        _ if !is_own => text.say("check-again"),
        Some(_) => text.say("check-import-anyway"),
        None if number < checked.read => {
            text.with("check-import-some", &[("number", number.into()), ("of", checked.read.into())])
        }
        None => text.say("check-import"),
    }
}

fn group(consequence: &str, rows: &[ChangedRow], checked: &Checked, text: Text) -> Option<Group> {
    let rows: Vec<&ChangedRow> = rows.iter().filter(|one| one.consequence == consequence).collect();
    let number = rows.first()?.number;
    let key = match (consequence, &*checked.missing.change) {
        ("missing", "suspend" | "withdraw") => format!("change-missing-{}", checked.missing.change),
        _ => format!("change-{consequence}"),
    };
    Some(Group {
        heading: text.count(&key, number),
        more: number.saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX)),
        rows: rows.into_iter().map(|one| row(one, text)).collect(),
    })
}

fn row(one: &ChangedRow, text: Text) -> Row {
    let number = text.named("change-number", &one.external_id);
    let place = one.line.map(|at| text.count("change-line", at.to_string()));
    let about = [Some(number), place, one.chapter.as_deref().map(line)];
    let dates = |key: &str| {
        let days = [("before", one.valid_until_before), ("after", one.valid_until)];
        text.with(key, &days.map(|(name, day)| (name, text.date_or_never(day).into())))
    };
    let change = match one.consequence.as_str() {
        "renewed" | "corrected" => dates("change-dates"),
        "moved" => {
            let chapter = |name: &Option<String>| line(name.as_deref().unwrap_or("–"));
            let chapters = [("before", &one.chapter_before), ("after", &one.chapter)];
            text.with("change-chapters", &chapters.map(|(key, name)| (key, chapter(name).into())))
        }
        _ => dates("change-until"),
    };
    Row {
        name: one.name.as_deref().map_or_else(|| text.say("person-unnamed"), line),
        about: about.into_iter().flatten().collect::<Vec<_>>().join(", "),
        change,
    }
}

fn described(number: usize, one: &CloseMatch, register: &Register, text: Text) -> Close {
    let names = [("name", line(&one.name).into()), ("number", line(&one.external_id).into())];
    let known = [
        ("name", line(&one.known_name).into()),
        ("chapters", line(&one.known_chapters.join(", ")).into()),
        ("numbers", line(&one.known_ids.join(", ")).into()),
    ];
    Close {
        question: text.with("close-question", &names),
        known: text.with("close-same", &known),
        number,
        is_same: register.same_people.contains(&same(one)),
    }
}

fn same(one: &CloseMatch) -> SamePerson {
    SamePerson { key: one.key.clone(), person_id: one.person_id }
}

/// What a person should know besides the changes.
fn notes(checked: &Checked, text: Text) -> Vec<String> {
    let mut notes = Vec::new();
    for one in &checked.unknown {
        let value = line(&one.value);
        let arguments = [("value", value.into()), ("number", one.rows.into())];
        notes.push(text.with(&format!("check-unknown-{}", one.field), &arguments));
    }
    for one in &checked.shared_expiries {
        notes.push(
            text.with(
                "check-shared-expiry",
                &[("value", line(&one.value).into()), ("number", one.rows.into())],
            ),
        );
    }
    notes.extend(new_chapters("check-new-chapters", &checked.new_chapters, text));
    if checked.missing.kept_for_rejects {
        notes.push(text.say("check-missing-kept"));
    }
    if checked.duplicate > 0 {
        notes.push(text.count("import-duplicate", checked.duplicate));
    }
    if checked.contacts_rejected > 0 {
        notes.push(text.count("check-contacts", checked.contacts_rejected));
    }
    notes
}

/// A checked register of the form's person.
async fn checked(
    api: &Api,
    visitor: &Visitor,
    id: Uuid,
) -> Result<(CallerTx, Option<(UploadDetails, Register, Checked)>), PageError> {
    let (mut tx, _) = visitor.begin(api, Section::Imports).await?;
    let found = uploads::details(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    if found.upload.state != "checked" {
        return Ok((tx, None));
    }
    let (register, checked) = read(&found)?;
    Ok((tx, Some((found, register, checked))))
}

/// Stores who of the new people are known people, and asks for another check.
pub(super) async fn decide(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form }: Sent<HashMap<String, String>>,
) -> Result<Response, PageError> {
    let (mut tx, found) = checked(&api, &visitor, id).await?;
    if let Some((found, mut register, checked)) = found {
        let close = checked.changes.map(|changes| changes.close_matches).unwrap_or_default();
        let is_same = |number: usize| form.get(&format!("match-{number}")).is_some_and(|one| one == "same");
        let decided: HashSet<&str> = close.iter().map(|one| one.key.as_str()).collect();
        register.same_people.retain(|one| !decided.contains(one.key.as_str()));
        let same = close.iter().enumerate().filter(|(number, _)| is_same(*number)).map(|(_, one)| same(one));
        register.same_people.extend(same);
        check_again(&mut tx, &found, &register).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to(&path(id)).into_response())
}

/// Asks for another check, for the form's person.
async fn check_again(tx: &mut CallerTx, found: &UploadDetails, register: &Register) -> Result<(), PageError> {
    let (upload, proposal) = (&found.upload, found.proposal.clone().unwrap_or_default());
    uploads::request_check(tx, upload.id, upload.chapter_id, &json(register)?, &proposal).await?;
    Ok(())
}

/// The form that imports.
#[derive(Deserialize)]
pub(super) struct Confirmation {
    /// Set if the whole file looks wrong, and the person imports it nevertheless.
    approve: Option<String>,
}

/// Imports a checked register. One that was checked for somebody else is checked again first.
pub(super) async fn confirm(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: Confirmation { approve } }: Sent<Confirmation>,
) -> Result<Response, PageError> {
    let (mut tx, found) = checked(&api, &visitor, id).await?;
    if let Some((found, register, checked)) = found
        && checked.code.is_none()
    {
        if found.is_own {
            let register = Register { approve: approve.is_some(), ..register };
            uploads::request_import(&mut tx, id, &json(&register)?).await?;
        } else {
            check_again(&mut tx, &found, &register).await?;
        }
        tx.commit().await?;
    }
    Ok(Redirect::to(&path(id)).into_response())
}

/// The rejected rows as they are in the register, each with what is wrong, to correct and to upload again.
pub(super) async fn rejects(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let RejectedRows { mut header, rows } = register::rejected(&mut tx, id).await?;
    tx.commit().await?;
    if rows.is_empty() {
        return Ok(Redirect::to(&path(id)).into_response());
    }
    let (text, outcome) = (layout.text, Outcome::of(upload.result.as_ref()));
    header.push(text.say("reject-fault"));
    let mut file = File::new(&header);
    for (line, mut cells) in rows {
        let of_line = outcome.rejects.iter().filter(|one| one.line == line);
        cells.push(of_line.map(|one| rejection(one, text)).collect::<Vec<_>>().join(" "));
        file.row(cells.into_iter().map(Cell::from).collect());
    }
    Ok(file.response(Format::Csv, "rejects")?)
}
