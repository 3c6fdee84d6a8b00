//! The list of certifications. Its URL holds every filter.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::{self, State as Standing};
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::caller::{self, Certification, Chapter};
use chrono::{DateTime, Utc};

use super::action::Action;
use super::error::PageError;
use super::form::Choice;
use super::link::link;
use super::list_forms;
use super::list_query::{ListQuery, STATES, filter_of, known_state};
use super::row::Row;
use super::visitor::Visitor;
use crate::api::Api;
use crate::cursor;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the list.
const PATH: &str = "/certifications";
/// The number of certifications on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "certifications.html")]
struct ListPage {
    layout: Layout,
    q: String,
    chapters: Vec<Choice>,
    types: Vec<Choice>,
    states: Vec<Choice>,
    /// The active filters, each with the link that removes it.
    active: Vec<(String, String)>,
    rows: Vec<Row>,
    /// The link to the next page.
    next: Option<String>,
    /// The links to the list in other forms, with their labels: for print, and as files.
    forms: Vec<(String, String)>,
    /// What the person may do with all of the list at once: the link, and its label.
    several: Vec<(String, String)>,
}

/// Shows the list, the next to expire first.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let after = (!query.after.is_empty()).then(|| cursor::parse(&query.after).ok_or(ApiError::NotFound));
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let types = overview::certification_types(&mut tx).await?;
    let chapters = caller::chapters(&mut tx).await?;
    let filter = filter_of(&mut tx, &query, &api).await?;
    let mut found = caller::certifications(&mut tx, &filter, after.transpose()?, PAGE + 1).await?;
    tx.commit().await?;
    let is_last = found.len() <= PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| !is_last).map(|last| {
        let cursor = cursor::of(last);
        let mut parameters = query.without("");
        parameters.push(("after", &cursor));
        link(PATH, &parameters)
    });
    let now = api.clock().now();
    let rows = found.iter().map(|one| Row::of(one, now, layout.text)).collect();
    let several = several(&found, &query, now, layout.text);
    let list = list(layout, &query, &chapters, &types);
    Ok(page(StatusCode::OK, &ListPage { rows, next, several, ..list }))
}

/// What the person may do with several of the list at once.
fn several(
    found: &[Certification],
    query: &ListQuery,
    now: DateTime<Utc>,
    text: Text,
) -> Vec<(String, String)> {
    // The form begins with the first certification of the list, so it is offered where the list begins.
    // Without a filter, it would contain everybody, which is hardly meant.
    if !query.after.is_empty() || query.without("").iter().all(|(_, value)| value.is_empty()) {
        return Vec::new();
    }
    let actions = [Action::Renewal, Action::Suspension, Action::Reinstatement].into_iter().filter(|action| {
        let is_possible = |one: &Certification| {
            one.is_managed && action.is_possible_among_several(standing::Standing::of(one, now).state)
        };
        found.iter().filter(|one| is_possible(one)).take(2).count() == 2
    });
    let links = actions.map(|action| {
        let mut parameters = query.without("");
        parameters.push(("action", action.path()));
        (link("/changes/new", &parameters), text.say(&format!("{}-several", action.key())))
    });
    links.collect()
}

/// The page without its rows.
fn list(layout: Layout, query: &ListQuery, chapters: &[Chapter], types: &[CertificationType]) -> ListPage {
    let text = layout.text;
    let chapters = options(chapters.iter().map(|one| (one.id.to_string(), line(&one.name))), &query.chapter);
    let types = options(types.iter().map(|one| (one.code.clone(), line(&one.name))), &query.r#type);
    let states = STATES.map(|one| (one.as_str().to_owned(), state_label(one, text)));
    let states = options(states, known_state(&query.state).map_or("", Standing::as_str));
    let chosen = |options: &[Choice]| options.iter().find(|one| one.is_chosen).map(|one| one.label.clone());
    let named = [
        ("state", chosen(&states)),
        ("type", chosen(&types)),
        ("chapter", chosen(&chapters)),
        ("q", Some(query.q.trim()).filter(|q| !q.is_empty()).map(|q| text.named("search-for", q))),
    ];
    let active =
        named.into_iter().filter_map(|(name, label)| Some((label?, link(PATH, &query.without(name)))));
    let active: Vec<(String, String)> = active.collect();
    let heading = if active.is_empty() {
        text.say("certifications-title")
    } else {
        let filters = active.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>().join(", ");
        text.named("certifications-filtered-title", &filters)
    };
    let layout = Layout { heading, ..layout };
    let forms = [
        (list_forms::PRINTED, "certifications-printed"),
        (list_forms::WORKBOOK, "certifications-workbook"),
        (list_forms::CSV, "certifications-file"),
    ];
    let forms = forms.map(|(path, key)| (link(path, &query.without("")), text.say(key))).into();
    ListPage {
        layout,
        q: query.q.clone(),
        chapters,
        types,
        states,
        active,
        rows: Vec::new(),
        next: None,
        forms,
        several: Vec::new(),
    }
}

/// The options of a select. A value that several organisations have is one option.
fn options(all: impl IntoIterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    let mut options: Vec<Choice> = Vec::new();
    for (value, label) in all {
        if !options.iter().any(|one| one.value == value) {
            options.push(Choice::new(value, label, chosen));
        }
    }
    options
}

/// What the filter calls a state: its plural, because certifications that are due are valid too.
fn state_label(state: Standing, text: Text) -> String {
    text.say(&format!("filter-{}", state.as_str()))
}
