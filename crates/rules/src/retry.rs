//! When a delivery is tried again.

use std::time::Duration;

/// The longest wait between two attempts. A stage lasts at least days, so a provider that is back
/// is noticed within the hour.
pub const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The wait before the next attempt: `first`, doubled with every attempt made, at most
/// [`LONGEST_WAIT`], spread over its upper half by `jitter` so that a crowd does not return at once.
///
/// `attempts` is how many have been made, from 1. `jitter` is from 0 to 1.
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
