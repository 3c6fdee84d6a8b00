//! Authentication in browsers: sessions, and the letters that carry a token to a mail address.
//!
//! Only the SHA-256 of a token is stored.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AuthTx, StoreError};

/// A session that is not over, and the login that it speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Who vouches for the login.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// When the provider last authenticated the person; none: it did not say.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// How, in the provider's words; none: it did not say.
    pub acr: Option<String>,
}

/// The session of a token, if it is not over. Normally nothing is written.
pub async fn session(tx: &mut AuthTx, token_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
    let found = sqlx::query_file_as!(Session, "src/store/auth/session.sql", &token_hash);
    Ok(found.fetch_optional(tx).await?)
}

/// A session to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Who vouches for the login.
    pub issuer: &'a str,
    /// Who it is there.
    pub subject: &'a str,
    /// The mail address whose link begins it; none: a provider does.
    pub address: Option<&'a str>,
    /// The browser, as it names itself.
    pub browser: &'a str,
    /// The SHA-256 of the token by which the browser is known again.
    pub browser_hash: [u8; 32],
    /// When the provider last authenticated the person.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// How, in the provider's words.
    pub acr: Option<&'a str>,
}

/// Begins a session. If the browser is new to its person, their other mail addresses are told.
pub async fn begin_session(tx: &mut AuthTx, new: &NewSession<'_>) -> Result<(), StoreError> {
    sqlx::query_file!(
        "src/store/auth/begin_session.sql",
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

/// Has a link to sign in with mailed to each person of some mail addresses, if there are any; each address comes once.
/// Three that are open are enough for a person, and ten people for an address.
pub async fn ask_for_links(tx: &mut AuthTx, addresses: &[String]) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/auth/ask_for_links.sql", addresses).execute(tx).await?;
    Ok(())
}

/// The login of the person to whom a link was mailed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLogin {
    /// The issuer of all links.
    pub issuer: String,
    /// The person.
    pub subject: String,
    /// The mail address.
    pub address: String,
}

/// Uses a link. None: it is unknown, used or expired.
pub async fn use_link(tx: &mut AuthTx, link_hash: [u8; 32]) -> Result<Option<LinkLogin>, StoreError> {
    let used = sqlx::query_file_as!(LinkLogin, "src/store/auth/use_link.sql", &link_hash);
    Ok(used.fetch_optional(tx).await?)
}

/// The subject of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A link to sign in with.
    Link,
    /// An invitation.
    Invitation,
    /// Something that happened to a person's addresses or logins, by its name in `letters.ftl`.
    Change(String),
    /// Something that wants an administrator.
    Alert {
        /// What, as `letters.ftl` names it.
        alert: String,
        /// The organisation's name.
        organisation: String,
        /// Of how many.
        number: i64,
    },
}

/// A letter that is to be mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: Uuid,
    /// Its subject.
    pub kind: Kind,
    /// What the person is called.
    pub name: Option<String>,
    /// Where it goes.
    pub address: String,
    /// The language of the person, or of their organisation.
    pub locale: String,
}

/// Locks letters that are due, for as long as the transaction lasts; those that carry a token only if asked.
pub async fn due(tx: &mut AuthTx, limit: i64, with_tokens: bool) -> Result<Vec<Letter>, StoreError> {
    let due = sqlx::query_file!("src/store/auth/due.sql", limit, with_tokens).fetch_all(tx).await?;
    Ok(due
        .into_iter()
        .map(|one| Letter {
            id: one.id,
            kind: match (one.alert, one.organisation, one.number) {
                (Some(alert), Some(organisation), Some(number)) => {
                    Kind::Alert { alert, organisation, number }
                }
                _ => match one.kind.as_str() {
                    "link" => Kind::Link,
                    "invitation" => Kind::Invitation,
                    _ => Kind::Change(one.kind),
                },
            },
            name: one.name,
            address: one.address,
            locale: one.locale,
        })
        .collect())
}

/// Gives each of some letters a token, and so many seconds to be mailed. Tokens that they had are dead.
pub async fn give_tokens(
    tx: &mut AuthTx,
    tokens: &[(Uuid, [u8; 32])],
    lease_seconds: u32,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = tokens.iter().map(|(id, _)| *id).collect();
    let hashes: Vec<Vec<u8>> = tokens.iter().map(|(_, hash)| hash.to_vec()).collect();
    sqlx::query_file!("src/store/auth/give_tokens.sql", &ids, &hashes, f64::from(lease_seconds))
        .execute(tx)
        .await?;
    Ok(())
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The mail server took it.
    Mailed,
    /// Not now: it is tried again after as long as it has waited already.
    PutOff,
    /// Never, to this address.
    Refused,
}

/// Writes down what became of a letter, if its token is still the one that was sent.
pub async fn finish(
    tx: &mut AuthTx,
    id: Uuid,
    token_hash: [u8; 32],
    outcome: Outcome,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.letters
         set mailed_at = case when $3 then now() end,
           mail_due_at = case when $4 then now() + greatest(interval '30 seconds', now() - requested_at) end
         where id = $1 and token_hash = $2",
        id,
        &token_hash,
        outcome == Outcome::Mailed,
        outcome == Outcome::PutOff,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes what is over: sessions, letters, and invitations.
pub async fn sweep(tx: &mut AuthTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/auth/sweep.sql").execute(tx).await?;
    Ok(())
}
