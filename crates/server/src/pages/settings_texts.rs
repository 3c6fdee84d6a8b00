//! The texts of an organisation's e-mails: which are its own, and changing one. A text is shown as it will be sent, to a
//! mentor who does not exist, before it is saved.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::Locale;
use certvakt_engine::delivery::Notice;
use certvakt_engine::delivery::channels::{Preview, preview};
use certvakt_engine::delivery::text::{built_in, value};
use certvakt_engine::delivery::wording::{Field, LONGEST_WORDING, Wording, WordingFault, normal};
use certvakt_rules::Stage;
use certvakt_rules::stage::shift;
use certvakt_store::CallerTx;
use certvakt_store::notice_text::{self, NoticeText};
use certvakt_store::settings::{self, Present};
use chrono::NaiveDate;
use chrono_tz::Tz;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Done, Fault, of_field};
use super::settings::{PATH, administered};
use super::three_way::{self, Entered, with_base};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The text's field in the form.
const BODY: &str = "body";

#[derive(Template)]
#[template(path = "settings_texts.html")]
struct TextsPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    texts: Vec<Shown>,
}

/// A text of the list.
struct Shown {
    path: String,
    name: String,
    state: String,
}

/// The text of a stage in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Which {
    stage: Stage,
    locale: Locale,
}

impl Which {
    /// Every text of an organisation: those of the stage that comes first are first.
    fn all(present: &Present) -> impl Iterator<Item = Self> {
        let warnings =
            present.declared.iter().filter_map(|days| Some(Stage::Warning((*days).try_into().ok()?)));
        let stages = warnings.chain([Stage::Expired]);
        stages.flat_map(|stage| Locale::ALL.map(|locale| Self { stage, locale }))
    }

    /// Its path below that of the list.
    fn path(self) -> String {
        format!("{}/{}", self.stage, self.locale.tag())
    }

    fn name(self, text: Text) -> String {
        let stage = match self.stage {
            Stage::Warning(days) => text.count("settings-days-before", days),
            Stage::Expired => text.say("texts-expired"),
        };
        let language = text.say(&format!("texts-in-{}", self.locale.tag()));
        text.with("texts-name", &[("stage", stage.into()), ("language", language.into())])
    }

    fn built_in(self) -> String {
        built_in(self.stage, self.locale)
    }

    /// The organisation's own text, if it wrote one.
    fn own(self, texts: &[NoticeText]) -> Option<&NoticeText> {
        texts.iter().find(|one| {
            i64::from(one.days_before) == self.stage.days_before() && one.locale == self.locale.tag()
        })
    }
}

/// An organisation that the caller administers, with its own texts.
async fn with_texts(tx: &mut CallerTx, id: Uuid) -> Result<(Present, Vec<NoticeText>), PageError> {
    let present = administered(tx, id).await?;
    Ok((present, notice_text::administered(tx, id).await?))
}

/// Shows the texts.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, texts) = with_texts(&mut tx, id).await?;
    tx.commit().await?;
    let text = layout.text;
    let shown = |which: Which| Shown {
        path: format!("{PATH}/{id}/texts/{}", which.path()),
        name: which.name(text),
        state: text.say(if which.own(&texts).is_some() { "texts-own" } else { "texts-built-in" }),
    };
    let saved = Which::all(&present).find(|which| which.path() == done);
    let heading = match saved {
        Some(which) => text.named("texts-saved", &which.name(text)),
        None => text.named("texts-title", &present.name),
    };
    let layout = Layout { heading, has_news: saved.is_some(), ..layout };
    let texts = Which::all(&present).map(shown).collect();
    Ok(page(StatusCode::OK, &TextsPage { layout, id, section: "settings-section-texts", texts }))
}

#[derive(Template)]
#[template(path = "settings_text.html")]
struct TextPage {
    layout: Layout,
    /// The path of the form.
    path: String,
    /// The path of the list.
    list: String,
    /// The language of the text.
    language: &'static str,
    entered: Entered,
    is_own: bool,
    built_in: String,
    /// The fields, each with its value for the mentor of the preview.
    fields: Vec<(&'static str, String)>,
    /// The text that somebody else saved meanwhile.
    other: Option<String>,
    preview: Option<Preview>,
    faults: Vec<Fault>,
}

impl TextPage {
    fn new(layout: Layout, present: &Present, sample: &Sample, is_own: bool, entered: Entered) -> Self {
        let which = sample.which;
        let notice = sample.notice(None);
        let list = format!("{PATH}/{}/texts", present.id);
        Self {
            path: format!("{list}/{}", which.path()),
            list,
            language: which.locale.tag(),
            entered,
            is_own,
            built_in: which.built_in(),
            fields: Field::ALL
                .map(|field| (field.as_str(), value(&notice, field).unwrap_or_default()))
                .into(),
            other: None,
            preview: None,
            faults: Vec::new(),
            layout: Layout { heading: layout.text.named("texts-one", &which.name(layout.text)), ..layout },
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }

    fn body(&self) -> &str {
        self.entered.get(BODY).map(String::as_str).unwrap_or_default()
    }
}

/// A mentor who does not exist, for previews.
struct Sample {
    which: Which,
    organisation: String,
    names_certification: bool,
    last_valid_day: NaiveDate,
    name: String,
    certification: String,
    chapter: String,
}

impl Sample {
    fn new(which: Which, present: &Present, api: &Api, text: Text) -> Self {
        let text = Text::of_person(Some(which.locale.tag()), text);
        let today = api.clock().today(present.time_zone.parse().unwrap_or(Tz::UTC));
        Self {
            which,
            organisation: present.name.clone(),
            names_certification: present.names_certification,
            last_valid_day: shift(today, which.stage.days_before()),
            name: text.say("texts-sample-name"),
            certification: text.say("texts-sample-type"),
            chapter: text.say("texts-sample-chapter"),
        }
    }

    fn notice<'a>(&'a self, wording: Option<&'a Wording>) -> Notice<'a> {
        Notice {
            certification_id: Uuid::nil(),
            stage: self.which.stage,
            last_valid_day: self.last_valid_day,
            days_left: self.which.stage.days_before(),
            idempotency_key: "",
            locale: self.which.locale,
            recipient_name: Some(&self.name),
            organisation: &self.organisation,
            certification: &self.certification,
            chapter: &self.chapter,
            wording,
            names_certification: self.names_certification,
        }
    }
}

/// The text that a path names.
fn named(present: &Present, stage: &str, language: &str) -> Result<Which, ApiError> {
    let is_named = |which: &Which| which.path() == format!("{stage}/{language}");
    Which::all(present).find(is_named).ok_or(ApiError::NotFound)
}

/// The present text as a form.
fn entered_of(which: Which, texts: &[NoticeText]) -> Entered {
    let body = which.own(texts).map_or_else(|| which.built_in(), |own| normal(&own.body));
    Entered::from([(BODY.to_owned(), body)])
}

/// Shows a text.
pub(super) async fn show_one(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, stage, language)): Path<(Uuid, String, String)>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, texts) = with_texts(&mut tx, id).await?;
    tx.commit().await?;
    let which = named(&present, &stage, &language)?;
    let entered = with_base(entered_of(which, &texts));
    let is_own = which.own(&texts).is_some();
    let sample = Sample::new(which, &present, &api, layout.text);
    Ok(page(StatusCode::OK, &TextPage::new(layout, &present, &sample, is_own, entered)))
}

/// Shows how a text will be sent, and then saves it.
pub(super) async fn make_one(
    State(api): State<Api>,
    Path((id, stage, language)): Path<(Uuid, String, String)>,
    Sent { visitor, form: mut entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    settings::lock(&mut tx, id).await?;
    let (present, texts) = with_texts(&mut tx, id).await?;
    let which = named(&present, &stage, &language)?;
    let (text, step) = (layout.text, entered.remove("step").unwrap_or_default());
    // Browsers end lines in their own way, in hidden fields too.
    for value in entered.values_mut() {
        *value = normal(value);
    }
    if step == "built-in" {
        entered.insert(BODY.to_owned(), which.built_in());
    }
    let saved = entered_of(which, &texts);
    let conflicts = three_way::merge(&mut entered, &saved);
    let sample = Sample::new(which, &present, &api, text);
    let mut shown = TextPage::new(layout, &present, &sample, which.own(&texts).is_some(), entered);
    if step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    let wording = match Wording::parse(shown.body()) {
        _ if !conflicts.is_empty() => {
            shown.other = saved.get(BODY).cloned();
            Err(text.say("fault-texts-changed"))
        }
        read => read.map_err(|fault| said(&fault, text)),
    };
    let wording = match wording {
        Ok(wording) => wording,
        Err(what) => {
            shown.faults = vec![Fault { field: BODY.into(), what }];
            shown.layout.is_refused = true;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    if step != "save" {
        tx.commit().await?;
        let preview = preview(&sample.notice(Some(&wording))).map_err(|_| ApiError::Fault)?;
        shown.preview = Some(preview);
        shown.layout.heading = text.named("texts-preview", &which.name(text));
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    let days_before = i32::try_from(which.stage.days_before()).unwrap_or_default();
    let locale = which.locale.tag();
    if shown.body() == shown.built_in {
        notice_text::remove(&mut tx, id, days_before, locale).await?;
    } else {
        let body = shown.body().to_owned();
        let own = NoticeText { organisation_id: id, days_before, locale: locale.to_owned(), body };
        notice_text::set(&mut tx, &own).await?;
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("{}?done={}", shown.list, which.path())).into_response())
}

/// What is wrong with a text, as a sentence.
fn said(fault: &WordingFault, text: Text) -> String {
    match fault {
        WordingFault::Empty => text.say("fault-texts-empty"),
        WordingFault::TooLong(length) => {
            text.with("fault-texts-long", &[("number", (*length).into()), ("most", LONGEST_WORDING.into())])
        }
        WordingFault::Control => text.say("fault-texts-control"),
        WordingFault::Unknown(field) => text.named("fault-texts-unknown", field),
        WordingFault::Brace(quoted) => text.named("fault-texts-brace", quoted),
    }
}
