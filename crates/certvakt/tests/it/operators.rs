//! The records of operators and times: the command line writes them, and an app cannot set them.

use serde_json::{Value, json};
use sqlx::Executor;
use uuid::Uuid;

use crate::edges::{WITH_ENTRY, code};
use crate::harness::{NOON, TestDatabase, superuser};

#[tokio::test]
async fn who_ran_a_command_is_recorded_where_its_effect_is() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let operator = format!("{account}@{host}");
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let ledger = ledger.to_str().unwrap();
    database.certify("1", "2026-06-20").await;
    database.certify("2", "2026-06-20").await;
    database.ok(["partner", "add", "portal", "--organisation", "org", "--requires", "type"]);
    let person: Uuid = database
        .value("select peer_mentor_id from public.peer_mentor_certifications where external_id = '1'")
        .await;
    let person = person.to_string();
    for arguments in [
        &["access", "disable", "certifications", "--reason", "feil"][..],
        &["access", "enable", "certifications"],
        &["run", "--date", "2026-06-15", "--approve"],
        &["renew", "1", "--until", "2027-07-31"],
        &[
            "partner",
            "enrol",
            "portal",
            "--organisation",
            "org",
            "1",
            "--key",
            "M-1",
            "--consents",
            "--given-as",
            "phone",
            "--given-on",
            "2026-06-01",
            "--text-version",
            "2026-11",
            "--language",
            "nb",
        ],
        &["person", "invite", &person],
    ] {
        database.at(NOON, arguments.iter().copied());
    }
    for column in [
        "operator from certvakt.access_closures",
        "opened_operator from certvakt.access_closures",
        "operator from certvakt.runs",
        "operator from certvakt.renewal_remarks",
        "operator from certvakt.listing_consents",
        "operator from certvakt.invitations",
    ] {
        let recorded: Option<String> = database.value(&format!("select {column}")).await;
        assert_eq!(recorded.as_deref(), Some(operator.as_str()), "{column}");
    }
    database.at(NOON, ["person", "erase", "2", "--ledger", ledger]);
    let erased: Option<String> =
        database.value("select erased_by from certvakt.people where erased_at is not null").await;
    assert_eq!(erased, Some(operator));
    // Only the transaction of a command sets it.
    database
        .execute(
            "set role service_role; set certvakt.operator = 'somebody@else';
             update public.peer_mentor_certifications set expires_at = '2029-01-01' where external_id = '1'",
        )
        .await;
    let forged: bool = database
        .value("select exists (select from certvakt.renewal_remarks where operator = 'somebody@else')")
        .await;
    assert!(!forged);
}

#[tokio::test]
async fn every_command_that_changes_something_is_logged_once_without_its_arguments() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-06-20").await;
    database.certify("2", "2026-06-20").await;
    database.execute("create table before as select max(id) as id from certvakt.command_log").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renewals.csv");
    std::fs::write(&file, "certification,until\n1,2027-07-31\n2,2027-07-31\n").unwrap();
    let register = folder.path().join("register.csv");
    std::fs::write(&register, "id,til\n3,2027-12-31\n").unwrap();
    let import = [
        &[
            "import",
            register.to_str().unwrap(),
            "--organisation",
            "org",
            "--chapter",
            "chapter",
            "--type",
            "type",
        ][..],
        &["--column", "external_id=id", "expires_at=til"],
    ]
    .concat();
    for arguments in [
        &["organisation", "set", "org", "--name", "Renamed"][..],
        &["chapter", "add", "more", "--organisation", "org", "--name", "More"],
        &["type", "add", "other", "--organisation", "org", "--name", "Other"],
        &["person", "opt-out", "1", "email"],
        &["renew", "--file", file.to_str().unwrap()],
        &import,
        // These change nothing.
        &["person", "export", "1"],
        &["explain", "1"],
        &[&import[..], &["--dry-run"]].concat(),
        &["status"],
    ] {
        let _ = database.certvakt(arguments.iter().copied()).env("CERTVAKT_NOW", NOON).output().unwrap();
    }
    let logged: String = database
        .value(
            "select string_agg(command, ', ' order by id) from certvakt.command_log
             where id > (select coalesce(id, 0) from before) and operator like '%@%'",
        )
        .await;
    assert_eq!(logged, "organisation set, chapter add, type add, person opt-out, renew, import");
}

#[tokio::test]
async fn an_app_cannot_set_the_time_and_actor_of_a_change() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-07-31").await;
    database.at(NOON, ["renew", "1", "--until", "2027-07-31"]);
    database
        .execute(
            "insert into certvakt.identities (issuer, subject, person_id)
             select 'https://issuer.example.org', 'one', peer_mentor_id from public.peer_mentor_certifications",
        )
        .await;
    let mut connection = superuser(&database.name).await;
    connection.execute("set role service_role").await.unwrap();
    let changed = "update public.peer_mentor_certifications set";
    assert_eq!(code(&mut connection, &format!("{changed} updated_at = now()")).await, "42501");
    assert_eq!(code(&mut connection, &format!("{changed} created_at = now()")).await, "42501");
    let entry = WITH_ENTRY.replace('%', r#"{"actor": "01936a2e-7d1c-7c4e-9f0a-5a2f6a7f3b10"}"#);
    assert_eq!(code(&mut connection, &entry).await, "23514");
    connection
        .execute(
            r#"set certvakt.change = '{"actor": "01936a2e-7d1c-7c4e-9f0a-5a2f6a7f3b10", "source": "portal"}';
             set request.jwt.claims = '{"iss": "https://issuer.example.org", "sub": "one"}';
             update public.peer_mentor_certifications set expires_at = '2029-01-01' where external_id = '1'"#,
        )
        .await
        .unwrap();
    let entry: Value = database
        .value("select renewal_history -> -1 from public.peer_mentor_certifications where external_id = '1'")
        .await;
    assert_eq!((&entry["actor"], &entry["source"]), (&Value::Null, &json!("database")));
}
