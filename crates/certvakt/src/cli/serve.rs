//! `certvakt serve`

use std::net::SocketAddr;

use certvakt_base::{Exit, secret};
use certvakt_engine::audit::access_log;
use certvakt_engine::delivery::{DeliveryError, Worker, channels};
use certvakt_engine::expiry::schedule;
use certvakt_engine::import::uploads;
use certvakt_engine::renewal::histories;
use certvakt_engine::{mail_queue, shutdown};
use certvakt_partner::sync::PartnerSync;
use certvakt_partner::{poller, reconcile};
use certvakt_server::{Api, Listeners, Metrics, RequestDatabase, SignIn};
use certvakt_store::{Database, setup};

use super::App;
use crate::demo::DemoError;
use crate::error::Error;
use crate::output;

/// Start the service: nightly runs, deliveries, the API and the pages
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt serve --config /etc/certvakt/certvakt.toml\n\n\
    Runs each organisation at its local hour, catches up on missed nights and delivers notices. Serves the API\n\
    and the pages on serve.listen, and metrics on serve.operations. Shuts down gracefully on SIGTERM.")]
pub(super) struct Args {
    /// Serve a generated sample on this machine only, with one-click sign-in as a coordinator, an administrator or a mentor
    #[arg(long)]
    pub(super) demo: bool,
    /// Whether the demo has a data folder of its own, which is deleted at the end.
    #[arg(skip)]
    pub(super) has_own_folder: bool,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    app.config.check_keys()?;
    if args.demo {
        let is_loopback = |address: SocketAddr| address.ip().is_loopback();
        if !app.config.serve.listen.parse().is_ok_and(is_loopback) {
            return Err(DemoError::NotLoopback.into());
        }
    }
    let database = app.database().await?;
    let demo = if args.demo {
        tracing::info!("generating and importing a sample");
        let data_dir = if app.is_embedded() { Some(app.data_dir()?) } else { None };
        let is_own = args.has_own_folder && data_dir.is_some();
        Some(crate::demo::prepare(database, data_dir.as_deref(), is_own, &app.clock).await?)
    } else {
        None
    };
    // Runs must record notices even if no channel is configured yet.
    let channels = match channels::configured(&app.config) {
        Err(error @ DeliveryError::NoChannel) => {
            tracing::warn!(code = error.code(), "{error}; the queue is kept");
            None
        }
        configured => Some(configured?),
    };
    let (mail_queue, mail_worker) = mail_queue::set_up(&app.config)?.unzip();
    let mail_queue = mail_queue.flatten();
    let (recorder, accesses) = access_log::buffer();
    let metrics = Metrics::install(app.clock, app.config.clone());
    let requests = RequestDatabase::beside(database);
    let wake = schedule::Wake::default();
    let api = Api::new(requests.clone(), app.clock, &app.config, mail_queue.clone(), recorder, wake.clone())?;
    let sign_in = match demo {
        Some(people) => Some(SignIn::of_demo(requests.clone(), &app.config, people)),
        None => SignIn::new(requests.clone(), &app.config, mail_queue)?,
    };
    if sign_in.is_some() && !args.demo {
        offer_setup(app, database).await?;
    }
    let ending = shutdown::requested();
    let listeners = Listeners::take(&app.config).await?;
    let deliver = async {
        if let Some(channels) = &channels {
            let ending = ending.clone();
            Worker { database, clock: &app.clock, config: &app.config, channels, ending }.run().await;
        }
    };
    let carry = async {
        if let Some(mail_worker) = mail_worker {
            mail_worker.run(database, &app.clock, ending.clone()).await;
        }
    };
    tokio::join!(
        schedule::run(database, &app.clock, &app.config, &wake, ending.clone()),
        deliver,
        carry,
        accesses.run(database, ending.clone()),
        uploads::run(database, &app.clock, &app.config.import, ending.clone()),
        PartnerSync::new(database, &app.clock, &app.config.partners).run(ending.clone()),
        reconcile::run(database, &app.config.partners, ending.clone()),
        poller::run(database, &app.clock, &app.config.partners, ending.clone()),
        histories::record_heads(database, &app.clock, &app.config.history.heads_folder, ending.clone()),
        certvakt_server::serve(listeners, database.clone(), requests, metrics, api, sign_in, ending.clone()),
    );
    Ok(Exit::Success)
}

/// Prints a URL at which the first organisation can be set up, if there is none yet. It is written to standard output, because
/// logs are kept and shared.
async fn offer_setup(app: &App, database: &Database) -> Result<(), Error> {
    let token = secret::fresh();
    let mut tx = database.registrar().await?;
    let is_offered = setup::offer(&mut tx, secret::hash(&token)).await?;
    tx.commit().await?;
    if is_offered {
        let base = app.config.sign_in.base()?;
        output::line(&format!(
            "No organisation exists yet. Set the first one up within an hour, at this URL, which works once:\n{base}setup?token={token}"
        ))?;
    }
    Ok(())
}
