//! From a text to its findings: one pass, readings, detectors, overlaps.
//!
//! The order matters for speed: the pass over the bytes ([`Parts`]) comes first and says which detectors have
//! what they need ([`Panel`]); those run on the text itself. Further readings (folded, unescaped, put together,
//! decoded) are made only of texts that hold something to fold, unescape, put together or decode. A text with
//! nothing to find costs the pass and allocates nothing. What is too long, asks for too much work, or makes a
//! detector fail is one finding from end to end.

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use serde::Serialize;

use crate::column::Column;
use crate::context::FieldContext;
use crate::detectors::{self, Found, is_year_of_birth, may_be_born};
use crate::encoded;
use crate::features::{
    APART, BIRTH, DIGIT, ESCAPE, Features, GREATER, HIGH, QUOTED, UPPER, WORD_12, WORD_20,
};
use crate::harmless;
use crate::panel::Panel;
use crate::parts::Parts;
use crate::reading::Reading;
use crate::verdicts::{self, Known};
use crate::view::View;

/// Longer texts are not read: they count as one finding from end to end.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// The entity named for what could not be read.
const WITHHELD: &str = "WITHHELD";

/// Encodings within encodings that are undone.
const DEEPEST: usize = 3;

/// The shortest date, bytes.
const SHORTEST_DATE: usize = 6;

/// A finding so sure that nothing within it is looked at once more.
const SURE: f32 = 0.9;

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

thread_local! {
    /// Parts that no text uses now, kept for their room; so are matches and candidates.
    static SPARE: RefCell<Vec<Parts>> = RefCell::default();
    static FOUND: Cell<Vec<Found>> = const { Cell::new(Vec::new()) };
    static CANDIDATES: Cell<Vec<Candidate>> = const { Cell::new(Vec::new()) };
}

/// Reads the parts of a text into spare ones.
fn parts_of(bytes: &[u8]) -> (Parts, Features) {
    let spare = SPARE.with(|spare| spare.try_borrow_mut().ok().and_then(|mut spare| spare.pop()));
    let mut parts = spare.unwrap_or_default();
    let features = parts.read(bytes);
    (parts, features)
}

/// The most of anything that is kept for the next text.
const KEPT: usize = 1024;

/// Keeps the parts for the next text, unless they grew large.
fn give_back(parts: Parts) {
    SPARE.with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut()
            && spare.len() < 8
            && parts.tokens.capacity() <= KEPT
        {
            spare.push(parts);
        }
    });
}

/// Whether the bytes could hold a finding at all, of whatever column. False is certain but for columns whose
/// name alone says that all of it is sensitive ([`FieldContext::may_hold_findings`]).
#[must_use]
pub fn may_hold_findings(bytes: &[u8]) -> bool {
    let (parts, features) = parts_of(bytes);
    give_back(parts);
    // Any date is one of birth if the column says so.
    let by_column = if features.digits > 2 && features.length >= SHORTEST_DATE { BIRTH } else { 0 };
    may_hold(Features { bits: features.bits | by_column, ..features })
}

impl FieldContext<'_> {
    /// Whether the bytes could hold a finding in this place. False is certain; true means that it is worth a look.
    #[must_use]
    pub fn may_hold_findings(&self, bytes: &[u8]) -> bool {
        may_hold_findings(bytes) || (!bytes.is_empty() && Column::named(self.column).is_telling())
    }
}

fn may_hold(features: Features) -> bool {
    may_hide(features) || features.length > MAX_TEXT_BYTES || PANEL.asked(features.bits) != 0
}

/// Whether another reading of the text could show what the text itself does not.
fn may_hide(features: Features) -> bool {
    features.any(HIGH | ESCAPE | APART | QUOTED | GREATER) || may_be_encoded(features)
}

fn may_be_encoded(features: Features) -> bool {
    // Text in base64 has capitals or digits, hexadecimal has digits.
    features.any(WORD_12) && features.any(UPPER | DIGIT | WORD_20) || encoded::may_be_other(features)
}

/// Everything sensitive in the text, in order, without overlaps.
#[must_use]
pub fn detect(text: &str, context: &FieldContext<'_>) -> Vec<Finding> {
    let column = Column::named(context.column);
    let blind = context.is_blind(&column);
    let born = column.is_birth || blind && text.len() == 10 && is_year_of_birth(text.as_bytes());
    if !born && !column.is_secret && is_harmless(text) {
        return Vec::new();
    }
    match verdicts::of(text, context) {
        Known::Findings(findings) => findings,
        Known::Nothing => detect_with(text, context, &column, &PANEL),
        Known::Before(cell) => {
            let findings = detect_with(text, context, &column, &PANEL);
            verdicts::keep(cell, &findings);
            findings
        }
    }
}

fn detect_with(text: &str, context: &FieldContext<'_>, column: &Column, panel: &Panel) -> Vec<Finding> {
    let withheld = |why| {
        let characters = text.chars().count();
        let bytes = 0..text.len();
        vec![Finding { entity: WITHHELD, start: 0, end: characters, bytes, detector: why, confidence: 1.0 }]
    };
    if text.len() > MAX_TEXT_BYTES {
        return withheld("size");
    }
    let is_telling = column.is_telling();
    let blind = context.is_blind(column);
    let (parts, features) = parts_of(text.as_bytes());
    let asked = panel.asked(features.bits);
    let may_be_born = blind && may_be_born(text.as_bytes(), &parts);
    if !is_telling && !may_be_born && asked == 0 && !may_hide(features) {
        give_back(parts);
        return Vec::new();
    }
    let work = Cell::new(LEAST_WORK + text.len() * WORK_PER_BYTE);
    let search = Search {
        panel,
        column,
        work: &work,
        decoded: Cell::new(false),
        blind,
        unnamed: context.is_unnamed(),
        asked: Cell::new(Some(asked)),
    };
    let found = catch_unwind(AssertUnwindSafe(|| {
        let mut candidates = CANDIDATES.take();
        search.text(text, &parts, features, 0, &mut candidates);
        candidates
    }));
    give_back(parts);
    let Ok(mut candidates) = found else { return withheld("fault") };
    if work.get() == 0 {
        return withheld("work");
    }
    let findings = settle(text, features, &mut candidates);
    candidates.clear();
    if candidates.capacity() <= KEPT {
        CANDIDATES.set(candidates);
    }
    findings
}

/// Whether the whole text is of a kind that is nobody's secret.
fn is_harmless(text: &str) -> bool {
    let bytes = text.as_bytes();
    harmless::may_be(bytes)
        && (harmless::is_identifier_or_moment(bytes)
            || harmless::is_digest(bytes) && encoded::decode(text).is_none())
}

/// Whether the span lies within something found of at least that confidence.
fn is_within(span: &Range<usize>, least: f32, candidates: &[Candidate]) -> bool {
    candidates.iter().any(|candidate| {
        candidate.confidence >= least
            && candidate.bytes.start <= span.start
            && span.end <= candidate.bytes.end
    })
}

/// The same for many spans: each is found by halving.
struct Cover(Vec<(usize, usize)>);

impl Cover {
    /// Of candidates of at least that confidence.
    fn of(least: f32, candidates: &[Candidate]) -> Self {
        let sure = candidates.iter().filter(|candidate| candidate.confidence >= least);
        let mut spans: Vec<_> = sure.map(|found| (found.bytes.start, found.bytes.end)).collect();
        spans.sort_unstable();
        // Each with the farthest end of those that start there or before.
        let mut farthest = 0;
        for (_, end) in &mut spans {
            farthest = farthest.max(*end);
            *end = farthest;
        }
        Self(spans)
    }

    fn holds(&self, span: &Range<usize>) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= span.start);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, end)| *end >= span.end)
    }
}

/// Whether each of the rows lies within something found.
fn all_within(rows: &[Range<usize>], view: &View<'_>, candidates: &[Candidate]) -> bool {
    if rows.len().saturating_mul(candidates.len()) <= FEW {
        return rows.iter().all(|row| is_within(&view.original(row.clone()), 0.0, candidates));
    }
    let cover = Cover::of(0.0, candidates);
    rows.iter().all(|row| cover.holds(&view.original(row.clone())))
}

/// Looks at so many pairs of spans and candidates are made one by one.
const FEW: usize = 256;

/// One search, through all readings of a text.
struct Search<'s> {
    panel: &'s Panel,
    column: &'s Column,
    work: &'s Cell<usize>,
    /// What is read was encoded in the value.
    decoded: Cell<bool>,
    /// Nothing says what the value is.
    blind: bool,
    unnamed: bool,
    /// Who is asked about the text as it is, until it was shown to them.
    asked: Cell<Option<u64>>,
}

/// A reading and its parts.
struct Read<'t> {
    view: View<'t>,
    parts: Parts,
    features: Features,
}

impl<'t> Read<'t> {
    fn of(view: View<'t>) -> Self {
        let (parts, features) = parts_of(view.text.as_bytes());
        Self { view, parts, features }
    }
}

impl Search<'_> {
    fn text(
        &self,
        text: &str,
        parts: &Parts,
        features: Features,
        depth: usize,
        candidates: &mut Vec<Candidate>,
    ) {
        let plain = View::plain(text);
        self.run(&plain, parts, features, candidates);
        let folded = if features.any(HIGH) { View::folded(text).map(Read::of) } else { None };
        if let Some(folded) = &folded {
            self.run(&folded.view, &folded.parts, folded.features, candidates);
        }
        let (view, parts, features) = match &folded {
            Some(folded) => (&folded.view, &folded.parts, folded.features),
            None => (&plain, parts, features),
        };
        let mut unescaped = None;
        if features.any(ESCAPE | QUOTED) {
            unescaped = view.unescaped(features.any(QUOTED));
            // `%2540`, and once more.
            for _ in 0..2 {
                let Some(again) = unescaped.as_ref().and_then(|view| view.unescaped(false)) else { break };
                unescaped = Some(again);
            }
        }
        match unescaped.map(Read::of) {
            Some(unescaped) => {
                self.run(&unescaped.view, &unescaped.parts, unescaped.features, candidates);
                self.deeper(&unescaped.view, &unescaped.parts, unescaped.features, depth, candidates);
                // `\\x…` of a whole value would be taken for an escape of its first character.
                self.encoded(view, parts, features, depth, candidates);
                give_back(unescaped.parts);
            }
            None => self.deeper(view, parts, features, depth, candidates),
        }
        if let Some(folded) = folded {
            give_back(folded.parts);
        }
    }

    /// What was taken apart or encoded in a view.
    fn deeper(
        &self,
        view: &View<'_>,
        parts: &Parts,
        features: Features,
        depth: usize,
        candidates: &mut Vec<Candidate>,
    ) {
        if features.any(GREATER)
            && let Some(untagged) = view.untagged().map(Read::of)
        {
            self.run(&untagged.view, &untagged.parts, untagged.features, candidates);
            give_back(untagged.parts);
        }
        if features.any(APART)
            && !all_within(&parts.rows, view, candidates)
            && let Some(squeezed) = view.squeezed().map(Read::of)
        {
            self.run(&squeezed.view, &squeezed.parts, squeezed.features, candidates);
            self.encoded(&squeezed.view, &squeezed.parts, squeezed.features, depth, candidates);
            give_back(squeezed.parts);
        }
        self.encoded(view, parts, features, depth, candidates);
    }

    /// A part of an encoded text cannot be cut out: what is found in it is all of it.
    fn encoded(
        &self,
        view: &View<'_>,
        parts: &Parts,
        features: Features,
        depth: usize,
        candidates: &mut Vec<Candidate>,
    ) {
        if depth >= DEEPEST || !may_be_encoded(features) {
            return;
        }
        for (span, decoded) in encoded::others(&view.text, parts, features) {
            self.inside(&decoded, view.original(span), depth, candidates);
        }
        let many = parts.words.len().saturating_mul(candidates.len()) > FEW;
        let cover = many.then(|| Cover::of(SURE, candidates));
        for word in &parts.words {
            let span = view.original(word.clone());
            let settled = match &cover {
                Some(cover) => cover.holds(&span),
                None => is_within(&span, SURE, candidates),
            };
            if let Some((span, decoded)) =
                Some(word).filter(|_| !settled).and_then(|word| encoded::decoded(&view.text, word))
            {
                self.inside(&decoded, view.original(span), depth, candidates);
            }
        }
    }

    /// Reads what was encoded at that place.
    fn inside(&self, decoded: &str, bytes: Range<usize>, depth: usize, candidates: &mut Vec<Candidate>) {
        let mut inside = Vec::new();
        let (parts, features) = parts_of(decoded.as_bytes());
        let before = self.decoded.replace(true);
        self.text(decoded, &parts, features, depth + 1, &mut inside);
        self.decoded.set(before);
        give_back(parts);
        if let Some(best) = inside.into_iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence)) {
            candidates.push(Candidate { bytes, ..best });
        }
    }

    /// Shows a view to the detectors that it may hold something for.
    fn run(&self, view: &View<'_>, parts: &Parts, features: Features, candidates: &mut Vec<Candidate>) {
        let blind = self.blind && !self.decoded.get();
        let born = if blind && may_be_born(view.text.as_bytes(), parts) { BIRTH } else { 0 };
        let mut asked = match self.asked.take() {
            Some(asked) if born == 0 => asked,
            _ => self.panel.asked(features.bits | born),
        };
        if self.column.is_telling() {
            asked |= self.panel.asked_by_column(self.column);
        }
        if asked == 0 {
            return;
        }
        let reading = Reading {
            text: &view.text,
            decoded: self.decoded.get(),
            features,
            column: self.column,
            blind,
            unnamed: blind && self.unnamed,
            parts,
            keys: OnceCell::new(),
            work: self.work,
        };
        let mut matches = FOUND.take();
        for detector in self.panel.each(asked) {
            detector.find(&reading, &mut matches);
        }
        for found in matches.drain(..) {
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
        if matches.capacity() <= KEPT {
            FOUND.set(matches);
        }
    }
}

/// Settles overlaps: the surer of two wins, of equals the longer. What a loser covers beyond the winner is
/// added to the winner, so that nothing found is left standing.
fn settle(text: &str, features: Features, candidates: &mut [Candidate]) -> Vec<Finding> {
    if candidates.len() > 1 {
        candidates.sort_by_key(|candidate| (candidate.bytes.start, std::cmp::Reverse(candidate.bytes.end)));
    }
    let mut kept: Vec<Finding> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let finding = |bytes: Range<usize>| Finding {
            entity: candidate.entity,
            start: 0,
            end: 0,
            bytes,
            detector: candidate.detector,
            confidence: candidate.confidence,
        };
        match kept.last_mut() {
            Some(last) if candidate.bytes.start < last.bytes.end => {
                let union = last.bytes.start..last.bytes.end.max(candidate.bytes.end);
                let (here, there) = (last.bytes.len(), candidate.bytes.len());
                if candidate.confidence > last.confidence
                    || (candidate.confidence == last.confidence && there > here)
                {
                    *last = finding(union);
                } else {
                    last.bytes = union;
                }
            }
            _ => kept.push(finding(candidate.bytes.clone())),
        }
    }
    // Characters are counted as far as there are others than bytes.
    let (mut at, mut chars) = (0, 0);
    let mut count_to = |byte: usize| {
        chars += match features.any(HIGH) {
            true => text.get(at..byte).map_or(0, |between| between.chars().count()),
            false => byte.saturating_sub(at),
        };
        at = byte;
        chars
    };
    for finding in &mut kept {
        finding.start = count_to(finding.bytes.start);
        finding.end = count_to(finding.bytes.end);
    }
    kept
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
