//! The delay before another attempt at a delivery.

use std::time::Duration;

/// The maximum delay between two attempts. A stage lasts for days, so noticing within an hour that a provider
/// works again is soon enough.
pub const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The delay before the next attempt: `first`, doubled with every attempt, at most [`LONGEST_WAIT`].
/// `jitter` spreads it over its upper half, so that many deliveries do not retry at the same time.
///
/// `attempts` is the number of attempts made, from 1. `jitter` is from 0 to 1.
pub fn backoff(first: Duration, attempts: u32, jitter: f64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let wait = doubled.min(LONGEST_WAIT);
    wait.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_the_first_to_the_longest() {
        let first = Duration::from_mins(1);
        for (attempts, most) in [(1, 60), (2, 120), (3, 240), (7, 3600), (u32::MAX, 3600)] {
            assert_eq!(backoff(first, attempts, 1.0), Duration::from_secs(most));
            assert_eq!(backoff(first, attempts, 0.0), Duration::from_secs(most) / 2);
        }
    }
}
