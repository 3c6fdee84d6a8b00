//! The sign-in pages: one page layout, in the browser's language, that works without scripts.

use std::convert::Infallible;

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use certvakt_base::catalog;
use certvakt_base::i18n::Locale;
use certvakt_base::i18n::{Catalog, line};
use certvakt_store::caller::partners::Partner;
use certvakt_store::caller::sessions::Session;
use chrono_tz::Tz;
use fluent_bundle::FluentArgs;

use super::navigation::{END_SESSION, HOME};
use crate::problem::Code;

static CATALOG: Catalog = catalog!("pages.ftl");

/// The content security policy: a page loads only our style sheet, and its forms are sent only to us.
const POLICY: &str = "default-src 'none'; style-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The browser's language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Language(Locale);

impl Language {
    /// The first of the browser's languages that we have; Norwegian if there is none.
    fn of(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let known = wanted.unwrap_or_default().split(',').find_map(|tag| match tag.trim().get(..2) {
            Some("nb" | "no" | "nn") => Some(Locale::Nb),
            Some("en") => Some(Locale::En),
            _ => None,
        });
        Self(known.unwrap_or(Locale::Nb))
    }

    fn tag(self) -> &'static str {
        self.0.tag()
    }

    /// Looks up a message.
    pub(super) fn say(self, key: &str) -> String {
        CATALOG.say(self.0, key, &FluentArgs::new())
    }

    /// Creates a page with the title and the text of a message id.
    pub(super) fn page(self, key: &str) -> Page {
        Page {
            language: self,
            title: self.say(&format!("{key}-title")),
            text: self.say(key),
            alarms: Vec::new(),
            sessions: Vec::new(),
            link: None,
            form: None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A page: a title, a text, a link and a form.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page {
    language: Language,
    title: String,
    text: String,
    /// Problems that need attention.
    alarms: Vec<String>,
    /// The sessions of the signed-in person, each with the form that ends it.
    sessions: Vec<(String, Option<Form>)>,
    /// The link's path and label.
    link: Option<(String, String)>,
    form: Option<Form>,
}

impl Page {
    /// Replaces the text.
    pub(super) fn text(self, key: &str) -> Self {
        Self { text: self.language.say(key), ..self }
    }

    /// Replaces the text by one with a name in it.
    pub(super) fn named(self, key: &str, name: &str) -> Self {
        let mut arguments = FluentArgs::new();
        arguments.set("name", line(name));
        Self { text: CATALOG.say(self.language.0, key, &arguments), ..self }
    }

    /// Adds the problems of an administrator's partners.
    pub(super) fn partners(self, partners: &[Partner]) -> Self {
        let alarms = partners.iter().flat_map(|one| {
            one.problems.iter().map(|problem| {
                let mut arguments = FluentArgs::new();
                arguments.set("organisation", line(&one.organisation));
                arguments.set("partner", line(&one.partner));
                // A credential that has expired reads as one that expires today.
                arguments.set("number", problem.number.unwrap_or_default().max(0));
                CATALOG.say(self.language.0, &format!("partner-{}", problem.kind.as_str()), &arguments)
            })
        });
        Self { alarms: alarms.collect(), ..self }
    }

    /// Adds the sessions of the signed-in person, with dates in a time zone. Each except the current one has
    /// a form to end it.
    pub(super) fn sessions(self, sessions: &[Session], zone: Tz, csrf: &str) -> Self {
        let language = self.language;
        let shown = sessions.iter().map(|one| {
            let unnamed = language.say("browser-unnamed");
            let browser = if one.browser.is_empty() { unnamed } else { one.browser.clone() };
            let mut arguments = FluentArgs::new();
            arguments.set("browser", line(&browser));
            arguments.set("since", one.created_at.with_timezone(&zone).format("%Y-%m-%d").to_string());
            let key = if one.is_current { "session-current" } else { "session" };
            let hidden = [("csrf", csrf.to_owned()), ("session", one.id.to_string())];
            let button = CATALOG.say(language.0, "end-session", &arguments);
            let form = (!one.is_current).then(|| Form::button(END_SESSION, button, hidden));
            (CATALOG.say(language.0, key, &arguments), form)
        });
        Self { sessions: shown.collect(), ..self }
    }

    /// Adds a link.
    pub(super) fn link(self, path: impl Into<String>, words: String) -> Self {
        Self { link: Some((path.into(), words)), ..self }
    }

    /// Adds a form.
    pub(super) fn form(self, form: Form) -> Self {
        Self { form: Some(form), ..self }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        match self.render() {
            Ok(text) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(text)).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// A form: hidden values, optionally a field for an e-mail address, and a button.
pub(super) struct Form {
    action: &'static str,
    hidden: Vec<(&'static str, String)>,
    /// The label of the field for an e-mail address.
    address: Option<String>,
    button: String,
}

impl Form {
    /// Creates a form with a button and hidden values.
    pub(super) fn button(
        action: &'static str,
        button: String,
        hidden: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        Self { action, hidden: hidden.into_iter().collect(), address: None, button }
    }

    /// Adds a field for an e-mail address.
    pub(super) fn address(self, label: String) -> Self {
        Self { address: Some(label), ..self }
    }
}

/// Renders errors as pages, by their codes.
pub(super) async fn render_errors(request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let refused = next.run(request).await;
    let Some(Code(code)) = refused.extensions().get().copied() else { return refused };
    let mut page = language.page("trouble").text(code);
    if page.text.is_empty() {
        page = page.text("trouble-ours");
    }
    let mut response = (refused.status(), page.link(HOME, language.say("back"))).into_response();
    if let Some(later) = refused.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, later.clone());
    }
    response
}
