//! The form that a person sent after their session had expired, or before they had to sign in again for step-up.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_store::{CallerTx, StoreError, caller};

use super::action::Action;
use super::error::PageError;
use super::form::Nothing;
use super::row::titled_with_chapter;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage {
    layout: Layout,
    path: String,
    fields: Vec<(String, String)>,
    /// What was entered, with labels.
    entered: Vec<(String, String)>,
}

/// The fields that people fill in, with the keys of their labels.
const LABELS: [(&str, &str); 7] = [
    ("outcome", "kept-outcome"),
    ("date", "kept-date"),
    ("next_on", "contact-next"),
    ("evidence", "fact-evidence"),
    ("note", "fact-note"),
    ("email", "address-email"),
    ("phone", "address-phone"),
];

/// Shows that the form was kept, to be sent again.
pub(super) async fn show(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Today).await?;
    let Some(kept) = caller::kept_form(&mut tx).await? else {
        tx.commit().await?;
        return Ok(Redirect::to("/").into_response());
    };
    let text = layout.text;
    let form = form_title(&mut tx, &kept.path, text).await?;
    tx.commit().await?;
    let mut fields: Vec<(String, String)> =
        form_urlencoded::parse(kept.fields.as_bytes()).into_owned().collect();
    // A change that is checked before it is saved is checked again.
    fields.retain(|(name, _)| !matches!(name.as_str(), "step" | "kept"));
    let entered = LABELS.iter().filter_map(|(name, key)| {
        let (_, value) = fields.iter().find(|(one, value)| one == name && !value.is_empty())?;
        let outcome = text.say(&format!("contact-{value}"));
        let value = if *name == "outcome" && !outcome.is_empty() { outcome } else { value.clone() };
        Some((text.say(key), value))
    });
    let entered = entered.collect();
    let heading = form.map_or_else(|| text.say("kept-title"), |form| text.named("kept-title-of", &form));
    let layout = Layout { heading, has_news: true, ..layout };
    Ok(page(StatusCode::OK, &KeptPage { layout, path: kept.path, fields, entered }))
}

/// The title of the form's page, if the form is about a certification that the person still sees.
async fn form_title(tx: &mut CallerTx, path: &str, text: Text) -> Result<Option<String>, StoreError> {
    let mut parts = path.split(['/', '?']).skip(1);
    let (Some("certifications"), Some(id), Some(form)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let key = match (form, Action::from_path(form)) {
        ("contacts", _) => "action-contact-title".to_owned(),
        (_, Some(action)) => format!("{}-title", action.key()),
        _ => return Ok(None),
    };
    let Ok(id) = id.parse() else { return Ok(None) };
    let found = caller::certification(tx, id).await?;
    Ok(found.map(|found| text.named(&key, &titled_with_chapter(&found, text))))
}

/// Discards the form.
pub(super) async fn discard(
    State(api): State<Api>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Today).await?;
    caller::discard_kept_form(&mut tx).await?;
    tx.commit().await?;
    Ok(Redirect::to("/").into_response())
}
