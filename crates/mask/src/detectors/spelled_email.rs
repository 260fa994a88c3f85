//! `EMAIL_ADDRESS` written for people and not for machines: `alice [at] example [dot] com`, `alice(at)example.com`.

use super::email_address::KIND;
use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::SPELLED_AT;

/// The most labels of a host name, and the longest mailbox name.
const LABELS: usize = 8;
const LONGEST: usize = 64;

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
        for token in reading.parts.tokens.iter().filter(|token| token.len() == 2) {
            let Some((open, close)) = spelled(bytes, token.span.start, b"at") else { continue };
            if let Some(start) = mailbox(bytes, open)
                && let Some(end) = host(bytes, close)
            {
                found.push(Found::new(&KIND, start..end, 0.85));
            }
        }
    }
}

/// Where the bracket before that word stands, and what comes after the one behind it; spaces around are skipped.
fn spelled(bytes: &[u8], start: usize, word: &[u8]) -> Option<(usize, usize)> {
    let end = start + word.len();
    let fits = bytes.get(start..end).is_some_and(|here| here.eq_ignore_ascii_case(word))
        && matches!((scan::before(bytes, start), scan::at(bytes, end)), (b'[', b']') | (b'(', b')'));
    if !fits {
        return None;
    }
    let mut open = start - 1;
    while open > 0 && scan::before(bytes, open) == b' ' {
        open -= 1;
    }
    Some((open, scan::run_end(bytes, end + 1, |byte| byte == b' ')))
}

fn mailbox(bytes: &[u8], end: usize) -> Option<usize> {
    let is_part = |byte: &u8| scan::is_word(*byte) || matches!(byte, b'.' | b'_' | b'+' | b'-');
    let length = bytes.iter().take(end).rev().take(LONGEST).take_while(|byte| is_part(byte)).count();
    (length > 0).then_some(end - length)
}

/// The end of the host name whose dots are written or spelled.
fn host(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for label in 0..LABELS {
        let end = scan::run_end(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if end == at {
            return None;
        }
        let next = if scan::at(bytes, end) == b'.' && scan::at(bytes, end + 1).is_ascii_alphanumeric() {
            Some(end + 1)
        } else {
            let word = scan::run_end(bytes, end, |byte| byte == b' ');
            spelled(bytes, word + 1, b"dot").map(|(_, next)| next)
        };
        match next {
            Some(next) => at = next,
            None => {
                let top = bytes.get(at..end).unwrap_or(&[]);
                let is_top = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
                return (label > 0 && is_top).then_some(end);
            }
        }
    }
    None
}
