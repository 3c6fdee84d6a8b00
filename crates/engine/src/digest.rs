//! The digests of coordinators: `Today` as an e-mail. The database decides who gets one and what is in it, in one set
//! for all organisations; the mail queue sends them within each organisation's delivery hours.

use std::collections::HashMap;

use askama::Template;
use certvakt_base::catalog;
use certvakt_base::clock::Clock;
use certvakt_base::i18n::{Catalog, Locale, line};
use certvakt_store::auth::{MailKind, QueuedMail};
use certvakt_store::caller::alarms::MOST_REPORTS;
use certvakt_store::digest::{self, Day, Line, Partner};
use certvakt_store::organisation::Organisation;
use certvakt_store::{Database, StoreError, organisation, report};
use chrono::{DateTime, Utc};
use fluent_bundle::FluentArgs;
use reqwest::Url;
use uuid::Uuid;

use crate::delivery::text::date;
use crate::expiry::schedule;
use crate::mail::{self, Mail};

/// The maximum number of mentors that a digest lists. It counts the others.
const MOST: i64 = 200;
/// The ids of the texts of each reason, by its number minus one.
const REASONS: [&str; 4] = ["expired", "unreachable", "week", "month"];

static CATALOG: Catalog = catalog!("digests.ftl");

/// Queues the digests of the organisations whose hours have begun today. A run that is merely due comes first, because
/// it finds who is unreachable.
pub(crate) async fn queue(
    database: &Database,
    clock: &Clock,
    late_after_minutes: u32,
) -> Result<(), StoreError> {
    let now = clock.now();
    let mut tx = database.worker().await?;
    let organisations = organisation::list(&mut tx).await?;
    let runs = report::runs(&mut tx).await?;
    let days: Vec<Day> = organisations
        .iter()
        .filter(|one| {
            let run = runs.iter().find(|run| run.organisation_id == one.id);
            let has_problem = !schedule::problems(one, run, now, late_after_minutes).is_empty();
            has_begun(one, now) && (has_problem || schedule::overdue(one, run, now).is_none())
        })
        .map(|one| day(one, clock))
        .collect();
    if digest::queue(&mut tx, &days).await? > 0 {
        tracing::info!("digests queued");
    }
    tx.commit().await
}

/// Whether an organisation's morning has begun: its delivery hours or, if they are the whole day, the time after its run.
fn has_begun(organisation: &Organisation, now: DateTime<Utc>) -> bool {
    let hours = organisation.hours;
    let is_after_run = now.with_timezone(&organisation.zone).time() >= organisation.run_at;
    hours.is_open(now, organisation.zone) && (hours.from != hours.until || is_after_run)
}

fn day(organisation: &Organisation, clock: &Clock) -> Day {
    Day { organisation_id: organisation.id, today: clock.today(organisation.zone) }
}

/// The delay in seconds of digests whose content could not be read.
const UNREAD_WAIT: u32 = 300;

/// When to send a digest.
pub(crate) enum Due {
    /// Now, as this e-mail.
    Now(askama::Result<Mail>),
    /// In so many seconds: the organisation's hours have ended.
    Later(u32),
    /// Nothing needs the person any more, or they turned it off.
    Never,
}

/// The content of some digests.
#[derive(Default)]
pub(crate) struct Digests {
    /// The lines, by organisation and person; `None` if they could not be read.
    lines: Option<HashMap<(Uuid, Uuid), Vec<Line>>>,
    /// The seconds until the hours of each closed organisation.
    closed: HashMap<Uuid, u32>,
}

impl Digests {
    /// Reads the content of the digests among some e-mails, with one statement. A failure delays them, and no other
    /// e-mail.
    pub(crate) async fn read(
        database: &Database,
        clock: &Clock,
        mails: impl Iterator<Item = &MailKind>,
    ) -> Self {
        let asked: Vec<(Uuid, Uuid)> = mails
            .filter_map(|kind| match kind {
                MailKind::Digest { organisation, person } => Some((*organisation, *person)),
                _ => None,
            })
            .collect();
        if asked.is_empty() {
            return Self::default();
        }
        Self::of(database, clock, &asked).await.unwrap_or_else(|error| {
            tracing::error!(code = error.code(), "could not read the content of digests: {error}");
            Self::default()
        })
    }

    async fn of(database: &Database, clock: &Clock, asked: &[(Uuid, Uuid)]) -> Result<Self, StoreError> {
        let now = clock.now();
        let mut tx = database.worker().await?;
        let organisations = organisation::list(&mut tx).await?;
        let concerned = organisations.iter().filter(|one| asked.iter().any(|(id, _)| *id == one.id));
        let (open, closed): (Vec<_>, Vec<_>) = concerned.partition(|one| one.hours.is_open(now, one.zone));
        let days: Vec<Day> = open.into_iter().map(|one| day(one, clock)).collect();
        let mut lines: HashMap<(Uuid, Uuid), Vec<Line>> = HashMap::new();
        for line in digest::contents(&mut tx, asked, &days, MOST).await? {
            lines.entry((line.organisation_id, line.person_id)).or_default().push(line);
        }
        tx.rollback().await?;
        let closed = closed
            .into_iter()
            .map(|one| {
                let wait = one.hours.next_open(now, one.zone) - now;
                (one.id, u32::try_from(wait.num_seconds()).unwrap_or(0))
            })
            .collect();
        Ok(Self { lines: Some(lines), closed })
    }

    /// Writes the digest of a person.
    pub(crate) fn write(&self, mail: &QueuedMail, organisation: Uuid, person: Uuid, base: &Url) -> Due {
        if let Some(seconds) = self.closed.get(&organisation) {
            return Due::Later(*seconds);
        }
        match self.lines.as_ref().map(|lines| lines.get(&(organisation, person))) {
            Some(Some(lines)) => Due::Now(write(mail, lines, base)),
            Some(None) => Due::Never,
            None => Due::Later(UNREAD_WAIT),
        }
    }
}

fn write(mail: &QueuedMail, lines: &[Line], base: &Url) -> askama::Result<Mail> {
    let text = Text::new(mail, lines, base);
    let body = mail::body(Plain { text: &text }.render()?, Html { text: &text }.render()?);
    // A repeat carries the same id.
    let id = mail.id.to_string();
    let unsubscribe = Some(text.unsubscribe.1);
    Ok(Mail { to: mail.address.clone(), subject: text.subject, id, body, unsubscribe })
}

/// Words and the URL to which they lead.
type Link = (String, String);

/// The text of a digest.
struct Text {
    language: &'static str,
    subject: String,
    preheader: String,
    greeting: String,
    about: String,
    /// The held run, and the partners that need the person.
    alarms: Vec<Link>,
    chapters: Vec<Chapter>,
    /// How many mentors are not listed.
    more: Option<Link>,
    footer: String,
    schedule: Link,
    unsubscribe: Link,
}

/// The mentors of a chapter.
struct Chapter {
    name: String,
    url: String,
    counts: String,
    rows: Vec<Link>,
}

impl Text {
    fn new(mail: &QueuedMail, lines: &[Line], base: &Url) -> Self {
        let locale = Locale::from_tag(&mail.locale);
        let mut chapters: Vec<(&[i64], Chapter)> = Vec::new();
        for of_chapter in lines.chunk_by(|one, next| one.chapter_id == next.chapter_id) {
            let Some(Line { chapter_id: Some(id), chapter: Some(name), counts: Some(counts), .. }) =
                of_chapter.first()
            else {
                continue;
            };
            let chapter = Chapter {
                name: line(name),
                url: format!("{base}today?chapter={id}"),
                counts: said_counts(locale, counts),
                rows: of_chapter.iter().filter_map(|one| row(locale, one, base)).collect(),
            };
            chapters.push((counts, chapter));
        }
        let sum = |reasons: usize| -> i64 {
            chapters.iter().flat_map(|(counts, _)| counts.iter().take(reasons)).sum()
        };
        let (urgent, all) = (sum(2), sum(REASONS.len()));
        let listed: usize = chapters.iter().map(|(_, chapter)| chapter.rows.len()).sum();
        let more = all - i64::try_from(listed).unwrap_or(all);
        let alarms = lines.first().map(|one| alarms(locale, one, base)).unwrap_or_default();
        let unsubscribe = lines.first().map(|one| one.unsubscribe).unwrap_or_default();
        let name = mail.name.as_deref().map(line);
        Self {
            language: locale.tag(),
            subject: say(locale, "subject", []),
            preheader: say(locale, "preheader", []),
            greeting: match name {
                Some(name) => say(locale, "greeting-named", [("name", name)]),
                None => say(locale, "greeting", []),
            },
            about: match urgent {
                0 if !alarms.is_empty() => say(locale, "about-alarms", []),
                _ => count(locale, "about", urgent),
            },
            alarms,
            more: (more > 0).then(|| (count(locale, "more", more), format!("{base}today"))),
            footer: say(locale, "footer", []),
            schedule: (say(locale, "schedule", []), format!("{base}me")),
            unsubscribe: (say(locale, "unsubscribe", []), format!("{base}unsubscribe?token={unsubscribe}")),
            chapters: chapters.into_iter().map(|(_, chapter)| chapter).collect(),
        }
    }
}

/// The held run and the partners, each with the link to where somebody settles it.
fn alarms(locale: Locale, one: &Line, base: &Url) -> Vec<Link> {
    let held =
        one.held_on.map(|day| (say(locale, "held", [("date", date(locale, day))]), format!("{base}runs")));
    let partners = one.partners.iter().flat_map(|partner| {
        let link = format!("{base}partners/{}/{}", one.organisation_id, partner.name);
        said_of(locale, partner).into_iter().map(move |words| (words, link.clone()))
    });
    held.into_iter().chain(partners).collect()
}

/// What a partner needs, in the words of `Today`.
fn said_of(locale: Locale, partner: &Partner) -> Vec<String> {
    let say = |key: &str, number: i64| {
        let mut arguments = FluentArgs::new();
        arguments.set("partner", line(&partner.name));
        arguments.set("number", number);
        CATALOG.say(locale, key, &arguments)
    };
    let reports = match partner.reports_waiting {
        0 => None,
        number @ 1..=MOST_REPORTS => Some(say("partner-reports-waiting", number)),
        _ => Some(say("partner-reports-waiting-more", MOST_REPORTS)),
    };
    reports.into_iter().chain(partner.is_stopped.then(|| say("partner-stopped", 0))).collect()
}

/// A mentor, named only if the organisation allows it, with the link to the certification.
fn row(locale: Locale, one: &Line, base: &Url) -> Option<Link> {
    let (Some(true), Some(id), Some(reason), Some(day)) =
        (one.is_listed, one.certification_id, one.reason, one.last_valid_day)
    else {
        return None;
    };
    let reason = REASONS.get(usize::try_from(reason).ok()?.checked_sub(1)?)?;
    let what = say(locale, reason, [("date", date(locale, day))]);
    let words = match &one.mentor {
        Some(who) => say(locale, "named", [("who", line(who)), ("what", what)]),
        None => what,
    };
    Some((words, format!("{base}certifications/{id}")))
}

/// The numbers of a chapter that are not zero.
fn said_counts(locale: Locale, counts: &[i64]) -> String {
    let said = REASONS.iter().zip(counts).filter(|(_, number)| **number > 0);
    said.map(|(reason, number)| count(locale, &format!("{reason}-count"), *number))
        .collect::<Vec<_>>()
        .join(", ")
}

fn say<const N: usize>(locale: Locale, key: &str, arguments: [(&'static str, String); N]) -> String {
    CATALOG.say(locale, key, &arguments.into_iter().collect())
}

fn count(locale: Locale, key: &str, number: i64) -> String {
    let mut arguments = FluentArgs::new();
    arguments.set("number", number);
    CATALOG.say(locale, key, &arguments)
}

#[derive(Template)]
#[template(path = "digest.txt", escape = "none")]
struct Plain<'a> {
    text: &'a Text,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Html<'a> {
    text: &'a Text,
}
