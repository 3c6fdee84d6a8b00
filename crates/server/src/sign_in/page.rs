//! The sign-in pages: a title, a text, links and forms, in the browser's language.

use std::borrow::Cow;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::navigation::HOME;
use crate::html;
use crate::html::layout::Layout;
use crate::html::text::Text;
use crate::return_to::with_return;

/// A page: a title, a text, links and forms.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page {
    layout: Layout,
    text: String,
    /// The path and the label of each link.
    links: Vec<(String, String)>,
    forms: Vec<Form>,
    /// The path and the label of a link below the forms.
    below: Option<(String, String)>,
}

impl Page {
    /// Creates a page with the title and the text of a message id.
    pub(super) fn new(text: Text, key: &str) -> Self {
        Self {
            layout: Layout::new(text, text.say(&format!("{key}-title"))),
            text: text.say(key),
            links: Vec::new(),
            forms: Vec::new(),
            below: None,
        }
    }

    /// Replaces the text.
    pub(super) fn text(self, key: &str) -> Self {
        Self { text: self.layout.text.say(key), ..self }
    }

    /// Replaces the text by one with a name in it.
    pub(super) fn named(self, key: &str, name: &str) -> Self {
        Self { text: self.layout.text.named(key, name), ..self }
    }

    /// Adds a link.
    pub(super) fn link(mut self, path: impl Into<String>, words: String) -> Self {
        self.links.push((path.into(), words));
        self
    }

    /// Adds a form.
    pub(super) fn form(mut self, form: Form) -> Self {
        self.forms.push(form);
        self
    }

    /// Adds the form for the code in an e-mail, with the page to show after the sign-in, and below it the link to ask for
    /// another e-mail.
    pub(super) fn code_form(self, return_to: &str) -> Self {
        let text = self.layout.text;
        let hidden = [("return_to", return_to.to_owned())];
        let form = Form::button("/sign-in/code", text.say("code-button"), hidden).code(text.say("code"));
        let again = (with_return(HOME, return_to), text.say("code-again"));
        Self { below: Some(again), ..self.form(form) }
    }

    /// Says that the page answers a form, so that its heading has the focus.
    pub(super) fn answer(mut self) -> Self {
        self.layout.has_news = true;
        self
    }

    /// The response to a form that was refused.
    pub(super) fn refused(self) -> Response {
        html::page(StatusCode::UNPROCESSABLE_ENTITY, &self.answer())
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        html::page(StatusCode::OK, &self)
    }
}

/// A form: hidden values, optionally a field for an e-mail address or a code, and a button.
pub(super) struct Form {
    action: Cow<'static, str>,
    hidden: Vec<(&'static str, String)>,
    /// The label of the field for an e-mail address.
    address: Option<String>,
    /// The label of the field for a code.
    code: Option<String>,
    button: String,
}

impl Form {
    /// Creates a form with a button and hidden values.
    pub(super) fn button(
        action: impl Into<Cow<'static, str>>,
        button: String,
        hidden: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        Self {
            action: action.into(),
            hidden: hidden.into_iter().collect(),
            address: None,
            code: None,
            button,
        }
    }

    /// Adds a field for an e-mail address.
    pub(super) fn address(self, label: String) -> Self {
        Self { address: Some(label), ..self }
    }

    /// Adds a field for a code.
    pub(super) fn code(self, label: String) -> Self {
        Self { code: Some(label), ..self }
    }
}
