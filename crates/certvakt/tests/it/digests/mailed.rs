//! Digests as coordinators get them by e-mail, and what the link in them does.

use reqwest::Method;
use serde_json::Value;

use super::{addresses, id};
use crate::harness::NOON;
use crate::harness::succeed;
use crate::pages::{PAGE, partner, report, signed_in};
use crate::sign_in::{TestService, between};

/// The service on a morning on which digests have not been queued yet, after a change of the data.
async fn morning(change: &str) -> TestService {
    let place = TestService::start("").await;
    // The service has recorded the run of the day, and no digest, because nobody had an address.
    place.database.until("select count(*) = 2 from certvakt.digest_days").await;
    place.database.until("select count(*) = 2 from certvakt.runs where run_date = '2026-06-15'").await;
    place
        .database
        .execute(&format!(
            "delete from certvakt.digest_days; delete from certvakt.deliveries; {}; {change}",
            addresses(&["1"])
        ))
        .await;
    place.again("")
}

/// The digest, once it has been received.
async fn received(place: &TestService) -> Value {
    place.database.until("select exists (select from certvakt.digests where mailed_at is not null)").await;
    let mut mails = place.mail.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    mails.remove(0)
}

fn part(mail: &Value, number: usize) -> &str {
    mail["parts"][number]["text"].as_str().unwrap()
}

/// The certifications to which a text leads.
fn linked(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split("certifications/")
        .skip(1)
        .map(|rest| rest.chars().take_while(|one| one.is_ascii_hexdigit() || *one == '-').collect())
        .filter(|id: &String| id.len() == 36)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[tokio::test]
async fn the_digest_is_today_without_names() {
    let place = morning(
        "update public.peer_mentor_certifications set expires_at = '2026-06-10T20:00:00Z', status = 'expired' where id = '00000000-0000-4000-8000-0000000200a4'",
    )
    .await;
    let mail = received(&place).await;
    assert_eq!(mail["headers"]["to"], "ok-1@example.org");
    assert_eq!(mail["headers"]["subject"], "Oversikten din");
    let (text, html) = (part(&mail, 0), part(&mail, 1));
    let url = text.lines().find_map(|line| line.split_once("Slutt å få den: ")).unwrap().1;
    assert_eq!(mail["headers"]["list-unsubscribe"], format!("<{url}>"));
    assert_eq!(mail["headers"]["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    assert!(html.contains("<div style=\"display:none\">Åpne meldingen for å lese den.</div>"), "{html}");
    for words in [
        "Hei Coordinator,",
        "Én likeperson trenger deg nå.",
        "Below: 1 nylig utløpt",
        "Utløpt: gjaldt til og med 10. juni 2026",
        "Own: 1 utløper innen sju dager",
        "https://certvakt.example/today?chapter=00000000-0000-4000-8000-0000000000a4",
        "https://certvakt.example/me",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(text.find("Below:").unwrap() < text.find("Own:").unwrap(), "the most urgent first: {text}");
    assert!(!text.contains("Mentor") && !html.contains("Mentor"), "{text}");
    // The same as the page.
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/today").await;
    assert_eq!(linked(text), linked(&page.text));
    assert_eq!(linked(text), linked(html));
    // Operators see it.
    let mut status = place.database.certvakt(["status", "--output", "json"]);
    let output = status.env("CERTVAKT_NOW", NOON).output().unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!({ "organisation": "a", "last_on": "2026-06-15", "mailed": 1, "waiting": 0, "not_sent": 0 });
    assert_eq!(status["digests_in_7_days"][0], expected);
    let certification = id("0200a2").to_string();
    let explained = succeed(place.database.certvakt(["explain", &certification]).env("CERTVAKT_NOW", NOON));
    assert!(explained.contains("2026-06-15 weekly digest of its chapter: mailed to 1 of 1"), "{explained}");
}

#[tokio::test]
async fn names_need_the_organisations_permission_and_the_rest_is_counted() {
    let place = TestService::start("").await;
    place.database.until("select count(*) = 2 from certvakt.digest_days").await;
    place.database.ok(["organisation", "set", "a", "--digest-names", "true"]);
    let eleven: String = (0..11).map(|number| report(&format!("E-{number}"), "a2", "other-date")).collect();
    place
        .database
        .execute(&format!(
            "delete from certvakt.digest_days; delete from certvakt.deliveries; {};
             update certvakt.people set locale = 'en' where id = '{}';
             insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-0000005' || to_char(n, 'FM00000'))::uuid, 'Extra <b>' || n || '</b>' from generate_series(1, 3000) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
               select '{}', '{}', ('00000000-0000-4000-8000-0000005' || to_char(n, 'FM00000'))::uuid, 'type', '2026-06-14T20:00:00Z' from generate_series(1, 3000) n;
             {}; {}
             update certvakt.partners set stopped_at = now(), stopped_by = 'contract', stopped_reason = 'x';
             alter table certvakt.partners drop constraint partners_code_form;
             insert into certvakt.partners (organisation_id, code, environment, contract, stopped_at, stopped_by, stopped_reason)
               values ('{}', '<b>x</b>', 'live', '1', now(), 'contract', 'x')",
            addresses(&["1"]), id("1"), id("a0"), id("a2"), partner(), eleven, id("a0")
        ))
        .await;
    let place = place.again("");
    let mail = received(&place).await;
    assert_eq!(mail["headers"]["subject"], "Your overview");
    let (text, html) = (part(&mail, 0), part(&mail, 1));
    assert!(text.contains("3000 mentors need you now."), "{text}");
    assert!(text.contains("Extra <b>1</b>, Type. Expired: valid until 14 June 2026"), "{text}");
    assert!(html.contains("Extra &#60;b&#62;1&#60;/b&#62;, Type"), "{html}");
    assert_eq!(linked(text).len(), 200);
    assert!(text.contains("See 2802 more mentors"), "{text}");
    assert!(text.contains("Own: 3000 recently expired, 1 will expire within seven days"), "{text}");
    assert!(
        text.contains("Below: 1 will expire within seven days"),
        "a chapter without a listed mentor: {text}"
    );
    let link = format!("https://certvakt.example/partners/{}/", id("a0"));
    // A name that the database would refuse.
    for (words, partner) in [
        ("portal has reported more than 10 completed courses that contradict our data", "portal"),
        ("Sending changes to portal has stopped. Administrators follow it up", "portal"),
        ("Sending changes to <b>x</b> has stopped. Administrators follow it up", "<b>x</b>"),
    ] {
        let mut lines = text.lines().skip_while(|line| *line != words).skip(1);
        assert_eq!(lines.next(), Some(format!("{link}{partner}").as_str()), "{words} in {text:?}");
    }
    assert!(html.contains("Sending changes to &#60;b&#62;x&#60;/b&#62; has stopped."), "{html}");
    assert!(!html.contains("<b>"), "{html}");
}

#[tokio::test]
async fn whom_only_a_partner_needs_gets_the_links_of_today() {
    let place = morning(&format!(
        "{}; {}
         update certvakt.partners set stopped_at = now(), stopped_by = 'contract', stopped_reason = 'x';
         update public.peer_mentor_certifications set expires_at = '2027-06-20T20:00:00Z'",
        partner(),
        report("E-1", "a2", "other-date")
    ))
    .await;
    let mail = received(&place).await;
    let (text, html) = (part(&mail, 0), part(&mail, 1));
    let url = format!("https://certvakt.example{PAGE}");
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/today").await;
    for words in [
        "portal har meldt om et fullført kurs som ikke stemmer med det som står her",
        "portal får ikke lenger vite hvilke likepersoner som kan kontaktes",
    ] {
        assert!(text.contains(&format!("\n{words}")), "{words} in {text}");
        assert!(
            html.contains(&format!("<a href=\"{url}\" style=\"color:#0b4f8a\">{words}")),
            "{words} in {html}"
        );
        assert!(page.text.contains(&format!("href=\"{PAGE}\">{words}")), "{words} in {}", page.text);
    }
    assert_eq!(text.lines().filter(|line| *line == url).count(), 2, "{text:?}");
    assert!(text.contains("Ingen likeperson trenger deg akkurat nå, men dette må følges opp."), "{text}");
    assert!(!text.contains("/certifications/"), "{text}");
}

#[tokio::test]
async fn a_click_unsubscribes_and_the_own_page_brings_it_back() {
    let place = morning("").await;
    let mail = received(&place).await;
    let url = between(mail["headers"]["list-unsubscribe"].as_str().unwrap(), "<", ">");
    let chosen = format!(
        "select coalesce((select schedule || ' ' || weekday from certvakt.digest_settings where person_id = '{}'), '')",
        id("1")
    );
    let mut anybody = place.browser();
    let page = anybody.get(&url).await;
    assert!(page.status == 200 && page.text.contains("Vil du slutte å få oversikten?"), "{}", page.text);
    let schedule: String = place.database.value(&chosen).await;
    assert_eq!(schedule, "weekly 1", "to look changes nothing");
    let wrong = format!("{}{}", &url[..url.len() - 36], id("1"));
    assert_eq!(anybody.post(&wrong, &[("List-Unsubscribe", "One-Click")]).await.status, 404);
    assert_eq!(anybody.post(&url[..url.len() - 1], &[("List-Unsubscribe", "One-Click")]).await.status, 422);
    for _ in 0..2 {
        let page = anybody.post(&url, &[("List-Unsubscribe", "One-Click")]).await;
        assert!(page.status == 200 && page.text.contains("Du får ikke oversikten lenger"), "{}", page.text);
    }
    let schedule: String = place.database.value(&chosen).await;
    assert_eq!(schedule, "off 1");

    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/me").await;
    let checked = "value=\"off\" checked";
    assert!(page.text.contains(checked), "{}", page.text);
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    for (schedule, weekday, status) in [("weekly", "5", 303), ("weekly", "8", 422), ("hourly", "5", 422)] {
        let form = [("csrf", csrf.as_str()), ("schedule", schedule), ("weekday", weekday)];
        let answer = browser.send(Method::POST, "/me/digest", &form).await;
        assert_eq!(answer.status, status, "{schedule} {weekday}: {}", answer.text);
    }
    let page = browser.get("/me?done=digest").await;
    assert!(page.text.contains("autofocus>Lagret: oversikt på e-post</h1>"), "{}", page.text);
    assert!(page.text.contains("<option value=\"5\" selected>fredag</option>"), "{}", page.text);
    // Those who manage nobody have nothing to choose.
    let mut mentor = signed_in(&place, "mentor").await;
    assert!(!mentor.get("/me").await.text.contains("/me/digest"));
}

#[tokio::test]
async fn digests_wait_for_the_hours_and_try_again() {
    let place = TestService::start("").await;
    place.database.until("select count(*) = 2 from certvakt.digest_days").await;
    // Organisation A sends in the afternoon, and the address in B is refused for now.
    place
        .database
        .execute(&format!(
            "delete from certvakt.digest_days; delete from certvakt.deliveries; {}
             update certvakt.contact_points set address = 'later-5@example.org' where address = 'ok-5@example.org';
             update certvakt.organisations set deliver_from = '13:00' where slug = 'a'",
            addresses(&["1", "5"])
        ))
        .await;
    let place = place.again("");
    place
        .database
        .until("select exists (select from certvakt.mail_queue where kind = 'digest' and mailed_at is null and mail_due_at > now() + interval '20 seconds' and expires_at is not null)")
        .await;
    let who: Vec<String> =
        place.database.value("select array_agg(right(person_id::text, 1)) from certvakt.digests").await;
    assert_eq!(who, ["5"], "the hours of A have not begun");
    // The address works again, and A's hours end before its digest is sent.
    place
        .database
        .execute(&format!(
            "update certvakt.contact_points set address = 'ok-5@example.org' where address = 'later-5@example.org';
             update certvakt.mail_queue set mail_due_at = now() where kind = 'digest';
             insert into certvakt.digest_settings (person_id) values ('{person}');
             insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, organisation_id)
             select 'digest', '{person}', k.id, '6 days', '{organisation}' from certvakt.contact_points k where k.address = 'ok-1@example.org'",
            person = id("1"), organisation = id("a0")
        ))
        .await;
    assert_eq!(received(&place).await["headers"]["to"], "ok-5@example.org");
    place
        .database
        .until(&format!("select mail_due_at > now() + interval '50 minutes' from certvakt.mail_queue where person_id = '{}'", id("1")))
        .await;
    assert_eq!(place.mail.mails().len(), 1);
}

#[tokio::test]
async fn an_unreadable_digest_delays_no_sign_in() {
    let place = TestService::start("").await;
    place.database.until("select count(*) = 2 from certvakt.digest_days").await;
    place
        .database
        .execute(&format!(
            "{}
             insert into certvakt.contact_points (person_id, kind, address) values ('{mentor}', 'email', 'ok-mentor@example.org');
             revoke execute on function certvakt.digest_items(uuid[], date[], uuid[]) from certvakt_worker;
             insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, organisation_id)
             select 'digest', k.person_id, k.id, '6 days', '{organisation}' from certvakt.contact_points k where k.address = 'ok-1@example.org';
             insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for)
             select 'link', k.person_id, k.id, '15 minutes' from certvakt.contact_points k where k.address = 'ok-mentor@example.org'",
            addresses(&["1"]),
            mentor = id("0100a2"),
            organisation = id("a0"),
        ))
        .await;
    place
        .database
        .until(
            "select exists (select from certvakt.mail_queue where kind = 'link' and mailed_at is not null)",
        )
        .await;
    place
        .database
        .until("select mail_due_at > now() + interval '4 minutes' from certvakt.mail_queue where kind = 'digest'")
        .await;
    assert_eq!(place.mail.mails().len(), 1);
}
