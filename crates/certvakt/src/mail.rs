//! The mail server: what notices and letters to people have in common.

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::config::EmailConfig;
use crate::delivery::DeliveryError;

/// Sends mail through one server.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

/// Why a mail was not taken. The reason is in our words: the server's own often repeat the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There was no answer, or no connection.
    Unanswered(String),
    /// Not now.
    PutOff(String),
    /// Never, to this address.
    Refused(String),
    /// The server does not let us sign in.
    Stopped(String),
}

/// A mail. Its subject is seen on lock screens.
#[derive(Debug)]
pub struct Mail {
    /// The address alone: a name could be anything, and is in the greeting.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What is unique in its id.
    pub id: String,
    /// Its body.
    pub body: MultiPart,
}

/// A text, in both forms.
pub fn words(plain: String, html: String) -> MultiPart {
    MultiPart::alternative().singlepart(SinglePart::plain(plain)).singlepart(SinglePart::html(html))
}

impl Mailer {
    /// A mailer for a section that is not off. Nothing is sent yet.
    pub fn new(config: &EmailConfig, timeout: Duration) -> Result<Self, DeliveryError> {
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
        Ok(Self { transport: transport.build(), from, timeout })
    }

    /// Asks the server whether it knows us, without sending anything; if not, why.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the mail server does not answer".to_owned()),
            Ok(Err(error)) => Err(reason(&error)),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// Hands a mail to the server; its `Message-ID`.
    pub async fn send(&self, mail: Mail) -> Result<String, Failure> {
        let message_id = format!("<{}@{}>", mail.id, self.from.email.domain());
        let message =
            self.message(mail, &message_id).map_err(|reason| Failure::Refused(reason.to_owned()))?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(message_id),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure::Unanswered("no answer in time".to_owned())),
        }
    }

    /// The message, or what is wrong with the address.
    fn message(&self, mail: Mail, message_id: &str) -> Result<Message, &'static str> {
        let address: lettre::Address = mail.to.parse().map_err(|_| "no mail address")?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(mail.subject)
            .message_id(Some(message_id.to_owned()))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(mail.body)
            .map_err(|_| "the message cannot be made")
    }
}

/// What an SMTP error means (RFC 5321, section 4.2; RFC 4954, section 6, for signing in).
fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let reason = reason(error);
    match error.status().map(u16::from) {
        None => Failure::Unanswered(reason),
        Some(530 | 534 | 535 | 538) => Failure::Stopped(reason),
        Some(500..=599) => Failure::Refused(reason),
        Some(_) => Failure::PutOff(reason),
    }
}

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
