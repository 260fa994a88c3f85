//! What was inspected before, kept within bounds: the look-up behind each language's cache.
//!
//! A key holds everything that decides an inspection, so what is found is what would be found again. The
//! oldest in use goes first when it is full, by count or by bytes.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    bytes: usize,
    used: u64,
}

#[derive(Debug)]
struct Inner<K, V> {
    entries: HashMap<Arc<K>, Entry<V>>,
    by_use: BTreeMap<u64, Arc<K>>,
    bytes: usize,
    clock: u64,
}

/// A bounded memory, shared by threads.
#[derive(Debug)]
pub(crate) struct Memory<K, V> {
    inner: Mutex<Inner<K, V>>,
    entries: usize,
    bytes: usize,
}

impl<K: Eq + Hash, V> Memory<K, V> {
    /// Of at most so many entries, and about so many bytes.
    pub(crate) fn new(entries: usize, bytes: usize) -> Self {
        let inner = Inner { entries: HashMap::new(), by_use: BTreeMap::new(), bytes: 0, clock: 0 };
        Self { inner: Mutex::new(inner), entries, bytes }
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.lock().entries.len()
    }

    // A panic while the lock is held leaves at worst a stale order of use.
    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was kept under the key.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        let (shared, _) = inner.entries.get_key_value(key)?;
        let shared = Arc::clone(shared);
        let entry = inner.entries.get_mut(key)?;
        let before = std::mem::replace(&mut entry.used, now);
        let found = Arc::clone(&entry.value);
        inner.by_use.remove(&before);
        inner.by_use.insert(now, shared);
        Some(found)
    }

    /// Keeps a value that takes about so many bytes, its key with it; one that takes more than all may is not
    /// kept.
    pub(crate) fn put(&self, key: K, value: Arc<V>, bytes: usize) {
        if bytes > self.bytes || self.entries == 0 {
            return;
        }
        let mut inner = self.lock();
        while inner.entries.len() >= self.entries || inner.bytes + bytes > self.bytes {
            let Some((_, oldest)) = inner.by_use.pop_first() else { break };
            if let Some(gone) = inner.entries.remove(&oldest) {
                inner.bytes = inner.bytes.saturating_sub(gone.bytes);
            }
        }
        inner.clock += 1;
        let used = inner.clock;
        let key = Arc::new(key);
        if let Some(before) = inner.entries.insert(Arc::clone(&key), Entry { value, bytes, used }) {
            inner.by_use.remove(&before.used);
            inner.bytes = inner.bytes.saturating_sub(before.bytes);
        }
        inner.by_use.insert(used, key);
        inner.bytes += bytes;
    }
}
