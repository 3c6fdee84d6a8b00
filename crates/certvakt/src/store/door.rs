//! Who comes in with a browser: sessions, and the letters that carry a token to a mail address.
//!
//! A token is known here by its SHA-256 only.

use uuid::Uuid;

use super::{Asking, DoorTx, StoreError};

/// A login that a session speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who vouches for it.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
}

/// The login of a session that is not over. Normally nothing is written.
pub async fn session(tx: &mut DoorTx, token_hash: [u8; 32]) -> Result<Option<Login>, StoreError> {
    let found = sqlx::query_file_as!(Login, "src/store/door/session.sql", &token_hash);
    Ok(found.fetch_optional(tx).await?)
}

/// Begins a session.
pub async fn begin_session(
    tx: &mut DoorTx,
    token_hash: [u8; 32],
    login: &Asking<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.sessions (token_hash, issuer, subject) values ($1, $2, $3)",
        &token_hash,
        login.issuer,
        login.subject,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends a session.
pub async fn end_session(tx: &mut DoorTx, token_hash: [u8; 32]) -> Result<(), StoreError> {
    sqlx::query!("delete from certvakt.sessions where token_hash = $1", &token_hash).execute(tx).await?;
    Ok(())
}

/// Has a link to sign in with mailed to each person of some mail addresses, if there are any; each address comes once.
/// Three that are open are enough for a person, and ten people for an address.
pub async fn ask_for_links(tx: &mut DoorTx, addresses: &[String]) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/door/ask_for_links.sql", addresses).execute(tx).await?;
    Ok(())
}

/// Begins a session of whoever a link was mailed to. False: it is unknown, used or expired.
pub async fn use_link(
    tx: &mut DoorTx,
    link_hash: [u8; 32],
    session_hash: [u8; 32],
) -> Result<bool, StoreError> {
    let begun = sqlx::query_file!("src/store/door/use_link.sql", &link_hash, &session_hash);
    Ok(begun.execute(tx).await?.rows_affected() > 0)
}

/// What a letter is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A link to sign in with.
    Link,
    /// An invitation.
    Invitation,
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
    /// What it is about.
    pub kind: Kind,
    /// What the person is called.
    pub name: Option<String>,
    /// Where it goes.
    pub address: String,
    /// The language of the person, or of their organisation.
    pub locale: String,
}

/// Locks letters that are due, for as long as the transaction lasts; those that carry a token only if asked.
pub async fn due(tx: &mut DoorTx, limit: i64, with_tokens: bool) -> Result<Vec<Letter>, StoreError> {
    let due = sqlx::query_file!("src/store/door/due.sql", limit, with_tokens).fetch_all(tx).await?;
    Ok(due
        .into_iter()
        .map(|one| Letter {
            id: one.id,
            kind: match (one.alert, one.organisation, one.number) {
                (Some(alert), Some(organisation), Some(number)) => {
                    Kind::Alert { alert, organisation, number }
                }
                _ if one.kind == "invitation" => Kind::Invitation,
                _ => Kind::Link,
            },
            name: one.name,
            address: one.address,
            locale: one.locale,
        })
        .collect())
}

/// Gives each of some letters a token, and so many seconds to be mailed. Tokens that they had are dead.
pub async fn give_tokens(
    tx: &mut DoorTx,
    tokens: &[(Uuid, [u8; 32])],
    lease_seconds: u32,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = tokens.iter().map(|(id, _)| *id).collect();
    let hashes: Vec<Vec<u8>> = tokens.iter().map(|(_, hash)| hash.to_vec()).collect();
    sqlx::query_file!("src/store/door/give_tokens.sql", &ids, &hashes, f64::from(lease_seconds))
        .execute(tx)
        .await?;
    Ok(())
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The mail server took it.
    Mailed,
    /// Not now: it is tried again after as long as it has waited already.
    PutOff,
    /// Never, to this address.
    Refused,
}

/// Writes down what became of a letter, if its token is still the one that was sent.
pub async fn finish(tx: &mut DoorTx, id: Uuid, token_hash: [u8; 32], fate: Fate) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.letters
         set mailed_at = case when $3 then now() end,
           mail_due_at = case when $4 then now() + greatest(interval '30 seconds', now() - requested_at) end
         where id = $1 and token_hash = $2",
        id,
        &token_hash,
        fate == Fate::Mailed,
        fate == Fate::PutOff,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes what is over: sessions, letters, and invitations.
pub async fn sweep(tx: &mut DoorTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/door/sweep.sql").execute(tx).await?;
    Ok(())
}
