//! Connections: how many there may be in total and per address, and how long they may be idle.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use metrics::counter;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::health::alive;
use super::problem::ApiError;
use super::rate_limit::network;

/// How long a client may take to send the headers of its first request.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may be idle after an answer. Proxies keep connections open for a minute.
const NEXT_REQUEST_WITHIN: Duration = Duration::from_mins(1);
/// Connections beyond the limits, which only answer health checks. A new one replaces the oldest, so that a client that
/// asks at once is always answered.
const RESERVED: usize = 32;
/// How long each of these lasts at most.
const RESERVED_FOR: Duration = Duration::from_secs(5);
/// File descriptors other than clients' connections: connections to the database and to other servers, and files.
const OTHER_FILES: usize = 200;
/// The pause after the system failed to accept a connection.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Requests at once on one connection of HTTP/2 (RFC 9113, section 5.1.2), and how many may be reset before we close it.
const STREAMS: u32 = 32;
const RESET_STREAMS: usize = 64;
/// The longest headers of one request, in bytes: room for a token of 8 KiB twice.
const LONGEST_HEADERS: u32 = 32 * 1024;
/// Headers of one request at most.
const HEADERS: usize = 64;
/// How often the server pings a connection of HTTP/2, and how long the client may take to answer.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// The limits of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// In total.
    pub(super) connections: usize,
    /// Per address; of IPv6, per /64 network.
    pub(super) of_an_address: usize,
}

impl Limits {
    /// The same, within the system's limit of open files, after raising the soft limit to the hard one.
    pub(super) fn within_files(self) -> Self {
        if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
        let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(usize::MAX, |(soft, _)| {
            usize::try_from(soft).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES + RESERVED).max(1)
        });
        if files < self.connections {
            tracing::warn!(
                files,
                "the system's limit of open files allows fewer connections than serve.connections"
            );
        }
        Self { connections: self.connections.min(files), ..self }
    }
}

/// Serves connections until shutdown, then finishes the requests in progress.
pub(super) async fn answer(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut ending: watch::Receiver<bool>,
) {
    let open = Open { limits, count: Arc::default() };
    let lives = Router::new().route("/healthz", get(alive)).fallback(async || ApiError::Busy);
    let mut reserved = VecDeque::new();
    // Its last sender is dropped with the last connection.
    let (under_way, mut all_ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ending.wait_for(|ending| *ending) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("could not accept a connection: {error}");
                sleep(AFTER_A_FAILURE).await;
                continue;
            }
        };
        let (under_way, ending) = (under_way.clone(), ending.clone());
        match open.take(peer.ip()) {
            Ok(place) => {
                let router = router.clone();
                tokio::spawn(async move {
                    connection(stream, peer, router, ending).await;
                    drop((place, under_way));
                });
            }
            Err(limit) => {
                counter!("certvakt_connections_over_limit_total", "limit" => limit).increment(1);
                let lives = lives.clone();
                let task = tokio::spawn(async move {
                    let _ = timeout(RESERVED_FOR, connection(stream, peer, lives, ending)).await;
                    drop(under_way);
                });
                reserve(&mut reserved, task.abort_handle());
            }
        }
    }
    drop((listener, under_way));
    let _ = all_ended.recv().await;
}

/// Registers a connection beyond the limits, and closes the oldest one if there are too many.
fn reserve(reserved: &mut VecDeque<AbortHandle>, newest: AbortHandle) {
    reserved.retain(|one| !one.is_finished());
    reserved.push_back(newest);
    if reserved.len() > RESERVED
        && let Some(oldest) = reserved.pop_front()
    {
        oldest.abort();
    }
}

/// Serves a connection until it has been idle for too long.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, mut ending: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(LastRequest::default());
    let service = TowerToHyperService::new(router);
    let counted = Arc::clone(&asked);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let under_way = UnderWay::begin(&counted);
        let answer = service.call(request);
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut silence = pin!(asked.silence());
    let mut is_ending = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = silence.as_mut() => {
                counter!("certvakt_connections_idle_closed_total").increment(1);
                return;
            }
            _ = ending.wait_for(|ending| *ending), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // `LastRequest` measures idle time, from the first byte on and for both versions of HTTP.
    builder.http1().max_headers(HEADERS).max_buf_size(LONGEST_HEADERS as usize).header_read_timeout(None);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(RESET_STREAMS)
        .max_header_list_size(LONGEST_HEADERS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    builder
}

/// The activity of a connection.
#[derive(Debug)]
struct LastRequest {
    under_way: AtomicUsize,
    /// The deadline of the next request, while none is in progress.
    until: Mutex<Instant>,
}

impl Default for LastRequest {
    fn default() -> Self {
        Self { under_way: AtomicUsize::new(0), until: Mutex::new(Instant::now() + FIRST_REQUEST_WITHIN) }
    }
}

impl LastRequest {
    /// Returns when the connection has been idle for too long.
    async fn silence(&self) {
        loop {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            if self.under_way.load(Ordering::Relaxed) > 0 {
                sleep(NEXT_REQUEST_WITHIN).await;
            } else if until <= Instant::now() {
                return;
            } else {
                sleep_until(until).await;
            }
        }
    }
}

/// A request in progress, until it is dropped.
struct UnderWay(Arc<LastRequest>);

impl UnderWay {
    fn begin(asked: &Arc<LastRequest>) -> Self {
        asked.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(asked))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + NEXT_REQUEST_WITHIN;
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The connections that are open.
#[derive(Debug)]
struct Open {
    limits: Limits,
    count: Arc<Mutex<Count>>,
}

#[derive(Debug, Default)]
struct Count {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

impl Open {
    /// A place for one more connection, or the limit that leaves none.
    fn take(&self, peer: IpAddr) -> Result<ConnectionSlot, &'static str> {
        let peer = network(peer, 0);
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.all >= self.limits.connections {
            return Err("process");
        }
        if count.of.get(&peer).is_some_and(|of| *of >= self.limits.of_an_address) {
            return Err("address");
        }
        count.all += 1;
        *count.of.entry(peer).or_default() += 1;
        Ok(ConnectionSlot { peer, count: Arc::clone(&self.count) })
    }
}

/// The place of an open connection.
#[derive(Debug)]
struct ConnectionSlot {
    peer: IpAddr,
    count: Arc<Mutex<Count>>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.all -= 1;
        if let Some(of) = count.of.get_mut(&self.peer) {
            *of -= 1;
            if *of == 0 {
                count.of.remove(&self.peer);
            }
        }
    }
}
