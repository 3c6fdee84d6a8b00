//! The nights, and the decision about a run that waits.

use super::{element, send, signed_in};
use crate::harness::NOON;
use crate::sign_in::TestService;

/// The service whose run of today waits, because it would send more than the limit of one.
async fn with_held_run() -> TestService {
    let place = TestService::start("").await;
    let complete = "select count(distinct organisation_id) = 2 from certvakt.runs where state = 'complete' and run_date = '2026-06-15'";
    place.database.until(complete).await;
    place.database.ok(["organisation", "set", "a", "--limit-floor", "1", "--limit-percent", "0"]);
    place
        .database
        .execute(
            "insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'Mange ' || n from generate_series(1, 5) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select c.organisation_id, c.id, ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'type', '2026-07-10T20:00:00Z'
             from generate_series(1, 5) n, certvakt.chapters c where c.slug = 'own';
             insert into certvakt.imports
               (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged, rejected, renewed, corrected)
             select o.id, '{}', '{type}', i.added, i.added, 0, 0, 0, 0, 0
             from certvakt.organisations o, (values (5), (2)) i (added) where o.slug = 'a'",
        )
        .await;
    let mut run = place.database.certvakt(["run", "--organisation", "a"]);
    let held = run.env("CERTVAKT_NOW", NOON).output().unwrap();
    assert_eq!(held.status.code(), Some(3), "{held:?}");
    place
}

#[tokio::test]
async fn an_administrator_approves_a_held_run_and_sees_its_result() {
    let place = with_held_run().await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let today = coordinator.get("/today").await;
    assert!(today.text.contains("venter på godkjenning"), "{}", today.text);
    let page = coordinator.get("/runs").await;
    assert_eq!(element(&page, "h1"), "Varslene for én natt venter på godkjenning");
    for words in [
        "5 varsler for natten",
        "flere enn grensen, som er 1.",
        "Varsler 30 dager før utløp: 5",
        "3 eksempler på varslene",
        ">Mange ",
        "er det importert et register, ",
        "Det endret 5 sertifiseringer",
        "En administrator må godkjenne",
    ] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("/approvals") && !page.text.contains("/checks"), "{}", page.text);

    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get("/runs").await;
    let held: i64 = place.database.value("select id from certvakt.runs where state = 'held'").await;
    for _ in 0..2 {
        let approved = send(&mut administrator, &page, &[]).await;
        let to = approved.location.unwrap_or_default();
        assert!(to.ends_with(&format!("/runs?decided={held}")), "{to} {}", approved.text);
    }
    // The page waits for the result.
    let page = administrator.get(&format!("/runs?decided={held}")).await;
    assert_eq!(element(&page, "h1"), "Varslene er godkjent og blir sendt", "{}", page.text);
    let recorded: i64 = place.database.value("select count(*) from public.cert_notification_log where notification_type = 'expiry_warning_30d'").await;
    assert_eq!(recorded, 5);
    let approved: String = place
        .database
        .value("select p.name from certvakt.runs r join certvakt.people p on p.id = r.decided_by where r.state = 'held'")
        .await;
    assert_eq!(approved, "Administrator");
    // Nobody is told that a run was approved which was not.
    for other in ["0".to_owned(), (held - 1).to_string()] {
        let page = administrator.get(&format!("/runs?decided={other}")).await;
        assert_eq!(element(&page, "h1"), "Nattens varsler", "{other}");
    }
}

#[tokio::test]
async fn an_import_that_cannot_explain_the_number_of_notices_is_not_suspected() {
    let place = with_held_run().await;
    let mut administrator = signed_in(&place, "administrator").await;
    for (added, is_suspected) in [(4, true), (3, false)] {
        // Five notices are four more than the limit.
        let changed = format!("update certvakt.imports set added = {added}, read = {added} where added > 2");
        place.database.execute(&changed).await;
        let page = administrator.get("/runs").await;
        assert!(page.text.contains("flere enn grensen, som er 1."), "{}", page.text);
        assert_eq!(
            page.text.contains("er det importert et register"),
            is_suspected,
            "{added}: {}",
            page.text
        );
    }
}

#[tokio::test]
async fn an_approved_run_says_so_until_it_happens() {
    let place = with_held_run().await;
    // The scheduler does not run a later night yet.
    place.database.execute("update certvakt.runs set run_date = '2026-06-20' where state = 'held'").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get("/runs").await;
    assert_eq!(send(&mut administrator, &page, &[]).await.status, 303);
    let page = administrator.get("/runs").await;
    let held: i64 = place.database.value("select id from certvakt.runs where state = 'held'").await;
    let again = format!("href=\"/runs?decided={held}\"");
    for words in ["De 5 varslene for natten 20. juni 2026 er godkjent", "Så blir de sendt", &again] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    for words in ["er ikke sendt", "enn grensen", "eksempler", "/approvals", "/checks"] {
        assert!(!page.text.contains(words), "{words} in {}", page.text);
    }
}

#[tokio::test]
async fn an_approval_covers_no_more_notices_than_the_administrator_saw() {
    let place = with_held_run().await;
    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get("/runs").await;
    place
        .database
        .execute(
            "insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select c.organisation_id, c.id, '00000000-0000-4000-8000-0000000100a2', 'type', '2026-07-11T20:00:00Z'
             from certvakt.chapters c where c.slug = 'own'",
        )
        .await;
    let approved = send(&mut administrator, &page, &[]).await;
    let page = administrator.get(&approved.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Varslene for én natt venter på godkjenning", "{}", page.text);
    assert!(page.text.contains("6 varsler for natten"), "{}", page.text);
    let recorded: i64 = place.database.value("select count(*) from public.cert_notification_log where notification_type = 'expiry_warning_30d'").await;
    assert_eq!(recorded, 0);
}

#[tokio::test]
async fn a_held_run_is_checked_again_after_its_reason_is_gone() {
    let place = with_held_run().await;
    let move_to = |who: &str, day: &str| {
        format!(
            "update public.peer_mentor_certifications set expires_at = '{day}T20:00:00Z'
             where peer_mentor_id in (select id from certvakt.people where name like '{who}')"
        )
    };
    place.database.execute(&move_to("Mange %", "2026-07-11")).await;
    let mut administrator = signed_in(&place, "administrator").await;
    let check = async |browser: &mut crate::sign_in::Browser| {
        let page = browser.get("/runs").await;
        let held: i64 = place.database.value("select max(id) from certvakt.runs where state = 'held'").await;
        let csrf = crate::sign_in::between(&page.text, "name=\"csrf\" value=\"", "\"");
        let answer = browser.post(&format!("/runs/{held}/checks"), &[("csrf", &csrf)]).await;
        (page, browser.get(&answer.location.unwrap()).await)
    };
    let (before, after) = check(&mut administrator).await;
    assert!(before.text.contains("Før det: gyldig til 10. juli 2026"), "{}", before.text);
    assert_eq!(element(&after, "h1"), "Kontrollert på nytt: det er fortsatt flere varsler enn grensen");
    let recorded =
        "select count(*) from public.cert_notification_log where notification_type = 'expiry_warning_30d'";
    assert_eq!(place.database.value::<i64>(recorded).await, 0);

    // All but one are corrected, which is within the limit, and the import is undone.
    place.database.execute(&move_to("Mange _", "2027-07-10")).await;
    place.database.execute(&move_to("Mange 5", "2026-07-10")).await;
    place.database.execute("update certvakt.imports set undone_at = now() where added = 5").await;
    let (before, after) = check(&mut administrator).await;
    let suspicion = "som endret 5 sertifiseringer, er angret. Varslene må kontrolleres på nytt.";
    assert!(before.text.contains(suspicion), "{}", before.text);
    for words in ["/imports/numbers/", "eksempler på varslene"] {
        assert!(!before.text.contains(words), "{words} in {}", before.text);
    }
    assert_eq!(element(&after, "h1"), "Kontrollert på nytt: natten er innenfor grensen");
    assert_eq!(place.database.value::<i64>(recorded).await, 1);
    assert!(after.text.contains("Holdt tilbake, og så kontrollert på nytt"), "{}", after.text);
}

#[tokio::test]
async fn only_an_administrator_of_the_organisation_approves_and_only_the_latest_run() {
    let place = with_held_run().await;
    let held: i64 = place.database.value("select id from certvakt.runs where state = 'held'").await;
    for (who, expected) in [("mentor", 404), ("coordinator", 403), ("outsider", 404)] {
        let mut browser = signed_in(&place, who).await;
        let page = browser.get("/me").await;
        let csrf = crate::sign_in::between(&page.text, "name=\"csrf\" value=\"", "\"");
        for decision in ["approvals", "checks"] {
            let answer = browser.post(&format!("/runs/{held}/{decision}"), &[("csrf", &csrf)]).await;
            assert_eq!(answer.status, expected, "{who}: {}", answer.text);
        }
    }
    // A later run of the organisation takes its place.
    place
        .database
        .execute("insert into certvakt.runs (organisation_id, run_date, state) select organisation_id, '2026-06-16', 'complete' from certvakt.runs where state = 'held'")
        .await;
    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get("/me").await;
    let csrf = crate::sign_in::between(&page.text, "name=\"csrf\" value=\"", "\"");
    for decision in ["approvals", "checks"] {
        let answer = administrator.post(&format!("/runs/{held}/{decision}"), &[("csrf", &csrf)]).await;
        assert!(answer.location.unwrap().ends_with("/runs"), "{}", answer.text);
    }
    assert!(place.database.value::<bool>("select bool_and(decided_at is null) from certvakt.runs").await);
}
