//! The person who asks for a page, and the forms that they send.

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, RawForm, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use certvakt_engine::renewal::batch::Begin;
use certvakt_store::people::Export;
use certvakt_store::{CallerTx, caller};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::PageError;
use super::link::KEPT_FORM;
use crate::access_log::Access;
use crate::api::{Api, Caller};
use crate::extract::check_encoded;
use crate::html::layout::{Layout, Section};
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
    /// The form that the person sent, which is kept if they must sign in again.
    sent: Option<(HeaderMap, Bytes)>,
}

impl Visitor {
    /// Begins the page's transaction. Returns it with a page that has no heading yet.
    pub(super) async fn begin(&self, api: &Api, section: Section) -> Result<(CallerTx, Layout), PageError> {
        let mut tx = match api.person(&self.caller).await {
            Err(ApiError::UnknownLogin) => return Err(PageError::NotAdmitted(self.path.clone())),
            Err(ApiError::StepUp(_)) => return Err(PageError::StepUp(self.return_to(api).await?)),
            begun => begun?,
        };
        if self.was_kept {
            caller::discard_kept_form(&mut tx).await?;
        }
        let person = caller::profile(&mut tx).await?.ok_or(ApiError::UnknownLogin)?;
        Ok((tx, Layout::of(&person, self.csrf.clone(), self.browser, Some(section))))
    }

    /// The path to which the person returns after they have signed in again.
    async fn return_to(&self, api: &Api) -> Result<String, ApiError> {
        match &self.sent {
            Some((headers, body)) => keep(headers, body, api, self.path.clone()).await,
            None => Ok(self.path.clone()),
        }
    }

    /// Begins another transaction of the same request, which is recorded once.
    pub(super) async fn again(&self, api: &Api) -> Result<CallerTx, ApiError> {
        let mut tx = api.login(&self.caller).await?;
        tx.count_with(self.caller.access.seen());
        Ok(tx)
    }

    /// Erases a person of an organisation that this one administers. Returns false if they may not.
    pub(super) async fn erase(
        &self,
        api: &Api,
        administrator: Uuid,
        person: Uuid,
        organisation: Uuid,
    ) -> Result<bool, ApiError> {
        api.erase(&self.caller, administrator, person, organisation).await
    }

    /// The same for a request that changes nothing about others, so that nobody must sign in again for it.
    pub(super) fn changing_nothing(mut self) -> Self {
        self.caller.changes_others = false;
        self
    }

    /// Exports all data of a person whom the page may export.
    pub(super) async fn export(&self, api: &Api, person: Uuid) -> Result<Export, ApiError> {
        api.export(&self.caller, person).await
    }

    pub(super) async fn of(parts: &mut Parts, api: &Api) -> Result<(Self, Session), PageError> {
        let access = Access::from_request_parts(parts, api).await?;
        // The path of a form shows the form, or the page that it is on.
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        let Some(session) = api.session(&parts.headers).await? else {
            return Err(PageError::NotSignedIn(path));
        };
        access.asked_by(&session.login);
        let is_own = parts.uri.path().starts_with("/me/") || parts.uri.path() == KEPT_FORM;
        // All data of another person is as sensitive as a change.
        let exports = parts.uri.path().ends_with("/export");
        let changes_others = (!parts.method.is_safe() || exports) && !is_own;
        let caller = Caller { login: session.login.clone(), access, changes_others };
        let visitor = Self {
            caller,
            csrf: session.csrf(),
            browser: Text::of_browser(&parts.headers),
            path,
            was_kept: false,
            sent: None,
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
        let found = Visitor::of(&mut parts, api).await;
        let body = RawForm::from_request(Request::from_parts(parts.clone(), body), api).await;
        let body = body.map(|RawForm(body)| body);
        if let Ok(body) = &body {
            check_encoded(body)?;
        }
        let (visitor, session) = match (found, &body) {
            (Err(PageError::NotSignedIn(path)), Ok(body)) => {
                let path = keep(&parts.headers, body, api, path).await?;
                return Err(PageError::FormNotSaved { is_kept: path == KEPT_FORM, path });
            }
            (found, _) => found?,
        };
        let incomplete = || ApiError::Invalid("the form is incomplete".to_owned());
        let body = body.map_err(|_| incomplete())?;
        let headers = parts.headers.clone();
        let request = Request::from_parts(parts, Body::from(body.clone()));
        let Ok(Form(WithToken { csrf, kept, form })) = Form::<WithToken<T>>::from_request(request, api).await
        else {
            return Err(incomplete().into());
        };
        session.check(&headers, csrf.as_deref())?;
        let visitor = Visitor { was_kept: kept.is_some(), sent: Some((headers, body)), ..visitor };
        Ok(Self { visitor, form })
    }
}

/// Keeps a form whose person must sign in again. Returns the path that leads back to it, or else its page.
async fn keep(headers: &HeaderMap, body: &[u8], api: &Api, path: String) -> Result<String, ApiError> {
    let mut fields: Vec<_> = form_urlencoded::parse(body).collect();
    let csrf = fields.iter().position(|(name, _)| name == "csrf").map(|at| fields.remove(at).1);
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    if written.len() > LONGEST_KEPT || path.len() > LONGEST_RETURN || path == KEPT_FORM {
        return Ok(path);
    }
    match api.keep_form(headers, &path, csrf.as_deref().unwrap_or_default(), &written).await {
        Ok(true) => Ok(KEPT_FORM.to_owned()),
        // Without a session, or the token of its pages, there is nobody to keep it for.
        Ok(false) | Err(ApiError::Forged) => Ok(path),
        Err(error) => Err(error),
    }
}
