//! The text of a notice, in the person's language.

use certvakt_base::catalog;
use certvakt_base::i18n::{Catalog, Locale, line};
use certvakt_rules::Stage;
use chrono::{Datelike, NaiveDate};
use fluent_bundle::FluentArgs;

use super::Notice;
use super::wording::{Field, paragraphs};

static CATALOG: Catalog = catalog!("notices.ftl");

/// The text of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushText {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
}

/// The text of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// The subject.
    pub subject: String,
    /// The preview text, which lock screens show next to the subject.
    pub preheader: String,
    /// The greeting.
    pub greeting: String,
    /// The lines of each paragraph: the organisation's own text, or the built-in one.
    pub paragraphs: Vec<Vec<String>>,
    /// The sender.
    pub footer: String,
    /// The title of the calendar entry.
    pub calendar: String,
    /// The language tag.
    pub language: &'static str,
}

/// The text of a push. It names the certification only if the organisation allows it.
pub fn push(notice: &Notice<'_>) -> PushText {
    if notice.names_certification {
        let speaker = Speaker::new(notice);
        let days = speaker.days();
        PushText { title: speaker.say("title-named"), body: format!("{} {days}", speaker.validity()) }
    } else {
        let speaker = Speaker::silent(notice);
        PushText { title: speaker.say("title"), body: speaker.say("body") }
    }
}

/// The text of an e-mail for a notice. The built-in text replaces one of the organisation's own that has a field without a
/// value.
pub fn mail(notice: &Notice<'_>) -> MailText {
    let speaker = Speaker::new(notice);
    let own = notice.wording.and_then(|wording| {
        let filled = wording.fill(|field| speaker.value(field, notice));
        if filled.is_none() {
            tracing::warn!(
                certification = %notice.certification_id,
                "a value in the organisation's own text of a notice is unknown, and the built-in text is sent"
            );
        }
        filled
    });
    let named = |key: &str| {
        if notice.names_certification { speaker.say(&format!("{key}-named")) } else { speaker.say(key) }
    };
    MailText {
        subject: named("subject"),
        preheader: speaker.say("preheader"),
        greeting: speaker.say(if notice.recipient_name.is_some() { "greeting-named" } else { "greeting" }),
        paragraphs: paragraphs(&own.unwrap_or_else(|| speaker.body())),
        footer: speaker.say("footer"),
        calendar: named("calendar"),
        language: notice.locale.tag(),
    }
}

/// The built-in text of a stage, with its fields: what an organisation changes to write its own.
pub fn built_in(stage: Stage, locale: Locale) -> String {
    let mut speaker = Speaker { locale, arguments: FluentArgs::new(), is_past: stage == Stage::Expired };
    for (argument, field) in
        [("date", Field::Date), ("organisation", Field::Organisation), ("certification", Field::Type)]
    {
        speaker.arguments.set(argument, format!("{{{}}}", field.as_str()));
    }
    let remaining = format!("{{{}}}", Field::Remaining.as_str());
    format!("{}\n{remaining}\n\n{}", speaker.validity(), speaker.say("action"))
}

/// The value of a field for a notice, if it is known.
pub fn value(notice: &Notice<'_>, field: Field) -> Option<String> {
    Speaker::new(notice).value(field, notice)
}

/// A date in words, as `15. juni 2026`.
pub(crate) fn date(locale: Locale, day: NaiveDate) -> String {
    let mut arguments = FluentArgs::new();
    arguments.set("day", day.day().to_string());
    arguments.set("year", day.year().to_string());
    arguments.set("month", CATALOG.say(locale, &format!("month-{}", day.month()), &FluentArgs::new()));
    CATALOG.say(locale, "date", &arguments)
}

struct Speaker<'a> {
    locale: Locale,
    arguments: FluentArgs<'a>,
    is_past: bool,
}

impl<'a> Speaker<'a> {
    /// Arguments without the details of the notice.
    fn silent(notice: &Notice<'_>) -> Self {
        Self { locale: notice.locale, arguments: FluentArgs::new(), is_past: notice.days_left < 0 }
    }

    fn new(notice: &'a Notice<'a>) -> Self {
        let mut speaker = Self::silent(notice);
        speaker.arguments.set("date", date(notice.locale, notice.last_valid_day));
        speaker.arguments.set("days", notice.days_left.abs());
        speaker.arguments.set("organisation", line(notice.organisation));
        speaker.arguments.set("certification", line(notice.certification));
        if let Some(name) = &notice.recipient_name {
            speaker.arguments.set("name", line(name));
        }
        speaker
    }

    fn validity(&self) -> String {
        self.say(if self.is_past { "expired-on" } else { "valid-until" })
    }

    fn days(&self) -> String {
        self.say(if self.is_past { "days-past" } else { "days-left" })
    }

    /// The built-in text.
    fn body(&self) -> String {
        format!("{}\n{}\n\n{}", self.validity(), self.days(), self.say("action"))
    }

    /// The value of a field, if it is known.
    fn value(&self, field: Field, notice: &Notice<'_>) -> Option<String> {
        Some(match field {
            Field::Name => line(notice.recipient_name?),
            Field::Type => line(notice.certification),
            Field::Date => date(notice.locale, notice.last_valid_day),
            Field::Days => self.say("days"),
            Field::Remaining => self.days(),
            Field::Chapter => line(notice.chapter),
            Field::Organisation => line(notice.organisation),
        })
    }

    fn say(&self, key: &str) -> String {
        CATALOG.say(self.locale, key, &self.arguments)
    }
}
