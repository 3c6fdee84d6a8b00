//! The mail queue: sign-in links and invitations, which carry a token; messages to people about changes of
//! their addresses, logins and consents; alerts to administrators; and the digests of coordinators.
//!
//! The holder of a token signs in as its person. So a token is created just before it is sent, and only its
//! hash is stored. If the process ends in between, the e-mail gets a new token, and the first one becomes
//! invalid.

use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use certvakt_base::catalog;
use certvakt_base::clock::Clock;
use certvakt_base::i18n::Locale;
use certvakt_base::i18n::{Catalog, line};
use certvakt_base::secret;
use certvakt_store::auth::{self, LinkRequest, MailKind, MailOutcome, NewToken, QueuedMail};
use certvakt_store::{Database, StoreError, delivery, partner, renewal};
use data_encoding::HEXLOWER;
use fluent_bundle::FluentArgs;
use futures_util::future::join_all;
use reqwest::Url;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use uuid::Uuid;

use crate::config::{ChannelName, Config};
use crate::delivery::DeliveryError;
use crate::delivery::text::date;
use crate::digest::{self, Digests, Due};
use crate::mail::{self, Failure, Mail, Mailer};

/// The interval at which the queue is polled for e-mails from other processes.
const POLL_EVERY: Duration = Duration::from_secs(5);
/// The interval at which expired rows are deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// The number of e-mails sent concurrently.
const AT_ONCE: i64 = 20;
/// The maximum number of waiting requests for links, and the number that one transaction handles. No request
/// waits for a mail server, so even a flood of invented addresses does not fill the queue.
const WAITING: usize = 10_000;
const REQUESTS_AT_ONCE: usize = 500;

/// The number of codes.
const CODES: u32 = 1_000_000;

static CATALOG: Catalog = catalog!("mails.ftl");

/// A handle that queues e-mails.
#[derive(Debug, Clone)]
pub struct MailQueue(mpsc::Sender<Request>);

#[derive(Debug)]
enum Request {
    /// A request for links for the people with an address.
    Links(LinkRequest),
    /// An e-mail in the queue is due.
    Poll,
}

impl MailQueue {
    /// Requests a link for each person with an address. Returns before the lookup, so the caller cannot learn
    /// whether the address is known. Returns false if the request was dropped because too many wait.
    pub fn request_links(&self, request: LinkRequest) -> bool {
        let is_queued = self.0.try_send(Request::Links(request)).is_ok();
        if !is_queued {
            count_dropped(1);
        }
        is_queued
    }

    /// Signals that an e-mail is due. A full queue can drop the signal, because its requests cause the same
    /// poll.
    pub fn wake(&self) {
        let _ = self.0.try_send(Request::Poll);
    }
}

/// Counts dropped requests for links.
fn count_dropped(number: u64) {
    metrics::counter!("certvakt_link_requests_dropped_total").increment(number);
}

/// Sends e-mails, and deletes expired rows.
#[derive(Debug)]
pub struct MailWorker {
    requests: Mutex<mpsc::Receiver<Request>>,
    mailer: Option<Mailer>,
    /// The base URL of links; `None` if no links are sent.
    base: Option<Url>,
    lease_seconds: u32,
    late_after_minutes: u32,
}

/// Creates the handle for e-mails with a token, if this server can send any, and the worker that sends all
/// e-mails. `None` if `[sign_in]` and `[email]` are off.
pub fn set_up(config: &Config) -> Result<Option<(Option<MailQueue>, MailWorker)>, DeliveryError> {
    let timeout = Duration::from_secs(u64::from(config.delivery.timeout_seconds));
    let mailer =
        if config.email.server.is_empty() { None } else { Some(Mailer::new(&config.email, timeout)?) };
    let base = if config.sign_in.is_off() { None } else { Some(config.sign_in.base()?) };
    if mailer.is_none() && base.is_none() {
        return Ok(None);
    }
    let (sender, requests) = mpsc::channel(WAITING);
    let queue = (mailer.is_some() && base.is_some()).then_some(MailQueue(sender));
    let requests = Mutex::new(requests);
    let worker = MailWorker {
        requests,
        mailer,
        base,
        lease_seconds: config.delivery.lease_seconds,
        late_after_minutes: config.serve.late_after_minutes,
    };
    Ok(Some((queue, worker)))
}

impl MailWorker {
    /// Runs until shutdown.
    pub async fn run(self, database: &Database, clock: &Clock, ending: watch::Receiver<bool>) {
        let due = Notify::new();
        tokio::join!(
            self.write_links(database, &due, ending.clone()),
            self.mail(database, clock, &due, ending)
        );
    }

    /// Queues e-mails for requested addresses, while other e-mails are sent.
    async fn write_links(&self, database: &Database, due: &Notify, mut ending: watch::Receiver<bool>) {
        let mut requests = self.requests.lock().await;
        let mut received = Vec::with_capacity(REQUESTS_AT_ONCE);
        loop {
            let number = tokio::select! {
                _ = ending.wait_for(|ending| *ending) => return,
                number = requests.recv_many(&mut received, REQUESTS_AT_ONCE) => number,
            };
            if number == 0 {
                // All senders are dropped.
                return;
            }
            let requested: Vec<LinkRequest> = received
                .drain(..)
                .filter_map(|request| match request {
                    Request::Links(request) => Some(request),
                    Request::Poll => None,
                })
                .collect();
            let number = requested.len() as u64;
            if let Err(error) = grant(database, requested).await {
                count_dropped(number);
                tracing::error!(code = error.code(), "could not queue the requested sign-in links: {error}");
            }
            due.notify_one();
        }
    }

    async fn mail(
        &self,
        database: &Database,
        clock: &Clock,
        due: &Notify,
        mut ending: watch::Receiver<bool>,
    ) {
        let mut polls = tokio::time::interval(POLL_EVERY);
        let mut sweeps = tokio::time::interval(SWEEP_EVERY);
        loop {
            let done = tokio::select! {
                _ = ending.wait_for(|ending| *ending) => return,
                () = due.notified() => self.mail_due(database, clock).await,
                _ = polls.tick() => self.mail_due(database, clock).await,
                _ = sweeps.tick() => self.sweep(database, clock).await,
            };
            if let Err(error) = done {
                tracing::error!(code = error.code(), "could not process the mail queue: {error}");
            }
        }
    }

    async fn mail_due(&self, database: &Database, clock: &Clock) -> Result<(), StoreError> {
        let Some(mailer) = &self.mailer else { return Ok(()) };
        loop {
            let mut tx = database.auth().await?;
            let due: Vec<(QueuedMail, String)> = auth::due(&mut tx, AT_ONCE, self.base.is_some())
                .await?
                .into_iter()
                .map(|one| (one, secret::fresh()))
                .collect();
            if due.is_empty() {
                return tx.commit().await;
            }
            let tokens: Vec<_> = due.iter().map(|(one, token)| new_token(one, token)).collect();
            auth::give_tokens(&mut tx, &tokens, self.lease_seconds).await?;
            tx.commit().await?;
            let digests = Digests::read(database, clock, due.iter().map(|(mail, _)| &mail.kind)).await;
            let sending = due.iter().map(|(mail, token)| self.send(mailer, mail, token, &digests));
            let outcomes = join_all(sending).await;
            let mut tx = database.auth().await?;
            for (one, (outcome, _)) in tokens.into_iter().zip(&outcomes) {
                auth::finish(&mut tx, one.id, one.token_hash, *outcome).await?;
            }
            tx.commit().await?;
            self.note(database, &outcomes).await?;
        }
    }

    async fn send(
        &self,
        mailer: &Mailer,
        mail: &QueuedMail,
        token: &str,
        digests: &Digests,
    ) -> (MailOutcome, Option<Failure>) {
        let written = match (&mail.kind, &self.base) {
            (MailKind::Digest { organisation, person }, Some(base)) => {
                match digests.write(mail, *organisation, *person, base) {
                    Due::Now(written) => written,
                    Due::Later(seconds) => return (MailOutcome::Wait(seconds), None),
                    Due::Never => return (MailOutcome::Refused, None),
                }
            }
            _ => self.write(mail, token),
        };
        let sent = match written {
            Err(_) => Err(Failure::Message("could not render the e-mail".to_owned())),
            Ok(mail) => mailer.send(mail).await,
        };
        let (outcome, label) = match &sent {
            Ok(_) => (MailOutcome::Mailed, "mailed"),
            Err(Failure::Mailbox(_)) => (MailOutcome::Refused, "refused"),
            Err(Failure::Sender(_)) => (MailOutcome::PutOff, "stopped"),
            Err(_) => (MailOutcome::PutOff, "put_off"),
        };
        metrics::counter!("certvakt_mails_total", "outcome" => label).increment(1);
        let failure = sent.err();
        if let Some(failure) = &failure {
            tracing::warn!(mail = %mail.id, outcome = label, "an e-mail was not sent: {}", failure.reason());
        }
        (outcome, failure)
    }

    /// Records whether the mail server accepts our messages, because notices use the same server.
    async fn note(
        &self,
        database: &Database,
        outcomes: &[(MailOutcome, Option<Failure>)],
    ) -> Result<(), StoreError> {
        let refused = outcomes.iter().find_map(|(_, failure)| match failure {
            Some(Failure::Sender(reason)) => Some(reason),
            _ => None,
        });
        let is_mailed = outcomes.iter().any(|(outcome, _)| *outcome == MailOutcome::Mailed);
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

    fn write(&self, mail: &QueuedMail, token: &str) -> askama::Result<Mail> {
        let text = Text::new(mail, self.base.as_ref(), token);
        let body = mail::body(Plain { text: &text }.render()?, Html { text: &text }.render()?);
        // An e-mail with a new token is a new message.
        let id = Uuid::new_v4().to_string();
        Ok(Mail { to: mail.address.clone(), subject: text.subject, id, body, unsubscribe: None })
    }

    /// Queues due alerts and digests, and deletes expired rows.
    async fn sweep(&self, database: &Database, clock: &Clock) -> Result<(), StoreError> {
        if self.mailer.is_some() {
            let mut tx = database.worker().await?;
            renewal::queue_long_history_alerts(&mut tx).await?;
            partner::queue_alerts(&mut tx).await?;
            tx.commit().await?;
            // A digest leads to the pages.
            if self.base.is_some()
                && let Err(error) = digest::queue(database, clock, self.late_after_minutes).await
            {
                tracing::error!(code = error.code(), "could not queue the digests: {error}");
            }
        }
        let mut tx = database.auth().await?;
        auth::sweep(&mut tx).await?;
        tx.commit().await
    }
}

/// Queues e-mails for the people with some addresses.
async fn grant(database: &Database, mut requested: Vec<LinkRequest>) -> Result<(), StoreError> {
    if requested.is_empty() {
        return Ok(());
    }
    let mut tx = database.auth().await?;
    while !requested.is_empty() {
        // A repeated address is handled in the next round.
        let mut seen = HashSet::new();
        let (once, again): (Vec<_>, Vec<_>) =
            requested.into_iter().partition(|request| seen.insert(request.address.to_lowercase()));
        auth::request_links(&mut tx, &once).await?;
        requested = again;
    }
    tx.commit().await
}

/// The hashes of an e-mail's token and, for a sign-in link, of its code.
fn new_token(mail: &QueuedMail, token: &str) -> NewToken {
    let code_hash = match &mail.kind {
        MailKind::Link { browser_hash: Some(browser) } => Some(code_hash(browser, &code(token))),
        _ => None,
    };
    NewToken { id: mail.id, token_hash: secret::hash(token), code_hash }
}

/// The code of a link: six digits, which its token determines and from which nobody can compute the token.
fn code(token: &str) -> String {
    let digest = secret::hash(&secret::derived(token, "code"));
    let number = digest.iter().fold(0, |number, byte| (number * 256 + u32::from(*byte)) % CODES);
    format!("{number:06}")
}

/// The digest by which a code is stored. It is valid only in one browser.
pub fn code_hash(browser_hash: &[u8], code: &str) -> [u8; 32] {
    secret::hash(&format!("{}:{code}", HEXLOWER.encode(browser_hash)))
}

/// The text of an e-mail.
struct Text {
    language: &'static str,
    subject: String,
    greeting: String,
    about: String,
    /// The URL and the label of the button.
    link: Option<(String, String)>,
    /// The code of a link, with what to do with it.
    code: Option<String>,
    ends: String,
    footer: String,
}

impl Text {
    fn new(mail: &QueuedMail, base: Option<&Url>, token: &str) -> Self {
        let locale = Locale::from_tag(&mail.locale);
        let mut arguments = FluentArgs::new();
        if let Some(name) = &mail.name {
            arguments.set("name", line(name));
        }
        let (subject, kind) = match &mail.kind {
            MailKind::Link { .. } => ("link", "link".to_owned()),
            MailKind::Invitation => ("invitation", "invitation".to_owned()),
            MailKind::Change(name) => (name.as_str(), name.clone()),
            // Its own module writes it.
            MailKind::Digest { .. } => ("digest", "digest".to_owned()),
            MailKind::Consent { name, organisation, partner, recorded_by, given } => {
                arguments.set("organisation", line(organisation));
                arguments.set("partner", line(partner));
                arguments.set("who", line(recorded_by.as_ref().unwrap_or(organisation)));
                arguments.set("way", given.map_or("", |(way, _)| way.as_str()));
                arguments.set("day", given.map(|(_, day)| date(locale, day)).unwrap_or_default());
                (name.as_str(), name.clone())
            }
            MailKind::Alert { alert, organisation, number } => {
                arguments.set("organisation", line(organisation));
                arguments.set("number", *number);
                ("alert", alert_texts(alert))
            }
        };
        let has_code = matches!(mail.kind, MailKind::Link { browser_hash: Some(_) });
        if has_code {
            arguments.set("code", code(token));
        }
        let say = |key: &str| CATALOG.say(locale, key, &arguments);
        let code = has_code.then(|| say("link-code"));
        let link = match (&mail.kind, base) {
            (MailKind::Link { .. } | MailKind::Invitation, Some(base)) => {
                Some((format!("{base}sign-in/{kind}?token={token}"), say(&format!("{kind}-button"))))
            }
            _ => None,
        };
        Self {
            language: locale.tag(),
            subject: say(&format!("{subject}-subject")),
            greeting: say(if mail.name.is_some() { "greeting-named" } else { "greeting" }),
            about: say(&kind),
            link,
            code,
            ends: say(&format!("{kind}-ends")),
            footer: say("footer"),
        }
    }
}

/// The id of the texts of an alert: all but one are about a problem of a partner.
fn alert_texts(alert: &str) -> String {
    if alert == "long-history" { alert.to_owned() } else { format!("partner-{alert}") }
}

#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct Plain<'a> {
    text: &'a Text,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    text: &'a Text,
}
