//! The mail queue: sign-in links and invitations, which carry a token; messages to people about changes of
//! their addresses and logins; and alerts to administrators.
//!
//! The holder of a token signs in as its person. So a token is created just before it is sent, and only its
//! hash is stored. If the process ends in between, the letter gets a new token, and the first one becomes
//! invalid.

use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use certvakt_base::catalog;
use certvakt_base::i18n::Locale;
use certvakt_base::i18n::{Catalog, line};
use certvakt_base::secret;
use certvakt_store::auth::{self, Kind, Letter, Outcome};
use certvakt_store::{Database, StoreError, delivery, partner, renewal};
use fluent_bundle::FluentArgs;
use futures_util::future::join_all;
use reqwest::Url;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use uuid::Uuid;

use crate::config::{ChannelName, Config};
use crate::delivery::DeliveryError;
use crate::mail::{self, Failure, Mail, Mailer};

/// The interval at which the queue is polled for letters from other processes.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The interval at which expired rows are deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// The number of letters sent concurrently.
const AT_ONCE: i64 = 20;
/// The maximum number of waiting requests for links, and the number that one transaction handles. No request
/// waits for a mail server, so even a flood of invented addresses does not fill the queue.
const WAITING: usize = 10_000;
const HEARD_AT_ONCE: usize = 500;

static CATALOG: Catalog = catalog!("letters.ftl");

/// A handle that queues letters.
#[derive(Debug, Clone)]
pub struct MailQueue(mpsc::Sender<Request>);

#[derive(Debug)]
enum Request {
    /// A request for links for the people with this address.
    Links(String),
    /// A letter in the queue is due.
    Look,
}

impl MailQueue {
    /// Requests a link for each person with an address. Returns before the lookup, so the caller cannot learn
    /// whether the address is known. Returns false if the request was dropped because too many wait.
    pub fn request_links(&self, address: String) -> bool {
        let is_heard = self.0.try_send(Request::Links(address)).is_ok();
        if !is_heard {
            not_heard(1);
        }
        is_heard
    }

    /// Signals that a letter is due. A full queue can drop the signal, because its requests cause the same
    /// poll.
    pub fn wake(&self) {
        let _ = self.0.try_send(Request::Look);
    }
}

/// Counts dropped requests for links.
fn not_heard(number: u64) {
    metrics::counter!("certvakt_link_requests_dropped_total").increment(number);
}

/// Sends letters, and deletes expired rows.
#[derive(Debug)]
pub struct MailWorker {
    requests: Mutex<mpsc::Receiver<Request>>,
    mailer: Option<Mailer>,
    /// The base URL of links; `None` if no links are sent.
    base: Option<Url>,
    lease_seconds: u32,
}

/// Creates the handle for letters with a token, if this server can send any, and the worker that sends all
/// letters. `None` if `[sign_in]` and `[email]` are off.
pub fn set_up(config: &Config) -> Result<Option<(Option<MailQueue>, MailWorker)>, DeliveryError> {
    let timeout = Duration::from_secs(u64::from(config.delivery.timeout_seconds));
    let mailer =
        if config.email.server.is_empty() { None } else { Some(Mailer::new(&config.email, timeout)?) };
    let base = if config.sign_in.is_off() { None } else { Some(config.sign_in.base()?) };
    if mailer.is_none() && base.is_none() {
        return Ok(None);
    }
    let (sender, requests) = mpsc::channel(WAITING);
    let letters = (mailer.is_some() && base.is_some()).then_some(MailQueue(sender));
    let requests = Mutex::new(requests);
    Ok(Some((letters, MailWorker { requests, mailer, base, lease_seconds: config.delivery.lease_seconds })))
}

impl MailWorker {
    /// Runs until shutdown.
    pub async fn run(self, database: &Database, ending: watch::Receiver<bool>) {
        let due = Notify::new();
        tokio::join!(self.write_links(database, &due, ending.clone()), self.mail(database, &due, ending));
    }

    /// Queues letters for requested addresses, while other letters are sent.
    async fn write_links(&self, database: &Database, due: &Notify, mut ending: watch::Receiver<bool>) {
        let mut requests = self.requests.lock().await;
        let mut heard = Vec::with_capacity(HEARD_AT_ONCE);
        loop {
            let number = tokio::select! {
                _ = ending.wait_for(|ending| *ending) => return,
                number = requests.recv_many(&mut heard, HEARD_AT_ONCE) => number,
            };
            if number == 0 {
                // All senders are dropped.
                return;
            }
            let addresses: Vec<String> = heard
                .drain(..)
                .filter_map(|request| match request {
                    Request::Links(address) => Some(address),
                    Request::Look => None,
                })
                .collect();
            let number = addresses.len() as u64;
            if let Err(error) = grant(database, addresses).await {
                not_heard(number);
                tracing::error!(code = error.code(), "could not queue the requested sign-in links: {error}");
            }
            due.notify_one();
        }
    }

    async fn mail(&self, database: &Database, due: &Notify, mut ending: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let mut sweeps = tokio::time::interval(SWEEP_EVERY);
        loop {
            let done = tokio::select! {
                _ = ending.wait_for(|ending| *ending) => return,
                () = due.notified() => self.mail_due(database).await,
                _ = looks.tick() => self.mail_due(database).await,
                _ = sweeps.tick() => self.sweep(database).await,
            };
            if let Err(error) = done {
                tracing::error!(code = error.code(), "could not process the queue of letters: {error}");
            }
        }
    }

    async fn mail_due(&self, database: &Database) -> Result<(), StoreError> {
        let Some(mailer) = &self.mailer else { return Ok(()) };
        loop {
            let mut tx = database.auth().await?;
            let due: Vec<(Letter, String)> = auth::due(&mut tx, AT_ONCE, self.base.is_some())
                .await?
                .into_iter()
                .map(|one| (one, secret::fresh()))
                .collect();
            if due.is_empty() {
                return tx.commit().await;
            }
            let tokens: Vec<_> = due.iter().map(|(one, token)| (one.id, secret::hash(token))).collect();
            auth::give_tokens(&mut tx, &tokens, self.lease_seconds).await?;
            tx.commit().await?;
            let outcomes = join_all(due.iter().map(|(letter, token)| self.send(mailer, letter, token))).await;
            let mut tx = database.auth().await?;
            for ((id, token_hash), (outcome, _)) in tokens.into_iter().zip(&outcomes) {
                auth::finish(&mut tx, id, token_hash, *outcome).await?;
            }
            tx.commit().await?;
            self.note(database, &outcomes).await?;
        }
    }

    async fn send(&self, mailer: &Mailer, letter: &Letter, token: &str) -> (Outcome, Option<Failure>) {
        let sent = match self.write(letter, token) {
            Err(_) => Err(Failure::Message("could not render the letter".to_owned())),
            Ok(mail) => mailer.send(mail).await,
        };
        let (outcome, label) = match &sent {
            Ok(_) => (Outcome::Mailed, "mailed"),
            Err(Failure::Mailbox(_)) => (Outcome::Refused, "refused"),
            Err(Failure::Sender(_)) => (Outcome::PutOff, "stopped"),
            Err(_) => (Outcome::PutOff, "put_off"),
        };
        metrics::counter!("certvakt_letters_total", "outcome" => label).increment(1);
        let failure = sent.err();
        if let Some(failure) = &failure {
            tracing::warn!(letter = %letter.id, outcome = label, "a letter was not sent: {}", failure.reason());
        }
        (outcome, failure)
    }

    /// Records whether the mail server accepts our messages, because notices use the same server.
    async fn note(
        &self,
        database: &Database,
        outcomes: &[(Outcome, Option<Failure>)],
    ) -> Result<(), StoreError> {
        let refused = outcomes.iter().find_map(|(_, failure)| match failure {
            Some(Failure::Sender(reason)) => Some(reason),
            _ => None,
        });
        let is_mailed = outcomes.iter().any(|(outcome, _)| *outcome == Outcome::Mailed);
        if refused.is_none() && !is_mailed {
            return Ok(());
        }
        let channel = ChannelName::Email.as_str();
        let mut tx = database.worker().await?;
        match refused {
            Some(reason) => {
                tracing::error!(channel, "the channel has stopped, and its queue is kept: {reason}");
                delivery::stop_channel(&mut tx, channel, None, reason).await?;
            }
            None => delivery::start_channel(&mut tx, channel).await?,
        }
        tx.commit().await
    }

    fn write(&self, letter: &Letter, token: &str) -> askama::Result<Mail> {
        let text = Text::new(letter, self.base.as_ref(), token);
        let body = mail::words(Plain { text: &text }.render()?, Html { text: &text }.render()?);
        // A letter with a new token is a new message.
        let id = Uuid::new_v4().to_string();
        Ok(Mail { to: letter.address.clone(), subject: text.subject, id, body })
    }

    /// Queues due alerts, and deletes expired rows.
    async fn sweep(&self, database: &Database) -> Result<(), StoreError> {
        if self.mailer.is_some() {
            let mut tx = database.worker().await?;
            renewal::queue_long_history_alerts(&mut tx).await?;
            partner::queue_stop_alerts(&mut tx).await?;
            tx.commit().await?;
        }
        let mut tx = database.auth().await?;
        auth::sweep(&mut tx).await?;
        tx.commit().await
    }
}

/// Queues letters for the people with some addresses.
async fn grant(database: &Database, mut addresses: Vec<String>) -> Result<(), StoreError> {
    if addresses.is_empty() {
        return Ok(());
    }
    let mut tx = database.auth().await?;
    while !addresses.is_empty() {
        // A repeated address is handled in the next round.
        let mut seen = HashSet::new();
        let (once, again) = addresses.into_iter().partition(|address| seen.insert(address.to_lowercase()));
        let once: Vec<String> = once;
        auth::request_links(&mut tx, &once).await?;
        addresses = again;
    }
    tx.commit().await
}

/// The text of a letter.
struct Text {
    language: &'static str,
    subject: String,
    greeting: String,
    about: String,
    /// The URL and the label of the button.
    link: Option<(String, String)>,
    ends: String,
    footer: String,
}

impl Text {
    fn new(letter: &Letter, base: Option<&Url>, token: &str) -> Self {
        let locale = Locale::from_tag(&letter.locale);
        let mut arguments = FluentArgs::new();
        if let Some(name) = &letter.name {
            arguments.set("name", line(name));
        }
        let kind = match &letter.kind {
            Kind::Link => "link",
            Kind::Invitation => "invitation",
            Kind::Change(name) => name,
            Kind::Alert { alert, organisation, number } => {
                arguments.set("organisation", line(organisation));
                arguments.set("number", *number);
                alert
            }
        };
        let say = |key: &str| CATALOG.say(locale, key, &arguments);
        let link = match (&letter.kind, base) {
            (Kind::Link | Kind::Invitation, Some(base)) => {
                Some((format!("{base}sign-in/{kind}?token={token}"), say(&format!("{kind}-button"))))
            }
            _ => None,
        };
        Self {
            language: locale.tag(),
            subject: say(&format!("{kind}-subject")),
            greeting: say(if letter.name.is_some() { "greeting-named" } else { "greeting" }),
            about: say(kind),
            link,
            ends: say(&format!("{kind}-ends")),
            footer: say("footer"),
        }
    }
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Plain<'a> {
    text: &'a Text,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    text: &'a Text,
}
