//! An app with its own hierarchy: the service uses the functions with which the app replaced certvakt's.
//! `supabase/tests/own_app_visibility.sql` asserts the permissions of each person.

use certvakt_store::caller::addresses;
use certvakt_store::{AddressOutcome, CallerClaims, Database, caller};

use crate::harness::{TestDatabase, fail};
use crate::pages::signed_in;
use crate::sign_in::{TestService, between};

const APP: [&str; 5] = [
    include_str!("../../../../supabase/tests/fixtures/own_app/tables.psql"),
    include_str!("../../../../supabase/tests/fixtures/own_app/rows_before.psql"),
    include_str!("../../../../supabase/tests/fixtures/own_app/hierarchy.psql"),
    include_str!("../../../../supabase/tests/fixtures/own_app/rows_after.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql"),
];

async fn app() -> TestDatabase {
    app_on(TestDatabase::new().await).await
}

async fn app_on(database: TestDatabase) -> TestDatabase {
    database.execute(&format!("begin; {} commit", APP.concat())).await;
    database
}

/// The data that an account sees: its name, its memberships, and the ends of the ids of certifications.
async fn seen(store: &Database, account: u8) -> (Option<String>, Vec<String>, Vec<String>) {
    let subject = format!("00000000-0000-4000-9000-{account:012}");
    let asking =
        CallerClaims { issuer: "https://prosjekt.supabase.co/auth/v1", subject: &subject, session: None };
    let mut tx = store.caller(&asking).await.unwrap();
    let me = caller::profile(&mut tx).await.unwrap();
    let memberships = caller::memberships(&mut tx).await.unwrap();
    let found = caller::certifications(&mut tx, &caller::Filter::default(), None, 100).await.unwrap();
    tx.commit().await.unwrap();
    (
        me.and_then(|me| me.name),
        memberships.iter().map(|one| format!("{} {}", one.role, &one.chapter_id.to_string()[34..])).collect(),
        found.iter().map(|one| one.id.to_string()[24..].to_owned()).collect(),
    )
}

/// An account, its name, its memberships, its certifications.
type Expected<'a> = (u8, Option<&'a str>, &'a [&'a str], &'a [&'a str]);

#[tokio::test]
async fn the_apps_hierarchy_decides_what_people_see() {
    let database = app().await;
    let store = database.store().await;
    let expected: [Expected<'_>; 4] = [
        (1, Some("Coordinator"), &["coordinator a2"], &["0000000200a2", "0000000200a4"]),
        (
            3,
            Some("Coordinator and mentor"),
            &["coordinator a3", "mentor b1"],
            &["0000000200a3", "000000030001", "000000030002"],
        ),
        (6, Some("Mentor a2"), &["mentor a2"], &["0000000200a2"]),
        // A login without a profile in the app.
        (7, None, &[], &[]),
    ];
    for (account, name, memberships, certifications) in expected {
        let (its_name, its_memberships, its_certifications) = seen(&store, account).await;
        assert_eq!(its_name.as_deref(), name, "{account}");
        assert_eq!(its_memberships, memberships, "{account}");
        assert_eq!(its_certifications, certifications, "{account}");
    }
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_there() {
    let database = app().await;
    let store = database.store().await;
    let issuer = "https://prosjekt.supabase.co/auth/v1";
    let subjects = [1, 3].map(|account| format!("00000000-0000-4000-9000-{account:012}"));
    for subject in &subjects {
        database
            .execute(&format!(
                "insert into certvakt.sessions (token_hash, issuer, subject)
                 select sha256(convert_to('{subject}' || n, 'UTF8')), '{issuer}', '{subject}' from generate_series(1, 2) n"
            ))
            .await;
    }
    let mut tx = store.caller(&CallerClaims { issuer, subject: &subjects[0], session: None }).await.unwrap();
    let own = caller::sessions::sessions(&mut tx).await.unwrap();
    assert_eq!(own.len(), 2);
    assert_eq!(caller::sessions::end(&mut tx, Some(own[0].id)).await.unwrap(), 1);
    assert_eq!(caller::sessions::end(&mut tx, None).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(database.value::<i64>("select count(*) from certvakt.sessions").await, 2, "the other's stay");
}

#[tokio::test]
async fn the_apps_coordinators_correct_addresses_because_certvakt_stores_them() {
    let database = app().await;
    let store = database.store().await;
    let certification = "00000000-0000-4000-8000-0000000200a2".parse().unwrap();
    // The coordinator, the coordinator of another chapter, and the mentor.
    for (account, expected) in
        [(1, AddressOutcome::Added), (3, AddressOutcome::Forbidden), (6, AddressOutcome::Forbidden)]
    {
        let subject = format!("00000000-0000-4000-9000-{account:012}");
        let asking =
            CallerClaims { issuer: "https://prosjekt.supabase.co/auth/v1", subject: &subject, session: None };
        let mut tx = store.caller(&asking).await.unwrap();
        let address = format!("from-{account}@example.org");
        let outcome = addresses::add(&mut tx, certification, "email", &address, None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(outcome, expected, "{account}");
    }
    let kept: String = database
        .value("select string_agg(address, ' ') from certvakt.contact_points where kind = 'email'")
        .await;
    assert_eq!(kept, "from-1@example.org");
}

#[tokio::test]
async fn a_run_uses_the_data_that_the_apps_triggers_maintain() {
    let database = app().await;
    let runs = database.json(["run", "--date", "2026-06-21"])["runs"].clone();
    for (place, (organisation, expired)) in [("a", 5), ("b", 2)].into_iter().enumerate() {
        assert_eq!(runs[place]["organisation"], organisation, "{runs}");
        assert_eq!(runs[place]["state"], "complete", "{runs}");
        assert_eq!(runs[place]["recorded"]["expired"], expired, "{runs}");
    }
}

#[tokio::test]
async fn the_canary_reports_that_it_cannot_create_people() {
    let database = app().await;
    let said = fail(&mut database.certvakt(["audit", "canary"]), 1);
    assert!(said.contains("[canary-unsupported]"), "{said}");
}

#[tokio::test]
async fn the_pages_only_show_what_the_app_owns_and_link_to_it() {
    let database = app_on(TestDatabase::rehearsal().await).await;
    let secret = "a".repeat(64);
    database
        .execute(&format!(
            "insert into certvakt.sessions (token_hash, issuer, subject)
             values (sha256('{secret}'), 'https://prosjekt.supabase.co/auth/v1', '00000000-0000-4000-9000-000000000002')"
        ))
        .await;
    let place = TestService::on_other(database, "[pages]\napp_url = \"https://app.example/roller\"\n");
    let mut browser = place.browser().with_session(&secret);
    let settings = "/settings/00000000-0000-4000-8000-0000000000a0";
    let person = format!("{settings}/people/00000000-0000-4000-8000-000000000001");
    let certification = "/certifications/00000000-0000-4000-8000-0000000200a2";
    let mut csrf = String::new();
    for (path, status) in [
        (format!("{settings}/people"), 200),
        (person.clone(), 200),
        (format!("{settings}/chapters"), 200),
        (format!("{certification}/moves"), 403),
        (format!("{certification}/merges"), 403),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        let content = between(&page.text, "<main", "</main>");
        assert!(!content.contains("method=\"post\""), "{path} has a form: {content}");
        assert!(content.contains("href=\"https://app.example/roller\""), "{path} has no link: {content}");
        csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    }
    let chapter = "00000000-0000-4000-8000-0000000000a3";
    let other = "00000000-0000-4000-8000-0000000200a3";
    for (path, fields) in [
        (format!("{settings}/chapters"), vec![("name", "Ny")]),
        (format!("{settings}/chapters/{chapter}"), vec![("name", "Ny")]),
        (format!("{settings}/people/new"), vec![("name", "Ny"), ("role", "mentor"), ("chapter", chapter)]),
        (format!("{person}/roles"), vec![("role", "coordinator"), ("chapter", chapter)]),
        (format!("{person}/roles/endings"), vec![("role", "coordinator"), ("chapter", chapter)]),
        (format!("{certification}/moves"), vec![("chapter", chapter)]),
        (format!("{certification}/merges"), vec![("other", other), ("step", "save")]),
    ] {
        let fields: Vec<_> = [("csrf", &*csrf)].into_iter().chain(fields).collect();
        let page = browser.post(&path, &fields).await;
        assert!(matches!(page.status, 403 | 404), "{path}: {} {}", page.status, page.text);
    }
    let changed = "select (select count(*) from certvakt.memberships) + (select count(*) from certvakt.chapters where name = 'Ny')
      + (select count(*) from certvakt.people where name = 'Ny')";
    assert_eq!(place.database.value::<i64>(changed).await, 0);
}

#[tokio::test]
async fn a_refusal_does_not_lead_to_the_app_where_certvakt_owns_the_hierarchy() {
    let place = TestService::start("[pages]\napp_url = \"https://app.example/roller\"\n").await;
    let certification = "/certifications/00000000-0000-4000-8000-0000000200a2";
    let (moves, merges) = (format!("{certification}/moves"), format!("{certification}/merges"));
    // The mentor is no longer in the chapter, so that nobody can move them.
    place
        .database
        .execute(
            "delete from certvakt.memberships where role = 'mentor' and right(person_id::text, 4) = '00a2'",
        )
        .await;
    for (who, paths) in [
        ("administrator", &[&moves][..]),
        ("coordinator", &[&moves, &merges]),
        ("mentor", &[&moves, &merges]),
    ] {
        let mut browser = signed_in(&place, who).await;
        for path in paths {
            let page = browser.get(path).await;
            assert_eq!(page.status, 403, "{who} {path}: {}", page.text);
            assert!(!page.text.contains("app.example"), "{who} {path}: {}", page.text);
        }
    }
}
