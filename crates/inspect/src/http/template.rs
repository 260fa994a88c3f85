//! Path templates: `/users/{id}`, `/report.{format}`, `/{name}:activate`.

use std::cmp::Ordering;

/// One segment, or a host: literal text with variables between.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Literal pieces; between two of them stands a variable.
    pieces: Vec<String>,
}

/// A path of segments.
#[derive(Debug)]
pub(super) struct Template {
    segments: Vec<Pattern>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((_, behind)) = after.split_once('}') else { break };
            pieces.push(before.to_owned());
            rest = behind;
        }
        pieces.push(rest.to_owned());
        Self { pieces }
    }

    /// Whether a text fits; a variable stands for at least one character.
    pub(super) fn fits(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for piece in between {
            // At least one character for the variable before it.
            let Some(start) = rest.chars().next().map(char::len_utf8) else { return false };
            let Some((_, after)) = rest.get(start..).and_then(|rest| rest.split_once(piece.as_str())) else {
                return false;
            };
            rest = after;
        }
        !rest.is_empty()
    }

    fn is_literal(&self) -> bool {
        self.pieces.len() == 1
    }

    /// The more literal, the greater.
    fn rank(&self) -> (bool, usize) {
        (self.is_literal(), self.pieces.iter().map(String::len).sum())
    }
}

impl Template {
    pub(super) fn new(path: &str) -> Self {
        Self { segments: path.split('/').skip(1).map(Pattern::new).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn fits(&self, segments: &[String]) -> bool {
        self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).all(|(pattern, segment)| pattern.fits(segment))
    }

    /// Which of two that fit is the more literal, from the left.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let pairs = self.segments.iter().zip(&other.segments);
        pairs
            .map(|(one, other)| one.rank().cmp(&other.rank()))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}
