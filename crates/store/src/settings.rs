//! The settings of organisations, which operators change with commands and administrators on pages.

use chrono::NaiveTime;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::organisation::{added, check_declared, id_of, insert_chapter};
use super::rows_read::{OfOrganisation, of_organisation};
use super::{CallerTx, RegistrarTx, StoreError};

/// The present settings of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The organisation's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The language of people who chose none: `nb` or `en`.
    pub locale: String,
    /// The time zone, which cannot be changed.
    pub time_zone: String,
    /// The local time of the nightly run.
    pub run_at: NaiveTime,
    /// The local time from which deliveries leave; equal to the end: at any time.
    pub deliver_from: NaiveTime,
    /// The local time until which deliveries leave.
    pub deliver_until: NaiveTime,
    /// For how many days `expired` stays current.
    pub expired_grace_days: i16,
    /// The selected lead times in days.
    pub lead_times: Vec<i32>,
    /// A run that would record more notices than this, and more than `run_limit_percent`, is held.
    pub run_limit_floor: i64,
    /// In per cent of the valid certifications.
    pub run_limit_percent: i16,
    /// Whether a lock screen and a mail's subject may name the association and the certification.
    pub names_certification: bool,
    /// Whether the digests of coordinators may name mentors.
    pub digest_names: bool,
    /// The declared lead times in days, the longest first.
    pub declared: Vec<i32>,
    /// Whether the caller administers it.
    pub is_administered: bool,
}

impl OfOrganisation for Present {
    fn organisation_id(&self) -> Uuid {
        self.id
    }
}

/// The settings of the caller's organisations, by name.
pub async fn present(tx: &mut CallerTx) -> Result<Vec<Present>, StoreError> {
    let found = sqlx::query_as!(
        Present,
        r#"select o.id, o.name, o.locale, o.time_zone, o.run_at, o.deliver_from, o.deliver_until, o.expired_grace_days,
             o.lead_times, o.run_limit_floor, o.run_limit_percent, o.names_certification, o.digest_names,
             array(select s.days_before from certvakt.stages s where s.days_before > 0 order by s.days_before desc)
               as "declared!",
             exists (
               select from certvakt.visible_memberships m
               where m.person_id = certvakt.current_person() and m.organisation_id = o.id and m.role = 'org_admin')
               as "is_administered!"
           from certvakt.organisations o order by certvakt.alphabetical(o.name), o.id"#
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// Keeps others from changing the settings of an organisation, and of its types, until the transaction ends.
pub async fn lock(tx: &mut CallerTx, organisation_id: Uuid) -> Result<(), StoreError> {
    let locked = sqlx::query!(
        "select id from certvakt.organisations where id = $1 for no key update",
        organisation_id
    );
    locked.fetch_optional(tx).await?;
    Ok(())
}

/// A chapter in the tree of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChapterOfTree {
    /// Its id.
    pub id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// The chapter above; `None` at the top level.
    pub parent_id: Option<Uuid>,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether the caller may change it: not if an app owns the hierarchy.
    pub is_changeable: bool,
}

of_organisation!(ChapterOfTree);

/// The chapters of an organisation that the caller may see, by name.
pub async fn chapters(tx: &mut CallerTx, organisation_id: Uuid) -> Result<Vec<ChapterOfTree>, StoreError> {
    let found = sqlx::query_as!(
        ChapterOfTree,
        r#"select id, organisation_id, parent_id, slug, name, certvakt.administers(organisation_id) as "is_changeable!"
           from certvakt.chapters where organisation_id = $1 order by certvakt.alphabetical(name), id"#,
        organisation_id,
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// Adds a chapter to an organisation that the caller administers, below a chapter of it or at the top level.
pub async fn add_chapter(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    slug: &str,
    name: &str,
    parent_id: Option<Uuid>,
) -> Result<(), StoreError> {
    insert_chapter(tx, organisation_id, slug, name, parent_id, None).await
}

/// Renames a chapter of an organisation that the caller administers. Returns false if there is no such chapter.
pub async fn rename_chapter(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    chapter: Uuid,
    name: &str,
) -> Result<bool, StoreError> {
    let renamed = sqlx::query!(
        "update certvakt.chapters set name = $3 where organisation_id = $1 and id = $2",
        organisation_id,
        chapter,
        name,
    );
    added(renamed.execute(tx).await, "chapter", "name").map(|done| done.rows_affected() > 0)
}

/// Changes to the settings of an organisation; `None` keeps the present value.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Its name.
    pub name: Option<String>,
    /// The language of people who chose none: `nb` or `en`.
    pub locale: Option<String>,
    /// The local time of the nightly run.
    pub run_at: Option<NaiveTime>,
    /// The local time from which deliveries leave; equal to the end: at any time.
    pub deliver_from: Option<NaiveTime>,
    /// The local time until which deliveries leave.
    pub deliver_until: Option<NaiveTime>,
    /// For how many days `expired` stays current, 1 to 90.
    pub grace_days: Option<i16>,
    /// The lead times in days, each of them declared.
    pub lead_times: Option<Vec<i32>>,
    /// A run that would record more notices than this, and more than `limit_percent`, is held.
    pub limit_floor: Option<i64>,
    /// In per cent of the valid certifications, 0 to 100.
    pub limit_percent: Option<i16>,
    /// Whether a lock screen and a mail's subject may name the association and the certification.
    pub names_certification: Option<bool>,
    /// Whether the digests of coordinators may name mentors.
    pub digest_names: Option<bool>,
}

/// Changes an organisation's settings.
pub async fn set(tx: &mut RegistrarTx, slug: &str, settings: &Settings) -> Result<(), StoreError> {
    let organisation_id = id_of(tx, slug).await?;
    check_declared(&mut *tx, settings.lead_times.as_deref()).await?;
    update(tx, organisation_id, settings).await.map(drop)
}

/// Changes the settings of an organisation that the caller administers. Returns false if they do not.
pub async fn set_administered(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    settings: &Settings,
) -> Result<bool, StoreError> {
    check_declared(&mut *tx, settings.lead_times.as_deref()).await?;
    Ok(update(tx, organisation_id, settings).await? > 0)
}

/// Changes the settings within the transaction's policies. Returns the number of changed organisations.
async fn update<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    organisation_id: Uuid,
    settings: &Settings,
) -> Result<u64, StoreError> {
    let changed = sqlx::query!(
        "update certvakt.organisations set
           name = coalesce($2, name), locale = coalesce($3, locale), run_at = coalesce($4, run_at),
           deliver_from = coalesce($5, deliver_from), deliver_until = coalesce($6, deliver_until),
           expired_grace_days = coalesce($7, expired_grace_days),
           run_limit_floor = coalesce($8, run_limit_floor), run_limit_percent = coalesce($9, run_limit_percent),
           names_certification = coalesce($10, names_certification),
           lead_times = coalesce($11, lead_times), digest_names = coalesce($12, digest_names)
         where id = $1",
        organisation_id,
        settings.name,
        settings.locale,
        settings.run_at,
        settings.deliver_from,
        settings.deliver_until,
        settings.grace_days,
        settings.limit_floor,
        settings.limit_percent,
        settings.names_certification,
        settings.lead_times.as_deref(),
        settings.digest_names,
    );
    added(changed.execute(tx).await, "organisation", "name").map(|done| done.rows_affected())
}
