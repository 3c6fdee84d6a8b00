//! A stand-in for Firebase Cloud Messaging, for tests and the demo.
//!
//! It has Google's token endpoint, accepts messages over HTTP/2 only, checks them strictly against the documented
//! schema, responds with the documented errors, and records every accepted message. The prefix of the device's
//! token selects the response:
//!
//! | token | response |
//! |---|---|
//! | `ok-…` | accepted |
//! | `gone-…` | 404 `UNREGISTERED` |
//! | `invalid-…` | 400 `INVALID_ARGUMENT` with the field `message.token` |
//! | `badfield-…` | 400 `INVALID_ARGUMENT` without that field |
//! | `mismatch-…` | 403 `SENDER_ID_MISMATCH` |
//! | `quota-…` | 429 `QUOTA_EXCEEDED` with `Retry-After: 30`, or the value of `--retry-after-seconds` |
//! | `down-…` | 503 `UNAVAILABLE` |
//! | `down-once-…` | 503 the first time, then accepted |
//! | `broken-…` | 500 `INTERNAL` |
//! | `slow-…` | no response |
//! | `drop-…` | accepted, the response lost |
//! | `lag-…` | accepted, the response 300 milliseconds later |
//! | `held-…` | accepted, the response once there is a file `answer` in its folder |
//! | `late-…` | accepted, the response 5 seconds later, or after `--late-seconds` |
//! | `html-…` | 200 with an HTML page |
//! | `seq.A.B.C-…` | as `A-…` the first time, as `B-…` the second time, then as `C-…`; each is a prefix of this table |
//! | anything else | 400 as for `invalid-` |
//!
//! The record has one line of JSON per message: `at` in seconds and `at_micros` in microseconds since 1970,
//! `number` as in the response, `as` the prefix that accepted it, and the `message`.
//!
//! It shares no code with the channel that it checks.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, Version, header};
use axum::routing::post;
use axum::{Form, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

mod fcm_schema;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The service account's private key, which only stand-ins accept.
const KEY: &str = include_str!("../../../key.pem");
const PROJECT: &str = "stand-in";
const EMAIL: &str = "sender@stand-in.iam.gserviceaccount.com";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// The lifetime of an access token, in seconds.
const TOKEN_SECONDS: i64 = 3599;
/// The maximum size of a message, in bytes ("About FCM messages": 4096).
const LARGEST: usize = 4096;

struct StandIn {
    /// The public key, in the format of RFC 8017.
    key: Vec<u8>,
    token_uri: String,
    record: Mutex<std::fs::File>,
    state: Mutex<Known>,
    /// The file whose existence releases held responses.
    answer: PathBuf,
    late: Duration,
    retry_after: header::HeaderValue,
}

#[derive(Default)]
struct Known {
    /// The access tokens with their expiry, in Unix seconds.
    tokens: HashMap<String, i64>,
    /// The number of messages for each device whose response changes.
    seen: HashMap<String, usize>,
    messages: u64,
}

type Shared = Arc<StandIn>;
type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut folder = PathBuf::from(".");
    let mut port = 0;
    let mut until_stdin_closes = false;
    let mut late = Duration::from_secs(5);
    let mut retry_after = 30_u32;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--folder" => folder = arguments.next().ok_or("--folder needs a folder")?.into(),
            "--port" => port = arguments.next().ok_or("--port needs a number")?.parse()?,
            "--until-stdin-closes" => until_stdin_closes = true,
            "--late-seconds" => {
                let seconds: f64 = arguments.next().ok_or("--late-seconds needs a number")?.parse()?;
                late = Duration::try_from_secs_f64(seconds)?;
            }
            "--retry-after-seconds" => {
                retry_after = arguments.next().ok_or("--retry-after-seconds needs a number")?.parse()?;
            }
            other => {
                let known = "--folder, --port, --until-stdin-closes, --late-seconds, --retry-after-seconds";
                return Err(format!("unknown argument {other}; known: {known}").into());
            }
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let token_uri = format!("{address}/token");

    let private = RsaKeyPair::from_pkcs8(pem::parse(KEY)?.contents()).map_err(|_| "key.pem is no RSA key")?;
    let account = json!({
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "stand-in-key",
        "private_key": KEY,
        "client_email": EMAIL,
        "token_uri": token_uri,
    });
    std::fs::write(folder.join("service-account.json"), serde_json::to_vec_pretty(&account)?)?;
    let record = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("messages.jsonl"))?;
    let stand_in = Arc::new(StandIn {
        key: private.public().as_ref().to_vec(),
        token_uri,
        record: Mutex::new(record),
        state: Mutex::default(),
        answer: folder.join("answer"),
        late,
        retry_after: retry_after.into(),
    });
    let router = Router::new()
        .route("/token", post(token))
        .route("/v1/projects/{project}/{verb}", post(send))
        .with_state(stand_in);

    println!("{}", json!({ "address": address }));
    std::io::stdout().flush()?;
    let ended = async move {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        let closed = async {
            if !until_stdin_closes {
                std::future::pending::<()>().await;
            }
            let mut rest = Vec::new();
            let _ = tokio::io::stdin().read_to_end(&mut rest).await;
        };
        let terminated = async {
            match &mut terminate {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! { () = closed => {}, () = terminated => {} }
    };
    // Cut off pending responses instead of waiting for them.
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served?,
        () = ended => {}
    }
    // Standard input is read on a thread that cannot be interrupted.
    std::process::exit(0);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stand-in is somebody else's server, with a clock of its own"
)]
fn clock() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

fn now() -> i64 {
    clock().timestamp()
}

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    assertion: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    scope: String,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// The claims of an assertion that this key signed with RS256 (RFC 7515, section 5.2).
fn signed(assertion: &str, key: &[u8]) -> Option<Claims> {
    let (message, signature) = assertion.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Header = serde_json::from_slice(&bytes(header)?).ok()?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(message.as_bytes(), &bytes(signature)?).ok().filter(|()| header.alg == "RS256")?;
    serde_json::from_slice(&bytes(payload)?).ok()
}

/// The JWT bearer grant.
async fn token(State(stand_in): State<Shared>, Form(grant): Form<Grant>) -> Response<Body> {
    let refuse = |error: &str, why: &str| {
        answer(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": why }))
    };
    if grant.grant_type != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        return refuse("unsupported_grant_type", "Invalid grant_type");
    }
    let Some(claims) = signed(&grant.assertion, &stand_in.key) else {
        return refuse("invalid_grant", "Invalid JWT Signature.");
    };
    if claims.aud != stand_in.token_uri {
        return refuse("invalid_grant", "Invalid JWT: The aud claim must be the token URI.");
    }
    if claims.iss != EMAIL || claims.scope != SCOPE {
        return refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    }
    if claims.exp - claims.iat > 3600 || claims.iat > now() + 60 || claims.exp < now() - 60 {
        return refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token.");
    }
    let mut known = lock(&stand_in.state);
    let bearer = format!("ya29.stand-in-{}", known.tokens.len());
    known.tokens.insert(bearer.clone(), now() + TOKEN_SECONDS);
    answer(
        StatusCode::OK,
        &json!({ "access_token": bearer, "expires_in": TOKEN_SECONDS, "token_type": "Bearer" }),
    )
}

async fn send(
    State(stand_in): State<Shared>,
    Path((project, verb)): Path<(String, String)>,
    version: Version,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if verb != "messages:send" || project != PROJECT {
        return error(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found.", &json!([]));
    }
    if version != Version::HTTP_2 {
        return invalid("", "this stand-in takes HTTP/2 only");
    }
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let is_known =
        bearer.is_some_and(|bearer| lock(&stand_in.state).tokens.get(bearer).is_some_and(|end| *end > now()));
    if !is_known {
        let why = "Request had invalid authentication credentials.";
        return error(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", why, &json!([]));
    }
    if body.len() > LARGEST {
        return invalid("message", "Message is too big");
    }
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(_) => return invalid("", "Invalid JSON payload received."),
    };
    if let Err((field, why)) = fcm_schema::check(&request) {
        return invalid(&field, &why);
    }
    let device = request["message"]["token"].as_str().unwrap_or_default().to_owned();
    behave(&stand_in, &device, &request).await
}

async fn behave(stand_in: &StandIn, device: &str, request: &Value) -> Response<Body> {
    let kind = device.rsplit_once('-').map_or(device, |(kind, _)| kind);
    let kind = match kind.strip_prefix("seq.") {
        Some(kinds) => {
            let turn = stand_in.turn(device);
            kinds.split('.').nth(turn).or_else(|| kinds.rsplit('.').next()).unwrap_or_default()
        }
        None if kind == "down-once" && stand_in.turn(device) > 0 => "ok",
        None => kind,
    };
    match kind {
        "ok" => taken(stand_in, kind, request),
        "down" | "down-once" => fcm_error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "UNAVAILABLE"),
        "broken" => fcm_error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "INTERNAL"),
        "gone" => fcm_error(StatusCode::NOT_FOUND, "NOT_FOUND", "UNREGISTERED"),
        "mismatch" => fcm_error(StatusCode::FORBIDDEN, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
        "quota" => {
            let mut answer = fcm_error(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
            answer.headers_mut().insert(header::RETRY_AFTER, stand_in.retry_after.clone());
            answer
        }
        "badfield" => invalid("message.android", "Invalid value"),
        "slow" => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            taken(stand_in, kind, request)
        }
        "drop" => {
            let _ = taken(stand_in, kind, request);
            let lost = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
            Response::new(Body::from_stream(lost))
        }
        "held" => {
            let answer = taken(stand_in, kind, request);
            while !stand_in.answer.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            answer
        }
        "lag" | "late" => {
            let answer = taken(stand_in, kind, request);
            let wait = if kind == "lag" { Duration::from_millis(300) } else { stand_in.late };
            tokio::time::sleep(wait).await;
            answer
        }
        "html" => Response::new(Body::from("<!doctype html><title>Sign in</title>")),
        _ => invalid("message.token", "The registration token is not a valid FCM registration token"),
    }
}

impl StandIn {
    /// The number of earlier messages for a device.
    fn turn(&self, device: &str) -> usize {
        let mut known = lock(&self.state);
        let times = known.seen.entry(device.to_owned()).or_default();
        *times += 1;
        *times - 1
    }

    /// Adds a line to the record in one write, so that a reader sees all of it or nothing.
    fn write_down(&self, mut line: Vec<u8>) {
        line.push(b'\n');
        if let Err(failed) = lock(&self.record).write_all(&line) {
            eprintln!("fcm-stand-in: the record cannot be written: {failed}");
        }
    }
}

fn taken(stand_in: &StandIn, kind: &str, request: &Value) -> Response<Body> {
    let number = {
        let mut known = lock(&stand_in.state);
        known.messages += 1;
        known.messages
    };
    let at = clock();
    let line = json!({
        "at": at.timestamp(),
        "at_micros": at.timestamp_micros(),
        "number": number,
        "as": kind,
        "message": request["message"],
    });
    stand_in.write_down(line.to_string().into_bytes());
    answer(StatusCode::OK, &json!({ "name": format!("projects/{PROJECT}/messages/{number}") }))
}

fn invalid(field: &str, why: &str) -> Response<Body> {
    let details = json!([
        { "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT" },
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": field, "description": why }],
        },
    ]);
    error(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", why, &details)
}

fn fcm_error(status: StatusCode, rpc: &str, code: &str) -> Response<Body> {
    let details =
        json!([{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code }]);
    error(status, rpc, "The request was not taken.", &details)
}

fn error(status: StatusCode, rpc: &str, why: &str, details: &Value) -> Response<Body> {
    answer(
        status,
        &json!({ "error": { "code": status.as_u16(), "message": why, "status": rpc, "details": details } }),
    )
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    answer
}
