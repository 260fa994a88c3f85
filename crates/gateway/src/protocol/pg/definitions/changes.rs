//! Who is changing a database's definitions, and who has of late.
//!
//! A session says what it redefines before that is sent, and that it is over once it knows so, or is gone. In
//! between nobody can say which definition an answer was made by; nor of what was admitted before the end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sallyport_core::Action;
use sallyport_inspect::pg::{Catalog, Inspection};

use super::Redefined;

/// Changes that are over and yet kept, for what was admitted before their end.
const KEPT: usize = 64;

/// The changes of one database of one target.
#[derive(Debug, Default)]
pub(in crate::protocol::pg) struct Changes {
    /// Grows with each sign that definitions have changed.
    now: AtomicU64,
    /// How many sessions are at it.
    open: AtomicUsize,
    sessions: AtomicU64,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    open: Vec<(u64, Redefined)>,
    over: VecDeque<Over>,
    /// The time up to which nothing is kept.
    forgotten: u64,
}

#[derive(Debug)]
struct Over {
    session: u64,
    at: u64,
    what: Redefined,
}

impl Changes {
    /// The time, in changes.
    pub(in crate::protocol::pg) fn now(&self) -> u64 {
        self.now.load(Ordering::Acquire)
    }

    /// Definitions have changed, or may have: the catalog from before is not used again.
    pub(in crate::protocol::pg) fn tick(&self) -> u64 {
        self.now.fetch_add(1, Ordering::AcqRel).wrapping_add(1)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begins(&self, session: u64, what: Redefined) {
        let mut book = self.book();
        match book.open.iter_mut().find(|(by, _)| *by == session) {
            Some((_, known)) => *known = what,
            None => {
                book.open.push((session, what));
                self.open.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn ends(&self, session: u64) {
        let mut book = self.book();
        let Some(place) = book.open.iter().position(|(by, _)| *by == session) else { return };
        let (_, what) = book.open.swap_remove(place);
        let at = self.tick();
        book.over.push_back(Over { session, at, what });
        if book.over.len() > KEPT
            && let Some(oldest) = book.over.pop_front()
        {
            book.forgotten = oldest.at;
        }
        // Last, so that whoever sees none open sees the time that its end was.
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether a session other than this may have changed what a text touches, since `since`.
    fn doubts(&self, session: u64, since: u64, inspection: &Inspection, catalog: &Catalog) -> bool {
        if self.open.load(Ordering::Acquire) == 0 && self.now() == since {
            return false;
        }
        let book = self.book();
        let open = book.open.iter().filter(|(by, _)| *by != session).map(|(_, what)| what);
        let over = book.over.iter().filter(|it| it.session != session && it.at > since).map(|it| &it.what);
        book.forgotten > since || open.chain(over).any(|what| what.touches(inspection, catalog))
    }
}

/// What one session is changing. Over when dropped.
#[derive(Debug)]
pub(in crate::protocol::pg) struct Changing {
    changes: Arc<Changes>,
    session: u64,
    own: Redefined,
}

impl Changing {
    pub(in crate::protocol::pg) fn new(changes: Arc<Changes>) -> Self {
        let session = changes.sessions.fetch_add(1, Ordering::AcqRel);
        Self { changes, session, own: Redefined::default() }
    }

    /// The time, in changes of the database.
    pub(in crate::protocol::pg) fn now(&self) -> u64 {
        self.changes.now()
    }

    /// Whether what this session has changed in its open transaction, so far as it was sent, touches a text.
    pub(in crate::protocol::pg) fn own_touches(&self, inspection: &Inspection, catalog: &Catalog) -> bool {
        self.own.touches(inspection, catalog)
    }

    /// Whether it has changed anything.
    pub(in crate::protocol::pg) fn is_under_way(&self) -> bool {
        !self.own.is_empty()
    }

    /// Notes what is about to be sent.
    pub(in crate::protocol::pg) fn begins(&mut self, actions: &[Action]) {
        let mut noted = false;
        for action in actions {
            noted |= self.own.note(action);
        }
        if noted {
            self.changes.begins(self.session, self.own.clone());
        }
    }

    /// The transaction is over, and nothing is under way.
    pub(in crate::protocol::pg) fn ends(&mut self) {
        if self.is_under_way() {
            self.own = Redefined::default();
            self.changes.ends(self.session);
        }
    }

    /// Whether another session may have changed what a text touches since `since`, when its catalog was read.
    pub(in crate::protocol::pg) fn doubts(
        &self,
        since: u64,
        inspection: &Inspection,
        catalog: &Catalog,
    ) -> bool {
        self.changes.doubts(self.session, since, inspection, catalog)
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.ends();
    }
}

#[cfg(test)]
mod tests {
    use sallyport_core::{ObjectName, Verb};
    use sallyport_inspect::pg::{Context, Remembered, inspect};

    use super::*;

    fn reads(sql: &str) -> Inspection {
        let context = Context {
            search_path: &["public".to_owned()],
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: None,
            remembered: &Remembered::default(),
        };
        inspect(sql.as_bytes(), &context)
    }

    fn replaced(view: &str) -> Vec<Action> {
        vec![Action::on_object(Verb::Create, "view", ObjectName::in_schema("public", view))]
    }

    #[test]
    fn what_another_changes_is_in_doubt_from_before_it_is_sent_until_after_it_is_known() {
        let changes = Arc::new(Changes::default());
        let (mut one, other) = (Changing::new(Arc::clone(&changes)), Changing::new(Arc::clone(&changes)));
        // The text's own relations are not in this catalog, and so in doubt with any change.
        let (catalog, text) = (Catalog::new(Vec::new(), Vec::new(), Vec::new(), 1), reads("SELECT a FROM v"));
        let before = other.now();
        assert!(!other.doubts(before, &text, &catalog), "all is quiet");
        one.begins(&replaced("v"));
        assert!(other.doubts(before, &text, &catalog), "it is under way");
        assert!(!other.doubts(before, &reads("SELECT 1"), &catalog), "nothing that could change");
        assert!(!one.doubts(before, &text, &catalog), "one's own is another matter");
        let meanwhile = other.now();
        one.ends();
        assert!(other.doubts(before, &text, &catalog), "admitted before its end");
        assert!(other.doubts(meanwhile, &text, &catalog), "admitted before its end was known");
        assert!(!other.doubts(other.now(), &text, &catalog), "admitted after it");
        assert!(other.now() > meanwhile, "the catalog from before is not used again");
    }

    #[test]
    fn a_session_that_is_gone_changes_nothing_any_more() {
        let changes = Arc::new(Changes::default());
        let (mut one, other) = (Changing::new(Arc::clone(&changes)), Changing::new(Arc::clone(&changes)));
        let (catalog, text) = (Catalog::new(Vec::new(), Vec::new(), Vec::new(), 1), reads("SELECT a FROM v"));
        one.begins(&replaced("v"));
        let meanwhile = other.now();
        drop(one);
        assert!(other.doubts(meanwhile, &text, &catalog));
        assert!(!other.doubts(other.now(), &text, &catalog));
    }

    #[test]
    fn when_too_many_have_changed_to_be_told_apart_all_is_in_doubt() {
        let changes = Arc::new(Changes::default());
        let (mut one, other) = (Changing::new(Arc::clone(&changes)), Changing::new(Arc::clone(&changes)));
        let (catalog, text) = (Catalog::new(Vec::new(), Vec::new(), Vec::new(), 1), reads("SELECT 1"));
        let before = other.now();
        for _ in 0..=KEPT {
            one.begins(&replaced("w"));
            one.ends();
        }
        assert!(other.doubts(before, &text, &catalog));
        assert!(!other.doubts(other.now(), &text, &catalog));
    }
}
