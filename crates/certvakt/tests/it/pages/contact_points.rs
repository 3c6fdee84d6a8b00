//! Whether notices reach a mentor, and the correction of the addresses.

use super::{certification, element, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const A: &str = "00000000-0000-4000-8000-0000000000a0";
const TOP: &str = "00000000-0000-4000-8000-0000000000a1";
const MENTOR: &str = "00000000-0000-4000-8000-0000000100a2";

/// Sends a form of the page with a mentor's addresses.
async fn correct(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/me").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let fields: Vec<(&str, &str)> =
        [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    browser.post(&format!("{path}/contact-points"), &fields).await
}

/// Sends such a form, which is accepted, and returns the page that it leads to.
async fn corrected(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let sent = correct(browser, path, fields).await;
    assert_eq!(sent.status, 303, "{fields:?}: {}", sent.text);
    browser.get(&sent.location.unwrap()).await
}

/// The id of the organisation's contact point of the mentor with an address.
async fn point(place: &TestService, address: &str) -> String {
    let wanted = format!(
        "select id::text from certvakt.contact_points where address = '{address}' and person_id = '{MENTOR}' and organisation_id is not null"
    );
    place.database.value(&wanted).await
}

/// The present addresses of the mentor in the organisation.
async fn addresses(place: &TestService) -> String {
    place
        .database
        .value(&format!(
            "select coalesce(string_agg(address, ' ' order by address), '') from certvakt.contact_points
             where person_id = '{MENTOR}' and organisation_id is not null"
        ))
        .await
}

/// The number of notices that the mentor's addresses accepted, and of all attempts.
async fn attempts(place: &TestService) -> String {
    place
        .database
        .value(&format!(
            "select count(*) filter (where a.outcome = 'delivered') || ' ' || count(*)
             from public.cert_notification_log l left join certvakt.delivery_attempts a on a.delivery_id = l.id
             where l.recipient_id = '{MENTOR}' and a.delivery_id is not null"
        ))
        .await
}

/// Waits until the delivery of the mentor's notice satisfies a condition.
async fn until(place: &TestService, condition: &str) {
    place
        .database
        .until(&format!(
            "select exists (select from public.cert_notification_log l join certvakt.deliveries d on d.id = l.id
               where l.recipient_id = '{MENTOR}' and {condition})"
        ))
        .await;
}

#[tokio::test]
async fn a_corrected_address_gets_the_notice_that_reached_nobody_and_only_that() {
    let place = TestService::start("").await.mailing();
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let key = format!(
        "select string_agg(idempotency_key, ' ') from public.cert_notification_log where recipient_id = '{MENTOR}'"
    );
    let keys: String = place.database.value(&key).await;
    let page = browser.get(&path).await;
    // The page begins with what is wrong, and leads to the remedy.
    let top = page.text.split("<h2>").next().unwrap();
    for words in [
        "Varsler når ikke fram. Det er ikke registrert noen e-postadresse. Det er heller ikke registrert noe telefonnummer.",
        &format!("href=\"{path}/contact-points\">Rett e-post eller telefon"),
        "Neste varsel skal sendes 21. juni 2026 (etter utløp), men når ikke fram.",
    ] {
        assert!(top.contains(words), "{words} in {top}");
    }
    assert!(!page.text.contains("Neste varsel: "), "{}", page.text);

    // An address that refuses the notice is named as the reason.
    let page = corrected(&mut browser, &path, &[("email", " unknown-a2@Example.org ")]).await;
    assert_eq!(element(&page, "h1"), "E-postadressen er lagret: Mentor a2, Type, 20. juni 2026");
    until(&place, "cardinality(d.refused) > 0 and d.state = 'unreachable'").await;
    assert_eq!(attempts(&place).await, "0 1");
    let page = browser.get(&path).await;
    assert!(page.text.contains("Adressen tar ikke imot e-post: unknown-a2@example.org."), "{}", page.text);
    let form = browser.get(&format!("{path}/contact-points")).await;
    let wrong = point(&place, "unknown-a2@example.org").await;
    assert!(form.text.contains("Tok ikke imot varselet"), "{}", form.text);
    assert!(form.text.contains(&format!("value=\"{wrong}\" selected")), "it is proposed: {}", form.text);
    let places =
        ["id=\"email\"", "id=\"phone\"", "name=\"remove\""].map(|words| form.text.find(words).unwrap());
    assert!(places.is_sorted(), "the fields come before the removals: {}", form.text);

    // The right one gets the same notice, once.
    let page =
        corrected(&mut browser, &path, &[("email", "ok-a2@example.org"), ("email_replaces", &wrong)]).await;
    assert!(element(&page, "h1").starts_with("E-postadressen er lagret"), "{}", page.text);
    assert_eq!(addresses(&place).await, "ok-a2@example.org");
    until(&place, "d.state = 'delivered'").await;
    assert_eq!(attempts(&place).await, "1 2");
    assert_eq!(place.database.value::<String>(&key).await, keys, "under its own key");
    let page = browser.get(&path).await;
    assert!(
        page.text.contains("Sendt på e-post") && page.text.contains("Neste varsel: 21. juni 2026"),
        "{}",
        page.text
    );
    for words in
        ["En e-postadresse ble lagt til.", "En e-postadresse ble fjernet.", "Registrert av Coordinator"]
    {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }

    // A mentor who has got the notice never gets it again, at any address.
    for fields in [[("email", "ok-second@example.org")], [("email", "OK-a2@example.org")]] {
        corrected(&mut browser, &path, &fields).await;
    }
    let config = place.mail.config("");
    assert_eq!(place.database.work(crate::harness::NOON, &config)["delivered"], 0);
    assert_eq!(attempts(&place).await, "1 2");
    let to =
        |address: &str| place.mail.mails().iter().filter(|mail| mail.to_string().contains(address)).count();
    // The first is told that there is a second, and gets the notice; the second gets nothing.
    assert_eq!(to("ok-second@example.org"), 0);
    // No log and no record of the change contains an address.
    let recorded: bool = place
        .database
        .value("select exists (select from certvakt.person_changes v where v::text like '%@%') or exists (select from certvakt.access_events e where e::text like '%@%')")
        .await;
    assert!(!recorded);
}

#[tokio::test]
async fn an_address_that_works_again_is_tried_again_when_somebody_enters_it_again() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, organisation_id, kind, address)
               values ('{MENTOR}', '{A}', 'email', 'ok-full@example.org');
             update certvakt.deliveries d set refused = array[k.id]
             from public.cert_notification_log l, certvakt.contact_points k
             where l.id = d.id and l.recipient_id = k.person_id and k.address = 'ok-full@example.org'",
        ))
        .await;
    let place = place.mailing();
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    assert!(browser.get(&path).await.text.contains("tar ikke imot e-post: ok-full@example.org"));
    let entered = [("email", "ok-full@example.org")];
    let page = corrected(&mut browser, &path, &entered).await;
    assert!(element(&page, "h1").starts_with("Adressen blir prøvd på nytt: Mentor a2"), "{}", page.text);
    until(&place, "d.state = 'delivered'").await;
    assert_eq!(attempts(&place).await, "1 1");
    let page = corrected(&mut browser, &path, &entered).await;
    assert!(element(&page, "h1").starts_with("Ingenting er endret"), "{}", page.text);
}

#[tokio::test]
async fn both_addresses_are_saved_together_or_neither_is() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let both = [("email", "ok-both@example.org"), ("phone", "91 23")];
    let refused = correct(&mut browser, &path, &both).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("value=\"ok-both@example.org\"") && refused.text.contains("value=\"91 23\"")
    );
    assert!(!refused.text.contains("href=\"#email\""), "{}", refused.text);
    assert_eq!(addresses(&place).await, "");
    let both = [("email", "ok-both@example.org"), ("phone", "91234567")];
    let page = corrected(&mut browser, &path, &both).await;
    assert!(
        element(&page, "h1").starts_with("E-postadressen og telefonnummeret er lagret: Mentor a2"),
        "{}",
        page.text
    );
    assert_eq!(addresses(&place).await, "+4791234567 ok-both@example.org");
    let page = corrected(&mut browser, &path, &both).await;
    assert!(element(&page, "h1").starts_with("Ingenting er endret"), "{}", page.text);
}

#[tokio::test]
async fn addresses_are_checked_kept_apart_and_removed() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address)
             values ('{MENTOR}', 'email', 'privat@example.org'), ('{MENTOR}', 'phone', '+4799999999')"
        ))
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    for (kind, address, says) in [
        ("email", "", "Skriv en e-postadresse"),
        ("email", "kari", "Skriv en e-postadresse"),
        ("email", "kåre@example.org", "Skriv en e-postadresse"),
        ("email", "a@example.org, b@example.org", "Skriv en e-postadresse"),
        ("phone", "1234", "Skriv et telefonnummer"),
        ("phone", " ", "Skriv en e-postadresse eller et telefonnummer"),
        ("push", "token", "Skriv en e-postadresse eller et telefonnummer"),
    ] {
        let refused = correct(&mut browser, &path, &[(kind, address)]).await;
        assert_eq!(refused.status, 422, "{kind} {address}: {}", refused.text);
        assert!(
            element(&refused, "title").starts_with("Feil: ") && refused.text.contains(says),
            "{}",
            refused.text
        );
        let target = if address == "1234" { "href=\"#phone\"" } else { "href=\"#email\"" };
        assert!(refused.text.contains(target), "{kind}: {}", refused.text);
    }
    for phone in ["91 23 45 67", "0047 91234567", "+47 91234567"] {
        corrected(&mut browser, &path, &[("phone", phone)]).await;
    }
    assert_eq!(addresses(&place).await, "+4791234567");
    for number in 1..=4 {
        let phone = format!("2222222{number}");
        corrected(&mut browser, &path, &[("phone", &phone)]).await;
    }
    let sixth = correct(&mut browser, &path, &[("phone", "22222225")]).await;
    assert!(sixth.status == 422 && sixth.text.contains("allerede fem"), "{}", sixth.text);
    assert!(sixth.text.contains("value=\"22222225\""), "what was entered is kept: {}", sixth.text);
    let first = point(&place, "+4791234567").await;
    let replaced = [("phone", "22222225"), ("phone_replaces", first.as_str())];
    corrected(&mut browser, &path, &replaced).await;
    assert_eq!(addresses(&place).await, "+4722222221 +4722222222 +4722222223 +4722222224 +4722222225");
    let last = point(&place, "+4722222225").await;
    for heading in ["Telefonnummeret er fjernet: Mentor a2", "Ingenting er endret: Mentor a2"] {
        let page = corrected(&mut browser, &path, &[("kind", "phone"), ("remove", &last)]).await;
        assert!(element(&page, "h1").starts_with(heading), "{}", page.text);
    }
    assert_eq!(addresses(&place).await, "+4722222221 +4722222222 +4722222223 +4722222224");

    // The mentor's own stay theirs: the mail address is not even shown.
    let page = browser.get(&format!("{path}/contact-points")).await;
    assert!(
        !page.text.contains("privat@") && page.text.contains("E-postadresse som vises bare for likepersonen"),
        "{}",
        page.text
    );
    let own = "select string_agg(id::text, ' ') from certvakt.contact_points where kind <> 'push' and organisation_id is null";
    let own: String = place.database.value(own).await;
    for point in own.split(' ') {
        assert!(!page.text.contains(&format!("value=\"{point}\"")), "{}", page.text);
        let page = corrected(&mut browser, &path, &[("kind", "email"), ("remove", point)]).await;
        assert!(element(&page, "h1").starts_with("Ingenting er endret"), "{}", page.text);
    }
    let left: i64 = place
        .database
        .value(
            "select count(*) from certvakt.contact_points where kind <> 'push' and organisation_id is null",
        )
        .await;
    assert_eq!(left, 2);
}

#[tokio::test]
async fn a_correction_gives_nobody_a_login_or_a_role() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    // A mentor who can sign in: the address is for notices. Another: it is like one from a register.
    for (chapter, links) in [("a2", 0), ("a4", 1)] {
        let address = format!("taken-{chapter}@example.org");
        corrected(&mut browser, &certification(chapter), &[("email", &address)]).await;
        let people: i64 = place
            .database
            .value(&format!("select count(*) from certvakt.people_of_address('{address}')"))
            .await;
        assert_eq!(people, links, "{chapter}");
    }
    // A mentor who also has another role, even in another chapter: only an administrator corrects the addresses.
    place
        .database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '00000000-0000-4000-8000-0000000100a4', 'org_admin' from certvakt.chapters where id = '{TOP}'"
        ))
        .await;
    let path = certification("a4");
    let mut administrator = signed_in(&place, "administrator").await;
    let entered = [("email", "their-new@example.org")];
    assert!(!browser.get(&path).await.text.contains("/contact-points"));
    assert_eq!(browser.get(&format!("{path}/contact-points")).await.status, 403);
    assert_eq!(correct(&mut browser, &path, &entered).await.status, 403);
    corrected(&mut administrator, &path, &entered).await;
    // Nobody corrects their own there, or those of another organisation.
    place
        .database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, '{MENTOR}', 'coordinator' from certvakt.chapters where slug = 'own'"
        ))
        .await;
    let mut themselves = signed_in(&place, "mentor").await;
    assert_eq!(correct(&mut themselves, &certification("a2"), &entered).await.status, 403);
    let mut outsider = signed_in(&place, "outsider").await;
    assert_eq!(correct(&mut outsider, &certification("a2"), &entered).await.status, 404);
    // A point of somebody else is not removed by naming it.
    let others = "select id::text from certvakt.contact_points where address = 'their-new@example.org'";
    let others: String = place.database.value(others).await;
    let two = certification("a2");
    for fields in [
        vec![("kind", "email"), ("remove", others.as_str())],
        vec![("email", "new-a2@example.org"), ("email_replaces", others.as_str())],
    ] {
        corrected(&mut administrator, &two, &fields).await;
    }
    let kept: bool = place
        .database
        .value("select exists (select from certvakt.contact_points where address = 'their-new@example.org')")
        .await;
    assert!(kept);
    // Those who left get no new address.
    place
        .database
        .execute(&format!(
            "insert into certvakt.person_changes (organisation_id, person_id, kind) values ('{A}', '{MENTOR}', 'left')"
        ))
        .await;
    assert_eq!(correct(&mut administrator, &two, &entered).await.status, 403);
}

#[tokio::test]
async fn the_page_says_why_no_notice_reaches_somebody() {
    let place = TestService::start("").await.mailing();
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    place
        .database
        .execute(&format!(
            "insert into certvakt.channel_opt_outs (person_id, kind) values ('{MENTOR}', 'email');
             insert into certvakt.contact_points (person_id, organisation_id, kind, address)
             values ('{MENTOR}', '{A}', 'email', 'ok-mentor@example.org'), ('{MENTOR}', '{A}', 'phone', '+4791234567')"
        ))
        .await;
    let page = browser.get(&path).await;
    let top = page.text.split("<dl>").next().unwrap();
    assert!(top.contains("Likepersonen har sagt nei til varsler.</strong>"), "{top}");
    assert!(top.contains(&format!("href=\"{path}/contacts\">Registrer kontakt")), "one calls instead: {top}");
    // The mentor reads it too, with the way to their own choices.
    let page = signed_in(&place, "mentor").await.get(&path).await;
    assert!(
        page.text.contains("Varsler når ikke fram") && page.text.contains("href=\"/me/channels\""),
        "{}",
        page.text
    );
    assert!(!page.text.contains("ok-mentor@"), "{}", page.text);
    // A suspended certification needs no notice.
    place.database.execute(&format!("update public.peer_mentor_certifications set status = 'suspended' where peer_mentor_id = '{MENTOR}'")).await;
    let page = browser.get(&path).await;
    assert!(!page.text.contains("Varsler når ikke fram"), "{}", page.text);
}

#[tokio::test]
async fn a_notice_of_an_earlier_date_is_not_needed_at_once() {
    let place = TestService::start("").await;
    let mut mentor = signed_in(&place, "mentor").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let id = path.rsplit('/').next().unwrap();
    // The fixture records certifications and notices in one transaction; the cycle begins before the notices.
    let earlier = "update certvakt.certification_changes set changed_at = changed_at - interval '1 day'";
    place.database.execute(earlier).await;
    // The present date, a correction and a renewal. `explain` tells of the present cycle, which a correction keeps.
    for (date, is_needed, explained) in [
        ("2026-06-20", true, "unreachable"),
        ("2026-06-19", false, "not sent: date changed"),
        ("2028-06-20", false, "due on"),
    ] {
        let change = "update public.peer_mentor_certifications set expires_at =";
        place.database.execute(&format!("{change} '{date}T20:00:00Z' where id = '{id}'")).await;
        for state in ["'pending', available_at = now()", "'unreachable', available_at = null"] {
            place.database.execute(&format!("update certvakt.deliveries set state = {state}")).await;
            let page = browser.get(&path).await.text + &mentor.get("/me/notices").await.text;
            let not_needed = page.matches("Blir ikke sendt, fordi det ikke lenger trengs").count();
            assert_eq!(not_needed, if is_needed { 0 } else { 2 }, "{date} {state}: {page}");
            let waits = ["Venter på å bli sendt", "Kunne ikke sendes", "Nådde ikke fram"];
            assert_eq!(waits.iter().any(|words| page.contains(words)), is_needed, "{date} {state}: {page}");
        }
        let said = place.database.at(crate::harness::NOON, ["explain", id]);
        assert!(said.contains(explained), "{date}: {said}");
    }
}

#[tokio::test]
async fn people_with_the_same_name_have_different_titles() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    place
        .database
        .execute(
            "update certvakt.person_names set name = 'Kari Hansen' where person_id::text like '%0000000100a%';
             update public.peer_mentor_certifications set external_id = '1042' where id::text like '%0200a4';
             update public.peer_mentor_certifications set chapter_id = (select id from certvakt.chapters where slug = 'own') where id::text like '%0200a4'",
        )
        .await;
    for (chapter, title) in [("a2", "Kari Hansen, Type, 20. juni 2026"), ("a4", "Kari Hansen, nummer 1042")] {
        let page = browser.get(&certification(chapter)).await;
        assert_eq!(element(&page, "h1"), title);
        assert!(element(&page, "title").starts_with(title), "{}", page.text);
    }
}
