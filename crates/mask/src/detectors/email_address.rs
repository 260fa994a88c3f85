//! `EMAIL_ADDRESS`: a mailbox at a host name that ends in letters.

use super::{Detector, FieldContext, Found, Needs, scan};
use crate::features::{AT, DOT};

/// Endings of file names that look like a host (`icon@2x.png`).
const FILES: &[&str] = &["png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "pdf"];

/// The detector.
#[derive(Debug)]
pub(super) struct EmailAddress;

impl Detector for EmailAddress {
    fn id(&self) -> &'static str {
        "email"
    }

    fn entity(&self) -> &'static str {
        "EMAIL_ADDRESS"
    }

    fn description(&self) -> &'static str {
        "An e-mail address, in any script."
    }

    fn needs(&self) -> Needs {
        Needs::length(6).all(AT | DOT)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        let bytes = text.as_bytes();
        scan::each(text, "@")
            .filter_map(|sign| {
                let start = mailbox(bytes, sign)?;
                let end = host(text, sign + 1)?;
                // `git@github.com:org/repository` names a repository, `user:word@host` a sign-in.
                let repository = text.get(start..sign) == Some("git")
                    && scan::at(bytes, end) == b':'
                    && !scan::at(bytes, end + 1).is_ascii_digit();
                (!repository && !is_sign_in(text, start)).then(|| Found::new(start..end, 0.95))
            })
            .collect()
    }
}

/// The start of the mailbox name that ends at the sign.
fn mailbox(bytes: &[u8], sign: usize) -> Option<usize> {
    let is_part = |byte: u8| scan::is_word(byte) || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'');
    let length = bytes.iter().take(sign).rev().take(256).take_while(|byte| is_part(**byte)).count();
    let mut start = sign - length;
    // A mark around the address, or a cut through a longer run that is not on a character's edge.
    while start < sign
        && (!scan::at(bytes, start).is_ascii_alphanumeric() && scan::at(bytes, start) < 0xc0)
        && scan::at(bytes, start) != b'_'
    {
        start += 1;
    }
    (start < sign && scan::before(bytes, sign) != b'.').then_some(start)
}

/// The end of the host name that starts there.
fn host(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = scan::run_end(bytes, start, |byte| scan::is_word(byte) || matches!(byte, b'.' | b'-'));
    while end > start && matches!(scan::before(bytes, end), b'.' | b'-') {
        end -= 1;
    }
    let name = text.get(start..end)?;
    if name.len() > 253 || name.starts_with(['.', '-']) || name.contains("..") {
        return None;
    }
    let (before, top) = name.rsplit_once('.')?;
    let is_top = top.chars().count() >= 2
        && (top.chars().all(char::is_alphabetic) || top.to_lowercase().starts_with("xn--"))
        && !FILES.contains(&top.to_lowercase().as_str());
    (!before.is_empty() && is_top).then_some(end)
}

/// Whether the address is the end of the sign-in of a URL: `scheme://user:word@host`, `scheme://user@host`. On
/// the web's schemes only the first counts, since nobody signs in there by the second.
fn is_sign_in(text: &str, start: usize) -> bool {
    let mut from = start.saturating_sub(256);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..start).unwrap_or("");
    let token = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
    token.rsplit_once("://").is_some_and(|(scheme, user)| match user.strip_suffix(':') {
        Some(user) => !user.contains(['/', '?', '#']),
        None => user.is_empty() && !scheme.ends_with("http") && !scheme.ends_with("https"),
    })
}
