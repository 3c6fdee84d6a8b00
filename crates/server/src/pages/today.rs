//! What needs a person today, in all chapters or in one. Each row leads to the action.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_engine::attention::{Attention, Item, Reason, attention};
use certvakt_engine::expiry::standing::Standing;
use certvakt_store::caller::addresses::{self, Readable};
use certvakt_store::caller::alarms::{Alarm, MOST_REPORTS};
use certvakt_store::caller::chapters::without_coordinator;
use certvakt_store::caller::{self, Filter, contacts, mentor, partners};
use certvakt_store::{CallerTx, ContactOutcome, StoreError};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::chapter_switch::{chosen, named, switch};
use super::error::PageError;
use super::partners::{path, path_of};
use super::row::{Row, name_of, tell_apart};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;

/// The path of the page.
const PATH: &str = "/today";
/// Words and the path to which they lead.
type Link = (String, String);
/// The number of chapters without a coordinator that the page names.
const MOST_NAMED: usize = 5;

/// The chapter to show, and whether a contact was just recorded.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TodayQuery {
    chapter: String,
    done: String,
    /// The certification that the contact was about.
    about: String,
}

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    layout: Layout,
    /// The chapters to choose from, with their links, and whether each is shown.
    switch: Vec<(String, String, bool)>,
    /// The headings with their rows, the most urgent first.
    groups: Vec<Group>,
    /// Held runs, problems of partners and chapters without a coordinator, each with the link to where somebody settles it: those
    /// that need the person, and those that others follow up, below their headings.
    alarms: Vec<(String, Vec<Link>)>,
    /// That others expire soon, which the heading does not count; `None` if none do.
    ahead: Option<String>,
    is_cut: bool,
    /// Whether the person sees no certification at all.
    is_empty: bool,
    /// The certification about which a contact was just recorded.
    recorded: Option<Recorded>,
}

/// A certification about which a contact was just recorded.
struct Recorded {
    id: Uuid,
    /// The mentor's name.
    name: String,
    /// What happened, and until when the page does not show the certification.
    what: String,
    /// Whether somebody will contact the mentor later.
    is_put_off: bool,
    /// The forms that end the notices to a mentor who does not want to continue: their paths and labels.
    endings: Vec<(String, String)>,
}

/// The certifications with the same reason.
struct Group {
    /// The target of the link to it.
    id: &'static str,
    heading: String,
    rows: Vec<Needed>,
}

/// A certification that needs somebody.
struct Needed {
    row: Row,
    /// What its links are about, for those who hear a link alone.
    renewal_of: String,
    contact_with: String,
    /// What the coordinator did last.
    contact: Option<String>,
    /// The phone numbers, as E.164 writes them.
    phones: Vec<String>,
}

/// Shows what needs a person.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<TodayQuery>,
) -> Result<Response, PageError> {
    let (mut tx, mut layout) = visitor.begin(&api, Section::Today).await?;
    let (now, text) = (api.clock().now(), layout.text);
    let chapters = named(&caller::chapters(&mut tx).await?);
    let chapter = chosen(&query.chapter);
    let switch = switch(&mut layout, PATH, &chapters, chapter);
    let found = attention(&mut tx, chapter, api.clock()).await?;
    let is_administrator = layout.is_administrator();
    let ids: Vec<Uuid> = found.items.iter().map(|item| item.certification.id).collect();
    let phones = addresses::readable(&mut tx, &ids, &["phone"]).await?;
    let partners = if is_administrator { partners::administered(&mut tx).await? } else { Vec::new() };
    let without = if is_administrator { without_coordinator(&mut tx).await? } else { Vec::new() };
    let is_empty = found.items.is_empty()
        && caller::certifications(&mut tx, &Filter::default(), None, 1).await?.is_empty();
    let recorded = match query.about.parse() {
        Ok(about) if query.done == "contact" => recorded(&mut tx, about, now, text).await?,
        _ => None,
    };
    tx.commit().await?;
    let (alarming, known) = alarms_of(&found.alarms, text);
    let problems = partners.iter().flat_map(|one| {
        one.problems.iter().map(move |problem| (text.partner_problem(one, problem), path_of(one)))
    });
    let alone = (!without.is_empty()).then(|| (alone(&without, text), "/chapters".to_owned()));
    let alarms: Vec<Link> = alarming.into_iter().chain(problems).chain(alone).collect();
    let needed = found.urgent() + alarms.len();
    let alarms = [(text.count("today-alarms", alarms.len()), alarms), (text.say("alarms-known"), known)];
    let soon = found.items.len() - found.urgent();
    let ahead = (needed > 0 && soon > 0).then(|| text.count("today-ahead", soon));
    let heading = match (&recorded, needed) {
        (Some(one), _) => {
            let arguments = [("number", needed.into()), ("name", one.name.as_str().into())];
            text.with("today-recorded-title", &arguments)
        }
        (_, 0) if found.is_cut => text.say("today-cut-title"),
        (_, 0) if is_empty => text.say("today-empty-title"),
        (_, 0) => text.say("today-nothing-title"),
        _ => text.count("today-title", needed),
    };
    let mut groups = [Reason::Expired, Reason::Unreachable, Reason::Week, Reason::Month]
        .map(|reason| group(reason, &found, &phones, now, text));
    tell_apart(groups.iter_mut().flat_map(|group| &mut group.rows).map(|needed| &mut needed.row));
    let layout = Layout { heading, has_news: recorded.is_some(), ..layout };
    let shown = TodayPage {
        switch,
        groups: groups.into_iter().filter(|group| !group.rows.is_empty()).collect(),
        alarms: alarms.into_iter().filter(|(_, links)| !links.is_empty()).collect(),
        ahead,
        is_cut: found.is_cut,
        is_empty,
        layout,
        recorded,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// A certification about which the caller recorded a contact within the last day.
async fn recorded(
    tx: &mut CallerTx,
    about: Uuid,
    now: DateTime<Utc>,
    text: Text,
) -> Result<Option<Recorded>, StoreError> {
    let contacts = contacts::of_certification(tx, about).await?;
    let Some(contact) = contacts.iter().find(|one| one.may_undo) else { return Ok(None) };
    let Some(found) = caller::certification(tx, about).await? else { return Ok(None) };
    let (id, name, mut endings) = (found.id, name_of(&found, text), Vec::new());
    let may_withdraw = found.is_managed && Action::Withdrawal.is_possible(Standing::of(&found, now).state);
    if contact.outcome == ContactOutcome::Stops && may_withdraw {
        let form = |end: &str, key: &str| (format!("/certifications/{id}/{end}"), text.say(key));
        endings.push(form(Action::Withdrawal.path(), "today-stops-withdraw"));
        if mentor::mentor(tx, id).await?.is_some_and(|mentor| mentor.may_end && !mentor.has_ended()) {
            endings.push(form("endings", "action-end"));
        }
    }
    let outcome = text.say(&format!("contact-{}", contact.outcome));
    let what = match contact.next_on {
        Some(day) => {
            let arguments = [("outcome", outcome.into()), ("day", text.long_date(day).into())];
            text.with("today-recorded-until", &arguments)
        }
        None => format!("{outcome}."),
    };
    Ok(Some(Recorded { id, name, what, is_put_off: contact.next_on.is_some(), endings }))
}

/// The held runs and the reports that wait for the person, and the stopped partners, which somebody else resumes. An
/// administrator finds the partners among all problems of partners.
fn alarms_of(alarms: &[Alarm], text: Text) -> (Vec<Link>, Vec<Link>) {
    let (mut needed, mut known) = (Vec::new(), Vec::new());
    for one in alarms {
        if let Some(day) = one.held_on {
            needed.push((text.named("today-held", &text.date(day)), "/runs".to_owned()));
        }
        let Some(partner) = one.partner.as_deref().filter(|_| !one.is_administered) else { continue };
        let say = |key: &str| {
            let organisation = line(one.organisation.as_deref().unwrap_or_default());
            let number = one.reports_waiting.min(MOST_REPORTS);
            let arguments = [
                ("partner", line(partner).into()),
                ("organisation", organisation.into()),
                ("number", number.into()),
            ];
            (text.with(key, &arguments), path(one.organisation_id, partner))
        };
        match one.reports_waiting {
            0 => {}
            1..=MOST_REPORTS => needed.push(say("partner-reports-waiting")),
            _ => needed.push(say("partner-reports-waiting-more")),
        }
        if one.is_stopped {
            known.push(say("today-partner-stopped"));
        }
    }
    (needed, known)
}

/// That chapters have mentors, but no coordinator; names some of them.
fn alone(chapters: &[String], text: Text) -> String {
    let named = chapters.iter().take(MOST_NAMED).map(|name| line(name)).collect::<Vec<_>>().join(", ");
    let key = if chapters.len() > MOST_NAMED {
        "today-without-coordinator-more"
    } else {
        "today-without-coordinator"
    };
    text.with(key, &[("number", chapters.len().into()), ("name", named.into())])
}

fn group(reason: Reason, found: &Attention, phones: &[Readable], now: DateTime<Utc>, text: Text) -> Group {
    let key = match reason {
        Reason::Expired => "today-expired",
        Reason::Unreachable => "today-unreachable",
        Reason::Week => "today-week",
        Reason::Month => "today-month",
    };
    let needed = |item: &Item| {
        let row = Row::of(&item.certification, now, text);
        let contact = item.contact.as_ref().map(|contact| {
            let zone = item.certification.zone.0;
            let day = text.date(contact.made_at.with_timezone(&zone).date_naive());
            text.named(&format!("contact-{}-on", contact.outcome), &day)
        });
        let (renewal_of, contact_with) =
            (row.whose("action-renew-of", text), row.whose("action-contact-of", text));
        let phones = phones.iter().filter(|one| one.certification_id == row.id);
        let phones = phones.map(|one| line(&one.address)).collect();
        Needed { row, renewal_of, contact_with, contact, phones }
    };
    let rows: Vec<Needed> = found.of(reason).map(needed).collect();
    Group { id: key, heading: text.count(key, rows.len()), rows }
}
