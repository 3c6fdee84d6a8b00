//! The columns of an uploaded register: what each of them contains, and how to read it.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::import::Field;
use certvakt_engine::import::draft::{Draft, DraftColumn, mapping_name};
use certvakt_engine::import::uploads::Register;
use certvakt_store::CallerTx;
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::caller::uploads;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Fault, of_field};
use super::register::{json, path};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
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
struct ColumnsPage {
    layout: Layout,
    /// The path of the import.
    path: String,
    columns: Vec<Column>,
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
    samples: String,
    fields: Vec<Choice>,
}

/// A register whose columns can still be assigned.
struct Assignable {
    register: Register,
    draft: Draft,
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
        types.retain(|one| one.organisation_id == found.upload.organisation_id);
        Ok(Some(Self { register, draft, types }))
    }

    fn page(&self, id: Uuid, layout: Layout) -> ColumnsPage {
        let text = layout.text;
        let options = &self.register.options;
        let columns = self.draft.columns.iter().enumerate().map(|(at, one)| Column {
            id: format!("column-{at}"),
            name: line(&one.name),
            samples: one.samples.join(", "),
            fields: fields(one.field.as_deref().unwrap_or_default(), text),
        });
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
            types: types.collect(),
            date_formats: formats.collect(),
            missing: missing.into(),
            active_status: joined(&options.active_status),
            never: joined(&options.never),
            blank_never_expires: options.blank_never_expires,
            add_chapters: self.register.add_chapters,
            save_as: self.register.save_as.clone().unwrap_or_default(),
            faults: Vec::new(),
            layout: Layout { heading: text.say("columns-title"), ..layout },
        }
    }
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
        Some(found) => page(StatusCode::OK, &found.page(id, layout)),
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
    uploads::request_check(&mut tx, id, &options, &draft).await?;
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
    found.register.add_chapters = !entered("add_chapters").is_empty();
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
            if found.register.options.certification_type.is_none()
                && !columns.contains_key(Field::Type.as_str())
            {
                fault("type".to_owned(), text.say("fault-import-type"));
            }
            found.register.options.columns = columns;
        }
        Err(field) => {
            let of_field = |column: &DraftColumn| column.field.as_deref() == Some(field.as_str());
            let at = found.draft.columns.iter().rposition(of_field).unwrap_or_default();
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
