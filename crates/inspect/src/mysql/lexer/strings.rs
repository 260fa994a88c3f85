//! Strings and identifiers in quotes.

use std::borrow::Cow;

use sallyport_core::Unknown;

use super::{Kind, Lexeme, Lexer, ambiguous, unparsable};

impl<'a> Lexer<'a> {
    /// A string that opens `prefix` bytes ahead; its value is decoded.
    pub(super) fn string(&mut self, quote: u8, prefix: usize, kind: Kind) -> Result<Lexeme<'a>, Unknown> {
        if quote == b'"' {
            self.depends_on_mode("\" by sql_mode");
        }
        let open = self.at + prefix + 1;
        let escapes = !self.rules.mode.no_backslash_escapes;
        let body = self.text.get(open..).unwrap_or("");
        let bytes = body.as_bytes();
        let (mut value, mut copied, mut at) = (String::new(), 0, 0);
        loop {
            let Some(&byte) = bytes.get(at) else { return Err(unparsable("an unclosed string".to_owned())) };
            if byte == quote {
                if bytes.get(at + 1) != Some(&quote) {
                    break;
                }
                value.push_str(body.get(copied..=at).unwrap_or(""));
                at += 2;
                copied = at;
            } else if byte == b'\\' {
                self.depends_on_mode("a backslash in a string by sql_mode");
                if !escapes {
                    at += 1;
                    continue;
                }
                value.push_str(body.get(copied..at).unwrap_or(""));
                let Some(escaped) = body.get(at + 1..).and_then(|rest| rest.chars().next()) else {
                    return Err(unparsable("an unclosed string".to_owned()));
                };
                if !escaped.is_ascii() && !self.rules.unicode {
                    // The server passes over one byte, not over the character; the next may be a backslash.
                    return Err(ambiguous("a backslash before a character of several bytes"));
                }
                match escaped {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    'r' => value.push('\r'),
                    'b' => value.push('\u{8}'),
                    '0' => value.push('\0'),
                    'Z' => value.push('\u{1A}'),
                    // Kept for the patterns of LIKE.
                    '_' | '%' => value.extend(['\\', escaped]),
                    other => value.push(other),
                }
                at += 1 + escaped.len_utf8();
                copied = at;
            } else {
                at += 1;
            }
        }
        let text = if copied == 0 {
            Cow::Borrowed(body.get(..at).unwrap_or(""))
        } else {
            value.push_str(body.get(copied..at).unwrap_or(""));
            Cow::Owned(value)
        };
        Ok(self.taken(prefix + at + 2, kind, text))
    }

    /// An identifier in quotes that open `prefix` bytes ahead.
    pub(super) fn quoted(&mut self, quote: u8, prefix: usize, kind: Kind) -> Result<Lexeme<'a>, Unknown> {
        if quote == b'"' {
            self.depends_on_mode("\" by sql_mode");
        }
        let body = self.text.get(self.at + prefix + 1..).unwrap_or("");
        let bytes = body.as_bytes();
        let (mut at, mut doubled) = (0, false);
        loop {
            match bytes.get(at) {
                None => return Err(unparsable("an unclosed identifier".to_owned())),
                Some(&byte) if byte == quote && bytes.get(at + 1) == Some(&quote) => {
                    doubled = true;
                    at += 2;
                }
                Some(&byte) if byte == quote => break,
                Some(_) => at += 1,
            }
        }
        let inner = body.get(..at).unwrap_or("");
        // An empty name is no name.
        if inner.is_empty() && kind == Kind::Quoted {
            return Err(unparsable("an empty identifier".to_owned()));
        }
        let text = if doubled {
            let one = char::from(quote);
            Cow::Owned(inner.replace(&format!("{one}{one}"), &one.to_string()))
        } else {
            Cow::Borrowed(inner)
        };
        Ok(self.taken(prefix + at + 2, kind, text))
    }
}
