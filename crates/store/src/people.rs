//! People: adding, inviting and finding them, their opt-outs, and all that is stored of one, shown or erased.

use certvakt_rules::normal::normal_id;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::error::on_constraint;
use super::{RegistrarTx, StoreError, WorkerTx, Zone};

/// The export of a person's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The data as JSON, with keys in reading order.
    pub export: String,
    /// The person's language: `nb` or `en`.
    pub locale: String,
    /// The time zone of an organisation of theirs; UTC if they belong to none.
    pub zone: Zone,
}

/// Exports a person's data. Returns `None` if the person does not exist.
pub async fn export(tx: &mut WorkerTx, person: Uuid) -> Result<Option<Export>, StoreError> {
    let found = sqlx::query_file_as!(Export, "src/people/export.sql", person);
    Ok(found.fetch_optional(tx).await?)
}

/// Exports a person's data during a request, for at most half a minute.
pub async fn export_in_request(tx: &mut WorkerTx, person: Uuid) -> Result<Option<Export>, StoreError> {
    sqlx::query!("select set_config('statement_timeout', '30s', true)").fetch_one(&mut *tx).await?;
    export(tx, person).await
}

/// Whether the caller whose claims a transaction carries may export and erase a person: they administer the only
/// organisation that knows the person.
pub async fn may_erase<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    person: Uuid,
    organisation: Uuid,
) -> Result<bool, StoreError> {
    let may = sqlx::query_scalar!(r#"select certvakt.may_erase($1, $2) as "may!""#, person, organisation);
    Ok(may.fetch_one(tx).await?)
}

/// Whether a person was erased; `None` if the person does not exist. Waits for running imports of their
/// organisations, and makes later ones wait.
pub async fn is_erased(tx: &mut RegistrarTx, person: Uuid) -> Result<Option<bool>, StoreError> {
    sqlx::query_file!("src/people/lock_organisations.sql", person).execute(&mut *tx).await?;
    Ok(sqlx::query_scalar!(
        r#"select erased_at is not null as "is_erased!" from certvakt.people where id = $1 for update"#,
        person,
    )
    .fetch_optional(tx)
    .await?)
}

/// The number of erased rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// The kind of data.
    pub place: String,
    /// The number of rows.
    pub rows: i64,
}

/// Erases all data of a person except their id. `source` is that of the withdrawals: `command` or `api`.
pub async fn erase(
    tx: &mut RegistrarTx,
    person: Uuid,
    source: &'static str,
) -> Result<Vec<Erased>, StoreError> {
    let said = serde_json::json!({ "kind": "withdrawn", "source": source }).to_string();
    sqlx::query_scalar!("select set_config('certvakt.change', $1, true)", said).fetch_one(&mut *tx).await?;
    let erased = sqlx::query_file_as!(Erased, "src/people/erase.sql", person).fetch_all(&mut *tx).await;
    let erased = on_constraint(erased, |name| {
        (name == "history_full").then(|| Err(StoreError::Invalid(
            "the history of one of the person's certifications is full: raise the limit with `certvakt history limit`, then erase the person again"
                .to_owned(),
        )))
    })?;
    // What was withdrawn before cannot be withdrawn again, and keeps its history.
    sqlx::query!("select set_config('certvakt.change', '', true)").fetch_one(&mut *tx).await?;
    let unnamed = sqlx::query!(
        "update public.peer_mentor_certifications set external_id = null
         where peer_mentor_id = $1 and external_id is not null",
        person
    );
    unnamed.execute(tx).await?;
    Ok(erased)
}

/// A new person with a role in a chapter.
#[derive(Debug)]
pub struct NewPerson<'a> {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// `mentor`, `coordinator` or `org_admin`.
    pub role: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// The person's e-mail address.
    pub email: Option<&'a str>,
}

/// Adds a person with a role.
pub async fn add_person(tx: &mut RegistrarTx, new: &NewPerson<'_>) -> Result<Uuid, StoreError> {
    let added = sqlx::query_scalar!(
        r#"select certvakt.insert_person(certvakt.uuid_v7(), $2, $3, $4, $1, $5, null) as "id!""#,
        new.name,
        new.organisation_id,
        new.chapter_id,
        new.role,
        new.email,
    );
    on_constraint(added.fetch_one(tx).await, |name| {
        let wrong = match name {
            "person_names_name_form" => "a name must have 1 to 200 characters: give it with --name",
            "contact_points_address_form" => "not a valid e-mail address: write it like name@example.org",
            _ => return None,
        };
        Some(Err(StoreError::Invalid(wrong.to_owned())))
    })
}

/// Gives a person another role in a chapter.
pub async fn add_role(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    chapter_id: Uuid,
    person: Uuid,
    role: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role) values ($1, $2, $3, $4)
         on conflict do nothing",
        organisation_id,
        chapter_id,
        person,
        role,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Invites a person: the login that accepts the token is linked to them. Returns the expiry of the
/// invitation, or `None` if the person does not exist.
pub async fn invite(
    tx: &mut RegistrarTx,
    person: Uuid,
    token: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(sqlx::query_scalar!(
        "insert into certvakt.invitations (person_id, token_hash)
         select id, sha256(convert_to($2, 'UTF8')) from certvakt.people where id = $1 and erased_at is null returning expires_at",
        person,
        token,
    )
    .fetch_optional(tx)
    .await?)
}

/// Finds people by their id, or by the id in a register of one of their certifications, as written or in its
/// normal form.
pub async fn find(tx: &mut RegistrarTx, name: &str) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select p.id as "id!" from certvakt.people p where p.id = $1
           union
           select c.peer_mentor_id from public.peer_mentor_certifications c
           where c.organisation_id = any (array(select id from certvakt.organisations)) and c.external_id in ($2, $3)"#,
        name.parse::<Uuid>().ok(),
        name,
        &*normal_id(name),
    )
    .fetch_all(tx)
    .await?)
}

/// Finds people as [`find`] does, for several names at once: the position of the name, from 1, and the person. At most
/// two for each name.
pub async fn find_all(tx: &mut RegistrarTx, names: &[&str]) -> Result<Vec<(i64, Uuid)>, StoreError> {
    let given: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let normal: Vec<String> = names.iter().map(|name| normal_id(name).into_owned()).collect();
    let ids: Vec<Option<Uuid>> = names.iter().map(|name| name.parse().ok()).collect();
    let found = sqlx::query_file!("src/people/find_all.sql", &given, &normal, &ids as &[Option<Uuid>]);
    Ok(found.fetch_all(tx).await?.into_iter().map(|row| (row.position, row.id)).collect())
}

/// The other registrations of a person: those that a merge connects with this one, unless they were erased.
pub async fn merged(tx: &mut RegistrarTx, person: Uuid) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_file_scalar!("src/people/merged.sql", person).fetch_all(tx).await?)
}

/// Opts a person out of notices by a kind of contact point. Returns false if the person does not exist.
pub async fn opt_out(tx: &mut RegistrarTx, person: Uuid, kind: &str) -> Result<bool, StoreError> {
    let is_known = sqlx::query_scalar!(
        r#"with person as (
             select id from certvakt.people where id = $1 and erased_at is null
           ),
           kept as (
             insert into certvakt.channel_opt_outs (person_id, kind) select id, $2 from person
             on conflict do nothing
           )
           select exists (select from person) as "is_known!""#,
        person,
        kind,
    );
    Ok(is_known.fetch_one(tx).await?)
}

/// Deletes a person's opt-out of a kind of contact point.
pub async fn opt_in(tx: &mut RegistrarTx, person: Uuid, kind: &str) -> Result<(), StoreError> {
    sqlx::query!("delete from certvakt.channel_opt_outs where person_id = $1 and kind = $2", person, kind)
        .execute(tx)
        .await?;
    Ok(())
}

/// A person's opt-outs, as kinds of contact point.
pub async fn opt_outs(tx: &mut RegistrarTx, person: Uuid) -> Result<Vec<String>, StoreError> {
    let kinds = sqlx::query_scalar!(
        "select kind from certvakt.channel_opt_outs where person_id = $1 order by kind",
        person
    );
    Ok(kinds.fetch_all(tx).await?)
}
