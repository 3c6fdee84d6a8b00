//! The pages of coordinators, as a browser gets them from the real service.

mod administration;
mod certifying;
mod changes;
mod contact_points;
mod contacts;
mod costs;
mod explained;
mod holders;
mod hostile;
mod import_checks;
mod imports;
mod imports_within_limits;
mod letter;
mod listing;
mod listing_consents;
mod lists;
mod merging;
mod mine;
mod moving;
mod names;
mod outlook;
mod partners;
mod people;
mod refusals;
mod roles;
mod runs;
mod settings;
mod settlements;
mod several;
mod several_named;
mod texts;
mod today;

use reqwest::Method;

pub use partners::{PAGE, partner, report};

use crate::sign_in::{Answer, Browser, TestService, between};

/// A browser in which a person of the test data is signed in.
pub async fn signed_in(place: &TestService, who: &str) -> Browser {
    place.known(who).await;
    let mut browser = place.browser();
    let page = browser.sign_in("/sign-in/provider", who).await;
    assert_eq!(page.status, 200, "{}", page.text);
    browser
}

/// The path of a certification of the test data, by the chapter of its mentor.
fn certification(chapter: &str) -> String {
    format!("/certifications/00000000-0000-4000-8000-0000000200{chapter}")
}

/// The content of the first element of a kind, without its tags.
fn element(page: &Answer, tag: &str) -> String {
    let start =
        page.text.split_once(&format!("<{tag}")).unwrap_or_else(|| panic!("no {tag} in {}", page.text)).1;
    let content = start.split_once('>').unwrap().1.split_once(&format!("</{tag}>")).unwrap().0;
    content.to_owned()
}

/// The hidden fields of the page's last form.
fn hidden(page: &Answer) -> Vec<(String, String)> {
    let form = page.text.rsplit_once("<form").unwrap().1;
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
    fields
        .map(|field| (field.split('"').next().unwrap().to_owned(), between(field, "value=\"", "\"")))
        .collect()
}

/// Sends the page's last form with some of its fields.
async fn send(browser: &mut Browser, page: &Answer, entered: &[(&str, &str)]) -> Answer {
    let form = page.text.rsplit_once("<form").unwrap().1;
    let action = between(form, "action=\"", "\"");
    let hidden = hidden(page);
    let mut fields: Vec<(&str, &str)> =
        hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.retain(|(name, _)| !entered.iter().any(|(other, _)| other == name));
    fields.extend(entered);
    browser.send(Method::POST, &action, &fields).await
}

/// Adds addresses of mentor `a2`: those that organisations have, each with its short name, kind and address, and the mentor's own.
async fn with_addresses(place: &TestService, of_organisations: &[[&str; 3]], own: &[[&str; 2]]) {
    let mentor = "'00000000-0000-4000-8000-0000000100a2'";
    let of_organisations = of_organisations.iter().map(|[slug, kind, address]| {
        let organisation = format!("(select id from certvakt.organisations where slug = '{slug}')");
        format!("({mentor}, '{kind}', '{address}', {organisation})")
    });
    let own = own.iter().map(|[kind, address]| format!("({mentor}, '{kind}', '{address}', null)"));
    let rows = of_organisations.chain(own).collect::<Vec<_>>().join(", ");
    let columns = "person_id, kind, address, organisation_id";
    place.database.execute(&format!("insert into certvakt.contact_points ({columns}) values {rows}")).await;
}
