//! The document of external names is complete and correct.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certvakt_engine::config::Config;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use tracing_subscriber::EnvFilter;

use super::{ROOT, codes, files};
use crate::harness::{TestDatabase, superuser};
use crate::service::Service;
use crate::stand_in::write_config;

const DOCUMENT: &str = "docs/external-names.md";

type Names = BTreeSet<String>;

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the table, or the points of the list, below a heading of the document.
fn rows(heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(ROOT).join(DOCUMENT)).unwrap();
    let heading = format!("\n## {heading}\n");
    let section = text.split(&heading).nth(1).unwrap_or_else(|| panic!("{DOCUMENT} has no{heading}"));
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter(|line| line.starts_with(['|', '-'])).map(str::to_owned).collect()
}

/// All names in backticks there.
fn listed(heading: &str) -> Names {
    rows(heading).iter().flat_map(|row| quoted(row)).map(str::to_owned).collect()
}

/// The pairs of a row's first name in backticks with each of the others.
fn pairs(heading: &str) -> Names {
    let mut pairs = Names::new();
    for row in rows(heading) {
        let mut words = quoted(&row);
        if let Some(first) = words.next() {
            pairs.extend(words.map(|word| format!("{first} {word}")));
        }
    }
    pairs
}

fn compare(heading: &str, listed: &Names, truth: &Names) {
    let missing: Vec<_> = truth.difference(listed).collect();
    let gone: Vec<_> = listed.difference(truth).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{DOCUMENT}, {heading}: not listed: {missing:#?}\nlisted, and not there: {gone:#?}"
    );
}

/// The sources of the crates.
fn sources() -> Vec<String> {
    let mut paths: Vec<PathBuf> = Vec::new();
    files(&Path::new(ROOT).join("crates"), "rs", &mut paths);
    let is_product = |path: &PathBuf| {
        let has = |name: &str| path.components().any(|part| part.as_os_str() == name);
        has("src") && !has("testing") && !has("stand-ins")
    };
    paths.retain(is_product);
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The string literals of a source that directly follow some text.
fn literals_after<'a>(source: &'a str, text: &'a str) -> impl Iterator<Item = &'a str> {
    let rests = source.split(text).skip(1).map(str::trim_start);
    rests.filter_map(|rest| rest.strip_prefix('"')?.split('"').next())
}

/// Adds each subcommand with its arguments in order, and its options.
fn add_commands(command: &clap::Command, path: &str, names: &mut Names) {
    let mut usage = path.to_owned();
    for argument in command.get_positionals() {
        usage += &format!(" {}", argument.get_id().as_str().to_uppercase());
    }
    let options = command.get_opts().filter(|option| !option.is_hide_set());
    names.extend(options.map(|option| format!("{usage} --{}", option.get_long().unwrap())));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        add_commands(sub, &format!("{path} {}", sub.get_name()), names);
    }
    names.insert(usage);
}

#[test]
fn the_listed_commands_and_options_are_those_of_the_command_line() {
    let mut truth = Names::new();
    add_commands(&certvakt::cli::command(), "certvakt", &mut truth);
    assert!(truth.len() > 100, "{truth:?}");
    let mut listed = pairs("Commands and options");
    listed
        .extend(rows("Commands and options").iter().filter_map(|row| quoted(row).next().map(str::to_owned)));
    compare("Commands and options", &listed, &truth);
}

#[test]
fn the_listed_exit_statuses_and_codes_are_those_of_the_sources() {
    let exits = include_str!("../../../../base/src/exit.rs")
        .split("pub enum Exit {")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    let mut statuses: Names = exits
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(_, number)| number.trim_end_matches(',').to_owned())
        .collect();
    for source in sources() {
        let calls = source.split("process::exit(").skip(1);
        statuses.extend(calls.map(|call| call.split(')').next().unwrap().to_owned()));
    }
    assert!(statuses.len() > 8, "{statuses:?}");
    compare("Exit statuses", &listed("Exit statuses"), &statuses);
    compare("Codes of errors", &listed("Codes of errors"), &codes());
}

#[test]
fn the_listed_metrics_are_those_of_the_sources() {
    let mut truth = Names::new();
    for source in sources() {
        for call in ["gauge!(", "counter!(", "histogram!("] {
            truth.extend(literals_after(&source, call).map(str::to_owned));
        }
    }
    assert!(truth.len() > 25, "{truth:?}");
    compare("Metrics", &listed("Metrics"), &truth);
}

#[test]
fn the_listed_keys_and_variables_are_those_of_the_configuration() {
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    let mut truth = Names::new();
    for (section, keys) in &defaults {
        truth.extend(keys.as_table().unwrap().keys().map(|key| format!("{section} {key}")));
    }
    compare("Configuration keys", &pairs("Configuration keys"), &truth);

    let mut variables = Names::from([EnvFilter::DEFAULT_ENV.to_owned()]);
    for source in sources() {
        let words = source
            .split('"')
            .filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
        let ours = words.filter(|word| word.starts_with("CERTVAKT_") || *word == "DATABASE_URL");
        variables.extend(ours.map(str::to_owned));
    }
    assert!(variables.len() > 4, "{variables:?}");
    compare("Environment variables", &listed("Environment variables"), &variables);
}

#[tokio::test]
async fn the_listed_addresses_are_those_of_the_api() {
    let database = TestDatabase::rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "[serve]\nlisten = \"127.0.0.1:0\"\n");
    let service = Service::start(&database, &config, "2026-11-24T10:00:00Z");
    let address = format!("http://{}/api/v1/openapi.json", service.address());
    let client = certvakt_engine::outbound::client(Duration::from_secs(20));
    let answer = client.get(address).send().await.unwrap().text().await.unwrap();
    let document: Value = serde_json::from_str(&answer).unwrap();
    let mut truth = Names::from(["/api/v1/openapi.json GET".to_owned()]);
    for (path, methods) in document["paths"].as_object().unwrap() {
        truth.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{path} {}", method.to_uppercase())),
        );
    }
    compare("HTTP API", &pairs("HTTP API"), &truth);
}

#[tokio::test]
async fn the_listed_functions_and_relations_are_those_that_an_app_may_use() {
    let database = TestDatabase::new().await;
    let mut connection = superuser(&database.name).await;
    let mut named = async |sql: &str| -> Names {
        let found = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
        found.iter().map(|row| format!("{} {}", row.get::<String, _>(0), row.get::<String, _>(1))).collect()
    };
    let functions = named(
        "select format('%s.%s(%s)', p.pronamespace::regnamespace, p.proname,
             (select string_agg(p.proargnames[a.place] || ' ' || format_type(a.type, null), ', ' order by a.place)
              from unnest(p.proargtypes) with ordinality as a (type, place))),
           r.rolname::text
         from pg_proc p, pg_roles r
         where p.pronamespace in ('public'::regnamespace, 'certvakt'::regnamespace)
           and r.rolname in ('authenticated', 'service_role') and has_function_privilege(r.oid, p.oid, 'execute')",
    )
    .await;
    let external = pairs("SQL functions");
    let own = pairs("Functions for certvakt's own use");
    assert!(external.is_disjoint(&own), "{:?}", external.intersection(&own));
    compare("SQL functions", &external.union(&own).cloned().collect(), &functions);

    let relations = named(
        "select c.relnamespace::regnamespace || '.' || c.relname, r.rolname::text
         from pg_class c, pg_roles r
         where c.relnamespace in ('public'::regnamespace, 'certvakt'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')
           and r.rolname in ('authenticated', 'service_role')
           and (has_any_column_privilege(r.oid, c.oid, 'select') or has_any_column_privilege(r.oid, c.oid, 'insert')
             or has_any_column_privilege(r.oid, c.oid, 'update') or has_table_privilege(r.oid, c.oid, 'delete'))",
    )
    .await;
    let external = pairs("Tables and views");
    let own = pairs("Tables for certvakt's own use");
    assert!(external.is_disjoint(&own), "{:?}", external.intersection(&own));
    compare("Tables and views", &external.union(&own).cloned().collect(), &relations);
}
