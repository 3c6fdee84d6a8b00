//! Organisations, chapters and types, through the binary.

use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::harness::{TestDatabase, fail, superuser};

#[tokio::test]
async fn an_organisation_is_added_and_listed() {
    let database = TestDatabase::new().await;
    database.with_organisation();
    let listed = database.json(["organisation", "list"]);
    assert_eq!(listed["organisations"][0]["slug"], "org");
    assert_eq!(listed["organisations"][0]["timezone"], "Europe/Oslo");
    assert!(database.ok(["organisation", "list"]).contains("Foreningen"));
}

#[tokio::test]
async fn wrong_names_are_answered_with_the_nearest() {
    let database = TestDatabase::new().await;
    database.with_organisation();
    for (arguments, expected) in [
        (vec!["organisation", "add", "org", "--name", "X", "--timezone", "Europe/Oslo"], "name-taken"),
        (vec!["organisation", "add", "Org", "--name", "X", "--timezone", "Europe/Oslo"], "invalid-value"),
        (vec!["organisation", "add", "x", "--name", "X", "--timezone", "Europe/Olso"], "Europe/Oslo"),
        (vec!["chapter", "add", "x", "--organisation", "ogr", "--name", "X"], "did you mean 'org'"),
        (vec!["organisation", "set", "org", "--grace-days", "91"], "1..=90"),
        (vec!["organisation", "set", "org", "--limit-percent", "101"], "0..=100"),
        (vec!["run", "--dry-run", "--date=-262143-01-01"], "1900"),
        (vec!["cleanup", "--older-than", "65535y"], "hundred"),
        (vec!["type", "add", "x", "--organisation", "org", "--validity", "24 months"], "24mo"),
    ] {
        let said = fail(&mut database.certvakt(arguments.clone()), 2);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn chapters_are_a_tree() {
    let database = TestDatabase::new().await;
    database.with_organisation();
    let add = ["chapter", "add", "oslo", "--organisation", "org", "--name", "Oslo", "--parent"];
    assert!(fail(&mut database.certvakt(add.into_iter().chain(["chaptr"])), 2).contains("'chapter'"));
    database.ok(add.into_iter().chain(["chapter"]));
    let parent: String = database
        .value("select p.slug from certvakt.chapters h join certvakt.chapters p on p.id = h.parent_id where h.slug = 'oslo'")
        .await;
    assert_eq!(parent, "chapter");
}

#[tokio::test]
async fn two_transactions_that_move_chapters_make_no_cycle() {
    for (isolation, refused) in [("read committed", "23514"), ("repeatable read", "40001")] {
        let database = TestDatabase::new().await;
        database.with_organisation();
        for slug in ["a", "b", "c"] {
            database.ok(["chapter", "add", slug, "--organisation", "org", "--name", slug]);
        }
        let (mut first, mut second) = (superuser(&database.name).await, superuser(&database.name).await);
        let moved = |what: &str, below: &str| {
            AssertSqlSafe(format!(
                "update certvakt.chapters set parent_id = (select id from certvakt.chapters where slug = '{below}') where slug = '{what}'"
            ))
        };
        for connection in [&mut first, &mut second] {
            connection
                .execute(AssertSqlSafe(format!(
                    "begin isolation level {isolation}; select from certvakt.chapters"
                )))
                .await
                .unwrap();
        }
        first.execute(moved("a", "b")).await.unwrap();
        first.execute(moved("b", "c")).await.unwrap();
        let waiting = tokio::spawn(async move {
            let moved = second.execute(moved("c", "a")).await;
            moved.err().and_then(|error| error.as_database_error()?.code().map(std::borrow::Cow::into_owned))
        });
        database
            .until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')")
            .await;
        first.execute("commit").await.unwrap();
        first.close().await.unwrap();
        assert_eq!(waiting.await.unwrap().as_deref(), Some(refused), "{isolation}");
    }
}
