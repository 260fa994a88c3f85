//! How much stack there is to read with.
//!
//! Parsing, decoding and walking a tree recurse, and so does freeing it. Everyday texts are read where
//! they come in. A text that may be deeper than a small stack holds is told so by [`allowed`], and read
//! once more from the beginning on a thread with a large stack; one at a time, so that many of them cannot
//! take the memory.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// Reserved, not used: what is not touched costs nothing.
const LARGE_STACK: usize = 256 * 1024 * 1024;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

thread_local! {
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// How deep a language's texts may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depths {
    /// On any thread.
    pub(crate) small: usize,
    /// On a large stack.
    pub(crate) large: usize,
}

/// Whether a text of that depth may be read here. When it may on a large stack, that is remembered.
pub(crate) fn allowed(depth: usize, depths: Depths) -> bool {
    let here = depth <= if is_large() { depths.large } else { depths.small };
    if !here && depth <= depths.large {
        WANTED.set(true);
    }
    here
}

/// Whether this thread's stack is large.
pub(crate) fn is_large() -> bool {
    IS_LARGE.get()
}

/// Reads here, and once more on a large stack if a text asked for it. Nothing when no thread could be
/// had, or the reading panicked there.
pub(crate) fn with<T: Send>(read: impl Fn() -> T + Sync) -> Option<T> {
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
