//! Registers: from the upload to the undo of the import.

use super::{element, send, signed_in};
use crate::imports::workbooks::{Parts, row};
use crate::sign_in::{Answer, Browser, TestService, between};

/// The chapter of the test data for rows that name none.
pub(super) const CHAPTER: &str = "00000000-0000-4000-8000-0000000000a2";
pub(super) const REGISTER: &str = "Medlemsnr;Fornavn;Etternavn;E-post;Lokallag;Gyldig til\n\
    901;Åse;Ødegård;aase@example.org;Own;2027-01-31\n\
    902;Bo;Berg;;Below;31.12.2027\n\
    903;Cato;Dahl;;Own;31.13.2027\n\
    904;Dag;Eik;;Nordpolen;2027-03-31\n";

/// Uploads a register with the fields of the form, of which some have other values.
async fn upload(browser: &mut Browser, register: &str, entered: &[(&str, &str)]) -> Answer {
    let form = browser.get("/imports").await;
    assert_eq!(form.status, 200, "{}", form.text);
    let csrf = between(&form.text, "name=\"csrf\" value=\"", "\"");
    let mut fields = vec![("csrf", csrf.as_str())];
    fields.extend(entered);
    browser.upload("/imports", &fields, "register.csv", register.as_bytes()).await
}

/// The columns of an uploaded register.
pub(super) async fn columns(browser: &mut Browser, register: &str) -> Answer {
    let sent = upload(browser, register, &[]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    browser.get(&sent.location.unwrap()).await
}

/// What the form for the columns says, with some fields in place of its own.
fn chosen(page: &Answer, entered: &[(&str, &str)]) -> Vec<(String, String)> {
    let form = page.text.split("<form").nth(2).unwrap().split("</form>").next().unwrap();
    let mut fields: Vec<(String, String)> = form
        .split("<select id=\"")
        .skip(1)
        .map(|select| {
            let name = select.split('"').next().unwrap().to_owned();
            let options = select.split("</select>").next().unwrap();
            let option = options.split("<option ").skip(1).find(|one| one.contains(" selected"));
            let value = option.map(|one| between(one, "value=\"", "\"")).unwrap_or_default();
            (name, value)
        })
        .collect();
    fields.push(("csrf".to_owned(), between(form, "name=\"csrf\" value=\"", "\"")));
    fields.retain(|(name, _)| !entered.iter().any(|(other, _)| other == name));
    fields.extend(entered.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

/// Sends the form for the columns, and follows it to the result of the check.
pub(super) async fn check(browser: &mut Browser, page: &Answer, entered: &[(&str, &str)]) -> Answer {
    let fields = chosen(page, entered);
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let path = page.url.clone();
    let sent = browser.post(&path, &fields).await;
    match sent.location.clone() {
        Some(to) => browser.get(&to).await,
        None => sent,
    }
}

/// Sends the form of a page whose action ends like this.
pub(super) async fn send_to(
    browser: &mut Browser,
    page: &Answer,
    ending: &str,
    entered: &[(&str, &str)],
) -> Answer {
    let form = page
        .text
        .split("<form")
        .find(|form| form.split('>').next().unwrap().contains(&format!("{ending}\"")))
        .unwrap_or_else(|| panic!("no form for {ending} in {}", page.text));
    let only = Answer {
        text: format!("<form{}", form.split("</form>").next().unwrap()),
        status: page.status,
        url: page.url.clone(),
        location: None,
        headers: page.headers.clone(),
        bytes: Vec::new(),
    };
    let sent = send(browser, &only, entered).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    browser.get(&sent.location.unwrap()).await
}

/// The rejected rows of [`REGISTER`] as they are in the register, with the reason.
async fn assert_rejects(browser: &mut Browser, path: &str) {
    let rejects = browser.get(&format!("{path}/rejects.csv")).await;
    assert_eq!(rejects.status, 200, "{}", rejects.text);
    let lines: Vec<&str> = rejects.text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines.len(), 3, "{}", rejects.text);
    assert_eq!(lines[0], "Medlemsnr;Fornavn;Etternavn;E-post;Lokallag;Gyldig til;Feil");
    assert!(
        lines[1].starts_with("903;Cato;Dahl;;Own;31.13.2027;Linje 4, Siste gyldige dag: "),
        "{}",
        rejects.text
    );
}

/// The text of a query's only value.
pub(super) async fn text(place: &TestService, sql: &str) -> String {
    place.database.value(&format!("select coalesce(({sql})::text, '')")).await
}

/// The certifications of the registers.
async fn known(place: &TestService) -> String {
    place
        .database
        .value(
            "select coalesce(string_agg(c.external_id || ' ' || h.name || ' ' || (c.expires_at at time zone 'Europe/Oslo')::date,
               ', ' order by c.external_id), '')
             from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id
             where c.external_id like '90_'",
        )
        .await
}

#[tokio::test]
async fn a_register_is_checked_imported_and_undone() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = columns(&mut browser, REGISTER).await;
    assert_eq!(element(&page, "h1"), "Hva inneholder kolonnene?", "{}", page.text);
    for words in ["Eksempler: 901, 902, 903", "Kolonnen «Gyldig til»", "Eksempler: Åse, Bo, Cato"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let fields = chosen(&page, &[]);
    let of = |name: &str| fields.iter().find(|(one, _)| one == name).unwrap().1.clone();
    let proposed: Vec<String> = (0..6).map(|at| of(&format!("column-{at}"))).collect();
    assert_eq!(proposed, ["external_id", "name", "name", "email", "chapter", "expires_at"]);

    let checked = check(&mut browser, &page, &[("type", "type"), ("save_as", "Medlemsregister 2026")]).await;
    assert_eq!(
        element(&checked, "h1"),
        "4 rader er kontrollert. Ingenting er importert ennå",
        "{}",
        checked.text
    );
    for words in [
        "Nye: 2",
        "Åse Ødegård",
        "Siste gyldige dag: 31. januar 2027",
        "2 rader kan ikke importeres",
        "<strong>Cato Dahl</strong></p><p class=\"soft\">linje 4, nr. 903</p>",
        "«Gyldig til»: 31.13.2027",
        "Siste gyldige dag: er ikke en dato. Skriv datoen slik: 31.12.2027.",
        "<strong>Dag Eik</strong>",
        "«Lokallag»: Nordpolen",
        "Lokallag: finnes ikke i foreningen. Rett navnet, eller opprett lokallaget.",
        "Én rad nevner lokallaget «Nordpolen», som ikke finnes.",
    ] {
        assert!(checked.text.contains(words), "{words} in {}", checked.text);
    }
    assert_eq!(known(&place).await, "", "a check changes nothing");

    let path = checked.url.clone();
    assert_rejects(&mut browser, &path).await;

    let done = send_to(&mut browser, &checked, "/confirmations", &[]).await;
    assert_eq!(element(&done, "h1"), "Registeret er importert", "{}", done.text);
    assert!(done.text.contains("Nye: 2") && done.text.contains("Avviste rader: 2"), "{}", done.text);
    assert!(known(&place).await.starts_with("901 "), "{}", known(&place).await);
    let content = "select count(*) from certvakt.uploads where content is not null or proposal is not null";
    assert_eq!(text(&place, content).await, "0", "the register is deleted after the import");
    // The rejected rows stay, with what is wrong.
    assert!(done.text.contains("<strong>Cato Dahl</strong>"), "{}", done.text);
    assert!(done.text.contains("«Gyldig til»: 31.13.2027"), "{}", done.text);
    assert_rejects(&mut browser, &path).await;
    // A repeated form has no further effect.
    let again = send_to(&mut browser, &checked, "/confirmations", &[]).await;
    assert_eq!(element(&again, "h1"), "Registeret er importert");

    let list = browser.get("/imports").await;
    assert!(list.text.contains("Importert: 2 nye, 0 fornyet, 0 rettet, 2 avvist"), "{}", list.text);
    assert!(list.text.contains(">medlemsregister-2026</option>"), "{}", list.text);

    let undone = send_to(&mut browser, &done, "/undos", &[]).await;
    assert_eq!(element(&undone, "h1"), "Importen er angret", "{}", undone.text);
    assert!(undone.text.contains("Slettet igjen: 2"), "{}", undone.text);
    assert_eq!(known(&place).await, "");
}

#[tokio::test]
async fn missing_chapters_are_created_and_saved_columns_come_back() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = columns(&mut browser, REGISTER).await;
    let entered = [("type", "type"), ("add_chapters", "yes"), ("save_as", "register"), ("column-3", "")];
    let checked = check(&mut browser, &page, &entered).await;
    assert!(checked.text.contains("Nye: 3"), "{}", checked.text);
    assert!(checked.text.contains("Et nytt lokallag blir opprettet: Nordpolen."), "{}", checked.text);
    let done = send_to(&mut browser, &checked, "/confirmations", &[]).await;
    assert_eq!(element(&done, "h1"), "Registeret er importert", "{}", done.text);
    assert!(known(&place).await.contains("904 Nordpolen 2027-03-31"), "{}", known(&place).await);

    let of_chapter = format!("select organisation_id from certvakt.chapters where id = '{CHAPTER}'");
    let organisation = text(&place, &of_chapter).await;
    let mapping = format!("{organisation} register");
    let later = REGISTER.replace("2027-01-31", "2029-01-31").replace("Below;31.12.2027", "Own;31.12.2026");
    let sent = upload(&mut browser, &later, &[("mapping", &mapping)]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = browser.get(&sent.location.unwrap()).await;
    let fields = chosen(&page, &[]);
    let of = |name: &str| fields.iter().find(|(one, _)| one == name).unwrap().1.clone();
    assert_eq!(
        (of("column-3"), of("column-4"), of("type")),
        (String::new(), "chapter".into(), "type".into())
    );
    assert!(page.text.contains(
        "id=\"save_as\" name=\"save_as\" maxlength=\"63\" autocomplete=\"off\" value=\"register\""
    ));
    let checked = check(&mut browser, &page, &[]).await;
    for words in [
        "Fornyes: 1",
        "Fra 31. januar 2027 til 31. januar 2029",
        "Får tidligere eller rettet dato: 1",
        "Flyttes til et annet lokallag: 1",
        "Uendret: 1",
    ] {
        assert!(checked.text.contains(words), "{words} in {}", checked.text);
    }
    // Back to the columns, and then discarded.
    let page = browser.get(&format!("{}/columns", checked.url)).await;
    assert_eq!(element(&page, "h1"), "Hva inneholder kolonnene?");
    let discarded = send_to(&mut browser, &page, "/discards", &[]).await;
    assert_eq!(element(&discarded, "h1"), "Filen er forkastet. Ingenting ble importert");
    assert_eq!(browser.get(&checked.url).await.status, 404);
    assert!(known(&place).await.contains("901 Own 2027-01-31"), "{}", known(&place).await);
}

#[tokio::test]
async fn a_new_person_with_a_known_name_is_the_same_or_another_one() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    // A mentor of the organisation is in the file under a number that the register did not have before.
    let register = "Medlemsnr;Navn;Gyldig til\n905;MENTOR A2;2028-01-31\n906;Mentor A2;2028-02-29\n";
    let people = "select count(distinct peer_mentor_id) from public.peer_mentor_certifications
         where external_id in ('905', '906')
           or right(id::text, 4) = '00a2'";
    let page = columns(&mut browser, register).await;
    let checked =
        check(&mut browser, &page, &[("type", "type"), ("chapter", CHAPTER), ("column-1", "name")]).await;
    assert!(checked.text.contains("Er dette samme personer? Det gjelder 2"), "{}", checked.text);
    assert!(checked.text.contains("Samme person som Mentor a2"), "{}", checked.text);
    let answers = [("match-0", "same"), ("match-1", "other")];
    let decided = send_to(&mut browser, &checked, "/decisions", &answers).await;
    // The known person is in the file now, so only the decision about them is left, which can be reversed.
    assert!(decided.text.contains("Er dette samme person?"), "{}", decided.text);
    assert!(
        decided.text.contains("id=\"match-0-same\" name=\"match-0\" value=\"same\" checked"),
        "{}",
        decided.text
    );
    let reversed = send_to(&mut browser, &decided, "/decisions", &[("match-0", "other")]).await;
    assert!(reversed.text.contains("Det gjelder 2"), "{}", reversed.text);
    let decided = send_to(&mut browser, &reversed, "/decisions", &answers).await;
    assert!(decided.text.contains("Nye: 2"), "{}", decided.text);
    send_to(&mut browser, &decided, "/confirmations", &[]).await;
    assert_eq!(text(&place, people).await, "2");
    let same = "select count(*) from public.peer_mentor_certifications c
         join public.peer_mentor_certifications o on o.peer_mentor_id = c.peer_mentor_id
         where c.external_id = '905' and right(o.id::text, 4) = '00a2'";
    assert_eq!(text(&place, same).await, "1");
}

#[tokio::test]
async fn a_person_who_left_comes_back_under_no_other_number() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    place
        .database
        .execute(
            "insert into certvakt.person_changes (organisation_id, person_id, kind)
             select organisation_id, peer_mentor_id, 'left' from public.peer_mentor_certifications
             where right(id::text, 4) = '00a2'",
        )
        .await;
    let page = columns(&mut browser, "Medlemsnr;Navn;Gyldig til\n907;Mentor A2;2028-01-31\n").await;
    let checked =
        check(&mut browser, &page, &[("type", "type"), ("chapter", CHAPTER), ("column-1", "name")]).await;
    let decided = send_to(&mut browser, &checked, "/decisions", &[("match-0", "same")]).await;
    assert!(decided.text.contains("personen er død eller har sluttet"), "{}", decided.text);
    assert!(!decided.text.contains("Nye:"), "{}", decided.text);
}

#[tokio::test]
async fn what_is_wrong_is_said_and_what_was_entered_stays() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    for (register, entered, words) in [
        ("", &[][..], "Velg en fil."),
        ("Nr\n1\n", &[("mapping", "unknown")], "Velg et oppsett"),
        ("Nr\n1\n", &[("mapping", "00000000-0000-4000-8000-0000000000b0")], "Velg et oppsett"),
        ("\u{0}\u{1}\u{2}", &[], "Filen er verken tekst eller en arbeidsbok."),
    ] {
        let refused = upload(&mut browser, register, entered).await;
        assert_eq!(refused.status, 422, "{words}: {}", refused.text);
        assert!(refused.text.contains(words), "{words} in {}", refused.text);
        assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
    }
    assert_eq!(text(&place, "select count(*) from certvakt.uploads").await, "0");

    let page = columns(&mut browser, REGISTER).await;
    for (entered, words) in [
        (&[("column-5", "")][..], "Velg hvilken kolonne som inneholder «Siste gyldige dag»."),
        (&[("column-3", "chapter")], "Bare én kolonne kan inneholde «Lokallag»."),
        (&[("type", "")], "Velg en type, eller en kolonne for typen."),
        (&[("type", "type"), ("save_as", "!")], "Skriv et navn med høyst 63 bokstaver og tall."),
    ] {
        let refused = check(&mut browser, &page, entered).await;
        assert_eq!(refused.status, 422, "{words}: {}", refused.text);
        assert!(refused.text.contains(words), "{words} in {}", refused.text);
    }
    let without = columns(&mut browser, "Nr;Utløper\n1;2027-01-31\n").await;
    for chapter in ["", "00000000-0000-4000-8000-0000000000b1"] {
        let refused = check(&mut browser, &without, &[("type", "type"), ("chapter", chapter)]).await;
        let words = "Velg lokallaget for alle radene, eller en kolonne for lokallaget.";
        assert!(refused.status == 422 && refused.text.contains(words), "{}", refused.text);
    }
    let ambiguous = "Nr;Utløper\n1;01/02/2027\n2;03/04/2027\n";
    let page = columns(&mut browser, ambiguous).await;
    let refused = check(&mut browser, &page, &[("type", "type"), ("chapter", CHAPTER)]).await;
    assert!(
        refused.status == 422 && refused.text.contains("Velg hvordan datoene er skrevet."),
        "{}",
        refused.text
    );
    let entered = [("type", "type"), ("chapter", CHAPTER), ("date_format", "DD/MM/YYYY")];
    let checked = check(&mut browser, &page, &entered).await;
    assert!(checked.text.contains("Siste gyldige dag: 1. februar 2027"), "{}", checked.text);
}

#[tokio::test]
async fn markup_in_a_register_is_text() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let register =
        "Nr;<script>h()</script>;Gyldig til\n908;<img src=x onerror=n()>;2028-01-31\n909;=1+1;31.13.2028\n";
    let page = columns(&mut browser, register).await;
    let entered = [("type", "type"), ("chapter", CHAPTER), ("column-1", "name"), ("column-2", "expires_at")];
    let checked = check(&mut browser, &page, &entered).await;
    assert!(checked.text.contains("Nye: 1"), "{}", checked.text);
    for page in [&page, &checked] {
        assert!(page.text.contains("onerror=n()"), "{}", page.text);
        assert!(!page.text.contains("<script") && !page.text.contains("<img"), "{}", page.text);
    }
    let rejects = browser.get(&format!("{}/rejects.csv", checked.url)).await;
    assert!(rejects.text.contains("909;'=1+1;"), "{}", rejects.text);
}

#[tokio::test]
async fn a_register_that_looks_wrong_needs_another_decision() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let mut register = "Nr;Utløper\n".to_owned();
    for number in 0..30 {
        register += &format!("R{number};{}\n", if number < 25 { "32.01.2027" } else { "2027-01-31" });
    }
    let page = columns(&mut browser, &register).await;
    let checked =
        check(&mut browser, &page, &[("type", "type"), ("chapter", CHAPTER), ("column-1", "expires_at")])
            .await;
    assert_eq!(
        element(&checked, "h1"),
        "Registeret ser uvanlig ut. Ingenting er importert",
        "{}",
        checked.text
    );
    assert!(checked.text.contains("25 av 30 rader kan ikke importeres."), "{}", checked.text);
    let done = send_to(&mut browser, &checked, "/confirmations", &[]).await;
    assert_eq!(element(&done, "h1"), "Registeret er importert", "{}", done.text);
    assert!(done.text.contains("Nye: 5"), "{}", done.text);
}

#[tokio::test]
async fn a_file_that_can_be_read_is_kept_until_its_table_is_found() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let table = row(&["Nr", "Utløper"]) + &row(&["910", "2027-01-31"]);
    let other = row(&["Nr", "Utløper"]) + &row(&["911", "2027-02-28"]);
    let book = Parts::new().sheet("visible", table).sheet("visible", other).save();
    // The sheet that the saved columns name is not in this file.
    let set = [
        "mapping",
        "set",
        "saved",
        "--organisation",
        "a",
        "--column",
        "external_id=Nr",
        "expires_at=Utløper",
    ];
    place.database.ok([&set[..], &["--type", "type", "--sheet", "2025"]].concat());
    let csrf = between(&browser.get("/imports").await.text, "name=\"csrf\" value=\"", "\"");
    let form = [("csrf", csrf.as_str()), ("mapping", "00000000-0000-4000-8000-0000000000a0 saved")];
    let sent = browser.upload("/imports", &form, "register.xlsx", &book).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = browser.get(&sent.location.unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Filen har ikke dette arket."), "{}", page.text);
    assert!(page.text.contains("Filen er lastet opp, men vi vet ikke hvor"), "{}", page.text);
    assert!(element(&page, "title").starts_with("Feil: "), "{}", page.text);
    for (entered, words) in [
        ([("sheet", "s9"), ("header_row", "")], "Filen har ikke dette arket."),
        ([("sheet", "s2"), ("header_row", "x")], "Skriv nummeret på linjen"),
        ([("sheet", "s2"), ("header_row", "9")], "Linjen med kolonnenavn er tom eller finnes ikke."),
    ] {
        let form = [&[("csrf", csrf.as_str())][..], &entered].concat();
        let refused = browser.post(&page.url.replace("/columns", "/readings"), &form).await;
        assert!(refused.status == 422 && refused.text.contains(words), "{words}: {}", refused.text);
        let value =
            format!("name=\"sheet\" maxlength=\"200\" autocomplete=\"off\" value=\"{}\"", entered[0].1);
        assert!(refused.text.contains(&value), "what was entered stays: {}", refused.text);
    }
    let found = send_to(&mut browser, &page, "/readings", &[("sheet", "s2")]).await;
    assert!(found.text.contains("Eksempler: 911"), "{}", found.text);
    let checked = check(&mut browser, &found, &[("type", "type"), ("chapter", CHAPTER)]).await;
    assert!(checked.text.contains("Nye: 1"), "{}", checked.text);
}

#[tokio::test]
async fn a_file_is_kept_when_the_administrator_must_sign_in_again() {
    let place = TestService::start("[step_up]\nmax_age_minutes = 15\n").await;
    let mut browser = signed_in(&place, "administrator").await;
    let old = "update certvakt.sessions set authenticated_at = authenticated_at - interval '1 hour'";
    place.database.execute(old).await;
    let page = columns(&mut browser, "Nr;Utløper\n950;2028-01-31\n").await;
    assert!(page.text.contains("Eksempler: 950"), "{}", page.text);
    // What changes something is a form of its own, which needs the sign-in.
    let fields = chosen(&page, &[("type", "type"), ("chapter", CHAPTER)]);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let sent = browser.post(&page.url, &fields).await;
    assert!(sent.location.is_some_and(|to| to.contains("step_up=true")), "{}", sent.text);
    assert_eq!(text(&place, "select state from certvakt.uploads").await, "draft");
    // Without a session the file is lost, which the sign-in page says.
    place.database.execute("delete from certvakt.sessions").await;
    let sent = browser.upload("/imports", &[("csrf", "x")], "r.csv", b"Nr\n1\n").await;
    assert!(sent.location.is_some_and(|to| to.contains("form=lost")), "{}", sent.text);
}
