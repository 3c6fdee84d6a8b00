//! A certification as a row of a list.

use std::collections::HashSet;

use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::{Standing, State};
use certvakt_rules::last_valid_day;
use certvakt_store::caller::Certification;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::html::text::Text;

/// A certification as a row of a list.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Uuid,
    /// The mentor's name.
    pub(super) name: String,
    /// What a link with the name says too, if another row has the same name; empty if none has.
    pub(super) apart: String,
    /// The chapter that certified, the type and the number in the register.
    pub(super) about: String,
    /// The type and the number in the register.
    pub(super) certification: String,
    /// The last valid day.
    pub(super) date: String,
    /// The time until then; the date is never alone.
    pub(super) when: String,
    /// The state in one word.
    pub(super) state: String,
    /// The class that colours it, in addition to the words.
    pub(super) tone: &'static str,
}

impl Row {
    pub(super) fn of(one: &Certification, now: DateTime<Utc>, text: Text) -> Self {
        let standing = Standing::of(one, now);
        Self {
            id: one.id,
            name: name_of(one, text),
            apart: String::new(),
            about: about(one),
            certification: joined(&[&one.type_name, &one.external_id]),
            date: text.date_or_never(standing.last_valid_day),
            when: standing.days_left.map(|left| text.days(left)).unwrap_or_default(),
            state: text.say(&format!("state-{}", standing.state.as_str())),
            tone: tone(standing.state),
        }
    }

    /// What a link is about, for those who hear it alone: the mentor and the certification.
    pub(super) fn whose(&self, key: &str, text: Text) -> String {
        text.with(key, &[("name", self.name.as_str().into()), ("about", self.about.as_str().into())])
    }
}

/// Lets the links of rows with the same name say what tells them apart, for those who hear a link alone.
pub(super) fn tell_apart<'a>(rows: impl Iterator<Item = &'a mut Row>) {
    let mut rows: Vec<&mut Row> = rows.collect();
    let shared = shared(rows.iter().map(|row| row.name.as_str()));
    for row in rows.iter_mut().filter(|row| shared.contains(&row.name)) {
        row.apart = format!(", {}", row.about);
    }
}

/// The names that occur more than once.
pub(super) fn shared<'a>(names: impl Iterator<Item = &'a str>) -> HashSet<String> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(*name)).map(str::to_owned).collect()
}

/// What tells a certification from others: its chapter, its type and its number in the register.
pub(super) fn about(one: &Certification) -> String {
    joined(&[&one.chapter, &one.type_name, &one.external_id])
}

fn joined(parts: &[&Option<String>]) -> String {
    parts.iter().filter_map(|part| part.as_deref().map(line)).collect::<Vec<_>>().join(", ")
}

/// The mentor's name, or a text in its place.
pub(super) fn name_of(one: &Certification, text: Text) -> String {
    match &one.mentor {
        Some(name) => line(name),
        None if one.is_mentor_erased => text.say("person-erased-name"),
        None => text.say("person-unnamed"),
    }
}

/// What tells a certification from those of others with the same name in the same chapter: its number in the register, or else
/// its type and last valid day.
fn told_apart(one: &Certification, text: Text) -> String {
    if let Some(number) = &one.external_id {
        return text.named("number-of", number);
    }
    let day = text.date_or_never(one.expires_at.map(|at| last_valid_day(at, one.zone.0)));
    joined(&[&one.type_name, &Some(day)])
}

/// The mentor's name with what tells the certification apart.
pub(super) fn titled(one: &Certification, text: Text) -> String {
    joined(&[&Some(name_of(one, text)), &Some(told_apart(one, text))])
}

/// The mentor's name and chapter.
pub(super) fn with_chapter(one: &Certification, text: Text) -> String {
    joined(&[&Some(name_of(one, text)), &one.chapter])
}

/// The mentor's name and chapter with what tells the certification apart.
pub(super) fn titled_with_chapter(one: &Certification, text: Text) -> String {
    joined(&[&Some(name_of(one, text)), &one.chapter, &Some(told_apart(one, text))])
}

/// The class that colours a state, in addition to its words.
pub(super) const fn tone(state: State) -> &'static str {
    match state {
        State::Valid => "good",
        State::Due => "warn",
        State::Expired | State::Lapsed => "bad",
        State::Suspended | State::Withdrawn => "soft",
    }
}
