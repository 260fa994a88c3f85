//! `API_KEY`: keys of services that mark theirs with a prefix or another shape of their own.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::vendor_prefixes::{HEX, PREFIXES};
use super::{Detector, Found, Kind, Needs, Reading, entropy, scan};
use crate::encoded;
use crate::features::LETTER;

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
        Needs::length(21).all(LETTER)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let (text, bytes) = (reading.text, reading.bytes());
        if reading.features.longest() < 16 {
            return;
        }
        let is_part =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'$');
        for run in scan::runs(bytes, is_part).filter(|run| run.len() >= 20) {
            let Some(token) = text.get(run.clone()) else { continue };
            let trimmed = token.trim_end_matches(['.', '-', '~', '$']).trim_start_matches(['.', '-', '~']);
            let start = run.start + (token.len() - token.trim_start_matches(['.', '-', '~']).len());
            if is_key(trimmed) {
                // What a key's alphabet leaves out may still belong to it.
                let tail = scan::run_end(bytes, start + trimmed.len(), |byte| {
                    matches!(byte, b'+' | b'/' | b'=') || byte.is_ascii_alphanumeric()
                });
                let whole = matches!(scan::at(bytes, start + trimmed.len()), b'+' | b'/' | b'=');
                found.push(Found::new(&KIND, start..if whole { tail } else { start + trimmed.len() }, 0.95));
            } else if let Some(length) = telegram(bytes, start, trimmed) {
                found.push(Found::new(&KIND, start - length..start + trimmed.len(), 0.95));
            }
        }
        if reading.features.longest() >= 88 {
            found.extend(scan::each(text, "==").filter_map(|at| storage_key(bytes, at)));
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

fn is_key(token: &str) -> bool {
    let Some(first) = token.as_bytes().first() else { return false };
    let Some(known) = BY_FIRST.get(usize::from(*first)) else { return false };
    let marked = known.iter().any(|(prefix, least)| {
        token.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least && is_random(rest))
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
    token.split_once("-us").is_some_and(|(hex, centre)| {
        hex.len() == 32
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
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
