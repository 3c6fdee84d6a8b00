//! Sending e-mail, for notices and the mail queue.

pub mod address;
mod failure;
mod reply;
mod smtp;

use std::time::Duration;

use certvakt_rules::text::escaped;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

pub use failure::Failure;

use crate::config::EmailConfig;
use crate::delivery::DeliveryError;

/// Sends e-mails through one server.
pub struct Mailer {
    server: smtp::Server,
    from: Mailbox,
    timeout: Duration,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

/// An e-mail. Lock screens show its subject.
#[derive(Debug)]
pub struct Mail {
    /// The address without a name, because a name could contain anything. The greeting contains the name.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The unique part of its Message-ID.
    pub id: String,
    /// The body.
    pub body: MultiPart,
    /// The URL that turns such e-mails off with one click (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// A body with a plain-text part and an HTML part.
pub fn body(plain: String, html: String) -> MultiPart {
    MultiPart::alternative().singlepart(SinglePart::plain(plain)).singlepart(SinglePart::html(html))
}

impl Mailer {
    /// Creates a mailer for a section that is not off, without connecting.
    pub fn new(config: &EmailConfig, timeout: Duration) -> Result<Self, DeliveryError> {
        let wrong = |reason: String| DeliveryError::Channel { channel: "email", reason };
        let from = sender(&config.from).ok_or_else(|| {
            wrong("email.from is not a mailbox, write it like Varsel <varsel@example.org>".to_owned())
        })?;
        let mut server =
            smtp::Server::new(&config.server, timeout).map_err(|reason| wrong(reason.to_owned()))?;
        if !config.user.is_empty() {
            let password = std::fs::read_to_string(&config.password_file).map_err(|error| {
                wrong(format!(
                    "cannot read email.password_file ({}): check the path and its permissions",
                    error.kind()
                ))
            })?;
            server.sign_in_with(&config.user, password.trim_end());
        }
        Ok(Self { server, from, timeout })
    }

    /// Checks whether the server accepts messages from us, without sending one. Returns the reason if it does
    /// not.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(self.timeout, self.server.check(&self.from.email)).await {
            Ok(checked) => checked.map_err(|failure| failure.reason().to_owned()),
            Err(_) => Err("the mail server timed out".to_owned()),
        }
    }

    /// Sends an e-mail. Returns its `Message-ID`.
    pub async fn send(&self, mail: Mail) -> Result<String, Failure> {
        let message_id = format!("<{}@{}>", mail.id, self.from.email.domain());
        // An app can store addresses without our validation.
        let to =
            recipient(&mail.to).ok_or_else(|| Failure::Mailbox("not a valid e-mail address".to_owned()))?;
        let message = self
            .message(to.clone(), mail, &message_id)
            .map_err(|_| Failure::Message("could not build the message".to_owned()))?
            .formatted();
        let sending = self.server.send(&self.from.email, &to, &message);
        match tokio::time::timeout(self.timeout, sending).await {
            Ok(sent) => sent.map(|()| message_id),
            Err(_) => Err(Failure::Unanswered("the mail server timed out".to_owned())),
        }
    }

    /// Builds the message, which is 7-bit, because the library encodes everything else.
    fn message(
        &self,
        to: lettre::Address,
        mail: Mail,
        message_id: &str,
    ) -> Result<Message, lettre::error::Error> {
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(escaped(&mail.subject))
            .message_id(Some(message_id.to_owned()))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let message = match mail.unsubscribe {
            None => message,
            Some(url) => {
                let list = HeaderName::new_from_ascii_str("List-Unsubscribe");
                let post = HeaderName::new_from_ascii_str("List-Unsubscribe-Post");
                message
                    .raw_header(HeaderValue::new(list, format!("<{url}>")))
                    .raw_header(HeaderValue::new(post, "List-Unsubscribe=One-Click".to_owned()))
            }
        };
        message.multipart(mail.body)
    }
}

/// Parses the sender.
fn sender(text: &str) -> Option<Mailbox> {
    let mailbox: Mailbox = text.parse().ok()?;
    Some(Mailbox::new(mailbox.name, recipient(mailbox.email.as_ref())?))
}

fn recipient(text: &str) -> Option<lettre::Address> {
    address::canonical(text).ok()?.parse().ok()
}
