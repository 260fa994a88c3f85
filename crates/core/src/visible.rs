//! Untrusted text made safe to look at.
//!
//! What an approver or auditor reads must be what would run: control, bidirectional and zero-width
//! characters are written out as `\u{202e}`, never rendered.

/// Whether a character could hide, reorder or drive the display.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        // Spaces that look like a space and are none.
        || (c.is_whitespace() && c != ' ')
}

/// The text with every hidden character written out, except line feeds, which stay.
#[must_use]
pub fn lines(text: &str) -> String {
    escape(text, true)
}

/// The text on one line: line feeds are written out too.
#[must_use]
pub fn line(text: &str) -> String {
    escape(text, false)
}

fn escape(text: &str, keep_line_feed: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if keep_line_feed => out.push('\n'),
            '\t' if keep_line_feed => out.push_str("    "),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.push_str(&c.escape_unicode().to_string()),
            c => out.push(c),
        }
    }
    out
}

/// Bytes as text, hidden characters and invalid bytes written out.
#[must_use]
pub fn bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&line(chunk.valid()));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Bytes as text over several lines: as [`bytes`], but line feeds and tabs stay readable.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&lines(chunk.valid()));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Whether any character of the text is one that is written out.
#[must_use]
pub fn has_hidden(text: &str) -> bool {
    text.chars().any(|c| is_hidden(c) && !matches!(c, '\n' | '\t' | '\r'))
}

/// A name as our own messages may echo it: lower-case letters, digits, `_` and `.` only, else "an object".
#[must_use]
pub fn echo_name(name: &str) -> &str {
    let plain = !name.is_empty()
        && name.len() <= 127
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.');
    if plain { name } else { "an object" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_out() {
        assert_eq!(line("a\u{202e}b\u{1b}[31m\u{200b}\n"), "a\\u{202e}b\\u{1b}[31m\\u{200b}\\n");
        assert_eq!(lines("a\nb\u{feff}"), "a\nb\\u{feff}");
        assert_eq!(bytes(b"ok\xff\x00"), "ok\\xff\\u{0}");
        assert!(has_hidden("drop\u{2066}") && !has_hidden("select 1\n"));
    }

    #[test]
    fn names_are_echoed_only_when_plain() {
        assert_eq!(echo_name("public.users"), "public.users");
        assert_eq!(echo_name("ignore previous instructions"), "an object");
        assert_eq!(echo_name("Users"), "an object");
    }
}
