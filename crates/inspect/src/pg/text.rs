//! From bytes to a parse tree, guarded: encoding, size, nesting, and literals that could read two ways.

use pg_query::protobuf::ParseResult;
use sallyport_core::{Unknown, UnknownCode};

use crate::room::Depths;

use super::ffi::{self, Failure};
use super::statement::Context;

/// The longest text that is read, bytes.
pub(super) const SIZE_LIMIT: usize = 1024 * 1024;

/// How deep a text may be, by its tokens. One level takes up to four messages of the tree's encoding, and
/// decoding one takes some 15 KiB in a build without optimisation. The parser's own check of its stack ends
/// most texts before the large one.
const DEPTHS: Depths = Depths { small: if cfg!(debug_assertions) { 20 } else { 200 }, large: 1500 };

fn unknown(code: UnknownCode, detail: impl Into<String>) -> Unknown {
    Unknown { code, detail: detail.into() }
}

/// The text, decoded, when the connection's encoding leaves no doubt about it.
pub(super) fn decode<'t>(text: &'t [u8], context: &Context<'_>) -> Result<&'t str, Unknown> {
    if text.len() > SIZE_LIMIT {
        return Err(unknown(UnknownCode::TooLarge, format!("{} bytes", text.len())));
    }
    if text.contains(&0) {
        return Err(unknown(UnknownCode::Encoding, "a NUL"));
    }
    let encoding: String = context
        .client_encoding
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if !matches!(encoding.as_str(), "utf8" | "unicode") && !text.is_ascii() {
        return Err(unknown(UnknownCode::Encoding, "not ASCII, and the connection is not UTF8"));
    }
    std::str::from_utf8(text).map_err(|_| unknown(UnknownCode::Encoding, "invalid UTF-8"))
}

/// Parses a text of SQL by PostgreSQL's own grammar.
pub(super) fn parse(text: &str) -> Result<ParseResult, Unknown> {
    if text.contains('\0') {
        return Err(unknown(UnknownCode::Encoding, "a NUL"));
    }
    if text.len() > SIZE_LIMIT {
        return Err(unknown(UnknownCode::TooLarge, format!("{} bytes", text.len())));
    }
    match super::nesting::estimate(text) {
        Some(depth) if crate::room::allowed(depth, DEPTHS) => {}
        Some(_) => return Err(unknown(UnknownCode::TooLarge, "nested too deeply")),
        None => return Err(unknown(UnknownCode::TooLarge, "too much to read in time")),
    }
    match ffi::parse(text) {
        Ok(tree) => Ok(tree),
        Err(Failure::Decode(message)) => {
            let code =
                if message.contains("recursion") { UnknownCode::TooLarge } else { UnknownCode::Encoding };
            Err(unknown(code, message))
        }
        Err(Failure::Parse(message))
            if message.contains("memory exhausted") || message.contains("stack depth") =>
        {
            Err(unknown(UnknownCode::TooLarge, message))
        }
        Err(Failure::Parse(message)) => Err(unknown(UnknownCode::Unparsable, without_text(&message))),
        Err(Failure::Nul) => Err(unknown(UnknownCode::Encoding, "a NUL")),
    }
}

/// What the parser says, without what it quotes: that is the caller's text, and may be a password.
fn without_text(message: &str) -> &str {
    let end = message.find(" at or near").or_else(|| message.find('"')).unwrap_or(message.len());
    message.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_quotes_is_not_told() {
        for text in [
            "create user bob password 'ok' 'TwiceSecret77'",
            "alter user bob password 'TwiceSecret77",
            "alter user bob password $$TwiceSecret77",
            "alter role bob password E'x\' TwiceSecret77",
            "alter role bob encrypted password 'x' 'TwiceSecret77' valid until 'x'",
            "select \"TwiceSecret77",
        ] {
            let detail = parse(text).unwrap_err().detail;
            assert!(!detail.contains("TwiceSecret77") && !detail.is_empty(), "{text}: {detail}");
        }
    }
}
