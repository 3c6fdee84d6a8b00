//! The demo: imports a generated sample, runs it, delivers to a stand-in and reports the results, all in a
//! temporary folder.

mod partner;
mod sample;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use certvakt_base::clock::Clock;
use certvakt_engine::config::{ChannelName, Config};
use certvakt_engine::delivery::{DeliveryError, Tally, Worker, channels};
use certvakt_engine::expiry::{self, Options, OrganisationRun, RunError, forecast};
use certvakt_rules::renewal::Rule;
use certvakt_server::DemoPerson;
use certvakt_store::organisation::{self, NewOrganisation, NewType, RenewalTerms};
use certvakt_store::people::NewPerson;
use certvakt_store::run::ByStage;
use certvakt_store::settings::{self, Settings};
use certvakt_store::{Database, StoreError, migration, report};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::cluster::{Cluster, ClusterError};

/// The results of the demo.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The number of mentors in the sample.
    pub mentors: usize,
    /// Each organisation's run.
    pub runs: Vec<OrganisationRun>,
    /// The outcomes of the deliveries.
    pub deliveries: Tally,
    /// The number of people whom no channel reached.
    pub unreachable: i64,
    /// The forecast of the coming nights, for all organisations together.
    pub forecast: BTreeMap<NaiveDate, ByStage>,
}

/// An error of the demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The stand-in is missing or does not respond.
    #[error("could not start the stand-in for the push service ({0}): build it with `cargo build --bins`")]
    StandIn(String),
    /// The sample cannot be written or imported.
    #[error("could not load the sample: {0}")]
    Sample(String),
    /// The address to listen on can be reached from other machines.
    #[error(
        "serve --demo signs people in without proof, so it serves this machine only: leave serve.listen out, or set it to 127.0.0.1:8470"
    )]
    NotLoopback,
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Delivery.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl DemoError {
    /// The stable code, as listed in `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::StandIn(_) => "demo-stand-in",
            Self::Sample(_) => "demo-sample",
            Self::NotLoopback => "demo-not-loopback",
            Self::Cluster(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Delivery(error) => error.code(),
        }
    }
}

/// Runs the demo in a folder, and reports its progress to `say`.
pub async fn show(
    folder: &Path,
    clock: &Clock,
    nights: u32,
    say: &dyn Fn(&str),
) -> Result<Report, DemoError> {
    say("starting a private PostgreSQL cluster");
    let cluster = Cluster::open(folder).await?;
    let shown = on_cluster(&cluster, folder, clock, nights, say).await;
    cluster.leave().await;
    shown
}

async fn on_cluster(
    cluster: &Cluster,
    folder: &Path,
    clock: &Clock,
    nights: u32,
    say: &dyn Fn(&str),
) -> Result<Report, DemoError> {
    migration::apply(cluster.address()).await?;
    let database = Database::connect(cluster.address(), 4).await?;
    let shown = on_database(&database, folder, clock, nights, say).await;
    database.close().await;
    shown
}

async fn on_database(
    database: &Database,
    folder: &Path,
    clock: &Clock,
    nights: u32,
    say: &dyn Fn(&str),
) -> Result<Report, DemoError> {
    say("generating and importing a sample");
    let mentors = load(database, folder, Some(folder), clock).await?;
    let mut tx = database.worker().await?;
    let organisations = organisation::list(&mut tx).await?;
    tx.rollback().await?;
    let stand_in = StandIn::start(folder).await?;
    let config = stand_in.config(folder);

    say("running tonight's run");
    let options = Options { contact_kinds: config.contact_kinds(), ..Options::default() };
    let (runs, error) = expiry::all(database, clock, &organisations, &options).await;
    if let Some(error) = error {
        return Err(error.into());
    }

    say("delivering to the stand-in");
    let channels = channels::configured(&config)?;
    let (_keep, ending) = tokio::sync::watch::channel(false);
    let worker = Worker { database, clock, config: &config, channels: &channels, ending };
    let deliveries = worker.drain(&indicatif::ProgressBar::hidden()).await?;
    stand_in.stop().await;

    let mut tx = database.worker().await?;
    let unreachable = report::queue(&mut tx, &organisations).await?.unreachable;
    let mut sum: BTreeMap<NaiveDate, ByStage> = BTreeMap::new();
    for organisation in &organisations {
        for (night, notices) in forecast::forecast(&mut tx, clock, organisation, nights).await? {
            sum.entry(night).or_default().join(&notices);
        }
    }
    tx.rollback().await?;
    Ok(Report { mentors, runs, deliveries, unreachable, forecast: sum })
}

/// Adds the organisations and imports their registers, which it writes into a folder, as `certvakt import` does: into the
/// cluster in a data folder, or into the database of the environment.
async fn load(
    database: &Database,
    folder: &Path,
    data_dir: Option<&Path>,
    clock: &Clock,
) -> Result<usize, DemoError> {
    let mut mentors = 0;
    for (number, organisation) in sample::ORGANISATIONS.iter().enumerate() {
        let mut tx = database.registrar().await?;
        let new = NewOrganisation {
            slug: organisation.slug,
            name: organisation.name,
            zone: chrono_tz::Europe::Oslo,
            locale: "nb",
        };
        organisation::add(&mut tx, &new).await?;
        // The demo runs at any hour.
        let whole_day = Settings {
            deliver_from: Some(chrono::NaiveTime::MIN),
            deliver_until: Some(chrono::NaiveTime::MIN),
            ..Settings::default()
        };
        settings::set(&mut tx, organisation.slug, &whole_day).await?;
        organisation::add_type(
            &mut tx,
            organisation.slug,
            &NewType {
                code: "likeperson",
                name: "Likeperson",
                validity_months: Some(24),
                renewal: RenewalTerms { rule: Rule::FromCompletion, window_days: None },
                lead_times: None,
                external_id: None,
            },
        )
        .await?;
        for (slug, name) in organisation.chapters {
            organisation::add_chapter(&mut tx, organisation.slug, slug, name, None, None).await?;
        }
        tx.commit().await?;
        for (slug, _) in organisation.chapters {
            let register = folder.join(format!("{}-{slug}.csv", organisation.slug));
            let seed = (number as u64) << 32 | mentors as u64;
            mentors += sample::write(&register, slug, clock.today(chrono_tz::Europe::Oslo), seed)
                .map_err(|error| DemoError::Sample(error.to_string()))?;
            import(data_dir, organisation.slug, slug, &register).await?;
        }
    }
    Ok(mentors)
}

async fn import(
    data_dir: Option<&Path>,
    organisation: &str,
    chapter: &str,
    register: &Path,
) -> Result<(), DemoError> {
    let program = std::env::current_exe().map_err(|error| DemoError::Sample(error.to_string()))?;
    let mut command = Command::new(program);
    if let Some(data_dir) = data_dir {
        command.env_remove("DATABASE_URL").arg("--data-dir").arg(data_dir);
    }
    let output = command
        .arg("import")
        .arg(register)
        .args(["--organisation", organisation, "--chapter", chapter, "--type", "likeperson"])
        .args([
            "--column",
            "external_id=Medlemsnr",
            "--column",
            "name=Navn",
            "--column",
            "expires_at=Gyldig til",
        ])
        .args(["--column", "phone=Telefon", "--column", "push_token=Enhet"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| DemoError::Sample(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(DemoError::Sample(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Fills an empty database with the sample and with people to sign in as. The database must be marked as a rehearsal,
/// unless it is the demo's own (`is_own`), which this function marks.
pub async fn prepare(
    database: &Database,
    data_dir: Option<&Path>,
    is_own: bool,
    clock: &Clock,
) -> Result<Vec<DemoPerson>, DemoError> {
    if is_own {
        let mut tx = database.registrar().await?;
        migration::mark_rehearsal(&mut tx).await?;
        tx.commit().await?;
    }
    let mut tx = database.worker().await?;
    let is_rehearsal = migration::is_rehearsal(&mut tx).await?;
    let is_empty = organisation::list(&mut tx).await?.is_empty();
    tx.rollback().await?;
    if !is_rehearsal || !is_empty {
        return Err(StoreError::Invalid(
            "serve --demo fills an empty database that is marked as a rehearsal: unset DATABASE_URL and the data folder, or mark an empty database with `certvakt migrate --rehearsal`"
                .to_owned(),
        )
        .into());
    }
    let registers = tempfile::tempdir().map_err(|error| DemoError::Sample(error.to_string()))?;
    load(database, registers.path(), data_dir, clock).await?;
    partner::add(database, clock).await?;
    let mut tx = database.registrar().await?;
    let mut people = Vec::new();
    for (key, name, organisation, chapters, role) in sample::PEOPLE {
        let organisation_id = organisation::id_of(&mut tx, organisation).await?;
        let mut id = None;
        for chapter in chapters {
            let chapter_id = organisation::chapter_id(&mut tx, organisation_id, chapter).await?;
            match id {
                None => {
                    let new = NewPerson { organisation_id, chapter_id, role, name, email: None };
                    id = Some(certvakt_store::people::add_person(&mut tx, &new).await?);
                }
                Some(id) => {
                    certvakt_store::people::add_role(&mut tx, organisation_id, chapter_id, id, role).await?;
                }
            }
        }
        people.extend(id.map(|id| DemoPerson { id, key, name: (*name).to_owned() }));
    }
    let (chapter, name) = sample::MENTOR;
    let mentor = certvakt_store::people::find(&mut tx, &format!("{chapter}-0001")).await?;
    tx.commit().await?;
    people.extend(mentor.first().map(|id| DemoPerson { id: *id, key: "mentor", name: name.to_owned() }));
    Ok(people)
}

/// The running stand-in for the push service.
struct StandIn {
    child: Child,
    address: String,
}

/// The line in which the stand-in prints its address.
#[derive(Deserialize)]
struct Listening {
    address: String,
}

impl StandIn {
    async fn start(folder: &Path) -> Result<Self, DemoError> {
        let failed = |error: std::io::Error| DemoError::StandIn(error.to_string());
        let program: PathBuf = std::env::current_exe().map_err(failed)?.with_file_name("fcm-stand-in");
        let mut child = Command::new(program)
            .arg("--folder")
            .arg(folder)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).await.map_err(failed)?;
        }
        let Listening { address } = serde_json::from_str(&line)
            .map_err(|_| DemoError::StandIn("it did not print its address".to_owned()))?;
        Ok(Self { child, address })
    }

    fn config(&self, folder: &Path) -> Config {
        let mut config = Config::default();
        config.delivery.channels = vec![ChannelName::Fcm];
        config.fcm.endpoint.clone_from(&self.address);
        config.fcm.service_account_file = folder.join("service-account.json");
        config
    }

    async fn stop(mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait().await;
    }
}
