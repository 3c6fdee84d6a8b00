//! The export of the data of a person.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::somebody;

/// The names of all fields, at any depth.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| fields(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                found.insert(name.clone());
                fields(member, found);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn an_export_contains_all_data_of_a_person_in_their_language() {
    let (database, _) = somebody().await;
    let exported = database.json(["person", "export", "zqx7-1"]);
    let text = exported.to_string();
    for what in [
        "Åse zqx7",
        "zqx7@example.org",
        "token-zqx7",
        "app-zqx7",
        "subject-zqx7",
        "kurs zqx7",
        "Bodø zqx7",
        "zqx7-1",
        "expiry_warning_7d",
        "\"451\"",
        "Åse Ødegård",
    ] {
        assert!(text.contains(what), "{what}: {text}");
    }
    let empty: Vec<&String> = exported
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, of)| **of == json!([]))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(empty, Vec::<&String>::new(), "the test plants one of each kind");
    assert_eq!(exported["answers_remembered"], 2);
    assert_eq!(exported["who_looked"].as_array().unwrap().len(), 2);
    // No secret, not even the hash of a token.
    assert!(!text.contains("hash"), "{text}");

    let mut names = BTreeSet::new();
    fields(&exported, &mut names);
    for language in ["nb", "en"] {
        let words = format!("{}/../engine/locales/{language}/export.ftl", env!("CARGO_MANIFEST_DIR"));
        let words = fs::read_to_string(words).unwrap();
        let labels: BTreeSet<&str> =
            words.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
        let without: Vec<&String> =
            names.iter().filter(|name| !labels.contains(name.replace('_', "-").as_str())).collect();
        assert_eq!(without, Vec::<&String>::new(), "{language}");
        let unused: Vec<&&str> = labels
            .iter()
            .filter(|label| {
                !["none", "yes", "no"].contains(*label) && !names.contains(&label.replace('-', "_"))
            })
            .collect();
        assert_eq!(unused, Vec::<&&str>::new(), "{language}");
    }
    let read = database.ok(["person", "export", "zqx7-1"]);
    assert!(read.starts_with("Personen\n────────\nId: "), "{read}");
    assert!(read.contains("Navn: Åse zqx7") && read.contains("Slettet: ingen"), "{read}");
    // In the organisation's time zone, the end of the last valid day is on that day.
    assert!(read.contains("Utløper: 2026-06-21 23:59 CEST"), "{read}");
    let read = database.ok(["person", "export", "zqx7-1", "--language", "en"]);
    assert!(
        read.contains("Evidence: kurs zqx7") && read.contains("Notices in that time: expiry_warning_7d"),
        "{read}"
    );
}
