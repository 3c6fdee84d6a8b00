//! The cost of runs and deliveries in the database, in counts that do not depend on the machine's speed:
//! statements, rows, bytes of write-ahead log, pages, and sequential scans of the certifications and the log.

use certvakt_store::caller::{self, After, Filter, contacts};
use certvakt_store::{CallerClaims, CallerTx};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{NOON, TestDatabase};
use crate::stand_in::StandIn;

const NIGHT: &str = "2026-06-15";

/// The cost since the last measurement.
#[derive(Debug, Clone, Copy)]
struct Cost {
    statements: i64,
    rows: i64,
    wal_bytes: i64,
    pages: i64,
    /// Sequential scans of the certifications and of the log.
    scans: i64,
}

/// Creates certifications of which every `one_in`th is due tonight and the others in years, each with a
/// device, as some time after an import.
async fn register(certifications: u32, one_in: u32) -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
        .execute(&format!(
            "create extension pg_stat_statements;
             with person as (
               insert into certvakt.people (id)
               select md5(n::text)::uuid from generate_series(1, {certifications}) n returning id),
             device as (
               insert into certvakt.contact_points (person_id, kind, address)
               select id, 'push', 'ok-' || replace(id::text, '-', '') from person)
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select h.organisation_id, h.id, md5(n::text)::uuid, 'type', n,
               case when n % {one_in} = 0 then timestamptz '2026-06-16 12:00+02' + n / {one_in} % 6 * interval '1 day'
                 else '2030-06-20 12:00+02' end
             from certvakt.chapters h, generate_series(1, {certifications}) n"
        ))
        .await;
    database.execute("vacuum analyze").await;
    database.start_counting().await;
    database
}

impl TestDatabase {
    /// Ends the sessions of a pooler, because a session reports its statistics when it ends.
    async fn hear_all(&self) {
        self.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
    }

    async fn start_counting(&self) {
        self.hear_all().await;
        self.execute(
            "select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0);
             select pg_stat_reset()",
        )
        .await;
    }

    async fn cost(&self) -> Cost {
        self.hear_all().await;
        let columns: Vec<i64> = self
            .value(
                "select array[sum(s.calls)::bigint, sum(s.rows)::bigint, sum(s.wal_bytes)::bigint,
                   sum(s.shared_blks_hit + s.shared_blks_read)::bigint,
                   (select sum(seq_scan)::bigint from pg_stat_user_tables
                    where relname in ('peer_mentor_certifications', 'cert_notification_log'))]
                 from pg_stat_statements s
                 where s.dbid = (select oid from pg_database where datname = current_database())
                   and s.userid = 'certvakt_worker'::regrole and s.query !~* '^(set|commit|rollback)'",
            )
            .await;
        self.start_counting().await;
        let [statements, rows, wal_bytes, pages, scans] = columns[..] else { panic!("{columns:?}") };
        Cost { statements, rows, wal_bytes, pages, scans }
    }
}

fn recorded(run: &Value) -> i64 {
    run["recorded"]["expiry_warning_7d"].as_i64().unwrap()
}

#[tokio::test]
async fn a_run_costs_what_is_due_and_not_what_there_is() {
    let small = register(10_000, 20).await;
    let large = register(40_000, 80).await;
    let mut costs = Vec::new();
    for database in [&small, &large] {
        assert_eq!(recorded(&database.run(NIGHT)), 500);
        let cost = database.cost().await;
        assert_eq!(cost.scans, 0, "an index leads to each certification: {cost:?}");
        // One of them looks up the id of the type certvakt.run_input, once per connection, three end suspensions, and two
        // ask whether the database is a rehearsal.
        assert!(cost.statements <= 18, "{cost:?}");
        assert!(cost.wal_bytes <= 500 * 1_500, "a notice and its delivery with their indexes: {cost:?}");
        assert!(cost.pages <= 500 * 100, "{cost:?}");
        let written: Vec<i64> = database
            .value(
                "select array[(select count(*) from public.cert_notification_log),
                   (select count(*) from certvakt.deliveries), (select count(*) from certvakt.runs)]",
            )
            .await;
        assert_eq!(written, [500, 500, 1]);
        costs.push(cost);
    }
    let (small, large) = (costs[0], costs[1]);
    assert_eq!(small.statements, large.statements);
    assert!(large.wal_bytes <= small.wal_bytes + small.wal_bytes / 10, "{small:?} {large:?}");
    assert!(large.pages <= small.pages + small.pages / 4, "{small:?} {large:?}");
}

#[tokio::test]
async fn the_same_night_again_costs_next_to_nothing() {
    let database = register(10_000, 20).await;
    assert_eq!(recorded(&database.run(NIGHT)), 500);
    let first = database.cost().await;
    assert_eq!(recorded(&database.run(NIGHT)), 0);
    let again = database.cost().await;
    assert_eq!(again.scans, 0, "{again:?}");
    assert!(again.pages <= first.pages / 10, "{first:?} {again:?}");
    assert!(again.wal_bytes <= first.wal_bytes / 20, "{first:?} {again:?}");
}

#[tokio::test]
async fn a_large_run_is_recorded_in_two_lanes_and_loses_nothing() {
    let database = register(24_000, 2).await;
    let lanes =
        "select count(distinct xmin::text) from public.cert_notification_log where notification_type = ";
    // The first run splits by days, a run after another night by ids.
    let first = database.json(["run", "--date", NIGHT, "--approve"])["runs"][0].clone();
    assert_eq!(recorded(&first), 12_000, "{first}");
    // The log was empty when its statistics were taken. A scan for each notice would read what the other lane adds.
    assert_eq!(database.cost().await.scans, 0);
    assert_eq!(database.value::<i64>(&format!("{lanes} 'expiry_warning_7d'")).await, 2);
    let renewed = "update public.peer_mentor_certifications set expires_at = '2026-07-16 12:00+02'
                   where expires_at < '2030-01-01'";
    database.execute(renewed).await;
    let second = database.json(["run", "--date", "2026-06-16", "--approve"])["runs"][0].clone();
    assert_eq!(second["recorded"]["expiry_warning_30d"], 12_000, "{second}");
    assert_eq!(database.value::<i64>(&format!("{lanes} 'expiry_warning_30d'")).await, 2);
    assert_eq!(database.run("2026-06-16")["recorded"]["expiry_warning_30d"], 0);
    let third = database.json(["run", "--date", "2026-07-17", "--approve"])["runs"][0].clone();
    assert_eq!(third["recorded"]["expired"], 12_000, "{third}");
    let expired = "select count(*) from public.peer_mentor_certifications where status = 'expired'";
    assert_eq!(database.value::<i64>(expired).await, 12_000);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_large_run_makes_do_with_one_lane_where_there_are_no_connections() {
    let database = register(24_000, 2).await;
    // One for the run's lock, and one more, although two lanes need two.
    let limit = |connections| {
        format!(
            "do $$ begin execute format('alter database %I connection limit {connections}', current_database()); end $$"
        )
    };
    database.execute(&limit(2)).await;
    let run = database.json(["run", "--date", NIGHT, "--approve"])["runs"][0].clone();
    assert_eq!(recorded(&run), 12_000, "{run}");
    let transactions = "select count(distinct xmin::text) from public.cert_notification_log";
    assert_eq!(database.value::<i64>(transactions).await, 1);
    database.execute(&limit(-1)).await;
    database.ok(["verify"]);
}

/// The number of statements of a kind since the start of counting.
fn calls(of: &str) -> String {
    format!(
        "select sum(calls)::bigint from pg_stat_statements
         where dbid = (select oid from pg_database where datname = current_database()) and query like '%{of}%'
           and userid = 'certvakt_worker'::regrole"
    )
}

#[tokio::test]
async fn a_drain_asks_little_for_each_delivery() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "messages_per_minute = 4000000\n");
    let database = register(10_000, 2).await;
    database.ok(["run", "--date", NIGHT, "--approve"]);
    // The statistics say that nothing is leased.
    database.execute("analyze").await;
    database.start_counting().await;
    assert_eq!(database.work(NOON, &config)["delivered"], 5_000);
    database.hear_all().await;
    let looked_up: i64 = database
        .value("select idx_tup_read from pg_stat_user_indexes where indexrelname = 'deliveries_pkey'")
        .await;
    assert!(
        looked_up <= 5_000 * 5,
        "claimed, ended, referred to (its old row is still there), each by its id: {looked_up}"
    );
    let texts: i64 = database.value(&calls("certvakt.notice_texts where")).await;
    let claims: i64 = database.value(&calls("with claimable as")).await;
    assert!(texts > 0 && texts < claims, "once for each claim that finds something: {texts} of {claims}");
    let cost = database.cost().await;
    assert_eq!(cost.scans, 0, "{cost:?}");
    // Claims of 2,000, each with its setting, batches of outcomes, and a few other statements.
    assert!(cost.statements <= 5_000 / 5, "{cost:?}");
    let beside = cost.statements * 2 + 100;
    assert!(cost.rows <= 5_000 * 2 + beside, "each is claimed once and ends once: {cost:?}");
    assert!(cost.wal_bytes <= 5_000 * 1_200, "{cost:?}");
    assert!(cost.pages <= 5_000 * 100, "{cost:?}");
}

/// Creates certifications in chapters of five hundred each, three of which have a coordinator.
async fn chapters(chapters: u32) -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
        .execute(&format!(
            "create extension pg_stat_statements;
             insert into certvakt.chapters (organisation_id, parent_id, slug, name)
             select organisation_id, id, 'lag-' || n, 'Lag ' || n
             from certvakt.chapters, generate_series(1, {chapters}) n;
             insert into certvakt.people (id, name)
             select md5(n::text)::uuid, 'Mentor ' || n from generate_series(1, {chapters} * 500) n;
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select h.organisation_id, h.id, md5(n::text)::uuid, 'type',
               timestamptz '2026-06-16 12:00+02' + n * interval '1 hour'
             from generate_series(1, {chapters} * 500) n
             join certvakt.chapters h on h.slug = 'lag-' || 1 + n % {chapters};
             insert into certvakt.people (id, name) values (md5('coordinator')::uuid, 'Koordinator Oslo');
             insert into certvakt.identities (issuer, subject, person_id)
             values ('https://issuer.example', 'coordinator', md5('coordinator')::uuid);
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select organisation_id, id, md5('coordinator')::uuid, 'coordinator'
             from certvakt.chapters where slug in ('lag-1', 'lag-2', 'lag-3');
             do $$ begin
               execute format('alter database %I set track_functions = ''all''', current_database());
             end $$"
        ))
        .await;
    // While a snapshot is older than the rows, VACUUM cannot mark them as visible to all, and the planner
    // does not use an index-only scan.
    let is_seen =
        "select relallvisible = relpages from pg_class where relname = 'peer_mentor_certifications'";
    for attempt in 0.. {
        database.execute("vacuum (analyze)").await;
        if database.value::<bool>(is_seen).await {
            break;
        }
        assert!(attempt < 100, "some snapshot never ends");
    }
    database
}

/// Reads as the coordinator, and counts the pages that it takes, and some statistics of the database.
async fn read<T, const N: usize>(
    database: &TestDatabase,
    statistics: &str,
    reading: impl AsyncFnOnce(&mut CallerTx) -> T,
) -> (T, [i64; N]) {
    database.start_counting().await;
    let store = database.store().await;
    let asking = CallerClaims { issuer: "https://issuer.example", subject: "coordinator", session: None };
    let mut tx = store.caller(&asking).await.unwrap();
    let found = reading(&mut tx).await;
    tx.commit().await.unwrap();
    database.hear_all().await;
    let counted: Vec<i64> = database
        .value(&format!(
            "select array[
               (select sum(shared_blks_hit + shared_blks_read)::bigint from pg_stat_statements
                where dbid = (select oid from pg_database where datname = current_database())
                  and userid = 'authenticated'::regrole),
               {statistics}]"
        ))
        .await;
    (found, counted.try_into().unwrap())
}

/// A page of fifty, and one more as the API asks for: what it held last, and that
/// - it read so many pages, and so many entries of the index in which it is found;
/// - it made so many sequential scans of the certifications;
/// - it made so many calls of the function that it called most.
async fn page(database: &TestDatabase, after: Option<After>) -> (After, [i64; 4]) {
    let statistics = "(select idx_tup_read from pg_stat_user_indexes
        where indexrelname = 'peer_mentor_certifications_chapter'),
      (select seq_scan from pg_stat_user_tables where relname = 'peer_mentor_certifications'),
      (select max(calls) from pg_stat_user_functions)";
    let (found, counted) = read(database, statistics, async |tx| {
        caller::certifications(tx, &Filter::default(), after, 51).await.unwrap()
    })
    .await;
    assert_eq!(found.len(), 51);
    assert!(found.iter().all(|one| one.mentor.is_some() && one.chapter.is_some()));
    let last = &found[49];
    (After { expires_at: last.expires_at, id: last.id }, counted)
}

#[tokio::test]
async fn the_cost_of_a_page_depends_only_on_its_rows() {
    let small = chapters(4).await;
    let large = chapters(40).await;
    let mut functions = Vec::new();
    for database in [&small, &large] {
        let mut after = None;
        for number in 0..20 {
            let (last, counted) = page(database, after).await;
            let [pages, entries, scans, calls] = counted;
            let cost = format!("page {number}: {counted:?}");
            assert_eq!(scans, 0, "{cost}");
            assert!(entries <= 3 * 51, "of each chapter a page at most: {cost}");
            assert!(pages <= 51 * 40, "{cost}");
            functions.push(calls);
            after = Some(last);
        }
    }
    // In the policies of the scan and of the result, but not for each row.
    assert!(functions.iter().all(|calls| *calls <= 5), "{functions:?}");
}

/// The cost of the list of those whom somebody will contact later, in the coordinator's three chapters: the pages, the entries
/// of its index, and the scans from end to end.
async fn put_off(database: &TestDatabase) -> [i64; 3] {
    database
        .execute(
            "delete from certvakt.contacts;
             insert into certvakt.contacts (certification_id, chapter_id, expires_at, outcome, next_on)
             select id, chapter_id, expires_at, 'no_answer', '2026-06-16' from public.peer_mentor_certifications",
        )
        .await;
    database.execute("vacuum (analyze)").await;
    let organisation: Uuid = database.value("select id from certvakt.organisations").await;
    let today = [(organisation, "2026-06-15".parse().unwrap())];
    let statistics = "(select idx_tup_read from pg_stat_user_indexes where indexrelname = 'contacts_next'),
      (select sum(seq_scan)::bigint from pg_stat_user_tables
        where relname in ('contacts', 'peer_mentor_certifications'))";
    let (found, counted) =
        read(database, statistics, async |tx| contacts::put_off(tx, &today, None, 101).await.unwrap()).await;
    assert_eq!(found.len(), 101);
    counted
}

#[tokio::test]
async fn those_to_contact_later_cost_no_more_where_there_are_more() {
    let database = chapters(40).await;
    // PostgreSQL sorts a few hundred contacts of a chapter, and reads more in the order of the index.
    for (change, most) in [
        ("select 1", 3 * 500),
        (
            "update public.peer_mentor_certifications c set chapter_id = h.id from certvakt.chapters h
             where h.slug = 'lag-' || 1 + abs(hashtext(c.id::text)) % 3",
            3 * 102,
        ),
    ] {
        database.execute(change).await;
        let [pages, entries, scans] = put_off(&database).await;
        let cost = format!("{change}: {pages} pages, {entries} entries, {scans} scans");
        assert_eq!(scans, 0, "{cost}");
        assert!(entries <= most, "{cost}");
        assert!(pages <= most * 15, "{cost}");
    }
}

/// The cost of a search: pages, and rows of certifications and people.
async fn searched(database: &TestDatabase, text: &str, expected: usize) -> [i64; 2] {
    let filter = Filter { text: Some(text.to_owned()), ..Filter::default() };
    let statistics = "(select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_user_tables
        where relname in ('peer_mentor_certifications', 'people'))";
    let (found, counted) =
        read(database, statistics, async |tx| caller::certifications(tx, &filter, None, 51).await.unwrap())
            .await;
    assert_eq!(found.len(), expected, "{text}");
    counted
}

#[tokio::test]
async fn a_search_costs_no_more_where_others_have_more() {
    let small = chapters(4).await;
    let large = chapters(40).await;
    // A name of many, a name of one, and a name of nobody, among the 1,500 people whom the coordinator sees.
    let small_has = [("Mentor", 51), ("mentor 1000", 1), ("nobody", 0)];
    let large_has = [("Mentor", 51), ("mentor 10000", 1), ("nobody", 0)];
    for (in_small, in_large) in small_has.into_iter().zip(large_has) {
        let small_read = searched(&small, in_small.0, in_small.1).await;
        let large_read = searched(&large, in_large.0, in_large.1).await;
        let [pages, rows] = large_read;
        let cost = format!("{}: {small_read:?}, beside ten times as many {large_read:?}", in_large.0);
        assert!(rows <= 5_000 && pages <= 10_000, "{cost}");
        assert!(rows <= 2 * small_read[1] + 1_000, "{cost}");
    }
}
