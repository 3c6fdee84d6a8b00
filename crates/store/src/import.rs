//! Imports: a temporary staging table, and its merge with set-based statements.

mod changes;
mod journal;
mod missing;
mod rejects;
mod source;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::json;
use sqlx::Executor;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{RegistrarTx, StoreError};
pub use changes::{ChangedRow, CloseMatch, changed_rows, close_matches};
pub use journal::{Done, record};
pub use missing::{MissingLimit, count_missing, find_missing, first_missing, missing_limit, suspend_missing};
pub use rejects::{Rejected, first_rejected, rejects};
pub use source::{Source, Uploader};

/// The columns of the staging table that most registers do not have, in the order of COPY.
pub const MORE_COLUMNS: [&str; 9] = [
    "person_id",
    "replaces",
    "chapter_id",
    "certification_type",
    "phones",
    "locale",
    "suspended_until",
    "phone_reason",
    "locale_reason",
];

/// The target of an import.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties of the register")]
pub struct Target {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter of rows that name none.
    pub chapter_id: Option<Uuid>,
    /// The code of the type of rows that name none.
    pub certification_type: Option<String>,
    /// What identifies the person of a row.
    pub person_by: PersonBy,
    /// Whether rows have values for [`MORE_COLUMNS`].
    pub has_more: bool,
    /// Whether rows name their chapter or type.
    pub names_rows: bool,
    /// Whether rows name certifications that theirs replace.
    pub names_replaced: bool,
    /// Whether a person has one certification of each type, so that a new one replaces the old one.
    pub one_per_type: bool,
    /// How to treat changed dates; `None` if a later date is a renewal, and an earlier one a correction.
    pub dates_are: Option<DatesAre>,
    /// The people of rows who are known people, although the register does not show it.
    pub same_people: Vec<SamePerson>,
    /// Who imports it.
    pub source: Source,
}

/// A person of a register who is a known person, by a decision.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SamePerson {
    /// The key of the person in the register.
    pub key: String,
    /// The known person.
    pub person_id: Uuid,
}

/// What identifies the person of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonBy {
    /// The id of the certification; each row is about another person
    CertificationId,
    /// The id of the certification, which the rows of a person share
    SharedId,
    /// The person's own id
    PersonId,
}

/// A chapter that an import creates.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewChapter {
    /// The id, which its rows contain. A dry run keeps none.
    #[serde(skip)]
    pub id: Uuid,
    /// The short name.
    pub slug: String,
    /// The name.
    pub name: String,
}

/// How an import treats changed dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatesAre {
    /// As renewals, which start a new cycle
    Renewals,
    /// As corrections, in the same cycle
    Corrections,
}

impl DatesAre {
    /// The kind in `certvakt.certification_changes`.
    const fn kind(self) -> &'static str {
        match self {
            Self::Renewals => "renewed",
            Self::Corrections => "corrected",
        }
    }
}

/// The numbers of rows by outcome.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Counts {
    /// Rows in the file, without the header.
    pub read: i64,
    /// New certifications.
    pub added: i64,
    /// Rows with a changed certification or person.
    pub updated: i64,
    /// Rows without a change.
    pub unchanged: i64,
    /// Rows about the certification of another row, which counts.
    pub duplicate: i64,
    /// Rejected rows.
    pub rejected: i64,
    /// Those that could not be read: not those that the person who sent the register may not import.
    #[serde(skip)]
    pub unread: i64,
    /// Updated certifications with a renewed date.
    pub renewed: i64,
    /// Updated certifications with a corrected date.
    pub corrected: i64,
    /// Certifications that were withdrawn because another one replaces them.
    pub replaced: i64,
    /// Rejected contacts in rows that were imported.
    pub contacts_rejected: i64,
    #[serde(skip)]
    pub(super) started_at: DateTime<Utc>,
}

/// Creates the staging table. It is temporary, because PostgreSQL refuses COPY into a table with row-level
/// security.
pub async fn prepare(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    tx.execute(include_str!("import/staging.sql")).await?;
    Ok(())
}

/// Copies rows in COPY's text format as they arrive, with [`MORE_COLUMNS`] or without. If the sender is dropped,
/// the caller must decide whether to roll back the transaction.
pub async fn copy(
    tx: &mut RegistrarTx,
    mut chunks: mpsc::Receiver<Vec<u8>>,
    has_more: bool,
) -> Result<(), StoreError> {
    let columns = [
        "line",
        "external_id",
        "name",
        "family_name",
        "emails",
        "push_token",
        "issued_at",
        "expires_at",
        "status",
        "email_reason",
        "push_token_reason",
        "reject_column",
        "reject_reason",
    ];
    let more = if has_more { &MORE_COLUMNS[..] } else { &[] };
    let columns = [&columns[..], more].concat().join(", ");
    let mut copy = tx.connection().copy_in_raw(&format!("copy import_rows ({columns}) from stdin")).await?;
    while let Some(chunk) = chunks.recv().await {
        copy.send(chunk).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// Sets what the triggers record about the following changes of certifications.
async fn change_as(tx: &mut RegistrarTx, target: &Target, kind: Option<&str>) -> Result<(), StoreError> {
    let said = json!({ "kind": kind, "source": "register", "actor": target.source.actor(),
        "chapters": target.source.chapters() });
    sqlx::query("select set_config('certvakt.change', $1, true)")
        .bind(said.to_string())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Waits for the other imports of an organisation, and lets later ones wait.
pub async fn lock(tx: &mut RegistrarTx, organisation_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("select from certvakt.organisations where id = $1 for no key update")
        .bind(organisation_id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Creates chapters, at the top level or below another chapter.
pub async fn add_chapters(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    chapters: &[NewChapter],
    parent_id: Option<Uuid>,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = chapters.iter().map(|one| one.id).collect();
    let slugs: Vec<String> = chapters.iter().map(|one| one.slug.clone()).collect();
    let names: Vec<String> = chapters.iter().map(|one| one.name.clone()).collect();
    sqlx::query!(
        "insert into certvakt.chapters (id, organisation_id, parent_id, slug, name)
         select n.id, $1, $2, n.slug, n.name from unnest($3::uuid[], $4::text[], $5::text[]) n (id, slug, name)",
        organisation_id,
        parent_id,
        &ids,
        &slugs,
        &names,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Matches the staged rows with the register, and rejects those of people who were erased, died or left, those whose certification
/// belongs to another person, and those that the person who sent the register may not import. Returns whether rows are about people who are known already.
pub async fn match_rows(tx: &mut RegistrarTx, target: &Target) -> Result<bool, StoreError> {
    change_as(tx, target, target.dates_are.map(DatesAre::kind)).await?;
    // Two registers of an organisation can contain the same people, so merge them one after the other.
    lock(tx, target.organisation_id).await?;
    tx.execute("analyze import_rows").await?;
    let (organisation, chapter, code) =
        (target.organisation_id, target.chapter_id, &target.certification_type);
    let has_person_ids = target.person_by == PersonBy::PersonId;
    let (keys, people): (Vec<&str>, Vec<Uuid>) =
        target.same_people.iter().map(|one| (&*one.key, one.person_id)).unzip();
    let mut queries = vec![
        sqlx::query(include_str!("import/duplicates.sql")).bind(code),
        sqlx::query(include_str!("import/shared_devices.sql")),
        sqlx::query(include_str!("import/erased.sql")).bind(organisation),
        sqlx::query(include_str!("import/ended.sql"))
            .bind(organisation)
            .bind(&keys)
            .bind(&people)
            .bind(target.source.chapters()),
    ];
    if let Some(chapters) = target.source.chapters() {
        let manageable = sqlx::query(include_str!("import/manageable.sql"));
        queries.insert(0, manageable.bind(organisation).bind(chapters));
    }
    if has_person_ids {
        queries.push(sqlx::query(include_str!("import/other_person.sql")).bind(organisation).bind(code));
    }
    if target.has_other_keys() {
        queries.push(
            sqlx::query(include_str!("import/people_of_rows.sql"))
                .bind(organisation)
                .bind(has_person_ids)
                .bind(code),
        );
    }
    if !keys.is_empty() {
        queries.push(
            sqlx::query(include_str!("import/same_people.sql")).bind(organisation).bind(&keys).bind(&people),
        );
    }
    // Without this, the planner expects thousands of rows in an empty table.
    queries.push(sqlx::query("analyze import_people"));
    queries.push(
        sqlx::query(include_str!("import/match.sql"))
            .bind(organisation)
            .bind(chapter)
            .bind(code)
            .bind(target.source != Source::Operator),
    );
    if target.source != Source::Operator {
        let not_theirs = sqlx::query(include_str!("import/not_theirs.sql"));
        queries.push(not_theirs.bind(target.source.actor()).bind(target.source.chapters()));
    }
    for query in queries {
        query.execute(&mut *tx).await?;
    }
    let has_known = sqlx::query_scalar("select exists (select from import_matches where not person_is_new)");
    let has_known = has_known.fetch_one(&mut *tx).await?;
    if has_known || target.has_other_keys() {
        sqlx::query(include_str!("import/first_rows.sql")).bind(target.has_other_keys()).execute(tx).await?;
    }
    Ok(has_known)
}

impl Target {
    /// Whether rows can have another key of their person than the id of one certification.
    fn has_other_keys(&self) -> bool {
        self.person_by != PersonBy::CertificationId || self.names_replaced || !self.same_people.is_empty()
    }
}

/// The first three lines of rows whose person has another name in an earlier row.
pub async fn first_different_names(tx: &mut RegistrarTx) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "select m.line from (
           select line, name, first_value(name) over (partition by person_id order by line) as first
           from import_matches where name is not null) m
         where certvakt.folded(m.name) <> certvakt.folded(m.first) order by m.line limit 3",
    )
    .fetch_all(tx)
    .await?)
}

/// The numbers of rows that show whether a whole file looks wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Moves {
    /// Rows in the file.
    pub read: i64,
    /// Rejected rows.
    pub rejected: i64,
    /// Rows of certifications that had an expiry date before.
    pub known: i64,
    /// Those whose date changes.
    pub moved: i64,
    /// Those whose new date is the old one with day and month exchanged.
    pub swapped: i64,
    /// People with several rows.
    #[sqlx(skip)]
    pub several_rows: i64,
    /// Those whose rows have different names.
    #[sqlx(skip)]
    pub different_names: i64,
}

/// Counts the rejected rows, the dates that move, and the people whose rows have different names.
pub async fn moves(tx: &mut RegistrarTx, target: &Target, zone: Tz) -> Result<Moves, StoreError> {
    let mut moves: Moves =
        sqlx::query_as(include_str!("import/moves.sql")).bind(zone.name()).fetch_one(&mut *tx).await?;
    if target.has_other_keys() {
        (moves.several_rows, moves.different_names) =
            sqlx::query_as(include_str!("import/different_names.sql")).fetch_one(tx).await?;
    }
    Ok(moves)
}

/// A date that moves.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Move {
    /// The line in the file.
    pub line: i64,
    /// The last valid day before.
    pub before: NaiveDate,
    /// The last valid day after; `None` if the certification no longer expires.
    pub after: Option<NaiveDate>,
}

/// The first three dates that move; or, if `swapped`, of those whose day and month are exchanged.
pub async fn first_moves(tx: &mut RegistrarTx, zone: Tz, swapped: bool) -> Result<Vec<Move>, StoreError> {
    Ok(sqlx::query_as(include_str!("import/first_moves.sql"))
        .bind(zone.name())
        .bind(swapped)
        .fetch_all(tx)
        .await?)
}

/// The chapters and types that a file covers.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Coverage {
    /// The ids of the chapters.
    pub chapters: Vec<Uuid>,
    /// The codes of the types.
    pub types: Vec<String>,
}

/// The chapters and types of the matched rows.
pub async fn coverage(tx: &mut RegistrarTx, target: &Target) -> Result<Coverage, StoreError> {
    if !target.names_rows {
        let is_theirs = |one: &Uuid| target.source.chapters().is_none_or(|chapters| chapters.contains(one));
        let chapters = target.chapter_id.into_iter().filter(is_theirs).collect();
        return Ok(Coverage { chapters, types: Vec::from_iter(target.certification_type.clone()) });
    }
    Ok(sqlx::query_as(
        "select array(select distinct chapter_id from import_matches) as chapters,
           array(select distinct certification_type from import_matches) as types",
    )
    .fetch_one(tx)
    .await?)
}

/// Merges the matched rows into the register.
pub async fn merge(tx: &mut RegistrarTx, target: &Target) -> Result<Counts, StoreError> {
    let of_organisation = |sql: &'static str| sqlx::query(sql).bind(target.organisation_id);
    let mut queries = vec![
        of_organisation(include_str!("import/before.sql")),
        of_organisation(include_str!("import/people.sql")),
    ];
    if target.person_by == PersonBy::PersonId {
        queries.push(of_organisation(include_str!("import/register_ids.sql")));
    }
    queries.extend([
        of_organisation(include_str!("import/memberships.sql")),
        of_organisation(include_str!("import/added.sql")),
        of_organisation(include_str!("import/updated.sql")),
        of_organisation(include_str!("import/emails.sql")),
        of_organisation(include_str!("import/devices.sql")),
    ]);
    if target.has_more {
        queries.push(of_organisation(include_str!("import/languages.sql")));
        queries.push(of_organisation(include_str!("import/phones.sql")));
    }
    if target.names_replaced {
        queries.push(of_organisation(include_str!("import/named_replacements.sql")));
    }
    if target.one_per_type {
        queries.push(of_organisation(include_str!("import/one_per_type.sql")));
    }
    for query in queries {
        query.execute(&mut *tx).await?;
    }
    if target.names_replaced || target.one_per_type {
        change_as(tx, target, Some("withdrawn")).await?;
        tx.execute(include_str!("import/replaced.sql")).await?;
        tx.execute(include_str!("import/newest_successors.sql")).await?;
    }
    Ok(sqlx::query_as::<_, Counts>(include_str!("import/counts.sql"))
        .bind(target.dates_are.map(DatesAre::kind))
        .fetch_one(tx)
        .await?)
}
