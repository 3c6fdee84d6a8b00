//! The effect of each change, the refused changes, and the consistency after any order of changes.

use std::collections::BTreeSet;
use std::fs;

use certvakt_engine::renewal::{Change, ChangeRequest, RenewalError, Source, Until, apply};
use certvakt_rules::Stages;
use certvakt_rules::renewal::{Kind, Reading, read};
use certvakt_store::Database;
use chrono::{DateTime, Duration, Months, NaiveDate, Utc};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{day, noon, rehearsal};

#[tokio::test]
async fn each_change_takes_effect_and_is_in_the_history() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    for (arguments, standing) in [
        (&["renew", "1", "--completed", "2026-06-01", "--evidence", "kurs 14"][..], "active 2028-06-01"),
        (&["correct", "1", "--until", "2028-05-31", "--note", "Bodø, ikke Tromsø"], "active 2028-05-31"),
        (&["suspend", "1"], "suspended 2028-05-31"),
        (&["renew", "1", "--until", "2029-12-31"], "suspended 2029-12-31"),
        (&["reinstate", "1"], "active 2029-12-31"),
        (&["withdraw", "1", "--note", "frivillig"], "suspended 2029-12-31"),
        (&["reinstate", "1"], "active 2029-12-31"),
        (&["correct", "1", "--until", "never"], "active"),
    ] {
        let done = database.noon(arguments);
        assert_eq!(done["is_changed"], true, "{arguments:?}: {done}");
        assert_eq!(database.standing("1").await, standing, "{arguments:?}");
    }
    assert_eq!(
        database.history("1").await,
        "renewed 2028-06-01, corrected 2028-05-31, suspended 2028-05-31, renewed 2029-12-31, \
         reinstated 2029-12-31, withdrawn 2029-12-31, reinstated 2029-12-31, corrected"
    );
    let checked = database.json(["verify", "--history"]);
    assert_eq!(checked["faults"], json!([]), "{checked}");
    assert_eq!((&checked["histories"], &checked["entries"]), (&json!(1), &json!(8)));
}

#[tokio::test]
async fn a_renewal_counts_from_the_old_day_unless_it_had_passed() {
    let database = rehearsal().await;
    database.execute("update certvakt.certification_types set renewal_rule = 'expiry-unless-lapsed'").await;
    for (id, last_valid_day, until) in [
        ("early", "2026-07-31", "2028-07-31"),
        ("on the day", "2026-06-01", "2028-06-01"),
        ("late", "2026-05-20", "2028-06-01"),
    ] {
        database.certify(id, last_valid_day).await;
        database.noon(&["renew", id, "--completed", "2026-06-01"]);
        assert_eq!(database.standing(id).await, format!("active {until}"), "{id}");
    }
}

#[tokio::test]
async fn redundant_changes_do_nothing_and_impossible_ones_are_refused() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    database.change("1", "issued_at = '2024-07-31T12:00:00Z'").await;
    database.execute("insert into certvakt.certification_types (organisation_id, code, name) select id, 'open', 'Uten' from certvakt.organisations").await;
    database.certify("lapsed", "2026-06-01").await;
    database.run("2026-06-15");
    database.certify("open", "2026-07-31").await;
    database.change("open", "certification_type = 'open'").await;
    database.certify("gone", "2026-07-31").await;
    database.noon(&["withdraw", "gone"]);
    for arguments in
        [&["reinstate", "1"][..], &["correct", "1", "--until", "2026-07-31"], &["withdraw", "gone"]]
    {
        assert_eq!(database.noon(arguments)["is_changed"], false, "{arguments:?}");
    }
    let long = "x".repeat(501);
    for (arguments, code) in [
        (&["renew", "1", "--until", "2024-07-30"][..], "renewal-date"),
        (&["renew", "1", "--until", "2026-06-14"], "renewal-date"),
        (&["renew", "1", "--until", "2226-06-14"], "renewal-date"),
        (&["renew", "1", "--until", "2026-07-31"], "renewal-date"),
        (&["renew", "1", "--completed", "2026-06-16"], "renewal-date"),
        (&["renew", "1", "--completed", "2024-06-01"], "renewal-date"),
        (&["correct", "1", "--until", "2024-07-30"], "renewal-date"),
        (&["renew", "1", "--evidence", &long], "remarks-invalid"),
        (&["renew", "1", "--evidence", ""], "remarks-invalid"),
        (&["renew", "open"], "renewal-date-missing"),
        (&["suspend", "lapsed"], "certification-lapsed"),
        (&["renew", "gone"], "certification-withdrawn"),
        (&["suspend", "gone"], "certification-withdrawn"),
        (&["correct", "gone", "--until", "2027-01-01"], "certification-withdrawn"),
        (&["renew", "nobody"], "unknown-name"),
    ] {
        assert_eq!(database.refused(arguments), code, "{arguments:?}");
    }
    assert_eq!(database.history("1").await, "");
    // A lapsed certification that is renewed is valid immediately.
    assert_eq!(database.standing("lapsed").await, "expired 2026-06-01");
    database.noon(&["renew", "lapsed"]);
    assert_eq!(database.standing("lapsed").await, "active 2028-06-15");
    let told: Value = database
        .value("select renewal_history -> 0 -> 'told' from public.peer_mentor_certifications where external_id = 'lapsed'")
        .await;
    assert_eq!(told, json!(["expired"]));
}

#[tokio::test]
async fn a_renewal_opens_a_cycle_and_a_correction_does_not() {
    let database = rehearsal().await;
    for id in ["renewed", "corrected"] {
        database.certify(id, "2026-07-15").await;
    }
    database.run("2026-06-15");
    database.noon(&["renew", "renewed", "--until", "2026-07-20"]);
    database.noon(&["correct", "corrected", "--until", "2026-07-20"]);
    database.execute("update certvakt.deliveries set state = 'delivered', finished_at = now()").await;
    database.run("2026-06-20");
    assert_eq!(database.notices("renewed").await.len(), 2);
    assert_eq!(database.notices("corrected").await.len(), 1);
}

#[tokio::test]
async fn an_import_does_not_reinstate_a_withdrawn_certification() {
    let database = rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let register = folder.path().join("register.csv");
    let import = |rows: &str| {
        fs::write(&register, format!("id,til,status\n{rows}")).unwrap();
        let file = register.to_str().unwrap();
        let columns = ["external_id=id", "expires_at=til", "status=status"];
        let arguments =
            ["import", file, "--organisation", "org", "--chapter", "chapter", "--type", "type", "--column"];
        database.noon(&[&arguments[..], &columns].concat())
    };
    import("1,2026-12-31,active\n2,2026-12-31,active\n");
    database.noon(&["withdraw", "1"]);
    let done = import("1,2028-12-31,active\n2,2028-12-31,active\n");
    assert_eq!(done["renewed"], 1, "{done}");
    assert_eq!(database.standing("1").await, "suspended 2026-12-31");
    assert_eq!(database.history("2").await, "renewed 2028-12-31");
    let source: String = database
        .value("select renewal_history -> 0 ->> 'source' from public.peer_mentor_certifications where external_id = '2'")
        .await;
    assert_eq!(source, "register");
}

fn request(change: Change, key: Option<&str>) -> ChangeRequest<'_> {
    ChangeRequest { change, evidence: None, note: None, key, source: Source::Command, seen: None, form: None }
}

async fn change(
    store: &Database,
    id: Uuid,
    request: &ChangeRequest<'_>,
    now: DateTime<Utc>,
) -> Result<bool, RenewalError> {
    let mut tx = store.registrar().await?;
    let done = apply(&mut tx, id, request, now).await?;
    tx.commit().await?;
    Ok(done.is_changed)
}

#[tokio::test]
async fn one_of_concurrent_changes_wins_and_the_same_key_is_the_same_change() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    let store = database.store().await;
    let id: Uuid = database.value("select id from public.peer_mentor_certifications").await;
    let seen: DateTime<Utc> =
        database.value("select updated_at from public.peer_mentor_certifications").await;
    let days = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"];
    let done = join_all(days.map(|text| {
        let change_to =
            Change::Renew { completed_on: None, until: Some(Until::Day(day(text))), early: false };
        let store = &store;
        async move {
            change(store, id, &ChangeRequest { seen: Some(seen), ..request(change_to, None) }, noon()).await
        }
    }))
    .await;
    assert_eq!(done.iter().filter(|one| matches!(one, Ok(true))).count(), 1, "{done:?}");
    assert_eq!(done.iter().filter(|one| matches!(one, Err(RenewalError::Changed))).count(), 3, "{done:?}");

    let again = Change::Renew { completed_on: None, until: None, early: false };
    let once = request(again, Some("once"));
    let done = join_all([(); 4].map(|()| change(&store, id, &once, noon()))).await;
    let made: Vec<bool> = done.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(database.history("1").await.matches("renewed").count(), 2);
}

/// A model of a certification after each change and each night.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    until: Option<NaiveDate>,
    is_stopped: bool,
    is_withdrawn: bool,
    is_lapsed: bool,
    kinds: Vec<Kind>,
    /// All notices, and those of the current cycle.
    notices: BTreeSet<(NaiveDate, String)>,
    told: Vec<(NaiveDate, String)>,
}

impl Model {
    fn new(until: NaiveDate) -> Self {
        Self {
            until: Some(until),
            is_stopped: false,
            is_withdrawn: false,
            is_lapsed: false,
            kinds: Vec::new(),
            notices: BTreeSet::new(),
            told: Vec::new(),
        }
    }

    /// Whether the change is made.
    fn make(&mut self, change: Change, today: NaiveDate) -> bool {
        let before = self.clone();
        let date = |until| match until {
            Until::Day(day) => Some(day),
            Until::Never => None,
        };
        match change {
            Change::Reinstate => (self.is_stopped, self.is_withdrawn) = (false, false),
            Change::Withdraw => {
                (self.is_stopped, self.is_withdrawn, self.is_lapsed) = (true, true, false);
            }
            _ if self.is_withdrawn => {}
            Change::Suspend { .. } if self.is_lapsed => {}
            Change::Suspend { .. } => self.is_stopped = true,
            Change::Correct(until) => self.until = date(until),
            Change::Renew { until, .. } => {
                let until = until.map_or(today.checked_add_months(Months::new(24)), date);
                if until.is_none_or(|day| day >= today) && until != self.until {
                    self.until = until;
                    self.told.clear();
                }
            }
        }
        if self.until != before.until {
            self.is_lapsed &= self.until.is_some_and(|day| day < today);
        }
        let is_changed = *self != before;
        if is_changed {
            self.kinds.push(change.kind());
        }
        is_changed
    }

    fn night(&mut self, today: NaiveDate) {
        let Some(last) = self.until.filter(|_| !self.is_stopped) else { return };
        self.is_lapsed |= last < today;
        let Some(stage) = Stages::default().current(last, today) else { return };
        let (due, name) = (stage.due_date(last), stage.to_string());
        // A correction keeps the cycle: a stage is repeated only if its due date moves by thirty days or
        // more.
        let is_told =
            self.told.iter().any(|(told, of)| *of == name && *told != due && (due - *told).num_days() < 30);
        if !is_told && self.notices.insert((due, name.clone())) {
            self.told.push((due, name));
        }
    }
}

#[tokio::test]
async fn any_order_of_changes_keeps_date_status_history_and_notices_together() {
    let seed = 20_261_125;
    println!("seed {seed}");
    let database = rehearsal().await;
    let store = database.store().await;
    let until = prop_oneof![
        Just(Until::Never),
        (0i64..1000).prop_map(|days| Until::Day(day("2026-01-01") + Duration::days(days))),
        // Near the nights, so that notices are due.
        (0i64..200).prop_map(|days| Until::Day(day("2026-06-01") + Duration::days(days))),
    ];
    let one = prop_oneof![
        prop::option::of(until.clone()).prop_map(|until| Change::Renew {
            completed_on: None,
            until,
            early: false
        }),
        until.prop_map(Change::Correct),
        Just(Change::Suspend { until: None }),
        Just(Change::Reinstate),
        Just(Change::Withdraw),
    ];
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&u32::to_le_bytes(seed));
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let mut certifications = Vec::new();
    for number in 0..40 {
        let name = format!("{number:02}");
        database.certify(&name, "2026-07-31").await;
        let changes = prop::collection::vec(one.clone(), 1..12).new_tree(&mut runner).unwrap().current();
        let id: Uuid = database
            .value(&format!("select id from public.peer_mentor_certifications where external_id = '{name}'"))
            .await;
        certifications.push((name, id, changes, Model::new(day("2026-07-31"))));
    }
    for turn in 0..12 {
        let today = day("2026-06-15") + Duration::days(12 * i64::try_from(turn).unwrap());
        let now = today.and_hms_opt(10, 0, 0).unwrap().and_utc();
        for (name, id, changes, model) in &mut certifications {
            let Some(made) = changes.get(turn) else { continue };
            let expected = model.make(*made, today);
            let done = change(&store, *id, &request(*made, None), now).await;
            let is_changed = done.as_ref().ok().copied().unwrap_or(false);
            assert_eq!(is_changed, expected, "{name} {changes:?} at {made:?}: {done:?} {model:?}");
        }
        database.run(&today.to_string());
        database.execute("update certvakt.deliveries set state = 'delivered', finished_at = now() where finished_at is null").await;
        for (name, _, changes, model) in &mut certifications {
            model.night(today);
            let status = match (model.is_stopped, model.is_lapsed) {
                (true, _) => "suspended",
                (false, true) => "expired",
                (false, false) => "active",
            };
            let until = model.until.map(|day| format!(" {day}")).unwrap_or_default();
            assert_eq!(database.standing(name).await, format!("{status}{until}"), "{today}: {changes:?}");
            let notices: BTreeSet<String> = database.notices(name).await.into_iter().collect();
            let expected = model.notices.iter().map(|(due, stage)| format!("{stage} {due} delivered"));
            assert_eq!(notices, expected.collect(), "{today}: {changes:?}");
        }
        assert_eq!(database.json(["verify"])["organisations"][0]["faults"], json!([]), "{today}");
        assert_eq!(database.json(["verify", "--history"])["faults"], json!([]), "{today}");
    }
    for (name, _, changes, model) in certifications {
        let history: Value = database
            .value(&format!(
                "select renewal_history from public.peer_mentor_certifications where external_id = '{name}'"
            ))
            .await;
        let kinds: Vec<Kind> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|written| match read(written) {
                Ok(Reading::Known(entry)) => entry.kind,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, model.kinds, "{changes:?}");
    }
}
