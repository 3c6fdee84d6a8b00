//! A cached bearer token for another server: used until shortly before it expires, and renewed by one task at
//! a time.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// The time before its expiry at which a token is renewed.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// The maximum time for which a token is used.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// The cached token, and the time until which it is used.
#[derive(Default)]
pub struct Bearer(Mutex<Option<(String, Instant)>>);

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}

impl Bearer {
    /// Returns a valid token. If there is none, `fetch` gets a new one, with its lifetime in seconds.
    pub async fn get<E>(&self, fetch: impl Future<Output = Result<(String, u64), E>>) -> Result<String, E> {
        let mut current = self.0.lock().await;
        if let Some((token, renew_at)) = &*current
            && Instant::now() < *renew_at
        {
            return Ok(token.clone());
        }
        let (token, seconds) = fetch.await?;
        *current = Some((token.clone(), Instant::now() + usable(seconds)));
        Ok(token)
    }

    /// Drops a token that a server rejected, unless it has been renewed in the meantime.
    pub async fn forget(&self, token: &str) {
        let mut current = self.0.lock().await;
        if current.as_ref().is_some_and(|(known, _)| known == token) {
            *current = None;
        }
    }
}

/// The time for which a token with this lifetime is used.
fn usable(seconds: u64) -> Duration {
    let lifetime = Duration::from_secs(seconds).min(LONGEST_LIFE);
    // A token with a lifetime below the margin is used for half of it.
    lifetime.saturating_sub(RENEW_BEFORE).max(lifetime / 2)
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn a_token_is_renewed_before_its_end() {
        for (seconds, used) in [(3600, 3300), (600, 300), (60, 30), (0, 0), (u64::MAX, 86_100)] {
            assert_eq!(usable(seconds).as_secs(), used, "{seconds}");
        }
    }
}
