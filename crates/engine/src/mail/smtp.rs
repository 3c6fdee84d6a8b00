//! The SMTP client. It sends each command itself, so that it knows which command a refusal belongs to.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use nix::unistd::gethostname;
use reqwest::Url;

use super::failure::Failure;
use super::reply::{Meaning, Phase, Reply};
use crate::outbound::is_loopback;

/// The time limit of a response to QUIT.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail server, with its idle connections.
pub(super) struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

enum Encryption {
    /// No encryption: on this machine only.
    None,
    /// Required STARTTLS.
    StartTls(TlsParameters),
    /// TLS from the first byte.
    Wrapped(TlsParameters),
}

impl Server {
    /// Parses the address of a server. An error never contains the address.
    pub(super) fn new(address: &str, timeout: Duration) -> Result<Self, &'static str> {
        const FORM: &str = "email.server is not a valid address, write it like smtps://mail.example.org";
        let url: Url = address.parse().map_err(|_| FORM)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "email.server must not contain a user or a password: use email.user and email.password_file",
            );
        }
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let parameters = || TlsParameters::new(host.clone()).map_err(|_| FORM);
        let (encryption, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", _) => (Encryption::Wrapped(parameters()?), 465),
            ("smtp", Some("required")) => (Encryption::StartTls(parameters()?), 587),
            // An attacker on the network can remove opportunistic encryption.
            ("smtp", _) if !is_loopback(&host) => {
                return Err(
                    "email.server would send passwords and links unencrypted: write smtps://host or smtp://host?tls=required (smtp:// alone is for this machine only)",
                );
            }
            ("smtp", None) => (Encryption::None, 25),
            _ => return Err(FORM),
        };
        let port = url.port().unwrap_or(port);
        // Without a host name, the client names itself by an address literal (RFC 5321, section 4.1.3).
        let name = gethostname().ok().and_then(|name| name.into_string().ok());
        let hello = name.map_or_else(ClientId::default, ClientId::Domain);
        Ok(Self { host, port, encryption, credentials: None, hello, timeout, idle: Mutex::default() })
    }

    /// Sets the credentials.
    pub(super) fn sign_in_with(&mut self, user: &str, password: &str) {
        self.credentials = Some(Credentials::new(user.to_owned(), password.to_owned()));
    }

    /// Checks whether the server accepts the sender, without sending a message.
    pub(super) async fn check(&self, from: &Address) -> Result<(), Failure> {
        let mut connection = self.connection().await?;
        let asked = connection.command(Mail::new(Some(from.clone()), Vec::new())).await;
        let asked = asked.map(|_| ()).map_err(|error| failure(Phase::MailFrom, &error));
        self.end(connection, asked).await
    }

    /// Sends a message, which must be 7-bit.
    pub(super) async fn send(&self, from: &Address, to: &Address, message: &[u8]) -> Result<(), Failure> {
        let mut connection = self.connection().await?;
        let sent = transaction(&mut connection, from, to, message).await;
        self.end(connection, sent).await
    }

    /// Returns an idle connection that still responds, or opens a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Failure> {
        loop {
            // In the condition of the loop, the lock would be held while the server responds.
            let idle = self.idle().pop();
            let Some(mut idle) = idle else { return self.connect().await };
            if idle.command(Rset).await.is_ok() {
                return Ok(idle);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let wrapped = match &self.encryption {
            Encryption::Wrapped(parameters) => Some(parameters.clone()),
            Encryption::None | Encryption::StartTls(_) => None,
        };
        let place = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            place,
            Some(self.timeout),
            &self.hello,
            wrapped,
            None::<IpAddr>,
        );
        let mut connection = connecting.await.map_err(|error| failure(Phase::Connect, &error))?;
        if let Encryption::StartTls(parameters) = &self.encryption {
            if !connection.can_starttls() {
                return Err(Failure::Unanswered("the mail server does not support STARTTLS".to_owned()));
            }
            let encrypting = connection.starttls(parameters.clone(), &self.hello).await;
            encrypting.map_err(|error| failure(Phase::Connect, &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let signing_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await;
            signing_in.map_err(|error| failure(Phase::Auth, &error))?;
        }
        Ok(connection)
    }

    /// Keeps a connection for the next message; closes it after a refusal or an invalid response.
    async fn end(
        &self,
        mut connection: AsyncSmtpConnection,
        ended: Result<(), Failure>,
    ) -> Result<(), Failure> {
        match &ended {
            Ok(()) => self.idle().push(connection),
            Err(Failure::Unanswered(_)) => {}
            Err(_) => {
                let _ = tokio::time::timeout(GOODBYE, connection.abort()).await;
            }
        }
        ended
    }

    /// The list, even if a thread panicked: no panic can leave it inconsistent.
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn transaction(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    message: &[u8],
) -> Result<(), Failure> {
    let at = |phase| move |error: Error| failure(phase, &error);
    connection.command(Mail::new(Some(from.clone()), Vec::new())).await.map_err(at(Phase::MailFrom))?;
    connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(at(Phase::RcptTo))?;
    let go_on = connection.command(Data).await.map_err(at(Phase::Data))?;
    if !go_on.has_code(354) {
        return Err(Failure::Unanswered("an unexpected response from the mail server".to_owned()));
    }
    connection.message(message).await.map_err(at(Phase::EndOfData))?;
    Ok(())
}

/// Converts an error in a phase.
fn failure(phase: Phase, error: &Error) -> Failure {
    use std::error::Error as _;

    let Some(code) = error.status().map(u16::from) else {
        return match phase {
            _ if error.is_tls() => Failure::Unanswered("the encrypted connection failed".to_owned()),
            // The library supports none of the server's authentication methods.
            Phase::Auth if error.is_client() => {
                Failure::Sender("the mail server supports no authentication method".to_owned())
            }
            _ => Failure::Unanswered("no connection".to_owned()),
        };
    };
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    let reply = Reply { code, text: &text };
    let said = |what: &str| format!("{what} with {reply} at {phase}");
    match reply.meaning(phase) {
        Meaning::Mailbox => Failure::Mailbox(said("refused")),
        Meaning::Later => Failure::Later(said("put off")),
        Meaning::Message => Failure::Message(said("refused")),
        Meaning::Sender => Failure::Sender(said("refused")),
    }
}
