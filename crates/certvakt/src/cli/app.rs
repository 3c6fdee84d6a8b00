//! The context of a subcommand: configuration, clock and database.

use std::io::Write;
use std::path::PathBuf;

use certvakt_base::clock::Clock;
use certvakt_engine::config::Config;
use certvakt_rules::text::escaped;
use certvakt_store::{BACKGROUND_CONNECTIONS, Database, Operator, StoreError};
use nix::unistd::{User, geteuid, gethostname};
use tokio::sync::OnceCell;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cluster::Cluster;
use crate::error::Error;
use crate::output::Format;

/// Options of every subcommand.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// The output format
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub output: Format,
    /// The configuration file
    #[arg(long, global = true, env = "CERTVAKT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder of the embedded cluster [default: the platform's data folder]
    #[arg(long, global = true, env = "CERTVAKT_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// The environment variable with the server's address.
const DATABASE_VARIABLE: &str = "DATABASE_URL";
/// The maximum length of the recorded operator, in characters. A host name has at most 253 (RFC 1035, section
/// /// 2.3.4).
const LONGEST_OPERATOR: usize = 300;

/// The configuration, the clock and the database, which is opened on first use.
#[derive(Debug)]
pub struct App {
    /// The output format.
    pub format: Format,
    /// The configuration.
    pub config: Config,
    /// The clock.
    pub clock: Clock,
    data_dir: Option<PathBuf>,
    /// The command's name without its arguments; `None` for `serve`.
    command: Option<String>,
    opened: OnceCell<Opened>,
}

#[derive(Debug)]
struct Opened {
    address: String,
    database: Database,
    cluster: Option<Cluster>,
}

impl App {
    /// Reads the configuration and the clock.
    pub(super) fn new(global: Global, command: Option<String>) -> Result<Self, Error> {
        let config = match &global.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        Ok(Self {
            format: global.output,
            config,
            clock: Clock::from_environment()?,
            data_dir: global.data_dir,
            command,
            opened: OnceCell::new(),
        })
    }

    /// The database, after a check of its schema. It is the server in `DATABASE_URL` or the embedded cluster,
    /// /// which is migrated when it opens.
    pub async fn database(&self) -> Result<&Database, Error> {
        let opened = self.open().await?;
        if opened.cluster.is_none() {
            certvakt_store::migration::check(&opened.database).await?;
        }
        if self.clock.is_moved() {
            let mut tx = opened.database.worker().await?;
            if !certvakt_store::migration::is_rehearsal(&mut tx).await? {
                return Err(StoreError::NoRehearsal.into());
            }
        }
        Ok(&opened.database)
    }

    /// The server's address, for subcommands that open their own connection (`migrate`, `doctor`).
    pub async fn address(&self) -> Result<&str, Error> {
        Ok(&self.open().await?.address)
    }

    /// Whether the database is the embedded cluster.
    pub fn is_embedded(&self) -> bool {
        Self::server_address().is_none()
    }

    /// The folder of the embedded cluster.
    pub fn data_dir(&self) -> Result<PathBuf, Error> {
        match &self.data_dir {
            Some(folder) => Ok(folder.clone()),
            None => Ok(crate::cluster::default_folder()?),
        }
    }

    fn server_address() -> Option<String> {
        std::env::var(DATABASE_VARIABLE).ok().filter(|address| !address.is_empty())
    }

    async fn open(&self) -> Result<&Opened, Error> {
        self.opened
            .get_or_try_init(|| async {
                let (address, cluster) = if let Some(address) = Self::server_address() {
                    (address, None)
                } else {
                    let cluster = Cluster::open(&self.data_dir()?).await?;
                    certvakt_store::migration::apply(cluster.address()).await?;
                    (cluster.address().to_owned(), Some(cluster))
                };
                let database = Database::connect(&address, BACKGROUND_CONNECTIONS).await?;
                let database = database
                    .at(self.clock)
                    .by(self.command.clone().map(|command| Operator::new(operator(), command)));
                Ok(Opened { address, database, cluster })
            })
            .await
    }

    pub(super) async fn close(&self) {
        if let Some(opened) = self.opened.get() {
            opened.database.close().await;
            if let Some(cluster) = &opened.cluster {
                cluster.leave().await;
            }
        }
    }
}

/// Writes to standard error, and escapes each record to one line that cannot control a terminal.
struct Lines;

impl Write for Lines {
    fn write(&mut self, record: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let line = escaped(text.strip_suffix('\n').unwrap_or(&text)).into_owned() + "\n";
        std::io::stderr().write_all(line.as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// The operator who runs the command, as account@host. Under `sudo`, it includes the original account.
fn operator() -> String {
    let user = geteuid();
    let account = User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name);
    let account = match std::env::var("SUDO_USER") {
        Ok(from) if user.is_root() && from != account && !from.is_empty() => format!("{from} as {account}"),
        _ => account,
    };
    let host = gethostname().map(|host| host.to_string_lossy().into_owned()).unwrap_or_default();
    escaped(&format!("{account}@{host}")).chars().take(LONGEST_OPERATOR).collect()
}

/// Starts the log on standard error, filtered by `RUST_LOG`, as JSON if `CERTVAKT_LOG_FORMAT=json`. The
/// default level is `info` for the service and `warn` for commands. Libraries log warnings and errors only,
/// regardless of the filter, because their more detailed records contain headers and addresses.
pub(super) fn start_log(is_service: bool) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(if is_service { "warn,certvakt=info" } else { "warn" }));
    let ours = filter_fn(|about| about.target().starts_with("certvakt") || *about.level() <= Level::WARN);
    let log = tracing_subscriber::fmt::layer().with_writer(|| Lines).with_ansi(false);
    let log = if std::env::var("CERTVAKT_LOG_FORMAT").is_ok_and(|form| form == "json") {
        log.json().boxed()
    } else {
        log.without_time().with_target(false).boxed()
    };
    tracing_subscriber::registry().with(log.with_filter(ours).with_filter(filter)).init();
}
