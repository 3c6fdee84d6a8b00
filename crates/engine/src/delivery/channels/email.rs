//! `email`: SMTP, text and HTML, with a calendar file.

use std::num::NonZeroU32;
use std::time::Duration;

use askama::Template;
use certvakt_rules::stage::LONGEST_LEAD_TIME;
use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart};

use super::channel::{Address, Channel, Outcome, Reach, Stopped, Wait};
use crate::calendar::{self, Entry};
use crate::config::{ChannelName, EmailConfig};
use crate::delivery::text::{self, MailText};
use crate::delivery::{DeliveryError, Notice};
use crate::mail::{self, Failure, Mail, Mailer};

/// Sends notices by e-mail.
#[derive(Debug)]
pub(super) struct EmailChannel {
    mailer: Mailer,
    limiter: DefaultDirectRateLimiter,
}

#[derive(Template)]
#[template(path = "notice.txt", escape = "none")]
struct Plain<'a> {
    text: &'a MailText,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Html<'a> {
    text: &'a MailText,
}

#[derive(Template)]
#[template(path = "notice_words.html")]
struct Words<'a> {
    text: &'a MailText,
}

/// An e-mail as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The subject.
    pub subject: String,
    /// The words of its HTML part: paragraphs and line breaks, and no other element.
    pub html: String,
    /// Its last line.
    pub footer: String,
    /// Its part of plain text.
    pub plain: String,
}

/// Renders an e-mail as the channel does.
pub fn preview(notice: &Notice<'_>) -> askama::Result<Preview> {
    let text = text::mail(notice);
    let (html, plain) = (Words { text: &text }.render()?, Plain { text: &text }.render()?);
    Ok(Preview { html, plain, subject: text.subject, footer: text.footer })
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
    let words = mail::body(Plain { text: &text }.render()?, Html { text: &text }.render()?);
    let body = match attached(notice, &text) {
        Some(calendar) => {
            let kind = ContentType::parse("text/calendar; charset=utf-8").unwrap_or(ContentType::TEXT_PLAIN);
            MultiPart::mixed()
                .multipart(words)
                .singlepart(Attachment::new("paminnelse.ics".to_owned()).body(calendar, kind))
        }
        None => words,
    };
    // Every repeat of a notice has the same Message-ID, so that a mail program can recognise it.
    Ok(Mail {
        to: to.contact.clone(),
        subject: text.subject,
        id: notice.idempotency_key.to_owned(),
        body,
        unsubscribe: None,
    })
}

/// A calendar entry on the last valid day; `None` once the day has passed.
fn attached(notice: &Notice<'_>, text: &MailText) -> Option<String> {
    if notice.days_left < 0 {
        return None;
    }
    let entry = Entry {
        certification: notice.certification_id,
        day: notice.last_valid_day,
        title: &text.calendar,
        details: None,
        // The entry of a later stage is newer.
        sequence: u32::try_from(i64::from(LONGEST_LEAD_TIME) - notice.stage.days_before()).unwrap_or(0),
        changed_at: None,
        reminds_before: None,
    };
    Some(calendar::file(&[entry]))
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
            let Ok(mail) = write(notice, to) else {
                return Ok(Outcome::Declined { reason: "could not render the message".to_owned() });
            };
            match self.mailer.send(mail).await {
                Ok(reference) => Ok(Outcome::Delivered { reference }),
                Err(Failure::Unanswered(reason)) => Ok(later(1, reason)),
                Err(Failure::Later(reason)) => Ok(later(60, reason)),
                Err(Failure::Message(reason)) => Ok(Outcome::Declined { reason }),
                Err(Failure::Mailbox(reason)) => Ok(Outcome::GiveUp { reason, address_is_dead: false }),
                Err(Failure::Sender(reason)) => Err(Stopped { reason }),
            }
        })
    }
}

fn later(seconds: u64, reason: String) -> Outcome {
    Outcome::Retry { wait: Wait::Backoff(Duration::from_secs(seconds)), reason }
}
