//! Changes of several certifications at once, and their undo as one.

use super::{certification, element, hidden, send, signed_in};
use crate::sign_in::{Answer, TestService, between};

/// The kinds of the entries in the histories of the coordinator's two certifications.
async fn kinds(place: &TestService) -> String {
    place
        .database
        .value(
            "select string_agg(right(c.id::text, 2) || ':' || coalesce(
               (select string_agg(e ->> 'kind', ',') from jsonb_array_elements(c.renewal_history) e), ''), ' ' order by c.id)
             from public.peer_mentor_certifications c where right(c.id::text, 4) in ('00a2', '00a4')",
        )
        .await
}

/// The fields that choose a certification.
fn chosen(chapter: &str) -> (String, String) {
    (format!("chosen-{}", certification(chapter).rsplit('/').next().unwrap()), "yes".to_owned())
}

#[tokio::test]
async fn several_are_renewed_and_undone_together() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.certification_types set validity_months = 24").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let list = browser.get("/certifications").await;
    assert!(!list.text.contains("/changes/new"), "not for everybody at once: {}", list.text);
    let list = browser.get("/certifications?state=due").await;
    assert!(list.text.contains("href=\"/changes/new?state=due&#38;action=renewals\""), "{}", list.text);
    // Without a filter, the list says how to get there.
    let list = browser.get("/certifications").await;
    assert!(list.text.contains("href=\"/certifications?state=renewal\">Velg dem som"), "{}", list.text);
    let check = browser.get("/changes/new?action=renewals").await;
    assert_eq!(element(&check, "h1"), "Forny 2 sertifiseringer");
    assert_eq!(check.text.matches(" checked>").count(), 2, "{}", check.text);
    // Somebody who wants few of many begins with none, and can go back.
    let none = browser.get("/changes/new?state=due&action=renewals&chosen=none").await;
    assert_eq!((element(&none, "h1").as_str(), none.text.matches(" checked>").count()), ("Forny flere", 0));
    for (page, other) in
        [(&check, "action=renewals&#38;chosen=none"), (&none, "state=due&#38;action=renewals")]
    {
        assert!(page.text.contains(&format!("href=\"/changes/new?{other}\"")), "{other} in {}", page.text);
    }

    // A refused form keeps what was entered, and which are ticked.
    let (a2, a4) = (chosen("a2"), chosen("a4"));
    let none = send(&mut browser, &check, &[("date", "10.06.2026")]).await;
    assert!(none.status == 422 && none.text.contains("Kryss av for minst"), "{}", none.text);
    assert!(none.text.contains("href=\"#chosen\"") && !none.text.contains(" checked>"), "{}", none.text);
    let refused = send(&mut browser, &check, &[("date", "31.02.2026"), (&a4.0, &a4.1)]).await;
    assert!(refused.status == 422 && refused.text.contains("value=\"31.02.2026\""), "{}", refused.text);
    assert_eq!(refused.text.matches(" checked>").count(), 1, "{}", refused.text);
    assert_eq!(kinds(&place).await, "a2: a4:");

    let note = ("note", "Kurs <i> Hamar");
    let ticked = [("date", "10.06.2026"), note, (&a2.0[..], &a2.1[..]), (&a4.0[..], &a4.1[..])];
    let without = [("date", ""), (&a2.0[..], &a2.1[..])];
    let refused = send(&mut browser, &check, &without).await;
    assert!(
        refused.status == 422 && refused.text.contains("href=\"#date\""),
        "nobody said today: {}",
        refused.text
    );
    // What was chosen is shown before it is saved.
    let chosen = send(&mut browser, &check, &ticked).await;
    assert_eq!(element(&chosen, "h1"), "Stemmer dette? 2 fornyelser er ikke lagret ennå");
    for shown in [
        "<dd>onsdag 10. juni 2026</dd>",
        "<dd>Kurs &#60;i&#62; Hamar</dd>",
        "<strong>Mentor a2,</strong> Own, Type",
        "Siste gyldige dag endres fra 20. juni 2026 til 10. juni 2028.",
    ] {
        assert!(chosen.text.contains(shown), "{shown} in {}", chosen.text);
    }
    let edited = send(&mut browser, &chosen, &[("step", "edit")]).await;
    assert!(edited.status == 200 && edited.text.contains("value=\"10.06.2026\""), "{}", edited.text);
    assert_eq!(edited.text.matches(" checked>").count(), 2, "{}", edited.text);
    assert_eq!(kinds(&place).await, "a2: a4:");
    let mut result = String::new();
    for _ in 0..2 {
        let saved = send(&mut browser, &chosen, &[("step", "save")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        assert_eq!(kinds(&place).await, "a2:renewed a4:renewed", "a repeated form has no further effect");
        result = saved.location.unwrap();
    }
    let page = browser.get(&result).await;
    assert_eq!(element(&page, "h1"), "Fornyet: 2 sertifiseringer");
    for words in ["Mentor a2", "Mentor a4", "10. juni 2028", "Angre alle 2 endringene"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    // The page of one of them offers to undo it alone, and leads to the others.
    let one = browser.get(&certification("a2")).await;
    assert!(one.text.contains("Du endret 2 sertifiseringer samtidig"), "{}", one.text);

    for _ in 0..2 {
        let undone = send(&mut browser, &page, &[]).await;
        assert_eq!(undone.status, 303, "{}", undone.text);
        let page = browser.get(&undone.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Angret: 2 sertifiseringer");
        assert!(!page.text.contains("Angre alle"), "{}", page.text);
        assert_eq!(kinds(&place).await, "a2:renewed,undone a4:renewed,undone");
    }
}

#[tokio::test]
async fn the_check_says_already_whose_change_would_be_refused() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.certification_types set validity_months = 24").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let (a2, a4) = (chosen("a2"), chosen("a4"));
    for (change, date, reason) in [
        ("expires_at = '2028-06-10T21:59:59Z'", "10.06.2026", "gjelder allerede til og med denne datoen"),
        ("issued_at = '2028-07-01T10:00:00Z'", "10.06.2026", "før sertifiseringen ble utstedt, 1. juli 2028"),
        ("expires_at = expires_at + interval '1 day'", "10.06.2026", "Noen andre endret den"),
        ("withdrawn", "10.06.2026", "Den er trukket tilbake"),
    ] {
        let form = browser.get("/changes/new?action=renewals").await;
        let of_a4 = certification("a4");
        let id = of_a4.rsplit('/').next().unwrap();
        let is_withdrawn = change == "withdrawn";
        if is_withdrawn {
            let withdrawal = browser.get(&format!("{of_a4}/withdrawals")).await;
            let check = send(&mut browser, &withdrawal, &[]).await;
            assert_eq!(send(&mut browser, &check, &[("step", "save")]).await.status, 303);
        } else {
            let update = format!("update public.peer_mentor_certifications set {change} where id = '{id}'");
            place.database.execute(&update).await;
        }
        // The version that the form carries is the present one, unless the case is about it.
        let now: String = place
            .database
            .value(&format!(
                "select (extract(epoch from updated_at) * 1000000)::bigint::text from public.peer_mentor_certifications where id = '{id}'"
            ))
            .await;
        let seen = format!("seen-{id}");
        let mut fields = vec![("date", date), (&a2.0[..], &a2.1[..]), (&a4.0[..], &a4.1[..])];
        if !change.contains("interval") {
            fields.push((&seen, &now));
        }
        let check = send(&mut browser, &form, &fields).await;
        assert_eq!(element(&check, "h1"), "Stemmer dette? Én fornyelse er ikke lagret ennå", "{change}");
        let (refused, changed) = check.text.split_once("<h2>Blir endret</h2>").unwrap();
        let refused = refused.split_once("<h2>Blir ikke endret: én</h2>").unwrap().1;
        assert!(refused.contains("<strong>Mentor a4,</strong>") && refused.contains(reason), "{refused}");
        assert!(
            changed.contains("<strong>Mentor a2,</strong>") && !changed.contains("Mentor a4"),
            "{changed}"
        );
        let alone: Vec<(&str, &str)> = fields.into_iter().filter(|(name, _)| *name != a2.0).collect();
        let none = send(&mut browser, &form, &alone).await;
        assert_eq!(element(&none, "h1"), "Ingen av dem kan fornyes", "{change}");
        assert!(!none.text.contains("value=\"save\""), "{}", none.text);
        if !is_withdrawn {
            let back = "expires_at = '2026-07-01T21:59:59Z', issued_at = null";
            let update = format!("update public.peer_mentor_certifications set {back} where id = '{id}'");
            place.database.execute(&update).await;
        }
    }
}

#[tokio::test]
async fn those_that_cannot_be_changed_or_undone_are_named_with_the_reason() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.certification_types set validity_months = 24").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let check = browser.get("/changes/new?action=suspensions").await;
    assert_eq!(element(&check, "h1"), "Stans 2 sertifiseringer midlertidig");
    let change = |chapter: &str| {
        format!(
            "update public.peer_mentor_certifications set expires_at = expires_at + interval '1 day' where id = '{}'",
            certification(chapter).rsplit('/').next().unwrap()
        )
    };
    place.database.execute(&change("a4")).await;
    let (a2, a4) = (chosen("a2"), chosen("a4"));
    // Neither a certification of another chapter nor of another organisation can be added to the form.
    let (a3, b1) = (chosen("a3"), chosen("b1"));
    let foreign: Vec<(String, String)> =
        [&a3, &b1].iter().map(|one| (one.0.replace("chosen-", "seen-"), "0".to_owned())).collect();
    let mut ticked = vec![("date", "30.06.2026"), ("step", "save")];
    ticked.extend([&a2, &a4, &a3, &b1, &foreign[0], &foreign[1]].map(|one| (one.0.as_str(), one.1.as_str())));
    let saved = send(&mut browser, &check, &ticked).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let page = browser.get(&saved.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Midlertidig stanset: én sertifisering");
    assert!(
        page.text.contains("Ikke endret: én") && page.text.contains("Noen andre endret den"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("Mentor a3") && !page.text.contains("Mentor b1"), "{}", page.text);
    assert_eq!(kinds(&place).await, "a2:suspended a4:renewed");

    place.database.execute(&change("a2")).await;
    let undone = send(&mut browser, &page, &[]).await;
    let page = browser.get(&undone.location.unwrap()).await;
    assert!(!page.text.contains("Angret:"), "{}", page.text);
    assert!(page.text.contains("Endret på nytt etterpå, så det kan ikke angres: én"), "{}", page.text);
    assert_eq!(kinds(&place).await, "a2:suspended,renewed a4:renewed", "what was changed since stays");
    for path in
        ["/changes/new?action=withdrawals", "/changes/new", "/changes/00000000-0000-4000-8000-000000000000"]
    {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    let csrf = hidden(&check).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let without_key = browser.post("/changes", &[("csrf", &csrf), ("action", "renewals")]).await;
    assert_eq!(without_key.status, 422, "{}", without_key.text);
}

#[tokio::test]
async fn the_same_form_with_other_values_changes_nothing_and_says_so() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.certification_types set validity_months = 24").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let check = browser.get("/changes/new?action=renewals").await;
    let (a2, a4) = (chosen("a2"), chosen("a4"));
    let with = |date| [("date", date), ("step", "save"), (&a2.0[..], &a2.1[..]), (&a4.0[..], &a4.1[..])];
    send(&mut browser, &check, &with("10.06.2026")).await;
    // The Back button leads to the form; the certifications are not as it showed them any more.
    let again = send(&mut browser, &check, &with("01.06.2026")).await;
    let page = browser.get(&again.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Ingen er fornyet");
    assert!(page.text.contains("Ikke endret: 2"), "{}", page.text);
    assert_eq!(kinds(&place).await, "a2:renewed a4:renewed");
    // Dates that are possible for nobody are refused in the form.
    let check = browser.get("/changes/new?action=suspensions").await;
    for (action, date) in
        [("suspensions", "14.06.2026"), ("renewals", "16.06.2026"), ("renewals", "01.01.1800")]
    {
        let refused = send(&mut browser, &check, &[&with(date)[..], &[("action", action)]].concat()).await;
        assert_eq!(refused.status, 422, "{action} {date}: {}", refused.text);
        assert!(refused.text.contains("href=\"#date\""), "{action} {date}: {}", refused.text);
        assert_eq!(refused.text.matches(" checked>").count(), 2, "{}", refused.text);
    }
    let long = "x".repeat(501);
    let refused = send(
        &mut browser,
        &check,
        &[&with("10.06.2026")[..], &[("action", "renewals"), ("evidence", &long)]].concat(),
    )
    .await;
    assert!(refused.status == 422 && refused.text.contains("href=\"#evidence\""), "{}", refused.text);
}

#[tokio::test]
async fn withdrawals_are_taken_back_one_by_one() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    for chapter in ["a2", "a4"] {
        let form = browser.get(&(certification(chapter) + "/withdrawals")).await;
        let check = send(&mut browser, &form, &[]).await;
        assert_eq!(send(&mut browser, &check, &[("step", "save")]).await.status, 303);
    }
    let before = kinds(&place).await;
    let list = browser.get("/certifications").await;
    assert!(!list.text.contains("/changes/new"), "{}", list.text);
    let none = browser.get("/changes/new?action=reinstatements").await;
    assert_eq!(element(&none, "h1"), "Ingen her kan settes i kraft igjen");
    // A form that names them is refused.
    let csrf = hidden(&browser.get(&(certification("a2") + "/reinstatements")).await);
    let csrf = csrf.into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    let (a2, seen) = (chosen("a2"), chosen("a2").0.replace("chosen-", "seen-"));
    let form = [
        ("csrf", csrf.as_str()),
        ("action", "reinstatements"),
        ("step", "save"),
        ("key", "00000000-0000-4000-8000-0000000000f3"),
        (&seen, "0"),
        (&a2.0, &a2.1),
    ];
    let sent = browser.post("/changes", &form).await;
    let page = browser.get(&sent.location.unwrap()).await;
    assert!(page.text.contains("Den er trukket tilbake"), "{}", page.text);
    assert_eq!(kinds(&place).await, before);
}

#[tokio::test]
async fn a_form_that_is_sent_after_the_session_has_expired_is_kept_for_the_same_person() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2") + "/suspensions";
    let note = [("date", "30.06.2026"), ("note", "Permisjon ut året & <mer>")];
    for (expired, kept) in [
        ("seen_at = seen_at - interval '12 hours'", true),
        ("expires_at = now()", true),
        // Ended by the person, in another browser.
        ("", false),
    ] {
        let end = if kept {
            format!("update certvakt.sessions set {expired}")
        } else {
            "delete from certvakt.kept_forms; delete from certvakt.sessions".to_owned()
        };
        let form = browser.get(&path).await;
        place.database.execute(&end).await;
        let forged = browser.post(&path, &[("csrf", "no token of ours"), ("note", "forged")]).await;
        assert!(forged.location.unwrap().contains("return_to=%2Fcertifications"), "{expired}");
        let sent = send(&mut browser, &form, &note).await;
        let to = sent.location.clone().unwrap();
        assert_eq!(sent.status, 303, "{}", sent.text);
        assert_eq!(to.contains("return_to=%2Fkept-form"), kept, "{expired}: {to}");
        let said = browser.get(&to).await;
        let what = if kept { "er tatt vare på" } else { "er ikke lagret" };
        let title = format!("Du er logget ut. Det du skrev, {what}");
        for words in [format!("<title>{title} – "), format!(" tabindex=\"-1\" autofocus>{title}</h1>")] {
            assert!(said.text.contains(&words), "{expired}: {words} in {}", said.text);
        }
        let page = browser.sign_in("/sign-in/provider?return_to=/kept-form", "coordinator").await;
        assert_eq!(
            page.text.contains("Ikke lagret ennå. Stans midlertidig: Mentor a2, Own"),
            kept,
            "{expired}: {}",
            page.text
        );
        if kept {
            let before = page.text.clone();
            assert!(before.contains("Permisjon ut året &#38; &#60;mer&#62;"), "{before}");
            let places = ["velg «Gå videre».", ">Gå videre</button>", "Åpne et tomt skjema"]
                .map(|one| before.find(one));
            assert!(
                places.is_sorted() && places[0].is_some(),
                "the main button first: {places:?} in {before}"
            );
            // The last form of the page discards it.
            let text = page.text.split_once("<form method=\"post\" action=\"/kept-form\">").unwrap().0;
            let kept = Answer { text: text.to_owned(), ..page };
            let saved = send(&mut browser, &kept, &[]).await;
            assert!(saved.location.unwrap().contains("done=suspended"), "{}", saved.text);
            assert_eq!(browser.get("/kept-form").await.status, 303, "it is not shown again");
            place.database.execute("update public.peer_mentor_certifications set status = 'active'").await;
        }
    }
    // Nobody else gets it.
    browser.sign_in("/sign-in/provider", "coordinator").await;
    let form = browser.get(&path).await;
    place.database.execute("update certvakt.sessions set expires_at = now()").await;
    send(&mut browser, &form, &note).await;
    let mut administrator = signed_in(&place, "administrator").await;
    let answer = administrator.get("/kept-form").await;
    assert!(answer.status == 303 && !answer.text.contains("Permisjon"), "{}", answer.text);
    let page = browser.sign_in("/sign-in/provider?return_to=/kept-form", "coordinator").await;
    let discarded = send(&mut browser, &page, &[]).await;
    assert_eq!(discarded.status, 303, "{}", discarded.text);
    assert_eq!(browser.get("/kept-form").await.status, 303, "it is discarded");
}

#[tokio::test]
async fn a_form_that_needs_a_new_sign_in_is_kept_for_the_same_administrator() {
    let place = TestService::start("[step_up]\nmax_age_minutes = 15\n").await;
    let mut browser = signed_in(&place, "administrator").await;
    let path = certification("a2") + "/suspensions";
    let note = [("date", "30.06.2026"), ("note", "Permisjon ut året & <mer>")];
    let suspended = "select count(*) from public.peer_mentor_certifications where status = 'suspended'";
    let kept = "select count(*) from certvakt.kept_forms";
    let form = browser.get(&path).await;
    let forged = browser.post(&path, &[("csrf", "no token of ours"), ("note", "forged")]).await;
    assert_eq!((forged.status, place.database.value::<i64>(kept).await), (403, 0), "{}", forged.text);
    let sent = send(&mut browser, &form, &note).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let to = sent.location.unwrap();
    assert_eq!(to, "https://certvakt.example/sign-in?return_to=%2Fkept-form&step_up=true");
    assert_eq!(place.database.value::<i64>(suspended).await, 0, "nothing is saved yet");
    // Nobody else gets it.
    let mut coordinator = signed_in(&place, "coordinator").await;
    let answer = coordinator.get("/kept-form").await;
    assert!(answer.status == 303 && !answer.text.contains("Permisjon"), "{}", answer.text);

    let again = browser.get(&to).await;
    assert!(again.text.contains("Logg inn på nytt for å gjøre endringer."), "{}", again.text);
    let again = between(&again.text, "class=\"button\" href=\"", "\"").replace("&#38;", "&");
    let page = browser.sign_in(&again, "administrator").await;
    assert_eq!(page.url, "https://certvakt.example/kept-form", "{}", page.text);
    assert!(page.text.contains("Permisjon ut året &#38; &#60;mer&#62;"), "{}", page.text);
    // The last form of the page discards it.
    let text = page.text.split_once("<form method=\"post\" action=\"/kept-form\">").unwrap().0;
    let first =
        Answer { text: text.to_owned(), headers: page.headers.clone(), url: page.url.clone(), ..page };
    // If that takes too long, the form is kept again.
    let age = "update certvakt.sessions set authenticated_at = authenticated_at - interval '17 minutes'";
    place.database.execute(age).await;
    let sent = send(&mut browser, &first, &[]).await;
    assert!(sent.location.unwrap().contains("return_to=%2Fkept-form&step_up=true"), "{}", sent.text);
    let page = browser.get("/kept-form").await;
    let discarded = send(&mut browser, &page, &[]).await;
    assert_eq!(
        discarded.status, 303,
        "to discard it is no change of anybody else's data: {}",
        discarded.text
    );
    assert_eq!(place.database.value::<i64>(kept).await, 0);

    let form = browser.get(&path).await;
    send(&mut browser, &form, &note).await;
    let page = browser.sign_in(&again, "administrator").await;
    let text = page.text.split_once("<form method=\"post\" action=\"/kept-form\">").unwrap().0;
    let saved = send(&mut browser, &Answer { text: text.to_owned(), ..page }, &[]).await;
    assert!(saved.location.unwrap().contains("done=suspended"), "{}", saved.text);
    assert_eq!(place.database.value::<i64>(suspended).await, 1);
    assert_eq!(browser.get("/kept-form").await.status, 303, "it is not shown again");
}
