//! Other readings of a text, with a way back to where each character stood.
//!
//! Detectors read ASCII. What looks like ASCII and is none is folded for them: full-width and other
//! digits, look-alike letters, dashes and spaces of every width; characters without width are dropped.
//! A second reading undoes escapes that commonly wrap a value: `%40`, `\u0040`, `\x40`, `&#64;`.
//! [`View::original`] maps a span of the view to the bytes of the text it was made from.

use std::borrow::Cow;
use std::ops::Range;

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

    /// Look-alikes folded, characters without width dropped.
    pub(crate) fn folded(text: &str) -> View<'static> {
        let mut view = Builder::with_capacity(text.len());
        for (start, c) in text.char_indices() {
            if let Some(folded) = fold(c) {
                view.push(folded, start, start + c.len_utf8());
            }
        }
        view.finish()
    }

    /// This view with its escapes undone; nothing when it holds none.
    pub(crate) fn unescaped(&self) -> Option<View<'static>> {
        let mut view = Builder::with_capacity(self.text.len());
        let mut found = false;
        let mut rest = self.text.as_ref();
        let mut at = 0;
        while let Some(c) = rest.chars().next() {
            let (out, length) = match escape(rest) {
                Some((decoded, length)) => {
                    found = true;
                    (decoded, length)
                }
                None => (c, c.len_utf8()),
            };
            let place = self.original(at..at + length);
            if let Some(folded) = fold(out) {
                view.push(folded, place.start, place.end);
            }
            at += length;
            rest = rest.get(length..).unwrap_or("");
        }
        found.then(|| view.finish())
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
        (b'\\', b'u') => hex(2, 4).map(|c| (c, 6)),
        (b'\\', b'x') => hex(2, 2).filter(char::is_ascii).map(|c| (c, 4)),
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

/// The first code points of the blocks of decimal digits of other scripts.
const ZEROES: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
];

/// The ASCII character that a reader would take `c` for; nothing when it has no width; itself otherwise.
fn fold(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    let code = u32::from(c);
    Some(match c {
        '\u{00ad}'
        | '\u{034f}'
        | '\u{061c}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => return None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xff01 + 0x21).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{3002}' | '\u{fe52}' | '\u{2024}' | '\u{00b7}' => '.',
        '\u{fe6b}' => '@',
        '\u{fe55}' | '\u{2236}' | '\u{a789}' => ':',
        '\u{2460}'..='\u{2468}' => char::from_u32(code - 0x2460 + 0x31).unwrap_or(c),
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'е' | 'ε' => 'e',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'у' => 'y',
        'х' => 'x',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        c => ZEROES
            .iter()
            .find(|zero| (**zero..**zero + 10).contains(&code))
            .and_then(|zero| char::from_digit(code - zero, 10))
            .unwrap_or(c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_the_way_back() {
        let text = "x\u{200b}４１１１ é\u{0661}";
        let view = View::folded(text);
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
