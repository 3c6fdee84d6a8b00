//! Eligibility for a listing: a state that follows from consent and certifications, whose every transition is
//! an event.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::Executor;

use super::{HOW, NOON, WHICH, place};
use crate::harness::{TestDatabase, fail, superuser};

#[tokio::test]
async fn each_change_of_consent_or_certification_that_matters_is_one_event() {
    let database = place().await;
    database.certify("a", "2026-12-31").await;
    database.partner("enrol", ["a", "--key", "M-a"]);
    assert_eq!(database.events("a").await, Vec::<String>::new(), "without consent nobody is listed");
    for (command, arguments, event) in [
        ("partner consent", "a --given", Some("listed consent-given")),
        ("partner consent", "a --given", None),
        // A later date causes no event.
        ("renew", "a --until 2027-12-31", None),
        ("correct", "a --until 2027-06-30", None),
        ("suspend", "a", Some("delisted suspended")),
        ("reinstate", "a", Some("listed reinstated")),
        ("correct", "a --until 2026-06-14", Some("delisted corrected")),
        ("partner consent", "a --withdrawn", None),
        // No renewal restores withdrawn consent.
        ("renew", "a --until 2027-12-31", None),
        ("partner consent", "a --given", Some("listed consent-given")),
        ("partner consent", "a --withdrawn", Some("delisted consent-withdrawn")),
        ("partner consent", "a --given", Some("listed consent-given")),
        ("withdraw", "a", Some("delisted suspended")),
    ] {
        let before = database.events("a").await;
        let words = command
            .split(' ')
            .chain(if command.starts_with("partner") { &WHICH[..] } else { &[] }.iter().copied());
        let how = if arguments.ends_with("--given") { &HOW[..] } else { &[] };
        database.at(NOON, words.chain(arguments.split(' ')).chain(how.iter().copied()));
        let after = database.events("a").await;
        assert_eq!(&after[..before.len()], before, "{command} {arguments}");
        assert_eq!(after[before.len()..].first().map(String::as_str), event, "{command} {arguments}");
        assert!(after.len() <= before.len() + 1, "{command} {arguments}: {after:?}");
    }
}

#[tokio::test]
async fn a_lapsed_mentor_is_delisted_by_the_date_alone() {
    let database = place().await;
    for (id, day) in [("today", "2026-06-15"), ("tomorrow", "2026-06-16"), ("never", "9000-01-01")] {
        database.listed(id, day).await;
    }
    database.change("never", "expires_at = null").await;
    // The last valid day ends at midnight in Oslo.
    for (now, off) in [
        ("2026-06-15T21:59:00Z", &[][..]),
        ("2026-06-15T22:00:00Z", &["today"]),
        ("2026-06-16T21:59:59Z", &["today"]),
        ("2126-06-16T22:00:00Z", &["today", "tomorrow"]),
    ] {
        database.at(now, ["partner", "sync"]);
        for id in ["today", "tomorrow", "never"] {
            let expected: &[&str] = if off.contains(&id) {
                &["listed consent-given", "delisted lapsed"]
            } else {
                &["listed consent-given"]
            };
            assert_eq!(database.events(id).await, expected, "{id} at {now}");
        }
    }
}

#[tokio::test]
async fn a_run_that_is_held_or_late_changes_nothing_about_it() {
    let database = place().await;
    database.ok(["organisation", "set", "org", "--limit-floor", "0", "--limit-percent", "0"]);
    database.listed("a", "2026-06-14").await;
    assert_eq!(database.events("a").await, Vec::<String>::new(), "they had lapsed before");
    database.listed("b", "2026-06-15").await;
    // Held: it records nobody as expired.
    fail(&mut database.certvakt(["run", "--date", "2026-06-16"]), 3);
    database.at("2026-06-16T12:00:00+02:00", ["partner", "sync"]);
    assert_eq!(database.events("b").await, ["listed consent-given", "delisted lapsed"]);
    let status: String =
        database.value("select status from public.peer_mentor_certifications where external_id = 'b'").await;
    assert_eq!(status, "active", "the run has not said so yet");
}

#[tokio::test]
async fn one_certification_of_those_required_is_enough() {
    let database = place().await;
    database.ok(["type", "add", "other", "--organisation", "org"]);
    database.ok(["type", "add", "third", "--organisation", "org"]);
    database.listed("a", "2026-12-31").await;
    let another = |kind: &str| {
        format!(
            "insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id)
             select organisation_id, chapter_id, peer_mentor_id, '{kind}', 'a-{kind}'
             from public.peer_mentor_certifications where external_id = 'a'"
        )
    };
    database.execute(&another("other")).await;
    database.change("a", "status = 'suspended'").await;
    assert_eq!(
        database.events("a").await.last().unwrap(),
        "delisted suspended",
        "the other type is not required"
    );
    let require =
        "insert into certvakt.partner_types select organisation_id, 'portal', 'other' from certvakt.chapters";
    database.execute(require).await;
    assert_eq!(database.events("a").await.last().unwrap(), "listed required-types");
    database.change("a-other", "certification_type = 'third'").await;
    assert_eq!(database.events("a").await.last().unwrap(), "delisted corrected");
    database.change("a-other", "certification_type = 'other'").await;
    assert_eq!(database.events("a").await.last().unwrap(), "listed corrected");
    database.execute("delete from public.peer_mentor_certifications where external_id = 'a-other'").await;
    assert_eq!(database.events("a").await.last().unwrap(), "delisted deleted");
}

#[tokio::test]
async fn a_deleted_or_erased_mentor_is_delisted_first() {
    let database = place().await;
    for id in ["deleted", "erased"] {
        database.listed(id, "2026-12-31").await;
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger").display().to_string();
    database.at(NOON, ["person", "erase", "erased", "--ledger", &ledger]);
    database
        .execute(
            "delete from certvakt.people where id in (
               select peer_mentor_id from public.peer_mentor_certifications where external_id = 'deleted')",
        )
        .await;
    for id in ["deleted", "erased"] {
        assert_eq!(database.events(id).await, ["listed consent-given".to_owned(), format!("delisted {id}")]);
    }
    let left: i64 =
        database.value("select count(*) from certvakt.listings where person_id is not null").await;
    assert_eq!(left, 0);
}

#[tokio::test]
async fn two_concurrent_changes_of_two_certifications_delist_their_mentor() {
    let database = place().await;
    database.listed("a", "2026-12-31").await;
    database
        .execute(
            "insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id)
             select organisation_id, chapter_id, peer_mentor_id, 'type', 'b'
             from public.peer_mentor_certifications where external_id = 'a'",
        )
        .await;
    // Each transaction sees the other's certification as still valid.
    let mut first = superuser(&database.name).await;
    first
        .execute("begin; update public.peer_mentor_certifications set status = 'suspended' where external_id = 'a'")
        .await
        .unwrap();
    let second = database.blocked(&mut database.certvakt(["suspend", "b"])).await;
    first.execute("commit").await.unwrap();
    second.resume().await;
    assert_eq!(database.events("a").await, ["listed consent-given", "delisted suspended"]);
}

#[tokio::test]
async fn a_suspension_from_a_snapshot_before_the_enrolment_fails() {
    let database = place().await;
    database.certify("a", "2026-12-31").await;
    let mut app = superuser(&database.name).await;
    app.execute("begin isolation level repeatable read; select from certvakt.organisations").await.unwrap();
    database.partner("enrol", ["a", "--key", "M-a", "--consents"].into_iter().chain(HOW));
    let suspend = "update public.peer_mentor_certifications set status = 'suspended' where external_id = 'a'";
    let refused = app.execute(suspend).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "40001");
    app.execute("rollback; begin isolation level repeatable read").await.unwrap();
    app.execute(suspend).await.unwrap();
    app.execute("commit").await.unwrap();
    assert_eq!(database.events("a").await.len(), 2);
}

#[tokio::test]
async fn a_suspension_at_the_moment_of_enrolling_is_seen() {
    let database = place().await;
    database.certify("a", "2026-12-31").await;
    let mut first = superuser(&database.name).await;
    first
        .execute("begin; update public.peer_mentor_certifications set status = 'suspended' where external_id = 'a'")
        .await
        .unwrap();
    let arguments =
        ["partner", "enrol", "portal", "--organisation", "org", "a", "--key", "M-a", "--consents"];
    let arguments = arguments.into_iter().chain(HOW);
    let enrolling = database.blocked(&mut database.certvakt(arguments)).await;
    first.execute("commit").await.unwrap();
    enrolling.resume().await;
    assert_eq!(database.events("a").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_of_mentors_is_enrolled_row_by_row() {
    let database = place().await;
    for id in ["1", "2", "3"] {
        database.certify(id, "2026-12-31").await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mentors.csv");
    std::fs::write(
        &path,
        "mentor;key;consents\n1;M-1;ja\n2;M-2;nei\n3;M-1;ja\n4;M-4;ja\n2;M-2;\n3;;ja\n3;M-3;kanskje\n1;M-1;nei\n",
    )
    .unwrap();
    let command = ["partner", "enrol", "portal", "--organisation", "org", "--file", path.to_str().unwrap()];
    // Without how the consents were given, the rows that consent are refused.
    let short = folder.path().join("short.csv");
    std::fs::write(&short, "mentor;key;consents\n1;M-1;ja\n2;M-2;nei\n").unwrap();
    let unexplained = [&command[..6], &[short.to_str().unwrap(), "--output", "json"]].concat();
    let unexplained = database.certvakt(unexplained).output().unwrap();
    assert_eq!(unexplained.status.code(), Some(1), "{unexplained:?}");
    let unexplained: serde_json::Value = serde_json::from_slice(&unexplained.stdout).unwrap();
    assert_eq!((&unexplained["enrolled"], &unexplained["refused"][0][0]), (&1.into(), &2.into()));
    assert!(unexplained["refused"][0][1].as_str().unwrap().contains("--given-as"), "{unexplained}");
    let command = command.into_iter().chain(HOW).chain(["--output", "json"]).collect::<Vec<_>>();
    let output = database.certvakt(command.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let done: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&done["enrolled"], &done["before"]), (&1.into(), &2.into()), "{done}");
    let refused: Vec<&str> =
        done["refused"].as_array().unwrap().iter().map(|one| one[1].as_str().unwrap()).collect();
    for (found, expected) in refused.iter().zip([
        "belongs to another mentor",
        "unknown person",
        "the key is missing",
        "write yes or no",
        "with a different consent",
    ]) {
        assert!(found.contains(expected), "{found}");
    }
    assert_eq!(refused.len(), 5);
    assert_eq!(database.events("1").await, ["listed consent-given"]);
    assert_eq!(database.events("2").await, Vec::<String>::new());
    // The file can be read again: it records no consent twice.
    database.certvakt(command).output().unwrap();
    let record: Vec<String> = database
        .value(
            "select array_agg(concat_ws(' ', is_given, given_as, given_on, text_version, locale)) from certvakt.listing_consents",
        )
        .await;
    assert_eq!(record, ["t paper 2026-06-01 2026-11 nb"]);
}

#[tokio::test]
async fn an_operator_says_how_a_consent_was_given_and_the_mentor_is_told() {
    let database = place().await;
    database.certify("a", "2026-12-31").await;
    database.reachable("a", "email", "a@example.org").await;
    database.partner("enrol", ["a", "--key", "M-a"]);
    let given = ["partner", "consent", "portal", "--organisation", "org", "a", "--given"];
    for (more, code) in [
        (&[][..], "consent-unexplained"),
        (&HOW[..6], "consent-unexplained"),
        (
            &["--given-as", "phone", "--given-on", "2999-01-01", "--text-version", "1", "--language", "en"],
            "on a day in the future",
        ),
    ] {
        let refused = fail(&mut database.certvakt(given.into_iter().chain(more.iter().copied())), 2);
        assert!(refused.contains(code), "{refused}");
    }
    let mails = "select coalesce(string_agg(q.kind || ' ' || q.address, ', ' order by q.consent_id), '') from certvakt.mail_queue q";
    assert_eq!(database.value::<String>(mails).await, "");
    database.partner("consent", ["a", "--given"].into_iter().chain(HOW));
    database.partner("consent", ["a", "--withdrawn"]);
    database.partner("consent", ["a", "--withdrawn"]);
    assert_eq!(
        database.value::<String>(mails).await,
        "consent-given a@example.org, consent-withdrawn a@example.org"
    );
    let record: Vec<String> = database
        .value(
            "select array_agg(concat_ws(' ', is_given, operator is not null, given_as, given_on, text_version, locale) order by id)
             from certvakt.listing_consents",
        )
        .await;
    assert_eq!(record, ["t t paper 2026-06-01 2026-11 nb", "f t"]);
}

/// A change for a mentor with two certifications, `a` and `b`.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Consent(bool),
    Suspend(bool, bool),
    Expire(bool, Option<i32>),
    Days(i32),
    Exclude,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        any::<bool>().prop_map(Happening::Consent),
        (any::<bool>(), any::<bool>()).prop_map(|(which, on)| Happening::Suspend(which, on)),
        (any::<bool>(), prop::option::weighted(0.8, -3..4))
            .prop_map(|(which, days)| Happening::Expire(which, days)),
        (1..3).prop_map(Happening::Days),
        Just(Happening::Exclude),
    ]
}

/// The property: after any changes and a check of the date, the state matches its definition, and the events
/// are its transitions, with consecutive numbers.
async fn holds(database: &TestDatabase, happenings: &[Happening]) {
    let mut day = 0;
    let (mut consents, mut excluded) = (true, false);
    let mut certifications = [(false, Some(10)); 2];
    let mut expected = vec![true];
    for happening in happenings {
        let name = |which: bool| if which { "a" } else { "b" };
        let at = |more: i32| format!("timestamptz '2026-06-15 12:00:00+02' + interval '{more} days'");
        let sql = match *happening {
            Happening::Consent(is_given) => {
                excluded &= !is_given;
                consents = is_given;
                format!(
                    "update certvakt.listings set listing_consent_at = {}",
                    if is_given { "now()" } else { "null" }
                )
            }
            Happening::Suspend(which, is_suspended) => {
                certifications[usize::from(which)].0 = is_suspended;
                let status = if is_suspended { "suspended" } else { "active" };
                format!(
                    "update public.peer_mentor_certifications set status = '{status}' where external_id = '{}'",
                    name(which)
                )
            }
            Happening::Expire(which, days) => {
                certifications[usize::from(which)].1 = days.map(|days| day + days);
                let expires = days.map_or("null".to_owned(), |days| at(day + days));
                format!(
                    "update public.peer_mentor_certifications set expires_at = {expires} where external_id = '{}'",
                    name(which)
                )
            }
            Happening::Days(more) => {
                day += more;
                "select".to_owned()
            }
            Happening::Exclude => {
                excluded = true;
                "update certvakt.listings set excluded_at = now()".to_owned()
            }
        };
        let now = format!("select set_config('certvakt.now', ({})::text, true)", at(day));
        database
            .execute(&format!(
                "begin; {now}; {sql}; commit; begin; {now}; select certvakt.delist_lapsed(10); commit"
            ))
            .await;
        let is_certified = certifications
            .iter()
            .any(|(is_suspended, until)| !is_suspended && until.is_none_or(|until| until >= day));
        let fact = consents && !excluded && is_certified;
        if *expected.last().unwrap() != fact {
            expected.push(fact);
        }
        let events: Vec<String> = database
            .value("select coalesce(array_agg(number || ' ' || status order by number), '{}') from certvakt.partner_events")
            .await;
        let expected: Vec<String> = (1..)
            .zip(&expected)
            .map(|(number, fact)| format!("{number} {}", if *fact { "listed" } else { "delisted" }))
            .collect();
        assert_eq!(events, expected, "after {happening:?} of {happenings:?}");
    }
}

#[tokio::test]
async fn the_events_are_always_the_transitions_of_the_state() {
    const SEED: [u8; 32] = *b"who is to be listed at a partner";
    println!("seed {SEED:?}");
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    let strategy = prop::collection::vec(happening(), 12);
    for _ in 0..20 {
        let happenings = strategy.new_tree(&mut runner).unwrap().current();
        let database = place().await;
        database.certify("a", "2026-06-25").await;
        database
            .execute(
                "insert into public.peer_mentor_certifications
                   (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
                 select organisation_id, chapter_id, peer_mentor_id, 'type', 'b', '2026-06-25 12:00+02'
                 from public.peer_mentor_certifications where external_id = 'a'",
            )
            .await;
        database.partner("enrol", ["a", "--key", "M-a", "--consents"].into_iter().chain(HOW));
        holds(&database, &happenings).await;
    }
}
