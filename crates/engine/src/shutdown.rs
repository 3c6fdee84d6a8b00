//! The request to end: SIGTERM, or Ctrl-C on a terminal.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Becomes true at the shutdown signal (SIGTERM, or Ctrl-C on a terminal). A second signal ends the process
/// immediately.
pub fn requested() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return receiver;
    };
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("shutting down: finishing the work in progress");
        let _ = sender.send(true);
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    receiver
}
