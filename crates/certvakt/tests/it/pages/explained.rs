//! What the page of a certification says beside its notices: attempts, stages without a notice, listings.

use super::partners::with_partner;
use super::{certification, signed_in};
use crate::sign_in::TestService;

const MENTOR: &str = "00000000-0000-4000-8000-0000000100a2";

#[tokio::test]
async fn those_who_manage_a_certification_see_what_explain_says() {
    let place = TestService::start("").await;
    with_partner(&place).await;
    let delivery = format!(
        "(select l.id from public.cert_notification_log l where l.recipient_id = '{MENTOR}' order by l.id limit 1)"
    );
    place
        .database
        .execute(&format!(
            "update certvakt.certification_changes set changed_at = '2026-01-01' where kind = 'recorded';
             update certvakt.deliveries set state = 'pending', finished_at = null, available_at = '2026-06-16T10:30:00Z' where id = {delivery};
             insert into certvakt.delivery_attempts (delivery_id, attempt, channel, outcome, detail, finished_at) values
               ({delivery}, 1, 'fcm', 'given_up', 'UNREGISTERED', '2026-06-15T08:00:00Z'),
               ({delivery}, 2, 'email', 'retry', 'busy', '2026-06-15T09:00:00Z');
             update certvakt.listings set excluded_at = '2026-06-15T09:00:00Z' where person_id = '{MENTOR}';
             update certvakt.listings set listing_consent_at = null where person_id = '{MENTOR}'"
        ))
        .await;
    let path = certification("a2");
    let waiting = [
        "15. juni 2026 kl. 10:00: Appen: Avvist for godt",
        "15. juni 2026 kl. 11:00: E-post: Feilet",
        "Prøves på nytt tidligst 16. juni 2026 kl. 12:30",
        "Varsel: 30 dager før utløp",
        "Ikke sendt: tiden for et senere varsel (7 dager før utløp) var kommet før neste nattkjøring",
        "Listen hos portal",
        "Likepersonen har ikke samtykket, og skal ikke stå på listen.",
        "Partneren har ikke bekreftet det ennå.",
        "Påmeldt hos portal.",
        "Samtykket til listen hos portal.",
        "Skal stå på listen hos portal.",
        "Skal ikke lenger stå på listen hos portal.",
        "Fordi en administrator holder likepersonen utenfor",
        "Samtykket til listen hos portal ble trukket tilbake.",
    ];
    let mut coordinator = signed_in(&place, "coordinator").await;
    let page = coordinator.get(&path).await;
    for words in waiting {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("UNREGISTERED"), "{}", page.text);
    place
        .database
        .execute(&format!(
            "update certvakt.deliveries set state = 'delivered', finished_at = '2026-06-15T10:31:00Z' where id = {delivery};
             insert into certvakt.delivery_attempts (delivery_id, attempt, channel, outcome, finished_at)
               values ({delivery}, 3, 'email', 'delivered', '2026-06-15T10:31:00Z')"
        ))
        .await;
    let page = coordinator.get(&path).await;
    assert!(page.text.contains("15. juni 2026 kl. 12:31: E-post: Tatt imot"), "{}", page.text);
    assert!(!page.text.contains("Prøves på nytt"), "{}", page.text);
    // The mentor sees the notice, and nothing of this.
    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get(&path).await;
    assert!(page.text.contains("Sendt på e-post"), "{}", page.text);
    for words in ["Tatt imot", "Feilet", "Ikke sendt", "portal"] {
        assert!(!page.text.contains(words), "{words} in {}", page.text);
    }
    // Others do not see the page.
    let mut outsider = signed_in(&place, "outsider").await;
    assert_eq!(outsider.get(&path).await.status, 404);
}
