//! `EMAIL_ADDRESS`: a mailbox at a host name that ends in letters.

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::AT;

/// Endings of file names that look like a host (`icon@2x.png`).
const FILES: &[&str] = &["png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "pdf"];

pub(super) static KIND: Kind =
    Kind { id: "email", entity: "EMAIL_ADDRESS", description: "An e-mail address, in any script." };

/// The detector.
#[derive(Debug)]
pub(super) struct EmailAddress;

impl Detector for EmailAddress {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(AT)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let (text, bytes) = (reading.text, reading.bytes());
        for sign in memchr::memchr_iter(b'@', bytes) {
            let Some(start) = mailbox(bytes, sign) else { continue };
            found.extend(turned(bytes, start, sign));
            let Some(end) = host(text, sign + 1) else { continue };
            // `git@github.com:org/repository` names a repository, `user:word@host` a sign-in.
            let repository = text.get(start..sign) == Some("git")
                && scan::at(bytes, end) == b':'
                && !scan::at(bytes, end + 1).is_ascii_digit();
            if !repository && !is_sign_in(text, start) {
                found.push(Found::new(&KIND, start..end, 0.95));
            }
        }
    }
}

/// The commonest ends of addresses, turned round.
const TURNED: &[&[u8]] = &[b"moc.", b"gro.", b"ten.", b"ude.", b"vog."];

/// `moc.elpmaxe@ecila`
fn turned(bytes: &[u8], start: usize, sign: usize) -> Option<Found> {
    let host = bytes.get(start..sign)?;
    if host.get(3) != Some(&b'.') || host.len() < 7 {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
    TURNED.iter().find(|end| host.get(..end.len()).is_some_and(|at| at.eq_ignore_ascii_case(end)))?;
    let reach = bytes.get(..bytes.len().min(sign + 66))?;
    let end = scan::run_end(reach, sign + 1, |byte| is_part(&byte));
    (end > sign + 1 && host.iter().all(is_part)).then(|| Found::new(&KIND, start..end, 0.9))
}

/// The start of the mailbox name that ends at the sign.
fn mailbox(bytes: &[u8], sign: usize) -> Option<usize> {
    if scan::before(bytes, sign) == b'"' {
        return quoted(bytes, sign);
    }
    let is_part = |byte: u8| {
        scan::is_word(byte)
            || matches!(
                byte,
                b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'!' | b'#' | b'$' | b'*' | b'/' | b'^' | b'~'
            )
    };
    let length = bytes.iter().take(sign).rev().take(256).take_while(|byte| is_part(**byte)).count();
    let mut start = sign - length;
    // A path is no part of a mailbox.
    if let Some(slash) = bytes.get(start..sign)?.iter().rposition(|byte| *byte == b'/') {
        start += slash + 1;
    }
    // A mark around the address, or a cut through a longer run that is not on a character's edge.
    while start < sign
        && (!scan::at(bytes, start).is_ascii_alphanumeric() && scan::at(bytes, start) < 0xc0)
        && scan::at(bytes, start) != b'_'
    {
        start += 1;
    }
    (start < sign && scan::before(bytes, sign) != b'.').then_some(start)
}

/// `"john smith"@example.com`.
fn quoted(bytes: &[u8], sign: usize) -> Option<usize> {
    let inside = bytes.get(sign.saturating_sub(66)..sign.checked_sub(1)?)?;
    let open = inside.iter().rposition(|byte| *byte == b'"')?;
    let name = inside.get(open + 1..)?;
    (!name.is_empty() && !name.contains(&b'\n')).then_some(sign - 1 - name.len() - 1)
}

/// The end of the host name, or of the address in brackets, that starts there.
fn host(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if scan::at(bytes, start) == b'[' {
        let end =
            scan::run_end(bytes, start + 1, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
        return (end > start + 7 && end < start + 48 && scan::at(bytes, end) == b']').then_some(end + 1);
    }
    let reach = bytes.get(..bytes.len().min(start + 256)).unwrap_or(bytes);
    let mut end = scan::run_end(reach, start, |byte| scan::is_word(byte) || matches!(byte, b'.' | b'-'));
    while end > start && matches!(scan::before(bytes, end), b'.' | b'-') {
        end -= 1;
    }
    let name = text.get(start..end)?;
    let bytes = name.as_bytes();
    if bytes.len() > 253
        || matches!(bytes.first(), Some(b'.' | b'-'))
        || bytes.windows(2).any(|two| two == b"..")
    {
        return None;
    }
    let dot = memchr::memrchr(b'.', bytes)?;
    let (before, top) = (name.get(..dot)?, name.get(dot + 1..)?);
    let letters = match top.is_ascii() {
        true => top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()),
        false => top.chars().count() >= 2 && top.chars().all(char::is_alphabetic),
    };
    let is_top = (letters || top.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")))
        && !FILES.iter().any(|file| file.eq_ignore_ascii_case(top));
    (!before.is_empty() && is_top).then_some(end)
}

/// Whether the address is the end of the sign-in of a URL: `scheme://user:word@host`, `scheme://user@host`. On
/// the web's schemes only the first counts, since nobody signs in there by the second.
fn is_sign_in(text: &str, start: usize) -> bool {
    if !matches!(scan::before(text.as_bytes(), start), b':' | b'/' | b'@') {
        return false;
    }
    let mut from = start.saturating_sub(256);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..start).unwrap_or("");
    let token = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
    token.rsplit_once("://").is_some_and(|(scheme, user)| match user.strip_suffix(':') {
        Some(user) => !user.contains(['/', '?', '#']),
        // A password with the sign in it.
        None if user.ends_with('@') && user.contains(':') => true,
        None => user.is_empty() && !scheme.ends_with("http") && !scheme.ends_with("https"),
    })
}
