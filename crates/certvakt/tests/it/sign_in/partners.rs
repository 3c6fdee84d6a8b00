//! The problems of partners on the administrators' page.

use super::{NOON, TestService};

/// States of a partner, with the text on the page.
const STANDINGS: [(&str, &str); 6] = [
    ("stopped_at = now(), stopped_by = 'contract', stopped_reason = 'it breaks'", "får ikke lenger vite"),
    ("held_at = now()", "flere enn det som kan tas av"),
    ("unread_since = now(), unread_reason = 'it is not JSON'", "kan ikke leses"),
    ("unknown_shown = 3", "viser 3 personer som ingen her kjenner"),
    ("secret_ends_on = (now() at time zone 'UTC')::date + 12", "gjelder i 12 dager til"),
    ("secret_ends_on = (now() at time zone 'UTC')::date - 1", "har utløpt"),
];

const ALARM: &str = "trenger at du ser på det";

#[tokio::test]
async fn the_problems_of_partners_are_on_the_page_of_administrators_only() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "begin; select set_config('certvakt.now', '{NOON}', true);
             insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations;
             insert into certvakt.partner_types select organisation_id, 'portal', code from certvakt.certification_types;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               select c.organisation_id, 'portal', 'M-1', c.peer_mentor_id, now()
               from public.peer_mentor_certifications c
               where c.status <> 'suspended' and c.organisation_id = (
                 select m.organisation_id from certvakt.memberships m join certvakt.identities i using (person_id)
                 where i.subject = 'administrator' and m.role = 'org_admin' limit 1)
               order by c.expires_at desc nulls first limit 1;
             update certvakt.listings set listing_consent_at = null;
             update certvakt.listings set told_listed = true; commit",
        ))
        .await;
    let mut browsers = Vec::new();
    for login in ["administrator", "coordinator"] {
        place.known(login).await;
        let mut browser = place.browser();
        browser.sign_in("/sign-in/provider", login).await;
        browsers.push(browser);
    }
    let [administrator, coordinator] = &mut browsers[..] else { unreachable!() };
    for (standing, said) in STANDINGS {
        let set = format!("update certvakt.partners set environment = 'live', contract = '1', {standing}");
        place.database.execute(&set).await;
        let page = administrator.get(super::HOME).await.text;
        assert!(page.contains(ALARM) && page.contains(said), "{standing}: {page}");
        assert!(!coordinator.get(super::HOME).await.text.contains(ALARM), "{standing}");
        let whole =
            "environment = null, stopped_at = null, stopped_by = null, stopped_reason = null, held_at = null,
            unread_since = null, unread_reason = null, unknown_shown = 0, secret_ends_on = null";
        place.database.execute(&format!("update certvakt.partners set {whole}")).await;
        assert!(
            !administrator.get(super::HOME).await.text.contains(ALARM),
            "{standing}: it is off, and well"
        );
    }
}
