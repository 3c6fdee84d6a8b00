//! Browser sessions: the cookie, and the CSRF token that shows that a request comes from one of our pages.
//!
//! Source: RFC 6265bis for the prefix `__Host-` and `SameSite`; Fetch Metadata for `Sec-Fetch-Site`.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use certvakt_base::secret;
use certvakt_store::auth::{self, LinkLogin, LinkProof, NewSession};
use certvakt_store::{AuthTx, StoreError};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use super::browser;
use super::database::RequestDatabase;
use super::problem::ApiError;
use super::return_to::ReturnTo;
use super::token::{Identity, Login};

/// The cookie with a session's secret.
const COOKIE: &str = "__Host-certvakt";
/// The lifetime of the cookie: the maximum lifetime of a session, as in the schema.
pub(super) const KEPT_FOR: Duration = Duration::days(7);
/// The time without use after which a session ends, as in the queries of `sessions`.
pub(super) const UNUSED_FOR: Duration = Duration::hours(12);
/// The cookie that identifies a browser: one that its person knows is not reported as new, and a code signs in only where
/// it was requested.
const BROWSER_COOKIE: &str = "__Host-certvakt-browser";
/// The lifetime of that cookie: the maximum that browsers allow (RFC 6265bis, section 5.5).
const BROWSER_KEPT_FOR: Duration = Duration::days(400);
/// The length of the part of a CSRF token that differs on each page.
const NONCE: usize = 16;
/// The header in which scripts of our pages send the CSRF token.
const CSRF_HEADER: &str = "x-csrf-token";

/// An active session.
pub(super) struct Session {
    secret: String,
    /// The session's login.
    pub(super) login: Login,
}

impl Session {
    /// Looks up the session of a request's cookie.
    pub(super) async fn of(
        headers: &HeaderMap,
        database: &RequestDatabase,
    ) -> Result<Option<Self>, ApiError> {
        let Some(secret) = secret_in(headers) else { return Ok(None) };
        let mut tx = database.auth().await?;
        let found = auth::session(&mut tx, secret::hash(&secret)).await?;
        tx.commit().await?;
        Ok(found.map(|auth::Session { id, issuer, subject, authenticated_at, acr }| Self {
            secret,
            login: Login { identity: Identity { issuer, subject }, session: Some(id), authenticated_at, acr },
        }))
    }

    /// The CSRF token, which our pages send with each change and no other page can know. Each page has another one, so
    /// that the lengths of compressed pages do not reveal it (BREACH).
    pub(super) fn csrf(&self) -> String {
        let nonce = &secret::fresh()[..NONCE];
        format!("{nonce}{}", csrf_with(&self.secret, nonce))
    }

    /// Refuses a change that does not come from one of our pages: it must contain the token of
    /// [`Session::csrf`] in its header or in its form.
    pub(super) fn check(&self, headers: &HeaderMap, in_form: Option<&str>) -> Result<(), ApiError> {
        check(&self.secret, headers, in_form)
    }

    /// Ends the session.
    pub(super) async fn end(self, database: &RequestDatabase) -> Result<(), ApiError> {
        let mut tx = database.auth().await?;
        auth::end_session(&mut tx, secret::hash(&self.secret)).await?;
        Ok(tx.commit().await?)
    }
}

fn csrf_with(secret: &str, nonce: &str) -> String {
    secret::derived(&secret::derived(secret, "csrf"), nonce)
}

fn check(secret: &str, headers: &HeaderMap, in_form: Option<&str>) -> Result<(), ApiError> {
    refuse_other_sites(headers)?;
    let in_header = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    let parts = in_header.or(in_form).and_then(|given| given.split_at_checked(NONCE));
    let is_ours = parts.is_some_and(|(nonce, rest)| secret::are_same(rest, &csrf_with(secret, nonce)));
    if is_ours { Ok(()) } else { Err(ApiError::Forged) }
}

/// Keeps a form for the person of the browser's session, which may have expired, until they have signed in again. Returns
/// false if the browser has no session. The form must come from one of our pages.
pub(super) async fn keep_form(
    headers: &HeaderMap,
    database: &RequestDatabase,
    path: &str,
    csrf: &str,
    fields: &str,
) -> Result<bool, ApiError> {
    let Some(secret) = secret_in(headers) else { return Ok(false) };
    check(&secret, headers, Some(csrf))?;
    let mut tx = database.auth().await?;
    let is_kept = auth::keep_form(&mut tx, secret::hash(&secret), path, fields).await?;
    tx.commit().await?;
    Ok(is_kept)
}

/// The login of a request's session. A change must come from one of our pages.
pub(super) async fn login(parts: &Parts, database: &RequestDatabase) -> Result<Login, ApiError> {
    let session = Session::of(&parts.headers, database).await?.ok_or(ApiError::NoToken)?;
    if !parts.method.is_safe() {
        session.check(&parts.headers, None)?;
    }
    Ok(session.login)
}

/// Starts a session of a provider's login, which replaces the browser's current session. Returns its cookies.
pub(super) async fn begin(
    headers: &HeaderMap,
    database: &RequestDatabase,
    login: &Login,
) -> Result<[HeaderValue; 2], ApiError> {
    let new = New::of(headers);
    let mut tx = database.auth().await?;
    end_former(&mut tx, headers).await?;
    let Identity { issuer, subject } = &login.identity;
    let (authenticated_at, acr) = (login.authenticated_at, login.acr.as_deref());
    let session = NewSession { authenticated_at, acr, ..new.session(issuer, subject) };
    auth::begin_session(&mut tx, &session).await?;
    tx.commit().await?;
    Ok(new.cookies())
}

/// Starts a session with an e-mailed link, or with the code beside it. Returns the page to show and the cookies, or
/// `None` if the proof is not valid.
pub(super) async fn begin_by_link(
    headers: &HeaderMap,
    database: &RequestDatabase,
    proof: LinkProof,
) -> Result<Option<(String, [HeaderValue; 2])>, ApiError> {
    let new = New::of(headers);
    let mut tx = database.auth().await?;
    let Some(LinkLogin { issuer, subject, address, return_to }) = auth::use_link(&mut tx, proof).await?
    else {
        // A wrong code counts.
        tx.commit().await?;
        return Ok(None);
    };
    end_former(&mut tx, headers).await?;
    let session = NewSession { address: Some(&address), ..new.session(&issuer, &subject) };
    auth::begin_session(&mut tx, &session).await?;
    tx.commit().await?;
    let return_to = ReturnTo { return_to }.path().to_owned();
    Ok(Some((return_to, new.cookies())))
}

/// A new session, with the values of its cookies.
struct New {
    secret: String,
    /// The secret that identifies the browser.
    browser_secret: String,
    /// The browser's name.
    browser: String,
}

impl New {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            secret: secret::fresh(),
            browser_secret: browser_secret(headers),
            browser: browser::name(headers),
        }
    }

    fn session<'a>(&'a self, issuer: &'a str, subject: &'a str) -> NewSession<'a> {
        NewSession {
            token_hash: secret::hash(&self.secret),
            issuer,
            subject,
            address: None,
            browser: &self.browser,
            browser_hash: secret::hash(&self.browser_secret),
            authenticated_at: None,
            acr: None,
        }
    }

    fn cookies(&self) -> [HeaderValue; 2] {
        [set_cookie(COOKIE, &self.secret, KEPT_FOR), browser_cookie(&self.browser_secret)]
    }
}

/// The secret that identifies the browser; a new one if its cookie has none.
pub(super) fn browser_secret(headers: &HeaderMap) -> String {
    cookie_in(headers, BROWSER_COOKIE).filter(|value| secret::is_one(value)).unwrap_or_else(secret::fresh)
}

/// The cookie with that secret.
pub(super) fn browser_cookie(secret: &str) -> HeaderValue {
    set_cookie(BROWSER_COOKIE, secret, BROWSER_KEPT_FOR)
}

async fn end_former(tx: &mut AuthTx, headers: &HeaderMap) -> Result<(), StoreError> {
    match secret_in(headers) {
        Some(former) => auth::end_session(tx, secret::hash(&former)).await,
        None => Ok(()),
    }
}

/// Refuses a request that comes from another site, according to the browser.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(ApiError::Forged),
    }
}

/// A header that deletes the cookie.
pub(super) fn no_cookie() -> HeaderValue {
    set_cookie(COOKIE, "", Duration::ZERO)
}

/// A cookie for this origin only, over TLS only, that scripts cannot read and that other sites' forms do not
/// send.
pub(super) fn set_cookie(name: &str, value: &str, kept_for: Duration) -> HeaderValue {
    let cookie = Cookie::build((name, value))
        .max_age(kept_for)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax);
    HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The value of a cookie.
pub(super) fn cookie_in(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find_map(|cookie| (cookie.name() == name).then(|| cookie.value().to_owned()))
}

fn secret_in(headers: &HeaderMap) -> Option<String> {
    cookie_in(headers, COOKIE).filter(|value| secret::is_one(value))
}
