//! A bounded map that keeps the most recently used keys.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps the most recently used keys: at least as many as its capacity, and at most twice as many.
///
/// It has two generations instead of a list in order of use. A key that is used moves to the younger
/// generation. When that is full, it becomes the older generation, and the previous older generation is
/// dropped.
#[derive(Debug)]
pub(super) struct Recent<Key, Value> {
    capacity: usize,
    younger: HashMap<Key, Value>,
    older: HashMap<Key, Value>,
}

impl<Key: Hash + Eq + Clone, Value: Clone> Recent<Key, Value> {
    /// An empty map.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, younger: HashMap::new(), older: HashMap::new() }
    }

    /// Returns the value of a key, and marks the key as used.
    pub(super) fn get(&mut self, key: &Key) -> Option<Value> {
        if let Some(value) = self.younger.get(key) {
            return Some(value.clone());
        }
        let value = self.older.remove(key)?;
        self.insert(key.clone(), value.clone());
        Some(value)
    }

    /// Sets the value of a key.
    pub(super) fn insert(&mut self, key: Key, value: Value) {
        if self.younger.len() >= self.capacity && !self.younger.contains_key(&key) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn used_keys_stay_and_the_others_are_dropped() {
        let mut recent = Recent::new(10);
        recent.insert(0, "kept");
        for key in 1..10_000 {
            assert_eq!(recent.get(&0), Some("kept"), "{key}");
            recent.insert(key, "once");
            assert!(recent.younger.len() + recent.older.len() <= 20);
        }
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&9_999), Some("once"));
    }
}
