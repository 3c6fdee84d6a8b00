//! A person's transaction leaves no state on its connection for the next one, regardless of how it ended.

use certvakt_store::caller::{self, devices};
use certvakt_store::{CallerClaims, Database};
use sqlx::Executor;
use uuid::Uuid;

use crate::harness::{TestDatabase, superuser};

const WORLD: &str = concat!(
    include_str!("../../../../supabase/tests/fixtures/world.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql")
);

/// The certifications that each login of the test data sees.
const SEES: [(&str, &[&str]); 4] = [
    ("coordinator", &["0000000200a2", "0000000200a4"]),
    ("outsider", &["0000000200b1", "000000030002"]),
    ("mentor", &["0000000200a2"]),
    ("stranger", &[]),
];

fn asking(subject: &str) -> CallerClaims<'_> {
    CallerClaims { issuer: "https://issuer.example", subject, session: None }
}

async fn world() -> TestDatabase {
    let database = TestDatabase::new().await;
    database.execute(WORLD).await;
    database
}

/// The ends of the ids of the certifications that a login sees.
async fn seen(store: &Database, subject: &str) -> Vec<String> {
    let mut tx = store.caller(&asking(subject)).await.unwrap();
    let found = caller::certifications(&mut tx, &caller::Filter::default(), None, 100).await.unwrap();
    tx.commit().await.unwrap();
    found.into_iter().map(|one| one.id.to_string()[24..].to_owned()).collect()
}

async fn all_see_their_own(store: &Database, after: &str) {
    for (subject, expected) in SEES {
        assert_eq!(seen(store, subject).await, expected, "{subject} after {after}");
    }
    // The worker's role, which sees everything, does not leak into the next transaction either.
    let mut tx = store.worker().await.unwrap();
    let organisations = certvakt_store::organisation::list(&mut tx).await.unwrap();
    assert_eq!(organisations.len(), 2, "the service after {after}");
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_error_a_rollback_a_cancel_and_a_panic_leave_nothing_on_a_connection() {
    let database = world().await;
    let store = Database::connect(&database.address(), 1).await.unwrap();
    all_see_their_own(&store, "nothing").await;

    let mut tx = store.caller(&asking("coordinator")).await.unwrap();
    devices::register_device(&mut tx, "phone", "not a token").await.unwrap_err();
    drop(tx);
    all_see_their_own(&store, "an error").await;

    let (tx, _) = store.admit(&asking("coordinator")).await.unwrap();
    tx.rollback().await.unwrap();
    all_see_their_own(&store, "a rollback").await;

    // Cancelled while the server executes it.
    let mut holder = superuser(&database.name).await;
    holder
        .execute("begin; lock table public.peer_mentor_certifications in access exclusive mode")
        .await
        .unwrap();
    let waiting = seen(&store, "coordinator");
    let cancelling = database.until(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
    );
    tokio::select! {
        _ = waiting => panic!("it saw through a lock"),
        () = cancelling => {}
    }
    holder.execute("rollback").await.unwrap();
    all_see_their_own(&store, "a cancel").await;

    let panicking = {
        let store = store.clone();
        tokio::spawn(async move {
            let (tx, _) = store.admit(&asking("coordinator")).await.unwrap();
            panic!("in the middle of {tx:?}");
        })
    };
    panicking.await.unwrap_err();
    all_see_their_own(&store, "a panic").await;
}

#[tokio::test]
async fn people_at_the_same_time_on_few_connections_see_their_own() {
    let database = world().await;
    let store = Database::connect(&database.address(), 3).await.unwrap();
    let all = (0..120).map(|n| {
        let (store, (subject, expected)) = (store.clone(), SEES[n % SEES.len()]);
        tokio::spawn(async move {
            // Every third is cancelled in between.
            if n % 3 == 0 {
                store.admit(&asking(subject)).await.unwrap();
            }
            assert_eq!(seen(&store, subject).await, expected, "{subject}, {n}");
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn a_login_is_used_verbatim_with_any_content() {
    let database = world().await;
    let store = database.store().await;
    for subject in [
        "coordinator'; reset role; --",
        "coordinator\", \"sub\": \"administrator",
        "coordinator\\",
        "$$coordinator$$",
        "coordinator\u{0}",
        "Åse 🙂",
        "",
    ] {
        // PostgreSQL's text cannot store U+0000; anything else is an unknown login.
        match store.admit(&asking(subject)).await {
            Ok((_, admission)) => assert_eq!(admission.person_id, None, "{subject:?}"),
            Err(error) => assert!(subject.contains('\0'), "{subject:?}: {error}"),
        }
    }
    let long = "x".repeat(10_000);
    let mut tx = store.caller(&asking(&long)).await.unwrap();
    assert_eq!(caller::certification(&mut tx, Uuid::nil()).await.unwrap(), None);
}
