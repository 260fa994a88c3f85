//! Text that the target writes itself: errors, notices, notifications.
//!
//! An error quotes the value that would not convert, a notice says whatever a function raises (attacks,
//! class 21). Where the operation touches what is labelled, or runs code that nobody has read, only
//! severity, SQLSTATE and position stay; elsewhere detectors read every field (decision 19).

use std::borrow::Cow;

use sallyport_mask::{FieldContext, mask_text, may_hold_findings, placeholder};

use super::plan::UNSETTLED;

/// What stands in place of the target's message, behind what its SQLSTATE says.
const WITHHELD: &str = "the target's own message is withheld, since it could quote protected values";

/// What an SQLSTATE says, in our words ("PostgreSQL Error Codes"), so that whoever wrote the statement can
/// mend it without the target's message.
const CONDITIONS: &[(&[u8; 5], &str)] = &[
    (b"22001", "a value is too long for its column"),
    (b"22003", "a number is out of range"),
    (b"22007", "a date or time cannot be read"),
    (b"22008", "a date or time is out of range"),
    (b"22012", "division by zero"),
    (b"22023", "a parameter has a value that is not allowed"),
    (b"22P02", "a value cannot be read as the type it should be"),
    (b"23502", "a column that must not be null would be"),
    (b"23503", "a foreign key would point nowhere"),
    (b"23505", "a key that must be unique exists already"),
    (b"23514", "a check constraint would not hold"),
    (b"25P02", "the transaction has failed; only its end can run"),
    (b"40001", "the transaction collided with another; run it again"),
    (b"40P01", "a deadlock was found; run the transaction again"),
    (b"42501", "the target's role lacks a privilege"),
    (b"42601", "the statement does not parse"),
    (b"42702", "a column name is ambiguous"),
    (b"42703", "there is no such column"),
    (b"42704", "there is no such object"),
    (b"42803", "a column must be grouped or aggregated"),
    (b"42804", "types do not match"),
    (b"42883", "there is no such function or operator for these types"),
    (b"42P01", "there is no such relation"),
    (b"42P02", "there is no such parameter"),
    (b"42P18", "a type cannot be told; add a cast"),
    (b"55P03", "a lock is not available"),
    (b"57014", "cancelled"),
];

/// Our message for an SQLSTATE.
fn withheld(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let code = fields.iter().find(|(kind, _)| *kind == b'C').map(|(_, text)| text.as_slice());
    let known = code.and_then(|code| CONDITIONS.iter().find(|(known, _)| known.as_slice() == code));
    match known {
        Some((_, words)) => format!("{words} ({WITHHELD})").into_bytes(),
        None => WITHHELD.as_bytes().to_vec(),
    }
}

/// The fields of an `ErrorResponse` or `NoticeResponse` as the caller may read them. `strict`: the operation
/// touches a labelled relation or code that is not classed.
pub(crate) fn mask_notice(fields: &[(u8, Vec<u8>)], strict: bool) -> Vec<(u8, Vec<u8>)> {
    fields
        .iter()
        .filter_map(|(kind, text)| match kind {
            b'S' | b'V' | b'C' | b'P' => Some((*kind, fixed(*kind, text))),
            b'M' if strict => Some((*kind, withheld(fields))),
            _ if strict => None,
            _ => Some((*kind, mask_channel(text).into_owned())),
        })
        .collect()
}

/// Severity, SQLSTATE and position are words and numbers; what is not is not theirs.
fn fixed(kind: u8, text: &[u8]) -> Vec<u8> {
    let fits = match kind {
        b'C' => text.len() == 5 && text.iter().all(u8::is_ascii_alphanumeric),
        b'P' => text.len() <= 10 && text.iter().all(u8::is_ascii_digit),
        // `S` is translated to the target's language, so it may be any letters.
        _ => text.len() <= 32 && text.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80),
    };
    match kind {
        _ if fits => text.to_vec(),
        b'C' => b"XX000".to_vec(),
        b'P' => b"1".to_vec(),
        _ => b"ERROR".to_vec(),
    }
}

/// Settings that the server reports and whose values are words or numbers of its own.
const OWN_WORDS: &[&[u8]] = &[
    b"client_encoding",
    b"DateStyle",
    b"default_transaction_read_only",
    b"in_hot_standby",
    b"integer_datetimes",
    b"IntervalStyle",
    b"is_superuser",
    b"scram_iterations",
    b"server_encoding",
    b"server_version",
    b"session_authorization",
    b"standard_conforming_strings",
];

/// The value of a setting that the server reports. `strict`: an operation since the last report touched a
/// labelled relation or ran code that is not classed, and `set_config` may have carried what it read.
pub(crate) fn mask_setting<'a>(name: &[u8], value: &'a [u8], strict: bool) -> Cow<'a, [u8]> {
    if OWN_WORDS.contains(&name) || (name == b"TimeZone" && (!strict || is_zone(value))) {
        return Cow::Borrowed(value);
    }
    if strict {
        return Cow::Owned(placeholder(UNSETTLED).into_bytes());
    }
    mask_channel(value)
}

/// Whether a time zone is one of the server's own. A name without a digit is that of a file; one with digits
/// may be any text with an offset behind it (POSIX), so only the usual ones are taken.
fn is_zone(value: &[u8]) -> bool {
    let bytes = |set: &[u8]| value.iter().all(|byte| set.contains(byte));
    let named = !value.iter().any(u8::is_ascii_digit);
    let offset = bytes(b"<>+-:0123456789") && value.len() <= 14;
    let old = [b"EST5EDT".as_slice(), b"CST6CDT", b"MST7MDT", b"PST8PDT", b"GMT0", b"GMT+0", b"GMT-0"];
    let etc = value.strip_prefix(b"Etc/GMT").is_some_and(|rest| rest.len() <= 3);
    named || (offset && digits_before_offset(value) <= 4) || old.contains(&value) || etc
}

/// How many digits an offset's own name has: `<+0530>-05:30` has four.
fn digits_before_offset(value: &[u8]) -> usize {
    value.split(|byte| *byte == b'>').next().unwrap_or(value).iter().filter(|it| it.is_ascii_digit()).count()
}

/// The payload of a notification that comes while an operation touches what is labelled, or runs code that is
/// not classed; else detectors read it.
pub(crate) fn mask_payload(payload: &[u8], strict: bool) -> Cow<'_, [u8]> {
    if strict && !payload.is_empty() {
        return Cow::Owned(placeholder(UNSETTLED).into_bytes());
    }
    mask_channel(payload)
}

/// Text of anybody's: detectors.
fn mask_channel(payload: &[u8]) -> Cow<'_, [u8]> {
    if !may_hold_findings(payload) {
        return Cow::Borrowed(payload);
    }
    match mask_text(&String::from_utf8_lossy(payload), &FieldContext::default()) {
        Some(masked) => Cow::Owned(masked.into_bytes()),
        None => Cow::Borrowed(payload),
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
