//! The pages about oneself: notices, channels, listings, the calendar, the export.

use certvakt_engine::calendar::{Entry, file};
use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::{certification, element, send, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const MENTOR: &str = "00000000-0000-4000-8000-0000000100a2";

/// Sends the form of a page with an action, with a value of a hidden field if several have the action.
async fn submit(
    browser: &mut Browser,
    page: &Answer,
    action: &str,
    value: &str,
    entered: &[(&str, &str)],
) -> Answer {
    let forms = page.text.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next());
    let form = forms
        .filter(|form| form.contains(&format!("action=\"{action}\"")))
        .find(|form| form.contains(value))
        .unwrap_or_else(|| panic!("no form of {action} with {value} in {}", page.text));
    let hidden: Vec<(String, String)> = form
        .split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|field| (field.split('"').next().unwrap().to_owned(), between(field, "value=\"", "\"")))
        .collect();
    let mut fields: Vec<(&str, &str)> =
        hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.extend(entered);
    browser.send(Method::POST, action, &fields).await
}

#[tokio::test]
async fn a_mentor_sees_the_notices_that_were_sent_to_them() {
    let place = TestService::start("").await;
    let of_mentor = format!(
        "(select l.id from public.cert_notification_log l where l.recipient_id = '{MENTOR}' order by l.id limit 1)"
    );
    place
        .database
        .execute(&format!(
            "update certvakt.deliveries set state = 'delivered', available_at = now(), finished_at = now() where id = {of_mentor};
             insert into certvakt.delivery_attempts (delivery_id, attempt, channel, outcome) values
               ({of_mentor}, 1, 'fcm', 'retry'), ({of_mentor}, 2, 'email', 'delivered')"
        ))
        .await;
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/notices").await;
    assert_eq!(element(&page, "h1"), "Varsler du har fått");
    for words in ["Varsel: 7 dager før utløp", "Sendt på e-post", "Own, Type"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("eldre varsel"), "{}", page.text);
    // The page of the certification shows the same.
    let page = mentor.get(&certification("a2")).await;
    for words in ["Varsel: 7 dager før utløp", "Sendt på e-post"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    // A coordinator sees only notices to themselves.
    let page = signed_in(&place, "coordinator").await.get("/me/notices").await;
    assert!(page.text.contains("Du har ikke fått noen varsler"), "{}", page.text);
}

#[tokio::test]
async fn the_page_of_notices_shows_the_latest_fifty() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "with notices as (
               insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key, sent_at)
               select c.id, 'expired', c.peer_mentor_id, certvakt.notice_key(c.id, 'expired', date '2026-01-01' + n),
                 (date '2026-01-01' + n)::timestamptz
               from public.peer_mentor_certifications c, generate_series(1, 60) n where c.peer_mentor_id = '{MENTOR}'
               returning id, certification_id, sent_at
             )
             insert into certvakt.deliveries (id, organisation_id, stage, due_date, expires_at, state, finished_at)
             select n.id, c.organisation_id, 'expired', n.sent_at::date, c.expires_at, 'cancelled', now()
             from notices n join public.peer_mentor_certifications c on c.id = n.certification_id"
        ))
        .await;
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/notices").await;
    assert_eq!(page.text.matches("Varsel: ").count(), 50, "{}", page.text);
    assert!(page.text.contains("Siden viser de 50 nyeste"), "{}", page.text);
    assert!(
        page.text.contains("<li>2. mars 2026: ") && !page.text.contains("<li>2. januar 2026: "),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_mentor_turns_channels_off_and_learns_what_then_happens() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address, organisation_id)
             values ('{MENTOR}', 'email', 'mentor@register.example', '00000000-0000-4000-8000-0000000000a0')"
        ))
        .await;
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/channels").await;
    for words in ["mentor@register.example", "Fra registeret til A", "Vi kjenner én enhet"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("token-") && !page.text.contains("Ingen varsler når deg"), "{}", page.text);
    for (choice, off, is_warned) in [
        (&[("push", "yes")][..], "email", false),
        (&[], "email push", true),
        (&[], "email push", true),
        (&[("email", "yes"), ("push", "yes")], "", false),
    ] {
        let answer = submit(&mut mentor, &page, "/me/channels", "", choice).await;
        let saved = mentor.get(&answer.location.unwrap()).await;
        assert_eq!(element(&saved, "h1"), "Lagret: hvor du vil ha varsler");
        assert_eq!(saved.text.contains("Ingen varsler når deg nå"), is_warned, "{}", saved.text);
        let stored: String = place
            .database
            .value(&format!("select coalesce(string_agg(kind, ' ' order by kind), '') from certvakt.channel_opt_outs where person_id = '{MENTOR}'"))
            .await;
        assert_eq!(stored, off);
    }
    let others: i64 = place.database.value("select count(*) from certvakt.channel_opt_outs").await;
    assert_eq!(others, 0);
}

#[tokio::test]
async fn a_mentor_removes_their_own_devices_and_addresses_only() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address, organisation_id) values
               ('{MENTOR}', 'email', 'own@example.org', null),
               ('{MENTOR}', 'email', 'mentor@register.example', '00000000-0000-4000-8000-0000000000a0')"
        ))
        .await;
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/channels").await;
    assert_eq!(page.text.matches("action=\"/me/contact-points\"").count(), 2, "{}", page.text);
    for what in ["Fjern Enhet", "Fjern E-post own@example.org"] {
        // A repeated form has no effect.
        for _ in 0..2 {
            let answer = submit(&mut mentor, &page, "/me/contact-points", what, &[]).await;
            let page = mentor.get(&answer.location.unwrap()).await;
            assert_eq!(element(&page, "h1"), "Fjernet");
        }
    }
    let left = |who: &str| {
        format!("select string_agg(address, ' ') from certvakt.contact_points where person_id = '{who}'")
    };
    assert_eq!(place.database.value::<String>(&left(MENTOR)).await, "mentor@register.example");
    // The address that was removed is told, as after any removal.
    let told: String = place
        .database
        .value("select string_agg(address, ' ') from certvakt.mail_queue where kind = 'address-removed'")
        .await;
    assert_eq!(told, "own@example.org");

    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    for (whose, expected) in
        [("organisation_id is not null", 403), ("person_id = '00000000-0000-4000-8000-0000000100a3'", 303)]
    {
        let point: Uuid = place
            .database
            .value(&format!("select id from certvakt.contact_points where {whose} limit 1"))
            .await;
        let point = point.to_string();
        let answer = mentor.post("/me/contact-points", &[("csrf", &csrf), ("point", &point)]).await;
        assert_eq!(answer.status, expected, "{whose}: {}", answer.text);
        let stays: bool = place
            .database
            .value(&format!("select exists (select from certvakt.contact_points where id = '{point}')"))
            .await;
        assert!(stays, "{whose}");
    }
}

#[tokio::test]
async fn everybody_sees_their_own_e_mail_addresses_and_who_corrects_them() {
    let place = TestService::start("").await;
    for who in ["mentor", "coordinator", "administrator"] {
        let mut browser = signed_in(&place, who).await;
        place.database.execute("delete from certvakt.contact_points").await;
        assert!(browser.get("/me").await.text.contains("Vi har ingen e-postadresse til deg."), "{who}");
        place
            .database
            .execute(&format!(
                "insert into certvakt.contact_points (person_id, kind, address, organisation_id)
                 select distinct person_id, 'email', subject || known.address, organisation::uuid from certvakt.identities,
                   (values ('@own.example', null), ('@register.example', '00000000-0000-4000-8000-0000000000a0'))
                     known (address, organisation)
                 where subject in ('{who}', 'outsider')"
            ))
            .await;
        let corrects = if who == "mentor" { "koordinatoren din" } else { "en administrator i foreningen" };
        for path in ["/me", "/me/channels"] {
            let page = browser.get(path).await.text;
            for words in ["@own.example", "@register.example"].map(|address| format!("E-post {who}{address}"))
            {
                assert!(page.contains(&words), "{path}: {words} in {page}");
            }
            assert!(page.contains("Fra registeret til A") && page.contains("Din egen, lagt til"), "{page}");
            assert!(page.contains(&format!("Gi beskjed til {corrects}")), "{who}: {page}");
            assert!(!page.contains("outsider@"), "{page}");
        }
    }
}

#[tokio::test]
async fn coordinators_see_a_phone_number_that_a_mentor_adds() {
    let place = TestService::start("").await;
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/channels").await;
    for wrong in ["", "12", "ring meg", "+47 123 45 678"] {
        let refused = submit(&mut mentor, &page, "/me/phones", "", &[("phone", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
        assert!(refused.text.contains(&format!("value=\"{wrong}\"")), "{}", refused.text);
        assert!(refused.text.contains("href=\"#phone\""), "{}", refused.text);
    }
    for number in ["912 34 567", "0047 91234567", "+4791234567"] {
        let added = submit(&mut mentor, &page, "/me/phones", "", &[("phone", number)]).await;
        let page = mentor.get(&added.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Lagret: telefonnummer");
        assert_eq!(page.text.matches("Telefon +4791234567<br>").count(), 1, "{number}: {}", page.text);
    }
    // A number that the register has too is there once.
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address, organisation_id) values
               ('{MENTOR}', 'phone', '+4791234567', '00000000-0000-4000-8000-0000000000a0'),
               ('{MENTOR}', 'phone', '+4792222222', '00000000-0000-4000-8000-0000000000b0')"
        ))
        .await;
    let page = signed_in(&place, "coordinator").await.get(&certification("a2")).await;
    assert_eq!(page.text.matches("href=\"tel:+4791234567\"").count(), 1, "{}", page.text);
    assert!(!page.text.contains("+4792222222"), "another organisation's register: {}", page.text);
    let page = signed_in(&place, "outsider").await.get(&certification("a2")).await;
    assert_eq!(page.status, 404);
    let mine = mentor.get("/me/channels").await;
    for number in 2..=6 {
        let number_of_it = format!("9123456{number}");
        let added = submit(&mut mentor, &mine, "/me/phones", "", &[("phone", &number_of_it)]).await;
        assert_eq!(added.status, if number < 6 { 303 } else { 422 }, "{number}: {}", added.text);
    }
}

#[tokio::test]
async fn a_mentor_gives_and_withdraws_consent_to_a_text_that_is_recorded() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations;
             insert into certvakt.partner_types select organisation_id, 'portal', code from certvakt.certification_types;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id)
               values ('00000000-0000-4000-8000-0000000000a0', 'portal', 'M-1', '{MENTOR}')"
        ))
        .await;
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/listings").await;
    for words in [
        "portal, for A",
        "Du har ikke samtykket",
        "kan si noe om helsen din",
        "Samtykk til listen hos portal",
    ] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    // Nobody consents to a text that they have not seen.
    let form = [
        ("organisation", "00000000-0000-4000-8000-0000000000a0"),
        ("partner", "portal"),
        ("decision", "consent"),
    ];
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let old = [&form[..], &[("csrf", csrf.as_str()), ("version", "2020-01")]].concat();
    let refused = mentor.post("/me/listings", &old).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("href=\"#listing-0\""), "{}", refused.text);
    for _ in 0..2 {
        let done = send(&mut mentor, &page, &[]).await;
        let page = mentor.get(&done.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Du har samtykket");
        assert!(page.text.contains("Du samtykket. Tekst: versjon 2026-11, bokmål."), "{}", page.text);
    }
    let listed = "select is_listed from certvakt.listings";
    assert!(place.database.value::<bool>(listed).await);
    let page = mentor.get("/me/listings").await;
    let done = send(&mut mentor, &page, &[]).await;
    let page = mentor.get(&done.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Du har trukket samtykket tilbake, og blir tatt av listen nå");
    assert!(!place.database.value::<bool>(listed).await, "delisting is never delayed");
    let record: Vec<String> = place
        .database
        .value("select array_agg(concat_ws(' ', is_given, actor, text_version, locale) order by id) from certvakt.listing_consents")
        .await;
    assert_eq!(record, [format!("t {MENTOR} 2026-11 nb"), format!("f {MENTOR}")]);
}

#[tokio::test]
async fn an_unproven_login_withdraws_consent_but_gives_none() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               values ('00000000-0000-4000-8000-0000000000a0', 'portal', 'M-1', '{MENTOR}', now())"
        ))
        .await;
    let mut mentor = signed_in(&place, "mentor").await;
    place
        .database
        .execute("update certvakt.identities set address = 'unknown@example.org' where subject = 'mentor'")
        .await;
    let page = mentor.get("/me/listings").await;
    assert!(page.text.contains("registrert av andre på dine vegne"), "{}", page.text);
    let done = send(&mut mentor, &page, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let page = mentor.get("/me/listings").await;
    let refused = send(&mut mentor, &page, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("ikke være sikre nok"), "{}", refused.text);
    let consents: bool =
        place.database.value("select listing_consent_at is not null from certvakt.listings").await;
    assert!(!consents);
}

#[tokio::test]
async fn a_calendar_file_has_the_last_valid_days_of_ones_own_certifications() {
    let place = TestService::start("").await;
    let mut mentor = signed_in(&place, "mentor").await;
    let one = format!("/me{}/calendar.ics", certification("a2"));
    let page = mentor.get("/me").await;
    assert!(
        page.text.contains("href=\"/me/certifications.ics\"") && page.text.contains(&one),
        "{}",
        page.text
    );
    for path in ["/me/certifications.ics", &one] {
        let answer = mentor.get(path).await;
        assert_eq!(answer.headers["content-type"], "text/calendar; charset=utf-8");
        assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"paminnelser.ics\"");
        let lines: Vec<&str> = answer.text.split("\r\n").collect();
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "UID:00000000-0000-4000-8000-0000000200a2@certvakt",
            "DTSTART;VALUE=DATE:20260620",
            "DTEND;VALUE=DATE:20260621",
            // The title is neutral, because a locked screen shows it.
            "SUMMARY:Påminnelse",
            "DESCRIPTION:Siste gyldige dag: Own\\, Type",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "END:VCALENDAR",
        ] {
            assert!(lines.contains(&line), "{line} in {}", answer.text);
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("DTSTAMP:")).count(), 1, "{}", answer.text);
        assert_eq!(answer.text, mentor.get(path).await.text, "the same file until something changes");
    }
    let other = format!("/me{}/calendar.ics", certification("a3"));
    assert_eq!(mentor.get(&other).await.status, 404);
    assert_eq!(signed_in(&place, "coordinator").await.get(&one).await.status, 404);
    // A date that has passed is in no calendar, and no file is empty.
    place
        .database
        .execute("update public.peer_mentor_certifications set expires_at = '2026-06-10T20:00:00Z'")
        .await;
    for path in ["/me/certifications.ics", &one] {
        let answer = mentor.get(path).await;
        assert!(answer.location.is_some_and(|to| to.ends_with("/me")), "{path}: {}", answer.text);
    }
    assert!(!mentor.get("/me").await.text.contains(".ics"));
}

proptest! {
    #[test]
    fn any_title_makes_a_calendar_file_with_the_same_lines(title in "\\PC{0,200}", details in "\\PC{0,200}", days in 0_u32..40_000, hours in 1_i64..2_000) {
        let day = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + chrono::Days::new(u64::from(days));
        let entry = Entry {
            certification: Uuid::nil(), day, title: &title, details: Some(&details), sequence: days, changed_at: None,
            reminds_before: Some(TimeDelta::hours(hours)),
        };
        let text = file(&[entry.clone(), entry]);
        prop_assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        let unfolded = text.replace("\r\n ", "");
        let lines: Vec<&str> = unfolded.split_terminator("\r\n").collect();
        for (line, expected) in [("BEGIN:VEVENT", 2), ("END:VEVENT", 2), ("BEGIN:VALARM", 2), ("END:VALARM", 2), ("END:VCALENDAR", 1)] {
            prop_assert_eq!(lines.iter().filter(|one| **one == line).count(), expected, "{} in {}", line, text);
        }
        // RFC 5545, section 3.3.11: a reader gets the same text back.
        let read = |value: &str| value.replace("\\\\", "\u{0}").replace("\\;", ";").replace("\\,", ",").replace("\\n", "\n").replace('\u{0}', "\\");
        let summary = lines.iter().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
        prop_assert_eq!(read(summary), title);
        let start = format!("DTSTART;VALUE=DATE:{}", day.format("%Y%m%d"));
        prop_assert_eq!(lines.iter().filter(|line| **line == start).count(), 2);
    }
}

#[tokio::test]
async fn a_person_downloads_all_that_is_stored_about_them() {
    let place = TestService::start("").await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    assert_eq!(coordinator.get(&certification("a2")).await.status, 200);
    let viewed = format!(
        "select exists (select from certvakt.access_events where resource_id = '{}')",
        certification("a2").rsplit('/').next().unwrap()
    );
    place.database.until(&viewed).await;
    let mut mentor = signed_in(&place, "mentor").await;
    let answer = mentor.get("/me/export?output=json").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"mine-data.json\"");
    let export: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(export["person"]["id"], MENTOR);
    // The same as the command, without the names of those who viewed the data.
    let command = place.database.json(["person", "export", MENTOR]);
    for section in ["person", "names", "memberships", "contact_points", "certifications", "listings"] {
        assert_eq!(export[section], command[section], "{section}");
    }
    assert_eq!(command["who_looked"][0]["name"], "Coordinator");
    let views = export["who_looked"].as_array().unwrap();
    assert_eq!(views[0]["who"], command["who_looked"][0]["who"]);
    assert!(views.iter().all(|view| view.get("name").is_none()), "{views:?}");
    assert!(!answer.text.contains("\"Coordinator\""), "{}", answer.text);

    let answer = mentor.get("/me/export").await;
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert!(answer.text.contains("Mentor a2") && !answer.text.contains("Mentor a3"), "{}", answer.text);
    // An export is on record as any other request.
    place.database.until(&format!("select count(*) = 2 from certvakt.access_events where resource = '/me/export' and person_id = '{MENTOR}' and status = 200")).await;
}
