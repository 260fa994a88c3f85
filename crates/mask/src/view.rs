//! Other readings of a text, with a way back to where each character stood.
//!
//! Detectors read ASCII. What looks like ASCII and is none is folded for them: full-width and other
//! digits, look-alike letters, dashes and spaces of every width; characters without width are dropped.
//! A second reading undoes escapes that commonly wrap a value: `%40`, `\u0040`, `\x40`, `\100`, `&#64;`, `&commat;`,
//! `=40`. A third takes out what stands between characters that were written one by one, or in groups, a fourth the
//! tags and comments of HTML that change how a text looks and not what it says.
//! [`View::original`] maps a span of the view to the bytes of the text it was made from.

use std::borrow::Cow;
use std::ops::Range;

use crate::fold::{fold, is_mark};

/// One reading of a text.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// What detectors read.
    pub(crate) text: Cow<'a, str>,
    /// Where its stretches come from, in order; empty when it is the text itself.
    stretches: Vec<Stretch>,
}

/// A stretch of a view.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Where it starts in the view.
    at: usize,
    /// The bytes of the original behind it.
    start: usize,
    end: usize,
    /// It was copied byte by byte; otherwise all of it stands for all of the original's bytes.
    copied: bool,
}

impl<'a> View<'a> {
    /// The text as it is.
    pub(crate) fn plain(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), stretches: Vec::new() }
    }

    /// Look-alikes folded, characters without width dropped; nothing when the text holds none.
    pub(crate) fn folded(text: &str) -> Option<View<'static>> {
        text.chars().find(|c| fold(*c) != Some(*c))?;
        let plain = View::plain(text);
        let mut view = Builder::with_capacity(text.len());
        let mut copied = 0;
        for (start, c) in text.char_indices().filter(|(_, c)| !c.is_ascii()) {
            let folded = fold(c);
            if folded == Some(c) {
                continue;
            }
            view.copy(&plain, copied..start);
            copied = start + c.len_utf8();
            match folded {
                Some(folded) => view.push(folded, start..copied),
                None if is_mark(c) => view.extend(copied),
                None => {}
            }
        }
        view.copy(&plain, copied..text.len());
        Some(view.finish())
    }

    /// This view with its escapes undone, those of quoted-printable text among them where it is `quoted`; nothing
    /// when it holds none.
    pub(crate) fn unescaped(&self, quoted: bool) -> Option<View<'static>> {
        let bytes = self.text.as_bytes();
        // The next sign that may start an escape.
        let next = |at: usize| {
            let rest = bytes.get(at..)?;
            let sign = match quoted {
                true => rest.iter().position(|byte| matches!(byte, b'%' | b'&' | b'\\' | b'='))?,
                false => memchr::memchr3(b'%', b'&', b'\\', rest)?,
            };
            Some(at + sign)
        };
        let mut view = Builder::with_capacity(0);
        let (mut at, mut copied) = (0, 0);
        while let Some(sign) = next(at) {
            let Some((out, length)) = self.text.get(sign..).and_then(|rest| escape(rest, quoted)) else {
                at = sign + 1;
                continue;
            };
            view.text.reserve(if copied == 0 { bytes.len() } else { 0 });
            view.copy(self, copied..sign);
            at = sign + length;
            copied = at;
            if let Some(folded) = fold(out) {
                view.push(folded, self.original(sign..at));
            }
        }
        if copied == 0 {
            return None;
        }
        view.copy(self, copied..bytes.len());
        Some(view.finish())
    }

    /// This view without the tags and comments that change how a text looks; nothing when it holds none.
    pub(crate) fn untagged(&self) -> Option<View<'static>> {
        let bytes = self.text.as_bytes();
        memchr::memchr_iter(b'<', bytes).find(|at| tag_end(bytes, *at).is_some())?;
        let mut view = Builder::with_capacity(self.text.len());
        let mut from = 0;
        for open in memchr::memchr_iter(b'<', bytes) {
            if open >= from
                && let Some(end) = tag_end(bytes, open)
            {
                view.copy(self, from..open);
                from = end;
            }
        }
        view.copy(self, from..bytes.len());
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
        let mut copied = 0;
        for row in rows {
            let mut group = row.span.start;
            view.copy(self, copied..group);
            while group < row.span.end {
                view.copy(self, group..row.span.end.min(group + row.size));
                group += row.size + row.gap;
            }
            copied = row.span.end;
        }
        view.copy(self, copied..bytes.len());
        Some(view.finish())
    }

    /// The bytes of the original text behind a span of the view.
    pub(crate) fn original(&self, span: Range<usize>) -> Range<usize> {
        if self.stretches.is_empty() {
            return span;
        }
        let of = |at: usize| {
            let after = self.stretches.partition_point(|stretch| stretch.at <= at);
            after.checked_sub(1).and_then(|at| self.stretches.get(at))
        };
        let start = of(span.start).map_or(0, |stretch| match stretch.copied {
            true => stretch.start + (span.start - stretch.at),
            false => stretch.start,
        });
        let last = span.end.checked_sub(1).filter(|last| *last >= span.start);
        let end = last.and_then(|last| of(last).map(|stretch| (last, stretch)));
        let end = end.map_or(start, |(last, stretch)| match stretch.copied {
            true => (stretch.start + (last - stretch.at) + 1).min(stretch.end),
            false => stretch.end,
        });
        start..end.max(start)
    }
}

/// Groups of one size with the same between them.
struct Row {
    span: Range<usize>,
    size: usize,
    /// Bytes between one group and the next.
    gap: usize,
}

/// The most bytes between two groups.
pub(crate) const WIDEST_GAP: usize = 8;

/// The rows of a text, in order and apart.
fn rows(bytes: &[u8]) -> impl Iterator<Item = Row> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while from + 15 <= bytes.len() {
            let start = from;
            from += 1;
            let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
            if start > 0 && byte(start - 1).is_ascii_alphanumeric() {
                continue;
            }
            for size in [1, 4, 2, 3, 5] {
                let found = row(bytes, start, size, 1).or_else(|| {
                    let rest = bytes.get(start + size..bytes.len().min(start + size + WIDEST_GAP + 1))?;
                    let gap = rest.iter().position(u8::is_ascii_alphanumeric)?;
                    if gap > 1 && matches!(size, 1 | 4) { row(bytes, start, size, gap) } else { None }
                });
                if let Some(row) = found {
                    from = row.span.end;
                    return Some(row);
                }
            }
        }
        None
    })
}

/// The row of groups of that size, with so many bytes between them, that starts there.
fn row(bytes: &[u8], start: usize, size: usize, gap: usize) -> Option<Row> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let is_part = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'@' | b'.' | b'+' | b'/' | b'=' | b'_' | b'-' | b':' | b'(' | b')')
    };
    let between = bytes.get(start + size..start + size + gap)?;
    let parts = |byte: &u8| match gap {
        1 => matches!(
            byte,
            b' ' | b'-'
                | b'.'
                | b'_'
                | b'/'
                | b'*'
                | b'|'
                | b','
                | b';'
                | b':'
                | b'\t'
                | b'\n'
                | b'~'
                | b'+'
                | b'\\'
        ),
        _ => byte.is_ascii() && *byte != b'@' && !byte.is_ascii_alphanumeric(),
    };
    let group = |at: usize| {
        (at..at + size).all(|at| is_part(byte(at)) && (size == 1 || Some(&byte(at)) != between.first()))
            && (size == 1 || byte(at).is_ascii_alphanumeric())
    };
    if !between.iter().all(parts) || !group(start) {
        return None;
    }
    let mut end = start + size;
    let mut count = 1;
    while bytes.get(end..end + gap) == Some(between) && group(end + gap) {
        end += size + gap;
        count += 1;
    }
    if count < if size == 1 { 8 } else { 4 } {
        return None;
    }
    // A last, shorter group.
    if size > 1 && bytes.get(end..end + gap) == Some(between) {
        end += gap;
        while end < bytes.len() && byte(end).is_ascii_alphanumeric() {
            end += 1;
        }
    }
    Some(Row { span: start..end, size, gap })
}

/// Elements of HTML that change how a text looks, and not what it says.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "s",
    "small", "span", "strong", "sub", "sup", "tt", "u", "wbr",
];

/// The longest tag or comment that is taken out, bytes.
const LONGEST_TAG: usize = 256;

/// The end of the tag of such an element, or of the comment, that starts there.
fn tag_end(bytes: &[u8], start: usize) -> Option<usize> {
    let tag = bytes.get(start..bytes.len().min(start + LONGEST_TAG))?;
    if tag.starts_with(b"<!--") {
        return memchr::memmem::find(tag, b"-->").map(|end| start + end + 3);
    }
    let open = if tag.get(1) == Some(&b'/') { 2 } else { 1 };
    let name = tag.get(open..)?;
    let length = name.iter().take(8).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, rest) = name.split_at_checked(length)?;
    let ends = matches!(rest.first()?, b'>' | b'/' | b' ' | b'\t' | b'\n');
    (ends && INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline.as_bytes()))).then_some(())?;
    memchr::memchr(b'>', rest).map(|end| start + open + length + end + 1)
}

struct Builder {
    text: String,
    stretches: Vec<Stretch>,
}

impl Builder {
    fn with_capacity(capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), stretches: Vec::new() }
    }

    /// A character that stands for those bytes of the original.
    fn push(&mut self, c: char, place: Range<usize>) {
        self.stretches.push(Stretch {
            at: self.text.len(),
            start: place.start,
            end: place.end,
            copied: false,
        });
        self.text.push(c);
    }

    /// That span of another view as it is.
    fn copy(&mut self, from: &View<'_>, span: Range<usize>) {
        let Some(part) = from.text.get(span.clone()).filter(|part| !part.is_empty()) else { return };
        let at = self.text.len();
        self.text.push_str(part);
        if from.stretches.is_empty() {
            self.stretches.push(Stretch { at, start: span.start, end: span.end, copied: true });
            return;
        }
        let first = from.stretches.partition_point(|stretch| stretch.at <= span.start).saturating_sub(1);
        let stretches = from.stretches.iter().skip(first).take_while(|stretch| stretch.at < span.end);
        for stretch in stretches {
            let cut = span.start.saturating_sub(stretch.at);
            self.stretches.push(Stretch {
                at: at + stretch.at.saturating_sub(span.start),
                start: if stretch.copied { stretch.start + cut } else { stretch.start },
                ..*stretch
            });
        }
    }

    /// The last character goes as far as there in the original.
    fn extend(&mut self, end: usize) {
        let Some(last) = self.stretches.last_mut() else { return };
        if !last.copied {
            last.end = end;
            return;
        }
        let Some(c) = self.text.chars().next_back() else { return };
        let (at, start) = (self.text.len() - c.len_utf8(), last.end - c.len_utf8());
        if at == last.at {
            (last.end, last.copied) = (end, false);
        } else {
            last.end = start;
            self.stretches.push(Stretch { at, start, end, copied: false });
        }
    }

    fn finish(self) -> View<'static> {
        View { text: Cow::Owned(self.text), stretches: self.stretches }
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

/// What an escape writes that is nothing.
const NOTHING: char = '\u{200b}';

/// The escape at the start of the text: the character it writes and its length in bytes.
fn escape(text: &str, quoted: bool) -> Option<(char, usize)> {
    let hex = |from: usize, digits: usize| {
        let text = text.get(from..from + digits)?;
        text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
        char::from_u32(u32::from_str_radix(text, 16).ok()?)
    };
    let bytes = text.as_bytes();
    match (bytes.first()?, bytes.get(1)?) {
        (b'%', _) => hex(1, 2).filter(char::is_ascii).map(|c| (c, 3)),
        (b'=', b'\n') if quoted => Some((NOTHING, 2)),
        (b'=', b'\r') if quoted && bytes.get(2) == Some(&b'\n') => Some((NOTHING, 3)),
        (b'=', b'2'..=b'7') if quoted => hex(1, 2).filter(|c| matches!(c, ' '..='~')).map(|c| (c, 3)),
        (b'\\', _) => backslash(text, hex),
        (b'&', b'a'..=b'z' | b'A'..=b'Z') => NAMED
            .iter()
            .find(|(name, _)| text.get(1..).is_some_and(|rest| rest.starts_with(name)))
            .map(|(name, c)| (*c, name.len() + 1)),
        (b'&', b'#') => {
            let (start, radix) = if matches!(bytes.get(2), Some(b'x' | b'X')) { (3, 16) } else { (2, 10) };
            let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
            let end = start + bytes.iter().skip(start).take(7).take_while(is_digit).count();
            let code = u32::from_str_radix(text.get(start..end)?, radix).ok()?;
            // Browsers read on over a semicolon that is missing.
            let end = if bytes.get(end) == Some(&b';') { end + 1 } else { end };
            char::from_u32(code).map(|c| (c, end))
        }
        _ => None,
    }
}

/// The escape behind a backslash.
fn backslash(text: &str, hex: impl Fn(usize, usize) -> Option<char>) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    match bytes.get(1)? {
        // Escaped once more, in a document within a document.
        b'\\' if matches!(bytes.get(2), Some(b'u' | b'x')) => {
            escape(text.get(1..)?, false).map(|(c, length)| (c, length + 1))
        }
        b'u' if bytes.get(2) == Some(&b'{') => {
            let end = bytes.iter().take(10).position(|byte| *byte == b'}')?;
            hex(3, end.checked_sub(3).filter(|digits| *digits > 0)?).map(|c| (c, end + 1))
        }
        b'u' => hex(2, 4).map(|c| (c, 6)),
        b'x' => hex(2, 2).filter(char::is_ascii).map(|c| (c, 4)),
        b'n' | b'r' => Some(('\n', 2)),
        b't' => Some(('\t', 2)),
        sign @ (b'@' | b'.' | b'-' | b'_') => Some((char::from(*sign), 2)),
        b'0' | b'1' => {
            let digits =
                text.get(1..4).filter(|text| text.bytes().all(|byte| matches!(byte, b'0'..=b'7')))?;
            let code = u8::from_str_radix(digits, 8).ok()?;
            matches!(code, b' '..=b'~').then_some((char::from(code), 4))
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
        let view = View::plain(text).unescaped(false).unwrap();
        assert_eq!(view.text, "to=a@b.com@@@");
        assert_eq!(text.get(view.original(4..5)), Some("%40"));
        assert_eq!(text.get(view.original(3..10)), Some("a%40b.com"));
        assert!(View::plain("100% & more \\o/ %zz &#; \\u12").unescaped(false).is_none());
    }
}
