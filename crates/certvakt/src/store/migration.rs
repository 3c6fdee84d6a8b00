//! The schema: applying it, recognising what another tool applied, and checking it.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::{Database, RegistrarTx, StoreError, WorkerTx, connect_options};

/// The ledger of what was applied, beside the rest of what is ours.
const LEDGER: &str = "certvakt.schema_migrations";

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../supabase/migrations");
    migrator.dangerous_set_table_name(LEDGER);
    migrator.create_schema("certvakt");
    // One lock of our own is held from the look at the ledgers until both are filled.
    migrator.set_locking(false);
    migrator
}

/// What `migrate` did: the versions applied now, and those found applied by the Supabase CLI.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// Versions applied now.
    pub applied: Vec<i64>,
    /// Versions that the Supabase CLI had applied and that are now in our ledger too.
    pub recognised: Vec<i64>,
}

/// Brings the schema up to date, over a connection of its own that no pooler may stand in front of.
/// The Supabase CLI's ledger is kept beside ours, so that whichever tool comes second finds nothing
/// to do.
pub async fn apply(address: &str) -> Result<Applied, StoreError> {
    let mut connection = connect_options(address)?.connect().await?;
    let done = apply_on(&mut connection).await;
    let _ = connection.close().await;
    done.map_err(|error| match error {
        StoreError::Refused { said, .. } => StoreError::Refused {
            said,
            hint: "migrate as the login that owns the database and may create roles, see the runbook on roles",
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
    let ours: Vec<i64> = ledger_versions(connection).await?;
    let mut done = Applied::default();
    for migration in migrator.iter() {
        if ours.contains(&migration.version) {
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
            "{version} failed ({}); what it had begun is undone",
            cause
                .as_database_error()
                .map_or_else(|| cause.to_string(), |database| database.message().to_owned())
        )),
        other => StoreError::Migration(format!(
            "{other}; this binary and the database come from different versions"
        )),
    }
}

async fn ledger_versions(connection: &mut PgConnection) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar!(r#"select version as "version!" from certvakt.schema_migrations"#)
        .fetch_all(connection)
        .await?)
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

/// The ledger as the Supabase CLI makes and fills it (`supabase migration up`).
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

/// Refuses a schema that is older than this binary. A newer one is taken: schemas expand first.
pub async fn check(database: &Database) -> Result<(), StoreError> {
    let mut tx = database.worker().await?;
    let newest = sqlx::query_scalar!(r#"select max(version) as "version?" from certvakt.schema_migrations"#)
        .fetch_one(&mut tx)
        .await?;
    let expected = migrator().iter().map(|migration| migration.version).max();
    if newest < expected {
        return Err(StoreError::Schema(format!(
            "the newest migration applied is {}, this version needs {}",
            newest.map_or_else(|| "none".to_owned(), |version| version.to_string()),
            expected.unwrap_or_default()
        )));
    }
    Ok(())
}

/// Whether `CERTVAKT_NOW` may move the date here.
pub async fn is_rehearsal(tx: &mut WorkerTx) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!("select rehearsal from certvakt.installation")
        .fetch_optional(tx)
        .await?
        .unwrap_or(false))
}

/// Marks a database as a rehearsal, for good. One that holds certifications cannot become one.
pub async fn mark_rehearsal(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    let marked = sqlx::query!(
        "insert into certvakt.installation (rehearsal)
         select true where not exists (select from public.peer_mentor_certifications)
         on conflict (only_row) do update set rehearsal = installation.rehearsal or excluded.rehearsal"
    )
    .execute(tx)
    .await?;
    if marked.rows_affected() == 0 {
        return Err(StoreError::Invalid(
            "only an empty database can become a rehearsal, and this one holds certifications: use another"
                .to_owned(),
        ));
    }
    Ok(())
}
