//! An app with its own hierarchy: the service uses the functions with which the app replaced certvakt's.
//! `supabase/tests/own_app_visibility.sql` asserts the permissions of each person.

use certvakt_store::caller::addresses;
use certvakt_store::{AddressOutcome, CallerClaims, Database, caller};

use crate::harness::{TestDatabase, fail};

const APP: [&str; 5] = [
    include_str!("../../../../supabase/tests/fixtures/own_app/tables.psql"),
    include_str!("../../../../supabase/tests/fixtures/own_app/rows_before.psql"),
    include_str!("../../../../supabase/tests/fixtures/own_app/hierarchy.psql"),
    include_str!("../../../../supabase/tests/fixtures/own_app/rows_after.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql"),
];

async fn app() -> TestDatabase {
    let database = TestDatabase::new().await;
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
