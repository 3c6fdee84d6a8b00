//! The registers: the form that uploads one, and the imports of the last 30 days.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::import::draft::Draft;
use certvakt_engine::import::guess::Known;
use certvakt_engine::import::names::Names;
use certvakt_engine::import::uploads::{REGISTER, Register, no_room};
use certvakt_engine::import::{ImportError, ReadingOptions};
use certvakt_store::caller::uploads::{self, Announced, Place, SavedMapping};
use certvakt_store::caller::{self, Chapter, Organisation, overview};
use certvakt_store::organisation::Named;
use certvakt_store::{CallerTx, Role};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Fault, of_field};
use super::register::{Outcome, PATH, json, maker, path, path_of_number, refusal, summary};
use super::row::shared;
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
    /// Whether the register of the person is limited to the chapters that they coordinate.
    is_limited: bool,
    mappings: Vec<Choice>,
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
    path: String,
    date: String,
    /// What tells it from the others of the same minute; empty without any.
    distinction: String,
    organisation: String,
    maker: String,
    summary: String,
}

/// What the form offers: the organisations in which the person manages chapters, and the saved mappings.
struct Offered {
    organisations: Vec<Organisation>,
    /// The organisations that the person administers.
    administered: HashSet<Uuid>,
    mappings: Vec<SavedMapping>,
}

/// How to read a register: with a saved mapping, or anew.
struct Reading<'a> {
    organisation: &'a Organisation,
    mapping: Option<&'a SavedMapping>,
}

impl Reading<'_> {
    /// Its value in the form.
    fn key(&self) -> String {
        let organisation = self.organisation.id;
        match self.mapping {
            None => organisation.to_string(),
            Some(one) if one.is_own => format!("{organisation} {} own", one.name),
            Some(one) => format!("{organisation} {}", one.name),
        }
    }
}

impl Offered {
    async fn of(tx: &mut CallerTx) -> Result<Self, PageError> {
        let memberships = caller::memberships(tx).await?;
        let managed = memberships.iter().filter(|one| one.role != Role::Mentor);
        let managed: HashSet<Uuid> = managed.map(|one| one.organisation_id).collect();
        if managed.is_empty() {
            return Err(ApiError::NotYours.into());
        }
        let administered = memberships.iter().filter(|one| one.role == Role::OrgAdmin);
        let administered = administered.map(|one| one.organisation_id).collect();
        let mut organisations = caller::organisations(tx).await?;
        organisations.retain(|one| managed.contains(&one.id));
        Ok(Self { organisations, administered, mappings: uploads::mappings(tx).await? })
    }

    /// The ways to read a register of each organisation, first without a saved mapping.
    fn readings(&self) -> Vec<Reading<'_>> {
        let all = self.organisations.iter().flat_map(|organisation| {
            let mappings = self.mappings.iter().filter(|one| one.organisation_id == organisation.id);
            let mappings = std::iter::once(None).chain(mappings.map(Some));
            mappings.map(move |mapping| Reading { organisation, mapping })
        });
        all.collect()
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
    let mut shown = form(&mut tx, layout, &offered, "").await?;
    tx.commit().await?;
    if discarded {
        shown.layout.heading = shown.layout.text.say("imports-discarded-title");
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

async fn form(
    tx: &mut CallerTx,
    layout: Layout,
    offered: &Offered,
    chosen: &str,
) -> Result<ImportsPage, PageError> {
    let text = layout.text;
    let imports = uploads::list(tx, SHOWN).await?;
    let imports = imports.into_iter().filter_map(|one| {
        let of = offered.organisations.iter().find(|other| other.id == one.organisation_id)?;
        let path = match (one.upload_id, one.import_id) {
            (Some(id), _) => path(id),
            (None, number) => path_of_number(number?),
        };
        Some(Listed {
            path,
            date: text.time(one.at.with_timezone(&of.zone.0)),
            distinction: String::new(),
            organisation: match offered.organisations.len() {
                1 => String::new(),
                _ => line(&of.name),
            },
            maker: maker(one.sender.as_deref(), one.operator.as_deref(), text),
            summary: summary(&one.state, &Outcome::of(one.result.as_ref()), text),
        })
    });
    let mut imports: Vec<Listed> = imports.collect();
    distinguish(&mut imports, text);
    // Without a choice there is no field.
    let readings = Some(offered.readings()).filter(|readings| readings.len() > 1).unwrap_or_default();
    let mappings = readings.iter().map(|one| {
        let new = text.say("imports-no-mapping");
        let name = one.mapping.map_or(new.as_str(), |mapping| &mapping.name);
        Choice::new(one.key(), offered.labelled(name, one.organisation.id), chosen)
    });
    Ok(ImportsPage {
        is_limited: offered.organisations.iter().any(|one| !offered.administered.contains(&one.id)),
        mappings: mappings.collect(),
        imports,
        faults: Vec::new(),
        layout: Layout { heading: text.say("imports-title"), ..layout },
    })
}

/// Numbers the imports of the same minute, the oldest first, for those who hear their links alone.
fn distinguish(imports: &mut [Listed], text: Text) {
    let shared = shared(imports.iter().map(|one| one.date.as_str()));
    let mut numbers: HashMap<String, i64> = HashMap::new();
    for one in imports.iter_mut().rev().filter(|one| shared.contains(&one.date)) {
        let number = numbers.entry(one.date.clone()).or_default();
        *number += 1;
        let arguments = [("number", (*number).into()), ("summary", one.summary.as_str().into())];
        one.distinction = text.with("imports-of-minute", &arguments);
    }
}

/// Receives a register, and stores it as a draft whose columns the person assigns next. A readable file is
/// stored even if another field is wrong, because browsers do not keep the chosen file.
pub(super) async fn make(State(api): State<Api>, sent: Upload) -> Result<Response, PageError> {
    let Upload { visitor, fields, file } = sent;
    let chosen = fields.get("mapping").map(|value| value.trim().to_owned()).unwrap_or_default();
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let offered = Offered::of(&mut tx).await?;
    let chapters = caller::chapters(&mut tx).await?;
    let types = overview::certification_types(&mut tx).await?;
    tx.commit().await?;
    let text = layout.text;
    let received = match file {
        Ok(file) => read_form(&chosen, &offered, text).map(|form| (form, file)),
        Err(NoFile::Missing) => Err(fault("file", text.say("fault-no-file"))),
        Err(NoFile::TooLong) => Err(fault("file", text.say("fault-file-too-long"))),
    };
    let wrong = match received {
        Ok(((organisation, register), file)) => {
            let _turn = api.receiving(organisation).await?;
            let file = file.into_std().await;
            let known = known(&chapters, organisation, &types);
            match read(&api, &file, &register, known).await? {
                Ok(draft) => return store(&visitor, &api, organisation, &register, &draft, file).await,
                Err(error) => fault("file", refusal(error.code(), text)),
            }
        }
        Err(fault) => fault,
    };
    let mut tx = visitor.again(&api).await?;
    let layout = Layout { is_refused: true, ..layout };
    let mut refused = form(&mut tx, layout, &offered, &chosen).await?;
    tx.commit().await?;
    refused.faults.push(wrong);
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused))
}

fn fault(field: &'static str, what: String) -> Fault {
    Fault { field: field.into(), what }
}

/// Checks the choice. Returns the organisation, and the options for reading the register.
fn read_form(chosen: &str, offered: &Offered, text: Text) -> Result<(Uuid, Register), Fault> {
    let readings = offered.readings();
    let reading = match (&readings[..], chosen) {
        ([only], "") => Some(only),
        (all, _) => all.iter().find(|one| one.key() == chosen),
    };
    let wrong = || fault("mapping", text.say("fault-import-mapping"));
    let Reading { organisation, mapping } = reading.ok_or_else(wrong)?;
    let options = mapping.map(|one| ReadingOptions::of(&one.name, &one.options)).transpose();
    let options = options.map_err(|_| wrong())?.unwrap_or_default();
    let save_as = mapping.map(|one| one.name.clone());
    Ok((organisation.id, Register { options, save_as, ..Register::default() }))
}

/// The chapters and types by which columns are recognised.
pub(super) fn known(
    chapters: &[Chapter],
    organisation: Uuid,
    types: &[overview::CertificationType],
) -> Known {
    let named = |id, key: &str, name: &str| Named {
        id,
        key: key.to_owned(),
        name: name.to_owned(),
        external_id: None,
    };
    let chapters = chapters.iter().filter(|one| one.organisation_id == organisation);
    let types = types.iter().filter(|one| one.organisation_id == organisation);
    Known {
        chapters: Some(Names::chapters(
            chapters.map(|one| named(Some(one.id), &one.name, &one.name)).collect(),
            false,
        )),
        types: Some(Names::types(types.map(|one| named(None, &one.code, &one.name)).collect())),
    }
}

/// Reads the first rows of a register. If only the place of its table is wrong, the draft says so.
pub(super) async fn read(
    api: &Api,
    file: &std::fs::File,
    register: &Register,
    known: Known,
) -> Result<Result<Draft, ImportError>, PageError> {
    let file = file.try_clone().map_err(|error| no_room(&error))?;
    let (config, options) = (api.import().clone(), register.options.clone());
    let reading = tokio::task::spawn_blocking(move || Draft::read(file, REGISTER, &config, &options, &known));
    Ok(match reading.await.map_err(|_| ApiError::Fault)? {
        Err(error) if error.is_about_place() => {
            Ok(Draft { fault: Some(error.code().to_owned()), ..Draft::default() })
        }
        read => read,
    })
}

/// Stores a draft, and leads to its columns.
async fn store(
    visitor: &Visitor,
    api: &Api,
    organisation: Uuid,
    register: &Register,
    draft: &Draft,
    mut file: std::fs::File,
) -> Result<Response, PageError> {
    let _one_of_few = in_memory().await?;
    let mut content = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut content)).map_err(|error| no_room(&error))?;
    let (options, draft) = (json(register)?, json(draft)?);
    let mut tx = visitor.again(api).await?;
    let added =
        uploads::announce(&mut tx, Place::Organisation(organisation), &options, Some((&content, &draft)))
            .await?;
    let upload = match added {
        Announced::As(upload) => upload,
        Announced::NotTheirs => return Err(ApiError::NotFound.into()),
        Announced::TooMany => return Err(ApiError::TooManyImports.into()),
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("{PATH}/{}/columns", upload.id)).into_response())
}
