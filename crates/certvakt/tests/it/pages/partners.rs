//! The partners: who may be listed wrongly, and the end of a stop.

use serde_json::json;

use super::{certification, element, hidden, send, signed_in};
use crate::harness::NOON;
use crate::partner::portal::{Kind, Portal};
use crate::sign_in::{Browser, TestService, between};

/// The organisation of the test data, and the page of its partner.
pub(super) const ORGANISATION: &str = "00000000-0000-4000-8000-0000000000a0";
pub const PAGE: &str = "/partners/00000000-0000-4000-8000-0000000000a0/portal";
/// The certification of a mentor who was enrolled as M-x, by the chapter x.
const CHAPTERS: [&str; 4] = ["a1", "a2", "a3", "a4"];

/// Adds the partner `portal`, at which the mentors of the organisation are enrolled, listed and shown.
pub(super) async fn with_partner(place: &TestService) {
    place.database.execute(&partner()).await;
}

/// The SQL that adds it.
pub fn partner() -> String {
    let enrolled: String = CHAPTERS
        .map(|chapter| {
            format!(
                "insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
                 values ('{ORGANISATION}', 'portal', 'M-{chapter}', '00000000-0000-4000-8000-0000000100{chapter}', '{NOON}');"
            )
        })
        .concat();
    format!(
        "begin; select set_config('certvakt.now', '{NOON}', true);
         insert into certvakt.partners (organisation_id, code, environment, contract, accepted_environment, reconciled_at, enrolled_shown, switched_at)
           values ('{ORGANISATION}', 'portal', 'live', '1', 'live', now(), 4, '2026-06-01T10:00:00Z');
         insert into certvakt.partner_types values ('{ORGANISATION}', 'portal', 'type');
         {enrolled}
         update certvakt.listings set accepted_number = number, accepted_listed = true, confirmed_number = number, seen_listed = true;
         commit"
    )
}

/// Adds a report that waits: its event, the chapter of its mentor, and its reason.
pub(super) async fn with_report(place: &TestService, event: &str, chapter: &str, reason: &str) {
    place.database.execute(&report(event, chapter, reason)).await;
}

/// The SQL that adds it.
pub fn report(event: &str, chapter: &str, reason: &str) -> String {
    let (key, id) = match chapter {
        "" => ("M-unknown".to_owned(), "null".to_owned()),
        _ => (format!("M-{chapter}"), format!("'{}'", certification(chapter).rsplit('/').next().unwrap())),
    };
    format!(
        "insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, certification_type,
           certification_id, completed_on, valid_until, outcome, reason)
         values ('{ORGANISATION}', 'portal', 'live', '{event}', '{key}', 'type', {id}, '2026-06-10', '2028-12-31', 'waiting', '{reason}');"
    )
}

pub(super) async fn csrf(browser: &mut Browser) -> String {
    between(&browser.get("/me").await.text, "name=\"csrf\" value=\"", "\"")
}

pub(super) fn settlement(event: &str) -> String {
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
        assert!(page.text.contains(" sto 4 av likepersonene våre på listen."), "{}", page.text);
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
    assert_eq!(element(&page, "h1"), "portal: 2 problemer må løses");
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
               select ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'Mange ' || n from generate_series(1, 35) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
               select c.organisation_id, c.id, ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'type', '2027-07-10T20:00:00Z'
               from generate_series(1, 35) n, certvakt.chapters c where c.slug = 'own';
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               select '{ORGANISATION}', 'portal', 'P-' || to_char(n, 'FM00'), ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, '{NOON}'
               from generate_series(1, 35) n;
             update certvakt.listings set listing_consent_at = null where partner_key like 'P-%';
             insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, partner_key, completed_on, outcome, reason)
               select '{ORGANISATION}', 'portal', 'live', 'E-' || to_char(n, 'FM00'), 'P-' || to_char(n, 'FM00'), '2026-06-01', 'waiting', 'course-unknown'
               from generate_series(1, 35) n;
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
    assert_eq!((first_keys.len(), first_events.len()), (25, 25));
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
        assert_eq!(all.len(), 35, "{parameter}");
    }
    for wrong in ["x", "1_", "_P-01", "99999999999999999999_P", "-5_P"] {
        let status = browser.get(&format!("{PAGE}?removals={wrong}")).await.status;
        assert!(matches!(status, 200 | 404), "{wrong}: {status}");
    }
    assert_eq!(browser.get(&format!("{PAGE}?removals=x")).await.status, 404);
    assert_eq!(browser.get(&format!("{PAGE}?removals=1700000000000000_%00")).await.status, 422);
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
        (stopped("contract"), "svarte ikke som avtalt", true),
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

#[tokio::test]
async fn an_undo_lists_a_mentor_again_after_a_while_and_delists_at_once() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let waits = async || -> String {
        place
            .database
            .value(
                "select concat_ws(' ', is_listed, cause, available_at > now() + interval '10 minutes')
                 from certvakt.listings where partner_key = 'M-a2'",
            )
            .await
    };
    let path = certification("a2");
    let form = browser.get(&format!("{path}/suspensions")).await;
    let suspended = send(&mut browser, &form, &[]).await;
    assert_eq!(waits().await, "f suspended f");
    let page = browser.get(&suspended.location.unwrap()).await;
    send(&mut browser, &page, &[]).await;
    assert_eq!(waits().await, "t undone t");
    // A renewal of one who has lapsed lists them; the undo of it delists them.
    place
        .database
        .execute(&format!(
            "select set_config('certvakt.now', '{NOON}', false);
             update public.peer_mentor_certifications set expires_at = '2026-06-01T20:00:00Z' where id::text like '%0200a2'"
        ))
        .await;
    assert_eq!(waits().await, "f corrected f");
    let form = browser.get(&format!("{path}/renewals")).await;
    let check = send(&mut browser, &form, &[("date", "30.06.2028")]).await;
    let renewed = send(&mut browser, &check, &[("step", "save")]).await;
    assert_eq!(waits().await, "t renewed f");
    let page = browser.get(&renewed.location.unwrap()).await;
    send(&mut browser, &page, &[]).await;
    assert_eq!(waits().await, "f undone f");
}
