//! The schema: applies migrations, recognises those that the Supabase CLI applied, and checks the schema.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::{Database, RegistrarTx, StoreError, WorkerTx, connect_options};

/// The ledger of applied migrations.
const LEDGER: &str = "certvakt.schema_migrations";

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../supabase/migrations");
    migrator.dangerous_set_table_name(LEDGER);
    migrator.create_schema("certvakt");
    // We hold our own lock from reading the ledgers until both are filled.
    migrator.set_locking(false);
    migrator
}

/// The result of `migrate`.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// The versions that were applied now.
    pub applied: Vec<i64>,
    /// The versions that the Supabase CLI had applied, which are now in our ledger too.
    pub recognised: Vec<i64>,
}

/// Brings the schema up to date, over a separate direct connection without a pooler. It also fills the
/// Supabase CLI's ledger, so that the tool that runs second finds nothing to do.
pub async fn apply(address: &str) -> Result<Applied, StoreError> {
    let mut connection = connect_options(address)?.connect().await?;
    let done = apply_on(&mut connection).await;
    let _ = connection.close().await;
    done.map_err(|error| match error {
        StoreError::Refused { said, .. } => StoreError::Refused {
            said,
            hint: "migrate as the login that owns the database and can create roles, see the runbook on roles",
        },
        other => other,
    })
}

async fn apply_on(connection: &mut PgConnection) -> Result<Applied, StoreError> {
    let migrator = migrator();
    connection.lock().await.map_err(migration_error)?;
    sqlx::raw_sql("create schema if not exists certvakt").execute(&mut *connection).await?;
    connection.ensure_migrations_table(LEDGER).await.map_err(migration_error)?;
    let theirs = supabase_versions(connection).await?;
    let ours = recorded(&mut *connection).await?;
    if let Some(version) = later(&ours, &migrator) {
        return Err(StoreError::ForeignSchema(format!("{version} is a migration of a later release")));
    }
    refuse_foreign(&ours, &migrator)?;
    if ours.is_empty() && !migrator.iter().any(|migration| theirs.contains(&migration.version)) {
        refuse_unrecorded(connection).await?;
    }
    let mut done = Applied::default();
    for migration in migrator.iter() {
        if ours.iter().any(|one| one.version == migration.version) {
            continue;
        }
        if theirs.contains(&migration.version) {
            adopt(connection, migration).await?;
            done.recognised.push(migration.version);
        } else {
            done.applied.push(migration.version);
        }
    }
    migrator.run_direct(None, &mut *connection, false).await.map_err(migration_error)?;
    record_for_supabase(connection, &migrator).await?;
    connection.unlock().await.map_err(migration_error)?;
    Ok(done)
}

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(cause) => cause.into(),
        MigrateError::ExecuteMigration(cause, version) => StoreError::Migration(format!(
            "{version} failed ({}) and was rolled back",
            cause
                .as_database_error()
                .map_or_else(|| cause.to_string(), |database| database.message().to_owned())
        )),
        other => StoreError::Migration(format!(
            "{other}; this binary and the database come from different versions"
        )),
    }
}

/// A migration in our ledger.
struct Recorded {
    version: i64,
    checksum: Vec<u8>,
}

async fn recorded<'e>(executor: impl sqlx::PgExecutor<'e>) -> Result<Vec<Recorded>, StoreError> {
    Ok(sqlx::query_as!(Recorded, "select version, checksum from certvakt.schema_migrations order by version")
        .fetch_all(executor)
        .await?)
}

/// A recorded version that is later than every one of this binary.
fn later(recorded: &[Recorded], migrator: &Migrator) -> Option<i64> {
    let newest = migrator.iter().map(|migration| migration.version).max();
    recorded.iter().map(|one| one.version).find(|version| Some(*version) > newest)
}

/// Rejects a schema with a migration that this binary does not have or has with a different text. Accepts
/// later migrations.
fn refuse_foreign(recorded: &[Recorded], migrator: &Migrator) -> Result<(), StoreError> {
    let later = later(recorded, migrator);
    for one in recorded.iter().filter(|one| later.is_none_or(|later| one.version < later)) {
        match migrator.iter().find(|migration| migration.version == one.version) {
            None => {
                return Err(StoreError::ForeignSchema(format!(
                    "this version has no migration {}",
                    one.version
                )));
            }
            Some(migration) if *migration.checksum != *one.checksum => {
                return Err(StoreError::ForeignSchema(format!(
                    "migration {} was applied with a different text",
                    one.version
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Rejects a schema without any of this binary's migrations in either ledger.
async fn refuse_unrecorded(connection: &mut PgConnection) -> Result<(), StoreError> {
    let there: bool = sqlx::query_scalar("select to_regclass('certvakt.organisations') is not null")
        .fetch_one(connection)
        .await?;
    if there {
        return Err(StoreError::ForeignSchema(
            "it has certvakt's tables, but no record of this version's migrations".to_owned(),
        ));
    }
    Ok(())
}

/// The versions in the Supabase CLI's ledger, if there is one.
async fn supabase_versions(connection: &mut PgConnection) -> Result<Vec<i64>, StoreError> {
    let there: bool =
        sqlx::query_scalar("select to_regclass('supabase_migrations.schema_migrations') is not null")
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        return Ok(Vec::new());
    }
    let versions: Vec<String> =
        sqlx::query_scalar("select version from supabase_migrations.schema_migrations")
            .fetch_all(connection)
            .await?;
    Ok(versions.iter().filter_map(|version| version.parse().ok()).collect())
}

async fn adopt(
    connection: &mut PgConnection,
    migration: &sqlx::migrate::Migration,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.schema_migrations (version, description, success, checksum, execution_time)
         values ($1, $2, true, $3, 0)",
        migration.version,
        &*migration.description,
        &*migration.checksum,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Creates and fills the ledger as the Supabase CLI does (`supabase migration up`).
async fn record_for_supabase(connection: &mut PgConnection, migrator: &Migrator) -> Result<(), StoreError> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(include_str!("supabase_ledger.sql")).execute(&mut *tx).await?;
    let (versions, names): (Vec<String>, Vec<String>) = migrator
        .iter()
        .map(|migration| (migration.version.to_string(), migration.description.replace(' ', "_")))
        .unzip();
    sqlx::query(
        "insert into supabase_migrations.schema_migrations (version, name)
         select * from unnest($1::text[], $2::text[]) on conflict (version) do nothing",
    )
    .bind(versions)
    .bind(names)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Rejects a schema that lacks a migration of this binary or has a different one in its place. Accepts later
/// migrations, because a release expands the schema first, so that the previous binary runs on it.
pub async fn check(database: &Database) -> Result<(), StoreError> {
    let recorded = recorded(&mut database.worker().await?).await?;
    let migrator = migrator();
    refuse_foreign(&recorded, &migrator)?;
    let missing =
        migrator.iter().find(|migration| recorded.iter().all(|one| one.version != migration.version));
    if let Some(migration) = missing {
        return Err(StoreError::Schema(format!("migration {} was not applied", migration.version)));
    }
    Ok(())
}

/// Whether the database is a rehearsal, so that `CERTVAKT_NOW` may move the date.
pub async fn is_rehearsal(tx: &mut WorkerTx) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!("select rehearsal from certvakt.installation")
        .fetch_optional(tx)
        .await?
        .unwrap_or(false))
}

/// Marks a database permanently as a rehearsal. It must not contain certifications, so its log is complete for
/// all dates, also those long past.
pub async fn mark_rehearsal(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    let marked = sqlx::query!(
        "insert into certvakt.installation (rehearsal)
         select true where not exists (select from public.peer_mentor_certifications)
         on conflict (only_row) do update set rehearsal = true, log_deleted_before = null"
    )
    .execute(tx)
    .await?;
    if marked.rows_affected() == 0 {
        return Err(StoreError::Invalid(
            "only an empty database can become a rehearsal, and this one contains certifications: use another database"
                .to_owned(),
        ));
    }
    Ok(())
}
