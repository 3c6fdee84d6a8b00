//! The list of certifications, and what every page has.

use calamine::{DataType, Reader, Xlsx};

use super::{certification, element, send, signed_in, with_addresses};
use crate::sign_in::{Answer, TestService, between};

/// The names in a list.
fn names(page: &Answer) -> Vec<String> {
    let rows = page.text.split("<h3>").skip(1);
    rows.map(|row| row.split_once("\">").unwrap().1.split("</a>").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_page_needs_a_session_and_the_sign_in_returns_to_it() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    let page = browser.get("/certifications?state=due").await;
    assert_eq!(page.status, 303);
    let to = page.location.unwrap();
    assert!(to.ends_with("/sign-in?return_to=%2Fcertifications%3Fstate%3Ddue"), "{to}");
    place.known("coordinator").await;
    let page =
        browser.sign_in("/sign-in/provider?return_to=%2Fcertifications%3Fstate%3Ddue", "coordinator").await;
    assert!(page.url.ends_with("/certifications?state=due"), "{}", page.url);
    assert_eq!(element(&page, "h1"), "Sertifiseringer: Utløper snart (innen 90 dager)");
    assert!(page.text.contains("Coordinator, koordinator"), "{}", page.text);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let style = page.text.split_once("stylesheet\" href=\"").unwrap().1.split('"').next().unwrap();
    let style = browser.get(style).await;
    assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");

    browser.language = "en";
    let page = browser.get("/certifications").await;
    assert!(page.text.contains("<html lang=\"en\">"), "{}", page.text);
    assert_eq!(element(&page, "h1"), "Certifications");
    place.database.execute("update certvakt.people set locale = 'nb' where name = 'Coordinator'").await;
    let page = browser.get("/certifications").await;
    assert!(page.text.contains("<html lang=\"nb\">"), "the language that the person chose");
}

#[tokio::test]
async fn the_focus_of_a_list_that_was_asked_for_is_on_what_was_found() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    for (query, focused, follows) in [
        ("", None, ""),
        (
            "?q=Mentor",
            Some("<h2 class=\"found\" tabindex=\"-1\" autofocus>"),
            "Viser 1–2 av 2</h2>\n<p class=\"actions\" role=\"group\"",
        ),
        ("?q=&state=&order=name", Some("<h2 class=\"found\" tabindex=\"-1\" autofocus>"), "Viser "),
        ("?q=ukjent", Some("<h2 tabindex=\"-1\" autofocus>"), "Ingen treff</h2>"),
        ("?state=due&on=6.12", Some("tabindex=\"-1\" autofocus aria-labelledby=\"faults\">"), ""),
    ] {
        let page = browser.get(&format!("/certifications{query}")).await;
        let number = usize::from(focused.is_some());
        assert_eq!(page.text.matches(" autofocus").count(), number, "{query}: {}", page.text);
        if let Some(focused) = focused {
            let (_, after) =
                page.text.split_once(focused).unwrap_or_else(|| panic!("{query}: {}", page.text));
            assert!(after.starts_with(follows) || follows.is_empty(), "{query}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn a_page_is_compressed_and_its_token_differs_each_time() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/certifications").await;
    assert!(!page.headers.contains_key("content-encoding"));
    let token = |page: &Answer| between(&page.text, "name=\"csrf\" value=\"", "\"");
    let tokens = [token(&page), token(&browser.get("/certifications").await)];
    assert_ne!(tokens[0], tokens[1]);
    browser.headers.push(("accept-encoding", "gzip".to_owned()));
    let compressed = browser.get("/certifications").await;
    assert_eq!(compressed.headers["content-encoding"], "gzip");
    assert_eq!(compressed.headers["vary"], "Accept-Encoding");
    browser.headers.clear();
    // Each of them is good until the session ends, and only whole.
    for (token, status) in
        [(&*tokens[0], 303), (&*tokens[1], 303), (&tokens[0][1..], 403), (&tokens[0][..16], 403), ("", 403)]
    {
        let form = [("csrf", token), ("session", "00000000-0000-4000-8000-000000000000")];
        assert_eq!(browser.post("/me/sessions", &form).await.status, status, "{token}");
    }
}

#[tokio::test]
async fn a_login_without_a_person_is_sent_to_the_page_that_says_what_to_do() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    let page = browser.sign_in("/sign-in/provider", "stranger").await;
    assert!(page.url.ends_with("/sign-in?return_to=%2F"), "{}", page.url);
    assert!(page.text.contains("Åpne invitasjonen"), "{}", page.text);
}

#[tokio::test]
async fn the_list_shows_the_chapters_of_a_coordinator_and_its_filters() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-00000004' || to_char(n, 'FM0000'))::uuid,
                 (array['Åse Ærlig', 'Kari Nordmann', 'Ola Nordmann', 'Evig Gyldig'])[n] from generate_series(1, 4) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at, status)
             select c.organisation_id, c.id, ('00000000-0000-4000-8000-00000004' || to_char(n, 'FM0000'))::uuid, 'type', 'nr ' || n,
               (array['2026-06-01T20:00:00Z', '2025-06-01T20:00:00Z', '2027-06-01T20:00:00Z', null]::timestamptz[])[n],
               (array['expired', 'expired', 'suspended', 'active'])[n]
             from generate_series(1, 4) n, certvakt.chapters c where c.slug = 'below'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let soon = ["Mentor a2", "Mentor a4"];
    for (query, expected) in [
        ("", &["Kari Nordmann", "Åse Ærlig", "Mentor a2", "Mentor a4", "Ola Nordmann", "Evig Gyldig"][..]),
        ("state=due", &soon),
        ("state=valid", &["Mentor a2", "Mentor a4", "Evig Gyldig"]),
        ("state=expired", &["Åse Ærlig"]),
        ("state=renewal", &["Åse Ærlig", "Mentor a2", "Mentor a4"]),
        ("state=renewal&q=mentor&order=name", &soon),
        ("state=lapsed", &["Kari Nordmann", "Åse Ærlig"]),
        ("state=suspended", &["Ola Nordmann"]),
        ("state=withdrawn", &[]),
        ("state=suspended&q=ola", &["Ola Nordmann"]),
        ("state=suspended&q=kari", &[]),
        ("state=lapsed&q=aase", &["Åse Ærlig"]),
        ("state=valid&q=evig", &["Evig Gyldig"]),
        ("q=ase", &["Åse Ærlig"]),
        ("q=nr+2", &["Kari Nordmann"]),
        ("chapter=00000000-0000-4000-8000-0000000000a2&state=valid", &["Mentor a2"]),
        ("chapter=00000000-0000-4000-8000-0000000000b1", &[]),
        ("chapter=none", &[]),
        ("type=type&state=due", &soon),
        ("type=none", &[]),
        (
            "state=none&q=",
            &["Kari Nordmann", "Åse Ærlig", "Mentor a2", "Mentor a4", "Ola Nordmann", "Evig Gyldig"],
        ),
    ] {
        let page = browser.get(&format!("/certifications?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        assert_eq!(names(&page), expected, "{query}");
    }
    // A date is never alone.
    let page = browser.get("/certifications?state=due").await;
    assert!(page.text.contains("<strong>20. juni 2026&#10;om 5 dager</strong>"), "{}", page.text);
    // Each active filter is a link that removes it.
    let page = browser.get("/certifications?state=lapsed&q=kari").await;
    for link in ["/certifications?q=kari\"", "/certifications?state=lapsed\""] {
        assert!(page.text.contains(link), "{link} in {}", page.text);
    }
    let page = browser.get("/certifications?state=withdrawn").await;
    assert!(page.text.contains("Ingen sertifiseringer passer"), "{}", page.text);
    for refused in ["after=none", &format!("q={}", "a".repeat(201)), "q=%00"] {
        let page = browser.get(&format!("/certifications?{refused}")).await;
        assert!(matches!(page.status, 404 | 422), "{refused}: {}", page.status);
    }
}

#[tokio::test]
async fn a_text_that_the_database_cannot_store_is_refused_on_every_page() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let organisation: String =
        place.database.value("select id::text from certvakt.organisations where slug = 'a'").await;
    let chapter: String =
        place.database.value("select id::text from certvakt.chapters where slug = 'own'").await;
    let one = certification("a2");
    let people = format!("/settings/{organisation}/people");
    let handover = format!("/chapters/{chapter}/coordinators");
    for (path, name) in [
        ("/today", "chapter"),
        ("/certifications", "q"),
        ("/certifications.xlsx", "type"),
        ("/certifications/print", "state"),
        ("/changes/new", "action"),
        (&*people, "q"),
        (&*handover, "q"),
        (&*format!("{one}/merges"), "q"),
    ] {
        let page = browser.get(&format!("{path}?{name}=a%00")).await;
        assert_eq!(page.status, 422, "{path}: {}", page.text);
        if name == "q" {
            let long = browser.get(&format!("{path}?q={}", "a".repeat(201))).await;
            assert_eq!(long.status, 422, "{path}: {}", long.text);
        }
    }
    let page = browser.get("/me").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    for (path, name) in [
        (&*format!("{one}/renewals"), "note"),
        (&*format!("{one}/contacts"), "next_on"),
        (&*format!("{one}/merges"), "q"),
        (&*handover, "q"),
        (&*format!("/settings/{organisation}"), "name"),
        (&*format!("/settings/{organisation}/types"), "name"),
        (&*format!("/settings/{organisation}/texts/expired/nb"), "body"),
        ("/changes", "note"),
        ("/me/phones", "phone"),
        ("/me/listings", "partner"),
    ] {
        let refused = browser.post(path, &[("csrf", &csrf), (name, "a\0")]).await;
        assert_eq!(refused.status, 422, "{path}: {}", refused.text);
    }
}

#[tokio::test]
async fn pages_of_a_long_list_follow_each_other() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'Rad ' || to_char(n, 'FM000') from generate_series(1, 120) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select c.organisation_id, c.id, ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'type',
               '2027-01-01T20:00:00Z'::timestamptz + n * interval '1 day'
             from generate_series(1, 120) n, certvakt.chapters c where c.slug = 'own'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let (mut seen, mut path) = (Vec::new(), "/certifications?q=rad&state=valid".to_owned());
    loop {
        let page = browser.get(&path).await;
        seen.extend(names(&page));
        let Some((before, _)) = page.text.split_once("\">Neste side</a>") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&");
    }
    let expected: Vec<String> = (1..=120).map(|n| format!("Rad {n:03}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_list_is_a_file_too_with_the_same_filters() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.person_names set name = '=1+1' where name = 'Mentor a4'").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/certifications?state=due").await;
    let form = between(&page.text, "<form class=\"download\"", "</form>");
    for part in ["name=\"state\" value=\"due\"", "formaction=\"/certifications.csv\"", "id=\"contacts\""] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let file = browser.get("/certifications.csv?state=due").await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"certifications.csv\"");
    assert_eq!(
        file.text,
        "\u{feff}Navn;Lokallag;Type;Nummer i registeret;Siste gyldige dag;Status\n\
         Mentor a2;Own;Type;;2026-06-20;Utløper snart\n\
         '=1+1;Below;Type;;2026-06-20;Utløper snart\n",
        "a formula stays text"
    );
    assert_eq!(browser.get("/certifications.csv?state=withdrawn").await.text.lines().count(), 1);
}

#[tokio::test]
async fn a_file_has_addresses_if_the_person_asks_for_them_and_the_access_log_says_so() {
    let place = TestService::start("").await;
    // The mentor's own mail address stays theirs, and another organisation has a number as well.
    with_addresses(
        &place,
        &[
            ["a", "phone", "+4711111111"],
            ["a", "email", "=1@example.org"],
            ["a", "email", "b@example.org"],
            ["b", "phone", "+4799999999"],
        ],
        &[["email", "privat@example.org"], ["phone", "+4722222222"]],
    )
    .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let file = browser.get("/certifications.csv?state=due&contacts=yes").await;
    assert_eq!(
        file.text,
        "\u{feff}Navn;Lokallag;Type;Nummer i registeret;Siste gyldige dag;Status;E-post;Telefon\n\
         Mentor a2;Own;Type;;2026-06-20;Utløper snart;\"'=1@example.org; b@example.org\";\"'+4722222222; +4711111111\"\n\
         Mentor a4;Below;Type;;2026-06-20;Utløper snart;;\n"
    );
    let book = browser.get("/certifications.xlsx?state=due&contacts=yes").await;
    let mut workbook = Xlsx::new(std::io::Cursor::new(book.bytes)).unwrap();
    let sheet = workbook.worksheet_range_at(0).unwrap().unwrap();
    assert_eq!(sheet.get_value((1, 6)).unwrap().to_string(), "=1@example.org; b@example.org");
    let without = browser.get("/certifications.csv?state=due").await;
    assert!(!without.text.contains("@example.org") && !without.text.contains("+47"), "{}", without.text);
    // A mentor gets the file without what only those who manage the chapter see.
    let mut mentor = signed_in(&place, "mentor").await;
    let own = mentor.get("/certifications.csv?contacts=yes").await;
    assert!(own.text.lines().skip(1).all(|row| row.ends_with(";;")), "{}", own.text);
    let logged = "select coalesce(string_agg(resource || ' ' || addresses_read, ', ' order by number), '') from certvakt.access_events
         where resource like '/certifications.%' and status = 200";
    let expected =
        "/certifications.csv 4, /certifications.xlsx 4, /certifications.csv 0, /certifications.csv 0";
    place.database.until(&format!("select ({logged}) = '{expected}'")).await;
    let mut administrator = signed_in(&place, "administrator").await;
    let log = administrator.get("/settings/00000000-0000-4000-8000-0000000000a0/access").await;
    for words in [
        ">Coordinator</a> lastet ned en liste med e-post og telefon",
        "4 av dem er adresser og telefonnumre.",
        ">Coordinator</a> lastet ned en liste</p>",
    ] {
        assert!(log.text.contains(words), "{words} in {}", log.text);
    }
}

#[tokio::test]
async fn the_list_is_a_workbook_with_dates_as_dates_and_no_formula() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.person_names set name = '=1+1' where name = 'Mentor a4'").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let file = browser.get("/certifications.xlsx?state=due").await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"certifications.xlsx\"");
    let mut workbook = Xlsx::new(std::io::Cursor::new(file.bytes)).unwrap();
    let sheet = workbook.worksheet_range_at(0).unwrap().unwrap();
    let cell = |row, column| sheet.get_value((row, column)).cloned().unwrap();
    assert_eq!((cell(0, 0).to_string(), cell(0, 4).to_string()), ("Navn".into(), "Siste gyldige dag".into()));
    assert_eq!((cell(1, 0).to_string(), cell(1, 1).to_string()), ("Mentor a2".into(), "Own".into()));
    let day = cell(1, 4).as_date().unwrap();
    assert_eq!(day, chrono::NaiveDate::from_ymd_opt(2026, 6, 20).unwrap());
    assert_eq!(cell(2, 0).to_string(), "=1+1");
    assert_eq!(sheet.height(), 3);
    let formulas = workbook.worksheet_formula("Sheet1").unwrap();
    assert!(formulas.is_empty() || formulas.used_cells().next().is_none());
}

#[tokio::test]
async fn the_meeting_list_has_a_table_for_each_chapter_in_the_order_of_the_norwegian_alphabet() {
    let place = TestService::start("").await;
    let database = &place.database;
    // The order of names does not depend on the database's collation: aa is å, and æ, ø and å come last.
    database
        .execute(
            "update certvakt.chapters set name = 'Aasen' where slug = 'own';
             update certvakt.chapters set name = 'Ærøy' where slug = 'below';
             insert into certvakt.people (id, name)
             select ('00000000-0000-4000-8000-00000004' || to_char(n, 'FM0000'))::uuid, name
             from unnest(array['Åse', 'Zara', 'Øyvind', 'Ænder', 'Aage', 'adele']) with ordinality as p (name, n);
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select h.organisation_id, h.id, p.id, 'type', '2026-06-20T20:00:00Z'
             from certvakt.chapters h, certvakt.people p where h.slug = 'own' and p.id::text like '%-00000004000_';",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let list = browser.get("/certifications?state=due").await;
    assert!(list.text.contains("href=\"/certifications/print?state=due\""), "{}", list.text);
    let page = browser.get("/certifications/print?state=due").await;
    let inside = |start: &str, end: &str| {
        let parts = page.text.split(start).skip(1);
        parts.map(|part| part.split(end).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(inside("<h2 id=\"chapter-", "</h2>"), ["1\">Møteliste for Ærøy", "2\">Møteliste for Aasen"]);
    assert_eq!(
        inside("<th scope=\"row\">", "</th>"),
        ["Mentor a4", "adele", "Mentor a2", "Zara", "Ænder", "Øyvind", "Aage", "Åse"]
    );
    assert!(page.text.contains("<td>20. juni 2026</td><td>Utløper snart</td>"), "{}", page.text);
    // Those who were withdrawn, for example after a death, are not read out at a meeting.
    let form = browser.get(&(certification("a2") + "/withdrawals")).await;
    let check = send(&mut browser, &form, &[]).await;
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let print = browser.get("/certifications/print").await;
    assert!(print.text.contains("adele") && !print.text.contains("Mentor a2"), "{}", print.text);
    let withdrawn = browser.get("/certifications/print?state=withdrawn").await;
    assert!(withdrawn.text.contains("Mentor a2"), "{}", withdrawn.text);
    let page = browser.get("/certifications").await;
    let options = between(&page.text, "<select id=\"chapter\"", "</select>");
    assert!(options.find("Ærøy").unwrap() < options.find("Aasen").unwrap(), "{options}");
}

#[tokio::test]
async fn names_and_notes_cannot_change_a_page() {
    let place = TestService::start("").await;
    let hostile = "<script>alert(1)</script>\u{202e}\"'><b>&amp;";
    sqlx::query("update certvakt.person_names set name = $1 where name = 'Mentor a2'")
        .bind("<script>alert(1)</script>\"'><b>&amp;")
        .execute(&mut crate::harness::superuser(&place.database.name).await)
        .await
        .unwrap();
    let mut browser = signed_in(&place, "coordinator").await;
    for path in ["/certifications".to_owned(), certification("a2"), certification("a2") + "/renewals"] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("<script") && !page.text.contains("<b>"), "{path}: {}", page.text);
    }
    let mut search = reqwest::Url::parse("https://certvakt.example/certifications").unwrap();
    search.query_pairs_mut().append_pair("q", hostile);
    let page = browser.get(search.as_str()).await;
    assert!(!page.text.contains("<script") && !page.text.contains("<b>"), "{}", page.text);
}

#[tokio::test]
async fn dates_are_read_as_people_write_them_and_no_page_is_stored() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let form = browser.get(&(certification("a2") + "/renewals")).await;
    let refused = send(&mut browser, &form, &[("date", "6.12")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Årstallet mangler."), "{}", refused.text);
    let check = send(&mut browser, &form, &[("date", "15/6-26")]).await;
    assert_eq!(check.status, 200);
    assert!(check.text.contains("mandag 15. juni 2026"), "{}", check.text);
    for page in [form, refused, check] {
        assert_eq!(page.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn the_page_with_help_has_the_menu_of_the_person_who_is_signed_in() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    let page = browser.get("/about").await;
    assert!(page.status == 200 && !page.text.contains("<nav"), "{}", page.text);
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/about").await;
    assert_eq!((page.status, &*element(&page, "h1")), (200, "Hjelp, personvern og tilgjengelighet"));
    let menu = element(&page, "nav");
    for entry in ["Sertifiseringer", "Månedene framover", "Nattens varsler"] {
        assert!(menu.contains(entry), "{menu}");
    }
    assert!(!menu.contains("aria-current"), "{menu}");
    // Every task leads to a page, and mentors have none of them.
    let tasks = element(&page, "dl");
    let paths: Vec<&str> = tasks.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(paths.len(), 8, "{tasks}");
    for path in paths {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let mut mentor = signed_in(&place, "mentor").await;
    assert!(!mentor.get("/about").await.text.contains("<dl"));
    // Help does not depend on the database.
    place.database.execute("delete from certvakt.identities").await;
    let page = browser.get("/about").await;
    assert!(page.status == 200 && !page.text.contains("<nav"), "{}", page.text);
}
