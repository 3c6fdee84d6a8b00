//! The page that shows what an import would change: its order, and the words that it shares with the pages around it.

use super::imports::{CHAPTER, REGISTER, check, columns, send_to};
use super::{element, signed_in};
use crate::sign_in::TestService;

#[tokio::test]
async fn what_a_person_should_look_at_comes_first_and_what_does_not_change_last() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "update public.peer_mentor_certifications set external_id = 'M-' || right(id::text, 2);
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at, external_id)
             select organisation_id, id, '00000000-0000-4000-8000-0000000100a3', 'type', '2028-03-31T21:59:59Z', 'M-own'
             from certvakt.chapters where slug = 'own'",
        )
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    let register = "Medlemsnr;Navn;Gyldig til\n\
        M-own;Mentor a3;2028-03-31\n\
        M-a4;Mentor a4;2028-01-31\n\
        905;Mentor a2;2028-01-31\n\
        906;Ny Person;2028-01-31\n\
        907;Feil Dato;32.01.2028\n";
    let page = columns(&mut browser, register).await;
    let entered = [("type", "type"), ("chapter", CHAPTER), ("column-1", "name")];
    let checked = check(&mut browser, &page, &entered).await;
    let order = [
        "Én rad kan ikke importeres",
        "Se på disse først",
        "Står ikke i filen lenger",
        "Er dette samme person",
        "Endringene",
        "Nye: ",
        "Fornyes: ",
        "Flyttes til et annet lokallag: ",
        "Uendret: ",
    ];
    let mut found = order.to_vec();
    found.sort_by_key(|words| checked.text.find(words));
    assert_eq!(found, order, "{}", checked.text);
    assert!(order.iter().all(|words| checked.text.contains(words)), "{}", checked.text);
}

#[tokio::test]
async fn rows_chapters_and_days_are_named_as_the_register_writes_them() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let register = "Medlemsnr;Etternavn;Fornavn;Lokallag;Godkjent til\n\
        H-1;Årnes;Bjørg;Own;31.03.2028\n\
        H-2;Ness;Tormod;Lofoten;30.06.2028\n\
        H-3;Lie;Per;Own;31.02.2028\n";
    let page = columns(&mut browser, register).await;
    assert!(
        page.text.contains("<h1 tabindex=\"-1\" autofocus>Hva inneholder kolonnene?</h1>"),
        "{}",
        page.text
    );
    let joined = "Navnet settes sammen i denne rekkefølgen: Fornavn, Etternavn.";
    assert_eq!(page.text.matches(joined).count(), 2, "at each of the two columns: {}", page.text);
    let places = ["id=\"column-3\"", "id=\"add_chapters\"", "id=\"column-4\""];
    let places = places.map(|words| page.text.find(words).unwrap());
    assert!(places.is_sorted(), "the choice follows the column with the chapter: {}", page.text);

    let entered = [("type", "type"), ("add_chapters", "yes")];
    let checked = check(&mut browser, &page, &entered).await;
    for words in [
        "Et nytt lokallag blir opprettet: Lofoten.",
        "<strong>Bjørg Årnes</strong>",
        "<strong>Per Lie</strong>",
        "«Godkjent til»: 31.02.2028",
        "Siste gyldige dag: 31.02.2028 finnes ikke. Rett datoen.",
        "<button>Importer 2 av 3 rader</button>",
    ] {
        assert!(checked.text.contains(words), "{words} in {}", checked.text);
    }
    let rejects = browser.get(&format!("{}/rejects.csv", checked.url)).await;
    assert!(rejects.text.contains("Siste gyldige dag: datoen finnes ikke."), "{}", rejects.text);

    let done = send_to(&mut browser, &checked, "/confirmations", &[]).await;
    for words in ["<li>Nytt lokallag: Lofoten</li>", "<h2>Avviste rader</h2>", "<strong>Per Lie</strong>"] {
        assert!(done.text.contains(words), "{words} in {}", done.text);
    }
}

#[tokio::test]
async fn rows_that_the_page_does_not_show_are_said_to_exist() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let mut register = "Medlemsnr;Gyldig til\n".to_owned();
    for number in 0..30 {
        register += &format!("R{number};{}\n", if number < 21 { "soon" } else { "2027-01-31" });
    }
    let page = columns(&mut browser, &register).await;
    let entered = [("type", "type"), ("chapter", CHAPTER), ("column-1", "expires_at")];
    let checked = check(&mut browser, &page, &entered).await;
    assert!(checked.text.contains("<button>Importer likevel</button>"), "{}", checked.text);
    let done = send_to(&mut browser, &checked, "/confirmations", &[]).await;
    assert!(done.text.contains("<h2>De første avviste radene</h2>"), "{}", done.text);
}

#[tokio::test]
async fn imports_of_the_same_minute_have_links_of_their_own() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    for _ in 0..3 {
        columns(&mut browser, REGISTER).await;
    }
    let times = "update certvakt.uploads u set created_at = date_trunc('minute', now()) - o.at * interval '20 seconds'
                 from (select id, row_number() over (order by id) as at from certvakt.uploads) o where o.id = u.id";
    place.database.execute(times).await;
    let list = browser.get("/imports").await;
    let distinctions = list.text.split("<span class=\"unseen\">, nr. ").skip(1);
    let distinctions: Vec<&str> = distinctions.map(|one| one.split("</span>").next().unwrap()).collect();
    let draft = |number: u32| format!("{number}: Ikke importert: kolonnene er ikke valgt ennå");
    assert_eq!(distinctions, [draft(3), draft(2), draft(1)], "{}", list.text);
    // One alone needs no more than its time.
    place
        .database
        .execute(
            "delete from certvakt.uploads where id <> (select min(id::text)::uuid from certvakt.uploads)",
        )
        .await;
    let list = browser.get("/imports").await;
    assert!(list.text.contains(">Import ") && !list.text.contains("class=\"unseen\""), "{}", list.text);
    assert_eq!(element(&list, "h1"), "Importer et register");
}
