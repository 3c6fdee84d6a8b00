//! The problems of partners that need a person: every place that shows them shows the same.

use certvakt_store::partner::ProblemKind;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Browser, NOON, TestService};

/// A kind of problem, the statement that causes it, the text on the page, the text of the status, and whether
/// administrators get a mail at once, or after an hour.
type Case = (ProblemKind, &'static str, &'static str, &'static str, bool);

const LISTING: &str =
    "update certvakt.listings set is_listed = true, accepted_number = number, seen_listed = false";

const CASES: [Case; 14] = [
    (
        ProblemKind::StillListed,
        "update certvakt.listings set seen_listed = true",
        "uten å skulle det",
        "still listed, and should not be",
        false,
    ),
    (
        ProblemKind::RemovalLate,
        "update certvakt.listings set changed_at = changed_at - interval '25 hours'",
        "ventet i mer enn et døgn",
        "LATE:",
        true,
    ),
    (
        ProblemKind::Stopped,
        "update certvakt.partners set stopped_at = now(), stopped_by = 'contract', stopped_reason = 'it breaks'",
        "får ikke lenger vite",
        "STOPPED: portal",
        true,
    ),
    (
        ProblemKind::RemovalsHeld,
        "update certvakt.partners set held_at = now()",
        "flere enn det som kan tas av",
        "HELD: 1 removals of portal",
        true,
    ),
    (
        ProblemKind::ListingUnread,
        "update certvakt.partners set unread_since = now(), unread_reason = 'it is not JSON'",
        "kan ikke leses",
        "NOT READ: the listing of portal",
        false,
    ),
    (
        ProblemKind::ListingNotCompared,
        "update certvakt.partners set reconciled_at = now() - interval '7 hours'",
        "ikke sammenlignet",
        "NOT COMPARED: the listing of portal",
        true,
    ),
    (
        ProblemKind::Missing,
        LISTING,
        "mangler på listen",
        "sent, but missing from the listing",
        false,
    ),
    (
        ProblemKind::RemovedByHand,
        "update certvakt.listings set removed_by_hand_since = now()",
        "for hånd",
        "removed manually at the portal",
        true,
    ),
    (
        ProblemKind::Unknown,
        "update certvakt.partners set unknown_shown = 3",
        "viser 3 personer som ingen her kjenner",
        "3 of portal: listed, but unknown",
        false,
    ),
    (
        ProblemKind::ReportsUnread,
        "update certvakt.partners set reports_unread_since = now(), reports_unread_reason = 'it is not JSON'",
        "melder om, kan ikke leses",
        "NOT READ: the reports of portal",
        false,
    ),
    (
        ProblemKind::ReportsWaiting,
        "insert into certvakt.partner_reports (organisation_id, partner, environment, event_id, completed_on, outcome, reason)
           select organisation_id, code, 'live', 'E-1', '2026-06-01', 'waiting', 'course-unknown' from certvakt.partners",
        "har meldt om et fullført kurs",
        "WAITING: 1 reports of portal",
        true,
    ),
    (
        ProblemKind::CredentialExpires,
        "update certvakt.partners set secret_ends_on = (now() at time zone 'UTC')::date + 12",
        "gjelder i 12 dager til",
        "CREDENTIAL:",
        true,
    ),
    (
        ProblemKind::CredentialExpires,
        "update certvakt.partners set secret_ends_on = (now() at time zone 'UTC')::date + 29",
        "gjelder i 29 dager til",
        "CREDENTIAL:",
        true,
    ),
    (
        ProblemKind::CredentialExpires,
        "update certvakt.partners set secret_ends_on = (now() at time zone 'UTC')::date - 1",
        "har utløpt",
        "CREDENTIAL:",
        true,
    ),
];

/// States that are no problem.
const WELL: [&str; 6] = [
    "select",
    "update certvakt.listings set changed_at = changed_at - interval '23 hours'",
    "update certvakt.partners set reconciled_at = now() - interval '5 hours'",
    "update certvakt.partners set environment = 'staging', reconciled_at = now() - interval '7 hours'",
    "update certvakt.partners set secret_ends_on = (now() at time zone 'UTC')::date + 30",
    "update certvakt.partners set held_at = now(); update certvakt.listings set approved_number = number",
];

const ALARM: &str = "Dette bør du se på";

impl TestService {
    /// Switches the partner on, without problems.
    async fn without_problems(&self) {
        self.database
            .execute(&format!(
                "update certvakt.partners set environment = 'live', contract = '1', stopped_at = null, stopped_by = null,
                   stopped_reason = null, held_at = null, unread_since = null, unread_reason = null, reconciled_at = null,
                   unknown_shown = 0, reports_unread_since = null, reports_unread_reason = null, secret_ends_on = null;
                 delete from certvakt.partner_alerts;
                 update certvakt.listings set is_listed = false, accepted_number = 0, seen_listed = null, removed_by_hand_since = null,
                   approved_number = 0, changed_at = '{NOON}';
                 delete from certvakt.partner_reports"
            ))
            .await;
    }

    /// The problem about which administrators have got a mail.
    async fn mailed(&self) -> Option<String> {
        self.database.queue_partner_alerts(NOON).await;
        self.database.value("select max(kind) from certvakt.partner_alerts where mailed_at is not null").await
    }

    /// Asserts that each place shows exactly these problems.
    async fn shows(&self, administrator: &mut Browser, expected: Option<Case>, when: &str) {
        let kinds: Vec<&str> = expected.iter().map(|case| case.0.as_str()).collect();
        let kinds_in = |partner: &Value| -> Vec<String> {
            let problems = partner["problems"].as_array().unwrap();
            problems.iter().map(|problem| problem["kind"].as_str().unwrap().to_owned()).collect()
        };

        let page = administrator.get("/today").await.text;
        assert_eq!(page.contains(ALARM), expected.is_some(), "{when}: {page}");
        let (_, partners) = self.ask("administrator", Method::GET, "/partners").await;
        assert_eq!(kinds_in(&partners[0]), kinds, "{when}: {partners}");
        for words in [&["status"][..], &["partner", "status"]] {
            let mut command = self.database.certvakt(words.iter().copied());
            let output = command.args(["--output", "json"]).env("CERTVAKT_NOW", NOON).output().unwrap();
            let status: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(kinds_in(&status["partners"][0]), kinds, "{when}: {status}");
            assert_eq!(output.status.code(), Some(i32::from(expected.is_some())), "{when}: {status}");
        }
        let (_, metrics) = self.service.get("/metrics").await;
        for kind in ProblemKind::ALL {
            let is_shown = metrics.lines().any(|line| {
                line.starts_with("certvakt_partner_problem{")
                    && line.ends_with(&format!("problem=\"{}\"}} 1", kind.as_str()))
            });
            assert_eq!(is_shown, kinds.contains(&kind.as_str()), "{when}: {kind:?} in the metrics");
        }
        let mailed = expected.map(|case| case.0.as_str().to_owned());
        let at_once = mailed.clone().filter(|_| expected.is_some_and(|case| case.4));
        assert_eq!(self.mailed().await, at_once, "{when}: the mail");
        self.database
            .execute(
                "update certvakt.partner_alerts
                 set noticed_at = noticed_at - interval '1 hour', since = since - interval '1 hour';
                 update certvakt.partners set unread_since = unread_since - interval '1 hour',
                   reports_unread_since = reports_unread_since - interval '1 hour'",
            )
            .await;
        assert_eq!(self.mailed().await, mailed, "{when}: the mail after an hour");

        let Some((kind, _, on_page, in_status, _)) = expected else { return };
        assert!(page.contains(on_page), "{when}: {page}");
        let mut command = self.database.certvakt(["partner", "status"]);
        let output = command.env("CERTVAKT_NOW", NOON).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(in_status), "{when}: {kind:?} in {text}");
    }
}

#[tokio::test]
async fn every_place_shows_the_same_problems_of_a_partner() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "begin; select set_config('certvakt.now', '{NOON}', true);
             insert into certvakt.contact_points (person_id, kind, address)
               select person_id, 'email', 'administrator@example.org' from certvakt.identities
               where subject = 'administrator' limit 1;
             -- A chapter without a coordinator would be another alarm.
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
               select m.organisation_id, m.chapter_id, m.person_id, 'coordinator'
               from certvakt.memberships m join certvakt.identities i using (person_id)
               where i.subject = 'administrator' and m.role = 'org_admin' limit 1;
             insert into certvakt.partners (organisation_id, code)
               select m.organisation_id, 'portal' from certvakt.memberships m join certvakt.identities i using (person_id)
               where i.subject = 'administrator' and m.role = 'org_admin' limit 1;
             insert into certvakt.partner_types
               select t.organisation_id, p.code, t.code from certvakt.certification_types t
               join certvakt.partners p on p.organisation_id = t.organisation_id;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               select c.organisation_id, 'portal', 'M-1', c.peer_mentor_id, now()
               from public.peer_mentor_certifications c join certvakt.partners p on p.organisation_id = c.organisation_id
               where c.status <> 'suspended' order by c.expires_at desc nulls first limit 1;
             update certvakt.listings set listing_consent_at = null;
             update certvakt.listings set accepted_listed = true; commit",
        ))
        .await;
    place
        .database
        .until(
            "select count(*) = (select count(*) from certvakt.organisations)
        from certvakt.runs where state = 'complete' and run_date = '2026-06-15'",
        )
        .await;
    let mut browsers = Vec::new();
    for login in ["administrator", "coordinator"] {
        place.known(login).await;
        let mut browser = place.browser();
        browser.sign_in("/sign-in/provider", login).await;
        browsers.push(browser);
    }
    let [administrator, coordinator] = &mut browsers[..] else { unreachable!() };
    for kind in ProblemKind::ALL {
        assert_eq!(json!(kind), json!(kind.as_str()));
        assert!(CASES.iter().any(|case| case.0 == kind), "{kind:?}");
    }
    for well in WELL {
        place.without_problems().await;
        place.database.execute(well).await;
        place.shows(administrator, None, well).await;
    }
    for case in CASES {
        place.without_problems().await;
        place.database.execute(case.1).await;
        place.shows(administrator, Some(case), case.1).await;
        // A coordinator is told that a partner gets no changes, and of the reports that they may settle. This report names no known mentor.
        let is_told = coordinator.get("/today").await.text.contains("Til orientering");
        assert_eq!(is_told, case.0 == ProblemKind::Stopped, "{}", case.1);
        place.without_problems().await;
        place.database.execute(case.1).await;
        // A partner that is off needs nobody, except that its live portal may still list people who must be removed.
        for told in ["live", "staging"] {
            let off =
                format!("update certvakt.partners set environment = null, accepted_environment = '{told}'");
            place.database.execute(&off).await;
            let expected = Some(case).filter(|case| told == "live" && case.0 == ProblemKind::RemovalLate);
            place.shows(administrator, expected, &format!("off, {told}: {}", case.1)).await;
        }
    }
}
