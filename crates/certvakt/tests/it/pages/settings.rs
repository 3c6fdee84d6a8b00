//! The settings of an organisation, for its administrators.

use super::{element, send, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

/// The path of the settings of an organisation of the test data.
async fn path(place: &TestService, slug: &str) -> String {
    let id: String = place
        .database
        .value(&format!("select id::text from certvakt.organisations where slug = '{slug}'"))
        .await;
    format!("/settings/{id}")
}

/// All settings, as the database has them.
async fn stored(place: &TestService) -> String {
    place
        .database
        .value(
            "select concat_ws(' ', name, locale, lead_times, expired_grace_days, deliver_from, deliver_until, run_at,
               run_limit_floor, run_limit_percent, names_certification, digest_names)
             from certvakt.organisations where slug = 'a'",
        )
        .await
}

/// A form that is right, with the lead times of a new installation.
fn form<'a>(csrf: &'a str, other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![
        ("csrf", csrf),
        ("name", "Foreningen"),
        ("locale", "nb"),
        ("lead-90", "yes"),
        ("lead-30", "yes"),
        ("lead-7", "yes"),
        ("grace_days", "30"),
        ("deliver_from", "09:00"),
        ("deliver_until", "20:00"),
        ("run_at", "02:00"),
        ("limit_floor", "50"),
        ("limit_percent", "20"),
    ];
    form.retain(|one| !other.iter().any(|other| other.0 == one.0));
    form.extend(other.iter().filter(|one| !one.0.starts_with("lead-") || !one.1.is_empty()));
    form
}

async fn csrf(browser: &mut Browser, path: &str) -> String {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    between(&page.text, "name=\"csrf\" value=\"", "\"")
}

/// Sends the page's last form as a browser does: with everything that it shows, except some fields.
async fn send_whole(browser: &mut Browser, page: &Answer, entered: &[(&str, &str)]) -> Answer {
    let form = page.text.rsplit_once("<form").unwrap().1;
    let of = |tag: &str, name: &str| {
        tag.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for tag in form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let is_sent = of(tag, "type").as_deref() != Some("checkbox") || tag.contains(" checked");
        if is_sent && of(tag, "type").as_deref() != Some("hidden") {
            fields.push((of(tag, "name").unwrap(), of(tag, "value").unwrap()));
        }
    }
    for (name, options) in form.split("<select").skip(1).map(|rest| (of(rest, "name").unwrap(), rest)) {
        let chosen = options.split("<option").find(|option| option.contains(" selected")).unwrap();
        fields.push((name, of(chosen, "value").unwrap()));
    }
    fields.retain(|(name, _)| !entered.iter().any(|(other, _)| other == name));
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend(entered);
    send(browser, page, &fields).await
}

fn effects(page: &Answer) -> usize {
    let list = page.text.split_once("Dette skjer når du lagrer").map_or("", |(_, rest)| rest);
    list.split("</ul>").next().unwrap().matches("<li>").count()
}

#[tokio::test]
async fn an_administrator_sees_what_settings_lead_to_before_they_are_saved() {
    let place = TestService::start("").await;
    let settings = path(&place, "a").await;
    place.database.ok(["organisation", "set", "a", "--name", "Foreningen"]);
    let mut browser = signed_in(&place, "administrator").await;
    let first = browser.get("/settings").await;
    assert!(first.location.unwrap().ends_with(&settings));
    let page = browser.get(&settings).await;
    assert_eq!(element(&page, "h1"), "Innstillinger for Foreningen");
    for shown in
        ["id=\"lead-90\" name=\"lead-90\" value=\"yes\" checked", "value=\"09:00\"", "Tidssone: Europe/Oslo"]
    {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
    // A name has no consequences.
    let token = csrf(&mut browser, &settings).await;
    let saved = browser.post(&settings, &form(&token, &[("name", " Ny  forening ")])).await;
    let page = browser.get(&saved.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Innstillingene er lagret: Ny forening");

    let before = stored(&place).await;
    let other = [
        ("name", "Ny forening"),
        ("locale", "en"),
        ("lead-90", ""),
        ("grace_days", "14"),
        ("deliver_from", "8.30"),
        ("deliver_until", "21"),
        ("run_at", "03:15"),
        ("limit_floor", "10"),
        ("limit_percent", "5"),
        ("names_certification", "yes"),
        ("digest_names", "yes"),
    ];
    let check = browser.post(&settings, &form(&token, &other)).await;
    assert_eq!(check.status, 200, "{}", check.text);
    assert_eq!(effects(&check), 8, "{}", check.text);
    for effect in
        ["Ingen får lenger varsel 90 dager før utløp.", "mellom klokken 08:30 og 21:00", "noe om helsen"]
    {
        assert!(check.text.contains(effect), "{effect} in {}", check.text);
    }
    assert_eq!(stored(&place).await, before, "nothing is saved yet");
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(
        edited.text.contains("value=\"8.30\"")
            && !edited.text.contains("id=\"lead-90\" name=\"lead-90\" value=\"yes\" checked"),
        "{}",
        edited.text
    );
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(stored(&place).await, "Ny forening en {30,7} 14 08:30:00 21:00:00 03:15:00 10 5 t t");
    let same = browser.post(&settings, &form(&token, &other)).await;
    assert_eq!(same.status, 303, "what is the same leads to nothing: {}", same.text);
    let back = browser.post(&settings, &form(&token, &[("deliver_until", "09:00")])).await;
    assert!(
        back.text.contains("De som er inne i den perioden nå") && back.text.contains("hele døgnet"),
        "{}",
        back.text
    );
    place
        .database
        .until("select count(*) >= 2 from certvakt.access_events where resource = '/settings/{id}' and method = 'POST' and status = 303")
        .await;
}

#[tokio::test]
async fn settings_that_are_wrong_are_kept_and_named() {
    let place = TestService::start("").await;
    let settings = path(&place, "a").await;
    let before = stored(&place).await;
    let mut browser = signed_in(&place, "administrator").await;
    let token = csrf(&mut browser, &settings).await;
    for (field, wrong) in [
        ("name", ""),
        ("name", "\u{1b}[31m"),
        ("locale", "fr"),
        ("grace_days", "0"),
        ("grace_days", "91"),
        ("deliver_from", "25:00"),
        ("deliver_until", "kveld"),
        ("run_at", ""),
        ("limit_floor", "-1"),
        ("limit_floor", "9999999999999999999"),
        ("limit_percent", "101"),
    ] {
        for step in ["", "save"] {
            let refused = browser.post(&settings, &form(&token, &[(field, wrong), ("step", step)])).await;
            assert_eq!(refused.status, 422, "{field} {wrong}: {}", refused.text);
            assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
            assert!(
                refused.text.contains(&format!("<li><a href=\"#{field}\">")),
                "{field}: {}",
                refused.text
            );
            assert!(
                field == "locale" || refused.text.contains(&format!("value=\"{wrong}\"")),
                "{}",
                refused.text
            );
        }
    }
    let none = [("lead-90", ""), ("lead-30", ""), ("lead-7", ""), ("lead-45", "yes")];
    let refused = browser.post(&settings, &form(&token, &none)).await;
    assert_eq!(refused.status, 422, "45 is not declared: {}", refused.text);
    assert!(refused.text.contains("<li><a href=\"#lead_times\">"), "{}", refused.text);
    assert_eq!(stored(&place).await, before);
}

#[tokio::test]
async fn others_neither_see_nor_change_settings() {
    let place = TestService::start("").await;
    let (own, foreign) = (path(&place, "a").await, path(&place, "b").await);
    let before = stored(&place).await;
    for (who, of_own) in [("mentor", 403), ("coordinator", 403), ("outsider", 404), ("administrator", 200)] {
        let mut browser = signed_in(&place, who).await;
        let page = browser.get("/me").await;
        let token = between(&page.text, "name=\"csrf\" value=\"", "\"");
        assert_eq!(browser.get(&own).await.status, of_own, "{who}");
        if who == "administrator" {
            assert_eq!(browser.post(&own, &form("forged", &[])).await.status, 403);
            assert_eq!(browser.get(&foreign).await.status, 404);
            assert_eq!(browser.post(&foreign, &form(&token, &[])).await.status, 404);
        } else {
            let refused = browser.post(&own, &form(&token, &[("step", "save")])).await;
            assert_eq!(refused.status, of_own, "{who}: {}", refused.text);
            assert_eq!(browser.get("/settings").await.status, 403, "{who}");
        }
    }
    assert_eq!(stored(&place).await, before);
}

#[tokio::test]
async fn an_administrator_adds_types_and_changes_them() {
    let place = TestService::start("").await;
    let types = path(&place, "a").await + "/types";
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get(&types).await;
    let known = between(&page.text, "<li><div><h2>", "<").to_uppercase();
    for (name, months, field) in [("", "24", "name"), (&*known, "24", "name"), ("Ny", "0", "months")] {
        let refused = send(&mut browser, &page, &[("name", name), ("months", months)]).await;
        assert_eq!(refused.status, 422, "{name} {months}: {}", refused.text);
        assert!(refused.text.contains(&format!("<li><a href=\"#{field}\">")), "{}", refused.text);
        assert!(refused.text.contains(&format!("value=\"{months}\"")), "{}", refused.text);
    }
    let added = send(&mut browser, &page, &[("name", "Førstehjelp"), ("months", "12")]).await;
    let list = browser.get(&added.location.unwrap()).await;
    assert_eq!(element(&list, "h1"), "Innstillingene er lagret: Førstehjelp");
    assert!(list.text.contains("Gyldig i 12 måneder"), "{}", list.text);
    let twice = send(&mut browser, &page, &[("name", "Førstehjelp"), ("months", "12")]).await;
    assert_eq!(twice.status, 422, "a form that is sent twice adds one type");

    let form = browser.get(&format!("{types}/forstehjelp")).await;
    assert!(form.text.contains("De samme som for foreningen: 90, 30, 7 dager før utløp"), "{}", form.text);
    let token = between(&form.text, "name=\"csrf\" value=\"", "\"");
    let own =
        [("csrf", &*token), ("name", "Førstehjelp"), ("months", "12"), ("own", "yes"), ("lead-30", "yes")];
    let refused = browser.post(&format!("{types}/forstehjelp"), &own[..4]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for (field, wrong) in
        [("name", ""), ("name", &*known), ("months", "0"), ("months", "1201"), ("months", "to")]
    {
        let refused = send(&mut browser, &form, &[(field, wrong)]).await;
        assert_eq!(refused.status, 422, "{field} {wrong}: {}", refused.text);
        assert!(refused.text.contains(&format!("<li><a href=\"#{field}\">")), "{}", refused.text);
    }
    // Boxes that differ while those of the organisation are to apply would be lost.
    let not_own = [own[0], own[1], own[2], ("own", "no"), own[4]];
    let refused = browser.post(&format!("{types}/forstehjelp"), &not_own).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("<li><a href=\"#lead_times\">Velg «Egne varsler"), "{}", refused.text);
    let check = browser.post(&format!("{types}/forstehjelp"), &own).await;
    assert_eq!(effects(&check), 2, "{}", check.text);
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stored = "select concat(validity_months, lead_times) from certvakt.certification_types where code = 'forstehjelp'";
    assert_eq!(place.database.value::<String>(stored).await, "12{30}");
    let list = browser.get(&types).await;
    assert!(list.text.contains("Egne varsler: 30 dager før utløp"), "{}", list.text);
    let form = browser.get(&format!("{types}/forstehjelp")).await;
    let check = send(&mut browser, &form, &[("name", "Førstehjelp 2"), ("months", "")]).await;
    assert!(check.text.contains("beholder datoen sin"), "{}", check.text);
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    let list = browser.get(&saved.location.unwrap()).await;
    assert_eq!(element(&list, "h1"), "Innstillingene er lagret: Førstehjelp 2");
    assert!(list.text.contains("Hver sertifisering har sin egen dato"), "{}", list.text);
    let common =
        [("csrf", &*token), ("name", "Førstehjelp"), ("months", "12"), ("own", "no"), ("step", "save")];
    browser.post(&format!("{types}/forstehjelp"), &common).await;
    assert_eq!(place.database.value::<String>(stored).await, "12");
    assert_eq!(browser.get(&format!("{types}/unknown")).await.status, 404);
}

#[tokio::test]
async fn two_administrators_who_save_at_the_same_time_lose_nothing() {
    let place = TestService::start("").await;
    let settings = path(&place, "a").await;
    place.database.ok(["organisation", "set", "a", "--name", "Foreningen", "--grace-days", "30"]);
    let mut browser = signed_in(&place, "administrator").await;
    let form = browser.get(&settings).await;
    // Meanwhile somebody else changes three settings: one that this form leaves, and two that it changes too.
    place
        .database
        .execute(
            "update certvakt.organisations set run_at = '04:00', expired_grace_days = 14, digest_names = true
             where slug = 'a'",
        )
        .await;
    let refused = send_whole(&mut browser, &form, &[("name", "Nytt navn"), ("grace_days", "21")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
    assert!(refused.text.contains("<li><a href=\"#grace_days\">"), "{}", refused.text);
    assert!(
        refused.text.contains(
            "Antall dager en sertifisering regnes som nylig utløpt: En annen har endret dette til 14"
        ),
        "{}",
        refused.text
    );
    assert!(refused.text.contains("value=\"21\"") && refused.text.contains("value=\"04:00\""));
    // Both versions were seen, so the second attempt is about saving.
    let check = send_whole(&mut browser, &refused, &[]).await;
    let saved = send(&mut browser, &check, &[("step", "save")]).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let now: String = place
        .database
        .value(
            "select concat_ws(' ', name, run_at, expired_grace_days, digest_names)
             from certvakt.organisations where slug = 'a'",
        )
        .await;
    assert_eq!(now, "Nytt navn 04:00:00 21 t");
}

#[tokio::test]
async fn an_administrator_adds_and_renames_chapters() {
    let place = TestService::start("").await;
    let chapters = path(&place, "a").await + "/chapters";
    let id = |slug: &str| format!("select id::text from certvakt.chapters where slug = '{slug}'");
    let (own, other) = (
        place.database.value::<String>(&id("own")).await,
        place.database.value::<String>(&id("other")).await,
    );
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get(&chapters).await;
    assert!(page.text.contains("Under Own"), "{}", page.text);
    for (name, parent, field) in [("", "", "name"), ("OWN", "", "name"), ("Ny", &*other, "parent")] {
        let refused = send(&mut browser, &page, &[("name", name), ("parent", parent)]).await;
        assert_eq!(refused.status, 422, "{name}: {}", refused.text);
        assert!(refused.text.contains(&format!("<li><a href=\"#{field}\">")), "{}", refused.text);
    }
    let added = send(&mut browser, &page, &[("name", "Østre Åsen"), ("parent", &own)]).await;
    let list = browser.get(&added.location.unwrap()).await;
    assert_eq!(element(&list, "h1"), "Innstillingene er lagret: Østre Åsen");
    let stored: bool = place
        .database
        .value(&format!("select parent_id = '{own}' from certvakt.chapters where slug = 'ostre-asen'"))
        .await;
    assert!(stored);
    let form = browser.get(&format!("{chapters}/{own}")).await;
    let refused = send(&mut browser, &form, &[("name", "østre  åsen")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let renamed = send(&mut browser, &form, &[("name", "Eget <lag>")]).await;
    let list = browser.get(&renamed.location.unwrap()).await;
    assert_eq!(element(&list, "h1"), "Innstillingene er lagret: Eget &#60;lag&#62;");
    for path in [format!("{chapters}/{other}"), format!("{chapters}/00000000-0000-4000-8000-000000000000")] {
        assert_eq!(browser.get(&path).await.status, 404);
        let token = between(&form.text, "name=\"csrf\" value=\"", "\"");
        assert_eq!(browser.post(&path, &[("csrf", &*token), ("name", "x")]).await.status, 404);
    }
}
