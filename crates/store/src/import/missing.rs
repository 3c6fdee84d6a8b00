//! The certifications of a file's chapters and types that are missing from it.

use sqlx::Executor;

use super::{Coverage, Target, change_as};
use crate::{RegistrarTx, StoreError};

/// Finds the certifications that are missing from the file, before the merge. `with_suspended`: whether suspended ones
/// count.
pub async fn find_missing(
    tx: &mut RegistrarTx,
    target: &Target,
    coverage: &Coverage,
    with_suspended: bool,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("missing.sql"))
        .bind(target.organisation_id)
        .bind(&coverage.chapters)
        .bind(&coverage.types)
        .bind(with_suspended)
        .bind(target.source.actor())
        .bind(target.source.chapters())
        .execute(tx)
        .await?;
    Ok(())
}

/// The number of missing certifications, after the merge: those that were replaced are not missing.
pub async fn count_missing(tx: &mut RegistrarTx) -> Result<i64, StoreError> {
    tx.execute("delete from import_missing where id in (select certification_id from import_replacements)")
        .await?;
    Ok(sqlx::query_scalar("select count(*) from import_missing").fetch_one(tx).await?)
}

/// The numbers that limit how many certifications may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct MissingLimit {
    /// Valid certifications of the chapters and types in the file, before the import.
    pub covered: i64,
    /// The limit of the organisation's runs, as a number of certifications.
    #[sqlx(rename = "run_limit_floor")]
    pub floor: i64,
    /// The same limit in percent; a number must exceed both.
    #[sqlx(rename = "run_limit_percent")]
    pub percent: i16,
}

/// The limit of missing certifications, after the merge.
pub async fn missing_limit(
    tx: &mut RegistrarTx,
    target: &Target,
    coverage: &Coverage,
) -> Result<MissingLimit, StoreError> {
    Ok(sqlx::query_as(include_str!("missing_limit.sql"))
        .bind(target.organisation_id)
        .bind(&coverage.chapters)
        .bind(&coverage.types)
        .fetch_one(tx)
        .await?)
}

/// The ids in the register of the first missing certifications.
pub async fn first_missing(tx: &mut RegistrarTx, most: i64) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar("select external_id from import_missing order by external_id limit $1");
    Ok(ids.bind(most).fetch_all(tx).await?)
}

/// Suspends the missing certifications, or withdraws them.
pub async fn suspend_missing(
    tx: &mut RegistrarTx,
    target: &Target,
    withdraw: bool,
) -> Result<(), StoreError> {
    change_as(tx, target, Some(if withdraw { "withdrawn" } else { "suspended" })).await?;
    sqlx::query(include_str!("suspend_missing.sql")).bind(withdraw).execute(tx).await?;
    Ok(())
}
