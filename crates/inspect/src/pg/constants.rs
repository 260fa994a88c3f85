//! The constants that stand in a text, by PostgreSQL's own scanner: strings in every form of quoting, and
//! numbers. Comments and names are none.

use std::ops::Range;

use pg_query::protobuf::Token;

use super::text::SIZE_LIMIT;

/// A constant in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Where it stands, quotes included, bytes.
    pub range: Range<usize>,
    /// What it says, quotes doubled and escapes undone; of a number its digits.
    pub value: String,
}

/// Every constant of a text, in order; nothing when it does not scan.
#[must_use]
pub fn constants(text: &str) -> Option<Vec<Constant>> {
    if text.len() > SIZE_LIMIT || text.contains('\0') {
        return None;
    }
    let tokens = std::panic::catch_unwind(|| pg_query::scan_tokens(text)).ok()?.ok()?;
    let mut constants = Vec::new();
    for token in tokens {
        let range = usize::try_from(token.start).ok()?..usize::try_from(token.end).ok()?;
        let raw = text.get(range.clone())?;
        let value = match Token::try_from(token.token).ok()? {
            Token::Iconst | Token::Fconst => raw.to_owned(),
            Token::Sconst | Token::Usconst => unquoted(raw),
            _ => continue,
        };
        constants.push(Constant { range, value });
    }
    Some(constants)
}

/// What a quoted string says.
fn unquoted(raw: &str) -> String {
    if let Some(rest) = raw.strip_prefix('$') {
        let tag = rest.find('$').map_or(0, |at| at + 2);
        let inner = raw.len().checked_sub(tag).and_then(|end| raw.get(tag..end));
        return inner.unwrap_or(raw).to_owned();
    }
    let Some((prefix, inner)) = raw.split_once('\'') else { return raw.to_owned() };
    let inner = inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'");
    match prefix {
        "E" | "e" => unescaped(&inner, &['x', 'u', 'U']),
        "U&" | "u&" => unescaped(&inner, &['+']),
        _ => inner,
    }
}

/// Escapes of a C string (`\n`, `\x41`, `\u0041`, `\101`), or of `U&''` (`\0041`, `\+000041`).
fn unescaped(text: &str, kinds: &[char]) -> String {
    let is_unicode_form = kinds.contains(&'+');
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend(rest.get(..at).unwrap_or("").bytes());
        rest = rest.get(at + 1..).unwrap_or("");
        let Some(kind) = rest.chars().next() else { break };
        let (skip, most, radix) = match kind {
            '+' if is_unicode_form => (1, 6, 16),
            _ if is_unicode_form && kind.is_ascii_hexdigit() => (0, 4, 16),
            'x' if kinds.contains(&'x') => (1, 2, 16),
            'u' if kinds.contains(&'u') => (1, 4, 16),
            'U' if kinds.contains(&'U') => (1, 8, 16),
            '0'..='7' if !is_unicode_form => (0, 3, 8),
            _ => (kind.len_utf8(), 0, 10),
        };
        let digits: String =
            rest.chars().skip(skip.min(1)).take(most).take_while(|it| it.is_digit(radix)).collect();
        match u32::from_str_radix(&digits, radix) {
            // A byte of the text's encoding, or a character.
            Ok(code) if most <= 3 => out.extend(u8::try_from(code)),
            Ok(code) => {
                out.extend(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string().bytes());
            }
            Err(_) => out.extend(
                match kind {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                }
                .to_string()
                .bytes(),
            ),
        }
        let used = if most > 0 { skip + digits.len() } else { skip };
        rest = rest.get(used..).unwrap_or("");
    }
    out.extend(rest.bytes());
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        constants(text).unwrap().into_iter().map(|constant| constant.value).collect()
    }

    #[test]
    fn constants_say_what_they_say_in_every_quoting() {
        for (text, value) in [
            ("select 'it''s'", "it's"),
            ("select E'a\\'b\\x41\\u00e9\\101\\n\\q'", "a'bAéA\nq"),
            ("select E'\\xe2\\x80\\xb9pii.email\\u203a'", "‹pii.email›"),
            ("select U&'\\2039pii\\+00203a'", "‹pii›"),
            ("select $$it's$$", "it's"),
            ("select $q$ a $$ b $q$", " a $$ b "),
            ("select N'x'", "x"),
            ("select 12.50", "12.50"),
            ("select ''", ""),
        ] {
            assert_eq!(values(text), [value], "{text}");
        }
    }

    #[test]
    fn comments_and_names_are_no_constants() {
        assert_eq!(values("select a /* 'x' */ from \"t'y'\" -- 'z'\n where b = 'c' and d = 7"), ["c", "7"]);
        assert_eq!(constants("select 'open"), None);
        let all = constants("select 'é', 'b'").unwrap();
        assert_eq!(all[1].range, 13..16);
    }
}
