//! Limits how many requests of one key run at once. The others wait in order of arrival.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of keys at which unused ones are removed for the first time.
const FIRST_SWEEP: usize = 256;

/// A limit for each key. Only keys in use are kept.
#[derive(Debug)]
pub(super) struct Concurrency<Key> {
    at_once: usize,
    /// The maximum number of waiting requests of a key.
    waiting: usize,
    keys: Mutex<Keys<Key>>,
}

#[derive(Debug)]
struct Keys<Key> {
    semaphores: HashMap<Key, Weak<Semaphore>>,
    sweep_at: usize,
}

impl<Key: Hash + Eq + Clone> Concurrency<Key> {
    /// Creates a limit of concurrent permits for each key, and of requests that may wait for one.
    pub(super) fn new(at_once: usize, waiting: usize) -> Self {
        let keys = Keys { semaphores: HashMap::new(), sweep_at: FIRST_SWEEP };
        Self { at_once, waiting, keys: Mutex::new(keys) }
    }

    /// Waits for a permit of a key, in order of arrival. Returns `None` if too many already wait.
    pub(super) async fn turn(&self, key: &Key) -> Option<OwnedSemaphorePermit> {
        let semaphore = self.semaphore(key);
        // Each permit and each waiting caller holds a reference to the semaphore.
        if Arc::strong_count(&semaphore) > self.at_once + self.waiting {
            return None;
        }
        semaphore.acquire_owned().await.ok()
    }

    fn semaphore(&self, key: &Key) -> Arc<Semaphore> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = keys.semaphores.get(key).and_then(Weak::upgrade) {
            return semaphore;
        }
        if keys.semaphores.len() >= keys.sweep_at {
            keys.semaphores.retain(|_, semaphore| semaphore.strong_count() > 0);
            keys.sweep_at = FIRST_SWEEP.max(2 * keys.semaphores.len());
        }
        let semaphore = Arc::new(Semaphore::new(self.at_once));
        keys.semaphores.insert(key.clone(), Arc::downgrade(&semaphore));
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::{Concurrency, FIRST_SWEEP};

    #[tokio::test]
    async fn a_key_has_its_turns_in_order_and_others_have_theirs() {
        let concurrency = Concurrency::new(2, 1);
        let first = concurrency.turn(&"one").await.unwrap();
        let _second = concurrency.turn(&"one").await.unwrap();
        let mut third = std::pin::pin!(concurrency.turn(&"one"));
        assert!((&mut third).now_or_never().is_none());
        assert!(concurrency.turn(&"one").await.is_none(), "one may wait");
        assert!(concurrency.turn(&"another").await.is_some());
        drop(first);
        assert!(third.await.is_some());
    }

    #[tokio::test]
    async fn a_cancelled_wait_frees_its_place() {
        let concurrency = Concurrency::new(1, 1);
        let first = concurrency.turn(&1).await.unwrap();
        for _ in 0..10 {
            let mut waiting = Box::pin(concurrency.turn(&1));
            assert!((&mut waiting).now_or_never().is_none());
        }
        drop(first);
        assert!(concurrency.turn(&1).await.is_some());
    }

    #[tokio::test]
    async fn keys_that_nobody_uses_are_forgotten() {
        let concurrency = Concurrency::new(1, 1);
        for key in 0..100_000 {
            drop(concurrency.turn(&key).await.unwrap());
        }
        assert!(concurrency.keys.lock().unwrap().semaphores.len() <= FIRST_SWEEP);
    }
}
