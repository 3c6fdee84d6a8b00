//! An organisation's own words in the e-mails of notices.

use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::rows_read::of_organisation;
use super::{CallerTx, StoreError, WorkerTx};

/// The text of an organisation for a stage in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeText {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The days from the due date of the stage to the last valid day; -1 for `expired`.
    pub days_before: i32,
    /// The language: `nb` or `en`.
    pub locale: String,
    /// The text, with fields in braces.
    pub body: String,
}

of_organisation!(NoticeText);

/// The texts of some organisations, for the worker.
pub async fn of_organisations(
    tx: &mut WorkerTx,
    organisations: &[Uuid],
) -> Result<Vec<NoticeText>, StoreError> {
    let found = sqlx::query_as!(
        NoticeText,
        "select organisation_id, days_before, locale, body from certvakt.notice_texts where organisation_id = any($1)",
        organisations,
    );
    Ok(found.fetch_all(tx).await?)
}

/// The texts of an organisation that the caller administers; empty if they do not.
pub async fn administered(tx: &mut CallerTx, organisation_id: Uuid) -> Result<Vec<NoticeText>, StoreError> {
    let found = sqlx::query_as!(
        NoticeText,
        "select organisation_id, days_before, locale, body from certvakt.notice_texts where organisation_id = $1",
        organisation_id,
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// Stores a text of an organisation, in a transaction whose role may.
pub async fn set<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    text: &NoticeText,
) -> Result<(), StoreError> {
    let stored = sqlx::query!(
        "insert into certvakt.notice_texts (organisation_id, days_before, locale, body) values ($1, $2, $3, $4)
         on conflict (organisation_id, days_before, locale) do update set body = excluded.body",
        text.organisation_id,
        text.days_before,
        text.locale,
        text.body,
    );
    stored.execute(tx).await?;
    Ok(())
}

/// Removes a text of an organisation, in a transaction whose role may: the built-in text is sent from then on.
pub async fn remove<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    organisation_id: Uuid,
    days_before: i32,
    locale: &str,
) -> Result<(), StoreError> {
    let removed = sqlx::query!(
        "delete from certvakt.notice_texts where organisation_id = $1 and days_before = $2 and locale = $3",
        organisation_id,
        days_before,
        locale,
    );
    removed.execute(tx).await?;
    Ok(())
}
