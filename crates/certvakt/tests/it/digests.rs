//! The digests of coordinators: who gets one on which day, and what is in it.

mod mailed;
mod statements;

use certvakt_store::caller::alarms::alarms;
use certvakt_store::digest::{self, Day, Line};
use certvakt_store::{CallerClaims, Database, WorkerTx};
use chrono::NaiveDate;
use uuid::Uuid;

use crate::harness::TestDatabase;
use crate::pages::{partner, report};

const WORLD: &str = concat!(
    include_str!("../../../../supabase/tests/fixtures/world.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql")
);
/// A Monday.
const TODAY: &str = "2026-06-15";

/// The id of a row of the test data.
fn id(end: &str) -> Uuid {
    format!("00000000-0000-4000-8000-{end:0>12}").parse().unwrap()
}

/// A mail address of an organisation's register for each of some people, by the ends of their ids.
fn addresses(people: &[&str]) -> String {
    let rows = people.iter().map(|end| {
        format!("insert into certvakt.contact_points (person_id, kind, address) values ('{}', 'email', 'ok-{end}@example.org');", id(end))
    });
    rows.collect()
}

/// The data of two organisations, whose coordinators and administrator have mail addresses.
async fn world() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.execute(WORLD).await;
    database.execute(&addresses(&["1", "2", "3", "5"])).await;
    database
}

fn days(today: &str) -> [Day; 2] {
    let today: NaiveDate = today.parse().unwrap();
    ["a0", "b0"].map(|end| Day { organisation_id: id(end), today })
}

/// Queues the digests of a day, and forgets the waiting ones.
async fn queue(database: &TestDatabase, today: &str) -> u64 {
    let mut tx = database.store().await.worker().await.unwrap();
    let queued = digest::queue(&mut tx, &days(today)).await.unwrap();
    tx.commit().await.unwrap();
    database.execute("delete from certvakt.mail_queue").await;
    queued
}

async fn contents(tx: &mut WorkerTx, organisation: &str, person: &str, limit: i64) -> Vec<Line> {
    let whom = [(id(organisation), id(person))];
    digest::contents(tx, &whom, &days(TODAY), limit).await.unwrap()
}

/// Who got a digest: the person, the kind and the day.
async fn recorded(database: &TestDatabase) -> Vec<String> {
    database
        .value("select coalesce(array_agg(right(person_id::text, 1) || ' ' || kind || ' ' || on_date order by on_date, person_id, kind), '{}') from certvakt.digests")
        .await
}

#[tokio::test]
async fn each_schedule_has_its_days() {
    // Nothing is news after the first day, except what each case changes.
    let expired = "update public.peer_mentor_certifications set expires_at = '2026-06-15T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a2'";
    let month = "update public.peer_mentor_certifications set expires_at = '2026-07-10T20:00:00Z' where id = '00000000-0000-4000-8000-0000000200a2'";
    let unreachable = "insert into certvakt.delivery_attempts (delivery_id, attempt, outcome, finished_at) select d.id, 1, 'given_up', now() + interval '1 minute' from certvakt.deliveries d join public.cert_notification_log l on l.id = d.id where l.certification_id = '00000000-0000-4000-8000-0000000200a2'";
    let settled = "insert into certvakt.contacts (certification_id, chapter_id, expires_at, outcome) select id, chapter_id, expires_at, 'stops' from public.peer_mentor_certifications";
    let again = "insert into certvakt.contacts (certification_id, chapter_id, expires_at, outcome, next_on) select id, chapter_id, expires_at, 'booked', '2026-06-16' from public.peer_mentor_certifications where chapter_id = '00000000-0000-4000-8000-0000000000a2'";
    let held = "insert into certvakt.runs (organisation_id, run_date, state, finished_at) values ('00000000-0000-4000-8000-0000000000a0', '2026-06-16', 'held', now() + interval '1 minute')";
    let stopped = "update certvakt.partners set stopped_at = now() + interval '1 minute', stopped_by = 'contract', stopped_reason = 'x'";
    let stopped_before = stopped.replace("+ interval", "- interval");
    let off = format!("{stopped}, environment = null");
    let [report, elsewhere] = ["a2", "a3"].map(|chapter| report("E-1", chapter, "other-date"));
    let [only_stopped, only_report] = [stopped, &report].map(|needed| format!("{settled}; {needed}"));
    // The weekday of a weekly digest, the change after Monday, the next day with digests, and the kind.
    let cases = [
        ("weekly", 2, "", "2026-06-16", "weekly"),
        ("weekly", 3, "", "2026-06-16", ""),
        // The server was down on Wednesday.
        ("weekly", 3, "", "2026-06-18", "weekly"),
        ("weekly", 2, settled, "2026-06-16", ""),
        ("weekly", 3, expired, "2026-06-16", "urgent"),
        ("weekly", 3, unreachable, "2026-06-16", "urgent"),
        ("weekly", 3, month, "2026-06-16", "urgent"),
        ("daily", 1, "", "2026-06-16", ""),
        ("daily", 1, expired, "2026-06-16", "daily"),
        ("daily", 1, month, "2026-06-16", "daily"),
        ("daily", 1, unreachable, "2026-06-16", "daily"),
        ("daily", 1, again, "2026-06-16", "daily"),
        ("daily", 1, held, "2026-06-16", "daily"),
        ("daily", 1, stopped, "2026-06-16", "daily"),
        ("daily", 1, &stopped_before, "2026-06-16", ""),
        ("daily", 1, &off, "2026-06-16", ""),
        ("daily", 1, &report, "2026-06-16", "daily"),
        // Somebody else settles it.
        ("daily", 1, &elsewhere, "2026-06-16", ""),
        ("weekly", 2, &only_stopped, "2026-06-16", "weekly"),
        ("weekly", 2, &only_report, "2026-06-16", "weekly"),
        // Partners wait for the chosen day.
        ("weekly", 3, stopped, "2026-06-16", ""),
        ("weekly", 3, &report, "2026-06-16", ""),
        ("off", 2, expired, "2026-06-16", ""),
    ];
    let database = world().await;
    database.execute(&partner()).await;
    for (schedule, weekday, change, next, kind) in cases {
        // The month's first day is news by its date, without a change of the row.
        database
            .execute(&format!(
                "delete from certvakt.digest_days; delete from certvakt.digests; delete from certvakt.contacts; delete from certvakt.delivery_attempts;
                 delete from certvakt.runs where state = 'held'; delete from certvakt.partner_reports;
                 update certvakt.partners set environment = 'live', stopped_at = null, stopped_by = null, stopped_reason = null;
                 update public.peer_mentor_certifications set expires_at = '2026-06-20T20:00:00Z' where expires_at <> '2026-06-20T20:00:00Z';
                 insert into certvakt.digest_settings (person_id, schedule, weekday) values ('{}', '{schedule}', {weekday})
                   on conflict (person_id) do update set schedule = excluded.schedule, weekday = excluded.weekday",
                id("1")
            ))
            .await;
        queue(&database, TODAY).await;
        database.execute(&format!("delete from certvakt.digests; {change}")).await;
        queue(&database, next).await;
        let got: Option<String> = database
            .value(&format!(
                "select (select kind || ' ' || on_date from certvakt.digests where person_id = '{}')",
                id("1")
            ))
            .await;
        let expected = (!kind.is_empty()).then(|| format!("{kind} {next}"));
        assert_eq!(got, expected, "{schedule} {weekday} '{change}' {next}");
    }
}

#[tokio::test]
async fn a_digest_is_recorded_once() {
    let database = world().await;
    let store = database.store().await;
    let log: i64 = database.value("select count(*) from public.cert_notification_log").await;
    let mut first = store.worker().await.unwrap();
    assert_eq!(digest::queue(&mut first, &days(TODAY)).await.unwrap(), 4);
    // Another scheduler waits for the first one.
    let second = tokio::spawn(queue_once(store));
    database
        .until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')")
        .await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), 0);
    assert_eq!(
        recorded(&database).await,
        ["1 weekly 2026-06-15", "2 weekly 2026-06-15", "3 weekly 2026-06-15", "5 weekly 2026-06-15"]
    );
    // A waiting digest holds the news of the next days too.
    database.execute("update certvakt.digest_settings set schedule = 'daily'").await;
    database
        .execute("update public.peer_mentor_certifications set expires_at = '2026-06-14T20:00:00Z'")
        .await;
    assert_eq!(queue(&database, "2026-06-16").await, 0);
    let notices: i64 = database.value("select count(*) from public.cert_notification_log").await;
    assert_eq!(notices, log, "a digest is not a notice");
}

async fn queue_once(store: Database) -> u64 {
    let mut tx = store.worker().await.unwrap();
    let queued = digest::queue(&mut tx, &days(TODAY)).await.unwrap();
    tx.commit().await.unwrap();
    queued
}

/// The chapters of a digest and the mentors in it, by the ends of their ids.
fn shown(lines: &[Line]) -> Vec<(String, String)> {
    let end = |id: Option<Uuid>| id.map(|id| id.to_string()[34..].to_owned()).unwrap_or_default();
    lines.iter().map(|one| (end(one.chapter_id), end(one.certification_id))).collect()
}

#[tokio::test]
async fn the_level_above_gets_a_chapter_without_a_coordinator() {
    let database = world().await;
    queue(&database, TODAY).await;
    database.execute("insert into certvakt.digest_settings (person_id) select id from certvakt.people on conflict do nothing").await;
    let mut tx = database.store().await.worker().await.unwrap();
    let own = [("a2".to_owned(), "a2".to_owned()), ("a4".to_owned(), "a4".to_owned())];
    assert_eq!(shown(&contents(&mut tx, "a0", "1", 200).await), own, "the chapter and those below it");
    // Nobody coordinates the top, so the administrator gets it, and nothing else.
    let top = shown(&contents(&mut tx, "a0", "2", 200).await);
    assert!(top.iter().all(|(chapter, _)| chapter == "a1") && top.len() == 2, "{top:?}");
    // Nobody gets anything of another organisation.
    assert_eq!(contents(&mut tx, "b0", "1", 200).await, []);
    assert_eq!(contents(&mut tx, "a0", "5", 200).await, []);
    assert_eq!(shown(&contents(&mut tx, "b0", "5", 200).await).len(), 2);
    tx.rollback().await.unwrap();
    // A coordinator without an address cannot get it either.
    database
        .execute(&format!(
            "delete from certvakt.contact_points where person_id = '{}' and kind = 'email'",
            id("1")
        ))
        .await;
    let mut tx = database.store().await.worker().await.unwrap();
    let top = shown(&contents(&mut tx, "a0", "2", 200).await);
    assert!(own.iter().all(|one| top.contains(one)), "{top:?}");
    tx.rollback().await.unwrap();
    // Nobody gets one while access is closed.
    database
        .execute("insert into certvakt.access_closures (resource, reason) values ('certifications', 'test')")
        .await;
    let mut tx = database.store().await.worker().await.unwrap();
    assert_eq!(contents(&mut tx, "a0", "2", 200).await, []);
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn a_mentor_appears_once_and_the_rest_is_counted() {
    let database = world().await;
    // The mentor of the chapter is certified in the one below it too, and that certification has expired; they belong to
    // both.
    database
        .execute(
            "insert into certvakt.certification_types (organisation_id, code, name) select id, 'other', 'Other' from certvakt.organisations;
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role) values ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a4', '00000000-0000-4000-8000-0000000100a2', 'mentor');
             insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at) values
               ('00000000-0000-4000-8000-0000000200ff', '00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a4',
                 '00000000-0000-4000-8000-0000000100a2', 'other', '2026-06-10T20:00:00Z');
             -- Nobody is told about themselves.
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at) values
               ('00000000-0000-4000-8000-0000000000a0', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-000000000001', 'type', '2026-06-10T20:00:00Z')",
        )
        .await;
    queue(&database, TODAY).await;
    let mut tx = database.store().await.worker().await.unwrap();
    let lines = contents(&mut tx, "a0", "1", 200).await;
    assert_eq!(shown(&lines), [("a4".to_owned(), "ff".to_owned()), ("a4".to_owned(), "a4".to_owned())]);
    assert_eq!(lines[0].counts, Some(vec![1, 1, 0, 0]), "one expired, one unreachable");
    assert_eq!(lines.iter().map(|one| one.mentor.clone()).collect::<Vec<_>>(), [None, None]);
    // Beyond the limit, chapters have their numbers alone.
    let lines = contents(&mut tx, "a0", "3", 0).await;
    assert_eq!(
        (lines.len(), lines[0].is_listed, lines[0].counts.clone()),
        (1, Some(false), Some(vec![0, 1, 0, 0]))
    );
    tx.rollback().await.unwrap();
}

/// The partners that need a person, as the page and as the digest say: the organisation, the name, whether sending stopped,
/// and the number of reports.
async fn partners(database: &TestDatabase, login: &str, person: &str) -> [Vec<(Uuid, String, bool, i64)>; 2] {
    let store = database.store().await;
    let asking = CallerClaims { issuer: "https://issuer.example", subject: login, session: None };
    let mut tx = store.caller(&asking).await.unwrap();
    let on_page = alarms(&mut tx).await.unwrap().into_iter().filter_map(|one| {
        one.partner.map(|name| (one.organisation_id, name, one.is_stopped, one.reports_waiting))
    });
    let on_page = on_page.collect();
    tx.commit().await.unwrap();
    let mut tx = store.worker().await.unwrap();
    let mut mailed = Vec::new();
    for organisation in ["a0", "b0"] {
        let lines = contents(&mut tx, organisation, person, 200).await;
        let first = lines.into_iter().next().into_iter();
        mailed.extend(first.flat_map(|line| {
            line.partners
                .0
                .into_iter()
                .map(move |one| (line.organisation_id, one.name, one.is_stopped, one.reports_waiting))
        }));
    }
    tx.rollback().await.unwrap();
    [on_page, mailed]
}

#[tokio::test]
async fn partners_need_the_same_people_as_on_the_page() {
    let database = world().await;
    database.execute(&partner()).await;
    database.execute("insert into certvakt.digest_settings (person_id) select id from certvakt.people").await;
    let organisation = id("a0");
    // A coordinator and an administrator are mentors too, and one mentor is certified in two regions.
    database
        .execute(&format!(
            "insert into certvakt.certification_types (organisation_id, code, name) values ('{organisation}', 'other', 'Other');
             insert into public.peer_mentor_certifications (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at) values
               ('{}', '{organisation}', '{}', '{}', 'type', '2026-06-10T20:00:00Z'),
               ('{}', '{organisation}', '{}', '{}', 'type', '2026-06-10T20:00:00Z'),
               ('{}', '{organisation}', '{}', '{}', 'other', '2026-06-10T20:00:00Z');
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id) values
               ('{organisation}', 'portal', 'M-own', '{}'), ('{organisation}', 'portal', 'M-admin', '{}')",
            id("0200c1"), id("a4"), id("1"), id("0200c2"), id("a2"), id("2"), id("0200c3"), id("a3"), id("0100a2"), id("1"), id("2")
        ))
        .await;
    // The report is about somebody whose certification did not match.
    let unmatched = |event: &str, key: &str| report(event, "", "no-certification").replace("M-unknown", key);
    let about = |event: &str, certification: &str, key: &str| {
        report(event, "a2", "other-date")
            .replace("M-a2", key)
            .replace(&id("0200a2").to_string(), &id(certification).to_string())
    };
    let stop = |slug: &str| {
        format!(
            "update certvakt.partners set stopped_at = now(), stopped_by = 'outage', stopped_reason = 'x' where organisation_id = '{}'",
            id(slug)
        )
    };
    let of_other = "insert into certvakt.partners (organisation_id, code, environment, contract) values ('00000000-0000-4000-8000-0000000000b0', 'portal', 'live', '1')";
    // The page counts the administrator's own report among the eleven that it reads.
    let many = "delete from certvakt.partner_reports where event_id = 'E-9';".to_owned()
        + &(0..12).map(|number| report(&format!("F-{number}"), "a4", "other-date")).collect::<String>();
    // Each happens after those above it: the number of reports for the coordinator, the administrator, and the coordinator
    // of another region.
    let cases = [
        ("nothing waits", String::new(), [0, 0, 0]),
        ("the own chapter", report("E-1", "a2", "other-date"), [1, 1, 0]),
        ("a chapter below", report("E-2", "a4", "other-date"), [2, 2, 0]),
        ("another region", report("E-3", "a3", "other-date"), [2, 3, 1]),
        ("the level above", report("E-4", "a1", "other-date"), [2, 4, 1]),
        ("nobody who is known", report("E-5", "", "mentor-unknown"), [2, 5, 1]),
        ("a mentor of two regions", unmatched("E-6", "M-a2"), [3, 6, 2]),
        ("the coordinator", about("E-7", "0200c1", "M-own"), [3, 7, 2]),
        ("the coordinator, unmatched", unmatched("E-8", "M-own"), [3, 8, 2]),
        ("the administrator", about("E-9", "0200c2", "M-admin"), [4, 8, 2]),
        ("a settled one", "update certvakt.partner_reports set outcome = 'dismissed', resolved_at = now() where event_id = 'E-1'".to_owned(), [3, 7, 2]),
        ("another organisation", format!("{of_other}; {}", stop("b0")), [3, 7, 2]),
        ("more than are counted", many, [11, 11, 2]),
        ("a stop", stop("a0"), [11, 11, 2]),
        ("a partner that is off", "update certvakt.partners set environment = null".to_owned(), [0, 0, 0]),
    ];
    for (what, change, reports) in cases {
        database.execute(&change).await;
        let people = [("coordinator", "1"), ("administrator", "2"), ("both", "3"), ("outsider", "5")];
        for (place, (login, person)) in people.into_iter().enumerate() {
            let [on_page, mailed] = partners(&database, login, person).await;
            assert_eq!(mailed, on_page, "{what}: {login}");
            let number: i64 = mailed.iter().map(|one| one.3).sum();
            assert_eq!(number, reports.get(place).copied().unwrap_or(0), "{what}: {login}");
        }
    }
}
