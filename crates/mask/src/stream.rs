//! Masks text that comes in chunks, with a bounded hold-back.
//!
//! A stream is cut into segments by what is in it, never by where chunks end, so that any split of a text
//! gives the same masked text: a segment is a line; a private key's block is one however many lines it has; a line
//! that is longer than [`LONGEST`] is cut at a space, or between findings. What is pushed comes out once its
//! segment has ended; [`Stream::flush`] lets out what waits when nobody writes on (a prompt).
//!
//! A segment that cannot be read (a key's block that does not end, a word longer than what is held) is
//! withheld up to its end: a mark stands for it.

use crate::context::FieldContext;
use crate::detect::detect;
use crate::operator::placeholder;
use crate::text::{mask_text, replace};

/// The most that is held back, bytes.
const LONGEST: usize = 32 << 10;

/// How near the end of what is held a finding may not reach, bytes: what comes next could belong to it.
const MARGIN: usize = 4 << 10;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// A text on its way through.
#[derive(Debug, Default)]
pub struct Stream {
    column: Option<String>,
    held: String,
    skipping: Skipping,
}

/// What of the text that comes is left out, since a mark stands for it already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipping {
    #[default]
    Nothing,
    /// Up to the end of a private key's block.
    Block,
    /// Up to the end of a word.
    Word,
}

impl Stream {
    /// A stream of text of that field.
    #[must_use]
    pub fn new(context: &FieldContext<'_>) -> Self {
        Self { column: context.column.map(str::to_owned), ..Self::default() }
    }

    /// Takes the next chunk and gives what is ready.
    pub fn push(&mut self, chunk: &str) -> String {
        let mut out = String::new();
        let mut rest = chunk;
        // No more is ever held than one segment and a piece.
        while !rest.is_empty() {
            let mut size = rest.len().min(LONGEST);
            while !rest.is_char_boundary(size) {
                size -= 1;
            }
            let (piece, after) = rest.split_at(size);
            self.held.push_str(piece);
            rest = after;
            while self.step(&mut out) {}
        }
        out
    }

    /// Gives all that is held, as if its segment had ended.
    pub fn flush(&mut self) -> String {
        let mut out = String::new();
        while self.step(&mut out) {}
        let held = std::mem::take(&mut self.held);
        if self.skipping == Skipping::Nothing {
            self.mask(&held, &mut out);
            if opens_block(&held) {
                self.skipping = Skipping::Block;
            }
        }
        out
    }

    /// The end of the text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.flush()
    }

    /// Takes one segment off what is held; false when none has ended.
    fn step(&mut self, out: &mut String) -> bool {
        match self.skipping {
            Skipping::Nothing => self.segment(out),
            Skipping::Block => {
                let Some(end) = block_end(&self.held) else {
                    // Only what could be the start of the end is kept.
                    let keep = self.held.len().saturating_sub(128);
                    self.drop_to(keep);
                    return false;
                };
                self.drop_to(end);
                self.skipping = Skipping::Nothing;
                true
            }
            Skipping::Word => {
                let Some(end) = self.held.find(char::is_whitespace) else {
                    self.held.clear();
                    return false;
                };
                self.drop_to(end);
                self.skipping = Skipping::Nothing;
                true
            }
        }
    }

    fn drop_to(&mut self, mut end: usize) {
        while !self.held.is_char_boundary(end) {
            end -= 1;
        }
        self.held.drain(..end);
    }

    fn segment(&mut self, out: &mut String) -> bool {
        let window = self.held.len().min(LONGEST);
        let line = memchr::memchr(b'\n', self.held.as_bytes().get(..window).unwrap_or(&[])).map(|at| at + 1);
        if let Some(end) = line {
            let is_block = self.held.get(..end).is_some_and(opens_block);
            let end = if is_block {
                match block_end(self.held.get(..window).unwrap_or(&self.held)) {
                    Some(close) => self.line_end(close),
                    None if self.held.len() < LONGEST => return false,
                    None => {
                        // Longer than any key: its start is masked, and what comes is left out up to its end.
                        out.push_str(&self.taken(end, masked));
                        self.skipping = Skipping::Block;
                        return true;
                    }
                }
            } else {
                Some(end)
            };
            let Some(end) = end else { return false };
            out.push_str(&self.taken(end, masked));
            return true;
        }
        if self.held.len() < LONGEST {
            return false;
        }
        self.long(out);
        true
    }

    /// The end of the line that goes on at `at`; nothing while it has none and more may come.
    fn line_end(&self, at: usize) -> Option<usize> {
        let rest = self.held.as_bytes().get(at..self.held.len().min(LONGEST).max(at))?;
        match memchr::memchr(b'\n', rest) {
            Some(length) => Some(at + length + 1),
            None => (self.held.len() >= LONGEST).then_some(at),
        }
    }

    /// A line that is longer than what is held: cut before the first finding that comes too near the end, at a
    /// space if there is one.
    fn long(&mut self, out: &mut String) {
        let mut window = LONGEST;
        while !self.held.is_char_boundary(window) {
            window -= 1;
        }
        let text = self.held.get(..window).unwrap_or("");
        let mut cut = window - MARGIN;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let findings = detect(text, &FieldContext::under(self.column.as_deref()));
        let crossing =
            findings.iter().find(|finding| finding.bytes.end > cut).map(|finding| finding.bytes.clone());
        if let Some(crossing) = crossing.filter(|crossing| crossing.start < cut) {
            cut = crossing.start;
        }
        if let Some(space) = text.get(..cut).and_then(|text| text.rfind(char::is_whitespace))
            && space > 0
            && !findings.iter().any(|finding| finding.bytes.contains(&space))
        {
            cut = space;
        }
        if cut == 0 {
            // One finding from end to end: a mark, and the rest of its word is left out.
            let entity = findings.first().map_or("WITHHELD", |finding| finding.entity);
            out.push_str(&placeholder(entity));
            self.held.drain(..window);
            self.skipping = Skipping::Word;
            return;
        }
        let before: Vec<_> = findings.into_iter().filter(|finding| finding.bytes.end <= cut).collect();
        out.push_str(&replace(text.get(..cut).unwrap_or(""), &before));
        self.held.drain(..cut);
    }

    fn taken(&mut self, end: usize, mask: impl Fn(&str, Option<&str>) -> String) -> String {
        let masked = mask(self.held.get(..end).unwrap_or(""), self.column.as_deref());
        self.held.drain(..end);
        masked
    }

    fn mask(&self, text: &str, out: &mut String) {
        out.push_str(&masked(text, self.column.as_deref()));
    }
}

fn masked(text: &str, column: Option<&str>) -> String {
    mask_text(text, &FieldContext::under(column)).unwrap_or_else(|| text.to_owned())
}

/// Whether a private key's block starts in the text and does not end in it.
fn opens_block(text: &str) -> bool {
    text.rfind(BEGIN).is_some_and(|at| {
        let rest = text.get(at..).unwrap_or("");
        rest.get(BEGIN.len()..)
            .and_then(|label| label.split("-----").next())
            .is_some_and(|label| label.contains("PRIVATE KEY"))
            && !rest.contains(END)
    })
}

/// Where the first private key's block that the text opens, or is within, ends.
fn block_end(text: &str) -> Option<usize> {
    let close = text.find(END)? + END.len();
    let line = text.get(close..)?.find("-----")?;
    Some(close + line + 5)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
