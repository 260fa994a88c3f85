//! `EMAIL_ADDRESS` written for people and not for machines: `alice [at] example [dot] com`, `alice AT example DOT com`,
//! `alice @ example . com`, `alice(@)example.com`; and turned round, `moc.elpmaxe@ecila`.
//!
//! Prose has "at" everywhere, so something else must tell: a bracket or signs around it, capitals, or a dot that is
//! spelled too.

use std::ops::Range;

use super::email_address::KIND;
use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::SPELLED_AT;
use crate::parts::{AT_WORDS, DOT_WORDS};

/// The most labels of a host name, the longest mailbox name, and the most spaces around a sign.
const LABELS: usize = 8;
const LONGEST: usize = 64;
const SPACES: usize = 3;

/// Hosts after a sign that stands apart end as most addresses do, or in two letters that no file's name ends in.
const TOPS: &[&str] = &[
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "dev", "app", "cloud", "online", "tech",
    "email", "name", "example", "test", "invalid", "internal", "local",
];
const FILES: &[&str] = &["py", "rs", "sh", "md", "js", "ts", "go", "cc", "so", "gz", "db"];

/// What stands before "at" and is nobody's mailbox.
const PROSE: &[&str] = &[
    "us",
    "me",
    "him",
    "her",
    "them",
    "it",
    "is",
    "are",
    "was",
    "look",
    "mail",
    "email",
    "site",
    "visit",
    "online",
    "page",
    "here",
    "live",
    "work",
    "found",
    "available",
    "more",
    "arrived",
    "hosted",
];

/// What stands after "at" in prose and names no host.
const ARTICLES: &[&str] =
    &["the", "a", "an", "this", "that", "each", "every", "any", "which", "what", "its", "my"];

/// The detector.
#[derive(Debug)]
pub(super) struct SpelledEmail;

impl Detector for SpelledEmail {
    /// That of [`EmailAddress`](super::email_address::EmailAddress).
    fn kinds(&self) -> Vec<&'static Kind> {
        Vec::new()
    }

    fn needs(&self) -> Needs {
        Needs::all(SPELLED_AT)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        for token in &reading.parts.tokens {
            if matches!(token.len(), 2 | 6) && is_word(bytes, &token.span, AT_WORDS, b"at") {
                found.extend(address(bytes, token.span.clone(), false));
            }
        }
        for at in memchr::memchr_iter(b'@', bytes) {
            found.extend(address(bytes, at..at + 1, true));
        }
    }
}

/// Whether the word is one of those.
fn is_word(bytes: &[u8], span: &Range<usize>, words: &[&str], usual: &[u8]) -> bool {
    let word = bytes.get(span.clone()).unwrap_or(&[]);
    word.eq_ignore_ascii_case(usual) || words.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()))
}

/// The address around that sign or word.
fn address(bytes: &[u8], sign: Range<usize>, is_sign: bool) -> Option<Found> {
    let around = Around::of(bytes, &sign)?;
    let mailbox = mailbox(bytes, around.span.start)?;
    let host = host(bytes, around.span.end)?;
    let name = bytes.get(mailbox..around.span.start)?;
    let capitals = bytes.get(sign.clone())?.iter().all(u8::is_ascii_uppercase);
    let shouts = name.iter().all(|byte| !byte.is_ascii_lowercase());
    let tells = match () {
        // The other detector reads `alice@example.com`, and `alice@` is the end of a word before.
        () if is_sign => {
            let apart = around.is_apart && name.len() > 1 && is_likely(bytes, &host);
            host.spelled || around.is_marked || apart
        }
        () if around.is_bracketed => true,
        () if host.spelled => around.is_apart || around.is_marked,
        () => capitals && !shouts && around.is_apart && is_likely(bytes, &host),
    };
    let first = bytes.get(around.span.end..host.end)?.split(|byte| !byte.is_ascii_alphanumeric()).next()?;
    let is_one =
        |word: &[u8], words: &[&str]| words.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
    let prose = !is_sign && !around.is_bracketed && (is_one(name, PROSE) || is_one(first, ARTICLES));
    (tells && !prose).then(|| Found::new(&KIND, mailbox..host.end, 0.85))
}

/// A sign or word with what stands around it.
struct Around {
    span: Range<usize>,
    /// In brackets; between signs of another kind; between spaces.
    is_bracketed: bool,
    is_marked: bool,
    is_apart: bool,
}

impl Around {
    fn of(bytes: &[u8], sign: &Range<usize>) -> Option<Self> {
        let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let before = |mut at: usize| {
            let least = at.saturating_sub(SPACES);
            while at > least && is_space(scan::before(bytes, at)) {
                at -= 1;
            }
            at
        };
        let after = |mut at: usize| {
            let most = at + SPACES;
            while at < most && is_space(scan::at(bytes, at)) {
                at += 1;
            }
            at
        };
        let inner = before(sign.start)..after(sign.end);
        let (open, close) = (scan::before(bytes, inner.start), scan::at(bytes, inner.end));
        let is_bracketed = matches!((open, close), (b'[', b']') | (b'(', b')') | (b'{', b'}') | (b'<', b'>'));
        let is_marked = is_bracketed || open == close && matches!(open, b'-' | b'_' | b'*' | b'|' | b'/');
        let span = if is_marked { before(inner.start - 1)..after(inner.end + 1) } else { inner };
        let is_apart = span.start < sign.start || span.end > sign.end;
        (span.start > 0).then_some(Self { span, is_bracketed, is_marked, is_apart })
    }
}

fn mailbox(bytes: &[u8], end: usize) -> Option<usize> {
    let is_part = |byte: &u8| scan::is_word(*byte) || matches!(byte, b'.' | b'_' | b'+' | b'-');
    let length = bytes.iter().take(end).rev().take(LONGEST).take_while(|byte| is_part(byte)).count();
    let start = end - length;
    let name = bytes.get(start..end)?;
    // A sentence ends there, or a row of signs.
    (name.last().is_some_and(|byte| scan::is_word(*byte))
        && name.first().is_some_and(|byte| scan::is_word(*byte) || *byte == b'_'))
    .then_some(start)
}

/// A host name.
struct Host {
    end: usize,
    /// Where its last label starts.
    top: usize,
    /// One of its dots is spelled, or stands apart.
    spelled: bool,
}

/// Whether the host name ends as those of addresses do.
fn is_likely(bytes: &[u8], host: &Host) -> bool {
    let top = bytes.get(host.top..host.end).unwrap_or(&[]);
    let is_one = |tops: &[&str]| tops.iter().any(|one| top.eq_ignore_ascii_case(one.as_bytes()));
    is_one(TOPS) || top.len() == 2 && !is_one(FILES) && !scan::is_word(scan::at(bytes, host.end))
}

/// The host name whose dots are written or spelled.
fn host(bytes: &[u8], start: usize) -> Option<Host> {
    let mut at = start;
    let mut spelled = false;
    for label in 0..LABELS {
        let end = scan::run_end(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let end = if scan::before(bytes, end) == b'-' { end - 1 } else { end };
        if end <= at || end - at > LONGEST {
            return None;
        }
        let next = if scan::at(bytes, end) == b'.' && scan::at(bytes, end + 1).is_ascii_alphanumeric() {
            Some(end + 1)
        } else {
            spelled_dot(bytes, end)
        };
        match next {
            Some(next) => {
                spelled |= next > end + 1;
                at = next;
            }
            None => {
                let top = bytes.get(at..end)?;
                let is_top = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
                return (label > 0 && is_top).then_some(Host { end, top: at, spelled });
            }
        }
    }
    None
}

/// What follows the dot that is spelled there: `[dot]`, ` DOT `, ` . `, `(.)`, `_dot_`.
fn spelled_dot(bytes: &[u8], end: usize) -> Option<usize> {
    let word = scan::run_end(bytes.get(..bytes.len().min(end + 6))?, end, |byte| {
        !byte.is_ascii_alphanumeric() && byte != b'.'
    });
    let dot = if scan::at(bytes, word) == b'.' {
        word..word + 1
    } else {
        let reach = bytes.get(..bytes.len().min(word + 8))?;
        word..scan::run_end(reach, word, |byte| byte.is_ascii_alphanumeric())
    };
    let is_sign = scan::at(bytes, dot.start) == b'.';
    if !is_sign && !is_word(bytes, &dot, DOT_WORDS, b"dot") {
        return None;
    }
    let around = Around::of(bytes, &dot)?;
    // `Alice @ work. Then …`: a dot that stands apart does so on both sides.
    let both = around.span.start < dot.start && around.span.end > dot.end;
    (around.span.start == end && both && scan::at(bytes, around.span.end).is_ascii_alphanumeric())
        .then_some(around.span.end)
}
