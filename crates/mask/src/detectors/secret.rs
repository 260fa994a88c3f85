//! `PASSWORD` and `SECRET`: what connection strings, configuration and columns hold under a secret's name.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::secret_names::{Name, may_end, read};
use super::{Detector, Found, Kind, Needs, Reading, entropy, scan};
use crate::context::Words;
use crate::encoded;
use crate::features::{BEARER, COLON, EQUALS, GREATER, LETTER, SPACE, TOLD, WORD_12};

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
    "nil",
    "undefined",
    "empty",
    "redacted",
    "hidden",
    "masked",
    "expired",
    "missing",
    "optional",
    "default",
    "forgotten",
    "wrong",
    "bearer",
    "basic",
    "integer",
    "varchar",
    "not",
    "n/a",
    "unset",
    "xxxx",
    "example",
    "changeme",
];

/// Longest secret, bytes.
const MOST: usize = 512;

pub(super) static PASSWORD: Kind = Kind {
    id: "password",
    entity: "PASSWORD",
    description: "The password of a connection string or URL, what stands under a name that says password, or what can be nothing else.",
};

pub(super) static SECRET: Kind = Kind {
    id: "named-secret",
    entity: "SECRET",
    description: "Random characters under a name that says secret, key or token, or alone and of a key's length.",
};

static EARER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("earer "));

static BASIC: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("Basic "));

/// Parts of what [`told`] looks for.
static WORDS: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| [Finder::new("assword"), Finder::new("ASSWORD"), Finder::new("IDENTIFIED")]);

/// The detector.
#[derive(Debug)]
pub(super) struct Secret;

impl Detector for Secret {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&PASSWORD, &SECRET]
    }

    fn needs(&self) -> Needs {
        Needs::all(LETTER).any(EQUALS | COLON | GREATER | BEARER | TOLD)
    }

    fn by_column(&self, column: &crate::column::Column) -> bool {
        column.is_secret
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let text = reading.text;
        if reading.column.is_secret {
            found.extend(in_column(reading));
        }
        let bytes = reading.bytes();
        if reading.features.any(EQUALS | COLON | GREATER) {
            for at in memchr::memchr3_iter(b'=', b':', b'>', bytes) {
                if scan::at(bytes, at + 1) == b'/' && scan::at(bytes, at + 2) == b'/' {
                    found.extend(in_url(text, at));
                } else {
                    found.extend(assigned(text, at));
                }
            }
        }
        if reading.features.all(SPACE | BEARER | WORD_12) {
            found.extend(EARER.find_iter(bytes).filter_map(|at| bearer(text, at + 6)));
            found.extend(BASIC.find_iter(bytes).filter_map(|at| basic(text, at + 6)));
        }
        if reading.features.all(SPACE | TOLD)
            && text.len() >= 14
            && WORDS.iter().any(|word| word.find(bytes).is_some())
        {
            found.extend(told(text));
        }
    }
}

/// The whole value of a column whose name says secret.
fn in_column(reading: &Reading<'_>) -> Option<Found> {
    let word = reading.text.trim_matches([' ', '\n', '\r', '\t', '"', '\'']);
    let start = reading.text.find(word)?;
    let span = start..start + word.len();
    match read(&reading.column.words)? {
        _ if is_placeholder(word) || word.len() > 4096 => None,
        Name::Password => (word.len() >= 3 && !word.contains('\n')).then(|| Found::new(&PASSWORD, span, 0.8)),
        Name::Secret => {
            let random = !word.contains([' ', '\n']) && entropy::is_secret(word.as_bytes());
            random.then(|| Found::new(&SECRET, span, 0.7))
        }
    }
}

/// `scheme://user:word@host`: the word.
fn in_url(text: &str, at: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    if !scan::before(bytes, at).is_ascii_alphanumeric() {
        return None;
    }
    let start = at + 3;
    let reach = bytes.get(..bytes.len().min(start + MOST)).unwrap_or(bytes);
    let end = scan::run_end(reach, start, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'<' | b'>' | b'/' | b'?' | b'#' | b'`')
    });
    // A password may hold what ends an authority, as long as its sign-in does not end before.
    let end = match scan::run_end(reach, start, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'<' | b'>' | b'`')
    }) {
        further if !bytes.get(start..end)?.contains(&b'@') => further,
        _ => end,
    };
    let authority = text.get(start..end)?;
    let (sign_in, _) = authority.rsplit_once('@')?;
    let (user, word) = sign_in.split_once(':')?;
    let is_secret = !word.is_empty()
        && word.len() <= 256
        && !user.contains('/')
        && !is_placeholder(word)
        && !word.starts_with("//");
    // `http://host:8080/a@b`
    let is_port = word
        .split('/')
        .next()
        .is_some_and(|port| word.contains('/') && port.bytes().all(|byte| byte.is_ascii_digit()));
    (is_secret && !is_port).then(|| {
        let start = start + user.len() + 1;
        Found::new(&PASSWORD, start..start + word.len(), 0.96)
    })
}

/// The name that ends before `at`, over quotes and spaces; also the one in `key="name" value=`.
fn name_before(text: &str, at: usize) -> Option<Words> {
    let bytes = text.as_bytes();
    // A moment (`10:30`), a row of digits: most of what stands before a colon.
    if scan::before(bytes, at).is_ascii_digit() && scan::at(bytes, at + 1).is_ascii_digit() {
        return None;
    }
    let closes =
        |byte: u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'\\' | b']' | b'-' | b'>' | b'=' | b':');
    let mut end = at;
    while end > at.saturating_sub(4) && end > 0 && closes(scan::before(bytes, end)) {
        end -= 1;
    }
    let last = scan::before(bytes, end);
    let is_value = matches!(last | 0x20, b'e' | b't');
    if !may_end(end.checked_sub(1).map_or(0, |at| scan::before(bytes, at)), last) && !is_value {
        return None;
    }
    let is_part = |byte: u8| scan::is_word(byte) || matches!(byte, b'_' | b'-' | b'.');
    let length = bytes.iter().take(end).rev().take(48).take_while(|byte| is_part(**byte)).count();
    let name = bytes.get(end - length..end)?;
    if name.eq_ignore_ascii_case(b"value") || name.eq_ignore_ascii_case(b"default") {
        let before = text.get(end.saturating_sub(64)..end - length)?.trim_end().trim_end_matches(['"', '\'']);
        let name = before.rsplit(['"', '\'', '=', ' ']).next()?;
        return Some(Words::of(name));
    }
    let mut from = end - length;
    // `api key: …`, `mot de passe: …`
    if scan::before(bytes, from) == b' ' {
        from = from.saturating_sub(12);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let more = text.get(from..end)?;
        let cut = more.rfind(['\n', ',', ';', '=', ':', '"', '{', '(', '<', '&']).map_or(0, |at| at + 1);
        from += cut;
    }
    Some(Words::of(text.get(from..end)?))
}

/// `password=word`, `"password": "word"`, `Pwd = word;`, `<password>word<`.
fn assigned(text: &str, at: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let sign = scan::at(bytes, at);
    if sign == b'>' && scan::before(bytes, at) == b'=' {
        return None;
    }
    let name = read(&name_before(text, at)?)?;
    let mut start = at + 1;
    while matches!(scan::at(bytes, start), b' ' | b'=' | b'>' | b'\\') && start < at + 6 {
        start += 1;
    }
    let quote = Some(scan::at(bytes, start)).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    // No further than a secret reaches, so that a row of assignments is not read over and over.
    let reach = bytes.get(..bytes.len().min(start + MOST + 2)).unwrap_or(bytes);
    let end = match quote {
        Some(quote) => {
            start += 1;
            scan::run_end(reach, start, |byte| byte != quote && byte != b'\n' && byte != b'\\')
        }
        None if sign == b'>' => scan::run_end(reach, start, |byte| byte != b'<' && byte != b'\n'),
        None => scan::run_end(reach, start, |byte| {
            !byte.is_ascii_whitespace()
                && !matches!(byte, b';' | b'&' | b',' | b'"' | b'\'' | b'<' | b'`' | b'|')
        }),
    };
    let mut word = text.get(start..end)?;
    if quote.is_none() {
        word = word.trim_end_matches([')', '}', ']', '.']);
        for scheme in ["Bearer", "Basic", "Token", "token", "ApiKey"] {
            if word == scheme {
                start = end + 1;
                let end = scan::run_end(reach, start, |byte| {
                    !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'<' | b',')
                });
                word = text.get(start..end)?;
            }
        }
    }
    if is_placeholder(word) || word.len() > MOST {
        return None;
    }
    let span = start..start + word.len();
    match name {
        Name::Password => {
            // After a colon without quotes, prose is as likely: only a word that no sentence holds counts.
            let telling = quote.is_some()
                || sign != b':'
                || scan::at(bytes, at + 1) == b'\n'
                || word.bytes().any(|byte| !byte.is_ascii_lowercase() && byte != b'.')
                || is_line(text, at, start + word.len());
            (word.len() >= 3 && telling).then(|| Found::new(&PASSWORD, span, 0.85))
        }
        Name::Secret => entropy::is_secret(word.as_bytes()).then(|| Found::new(&SECRET, span, 0.8)),
    }
}

/// Whether nothing but the name stands before the colon on its line, and nothing after the word: YAML.
fn is_line(text: &str, colon: usize, end: usize) -> bool {
    let before = text.get(colon.saturating_sub(40)..colon).unwrap_or("");
    let name = before.rsplit('\n').next().unwrap_or("").trim_start();
    let alone = before.contains('\n') && !name.contains(' ');
    alone && matches!(scan::at(text.as_bytes(), end), b'\n' | b'\r' | 0)
}

/// `Bearer …`.
fn bearer(text: &str, start: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let reach = bytes.get(..bytes.len().min(start + 4096)).unwrap_or(bytes);
    let end = scan::run_end(reach, start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
    });
    let word = bytes.get(start..end)?;
    (word.len() >= 16 && entropy::is_secret(word)).then(|| Found::new(&SECRET, start..end, 0.8))
}

/// `Basic …`: a user and a password in base64.
fn basic(text: &str, start: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let reach = bytes.get(..bytes.len().min(start + MOST)).unwrap_or(bytes);
    let end = scan::run_end(reach, start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=')
    });
    let decoded = encoded::decode(text.get(start..end)?)?;
    decoded.contains(':').then(|| Found::new(&PASSWORD, start..end, 0.9))
}

/// `the password is hunter2`, `PASSWORD 'hunter2'`, `--password hunter2`, `IDENTIFIED BY 'hunter2'`.
fn told(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        let word: &[u8] = match byte | 0x20 {
            b'p' => b"password",
            b'i' => b"identified by",
            _ => continue,
        };
        let mut start = at + word.len();
        if !bytes.get(at..start).is_some_and(|here| here.eq_ignore_ascii_case(word))
            || scan::at(bytes, start) != b' '
        {
            continue;
        }
        start += 1;
        for filler in ["is now ", "is ", "was ", "to ", "will be "] {
            if text.get(start..).is_some_and(|rest| rest.starts_with(filler)) {
                start += filler.len();
                break;
            }
        }
        let quote = matches!(scan::at(bytes, start), b'\'' | b'"' | b'`');
        let flag = at >= 2 && bytes.get(at - 2..at) == Some(b"--");
        start += usize::from(quote);
        let reach = bytes.get(..bytes.len().min(start + MOST)).unwrap_or(bytes);
        let end = scan::run_end(reach, start, |byte| {
            !byte.is_ascii_whitespace() && !matches!(byte, b'\'' | b'"' | b'`' | b',' | b';' | b'<')
        });
        let word = text.get(start..end).unwrap_or("").trim_end_matches(['.', ')', '!', '?']);
        let telling = quote
            || flag
            || word.bytes().any(|byte| byte.is_ascii_digit())
            || word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
        if telling && word.len() >= 4 && !is_placeholder(word) && !word.contains(['=', ':']) {
            found.push(Found::new(&PASSWORD, start..start + word.len(), 0.75));
        }
    }
    found
}

/// `${PASSWORD}`, `<password>`, `%(password)s`, `****`, `null`.
pub(super) fn is_placeholder(word: &str) -> bool {
    let bytes = word.as_bytes();
    let variable = |rest: &[u8]| {
        !rest.is_empty() && rest.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'%'))
    };
    let refers = match bytes {
        [] => true,
        [b'$', b'{' | b'(', ..] | [b'%', b'(' | b's', ..] | [b'{', b'{', ..] | [b'<' | b'[' | b'{'] => true,
        [b'<', .., b'>'] | [b'[', .., b']'] | [b'{', .., b'}'] => true,
        [b'$' | b'%', rest @ ..] => variable(rest),
        _ => word.starts_with('‹'),
    };
    refers
        || word.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '•' | '.' | '-' | '_'))
        || BLANKS.iter().any(|blank| blank.eq_ignore_ascii_case(word))
}
