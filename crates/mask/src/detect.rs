//! From a text to its findings: prefilter, readings, detectors, overlaps.
//!
//! The order matters for speed: [`Features`] come first and cost about a nanosecond a byte; the detectors
//! whose needs they meet ([`Panel`]) run on the text itself; further readings (folded,
//! unescaped, put together, decoded) are made only of texts that hold something to fold, unescape, put together or
//! decode. What is too long, asks for too much work, or makes a detector fail is one finding from end to end.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use serde::Serialize;

use crate::context::{Column, FieldContext};
use crate::detectors::{self, Found};
use crate::encoded;
use crate::features::{DIGIT, ESCAPE, Features, HIGH, UPPER};
use crate::harmless;
use crate::panel::Panel;
use crate::reading::{Parts, Reading};
use crate::topics::Topic;
use crate::view::View;

/// Longer texts are not read: they count as one finding from end to end.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// The entity named for what could not be read.
const WITHHELD: &str = "WITHHELD";

/// Encodings within encodings that are undone.
const DEEPEST: usize = 2;

/// The shortest text in which characters can be told to stand apart, bytes.
const SHORTEST_APART: usize = 15;

/// Steps of work that every text may take, and how many more for each byte of it.
const LEAST_WORK: usize = 4096;
const WORK_PER_BYTE: usize = 4;

/// Something sensitive in a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it is, as Presidio names it (`EMAIL_ADDRESS`), or a kind of secret (`GITHUB_TOKEN`).
    pub entity: &'static str,
    /// First character.
    pub start: usize,
    /// Character after the last.
    pub end: usize,
    /// The same span in bytes.
    #[serde(skip)]
    pub bytes: Range<usize>,
    /// The detector that found it.
    pub detector: &'static str,
    /// From 0 to 1.
    pub confidence: f32,
}

/// A match on its way to becoming a finding.
struct Candidate {
    bytes: Range<usize>,
    entity: &'static str,
    detector: &'static str,
    confidence: f32,
}

/// Every detector.
static PANEL: LazyLock<Panel> = LazyLock::new(|| Panel::of(detectors::ALL));

/// Whether the bytes could hold a finding at all, of whatever column. False is certain but for columns whose
/// name alone says that all of it is sensitive ([`FieldContext::may_hold_findings`]).
#[must_use]
pub fn may_hold_findings(bytes: &[u8]) -> bool {
    may_hold(Features::of(bytes))
}

impl FieldContext<'_> {
    /// Whether the bytes could hold a finding in this place. False is certain; true means that it is worth a look.
    #[must_use]
    pub fn may_hold_findings(&self, bytes: &[u8]) -> bool {
        may_hold_findings(bytes) || (!bytes.is_empty() && Column::named(self.column).is_telling())
    }
}

fn may_hold(features: Features) -> bool {
    features.any(HIGH | ESCAPE)
        || may_be_encoded(features)
        || features.length() > MAX_TEXT_BYTES
        || PANEL.asked(features) != 0
}

fn may_be_encoded(features: Features) -> bool {
    // Text in base64 has capitals or digits, hexadecimal has digits.
    features.longest() >= encoded::SHORTEST && features.any(UPPER | DIGIT)
}

/// Everything sensitive in the text, in order, without overlaps.
#[must_use]
pub fn detect(text: &str, context: &FieldContext<'_>) -> Vec<Finding> {
    detect_with(text, context, &PANEL)
}

fn detect_with(text: &str, context: &FieldContext<'_>, panel: &Panel) -> Vec<Finding> {
    let features = Features::of(text.as_bytes());
    let withheld = |why| {
        let characters = text.chars().count();
        let bytes = 0..text.len();
        vec![Finding { entity: WITHHELD, start: 0, end: characters, bytes, detector: why, confidence: 1.0 }]
    };
    if text.len() > MAX_TEXT_BYTES {
        return withheld("size");
    }
    let column = Column::named(context.column);
    if !column.is_telling() {
        let bytes = text.as_bytes();
        let harmless = harmless::is_identifier_or_moment(bytes) && !column.words.say(Topic::Birth)
            || harmless::is_digest(bytes) && encoded::decode(text).is_none();
        if harmless || !may_hold(features) {
            return Vec::new();
        }
    }
    let work = Cell::new(LEAST_WORK + text.len() * WORK_PER_BYTE);
    let search = Search { panel, column: &column, work: &work };
    let found = catch_unwind(AssertUnwindSafe(|| {
        let mut candidates = Vec::new();
        search.text(text, features, 0, &mut candidates);
        candidates
    }));
    match found {
        Err(_) => withheld("fault"),
        Ok(_) if work.get() == 0 => withheld("work"),
        Ok(candidates) if candidates.is_empty() => Vec::new(),
        Ok(candidates) => settle(text, candidates),
    }
}

/// One search, through all readings of a text.
struct Search<'s> {
    panel: &'s Panel,
    column: &'s Column,
    work: &'s Cell<usize>,
}

impl Search<'_> {
    fn text(&self, text: &str, features: Features, depth: usize, candidates: &mut Vec<Candidate>) {
        let plain = View::plain(text);
        let mut apart = self.run(&plain, features, candidates);
        let folded = features.any(HIGH).then(|| View::folded(text)).filter(|view| view.text != text);
        if let Some(folded) = &folded {
            apart |= self.run(folded, Features::of(folded.text.as_bytes()), candidates);
        }
        let mut view = folded.as_ref().unwrap_or(&plain);
        let mut unescaped = None;
        if features.any(ESCAPE) {
            unescaped = view.unescaped();
            // `%2540`
            if let Some(again) = unescaped.as_ref().and_then(View::unescaped) {
                unescaped = Some(again);
            }
        }
        if let Some(unescaped) = &unescaped {
            apart |= self.run(unescaped, Features::of(unescaped.text.as_bytes()), candidates);
            view = unescaped;
        }
        if apart && let Some(squeezed) = view.squeezed() {
            self.run(&squeezed, Features::of(squeezed.text.as_bytes()), candidates);
        }
        if depth < DEEPEST && may_be_encoded(features) {
            for (span, decoded) in encoded::words(&view.text) {
                self.decoded(view.original(span), &decoded, depth, candidates);
            }
            // `\\x…` of a whole value would be taken for an escape of its first character.
            if unescaped.is_some() {
                let view = folded.as_ref().unwrap_or(&plain);
                for (span, decoded) in encoded::words(&view.text) {
                    self.decoded(view.original(span), &decoded, depth, candidates);
                }
            }
        }
    }

    /// A part of an encoded text cannot be cut out: what is found in it is all of it.
    fn decoded(&self, bytes: Range<usize>, decoded: &str, depth: usize, candidates: &mut Vec<Candidate>) {
        let mut inside = Vec::new();
        self.text(decoded, Features::of(decoded.as_bytes()), depth + 1, &mut inside);
        if let Some(best) = inside.into_iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence)) {
            candidates.push(Candidate { bytes, ..best });
        }
    }

    /// Shows a view to the detectors that it may hold something for. Whether it holds a value taken apart.
    fn run(&self, view: &View<'_>, features: Features, candidates: &mut Vec<Candidate>) -> bool {
        thread_local! {
            static PARTS: RefCell<Parts> = RefCell::new(Parts::default());
        }
        let mut asked = self.panel.asked(features);
        if self.column.is_telling() {
            asked |= self.panel.asked_by_column(self.column);
        }
        if asked == 0 {
            return features.length() >= SHORTEST_APART;
        }
        let mut found: Vec<Found> = Vec::new();
        let apart = PARTS.with(|parts| {
            let mut own = Parts::default();
            let mut shared = parts.try_borrow_mut();
            let parts = shared.as_deref_mut().unwrap_or(&mut own);
            parts.read(view.text.as_bytes());
            let reading = Reading {
                text: &view.text,
                features,
                column: self.column,
                parts,
                keys: OnceCell::new(),
                work: self.work,
            };
            for detector in self.panel.each(asked) {
                detector.find(&reading, &mut found);
            }
            reading.parts.apart
        });
        for found in found {
            let bytes = view.original(found.span);
            if !bytes.is_empty() {
                candidates.push(Candidate {
                    bytes,
                    entity: found.kind.entity,
                    detector: found.kind.id,
                    confidence: found.confidence,
                });
            }
        }
        apart
    }
}

/// Settles overlaps: the surer of two wins, of equals the longer. What a loser covers beyond the winner is
/// added to the winner, so that nothing found is left standing.
fn settle(text: &str, mut candidates: Vec<Candidate>) -> Vec<Finding> {
    candidates.sort_by_key(|candidate| (candidate.bytes.start, std::cmp::Reverse(candidate.bytes.end)));
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match kept.last_mut() {
            Some(last) if candidate.bytes.start < last.bytes.end => {
                let union = last.bytes.start..last.bytes.end.max(candidate.bytes.end);
                let (here, there) = (last.bytes.len(), candidate.bytes.len());
                if candidate.confidence > last.confidence
                    || (candidate.confidence == last.confidence && there > here)
                {
                    *last = candidate;
                }
                last.bytes = union;
            }
            _ => kept.push(candidate),
        }
    }
    let (mut at, mut chars) = (0, 0);
    let mut count_to = |byte: usize| {
        chars += text.get(at..byte).map_or(0, |between| between.chars().count());
        at = byte;
        chars
    };
    kept.into_iter()
        .map(|candidate| Finding {
            entity: candidate.entity,
            start: count_to(candidate.bytes.start),
            end: count_to(candidate.bytes.end),
            bytes: candidate.bytes,
            detector: candidate.detector,
            confidence: candidate.confidence,
        })
        .collect()
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
