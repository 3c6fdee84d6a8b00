//! Several OpenID Connect providers in one installation.

use reqwest::{Method, Url};

use super::{Provider, TestService, client};

const CALLBACK: &str = "https://certvakt.example/sign-in/callback";

/// A service with the providers `login` and `other`.
async fn with_two(other: &Provider) -> TestService {
    let place = TestService::start("").await;
    let secret = place.folder.path().join("secret");
    let providers = place.client("certvakt") + &client("other", "certvakt", &other.issuer, &secret);
    place.again(&providers)
}

/// The value of a parameter.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url: Url = url.parse().unwrap();
    url.query_pairs().find(|(one, _)| one == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn each_provider_has_a_button_and_its_own_logins() {
    let other = Provider::start();
    let place = with_two(&other).await;
    place.known("coordinator").await;
    let mut browser = place.browser();
    // An app that names no provider leads to the choice, which keeps the destination and the requested strength.
    let answer = browser.get("/sign-in/provider?return_to=/today&step_up=true").await;
    let home = answer.location.unwrap();
    assert_eq!(home, "https://certvakt.example/sign-in?return_to=%2Ftoday&step_up=true");
    let page = browser.get(&home).await.text.replace("&#38;", "&");
    for id in ["login", "other"] {
        let path = format!("/sign-in/provider?return_to=%2Ftoday&provider={id}&step_up=true");
        let button = format!("<a class=\"button\" href=\"{path}\">Logg inn hos {id}</a>");
        assert!(page.contains(&button), "{page}");
    }
    assert_eq!(browser.get("/sign-in/provider?provider=third").await.status, 404);
    assert_eq!(browser.get("/sign-in/callback/third?state=a&code=b").await.status, 404);
    let page = browser.sign_in("/sign-in/provider?return_to=/today&provider=login", "coordinator").await;
    assert!(page.text.contains("Coordinator, koordinator"), "{}", page.text);

    // The same subject at another issuer is another login.
    let mut stranger = place.browser();
    stranger.language = "en";
    let page = stranger.sign_in("/sign-in/provider?return_to=/today&provider=other", "coordinator").await;
    assert_eq!(page.url, "https://certvakt.example/sign-in?return_to=%2Ftoday", "{}", page.text);
    assert!(page.text.contains("not linked to a person yet"), "{}", page.text);
    let issuers: String = place
        .database
        .value("select string_agg(issuer, ' ' order by issuer = any (select issuer from certvakt.identities) desc) from certvakt.sessions")
        .await;
    assert_eq!(issuers, format!("{} {}", place.issuer, other.issuer));
}

#[tokio::test]
async fn the_response_of_one_provider_is_not_taken_for_that_of_another() {
    let other = Provider::start();
    let place = with_two(&other).await;
    let mut browser = place.browser();
    let refused = async |browser: &mut super::Browser, url: &str, status: u16| {
        let answer = browser.get(url).await;
        assert_eq!((answer.status, place.sessions().await), (status, 0), "{url}: {}", answer.text);
    };
    let begin = "/sign-in/provider?provider=login";
    let callback = browser.sign_in_until(begin, "somebody", CALLBACK).await;
    assert!(callback.starts_with(&format!("{CALLBACK}/login?")), "{callback}");
    // The state of one at the callback of the other, in both directions.
    refused(&mut browser, &callback.replace("/callback/login", "/callback/other"), 400).await;
    let of_other = browser.sign_in_until("/sign-in/provider?provider=other", "somebody", CALLBACK).await;
    refused(&mut browser, &of_other.replace("/callback/other", "/callback/login"), 400).await;
    refused(&mut browser, &callback, 400).await;

    // A response that names another issuer, or none although the provider always names itself (RFC 9207).
    let callback = browser.sign_in_until(begin, "somebody", CALLBACK).await;
    let issuer = parameter(&callback, "iss").unwrap();
    assert_eq!(issuer, place.issuer);
    let mut renamed: Url = callback.parse().unwrap();
    let pairs: Vec<(String, String)> = renamed.query_pairs().into_owned().collect();
    renamed.query_pairs_mut().clear().extend_pairs(
        pairs.iter().map(|(name, value)| (name, if name == "iss" { &other.issuer } else { value })),
    );
    refused(&mut browser, renamed.as_str(), 403).await;
    renamed.query_pairs_mut().clear().extend_pairs(pairs.iter().filter(|(name, _)| name != "iss"));
    refused(&mut browser, renamed.as_str(), 403).await;
    place.service.until_said("the authorization response names another issuer, or none").await;
    // The code was kept from every token endpoint, so it is still good.
    assert_eq!(browser.get(&callback).await.status, 303);
    assert_eq!(place.sessions().await, 1);
}

#[tokio::test]
async fn a_provider_must_report_a_class_that_its_section_accepts() {
    let mut place = TestService::start("").await;
    for (client_id, status) in [("certvakt", 403), ("low", 403), ("high", 303)] {
        let provider = place.client(client_id);
        place = place.again(&format!("{provider}acr = [\"urn:higher\", \"urn:high\"]\n"));
        let mut browser = place.browser();
        let callback = browser.sign_in_until("/sign-in/provider", "somebody", CALLBACK).await;
        let answer = browser.get(&callback).await;
        assert_eq!(answer.status, status, "{client_id}: {}", answer.text);
        assert_eq!(place.sessions().await, i64::from(status == 303), "{client_id}");
        if status == 403 {
            assert!(answer.text.contains("Innloggingen kunne ikke fullføres"), "{}", answer.text);
            place.service.until_said("its acr is missing, or none of the accepted ones").await;
        }
    }
}

#[tokio::test]
async fn a_provider_is_asked_for_the_subject_alone_in_the_language_of_the_page() {
    let place = TestService::start("").await;
    let provider = place.client("talkative");
    let place = place.again(&format!(
        "[step_up]\nmax_age_minutes = 15\nacr = [\"urn:high\"]\n{provider}acr_values = [\"urn:low\", \"urn:lower\"]\n"
    ));
    for (language, tag) in [("nb", "nb"), ("nn-NO", "nb"), ("en-GB", "en")] {
        let mut browser = place.browser();
        browser.language = language;
        for (path, classes, age) in [
            ("/sign-in/provider", "urn:low urn:lower", None),
            ("/sign-in/provider?step_up=true", "urn:high urn:low urn:lower", Some("900")),
        ] {
            let asked = browser.get(path).await.location.unwrap();
            let asked = |name: &str| parameter(&asked, name);
            assert_eq!(asked("scope").as_deref(), Some("openid"), "{path}");
            assert_eq!(asked("ui_locales").as_deref(), Some(tag), "{language} {path}");
            assert_eq!(asked("acr_values").as_deref(), Some(classes), "{path}");
            assert_eq!(asked("max_age").as_deref(), age, "{path}");
            assert_eq!(asked("redirect_uri"), Some(format!("{CALLBACK}/login")));
        }
    }
    // The provider shows on its page what it was asked.
    let mut browser = place.browser();
    let page = browser.follow(Method::GET, "/sign-in/provider", &[]).await;
    for shown in ["ui_locales", "nb", "scope", "openid"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    // Of what it says about the person, only the subject is stored.
    browser.sign_in("/sign-in/provider", "subject-of-kari").await;
    let tables: String = place
        .database
        .value("select string_agg(tablename, ' ') from pg_tables where schemaname = 'certvakt'")
        .await;
    let mut stored = String::new();
    for table in tables.split(' ') {
        let rows = format!("select coalesce(string_agg(t::text, ' '), '') from certvakt.{table} t");
        stored += &place.database.value::<String>(&rows).await;
    }
    assert!(stored.contains("subject-of-kari"), "{stored}");
    for told in ["Kari Prøve", "kari@talkative.example", "1990-02-17"] {
        assert!(!stored.contains(told), "{told}");
    }
}

#[tokio::test]
async fn the_profiles_of_the_documentation_sign_people_in() {
    let document = include_str!("../../../../../docs/sign-in.md");
    let blocks: Vec<&str> =
        document.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    let mut place = TestService::start("").await;
    for (number, block) in (1..).zip(blocks) {
        let mut profile: toml::Table = toml::from_str(block).unwrap();
        let provider = profile["sign_in"]["providers"][0].as_table_mut().unwrap();
        let id = provider["id"].as_str().unwrap().to_owned();
        let label = provider["label"]["nb"].as_str().unwrap().to_owned();
        let classes = provider.get("acr_values").map(|all| all[0].as_str().unwrap().to_owned());
        // The test's provider in the place of the real one, with a client of the test.
        let secret = place.folder.path().join("secret").display().to_string();
        for (key, value) in [
            ("issuer", &place.issuer),
            ("client_id", &"certvakt".to_owned()),
            ("client_secret_file", &secret),
        ] {
            assert!(provider.insert(key.to_owned(), value.clone().into()).is_some(), "{id} has no {key}");
        }
        place = place.again(&toml::to_string(&profile).unwrap());
        let mut browser = place.browser();
        let page = browser.get("/sign-in").await.text;
        assert!(page.contains(&format!("provider={id}\">{label}</a>")), "{page}");
        let path = format!("/sign-in/provider?provider={id}");
        let asked = browser.get(&path).await.location.unwrap();
        assert_eq!(parameter(&asked, "acr_values"), classes, "{id}");
        let callback = browser.sign_in_until(&path, "somebody", CALLBACK).await;
        assert!(callback.starts_with(&format!("{CALLBACK}/{id}?")), "{callback}");
        assert_eq!(browser.get(&callback).await.status, 303, "{id}");
        assert_eq!(place.sessions().await, number);
    }
}

#[tokio::test]
async fn administrators_see_how_their_people_sign_in() {
    let vipps = "[[sign_in.providers]]\nid = \"vipps\"\nlabel = { nb = \"Logg inn med Vipps\", en = \"Sign in with Vipps\" }\n\
         issuer = \"https://vipps.example/access/\"\nclient_id = \"our-client\"\n";
    let strict = "[step_up]\nmax_age_minutes = 15\nacr = [\"urn:high\"]\n[pages]\nhelp = \"Ring drift på 22 00 00 00.\"\n";
    let path = "/settings/00000000-0000-4000-8000-0000000000a0/sign-in";
    let place = TestService::start("").await;
    place.known("administrator").await;
    let client = place.client("certvakt");
    let hours = format!("links = false\n[step_up]\nmax_age_minutes = 120\n{client}");
    let (mut place, no_step_up) = (place, "ingen sterkere eller nyere innlogging enn andre");
    for (more, language, expected, others) in [
        (
            format!("{strict}{client}{vipps}"),
            "nb",
            &[
                "Logg inn hos login (127.0.0.1)",
                "Logg inn med Vipps (vipps.example)",
                "En lenke eller kode på e-post",
                "de siste 15 minuttene",
                "en sterkere innlogging",
                "etter 7 dager, og tidligere hvis de ikke har brukt certvakt på 12 timer",
                "i delene [sign_in] og [step_up]. Ring drift på 22 00 00 00.",
            ][..],
            &[no_step_up][..],
        ),
        (
            format!("{strict}{client}{vipps}"),
            "en",
            &[
                "Sign in with Vipps (vipps.example)",
                "within the last 15 minutes",
                "a stronger sign-in",
                "after 7 days",
            ],
            &["Logg inn med Vipps"],
        ),
        (
            hours,
            "nb",
            &["Lenker på e-post tilbys ikke.", "de siste 2 timene", "og [step_up].</p>"],
            &["Vipps", "en sterkere", no_step_up],
        ),
        (String::new(), "nb", &["En lenke eller kode på e-post", no_step_up], &["minuttene", "timene."]),
    ] {
        place = place.again(&more);
        let mut browser = place.browser();
        browser.language = language;
        browser.sign_in("/sign-in/provider?provider=login", "administrator").await;
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for one in expected {
            assert!(page.text.contains(one), "{more}: {one}: {}", page.text);
        }
        for one in others.iter().chain(&["our-client", "urn:high", "/access/", "secret", "callback"]) {
            assert!(!page.text.contains(one), "{more}: {one}: {}", page.text);
        }
        assert_eq!(browser.get(&path.replace("0a0", "0b0")).await.status, 404);
    }
}
