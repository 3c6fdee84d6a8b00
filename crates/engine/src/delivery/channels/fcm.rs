//! `fcm`: Firebase Cloud Messaging, HTTP v1.
//!
//! Source: "Send messages using the HTTP v1 API" and `ErrorCode` in Firebase's reference
//! (`projects.messages`, `FcmError`), and "Scale FCM sending" for the delays.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certvakt_rules::Stage;
use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};

use super::channel::{Address, Channel, Outcome, Reach, Stopped, Wait};
use super::google::{AccessToken, ServiceAccount, TokenError};
use crate::config::{ChannelName, FcmConfig};
use crate::delivery::text::{self, PushText};
use crate::delivery::{DeliveryError, Notice};
use crate::outbound::retry_after;

/// The version of the `data` contract (docs/push-contract.md).
const CONTRACT: &str = "1";
/// The time for which FCM keeps a message for a device that is off: seven days, as a `Duration` of protocol
/// buffers. The next stage is at least this far away, and its message replaces this one.
const TIME_TO_LIVE: &str = "604800s";

/// Sends pushes for one Firebase project.
pub(super) struct FcmChannel {
    clients: Vec<Client>,
    next: AtomicUsize,
    url: Url,
    access: AccessToken,
    limiter: DefaultDirectRateLimiter,
    timeout: Duration,
}

impl std::fmt::Debug for FcmChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FcmChannel").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl FcmChannel {
    pub(super) fn new(config: &FcmConfig, timeout: Duration) -> Result<Self, DeliveryError> {
        let wrong = |reason: String| DeliveryError::Channel { channel: "fcm", reason };
        let account = ServiceAccount::read(&config.service_account_file).map_err(wrong)?;
        let endpoint: Url = config.endpoint.parse().map_err(|_| {
            wrong("fcm.endpoint is not a valid URL, write it like https://fcm.googleapis.com".to_owned())
        })?;
        if !crate::outbound::is_safe(&endpoint) {
            return Err(wrong(
                "fcm.endpoint must start with https://, unless it is on this machine".to_owned(),
            ));
        }
        let url = endpoint
            .join(&format!("/v1/projects/{}/messages:send", account.project_id))
            .map_err(|_| wrong("the service account's project_id is not valid in a URL".to_owned()))?;
        let client = || crate::outbound::http2_client(timeout, &url);
        let per_minute = NonZeroU32::new(config.messages_per_minute).unwrap_or(NonZeroU32::MIN);
        // A burst of one second: the quota is per minute, but refilled continuously.
        let burst = NonZeroU32::new(per_minute.get().div_ceil(60)).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            clients: (0..config.connections).map(|_| client()).collect(),
            next: AtomicUsize::new(0),
            access: AccessToken::new(account, client()),
            limiter: RateLimiter::direct(Quota::per_minute(per_minute).allow_burst(burst)),
            url,
            timeout,
        })
    }

    async fn post(&self, notice: &Notice<'_>, to: &Address) -> Result<Outcome, Stopped> {
        let text = text::push(notice);
        let collapse = notice.certification_id.to_string();
        let route = format!("/certifications/{collapse}");
        let request = request(notice, &to.contact, &text, &collapse, &route);
        // A token can be revoked before it expires, so only a 401 for a fresh one counts.
        for is_last in [false, true] {
            let bearer = match self.access.bearer().await {
                Ok(bearer) => bearer,
                Err(TokenError::Refused(reason)) => return Err(Stopped { reason }),
                Err(TokenError::Unavailable(reason)) => return Ok(later(Duration::from_secs(1), &reason)),
            };
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len().max(1);
            let Some(client) = self.clients.get(turn) else { break };
            let sending = client.post(self.url.clone()).bearer_auth(&bearer).json(&request).send();
            let mut answer = match sending.await {
                Ok(answer) => answer,
                Err(error) => return Ok(later(Duration::from_secs(1), unanswered(&error))),
            };
            if answer.status() == StatusCode::UNAUTHORIZED && !is_last {
                self.access.forget(&bearer).await;
                continue;
            }
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            return match answer.bytes().await {
                Ok(body) => interpret(status, &headers, &body),
                Err(error) => Ok(later(Duration::from_secs(1), unanswered(&error))),
            };
        }
        Err(Stopped { reason: "the push service does not accept a fresh access token (401)".to_owned() })
    }
}

impl Channel for FcmChannel {
    fn name(&self) -> ChannelName {
        ChannelName::Fcm
    }

    fn reaches(&self) -> Reach {
        Reach::Push
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            match tokio::time::timeout(self.timeout, self.access.bearer()).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(TokenError::Refused(reason) | TokenError::Unavailable(reason))) => Err(reason),
                Err(_) => Err("the request timed out".to_owned()),
            }
        })
    }

    fn pace(&self) -> Option<&DefaultDirectRateLimiter> {
        Some(&self.limiter)
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice<'a>,
        to: &'a Address,
    ) -> BoxFuture<'a, Result<Outcome, Stopped>> {
        Box::pin(async move {
            tokio::time::timeout(self.timeout, self.post(notice, to))
                .await
                .unwrap_or_else(|_| Ok(later(Duration::from_secs(1), "the request timed out")))
        })
    }
}

/// The fields of the request (`projects.messages.send`) that we use.
#[derive(Serialize)]
struct Request<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    token: &'a str,
    notification: Shown<'a>,
    data: Data<'a>,
    android: Android<'a>,
    apns: Apns<'a>,
}

#[derive(Serialize)]
struct Shown<'a> {
    title: &'a str,
    body: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    v: &'static str,
    route: &'a str,
    certification_id: &'a str,
    stage: Stage,
}

#[derive(Serialize)]
struct Android<'a> {
    collapse_key: &'a str,
    ttl: &'static str,
    notification: Tagged<'a>,
}

#[derive(Serialize)]
struct Tagged<'a> {
    tag: &'a str,
}

#[derive(Serialize)]
struct Apns<'a> {
    headers: ApnsHeaders<'a>,
}

#[derive(Serialize)]
struct ApnsHeaders<'a> {
    #[serde(rename = "apns-collapse-id")]
    collapse_id: &'a str,
}

/// Creates the request for a device. The collapse key derives from the certification, because a newer stage
/// replaces an older one, and FCM stores only four collapse keys per device.
fn request<'a>(
    notice: &Notice<'_>,
    device: &'a str,
    text: &'a PushText,
    collapse: &'a str,
    route: &'a str,
) -> Request<'a> {
    Request {
        message: Message {
            token: device,
            notification: Shown { title: &text.title, body: &text.body },
            data: Data { v: CONTRACT, route, certification_id: collapse, stage: notice.stage },
            android: Android {
                collapse_key: collapse,
                ttl: TIME_TO_LIVE,
                notification: Tagged { tag: collapse },
            },
            apns: Apns { headers: ApnsHeaders { collapse_id: collapse } },
        },
    }
}

/// The body of an error: `google.rpc.Status`.
#[derive(Debug, Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default, rename = "status")]
    code: String,
    #[serde(default)]
    details: Vec<Detail>,
}

impl Status {
    /// Whether the error is about the device token.
    fn names_token(&self) -> bool {
        let violations = self.details.iter().flat_map(|detail| &detail.field_violations);
        violations.into_iter().any(|violation| violation.field == "message.token")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    error_code: Option<String>,
    #[serde(default)]
    field_violations: Vec<FieldViolation>,
}

#[derive(Debug, Deserialize)]
struct FieldViolation {
    #[serde(default)]
    field: String,
}

/// The response to an accepted message.
#[derive(Deserialize)]
struct Taken {
    name: String,
}

fn interpret(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Outcome, Stopped> {
    if status == StatusCode::OK {
        return Ok(match serde_json::from_slice::<Taken>(body) {
            Ok(Taken { name }) => Outcome::Delivered { reference: name.chars().take(200).collect() },
            Err(_) => later(Duration::from_mins(1), "an unexpected response from the push service"),
        });
    }
    let ErrorBody { error } = serde_json::from_slice(body).unwrap_or_default();
    let code = error.details.iter().find_map(|detail| detail.error_code.as_deref()).unwrap_or(&error.code);
    // A code consists of upper-case letters. Nothing else from a response is stored.
    let code =
        if !code.is_empty() && code.len() < 60 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
            code
        } else {
            "no code"
        };
    let reason = format!("{} {code}", status.as_u16());
    match (status.as_u16(), code) {
        (404, "UNREGISTERED") => Ok(Outcome::GiveUp { reason, address_is_dead: true }),
        (400, _) => Ok(Outcome::GiveUp { reason, address_is_dead: error.names_token() }),
        // The token belongs to another project, or the project lacks the key for Apple's or a browser's
        // service, which other devices do not need.
        (_, "SENDER_ID_MISMATCH" | "THIRD_PARTY_AUTH_ERROR") => Ok(Outcome::Declined { reason }),
        (401 | 403 | 404, _) => Err(Stopped { reason }),
        (429, _) => Ok(asked_to_wait(headers, Duration::from_mins(1), reason)),
        _ => Ok(asked_to_wait(headers, Duration::from_secs(1), reason)),
    }
}

/// Waits as long as the service asks for, or else with exponential backoff.
fn asked_to_wait(headers: &HeaderMap, first: Duration, reason: String) -> Outcome {
    Outcome::Retry { wait: retry_after(headers).map_or(Wait::Backoff(first), Wait::Exactly), reason }
}

fn unanswered(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "the request timed out"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection closed without a response"
    }
}

fn later(first: Duration, reason: &str) -> Outcome {
    Outcome::Retry { wait: Wait::Backoff(first), reason: reason.to_owned() }
}
