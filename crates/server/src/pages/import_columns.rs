//! The columns of an uploaded register: what each of them contains, and how to read it.

use std::collections::HashMap;
use std::io::{Seek, Write};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::import::draft::{Draft, DraftColumn, mapping_name};
use certvakt_engine::import::uploads::{Register, no_room};
use certvakt_engine::import::{Field, ReadingOptions};
use certvakt_store::CallerTx;
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::caller::{self, Chapter, uploads};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Fault, of_field};
use super::imports;
use super::register::{json, path, refusal};
use super::visitor::{Sent, Visitor};
use crate::api::{Api, in_memory};
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// What happens to certifications that are missing from the register.
const MISSING: [&str; 3] = ["report", "suspend", "withdraw"];
/// The sign between the values of a field.
const SEPARATOR: char = ';';

#[derive(Template)]
#[template(path = "import_columns.html")]
#[expect(clippy::struct_excessive_bools, reason = "independent properties of the page")]
struct ColumnsPage {
    layout: Layout,
    /// The path of the import.
    path: String,
    columns: Vec<Column>,
    /// Whether the table was not found in the file, so that there are no columns.
    is_lost: bool,
    header_row: String,
    sheet: String,
    /// Whether a column contains the chapter.
    names_chapters: bool,
    chapters: Vec<Choice>,
    /// Whether rows may name chapters that do not exist yet.
    may_add_chapters: bool,
    types: Vec<Choice>,
    date_formats: Vec<Choice>,
    missing: Vec<Choice>,
    active_status: String,
    never: String,
    blank_never_expires: bool,
    add_chapters: bool,
    save_as: String,
    faults: Vec<Fault>,
}

impl ColumnsPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// A column of the file.
struct Column {
    /// The id of its field in the form.
    id: String,
    name: String,
    /// Some of its values, and how it is joined with other columns.
    hint: String,
    fields: Vec<Choice>,
    /// Whether the choice to add chapters comes next.
    names_chapters: bool,
}

/// A register whose columns can still be assigned.
struct Assignable {
    register: Register,
    draft: Draft,
    organisation: Uuid,
    /// The chapters that the register may be about.
    chapters: Vec<Chapter>,
    is_limited: bool,
    types: Vec<CertificationType>,
}

impl Assignable {
    /// The register with an id; `None` if it is being checked or imported, or was imported.
    async fn of(tx: &mut CallerTx, id: Uuid) -> Result<Option<Self>, PageError> {
        let found = uploads::details(tx, id).await?.ok_or(ApiError::NotFound)?;
        if !matches!(found.upload.state.as_str(), "draft" | "checked") {
            return Ok(None);
        }
        let register = serde_json::from_value(found.options).map_err(|_| ApiError::Fault)?;
        let draft =
            serde_json::from_value(found.proposal.unwrap_or_default()).map_err(|_| ApiError::Fault)?;
        let mut types = overview::certification_types(tx).await?;
        let organisation = found.upload.organisation_id;
        types.retain(|one| one.organisation_id == organisation);
        let mut chapters = caller::chapters(tx).await?;
        chapters.retain(|one| {
            let is_within = |limits: &Vec<Uuid>| limits.contains(&one.id);
            one.organisation_id == organisation && found.limited_to.as_ref().is_none_or(is_within)
        });
        let is_limited = found.limited_to.is_some();
        Ok(Some(Self { register, draft, organisation, chapters, is_limited, types }))
    }

    fn page(&self, id: Uuid, layout: Layout) -> ColumnsPage {
        let text = layout.text;
        let options = &self.register.options;
        let of_chapter = self.draft.columns.iter().position(|one| contains(one, Field::Chapter));
        let joined = self.joined(text);
        let columns = self.draft.columns.iter().enumerate().map(|(at, one)| {
            let joined = joined.iter().filter(|_| contains(one, Field::Name)).cloned();
            Column {
                id: format!("column-{at}"),
                name: line(&one.name),
                hint: std::iter::once(samples(one, text)).chain(joined).collect::<Vec<_>>().join(" "),
                fields: fields(one.field.as_deref().unwrap_or_default(), text),
                names_chapters: of_chapter == Some(at),
            }
        });
        let chapter = self.register.chapter_id.or(match &self.chapters[..] {
            [only] => Some(only.id),
            _ => None,
        });
        let chapter = chapter.map(|id| id.to_string()).unwrap_or_default();
        let chapters =
            self.chapters.iter().map(|one| Choice::new(one.id.to_string(), line(&one.name), &chapter));
        // The only type is that of all rows.
        let only = match &self.types[..] {
            [only] => only.code.as_str(),
            _ => "",
        };
        let types = self.types.iter().map(|one| {
            let chosen = options.certification_type.as_deref().unwrap_or(only);
            Choice::new(one.code.clone(), line(&one.name), chosen)
        });
        let formats = self.draft.date_formats.iter().filter(|_| self.draft.date_formats.len() > 1);
        let chosen = options.date_formats.first().map(String::as_str).unwrap_or_default();
        let formats = formats.map(|one| Choice::new(one.clone(), one.clone(), chosen));
        let missing = options.missing.as_deref().unwrap_or("report");
        let missing =
            MISSING.map(|one| Choice::new(one.to_owned(), text.say(&format!("missing-{one}")), missing));
        let joined = |values: &[String]| values.join(&format!("{SEPARATOR} "));
        ColumnsPage {
            path: path(id),
            columns: columns.collect(),
            is_lost: self.draft.fault.is_some(),
            header_row: options.header_row.map(|row| row.to_string()).unwrap_or_default(),
            sheet: options.sheet.clone().unwrap_or_default(),
            names_chapters: of_chapter.is_some(),
            chapters: chapters.collect(),
            may_add_chapters: !self.is_limited,
            types: types.collect(),
            date_formats: formats.collect(),
            missing: missing.into(),
            active_status: joined(&options.active_status),
            never: joined(&options.never),
            blank_never_expires: options.blank_never_expires,
            add_chapters: self.register.add_chapters,
            save_as: self.register.save_as.clone().unwrap_or_default(),
            faults: self.draft.fault.iter().map(|code| place_fault(code, text)).collect(),
            layout: Layout { heading: text.say("columns-title"), has_news: true, ..layout },
        }
    }

    /// How several columns are joined to a name.
    fn joined(&self, text: Text) -> Option<String> {
        let several = self.draft.columns.iter().filter(|one| contains(one, Field::Name)).nth(1);
        let assigned = several.and_then(|_| self.draft.assigned().ok())?;
        let columns = assigned.get(Field::Name.as_str())?.replace('+', ", ");
        Some(text.named("columns-joined", &columns))
    }
}

/// Whether a column contains a field.
fn contains(column: &DraftColumn, field: Field) -> bool {
    column.field.as_deref() == Some(field.as_str())
}

/// Some values of a column, as a sentence.
fn samples(column: &DraftColumn, text: Text) -> String {
    match &column.samples[..] {
        [] => text.say("columns-empty"),
        samples => text.named("columns-samples", &samples.join(", ")),
    }
}

/// Why the table was not found in the file.
fn place_fault(code: &str, text: Text) -> Fault {
    let field = if code == "import-no-header" { "header_row" } else { "sheet" };
    Fault { field: field.into(), what: refusal(code, text) }
}

/// The fields that a column can contain; the first choice is none.
fn fields(chosen: &str, text: Text) -> Vec<Choice> {
    let none = Choice::new(String::new(), text.say("field-none"), chosen);
    let fields = Field::ALL.into_iter().map(Field::as_str);
    let fields = fields.map(|name| Choice::new(name.to_owned(), text.say(&format!("field-{name}")), chosen));
    std::iter::once(none).chain(fields).collect()
}

/// Shows the columns with what each of them probably contains.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let found = Assignable::of(&mut tx, id).await?;
    tx.commit().await?;
    Ok(match found {
        Some(found) => {
            let is_refused = found.draft.fault.is_some();
            page(StatusCode::OK, &found.page(id, Layout { is_refused, ..layout }))
        }
        None => Redirect::to(&path(id)).into_response(),
    })
}

/// Stores what the columns contain, and asks for the check of the register.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form }: Sent<HashMap<String, String>>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let Some(mut found) = Assignable::of(&mut tx, id).await? else {
        return Ok(Redirect::to(&path(id)).into_response());
    };
    let faults = enter(&mut found, &form, layout.text);
    if !faults.is_empty() {
        let layout = Layout { is_refused: true, ..layout };
        let entered = |name: &str| form.get(name).cloned().unwrap_or_default();
        let refused = ColumnsPage { faults, save_as: entered("save_as"), ..found.page(id, layout) };
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused));
    }
    // Decisions about people belong to the former columns.
    found.register.same_people.clear();
    let (options, draft) = (json(&found.register)?, json(&found.draft)?);
    uploads::request_check(&mut tx, id, found.register.chapter_id, &options, &draft).await?;
    tx.commit().await?;
    Ok(Redirect::to(&path(id)).into_response())
}

/// Takes over what was entered. Returns what is wrong with it.
fn enter(found: &mut Assignable, form: &HashMap<String, String>, text: Text) -> Vec<Fault> {
    let entered = |name: &str| form.get(name).map(|value| value.trim()).unwrap_or_default();
    let several = |name: &str| {
        let values = entered(name).split(SEPARATOR).map(str::trim).filter(|value| !value.is_empty());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    for (at, column) in found.draft.columns.iter_mut().enumerate() {
        let field = entered(&format!("column-{at}"));
        column.field = field.parse::<Field>().ok().map(|field| field.as_str().to_owned());
    }
    let options = &mut found.register.options;
    let code = Some(entered("type")).filter(|code| found.types.iter().any(|one| one.code == *code));
    options.certification_type = code.map(str::to_owned);
    options.active_status = several("active_status");
    options.never = several("never");
    options.blank_never_expires = !entered("blank_never_expires").is_empty();
    options.missing = MISSING.into_iter().find(|one| *one == entered("missing")).map(str::to_owned);
    let formats = &found.draft.date_formats;
    if let [only] = &formats[..] {
        options.date_formats = vec![only.clone()];
    } else if !formats.is_empty() {
        let chosen = formats.iter().filter(|one| *one == entered("date_format"));
        options.date_formats = chosen.cloned().collect();
    }
    found.register.add_chapters = !entered("add_chapters").is_empty() && !found.is_limited;
    let chapter = found.chapters.iter().find(|one| one.id.to_string() == entered("chapter"));
    found.register.chapter_id = chapter.map(|one| one.id);
    let mut faults = Vec::new();
    let mut fault = |field: String, what: String| faults.push(Fault { field: field.into(), what });
    let named = |key: &str, field: Field| text.named(key, &text.say(&format!("field-{}", field.as_str())));
    match found.draft.assigned() {
        Ok(columns) => {
            for field in [Field::ExternalId, Field::ExpiresAt] {
                if !columns.contains_key(field.as_str()) {
                    fault("column-0".to_owned(), named("fault-field-missing", field));
                }
            }
            if found.register.chapter_id.is_none() && !columns.contains_key(Field::Chapter.as_str()) {
                fault("chapter".to_owned(), text.say("fault-import-chapter"));
            }
            if found.register.options.certification_type.is_none()
                && !columns.contains_key(Field::Type.as_str())
            {
                fault("type".to_owned(), text.say("fault-import-type"));
            }
            found.register.options.columns = columns;
        }
        Err(field) => {
            let at = found.draft.columns.iter().rposition(|one| contains(one, field)).unwrap_or_default();
            fault(format!("column-{at}"), named("fault-field-twice", field));
        }
    }
    if formats.len() > 1 && found.register.options.date_formats.is_empty() {
        fault("date_format".to_owned(), text.say("fault-date-format"));
    }
    match (entered("save_as"), mapping_name(entered("save_as"))) {
        ("", _) => found.register.save_as = None,
        (_, None) => fault("save_as".to_owned(), text.say("fault-mapping-name")),
        (_, name) => found.register.save_as = name,
    }
    if faults.is_empty() && found.register.check().is_err() {
        faults.push(Fault { field: "never".into(), what: text.say("fault-words") });
    }
    faults
}

/// The form that says where the table is in the file.
#[derive(Deserialize)]
pub(super) struct Location {
    #[serde(default)]
    header_row: String,
    #[serde(default)]
    sheet: String,
}

/// Reads the file again, with another sheet or line of the header.
pub(super) async fn read_again(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form }: Sent<Location>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let Some(mut found) = Assignable::of(&mut tx, id).await? else {
        return Ok(Redirect::to(&path(id)).into_response());
    };
    let chapters = caller::chapters(&mut tx).await?;
    let _one_of_few = in_memory().await?;
    let content = uploads::content(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    let text = layout.text;
    let (header_row, sheet) = (form.header_row.trim(), form.sheet.trim());
    let options = ReadingOptions {
        header_row: header_row.parse().ok(),
        sheet: Some(sheet.to_owned()).filter(|sheet| !sheet.is_empty()),
        ..found.register.options.clone()
    };
    let is_number = header_row.is_empty() || options.header_row.is_some();
    let wrong = if !is_number || options.check_bounds().is_err() || options.location().is_err() {
        Fault { field: "header_row".into(), what: text.say("fault-header-row") }
    } else {
        found.register.options = options;
        let mut file = tempfile::tempfile().map_err(|error| no_room(&error))?;
        file.write_all(&content).and_then(|()| file.rewind()).map_err(|error| no_room(&error))?;
        let known = imports::known(&chapters, found.organisation, &found.types);
        match imports::read(&api, &file, &found.register, known).await? {
            Ok(Draft { fault: Some(code), .. }) => place_fault(&code, text),
            Err(error) => place_fault(error.code(), text),
            Ok(draft) => {
                let (options, draft) = (json(&found.register)?, json(&draft)?);
                let mut tx = visitor.again(&api).await?;
                uploads::read_again(&mut tx, id, &options, &draft).await?;
                tx.commit().await?;
                return Ok(Redirect::to(&format!("{}/columns", path(id))).into_response());
            }
        }
    };
    let layout = Layout { is_refused: true, ..layout };
    let refused = ColumnsPage {
        faults: vec![wrong],
        header_row: header_row.to_owned(),
        sheet: sheet.to_owned(),
        ..found.page(id, layout)
    };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused))
}
