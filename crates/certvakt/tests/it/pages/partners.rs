//! The partners: who may be listed wrongly, the reports that wait, and the end of a stop.

use serde_json::json;

use super::{certification, element, hidden, send, signed_in};
use crate::harness::NOON;
use crate::partner::portal::{Kind, Portal};
use crate::sign_in::{Browser, TestService, between};

/// The organisation of the test data, and the page of its partner.
const ORGANISATION: &str = "00000000-0000-4000-8000-0000000000a0";
const PAGE: &str = "/partners/00000000-0000-4000-8000-0000000000a0/portal";
/// The certification of a mentor who was enrolled as M-x, by the chapter x.
const CHAPTERS: [&str; 4] = ["a1", "a2", "a3", "a4"];

/// Adds the partner `portal`, at which the mentors of the organisation are enrolled, listed and shown.
pub(super) async fn with_partner(place: &TestService) {
    let enrolled: String = CHAPTERS
        .map(|chapter| {
            format!(
                "insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
                 values ('{ORGANISATION}', 'portal', 'M-{chapter}', '00000000-0000-4000-8000-0000000100{chapter}', '{NOON}');"
            )
        })
        .concat();
    place
        .database
        .execute(&format!(
            "begin; select set_config('certvakt.now', '{NOON}', true);
             insert into certvakt.partners (organisation_id, code, environment, contract, accepted_environment, reconciled_at, switched_at)
               values ('{ORGANISATION}', 'portal', 'live', '1', 'live', now(), '2026-06-01T10:00:00Z');
             insert into certvakt.partner_types values ('{ORGANISATION}', 'portal', 'type');
             {enrolled}
             update certvakt.listings set accepted_number = number, accepted_listed = true, confirmed_number = number, seen_listed = true;
             commit"
        ))
        .await;
}

/// Adds a report that waits: its event, the chapter of its mentor, and its reason.
pub(super) async fn with_report(place: &TestService, event: &str, chapter: &str, reason: &str) {
    let (key, id) = match chapter {
        "" => ("M-unknown".to_owned(), "null".to_owned()),
        _ => (format!("M-{chapter}"), format!("'{}'", certification(chapter).rsplit('/').next().unwrap())),
    };
    place
        .database
        .execute(&format!(
            "insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, certification_type,
               certification_id, completed_on, valid_until, outcome, reason)
             values ('{ORGANISATION}', 'portal', 'live', '{event}', '{key}', 'type', {id}, '2026-06-10', '2028-12-31', 'waiting', '{reason}')"
        ))
        .await;
}

/// The outcome of a report, and who settled it.
async fn outcome(place: &TestService, event: &str) -> String {
    let sql = format!(
        "select concat_ws(' ', r.outcome, p.name) from certvakt.partner_reports r
         left join certvakt.people p on p.id = r.settled_by where r.event_id = '{event}'"
    );
    place.database.value(&sql).await
}

async fn csrf(browser: &mut Browser) -> String {
    between(&browser.get("/me").await.text, "name=\"csrf\" value=\"", "\"")
}

fn settlement(event: &str) -> String {
    format!("{PAGE}/settlements?event={event}")
}

#[tokio::test]
async fn each_sees_the_people_of_their_own_chapters_who_are_listed_wrongly_and_for_how_long() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    // Suspended three days ago, and still shown; the portal has accepted the removal of one, and has no message about the other.
    place
        .database
        .execute(
            "update public.peer_mentor_certifications set status = 'suspended' where id::text ~ '0200a[234]$';
             update certvakt.listings set changed_at = '2026-06-12T08:00:00Z' where partner_key <> 'M-a1';
             update certvakt.listings set seen_listed = true, accepted_number = number, accepted_listed = false where partner_key = 'M-a2';
             update certvakt.listings set accepted_number = number, accepted_listed = false where partner_key = 'M-a3'",
        )
        .await;
    let mut browsers = Vec::new();
    for (who, shown, hidden) in [
        ("administrator", &["Mentor a2", "Mentor a3", "Mentor a4"][..], &["Mentor a1"][..]),
        ("coordinator", &["Mentor a2", "Mentor a4"], &["Mentor a1", "Mentor a3", "M-a3"]),
        ("both", &["Mentor a3"], &["Mentor a2", "M-a2", "Mentor a4"]),
    ] {
        let mut browser = signed_in(&place, who).await;
        let page = browser.get(PAGE).await;
        assert_eq!(page.status, 200, "{who}: {}", page.text);
        for name in shown {
            assert!(page.text.contains(&format!(">{name}</a>")), "{who}: {name} in {}", page.text);
        }
        for name in hidden {
            assert!(!page.text.contains(name), "{who}: {name} in {}", page.text);
        }
        assert!(page.text.contains("<strong>I 3 dager</strong> siden 12. juni 2026"), "{}", page.text);
        assert!(page.text.contains("Midlertidig stanset"), "{}", page.text);
        let list = browser.get("/partners").await;
        assert!(list.text.contains(&format!("href=\"{PAGE}\"")), "{who}: {}", list.text);
        browsers.push(browser);
    }
    let [administrator, coordinator, _] = &mut browsers[..] else { unreachable!() };
    let page = coordinator.get(PAGE).await;
    assert!(page.text.contains(&format!("href=\"{}\"", certification("a2"))), "{}", page.text);
    assert!(page.text.contains("Listen viser likepersonen fortsatt"), "{}", page.text);
    assert!(page.text.contains("Partneren har ikke tatt imot beskjeden ennå"), "{}", page.text);
    // The heading and the problems are those of the status.
    assert_eq!(element(&page, "h1"), "portal: 2 saker trenger noen");
    assert!(
        page.text.contains("Én likeperson står på listen hos portal uten å skulle det (A)."),
        "{}",
        page.text
    );
    assert!(!page.text.contains("/resumptions"), "{}", page.text);
    // Whose consent is gone is not shown as suspended.
    place
        .database
        .execute(
            "update public.peer_mentor_certifications set status = 'active' where id::text ~ '0200a[234]$';
             update certvakt.listings set listing_consent_at = null where partner_key = 'M-a2'",
        )
        .await;
    let page = coordinator.get(PAGE).await;
    assert!(page.text.contains("Samtykker ikke"), "{}", page.text);
    assert!(!page.text.contains("Midlertidig stanset"), "{}", page.text);
    // A mentor who was erased has no certification. Administrators see the key.
    place
        .database
        .execute("update certvakt.listings set person_id = null, cause = 'erased' where partner_key = 'M-a2'")
        .await;
    assert!(!coordinator.get(PAGE).await.text.contains("M-a2"));
    assert!(administrator.get(PAGE).await.text.contains("Nøkkel hos partneren: M-a2"));
    // Others do not find it.
    for (who, list) in [("mentor", 403), ("outsider", 200)] {
        let mut browser = signed_in(&place, who).await;
        let page = browser.get("/partners").await;
        assert_eq!(page.status, list, "{who}: {}", page.text);
        assert!(!page.text.contains("portal"), "{who}: {}", page.text);
        for path in [PAGE, &settlement("E-1"), &format!("{PAGE}/resumptions")] {
            assert_eq!(browser.get(path).await.status, 404, "{who}: {path}");
        }
    }
}

#[tokio::test]
async fn the_lists_have_pages_by_key() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    place
        .database
        .execute(&format!(
            "begin; select set_config('certvakt.now', '{NOON}', true);
             insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'Mange ' || n from generate_series(1, 60) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
               select c.organisation_id, c.id, ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'type', '2027-07-10T20:00:00Z'
               from generate_series(1, 60) n, certvakt.chapters c where c.slug = 'own';
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               select '{ORGANISATION}', 'portal', 'P-' || to_char(n, 'FM00'), ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, '{NOON}'
               from generate_series(1, 60) n;
             update certvakt.listings set listing_consent_at = null where partner_key like 'P-%';
             insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, completed_on, outcome, reason)
               select '{ORGANISATION}', 'portal', 'live', 'E-' || to_char(n, 'FM00'), 'P-' || to_char(n, 'FM00'), '2026-06-01', 'waiting', 'course-unknown'
               from generate_series(1, 60) n;
             commit"
        ))
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get(PAGE).await;
    let keys = |text: &str| -> Vec<String> {
        text.split("Nøkkel hos partneren: ").skip(1).map(|rest| rest[..4].to_owned()).collect()
    };
    let events = |text: &str| -> Vec<String> {
        text.split("settlements?event=").skip(1).map(|rest| rest[..4].to_owned()).collect()
    };
    let (first_keys, first_events) = (keys(&page.text), events(&page.text));
    assert_eq!((first_keys.len(), first_events.len()), (50, 50));
    for (parameter, first, of) in
        [("removals", first_keys, &keys as &dyn Fn(&str) -> Vec<String>), ("reports", first_events, &events)]
    {
        let next = between(&page.text, &format!("href=\"{PAGE}?{parameter}="), "\"");
        let page = browser.get(&format!("{PAGE}?{parameter}={next}")).await;
        let rest = of(&page.text);
        assert_eq!(rest.len(), 10, "{parameter}: {}", page.text);
        let mut all = [first.clone(), rest].concat();
        assert!(!page.text.contains(&format!("href=\"{PAGE}?{parameter}=")), "{parameter}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 60, "{parameter}");
    }
    for wrong in ["x", "1_", "_P-01", "99999999999999999999_P", "-5_P", "1700000000000000_%00"] {
        let status = browser.get(&format!("{PAGE}?removals={wrong}")).await.status;
        assert!(matches!(status, 200 | 404), "{wrong}: {status}");
    }
    assert_eq!(browser.get(&format!("{PAGE}?removals=x")).await.status, 404);
}

#[tokio::test]
async fn a_coordinator_settles_a_report_by_a_renewal_that_they_see_first_and_can_undo() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    with_report(&place, "E-1", "a2", "other-date").await;
    with_report(&place, "E-3", "a3", "other-date").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let today = administrator.get("/today").await;
    assert!(
        today.text.contains(&format!("<a href=\"{PAGE}\">portal har meldt om 2 fullførte kurs")),
        "{}",
        today.text
    );
    let mut browser = signed_in(&place, "coordinator").await;
    let runs = browser.get("/runs").await;
    assert!(runs.text.contains("href=\"/partners\""), "{}", runs.text);
    let page = browser.get(PAGE).await;
    assert!(page.text.contains("Partneren har en annen siste gyldige dag"), "{}", page.text);
    assert!(!page.text.contains("E-3"), "{}", page.text);
    assert_eq!(browser.get(&settlement("E-3")).await.status, 404);
    let form = browser.get(&settlement("E-1")).await;
    assert_eq!(element(&form, "h1"), "Avgjør melding om Mentor a2");
    for words in ["10. juni 2026", "31. desember 2028", "M-a2"] {
        assert!(form.text.contains(words), "{words} in {}", form.text);
    }
    // A refused form keeps what was entered.
    for (entered, says) in [
        (&[("date", "1.2.2029")][..], "Velg om sertifiseringen skal fornyes"),
        (&[("decision", "accept"), ("date", "31.02.2029")], "Skriv datoen som"),
        (&[("decision", "accept"), ("date", "01.01.2020")], "allerede ha utløpt"),
    ] {
        let refused = send(&mut browser, &form, entered).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
        let date = entered.iter().find(|(name, _)| *name == "date").unwrap().1;
        assert!(
            refused.text.contains(says) && refused.text.contains(&format!("value=\"{date}\"")),
            "{}",
            refused.text
        );
    }
    let check = send(&mut browser, &form, &[("decision", "accept")]).await;
    assert_eq!(check.status, 200, "{}", check.text);
    assert!(check.text.contains("søndag 31. desember 2028"), "{}", check.text);
    assert_eq!(outcome(&place, "E-1").await, "waiting", "it is not saved yet");
    // The form is checked against the certification that the person saw.
    place
        .database
        .execute("update public.peer_mentor_certifications set expires_at = '2026-09-09T20:00:00Z' where id::text like '%0200a2'")
        .await;
    let refused = send(&mut browser, &check, &[("step", "save")]).await;
    assert!(refused.status == 422 && refused.text.contains("Noen andre har endret"), "{}", refused.text);
    let check = send(&mut browser, &refused, &[("decision", "accept"), ("date", "30.11.2028")]).await;
    for number in 0..2 {
        let saved = send(&mut browser, &check, &[("step", "save")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        let expected = [format!("{}?done=renewed", certification("a2")), format!("{PAGE}?done=settled")];
        assert!(saved.location.as_ref().unwrap().ends_with(&expected[number]), "{:?}", saved.location);
    }
    assert_eq!(outcome(&place, "E-1").await, "accepted Coordinator");
    let page = browser.get(&format!("{}?done=renewed", certification("a2"))).await;
    assert_eq!(element(&page, "h1"), "Fornyet: Mentor a2, Own");
    for words in ["30. november 2028", "Registrert av Coordinator", "portal: E-1"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let renewals: i64 = place
        .database
        .value("select jsonb_array_length(jsonb_path_query_array(renewal_history, '$[*] ? (@.kind == \"renewed\" && @.source == \"portal\")'))::bigint from public.peer_mentor_certifications where id::text like '%0200a2'")
        .await;
    assert_eq!(renewals, 1);
    assert!(page.text.contains("/undos"), "it can be undone: {}", page.text);
    let undone = send(&mut browser, &page, &[]).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    let expires: String = place
        .database
        .value("select (expires_at at time zone 'UTC')::text from public.peer_mentor_certifications where id::text like '%0200a2'")
        .await;
    assert_eq!(expires, "2026-09-09 20:00:00");
    assert_eq!(outcome(&place, "E-1").await, "accepted Coordinator", "a decision is made once");
}

#[tokio::test]
async fn a_report_is_dismissed_once_by_those_who_may_change_the_certification() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    with_report(&place, "E-2", "a2", "renewed-since").await;
    with_report(&place, "E-3", "a3", "renewed-since").await;
    let before: String =
        place.database.value("select max(updated_at)::text from public.peer_mentor_certifications").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let form = browser.get(&settlement("E-2")).await;
    let check = send(&mut browser, &form, &[("decision", "dismiss")]).await;
    assert!(check.text.contains("Det kan ikke angres"), "{}", check.text);
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains("value=\"dismiss\" checked"), "{}", edited.text);
    for _ in 0..2 {
        let saved = send(&mut browser, &check, &[("step", "save")]).await;
        assert!(saved.location.unwrap().ends_with(&format!("{PAGE}?done=settled")), "{}", saved.text);
    }
    assert_eq!(outcome(&place, "E-2").await, "dismissed Coordinator");
    let after: String =
        place.database.value("select max(updated_at)::text from public.peer_mentor_certifications").await;
    assert_eq!(after, before);
    assert_eq!(
        element(&browser.get(&format!("{PAGE}?done=settled")).await, "h1"),
        "Meldingen er avgjort: portal"
    );
    assert_eq!(browser.get(&settlement("E-2")).await.status, 404, "it waits no longer");
    // A report of another chapter is as unknown as one that never came.
    let token = csrf(&mut browser).await;
    for event in ["E-3", "E-99"] {
        let fields = [("csrf", token.as_str()), ("event", event), ("decision", "dismiss"), ("step", "save")];
        let answer = browser.post(&format!("{PAGE}/settlements"), &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    assert_eq!(outcome(&place, "E-3").await, "waiting");
    for (who, expected) in [("mentor", 404), ("outsider", 404)] {
        let mut browser = signed_in(&place, who).await;
        let token = csrf(&mut browser).await;
        let fields = [("csrf", token.as_str()), ("event", "E-3"), ("decision", "dismiss"), ("step", "save")];
        let answer = browser.post(&format!("{PAGE}/settlements"), &fields).await;
        assert_eq!(answer.status, expected, "{who}: {}", answer.text);
    }
    assert_eq!(outcome(&place, "E-3").await, "waiting");
}

#[tokio::test]
async fn nobody_settles_a_report_about_themselves() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    with_report(&place, "E-2", "a2", "other-date").await;
    // The mentor becomes an administrator, and a coordinator of their chapter.
    place
        .database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role) values
               ('{ORGANISATION}', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000100a2', 'org_admin'),
               ('{ORGANISATION}', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000100a2', 'coordinator')"
        ))
        .await;
    let mut browser = signed_in(&place, "mentor").await;
    let page = browser.get(PAGE).await;
    assert!(page.text.contains("Meldingen gjelder deg"), "{}", page.text);
    assert_eq!(browser.get(&settlement("E-2")).await.status, 403);
    let token = csrf(&mut browser).await;
    for decision in ["accept", "dismiss"] {
        let fields = [("csrf", token.as_str()), ("event", "E-2"), ("decision", decision), ("step", "save")];
        let answer = browser.post(&format!("{PAGE}/settlements"), &fields).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    assert_eq!(outcome(&place, "E-2").await, "waiting");
}

#[tokio::test]
async fn an_administrator_finds_the_certification_of_an_unknown_mentor() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    with_report(&place, "E-7", "", "mentor-unknown").await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    assert!(!coordinator.get(PAGE).await.text.contains("M-unknown"));
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get(PAGE).await;
    assert!(page.text.contains("Ukjent likeperson med nøkkelen M-unknown"), "{}", page.text);
    let form = browser.get(&settlement("E-7")).await;
    assert!(!form.text.contains("value=\"accept\""), "{}", form.text);
    let refused = send(&mut browser, &form, &[("decision", "accept")]).await;
    assert!(refused.status == 422 && refused.text.contains("href=\"#q\""), "{}", refused.text);
    let found = browser.get(&format!("{}&q=mentor", settlement("E-7"))).await;
    for (name, is_shown) in [("Mentor a1", true), ("Mentor a4", true), ("Mentor b1", false)] {
        assert_eq!(found.text.contains(name), is_shown, "{name}: {}", found.text);
    }
    let refused = send(&mut browser, &found, &[("decision", "accept")]).await;
    assert!(refused.status == 422 && refused.text.contains("href=\"#certification\""), "{}", refused.text);
    // A certification of another organisation is not one of them.
    let other = certification("b1").rsplit('/').next().unwrap().to_owned();
    let refused = send(&mut browser, &found, &[("decision", "accept"), ("certification", &other)]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let chosen = certification("a4").rsplit('/').next().unwrap().to_owned();
    let check = send(&mut browser, &found, &[("decision", "accept"), ("certification", &chosen)]).await;
    assert!(check.text.contains("Mentor a4, Below"), "{}", check.text);
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    assert!(
        saved.location.unwrap().ends_with(&format!("{}?done=renewed", certification("a4"))),
        "{}",
        saved.text
    );
    assert_eq!(outcome(&place, "E-7").await, "accepted Administrator");
    let key: Option<String> =
        place.database.value("select partner_key from certvakt.partner_reports where event_id = 'E-7'").await;
    assert_eq!(key, None, "nobody here knows them");
}

#[tokio::test]
async fn what_is_off_or_stopped_says_since_when_and_why() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let stopped = |by: &str| {
        format!(
            "update certvakt.partners set stopped_at = '2026-06-11T10:00:00Z', stopped_by = '{by}', stopped_reason = 'x'"
        )
    };
    for (sql, words, may_resume) in [
        ("select".to_owned(), "Virker som den skal", false),
        (stopped("contract"), "svarte på en annen måte enn avtalt", true),
        (stopped("sign-in"), "godtar ikke innloggingen vår", true),
        (stopped("outage"), "Partneren svarer ikke", false),
    ] {
        place.database.execute(&sql).await;
        let page = coordinator.get(PAGE).await;
        assert!(page.text.contains(words), "{words} in {}", page.text);
        assert_eq!(page.text.contains("Stanset siden 11. juni 2026"), sql != "select", "{}", page.text);
        assert!(!page.text.contains("/resumptions"), "{}", page.text);
        let page = administrator.get(PAGE).await;
        assert_eq!(page.text.contains(&format!("href=\"{PAGE}/resumptions\"")), may_resume, "{words}");
        let form = administrator.get(&format!("{PAGE}/resumptions")).await;
        assert_eq!(form.status, if may_resume { 200 } else { 303 }, "{words}");
    }
    assert_eq!(coordinator.get(&format!("{PAGE}/resumptions")).await.status, 403);
    let token = csrf(&mut coordinator).await;
    let answer = coordinator.post(&format!("{PAGE}/resumptions"), &[("csrf", &token)]).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    // Turning it off says since when.
    place.database.ok(["partner", "disable", "portal", "--organisation", "a"]);
    place.database.execute("update certvakt.partners set switched_at = '2026-06-14T10:00:00Z'").await;
    place.database.ok(["partner", "disable", "portal", "--organisation", "a"]);
    let page = coordinator.get(PAGE).await;
    assert_eq!(element(&page, "h1"), "portal er slått av");
    assert!(page.text.contains("Slått av siden 14. juni 2026"), "{}", page.text);
    assert!(coordinator.get("/partners").await.text.contains("Slått av siden 14. juni 2026"));
    assert_eq!(administrator.get(&format!("{PAGE}/resumptions")).await.status, 303);
}

#[tokio::test]
async fn an_administrator_resumes_sending_when_the_portal_follows_the_contract_again() {
    let portal = Portal::start(Kind::Webhook).await;
    portal.contract("1", &[]);
    // It knows the mentors, and the one of the contract's examples.
    let keys: Vec<String> = CHAPTERS.iter().map(|chapter| format!("M-{chapter}")).collect();
    portal.know(&[keys, vec!["example-1".to_owned()]].concat()).await;
    let place = TestService::start(&portal.settings("a")).await;
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "html", "times": 1000 }] })).await;
    with_partner(&place).await;
    // The portal listed them all; one is suspended, and another is to be added.
    portal
        .control(&json!({ "set": { "M-a1": "active", "M-a2": "active", "M-a3": "active", "M-a4": "inactive" }, "render": true }))
        .await;
    place
        .database
        .execute(
            "update certvakt.listings set accepted_number = 0, accepted_listed = null, confirmed_number = 0, seen_listed = null where partner_key = 'M-a4';
             update public.peer_mentor_certifications set status = 'suspended' where id::text like '%0200a2'",
        )
        .await;
    place.database.until("select coalesce(stopped_by = 'contract', false) from certvakt.partners").await;
    let mut browser = signed_in(&place, "administrator").await;
    let today = browser.get("/today").await;
    assert!(
        today.text.contains(&format!("<a href=\"{PAGE}\">portal får ikke lenger vite")),
        "{}",
        today.text
    );
    let form = browser.get(&format!("{PAGE}/resumptions")).await;
    assert_eq!(element(&form, "h1"), "Start sendingen til portal igjen?");
    for words in ["Én likeperson tas av listen.", "Én likeperson settes på listen."] {
        assert!(form.text.contains(words), "{words} in {}", form.text);
    }
    // It still breaks the contract.
    let refused = send(&mut browser, &form, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("Partneren svarer fortsatt ikke slik det er avtalt"), "{}", refused.text);
    assert!(refused.text.contains("Dette svarte partneren"), "{}", refused.text);
    let is_stopped: bool =
        place.database.value("select coalesce(stopped_by = 'contract', false) from certvakt.partners").await;
    assert!(is_stopped);
    portal.control(&json!({ "faults": [] })).await;
    // A form of an earlier stop resumes nothing.
    let stopped = hidden(&form).into_iter().find(|(name, _)| name == "stopped").unwrap().1;
    let earlier = (stopped.parse::<i64>().unwrap() - 1).to_string();
    for other in [earlier.as_str(), "", "x"] {
        let answer = send(&mut browser, &form, &[("stopped", other)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(
            place
                .database
                .value::<bool>("select coalesce(stopped_by = 'contract', false) from certvakt.partners")
                .await
        );
    }
    for _ in 0..2 {
        let done = send(&mut browser, &form, &[]).await;
        assert!(
            done.location.as_ref().is_some_and(|to| to.ends_with(&format!("{PAGE}?done=resumed"))),
            "{}",
            done.text
        );
    }
    place.database.until("select bool_and(accepted_number = number) from certvakt.listings").await;
    let told = portal.told().await;
    for (key, state) in [("M-a2", "inactive"), ("M-a4", "active")] {
        let last = told.iter().rev().find(|(told, _)| told == key).unwrap();
        assert_eq!(last.1, state, "{key}: {told:?}");
    }
    let page = browser.get(&format!("{PAGE}?done=resumed")).await;
    assert_eq!(element(&page, "h1"), "Sendingen til portal er startet igjen", "{}", page.text);
}
