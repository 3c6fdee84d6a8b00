//! The crate `graphile_worker` as a peer: adds jobs, or works through them by posting each one's
//! message, with the settings that its guides name for many small jobs.
//!
//! `graphile-worker-peer add DATABASE JOBS`
//! `graphile-worker-peer work DATABASE ENDPOINT ACCOUNT JOBS CONNECTIONS CONCURRENCY`

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certvakt_bench_peers::{Failure, Sender};
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Notify;

/// A separate schema, because the Node original keeps other tables in `graphile_worker`.
const SCHEMA: &str = "graphile_worker_rust";
/// Jobs added by one call.
const BATCH: usize = 10_000;
/// Jobs fetched at once.
const LOCAL_QUEUE: usize = 500;
/// The batching delay for completions, as recommended by the crate's guide.
const COMPLETION_DELAY: Duration = Duration::from_millis(5);

/// A job: the message to post.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct SendNotice(Value);

impl TaskHandler for SendNotice {
    const IDENTIFIER: &'static str = "send_notice";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let progress = context.get_ext::<Progress>().ok_or("no progress")?;
        let message = serde_json::to_vec(&self.0).map_err(|error| error.to_string())?;
        progress.sender.post(message).await.map_err(|error| error.to_string())?;
        if progress.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            progress.finished.notify_one();
        }
        Ok::<(), String>(())
    }
}

/// The shared state of the jobs.
#[derive(Clone, Debug)]
struct Progress {
    sender: Arc<Sender>,
    left: Arc<AtomicUsize>,
    finished: Arc<Notify>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["add", database, jobs] => add(database, jobs).await,
        ["work", database, endpoint, account, jobs, connections, concurrency] => {
            let sender = Sender::sign_in(endpoint, Path::new(account), connections.parse()?).await?;
            work(database, sender, jobs.parse()?, concurrency.parse()?).await
        }
        _ => Err("graphile-worker-peer add DATABASE JOBS | \
            work DATABASE ENDPOINT ACCOUNT JOBS CONNECTIONS CONCURRENCY"
            .into()),
    }
}

/// As many connections as completing, fetching and listening need at once.
async fn pool(database: &str) -> Result<PgPool, Failure> {
    Ok(PgPoolOptions::new().max_connections(20).connect(database).await?)
}

async fn add(database: &str, jobs: &str) -> Result<(), Failure> {
    let options = WorkerOptions::default().schema(SCHEMA).define_job::<SendNotice>();
    let worker = options.pg_pool(pool(database).await?).init().await?;
    let utils = worker.create_utils();
    let jobs: Vec<RawJobSpec> = std::fs::read_to_string(jobs)?
        .lines()
        .map(|line| {
            let job: Value = serde_json::from_str(line)?;
            Ok(RawJobSpec {
                identifier: SendNotice::IDENTIFIER.to_owned(),
                payload: job["payload"].clone(),
                spec: JobSpec::default(),
            })
        })
        .collect::<Result<_, serde_json::Error>>()?;
    for batch in jobs.chunks(BATCH) {
        utils.add_raw_jobs(batch).await?;
    }
    Ok(())
}

async fn work(database: &str, sender: Sender, jobs: usize, concurrency: usize) -> Result<(), Failure> {
    let progress = Progress {
        sender: Arc::new(sender),
        left: Arc::new(AtomicUsize::new(jobs)),
        finished: Arc::default(),
    };
    let finished = progress.finished.clone();
    let worker = WorkerOptions::default()
        .schema(SCHEMA)
        .concurrency(concurrency)
        .local_queue(LocalQueueConfig::default().with_size(LOCAL_QUEUE))
        .complete_job_batch_delay(COMPLETION_DELAY)
        .fail_job_batch_delay(COMPLETION_DELAY)
        .define_job::<SendNotice>()
        .pg_pool(pool(database).await?)
        .add_extension(progress)
        .shutdown_signal(async move { finished.notified().await })
        .init()
        .await?;
    worker.run().await?;
    Ok(())
}
