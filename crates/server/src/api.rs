//! The API for apps and pages, under `/api/v1`.
//!
//! A request carries a bearer token or a session cookie. Its login goes into the transaction, and row-level
//! security decides which rows the caller may see. No handler decides that.

mod attention;
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
mod params;
mod partners;
mod people;
mod reports;
mod response;
mod sessions;
mod state;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use certvakt_engine::audit::access_log::Recorder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tracing::Instrument;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::access_log::Access;
use crate::database::RequestDatabase;
use crate::problem::{ApiError, Problem};

pub(super) use imports::{LONGEST_REGISTER, in_memory};
pub use state::Api;
pub(super) use state::Caller;

/// The maximum size of a body, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// The time limit of a response. The database's own time limits are shorter.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// The time limit for receiving a register over a slow connection.
const REGISTER_WITHIN: Duration = Duration::from_mins(5);
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
        .routes(routes!(attention::show))
        .routes(routes!(me::accept_invitation))
        .routes(routes!(me::register_device, me::remove_device))
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
        .routes(routes!(imports::upload_content))
        .routes(routes!(imports::undo))
        .split_for_parts();
    let document = Arc::new(document);
    let recording = (api.0.recorder.clone(), api.0.database.clone());
    router
        .route("/api/v1/openapi.json", get(async move || Json(Arc::clone(&document))))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(api)
        .merge(beside)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(CatchPanicLayer::custom(|_| ApiError::Fault.into_response()))
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
    let has_register = route.ends_with("/content") || route == "/imports" && !request.method().is_safe();
    let within = if has_register { REGISTER_WITHIN } else { ANSWER_WITHIN };
    let span = tracing::info_span!("request", id, method = %request.method(), route);
    let access = Access::begin(recorder, &request);
    request.extensions_mut().insert(access.clone());
    let answer = tokio::time::timeout(within, next.run(request));
    let mut response = answer.instrument(span).await.unwrap_or_else(|_| ApiError::TooSlow.into_response());
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
