//! From a recording's entries to what the index keeps of them.
//!
//! A [`Batch`] takes entries in the order they were recorded and joins what belongs together: an operation
//! that was held, let through and ended is one document. What ends after its batch was written is told
//! to the index as a late ending. Values of parameters and results are not taken: they are not searched.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sallyport_core::{Decision, Event, Facts, OperationKind, Principal, SessionId, Timestamp, visible};

use super::language::Field;
use super::terms;

/// Bytes of a text that are searched, and characters of it that are kept to be shown.
const SEARCHED: usize = 64 << 10;
const KEPT: usize = 4000;
/// A batch is to be written when it has so many documents, or bytes of text.
const MOST_DOCUMENTS: usize = 2000;
const MOST_BYTES: usize = 16 << 20;

/// Where an entry stands in the recording.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its session.
    pub session: &'a SessionId,
    /// Its number in the session.
    pub sequence: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The segment that it is in.
    pub segment: u64,
}

/// Who did it, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) principal: String,
    pub(super) kind: String,
    pub(super) on_behalf_of: Option<String>,
    pub(super) target: String,
    pub(super) database: String,
    pub(super) segment: u64,
}

impl Opened {
    fn new(principal: &Principal, target: &str, database: &str, segment: u64) -> Self {
        Self {
            principal: principal.name.clone(),
            kind: principal.kind.as_str().to_owned(),
            on_behalf_of: principal.on_behalf_of.clone(),
            target: target.to_owned(),
            database: database.to_owned(),
            segment,
        }
    }

    /// The words that every operation of the session has.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![
            terms::of(Field::Principal, &self.principal),
            terms::of(Field::Kind, &self.kind),
            terms::of(Field::Target, &self.target),
            terms::of(Field::Database, &self.database),
        ];
        words.extend(self.on_behalf_of.iter().map(|human| terms::of(Field::Human, human)));
        words
    }
}

/// How an operation ended, as far as it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) state: &'static str,
    pub(super) error: Option<String>,
    pub(super) rows: u64,
    pub(super) masked: u64,
    pub(super) duration_us: u64,
}

impl Ending {
    fn so_far(state: &'static str) -> Self {
        Self { state, error: None, rows: 0, masked: 0, duration_us: 0 }
    }

    /// Whether more is to come.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, "running" | "waiting")
    }

    /// The words that change when it ends.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![terms::of(Field::State, self.state)];
        words.extend(self.error.iter().map(|error| terms::of(Field::Error, error)));
        words
    }
}

/// One operation as it goes into the index.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) session: SessionId,
    pub(super) operation: Option<u64>,
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
    pub(super) segment: u64,
    pub(super) effect: String,
    pub(super) rule: String,
    /// What is kept of its text, to be shown.
    pub(super) text: String,
    /// What is searched of it.
    pub(super) searched: String,
    /// Made-up words of facts and decision.
    pub(super) words: BTreeSet<String>,
    pub(super) ending: Ending,
    /// Whether the index may have it already, as one that waited.
    pub(super) replaces: bool,
}

/// Documents that are not in the index yet.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) sessions: BTreeMap<SessionId, Opened>,
    pub(super) documents: Vec<Document>,
    /// Those that have not ended, by session and number.
    open: HashMap<(SessionId, u64), usize>,
    /// Endings of operations that are in the index already.
    pub(super) late: Vec<(SessionId, u64, Ending)>,
    /// Sessions that ended: what of them is open will not end any more.
    pub(super) over: BTreeSet<SessionId>,
    /// Sessions whose recording was let go: nothing of them is to be found any more.
    pub(super) gone: BTreeSet<SessionId>,
    bytes: usize,
}

impl Batch {
    /// Whether it is time to write.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.documents.len().saturating_add(self.late.len()) >= MOST_DOCUMENTS || self.bytes >= MOST_BYTES
    }

    /// Whether there is anything to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.sessions.is_empty() && self.late.is_empty() && self.over.is_empty()
    }

    /// Whether everything in it has ended, so that waiting a little would bring nothing.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the next entry.
    pub fn take(&mut self, place: Place<'_>, event: &Event, payload: &[u8]) {
        match event {
            Event::SessionOpened { principal, target, database, .. } => {
                let opened = Opened::new(principal, target, database, place.segment);
                self.sessions.insert(place.session.clone(), opened);
            }
            Event::Intent { operation, kind, text_length, facts, decision, approval, .. } => {
                // What was only prepared has done nothing; its execution is an operation of its own.
                if *kind == OperationKind::Prepare {
                    return;
                }
                let text = payload.get(..*text_length).unwrap_or(payload);
                let replaces = approval.is_some();
                self.add(
                    place,
                    Some(*operation),
                    text,
                    (facts, decision),
                    Ending::so_far("running"),
                    replaces,
                );
            }
            Event::Held { operation, text_length, facts, decision, .. } => {
                let text = payload.get(..*text_length).unwrap_or(payload);
                self.add(place, Some(*operation), text, (facts, decision), Ending::so_far("waiting"), false);
            }
            Event::Refused { operation, text_length, facts, decision, refusal, request, .. } => {
                let text = payload.get(..*text_length).unwrap_or(payload);
                let mut ending = Ending::so_far("refused");
                ending.error = Some(refusal.code.as_str().to_owned());
                self.add(place, Some(*operation), text, (facts, decision), ending, request.is_some());
            }
            Event::MessageRefused { message, refusal } => {
                let mut ending = Ending::so_far("refused");
                ending.error = Some(refusal.code.as_str().to_owned());
                self.push(Document {
                    session: place.session.clone(),
                    operation: None,
                    sequence: place.sequence,
                    at: place.at,
                    segment: place.segment,
                    effect: "deny".to_owned(),
                    rule: String::new(),
                    text: visible::line(message),
                    searched: visible::line(message),
                    words: terms::of_nothing(),
                    ending,
                    replaces: false,
                });
            }
            Event::Outcome { operation, rows, masked, duration_us, error, .. } => {
                let ending = Ending {
                    state: if error.is_some() { "failed" } else { "passed" },
                    error: error.clone(),
                    rows: *rows,
                    masked: *masked,
                    duration_us: *duration_us,
                };
                self.end(place.session, *operation, ending);
            }
            Event::SessionClosed { .. } => self.session_over(place.session),
            _ => {}
        }
    }

    /// A session's recording was let go.
    pub fn session_gone(&mut self, session: &SessionId) {
        self.gone.insert(session.clone());
    }

    /// A session's recording ends here, however it does.
    pub fn session_over(&mut self, session: &SessionId) {
        let open: Vec<(SessionId, u64)> = self.open.keys().filter(|(id, _)| id == session).cloned().collect();
        for (id, operation) in open {
            self.end(&id, operation, Ending::so_far("cut"));
        }
        self.over.insert(session.clone());
    }

    fn end(&mut self, session: &SessionId, operation: u64, ending: Ending) {
        match self.open.remove(&(session.clone(), operation)).and_then(|at| self.documents.get_mut(at)) {
            Some(document) => document.ending = ending,
            None => self.late.push((session.clone(), operation, ending)),
        }
    }

    fn add(
        &mut self,
        place: Place<'_>,
        operation: Option<u64>,
        text: &[u8],
        (facts, decision): (&Facts, &Decision),
        ending: Ending,
        replaces: bool,
    ) {
        let mut words = terms::of_facts(facts);
        words.insert(terms::of(Field::Decision, decision.effect.as_str()));
        for rule in decision.rules.iter().chain([&decision.rule]) {
            words.insert(terms::of(Field::Rule, rule));
        }
        let searched = visible::text(text.get(..SEARCHED).unwrap_or(text));
        self.push(Document {
            session: place.session.clone(),
            operation,
            sequence: place.sequence,
            at: place.at,
            segment: place.segment,
            effect: decision.effect.as_str().to_owned(),
            rule: decision.rule.clone(),
            text: searched.chars().take(KEPT).collect(),
            searched,
            words,
            ending,
            replaces,
        });
    }

    fn push(&mut self, mut document: Document) {
        document.words.insert(terms::of(Field::Session, document.session.as_str()));
        self.bytes = self.bytes.saturating_add(document.searched.len() + document.text.len());
        let key = document.operation.map(|number| (document.session.clone(), number));
        let earlier = key.as_ref().and_then(|key| self.open.remove(key));
        // One that waited in this batch is the same operation, a step further.
        if let Some(slot) = earlier.and_then(|at| self.documents.get_mut(at)) {
            let replaces = slot.replaces;
            *slot = Document { replaces, ..document };
            if let (Some(key), Some(at), true) = (key, earlier, slot.ending.is_open()) {
                self.open.insert(key, at);
            }
            return;
        }
        if let (Some(key), true) = (key, document.ending.is_open()) {
            self.open.insert(key, self.documents.len());
        }
        self.documents.push(document);
    }
}
