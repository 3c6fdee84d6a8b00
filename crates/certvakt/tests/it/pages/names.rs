//! Lists of people by name: their order, and the links of those with the same name.

use super::signed_in;
use crate::harness::superuser;
use crate::sign_in::{Answer, TestService};

/// Adds mentors to the chapter `own`, each with the name and the family name that the person and the organisation have.
async fn with_names(place: &TestService, names: &[[Option<&str>; 4]]) {
    for [name, family_name, ours, our_family_name] in names {
        sqlx::query(
            "with person as (
               insert into certvakt.people (name, family_name) values ($1, $2) returning id),
             named as (
               insert into certvakt.person_names (person_id, organisation_id, name, family_name)
               select p.id, c.organisation_id, $3, $4 from person p, certvakt.chapters c where c.slug = 'own' and $3 is not null),
             member as (
               insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
               select c.organisation_id, c.id, p.id, r.role from person p, certvakt.chapters c, unnest(array['mentor', 'coordinator']) r (role)
               where c.slug = 'own')
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type)
             select c.organisation_id, c.id, p.id, 'type' from person p, certvakt.chapters c where c.slug = 'own'",
        )
        .bind(name)
        .bind(family_name)
        .bind(ours)
        .bind(our_family_name)
        .execute(&mut superuser(&place.database.name).await)
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn lists_are_in_the_order_of_family_names_and_the_norwegian_alphabet() {
    let place = TestService::start("").await;
    with_names(
        &place,
        &[
            [None, None, Some("Navn Åsen"), Some("Åsen")],
            [None, None, Some("Per Navn Ås"), Some("Ås")],
            [Some("Bo Navn Aasen"), Some("Aasen"), None, None],
            [None, None, Some("Anna Navn Østby"), Some("Østby")],
            [None, None, Some("Anna Navn Ærlig"), Some("Ærlig")],
            [None, None, Some("Anna Navn Zulu"), Some("zulu")],
            [None, None, Some("Anne Navn Berg Dahl"), Some("Berg Dahl")],
            [None, None, Some("Zara Navn Berg"), Some("Berg")],
            [None, None, Some("Åse Navn Berg"), Some("Berg")],
            // A name without a family name, and a family name that belongs to another name.
            [None, None, Some("Anna Navn Uten"), None],
            [Some("Ås Navn Ås"), Some("Ås"), Some("Bjarne Navn"), None],
        ],
    )
    .await;
    let expected = [
        "Anna Navn Uten",
        "Zara Navn Berg",
        "Åse Navn Berg",
        "Anne Navn Berg Dahl",
        "Bjarne Navn",
        "Anna Navn Zulu",
        "Anna Navn Ærlig",
        "Anna Navn Østby",
        "Per Navn Ås",
        "Bo Navn Aasen",
        "Navn Åsen",
    ];
    let in_order = |page: &Answer| {
        let mut found: Vec<(usize, &str)> = expected
            .iter()
            .map(|name| (page.text.find(name).unwrap_or_else(|| panic!("{name}: {}", page.text)), *name))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let mut browser = signed_in(&place, "administrator").await;
    for path in [
        "/certifications?q=navn&order=name",
        "/certifications.csv?q=navn&order=name",
        "/certifications/print?q=navn&order=name",
        "/settings/00000000-0000-4000-8000-0000000000a0/people",
        "/settings/00000000-0000-4000-8000-0000000000a0/people?q=navn",
        "/certifications/new?q=navn",
        "/chapters",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert_eq!(in_order(&page), expected, "{path}");
    }
}

#[tokio::test]
async fn links_to_people_with_the_same_name_say_what_tells_them_apart() {
    let place = TestService::start("").await;
    let twin = [None, None, Some("Kari Navn"), None];
    with_names(&place, &[twin, twin, [None, None, Some("Ola Navn"), None]]).await;
    place
        .database
        .execute(
            "update public.peer_mentor_certifications c set external_id = n.number
             from (select c.id, '10' || row_number() over (order by c.id) as number
               from public.peer_mentor_certifications c
               join certvakt.person_names n on n.person_id = c.peer_mentor_id where n.name = 'Kari Navn') n
             where n.id = c.id",
        )
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get("/certifications?q=navn").await;
    for link in [
        "Kari Navn<span class=\"unseen\">, Own, Type, 101</span></a>",
        "Kari Navn<span class=\"unseen\">, Own, Type, 102</span></a>",
        "Ola Navn</a>",
    ] {
        assert!(page.text.contains(link), "{link} in {}", page.text);
    }
    for path in ["/certifications/new?q=navn", "/settings/00000000-0000-4000-8000-0000000000a0/people?q=navn"]
    {
        let page = browser.get(path).await;
        assert_eq!(page.text.matches("Kari Navn<span class=\"unseen\">, ").count(), 2, "{}", page.text);
        assert!(page.text.contains("Ola Navn</a>"), "{}", page.text);
    }
}
