//! What needs a person: the page, the contacts, and the counts of the API.

use reqwest::Method;
use serde_json::json;

use super::partners::{PAGE, with_partner, with_report};
use super::{certification, element, send, signed_in, with_addresses};
use crate::sign_in::{Answer, TestService, between};

/// Each heading of the second level, with the names below it.
fn groups(page: &Answer) -> Vec<(String, Vec<String>)> {
    let groups = page.text.split("<h2 id=").skip(1).map(|group| {
        let (heading, rest) = group.split_once('>').unwrap().1.split_once("</h2>").unwrap();
        let names = rest
            .split("<h3>")
            .skip(1)
            .map(|row| row.split_once("\">").unwrap().1.split("</a>").next().unwrap().to_owned());
        (heading.to_owned(), names.collect())
    });
    groups.collect()
}

/// Four more mentors of the coordinator's chapters: one has lapsed, one long ago, one expires within the month, and one
/// later.
async fn with_others(place: &TestService) {
    place
        .database
        .execute(
            "update public.peer_mentor_certifications set expires_at = '2026-07-10T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a4';
             insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-00000004' || to_char(n, 'FM0000'))::uuid,
                 (array['Nylig Utløpt', 'Lenge Utløpt', 'Om Lenge'])[n] from generate_series(1, 3) n;
             insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at, status)
             select ('00000000-0000-4000-8000-00000002000' || n)::uuid, c.organisation_id, c.id, ('00000000-0000-4000-8000-00000004' || to_char(n, 'FM0000'))::uuid, 'type', 'nr ' || n,
               (array['2026-06-10T20:00:00Z', '2026-01-01T20:00:00Z', '2027-06-01T20:00:00Z']::timestamptz[])[n],
               (array['expired', 'expired', 'active'])[n]
             from generate_series(1, 3) n, certvakt.chapters c where c.slug = 'below';
             delete from certvakt.deliveries where true",
        )
        .await;
}

#[tokio::test]
async fn today_lists_who_needs_somebody_and_a_contact_settles_it_for_every_coordinator() {
    let place = TestService::start("").await;
    with_others(&place).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/").await;
    assert!(page.location.unwrap().ends_with("/today"));
    let page = browser.get("/today").await;
    assert_eq!(element(&page, "h1"), "Én sak trenger deg");
    let ahead = "I tillegg utløper 2 sertifiseringer innen en måned. De står lenger ned.";
    assert!(page.text.contains(ahead), "the heading does not count them: {}", page.text);
    assert_eq!(
        groups(&page),
        [
            ("Nylig utløpt (1)".to_owned(), vec!["Nylig Utløpt".to_owned()]),
            ("Utløper innen sju dager (1)".to_owned(), vec!["Mentor a2".to_owned()]),
            ("Utløper om 8 til 30 dager (1)".to_owned(), vec!["Mentor a4".to_owned()]),
        ]
    );
    // One chapter.
    let page = browser.get("/today?chapter=00000000-0000-4000-8000-0000000000a2").await;
    assert_eq!(groups(&page), [("Utløper innen sju dager (1)".to_owned(), vec!["Mentor a2".to_owned()])]);
    assert_eq!(element(&page, "h1"), "Ingen saker trenger deg nå");
    for unknown in ["00000000-0000-4000-8000-0000000000b1", "none"] {
        assert_eq!(groups(&browser.get(&format!("/today?chapter={unknown}")).await), []);
    }

    let path = "/certifications/00000000-0000-4000-8000-000000020001";
    let form = browser.get(&format!("{path}/contacts")).await;
    assert!(form.text.contains("value=\"29.06.2026\""), "{}", form.text);
    for (outcome, next, says) in [
        ("", "29.06.2026", "Velg hva som skjedde"),
        ("none", "29.06.2026", "Velg hva som skjedde"),
        ("reached", "", "Skriv en dato"),
        ("reached", "29.6", "Årstallet mangler"),
        ("reached", "29", "Skriv datoen som"),
        ("booked", "15.06.2026", "etter i dag, og høyst 50 år"),
    ] {
        let refused = send(&mut browser, &form, &[("outcome", outcome), ("next_on", next)]).await;
        assert_eq!(refused.status, 422, "{outcome} {next}");
        assert!(
            refused.text.contains(says) && element(&refused, "title").starts_with("Feil: "),
            "{}",
            refused.text
        );
    }
    let sent = send(&mut browser, &form, &[("outcome", "reached"), ("next_on", "20.06.2026")]).await;
    assert!(
        sent.status == 303 && sent.location.as_ref().unwrap().contains("/today?done=contact"),
        "{}",
        sent.text
    );
    let page = browser.get(&sent.location.unwrap()).await;
    assert_eq!(
        element(&page, "h1"),
        "Kontakten med Nylig Utløpt er lagret. Ingen flere saker trenger deg nå"
    );
    let mut administrator = signed_in(&place, "administrator").await;
    let about = path.rsplit('/').next().unwrap();
    let theirs = administrator.get(&format!("/today?done=contact&about={about}")).await;
    assert!(!element(&theirs, "h1").starts_with("Kontakten"), "nobody is told what they did not do");
    assert!(!theirs.text.contains("Nylig Utløpt"), "{}", theirs.text);
    // The timeline shows it, and it comes back on its day.
    let page = administrator.get(path).await;
    for words in ["Snakket med likepersonen", "Registrert av Coordinator", "Neste kontakt 20. juni 2026"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    place.database.execute("update certvakt.contacts set next_on = '2026-06-15'").await;
    let page = browser.get("/today").await;
    assert!(page.text.contains("snakket med likepersonen"), "{}", page.text);
    assert_eq!(groups(&page)[0].1, ["Nylig Utløpt"]);
    // Those who stop need no further contact, until their date changes. A form that is sent twice records one.
    let form = browser.get(&format!("{path}/contacts")).await;
    for _ in 0..2 {
        let sent = send(&mut browser, &form, &[("outcome", "stops"), ("next_on", "")]).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
    }
    let stops: i64 =
        place.database.value("select count(*) from certvakt.contacts where outcome = 'stops'").await;
    assert_eq!(stops, 1);
    assert_eq!(element(&browser.get("/today").await, "h1"), "Ingen saker trenger deg nå");
    place.database.execute("update public.peer_mentor_certifications set expires_at = expires_at + interval '1 day' where id = '00000000-0000-4000-8000-000000020001'").await;
    assert_eq!(groups(&browser.get("/today").await)[0].1, ["Nylig Utløpt"]);
}

#[tokio::test]
async fn the_api_counts_by_the_same_definition() {
    let place = TestService::start("").await;
    with_others(&place).await;
    let (status, counts) = place.send("coordinator", json!({}), Method::GET, "/me/attention", None).await;
    let expected = json!({ "expired": 1, "unreachable": 0, "within_7_days": 1, "within_30_days": 1, "held_runs": 0, "waiting_reports": 0, "stopped_partners": 0, "is_cut": false });
    assert_eq!((status, &counts), (200, &expected));
    let mut browser = signed_in(&place, "coordinator").await;
    let first = browser.get("/api/v1/me/attention").await;
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    browser.headers.push(("if-none-match", etag));
    assert_eq!(browser.get("/api/v1/me/attention").await.status, 304);
    place
        .database
        .execute(
            "update certvakt.runs set state = 'held', notices = '{\"expired\": 3}', run_date = '2026-06-15'
             where id in (select max(id) from certvakt.runs group by organisation_id)",
        )
        .await;
    let changed = browser.get("/api/v1/me/attention").await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert!(changed.text.contains("\"held_runs\":1"), "{}", changed.text);
    let page = browser.get("/today").await;
    assert!(page.text.contains("venter på godkjenning"), "{}", page.text);
    // A mentor's own certification needs others, not themselves.
    let (_, none) = place.send("mentor", json!({}), Method::GET, "/me/attention", None).await;
    assert_eq!(none["within_7_days"], 0, "{none}");
}

#[tokio::test]
async fn coordinators_see_the_addresses_that_their_register_has() {
    let place = TestService::start("").await;
    with_addresses(
        &place,
        &[["a", "phone", "+4712345678"], ["a", "email", "mentor@example.org"]],
        &[["email", "privat@example.org"]],
    )
    .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get(&certification("a2")).await;
    for link in ["href=\"tel:+4712345678\"", "href=\"mailto:mentor%40example.org\""] {
        assert!(page.text.replace("&#43;", "+").contains(link), "{link} in {}", page.text);
    }
    assert!(!page.text.contains("privat@") && !page.text.contains("token-"), "{}", page.text);
    for list in ["/certifications", "/certifications.csv", "/certifications/print"] {
        let list = browser.get(list).await.text;
        assert!(!list.contains("mentor@example.org") && !list.contains("12345678"), "never in lists: {list}");
    }
}

/// The row of a mentor.
fn row<'a>(page: &'a Answer, name: &str) -> &'a str {
    let rows = page.text.split("<li>\n<div><h3>").skip(1);
    rows.filter(|row| row.split("</h3>").next().unwrap().contains(name)).last().unwrap_or_default()
}

#[tokio::test]
async fn today_shows_how_to_reach_whom_and_the_access_log_says_so() {
    let place = TestService::start("").await;
    with_others(&place).await;
    // One number is in the register and the mentor's own, and another organisation has a number as well.
    with_addresses(
        &place,
        &[
            ["a", "phone", "+4712345678"],
            ["a", "phone", "+4711111111"],
            ["a", "email", "mentor@example.org"],
            ["b", "phone", "+4799999999"],
        ],
        &[["email", "privat@example.org"], ["phone", "+4712345678"]],
    )
    .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/today").await;
    let of_a2 = row(&page, "Mentor a2").replace("&#43;", "+");
    let links: Vec<&str> =
        of_a2.split("<li><a href=\"").skip(1).map(|link| link.split("</a>").next().unwrap()).collect();
    let expected = ["tel:+4712345678\">Ring +4712345678", "tel:+4711111111\">Ring +4711111111"];
    assert_eq!(links, expected, "the mentor's own number is the first");
    assert!(!of_a2.contains("Ingen telefon"), "{of_a2}");
    assert!(row(&page, "Nylig Utløpt").contains("<p>Ingen telefon</p>"), "{}", page.text);
    for hidden in ["@example.org", "99999999", "token-"] {
        assert!(!page.text.contains(hidden), "{hidden} in {}", page.text);
    }
    // The rows of the event include the contact points.
    let read = "select coalesce(max(rows_read), 0) from certvakt.access_events where resource = '/today' and status = 200";
    place.database.until(&format!("select ({read}) > 0")).await;
    let before: i64 = place.database.value(read).await;
    let more = "insert into certvakt.contact_points (person_id, kind, address, organisation_id)
         select '00000000-0000-4000-8000-0000000100a2', 'phone', '+4722222222', id from certvakt.organisations where slug = 'a'";
    place.database.execute(more).await;
    browser.get("/today").await;
    place.database.until(&format!("select ({read}) = {}", before + 1)).await;
    let mut administrator = signed_in(&place, "administrator").await;
    let log = administrator.get("/settings/00000000-0000-4000-8000-0000000000a0/access").await;
    assert!(log.text.contains(">Coordinator</a> så siden «I dag», som viser telefonnumre"), "{}", log.text);
    // Those who lapsed long ago are one link away.
    assert!(page.text.contains("De som utløp for lenge siden, står ikke her."), "{}", page.text);
    let lapsed = browser.get("/certifications?state=lapsed").await;
    assert!(
        page.text.contains("href=\"/certifications?state=lapsed\"") && lapsed.text.contains("Lenge Utløpt")
    );
}

#[tokio::test]
async fn nobody_records_a_contact_about_others_or_themselves() {
    let place = TestService::start("").await;
    let mut mentor = signed_in(&place, "mentor").await;
    let start = mentor.get("/").await;
    assert!(start.location.unwrap().ends_with("/me"));
    let page = mentor.get("/me").await;
    assert!(page.text.contains("20. juni 2026&#10;om 5 dager</strong>"), "{}", page.text);
    for (chapter, status) in [("a2", 403), ("a4", 404), ("b1", 404)] {
        let path = certification(chapter) + "/contacts";
        assert_eq!(mentor.get(&path).await.status, status, "{path}");
    }
    // The policy holds for a client of the database as well.
    let refused = sqlx::raw_sql(
        "begin; select set_config('request.jwt.claims', '{\"iss\": \"https://issuer.example\", \"sub\": \"mentor\"}', true);
         set local role authenticated;
         insert into certvakt.contacts (certification_id, chapter_id, outcome, made_by)
         values ('00000000-0000-4000-8000-0000000200a2', '00000000-0000-4000-8000-0000000000a2', 'reached', '00000000-0000-4000-8000-0000000100a2')",
    );
    let refused = refused.execute(&mut crate::harness::superuser(&place.database.name).await).await;
    assert!(refused.unwrap_err().to_string().contains("row-level security"));
}

#[tokio::test]
async fn today_shows_coordinators_the_reports_that_they_may_settle_and_a_stop_that_others_end() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    place.database.execute("delete from certvakt.deliveries where true").await;
    let (mut coordinator, mut administrator) =
        (signed_in(&place, "coordinator").await, signed_in(&place, "administrator").await);
    let link = format!("href=\"{PAGE}\">portal");
    // A report about somebody of another chapter, and one about nobody who is known, are not for the coordinator.
    with_report(&place, "E-1", "a3", "other-date").await;
    with_report(&place, "E-2", "", "unknown-mentor").await;
    let page = coordinator.get("/today").await;
    assert!(!page.text.contains(&link), "{}", page.text);
    assert_eq!(element(&page, "h1"), "Ingen saker trenger deg nå");
    with_report(&place, "E-3", "a2", "other-date").await;
    let page = coordinator.get("/today").await;
    assert_eq!(element(&page, "h1"), "Én sak trenger deg");
    assert!(page.text.contains(&format!("{link} har meldt om et fullført kurs")), "{}", page.text);
    assert!(coordinator.get(PAGE).await.text.contains("settlements?event=E-3"));
    // Only an administrator resumes sending, so this is no task of the coordinator.
    let stop = "update certvakt.partners set stopped_at = '2026-06-11T10:00:00Z', stopped_by = 'contract', stopped_reason = 'x'";
    place.database.execute(stop).await;
    let page = coordinator.get("/today").await;
    assert_eq!(element(&page, "h1"), "Én sak trenger deg");
    assert!(page.text.contains(&format!("{link} får ikke lenger vite")), "{}", page.text);
    assert!(page.text.contains("Administratorene følger det opp."), "{}", page.text);
    let page = administrator.get("/today").await;
    assert_eq!(page.text.matches("får ikke lenger vite").count(), 1, "{}", page.text);
    assert_eq!(page.text.matches("har meldt om 3 fullførte kurs").count(), 1, "{}", page.text);
    assert!(!page.text.contains("Administratorene følger det opp."), "{}", page.text);
    for (who, reports, stopped) in [("coordinator", 1, 1), ("administrator", 3, 1), ("mentor", 0, 0)] {
        let (_, counts) = place.send(who, json!({}), Method::GET, "/me/attention", None).await;
        let found = (&counts["waiting_reports"], &counts["stopped_partners"]);
        assert_eq!(found, (&json!(reports), &json!(stopped)), "{who}");
    }
    for number in 10..20 {
        with_report(&place, &format!("E-{number}"), "a2", "other-date").await;
    }
    let page = coordinator.get("/today").await;
    assert!(page.text.contains("har meldt om flere enn 10 fullførte kurs"), "{}", page.text);
    let (_, counts) = place.send("coordinator", json!({}), Method::GET, "/me/attention", None).await;
    assert_eq!(counts["waiting_reports"], 10);
    // A partner that is off needs nobody.
    place.database.execute("update certvakt.partners set environment = null").await;
    let page = coordinator.get("/today").await;
    assert!(!page.text.contains(&link), "{}", page.text);
}

#[tokio::test]
async fn a_chosen_chapter_stays_chosen_on_the_pages_that_can_show_one() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "insert into certvakt.contacts (certification_id, chapter_id, expires_at, outcome, next_on)
               select id, chapter_id, expires_at, 'no_answer', '2026-06-29' from public.peer_mentor_certifications
               where right(id::text, 4) in ('00a2', '00a4')",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let chapter = "00000000-0000-4000-8000-0000000000a2";
    for path in ["/today", "/contacts", "/outlook", "/certifications"] {
        // Nothing is chosen, or nothing that there is.
        for query in ["", "?chapter=", "?chapter=x", "?chapter=00000000-0000-4000-8000-0000000000b1"] {
            let page = browser.get(&format!("{path}{query}")).await;
            assert_eq!(page.status, 200, "{path}{query}");
            let menu = between(&page.text, "<header>", "</header>");
            assert!(menu.contains("href=\"/today\"") && !menu.contains("chapter="), "{path}{query}: {menu}");
        }
        let page = browser.get(&format!("{path}?chapter={chapter}")).await;
        let menu = between(&page.text, "<header>", "</header>");
        for other in ["/today", "/certifications", "/outlook"] {
            assert!(menu.contains(&format!("href=\"{other}?chapter={chapter}\"")), "{path}: {menu}");
        }
        assert!(menu.contains("href=\"/runs\"") && menu.contains("href=\"/me\""), "{path}: {menu}");
        // The list has the chapters among its filters.
        if path != "/certifications" {
            let switch = between(&page.text, "<nav aria-label=\"Velg lokallag\">", "</nav>");
            let all = format!("<a href=\"{path}\">Alle lokallag</a>");
            let chosen = format!("<a href=\"{path}?chapter={chapter}\" aria-current=\"true\">Own</a>");
            assert!(switch.contains(&all) && switch.contains(&chosen), "{path}: {switch}");
            assert!(switch.find(&all) < switch.find(&chosen), "all chapters first: {switch}");
        }
    }
    let today = browser.get(&format!("/today?chapter={chapter}")).await;
    for link in [
        format!("/contacts?chapter={chapter}"),
        format!("/certifications?state=lapsed&#38;chapter={chapter}"),
    ] {
        assert!(today.text.contains(&format!("href=\"{link}\"")), "{link} in {}", today.text);
    }
    let contacts = browser.get(&format!("/contacts?chapter={chapter}")).await;
    assert_eq!(element(&contacts, "h1"), "Én skal kontaktes på et senere tidspunkt");
    assert!(contacts.text.contains("Mentor a2") && !contacts.text.contains("Mentor a4"), "{}", contacts.text);
    assert!(contacts.text.contains(&format!("href=\"/today?chapter={chapter}\">I dag")), "{}", contacts.text);
    let outlook = browser.get(&format!("/outlook?chapter={chapter}")).await;
    assert_eq!(outlook.text.matches("<section class=\"outlook\"").count(), 1);
    assert!(outlook.text.contains(&format!("id=\"chapter-{chapter}\"")), "{}", outlook.text);
    // A person with one chapter has nothing to choose.
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get(&format!("/contacts?chapter={chapter}")).await;
    assert!(!page.text.contains("Velg lokallag") && !page.text.contains("/today?chapter="), "{}", page.text);
}
