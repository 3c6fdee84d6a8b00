//! Signing in at an OpenID Connect provider: the authorization code flow with PKCE.
//!
//! Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 for PKCE; RFC 9700 for what goes wrong.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::future::BoxFuture;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenResponse,
};
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Query, ReturnTo, SignIn, SignInError, go_on};
use crate::config::{ConfigError, SignInConfig};
use crate::http::token::Identity;
use crate::http::{body, is_safe, session};
use crate::secret;

/// The cookie of a sign-in that has begun: its secret, and where to go on to.
const COOKIE: &str = "__Host-certvakt-sign-in";
/// How long a sign-in may take, in seconds.
const KEPT_FOR: u32 = 10 * 60;
/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;
/// How long what the provider says of itself, and its keys, are taken as known.
const KNOWN_FOR: Duration = Duration::from_mins(1);
/// How long it is taken to be out of reach. Whoever waited meanwhile does not ask it again one by one.
const SILENT_FOR: Duration = Duration::from_secs(10);
/// The longest subject, in characters, as identities keep it.
const LONGEST_SUBJECT: usize = 255;
/// How tokens may be signed: by the provider alone. What a provider says that it also supports decides
/// nothing (RFC 8725, section 3.1).
const ALGORITHMS: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A provider, and who we are there.
#[derive(Debug)]
pub(super) struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    callback: RedirectUrl,
    http: Http,
    /// What it last said of itself, and when; none, if it said nothing.
    known: Mutex<Option<(Instant, Option<CoreProviderMetadata>)>>,
}

/// The provider did not answer as HTTP does.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unanswered(&'static str);

impl Provider {
    /// The provider of a section that names one. Reads the client's secret, if there is one; the provider
    /// is asked when somebody signs in.
    pub(super) fn new(config: &SignInConfig, base: &Url) -> Result<Self, ConfigError> {
        let wrong = |text: String| ConfigError::Contradiction(text);
        let client_secret = if config.client_secret_file.as_os_str().is_empty() {
            None
        } else {
            let text = std::fs::read_to_string(&config.client_secret_file).map_err(|error| {
                wrong(format!(
                    "sign_in.client_secret_file cannot be read ({}): check path and permissions",
                    error.kind()
                ))
            })?;
            Some(ClientSecret::new(text.trim_end().to_owned()))
        };
        Ok(Self {
            issuer: IssuerUrl::new(config.issuer.clone())
                .map_err(|_| wrong("sign_in.issuer is no address".to_owned()))?,
            client_id: ClientId::new(config.client_id.clone()),
            client_secret,
            callback: RedirectUrl::new(format!("{base}sign-in/callback"))
                .map_err(|_| wrong("sign_in.public_url is no address".to_owned()))?,
            http: Http(crate::http::client(PATIENCE)),
            known: Mutex::default(),
        })
    }

    /// Where a browser signs in.
    async fn begin(&self, secret: &str) -> Result<Url, SignInError> {
        let client = CoreClient::from_provider_metadata(
            self.metadata().await?,
            self.client_id.clone(),
            self.client_secret.clone(),
        )
        .set_redirect_uri(self.callback.clone());
        let (state, nonce) = (CsrfToken::new(state(secret)), nonce(secret));
        let (url, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier(secret)))
            .url();
        if is_safe(&url) { Ok(url) } else { Err(SignInError::Provider("its own address is not encrypted")) }
    }

    /// Who has signed in.
    async fn finish(&self, secret: &str, code: String) -> Result<Identity, SignInError> {
        let client = CoreClient::from_provider_metadata(
            self.metadata().await?,
            self.client_id.clone(),
            self.client_secret.clone(),
        )
        .set_redirect_uri(self.callback.clone());
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| SignInError::Provider("it has no token endpoint"))?
            .set_pkce_verifier(verifier(secret))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(_) => SignInError::Failed("the code is not accepted"),
                RequestTokenError::Request(Unanswered(reason)) => SignInError::Provider(reason),
                _ => SignInError::Provider("its answer with the tokens is malformed"),
            })?;
        let token = answer.id_token().ok_or(SignInError::Failed("there is no id token"))?;
        let accepted = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&accepted, &nonce(secret)).map_err(|error| {
            use openidconnect::ClaimsVerificationError as Wrong;
            SignInError::Failed(match error {
                Wrong::Expired(_) => "the id token has expired",
                Wrong::InvalidAudience(_) => "the id token is not for us",
                Wrong::InvalidIssuer(_) => "the id token has another issuer",
                Wrong::InvalidNonce(_) => "the id token is of another sign-in",
                Wrong::SignatureVerification(_) => "the id token's signature is wrong",
                _ => "the id token is not accepted",
            })
        })?;
        let subject = claims.subject().as_str();
        if subject.is_empty()
            || subject.chars().count() > LONGEST_SUBJECT
            || subject.chars().any(char::is_control)
        {
            return Err(SignInError::Failed("its subject is no text of 1 to 255 characters"));
        }
        Ok(Identity { issuer: self.issuer.as_str().to_owned(), subject: subject.to_owned() })
    }

    /// What the provider says of itself, with its keys.
    async fn metadata(&self) -> Result<CoreProviderMetadata, SignInError> {
        let mut known = self.known.lock().await;
        let is_fresh = |(since, said): &(Instant, Option<_>)| {
            since.elapsed() < if said.is_some() { KNOWN_FOR } else { SILENT_FOR }
        };
        if !known.as_ref().is_some_and(is_fresh) {
            let said = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await.ok();
            *known = Some((Instant::now(), said));
        }
        let said = known.as_ref().and_then(|(_, said)| said.clone());
        said.ok_or(SignInError::Provider("what it says of itself, or its keys, cannot be had"))
    }
}

/// How the provider is asked, at addresses that it named itself.
#[derive(Debug)]
struct Http(Client);

impl Http {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let request =
            reqwest::Request::try_from(request).map_err(|_| Unanswered("one of its addresses is none"))?;
        if !is_safe(request.url()) {
            return Err(Unanswered("one of its addresses is not encrypted"));
        }
        let answer = self.0.execute(request).await.map_err(|_| Unanswered("no answer"))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = body(answer, LARGEST_ANSWER).await;
        let mut response = HttpResponse::new(text.ok_or(Unanswered("its answer broke off, or is too long"))?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Unanswered;
    type Future = BoxFuture<'c, Result<HttpResponse, Unanswered>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// What shows that the provider's answer is to a sign-in that this browser began.
fn state(secret: &str) -> String {
    secret::derived(secret, "state")
}

/// What shows that an id token was made for this sign-in.
fn nonce(secret: &str) -> Nonce {
    Nonce::new(secret::derived(secret, "nonce"))
}

/// What shows the provider that whoever brings the code is who asked for it.
fn verifier(secret: &str) -> PkceCodeVerifier {
    PkceCodeVerifier::new(secret::derived(secret, "verifier"))
}

/// Sends a browser to the provider.
pub(super) async fn start(
    State(SignIn(shared)): State<SignIn>,
    Query(return_to): Query<ReturnTo>,
) -> Result<Response, SignInError> {
    let provider = shared.provider.as_ref().ok_or(crate::http::problem::Refusal::NotFound)?;
    let secret = secret::fresh();
    let url = provider.begin(&secret).await?;
    let cookie = session::set_cookie(COOKIE, &format!("{secret}{}", return_to.path()), KEPT_FOR);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
}

/// What the provider answers through the browser.
#[derive(Deserialize)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Takes a browser back from the provider.
pub(super) async fn finish(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, SignInError> {
    let provider = shared.provider.as_ref().ok_or(crate::http::problem::Refusal::NotFound)?;
    let begun = session::cookie_in(&headers, COOKIE).and_then(|value| value.split_at_checked(64));
    let Some((secret, return_to)) = begun.filter(|(secret, _)| secret::is_one(secret)) else {
        return Err(SignInError::Expired);
    };
    if !answer.state.is_some_and(|given| secret::are_same(&given, &state(secret))) {
        return Err(SignInError::Expired);
    }
    let code = match (answer.error.as_deref(), answer.code) {
        (None, Some(code)) => code,
        (Some("access_denied"), _) => return Err(SignInError::Denied),
        _ => return Err(SignInError::Failed("the provider answered with an error")),
    };
    let identity = provider.finish(secret, code).await?;
    let cookie = session::begin(&headers, &shared.database, &identity).await?;
    let return_to = ReturnTo { return_to: Some(return_to.to_owned()) };
    Ok(go_on(&return_to.path(), [cookie, session::set_cookie(COOKIE, "", 0)]))
}
