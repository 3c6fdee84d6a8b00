//! The documents: lists are complete, links have targets, and examples run.

mod examples;
mod functions;
mod names;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// The codes in the sources: the results of the `code` functions.
fn codes() -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(&Path::new(ROOT).join("crates"), "rs", &mut sources);
    // The code of a panic, which no error type has.
    let mut codes = BTreeSet::from(["internal".to_owned()]);
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        for function in text.split("fn code(&self)").skip(1) {
            let body = &function[..function.find("\n    }\n").unwrap()];
            codes.extend(body.split("=> \"").skip(1).map(|rest| rest[..rest.find('"').unwrap()].to_owned()));
        }
    }
    codes
}

#[test]
fn the_table_of_errors_lists_exactly_the_codes() {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/errors.md")).unwrap();
    let listed: BTreeSet<String> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let codes = codes();
    assert!(codes.len() > 30, "{codes:?}");
    assert_eq!(listed, codes);
}

#[test]
fn every_link_and_every_path_has_a_target() {
    let mut documents = Vec::new();
    files(&Path::new(ROOT).join("docs"), "md", &mut documents);
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
    documents.extend(top.map(|name| Path::new(ROOT).join(name)));
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).map(|rest| &rest[..rest.find(')').unwrap()]) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(target.exists(), "{link} in {}", document.display());
            if !anchor.is_empty() {
                let headings = fs::read_to_string(&target).unwrap();
                let is_there = headings.lines().filter(|line| line.starts_with('#')).any(|line| {
                    line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-").replace(',', "")
                        == anchor
                });
                assert!(is_there, "{link} in {}", document.display());
            }
        }
        for path in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let is_ours =
                ["crates/", "docs/", "scripts/", "supabase/"].iter().any(|folder| path.starts_with(folder));
            if is_ours && !path.contains([' ', '*', '<']) {
                assert!(Path::new(ROOT).join(path).exists(), "{path} in {}", document.display());
            }
        }
    }
}

#[test]
fn every_file_to_change_for_an_addition_exists_and_contains_the_example() {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## To add something\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 5, "{rows:?}");
    let mut sources = Vec::new();
    files(&Path::new(ROOT).join("crates"), "rs", &mut sources);
    for row in rows {
        let mut quoted = row.split('`').skip(1).step_by(2);
        let (example, listed): (&str, BTreeSet<&str>) = (quoted.next().unwrap(), quoted.collect());
        for file in &listed {
            let text = fs::read_to_string(Path::new(ROOT).join(file));
            assert!(
                text.is_ok_and(|text| text.contains(example)),
                "{file} does not exist or lacks {example}"
            );
        }
        // Nothing else names the channel.
        if example.contains("::") {
            let naming = sources.iter().filter(|file| fs::read_to_string(file).unwrap().contains(example));
            assert_eq!(naming.count(), listed.len(), "{example} is in other files than {listed:?}");
        }
    }
}

#[test]
fn the_systemd_unit_restricts_the_service() {
    let unit = Path::new(ROOT).join("docs/deploy/certvakt.service");
    let text = fs::read_to_string(&unit).unwrap();
    for (key, value) in [
        ("LimitNOFILE", "16384"),
        ("MemoryMax", "2G"),
        ("UMask", "0077"),
        ("SystemCallFilter", "@system-service"),
        ("SystemCallFilter", "~@privileged"),
        ("CapabilityBoundingSet", ""),
        ("MemoryDenyWriteExecute", "true"),
    ] {
        assert!(text.lines().any(|line| line == format!("{key}={value}")), "{key}={value}");
    }
    // If systemd is installed, check its own score, in tenths: it calls a score below two OK.
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&unit)
        .output();
    match judged {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        judged => {
            let judged = judged.unwrap();
            assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
        }
    }
}

/// The names of all tests.
fn tests() -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(&Path::new(ROOT).join("crates"), "rs", &mut sources);
    let mut names = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if ["#[test]", "#[tokio::test"].iter().any(|start| line.starts_with(start)) {
                let function = lines.by_ref().find_map(|line| line.split_once("fn ")).unwrap().1;
                names.insert(function[..function.find('(').unwrap()].to_owned());
            }
        }
    }
    names
}

fn is_file(name: &str) -> bool {
    ["", "crates"].iter().any(|base| Path::new(ROOT).join(base).join(name).is_file())
}

#[test]
fn every_test_that_a_promise_or_a_requirement_names_exists() {
    let tests = tests();
    let read = |document: &str| fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
    let text = read("docs/security.md");
    let promises = text.split("## Promises").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut shown = 0;
    for row in promises.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let named: Vec<&str> = row.split('|').nth(3).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test shows: {row}");
        for name in named {
            assert!(tests.contains(name) || is_file(name), "there is no test {name}");
            shown += 1;
        }
    }
    assert!(shown > 40, "{shown}");
    // The other document mentions tests among settings and columns, whose names are shorter.
    for name in read("docs/asvs.md").split('`').skip(1).step_by(2) {
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_test = is_word && (name.matches('_').count() > 2 || name.starts_with("fuzz_"));
        let is_path = [".rs", ".sql", ".psql", ".toml"].iter().any(|ending| name.ends_with(ending));
        assert!(!is_test || tests.contains(name), "there is no test {name}");
        assert!(!is_path || is_file(name), "there is no file {name}");
    }
}

/// The files of messages of a crate.
fn message_files(of: &str) -> Vec<String> {
    let folder = Path::new(ROOT).join("crates").join(of).join("locales/nb");
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// The messages of a crate's file, each with the variables that it uses.
fn messages(of: &str, language: &str, file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = Path::new(ROOT).join("crates").join(of).join("locales").join(language).join(file);
    let (mut messages, mut last) = (BTreeMap::<String, BTreeSet<String>>::new(), String::new());
    for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" =").filter(|(key, _)| !key.starts_with([' ', '\t'])) {
            key.clone_into(&mut last);
        }
        let variables = line.split('$').skip(1).map(|rest| {
            rest.chars().take_while(|char| char.is_ascii_alphanumeric() || "-_".contains(*char)).collect()
        });
        messages.entry(last.clone()).or_default().extend(variables);
    }
    messages
}

/// The literal keys of texts in a source or a template.
fn keys_in(source: &str) -> Vec<String> {
    let calls = ["say(", "count(", "named(", "with("].into_iter().flat_map(|call| source.split(call).skip(1));
    let literals = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
    let keys = literals.map(|(key, _)| key.to_owned());
    keys.filter(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))).collect()
}

#[test]
fn every_text_of_a_page_exists() {
    let mut known = BTreeMap::new();
    for file in message_files("server") {
        let more = messages("server", "nb", &file);
        assert!(more.keys().all(|key| !known.contains_key(key)), "a text has one definition");
        known.extend(more);
    }
    let server = Path::new(ROOT).join("crates/server");
    let mut read = 0;
    for folder in ["templates", "src/html", "src/pages", "src/sign_in"] {
        for file in fs::read_dir(server.join(folder)).unwrap() {
            let path = file.unwrap().path();
            for key in keys_in(&fs::read_to_string(&path).unwrap()) {
                read += 1;
                assert!(known.contains_key(&key), "{}: there is no text {key}", path.display());
            }
        }
    }
    assert!(read > 50, "{read}");
}

#[test]
fn every_language_has_the_same_messages_with_the_same_variables() {
    let mut read = 0;
    for of in ["engine", "server"] {
        for file in message_files(of) {
            let (english, norwegian) = (messages(of, "en", &file), messages(of, "nb", &file));
            assert!(english.len() > 5, "{file}: {english:?}");
            assert_eq!(english, norwegian, "{file}");
            read += 1;
        }
    }
    assert!(read > 10, "{read}");
}
