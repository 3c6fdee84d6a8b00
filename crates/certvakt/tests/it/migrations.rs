//! Migrations by either tool, in either order, by an owner who is not a superuser.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use certvakt_store::migration;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

use crate::harness::{OWNER, TestDatabase, address, fail, succeed, superuser};

fn migrations() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../supabase/migrations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The folder also contains a README.
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    files
}

fn version(file: &std::path::Path) -> String {
    file.file_name().unwrap().to_str().unwrap()[..14].to_owned()
}

fn migrate(database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certvakt"));
    command.args(["migrate", "--output", "json"]).env("DATABASE_URL", address(OWNER, database));
    command
}

fn migrated(database: &str) -> Value {
    serde_json::from_str(&succeed(&mut migrate(database))).unwrap()
}

/// Applies some migrations as the Supabase CLI does: each in a transaction, with its ledger's row.
async fn supabase_migrates(database: &str, files: &[PathBuf]) {
    let mut connection = PgConnection::connect(&address(OWNER, database)).await.unwrap();
    connection
        .execute(
            "create schema if not exists supabase_migrations;
             create table if not exists supabase_migrations.schema_migrations
               (version text not null primary key, statements text[], name text)",
        )
        .await
        .unwrap();
    let ledger: Vec<String> = sqlx::query_scalar("select version from supabase_migrations.schema_migrations")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    for file in files.iter().filter(|file| !ledger.contains(&version(file))) {
        let sql = fs::read_to_string(file).unwrap();
        let sql = format!(
            "begin; {sql}; insert into supabase_migrations.schema_migrations (version) values ('{}'); commit",
            version(file)
        );
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

/// Every object of ours by id and definition, which reveals new and changed objects.
async fn fingerprint(database: &str) -> String {
    sqlx::query_scalar(
        "with ours as (select oid from pg_namespace where nspname in ('certvakt', 'public'))
         select md5(string_agg(line, e'\\n' order by line)) from (
           select c.oid || c.relname || coalesce(c.relacl::text, '') || c.relrowsecurity || c.relforcerowsecurity from pg_class c
             where c.relnamespace in (select oid from ours)
           union all select p.oid || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') from pg_proc p
             where p.pronamespace in (select oid from ours) and p.prokind = 'f'
           union all select k.oid || pg_get_constraintdef(k.oid) from pg_constraint k where k.connamespace in (select oid from ours)
           union all select l.oid || l.polname from pg_policy l
           union all select t.oid || pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal) as lines (line)",
    )
    .fetch_one(&mut superuser(database).await)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_second_migration_does_nothing_with_either_tool() {
    let all = migrations();
    for half in [0, 3, all.len()] {
        let empty = TestDatabase::empty().await;
        let database = &empty.name;
        supabase_migrates(database, &all[..half]).await;
        let done = migrated(database);
        assert_eq!(done["recognised"].as_array().unwrap().len(), half);
        assert_eq!(done["applied"].as_array().unwrap().len(), all.len() - half);
        let before = fingerprint(database).await;
        assert_eq!(migrated(database), json!({ "applied": [], "recognised": [] }));
        // The other tool finds its own ledger filled.
        supabase_migrates(database, &all).await;
        assert_eq!(fingerprint(database).await, before);
    }
}

#[tokio::test]
async fn two_at_once_apply_each_migration_once() {
    let empty = TestDatabase::empty().await;
    let database = &empty.name;
    let both: Vec<_> = (0..2).map(|_| migrate(database).stdout(Stdio::piped()).spawn().unwrap()).collect();
    for one in both {
        assert!(one.wait_with_output().unwrap().status.success());
    }
    let applied: i64 = sqlx::query_scalar("select count(*) from certvakt.schema_migrations where success")
        .fetch_one(&mut superuser(database).await)
        .await
        .unwrap();
    assert_eq!(usize::try_from(applied).unwrap(), migrations().len());
}

#[tokio::test]
async fn a_failed_migration_is_rolled_back_and_earlier_ones_stay() {
    let empty = TestDatabase::empty().await;
    let database = &empty.name;
    let mut owner = PgConnection::connect(&address(OWNER, database)).await.unwrap();
    owner.execute("create table public.peer_mentor_certifications (id uuid)").await.unwrap();
    let said = fail(&mut migrate(database), 4);
    assert!(
        said.contains("[migration]") && said.contains("already exists") && said.contains("rolled back"),
        "{said}"
    );
    owner.execute("drop table public.peer_mentor_certifications").await.unwrap();
    let done = migrated(database);
    assert_eq!(done["applied"].as_array().unwrap().len(), migrations().len() - 4);
}

/// The functions that people may call.
const CALLED: [&str; 74] = [
    "accept_invitation",
    "access_of",
    "add_address",
    "add_person",
    "add_phone",
    "addresses_of",
    "administers",
    "alphabetical",
    "certification_details",
    "change_certification",
    "chapter_sizes",
    "closed_organisations",
    "coming_notices",
    "confirm_address",
    "consent_to_listing",
    "consents_of",
    "current_organisations",
    "current_person",
    "declined_certifications",
    "end_my_sessions",
    "end_person",
    "end_role",
    "explanation_of",
    "folded",
    "forbidden_characters",
    "give_role",
    "hand_over_chapter",
    "has_entry",
    "history_of",
    "invite",
    "is_withdrawn",
    "letter_to",
    "listings_of",
    "may_correct_addresses",
    "may_end",
    "may_erase",
    "merge_people",
    "move_mentors",
    "my_consents",
    "my_contact_points",
    "my_listings",
    "my_partners",
    "my_sessions",
    "namesakes",
    "notices_of",
    "opt_in",
    "opt_out",
    "opt_outs",
    "partner_alarms",
    "people_of",
    "readable_addresses",
    "recent_notices",
    "record_consent",
    "register_device",
    "removals_at",
    "remove_address",
    "remove_contact_point",
    "remove_device",
    "repeat_run",
    "require_mentors",
    "resume_partner",
    "return_person",
    "search_certifications",
    "search_people",
    "settle_report",
    "suspected_imports",
    "unreachable_notices",
    "uploads_of",
    "uuid_v7",
    "visible_chapters",
    "visible_elsewhere",
    "waiting_reports",
    "withdraw_address_confirmations",
    "withdraw_invitation",
];

#[tokio::test]
async fn a_platforms_default_privileges_open_nothing() {
    let empty = TestDatabase::empty().await;
    let database = &empty.name;
    let mut owner = PgConnection::connect(&address(OWNER, database)).await.unwrap();
    migrated(&TestDatabase::empty().await.name);
    // As on hosted Supabase, where everybody may access new objects in `public`.
    owner
        .execute(
            "alter default privileges grant all on tables to anon, authenticated, service_role;
             alter default privileges grant all on functions to anon, authenticated, service_role;
             alter default privileges grant all on sequences to anon, authenticated, service_role",
        )
        .await
        .unwrap();
    migrated(database);
    let open: Option<String> = sqlx::query_scalar(
        "select string_agg(c.relname || ' ' || r || ' ' || v, ', ' order by c.relname, r, v)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace,
           unnest(array['anon', 'authenticated']) as r,
           unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as v
         where n.nspname in ('certvakt', 'public') and c.relkind in ('r', 'p', 'v') and has_table_privilege(r, c.oid, v)",
    )
    .fetch_one(&mut superuser(database).await)
    .await
    .unwrap();
    // The privileges with policies, and nothing more.
    let expected = "contacts authenticated DELETE, idempotency_keys authenticated DELETE, idempotency_keys authenticated SELECT, kept_forms authenticated DELETE, notice_texts authenticated DELETE, \
             peer_mentor_certifications authenticated SELECT, runs authenticated SELECT, uploads authenticated DELETE, visible_memberships authenticated SELECT";
    assert_eq!(open.as_deref(), Some(expected));
    let open: Option<String> = sqlx::query_scalar(
        "select string_agg(p.proname || ' ' || r, ', ' order by p.proname)
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace, unnest(array['anon', 'authenticated']) as r
         where n.nspname = 'certvakt' and has_function_privilege(r, p.oid, 'EXECUTE')",
    )
    .fetch_one(&mut superuser(database).await)
    .await
    .unwrap();
    assert_eq!(open, Some(CALLED.map(|name| format!("{name} authenticated")).join(", ")));
    let open: Option<String> = sqlx::query_scalar(
        "select string_agg(v, ', ') from unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as v
         where has_table_privilege('service_role', 'public.cert_notification_log', v)",
    )
    .fetch_one(&mut superuser(database).await)
    .await
    .unwrap();
    assert_eq!(open, None, "nor does service_role rewrite the log");
}

#[tokio::test]
async fn a_schema_that_is_older_than_the_binary_is_refused_and_named() {
    let database = TestDatabase::empty().await;
    supabase_migrates(&database.name, &migrations()).await;
    database.execute("grant certvakt_worker, certvakt_registrar to certvakt_service").await;
    assert!(
        fail(&mut database.certvakt(["status"]), 4).contains("certvakt migrate"),
        "our ledger is missing"
    );
    migrated(&database.name);
    database.ok(["status"]);
    database.execute("delete from certvakt.schema_migrations where version = (select max(version) from certvakt.schema_migrations)").await;
    assert!(fail(&mut database.certvakt(["run"]), 4).contains("database-schema"));
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused_and_named() {
    let record = |version: i64| {
        format!(
            "insert into certvakt.schema_migrations (version, description, success, checksum, execution_time)
             values ({version}, 'x', true, '\\x00', 0)"
        )
    };
    let refused = |database: &TestDatabase, named: &str| {
        for said in [fail(&mut database.certvakt(["status"]), 4), fail(&mut migrate(&database.name), 4)] {
            assert!(said.contains("[database-schema-foreign]"), "{said}");
            assert!(said.contains(named) && said.contains("new database"), "{said}");
        }
    };
    // Versions that this binary does not have: before all others, and before the last.
    for unknown in [20_261_123_090_000, 20_261_128_090_001] {
        let database = TestDatabase::new().await;
        database.execute(&record(unknown)).await;
        refused(&database, &format!("no migration {unknown}"));
        // An additional later version does not change that, although the migrator reports it first.
        database.execute(&record(20_991_231_000_000)).await;
        assert!(fail(&mut database.certvakt(["status"]), 4).contains("[database-schema-foreign]"));
    }

    let database = TestDatabase::new().await;
    database
        .execute("update certvakt.schema_migrations set checksum = '\\x00' where version = 20261128090400")
        .await;
    refused(&database, "20261128090400 was applied with a different text");

    // A later release has expanded the schema: this binary runs on it, but does not migrate it.
    let database = TestDatabase::new().await;
    database.execute(&record(20_991_231_000_000)).await;
    database.ok(["status"]);
    let said = fail(&mut migrate(&database.name), 4);
    assert!(
        said.contains("[database-schema-foreign]") && said.contains("if that is a later release, use it"),
        "{said}"
    );
}

#[tokio::test]
async fn tables_of_which_no_migration_is_recorded_are_refused_before_anything_is_made() {
    let empty = TestDatabase::empty().await;
    let database = &empty.name;
    let mut owner = PgConnection::connect(&address(OWNER, database)).await.unwrap();
    // As the Supabase CLI leaves the schema of a version that was never released.
    owner
        .execute(
            "create schema certvakt; create table certvakt.organisations ();
             create schema supabase_migrations;
             create table supabase_migrations.schema_migrations (version text primary key);
             insert into supabase_migrations.schema_migrations values ('20261123090000')",
        )
        .await
        .unwrap();
    let said = fail(&mut migrate(database), 4);
    assert!(said.contains("[database-schema-foreign]") && said.contains("new database"), "{said}");
    let made: i64 =
        sqlx::query_scalar("select count(*) from pg_proc where pronamespace = 'certvakt'::regnamespace")
            .fetch_one(&mut owner)
            .await
            .unwrap();
    assert_eq!(made, 0);
}

#[tokio::test]
async fn only_an_empty_database_becomes_a_rehearsal() {
    let database = TestDatabase::new().await;
    let rehearsal = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certvakt"));
        command.args(["migrate", "--rehearsal"]).env("DATABASE_URL", address(OWNER, &database.name));
        command
    };
    database.with_organisation();
    database.certify("1", "2026-06-20").await;
    assert!(fail(&mut rehearsal(), 2).contains("invalid-value"));
    database.execute("delete from public.peer_mentor_certifications").await;
    succeed(&mut rehearsal());
    database.at("2026-06-15T12:00:00Z", ["run"]);
    // It stays a rehearsal, regardless of its later content.
    database.certify("2", "2026-06-20").await;
    database.at("2026-06-15T12:00:00Z", ["run"]);
}

#[tokio::test]
async fn a_login_without_privileges_gets_the_reason_why_it_cannot_migrate() {
    let database = TestDatabase::new().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_certvakt"));
    let said =
        fail(command.arg("migrate").env("DATABASE_URL", address("certvakt_service", &database.name)), 4);
    assert!(said.contains("permission denied") && said.contains("login that owns"), "{said}");
    for (url, status, code) in [
        ("mysql://localhost/x", 2, "database-address"),
        ("postgres://nobody:s3cret@127.0.0.1:1/x", 4, "database-unreachable"),
        (&address("certvakt_owner", "absent"), 4, "check its name in DATABASE_URL"),
    ] {
        let said =
            fail(Command::new(env!("CARGO_BIN_EXE_certvakt")).arg("status").env("DATABASE_URL", url), status);
        assert!(said.contains(code) && !said.contains("s3cret"), "{said}");
    }
}

#[tokio::test]
async fn a_second_owner_on_the_server_needs_the_roles_and_no_more() {
    migrated(&TestDatabase::empty().await.name);
    let empty = TestDatabase::empty().await;
    let name = &empty.name;
    let login = format!("{name}_owner");
    let mut server = superuser("postgres").await;
    let make = format!("create role {login} login createrole; alter database {name} owner to {login}");
    server.execute(AssertSqlSafe(make)).await.unwrap();
    let mut migrate = Command::new(env!("CARGO_BIN_EXE_certvakt"));
    migrate.arg("migrate").env("DATABASE_URL", address(&login, name));
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int / 10000")
        .fetch_one(&mut server)
        .await
        .unwrap();
    if version >= 16 {
        // From PostgreSQL 16 on, CREATEROLE no longer allows granting any role; the creator of the roles must
        // grant them.
        assert!(fail(&mut migrate, 4).contains("permission denied to grant role"));
        let grant = format!(
            "grant certvakt_worker, certvakt_registrar, certvakt_auth, certvakt_definer, certvakt_viewer, authenticated to {login} with inherit false, set true"
        );
        server.execute(AssertSqlSafe(grant)).await.unwrap();
    }
    succeed(&mut migrate);
}

#[tokio::test]
async fn the_cached_queries_match_the_schema() {
    let database = TestDatabase::new().await;
    let mut connection = superuser(&database.name).await;
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int / 10000")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.sqlx");
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let cached: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let query = cached["query"].as_str().unwrap().to_owned();
        let described =
            (&mut connection).describe(AssertSqlSafe(query.clone()).into_sql_str()).await.unwrap();
        let described = serde_json::to_value(&described).unwrap();
        for part in ["columns", "parameters", "nullable"] {
            // The nullability of columns derives from a plan, and plans differ between versions.
            if part != "nullable" || version == 15 {
                assert_eq!(described[part], cached["describe"][part], "{part} of {query}: run `make sqlx`");
            }
        }
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
    assert!(migration::check(&database.store().await).await.is_ok());
}
