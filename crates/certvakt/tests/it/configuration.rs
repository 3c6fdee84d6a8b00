//! The configuration file: the example is complete, and unknown keys are errors.

use std::collections::BTreeSet;

use certvakt_engine::config::Config;

use crate::harness::{TestDatabase, fail};
use crate::stand_in::write_config;

const EXAMPLE: &str = include_str!("../../../../certvakt.example.toml");

/// `section.key` of every key in a document.
fn keys(document: &toml::Table) -> BTreeSet<String> {
    let sections = document.iter().map(|(section, keys)| (section, keys.as_table().unwrap()));
    sections.flat_map(|(section, keys)| keys.keys().map(move |key| format!("{section}.{key}"))).collect()
}

#[test]
fn the_example_shows_every_key_with_its_default_and_what_it_is() {
    let example: Config = toml::from_str(EXAMPLE).unwrap();
    assert_eq!(example, Config::default());
    assert_eq!(
        keys(&toml::from_str(EXAMPLE).unwrap()),
        keys(&toml::Table::try_from(Config::default()).unwrap())
    );
    for pair in EXAMPLE.lines().collect::<Vec<_>>().windows(2) {
        if pair[1].contains(" = ") && !pair[1].starts_with('#') {
            assert!(pair[0].starts_with("# "), "no word about {}", pair[1]);
        }
    }
}

#[tokio::test]
async fn an_invalid_configuration_names_the_line_and_the_nearest_key() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        (
            "[fcm]\nconnections = 2\nservice_account = \"x\"\n",
            "line 3: unknown key 'service_account', did you mean 'service_account_file'?",
        ),
        ("[delivry]\n", "line 1: unknown key 'delivry', did you mean 'delivery'?"),
        ("[delivery]\nbatch = \"many\"\n", "line 2"),
        ("[delivery]\nbatch = -1\n", "line 2"),
        ("[delivery]\nchannels = [\"pigeon\"]\n", "line 2"),
        ("[delivery\n", "line 1"),
        ("[delivery]\nlease_seconds = 10\n", "lease_seconds must be at least twice"),
        ("[delivery]\nconcurrency = 0\n", "at least 1"),
        ("[pages]\napp_url = \"app.example/roller\"\n", "pages.app_url must be an https address"),
        ("[pages]\napp_url = \"http://app.example\"\n", "pages.app_url must be an https address"),
        ("[pages]\napp_url = \"javascript:alert(1)\"\n", "pages.app_url must be an https address"),
    ] {
        let config = write_config(folder.path(), text);
        let said = fail(&mut database.certvakt(["status", "--config", config.to_str().unwrap()]), 2);
        assert!(said.contains(expected) && said.contains("[config-"), "{text}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
    let absent = folder.path().join("absent.toml");
    let said = fail(&mut database.certvakt(["status", "--config", absent.to_str().unwrap()]), 2);
    assert!(said.contains("config-unreadable"), "{said}");
    std::fs::write(folder.path().join("certvakt.toml"), b"\xff\xfe\x00").unwrap();
    let said = fail(
        &mut database.certvakt(["status", "--config", folder.path().join("certvakt.toml").to_str().unwrap()]),
        2,
    );
    assert!(said.contains("config-unreadable"), "{said}");
}
