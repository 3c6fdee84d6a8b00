//! Validation, escaping and privacy of every input and output: impossible dates, control characters,
//! permissions of files, and the command log.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use certvakt_rules::text;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::harness::{NOON, TestDatabase, fail, superuser};
use crate::stand_in::write_config;

/// Characters that change the display of the text around them, one of each kind.
const STEERING: [&str; 8] =
    ["\u{1b}[31m", "\u{7f}", "\u{9b}", "\u{200f}", "\u{2028}", "\u{202e}", "\u{2066}", "\u{61c}"];

/// The error code with which the database refuses a statement.
pub async fn code(connection: &mut PgConnection, sql: &str) -> String {
    match connection.execute(AssertSqlSafe(sql.to_owned())).await {
        Ok(_) => String::new(),
        Err(error) => error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .unwrap_or_default()
            .into_owned(),
    }
}

/// A certification with an entry that the database wrote; `%` is the placeholder for a change of the entry.
pub const WITH_ENTRY: &str = "insert into public.peer_mentor_certifications
    (organisation_id, chapter_id, peer_mentor_id, certification_type, renewal_history)
  select organisation_id, chapter_id, peer_mentor_id, certification_type,
    jsonb_build_array((renewal_history -> -1) || '{\"actor\": null}' || '%')
  from public.peer_mentor_certifications where external_id = '1'";

#[tokio::test]
async fn impossible_dates_are_refused_by_every_entry_point() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-07-31").await;
    database.at(NOON, ["renew", "1", "--until", "2027-07-31"]);
    let mut connection = superuser(&database.name).await;
    for (field, day, is_one) in [
        ("completed_on", "2026-13-45", false),
        ("completed_on", "2026-02-29", false),
        ("completed_on", "2028-02-29", true),
        ("completed_on", "2026-00-10", false),
        ("completed_on", "2026-04-31", false),
        ("completed_on", "2100-02-29", false),
        ("completed_on", "٢٠٢٦-٠١-٠١", false),
        ("expires_before", "2026-02-30T00:00:00.000000Z", false),
        ("expires_after", "2026-01-31T24:00:00.000000Z", false),
        ("expires_after", "2026-01-31T23:59:59.000000Z", true),
        ("at", "2026-01-31T23:60:00.000000Z", false),
    ] {
        for role in ["service_role", "certvakt_registrar", "postgres"] {
            let entry = WITH_ENTRY.replace('%', &json!({ field: day }).to_string());
            let sql = format!("set role {role}; {entry}; reset role");
            let said = code(&mut connection, &sql).await;
            connection.execute("reset role").await.unwrap();
            assert_eq!(said, if is_one { "" } else { "23514" }, "{role} {field} {day}");
        }
    }
    for role in ["service_role", "postgres"] {
        let sql = format!(
            "begin; set local role {role}; set local certvakt.change = '{{\"completed_on\": \"2026-13-45\"}}';
             update public.peer_mentor_certifications set expires_at = '2029-01-01' where external_id = '1'; commit"
        );
        assert_eq!(code(&mut connection, &sql).await, "23514", "{role}");
        connection.execute("rollback").await.unwrap();
        for endless in ["issued_at = 'infinity'", "issued_at = '-infinity'", "expires_at = 'infinity'"] {
            let sql = format!(
                "begin; set local role {role}; update public.peer_mentor_certifications set {endless} where external_id = '1'; commit"
            );
            assert_eq!(code(&mut connection, &sql).await, "23514", "{role} {endless}");
            connection.execute("rollback").await.unwrap();
        }
    }
    fail(database.certvakt(["renew", "1", "--completed", "2026-13-45"]).env("CERTVAKT_NOW", NOON), 2);
    database.execute("delete from public.peer_mentor_certifications where external_id is null").await;
    let heads = database.json(["verify", "--history"]);
    assert_eq!(heads["faults"], json!([]), "nothing of it was stored");

    // A stored one is reported, and the others are still checked.
    database.certify("2", "2026-07-31").await;
    database
        .execute(
            "alter table public.peer_mentor_certifications disable trigger user;
             update public.peer_mentor_certifications set renewal_history = jsonb_set(renewal_history, '{0,completed_on}', '\"2026-13-45\"')
               where external_id = '1';
             alter table public.peer_mentor_certifications enable trigger user",
        )
        .await;
    let looked = database.certvakt(["verify", "--history", "--output", "json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&looked.stdout).unwrap();
    assert_eq!((looked.status.code(), found["faults"].as_array().unwrap().len()), (Some(1), 1), "{found}");
}

#[tokio::test]
async fn the_database_and_the_program_reject_the_same_control_characters() {
    let database = TestDatabase::new().await;
    let refused: Vec<i32> = database
        .value(
            "select array_agg(n order by n) from generate_series(1, 70000) n
             where n not between 55296 and 57343 and 'a' || chr(n) || 'b' ~ certvakt.forbidden_characters()",
        )
        .await;
    let expected: Vec<i32> = (1..=70_000)
        .filter(|number| {
            u32::try_from(*number)
                .ok()
                .and_then(char::from_u32)
                .is_some_and(|char| !text::is_plain(&char.to_string()))
        })
        .collect();
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn control_characters_are_refused_by_every_entry_point() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-07-31").await;
    let folder = tempfile::tempdir().unwrap();
    for steering in STEERING {
        let name = format!("Ås{steering}e");
        for arguments in [
            &["organisation", "add", "x", "--name", &name, "--timezone", "Europe/Oslo"][..],
            &["organisation", "set", "org", "--name", &name],
            &["chapter", "add", "x", "--organisation", "org", "--name", &name],
            &["type", "add", "x", "--organisation", "org", "--name", &name],
            &[
                "person",
                "add",
                "--name",
                &name,
                "--role",
                "mentor",
                "--organisation",
                "org",
                "--chapter",
                "chapter",
            ],
            &["access", "disable", "certifications", "--reason", &name],
            &["renew", "1", "--until", "2027-07-31", "--evidence", &name],
            &["renew", "1", "--until", "2027-07-31", "--note", &name],
        ] {
            let said = fail(&mut database.certvakt(arguments.iter().copied()), 2);
            assert!(text::is_plain(said.trim_end()), "{arguments:?}: {said:?}");
        }
        let register = folder.path().join("register.csv");
        fs::write(
            &register,
            format!("id;name;expires\n\"a{steering}b\";Åse;2027-01-31\nb;\"{name}\";2027-01-31\n"),
        )
        .unwrap();
        let import = [
            "import",
            register.to_str().unwrap(),
            "--organisation",
            "org",
            "--chapter",
            "chapter",
            "--type",
            "type",
        ];
        let columns = ["--column", "external_id=id", "name=name", "expires_at=expires"];
        let taken =
            database.certvakt(import.into_iter().chain(columns)).args(["--output", "json"]).output().unwrap();
        // Some of them make the whole file unreadable as text.
        if taken.status.code() != Some(5) {
            let taken: Value = serde_json::from_slice(&taken.stdout).unwrap();
            // Marks of the writing direction are left out.
            let rejected = if matches!(steering, "\u{200f}" | "\u{61c}") { 0 } else { 2 };
            assert_eq!(taken["rejected"], rejected, "{steering:?}: {taken}");
        }
        let quoted = name.replace('\'', "''");
        let mut connection = superuser(&database.name).await;
        for sql in [
            format!("insert into certvakt.people (name) values ('{quoted}')"),
            format!("update certvakt.organisations set name = '{quoted}'"),
            format!("update public.peer_mentor_certifications set external_id = '{quoted}'"),
        ] {
            assert_eq!(code(&mut connection, &sql).await, "23514", "{sql:?}");
        }
    }
    // A note can have several lines.
    database.at(NOON, ["renew", "1", "--until", "2027-07-31", "--note", "Først\nså\tdet"]);
}

#[tokio::test]
async fn output_and_logs_cannot_control_a_terminal() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    let steering = STEERING.concat();
    // As if it had been stored before the check existed.
    database
        .execute(&format!(
            "alter table certvakt.organisations drop constraint organisations_name_plain;
             update certvakt.organisations set name = 'Foren{steering}ingen'"
        ))
        .await;
    let no_file = format!("/no/such/{steering}\n.csv");
    let no_name = format!("or{steering}g");
    for arguments in [
        &["organisation", "list"][..],
        &["organisation", "list", "--output", "json"],
        &[
            "import",
            &no_file,
            "--organisation",
            "org",
            "--chapter",
            "chapter",
            "--type",
            "type",
            "--column",
            "external_id=id",
            "expires_at=e",
        ],
        &["chapter", "add", "x", "--organisation", &no_name, "--name", "X"],
        &["run", &no_name],
        &["--config", &no_file, "status"],
        &["renew", &no_name],
    ] {
        let said = database.certvakt(arguments.iter().copied()).output().unwrap();
        for stream in [said.stdout, said.stderr] {
            let printed = String::from_utf8(stream).unwrap();
            assert!(text::is_plain(&printed.replace('\n', "")), "{arguments:?}: {printed:?}");
        }
    }
    let listed = database.json(["organisation", "list"]);
    assert_eq!(listed["organisations"][0]["name"], format!("Foren{steering}ingen"), "JSON reads the same");
}

#[tokio::test]
async fn csv_cells_are_never_formulas() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    let cells = [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-42", "-42"),
        ("+4712345678", "+4712345678"),
        ("007", "007"),
        ("a=b", "a=b"),
    ];
    for (cell, _) in cells {
        database.certify(&cell.replace('\'', "''"), "2027-07-31").await;
    }
    let csv = database.at(NOON, ["certified", "--on", "2026-06-15", "--all", "--csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let mut shown: Vec<String> = reader.records().map(|row| row.unwrap()[1].to_owned()).collect();
    let mut expected: Vec<String> = cells.iter().map(|(_, shown)| (*shown).to_owned()).collect();
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);

    let folder = tempfile::tempdir().unwrap();
    let (register, rejects) = (folder.path().join("register.csv"), folder.path().join("rejects.csv"));
    fs::write(&register, "id;expires\n=1+2;soon\n").unwrap();
    import_with_rejects(&mut database.certvakt([]), &register, &rejects);
    let rejected = fs::read_to_string(&rejects).unwrap();
    assert!(rejected.contains(",'=1+2,"), "{rejected}");
}

fn import_with_rejects(command: &mut Command, register: &Path, rejects: &Path) {
    command.arg("import").arg(register).args([
        "--organisation",
        "org",
        "--chapter",
        "chapter",
        "--type",
        "type",
    ]);
    command.args(["--column", "external_id=id", "expires_at=expires", "--rejects"]).arg(rejects);
    crate::harness::succeed(command);
}

/// The same command with umask 0.
fn without_umask(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[tokio::test]
async fn files_with_ids_or_notices_are_readable_by_their_owner_only_under_any_umask() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-06-20").await;
    database.run("2026-06-15");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("register.csv"), "id;expires\n7;soon\n").unwrap();
    let mut import = database.certvakt([]);
    import.arg("import").arg(path("register.csv"));
    import.args(["--organisation", "org", "--chapter", "chapter", "--type", "type"]);
    import.args(["--column", "external_id=id", "expires_at=expires", "--rejects"]).arg(path("rejects.csv"));
    let config = write_config(
        folder.path(),
        &format!(
            "[delivery]\nchannels = [\"file\"]\n[file]\npath = \"{}\"\n",
            path("notices.jsonl").display()
        ),
    );
    let mut work = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    work.env("CERTVAKT_NOW", NOON);
    let heads = path("heads");
    let ledger = path("ledger");
    let verify = database.certvakt(["verify", "--history", "--write-heads", heads.to_str().unwrap()]);
    let erase = database.certvakt(["person", "erase", "1", "--ledger", ledger.to_str().unwrap()]);
    for (command, written) in
        [(import, "rejects.csv"), (work, "notices.jsonl"), (verify, "heads"), (erase, "ledger")]
    {
        crate::harness::succeed(&mut without_umask(&command));
        let mode = fs::metadata(path(written)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{written}");
    }
}

#[tokio::test]
async fn an_unknown_time_zone_is_one_error_everywhere() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-06-30").await;
    // PostgreSQL accepts abbreviations of time zones, which are not in the IANA database.
    database.execute("update certvakt.organisations set time_zone = 'AKST'").await;
    let person: String = database
        .value("select peer_mentor_id::text from public.peer_mentor_certifications where external_id = '1'")
        .await;
    let before: String = database
        .value("select c::text from public.peer_mentor_certifications c where external_id = '1'")
        .await;
    for arguments in [
        &["run"][..],
        &["forecast"],
        &["renew", "1", "--until", "2027-06-30"],
        &["correct", "1", "--until", "2027-06-30"],
        &["certified", "--on", "2026-06-15"],
        &["person", "export", &person],
    ] {
        let said = fail(database.certvakt(arguments.iter().copied()).env("CERTVAKT_NOW", NOON), 2);
        assert!(said.contains("'AKST'") && said.contains("[time-zone-unknown]"), "{arguments:?}: {said}");
    }
    let after: String = database
        .value("select c::text from public.peer_mentor_certifications c where external_id = '1'")
        .await;
    assert_eq!(after, before);
}
