//! The forms that change a certification.

use super::{certification, element, hidden, send, signed_in};
use crate::harness::NOON;
use crate::sign_in::{Browser, TestService, between};

/// The kinds of the entries in a history.
async fn kinds(place: &TestService, chapter: &str) -> String {
    let sql = format!(
        "select coalesce(string_agg(e ->> 'kind', ' '), '') from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) e
         where c.id = '{}'",
        certification(chapter).rsplit('/').next().unwrap()
    );
    place.database.value(&sql).await
}

#[tokio::test]
async fn a_renewal_is_repeated_in_words_before_it_is_saved_once() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.certification_types set validity_months = 24").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let page = browser.get(&path).await;
    assert_eq!(element(&page, "h1"), "Mentor a2, Type, 20. juni 2026");
    assert!(page.text.contains(&format!("href=\"{path}/renewals\"")), "{}", page.text);
    let form = browser.get(&format!("{path}/renewals")).await;
    assert!(
        form.text.contains("name=\"date\" ") && form.text.contains("value=\"15.06.2026\""),
        "{}",
        form.text
    );

    // A refused form keeps everything entered, and its title says so.
    for (date, says) in [
        ("31.02.2026", "Denne datoen finnes ikke"),
        ("i går", "Skriv datoen som"),
        ("16.06.2026", "ikke være fullført etter i dag"),
    ] {
        let refused = send(&mut browser, &form, &[("date", date), ("note", "Kurs i <Bergen>")]).await;
        assert_eq!(refused.status, 422);
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
        assert!(refused.text.contains(&format!("value=\"{date}\"")), "{}", refused.text);
        assert!(
            refused.text.contains("Kurs i &#60;Bergen&#62;") && refused.text.contains(says),
            "{}",
            refused.text
        );
        assert!(refused.text.contains("href=\"#date\"") && refused.text.contains("aria-invalid=\"true\""));
    }

    let check = send(
        &mut browser,
        &form,
        &[("date", "10.6.2026"), ("evidence", "bevis 7"), ("note", "Kurs i Bergen")],
    )
    .await;
    assert_eq!(check.status, 200, "{}", check.text);
    for words in
        ["onsdag 10. juni 2026", "lørdag 20. juni 2026", "lørdag 10. juni 2028", "bevis 7", "Kurs i Bergen"]
    {
        assert!(check.text.contains(words), "{words} in {}", check.text);
    }
    assert_eq!(kinds(&place, "a2").await, "", "it is not saved yet");
    // The person can go back, and finds what was entered.
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains("value=\"10.6.2026\"") && edited.text.contains("Kurs i Bergen</textarea>"));

    let key = hidden(&check).into_iter().find(|(name, _)| name == "key").unwrap().1;
    assert_eq!(key.len(), 36);
    for _ in 0..2 {
        let saved = send(&mut browser, &check, &[("step", "save")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        assert!(saved.location.unwrap().ends_with(&format!("{path}?done=renewed")));
        assert_eq!(kinds(&place, "a2").await, "renewed", "a repeated form has no further effect");
    }
    let page = browser.get(&format!("{path}?done=renewed")).await;
    assert_eq!(element(&page, "h1"), "Fornyet: Mentor a2, Own, Type, 10. juni 2028");
    assert!(page.text.contains("<h1 tabindex=\"-1\" autofocus>"), "{}", page.text);
    for words in [
        "<strong>gjelder til og med 10. juni 2028&#10;om ",
        "dag før: 20. juni 2026. Nå: 10. juni 2028.",
        "Registrert av Coordinator",
        "bevis 7",
    ] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    // The result of an action that was not made is not shown.
    for done in ["withdrawn", "", "%3Cb%3E"] {
        let page = browser.get(&format!("{path}?done={done}")).await;
        assert_eq!(element(&page, "h1"), "Mentor a2, Type, 10. juni 2028");
    }
}

#[tokio::test]
async fn the_other_changes_follow_the_rules_of_the_api() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a4");
    // A type without a validity asks for the last valid day.
    let form = browser.get(&format!("{path}/renewals")).await;
    assert!(form.text.contains("Siste gyldige dag"), "{}", form.text);
    let refused = send(&mut browser, &form, &[("date", "")]).await;
    assert!(refused.status == 422 && refused.text.contains("Skriv en dato"), "{}", refused.text);
    for (action, date, checked, kind, heading) in [
        ("renewals", "2028-06-30", true, "renewed", "Fornyet"),
        ("corrections", "1/7/2028", true, "corrected", "Siste gyldige dag er rettet"),
        ("suspensions", "", false, "suspended", "Midlertidig stanset"),
        ("reinstatements", "", false, "reinstated", "Satt i kraft igjen"),
        ("suspensions", "30.06.2026", false, "suspended", "Midlertidig stanset"),
        ("withdrawals", "", true, "withdrawn", "Trukket tilbake"),
        ("reinstatements", "", false, "reinstated", "Satt i kraft igjen"),
    ] {
        let form = browser.get(&format!("{path}/{action}")).await;
        assert_eq!(form.status, 200, "{action}: {}", form.text);
        let mut answer = send(&mut browser, &form, &[("date", date)]).await;
        if checked {
            assert_eq!(answer.status, 200, "{action}: {}", answer.text);
            answer = send(&mut browser, &answer, &[("step", "save")]).await;
        }
        assert_eq!(answer.status, 303, "{action}: {}", answer.text);
        let page = browser.get(&answer.location.unwrap()).await;
        let expected = format!("{heading}: Mentor a4, Below, Type, ");
        assert!(element(&page, "h1").starts_with(&expected), "{action}: {}", page.text);
        assert!(kinds(&place, "a4").await.ends_with(kind), "{action}");
    }
    place
        .database
        .execute("update certvakt.certification_types set renewal_window_days = 30, validity_months = 12")
        .await;
    let form = browser.get(&format!("{path}/renewals")).await;
    let early = send(&mut browser, &form, &[("date", "15.06.2026")]).await;
    assert!(early.status == 422 && early.text.contains("name=\"early\""), "{}", early.text);
    let check = send(&mut browser, &early, &[("date", "15.06.2026"), ("early", "yes")]).await;
    assert_eq!(check.status, 200, "{}", check.text);
}

#[tokio::test]
async fn a_change_of_somebody_else_in_the_meantime_is_shown_and_kept() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let form = browser.get(&format!("{path}/corrections")).await;
    place.database.execute("update public.peer_mentor_certifications set expires_at = '2026-09-09T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a2'").await;
    let refused = send(&mut browser, &form, &[("date", "01.08.2026"), ("note", "ny dato")]).await;
    assert_eq!(refused.status, 422);
    for words in ["Noen andre har endret", "9. september 2026", "value=\"01.08.2026\"", "ny dato</textarea>"]
    {
        assert!(refused.text.contains(words), "{words} in {}", refused.text);
    }
    // The form now has the new version.
    let check = send(&mut browser, &refused, &[("date", "01.08.2026")]).await;
    assert_eq!(check.status, 200, "{}", check.text);
}

#[tokio::test]
async fn nobody_changes_what_is_not_theirs_or_their_own() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '00000000-0000-4000-8000-000000000001', 'mentor' from certvakt.chapters where slug = 'own';
             insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select '00000000-0000-4000-8000-0000000200c1', organisation_id, id, '00000000-0000-4000-8000-000000000001', 'type', '2026-06-20T20:00:00Z'
             from certvakt.chapters where slug = 'own'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let actions = ["renewals", "corrections", "suspensions", "reinstatements", "withdrawals"];
    let own = browser.get(&certification("c1")).await;
    assert!(
        own.text.contains("Dette er din egen sertifisering") && !own.text.contains("/renewals"),
        "{}",
        own.text
    );
    let form = browser.get(&(certification("a2") + "/renewals")).await;
    let hidden = hidden(&form);
    let csrf = hidden.iter().find(|(name, _)| name == "csrf").unwrap().1.as_str();
    for (chapter, status) in [("c1", 403), ("b1", 404), ("a3", 404), ("zz", 404)] {
        for action in actions {
            let path = format!("{}/{action}", certification(chapter));
            assert_eq!(browser.get(&path).await.status, status, "{path}");
            let form = [("csrf", csrf), ("date", "01.08.2028"), ("step", "save")];
            let page = browser.post(&path, &form).await;
            assert_eq!(page.status, status, "{path}: {}", page.text);
        }
    }
    let path = certification("a2") + "/withdrawals";
    for form in [&[("step", "save")][..], &[("csrf", "wrong"), ("step", "save")]] {
        assert_eq!(browser.post(&path, form).await.status, 403, "no page of ours sent it");
    }
    browser.headers.push(("sec-fetch-site", "cross-site".to_owned()));
    assert_eq!(browser.post(&path, &[("csrf", csrf), ("step", "save")]).await.status, 403);
    browser.headers.clear();
    assert_eq!(kinds(&place, "a2").await + &kinds(&place, "c1").await, "");
    // A mentor sees their own certification, and cannot change it.
    let mut mentor = signed_in(&place, "mentor").await;
    assert_eq!(mentor.get(&certification("a2")).await.status, 200);
    assert_eq!(mentor.get(&(certification("a2") + "/renewals")).await.status, 403);
    assert_eq!(mentor.get(&certification("a4")).await.status, 404);
}

/// The date, the status and the end of the suspension of a certification, and the notices of it.
async fn facts(place: &TestService, chapter: &str) -> String {
    let id = certification(chapter);
    let id = id.rsplit('/').next().unwrap();
    place
        .database
        .value(&format!(
            "select concat_ws(' ', expires_at, status, suspended_until, (
               select count(*) from public.cert_notification_log l where l.certification_id = c.id))
             from public.peer_mentor_certifications c where id = '{id}'"
        ))
        .await
}

#[tokio::test]
async fn the_last_change_can_be_undone_by_the_person_who_made_it() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.certification_types set validity_months = 24").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    for (action, date, kinds_after) in [
        ("renewals", "10.06.2026", "renewed undone"),
        ("corrections", "01.07.2026", "corrected undone"),
        ("suspensions", "30.06.2026", "suspended reinstated"),
    ] {
        let before = (facts(&place, "a2").await, kinds(&place, "a2").await);
        let form = browser.get(&format!("{path}/{action}")).await;
        let mut answer = send(&mut browser, &form, &[("date", date)]).await;
        if answer.status == 200 {
            answer = send(&mut browser, &answer, &[("step", "save")]).await;
        }
        let page = browser.get(&answer.location.unwrap()).await;
        assert!(page.text.contains("Angre din siste endring"), "{action}: {}", page.text);
        for _ in 0..2 {
            let undone = send(&mut browser, &page, &[]).await;
            assert_eq!(undone.status, 303, "{action}: {}", undone.text);
            let page = browser.get(&undone.location.unwrap()).await;
            assert!(element(&page, "h1").starts_with("Angret: Mentor a2, Own, "), "{}", page.text);
            assert!(page.text.contains("<a href=\"/certifications#q\">Finn en annen</a>"), "{}", page.text);
            assert!(!page.text.contains("Angre din siste endring"), "{}", page.text);
            assert_eq!(facts(&place, "a2").await, before.0, "{action}");
            let entries = format!("{} {kinds_after}", before.1);
            assert_eq!(kinds(&place, "a2").await, entries.trim(), "{action}: a repeated form has no effect");
        }
    }
    let page = browser.get(&path).await;
    assert!(
        page.text.contains("Stansen ble angret") && !page.text.contains("Finn en annen"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn people_find_their_own_changes_of_the_last_day_and_undo_one() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let none = browser.get("/changes").await;
    assert_eq!(element(&none, "h1"), "Du har ikke endret eller registrert noe det siste døgnet");
    for (chapter, date) in [("a2", "01.07.2026"), ("a4", "")] {
        let action = if date.is_empty() { "suspensions" } else { "corrections" };
        let form = browser.get(&format!("{}/{action}", certification(chapter))).await;
        let mut answer = send(&mut browser, &form, &[("date", date)]).await;
        if answer.status == 200 {
            answer = send(&mut browser, &answer, &[("step", "save")]).await;
        }
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    for page in ["/today", "/me"] {
        assert!(browser.get(page).await.text.contains("href=\"/changes\""), "{page}");
    }
    let page = browser.get("/changes").await;
    assert_eq!(element(&page, "h1"), "Du har registrert 2 endringer og kontakter det siste døgnet");
    for words in ["Mentor a2", "Siste gyldige dag før endringen: 20. juni 2026.", "Mentor a4"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(
        administrator.get("/changes").await.text.contains("ikke endret eller registrert noe"),
        "only one's own"
    );

    // Somebody changes one of them, which keeps it.
    place.database.execute("update public.peer_mentor_certifications set expires_at = '2026-09-09T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a4'").await;
    let page = browser.get("/changes").await;
    assert_eq!(page.text.matches(">Angre<").count(), 1, "{}", page.text);
    assert!(page.text.contains("er endret etterpå"), "{}", page.text);
    let undone = send(&mut browser, &page, &[]).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    assert_eq!(
        element(&browser.get(&undone.location.unwrap()).await, "h1"),
        "Angret: Mentor a2, Own, Type, 20. juni 2026"
    );
    let page = browser.get("/changes").await;
    assert!(page.text.contains("Angret ") && !page.text.contains(">Angre<"), "{}", page.text);
}

#[tokio::test]
async fn an_undo_is_refused_after_another_change_to_others_and_after_a_day() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let path = certification("a2");
    let suspended = async |browser: &mut Browser| {
        let form = browser.get(&format!("{path}/suspensions")).await;
        let answer = send(browser, &form, &[("date", "")]).await;
        browser.get(&answer.location.unwrap()).await
    };
    let page = suspended(&mut browser).await;
    assert!(!administrator.get(&path).await.text.contains("Angre din siste endring"));
    let form = administrator.get("/me").await;
    let csrf = between(&form.text, "name=\"csrf\" value=\"", "\"");
    let action = between(&page.text, "action=\"/changes/", "\"");
    let fields = [("csrf", csrf.as_str()), ("certification", path.rsplit('/').next().unwrap())];
    let others = administrator.post(&format!("/changes/{action}"), &fields).await;
    assert_eq!(others.status, 404, "{}", others.text);

    place.database.execute("update public.peer_mentor_certifications set expires_at = '2026-09-09T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a2'").await;
    assert!(!browser.get(&path).await.text.contains("Angre din siste endring"));
    let before = facts(&place, "a2").await;
    let late = send(&mut browser, &page, &[]).await;
    assert!(late.status == 412 && late.text.contains("Noen endret den"), "{} {}", late.status, late.text);
    assert_eq!(facts(&place, "a2").await, before);

    let form = browser.get(&format!("{path}/reinstatements")).await;
    let answer = send(&mut browser, &form, &[]).await;
    let page = browser.get(&answer.location.unwrap()).await;
    place.database.execute("update certvakt.change_results set made_at = made_at - interval '1 day'").await;
    assert!(!browser.get(&path).await.text.contains("Angre din siste endring"));
    assert_eq!(send(&mut browser, &page, &[]).await.status, 404);
    // A withdrawal is confirmed instead.
    let form = browser.get(&format!("{path}/withdrawals")).await;
    let check = send(&mut browser, &form, &[]).await;
    let answer = send(&mut browser, &check, &[("step", "save")]).await;
    let page = browser.get(&answer.location.unwrap()).await;
    assert!(!page.text.contains("Angre din siste endring"), "{}", page.text);
}

#[tokio::test]
async fn an_undone_renewal_of_a_lapsed_certification_notifies_nobody_again() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "update certvakt.certification_types set validity_months = 24;
             update public.peer_mentor_certifications set expires_at = '2026-06-10T20:00:00Z'
             where id = '00000000-0000-4000-8000-0000000200a2'",
        )
        .await;
    let run = || {
        let mut command = place.database.certvakt(["run"]);
        let output = command.env("CERTVAKT_NOW", NOON).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run();
    let before = facts(&place, "a2").await;
    assert!(before.contains("expired 2"), "{before}");
    let mut browser = signed_in(&place, "coordinator").await;
    let form = browser.get(&format!("{}/renewals", certification("a2"))).await;
    let check = send(&mut browser, &form, &[("date", "10.06.2026")]).await;
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    let page = browser.get(&saved.location.unwrap()).await;
    assert_eq!(send(&mut browser, &page, &[]).await.status, 303);
    run();
    assert_eq!(facts(&place, "a2").await, before);
    // The cycle began before the mistake, so the next renewal records the notice of it.
    let form = browser.get(&format!("{}/renewals", certification("a2"))).await;
    let check = send(&mut browser, &form, &[("date", "11.06.2026")]).await;
    assert_eq!(send(&mut browser, &check, &[("step", "save")]).await.status, 303);
    let told = "select renewal_history -> -1 ->> 'told' from public.peer_mentor_certifications where right(id::text, 4) = '00a2'";
    assert_eq!(place.database.value::<String>(told).await, "[\"expired\"]");
}

#[tokio::test]
async fn the_undo_of_a_change_that_somebody_was_notified_of_sends_a_correction() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "insert into certvakt.contact_points (person_id, kind, address)
             values ('00000000-0000-4000-8000-0000000100a2', 'email', 'ok-mentor@example.org')",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mails = "select count(*) from certvakt.mail_queue where kind = 'notice-corrected'";
    for (chapter, state, says, corrections) in [
        ("a2", "pending", "", 0),
        ("a4", "delivered", "ingen e-postadresse vi kan rette det på", 0),
        ("a2", "delivered", "Likepersonen får en rettelse på e-post", 1),
    ] {
        let form = browser.get(&format!("{}/corrections", certification(chapter))).await;
        let check = send(&mut browser, &form, &[("date", "10.06.2026")]).await;
        let saved = send(&mut browser, &check, &[("step", "save")]).await;
        let page = browser.get(&saved.location.unwrap()).await;
        let id = certification(chapter).rsplit('/').next().unwrap().to_owned();
        place
            .database
            .execute(&format!(
                "insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key)
                 select id, 'expired', peer_mentor_id, certvakt.notice_key(id, 'expired', date '2026-06-11' + {corrections})
                 from public.peer_mentor_certifications where id = '{id}' on conflict do nothing;
                 insert into certvakt.deliveries (id, organisation_id, stage, due_date, expires_at, state, available_at, finished_at)
                 select l.id, c.organisation_id, 'expired', '2026-06-11', c.expires_at, '{state}',
                   case '{state}' when 'pending' then 'infinity'::timestamptz end, case '{state}' when 'delivered' then now() end
                 from public.cert_notification_log l join public.peer_mentor_certifications c on c.id = l.certification_id
                 where l.certification_id = '{id}' on conflict do nothing"
            ))
            .await;
        assert_eq!(send(&mut browser, &page, &[]).await.status, 303);
        assert_eq!(place.database.value::<i64>(mails).await, corrections, "{chapter} {state}");
        let own = browser.get("/changes").await;
        assert!(own.text.contains(says), "{chapter} {state}: {}", own.text);
    }
    place
        .database
        .until("select count(*) = 1 from certvakt.mail_queue where kind = 'notice-corrected' and mailed_at is not null")
        .await;
    let mail = place.mail.mails().pop().unwrap();
    assert_eq!(mail["headers"]["subject"], "Rettelse av en melding");
    assert_eq!(mail["headers"]["to"], "ok-mentor@example.org");
    let text = mail["parts"][0]["text"].as_str().unwrap();
    assert!(text.contains("Du kan se bort fra varselet"), "{text}");
}
