//! The filters, the order, the length and the pages of the list of certifications.

use super::{element, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

/// The names in a list.
fn names(page: &Answer) -> Vec<String> {
    let rows = page.text.split("<h3>").skip(1);
    rows.map(|row| row.split_once("\">").unwrap().1.split("</a>").next().unwrap().to_owned()).collect()
}

/// What a page says about its place in the list.
fn place_of(page: &Answer) -> String {
    let heading = between(&page.text, "<h2 class=\"found\"", "</h2>");
    heading.split_once('>').unwrap().1.to_owned()
}

/// The address of the link with a label.
fn link(page: &Answer, label: &str) -> Option<String> {
    let before = page.text.split_once(&format!("\">{label}</a>"))?.0;
    Some(before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&"))
}

/// Adds mentors `Rad 001` and so on to the chapter `own`, whose names are in the opposite order of their last valid days.
async fn with_rows(place: &TestService, number: usize) {
    let add = format!(
        "insert into certvakt.people (id, name)
           select ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'Rad ' || to_char(n, 'FM0000') from generate_series(1, {number}) n;
         insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
         select c.organisation_id, c.id, ('00000000-0000-4000-8000-00000005' || to_char(n, 'FM0000'))::uuid, 'type',
           '2031-01-01T20:00:00Z'::timestamptz - n * interval '1 day'
         from generate_series(1, {number}) n, certvakt.chapters c where c.slug = 'own'"
    );
    place.database.execute(&add).await;
}

/// Adds a second certification of a person, without an end.
async fn certify_again(place: &TestService, name: &str) {
    let add = format!(
        "insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
         select h.organisation_id, h.id, p.id, 'type' from certvakt.chapters h, certvakt.people p
         where h.slug = 'own' and p.name = '{name}'"
    );
    place.database.execute(&add).await;
}

/// Follows the links to the next page. Returns the names and what each page says about its place.
async fn all_pages(browser: &mut Browser, path: &str) -> (Vec<String>, Vec<String>, Answer) {
    let mut page = browser.get(path).await;
    let (mut seen, mut places) = (names(&page), vec![place_of(&page)]);
    while let Some(next) = link(&page, "Neste side") {
        page = browser.get(&next).await;
        seen.extend(names(&page));
        places.push(place_of(&page));
    }
    (seen, places, page)
}

#[tokio::test]
async fn a_list_in_the_order_of_names_has_pages_a_length_and_the_way_back() {
    let place = TestService::start("").await;
    with_rows(&place, 120).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let expected: Vec<String> = (1..=120).map(|n| format!("Rad {n:04}")).collect();
    let reversed: Vec<String> = expected.iter().rev().cloned().collect();
    let places = ["Viser 1–50 av 120", "Viser 51–100 av 120", "Viser 101–120 av 120"];
    for (order, expected) in [("name", &expected), ("", &reversed)] {
        for filter in ["q=rad", "state=valid&q=rad"] {
            let path = format!("/certifications?{filter}&order={order}");
            let (seen, found, last) = all_pages(&mut browser, &path).await;
            assert_eq!(&seen, expected, "{path}");
            assert_eq!(found, places, "{path}");
            // Two links lead back to the first page.
            let second = browser.get(&link(&last, "Forrige side").unwrap()).await;
            assert_eq!(names(&second), expected[50..100], "{path}");
            let first = browser.get(&link(&second, "Forrige side").unwrap()).await;
            assert_eq!(names(&first), expected[..50], "{path}");
            assert_eq!(link(&first, "Forrige side"), None);
        }
    }
    // The chosen order stays chosen, and each filter's link keeps it.
    let page = browser.get("/certifications?order=name&q=rad&state=valid").await;
    assert!(page.text.contains("<option value=\"name\" selected>Navn</option>"), "{}", page.text);
    for kept in ["/certifications?state=valid&#38;order=name\"", "/certifications?q=rad&#38;order=name\""] {
        assert!(page.text.contains(kept), "{kept} in {}", page.text);
    }
    // The changes of several come before the rows.
    let (several, first) = (page.text.find("/changes/new?"), page.text.find("Rad 0001"));
    assert!(several.unwrap() < first.unwrap(), "{}", page.text);
    assert!(page.text.contains("/changes/new?q=rad&#38;state=valid&#38;order=name&#38;action=renewals"));
    // A file and the meeting list have the same order.
    let file = browser.get("/certifications.csv?q=rad&order=name").await;
    let of_file: Vec<&str> = file.text.lines().skip(1).map(|row| row.split(';').next().unwrap()).collect();
    assert_eq!(of_file, expected);
    for (order, expected) in [("name", &expected), ("", &reversed)] {
        let print = browser.get(&format!("/certifications/print?q=rad&order={order}")).await;
        let rows: Vec<&str> = print.text.split("<th scope=\"row\">").skip(1).collect();
        let printed: Vec<&str> = rows.iter().map(|row| row.split('<').next().unwrap()).collect();
        assert_eq!(&printed, expected, "{order}");
    }
    // A mentor who leaves the list while somebody reads it does not stop the reader.
    let first = browser.get("/certifications?q=rad&order=name&state=valid").await;
    let next = link(&first, "Neste side").unwrap();
    place
        .database
        .execute(
            "update public.peer_mentor_certifications set status = 'suspended' where peer_mentor_id in
                  (select id from certvakt.people where name = 'Rad 0050')",
        )
        .await;
    assert_eq!(names(&browser.get(&next).await)[0], "Rad 0051");
    // A place that cannot be right is not shown.
    for wrong in ["from=4294967295", "from=99999999999999999999", "from=x"] {
        let page = browser.get(&next.replace("from=50", wrong)).await;
        assert_eq!(place_of(&page), "Viser noen av 119", "{wrong}");
    }
}

#[tokio::test]
async fn a_list_by_mentor_has_the_most_urgent_mentors_first_and_their_certifications_together() {
    let place = TestService::start("").await;
    with_rows(&place, 60).await;
    // A second certification of some.
    place
        .database
        .execute(
            "insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at, status)
             select h.organisation_id, h.id, p.id, 'type', x.expires_at, x.status
             from (values ('Rad 0040', '2026-06-25T20:00:00Z'::timestamptz, 'active'), ('Rad 0058', '2026-06-10T20:00:00Z', 'expired'),
               ('Rad 0057', '2026-01-01T20:00:00Z', 'expired'), ('Rad 0030', '2030-01-01T20:00:00Z', 'suspended'),
               ('Rad 0055', '2026-06-20T20:00:00Z', 'active')) x (name, expires_at, status)
             join certvakt.people p on p.name = x.name join certvakt.chapters h on h.slug = 'own'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let name = |number: usize| format!("Rad {number:04}");
    let urgent = [58, 40, 55, 57, 30];
    let others = (1..=60).filter(|number| !urgent.contains(number));
    let expected: Vec<String> =
        urgent.iter().flat_map(|number| [*number, *number]).chain(others).map(name).collect();
    let without_what_tells_apart =
        |names: Vec<String>| names.iter().map(|one| one.split('<').next().unwrap().to_owned()).collect();
    let path = "/certifications?q=rad&order=mentor";
    let (seen, places, last) = all_pages(&mut browser, path).await;
    let seen: Vec<String> = without_what_tells_apart(seen);
    assert_eq!(
        (&seen, places),
        (&expected, vec!["Viser 1–50 av 65".to_owned(), "Viser 51–65 av 65".to_owned()])
    );
    assert!(
        last.text
            .contains("<option value=\"mentor\" selected>Likeperson, det mest presserende først</option>")
    );
    let first = browser.get(&link(&last, "Forrige side").unwrap()).await;
    let seen: Vec<String> = without_what_tells_apart(names(&first));
    assert_eq!(seen, expected[..50]);
    // The most urgent certification of a mentor is the first.
    assert!(first.text.find("10. juni 2026").unwrap() < first.text.find("2030").unwrap());
    let file = browser.get("/certifications.csv?q=rad&order=mentor").await;
    let of_file: Vec<&str> = file.text.lines().skip(1).map(|row| row.split(';').next().unwrap()).collect();
    assert_eq!(of_file, expected);
    let print = browser.get("/certifications/print?q=rad&order=mentor").await;
    let rows = print.text.split("<th scope=\"row\">").skip(1);
    let printed: Vec<&str> = rows.map(|row| row.split('<').next().unwrap()).collect();
    assert_eq!(printed, expected);
    // The states are those of the day of the list.
    let later = browser.get("/certifications?q=rad&order=mentor&on=1.7.26").await;
    let seen: Vec<String> = without_what_tells_apart(names(&later));
    assert_eq!(seen[..6], [40, 40, 55, 55, 58, 58].map(name));
    // The next page begins after the last mentor of this one, even if that mentor changes places meanwhile.
    let next = link(&first, "Neste side").unwrap();
    let change = "update public.peer_mentor_certifications set status = 'suspended' where peer_mentor_id in
          (select id from certvakt.people where name = 'Rad 0042')";
    assert_eq!(expected[49], name(42));
    place.database.execute(change).await;
    let seen: Vec<String> = without_what_tells_apart(names(&browser.get(&next).await));
    assert_eq!(seen, expected[50..]);
}

#[tokio::test]
async fn a_list_of_more_than_three_hundred_is_not_sorted_by_name() {
    let place = TestService::start("").await;
    with_rows(&place, 298).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/certifications?order=name").await;
    // With the two mentors of the test data.
    assert_eq!(place_of(&page), "Viser 1–50 av 300");
    assert_eq!(names(&page)[2], "Rad 0001");
    certify_again(&place, "Rad 0100").await;
    let page = browser.get("/certifications?order=name").await;
    assert_eq!(place_of(&page), "Viser 1–50 av 301");
    assert_eq!(names(&page)[2], "Rad 0298", "the next to expire first");
    assert!(page.text.contains("Velg et filter for å sortere på en annen måte."), "{}", page.text);
}

#[tokio::test]
async fn a_list_of_more_than_a_thousand_is_counted_no_further() {
    let place = TestService::start("").await;
    with_rows(&place, 998).await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/certifications?order=name").await;
    assert_eq!(place_of(&page), "Viser 1–50 av 1000");
    certify_again(&place, "Rad 0500").await;
    let page = browser.get("/certifications?order=name").await;
    assert_eq!(place_of(&page), "Viser 1–50 av over 1000");
    // The URL has the cursors of five previous pages; from the sixth on, the way back ends at the first page.
    let mut page = page;
    for _ in 0..7 {
        let next = link(&page, "Neste side").unwrap();
        assert!(next.len() < 400, "{next}");
        page = browser.get(&next).await;
    }
    assert_eq!(place_of(&page), "Viser 351–400 av over 1000");
    for _ in 0..4 {
        page = browser.get(&link(&page, "Forrige side").unwrap()).await;
    }
    assert_eq!(place_of(&page), "Viser 151–200 av over 1000");
    let first = browser.get(&link(&page, "Første side").unwrap()).await;
    assert_eq!(place_of(&first), "Viser 1–50 av over 1000");
}

#[tokio::test]
async fn a_list_shows_who_cannot_be_reached_and_who_wants_no_notices() {
    let place = TestService::start("").await;
    // Everybody has a notice. That of a4 was sent; those of the others wait for an address.
    place
        .database
        .execute(
            "update certvakt.deliveries d set state = 'delivered', available_at = now(), finished_at = now()
             from public.cert_notification_log l
             where l.id = d.id and l.certification_id = '00000000-0000-4000-8000-0000000200a4'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let list = async |browser: &mut Browser, query: &str| {
        let page = browser.get(&format!("/certifications?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        names(&page)
    };
    for query in [
        "state=unreachable",
        "state=unreachable&order=name",
        "state=unreachable&q=mentor",
        "state=unreachable&q=mentor&order=name",
        "state=unreachable&type=type&chapter=00000000-0000-4000-8000-0000000000a2",
    ] {
        assert_eq!(list(&mut browser, query).await, ["Mentor a2"], "{query}");
    }
    for query in [
        "state=unreachable&q=a4",
        "state=unreachable&type=none",
        "state=unreachable&chapter=00000000-0000-4000-8000-0000000000a4",
        "state=declined",
        "state=declined&order=name",
    ] {
        assert!(list(&mut browser, query).await.is_empty(), "{query}");
    }
    assert_eq!(
        element(&browser.get("/certifications?state=unreachable").await, "h1"),
        "Sertifiseringer: Kan ikke nås"
    );

    // A mentor who opted out of pushes still gets e-mails. One who opted out of both has declined, even with addresses.
    let opt_out = |kind: &str| {
        format!(
            "insert into certvakt.channel_opt_outs (person_id, kind)
             select peer_mentor_id, '{kind}' from public.peer_mentor_certifications
             where id::text like '%0000000200a_' or id::text like '%0000000200b_'"
        )
    };
    place
        .database
        .execute(
            "delete from certvakt.contact_points;
             insert into certvakt.contact_points (person_id, kind, address)
             values ('00000000-0000-4000-8000-0000000100a4', 'email', 'a4@example.org')",
        )
        .await;
    place.database.execute(&opt_out("push")).await;
    assert_eq!(list(&mut browser, "state=declined").await, ["Mentor a2"]);
    place.database.execute(&opt_out("email")).await;
    for query in ["state=declined", "state=declined&order=name", "state=declined&q=mentor&order=name"] {
        assert_eq!(list(&mut browser, query).await, ["Mentor a2", "Mentor a4"], "{query}");
    }
    let page = browser.get("/certifications?state=declined").await;
    assert_eq!(element(&page, "h1"), "Sertifiseringer: Vil ikke ha varsler");
}

#[tokio::test]
async fn a_list_shows_the_states_of_a_later_day() {
    let place = TestService::start("").await;
    // Suspended until 30 June, and without an end.
    place
        .database
        .execute(
            "insert into certvakt.people (id, name) values
               ('00000000-0000-4000-8000-000000040001', 'Ola Permisjon'), ('00000000-0000-4000-8000-000000040002', 'Kari Stans');
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at, status, suspended_until)
             select c.organisation_id, c.id, p.id, 'type', '2027-12-01T20:00:00Z', 'suspended',
               case p.name when 'Ola Permisjon' then date '2026-06-30' end
             from certvakt.chapters c, certvakt.people p where c.slug = 'own' and p.id::text like '%00000004000_'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    // The mentors of the test data are valid until 20 June 2026.
    for (query, expected) in [
        ("state=lapsed", &[][..]),
        ("state=lapsed&on=20.6.26", &[]),
        ("state=lapsed&on=21.6.26", &["Mentor a2", "Mentor a4"]),
        ("state=expired&on=21.06.2026", &["Mentor a2", "Mentor a4"]),
        ("state=expired&on=2026-12-06", &[]),
        ("state=renewal", &["Mentor a2", "Mentor a4"]),
        ("state=renewal&on=21.06.2026", &["Mentor a2", "Mentor a4"]),
        ("state=renewal&on=2026-12-06", &[]),
        ("state=lapsed&on=6.+desember+2026", &["Mentor a2", "Mentor a4"]),
        ("state=valid&on=21.6.26", &[]),
        ("state=valid&on=30.6.26", &[]),
        ("state=valid&on=1.7.26", &["Ola Permisjon"]),
        ("state=valid&on=1.7.26&q=ola&order=name", &["Ola Permisjon"]),
        ("state=suspended&on=30.6.26", &["Kari Stans", "Ola Permisjon"]),
        ("state=suspended&on=1.7.26&order=name", &["Kari Stans"]),
    ] {
        let page = browser.get(&format!("/certifications?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        let mut found = names(&page);
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
    let page = browser.get("/certifications?state=lapsed&on=6.12.26&order=name").await;
    assert_eq!(element(&page, "h1"), "Sertifiseringer: Alle utløpte, Status 6. desember 2026");
    assert!(page.text.contains("<p class=\"bad\">Utløpt"), "{}", page.text);
    assert!(page.text.contains("om 5 dager"), "the time is from today: {}", page.text);
    assert!(page.text.contains("href=\"/certifications?state=lapsed&#38;order=name\""), "{}", page.text);
    assert!(page.text.contains("id=\"on\" name=\"on\" value=\"06.12.2026\""), "{}", page.text);
    let file = browser.get("/certifications.csv?state=lapsed&on=2026-12-06").await;
    assert!(file.text.contains(";2026-06-20;Utløpt"), "{}", file.text);
    let print = browser.get("/certifications/print?state=lapsed&on=2026-12-06").await;
    assert!(
        print.text.contains("Statusen er slik den blir 6. desember 2026 hvis ingen fornyer."),
        "{}",
        print.text
    );
    // A day that is wrong is refused with everything entered, and the list is that of today.
    for (wrong, why) in [
        ("1.6.2026", "Velg dagen i dag eller en senere dato."),
        ("6.12", "Årstallet mangler."),
        ("snart", "Skriv datoen som dag, måned og år"),
    ] {
        let page = browser.get(&format!("/certifications?state=due&on={wrong}")).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(element(&page, "title").starts_with("Feil: "), "{}", page.text);
        assert!(page.text.contains("<a href=\"#on\">") && page.text.contains(why), "{}", page.text);
        assert!(page.text.contains(&format!("name=\"on\" value=\"{wrong}\"")), "{}", page.text);
        assert_eq!(names(&page), ["Mentor a2", "Mentor a4"]);
        for form in ["/certifications.csv", "/certifications/print", "/certifications.xlsx"] {
            assert_eq!(browser.get(&format!("{form}?on={wrong}")).await.status, 422, "{form} {wrong}");
        }
    }
}

#[tokio::test]
async fn a_meeting_list_says_whose_it_is_on_each_page() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let all = browser.get("/certifications/print?state=due&order=name").await;
    assert_eq!(element(&all, "h1"), "Møteliste for alle lokallagene dine");
    let headings: Vec<&str> = all.text.split("<h2 id=\"chapter-").skip(1).collect();
    assert_eq!(headings.len(), 2, "{}", all.text);
    for (heading, name) in headings.iter().zip(["Below", "Own"]) {
        assert_eq!(between(heading, ">", "</h2>"), format!("Møteliste for {name}"));
        assert_eq!(
            between(heading, "<p class=\"soft\">", "</p>"),
            "Skrevet ut mandag 15. juni 2026. Utvalg: Utløper snart (innen 90 dager)."
        );
    }
    let one = browser.get("/certifications/print?chapter=00000000-0000-4000-8000-0000000000a2").await;
    assert_eq!(element(&one, "h1"), "Møteliste for Own");
}

#[tokio::test]
async fn a_filter_says_what_needs_a_renewal_and_when_that_begins() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let (renewal, due) =
        ("Trenger fornyelse (utløper snart eller nylig utløpt)", "Utløper snart (innen 90 dager)");
    let page = browser.get("/certifications?state=renewal").await;
    assert_eq!(element(&page, "h1"), format!("Sertifiseringer: {renewal}"));
    assert!(
        page.text.contains(&format!("<option value=\"renewal\" selected>{renewal}</option>")),
        "{}",
        page.text
    );
    assert!(page.text.contains(&format!("<option value=\"due\">{due}</option>")), "{}", page.text);
    // A form for several begins from it too.
    let several = link(&page, "Forny flere").unwrap();
    assert!(several.contains("state=renewal"), "{several}");
    assert!(browser.get(&several).await.text.contains("Mentor a4"));
    let print = browser.get("/certifications/print?state=renewal").await;
    assert!(print.text.contains(&format!("Utvalg: {renewal}.")), "{}", print.text);
    // The types of an organisation can have other lead times.
    for (lead_times, label) in
        [("'{30,7}'", "Utløper snart (innen 30 dager)"), ("'{7}'", "Utløper snart (innen 7 dager)")]
    {
        place
            .database
            .execute(&format!("update certvakt.certification_types set lead_times = {lead_times}"))
            .await;
        let page = browser.get("/certifications").await;
        assert!(
            page.text.contains(&format!("<option value=\"due\">{label}</option>")),
            "{label} in {}",
            page.text
        );
    }
    place
        .database
        .execute(
            "update certvakt.certification_types set lead_times = null;
             insert into certvakt.certification_types (organisation_id, code, name, lead_times)
             select id, 'short', 'Short', '{30}' from certvakt.organisations where slug = 'a'",
        )
        .await;
    let page = browser.get("/certifications").await;
    let label = "Utløper snart (innen 30 til 90 dager, avhengig av typen)";
    assert!(page.text.contains(&format!("<option value=\"due\">{label}</option>")), "{}", page.text);
}
