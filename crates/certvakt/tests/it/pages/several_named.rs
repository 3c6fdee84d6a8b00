//! What the check of a change of several says about whom, and how the change is found again.

use super::{certification, element, send, signed_in};
use crate::sign_in::{Answer, TestService};

/// Adds twelve mentors of one chapter, whose certifications are valid for almost a year. The last one expires first.
async fn with_twelve(place: &TestService) {
    let id = "('00000000-0000-4000-8000-0000000600' || to_char(n, 'FM00'))::uuid";
    let add = format!(
        "update certvakt.certification_types set validity_months = 24;
         insert into certvakt.people (id, name) select {id}, 'Rad ' || to_char(n, 'FM00') from generate_series(1, 12) n;
         insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
         select {id}, c.organisation_id, c.id, {id}, 'type', '2027-06-15T20:00:00Z'::timestamptz - n * interval '1 day'
         from generate_series(1, 12) n, certvakt.chapters c where c.slug = 'own'"
    );
    place.database.execute(&add).await;
}

/// The fields that choose the first ones of the twelve.
fn first(number: usize) -> Vec<String> {
    (1..=number).map(|n| format!("chosen-00000000-0000-4000-8000-0000000600{n:02}")).collect()
}

fn filled(chosen: &[String]) -> Vec<(&str, &str)> {
    let chosen = chosen.iter().map(|name| (name.as_str(), "yes"));
    chosen.chain([("date", "10.06.2026")]).collect()
}

/// The names of the twelve, in the order of the page.
fn names(page: &Answer) -> Vec<String> {
    page.text.split("Rad ").skip(1).map(|after| after.chars().take(2).collect()).collect()
}

#[tokio::test]
async fn the_check_names_who_is_left_out_and_the_result_has_the_same_order() {
    let place = TestService::start("").await;
    with_twelve(&place).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let form = browser.get("/changes/new?q=Rad&action=renewals").await;
    assert_eq!(element(&form, "h1"), "Forny 12 sertifiseringer");
    for (number, left_out, long) in [
        (
            1,
            Some("<summary>Ikke med: 11</summary>\n<p>Rad 12, Own; Rad 11, Own;"),
            "Én av sertifiseringene er",
        ),
        (2, Some("<p>Ikke med: Rad 12, Own; Rad 11, Own;"), "2 av sertifiseringene er gyldige"),
        (11, Some("<p>Ikke med: Rad 12, Own</p>"), "11 av sertifiseringene er gyldige"),
        (12, None, "12 av sertifiseringene er gyldige i mer enn 180 dager til."),
    ] {
        let check = send(&mut browser, &form, &filled(&first(number))).await;
        match left_out {
            Some(words) => assert!(check.text.contains(words), "{words} in {}", check.text),
            None => assert!(!check.text.contains("Ikke med"), "{}", check.text),
        }
        let (before, _) = check.text.split_once("value=\"save\" aria-describedby=\"caution\"").unwrap();
        assert!(before.contains(long), "{long} in {before}");
    }
    let check = send(&mut browser, &form, &filled(&first(12))).await;
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    let result = browser.get(&saved.location.unwrap()).await;
    let ordered: Vec<String> = (1..=12).rev().map(|n| format!("{n:02}")).collect();
    assert_eq!((names(&check), names(&result)), (ordered.clone(), ordered), "the first to expire first");

    // The suspension of those says nothing about their validity.
    let form = browser.get("/changes/new?q=Rad&action=suspensions").await;
    let check = send(&mut browser, &form, &filled(&first(3))).await;
    assert!(!check.text.contains("180 dager"), "{}", check.text);
}

#[tokio::test]
async fn a_change_of_several_is_found_with_what_was_done_and_undone_from_there() {
    let place = TestService::start("").await;
    with_twelve(&place).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let form = browser.get("/changes/new?q=Rad&action=renewals").await;
    let chosen = first(10);
    let fields = [&filled(&chosen)[..], &[("step", "save")]].concat();
    assert_eq!(send(&mut browser, &form, &fields).await.status, 303);
    let changes = browser.get("/changes").await;
    for words in [
        ">Fornyet: 10 sertifiseringer på én gang</a></h2></div>",
        ">Angre<span class=\"unseen\"> alle 10 endringene</span>",
    ] {
        assert!(changes.text.contains(words), "{words} in {}", changes.text);
    }
    // One that is changed since stays as it is.
    place.database.execute("update public.peer_mentor_certifications set expires_at = '2029-01-01T20:00:00Z' where id = '00000000-0000-4000-8000-000000060001'").await;
    let undone = send(&mut browser, &changes, &[]).await;
    let page = browser.get(&undone.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Angret: 9 sertifiseringer");
    let changes = browser.get("/changes").await;
    assert!(changes.text.contains("Angret ") && !changes.text.contains(">Angre<"), "{}", changes.text);
}

#[tokio::test]
async fn the_check_of_a_renewal_says_that_the_certification_is_valid_for_long() {
    let place = TestService::start("").await;
    with_twelve(&place).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let words = "Sertifiseringen er gyldig i 364 dager til. Kontroller at det er riktig person.";
    let long = "/certifications/00000000-0000-4000-8000-000000060001".to_owned();
    for (path, action, is_said) in
        [(&long, "renewals", true), (&long, "corrections", false), (&certification("a2"), "renewals", false)]
    {
        let form = browser.get(&format!("{path}/{action}")).await;
        assert!(!form.text.contains("dager til. Kontroller"), "{}", form.text);
        let check = send(&mut browser, &form, &[("date", "10.06.2026")]).await;
        let before = check.text.split_once("value=\"save\"").map_or("", |(before, _)| before);
        assert_eq!(before.contains(words), is_said, "{path} {action}: {}", check.text);
    }
}
