//! Runs the examples in the documents as written, in a real bash, with the real curl, against a real service.

use std::path::Path;

use serde_json::{Deserializer, Value};

use super::ROOT;
use crate::harness::{SERVICE, SERVICE_ROLES, TestDatabase};
use crate::service::Service;
use crate::stand_in::MailServer;

/// The date of the examples in the documents, whose output shows dates near it.
const NOW: &str = "2026-11-24T10:00:00+01:00";

/// A fenced block of a document.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(Block { language: language.to_owned(), text: text.join("\n") + "\n" });
        }
    }
    found
}

/// The output of a block of commands.
#[derive(Debug)]
struct Printed {
    output: String,
    errors: String,
}

/// Runs blocks in one bash, as if pasted into a terminal; the first command that fails ends it.
fn bash(database: &TestDatabase, folder: &Path, blocks: &[String], now: &str) -> Vec<Printed> {
    let printed = tempfile::tempdir().unwrap();
    let file = |kind: &str, number: usize| printed.path().join(format!("{kind}-{number}"));
    // curl reads this file itself, so the commands run as they are written.
    let curl = "noproxy = \"*\"\nwrite-out = \"%{stderr}status %{http_code}\\n\"\n";
    std::fs::write(printed.path().join(".curlrc"), curl).unwrap();
    let mut script = "set -euo pipefail\n".to_owned();
    for (number, block) in blocks.iter().enumerate() {
        let (output, errors) = (file("output", number), file("errors", number));
        script += &format!("exec >'{}' 2>'{}'\n{block}", output.display(), errors.display());
    }
    let mut bash = database.bash();
    bash.args(["-c", &script]).current_dir(folder).env("CURL_HOME", printed.path()).env("CERTVAKT_NOW", now);
    let is_done = bash.status().unwrap().success();
    let read = |kind, number| std::fs::read_to_string(file(kind, number)).unwrap_or_default();
    let all: Vec<Printed> = (0..blocks.len())
        .map(|number| Printed { output: read("output", number), errors: read("errors", number) })
        .collect();
    assert!(is_done, "a command failed: {all:#?}");
    all
}

/// The statuses in a block: lines that end with `# 200`.
fn statuses_shown(block: &str) -> Vec<&str> {
    let ends = block.lines().filter_map(|line| line.rsplit_once("# "));
    ends.map(|(_, end)| end)
        .filter(|end| end.len() == 3 && end.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

/// Whether a value contains everything that a document shows.
fn has(value: &Value, shown: &Value) -> bool {
    match (value, shown) {
        (Value::Object(value), Value::Object(shown)) => {
            shown.iter().all(|(key, shown)| value.get(key).is_some_and(|value| has(value, shown)))
        }
        (Value::Array(value), Value::Array(shown)) => {
            value.len() == shown.len() && value.iter().zip(shown).all(|(value, shown)| has(value, shown))
        }
        _ => value == shown,
    }
}

/// Whether a line matches a document's line, in which `…` matches any text; columns can have different
/// widths.
fn is_line(line: &str, shown: &str) -> bool {
    let in_one_space = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, shown) = (in_one_space(line), in_one_space(shown));
    let mut pieces = shown.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut is_open = false;
    for piece in pieces {
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
        is_open = piece.is_empty();
    }
    rest.is_empty() || is_open
}

/// Checks each block of output that follows a block of commands.
fn check_output<'a>(printed: &[Printed], blocks: impl IntoIterator<Item = &'a Block>) -> usize {
    let (mut printed, mut last, mut checked) = (printed.iter(), None, 0);
    for block in blocks {
        match block.language.as_str() {
            "bash" => last = printed.next(),
            "json" => {
                let output = &last.unwrap().output;
                let answers = Deserializer::from_str(output).into_iter::<Value>().map_while(Result::ok);
                let answer = answers.last().unwrap_or_else(|| panic!("no JSON in {output}"));
                let shown: Value = serde_json::from_str(&block.text).unwrap();
                assert!(has(&answer, &shown), "{} is shown, this came: {answer:#}", block.text);
                checked += 1;
            }
            "text" => {
                let output = &last.unwrap().output;
                let mut lines = output.lines();
                for shown in block.text.lines() {
                    let is_there = lines.any(|line| is_line(line, shown));
                    assert!(is_there, "{shown}\nis shown, this came:\n{output}");
                }
                checked += 1;
            }
            _ => {}
        }
    }
    checked
}

#[tokio::test]
async fn every_line_of_the_tour_of_the_api_runs_and_answers_as_shown() {
    const SERVE: &str = "certvakt serve --config tour.toml\n";
    const ADDRESS: &str = "127.0.0.1:8470";
    let database = TestDatabase::rehearsal().await;
    let mail = MailServer::start(None);
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks("docs/api.md");
    let serve = blocks.iter().position(|block| block.text == SERVE).unwrap();
    let commands = |blocks: &[Block], address: &str| -> Vec<String> {
        let mail = format!("localhost:{}", mail.port);
        let commands = blocks.iter().filter(|block| block.language == "bash");
        // The document's ports may be in use on this machine.
        commands.map(|block| block.text.replace(ADDRESS, address).replace("localhost:1025", &mail)).collect()
    };

    bash(&database, folder.path(), &commands(&blocks[..serve], "127.0.0.1:0"), NOW);
    let service = Service::start(&database, &folder.path().join("tour.toml"), NOW);
    let commands = commands(&blocks[serve + 1..], service.address());
    let printed = bash(&database, folder.path(), &commands, NOW);

    let mut requests = 0;
    for (block, printed) in commands.iter().zip(&printed) {
        let shown = statuses_shown(block);
        assert_eq!(shown.len(), block.matches("curl ").count(), "a request without its status: {block}");
        let statuses: Vec<&str> =
            printed.errors.lines().filter_map(|line| line.strip_prefix("status ")).collect();
        assert_eq!(statuses, shown, "{block}{printed:#?}");
        requests += shown.len();
    }
    assert!(requests > 12, "{requests}");
    assert!(check_output(&printed, &blocks[serve + 1..]) > 6);

    // The document says that this happens in the background.
    database.until("select bool_and(finished_at is not null) from certvakt.uploads").await;
    let became: String = database
        .value("select concat_ws(' ', state, result ->> 'added', result ->> 'updated') from certvakt.uploads")
        .await;
    assert_eq!(became, "imported 1 0");
    database.until("select bool_and(mail_due_at is null) from certvakt.mail_queue").await;
    assert_eq!(mail.mails().len(), 1, "the invitation");
}

/// Runs all of a document's commands, and compares their output with the document.
fn run_all(document: &str, database: &TestDatabase, now: &str) {
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks(document);
    let commands = blocks.iter().filter(|block| block.language == "bash").map(|block| block.text.clone());
    let printed = bash(database, folder.path(), &commands.collect::<Vec<_>>(), now);
    assert!(check_output(&printed, &blocks) > 0, "{document} shows no output");
}

#[tokio::test]
async fn the_readmes_tour_runs_and_prints_what_is_shown() {
    run_all("README.md", &TestDatabase::rehearsal().await, NOW);
}

#[tokio::test]
async fn the_check_of_an_installation_runs_and_prints_what_is_shown() {
    run_all("docs/install.md", &TestDatabase::new().await, "");
}

#[test]
fn ci_runs_the_first_commands_of_the_readme() {
    let ci = std::fs::read_to_string(Path::new(ROOT).join(".ci/run")).unwrap();
    let first = &blocks("README.md")[0];
    let commands: Vec<&str> = first.text.lines().map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(commands, ["make demo", "make test"]);
    for command in commands {
        assert!(ci.lines().any(|line| line == command), "CI does not run {command}");
    }
}

#[test]
fn the_documents_grant_the_service_the_roles_that_the_tests_give_it() {
    let mut grants = 0;
    for document in ["docs/install.md", "docs/runbook.md", "docs/supabase.md"] {
        for block in blocks(document).iter().filter(|block| block.language == "sql") {
            for grant in block.text.lines().filter(|line| line.contains("grant ")) {
                assert_eq!(grant, format!("grant {SERVICE_ROLES} to {SERVICE};"), "{document}");
                grants += 1;
            }
        }
    }
    assert_eq!(grants, 3);
}
