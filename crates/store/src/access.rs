//! Access: the kill switch, people with a role, invitations and opt-outs.

use certvakt_rules::normal::normal_id;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, WorkerTx};

/// Closes people's access to certifications, of one organisation or of all. Returns false if it is already
/// closed.
pub async fn close(
    tx: &mut RegistrarTx,
    organisation_id: Option<Uuid>,
    reason: &str,
) -> Result<bool, StoreError> {
    if reason.trim().is_empty() || reason.chars().count() > 500 {
        return Err(StoreError::Invalid(
            "a reason must have 1 to 500 characters: give it with --reason".to_owned(),
        ));
    }
    let closed = sqlx::query!(
        "insert into certvakt.access_closures (resource, organisation_id, reason) values ('certifications', $1, $2)
         on conflict do nothing",
        organisation_id,
        reason,
    );
    Ok(closed.execute(tx).await?.rows_affected() > 0)
}

/// Opens people's access to certifications again, of one organisation, or the closure for all. Returns false
/// if it was not closed.
pub async fn open(tx: &mut RegistrarTx, organisation_id: Option<Uuid>) -> Result<bool, StoreError> {
    let opened = sqlx::query!(
        "update certvakt.access_closures set opened_at = now(), opened_by = session_user, opened_operator = certvakt.operator()
         where resource = 'certifications' and opened_at is null and organisation_id is not distinct from $1",
        organisation_id,
    );
    Ok(opened.execute(tx).await?.rows_affected() > 0)
}

/// A closure in effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closure {
    /// The closed resource.
    pub resource: String,
    /// The organisation's short name; `None` for all.
    pub organisation: Option<String>,
    /// The reason.
    pub reason: String,
    /// The time of the closure.
    pub closed_at: DateTime<Utc>,
    /// The database's login that closed it.
    pub closed_by: String,
    /// The operator who ran the command, as account@host.
    pub operator: Option<String>,
}

/// The closures in effect, oldest first.
pub async fn closures(tx: &mut WorkerTx) -> Result<Vec<Closure>, StoreError> {
    Ok(sqlx::query_as!(
        Closure,
        r#"select c.resource, o.slug as "organisation?", c.reason, c.closed_at, c.closed_by, c.operator
           from certvakt.access_closures c left join certvakt.organisations o on o.id = c.organisation_id
           where c.opened_at is null order by c.closed_at, c.id"#
    )
    .fetch_all(tx)
    .await?)
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
    let added = sqlx::query_file_scalar!(
        "src/access/add_person.sql",
        new.name,
        new.organisation_id,
        new.chapter_id,
        new.role,
        new.email,
    );
    added.fetch_one(tx).await.map_err(|error| {
        match error.as_database_error().and_then(|error| error.constraint()) {
            Some("person_names_name_form") => {
                StoreError::Invalid("a name must have 1 to 200 characters: give it with --name".to_owned())
            }
            Some("contact_points_address_form") => {
                StoreError::Invalid("not a valid e-mail address: write it like name@example.org".to_owned())
            }
            _ => error.into(),
        }
    })
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
pub async fn people(tx: &mut RegistrarTx, name: &str) -> Result<Vec<Uuid>, StoreError> {
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
