//! The client of an OpenID Connect provider: the authorization code flow with PKCE.
//!
//! Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 for PKCE; RFC 9207 for the issuer in the authorization response;
//! RFC 9700 for known attacks.

use std::sync::Arc;
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_base::secret;
use certvakt_engine::config::{ConfigError, ProviderConfig, StepUpConfig};
use certvakt_engine::outbound::{body, is_safe};
use futures_util::future::BoxFuture;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::SignInError;
use crate::step_up::StepUp;
use crate::token::{IdTokens, Login, TokenError};

/// The time limit of the provider's responses.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum size of a response, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;
/// The time for which the provider's metadata and keys are cached.
const KNOWN_FOR: Duration = Duration::from_mins(1);
/// The time for which a failure is cached, so that waiting requests do not each try again.
const SILENT_FOR: Duration = Duration::from_secs(10);
/// The client of the flow, for a provider with an authorization endpoint and a token endpoint.
type FlowClient = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<WithIdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The field that OpenID Connect adds to the token response (Core 1.0, section 3.1.3.3).
#[derive(Debug, Deserialize, Serialize)]
struct WithIdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for WithIdToken {}

/// A provider's metadata (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    jwks_uri: Url,
    /// Empty if the provider does not publish them.
    #[serde(default)]
    claims_supported: Vec<String>,
    /// Empty if the provider does not publish them.
    #[serde(default)]
    acr_values_supported: Vec<String>,
    /// Whether each authorization response names the issuer (RFC 9207, section 3).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The client of the flow and the verifier of its tokens, made from the metadata.
#[derive(Debug)]
struct Discovered {
    client: FlowClient,
    id_tokens: IdTokens,
    /// Whether each authorization response names the issuer.
    names_itself: bool,
}

/// A provider, with our client credentials.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) config: ProviderConfig,
    discovery: Url,
    client_secret: Option<ClientSecret>,
    callback: RedirectUrl,
    http: Http,
    /// The cached metadata with the time of its fetch; `None` inside if the fetch failed.
    known: Mutex<Option<(Instant, Option<Arc<Discovered>>)>>,
}

/// The provider sent no valid HTTP response.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unanswered(&'static str);

impl Provider {
    /// Creates the provider, and reads the client secret, if there is one. The metadata is fetched at the first sign-in.
    pub(super) fn new(config: &ProviderConfig, base: &Url) -> Result<Self, ConfigError> {
        let wrong = |text: String| ConfigError::Contradiction(text);
        let client_secret = if config.client_secret_file.as_os_str().is_empty() {
            None
        } else {
            let text = std::fs::read_to_string(&config.client_secret_file).map_err(|error| {
                wrong(format!(
                    "cannot read the client_secret_file of the provider '{}' ({}): check the path and its permissions",
                    config.id,
                    error.kind()
                ))
            })?;
            Some(ClientSecret::new(text.trim_end().to_owned()))
        };
        Ok(Self {
            discovery: format!("{}/.well-known/openid-configuration", config.place()).parse().map_err(
                |_| wrong(format!("the issuer of the provider '{}' is not a valid URL", config.id)),
            )?,
            client_secret,
            // One for each provider, so that no provider can have another's response sent to it (RFC 9700, section 4.4).
            callback: RedirectUrl::new(format!("{base}sign-in/callback/{}", config.id))
                .map_err(|_| wrong("sign_in.public_url is not a valid URL".to_owned()))?,
            http: Http(certvakt_engine::outbound::client(PATIENCE)),
            known: Mutex::default(),
            config: config.clone(),
        })
    }

    /// The state parameter, which ties the provider's response to a sign-in at this provider that this browser started.
    pub(super) fn state(&self, secret: &str) -> String {
        secret::derived(secret, &format!("state {}", self.config.id))
    }

    /// The URL to which the browser is sent. `language` is that of our page.
    pub(super) async fn begin(
        &self,
        secret: &str,
        step_up: Option<&StepUp>,
        language: &'static str,
    ) -> Result<Url, SignInError> {
        let state = CsrfToken::new(self.state(secret));
        let discovered = self.discovered().await?;
        let mut request = discovered
            .client
            .authorize_url(move || state)
            .add_scope(Scope::new("openid".to_owned()))
            .add_extra_param("nonce", nonce(secret))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier(secret)));
        // OpenID Connect Core 1.0, section 3.1.2.1. The first class is the preferred one.
        let age = step_up.and_then(StepUp::max_age).map(|age| ("max_age", age));
        let stronger = step_up.map(StepUp::classes).unwrap_or_default();
        let classes = [stronger, &self.config.acr_values].concat().join(" ");
        let classes = (!classes.is_empty()).then_some(("acr_values", classes));
        let language = [("ui_locales", language.to_owned())];
        for (name, value) in age.into_iter().chain(classes).chain(language) {
            request = request.add_extra_param(name, value);
        }
        let (url, _) = request.url();
        if is_safe(&url) { Ok(url) } else { Err(SignInError::Provider("the issuer's URL is not https")) }
    }

    /// Exchanges the code for the tokens, and returns the login. `issuer` is that of the authorization response, if it
    /// names one.
    pub(super) async fn finish(
        &self,
        secret: &str,
        code: String,
        issuer: Option<&str>,
    ) -> Result<Login, SignInError> {
        let discovered = self.discovered().await?;
        // Before the code leaves for the token endpoint (RFC 9207, section 2.4).
        let is_ours = issuer.map_or(!discovered.names_itself, |issuer| issuer == self.config.issuer);
        if !is_ours {
            return Err(SignInError::Failed("the authorization response names another issuer, or none"));
        }
        let answer = discovered
            .client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(verifier(secret))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(_) => SignInError::Failed("the provider rejected the code"),
                RequestTokenError::Request(Unanswered(reason)) => SignInError::Provider(reason),
                _ => SignInError::Provider("the provider's token response is malformed"),
            })?;
        let token = answer
            .extra_fields()
            .id_token
            .as_deref()
            .ok_or(SignInError::Failed("the provider's token response has no id token"))?;
        // The token's dates are real, so they are compared with the real time even in a rehearsal.
        let verified = discovered.id_tokens.verify(token, &nonce(secret), Clock::system().now()).await;
        let login = verified.map_err(|error| match error {
            TokenError::Invalid(reason) => SignInError::IdToken(reason),
            TokenError::KeysUnavailable => SignInError::Provider("the provider's keys cannot be fetched"),
        })?;
        let accepted = &self.config.acr;
        if accepted.is_empty() || login.acr.as_ref().is_some_and(|class| accepted.contains(class)) {
            Ok(login)
        } else {
            Err(SignInError::IdToken("its acr is missing, or none of the accepted ones"))
        }
    }

    /// Returns the provider's metadata, cached or fetched.
    async fn discovered(&self) -> Result<Arc<Discovered>, SignInError> {
        let mut known = self.known.lock().await;
        let is_fresh = |(since, said): &(Instant, Option<_>)| {
            since.elapsed() < if said.is_some() { KNOWN_FOR } else { SILENT_FOR }
        };
        if !known.as_ref().is_some_and(is_fresh) {
            *known = Some((Instant::now(), self.discover().await.map(Arc::new)));
        }
        let said = known.as_ref().and_then(|(_, said)| said.clone());
        said.ok_or(SignInError::Provider("the provider's metadata cannot be fetched"))
    }

    /// The reason why the provider does not support `[step_up]`, according to its metadata.
    pub(super) async fn lacks(&self, step_up: &StepUpConfig) -> Option<&'static str> {
        let Some(said) = self.metadata().await else {
            return Some(
                "the provider cannot be reached or publishes no metadata: check its issuer in [sign_in]",
            );
        };
        let (claims, classes) = (said.claims_supported, said.acr_values_supported);
        if step_up.max_age_minutes > 0 && !claims.is_empty() && !claims.iter().any(|one| one == "auth_time") {
            Some(
                "the provider does not report when people signed in (auth_time): set step_up.max_age_minutes to 0",
            )
        } else if !step_up.acr.is_empty()
            && !classes.is_empty()
            && !classes.iter().any(|one| step_up.acr.contains(one))
        {
            Some(
                "the provider supports none of the classes in step_up.acr: ask the provider which acr values it supports",
            )
        } else {
            None
        }
    }

    async fn metadata(&self) -> Option<Metadata> {
        let answer = self.http.0.get(self.discovery.clone()).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let said: Metadata = serde_json::from_slice(&body(answer, LARGEST_ANSWER).await?).ok()?;
        // The issuer must match, so that no other issuer can impersonate this one (Discovery 1.0, section
        // 4.3).
        (said.issuer == self.config.issuer && is_safe(&said.jwks_uri)).then_some(said)
    }

    async fn discover(&self) -> Option<Discovered> {
        let said = self.metadata().await?;
        let mut client = oauth2::Client::new(ClientId::new(self.config.client_id.clone()))
            .set_auth_uri(said.authorization_endpoint)
            .set_token_uri(said.token_endpoint)
            .set_redirect_uri(self.callback.clone());
        if let Some(secret) = &self.client_secret {
            client = client.set_client_secret(secret.clone());
        }
        Some(Discovered {
            client,
            names_itself: said.authorization_response_iss_parameter_supported,
            id_tokens: IdTokens::new(said.issuer, self.config.client_id.clone(), said.jwks_uri),
        })
    }
}

/// The HTTP client for requests to URLs in the provider's metadata.
#[derive(Debug)]
struct Http(Client);

impl Http {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let request = reqwest::Request::try_from(request)
            .map_err(|_| Unanswered("the provider's metadata contains an invalid URL"))?;
        if !is_safe(request.url()) {
            return Err(Unanswered("the provider's metadata contains a URL that is not https"));
        }
        let answer = self.0.execute(request).await.map_err(|_| Unanswered("no answer"))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = body(answer, LARGEST_ANSWER).await;
        let mut response =
            HttpResponse::new(text.ok_or(Unanswered("the provider's response was cut off or is too long"))?);
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

/// The nonce, which ties an id token to this sign-in.
fn nonce(secret: &str) -> String {
    secret::derived(secret, "nonce")
}

/// The PKCE verifier, which proves to the provider that the code is redeemed by the client that requested it.
fn verifier(secret: &str) -> PkceCodeVerifier {
    PkceCodeVerifier::new(secret::derived(secret, "verifier"))
}
