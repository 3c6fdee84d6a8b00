//! A letter to a mentor about the end of a certification, for those without e-mail: it says what the e-mail of the present stage
//! says, in the mentor's language.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::{Locale, line};
use certvakt_engine::delivery::Notice;
use certvakt_engine::delivery::text::mail;
use certvakt_engine::delivery::wording::{Wording, normal};
use certvakt_engine::expiry::standing::{Standing, State as InState};
use certvakt_rules::Stage;
use certvakt_store::caller::Certification;
use certvakt_store::caller::letters::{Letter, letter};
use uuid::Uuid;

use super::error::PageError;
use super::form::changeable;
use super::row::titled;
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

#[derive(Template)]
#[template(path = "letter.html")]
struct LetterPage {
    layout: Layout,
    id: Uuid,
    /// The letter; `None` if there is no end to write about.
    written: Option<Written>,
}

/// A letter in the mentor's language.
struct Written {
    text: Text,
    organisation: String,
    /// The day on which it is printed.
    today: String,
    name: String,
    /// What is known about the certification.
    facts: Vec<(String, String)>,
    greeting: String,
    /// The lines of each paragraph.
    paragraphs: Vec<Vec<String>>,
    /// Whom to ask for help.
    help: String,
}

/// Whether there is an end to write about.
pub(super) fn has_letter(standing: &Standing) -> bool {
    standing.last_valid_day.is_some() && !matches!(standing.state, InState::Suspended | InState::Withdrawn)
}

/// The language of a mentor, in which letters to them are.
pub(super) fn language(letter: &Letter, text: Text) -> Text {
    Text::of_person(Some(&letter.locale), text)
}

/// Shows the letter.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = changeable(&mut tx, id).await?;
    let standing = Standing::of(&found, api.clock().now());
    let days_before = standing.stage.and_then(|stage| i32::try_from(stage.days_before()).ok());
    let letter = letter(&mut tx, id, days_before).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    let help = Some(api.pages().help.clone()).filter(|help| !help.is_empty());
    let written = written(&found, &standing, &letter, language(&letter, layout.text));
    let written = written.filter(|_| has_letter(&standing)).map(|one| match help {
        Some(help) => Written { help, ..one },
        None => one,
    });
    let heading = layout.text.named("mentor-letter-title", &titled(&found, layout.text));
    Ok(page(StatusCode::OK, &LetterPage { id, written, layout: Layout { heading, ..layout } }))
}

/// The letter about a certification that has an end.
fn written(found: &Certification, standing: &Standing, letter: &Letter, text: Text) -> Option<Written> {
    let (last_valid_day, days_left) = standing.last_valid_day.zip(standing.days_left)?;
    let certification = found.type_name.as_deref().unwrap_or(&found.type_code);
    // The built-in text replaces one that is not valid any more, as in e-mails.
    let wording = letter.body.as_deref().and_then(|body| Wording::parse(&normal(body)).ok());
    let mail = mail(&Notice {
        certification_id: found.id,
        // Outside the stages, there is only the built-in text, which depends on the day.
        stage: standing.stage.unwrap_or(Stage::Expired),
        last_valid_day,
        days_left,
        idempotency_key: "",
        locale: Locale::from_tag(&letter.locale),
        recipient_name: found.mentor.as_deref(),
        organisation: &letter.organisation,
        certification,
        chapter: found.chapter.as_deref().unwrap_or_default(),
        wording: wording.as_ref(),
        names_certification: true,
    });
    let day = format!("{}, {}", text.date(last_valid_day), text.days(days_left));
    let facts = [("fact-type", line(certification)), ("fact-valid-until", day)];
    Some(Written {
        text,
        organisation: line(&letter.organisation),
        today: text.date(standing.today),
        name: found.mentor.as_deref().map(line).unwrap_or_default(),
        facts: facts.map(|(key, value)| (text.say(key), value)).into(),
        greeting: mail.greeting,
        paragraphs: mail.paragraphs,
        help: text.say("about-help"),
    })
}
