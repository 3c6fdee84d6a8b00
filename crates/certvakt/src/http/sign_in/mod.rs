//! Sign-in with a browser, through an OpenID Connect provider or with an e-mailed link.

mod invitation;
mod link;
mod page;
mod provider;

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router, middleware};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::database::RequestDatabase;
use super::extract::Query;
use super::problem::{Code, Refusal};
use super::session::{self, Session};
use super::step_up::StepUp;
use crate::config::{Config, ConfigError};
use crate::mail_queue::MailQueue;
use crate::store::tenant::{partners, sessions};
use crate::store::{StoreError, organisation, tenant};
use link::Limits;
use page::{Language, Page};
use provider::Provider;

/// The path of the sign-in page.
const HOME: &str = "/sign-in";
/// The path to which a form sends the end of a session.
const END_SESSION: &str = "/sign-in/sessions/end";
/// The maximum length of a return path, in bytes.
const LONGEST_RETURN: usize = 500;

/// The shared state of the sign-in handlers.
#[derive(Debug, Clone)]
pub struct SignIn(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    database: RequestDatabase,
    provider: Option<Provider>,
    /// The queue for requests for links, if links are enabled.
    links: Option<MailQueue>,
    limits: Limits,
    step_up: StepUp,
}

impl SignIn {
    /// Creates the sign-in of `[sign_in]`; `None` if it is off.
    pub fn new(
        database: RequestDatabase,
        config: &Config,
        letters: Option<MailQueue>,
    ) -> Result<Option<Self>, ConfigError> {
        let sign_in = &config.sign_in;
        if sign_in.is_off() {
            return Ok(None);
        }
        let base = sign_in.base()?;
        let provider = if sign_in.issuer.is_empty() { None } else { Some(Provider::new(sign_in, &base)?) };
        Ok(Some(Self(Arc::new(Shared {
            database,
            provider,
            links: letters.filter(|_| sign_in.links),
            limits: Limits::new(&sign_in.client_header),
            step_up: StepUp::new(&config.step_up),
        }))))
    }
}

/// Checks by the provider's metadata whether it supports `[step_up]`. Returns the reason if it does not.
pub async fn step_up_fault(config: &Config) -> Result<Option<&'static str>, ConfigError> {
    let sign_in = &config.sign_in;
    if config.step_up.is_off() || sign_in.issuer.is_empty() {
        return Ok(None);
    }
    Ok(Provider::new(sign_in, &sign_in.base()?)?.lacks(&config.step_up).await)
}

/// The reason why a sign-in failed.
#[derive(Debug, thiserror::Error)]
enum SignInError {
    /// The browser started no matching sign-in, or did so too long ago.
    #[error("this sign-in started too long ago or in another browser: start again")]
    Expired,
    /// The person cancelled, or the provider refused them.
    #[error("the sign-in was cancelled or refused at the provider: start again, or ask the provider")]
    Denied,
    /// The provider rejected the code, or its response is not valid. The reason is safe to log.
    #[error("the sign-in could not be completed: start again")]
    Failed(&'static str),
    /// The provider's id token is not valid. The reason is safe to log: it contains no part of the token.
    #[error("the sign-in could not be completed: start again")]
    IdToken(&'static str),
    /// The provider cannot be reached.
    #[error("the sign-in provider cannot be reached: try again in a minute")]
    Provider(&'static str),
    /// A link that is unknown, used or expired.
    #[error("this link is unknown, used or expired: ask for a new one")]
    Link,
    /// A refusal that the API uses as well.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl SignInError {
    /// The stable code, as listed in `docs/errors.md`.
    const fn code(&self) -> &'static str {
        match self {
            Self::Expired => "sign-in-expired",
            Self::Denied => "sign-in-denied",
            Self::Failed(_) | Self::IdToken(_) => "sign-in-failed",
            Self::Provider(_) => "provider-unavailable",
            Self::Link => "link-invalid",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Expired => StatusCode::BAD_REQUEST,
            Self::Denied | Self::Failed(_) | Self::IdToken(_) => StatusCode::FORBIDDEN,
            Self::Provider(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Link => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) => refusal.status(),
        }
    }
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// The status and the code. [`page::in_words`] renders them as a page in the browser's language.
impl IntoResponse for SignInError {
    fn into_response(self) -> Response {
        if let Self::Failed(reason) | Self::Provider(reason) = self {
            tracing::warn!(code = self.code(), "a sign-in failed: {reason}");
        }
        if let Self::IdToken(reason) = self {
            tracing::warn!(code = self.code(), "a sign-in failed: the id token is not valid: {reason}");
        }
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            _ => (self.status(), Extension(Code(self.code()))).into_response(),
        }
    }
}

/// The router of the sign-in pages.
pub(super) fn router(sign_in: SignIn) -> Router {
    Router::new()
        .route(HOME, get(choose))
        .route("/sign-in/style.css", get(style))
        .route("/sign-in/provider", get(provider::start))
        .route("/sign-in/callback", get(provider::finish))
        .route("/sign-in/link", get(link::show).post(link::ask))
        .route("/sign-in/link/open", post(link::open))
        .route("/sign-in/invitation", get(invitation::show).post(invitation::accept))
        .route(END_SESSION, post(end_session))
        .route("/sign-out", post(sign_out))
        .layer(middleware::from_fn(page::in_words))
        // For scripts, which read problem details.
        .route("/sign-in/session", get(csrf))
        .with_state(sign_in)
}

async fn style() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../templates/page.css"))
}

/// The query with the return path.
#[derive(Deserialize)]
struct ReturnTo {
    return_to: Option<String>,
}

impl ReturnTo {
    /// The return path, if it is one of this service and valid in a cookie; otherwise the sign-in page.
    fn path(&self) -> &str {
        self.return_to.as_deref().filter(|path| is_local(path)).unwrap_or(HOME)
    }
}

fn is_local(path: &str) -> bool {
    // Browsers treat a backslash as a slash, and two of either as the start of another host.
    path.starts_with('/')
        && !path[1..].starts_with('/')
        && path.len() <= LONGEST_RETURN
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\'))
}

/// The requested strength of a sign-in at the provider.
#[derive(Deserialize)]
struct Wanted {
    /// Whether it must meet `[step_up]`.
    #[serde(default)]
    step_up: bool,
}

/// A path of ours with a return path.
fn with_return(path: &str, return_to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    format!("{path}?{query}")
}

/// Shows the sign-in methods, or the signed-in person and the way to sign out.
async fn choose(
    State(SignIn(shared)): State<SignIn>,
    language: Language,
    headers: HeaderMap,
    Query(return_to): Query<ReturnTo>,
    Query(Wanted { step_up }): Query<Wanted>,
) -> Result<Page, SignInError> {
    let at_provider = |step_up: bool| {
        let path = with_return("/sign-in/provider", return_to.path());
        if step_up { path + "&step_up=true" } else { path }
    };
    if let Some(session) = Session::of(&headers, &shared.database).await? {
        let mut tx = shared.database.tenant(&session.login).await?;
        let me = tenant::me(&mut tx).await?;
        let partners = partners::administered(&mut tx).await?;
        let sessions = sessions::sessions(&mut tx).await?;
        let organisations = tenant::organisations(&mut tx).await?;
        tx.commit().await?;
        let zone = organisations
            .first()
            .map(|one| organisation::zone(&one.time_zone))
            .transpose()?
            .unwrap_or(Tz::UTC);
        let page = match me {
            Some(me) => language.page("signed-in").named("signed-in-as", me.name.as_deref().unwrap_or("–")),
            None => language.page("signed-in").text("signed-in-nobody"),
        };
        let csrf = [("csrf", session.csrf())];
        let mut page = page.partners(&partners).sessions(&sessions, zone, &session.csrf());
        if shared.provider.is_some() && step_up {
            page = page.link(at_provider(true), language.say("sign-in-again"));
        }
        return Ok(page.form(page::Form::button("/sign-out", language.say("sign-out"), csrf)));
    }
    let mut page = language.page("sign-in");
    if shared.provider.is_some() {
        page = page.link(at_provider(step_up), language.say("sign-in-provider"));
    }
    if shared.links.is_some() {
        let form = page::Form::button("/sign-in/link", language.say("send-link"), []);
        page = page.form(form.address(language.say("address")));
    }
    Ok(page)
}

/// The CSRF token, which scripts of our pages send in `X-CSRF-Token`.
#[derive(Serialize)]
struct Csrf {
    csrf: String,
}

async fn csrf(State(SignIn(shared)): State<SignIn>, headers: HeaderMap) -> Result<Json<Csrf>, Refusal> {
    let session = Session::of(&headers, &shared.database).await?.ok_or(Refusal::NoToken)?;
    Ok(Json(Csrf { csrf: session.csrf() }))
}

/// The form that ends a session.
#[derive(Deserialize)]
struct Sent {
    csrf: Option<String>,
    token: Option<String>,
    session: Option<Uuid>,
}

/// Ends another session of the person who is signed in.
async fn end_session(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, SignInError> {
    let session = Session::of(&headers, &shared.database).await?.ok_or(Refusal::NoToken)?;
    let Ok(Form(Sent { csrf, session: Some(other), .. })) = sent else { return Err(Refusal::Forged.into()) };
    session.check(&headers, csrf.as_deref())?;
    let mut tx = shared.database.tenant(&session.login).await?;
    sessions::end(&mut tx, Some(other)).await?;
    tx.commit().await?;
    Ok(go_on(HOME, []))
}

async fn sign_out(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, SignInError> {
    if let Some(session) = Session::of(&headers, &shared.database).await? {
        session.check(&headers, sent.ok().and_then(|Form(sent)| sent.csrf).as_deref())?;
        session.end(&shared.database).await?;
    }
    Ok(go_on(HOME, [session::no_cookie()]))
}

/// Redirects to one of our pages, with cookies.
fn go_on<const N: usize>(path: &str, cookies: [HeaderValue; N]) -> Response {
    let mut response = Redirect::to(path).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
