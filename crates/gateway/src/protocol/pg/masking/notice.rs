//! Text that the target writes itself: errors, notices, notifications.
//!
//! An error quotes the value that would not convert, a notice says whatever a function raises (attacks,
//! class 21). Where the operation touches what is labelled, or runs code that nobody has read, only
//! severity, SQLSTATE and position stay; elsewhere detectors read every field (decision 19).

use std::borrow::Cow;

use sallyport_mask::{FieldContext, mask_text, may_hold_findings};

/// What stands in place of the target's message. Ends up in front of people, so it says what to do.
const WITHHELD: &str = "the target's message is withheld: it could quote protected values (its SQLSTATE and position are the target's)";

/// The fields of an `ErrorResponse` or `NoticeResponse` as the caller may read them. `strict`: the operation
/// touches a labelled relation or code that is not classed.
pub(crate) fn mask_notice(fields: &[(u8, Vec<u8>)], strict: bool) -> Vec<(u8, Vec<u8>)> {
    fields
        .iter()
        .filter_map(|(kind, text)| match kind {
            b'S' | b'V' | b'C' | b'P' => Some((*kind, fixed(*kind, text))),
            b'M' if strict => Some((*kind, WITHHELD.as_bytes().to_vec())),
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

/// The payload of a notification: detectors.
pub(crate) fn mask_channel(payload: &[u8]) -> Cow<'_, [u8]> {
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
