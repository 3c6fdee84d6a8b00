//! The person who asks for a page, and the forms that they send.

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use certvakt_engine::renewal::batch::Begin;
use certvakt_store::{CallerTx, caller};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::PageError;
use super::link::KEPT_FORM;
use crate::access_log::Access;
use crate::api::{Api, Caller};
use crate::html::layout::{Layout, Section, SignedIn};
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::LONGEST_RETURN;
use crate::session::Session;

/// The maximum length of a form that is kept, in bytes, as in the schema.
const LONGEST_KEPT: usize = 300_000;

/// The person who asks for a page.
pub(super) struct Visitor {
    caller: Caller,
    csrf: String,
    browser: Text,
    /// The path of the request.
    path: String,
    /// Whether the form was kept while the person signed in again.
    was_kept: bool,
}

impl Visitor {
    /// Begins the page's transaction. Returns it with a page that has no heading yet.
    pub(super) async fn begin(&self, api: &Api, section: Section) -> Result<(CallerTx, Layout), PageError> {
        let mut tx = match api.person(&self.caller).await {
            Err(ApiError::StepUp(_)) => return Err(PageError::StepUp(self.path.clone())),
            begun => begun?,
        };
        if self.was_kept {
            caller::discard_kept_form(&mut tx).await?;
        }
        let person = caller::profile(&mut tx).await?.ok_or(ApiError::UnknownLogin)?;
        let text = Text::of_person(person.locale.as_deref(), self.browser);
        let mut layout = Layout::new(text, String::new());
        layout.signed_in = Some(SignedIn::new(&person, self.csrf.clone(), section));
        Ok((tx, layout))
    }

    /// Begins another transaction of the same request, which is recorded once.
    pub(super) async fn again(&self, api: &Api) -> Result<CallerTx, ApiError> {
        let mut tx = api.login(&self.caller).await?;
        tx.count_with(self.caller.access.seen());
        Ok(tx)
    }

    pub(super) async fn of(parts: &mut Parts, api: &Api) -> Result<(Self, Session), PageError> {
        let access = Access::from_request_parts(parts, api).await?;
        // The path of a form shows the form, or the page that it is on.
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        let Some(session) = api.session(&parts.headers).await? else {
            return Err(PageError::NotSignedIn(path));
        };
        access.asked_by(&session.login);
        let changes_others = !parts.method.is_safe() && !parts.uri.path().starts_with("/me/");
        let caller = Caller { login: session.login.clone(), access, changes_others };
        let visitor = Self {
            caller,
            csrf: session.csrf(),
            browser: Text::of_browser(&parts.headers),
            path,
            was_kept: false,
        };
        Ok((visitor, session))
    }
}

/// The transactions of a batch of changes.
pub(super) struct Again<'a>(pub(super) &'a Visitor, pub(super) &'a Api);

impl Begin for Again<'_> {
    type Tx = CallerTx;
    type Error = ApiError;

    async fn begin(&self) -> Result<CallerTx, ApiError> {
        self.0.again(self.1).await
    }
}

impl FromRequestParts<Api> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, PageError> {
        Ok(Self::of(parts, api).await?.0)
    }
}

/// A form of ours, and the person who sent it.
pub(super) struct Sent<T> {
    pub(super) visitor: Visitor,
    pub(super) form: T,
}

#[derive(Deserialize)]
struct WithToken<T> {
    csrf: Option<String>,
    /// Set if the form was kept while the person signed in again.
    kept: Option<String>,
    #[serde(flatten)]
    form: T,
}

impl<T: DeserializeOwned> FromRequest<Api> for Sent<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let (visitor, session) = match Visitor::of(&mut parts, api).await {
            Err(PageError::NotSignedIn(path)) => {
                return Err(keep(Request::from_parts(parts, body), api, path).await);
            }
            found => found?,
        };
        let headers = parts.headers.clone();
        let form = Form::<WithToken<T>>::from_request(Request::from_parts(parts, body), api).await;
        let Ok(Form(WithToken { csrf, kept, form })) = form else {
            return Err(ApiError::Invalid("the form is incomplete".to_owned()).into());
        };
        session.check(&headers, csrf.as_deref())?;
        let visitor = Visitor { was_kept: kept.is_some(), ..visitor };
        Ok(Self { visitor, form })
    }
}

/// Keeps a form whose session has expired, and leads through the sign-in back to it, or else to its page.
async fn keep(request: Request, api: &Api, path: String) -> PageError {
    let headers = request.headers().clone();
    let Ok(Form(mut fields)) = Form::<Vec<(String, String)>>::from_request(request, api).await else {
        return PageError::NotSignedIn(path);
    };
    let csrf = fields.iter().position(|(name, _)| name == "csrf").map(|at| fields.remove(at).1);
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    if written.len() > LONGEST_KEPT || path.len() > LONGEST_RETURN {
        return PageError::NotSignedIn(path);
    }
    match api.keep_form(&headers, &path, &csrf.unwrap_or_default(), &written).await {
        Ok(true) => PageError::NotSignedIn(KEPT_FORM.to_owned()),
        // Without an expired session, or the token of its pages, there is nobody to keep it for.
        Ok(false) | Err(ApiError::Forged) => PageError::NotSignedIn(path),
        Err(error) => error.into(),
    }
}
