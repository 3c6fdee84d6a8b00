//! A bearer token that another server gave us: kept until shortly before its end, and renewed by one at a time.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long before its end a token is renewed.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// After which it is renewed in any case.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// A token, once there is one.
#[derive(Default)]
pub struct Bearer(Mutex<Option<(String, Instant)>>);

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}

impl Bearer {
    /// A token that is valid for a while yet; `fetch` gets another, and says for how many seconds it is good.
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

    /// Forgets a token that was not accepted, unless it was renewed meanwhile.
    pub async fn forget(&self, token: &str) {
        let mut current = self.0.lock().await;
        if current.as_ref().is_some_and(|(known, _)| known == token) {
            *current = None;
        }
    }
}

/// For how long a token is used that is good for some seconds.
fn usable(seconds: u64) -> Duration {
    let lifetime = Duration::from_secs(seconds).min(LONGEST_LIFE);
    // A token shorter than the margin is still good for some of its life.
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
