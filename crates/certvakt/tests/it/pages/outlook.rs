//! The outlook, and the number of mentors that a chapter needs.

use super::{element, send, signed_in};
use crate::sign_in::{Browser, TestService, between};

#[tokio::test]
async fn a_chapter_that_will_have_too_few_comes_first_with_the_month() {
    let place = TestService::start("").await;
    // In the chapter `below`: one more mentor until February 2027, and one who never expires.
    place
        .database
        .execute(
            "with new as (
               insert into certvakt.people (id, name) values
                 ('00000000-0000-4000-8000-0000000300a1', 'More'), ('00000000-0000-4000-8000-0000000300a2', 'Ever')
               returning id)
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select h.organisation_id, h.id, n.id, 'type',
               case when n.id = '00000000-0000-4000-8000-0000000300a1' then timestamptz '2027-02-28T22:59:59Z' end
             from new n, certvakt.chapters h where h.slug = 'below'",
        )
        .await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let page = coordinator.get("/outlook").await;
    assert_eq!(element(&page, "h1"), "Månedene framover: sertifiserte likepersoner de neste 18 månedene");
    assert!(
        page.text.contains("3 sertifiserte likepersoner i dag.") && !page.text.contains("required-mentors"),
        "{}",
        page.text
    );

    let mut administrator = signed_in(&place, "administrator").await;
    let page = administrator.get("/outlook").await;
    let id: String =
        place.database.value("select id::text from certvakt.chapters where slug = 'below'").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let path = format!("/chapters/{id}/required-mentors");
    for wrong in ["mange", "0", "-1", "10001", "2,5"] {
        let refused = administrator.post(&path, &[("csrf", &csrf), ("number", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text);
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
        assert!(refused.text.contains(&format!("href=\"#number-{id}\"")), "{}", refused.text);
        assert!(refused.text.contains(&format!("value=\"{wrong}\"")), "{}", refused.text);
    }
    for (number, situation) in [
        ("2", "Færre enn 2 sertifiserte likepersoner fra februar 2027"),
        ("3", "Færre enn 3 sertifiserte likepersoner fra juni 2026"),
        ("4", "3 sertifiserte likepersoner i dag, og lokallaget trenger 4."),
        ("1", "Det er minst 1 i 18 måneder framover."),
        ("", "3 sertifiserte likepersoner i dag."),
    ] {
        let set = administrator.post(&path, &[("csrf", &csrf), ("number", number)]).await;
        let page = administrator.get(&set.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Lagret for Below");
        assert!(page.text.contains(situation), "{situation} in {}", page.text);
        let is_short = page.text.contains("class=\"bad\"") || page.text.contains("class=\"warn\"");
        assert_eq!(is_short, matches!(number, "2" | "3" | "4"), "{number}");
        let first = between(&page.text, "<h2 id=\"chapter-", "<");
        assert_eq!(
            first.ends_with(">Below"),
            is_short || number.is_empty() || number == "1",
            "the first is {first}"
        );
    }
    let page = coordinator.get("/outlook").await;
    assert_eq!(
        coordinator
            .post(&path, &[("csrf", &between(&page.text, "name=\"csrf\" value=\"", "\"")), ("number", "5")])
            .await
            .status,
        403
    );

    let file = coordinator.get("/outlook.csv").await;
    for line in [
        "Below;2026-06;1;2;",
        "Below;2027-01;0;2;",
        "Below;2027-02;1;1;",
        "Below;2027-11;0;1;",
        "Own;2026-06;1;0;",
    ] {
        assert!(file.text.lines().any(|row| row == line), "{line} in {}", file.text);
    }
    assert!(!file.text.contains("2027-12") && !file.text.contains("Beside"), "{}", file.text);
    // Another organisation's chapter.
    let other: String =
        place.database.value("select id::text from certvakt.chapters where slug = 'other'").await;
    let foreign = administrator
        .post(&format!("/chapters/{other}/required-mentors"), &[("csrf", &csrf), ("number", "5")])
        .await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn every_page_leads_to_help_privacy_and_accessibility() {
    let place = TestService::start("[pages]\nhelp = \"Ring 22 00 00 00 <i dag>\"\nprivacy_url = \"https://forening.example/personvern\"\n").await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    for path in ["/today", "/certifications", "/outlook", "/runs", "/me", "/certifications/nowhere"] {
        assert!(coordinator.get(path).await.text.contains("href=\"/about#help\""), "{path}");
    }
    let mut browser = place.browser();
    for path in ["/sign-in", "/about"] {
        assert!(browser.get(path).await.text.contains("href=\"/about#help\""), "{path}");
    }
    let page = browser.get("/about").await;
    for words in
        ["Ring 22 00 00 00 &#60;i dag&#62;", "href=\"https://forening.example/personvern\"", "WCAG 2.2"]
    {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("Spør koordinatoren din"), "{}", page.text);
}

#[tokio::test]
async fn many_chapters_are_on_several_pages_with_those_that_need_somebody_first() {
    let place = TestService::start("").await;
    // With the chapters of the test data, there are more than two pages.
    place
        .database
        .execute(
            "insert into certvakt.chapters (organisation_id, parent_id, slug, name, required_mentors)
             select h.organisation_id, h.id, 'many-' || n, 'Lag ' || to_char(n, 'FM00'), case when n = 45 then 1 end
             from certvakt.chapters h, generate_series(1, 45) n where h.slug = 'own'",
        )
        .await;
    let mut administrator = signed_in(&place, "administrator").await;
    let first = administrator.get("/outlook").await;
    assert_eq!(element(&first, "h1"), "Ett lokallag har eller får for få likepersoner");
    assert_eq!(first.text.matches("<section class=\"outlook\"").count(), 20);
    let place_of = |name: &str| first.text.find(&format!("\">{name}</h2>")).unwrap();
    assert!(place_of("Lag 45") < place_of("Lag 01"), "{}", first.text);
    let total: usize = between(&first.text, "Viser lokallag 1–20 av ", ",").parse().unwrap();
    let (mut seen, mut page) = (20, first);
    while let Some((before, _)) = page.text.split_once("\">Neste side</a>") {
        let next = before.rsplit_once("href=\"").unwrap().1.to_owned();
        page = administrator.get(&next).await;
        seen += page.text.matches("<section class=\"outlook\"").count();
    }
    assert_eq!(seen, total);
    assert!(page.text.contains("href=\"/outlook?from=20\">Forrige side"), "{}", page.text);
    // A number that is set, or refused, leads to the page with its chapter.
    let id: String =
        place.database.value("select id::text from certvakt.chapters where name = 'Lag 44'").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let path = format!("/chapters/{id}/required-mentors");
    let refused = administrator.post(&path, &[("csrf", &csrf), ("number", "mange")]).await;
    assert!(refused.text.contains("value=\"mange\""), "{}", refused.text);
    let set = administrator.post(&path, &[("csrf", &csrf), ("number", "")]).await;
    let shown = administrator.get(&set.location.unwrap()).await;
    assert_eq!(element(&shown, "h1"), "Lagret for Lag 44");
    assert!(shown.text.contains(&format!("id=\"chapter-{id}\"")), "{}", shown.text);
    assert_eq!(administrator.get("/outlook?from=100000").await.status, 200);
}

#[tokio::test]
async fn the_chosen_chapter_stays_in_the_form_and_the_file() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let chapter = "00000000-0000-4000-8000-0000000000a2";
    let page = browser.get(&format!("/outlook?chapter={chapter}")).await;
    let file = format!("/outlook.csv?chapter={chapter}");
    assert!(page.text.contains(&format!("href=\"{file}\"")), "{}", page.text);
    for number in ["mange", "5"] {
        let answer = send(&mut browser, &page, &[("number", number)]).await;
        let answer = match answer.location {
            Some(to) => browser.get(&to).await,
            None => answer,
        };
        let here = format!("<a href=\"/outlook?chapter={chapter}\" aria-current=\"true\">Own</a>");
        assert!(answer.text.contains(&here), "{number}: {}", answer.text);
        assert_eq!(answer.text.matches("<section class=\"outlook\"").count(), 1, "{number}");
        assert_eq!(element(&answer, "h1") == "Lagret for Own", number == "5", "{}", answer.text);
    }
    let all = browser.get("/outlook").await;
    assert!(!all.text.contains("name=\"chapter\""), "{}", all.text);
    let to = send(&mut browser, &all, &[("number", "5"), ("chapter", "//elsewhere.example")]).await.location;
    assert!(!to.unwrap().contains("elsewhere"));
    let chapters = async |browser: &mut Browser, path: &str| {
        let file = browser.get(path).await.text;
        let mut names: Vec<_> =
            file.lines().skip(1).filter_map(|row| row.split(';').next()).map(str::to_owned).collect();
        names.dedup();
        names
    };
    assert!(chapters(&mut browser, "/outlook.csv").await.len() > 1);
    assert_eq!(chapters(&mut browser, &file).await, ["Own"]);
    for unknown in ["x", "00000000-0000-4000-8000-0000000000b1"] {
        assert!(chapters(&mut browser, &format!("/outlook.csv?chapter={unknown}")).await.is_empty());
    }
}
