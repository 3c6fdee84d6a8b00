//! The cost of the pages in the database.

use super::{certification, signed_in};
use crate::sign_in::TestService;

/// The statements of a person's transactions since the last reset, without their start and end.
const STATEMENTS: &str = "select coalesce(sum(s.calls), 0)::bigint from pg_stat_statements s
    where s.dbid = (select oid from pg_database where datname = current_database())
      and s.userid = 'authenticated'::regrole and s.query !~* '^(begin|commit|rollback|set )'";

#[tokio::test]
async fn a_page_takes_few_statements() {
    let place = TestService::start("").await;
    place.database.execute("create extension pg_stat_statements").await;
    super::partners::with_partner(&place).await;
    super::partners::with_report(&place, "E-1", "a2", "other-date").await;
    place
        .database
        .execute(
            "update certvakt.partners set stopped_at = now(), stopped_by = 'outage', stopped_reason = 'x'",
        )
        .await;
    let mut browser = signed_in(&place, "coordinator").await;
    let certification = certification("a2");
    let person = "00000000-0000-4000-8000-0000000100a2";
    let pages = [
        "/today",
        "/changes",
        "/contacts",
        "/contacts?chapter=00000000-0000-4000-8000-0000000000a2",
        "/certifications",
        "/certifications?q=mentor&state=due",
        "/certifications?order=name&state=due&on=2026-12-06",
        "/certifications?order=name&state=unreachable",
        "/certifications?order=mentor&state=due",
        &certification,
        &format!("{certification}/contact-points"),
        &format!("{certification}/letter"),
        "/certifications.csv?contacts=yes",
        &format!("{certification}/contacts"),
        &format!("{certification}/renewals"),
        &format!("{certification}/corrections"),
        &format!("{certification}/suspensions"),
        &format!("{certification}/withdrawals"),
        &format!("{certification}/moves"),
        &format!("{certification}/endings"),
        &format!("{certification}/listing-consents"),
        &format!("{certification}/listing-consents/letter"),
        "/certifications/new",
        "/certifications/new?q=mentor",
        &format!("/people/{person}/certifications"),
        "/certifications/print",
        "/certifications/print?state=due",
        "/changes/new?action=renewals&state=due",
        "/changes/new?action=suspensions&state=due",
        "/imports",
        "/outlook",
        "/chapters",
        "/runs",
        "/partners",
        "/partners/00000000-0000-4000-8000-0000000000a0/portal",
        "/partners/00000000-0000-4000-8000-0000000000a0/portal/settlements?event=E-1",
        "/me",
        "/me/notices",
        "/me/channels",
        "/me/listings",
    ];
    for path in pages {
        place
            .database
            .execute("select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)")
            .await;
        assert_eq!(browser.get(path).await.status, 200, "{path}");
        let statements: i64 = place.database.value(STATEMENTS).await;
        // Besides these, a request looks up its session, and whether its person is admitted.
        assert!((1..=8).contains(&statements), "{path}: {statements}");
    }
}
