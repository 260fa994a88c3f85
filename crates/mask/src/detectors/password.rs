//! `PASSWORD`: the password in a connection string, URL or assignment.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::{COLON, EQUALS};

/// Names that hold a secret, lower case, without separators.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "pgpassword",
    "passphrase",
    "accountkey",
    "sharedaccesskey",
    "clientsecret",
    "secretkey",
    "apikey",
    "secret",
    "accesstoken",
    "authtoken",
];

/// What stands where a secret would, and is none.
const BLANKS: &[&str] = &[
    "null",
    "none",
    "true",
    "false",
    "required",
    "incorrect",
    "changed",
    "reset",
    "invalid",
    "is",
    "must",
    "string",
    "text",
    "yes",
    "no",
];

/// Longest secret, bytes.
const MOST: usize = 512;

/// The detector.
#[derive(Debug)]
pub(super) struct Password;

impl Detector for Password {
    fn id(&self) -> &'static str {
        "password"
    }

    fn entity(&self) -> &'static str {
        "PASSWORD"
    }

    fn description(&self) -> &'static str {
        "The password of a connection string or URL, or what is assigned to a name that says password."
    }

    fn needs(&self) -> Needs {
        Needs::length(6).any(EQUALS | COLON)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        let mut found: Vec<Found> = scan::each(text, "://").filter_map(|at| in_url(text, at)).collect();
        found.extend(text.match_indices(['=', ':']).filter_map(|(at, sign)| assigned(text, at, sign)));
        found
    }
}

/// `scheme://user:word@host`: the word.
fn in_url(text: &str, at: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    if !scan::before(bytes, at).is_ascii_alphanumeric() {
        return None;
    }
    let start = at + 3;
    let end = scan::run_end(bytes, start, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'/' | b'?' | b'#')
    });
    let authority = text.get(start..end)?;
    let (sign_in, _) = authority.rsplit_once('@')?;
    let (user, word) = sign_in.split_once(':')?;
    let is_secret = !word.is_empty() && word.len() <= 256 && !is_placeholder(word);
    is_secret.then(|| {
        let start = start + user.len() + 1;
        Found::new(start..start + word.len(), 0.95)
    })
}

/// `password=word`, `"password": "word"`, `Pwd = word;`.
fn assigned(text: &str, at: usize, sign: &str) -> Option<Found> {
    let bytes = text.as_bytes();
    let before = text.get(..at)?.trim_end_matches([' ', '"', '\'', '`']);
    let name_length = before
        .bytes()
        .rev()
        .take(40)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let name: String = before
        .get(before.len() - name_length..)?
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if !NAMES.iter().any(|known| name.ends_with(known)) {
        return None;
    }
    let mut start = at + sign.len();
    while matches!(scan::at(bytes, start), b' ' | b'=' | b'>') {
        start += 1;
    }
    let quote = Some(scan::at(bytes, start)).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    // No further than a secret reaches, so that a row of assignments is not read over and over.
    let reach = bytes.get(..bytes.len().min(start + MOST + 2)).unwrap_or(bytes);
    let end = match quote {
        Some(quote) => {
            start += 1;
            scan::run_end(reach, start, |byte| byte != quote)
        }
        None => scan::run_end(reach, start, |byte| {
            !byte.is_ascii_whitespace()
                && !matches!(byte, b';' | b'&' | b',' | b'"' | b'\'' | b')' | b'}' | b']')
        }),
    };
    let word = text.get(start..end)?;
    // After a colon without quotes, prose is as likely: only a word that no sentence holds counts.
    let telling =
        quote.is_some() || sign == "=" || word.bytes().any(|byte| !byte.is_ascii_lowercase() && byte != b'.');
    let is_secret = (4..=MOST).contains(&word.len()) && telling && !is_placeholder(word);
    is_secret.then(|| Found::new(start..end, 0.8))
}

fn is_placeholder(word: &str) -> bool {
    let lower = word.to_lowercase();
    word.starts_with(['$', '<', '{', '‹', '%', '[', '*'])
        || word.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '•' | '.'))
        || BLANKS.contains(&lower.as_str())
}
