//! The section `[sign_in]`, and the reserved issuers.

use certvakt_engine::config::Config;

use crate::harness::{TestDatabase, fail};
use crate::stand_in::write_config;

#[tokio::test]
async fn a_section_that_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| Config::read(&write_config(folder.path(), text));
    let url = "[sign_in]\npublic_url = \"https://certvakt.example\"\n";
    let provider = "issuer = \"https://login.example\"\nclient_id = \"certvakt\"\n";
    let mail = "links = true\n[email]\nserver = \"smtp://localhost\"\nfrom = \"varsel@example.org\"\n";
    for good in [
        "[sign_in]\n".to_owned(),
        format!("{url}{provider}"),
        format!("{url}{mail}"),
        format!("{url}{provider}{mail}"),
        format!("{url}{provider}client_header = \"X-Real-IP\"\n"),
        format!("[sign_in]\npublic_url = \"http://localhost:8470/\"\n{provider}"),
        format!("{url}issuer = \"http://127.0.0.1:3000\"\nclient_id = \"certvakt\"\n"),
    ] {
        let config = read(&good).unwrap();
        assert_eq!(config.sign_in.is_off(), !good.contains("public_url"), "{good}");
    }
    for (wrong, expected) in [
        (format!("[sign_in]\n{provider}"), "sign_in.public_url is not a valid URL"),
        (
            format!("[sign_in]\npublic_url = \"http://certvakt.example\"\n{provider}"),
            "sign_in.public_url must start with https://",
        ),
        (
            format!("[sign_in]\npublic_url = \"https://certvakt.example/app\"\n{provider}"),
            "sign_in.public_url has a path",
        ),
        (url.to_owned(), "[sign_in] has no sign-in method"),
        (format!("{url}issuer = \"https://login.example\"\n"), "sign_in.issuer and sign_in.client_id belong together"),
        (format!("{url}client_id = \"certvakt\"\n"), "sign_in.issuer and sign_in.client_id belong together"),
        (
            format!("{url}issuer = \"http://login.example\"\nclient_id = \"certvakt\"\n"),
            "sign_in.issuer must start with https://",
        ),
        (
            format!("{url}issuer = \"urn:certvakt:link\"\nclient_id = \"certvakt\"\n"),
            "sign_in.issuer must start with https://",
        ),
        (format!("{url}links = true\n"), "sign_in.links needs a mail server"),
        (format!("{url}{provider}[step_up]\nmax_age_minutes = 10081\n"), "more than a week"),
        (format!("{url}{provider}[step_up]\nacr = [\"a b\"]\n"), "each class in step_up.acr"),
        ("[step_up]\nmax_age_minutes = 15\n".to_owned(), "[step_up] needs an issuer that reports how"),
        (format!("{url}{provider}client_header = \"X Real IP\"\n"), "sign_in.client_header is not a header name"),
        (
            format!(
                "{url}{provider}[auth]\nissuer = \"https://login.example\"\naudience = \"certvakt\"\njwks_url = \"https://login.example\"\n"
            ),
            "the API would accept id tokens",
        ),
        (
            "[auth]\nissuer = \"urn:certvakt:link\"\naudience = \"a\"\njwks_url = \"https://login.example\"\n".to_owned(),
            "auth.issuer must not start with urn:certvakt:",
        ),
    ] {
        let error = read(&wrong).unwrap_err();
        assert_eq!(error.code(), "config-contradiction", "{wrong}: {error}");
        assert!(error.to_string().contains(expected), "{wrong}: {error}");
    }
    let database = TestDatabase::new().await;
    let absent = format!("{url}{provider}client_secret_file = \"/absent\"\n");
    let config = write_config(folder.path(), &absent);
    let said = fail(&mut database.certvakt(["serve", "--config", config.to_str().unwrap()]), 2);
    assert!(said.contains("cannot read sign_in.client_secret_file (entity not found)"), "{said}");
}
