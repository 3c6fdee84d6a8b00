//! The section `[sign_in]`, and the reserved issuers.

use certvakt_engine::config::Config;

use crate::harness::{TestDatabase, fail};
use crate::stand_in::write_config;

const URL: &str = "[sign_in]\npublic_url = \"https://certvakt.example\"\n";
const PROVIDER: &str = "[[sign_in.providers]]\nid = \"login\"\nlabel = { nb = \"Logg inn\", en = \"Sign in\" }\n\
                        issuer = \"https://login.example\"\nclient_id = \"certvakt\"\n";

#[tokio::test]
async fn a_section_that_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| Config::read(&write_config(folder.path(), text));
    let (url, provider) = (URL, PROVIDER);
    let mail = "links = true\n[email]\nserver = \"smtp://localhost\"\nfrom = \"varsel@example.org\"\n";
    let other = provider.replace("\"login\"", "\"other\"").replace("login.example", "other.example");
    for good in [
        "[sign_in]\n".to_owned(),
        format!("{url}{provider}"),
        format!("{url}{provider}{other}"),
        format!("{url}{mail}"),
        format!("{url}{mail}{provider}"),
        format!("{url}client_header = \"X-Real-IP\"\n{provider}"),
        format!("[sign_in]\npublic_url = \"http://localhost:8470/\"\n{provider}"),
        format!("{url}{}", provider.replace("https://login.example", "http://127.0.0.1:3000")),
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
        (format!("{url}{}", provider.replace("\"certvakt\"", "\"\"")), "the provider 'login' has no client_id"),
        (format!("{url}{}", provider.replace("https", "http")), "the issuer of the provider 'login' must start"),
        (
            format!("{url}{}", provider.replace("https://login.example", "urn:certvakt:link")),
            "the issuer of the provider 'login' must start",
        ),
        (format!("{url}{}", provider.replace("\"login\"", "\"Log in\"")), "the id of each provider"),
        (format!("{url}{}", provider.replace("Logg inn", " ")), "each label of the provider 'login'"),
        (
            format!("{url}{provider}{}", other.replace("other.example", "login.example/")),
            "the providers 'login' and 'other' in [sign_in] have the same issuer",
        ),
        (
            format!("{url}{provider}{}", other.replace("\"other\"", "\"login\"")),
            "two providers in [sign_in] have the id 'login'",
        ),
        (format!("{url}{provider}acr_values = [\"a b\"]\n"), "each class in acr_values of the provider 'login'"),
        (format!("{url}{provider}acr = [\"\"]\n"), "each class in acr of the provider 'login'"),
        (format!("{url}links = true\n"), "sign_in.links needs a mail server"),
        (format!("{url}{provider}[step_up]\nmax_age_minutes = 10081\n"), "more than a week"),
        (format!("{url}{provider}[step_up]\nacr = [\"a b\"]\n"), "each class in step_up.acr"),
        ("[step_up]\nmax_age_minutes = 15\n".to_owned(), "[step_up] needs an issuer that reports how"),
        (
            format!("{url}client_header = \"X Real IP\"\n{provider}"),
            "sign_in.client_header is not a header name",
        ),
        (
            format!(
                "{url}{other}{provider}[auth]\nissuer = \"https://login.example\"\naudience = \"certvakt\"\njwks_url = \"https://login.example\"\n"
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
}

#[tokio::test]
async fn a_provider_has_no_other_scope_and_its_secret_must_be_readable() {
    let folder = tempfile::tempdir().unwrap();
    let wider = format!("{URL}{PROVIDER}scope = \"openid email\"\n");
    let error = Config::read(&write_config(folder.path(), &wider)).unwrap_err();
    assert!(error.to_string().contains("unknown key 'scope'"), "{error}");
    let database = TestDatabase::new().await;
    let absent = format!("{URL}{PROVIDER}client_secret_file = \"/absent\"\n");
    let config = write_config(folder.path(), &absent);
    let said = fail(&mut database.certvakt(["serve", "--config", config.to_str().unwrap()]), 2);
    assert!(
        said.contains("cannot read the client_secret_file of the provider 'login' (entity not found)"),
        "{said}"
    );
}
