//! The order of the page that shows what an import would change.

use super::imports::{CHAPTER, check, columns};
use super::signed_in;
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
