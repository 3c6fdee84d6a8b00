//! The real runs against a model of the rules, over random expiries, gaps, renewals and corrections.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use certvakt_rules::{Stage, last_valid_day, notice_key};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use fastrand::Rng;
use serde_json::json;
use uuid::Uuid;

use crate::harness::TestDatabase;

/// The same histories on every machine. A failing test prints it.
const SEED: u64 = 20_261_231;
const GRACE_DAYS: u16 = 30;
const CERTIFICATIONS: usize = 80;
const RUNS: usize = 20;

/// What the rules say of one certification: brute force, a day at a time.
struct Model {
    id: Uuid,
    expires_at: DateTime<Utc>,
    /// Told in the present cycle.
    told: Vec<(Stage, NaiveDate)>,
    /// Ever recorded.
    keys: BTreeSet<String>,
    recorded: Vec<String>,
}

impl Model {
    /// The design's rules 1 and 2, as they are written there.
    fn run(&mut self, today: NaiveDate, zone: Tz) {
        let last = last_valid_day(self.expires_at, zone);
        let Some(stage) = Stage::current(last, today, GRACE_DAYS) else { return };
        let due = stage.due_date(last);
        let is_told = self.told.iter().any(|(told, at)| *told == stage && (due - *at).num_days() < 30);
        if is_told || !self.keys.insert(notice_key(self.id, stage, due)) {
            return;
        }
        self.told.push((stage, due));
        self.recorded.push(format!("{stage} {due}"));
    }

    fn renew(&mut self, expires_at: DateTime<Utc>) {
        self.expires_at = expires_at;
        self.told.clear();
    }
}

#[tokio::test]
async fn random_histories_are_told_as_the_rules_say() {
    println!("seed {SEED}");
    let mut random = Rng::with_seed(SEED);
    for zone in ["Europe/Oslo", "America/St_Johns", "Pacific/Apia"] {
        history(zone.parse().unwrap(), &mut random).await;
    }
}

async fn history(zone: Tz, random: &mut Rng) {
    let database = TestDatabase::new().await;
    database.ok(["organisation", "add", "org", "--name", "Foreningen", "--timezone", zone.name()]);
    database.ok(["organisation", "set", "org", "--limit-floor", "1000"]);
    database.ok(["chapter", "add", "chapter", "--organisation", "org", "--name", "Østlandet"]);
    database.ok(["type", "add", "type", "--organisation", "org", "--name", "Likeperson"]);
    let start: DateTime<Utc> = "2023-11-15T00:00:00Z".parse().unwrap();
    let mut models: Vec<Model> = (0..CERTIFICATIONS)
        .map(|_| Model {
            id: Uuid::from_u128(random.u128(..)),
            expires_at: start + Duration::seconds(random.i64(-40 * 86_400..400 * 86_400)),
            told: Vec::new(),
            keys: BTreeSet::new(),
            recorded: Vec::new(),
        })
        .collect();
    let mut sql = String::new();
    for Model { id, expires_at, .. } in &models {
        write!(
            sql,
            "insert into certvakt.people (id) values ('{id}');
             insert into certvakt.contact_points (person_id, kind, address) values ('{id}', 'push', '{id}');
             insert into public.peer_mentor_certifications
               (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select '{id}', organisation_id, id, '{id}', 'type', '{expires_at}' from certvakt.chapters;"
        )
        .unwrap();
    }
    database.execute(&sql).await;

    let mut today = start.date_naive();
    for _ in 0..RUNS {
        // Mostly the next night, sometimes weeks of downtime, sometimes the same day again.
        today += Duration::days(match random.u8(0..10) {
            0 => 0,
            1..=5 => random.i64(1..4),
            _ => random.i64(4..70),
        });
        database.execute(&changes(&mut models, today, random)).await;
        for model in &mut models {
            model.run(today, zone);
        }
        database.run(&today.to_string());
        database.ok(["verify"]);
        let recorded = recorded(&database).await;
        for model in &models {
            let told = recorded.get(&model.id).cloned().unwrap_or_default();
            assert_eq!(told, model.recorded, "{zone} {today} {}", model.expires_at);
        }
    }
    let full = database.json(["run", "--full", "--date", &today.to_string()]);
    let none =
        json!({ "expiry_warning_90d": 0, "expiry_warning_30d": 0, "expiry_warning_7d": 0, "expired": 0 });
    assert_eq!(full["runs"][0]["recorded"], none, "a full run finds nothing more");
    let told: usize = models.iter().map(|model| model.recorded.len()).sum();
    assert!(told > CERTIFICATIONS, "a history in which too little happens shows nothing: {told}");
}

/// Renewals and corrections of some certifications, in the models and as SQL.
fn changes(models: &mut [Model], today: NaiveDate, random: &mut Rng) -> String {
    let mut sql = String::new();
    for _ in 0..random.usize(0..8) {
        let at = random.usize(..models.len());
        let model = &mut models[at];
        let is_renewal = random.bool();
        let expires_at = if is_renewal {
            today.and_time(chrono::NaiveTime::MIN).and_utc() + Duration::seconds(random.i64(0..200 * 86_400))
        } else {
            model.expires_at + Duration::seconds(random.i64(-45 * 86_400..45 * 86_400))
        };
        if is_renewal {
            model.renew(expires_at);
        } else {
            model.expires_at = expires_at;
        }
        let kind = if is_renewal { "renewed" } else { "corrected" };
        write!(
            sql,
            "begin; set local certvakt.dates_are = '{kind}';
             update public.peer_mentor_certifications set expires_at = '{expires_at}', status = 'active' where id = '{}';
             commit;",
            model.id
        )
        .unwrap();
    }
    sql
}

/// What each certification was told, in the order in which it was recorded.
async fn recorded(database: &TestDatabase) -> HashMap<Uuid, Vec<String>> {
    let rows: serde_json::Value = database
        .value(
            "select coalesce(json_object_agg(told.certification_id, told.stages), '{}')
             from (
               select l.certification_id, json_agg(d.stage || ' ' || d.due_date order by d.id) as stages
               from certvakt.deliveries d join public.cert_notification_log l on l.id = d.notice_id
               where l.notification_type = d.stage
               group by l.certification_id) told",
        )
        .await;
    serde_json::from_value(rows).unwrap()
}
