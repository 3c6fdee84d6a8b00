//! `email`: SMTP, text and HTML, with a calendar file.

use std::num::NonZeroU32;
use std::time::Duration;

use askama::Template;
use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use icalendar::{Calendar, Component, Event, EventLike};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart};

use super::{Address, Channel, Outcome, Reach, Stopped, Wait};
use crate::config::{ChannelName, EmailConfig};
use crate::delivery::text::{self, MailText};
use crate::delivery::{DeliveryError, Notice};
use crate::mail::{self, Failure, Mail, Mailer};

/// Mails notices.
#[derive(Debug)]
pub(super) struct EmailChannel {
    mailer: Mailer,
    limiter: DefaultDirectRateLimiter,
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
        let per_minute = NonZeroU32::new(config.messages_per_minute).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            mailer: Mailer::new(config, timeout)?,
            limiter: RateLimiter::direct(Quota::per_minute(per_minute)),
        })
    }
}

fn write(notice: &Notice<'_>, to: &Address) -> askama::Result<Mail> {
    let text = text::mail(notice);
    let words = mail::words(Plain { text: &text }.render()?, Html { text: &text }.render()?);
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
    // The id is the same for every repeat of a notice (DESIGN.md, rule 4).
    Ok(Mail { to: to.contact.clone(), subject: text.subject, id: notice.idempotency_key.to_owned(), body })
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
        Box::pin(self.mailer.check())
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
            let give_up = |reason| Outcome::GiveUp { reason, address_is_dead: false };
            let Ok(mail) = write(notice, to) else {
                return Ok(give_up("the text cannot be made".to_owned()));
            };
            match self.mailer.send(mail).await {
                Ok(reference) => Ok(Outcome::Delivered { reference }),
                Err(Failure::Unanswered(reason)) => Ok(later(1, reason)),
                Err(Failure::PutOff(reason)) => Ok(later(60, reason)),
                Err(Failure::Refused(reason)) => Ok(give_up(reason)),
                Err(Failure::Stopped(reason)) => Err(Stopped { reason }),
            }
        })
    }
}

fn later(seconds: u64, reason: String) -> Outcome {
    Outcome::Retry { wait: Wait::Backoff(Duration::from_secs(seconds)), reason }
}
