//! `API_KEY`: keys of services that mark theirs with a prefix or another shape of their own.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::vendor_prefixes::{HEX, PREFIXES};
use super::{Detector, Found, Kind, Needs, Reading, entropy, scan};
use crate::encoded;
use crate::features::{LETTER, SLASH, WORD_16};

const KIND: Kind = Kind {
    id: "vendor-key",
    entity: "API_KEY",
    description: "A key of Slack, Stripe, GitLab, npm, PyPI, OpenAI, Anthropic, Google, Azure, Twilio and others, by its form.",
};

/// Prefixes by their first byte.
static BY_FIRST: LazyLock<Vec<Vec<(&'static str, usize)>>> = LazyLock::new(|| {
    let starts = |first: u8| move |known: &&(&'static str, usize)| known.0.as_bytes().first() == Some(&first);
    (0..128).map(|first| PREFIXES.iter().filter(starts(first)).copied().collect()).collect()
});

/// What keys are made of.
static PARTS: [bool; 256] = {
    let mut parts = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            parts[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'$');
        }
        byte += 1;
    }
    parts
};

/// Where web hooks of Slack stand: their path is the key.
static HOOKS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("hooks.slack.com/services/"));

/// The detector.
#[derive(Debug)]
pub(super) struct VendorKey;

impl Detector for VendorKey {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(LETTER | WORD_16)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let (text, bytes) = (reading.text, reading.bytes());
        let is_part = |byte: u8| PARTS.get(usize::from(byte)).copied().unwrap_or(false);
        let mut from = 0;
        for word in &reading.parts.words {
            if word.len() < 16 || word.end <= from {
                continue;
            }
            // A key goes on over what no word of base64 has, and ends within one at what keys do not have.
            let back = bytes.get(from..word.start).unwrap_or(&[]).iter().rev();
            let start = word.start.max(from) - back.take_while(|byte| is_part(**byte)).count();
            let end = scan::run_end(bytes, word.end, is_part);
            from = end;
            let here = bytes.get(start..end).unwrap_or(&[]);
            for run in scan::runs(here, is_part).filter(|run| run.len() >= 20) {
                found.extend(key(text, start + run.start..start + run.end));
            }
        }
        if reading.features.longest >= 88 {
            found.extend(scan::each(text, "==").filter_map(|at| storage_key(bytes, at)));
        }
        if !reading.features.any(SLASH) {
            return;
        }
        for start in HOOKS.find_iter(bytes) {
            let end = scan::run_end(bytes, start, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-')
            });
            let start = if text.get(..start).is_some_and(|before| before.ends_with("https://")) {
                start - 8
            } else {
                start
            };
            if end - start > 60 {
                found.push(Found::new(&KIND, start..end, 0.95));
            }
        }
    }
}

/// The key that the run of a key's characters is.
fn key(text: &str, run: Range<usize>) -> Option<Found> {
    let bytes = text.as_bytes();
    let edge = |byte: &u8| matches!(byte, b'.' | b'-' | b'~');
    let token = bytes.get(run.clone())?;
    let size = token.len() - token.iter().rev().take_while(|byte| edge(byte) || **byte == b'$').count();
    let start = run.start + token.iter().take(size).take_while(|byte| edge(byte)).count();
    let end = run.start + size;
    let trimmed = text.get(start..end)?;
    if is_key(trimmed) {
        // What a key's alphabet leaves out may still belong to it.
        let goes_on = |byte: u8| matches!(byte, b'+' | b'/' | b'=');
        let part = |byte: u8| goes_on(byte) || byte.is_ascii_alphanumeric();
        let end = if goes_on(scan::at(bytes, end)) { scan::run_end(bytes, end, part) } else { end };
        return Some(Found::new(&KIND, start..end, 0.95));
    }
    telegram(bytes, start, trimmed).map(|length| Found::new(&KIND, start - length..end, 0.95))
}

fn is_key(token: &str) -> bool {
    let Some(first) = token.as_bytes().first() else { return false };
    let Some(known) = BY_FIRST.get(usize::from(*first)) else { return false };
    let second = token.as_bytes().get(1);
    let marked = known.iter().any(|(prefix, least)| {
        prefix.as_bytes().get(1) == second
            && token.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least && is_random(rest))
    });
    marked || is_discord(token) || is_hex_key(token) || is_azure(token) || is_mailchimp(token)
}

/// Letters of more than one case or with digits, many of them: not words (`sk-learn-something-…`).
fn is_random(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let has = |class: fn(&u8) -> bool| bytes.iter().any(class);
    let mixed = has(u8::is_ascii_digit) || (has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase));
    let words = !has(u8::is_ascii_digit) && entropy::reads_as_words(bytes);
    mixed && has(u8::is_ascii_alphabetic) && entropy::distinct(bytes) >= 8 && !words
}

/// Twilio's `SK…`, Mailgun's `key-…`: a prefix and nothing but hexadecimal digits, exactly so many.
fn is_hex_key(token: &str) -> bool {
    HEX.iter().any(|(prefix, count)| {
        token.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == *count
                && rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
                && entropy::distinct(rest.as_bytes()) >= 8
        })
    })
}

/// A client secret of Azure: three characters, a digit, `Q~`, thirty-one to thirty-four more.
fn is_azure(token: &str) -> bool {
    let bytes = token.as_bytes();
    (37..=40).contains(&bytes.len()) && bytes.get(4..6) == Some(b"Q~") && scan::at(bytes, 3).is_ascii_digit()
}

/// A storage key of Azure: sixty-four bytes in base64, not behind the name of a digest.
fn storage_key(bytes: &[u8], sign: usize) -> Option<Found> {
    let start = sign.checked_sub(86)?;
    let key = bytes.get(start..sign)?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let before = scan::before(bytes, start);
    let stands = !is_part(&before) && !matches!(before, b'-' | b'_') && scan::at(bytes, sign + 2) != b'=';
    (stands && key.iter().all(is_part) && entropy::is_mixed(key))
        .then(|| Found::new(&KIND, start..sign + 2, 0.7))
}

/// A bot's token of Discord: its number in base64, a time, a signature.
fn is_discord(token: &str) -> bool {
    if !(58..=75).contains(&token.len()) {
        return false;
    }
    let mut parts = token.split('.');
    let (Some(id), Some(time), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    matches!(id.len(), 23..=28)
        && matches!((time.len(), signature.len()), (6, 27..=40))
        && encoded::decode(id).is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Thirty-two hexadecimal digits and a data centre: `…-us12`.
fn is_mailchimp(token: &str) -> bool {
    token.split_at_checked(32).is_some_and(|(hex, centre)| {
        let Some(centre) = centre.strip_prefix("-us") else { return false };
        hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            && (1..=2).contains(&centre.len())
            && centre.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// How many bytes before the token belong to it when it is a Telegram bot's: digits and a colon.
fn telegram(bytes: &[u8], start: usize, token: &str) -> Option<usize> {
    if !token.starts_with("AA") || !(34..=36).contains(&token.len()) || scan::before(bytes, start) != b':' {
        return None;
    }
    let digits = bytes.iter().take(start - 1).rev().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    (8..=10).contains(&digits).then_some(digits + 1)
}
