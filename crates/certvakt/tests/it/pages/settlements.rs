//! The form that settles a partner's report.

use super::partners::{ORGANISATION, PAGE, csrf, settlement, with_partner, with_report};
use super::{certification, element, send, signed_in};
use crate::sign_in::TestService;

/// The outcome of a report, and who settled it.
async fn outcome(place: &TestService, event: &str) -> String {
    let sql = format!(
        "select concat_ws(' ', r.outcome, p.name) from certvakt.partner_reports r
         left join certvakt.people p on p.id = r.settled_by where r.event_id = '{event}'"
    );
    place.database.value(&sql).await
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
        (&[("decision", "accept"), ("date", "31.02.2029")], "Denne datoen finnes ikke"),
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
    assert_eq!(element(&page, "h1"), "Fornyet: Mentor a2, Own, Type, 30. november 2028");
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
