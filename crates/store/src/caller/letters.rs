//! What a letter to a mentor needs besides the certification.

use uuid::Uuid;

use crate::rows_read::of_organisation;
use crate::{CallerTx, StoreError};

of_organisation!(Letter);

/// Who writes to a mentor, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// Its name.
    pub organisation: String,
    /// The mentor's language: `nb` or `en`.
    pub locale: String,
    /// The organisation's own text for the stage in this language, if it wrote one, with fields in braces.
    pub body: Option<String>,
}

/// What a letter to the mentor of a certification needs, if the caller manages its chapter. A stage has the number of days from
/// its due date to the last valid day.
pub async fn letter(
    tx: &mut CallerTx,
    certification: Uuid,
    days_before: Option<i32>,
) -> Result<Option<Letter>, StoreError> {
    let found = sqlx::query_as!(
        Letter,
        r#"select organisation_id as "organisation_id!", organisation as "organisation!", locale as "locale!", body
           from certvakt.letter_to($1, $2)"#,
        certification,
        days_before,
    );
    let found = found.fetch_optional(&mut *tx).await?;
    tx.saw(found.as_slice());
    Ok(found)
}
