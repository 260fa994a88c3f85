//! Other readings of a text, with a way back to where each character stood.
//!
//! Detectors read ASCII. What looks like ASCII and is none is folded for them: full-width and other
//! digits, look-alike letters, dashes and spaces of every width; characters without width are dropped.
//! A second reading undoes escapes that commonly wrap a value: `%40`, `\u0040`, `\x40`, `&#64;`, `&commat;`. A
//! third takes out what stands between characters that were written one by one, or in groups.
//! [`View::original`] maps a span of the view to the bytes of the text it was made from.

use std::borrow::Cow;
use std::ops::Range;

use crate::fold::fold;

/// One reading of a text.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// What detectors read.
    pub(crate) text: Cow<'a, str>,
    /// Per byte of the view, the bytes of the original it stands for; empty when they are the same.
    places: Vec<(usize, usize)>,
}

impl<'a> View<'a> {
    /// The text as it is.
    pub(crate) fn plain(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), places: Vec::new() }
    }

    /// Look-alikes folded, characters without width dropped; nothing when the text holds none.
    pub(crate) fn folded(text: &str) -> Option<View<'static>> {
        text.chars().find(|c| fold(*c) != Some(*c))?;
        let mut view = Builder::with_capacity(text.len());
        for (start, c) in text.char_indices() {
            if let Some(folded) = fold(c) {
                view.push(folded, start, start + c.len_utf8());
            }
        }
        Some(view.finish())
    }

    /// This view with its escapes undone; nothing when it holds none.
    pub(crate) fn unescaped(&self) -> Option<View<'static>> {
        let begins = |at: &usize| self.text.get(*at..).and_then(escape).is_some();
        memchr::memchr3_iter(b'%', b'&', b'\\', self.text.as_bytes()).find(begins)?;
        let mut view = Builder::with_capacity(self.text.len());
        let mut rest = self.text.as_ref();
        let mut at = 0;
        while let Some(c) = rest.chars().next() {
            let (out, length) = match escape(rest) {
                Some(decoded) => decoded,
                None => (c, c.len_utf8()),
            };
            let place = self.original(at..at + length);
            if let Some(folded) = fold(out) {
                view.push(folded, place.start, place.end);
            }
            at += length;
            rest = rest.get(length..).unwrap_or("");
        }
        Some(view.finish())
    }

    /// This view with characters that stand apart put together: `4 1 1 1 …`, `a-l-i-c-e-@-…`, `AKIA IOSF ODNN …`.
    /// Only rows of eight and more such characters, or of four and more groups of one size, are; nothing when the
    /// text holds none.
    pub(crate) fn squeezed(&self) -> Option<View<'static>> {
        let bytes = self.text.as_bytes();
        let mut rows = rows(bytes).peekable();
        rows.peek()?;
        let mut view = Builder::with_capacity(self.text.len());
        let mut row = rows.next();
        for (at, c) in self.text.char_indices() {
            while row.as_ref().is_some_and(|row| row.span.end <= at) {
                row = rows.next();
            }
            let dropped = row.as_ref().is_some_and(|row| {
                row.span.contains(&at) && (at - row.span.start) % (row.size + 1) == row.size
            });
            if !dropped {
                let place = self.original(at..at + c.len_utf8());
                view.push(c, place.start, place.end);
            }
        }
        Some(view.finish())
    }

    /// The bytes of the original text behind a span of the view.
    pub(crate) fn original(&self, span: Range<usize>) -> Range<usize> {
        if self.places.is_empty() {
            return span;
        }
        let start = self.places.get(span.start).map_or(0, |place| place.0);
        let end =
            span.end.checked_sub(1).and_then(|last| self.places.get(last)).map_or(start, |place| place.1);
        start..end.max(start)
    }
}

/// Groups of one size with one separator between them.
struct Row {
    span: Range<usize>,
    size: usize,
}

/// The rows of a text, in order and apart.
fn rows(bytes: &[u8]) -> impl Iterator<Item = Row> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let is_part = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'@' | b'.' | b'+' | b'/' | b'=' | b'_' | b'-' | b':' | b'(' | b')')
    };
    let parts = move |byte: u8| {
        matches!(
            byte,
            b' ' | b'-' | b'.' | b'_' | b'/' | b'*' | b'|' | b',' | b':' | b'\t' | b'\n' | b'~' | b'+'
        )
    };
    let mut from = 0;
    std::iter::from_fn(move || {
        while from + 15 <= bytes.len() {
            let start = from;
            from += 1;
            if start > 0 && byte(start - 1).is_ascii_alphanumeric() {
                continue;
            }
            for size in [1, 4, 2, 3, 5] {
                let separator = byte(start + size);
                let group = |at: usize| {
                    (at..at + size).all(|at| is_part(byte(at)) && (size == 1 || byte(at) != separator))
                        && (size == 1 || byte(at).is_ascii_alphanumeric())
                };
                if !parts(separator) || !group(start) {
                    continue;
                }
                let mut end = start + size;
                let mut count = 1;
                while byte(end) == separator && group(end + 1) {
                    end += size + 1;
                    count += 1;
                }
                let least = if size == 1 { 8 } else { 4 };
                if count >= least {
                    // A last, shorter group.
                    if size > 1 && byte(end) == separator {
                        end += 1;
                        while end < bytes.len() && byte(end).is_ascii_alphanumeric() {
                            end += 1;
                        }
                    }
                    from = end;
                    return Some(Row { span: start..end, size });
                }
            }
        }
        None
    })
}

struct Builder {
    text: String,
    places: Vec<(usize, usize)>,
}

impl Builder {
    fn with_capacity(capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), places: Vec::with_capacity(capacity) }
    }

    fn push(&mut self, c: char, start: usize, end: usize) {
        self.text.push(c);
        for _ in 0..c.len_utf8() {
            self.places.push((start, end));
        }
    }

    fn finish(self) -> View<'static> {
        View { text: Cow::Owned(self.text), places: self.places }
    }
}

/// Characters by their names in HTML.
const NAMED: &[(&str, char)] = &[
    ("commat;", '@'),
    ("period;", '.'),
    ("nbsp;", ' '),
    ("amp;", '&'),
    ("lt;", '<'),
    ("gt;", '>'),
    ("quot;", '"'),
    ("apos;", '\''),
    ("colon;", ':'),
    ("sol;", '/'),
    ("lowbar;", '_'),
    ("plus;", '+'),
    ("hyphen;", '-'),
    ("dash;", '-'),
    ("ndash;", '-'),
    ("num;", '#'),
    ("equals;", '='),
    ("lpar;", '('),
    ("rpar;", ')'),
    ("shy;", '\u{ad}'),
    ("zwj;", '\u{200d}'),
    ("zwnj;", '\u{200c}'),
    ("ZeroWidthSpace;", '\u{200b}'),
];

/// The escape at the start of the text: the character it writes and its length in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let hex = |from: usize, digits: usize| {
        let text = text.get(from..from + digits)?;
        text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
        char::from_u32(u32::from_str_radix(text, 16).ok()?)
    };
    let bytes = text.as_bytes();
    match (bytes.first()?, bytes.get(1)?) {
        (b'%', _) => hex(1, 2).filter(char::is_ascii).map(|c| (c, 3)),
        // Escaped once more, in a document within a document.
        (b'\\', b'\\') if matches!(bytes.get(2), Some(b'u' | b'x')) => {
            escape(text.get(1..)?).map(|(c, length)| (c, length + 1))
        }
        (b'\\', b'u') => hex(2, 4).map(|c| (c, 6)),
        (b'\\', b'x') => hex(2, 2).filter(char::is_ascii).map(|c| (c, 4)),
        (b'&', b'a'..=b'z' | b'A'..=b'Z') => NAMED
            .iter()
            .find(|(name, _)| text.get(1..).is_some_and(|rest| rest.starts_with(name)))
            .map(|(name, c)| (*c, name.len() + 1)),
        (b'&', b'#') => {
            let end = bytes.iter().take(10).position(|b| *b == b';')?;
            let number = text.get(2..end)?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).map(|c| (c, end + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_the_way_back() {
        let text = "x\u{200b}４１１１ é\u{0661}";
        let view = View::folded(text).unwrap();
        assert_eq!(view.text, "x4111 é1");
        let span = view.original(1..5);
        assert_eq!(text.get(span), Some("４１１１"));
        let last = view.text.len() - 1;
        assert_eq!(text.get(view.original(last..last + 1)), Some("\u{0661}"));
    }

    #[test]
    fn escapes_are_undone_with_the_way_back() {
        let text = "to=a%40b.com&#64;\\u0040&#x40;";
        let view = View::plain(text).unescaped().unwrap();
        assert_eq!(view.text, "to=a@b.com@@@");
        assert_eq!(text.get(view.original(4..5)), Some("%40"));
        assert_eq!(text.get(view.original(3..10)), Some("a%40b.com"));
        assert!(View::plain("100% & more \\o/ %zz &#; \\u12").unescaped().is_none());
    }
}
