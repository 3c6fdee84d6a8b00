//! Adding people, the access log, and the export and erasure of a person, on the pages of administrators.

use std::fs;

use serde_json::Value;

use super::{certification, element, send, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const A: &str = "/settings/00000000-0000-4000-8000-0000000000a0";
const MENTOR: &str = "00000000-0000-4000-8000-0000000100a4";
const OWN: &str = "00000000-0000-4000-8000-0000000000a2";

/// The people of organisation A who were added, with their roles and addresses.
async fn added(place: &TestService) -> String {
    place
        .database
        .value(
            "select coalesce(string_agg(concat_ws(' ', n.name, m.role, c.slug,
               (select string_agg(k.address, ' ' order by k.kind) from certvakt.contact_points k where k.person_id = n.person_id),
               (select string_agg(v.kind, ' ' order by v.made_at) from certvakt.person_changes v where v.person_id = n.person_id)),
               ', ' order by n.name, m.role), '')
             from certvakt.person_names n join certvakt.memberships m on m.person_id = n.person_id
             join certvakt.chapters c on c.id = m.chapter_id
             where n.name like 'Åse%'",
        )
        .await
}

async fn new_form(browser: &mut Browser) -> Answer {
    let page = browser.get(&format!("{A}/people/new?chapter={OWN}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page
}

const ASE: [(&str, &str); 5] = [
    ("name", " Åse  Ødegård "),
    ("email", "ase@Example.org"),
    ("phone", "912 34 567"),
    ("role", "mentor"),
    ("chapter", OWN),
];

#[tokio::test]
async fn a_person_is_added_once_and_invited() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let list = browser.get(&format!("{A}/people")).await;
    assert!(list.text.contains(&format!("href=\"{A}/people/new\"")), "{}", list.text);
    let page = new_form(&mut browser).await;
    assert!(page.text.contains(&format!("value=\"{OWN}\" selected")), "{}", page.text);
    let mut to = None;
    for _ in 0..2 {
        let saved = send(&mut browser, &page, &[&ASE[..], &[("invite", "yes")]].concat()).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        to = saved.location;
    }
    assert_eq!(added(&place).await, "Åse Ødegård mentor own ase@example.org +4791234567 joined");
    let page = browser.get(&to.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Lagt til: Åse Ødegård");
    assert!(
        page.text.contains("Likeperson i Own") && page.text.contains("/certifications\""),
        "{}",
        page.text
    );
    let invited = "select count(*) = 1 from certvakt.mail_queue where kind = 'invitation'";
    place.database.until(invited).await;

    // Others of the organisation find the new mentor, and those of another do not.
    for (who, finds) in [("coordinator", true), ("outsider", false)] {
        let mut other = signed_in(&place, who).await;
        let page = other.get("/certifications/new?q=Åse").await;
        assert_eq!(page.text.contains("Åse Ødegård"), finds, "{who}: {}", page.text);
    }
}

#[tokio::test]
async fn somebody_of_the_same_name_is_asked_about_first() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = new_form(&mut browser).await;
    send(&mut browser, &page, &ASE).await;
    let other = [("name", "AASE ØDEGÅRD"), ("role", "coordinator"), ("chapter", OWN)];
    let page = new_form(&mut browser).await;
    let check = send(&mut browser, &page, &other).await;
    assert_eq!(check.status, 200, "{}", check.text);
    assert_eq!(element(&check, "h1"), "Er dette samme person som AASE ØDEGÅRD?");
    assert!(check.text.contains("Åse Ødegård</h2><p class=\"soft\">Own</p>"), "{}", check.text);
    let known: String = place
        .database
        .value("select person_id::text from certvakt.person_names where name = 'Åse Ødegård'")
        .await;
    assert!(check.text.contains(&format!("href=\"{A}/people/{known}\"")), "{}", check.text);
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains("value=\"AASE ØDEGÅRD\""), "{}", edited.text);
    for _ in 0..2 {
        let saved = send(&mut browser, &check, &[("step", "another")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
    }
    let people: i64 = place.database.value("select count(*) from certvakt.people where created_at > now() - interval '1 hour' and name is null").await;
    assert_eq!(people, 2, "each form added one");

    // Somebody who left comes back on the page of a certification, and a namesake of another organisation is not named.
    place
        .database
        .execute(&format!(
            "insert into certvakt.person_changes (organisation_id, person_id, kind)
             values ('00000000-0000-4000-8000-0000000000a0', '{MENTOR}', 'left');
             delete from certvakt.memberships where person_id = '{MENTOR}';
             update certvakt.person_names set name = 'Tor' where person_id = '{MENTOR}'"
        ))
        .await;
    let page = new_form(&mut browser).await;
    let check = send(&mut browser, &page, &[("name", "tor"), ("role", "mentor"), ("chapter", OWN)]).await;
    assert!(
        check.text.contains(&format!("href=\"{}\"", certification("a4")))
            && check.text.contains("Har sluttet"),
        "{}",
        check.text
    );
    let saved = send(&mut browser, &page, &[("name", "Mentor b1"), ("role", "org_admin")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
}

#[tokio::test]
async fn a_person_whose_fields_are_wrong_is_not_added() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = new_form(&mut browser).await;
    for (field, wrong) in [
        ("name", " "),
        ("name", "\u{1b}[31m"),
        ("email", "ase"),
        ("email", ""),
        ("phone", "12 34"),
        ("role", "queen"),
        ("chapter", ""),
        ("chapter", "00000000-0000-4000-8000-0000000000b1"),
    ] {
        let mut fields = ASE.to_vec();
        fields.retain(|(name, _)| *name != field);
        fields.extend([(field, wrong), ("invite", "yes"), ("step", "another")]);
        let refused = send(&mut browser, &page, &fields).await;
        assert_eq!(refused.status, 422, "{field} {wrong}: {}", refused.text);
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
        assert!(refused.text.contains(&format!("<li><a href=\"#{field}\">")), "{field}: {}", refused.text);
        assert!(
            refused.text.contains("id=\"invite\" name=\"invite\" value=\"yes\" checked"),
            "{}",
            refused.text
        );
    }
    // The id of somebody else adds nobody, and reveals nothing.
    for taken in ["00000000-0000-4000-8000-0000000100b1", MENTOR] {
        let refused = send(&mut browser, &page, &[&ASE[..], &[("key", taken)]].concat()).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    assert_eq!(added(&place).await, "");
}

#[tokio::test]
async fn an_administrator_sees_who_saw_whose_data() {
    let place = TestService::start("").await;
    let (mut coordinator, mut mentor) =
        (signed_in(&place, "coordinator").await, signed_in(&place, "mentor").await);
    assert_eq!(coordinator.get(&certification("a4")).await.status, 200);
    mentor.get("/me/notices").await;
    let mut browser = signed_in(&place, "administrator").await;
    assert_eq!(browser.get(&format!("{A}/people/{MENTOR}/export")).await.status, 200);
    let seen = format!(
        "select count(*) = 2 from certvakt.access_events e where e.resource in ('/certifications/{{id}}', '/settings/{{id}}/people/{{person}}/export')
           and e.status = 200 and e.resource_id in ('{MENTOR}', '{}')",
        certification("a4").rsplit('/').next().unwrap()
    );
    place.database.until(&seen).await;
    let page = browser.get(&format!("{A}/access")).await;
    assert_eq!(element(&page, "h1"), "Innsynslogg for A");
    assert!(!page.text.contains("/me/notices"), "one's own pages are left out: {}", page.text);
    let about = browser.get(&format!("{A}/access?about={MENTOR}")).await;
    assert_eq!(element(&about, "h1"), "Hvem har sett opplysninger om Mentor a4?");
    let rows: Vec<&str> = about.text.split("<li><div>").skip(1).collect();
    assert_eq!(rows.len(), 2, "{}", about.text);
    assert!(rows[0].contains(">Administrator</a> lastet ned alle opplysninger om"), "{}", rows[0]);
    assert!(rows[1].contains(">Coordinator</a> så opplysninger om"), "{}", rows[1]);
    assert!(rows[1].contains("Mentor a4") && rows[1].contains(" kl. "), "{}", rows[1]);
    let by = browser.get(&format!("{A}/access?by=00000000-0000-4000-8000-000000000001&about={MENTOR}")).await;
    assert_eq!(by.text.split("<li><div>").count(), 2, "{}", by.text);
    for wrong in ["about=x", "by=x", "before=x"] {
        assert_eq!(browser.get(&format!("{A}/access?{wrong}")).await.status, 404);
    }
    // The person's own export names the same requests.
    let export = place.database.json(["person", "export", MENTOR]);
    assert_eq!(export["who_looked"].as_array().unwrap().len(), 2, "{export}");
}

/// Adds requests to the log: `own` of organisation A, and many of others.
async fn with_log(place: &TestService, own: i32) {
    place
        .database
        .execute(&format!(
            "insert into certvakt.access_events (number, at, person_id, method, resource, resource_id, status, rows_read,
               organisations_of_person, organisations_of_rows)
             select nextval('certvakt.access_numbers'), now() - make_interval(mins => 30000 - n), '00000000-0000-4000-8000-000000000001', 'GET',
               '/certifications/{{id}}', '{MENTOR}', 200, 1, array[o.id], o.of_rows
             from generate_series(1, 30000) n
             cross join lateral (
               select o.id, case when n % 10000 = 0 then array['00000000-0000-4000-8000-00000000000f', o.id]::uuid[] else array[o.id] end as of_rows
               from certvakt.organisations o
               where o.slug = case when n % 1000 = 0 or n <= {own} then 'a' else 'b' end) o;
             analyze certvakt.access_events"
        ))
        .await;
}

#[tokio::test]
async fn the_access_log_is_read_page_by_page_by_its_indexes() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    with_log(&place, 40).await;
    let (mut to, mut seen) = (Some(format!("{A}/access?about={MENTOR}")), Vec::new());
    while let Some(path) = to {
        let page = browser.get(&path).await;
        seen.push(page.text.split("<li><div>").count() - 1);
        let next = page.text.split_once(&format!("class=\"button quiet\" href=\"{A}/access?about="));
        to = next.map(|(_, rest)| {
            let rest = rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
            format!("{A}/access?about={rest}")
        });
    }
    assert_eq!(
        seen,
        [50, 20],
        "forty of its own, and thirty among those of the other, of which three read rows of two"
    );
    let scan = "with log as materialized (select count(*) as rows from certvakt.access_events)
      select (log.rows >= 30000 and (
        select sum(seq_tup_read) >= 30000 from pg_stat_xact_user_tables where relname = 'access_events')) from log";
    assert!(place.database.value::<bool>(scan).await, "a scan of the log would count");
    for filter in [
        "null, null",
        "'00000000-0000-4000-8000-0000000100a4', null",
        "null, '00000000-0000-4000-8000-000000000001'",
    ] {
        let scans = "select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_xact_user_tables where relname = 'access_events'";
        let read: String = place
            .database
            .value(&format!(
                "with caller as materialized (
                   select set_config('request.jwt.claims', (select json_build_object('iss', i.issuer, 'sub', i.subject)::text
                     from certvakt.identities i where i.person_id = '00000000-0000-4000-8000-000000000002' limit 1), true) as claims),
                 rows as materialized (
                   select count(*) as found from caller
                   cross join lateral certvakt.access_of(case when caller.claims is not null then '00000000-0000-4000-8000-0000000000a0'::uuid end, {filter}, null, 51))
                 select rows.found || ' ' || ({scans}) from rows"
            ))
            .await;
        assert_eq!(read, "51 0", "{filter}: found, and rows that a scan of the log read");
    }
}

/// A service that may erase people, with the path of its ledger.
async fn with_ledger() -> (TestService, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let place = TestService::start(&format!("[erasure]\nledger = \"{}\"\n", ledger.display())).await;
    (place, folder)
}

#[tokio::test]
async fn an_administrator_exports_a_person_as_the_command_does() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get(&format!("{A}/people/{MENTOR}")).await;
    let path = format!("{A}/people/{MENTOR}/export?output=json");
    assert!(page.text.contains(&format!("href=\"{path}\"")), "{}", page.text);
    let file = browser.get(&path).await;
    assert_eq!(file.status, 200, "{}", file.text);
    let export: Value = serde_json::from_str(&file.text).unwrap();
    let command = place.database.json(["person", "export", MENTOR]);
    for section in ["person", "memberships", "certifications", "contact_points", "listings"] {
        assert_eq!(export[section], command[section], "{section}");
    }
    let text = browser.get(&format!("{A}/people/{MENTOR}/export")).await;
    assert!(text.text.contains("Mentor a4"), "{}", text.text);
}

#[tokio::test]
async fn an_administrator_erases_a_person_whose_name_they_repeat() {
    let (place, folder) = with_ledger().await;
    let mut browser = signed_in(&place, "administrator").await;
    let path = format!("{A}/people/{MENTOR}/erasures");
    let page = browser.get(&path).await;
    assert_eq!(element(&page, "h1"), "Slett Mentor a4");
    for part in ["Dette slettes", "Dette blir igjen", "Dette kan ikke angres."] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    for wrong in ["", "Mentor a", "ja"] {
        let refused = send(&mut browser, &page, &[("name", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text);
        assert!(refused.text.contains("<li><a href=\"#name\">"), "{}", refused.text);
    }
    let name = format!("select coalesce(p.name, '–') from certvakt.people p where p.id = '{MENTOR}'");
    assert_eq!(place.database.value::<String>(&name).await, "Mentor a4");
    let erased = send(&mut browser, &page, &[("name", "mentor A4 ")]).await;
    assert_eq!(erased.status, 303, "{}", erased.text);
    let page = browser.get(&erased.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Personen er slettet fra A");
    let left: String = place
        .database
        .value(&format!(
            "select concat_ws(' ', p.name, p.erased_by, (select count(*) from certvakt.memberships m where m.person_id = p.id), (
               select string_agg(c.status || ' ' || (c.renewal_history -> -1 ->> 'kind') || ' ' || (c.renewal_history -> -1 ->> 'source'), ' ')
               from public.peer_mentor_certifications c where c.peer_mentor_id = p.id), (
               select string_agg(l.operator || ': ' || l.command, ' ') from certvakt.command_log l where l.command = 'person erase'))
             from certvakt.people p where p.id = '{MENTOR}'"
        ))
        .await;
    let who = "person 00000000-0000-4000-8000-000000000002";
    assert_eq!(left, format!("{who} 0 suspended withdrawn api {who}: person erase"));
    let ledger = fs::read_to_string(folder.path().join("ledger")).unwrap();
    assert!(ledger.contains(MENTOR) && ledger.lines().count() == 1, "{ledger}");
    assert_eq!(browser.get(&path).await.status, 404, "they are not in the organisation any more");
    place
        .database
        .until(&format!(
            "select count(*) = 4 from certvakt.access_events where resource = '/settings/{{id}}/people/{{person}}/erasures'
               and method = 'POST' and resource_id = '{MENTOR}'"
        ))
        .await;
}

#[tokio::test]
async fn nobody_is_erased_or_exported_whom_the_administrator_may_not() {
    let (place, folder) = with_ledger().await;
    // Another organisation knows the second person too, and the third is the administrator.
    let people = [
        "00000000-0000-4000-8000-0000000100b1",
        "00000000-0000-4000-8000-000000000003",
        "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-8000-00000000dead",
    ];
    let mut browser = signed_in(&place, "administrator").await;
    let csrf = between(&browser.get("/me").await.text, "name=\"csrf\" value=\"", "\"");
    for (person, status) in people.into_iter().zip([404, 403, 403, 404]) {
        let path = format!("{A}/people/{person}");
        assert_eq!(browser.get(&format!("{path}/export")).await.status, status, "{person}");
        assert_eq!(browser.get(&format!("{path}/erasures")).await.status, status, "{person}");
        let fields = [("csrf", csrf.as_str()), ("name", "Coordinator and mentor")];
        assert_eq!(browser.post(&format!("{path}/erasures"), &fields).await.status, status, "{person}");
    }
    let page = browser.get(&format!("{A}/people/{}", people[1])).await;
    assert!(
        page.text.contains("de som drifter tjenesten") && !page.text.contains("/erasures"),
        "{}",
        page.text
    );
    let page = browser.get(&format!("{A}/people/{}", people[2])).await;
    assert!(
        page.text.contains("Dine egne opplysninger") && !page.text.contains("/erasures"),
        "{}",
        page.text
    );
    let erased: i64 =
        place.database.value("select count(*) from certvakt.people where erased_at is not null").await;
    assert_eq!(erased, 0);
    assert!(!folder.path().join("ledger").exists());
}

#[tokio::test]
async fn somebody_who_left_is_exported_and_erased_from_the_page_of_a_certification() {
    let (place, _folder) = with_ledger().await;
    let mut browser = signed_in(&place, "administrator").await;
    let ending = format!("{}/endings", certification("a4"));
    let form = browser.get(&ending).await;
    let ended = send(&mut browser, &form, &[("reason", "left"), ("step", "save")]).await;
    assert_eq!(ended.status, 303, "{}", ended.text);
    let page = browser.get(&certification("a4")).await;
    let path = format!("{A}/people/{MENTOR}");
    for link in ["export", "erasures"] {
        assert!(page.text.contains(&format!("href=\"{path}/{link}\"")), "{link} in {}", page.text);
    }
    assert_eq!(browser.get(&format!("{path}/export")).await.status, 200);
    let form = browser.get(&format!("{path}/erasures")).await;
    let erased = send(&mut browser, &form, &[("name", "Mentor a4")]).await;
    assert_eq!(erased.status, 303, "{}", erased.text);
    let name: Option<String> =
        place.database.value(&format!("select name from certvakt.people where id = '{MENTOR}'")).await;
    assert_eq!(name, None);
    let mut coordinator = signed_in(&place, "coordinator").await;
    let page = coordinator.get(&certification("a4")).await;
    assert!(!page.text.contains("/erasures"), "{}", page.text);
}

#[tokio::test]
async fn the_data_of_another_person_needs_a_fresh_sign_in() {
    let config = "[step_up]\nmax_age_minutes = 15\n[erasure]\nledger = \"/no/such/folder/erased\"\n";
    let place = TestService::start(config).await;
    let mut browser = signed_in(&place, "administrator").await;
    let path = format!("{A}/people/{MENTOR}");
    assert_eq!(browser.get(&path).await.status, 200, "a page does not");
    let form = browser.get(&format!("{path}/erasures")).await;
    let export = browser.get(&format!("{path}/export")).await;
    let erasure = send(&mut browser, &form, &[("name", "Mentor a4")]).await;
    for answer in [export, erasure] {
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(answer.location.unwrap().contains("step_up=true"), "{}", answer.text);
    }
    assert_eq!(browser.get("/me/export").await.status, 200, "nor does one's own data");
}

#[tokio::test]
async fn nobody_is_erased_without_a_ledger() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let path = format!("{A}/people/{MENTOR}/erasures");
    let page = browser.get(&path).await;
    assert!(page.text.contains("Ingen kan slettes på denne siden ennå."), "{}", page.text);
    let csrf = between(&browser.get("/me").await.text, "name=\"csrf\" value=\"", "\"");
    let refused = browser.post(&path, &[("csrf", &csrf), ("name", "Mentor a4")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(
        place.database.value::<i64>("select count(*) from certvakt.people where erased_at is not null").await,
        0
    );
}
