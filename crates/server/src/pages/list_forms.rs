//! The list of certifications in other forms: as files, and for print, one chapter a page.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::Standing;
use certvakt_store::caller::{self, After, Certification, Filter, addresses};
use certvakt_store::{CallerTx, StoreError};
use uuid::Uuid;

use super::by_mentor::Mentors;
use super::error::PageError;
use super::file::{Cell, File, Format};
use super::link::link;
use super::list_query::{ListQuery, filter_of, row, state_label};
use super::row::{Row, name_of};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;

/// The paths of the forms.
pub(super) const CSV: &str = "/certifications.csv";
pub(super) const WORKBOOK: &str = "/certifications.xlsx";
pub(super) const PRINTED: &str = "/certifications/print";
/// The number of certifications in a statement, in a file, and on paper.
const AT_A_TIME: u32 = 1000;
const LONGEST_FILE: usize = 20_000;
const LONGEST_PRINT: usize = 2000;
/// The kinds of addresses in a file, each in a column.
const KINDS: [&str; 2] = ["email", "phone"];

/// The list as CSV.
pub(super) async fn csv(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    file(&api, visitor, &query, Format::Csv).await
}

/// The list as a workbook.
pub(super) async fn workbook(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    file(&api, visitor, &query, Format::Workbook).await
}

async fn file(api: &Api, visitor: Visitor, query: &ListQuery, format: Format) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(api, Section::Certifications).await?;
    let text = layout.text;
    let filter = filter_of(query, &caller::organisations(&mut tx).await?, api)?;
    let (mut found, is_cut) = all(&mut tx, &filter, LONGEST_FILE).await?;
    if query.is_sorted() {
        let places = caller::places(&mut tx, &found).await?;
        found.sort_by_key(|one| places.get(&one.id).map(|place| place.name));
    }
    if query.is_by_mentor() {
        Mentors::sort(&mut found, filter.on, api.clock().now());
    }
    let contacts = if query.contacts == "yes" { Some(contacts(&mut tx, &found).await?) } else { None };
    tx.commit().await?;
    let facts = ["fact-name", "fact-chapter", "fact-type", "fact-number", "fact-valid-until", "filter-state"];
    let of_contacts = KINDS.iter().filter(|_| contacts.is_some()).map(|kind| format!("address-{kind}"));
    let headings = facts.map(str::to_owned).into_iter().chain(of_contacts);
    let headings: Vec<String> = headings.map(|key| text.say(&key)).collect();
    let mut rows = File::new(&headings);
    for one in &found {
        let standing = Standing::of(one, api.clock().now());
        let state = row(one, filter.on, api.clock().now(), text).state;
        let mut cells = vec![
            name_of(one, text).into(),
            one.chapter.clone().unwrap_or_default().into(),
            one.type_name.clone().unwrap_or_default().into(),
            one.external_id.clone().unwrap_or_default().into(),
            standing.last_valid_day.map_or_else(|| text.say("never-expires").into(), Cell::Date),
            state.into(),
        ];
        if let Some(contacts) = &contacts {
            let of = |kind: &str| contacts.get(&(one.id, kind.to_owned())).cloned().unwrap_or_default();
            cells.extend(KINDS.map(|kind| Cell::from(of(kind))));
        }
        rows.row(cells);
    }
    if is_cut {
        let mut last = vec![String::new(); headings.len()];
        last[0] = text.say("certifications-file-cut");
        rows.row(last.into_iter().map(Cell::from).collect());
    }
    Ok(rows.response(format, "certifications")?)
}

/// The addresses that the person may read, by certification and kind, several with a semicolon between them.
async fn contacts(
    tx: &mut CallerTx,
    found: &[Certification],
) -> Result<HashMap<(Uuid, String), String>, StoreError> {
    let mut joined = HashMap::<_, String>::new();
    for part in found.chunks(AT_A_TIME as usize) {
        let ids: Vec<Uuid> = part.iter().map(|one| one.id).collect();
        for one in addresses::readable(tx, &ids, &KINDS).await? {
            let cell = joined.entry((one.certification_id, one.kind)).or_default();
            if !cell.is_empty() {
                cell.push_str("; ");
            }
            cell.push_str(&line(&one.address));
        }
    }
    Ok(joined)
}

#[derive(Template)]
#[template(path = "list_printed.html")]
struct PrintedPage {
    layout: Layout,
    /// The list without this form.
    back: String,
    /// The state and the day, under the heading of each page.
    about: String,
    chapters: Vec<(String, Vec<Row>)>,
    is_cut: bool,
}

/// The list for print: a table for each chapter, in the order of names, and inside it in the order of the list.
pub(super) async fn printed(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let filter = filter_of(&query, &organisations, &api)?;
    let theirs = caller::chapters(&mut tx).await?;
    let (mut found, is_cut) = all(&mut tx, &filter, LONGEST_PRINT).await?;
    // Those who died or left, unless they were asked for.
    found.retain(|one| !one.is_withdrawn || query.state == "withdrawn");
    let places = caller::places(&mut tx, &found).await?;
    tx.commit().await?;
    let (text, now) = (layout.text, api.clock().now());
    found.sort_by_key(|one| {
        // Those without an end come last.
        let expiry = (!query.is_sorted()).then_some((one.expires_at.is_none(), one.expires_at));
        (expiry, places.get(&one.id).map(|place| place.name))
    });
    if query.is_by_mentor() {
        Mentors::sort(&mut found, filter.on, now);
    }
    // A stable sort: those of a chapter stay in the order of the list.
    found.sort_by_key(|one| places.get(&one.id).map(|place| place.chapter));
    let chapters = found.chunk_by(|one, next| one.chapter_id == next.chapter_id).map(|of_chapter| {
        let chapter = of_chapter.first().and_then(|one| one.chapter.as_deref());
        let rows = of_chapter.iter().map(|one| row(one, filter.on, now, text)).collect();
        (chapter.map_or_else(|| text.say("chapter-unnamed"), line), rows)
    });
    let only = match (&theirs[..], filter.chapter_id) {
        ([only], _) => Some(only),
        (all, id) => all.iter().find(|one| Some(one.id) == id),
    };
    let today = found.first().map(|one| text.long_date(api.clock().today(one.zone.0)));
    let about = [
        today.map(|day| text.named("printed-on", &day)),
        filter.on.map(|day| text.named("printed-later", &text.date(day))),
        (filter.state.is_some())
            .then(|| text.named("printed-state", &state_label(&query.state, &organisations, text))),
    ];
    let heading =
        only.map_or_else(|| text.say("printed-title-all"), |one| text.named("printed-chapter", &one.name));
    let shown = PrintedPage {
        chapters: chapters.collect(),
        back: link("/certifications", &query.without("")),
        about: about.into_iter().flatten().collect::<Vec<_>>().join(" "),
        is_cut,
        layout: Layout { heading, ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The certifications of a list, in one piece, and whether it was cut: reading ends with the statement that reaches `most`.
async fn all(
    tx: &mut CallerTx,
    filter: &Filter,
    most: usize,
) -> Result<(Vec<Certification>, bool), StoreError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = caller::certifications(tx, filter, after, AT_A_TIME).await?;
        after = page.last().map(|last| After { expires_at: last.expires_at, id: last.id });
        let is_last = page.len() < AT_A_TIME as usize;
        found.extend(page);
        if is_last || found.len() >= most {
            return Ok((found, !is_last));
        }
    }
}
