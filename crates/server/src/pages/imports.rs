//! The registers: the form that uploads one, and the imports of the last 30 days.

use std::io::{Read, Seek};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::import::draft::Draft;
use certvakt_engine::import::guess::Known;
use certvakt_engine::import::names::Names;
use certvakt_engine::import::uploads::{Register, no_room};
use certvakt_engine::import::{ImportError, ReadingOptions};
use certvakt_store::CallerTx;
use certvakt_store::caller::uploads::{self, Announced, SavedMapping};
use certvakt_store::caller::{self, Chapter, Organisation, overview};
use certvakt_store::organisation::Named;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Fault, of_field};
use super::register::{PATH, REGISTER, json, refusal, summary};
use super::runs::administered;
use super::upload::{NoFile, Upload};
use super::visitor::Visitor;
use crate::api::{Api, in_memory};
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The number of imports on the page.
const SHOWN: i64 = 50;
/// The query after a register was discarded.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterDiscard {
    discarded: bool,
}

#[derive(Template)]
#[template(path = "imports.html")]
struct ImportsPage {
    layout: Layout,
    chapters: Vec<Choice>,
    mappings: Vec<Choice>,
    header_row: String,
    sheet: String,
    imports: Vec<Listed>,
    faults: Vec<Fault>,
}

impl ImportsPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// An import in the list.
struct Listed {
    id: Uuid,
    date: String,
    organisation: String,
    summary: String,
}

/// What the form offers: the chapters and saved mappings of the organisations that the person administers.
struct Offered {
    organisations: Vec<Organisation>,
    chapters: Vec<Chapter>,
    mappings: Vec<SavedMapping>,
}

impl Offered {
    async fn of(tx: &mut CallerTx) -> Result<Self, PageError> {
        let administered = administered(tx).await?;
        if administered.is_empty() {
            return Err(ApiError::NotYours.into());
        }
        let mut organisations = caller::organisations(tx).await?;
        organisations.retain(|one| administered.contains(&one.id));
        let mut chapters = caller::chapters(tx).await?;
        chapters.retain(|one| administered.contains(&one.organisation_id));
        Ok(Self { organisations, chapters, mappings: uploads::mappings(tx).await? })
    }

    /// A name with that of its organisation, if there are several.
    fn labelled(&self, name: &str, organisation: Uuid) -> String {
        match self.organisations.iter().find(|one| one.id == organisation) {
            Some(one) if self.organisations.len() > 1 => format!("{}, {}", line(name), line(&one.name)),
            _ => line(name),
        }
    }
}

/// Shows the form and the imports.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(AfterDiscard { discarded }): Query<AfterDiscard>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let offered = Offered::of(&mut tx).await?;
    let mut shown = form(&mut tx, layout, &offered, &Fields::default()).await?;
    tx.commit().await?;
    if discarded {
        shown.layout.heading = shown.layout.text.say("imports-discarded-title");
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// What the form says, besides the file.
#[derive(Debug, Clone, Default)]
struct Fields {
    chapter: String,
    mapping: String,
    header_row: String,
    sheet: String,
}

async fn form(
    tx: &mut CallerTx,
    layout: Layout,
    offered: &Offered,
    fields: &Fields,
) -> Result<ImportsPage, PageError> {
    let text = layout.text;
    let imports = uploads::uploads(tx, SHOWN).await?;
    let imports = imports.into_iter().map(|one| {
        let of = offered.organisations.iter().find(|other| other.id == one.organisation_id);
        let date = of.map(|of| text.date(one.created_at.with_timezone(&of.zone.0).date_naive()));
        Listed {
            id: one.id,
            date: date.unwrap_or_default(),
            organisation: of
                .filter(|_| offered.organisations.len() > 1)
                .map(|of| line(&of.name))
                .unwrap_or_default(),
            summary: summary(&one, text),
        }
    });
    let imports = imports.collect();
    let chapters = offered.chapters.iter().map(|one| {
        Choice::new(one.id.to_string(), offered.labelled(&one.name, one.organisation_id), &fields.chapter)
    });
    let mappings = offered.mappings.iter().map(|one| {
        let value = mapping_key(one);
        Choice::new(value, offered.labelled(&one.name, one.organisation_id), &fields.mapping)
    });
    Ok(ImportsPage {
        chapters: chapters.collect(),
        mappings: mappings.collect(),
        header_row: fields.header_row.clone(),
        sheet: fields.sheet.clone(),
        imports,
        faults: Vec::new(),
        layout: Layout { heading: text.say("imports-title"), ..layout },
    })
}

/// The value of a mapping in the form.
fn mapping_key(one: &SavedMapping) -> String {
    format!("{} {}", one.organisation_id, one.name)
}

/// Receives a register, and stores it as a draft whose columns the person assigns next.
pub(super) async fn make(State(api): State<Api>, sent: Upload) -> Result<Response, PageError> {
    let Upload { visitor, fields, file } = sent;
    let field = |name: &str| fields.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let fields = Fields {
        chapter: field("chapter"),
        mapping: field("mapping"),
        header_row: field("header_row"),
        sheet: field("sheet"),
    };
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let offered = Offered::of(&mut tx).await?;
    let types = overview::certification_types(&mut tx).await?;
    tx.commit().await?;
    let text = layout.text;
    let received = match read_form(&fields, &offered, text) {
        Ok((chapter, register)) => match file {
            Ok(file) => Ok((chapter, register, file.into_std().await)),
            Err(NoFile::Missing) => Err(fault("file", text.say("fault-no-file"))),
            Err(NoFile::TooLong) => Err(fault("file", text.say("fault-file-too-long"))),
        },
        Err(fault) => Err(fault),
    };
    let wrong = match received {
        Ok((chapter, register, file)) => {
            let _turn = api.receiving(chapter.organisation_id).await?;
            let known = known(&offered, chapter.organisation_id, &types);
            match read(&api, &file, &register, known).await? {
                Ok(draft) => return store(&visitor, &api, &register, &draft, file).await,
                Err(error) => fault("file", refusal(error.code(), text)),
            }
        }
        Err(fault) => fault,
    };
    let mut tx = visitor.again(&api).await?;
    let layout = Layout { is_refused: true, ..layout };
    let mut refused = form(&mut tx, layout, &offered, &fields).await?;
    tx.commit().await?;
    refused.faults.push(wrong);
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused))
}

fn fault(field: &'static str, what: String) -> Fault {
    Fault { field: field.into(), what }
}

/// Checks the fields. Returns the chapter, and the options for reading the register.
fn read_form<'a>(
    fields: &Fields,
    offered: &'a Offered,
    text: Text,
) -> Result<(&'a Chapter, Register), Fault> {
    let chapter = offered.chapters.iter().find(|one| one.id.to_string() == fields.chapter);
    let Some(chapter) = chapter else { return Err(fault("chapter", text.say("fault-import-chapter"))) };
    let saved = offered.mappings.iter().find(|one| mapping_key(one) == fields.mapping);
    if saved.is_none() != fields.mapping.is_empty()
        || saved.is_some_and(|one| one.organisation_id != chapter.organisation_id)
    {
        return Err(fault("mapping", text.say("fault-import-mapping")));
    }
    let name = saved.map(|one| one.name.clone());
    let saved = match saved.map(|one| ReadingOptions::of(&one.name, &one.options)).transpose() {
        Ok(saved) => saved.unwrap_or_default(),
        Err(_) => return Err(fault("mapping", text.say("fault-import-mapping"))),
    };
    let header_row = match fields.header_row.as_str() {
        "" => None,
        given => match given.parse() {
            Ok(number) => Some(number),
            Err(_) => return Err(fault("header_row", text.say("fault-header-row"))),
        },
    };
    let sheet = Some(fields.sheet.clone()).filter(|name| !name.is_empty());
    let given = ReadingOptions { header_row, sheet, ..ReadingOptions::default() };
    let options = given.over(saved);
    if options.check_bounds().is_err() || options.location().is_err() {
        return Err(fault("header_row", text.say("fault-header-row")));
    }
    let register = Register { chapter_id: chapter.id, options, save_as: name, ..Register::default() };
    Ok((chapter, register))
}

/// The chapters and types by which columns are recognised.
fn known(offered: &Offered, organisation: Uuid, types: &[overview::CertificationType]) -> Known {
    let named = |id, key: &str, name: &str| Named {
        id,
        key: key.to_owned(),
        name: name.to_owned(),
        external_id: None,
    };
    let chapters = offered.chapters.iter().filter(|one| one.organisation_id == organisation);
    let types = types.iter().filter(|one| one.organisation_id == organisation);
    Known {
        chapters: Some(Names::chapters(
            chapters.map(|one| named(Some(one.id), &one.name, &one.name)).collect(),
            false,
        )),
        types: Some(Names::types(types.map(|one| named(None, &one.code, &one.name)).collect())),
    }
}

/// Reads the first rows of a register.
async fn read(
    api: &Api,
    file: &std::fs::File,
    register: &Register,
    known: Known,
) -> Result<Result<Draft, ImportError>, PageError> {
    let file = file.try_clone().map_err(|error| no_room(&error))?;
    let (config, options) = (api.import().clone(), register.options.clone());
    let reading = tokio::task::spawn_blocking(move || Draft::read(file, REGISTER, &config, &options, &known));
    Ok(reading.await.map_err(|_| ApiError::Fault)?)
}

/// Stores a draft, and leads to its columns.
async fn store(
    visitor: &Visitor,
    api: &Api,
    register: &Register,
    draft: &Draft,
    mut file: std::fs::File,
) -> Result<Response, PageError> {
    let _one_of_few = in_memory().await?;
    let mut content = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut content)).map_err(|error| no_room(&error))?;
    let (options, draft) = (json(register)?, json(draft)?);
    let mut tx = visitor.again(api).await?;
    let added = uploads::announce(&mut tx, register.chapter_id, &options, Some((&content, &draft))).await?;
    let upload = match added {
        Announced::As(upload) => upload,
        Announced::NotTheirs => return Err(ApiError::NotFound.into()),
        Announced::TooMany => return Err(ApiError::TooManyImports.into()),
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("{PATH}/{}/columns", upload.id)).into_response())
}
