//! The number of statements that a digest takes.

use certvakt_base::clock::Clock;
use certvakt_engine::config::Config;
use certvakt_engine::mail_queue;
use tokio::sync::watch;

use super::{WORLD, addresses, id};
use crate::harness::{NOON, TestDatabase};
use crate::pages::{partner, report};
use crate::stand_in::MailServer;

/// Each statement of the service since the last reset, after the number of its calls. It leaves out the start and end of
/// transactions, the settings of a session, which a pooler repeats, the polls of the mail queue that found nothing, and the
/// three other statements of the sweep that queues digests.
const STATEMENTS: &str = r"
    select array_agg(one.calls || ' ' || one.query) from (
      select s.query, case when s.query ~ 'skip locked' then least(s.calls, s.rows) else s.calls end as calls
      from pg_stat_statements s
      where s.dbid = (select oid from pg_database where datname = current_database()) and s.userid <> 'postgres'::regrole
        and s.query !~* '^(begin|commit|rollback|set|select set_config)\M'
        and s.query !~ 'update certvakt.long_histories|insert into certvakt.partner_alerts|delete from certvakt.sessions'
    ) one";

#[tokio::test]
async fn a_digest_takes_few_statements() {
    let database = TestDatabase::rehearsal().await;
    // One coordinator, whom 3,000 mentors, a stopped partner and its reports need; the run of the day is complete.
    let reports: String = (0..20).map(|number| report(&format!("E-{number}"), "a2", "other-date")).collect();
    database
        .execute(&format!(
            "{WORLD} {} {}; {reports}
             update certvakt.partners set stopped_at = now(), stopped_by = 'contract', stopped_reason = 'x';
             insert into certvakt.runs (organisation_id, run_date, state) select id, '2026-06-15', 'complete' from certvakt.organisations;
             insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-0000005' || to_char(n, 'FM00000'))::uuid, 'Extra ' || n from generate_series(1, 3000) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
               select '{}', '{}', ('00000000-0000-4000-8000-0000005' || to_char(n, 'FM00000'))::uuid, 'type', '2026-06-14T20:00:00Z' from generate_series(1, 3000) n;
             create extension pg_stat_statements",
            addresses(&["1"]), partner(), id("a0"), id("a2")
        ))
        .await;
    let mail = MailServer::start(None);
    let config: Config = toml::from_str(&format!(
        "[email]\nserver = \"smtp://127.0.0.1:{}\"\nfrom = \"Varsel <varsel@example.org>\"\n\
         [sign_in]\npublic_url = \"https://certvakt.example\"\nlinks = true\n",
        mail.port
    ))
    .unwrap();
    let (_, worker) = mail_queue::set_up(&config).unwrap().unwrap();
    let clock = Clock::moved_to(NOON.parse().unwrap());
    let store = database.store().await.at(clock);
    database
        .execute("select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)")
        .await;
    let (end, ending) = watch::channel(false);
    let until_mailed = async {
        database.until("select exists (select from certvakt.digests where mailed_at is not null)").await;
        end.send(true).unwrap();
    };
    // The worker alone does what `serve` does for digests.
    tokio::join!(worker.run(&store, &clock, ending), until_mailed);
    assert_eq!(mail.mails().len(), 1);
    // The organisations, twice, and their runs; who gets one; the due e-mails, and their ids; the content; that it was sent, and
    // that the mail server accepts messages.
    let statements: Vec<String> = database.value(STATEMENTS).await;
    let calls = statements.iter().map(|one| one.split_once(' ').unwrap().0.parse::<i64>().unwrap());
    let number: i64 = calls.sum();
    assert!((9..=10).contains(&number), "{number}: {statements:#?}");
}
