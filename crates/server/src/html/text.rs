//! The texts of pages, in the language of the person or of the browser.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use certvakt_base::catalog;
use certvakt_base::i18n::{Catalog, Locale, line};
use certvakt_engine::config::LabelConfig;
use certvakt_store::caller::partners::Partner;
use certvakt_store::partner::Problem;
use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use fluent_bundle::{FluentArgs, FluentValue};

/// The catalogs, each of a topic. No id is in two of them.
static CATALOGS: [Catalog; 14] = [
    catalog!("pages.ftl"),
    catalog!("addresses.ftl"),
    catalog!("administration.ftl"),
    catalog!("changes.ftl"),
    catalog!("explained.ftl"),
    catalog!("imports.ftl"),
    catalog!("lists.ftl"),
    catalog!("mine.ftl"),
    catalog!("partners.ftl"),
    catalog!("people.ftl"),
    catalog!("roles.ftl"),
    catalog!("settings.ftl"),
    catalog!("sign_in.ftl"),
    catalog!("texts.ftl"),
];

/// The texts of one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text(Locale);

impl Text {
    /// The language that a person chose; if they chose none, the language of the browser.
    pub(crate) fn of_person(chosen: Option<&str>, browser: Self) -> Self {
        chosen.map_or(browser, |tag| Self(Locale::from_tag(tag)))
    }

    /// The first of the browser's languages that we have; Norwegian if there is none.
    pub(crate) fn of_browser(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let known = wanted.unwrap_or_default().split(',').find_map(|tag| match tag.trim().get(..2) {
            Some("nb" | "no" | "nn") => Some(Locale::Nb),
            Some("en") => Some(Locale::En),
            _ => None,
        });
        Self(known.unwrap_or(Locale::Nb))
    }

    /// The text of a provider's button.
    pub(crate) fn of_provider(self, label: &LabelConfig) -> String {
        match self.0 {
            Locale::Nb => label.nb.clone(),
            Locale::En => label.en.clone(),
        }
    }

    /// The tag of the language, for `lang`.
    pub(crate) fn tag(self) -> &'static str {
        self.0.tag()
    }

    /// Looks up a message; empty if it does not exist.
    pub(crate) fn say(self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A message with `$number`.
    pub(crate) fn count(self, key: &str, number: impl Into<FluentValue<'static>>) -> String {
        self.with(key, &[("number", number.into())])
    }

    /// A message with `$name`: a text from outside, limited to one line.
    pub(crate) fn named(self, key: &str, name: &str) -> String {
        self.with(key, &[("name", line(name).into())])
    }

    /// A message with arguments.
    pub(crate) fn with(self, key: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> String {
        let arguments: FluentArgs<'_> = arguments.iter().cloned().collect();
        let mut texts = CATALOGS.iter().map(|catalog| catalog.say(self.0, key, &arguments));
        texts.find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// A problem of a partner as a sentence.
    pub(crate) fn partner_problem(self, one: &Partner, problem: &Problem) -> String {
        let arguments = [
            ("organisation", line(&one.organisation).into()),
            ("partner", line(&one.partner).into()),
            // A credential that has expired reads as one that expires today.
            ("number", problem.number.unwrap_or_default().max(0).into()),
        ];
        self.with(&format!("partner-{}", problem.kind.as_str()), &arguments)
    }

    /// A date, as `15. juni 2026`.
    pub(crate) fn date(self, day: NaiveDate) -> String {
        let month = self.say(&format!("month-{}", day.month()));
        self.with(
            "date",
            &[
                ("day", day.day().to_string().into()),
                ("month", month.into()),
                ("year", day.year().to_string().into()),
            ],
        )
    }

    /// A date with the time of day, as `15. juni 2026 kl. 12:30`.
    pub(crate) fn time(self, at: DateTime<Tz>) -> String {
        let time = at.format("%H:%M").to_string();
        self.with("date-and-time", &[("date", self.date(at.date_naive()).into()), ("time", time.into())])
    }

    /// The last valid day as a date, or that there is none.
    pub(crate) fn date_or_never(self, day: Option<NaiveDate>) -> String {
        day.map_or_else(|| self.say("never-expires"), |day| self.date(day))
    }

    /// A date with its weekday, as `mandag 15. juni 2026`.
    pub(crate) fn long_date(self, day: NaiveDate) -> String {
        let weekday = self.say(&format!("weekday-{}", day.weekday().number_from_monday()));
        self.with("long-date", &[("weekday", weekday.into()), ("date", self.date(day).into())])
    }

    /// The time from today to a day, as `om 12 dager`.
    pub(crate) fn days(self, left: i64) -> String {
        match left {
            0 => self.say("today"),
            1 => self.say("tomorrow"),
            -1 => self.say("yesterday"),
            2.. => self.count("in-days", left),
            _ => self.count("days-ago", -left),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Text {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of_browser(&parts.headers))
    }
}
