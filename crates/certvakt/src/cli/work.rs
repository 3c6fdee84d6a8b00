//! `certvakt work`

use std::time::Duration;

use certvakt_base::Exit;
use certvakt_engine::delivery::{DeliveryError, Tally, Worker, channels};
use certvakt_store::{Database, delivery};

use super::App;
use crate::error::Error;
use crate::output::{count, print, progress};

/// Deliver pending notices
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt work --drain --config certvakt.toml\n\n\
    Notices are sent within their organisation's delivery hours. Exit status 7: a channel has stopped.")]
pub(super) struct Args {
    /// Exit when no delivery is due; without it, run until SIGTERM
    #[arg(long)]
    drain: bool,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let channels = channels::configured(&app.config)?;
    let ending = certvakt_engine::shutdown::requested();
    let worker = Worker {
        database,
        clock: &app.clock,
        config: &app.config,
        channels: &channels,
        ending: ending.clone(),
    };
    if !args.drain {
        worker.run().await;
        return Ok(Exit::Success);
    }
    let bar = progress(0, "delivering");
    if !bar.is_hidden() {
        bar.set_length(waiting(database).await?);
        bar.enable_steady_tick(Duration::from_millis(250));
    }
    let tally = worker.drain(&bar).await?;
    bar.finish_and_clear();
    let shown = Drained { tally: &tally, waiting: waiting(database).await? };
    print(app.format, &shown, |shown| text(shown.tally, shown.waiting))?;
    match tally.stopped.into_iter().next() {
        Some((channel, reason)) => Err(DeliveryError::Stopped { channel, reason }.into()),
        None => Ok(Exit::Success),
    }
}

async fn waiting(database: &Database) -> Result<u64, Error> {
    let mut tx = database.worker().await?;
    let open = delivery::open(&mut tx).await?;
    tx.rollback().await?;
    Ok(open.unsigned_abs())
}

/// The result of a drain, with the deliveries that remain.
#[derive(serde::Serialize)]
struct Drained<'a> {
    #[serde(flatten)]
    tally: &'a Tally,
    /// Deliveries that wait for their organisation's hours, or for another attempt.
    waiting: u64,
}

fn text(tally: &Tally, waiting: u64) -> String {
    let mut parts = Vec::new();
    for (number, what) in [
        (tally.delivered, "delivered"),
        (tally.retried, "to retry"),
        (tally.unreachable, "unreachable"),
        (tally.cancelled, "cancelled"),
        (waiting, "waiting"),
    ] {
        if number > 0 {
            parts.push(format!("{} {what}", count(i64::try_from(number).unwrap_or(i64::MAX))));
        }
    }
    if parts.is_empty() { "Nothing to deliver.".to_owned() } else { format!("{}.", parts.join(", ")) }
}
