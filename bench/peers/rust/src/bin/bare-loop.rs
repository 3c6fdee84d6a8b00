//! The floor of a drain: posts every line of a file as a message, so many at once, and records nothing.
//!
//! `bare-loop ENDPOINT ACCOUNT MESSAGES CONNECTIONS CONCURRENCY`

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use certvakt_bench_peers::{Failure, Sender};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, account, messages, connections, concurrency] = arguments.as_slice() else {
        return Err("bare-loop ENDPOINT ACCOUNT MESSAGES CONNECTIONS CONCURRENCY".into());
    };
    let sender = Arc::new(Sender::sign_in(endpoint, Path::new(account), connections.parse()?).await?);
    let messages: Arc<Vec<String>> =
        Arc::new(std::fs::read_to_string(messages)?.lines().map(str::to_owned).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let loops: Vec<_> = (0..concurrency.parse::<usize>()?)
        .map(|_| {
            let (sender, messages, next) = (sender.clone(), messages.clone(), next.clone());
            tokio::spawn(async move {
                while let Some(message) = messages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sender.post(message.clone()).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for ended in loops {
        ended.await??;
    }
    Ok(())
}
