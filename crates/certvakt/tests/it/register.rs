//! Organisations, chapters and types, through the binary.

use crate::harness::{TestDatabase, fail};

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
