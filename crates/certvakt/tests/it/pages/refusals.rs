//! The pages of refusals: who is signed in, and in which language.

use reqwest::Method;

use super::signed_in;
use crate::sign_in::TestService;

const UNKNOWN: &str = "/certifications/00000000-0000-4000-8000-00000000dead";

#[tokio::test]
async fn a_refusal_says_who_is_signed_in_in_their_language() {
    let place = TestService::start("").await;
    place.database.execute("update certvakt.people set locale = 'en' where name = 'Coordinator'").await;
    let mut browser = signed_in(&place, "coordinator").await;
    for (method, path, status) in [
        // After the person was looked up, before it, and in the router.
        (Method::GET, UNKNOWN, 404),
        (Method::GET, "/certifications/no-id", 404),
        (Method::POST, "/me/digest", 422),
        (Method::POST, "/today", 405),
        // The pages of the sign-in.
        (Method::POST, "/sign-out", 403),
        (Method::GET, "/sign-in/invitation?token=x", 404),
    ] {
        let page = browser.send(method, path, &[("schedule", "off"), ("csrf", "forged")]).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        for part in [
            "<html lang=\"en\">",
            "<p>Coordinator, coordinator</p>",
            "<li><a href=\"/today\">Today</a></li>",
            "<form method=\"post\" action=\"/sign-out\">",
        ] {
            assert!(page.text.contains(part), "{path} lacks {part}: {}", page.text);
        }
    }
    // Without a session, and with one of a login that no person has.
    let mut nobody = place.browser();
    let mut unknown = place.browser();
    unknown.sign_in("/sign-in/provider", "stranger").await;
    for browser in [&mut nobody, &mut unknown] {
        let page = browser.send(Method::POST, "/today", &[]).await;
        assert_eq!(page.status, 405, "{}", page.text);
        assert!(page.text.contains("<html lang=\"nb\">") && !page.text.contains("<header>"), "{}", page.text);
    }
}
