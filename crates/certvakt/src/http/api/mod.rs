//! The API for apps and pages, under `/api/v1`. A request carries a bearer token or a session cookie. Its
//! login goes into the transaction, and row-level security decides which rows the caller may see. No handler
//! decides that.

mod certifications;
mod certify;
mod changes;
mod confirmations;
mod idempotency;
mod imports;
mod invitations;
mod list;
mod listings;
mod me;
mod notices;
mod opt_outs;
mod overview;
mod partners;
mod people;
mod reports;
mod sessions;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequestParts, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use governor::Quota;
use tokio::sync::OwnedSemaphorePermit;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tracing::Instrument;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::access::Access;
use super::concurrency::Concurrency;
use super::database::RequestDatabase;
use super::problem::{Problem, Refusal};
use super::rate_limit::{AddressRateLimit, ClientHeader, RateLimit};
use super::session;
use super::step_up::StepUp;
use super::token::{Identity, Login, Verifier};
use crate::audit::access::Recorder;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, PartnersConfig};
use crate::mail_queue::MailQueue;
use crate::store::TenantTx;
use crate::store::tenant::{self, Admission};

/// The maximum size of a body, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// The time limit of a response. The database's own time limits are shorter.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// The time limit for receiving a register over a slow connection.
const REGISTER_WITHIN: Duration = Duration::from_mins(5);
/// The maximum number of concurrent uploads of an organisation.
const REGISTERS_AT_ONCE: usize = 2;
/// Requests per minute, and in a burst, of one login, or of one address at a webhook. A page of an app makes
/// a few.
const REQUESTS_A_MINUTE: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// The API: the shared state of its handlers.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("verifier", &self.0.verifier).finish_non_exhaustive()
    }
}

struct Shared {
    database: RequestDatabase,
    clock: Clock,
    verifier: Option<Verifier>,
    step_up: StepUp,
    pace: RateLimit<Identity>,
    /// Limits the concurrent uploads of each organisation.
    receiving: Concurrency<Uuid>,
    /// Limits callers who do not sign in, by their address.
    strangers: AddressRateLimit,
    client_header: ClientHeader,
    partners: PartnersConfig,
    letters: Option<MailQueue>,
    recorder: Recorder,
}

impl Api {
    /// Creates the API for the tokens that `[auth]` describes. `letters` is the queue of e-mails, if there is
    /// one; the recorder receives the events of the access log.
    pub fn new(
        database: RequestDatabase,
        clock: Clock,
        config: &Config,
        letters: Option<MailQueue>,
        recorder: Recorder,
    ) -> Result<Self, ConfigError> {
        let verifier = if config.auth.is_off() { None } else { Some(Verifier::new(&config.auth)?) };
        Ok(Self(Arc::new(Shared {
            database,
            clock,
            verifier,
            step_up: StepUp::new(&config.step_up),
            pace: RateLimit::new(Quota::per_minute(REQUESTS_A_MINUTE)),
            receiving: Concurrency::new(REGISTERS_AT_ONCE, 0),
            strangers: AddressRateLimit::per_minute(REQUESTS_A_MINUTE),
            client_header: ClientHeader::new(&config.sign_in.client_header),
            partners: config.partners.clone(),
            letters,
            recorder,
        })))
    }

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The queue of e-mails, if this server sends any.
    fn letters(&self) -> Option<&MailQueue> {
        self.0.letters.as_ref()
    }

    /// Waits for a permit to upload a register of an organisation.
    async fn receiving(&self, organisation: Uuid) -> Result<OwnedSemaphorePermit, Refusal> {
        self.0.receiving.turn(&organisation).await.ok_or(Refusal::TooManyImports)
    }

    /// Begins a transaction for a login that need not be linked to a person.
    async fn login(&self, caller: &Caller) -> Result<TenantTx, Refusal> {
        self.0.database.tenant(&caller.login).await
    }

    /// Begins a transaction for a login that is linked to a person with open access.
    async fn person(&self, caller: &Caller) -> Result<TenantTx, Refusal> {
        let (mut tx, admission) = self.0.database.admit(&caller.login).await?;
        let Admission { person_id, is_closed, .. } = admission;
        caller.access.admitted(admission, tx.seen());
        match (person_id, is_closed) {
            (None, _) => Err(Refusal::UnknownLogin),
            (Some(_), true) => Err(Refusal::Closed),
            (Some(_), false) => {
                if caller.changes_others
                    && let Err(refusal) = self.check_step_up(caller)
                    && tenant::is_administrator(&mut tx).await?
                {
                    return Err(refusal);
                }
                Ok(tx)
            }
        }
    }

    /// Refuses an administrator whose sign-in does not meet `[step_up]`.
    fn check_step_up(&self, caller: &Caller) -> Result<(), Refusal> {
        self.0.step_up.check(&caller.login, Clock::system().now())
    }
}

/// The caller of a request, and the record of their access.
struct Caller {
    login: Login,
    access: Access,
    /// Whether the request changes data that is not the caller's own.
    changes_others: bool,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let access = Access::from_request_parts(parts, api).await?;
        let login = Login::from_request_parts(parts, api).await?;
        access.asked_by(&login);
        let changes_others = !parts.method.is_safe() && !parts.uri.path().starts_with("/api/v1/me/");
        Ok(Self { login, access, changes_others })
    }
}

impl Shared {
    /// Verifies a bearer token and returns its login.
    async fn bearer(&self, header: &HeaderValue) -> Result<Login, Refusal> {
        let header = header.to_str().map_err(|_| Refusal::NoToken)?;
        // The name of the scheme is case-insensitive (RFC 9110, section 11.1).
        let bearer = match header.split_once(' ') {
            Some((scheme, bearer)) if scheme.eq_ignore_ascii_case("bearer") => bearer.trim_start(),
            _ => return Err(Refusal::NoToken),
        };
        let Some(verifier) = &self.verifier else { return Err(Refusal::NoToken) };
        Ok(verifier.verify(bearer).await?)
    }
}

/// Extracts the login of the request's token or session.
impl FromRequestParts<Api> for Login {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, Api(shared): &Api) -> Result<Self, Refusal> {
        let login = match parts.headers.get(header::AUTHORIZATION) {
            Some(header) => shared.bearer(header).await?,
            None => session::login(parts, &shared.database).await?,
        };
        if shared.pace.is_within(&login.identity) { Ok(login) } else { Err(Refusal::TooMany) }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "certvakt",
        description = "Certifications that expire, their mentors, and the notices about them.\n\n\
            A response contains only data that the caller may see. Anything else is not found (404). \
            Errors are problem details (RFC 9457) with stable codes."
    ),
    modifiers(&Bearer),
    components(schemas(Problem)),
    security(("bearer" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// The router of the API with its description, merged with other routes that need the same layers.
pub(super) fn router(api: Api, beside: Router) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(me::show))
        .routes(routes!(me::accept_invitation))
        .routes(routes!(me::keep_device, me::remove_device))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(opt_outs::list))
        .routes(routes!(opt_outs::opt_out, opt_outs::opt_in))
        .routes(routes!(listings::list))
        .routes(routes!(partners::list))
        .routes(routes!(listings::consent, listings::withdraw))
        .routes(routes!(reports::receive))
        .routes(routes!(invitations::invite))
        .routes(routes!(confirmations::confirm, confirmations::withdraw))
        .routes(routes!(certifications::list, certify::create))
        .routes(routes!(certifications::show))
        .routes(routes!(changes::history))
        .routes(routes!(changes::renew))
        .routes(routes!(changes::correct))
        .routes(routes!(changes::suspend))
        .routes(routes!(changes::reinstate))
        .routes(routes!(changes::withdraw))
        .routes(routes!(people::list))
        .routes(routes!(people::show))
        .routes(routes!(notices::list))
        .routes(routes!(notices::unreachable))
        .routes(routes!(overview::chapters))
        .routes(routes!(overview::certification_types))
        .routes(routes!(overview::runs))
        .routes(routes!(overview::statistics))
        .routes(routes!(overview::forecast))
        .routes(routes!(imports::announce))
        .routes(routes!(imports::show))
        .routes(routes!(imports::hand_over))
        .split_for_parts();
    let document = Arc::new(document);
    let recording = (api.0.recorder.clone(), api.0.database.clone());
    router
        .route("/api/v1/openapi.json", get(async move || Json(Arc::clone(&document))))
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .with_state(api)
        .merge(beside)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(CatchPanicLayer::custom(|_| Refusal::Fault.into_response()))
        .layer(middleware::from_fn_with_state(recording, guarded))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(middleware::map_request(without_strange_id))
}

/// Removes a request id that is not a UUID, so that the log holds only ids. A proxy may give each request one.
async fn without_strange_id(mut request: Request) -> Request {
    let given = request.headers().get_all("x-request-id");
    let are_ids = given.iter().all(|id| id.to_str().is_ok_and(|id| id.parse::<Uuid>().is_ok()));
    if !are_ids || given.iter().count() > 1 {
        request.headers_mut().remove("x-request-id");
    }
    request
}

/// Records the access, limits the time of the response, and adds the headers of every response: no cache
/// stores people's data, no frame shows it, and no page of another origin reads it (certvakt never sends
/// `Access-Control-Allow-Origin`).
async fn guarded(
    State((recorder, database)): State<(Recorder, RequestDatabase)>,
    mut request: Request,
    next: Next,
) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 7] = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Browsers accept it only over TLS, so from the proxy that terminates it (RFC 6797, section 8.1).
        (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ];
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    // Log the route, not the path, because the path contains ids.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let within = if route.ends_with("/content") { REGISTER_WITHIN } else { ANSWER_WITHIN };
    let span = tracing::info_span!("request", id, method = %request.method(), route);
    let access = Access::begin(recorder, &request);
    request.extensions_mut().insert(access.clone());
    let answer = tokio::time::timeout(within, next.run(request));
    let mut response = answer.instrument(span).await.unwrap_or_else(|_| Refusal::TooSlow.into_response());
    access.answered(response.status());
    // A request that was refused for its body or its ids, before the lookup of its person, is recorded too. A
    // request that was refused for its rate is not, because the lookup would add a request to the database.
    if response.status().is_client_error()
        && response.status() != StatusCode::TOO_MANY_REQUESTS
        && let Some(login) = access.not_admitted()
        && let Ok((tx, admission)) = database.admit(&login).await
    {
        access.admitted(admission, tx.seen());
        let _ = tx.commit().await;
    }
    for (name, value) in HEADERS {
        // A page sets its own policy, which allows its style and its form.
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// The first instant that the schema accepts for a certification: the start of 1900.
const FIRST_INSTANT: DateTime<Utc> = DateTime::from_timestamp_micros(-2_208_988_800_000_000).unwrap();
/// The last instant that the schema accepts: the end of 9998.
const LAST_INSTANT: DateTime<Utc> = DateTime::from_timestamp_micros(253_370_764_799_999_999).unwrap();
