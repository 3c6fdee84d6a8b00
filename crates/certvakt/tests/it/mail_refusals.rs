//! The effects of a mail server's refusals on addresses, on an organisation's messages and on the channel.

use crate::harness::{NOON, TestDatabase, fail};
use crate::stand_in::MailServer;

/// Adds mentors of an organisation with a due notice, each with an address with the given prefix.
async fn due(database: &TestDatabase, slug: &str, mentors: &[(u32, &str)]) {
    database.add_organisation(slug, "Europe/Oslo");
    for (number, beginning) in mentors {
        database
            .execute(&format!(
                "with person as (
                   insert into certvakt.people (name) select 'Mentor' from generate_series(1, {number}) returning id),
                 address as (
                   insert into certvakt.contact_points (person_id, kind, address)
                   select id, 'email', '{beginning}-' || replace(id::text, '-', '') || '@example.org' from person)
                 insert into public.peer_mentor_certifications
                   (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
                 select h.organisation_id, h.id, person.id, 'type', person.id::text, '2026-06-20 12:00+02'
                 from person, certvakt.chapters h join certvakt.organisations o on o.id = h.organisation_id
                 where o.slug = '{slug}'"
            ))
            .await;
    }
    database.ok(["run", "--organisation", slug, "--date", "2026-06-15", "--approve"]);
}

/// The states of an organisation's deliveries, as `state number`, and whether any address was refused.
async fn stand(database: &TestDatabase, slug: &str) -> String {
    database
        .value(&format!(
            "select string_agg(state || ' ' || number, ', ' order by state) from (
               select d.state || case when cardinality(d.refused) > 0 then ' (refused)' else '' end as state,
                 count(*) as number
               from certvakt.deliveries d join certvakt.organisations o on o.id = d.organisation_id
               where o.slug = '{slug}' group by 1) stands"
        ))
        .await
}

async fn time_passes(database: &TestDatabase) {
    database
        .execute("update certvakt.deliveries set available_at = now() where available_at is not null")
        .await;
}

/// Delivers what is due; the channel must be stopped afterwards.
fn work_and_stop(database: &TestDatabase, server: &MailServer) -> String {
    let config = server.config("");
    let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    let said = fail(command.env("CERTVAKT_NOW", NOON), 7);
    assert!(said.contains("channel-stopped"), "{said}");
    said
}

/// The output and the exit status of `status`.
fn status(database: &TestDatabase) -> (String, Option<i32>) {
    let output = database.certvakt(["status"]).env("CERTVAKT_NOW", NOON).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[tokio::test]
async fn a_refusal_of_the_sender_stops_the_channel_until_it_ends() {
    for (phase, reply) in [
        ("connect", "554 5.7.1 client host blocked"),
        ("ehlo", "550 5.7.1 not you"),
        ("mail", "553 5.7.1 <varsel@example.org>: sender address rejected"),
        ("mail", "550 5.1.1 no such sender"),
        ("mail", "552 sender over quota"),
        ("rcpt", "530 5.7.1 client was not authenticated"),
        ("end", "550 5.1.8 sender address rejected"),
    ] {
        let case = format!("{phase}: {reply}");
        let server = MailServer::start(None);
        let database = TestDatabase::rehearsal().await;
        due(&database, "org", &[(40, "ok")]).await;
        server.answer(phase, reply);
        for _ in 0..2 {
            let said = work_and_stop(&database, &server);
            assert!(said.contains(&reply[..3]) && !said.contains('@'), "{case}: {said}");
            assert_eq!(stand(&database, "org").await, "pending 40", "{case}");
            let (said, code) = status(&database);
            assert!(said.contains("STOPPED: channel email since"), "{case}: {said}");
            assert_eq!(code, Some(1), "{case}");
            time_passes(&database).await;
        }
        let probes: i64 = database
            .value("select count(*) from certvakt.delivery_attempts group by finished_at order by finished_at desc limit 1")
            .await;
        assert_eq!(probes, 1, "{case}: one message probes a channel that has stopped");
        server.recover();
        assert_eq!(database.work(NOON, &server.config(""))["delivered"], 40, "{case}");
        assert_eq!(status(&database).1, Some(0), "{case}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_message_counts_against_no_address_and_stops_the_organisation_alone() {
    for (phase, reply) in [
        ("rcpt", "554 5.7.1 relay access denied"),
        ("rcpt", "550 5.7.1 client host blocked using a list"),
        ("rcpt", "550 relay not permitted"),
        ("rcpt", "552 5.3.4 too large"),
        ("data", "550 no"),
        ("end", "552 5.3.4 message size exceeds fixed limit"),
        ("end", "554 5.7.0 reject, spam"),
    ] {
        let case = format!("{phase}: {reply}");
        let server = MailServer::start(None);
        let database = TestDatabase::rehearsal().await;
        due(&database, "org", &[(3, "ok")]).await;
        server.answer(phase, reply);
        work_and_stop(&database, &server);
        assert_eq!(stand(&database, "org").await, "pending 3", "{case}");
        let (said, code) = status(&database);
        assert!(said.contains("STOPPED: channel email for org since"), "{case}: {said}");
        assert_eq!(code, Some(1), "{case}");
        // Another organisation's messages are still sent.
        server.recover();
        due(&database, "other", &[(2, "ok")]).await;
        assert_eq!(database.work(NOON, &server.config(""))["delivered"], 2, "{case}");
        assert!(status(&database).0.contains("email for org since"), "{case}");
        time_passes(&database).await;
        assert_eq!(database.work(NOON, &server.config(""))["delivered"], 3, "{case}");
        assert_eq!(status(&database).1, Some(0), "{case}");
    }
}

#[tokio::test]
async fn what_is_for_now_waits_and_what_the_mailbox_says_counts() {
    for (phase, reply, stands) in [
        ("connect", "421 4.3.2 shutting down", "pending 1"),
        ("mail", "451 4.7.1 greylisted", "pending 1"),
        ("rcpt", "421 4.7.0 too many connections", "pending 1"),
        ("rcpt", "450 4.2.1 not so fast", "pending 1"),
        ("rcpt", "552 5.2.2 mailbox full", "pending 1"),
        ("end", "452 4.2.2 mailbox full", "pending 1"),
        ("rcpt", "550 5.1.1 user unknown", "unreachable (refused) 1"),
        ("rcpt", "550 no such user", "unreachable (refused) 1"),
        ("rcpt", "556 5.1.10 the domain takes no mail", "unreachable (refused) 1"),
        ("end", "550 5.1.1 user unknown", "unreachable (refused) 1"),
    ] {
        let case = format!("{phase}: {reply}");
        let server = MailServer::start(None);
        let database = TestDatabase::rehearsal().await;
        due(&database, "org", &[(1, "ok")]).await;
        server.answer(phase, reply);
        database.work(NOON, &server.config(""));
        assert_eq!(stand(&database, "org").await, stands, "{case}");
        assert_eq!(status(&database).1, Some(0), "{case}");
    }
}

#[tokio::test]
async fn many_refused_addresses_stop_their_organisation_and_count_against_nobody() {
    let server = MailServer::start(None);
    let database = TestDatabase::rehearsal().await;
    due(&database, "wave", &[(20, "unknown"), (46, "ok")]).await;
    due(&database, "share", &[(20, "unknown"), (47, "ok")]).await;
    due(&database, "few", &[(19, "unknown")]).await;
    let said = work_and_stop(&database, &server);
    assert!(said.contains("20 of 66 addresses refused their mail"), "{said}");
    assert_eq!(stand(&database, "wave").await, "delivered 46, pending 20");
    assert_eq!(stand(&database, "share").await, "delivered 47, unreachable (refused) 20");
    assert_eq!(stand(&database, "few").await, "unreachable (refused) 19");
    let (said, code) = status(&database);
    assert!(said.contains("STOPPED: channel email for wave since"), "{said}");
    assert_eq!((said.matches("STOPPED").count(), code), (1, Some(1)));

    // Nothing has changed: one message probes it, and does not count against its address.
    time_passes(&database).await;
    work_and_stop(&database, &server);
    assert_eq!(stand(&database, "wave").await, "delivered 46, pending 20");
    let attempts: i64 = database.value("select count(*) from certvakt.delivery_attempts").await;
    assert_eq!(attempts, 66 + 67 + 19 + 1);

    database.execute("update certvakt.contact_points set address = replace(address, 'unknown', 'ok') where person_id in (select recipient_id from public.cert_notification_log l join certvakt.deliveries d on d.id = l.id where d.state = 'pending')").await;
    time_passes(&database).await;
    assert_eq!(database.work(NOON, &server.config(""))["delivered"], 20);
    assert_eq!(status(&database).1, Some(0));
}

#[tokio::test]
async fn a_pass_that_dies_counts_no_refusal() {
    let server = MailServer::start(None);
    let database = TestDatabase::rehearsal().await;
    due(&database, "org", &[(1, "unknown")]).await;
    let config = server.config("");
    let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    command.env("CERTVAKT_NOW", NOON);
    // Stops before the end of a pass.
    database
        .execute(
            "create function stop() returns trigger language plpgsql as $$ begin
               perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
             create trigger stop before update of refused on certvakt.deliveries for each row
             when (old.state = 'pending' and new.state = 'unreachable') execute function stop()",
        )
        .await;
    assert!(!command.output().unwrap().status.success());
    assert_eq!(stand(&database, "org").await, "pending 1");
    database.execute("drop trigger stop on certvakt.deliveries").await;
    time_passes(&database).await;
    assert_eq!(database.work(NOON, &config)["unreachable"], 1);
}

#[tokio::test]
async fn nothing_is_sent_unencrypted_but_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::rehearsal().await;
    for (section, said) in [
        ("[email]\nserver = \"smtp://mail.example.org\"\nfrom = \"a@example.org\"", "email.server"),
        ("[email]\nserver = \"smtp://192.0.2.1:25\"\nfrom = \"a@example.org\"", "email.server"),
        ("[email]\nserver = \"smtp://localhost.example.org\"\nfrom = \"a@example.org\"", "email.server"),
        (
            "[email]\nserver = \"smtp://mail.example.org?tls=opportunistic\"\nfrom = \"a@example.org\"",
            "email.server",
        ),
        ("[email]\nserver = \"smtp://mail.example.org?tls=none\"\nfrom = \"a@example.org\"", "email.server"),
        ("[email]\nserver = \"smtp://u:s3cret@localhost\"\nfrom = \"a@example.org\"", "email.password_file"),
        ("[heartbeat]\nurl = \"http://hc.example.org/s3cret\"", "heartbeat.url"),
        ("[fcm]\nendpoint = \"http://fcm.example.org\"\nservice_account_file = \"KEY\"", "fcm.endpoint"),
    ] {
        let stand_in = crate::stand_in::StandIn::start();
        let key = stand_in.service_account().display().to_string();
        let text = format!("[serve]\nlisten = \"127.0.0.1:0\"\n{}", section.replace("KEY", &key));
        let config = crate::stand_in::write_config(folder.path(), &text);
        let config = config.to_str().unwrap();
        for command in [&["work", "--drain"][..], &["serve"], &["doctor"]] {
            let arguments = command.iter().copied().chain(["--config", config]);
            let output = database.certvakt(arguments).env("CERTVAKT_NOW", NOON).output().unwrap();
            assert!(!output.status.success(), "{section} {command:?}");
            let all = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            // A table can wrap lines within a word.
            let all: String = all.split_whitespace().collect();
            assert!(all.contains(said) && !all.contains("s3cret"), "{section} {command:?}: {all}");
        }
    }
}
