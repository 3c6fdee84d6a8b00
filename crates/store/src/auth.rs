//! Browser authentication: sessions, and the e-mails that carry a token.
//!
//! Only the SHA-256 of a token is stored.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{AuthTx, GivenAs, StoreError};

/// An active session, with its login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: Uuid,
    /// The issuer of the login.
    pub issuer: String,
    /// The subject of the login.
    pub subject: String,
    /// The time of the last authentication at the provider, if known.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// The authentication context class (`acr`), if known.
    pub acr: Option<String>,
}

/// Looks up the active session of a token. Usually writes nothing.
pub async fn session(tx: &mut AuthTx, token_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
    let found = sqlx::query_file_as!(Session, "src/auth/session.sql", &token_hash);
    Ok(found.fetch_optional(tx).await?)
}

/// Keeps a form that the browser of a session sent, for the person of that session, which may have expired. Returns false
/// if there is no such session.
pub async fn keep_form(
    tx: &mut AuthTx,
    token_hash: [u8; 32],
    path: &str,
    fields: &str,
) -> Result<bool, StoreError> {
    let kept = sqlx::query!(
        "insert into certvakt.kept_forms (person_id, path, fields)
         select i.person_id, $2, $3
         from certvakt.sessions s join certvakt.identities i on i.issuer = s.issuer and i.subject = s.subject
         where s.token_hash = $1
         on conflict (person_id) do update set path = excluded.path, fields = excluded.fields, kept_at = excluded.kept_at",
        &token_hash,
        path,
        fields,
    );
    Ok(kept.execute(tx).await?.rows_affected() > 0)
}

/// A new session.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The SHA-256 of the session's token.
    pub token_hash: [u8; 32],
    /// The issuer of the login.
    pub issuer: &'a str,
    /// The subject of the login.
    pub subject: &'a str,
    /// The e-mail address of the link; `None` for a sign-in at a provider.
    pub address: Option<&'a str>,
    /// The browser's name.
    pub browser: &'a str,
    /// The SHA-256 of the token that identifies the browser.
    pub browser_hash: [u8; 32],
    /// The time of the last authentication at the provider.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// The authentication context class (`acr`).
    pub acr: Option<&'a str>,
}

/// Starts a session. If the browser is new for the person, queues e-mails to their other addresses.
pub async fn begin_session(tx: &mut AuthTx, new: &NewSession<'_>) -> Result<(), StoreError> {
    sqlx::query_file!(
        "src/auth/begin_session.sql",
        &new.token_hash,
        new.issuer,
        new.subject,
        new.address,
        new.browser,
        &new.browser_hash,
        new.authenticated_at,
        new.acr,
    )
    .fetch_all(tx)
    .await?;
    Ok(())
}

/// Ends a session.
pub async fn end_session(tx: &mut AuthTx, token_hash: [u8; 32]) -> Result<(), StoreError> {
    sqlx::query!("delete from certvakt.sessions where token_hash = $1", &token_hash).execute(tx).await?;
    Ok(())
}

/// A request for sign-in links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    /// The e-mail address.
    pub address: String,
    /// The page to show after the sign-in.
    pub return_to: String,
    /// The SHA-256 of the secret that identifies the browser.
    pub browser_hash: [u8; 32],
}

/// Queues sign-in links for the people with some addresses. The addresses must be distinct. A person has at
/// most three open links, and at most ten people of an address get one. A browser's former codes become invalid.
pub async fn request_links(tx: &mut AuthTx, requests: &[LinkRequest]) -> Result<(), StoreError> {
    let addresses: Vec<String> = requests.iter().map(|one| one.address.clone()).collect();
    let pages: Vec<String> = requests.iter().map(|one| one.return_to.clone()).collect();
    let browsers: Vec<Vec<u8>> = requests.iter().map(|one| one.browser_hash.to_vec()).collect();
    sqlx::query_file!("src/auth/request_links.sql", &addresses, &pages, &browsers).execute(tx).await?;
    Ok(())
}

/// The login of a link, with the address that it was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLogin {
    /// The issuer of all links.
    pub issuer: String,
    /// The person.
    pub subject: String,
    /// The e-mail address.
    pub address: String,
    /// The page to show after the sign-in, as it was requested.
    pub return_to: Option<String>,
}

/// The proof that somebody received a sign-in link.
#[derive(Debug, Clone, Copy)]
pub enum LinkProof {
    /// The SHA-256 of the link's token.
    Token([u8; 32]),
    /// The code in the e-mail, in the browser that requested the link.
    Code {
        /// The SHA-256 of the browser's secret.
        browser_hash: [u8; 32],
        /// The hash of both, as in [`give_tokens`].
        code_hash: [u8; 32],
    },
}

/// Uses a link. Returns `None` if it is unknown, used or expired, or if the code is wrong or the browser has sent
/// too many wrong ones. Commit in either case, because a wrong code counts.
pub async fn use_link(tx: &mut AuthTx, proof: LinkProof) -> Result<Option<LinkLogin>, StoreError> {
    let (token, browser, code) = match &proof {
        LinkProof::Token(token) => (Some(token), None, None),
        LinkProof::Code { browser_hash, code_hash } => (None, Some(browser_hash), Some(code_hash)),
    };
    let [token, browser, code] = [token, browser, code].map(|hash| hash.map(<[u8; 32]>::as_slice));
    let used = sqlx::query_file_as!(LinkLogin, "src/auth/use_link.sql", token, browser, code);
    Ok(used.fetch_optional(tx).await?)
}

/// The login of a person that an e-mailed link proves, as its issuer and subject; links it to the person.
pub async fn link_login(tx: &mut AuthTx, person: Uuid) -> Result<(String, String), StoreError> {
    let (issuer, subject) = ("urn:certvakt:link", person.to_string());
    sqlx::query!(
        "insert into certvakt.identities (issuer, subject, person_id) values ($1, $2, $3) on conflict do nothing",
        issuer,
        subject,
        person,
    )
    .execute(tx)
    .await?;
    Ok((issuer.to_owned(), subject))
}

/// The subject of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailKind {
    /// A sign-in link.
    Link {
        /// The SHA-256 of the secret of the browser in which the code is valid; `None` if it is valid in none.
        browser_hash: Option<Vec<u8>>,
    },
    /// An invitation.
    Invitation,
    /// A change of a person's addresses or logins, by its id in `mails.ftl`.
    Change(String),
    /// A consent to being listed that somebody else recorded.
    Consent {
        /// Its id in `mails.ftl`: `consent-given` or `consent-withdrawn`.
        name: String,
        /// The organisation's name.
        organisation: String,
        /// The partner's short name.
        partner: String,
        /// The name of the person who recorded it, if it was a person.
        recorded_by: Option<String>,
        /// How it was given, and on which day.
        given: Option<(GivenAs, NaiveDate)>,
    },
    /// An alert to an administrator.
    Alert {
        /// The alert's id in `mails.ftl`.
        alert: String,
        /// The organisation's name.
        organisation: String,
        /// The number in the alert.
        number: i64,
    },
    /// A digest of an organisation.
    Digest {
        /// The organisation.
        organisation: Uuid,
        /// The recipient.
        person: Uuid,
    },
}

/// An e-mail to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// The e-mail's id.
    pub id: Uuid,
    /// The e-mail's subject.
    pub kind: MailKind,
    /// The person's name.
    pub name: Option<String>,
    /// The recipient's address.
    pub address: String,
    /// The language of the person or of their organisation.
    pub locale: String,
}

/// Locks due e-mails until the end of the transaction. Includes e-mails with links only if `with_links` is
/// true.
pub async fn due(tx: &mut AuthTx, limit: i64, with_links: bool) -> Result<Vec<QueuedMail>, StoreError> {
    let due = sqlx::query_file!("src/auth/due.sql", limit, with_links).fetch_all(tx).await?;
    Ok(due
        .into_iter()
        .map(|one| QueuedMail {
            id: one.id,
            kind: match (one.alert, one.organisation, one.number, one.partner) {
                (Some(alert), Some(organisation), Some(number), _) => {
                    MailKind::Alert { alert, organisation, number }
                }
                (_, Some(organisation), _, Some(partner)) => MailKind::Consent {
                    name: one.kind,
                    organisation,
                    partner,
                    recorded_by: one.recorded_by,
                    given: one.given_as.zip(one.given_on),
                },
                _ => match (one.kind.as_str(), one.organisation_id) {
                    ("digest", Some(organisation)) => {
                        MailKind::Digest { organisation, person: one.person_id }
                    }
                    ("link", _) => MailKind::Link { browser_hash: one.browser_hash },
                    ("invitation", _) => MailKind::Invitation,
                    _ => MailKind::Change(one.kind.clone()),
                },
            },
            name: one.name,
            address: one.address,
            locale: one.locale,
        })
        .collect())
}

/// The new token of an e-mail.
#[derive(Debug, Clone, Copy)]
pub struct NewToken {
    /// The e-mail's id.
    pub id: Uuid,
    /// The SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// The hash of the code and the browser in which it signs in; `None` if the e-mail has no code.
    pub code_hash: Option<[u8; 32]>,
}

/// Sets new tokens of e-mails, with a lease in seconds. Previous tokens become invalid.
pub async fn give_tokens(tx: &mut AuthTx, tokens: &[NewToken], lease_seconds: u32) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = tokens.iter().map(|one| one.id).collect();
    let hashes: Vec<Vec<u8>> = tokens.iter().map(|one| one.token_hash.to_vec()).collect();
    let codes: Vec<Option<Vec<u8>>> =
        tokens.iter().map(|one| one.code_hash.map(|hash| hash.to_vec())).collect();
    let codes = codes.as_slice() as &[Option<Vec<u8>>];
    sqlx::query_file!("src/auth/give_tokens.sql", &ids, &hashes, f64::from(lease_seconds), codes as _)
        .execute(tx)
        .await?;
    Ok(())
}

/// The outcome of sending an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail server accepted it.
    Mailed,
    /// It could not be sent now. It is tried again after as long as it has already waited.
    PutOff,
    /// It may be sent in so many seconds: the organisation's hours have ended.
    Wait(u32),
    /// The address was refused permanently.
    Refused,
}

/// Records the outcome of an e-mail, if its token is still the one that was sent.
pub async fn finish(
    tx: &mut AuthTx,
    id: Uuid,
    token_hash: [u8; 32],
    outcome: MailOutcome,
) -> Result<(), StoreError> {
    let wait = match outcome {
        MailOutcome::Wait(seconds) => Some(f64::from(seconds)),
        _ => None,
    };
    sqlx::query!(
        "with sent as (
           update certvakt.mail_queue
           set mailed_at = case when $3 then now() end,
             mail_due_at = case when $4 then now() + greatest(interval '30 seconds', now() - requested_at)
               else now() + make_interval(secs => $5) end
           where id = $1 and token_hash = $2
           returning id, mailed_at
         )
         update certvakt.digests d set mailed_at = sent.mailed_at from sent where d.id = sent.id",
        id,
        &token_hash,
        outcome == MailOutcome::Mailed,
        outcome == MailOutcome::PutOff,
        wait,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Turns off the digests of the person with a token. Returns false if there is none.
pub async fn unsubscribe(tx: &mut AuthTx, token: Uuid) -> Result<bool, StoreError> {
    let changed =
        sqlx::query!("update certvakt.digest_settings set schedule = 'off' where unsubscribe = $1", token);
    Ok(changed.execute(tx).await?.rows_affected() > 0)
}

/// Deletes expired sessions, e-mails and invitations.
pub async fn sweep(tx: &mut AuthTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/auth/sweep.sql").execute(tx).await?;
    Ok(())
}
