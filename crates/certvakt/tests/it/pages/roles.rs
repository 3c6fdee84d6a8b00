//! The table of roles in the documentation, which is tested as it is written.

use std::fs;

use reqwest::Method;

use super::partners::{ORGANISATION, with_partner, with_report};
use super::{certification, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A contact that the coordinator recorded.
const CONTACT: &str = "00000000-0000-4000-8000-0000000000f4";

/// The cells of each row of a table, below a heading.
pub(super) fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(format!("{ROOT}/docs/roles.md")).unwrap();
    let section =
        text.split_once(&format!("## {heading}\n")).unwrap().1.split("\n## ").next().unwrap().to_owned();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The requests in a cell.
pub(super) fn requests(cell: &str) -> Vec<(Method, String)> {
    let named = cell.split('`').skip(1).step_by(2);
    named
        .map(|request| {
            let (method, path) = request.split_once(' ').unwrap();
            (method.parse().unwrap(), path.to_owned())
        })
        .collect()
}

/// Whether a response is what the table says.
fn is_as_said(said: &str, answer: &Answer) -> bool {
    let to_sign_in = answer.location.as_ref().is_some_and(|to| to.contains("/sign-in"));
    match said {
        "sign in" => answer.status == 303 && to_sign_in,
        "no" => answer.status == 403,
        "not found" => answer.status == 404,
        // A form without its fields is refused, by somebody who may send it.
        "yes" | "own" => matches!(answer.status, 200 | 303 | 422) && !to_sign_in,
        other => panic!("the table of roles says '{other}'"),
    }
}

/// Adds a contact of the coordinator with the mentor.
async fn add_contact(place: &TestService) {
    place
        .database
        .execute(&format!(
            "insert into certvakt.contacts (id, certification_id, chapter_id, outcome, made_by)
             select '{CONTACT}', c.id, c.chapter_id, 'reached', i.person_id
             from public.peer_mentor_certifications c, certvakt.identities i where c.id = '{}' and i.subject = 'coordinator' limit 1",
            certification("a2").rsplit('/').next().unwrap()
        ))
        .await;
}

/// Adds an import that waits, one by a command, and the mentor's listing.
async fn add_import(place: &TestService, import: &str, chapter: &str) {
    place
        .database
        .execute(&format!(
            "insert into certvakt.uploads (id, organisation_id, chapter_id, options, state, content, proposal, result)
             select '{import}', organisation_id, id, '{{\"chapter_id\": \"{chapter}\", \"mapping\": null, \"options\": {{}},
               \"approve\": false, \"dry_run\": false}}', 'checked', 'Nr', '{{\"columns\": [], \"date_formats\": []}}', '{{}}'
             from certvakt.chapters where id = '{chapter}'"
        ))
        .await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.imports (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged,
               rejected, renewed, corrected, operator)
             select organisation_id, array[id], array['type'], 0, 0, 0, 0, 0, 0, 0, 'root@machine'
             from certvakt.chapters where id = '{chapter}'"
        ))
        .await;
}

/// Adds what the pages of the table show. Returns the path of such a page for the path in a request of the table.
pub(super) async fn with_everything(place: &TestService) -> impl Fn(&str) -> String + use<> {
    place
        .database
        .execute(
            "update certvakt.runs set state = 'held', notices = '{\"expired\": 3}' where id = (
               select max(r.id) from certvakt.runs r join certvakt.organisations o on o.id = r.organisation_id where o.slug = 'a')",
        )
        .await;
    let held: i64 = place.database.value("select id from certvakt.runs where state = 'held'").await;
    let chapter: String =
        place.database.value("select id::text from certvakt.chapters where slug = 'own'").await;
    let form = "00000000-0000-4000-8000-0000000000f1";
    place
        .database
        .execute(&format!(
            "insert into certvakt.change_results (made_by, form, certification_id, version, status)
             select i.person_id, '{form}', '{}', '2026-01-01', 'active' from certvakt.identities i where i.subject = 'coordinator' limit 1",
            certification("a2").rsplit('/').next().unwrap()
        ))
        .await;
    add_contact(place).await;
    let import = "00000000-0000-4000-8000-0000000000f3";
    add_import(place, import, &chapter).await;
    with_partner(place).await;
    with_report(place, "E-1", "a2", "other-date").await;
    let number: i64 = place.database.value("select max(id) from certvakt.imports").await;
    move |path| {
        let path = path.replace("/certifications/{id}", &certification("a2"));
        let path = path.replace("{contact}", CONTACT);
        let path = path.replace("/runs/{id}", &format!("/runs/{held}"));
        let path = path.replace("/chapters/{id}", &format!("/chapters/{chapter}"));
        let path = path.replace("/changes/{id}", &format!("/changes/{form}"));
        let path = path.replace("/imports/{id}", &format!("/imports/{import}"));
        let path = path.replace("{number}", &number.to_string());
        let path = path.replace("/partners/{id}/{code}", &format!("/partners/{ORGANISATION}/portal"));
        let path = path.replace("/settings/{id}", &format!("/settings/{ORGANISATION}"));
        let path = path.replace("/types/{code}", "/types/type").replace("{chapter}", &chapter);
        let path = path.replace("/texts/{stage}/{language}", "/texts/expired/nb");
        path.replace("{person}", "00000000-0000-4000-8000-0000000100a2")
    }
}

#[tokio::test]
async fn each_role_may_do_what_the_documentation_says() {
    let place = TestService::start("").await;
    let mut people: Vec<(&str, Browser, String)> = vec![("nobody", place.browser(), String::new())];
    for who in ["mentor", "coordinator", "administrator", "outsider"] {
        let mut browser = signed_in(&place, who).await;
        let csrf = between(&browser.get("/me").await.text, "name=\"csrf\" value=\"", "\"");
        people.push((who, browser, csrf));
    }
    let path_of = with_everything(&place).await;
    let organisation = ORGANISATION;
    let rows = rows("Pages");
    assert!(rows.len() > 15, "{rows:?}");
    for row in rows {
        for (method, path) in requests(&row[1]) {
            let path = path_of(&path);
            for ((who, browser, csrf), said) in people.iter_mut().zip(&row[2..]) {
                let session = "00000000-0000-4000-8000-000000000000";
                let sent = [
                    ("csrf", csrf.as_str()),
                    ("session", session),
                    ("action", "renewals"),
                    ("number", "5"),
                    ("event", "E-1"),
                    ("point", session),
                    ("organisation", organisation),
                    ("partner", "portal"),
                    ("decision", "withdraw"),
                    ("key", "00000000-0000-4000-8000-0000000000f2"),
                ];
                let answer = if method == Method::POST && path == "/imports" {
                    browser.upload(&path, &sent, "register.csv", b"Nr").await
                } else {
                    browser.send(method.clone(), &path, &sent).await
                };
                assert!(
                    is_as_said(said, &answer),
                    "{method} {path}, {who}: {said}, {} {}",
                    answer.status,
                    answer.text
                );
                let shows_another = answer.text.contains("Mentor a4");
                assert!(said != "own" || !shows_another, "{method} {path}, {who}: {}", answer.text);
            }
        }
    }
}

#[test]
fn every_route_of_the_pages_is_in_the_documentation() {
    let mut listed: Vec<(Method, String)> = rows("Pages").iter().flat_map(|row| requests(&row[1])).collect();
    listed.extend(rows("Without a sign-in").iter().flat_map(|row| requests(&row[0])));
    let mut routes = Vec::new();
    for file in ["pages.rs", "sign_in.rs"] {
        let source = fs::read_to_string(format!("{ROOT}/crates/server/src/{file}")).unwrap();
        for route in source.split(".route(").skip(1) {
            let (path, rest) = route.trim_start_matches(['"', '\n', ' ']).split_once([',', '"']).unwrap();
            let path = if path == "HOME" { "/sign-in" } else { path };
            let handlers = rest.split(".route(").next().unwrap();
            for (name, method) in [("get(", Method::GET), ("post(", Method::POST)] {
                if handlers.split(".layer").next().unwrap().contains(name) {
                    routes.push((method, path.to_owned()));
                }
            }
        }
    }
    assert!(routes.len() > 15, "{routes:?}");
    for (method, path) in &routes {
        // A parameter matches any name in its place.
        let is_listed = listed.iter().any(|(known, name)| {
            let name = name.split('?').next().unwrap();
            let (parts, names): (Vec<_>, Vec<_>) = (path.split('/').collect(), name.split('/').collect());
            known == method
                && parts.len() == names.len()
                && parts.iter().zip(&names).all(|(part, name)| part == name || part.starts_with('{'))
        });
        assert!(is_listed, "docs/roles.md has no {method} {path}");
    }
}
