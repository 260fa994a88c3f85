//! How much stack there is to read with.
//!
//! Parsing, decoding and walking a tree recurse, and so does freeing it. Everyday texts are read where
//! they come in. A text that may be deeper than a small stack holds is told so by [`allowed`], and read
//! once more from the beginning on a thread with a large stack; one at a time, so that many of them cannot
//! take the memory.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// How deep a text may be, by its tokens, to be read on any thread. One level takes up to four messages of
/// the tree's encoding, and decoding one takes some 15 KiB in a build without optimisation.
const SMALL: usize = if cfg!(debug_assertions) { 20 } else { 200 };

/// How deep a text may be at all. The parser's own check of its stack ends most texts before.
const LARGE: usize = 1500;

/// Reserved, not used: what is not touched costs nothing.
const LARGE_STACK: usize = 256 * 1024 * 1024;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a text of that depth may be read here. When it may on a large stack, that is remembered.
pub(super) fn allowed(depth: usize) -> bool {
    let here = depth <= if is_large() { LARGE } else { SMALL };
    if !here && depth <= LARGE {
        WANTED.set(true);
    }
    here
}

/// Whether this thread's stack is large.
pub(super) fn is_large() -> bool {
    IS_LARGE.get()
}

/// Reads here, and once more on a large stack if a text asked for it. Nothing when no thread could be
/// had, or the reading panicked there.
pub(super) fn with<T: Send>(read: impl Fn() -> T + Sync) -> Option<T> {
    WANTED.set(false);
    let result = read();
    if is_large() || !WANTED.replace(false) {
        return Some(result);
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(LARGE_STACK);
        let reading = thread.spawn_scoped(scope, || {
            IS_LARGE.set(true);
            read()
        });
        reading.ok()?.join().ok()
    })
}
