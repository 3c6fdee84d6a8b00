//! A name with markup and quotation marks, on every page, in every file and in every e-mail that shows people.

use std::collections::BTreeSet;
use std::fs;

use certvakt_rules::text::is_control;
use reqwest::Method;

use super::imports::{CHAPTER, check, columns};
use super::roles::{requests, rows, with_everything};
use super::signed_in;
use crate::harness::{NOON, succeed};
use crate::sign_in::{Answer, TestService};

/// The beginning of the longest name that a register may give somebody.
const MARKUP: &str = "<script>k()</script>k\"k'k&k";
/// The same in a page, and its parts that no page may contain.
const ESCAPED: &str = "&#60;script&#62;k()&#60;/script&#62;k&#34;k&#39;k&#38;k";
const RAW: [&str; 4] = ["<script>k", "k\"k", "k'k", "k&k"];
/// An override of the writing direction.
const OVERRIDE: char = '\u{202e}';

/// The pages and files that show others to an administrator or a coordinator, as in docs/roles.md.
const SHOWN: &str = "\
/today
/contacts
/certifications
/certifications.csv
/certifications/print
/certifications/new
/people/{person}/certifications
/certifications/{id}
/certifications/{id}/renewals
/certifications/{id}/corrections
/certifications/{id}/suspensions
/certifications/{id}/reinstatements
/certifications/{id}/withdrawals
/certifications/{id}/moves
/certifications/{id}/endings
/certifications/{id}/merges
/certifications/{id}/contacts
/certifications/{id}/contact-points
/certifications/{id}/listing-consents
/certifications/{id}/listing-consents/letter
/changes/new?action=renewals
/changes
/changes/{id}
/chapters
/chapters/{id}/coordinators
/partners/{id}/{code}
/partners/{id}/{code}/settlements?event=E-1
/settings/{id}/people
/settings/{id}/people/{person}
/settings/{id}/people/{person}/export
/settings/{id}/people/{person}/erasures";

/// The service, after a register has given somebody the name and everybody else has got it too, except those who open the pages.
async fn named() -> TestService {
    let place = TestService::start("").await;
    place.database.until("select count(*) = 2 from certvakt.digest_days").await;
    let name = format!("{MARKUP:W<200}");
    let quoted = name.replace('"', "\"\"");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("register.csv");
    fs::write(
        &file,
        format!("id,expires,name\n901,2026-06-20,\"{quoted}\"\n902,2026-06-20,Kari{OVERRIDE}Ola\n"),
    )
    .unwrap();
    let mut import =
        place.database.certvakt(["import", file.to_str().unwrap(), "--organisation", "a", "--type", "type"]);
    import.args([
        "--chapter",
        "own",
        "--column",
        "external_id=id",
        "expires_at=expires",
        "name=name",
        "--output",
        "json",
    ]);
    let imported = succeed(import.env("CERTVAKT_NOW", NOON));
    assert!(imported.contains("control characters") && !imported.contains(OVERRIDE), "{imported}");
    let stored: Vec<String> = place
        .database
        .value("select array_agg(n.name) from certvakt.person_names n join public.peer_mentor_certifications c on c.peer_mentor_id = n.person_id where c.external_id is not null")
        .await;
    assert_eq!(stored, [name]);
    place
        .database
        .execute(
            "update certvakt.people set name = n.name from certvakt.person_names n
               where length(n.name) = 200 and people.id::text !~ '0000000000[12]$';
             update certvakt.person_names set name = p.name from certvakt.people p where length(p.name) = 200",
        )
        .await;
    place
}

/// Checks an answer. Returns whether it shows the name.
fn shows(path: &str, answer: &Answer) -> bool {
    for (name, value) in &answer.headers {
        assert!(!value.as_bytes().windows(3).any(|part| part == b"k()"), "{path}: {name}: {value:?}");
    }
    let kind = answer.headers.get("content-type").map_or("", |value| value.to_str().unwrap());
    if kind.contains("spreadsheet") {
        return false;
    }
    let control = answer.text.chars().find(|one| is_control(*one) && !one.is_ascii());
    assert_eq!(control, None, "{path}");
    if !kind.starts_with("text/html") {
        return answer.text.contains("<script>k()");
    }
    for part in RAW {
        assert!(!answer.text.contains(part), "{path}: {part} in {}", answer.text);
    }
    answer.text.contains(ESCAPED)
}

#[tokio::test]
async fn no_page_takes_a_name_for_markup() {
    let place = named().await;
    let path_of = with_everything(&place).await;
    place
        .database
        .execute(
            "update certvakt.contacts k set next_on = '2026-06-20', expires_at = c.expires_at
             from public.peer_mentor_certifications c where c.id = k.certification_id",
        )
        .await;
    let mut shown = BTreeSet::new();
    for who in ["administrator", "coordinator"] {
        let mut browser = signed_in(&place, who).await;
        for (method, request) in rows("Pages").iter().flat_map(|row| requests(&row[1])) {
            if method != Method::GET {
                continue;
            }
            let path = path_of(&request);
            let searched = if path.contains('?') { format!("{path}&q=k") } else { format!("{path}?q=k") };
            for path in [path, searched] {
                let answer = browser.get(&path).await;
                if shows(&path, &answer) {
                    shown.insert(request.clone());
                }
            }
        }
    }
    let missing: Vec<_> = SHOWN.lines().filter(|request| !shown.contains(*request)).collect();
    assert!(missing.is_empty(), "{missing:?} in {shown:#?}");
}

#[tokio::test]
async fn no_check_of_a_register_shows_a_name_as_markup() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let quoted = MARKUP.replace('"', "\"\"");
    let register = format!(
        "Medlemsnr;Navn;Gyldig til\n901;\"{quoted}\";2028-01-31\n902;\"Kari{OVERRIDE}Ola {quoted}\";2028-01-31\n"
    );
    let page = columns(&mut browser, &register).await;
    shows("the columns", &page);
    let entered = [("type", "type"), ("chapter", CHAPTER), ("column-1", "name")];
    let checked = check(&mut browser, &page, &entered).await;
    assert!(shows("the check", &checked), "{}", checked.text);
    assert!(checked.text.contains("Én rad kan ikke importeres"), "{}", checked.text);
    let rejects = browser.get(&format!("{}/rejects.csv", checked.url)).await;
    assert_eq!(rejects.status, 200, "{}", checked.url);
    shows("the rejects", &rejects);
}

#[tokio::test]
async fn no_e_mail_takes_a_name_for_a_header_or_markup() {
    let place = named().await;
    place.database.ok(["organisation", "set", "a", "--digest-names", "true"]);
    place
        .database
        .execute(
            "delete from certvakt.digest_days; delete from certvakt.deliveries;
             insert into certvakt.contact_points (person_id, kind, address)
             values ('00000000-0000-4000-8000-000000000001', 'email', 'ok-1@example.org')",
        )
        .await;
    let place = place.again("");
    place.database.until("select exists (select from certvakt.digests where mailed_at is not null)").await;
    let mails = place.mail.mails();
    let mail = &mails[0];
    for (name, value) in mail["headers"].as_object().unwrap() {
        assert!(!value.to_string().contains("k()"), "{name}: {value}");
    }
    let (text, html) =
        (mail["parts"][0]["text"].as_str().unwrap(), mail["parts"][1]["text"].as_str().unwrap());
    assert!(text.contains(MARKUP), "{text}");
    assert!(html.contains(ESCAPED), "{html}");
    assert!(RAW.iter().all(|part| !html.contains(part)), "{html}");
    assert!(!text.contains(|char| is_control(char) && char != '\n' && char != '\r'), "{text}");
}
