//! Registers of coordinators, which are limited to their chapters, and imports by commands.

use super::imports::{CHAPTER, REGISTER, check, columns, send_to, text};
use super::{element, hidden, signed_in};
use crate::sign_in::{TestService, between};

/// A register of the coordinator of `Own` and `Below`, who is also a mentor there under the number 920.
async fn own_register(place: &TestService) -> String {
    place
        .database
        .execute(
            "update public.peer_mentor_certifications set external_id = 'M-' || right(id::text, 2);
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '00000000-0000-4000-8000-000000000001', 'mentor'
             from certvakt.chapters where slug = 'own';
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at, external_id)
             select organisation_id, id, '00000000-0000-4000-8000-000000000001', 'type', '2026-06-20T20:00:00Z', '920'
             from certvakt.chapters where slug = 'own'",
        )
        .await;
    // The mentor of `Below` also belongs to `Beside`, which the coordinator does not manage.
    place
        .database
        .execute(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '00000000-0000-4000-8000-0000000100a4', 'mentor'
             from certvakt.chapters where slug = 'beside'",
        )
        .await;
    "Medlemsnr;Navn;Lokallag;Gyldig til\n\
     M-a2;Mentor a2;Own;2028-01-31\n\
     M-a3;Mentor a3;Beside;2028-01-31\n\
     M-a3;Mentor a3;Own;2028-01-30\n\
     M-a4;Mentor a4;Below;2028-01-31\n\
     921;Ny <b>Her</b>;Below;2028-01-31\n\
     922;Ny Der;Beside;2028-01-31\n\
     923;Mentor a1;Own;2028-01-31\n\
     920;Koordinator;Own;2028-01-31\n"
        .to_owned()
}

/// Every certification with its last day, and every person of a chapter, as they are in the database.
async fn everything_outside(place: &TestService) -> String {
    text(
        place,
        "select md5(string_agg(c::text, '|' order by c.id)) from public.peer_mentor_certifications c
         join certvakt.chapters h on h.id = c.chapter_id
         where h.slug not in ('own', 'below') or c.external_id in ('920', 'M-a4')",
    )
    .await
}

#[tokio::test]
async fn a_coordinator_imports_into_their_own_chapters_only() {
    let place = TestService::start("").await;
    let register = own_register(&place).await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let before = everything_outside(&place).await;
    let page = columns(&mut coordinator, &register).await;
    assert!(page.text.contains(">Own</option>") && page.text.contains(">Below</option>"), "{}", page.text);
    for hidden in [">Beside</option>", ">Top</option>", "add_chapters"] {
        assert!(!page.text.contains(hidden), "{hidden} in {}", page.text);
    }
    let entered = [("type", "type"), ("column-1", "name"), ("missing", "suspend"), ("save_as", "eget")];
    let checked = check(&mut coordinator, &page, &entered).await;
    for words in [
        "Fornyes: 1",
        "Nye: 2",
        "4 rader kan ikke importeres",
        "<strong>Ny Der</strong>",
        "Ny &#60;b&#62;Her",
    ] {
        assert!(checked.text.contains(words), "{words} in {}", checked.text);
    }
    assert!(checked.text.contains("gjelder et lokallag du ikke koordinerer"), "{}", checked.text);
    assert!(checked.text.contains("gjelder din egen sertifisering"), "{}", checked.text);
    // Somebody of another chapter with the same name is not mentioned.
    assert!(!checked.text.contains("Er dette samme person"), "{}", checked.text);
    let codes = "select string_agg(distinct r ->> 'line' || ' ' || (r ->> 'code'), ', ')
                 from certvakt.uploads, jsonb_array_elements(result -> 'rejects') r where r ? 'code'";
    let expected =
        "3 import-other-chapter, 5 import-other-chapter, 7 import-other-chapter, 9 import-own-certification";
    assert_eq!(text(&place, codes).await, expected);

    let done = send_to(&mut coordinator, &checked, "/confirmations", &[]).await;
    assert_eq!(element(&done, "h1"), "Registeret er importert", "{}", done.text);
    assert_eq!(everything_outside(&place).await, before, "nothing else has changed, and nobody is suspended");
    let renewed =
        "select (expires_at at time zone 'Europe/Oslo')::date from public.peer_mentor_certifications
                   where external_id = 'M-a2'";
    assert_eq!(text(&place, renewed).await, "2028-01-31");
    let entry = "select renewal_history -> -1 ->> 'actor' from public.peer_mentor_certifications where external_id = 'M-a2'";
    assert_eq!(text(&place, entry).await, "00000000-0000-4000-8000-000000000001");

    // The saved columns are the coordinator's own.
    let list = coordinator.get("/imports").await;
    assert!(list.text.contains(">eget</option>"), "{}", list.text);
    assert!(list.text.contains("Lastet opp av Coordinator"), "{}", list.text);
    let mut administrator = signed_in(&place, "administrator").await;
    let seen = administrator.get("/imports").await;
    assert!(!seen.text.contains(">eget</option>"), "{}", seen.text);
    assert!(seen.text.contains("Importert: 2 nye, 1 fornyet, 0 rettet, 4 avvist"), "{}", seen.text);
    // Another coordinator sees nothing of it.
    let mut both = signed_in(&place, "both").await;
    assert_eq!(both.get(&done.url).await.status, 404);
    assert!(!both.get("/imports").await.text.contains("Importert: 2 nye"));

    let undone = send_to(&mut coordinator, &done, "/undos", &[]).await;
    assert_eq!(element(&undone, "h1"), "Importen er angret", "{}", undone.text);
    assert_eq!(text(&place, renewed).await, "2026-06-20");
    assert_eq!(everything_outside(&place).await, before);
}

#[tokio::test]
async fn a_coordinator_who_no_longer_manages_a_chapter_imports_nothing() {
    let place = TestService::start("").await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let page = columns(&mut coordinator, "Nr;Utløper\n930;2028-01-31\n").await;
    let checked = check(&mut coordinator, &page, &[("type", "type"), ("chapter", CHAPTER)]).await;
    assert!(checked.text.contains("Nye: 1"), "{}", checked.text);
    // The role ends after the confirmation, before the service takes the register.
    place
        .database
        .execute(
            "begin;
             update certvakt.uploads set state = 'received', attempt = 0;
             delete from certvakt.memberships
             where person_id = '00000000-0000-4000-8000-000000000001' and role = 'coordinator';
             commit",
        )
        .await;
    place.database.until("select state = 'refused' from certvakt.uploads").await;
    assert_eq!(text(&place, "select result ->> 'code' from certvakt.uploads").await, "import-not-yours");
    let imported = "select count(*) from public.peer_mentor_certifications where external_id = '930'";
    assert_eq!(text(&place, imported).await, "0");
    assert_eq!(coordinator.get(&checked.url).await.status, 404);
}

#[tokio::test]
async fn a_register_that_somebody_else_checked_is_checked_again() {
    let place = TestService::start("").await;
    let register = own_register(&place).await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let page = columns(&mut coordinator, &register).await;
    let checked = check(&mut coordinator, &page, &[("type", "type")]).await;
    let mut administrator = signed_in(&place, "administrator").await;
    let seen = administrator.get(&checked.url).await;
    assert!(seen.text.contains("Kontroller på nytt"), "{}", seen.text);
    let again = send_to(&mut administrator, &seen, "/confirmations", &[]).await;
    assert!(element(&again, "h1").contains("Ingenting er importert ennå"), "{}", again.text);
    // It stays limited to the chapters of the coordinator, whose own certification somebody else imports now.
    assert!(again.text.contains("3 rader kan ikke importeres"), "{}", again.text);
    assert_eq!(coordinator.get(&checked.url).await.status, 404);
    let done = send_to(&mut administrator, &again, "/confirmations", &[]).await;
    assert!(done.text.contains("Fornyet: 2"), "{}", done.text);
}

#[tokio::test]
async fn imports_by_commands_are_listed_and_undone() {
    let place = TestService::start("").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("register.csv");
    std::fs::write(&file, "Nr;Utløper\n940;2028-01-31\n").unwrap();
    let columns = ["--column", "external_id=Nr", "expires_at=Utløper", "--type", "type"];
    let import = ["import", file.to_str().unwrap(), "--organisation", "a", "--chapter", "own"];
    place.database.ok([&import[..], &columns].concat());
    let mut administrator = signed_in(&place, "administrator").await;
    let list = administrator.get("/imports").await;
    assert!(list.text.contains("Importert fra kommandolinjen av "), "{}", list.text);
    let path = format!("/imports/numbers/{}", between(&list.text, "href=\"/imports/numbers/", "\""));
    for who in ["coordinator", "mentor", "outsider"] {
        let mut browser = signed_in(&place, who).await;
        assert_eq!(browser.get(&path).await.status, 404, "{who}");
        let me = browser.get("/me").await;
        let csrf = between(&me.text, "name=\"csrf\" value=\"", "\"");
        let sent = browser.post(&format!("{path}/undos"), &[("csrf", &csrf)]).await;
        assert_eq!(sent.status, 404, "{who}");
    }
    let page = administrator.get(&path).await;
    assert!(page.text.contains("Nye: 1"), "{}", page.text);
    let undone = send_to(&mut administrator, &page, "/undos", &[]).await;
    assert_eq!(element(&undone, "h1"), "Importen er angret", "{}", undone.text);
    assert!(undone.text.contains("Slettet igjen: 1"), "{}", undone.text);
    let left = "select count(*) from public.peer_mentor_certifications where external_id = '940'";
    assert_eq!(text(&place, left).await, "0");
    let list = administrator.get("/imports").await;
    assert!(list.text.contains("<p>Angret</p>"), "{}", list.text);
    // A register that only corrects dates does not look as if it had changed nothing.
    for until in ["2028-01-31", "2027-12-31"] {
        std::fs::write(&file, format!("Nr;Utløper\n940;{until}\n")).unwrap();
        place.database.ok([&import[..], &columns].concat());
    }
    let list = administrator.get("/imports").await;
    assert!(list.text.contains("Importert: 0 nye, 0 fornyet, 1 rettet, 0 avvist"), "{}", list.text);
}

#[tokio::test]
async fn registers_of_others_are_out_of_reach() {
    let place = TestService::start("").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let page = columns(&mut administrator, REGISTER).await;
    let path = page.url.trim_end_matches("/columns").to_owned();
    place
        .database
        .execute(
            "with person as (insert into certvakt.people (name) values ('Elsewhere') returning id),
               login as (
                 insert into certvakt.identities (issuer, subject, person_id)
                 select 'https://issuer.example', 'elsewhere', id from person)
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select h.organisation_id, h.id, person.id, 'org_admin' from person, certvakt.chapters h
             where h.id = '00000000-0000-4000-8000-0000000000b1'",
        )
        .await;
    for who in ["coordinator", "mentor", "elsewhere"] {
        let mut browser = signed_in(&place, who).await;
        // Administrators and coordinators send their own registers, for what they manage.
        let expected = if who == "mentor" { (403, 403) } else { (200, 422) };
        let form = browser.get("/imports").await;
        assert!(form.status == expected.0 && !form.text.contains(&path), "{who}: {}", form.text);
        for path in [path.clone(), format!("{path}/columns"), format!("{path}/rejects.csv")] {
            assert_eq!(browser.get(&path).await.status, 404, "{who} {path}");
        }
        let me = browser.get("/me").await;
        let csrf = hidden(&me).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
        for action in ["columns", "readings", "decisions", "confirmations", "undos"] {
            let sent = browser.post(&format!("{path}/{action}"), &[("csrf", &csrf)]).await;
            assert_eq!(sent.status, 404, "{who} {action}: {}", sent.text);
        }
        browser.post(&format!("{path}/discards"), &[("csrf", &csrf)]).await;
        let form = [("csrf", csrf.as_str()), ("mapping", "00000000-0000-4000-8000-0000000000c0")];
        let sent = browser.upload("/imports", &form, "r.csv", b"Nr\n1\n").await;
        assert_eq!(sent.status, expected.1, "{who}: {}", sent.text);
    }
    let forged = administrator.upload("/imports", &[], "r.csv", b"Nr\n1\n").await;
    assert_eq!(forged.status, 403, "{}", forged.text);
    let states = "select string_agg(state, ',') from certvakt.uploads";
    assert_eq!(text(&place, states).await, "draft");
}
