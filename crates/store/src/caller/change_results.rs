//! The results of the changes that the caller made with a form: what can be undone, and what was refused.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{CallerTx, CertificationStatus, StoreError};

/// What a change of a certification replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// The end of the validity; `None` if it did not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The status.
    pub status: CertificationStatus,
    /// The last day of a suspension that ends by itself.
    pub suspended_until: Option<NaiveDate>,
    /// The time of the change. A certification with another `updated_at` was changed since.
    pub version: DateTime<Utc>,
}

/// The result of a change of one certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormResult {
    /// The certification.
    pub certification_id: Uuid,
    /// What the change replaced; otherwise the code of the error for which it was refused.
    pub replaced: Result<Replaced, String>,
    /// The time at which it was undone.
    pub undone_at: Option<DateTime<Utc>>,
}

/// The results of the changes with a form, of the last day.
pub async fn of_form(tx: &mut CallerTx, form: Uuid) -> Result<Vec<FormResult>, StoreError> {
    let found = sqlx::query!(
        r#"select certification_id, refusal, version, expires_at, status as "status: CertificationStatus", suspended_until, undone_at
           from certvakt.change_results
           where made_by = (select certvakt.current_person()) and form = $1 and made_at > now() - interval '1 day'
           order by certification_id"#,
        form,
    );
    let results = found.fetch_all(tx).await?.into_iter().map(|row| {
        let replaced = match (row.version, row.status) {
            (Some(version), Some(status)) => Ok(Replaced {
                expires_at: row.expires_at,
                status,
                suspended_until: row.suspended_until,
                version,
            }),
            _ => Err(row.refusal.unwrap_or_default()),
        };
        FormResult { certification_id: row.certification_id, replaced, undone_at: row.undone_at }
    });
    Ok(results.collect())
}

/// What the caller did with one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormSummary {
    /// The id that the form carried.
    pub form: Uuid,
    /// The number of certifications that it concerned.
    pub number: i64,
    /// The number of those that it changed.
    pub changed: i64,
    /// What was done, as in the history; `None` if everything was refused.
    pub kind: Option<String>,
    /// One of them, if possible one that it changed.
    pub certification_id: Uuid,
    /// The time of the change.
    pub made_at: DateTime<Utc>,
    /// The latest time at which one of the changes was undone.
    pub undone_at: Option<DateTime<Utc>>,
    /// The number of mentors to whom an e-mail corrects a notice of a change that was undone.
    pub corrected: i64,
    /// The number of mentors who got such a notice, and have no mail address for the correction.
    pub uncorrected: i64,
    /// What the change of `certification_id` replaced; `None` if it was refused.
    pub replaced: Option<Replaced>,
}

/// What the caller did with forms within the last day, the latest first.
pub async fn recent_forms(tx: &mut CallerTx, limit: u32) -> Result<Vec<FormSummary>, StoreError> {
    let found = sqlx::query!(
        r#"select f.form as "form!", f.number as "number!", f.certification_id as "certification_id!", f.made_at as "made_at!",
             f.undone_at, f.corrected as "corrected!", f.uncorrected as "uncorrected!", f.version, f.expires_at,
             f.status as "status: CertificationStatus", f.suspended_until, f.kind, f.changed as "changed!"
           from (
             select distinct on (form) form, count(*) over same as number, certification_id, max(made_at) over same as made_at,
               max(undone_at) over same as undone_at, count(*) filter (where correction = 'mailed') over same as corrected,
               count(*) filter (where correction = 'unreachable') over same as uncorrected, max(kind) over same as kind,
               count(version) over same as changed, version, expires_at, status, suspended_until
             from certvakt.change_results
             where made_by = (select certvakt.current_person()) and made_at > now() - interval '1 day'
             window same as (partition by form)
             order by form, version is null, certification_id
           ) f
           order by f.made_at desc, f.form
           limit $1"#,
        i64::from(limit),
    );
    let forms = found.fetch_all(tx).await?.into_iter().map(|row| FormSummary {
        form: row.form,
        number: row.number,
        changed: row.changed,
        kind: row.kind,
        certification_id: row.certification_id,
        made_at: row.made_at,
        undone_at: row.undone_at,
        corrected: row.corrected,
        uncorrected: row.uncorrected,
        replaced: row.version.zip(row.status).map(|(version, status)| Replaced {
            expires_at: row.expires_at,
            status,
            suspended_until: row.suspended_until,
            version,
        }),
    });
    Ok(forms.collect())
}

/// Records why changes with a form were refused: the certifications and the codes of the errors.
pub async fn refuse(tx: &mut CallerTx, form: Uuid, refused: &[(Uuid, &str)]) -> Result<(), StoreError> {
    let (ids, codes): (Vec<Uuid>, Vec<String>) =
        refused.iter().map(|(id, code)| (*id, (*code).to_owned())).unzip();
    sqlx::query!(
        "insert into certvakt.change_results (made_by, form, certification_id, refusal)
         select (select certvakt.current_person()), $1, r.id, r.code from unnest($2::uuid[], $3::text[]) as r (id, code)
         where exists (select from public.peer_mentor_certifications c where c.id = r.id)
         on conflict do nothing",
        form,
        &ids,
        &codes,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that changes with a form were undone.
pub async fn mark_undone(tx: &mut CallerTx, form: Uuid, certifications: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.change_results set undone_at = now()
         where made_by = (select certvakt.current_person()) and form = $1 and certification_id = any ($2)",
        form,
        certifications,
    )
    .execute(tx)
    .await?;
    Ok(())
}
