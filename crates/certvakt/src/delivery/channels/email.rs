//! `email`: SMTP, text and HTML, with a calendar file.

use std::num::NonZeroU32;
use std::time::Duration;

use askama::Template;
use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use icalendar::{Calendar, Component, Event, EventLike};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{Address, Channel, Outcome, Reach, Stopped, Wait};
use crate::config::{ChannelName, EmailConfig};
use crate::delivery::text::{self, MailText};
use crate::delivery::{DeliveryError, Notice};

/// Sends mail through one server.
pub(super) struct EmailChannel {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    limiter: DefaultDirectRateLimiter,
    timeout: Duration,
}

impl std::fmt::Debug for EmailChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmailChannel").finish_non_exhaustive()
    }
}

#[derive(Template)]
#[template(path = "email.txt", escape = "none")]
struct Plain<'a> {
    text: &'a MailText,
}

#[derive(Template)]
#[template(path = "email.html")]
struct Html<'a> {
    text: &'a MailText,
}

impl EmailChannel {
    pub(super) fn new(config: &EmailConfig, timeout: Duration) -> Result<Self, DeliveryError> {
        let wrong = |reason: String| DeliveryError::Channel { channel: "email", reason };
        let from = config.from.parse().map_err(|_| {
            wrong("email.from is no mailbox, write it like Varsel <varsel@example.org>".to_owned())
        })?;
        // The library's own words on a wrong address may repeat its password.
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.server)
            .map_err(|_| {
                wrong("email.server is no address, write it like smtps://mail.example.org".to_owned())
            })?
            .timeout(Some(timeout));
        if !config.user.is_empty() {
            let password = std::fs::read_to_string(&config.password_file).map_err(|error| {
                wrong(format!(
                    "email.password_file cannot be read ({}): check path and permissions",
                    error.kind()
                ))
            })?;
            transport =
                transport.credentials(Credentials::new(config.user.clone(), password.trim_end().to_owned()));
        }
        let per_minute = NonZeroU32::new(config.messages_per_minute).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            transport: transport.build(),
            from,
            limiter: RateLimiter::direct(Quota::per_minute(per_minute)),
            timeout,
        })
    }

    /// The message, or what is wrong with the address.
    fn message(&self, notice: &Notice<'_>, to: &Address) -> Result<Message, &'static str> {
        let text = text::mail(notice);
        // Only the address: a name could be anything, and is in the greeting.
        let address: lettre::Address = to.contact.parse().map_err(|_| "no mail address")?;
        let render = |rendered: askama::Result<String>| rendered.map_err(|_| "the text cannot be made");
        let words = MultiPart::alternative()
            .singlepart(SinglePart::plain(render(Plain { text: &text }.render())?))
            .singlepart(SinglePart::html(render(Html { text: &text }.render())?));
        let body = match calendar(notice, &text) {
            Some(calendar) => {
                let kind = ContentType::parse("text/calendar; charset=utf-8; method=PUBLISH")
                    .unwrap_or(ContentType::TEXT_PLAIN);
                MultiPart::mixed()
                    .multipart(words)
                    .singlepart(Attachment::new("paminnelse.ics".to_owned()).body(calendar, kind))
            }
            None => words,
        };
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(text.subject)
            .message_id(Some(message_id(notice, &self.from)))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .multipart(body)
            .map_err(|_| "the message cannot be made")
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The same for every repeat of a notice (DESIGN.md, rule 4).
fn message_id(notice: &Notice<'_>, from: &Mailbox) -> String {
    format!("<{}@{}>", notice.idempotency_key, from.email.domain())
}

/// An entry on the last valid day. Its id comes from the certification, so that a newer one takes
/// the place of an older; once the day has passed there is nothing to enter.
fn calendar(notice: &Notice<'_>, text: &MailText) -> Option<String> {
    if notice.days_left < 0 {
        return None;
    }
    let mut event = Event::new();
    event
        .uid(&format!("{}@certvakt", notice.certification_id))
        .summary(&text.calendar)
        .all_day(notice.last_valid_day);
    // Of two files the one that speaks of the later stage is newer.
    event.sequence(u32::try_from(90 - notice.stage.days_before()).unwrap_or(0));
    Some(Calendar::new().push(event.done()).to_string())
}

impl Channel for EmailChannel {
    fn name(&self) -> ChannelName {
        ChannelName::Email
    }

    fn reaches(&self) -> Reach {
        Reach::Email
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
                Ok(Ok(true)) => Ok(()),
                Ok(Ok(false)) => Err("the mail server does not answer".to_owned()),
                Ok(Err(error)) => Err(reason(&error)),
                Err(_) => Err("no answer in time".to_owned()),
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
            let message = match self.message(notice, to) {
                Ok(message) => message,
                Err(reason) => {
                    return Ok(Outcome::GiveUp { reason: reason.to_owned(), address_is_dead: false });
                }
            };
            match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
                Ok(Ok(_)) => Ok(Outcome::Delivered { reference: message_id(notice, &self.from) }),
                Ok(Err(error)) => outcome(&error),
                Err(_) => Ok(later(1, "no answer in time")),
            }
        })
    }
}

/// What an SMTP error means (RFC 5321, section 4.2; RFC 4954, section 6, for signing in).
fn outcome(error: &lettre::transport::smtp::Error) -> Result<Outcome, Stopped> {
    let reason = reason(error);
    match error.status().map(u16::from) {
        None => Ok(later(1, &reason)),
        Some(530 | 534 | 535 | 538) => Err(Stopped { reason }),
        Some(500..=599) => Ok(Outcome::GiveUp { reason, address_is_dead: false }),
        Some(_) => Ok(later(60, &reason)),
    }
}

/// An SMTP error in words. The server's own are left out: they often repeat the address.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    match error.status().map(u16::from) {
        None if error.is_tls() => "the encrypted connection failed".to_owned(),
        None => "no connection".to_owned(),
        Some(code @ (530 | 534 | 535 | 538)) => {
            format!("the mail server refuses to let us sign in ({code})")
        }
        Some(code @ 500..=599) => format!("refused with {code}"),
        Some(code) => format!("put off with {code}"),
    }
}

fn later(seconds: u64, reason: &str) -> Outcome {
    Outcome::Retry { wait: Wait::Backoff(Duration::from_secs(seconds)), reason: reason.to_owned() }
}
