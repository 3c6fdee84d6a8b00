//! The real runs against a model of the rules, over random expiries, gaps, renewals, corrections and lead times.

use std::collections::HashMap;
use std::fmt::Write;

use certvakt_rules::calendar::instant;
use certvakt_rules::stage::{DEFAULT_GRACE_DAYS, DEFAULT_LEAD_TIMES};
use certvakt_rules::{Stage, Stages, last_valid_day};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use fastrand::Rng;
use uuid::Uuid;

use crate::harness::{OWNER, TestDatabase, address, succeed};
use crate::stand_in::write_config;

/// The fixed seed, which makes the histories the same on every machine. A failing test prints it.
const SEED: u64 = 20_261_231;
/// The declared lead times, and the types; `type` has those of the organisation.
const DECLARED: [u16; 6] = [180, 120, 90, 60, 30, 7];
const TYPES: [&str; 3] = ["type", "early", "other"];
const CERTIFICATIONS: usize = 80;
const RUNS: usize = 20;

/// A model of the rules for one certification: brute force, one day at a time.
struct Model {
    id: Uuid,
    /// The index of its type.
    of_type: usize,
    expires_at: DateTime<Utc>,
    notices: Vec<Notice>,
    /// The number of notices of earlier cycles.
    earlier: usize,
}

#[derive(Clone, Copy)]
struct Notice {
    stage: Stage,
    due: NaiveDate,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Delivered,
    Cancelled,
}

impl Model {
    fn current(&self, selected: &Selected, today: NaiveDate, zone: Tz) -> Option<(Stage, NaiveDate)> {
        let last = last_valid_day(self.expires_at, zone);
        selected[self.of_type].current(last, today).map(|stage| (stage, stage.due_date(last)))
    }

    /// The rules of stages, written independently of the code under test.
    fn run(&mut self, selected: &Selected, today: NaiveDate, zone: Tz) {
        let Some((stage, due)) = self.current(selected, today, zone) else { return };
        let last = last_valid_day(self.expires_at, zone);
        let is_told_later = self.notices.iter().any(|later| {
            later.stage > stage && later.due == later.stage.due_date(last) && later.state != State::Cancelled
        });
        let is_told = self.notices[self.earlier..].iter().any(|told| {
            told.state == State::Delivered
                && told.stage == stage
                && told.due != due
                && (due - told.due).num_days() < 30
        });
        let known = self.notices.iter_mut().find(|known| known.stage == stage && known.due == due);
        match known {
            _ if is_told || is_told_later => {}
            Some(known) if known.state == State::Cancelled => known.state = State::Open,
            Some(_) => {}
            None => self.notices.push(Notice { stage, due, state: State::Open }),
        }
    }

    fn deliver(&mut self, selected: &Selected, today: NaiveDate, zone: Tz) {
        let current = self.current(selected, today, zone);
        for notice in self.notices.iter_mut().filter(|notice| notice.state == State::Open) {
            let is_true = current == Some((notice.stage, notice.due));
            notice.state = if is_true { State::Delivered } else { State::Cancelled };
        }
    }

    fn renew(&mut self, expires_at: DateTime<Utc>) {
        self.expires_at = expires_at;
        self.earlier = self.notices.len();
    }

    /// The notices in the database's format.
    fn shown(&self) -> Vec<String> {
        let state = |state| match state {
            State::Open => "pending",
            State::Delivered => "delivered",
            State::Cancelled => "cancelled",
        };
        self.notices.iter().map(|one| format!("{} {} {}", one.stage, one.due, state(one.state))).collect()
    }
}

/// The stages of each type.
type Selected = [Stages; TYPES.len()];

/// Selects other lead times for the organisation or one of its types.
fn select(database: &TestDatabase, selected: &mut Selected, random: &mut Rng) {
    let mut lead_times = DECLARED.to_vec();
    random.shuffle(&mut lead_times);
    lead_times.truncate(random.usize(1..=lead_times.len()));
    let which = random.usize(..TYPES.len());
    let text = lead_times.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let subject = if which == 0 {
        vec!["organisation", "set", "org"]
    } else {
        vec!["type", "set", TYPES[which], "--organisation", "org"]
    };
    database.ok(subject.into_iter().chain(["--lead-times", &text]));
    selected[which] = Stages::new(&lead_times, DEFAULT_GRACE_DAYS);
}

#[tokio::test]
async fn random_histories_are_notified_by_the_rules() {
    println!("seed {SEED}");
    let mut random = Rng::with_seed(SEED);
    for zone in ["Europe/Oslo", "America/St_Johns", "Pacific/Apia"] {
        history(zone.parse().unwrap(), &mut random).await;
    }
}

async fn history(zone: Tz, random: &mut Rng) {
    let database = TestDatabase::rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    database.ok(["organisation", "add", "org", "--name", "Foreningen", "--timezone", zone.name()]);
    let hours = ["--deliver-from", "00:00", "--deliver-until", "00:00"];
    database.ok(["organisation", "set", "org", "--limit-floor", "1000"].into_iter().chain(hours));
    database.ok(["chapter", "add", "chapter", "--organisation", "org", "--name", "Østlandet"]);
    for days in ["180", "120", "60"] {
        let mut command = database.certvakt(["stage", "add", days]);
        succeed(command.env("DATABASE_URL", address(OWNER, &database.name)));
    }
    for code in TYPES {
        // Types that select for themselves do not follow the organisation.
        let lead_times = if code == "type" { "default" } else { "90,30,7" };
        database.ok(["type", "add", code, "--organisation", "org", "--lead-times", lead_times]);
    }
    let mut selected: Selected =
        [(); TYPES.len()].map(|()| Stages::new(&DEFAULT_LEAD_TIMES, DEFAULT_GRACE_DAYS));
    let start: DateTime<Utc> = "2023-11-15T00:00:00Z".parse().unwrap();
    let mut models: Vec<Model> = (0..CERTIFICATIONS)
        .map(|_| Model {
            id: Uuid::from_u128(random.u128(..)),
            of_type: random.usize(..TYPES.len()),
            expires_at: start + Duration::seconds(random.i64(-40 * 86_400..400 * 86_400)),
            notices: Vec::new(),
            earlier: 0,
        })
        .collect();
    let mut sql = String::new();
    for Model { id, of_type, expires_at, .. } in &models {
        let code = TYPES[*of_type];
        write!(
            sql,
            "insert into certvakt.people (id) values ('{id}');
             insert into certvakt.contact_points (person_id, kind, address) values ('{id}', 'push', '{id}');
             insert into public.peer_mentor_certifications
               (id, organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select '{id}', organisation_id, id, '{id}', '{code}', '{expires_at}' from certvakt.chapters;"
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
        if random.u8(0..4) == 0 {
            select(&database, &mut selected, random);
        }
        database.execute(&changes(&mut models, today, random)).await;
        for model in &mut models {
            model.run(&selected, today, zone);
        }
        database.run(&today.to_string());
        database.ok(["verify"]);
        // Some nights the deliveries of the day before are still open.
        if random.u8(0..3) > 0 {
            deliver(&database, today, zone, &folder);
            for model in &mut models {
                model.deliver(&selected, today, zone);
            }
        }
        let recorded = recorded(&database).await;
        for model in &models {
            let told = recorded.get(&model.id).cloned().unwrap_or_default();
            assert_eq!(told, model.shown(), "{zone} {today} {}", model.expires_at);
        }
    }
    let full = database.json(["run", "--full", "--date", &today.to_string()]);
    let mut recorded = full["runs"][0]["recorded"].as_object().unwrap().values();
    assert!(recorded.all(|number| *number == 0), "a full run finds nothing more: {full}");
    let told: usize = models.iter().map(|model| model.notices.len()).sum();
    assert!(told > CERTIFICATIONS, "a history in which too little happens shows nothing: {told}");
}

/// Delivers what is open at noon of a day, to a file.
fn deliver(database: &TestDatabase, day: NaiveDate, zone: Tz, folder: &tempfile::TempDir) {
    let config = write_config(
        folder.path(),
        &format!(
            "[delivery]\nchannels = [\"file\"]\n[file]\npath = \"{}\"\n",
            folder.path().join("notices.jsonl").display()
        ),
    );
    let noon = instant(day.and_hms_opt(12, 0, 0).unwrap(), zone);
    database.at(&noon.to_rfc3339(), ["work", "--drain", "--config", config.to_str().unwrap()]);
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
            "begin; set local certvakt.change = '{{\"kind\": \"{kind}\"}}';
             update public.peer_mentor_certifications set expires_at = '{expires_at}', status = 'active' where id = '{}';
             commit;",
            model.id
        )
        .unwrap();
    }
    sql
}

/// The notices of each certification, in the order in which they were recorded.
async fn recorded(database: &TestDatabase) -> HashMap<Uuid, Vec<String>> {
    let rows: serde_json::Value = database
        .value(
            "select coalesce(json_object_agg(told.certification_id, told.stages), '{}')
             from (
               select l.certification_id, json_agg(concat_ws(' ', d.stage, d.due_date, d.state) order by d.id) as stages
               from certvakt.deliveries d join public.cert_notification_log l on l.id = d.id
               where l.notification_type = d.stage
               group by l.certification_id) told",
        )
        .await;
    serde_json::from_value(rows).unwrap()
}
