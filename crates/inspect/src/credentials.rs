//! Credentials that stand in a statement, so that nothing that keeps statements keeps them.
//!
//! `PASSWORD '…'`, `IDENTIFIED BY '…'`, options of foreign servers and user mappings, passwords within
//! connection strings and addresses, in literals, in code between dollar quotes, in comments. Found by
//! lexemes and not by the grammar, since a statement that the server would refuse holds its password all
//! the same, and one that is cut off anywhere too. What is found here is left out of recordings and
//! previews; nothing is decided by it.

use std::ops::Range;

/// What stands in the place of a credential.
pub const STAND_IN: &str = "‹credential›";

/// Whose way of quoting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL's.
    Postgres,
    /// MySQL's and MariaDB's.
    MySql,
}

/// Code within code within code is looked into so often.
const DEEPEST: u32 = 4;
/// Longer words are none that matter.
const LONGEST_WORD: usize = 64;
/// A word that ends so names a secret.
const ENDINGS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secret_key",
    "access_key",
    "access_token",
    "api_key",
    "apikey",
    "auth_token",
    "bearer_token",
    "private_key",
];

/// Where credentials stand in a text, quotes not included, in order.
#[must_use]
pub fn find(text: &[u8], dialect: Dialect) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if hints(text) {
        statements(text, 0, dialect, 0, &mut found);
        found.retain(|span| !span.is_empty());
        found.sort_by_key(|span| (span.start, span.end));
        // One within another is part of it.
        let mut end = 0;
        found.retain(|span| {
            let apart = span.start >= end;
            end = end.max(span.end);
            apart
        });
    }
    found
}

/// The text with its credentials left out; nothing when it has none.
#[must_use]
pub fn withhold(text: &[u8], credentials: &[Range<usize>]) -> Option<Vec<u8>> {
    if credentials.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() + credentials.len() * STAND_IN.len());
    let mut from = 0;
    for span in credentials {
        out.extend_from_slice(text.get(from..span.start).unwrap_or_default());
        out.extend_from_slice(STAND_IN.as_bytes());
        from = span.end;
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    Some(out)
}

/// Whether the text has one of the words without which there is no credential. Nearly every text has none,
/// and each is asked.
fn hints(text: &[u8]) -> bool {
    let starts = |at: usize, hint: &[u8]| {
        text.get(at..at + hint.len()).is_some_and(|there| there.eq_ignore_ascii_case(hint))
    };
    text.iter().enumerate().any(|(at, byte)| match byte {
        b'p' | b'P' => starts(at, b"pass") || starts(at, b"pwd") || starts(at, b"private_key"),
        b'i' | b'I' => starts(at, b"identified"),
        b's' | b'S' => starts(at, b"secret"),
        b't' | b'T' => starts(at, b"token"),
        b'a' | b'A' => starts(at, b"api") || starts(at, b"access_key"),
        b':' => starts(at, b"://"),
        _ => false,
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn names_secret(word: &[u8]) -> bool {
    let Ok(word) = std::str::from_utf8(word) else { return false };
    if word.len() > LONGEST_WORD {
        return false;
    }
    let word = word.to_ascii_lowercase();
    word == "token" || ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// The lexemes that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Mark(u8),
    /// A literal; whether it stood where a credential stands.
    Literal(bool),
}

/// What came before in the same statement.
#[derive(Debug, Default)]
struct Before {
    last: Vec<(Kind, Range<usize>)>,
    words: u8,
    /// The statement begins with SET PASSWORD.
    sets: bool,
    is_set: bool,
    /// IDENTIFIED stands before.
    identified: bool,
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    dialect: Dialect,
}

impl Scan<'_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// To the end of a word.
    fn word(&mut self) -> Range<usize> {
        let start = self.at;
        while self.byte(0).is_some_and(is_word) {
            self.at += 1;
        }
        start..self.at
    }

    /// The inside of something between quotes, on its first quote; to the end of the text when it is open.
    fn quoted(&mut self, quote: u8, backslash: bool) -> Range<usize> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.byte(0) {
            if backslash && byte == b'\\' {
                self.at += 2;
            } else if byte != quote {
                self.at += 1;
            } else if self.byte(1) == Some(quote) {
                self.at += 2;
            } else {
                let inside = start..self.at;
                self.at += 1;
                return inside;
            }
        }
        self.at = self.text.len();
        start..self.at
    }

    /// The inside of dollar quotes; nothing when it is no such quote.
    fn dollars(&mut self) -> Option<Range<usize>> {
        let mut end = self.at + 1;
        while self.text.get(end).copied().is_some_and(|byte| is_word(byte) && end - self.at <= LONGEST_WORD) {
            end += 1;
        }
        let tag = self.text.get(self.at..=end).filter(|tag| tag.ends_with(b"$"))?;
        if tag.get(1).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let start = end + 1;
        let rest = self.text.get(start..)?;
        let length = tag.len();
        let inside = rest.windows(length).position(|there| there == tag);
        let inside = start..inside.map_or(self.text.len(), |at| start + at);
        self.at = (inside.end + length).min(self.text.len());
        Some(inside)
    }

    /// The inside of a comment; nothing when none begins here.
    fn comment(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        match (self.byte(0)?, self.byte(1)) {
            (b'-', Some(b'-')) => self.line(start),
            (b'#', _) if self.dialect == Dialect::MySql => self.line(start),
            // What MySQL runs stands in comments too: the marks are passed over, the rest is read.
            (b'/', Some(b'*'))
                if self.dialect == Dialect::MySql && matches!(self.byte(2), Some(b'!' | b'M')) =>
            {
                self.at += 3;
                Some(self.at..self.at)
            }
            (b'/', Some(b'*')) => {
                self.at += 2;
                let mut depth = 1;
                while depth > 0 {
                    match (self.byte(0), self.byte(1)) {
                        (None, _) => break,
                        (Some(b'*'), Some(b'/')) => {
                            depth -= 1;
                            self.at += 2;
                        }
                        (Some(b'/'), Some(b'*')) if self.dialect == Dialect::Postgres => {
                            depth += 1;
                            self.at += 2;
                        }
                        _ => self.at += 1,
                    }
                }
                Some(start..self.at.min(self.text.len()))
            }
            _ => None,
        }
    }

    fn line(&mut self, start: usize) -> Option<Range<usize>> {
        while self.byte(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
        Some(start..self.at)
    }
}

impl Before {
    fn push(&mut self, kind: Kind, range: Range<usize>) {
        if self.last.len() >= 4 {
            self.last.remove(0);
        }
        self.last.push((kind, range));
    }

    fn word(&mut self, word: &[u8]) {
        self.words = self.words.saturating_add(1);
        match self.words {
            1 => self.is_set = word.eq_ignore_ascii_case(b"set"),
            2 => self.sets = self.is_set && word.eq_ignore_ascii_case(b"password"),
            _ => {}
        }
        self.identified |= word.eq_ignore_ascii_case(b"identified");
    }

    /// Takes away what belongs to a literal that begins at `at`: `E`, `N`, `U&`, `_utf8mb4`.
    fn prefix(&mut self, text: &[u8], at: usize, dialect: Dialect) -> bool {
        let mut escapes = false;
        if let [.., (Kind::Word, u), (Kind::Mark(b'&'), mark)] = self.last.as_slice()
            && mark.end == at
            && u.end == mark.start
            && text.get(u.clone()).is_some_and(|word| word.eq_ignore_ascii_case(b"u"))
        {
            self.last.truncate(self.last.len() - 2);
        } else if let Some((Kind::Word, range)) = self.last.last() {
            let word = text.get(range.clone()).unwrap_or_default();
            let introduces = dialect == Dialect::MySql && word.starts_with(b"_");
            if introduces || range.end == at && word.len() == 1 {
                escapes = word.eq_ignore_ascii_case(b"e");
                self.last.pop();
            }
        }
        escapes
    }

    /// Whether a credential stands here.
    fn expects(&self, text: &[u8]) -> bool {
        let word = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let is = |range: &Range<usize>, words: &[&[u8]]| {
            words.iter().any(|one| word(range).eq_ignore_ascii_case(one))
        };
        match self.last.as_slice() {
            [.., (Kind::Literal(expected), _)] => *expected,
            [.., (Kind::Word, before)] => {
                names_secret(word(before))
                    || self.identified && is(before, &[b"by", b"as", b"using", b"replace"])
                    || self.sets && is(before, &[b"to", b"replace"])
            }
            [.., (Kind::Word, name), (Kind::Mark(b'='), _)]
            | [.., (Kind::Word, name), (Kind::Mark(b':'), _), (Kind::Mark(b'='), _)]
            | [.., (Kind::Word, name), (Kind::Mark(b'='), _), (Kind::Mark(b'>'), _)]
            | [.., (Kind::Word, name), (Kind::Mark(b'('), _)]
                if names_secret(word(name)) =>
            {
                true
            }
            [.., (Kind::Mark(b'='), _)] => self.sets,
            _ => false,
        }
    }
}

/// Reads text as statements. `base` is where it stands in the whole.
fn statements(text: &[u8], base: usize, dialect: Dialect, depth: u32, found: &mut Vec<Range<usize>>) {
    let mut scan = Scan { text, at: 0, dialect };
    let mut before = Before::default();
    let mut take = |inside: Range<usize>, expected: bool, is_code: bool| {
        if expected {
            found.push(base + inside.start..base + inside.end);
        } else if is_code && depth < DEEPEST {
            let part = text.get(inside.clone()).unwrap_or_default();
            statements(part, base + inside.start, dialect, depth + 1, found);
        } else {
            values(text.get(inside.clone()).unwrap_or_default(), base + inside.start, found);
        }
    };
    while let Some(byte) = scan.byte(0) {
        let start = scan.at;
        if let Some(comment) = scan.comment() {
            take(comment, false, false);
            continue;
        }
        match byte {
            b'\'' | b'"' if byte == b'\'' || dialect == Dialect::MySql => {
                let escapes = before.prefix(text, start, dialect);
                let expected = before.expects(text);
                let inside = scan.quoted(byte, escapes || dialect == Dialect::MySql);
                before.push(Kind::Literal(expected), inside.clone());
                take(inside, expected, false);
            }
            b'"' | b'`' => {
                let inside = scan.quoted(byte, false);
                before.push(Kind::Word, inside);
            }
            b'$' if dialect == Dialect::Postgres => match scan.dollars() {
                Some(inside) => {
                    let expected = before.expects(text);
                    before.push(Kind::Literal(expected), inside.clone());
                    take(inside, expected, true);
                }
                None => scan.at += 1,
            },
            b';' => {
                before = Before::default();
                scan.at += 1;
            }
            byte if is_word(byte) => {
                let range = scan.word();
                before.word(text.get(range.clone()).unwrap_or_default());
                before.push(Kind::Word, range);
            }
            byte => {
                scan.at += 1;
                if !byte.is_ascii_whitespace() {
                    before.push(Kind::Mark(byte), start..start + 1);
                }
            }
        }
    }
}

/// Looks through what is no statement: `password=…` of connection strings, `"password": "…"`,
/// `scheme://user:password@host`, `password ''…''` of a statement in a literal.
fn values(text: &[u8], base: usize, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let span = match byte {
            b'=' if names_secret(word_before(text, at)) => value_after(text, at + 1, true),
            b':' if text.get(at..at + 3) == Some(b"://") => authority(text, at + 3),
            b':' if text.get(..at).is_some_and(|head| head.ends_with(b"\""))
                && names_secret(word_before(text, at - 1)) =>
            {
                value_after(text, at + 1, false)
            }
            // A doubled or escaped quote opens a literal within the literal.
            b'\'' | b'\\' if text.get(at + 1) == Some(&b'\'') => {
                let word = word_before(text, at);
                if names_secret(word) || word.eq_ignore_ascii_case(b"by") {
                    value_after(text, at, false)
                } else {
                    None
                }
            }
            _ => None,
        };
        at = match span {
            Some(span) => {
                let next = span.end.max(at + 1);
                found.push(base + span.start..base + span.end);
                next
            }
            None => at + 1,
        };
    }
}

/// The word before a place, blanks between left out.
fn word_before(text: &[u8], at: usize) -> &[u8] {
    let head = text.get(..at).unwrap_or_default();
    let blanks = head.iter().rev().take(LONGEST_WORD).take_while(|byte| byte.is_ascii_whitespace()).count();
    let head = head.get(..head.len() - blanks).unwrap_or_default();
    let length = head.iter().rev().take(LONGEST_WORD + 1).take_while(|byte| is_word(**byte)).count();
    head.get(head.len() - length..).unwrap_or_default()
}

/// A value, between quotes of whatever kind or, when it may be, bare.
fn value_after(text: &[u8], from: usize, bare: bool) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let start = from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = text.get(start..)?;
    for quote in [&b"''"[..], b"\\'", b"\\\"", b"'", b"\""] {
        let Some(inside) = rest.strip_prefix(quote) else { continue };
        let start = start + quote.len();
        let mut end = 0;
        while let Some(there) = inside.get(end..).filter(|there| !there.is_empty()) {
            if there.starts_with(quote) {
                break;
            }
            end += if there.starts_with(b"\\") { 2 } else { 1 };
        }
        return Some(start..start + end.min(inside.len()));
    }
    let ends =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'&' | b',' | b'\'' | b'"' | b')');
    let length = rest.iter().take_while(|byte| !ends(byte)).count();
    (bare && length > 0).then_some(start..start + length)
}

/// The password before the host.
fn authority(text: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'\'' | b'"');
    let length = rest.iter().take_while(|byte| !ends(byte)).count();
    let host = rest.get(..length)?;
    let at = host.iter().rposition(|byte| *byte == b'@')?;
    let colon = host.get(..at)?.iter().position(|byte| *byte == b':')?;
    Some(from + colon + 1..from + at)
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
