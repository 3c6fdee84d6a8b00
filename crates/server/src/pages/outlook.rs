//! The outlook: when certifications expire, and which chapter will have too few mentors.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::expiry::outlook::{MONTHS, first_below, months, valid_today};
use certvakt_rules::calendar::start_of_day;
use certvakt_store::caller::outlook::{self, Expiring, ManagedChapter};
use certvakt_store::{CallerTx, caller};
use chrono::{Datelike, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::chapter_switch::{chosen, of_form, switch};
use super::error::PageError;
use super::file::{Cell, File, Format};
use super::form::Fault;
use super::link::link;
use super::runs::administered;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the page.
const PATH: &str = "/outlook";
/// The height and the width of a month in the drawing.
const HEIGHT: i64 = 100;
const WIDTH: usize = 20;
/// The largest number of mentors that a chapter can need, as in the schema.
const MOST_REQUIRED: i16 = 10_000;

/// The number of chapters on a page.
const PAGE: usize = 20;

/// Which page to show.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct OutlookQuery {
    /// The chapter whose required number was just set.
    done: String,
    /// The number of chapters on the previous pages.
    from: String,
    /// The only chapter to show.
    chapter: String,
}

#[derive(Template)]
#[template(path = "outlook.html")]
struct OutlookPage {
    layout: Layout,
    /// The chapters to choose from, with their links, and whether each is shown.
    switch: Vec<(String, String, bool)>,
    chapters: Vec<ChapterOutlook>,
    /// Which of how many chapters the page shows, if there are several pages.
    found: Option<String>,
    /// The links to the previous and the next page.
    previous: Option<String>,
    next: Option<String>,
    faults: Vec<Fault>,
}

/// The outlook of a chapter.
struct ChapterOutlook {
    id: Uuid,
    name: String,
    /// Whether the person administers its organisation.
    is_administered: bool,
    /// What is missing, or that nothing is.
    situation: String,
    /// The first month with too few; the present one if there are too few today.
    short_from: Option<NaiveDate>,
    /// The required number as it was entered, or as it is.
    required: String,
    /// What is wrong with it.
    fault: Option<String>,
    /// The names of the months, with the number that expires, and the number that is still valid.
    rows: Vec<(String, i64, i64)>,
    /// The drawing of the same numbers: for each month the left edge, the top and the height of its bar.
    bars: Vec<(usize, i64, i64)>,
    /// The height of the line of the required number.
    line: Option<i64>,
    /// The colour of the situation, in addition to its words.
    tone: &'static str,
}

/// Shows the outlook, the chapters that will have too few first.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(OutlookQuery { done, from, chapter }): Query<OutlookQuery>,
) -> Result<Response, PageError> {
    let (mut tx, mut layout) = visitor.begin(&api, Section::Outlook).await?;
    let (names, mut chapters) = chapters(&mut tx, &api, layout.text).await?;
    tx.commit().await?;
    let chapter = chosen(&chapter);
    let switch = switch(&mut layout, PATH, &names, chapter);
    chapters.retain(|one| chapter.is_none_or(|id| one.id == id));
    let changed = chapters.iter().position(|one| one.id.to_string() == done);
    let mut shown =
        shown(layout, switch, chapters, changed.or_else(|| from.parse().ok()).unwrap_or_default());
    if let Some(chapter) = shown.chapters.iter().find(|one| one.id.to_string() == done) {
        shown.layout.heading = shown.layout.text.named("outlook-set-title", &chapter.name);
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// The page with a chapter, by its place among all of them.
fn shown(
    layout: Layout,
    switch: Vec<(String, String, bool)>,
    chapters: Vec<ChapterOutlook>,
    place: usize,
) -> OutlookPage {
    let (text, total) = (layout.text, chapters.len());
    let from = place.min(total.saturating_sub(1)) / PAGE * PAGE;
    let last = total.min(from + PAGE);
    let short = chapters.iter().filter(|one| one.short_from.is_some()).count();
    let heading =
        if short == 0 { text.say("outlook-title") } else { text.count("outlook-short-title", short) };
    let layout = Layout { heading, ..layout };
    let number = |from: usize| if from == 0 { String::new() } else { from.to_string() };
    let to = |from: usize| link(PATH, &[("from", &number(from))]);
    let place = [("first", (from + 1).into()), ("last", last.into()), ("total", total.into())];
    OutlookPage {
        layout,
        switch,
        chapters: chapters.into_iter().skip(from).take(PAGE).collect(),
        found: (total > PAGE).then(|| text.with("outlook-found", &place)),
        previous: (from > 0).then(|| to(from - PAGE)),
        next: (last < total).then(|| to(last)),
        faults: Vec::new(),
    }
}

/// The chapters that the person manages, by name, and their outlooks, those that will have too few first.
async fn chapters(
    tx: &mut CallerTx,
    api: &Api,
    text: Text,
) -> Result<(Vec<(Uuid, String)>, Vec<ChapterOutlook>), PageError> {
    let administered = administered(tx).await?;
    let mut outlooks: Vec<ChapterOutlook> = numbers(tx, api)
        .await?
        .into_iter()
        .map(|(chapter, today, rows)| ChapterOutlook {
            is_administered: administered.contains(&chapter.organisation_id),
            ..chapter_outlook(&chapter, &rows, today, text)
        })
        .collect();
    let names = outlooks.iter().map(|one| (one.id, one.name.clone())).collect();
    // A stable sort: those without a shortage stay in the order of their names.
    outlooks.sort_by_key(|one| (one.short_from.is_none(), one.short_from));
    Ok((names, outlooks))
}

/// The chapters that the person manages, with today's date in each, and the numbers.
async fn numbers(
    tx: &mut CallerTx,
    api: &Api,
) -> Result<Vec<(ManagedChapter, NaiveDate, Vec<Expiring>)>, PageError> {
    let organisations = caller::organisations(tx).await?;
    let today = |id: Uuid| {
        let zone = organisations.iter().find(|one| one.id == id).map(|one| one.zone.0);
        zone.map(|zone| (api.clock().today(zone), zone))
    };
    let days: Vec<_> = organisations
        .iter()
        .filter_map(|one| today(one.id).map(|(day, zone)| (one.id, start_of_day(day, zone))))
        .collect();
    let rows = outlook::expiring(tx, &days, MONTHS).await?;
    let chapters = outlook::managed_chapters(tx).await?;
    let with_rows = chapters.into_iter().filter_map(|chapter| {
        let (day, _) = today(chapter.organisation_id)?;
        let rows = rows.iter().filter(|row| row.chapter_id == chapter.id).copied().collect();
        Some((chapter, day, rows))
    });
    Ok(with_rows.collect())
}

fn chapter_outlook(
    chapter: &ManagedChapter,
    rows: &[Expiring],
    today: NaiveDate,
    text: Text,
) -> ChapterOutlook {
    let (months, valid) = (months(rows, today), valid_today(rows));
    let required = chapter.required_mentors.map(i64::from);
    let is_short_now = required.is_some_and(|required| valid < required);
    let first = required.and_then(|required| first_below(&months, required));
    let short_from =
        if is_short_now { months.first().map(|one| one.first) } else { first.map(|one| one.first) };
    let numbers = [("valid", valid.into()), ("required", required.unwrap_or_default().into())];
    let situation = match (required, short_from) {
        (None, _) => text.with("outlook-without-number", &numbers),
        (Some(_), _) if is_short_now => text.with("outlook-short-now", &numbers),
        (Some(_), Some(from)) => {
            let [valid, required] = numbers;
            text.with("outlook-short-from", &[valid, required, ("month", month_name(from, text).into())])
        }
        (Some(_), None) => text.with("outlook-enough", &numbers),
    };
    let most = months.iter().map(|one| one.valid).chain([valid, required.unwrap_or(1), 1]).max().unwrap_or(1);
    let height = |number: i64| number * HEIGHT / most;
    ChapterOutlook {
        id: chapter.id,
        name: line(&chapter.name),
        is_administered: false,
        situation,
        short_from,
        required: chapter.required_mentors.map(|number| number.to_string()).unwrap_or_default(),
        fault: None,
        rows: months.iter().map(|one| (month_name(one.first, text), one.expiring, one.valid)).collect(),
        bars: months
            .iter()
            .enumerate()
            .map(|(at, one)| (at * WIDTH, HEIGHT - height(one.valid), height(one.valid)))
            .collect(),
        line: required.map(|required| HEIGHT - height(required)),
        tone: if is_short_now {
            "bad"
        } else if short_from.is_some() {
            "warn"
        } else {
            "soft"
        },
    }
}

/// A month with its year, as `mars 2027`.
fn month_name(first: NaiveDate, text: Text) -> String {
    format!("{} {}", text.say(&format!("month-{}", first.month())), first.year())
}

/// The same numbers as a file.
pub(super) async fn file(
    State(api): State<Api>,
    visitor: Visitor,
    Query(OutlookQuery { chapter, .. }): Query<OutlookQuery>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Outlook).await?;
    let text = layout.text;
    let mut numbers = numbers(&mut tx, &api).await?;
    let chapter = chosen(&chapter);
    numbers.retain(|(one, ..)| chapter.is_none_or(|id| one.id == id));
    tx.commit().await?;
    let headings = ["fact-chapter", "outlook-month", "outlook-expiring", "outlook-valid", "outlook-required"];
    let mut rows = File::new(&headings.map(|key| text.say(key)));
    for (chapter, today, expiring) in &numbers {
        for month in months(expiring, *today) {
            let cells = [
                chapter.name.clone(),
                month.first.format("%Y-%m").to_string(),
                month.expiring.to_string(),
                month.valid.to_string(),
                chapter.required_mentors.map(|number| number.to_string()).unwrap_or_default(),
            ];
            rows.row(cells.map(Cell::from).into());
        }
    }
    Ok(rows.response(Format::Csv, "outlook")?)
}

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    number: String,
    /// The only chapter that the page showed.
    #[serde(default)]
    chapter: String,
}

/// Sets how many mentors a chapter needs.
pub(super) async fn set(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: Fields { number, chapter } }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, mut layout) = visitor.begin(&api, Section::Outlook).await?;
    let (names, mut chapters) = chapters(&mut tx, &api, layout.text).await?;
    let chapter = of_form(&chapter);
    let only = chosen(&chapter);
    chapters.retain(|one| one.id == id || only.is_none());
    let Some(place) = chapters.iter().position(|one| one.id == id) else {
        return Err(ApiError::NotFound.into());
    };
    let entered = number.trim();
    let required = entered.parse().ok().filter(|number| (1..=MOST_REQUIRED).contains(number));
    if required.is_none() && !entered.is_empty() {
        let what = layout.text.count("fault-required", MOST_REQUIRED);
        if let Some(chapter) = chapters.get_mut(place) {
            (chapter.required, chapter.fault) = (number, Some(what.clone()));
        }
        let faults = vec![Fault { field: format!("number-{id}").into(), what }];
        let switch = switch(&mut layout, PATH, &names, only);
        let mut refused = shown(layout, switch, chapters, place);
        refused.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &OutlookPage { faults, ..refused }));
    }
    if !outlook::require_mentors(&mut tx, id, required).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(Redirect::to(&link(PATH, &[("done", &id.to_string()), ("chapter", &chapter)])).into_response())
}
