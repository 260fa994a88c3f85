//! From a text to its findings: prefilter, readings, detectors, overlaps.
//!
//! The order matters for speed: [`Features`] come first and cost about a nanosecond a byte; the detectors
//! whose [`Needs`](crate::features::Needs) they meet run on the text itself; further readings (folded,
//! unescaped, decoded) are made only of texts that hold something to fold, unescape or decode.

use std::ops::Range;
use std::sync::LazyLock;

use serde::Serialize;

use crate::detectors::{self, Detector, Needs};
use crate::encoded;
use crate::features::{BASE64, DASH, DIGIT, EQUALS, ESCAPE, Features, HIGH, LETTER, UNDERSCORE};
use crate::view::View;

/// Longer texts are not read: they count as one finding from end to end.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// The entity and detector named for what was too long to read.
const WITHHELD: (&str, &str) = ("WITHHELD", "size");

/// What is known about where a value comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldContext<'a> {
    /// The column's name, or the key in a JSON object.
    pub column: Option<&'a str>,
}

impl<'a> FieldContext<'a> {
    /// A value of that column.
    #[must_use]
    pub fn column(name: &'a str) -> Self {
        Self { column: Some(name) }
    }

    /// Whether one of the words stands in the column's name. Words are lower case; a name is split where
    /// it changes from letters to something else and before capitals, and its end may be a plural.
    #[must_use]
    pub fn suggests(&self, words: &[&str]) -> bool {
        let Some(name) = self.column else { return false };
        let mut word = String::new();
        let mut before_was_lower = false;
        for c in name.chars().chain(['_']) {
            if !c.is_alphabetic() || (c.is_uppercase() && before_was_lower) {
                if words.contains(&word.as_str()) || words.contains(&word.trim_end_matches('s')) {
                    return true;
                }
                word.clear();
            }
            if c.is_alphabetic() {
                word.extend(c.to_lowercase());
            }
            before_was_lower = c.is_lowercase();
        }
        false
    }
}

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

/// What each detector needs, gathered once.
static NEEDS: LazyLock<Vec<Needs>> =
    LazyLock::new(|| detectors::ALL.iter().map(|detector| detector.needs()).collect());

/// Whether the bytes could hold a finding at all. False is certain; true means that it is worth a look.
#[must_use]
pub fn may_hold_findings(bytes: &[u8]) -> bool {
    let features = Features::of(bytes);
    features.any(HIGH | ESCAPE)
        || may_be_encoded(features)
        || features.length() > MAX_TEXT_BYTES
        || NEEDS.iter().any(|needs| features.meet(*needs))
}

fn may_be_encoded(features: Features) -> bool {
    // `\x` and `0x` of hexadecimal values are caught by ESCAPE and LETTER.
    features.length() >= 12
        && features.only(LETTER | DIGIT | BASE64 | DASH | UNDERSCORE | EQUALS | ESCAPE)
        && features.any(LETTER | DIGIT)
}

/// Everything sensitive in the text, in order, without overlaps.
#[must_use]
pub fn detect(text: &str, context: &FieldContext<'_>) -> Vec<Finding> {
    let features = Features::of(text.as_bytes());
    let mut candidates = Vec::new();
    if text.len() > MAX_TEXT_BYTES {
        candidates.push(Candidate {
            bytes: 0..text.len(),
            entity: WITHHELD.0,
            detector: WITHHELD.1,
            confidence: 1.0,
        });
    } else {
        let plain = View::plain(text);
        run(&plain, features, context, &mut candidates);
        let folded = features.any(HIGH).then(|| View::folded(text));
        if let Some(folded) = folded.as_ref().filter(|view| view.text != text) {
            run(folded, Features::of(folded.text.as_bytes()), context, &mut candidates);
        }
        if features.any(ESCAPE)
            && let Some(unescaped) = folded.as_ref().unwrap_or(&plain).unescaped()
        {
            run(&unescaped, Features::of(unescaped.text.as_bytes()), context, &mut candidates);
        }
        if candidates.is_empty()
            && may_be_encoded(features)
            && let Some(decoded) = encoded::decode(text)
        {
            let mut inside = Vec::new();
            let view = View::folded(&decoded);
            run(&view, Features::of(view.text.as_bytes()), context, &mut inside);
            // A part of an encoded text cannot be cut out: the finding is all of it.
            if let Some(best) = inside.into_iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence)) {
                candidates.push(Candidate { bytes: 0..text.len(), ..best });
            }
        }
    }
    if candidates.is_empty() { Vec::new() } else { settle(text, candidates) }
}

fn run(view: &View<'_>, features: Features, context: &FieldContext<'_>, candidates: &mut Vec<Candidate>) {
    let met = detectors::ALL.iter().zip(NEEDS.iter()).filter(|(_, needs)| features.meet(**needs));
    for (detector, _) in met {
        let detector: &dyn Detector = *detector;
        for found in detector.find(&view.text, context) {
            let bytes = view.original(found.span);
            if !bytes.is_empty() {
                candidates.push(Candidate {
                    bytes,
                    entity: detector.entity(),
                    detector: detector.id(),
                    confidence: found.confidence,
                });
            }
        }
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
