//! The list of certifications. Its URL holds every filter.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::Standing;
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::caller::{self, Certification, Chapter, Organisation};
use chrono::{DateTime, NaiveDate, Utc};

use super::action::Action;
use super::chapter_switch::{keep, named};
use super::error::PageError;
use super::form::{Choice, Fault};
use super::link::link;
use super::list_query::{BY_MENTOR, BY_NAME, ListQuery, RENEWAL, STATES, filter_of, row, state_label};
use super::paging::Page;
use super::row::{Row, tell_apart};
use super::visitor::Visitor;
use super::{dates, list_forms, paging};
use crate::api::Api;
use crate::extract::Query;
use crate::html;
use crate::html::layout::{Layout, Section};
use crate::html::text::Text;

/// The path of the list.
const PATH: &str = "/certifications";

#[derive(Template)]
#[template(path = "certifications.html")]
struct ListPage {
    layout: Layout,
    q: String,
    /// The day of the states as a form shows it, or as it was entered if it is wrong.
    on: String,
    chapters: Vec<Choice>,
    types: Vec<Choice>,
    states: Vec<Choice>,
    orders: Vec<Choice>,
    /// The active filters, each with the link that removes it.
    active: Vec<(String, String)>,
    /// Whether the list was asked for with a form or a link of its own: the focus then goes to what was found, which the
    /// first row follows.
    is_asked: bool,
    /// Which of how many the page shows.
    found: String,
    /// Whether the list is too long for the chosen order.
    is_too_long: bool,
    rows: Vec<Row>,
    /// The link to the previous page, with its label.
    previous: Option<(String, String)>,
    /// The link to the next page.
    next: Option<String>,
    /// The link to the list for print.
    printed: String,
    /// The filters and the order, for the form that downloads the list.
    parameters: Vec<(&'static str, String)>,
    /// What the person may do with all of the list at once: the link, and its label.
    several: Vec<(String, String)>,
    /// What is wrong with the day.
    faults: Vec<Fault>,
}

/// Shows the list.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<ListQuery>,
    RawQuery(asked): RawQuery,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let (mut tx, mut layout) = visitor.begin(&api, Section::Certifications).await?;
    let text = layout.text;
    // With a wrong day, the list is that of today.
    let wrong = query.day(now).err();
    let entered = query.on.clone();
    let query = if wrong.is_some() { ListQuery { on: String::new(), ..query } } else { query };
    let organisations = caller::organisations(&mut tx).await?;
    let types = overview::certification_types(&mut tx).await?;
    let chapters = caller::chapters(&mut tx).await?;
    let filter = filter_of(&query, &organisations, &api)?;
    // The filters of the list have the choice.
    keep(&mut layout, &named(&chapters), filter.chapter_id);
    let page = paging::page(&mut tx, PATH, &query, &filter, now).await?;
    tx.commit().await?;
    let mut rows: Vec<Row> = page.found.iter().map(|one| row(one, filter.on, now, text)).collect();
    tell_apart(rows.iter_mut());
    let several = several(&page.found, &query, now, text);
    let mut list = list(layout, &query, filter.on, (&organisations, &chapters, &types));
    let status = match wrong {
        Some(key) => {
            list.layout.is_refused = true;
            list.faults = vec![Fault { field: "on".into(), what: text.say(key) }];
            list.on = entered;
            StatusCode::UNPROCESSABLE_ENTITY
        }
        None => StatusCode::OK,
    };
    let shown = ListPage {
        rows,
        several,
        is_asked: asked.is_some_and(|query| !query.is_empty()) && list.faults.is_empty(),
        found: found(&page, text),
        is_too_long: page.is_too_long,
        previous: page.previous.map(|(link, key)| (link, text.say(key))),
        next: page.next,
        ..list
    };
    Ok(html::page(status, &shown))
}

/// Which of how many the page shows.
fn found(page: &Page, text: Text) -> String {
    let total = match page.total {
        Some(total) => text.count("list-total", total),
        None => text.count("list-total-over", paging::COUNTED),
    };
    match (page.before, page.found.len()) {
        (Some(before), shown @ 1..) if page.total.is_none_or(|total| total >= before + shown) => text.with(
            "list-found",
            &[("first", (before + 1).into()), ("last", (before + shown).into()), ("total", total.into())],
        ),
        _ => text.named("list-found-of", &total),
    }
}

/// What the person may do with several of the list at once.
fn several(
    found: &[Certification],
    query: &ListQuery,
    now: DateTime<Utc>,
    text: Text,
) -> Vec<(String, String)> {
    // The form begins with the first certification of the list, so it is offered where the list begins.
    if !query.after.is_empty() {
        return Vec::new();
    }
    // Without a filter, it would contain everybody, which is hardly meant.
    if !query.is_filtered() {
        let is_any = found.iter().any(|one| one.is_managed);
        let who = || (link(PATH, &[("state", RENEWAL)]), text.say("several-renewal"));
        return is_any.then(who).into_iter().collect();
    }
    let actions = [Action::Renewal, Action::Suspension, Action::Reinstatement].into_iter().filter(|action| {
        let is_possible = |one: &Certification| {
            one.is_managed && action.is_possible_among_several(Standing::of(one, now).state)
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
fn list(
    layout: Layout,
    query: &ListQuery,
    on: Option<NaiveDate>,
    (organisations, chapters, types): (&[Organisation], &[Chapter], &[CertificationType]),
) -> ListPage {
    let text = layout.text;
    let chapters = options(chapters.iter().map(|one| (one.id.to_string(), line(&one.name))), &query.chapter);
    let types = options(types.iter().map(|one| (one.code.clone(), line(&one.name))), &query.r#type);
    let states = STATES.map(|one| (one.to_owned(), state_label(one, organisations, text)));
    let states = options(states, &query.state);
    let orders = [("", "order-expiry"), (BY_NAME, "order-name"), (BY_MENTOR, "order-mentor")];
    let orders = options(orders.map(|(value, key)| (value.to_owned(), text.say(key))), &query.order);
    let chosen = |options: &[Choice]| options.iter().find(|one| one.is_chosen).map(|one| one.label.clone());
    let named = [
        ("state", chosen(&states)),
        ("on", on.map(|day| text.named("filter-on-day", &text.date(day)))),
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
    let parameters = query.without("").into_iter().filter(|(_, value)| !value.is_empty());
    ListPage {
        layout,
        q: query.q.clone(),
        on: on.map(dates::write).unwrap_or_default(),
        chapters,
        types,
        states,
        orders,
        active,
        is_asked: false,
        found: String::new(),
        is_too_long: false,
        rows: Vec::new(),
        previous: None,
        next: None,
        printed: link(list_forms::PRINTED, &query.without("")),
        parameters: parameters.map(|(name, value)| (name, value.to_owned())).collect(),
        several: Vec::new(),
        faults: Vec::new(),
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
