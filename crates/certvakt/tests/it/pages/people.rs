//! The forms that end mentors and hand chapters over.

use super::{certification, element, send, signed_in};
use crate::sign_in::{Browser, TestService, between};

/// A mentor of the test data, by their chapter.
pub(super) fn mentor(chapter: &str) -> String {
    format!("00000000-0000-4000-8000-0000000100{chapter}")
}

/// Sends the form that ends a mentor, through its check, and returns the page of the result.
async fn end(browser: &mut Browser, path: &str, reason: &str) -> String {
    let form = browser.get(&format!("{path}/endings")).await;
    assert_eq!(form.status, 200, "{}", form.text);
    let check = send(browser, &form, &[("reason", reason)]).await;
    assert_eq!(check.status, 200, "{}", check.text);
    let mut location = None;
    // A repeated form has no further effect.
    for _ in 0..2 {
        let saved = send(browser, &check, &[("step", "save")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        location = saved.location;
    }
    browser.get(&location.unwrap()).await.text
}

#[tokio::test]
async fn an_end_withdraws_cancels_delists_and_signs_out() {
    let place = TestService::start("").await;
    let person = mentor("a2");
    place
        .database
        .execute(&format!(
            "insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations where slug = 'a';
             insert into certvakt.partner_types select organisation_id, 'portal', 'type' from certvakt.partners;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               select organisation_id, 'portal', 'M-1', '{person}', now() from certvakt.partners;
             insert into certvakt.contact_points (person_id, kind, address, organisation_id)
               select '{person}', 'email', 'mentor@example.org', organisation_id from certvakt.partners"
        ))
        .await;
    // Partners' listings follow the database's clock.
    place.database.execute(&format!("update public.peer_mentor_certifications set expires_at = '2046-06-20' where peer_mentor_id = '{person}'")).await;
    let listed = "select is_listed from certvakt.listings";
    assert!(place.database.value::<bool>(listed).await);
    let mut theirs = signed_in(&place, "mentor").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let page = browser.get(&path).await;
    assert!(page.text.contains(&format!("href=\"{path}/endings\"")), "{}", page.text);

    let form = browser.get(&format!("{path}/endings")).await;
    let refused = send(&mut browser, &form, &[]).await;
    assert_eq!(refused.status, 422);
    assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
    assert!(
        refused.text.contains("href=\"#reason\"") && refused.text.contains("autofocus"),
        "{}",
        refused.text
    );
    let check = send(&mut browser, &form, &[("reason", "left")]).await;
    for words in
        ["Likepersonen har sluttet", "trekkes tilbake", "listene til partnerne", "blir den raden avvist"]
    {
        assert!(check.text.contains(words), "{words} in {}", check.text);
    }
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains("value=\"left\" checked"), "{}", edited.text);
    let changes = "select count(*) from certvakt.person_changes";
    assert_eq!(place.database.value::<i64>(changes).await, 0, "nothing is saved yet");

    let text = end(&mut browser, &path, "left").await;
    assert_eq!(between(&text, "autofocus>", "<"), "Har sluttet: Mentor a2, Own, Type, 20. juni 2046");
    for words in
        ["Likepersonen har sluttet.", "Trukket tilbake.", "Registrert av Coordinator", "Ble ikke sendt"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(
        !text.contains("/renewals") && !text.contains("/reinstatements") && !text.contains("/returns"),
        "{text}"
    );
    let after: String = place
        .database
        .value(&format!(
            "select concat_ws(' ', c.status, c.renewal_history -> -1 ->> 'kind', d.state, d.reason,
               (select count(*) from certvakt.memberships where person_id = c.peer_mentor_id),
               (select count(*) from certvakt.identities where person_id = c.peer_mentor_id),
               (select count(*) from certvakt.person_changes),
               (select string_agg(e.status, ',' order by e.number) from certvakt.partner_events e))
             from public.peer_mentor_certifications c join public.cert_notification_log l on l.certification_id = c.id
             join certvakt.deliveries d on d.id = l.id where c.peer_mentor_id = '{person}'"
        ))
        .await;
    assert_eq!(after, "suspended withdrawn cancelled person ended 0 0 1 listed,delisted");
    assert!(!place.database.value::<bool>(listed).await);
    // Their session has ended, and no link reaches them any more.
    let answer = theirs.get("/me").await;
    assert!(answer.status == 303 && answer.location.unwrap().contains("/sign-in"));
    let may: i64 =
        place.database.value("select count(*) from certvakt.people_of_address('mentor@example.org')").await;
    assert_eq!(may, 0);
    // The operator sees why.
    let explained = place.database.json(["explain", path.rsplit('/').next().unwrap()]);
    assert_eq!(explained["certifications"][0]["mentor_changes"][0]["kind"], "left", "{explained}");
    let text = place.database.ok(["explain", path.rsplit('/').next().unwrap()]);
    assert!(text.contains(": the mentor left"), "{text}");
}

#[tokio::test]
async fn only_an_administrator_takes_somebody_back() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    end(&mut browser, &path, "deceased").await;
    let form = browser.get(&format!("{path}/reinstatements")).await;
    let refused = send(&mut browser, &form, &[]).await;
    assert!(refused.status == 422 && refused.text.contains("har sluttet eller er død"), "{}", refused.text);
    let csrf = between(&form.text, "name=\"csrf\" value=\"", "\"");
    assert_eq!(browser.post(&format!("{path}/returns"), &[("csrf", &csrf)]).await.status, 403);
    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get(&path).await;
    let returned = send(&mut administrator, &page, &[]).await;
    assert_eq!(returned.status, 303, "{}", returned.text);
    let page = administrator.get(&returned.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Er tilbake: Mentor a2, Own, Type, 20. juni 2026");
    let form = browser.get(&format!("{path}/reinstatements")).await;
    let reinstated = send(&mut browser, &form, &[]).await;
    assert_eq!(reinstated.status, 303, "{}", reinstated.text);
}

#[tokio::test]
async fn an_end_stays_within_the_chapters_and_the_organisation() {
    let place = TestService::start("").await;
    let database = &place.database;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let path = certification("a4");
    let refused = |what: &'static str, status: u16| assert_eq!(status, 403, "{what}");
    let page = coordinator.get("/me").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let fields = [("csrf", csrf.as_str()), ("reason", "left"), ("step", "save")];
    // A mentor who also belongs to a chapter that the coordinator does not manage, or who has another role.
    for (slug, role) in [("beside", "mentor"), ("below", "coordinator"), ("below", "org_admin")] {
        let join = format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '{}', '{role}' from certvakt.chapters where slug = '{slug}'",
            mentor("a4")
        );
        database.execute(&join).await;
        let page = coordinator.get(&path).await;
        assert!(!page.text.contains("/endings"), "{role} of {slug}: {}", page.text);
        refused(role, coordinator.get(&format!("{path}/endings")).await.status);
        refused(role, coordinator.post(&format!("{path}/endings"), &fields).await.status);
        database
            .execute(&format!(
                "delete from certvakt.memberships m using certvakt.chapters h
                 where h.id = m.chapter_id and h.slug = '{slug}' and m.role = '{role}' and m.person_id = '{}'",
                mentor("a4")
            ))
            .await;
    }
    assert_eq!(database.value::<i64>("select count(*) from certvakt.person_changes").await, 0);
    // Nobody ends themselves.
    database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '{}', 'coordinator' from certvakt.chapters where slug = 'own'",
            mentor("a2")
        ))
        .await;
    let mut themselves = signed_in(&place, "mentor").await;
    refused("themselves", themselves.get(&format!("{}/endings", certification("a2"))).await.status);

    // Another organisation knows this person, and keeps everything.
    let person = "00000000-0000-4000-8000-000000000006";
    database
        .execute(&format!(
            "insert into certvakt.identities (issuer, subject, person_id) values ('https://issuer.example', 'twice', '{person}')"
        ))
        .await;
    let text =
        end(&mut administrator, "/certifications/00000000-0000-4000-8000-000000030001", "deceased").await;
    assert!(text.contains("Registrert som død: Mentor of two chapters, Top"), "{text}");
    let left: String = database
        .value(&format!(
            "select string_agg(o.slug, ',') || ' ' || (select count(*) from certvakt.identities i where i.person_id = '{person}')
             from certvakt.memberships m join certvakt.organisations o on o.id = m.organisation_id where m.person_id = '{person}'"
        ))
        .await;
    assert_eq!(left, "b 1");
}

/// The coordinators of a chapter, by name.
async fn coordinators(place: &TestService, slug: &str) -> String {
    place
        .database
        .value(&format!(
            "select coalesce(string_agg(p.name, ',' order by p.name), '') from certvakt.memberships m
             join certvakt.people p on p.id = m.person_id join certvakt.chapters h on h.id = m.chapter_id
             where h.slug = '{slug}' and m.role = 'coordinator'"
        ))
        .await
}

#[tokio::test]
async fn a_chapter_is_handed_over_in_one_form() {
    let place = TestService::start("").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get("/chapters").await;
    let path = "/chapters/00000000-0000-4000-8000-0000000000a2/coordinators";
    assert!(page.text.contains(&format!("href=\"{path}\"")), "{}", page.text);
    let form = administrator.get(path).await;
    assert_eq!(element(&form, "h1"), "Ny koordinator i Own");
    assert!(!form.text.contains("name=\"successor\""), "{}", form.text);
    let nobody = administrator.get(&format!("{path}?q=finnes+ikke")).await;
    assert!(nobody.text.contains("Ingen i foreningen passer"), "{}", nobody.text);
    // People of other organisations are not found.
    let form = administrator.get(&format!("{path}?q=mentor")).await;
    assert!(form.text.contains("Mentor a4 <span class=\"soft\">Below</span>"), "{}", form.text);
    assert!(!form.text.contains("Mentor b1"), "{}", form.text);

    // Nobody, somebody of another organisation, and somebody unknown.
    let present = "ends-00000000-0000-4000-8000-000000000001";
    for successor in ["", &mentor("b1"), "00000000-0000-4000-8000-00000000dead"] {
        let refused = send(&mut administrator, &form, &[("successor", successor), (present, "yes")]).await;
        assert_eq!(refused.status, 422, "{successor}: {}", refused.text);
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
        assert!(refused.text.contains("href=\"#successor\""), "{}", refused.text);
        assert!(
            refused.text.contains(&format!("name=\"{present}\" value=\"yes\" checked")),
            "{}",
            refused.text
        );
        assert_eq!(coordinators(&place, "own").await, "Coordinator");
    }

    // One more, and the present one keeps the role.
    let mut coordinator = signed_in(&place, "coordinator").await;
    for _ in 0..2 {
        let saved = send(&mut administrator, &form, &[("successor", &mentor("a4"))]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        let page = administrator.get(&saved.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Lagret for Own. Koordinator: Coordinator, Mentor a4");
        assert!(page.text.contains("autofocus"), "{}", page.text);
    }
    // The new one takes over. The roles end with the form; nobody is relieved of a role that the same form gives.
    let theirs = format!("ends-{}", mentor("a4"));
    let entered = [("successor", &*mentor("a4")), (present, "yes"), (&theirs, "yes")];
    let saved = send(&mut administrator, &form, &entered).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(coordinators(&place, "own").await, "Mentor a4");
    assert_eq!(coordinator.get(&certification("a2")).await.status, 404);
    let page = administrator.get(&certification("a4")).await;
    assert_eq!(page.text.matches("Ble koordinator i Own.").count(), 1, "{}", page.text);
    let kinds: String = place
        .database
        .value("select string_agg(kind, ' ' order by made_at) from certvakt.person_changes")
        .await;
    assert_eq!(kinds, "appointed relieved");
    let id = certification("a4");
    let text = place.database.ok(["explain", id.rsplit('/').next().unwrap()]);
    assert!(text.contains(": the mentor became coordinator of Own"), "{text}");
    // A role is no end: the mentor can still be certified.
    assert!(page.text.contains("/renewals"), "{}", page.text);
}

#[tokio::test]
async fn a_new_coordinator_is_invited_at_their_own_address() {
    let place = TestService::start("").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let path = "/chapters/00000000-0000-4000-8000-0000000000a3/coordinators";
    let form = administrator.get(&format!("{path}?q=Mentor+a4")).await;
    let entered = [("successor", &*mentor("a4")), ("invite", "yes")];
    let saved = send(&mut administrator, &form, &entered).await;
    let page = administrator.get(&saved.location.unwrap()).await;
    assert!(page.text.contains("Invitasjonen ble ikke sendt"), "{}", page.text);
    assert_eq!(coordinators(&place, "beside").await, "Coordinator and mentor,Mentor a4");
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address, organisation_id)
             select '{}', 'email', 'new@example.org', id from certvakt.organisations where slug = 'a'",
            mentor("a4")
        ))
        .await;
    let saved = send(&mut administrator, &form, &entered).await;
    let page = administrator.get(&saved.location.unwrap()).await;
    assert!(!page.text.contains("Invitasjonen ble ikke sendt"), "{}", page.text);
    let queued: String = place
        .database
        .value("select string_agg(kind || ' ' || person_id, ',') from certvakt.mail_queue where kind = 'invitation'")
        .await;
    assert_eq!(queued, format!("invitation {}", mentor("a4")));
}

#[tokio::test]
async fn only_an_administrator_hands_over_a_chapter_of_the_organisation() {
    let place = TestService::start("").await;
    let own = "00000000-0000-4000-8000-0000000000a2";
    let mut administrator = signed_in(&place, "administrator").await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let mut theirs = signed_in(&place, "mentor").await;
    let mut outsider = signed_in(&place, "outsider").await;
    for (who, browser, chapter, status) in [
        ("coordinator", &mut coordinator, "a2", 403),
        ("mentor", &mut theirs, "a2", 404),
        ("outsider", &mut outsider, "a2", 404),
        ("administrator", &mut administrator, "b1", 404),
    ] {
        let page = browser.get("/me").await;
        let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
        let path = format!("/chapters/00000000-0000-4000-8000-0000000000{chapter}/coordinators");
        assert_eq!(browser.get(&path).await.status, status, "{who} {chapter}");
        // Also for themselves.
        for successor in ["000000000001", "0000000100a2", "000000000005", "000000000002"] {
            let successor = format!("00000000-0000-4000-8000-{successor}");
            let fields = [("csrf", csrf.as_str()), ("successor", &successor)];
            assert_eq!(browser.post(&path, &fields).await.status, status, "{who} {chapter}");
        }
    }
    assert_eq!(place.database.value::<i64>("select count(*) from certvakt.person_changes").await, 0);
    // Somebody who has left is not of the organisation any more.
    end(&mut administrator, &certification("a4"), "left").await;
    let form = administrator.get(&format!("/chapters/{own}/coordinators?q=coord")).await;
    let refused = send(&mut administrator, &form, &[("successor", &mentor("a4"))]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(coordinators(&place, "own").await, "Coordinator");
}
