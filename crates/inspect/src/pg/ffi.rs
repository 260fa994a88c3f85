//! PostgreSQL's parser in C, called without the binding's summary: text -> encoded tree -> tree.
//!
//! The binding walks every tree once more to list its tables and functions, which nobody here reads and
//! which panics on shapes it does not know. This is the one module that may hold `unsafe`: two calls, each
//! with its proof. Declarations follow `pg_query.h` of libpg_query 18, which the `pg_query` package links.
#![expect(unsafe_code, reason = "the parser is C; see the proof at each block")]

use std::ffi::{CStr, CString, c_char, c_int};

use pg_query::protobuf::ParseResult;
use prost::Message as _;

/// Why there is no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The parser refused the text, in its words.
    Parse(String),
    /// The tree could not be decoded.
    Decode(String),
    /// The text holds a NUL.
    Nul,
}

/// `PgQueryProtobuf`.
#[repr(C)]
struct Encoded {
    len: usize,
    data: *mut c_char,
}

/// `PgQueryError`.
#[repr(C)]
struct ParseError {
    message: *mut c_char,
    funcname: *mut c_char,
    filename: *mut c_char,
    lineno: c_int,
    cursorpos: c_int,
    context: *mut c_char,
}

/// `PgQueryProtobufParseResult`.
#[repr(C)]
struct Parsed {
    parse_tree: Encoded,
    stderr_buffer: *mut c_char,
    error: *mut ParseError,
}

unsafe extern "C" {
    fn pg_query_parse_protobuf(input: *const c_char) -> Parsed;
    fn pg_query_free_protobuf_parse_result(result: Parsed);
}

/// Parses a text. The caller has bounded its length and nesting.
///
/// # Errors
/// What the parser says, or why its answer could not be read.
pub(super) fn parse(text: &str) -> Result<ParseResult, Failure> {
    let input = CString::new(text).map_err(|_| Failure::Nul)?;
    // SAFETY: `input` is a C string that outlives the call; the parser keeps no pointer into it. It sets up
    // its own memory context for each thread, and turns its errors into `error` before it returns.
    let parsed = unsafe { pg_query_parse_protobuf(input.as_ptr()) };
    // SAFETY: `error`, when not null, points to an error whose message is a C string, and the tree's data is
    // `len` initialised bytes, null only when there are none; both are the result's own until it is freed, and
    // nothing borrowed from it leaves this block.
    let answer = unsafe {
        if let Some(error) = parsed.error.as_ref() {
            let message = if error.message.is_null() { c"" } else { CStr::from_ptr(error.message) };
            Err(Failure::Parse(message.to_string_lossy().into_owned()))
        } else if parsed.parse_tree.data.is_null() {
            Err(Failure::Decode("no tree".to_owned()))
        } else {
            let bytes =
                std::slice::from_raw_parts(parsed.parse_tree.data.cast::<u8>(), parsed.parse_tree.len);
            ParseResult::decode(bytes).map_err(|error| Failure::Decode(error.to_string()))
        }
    };
    // SAFETY: the result came from the parser, is freed once, and is not used afterwards.
    unsafe { pg_query_free_protobuf_parse_result(parsed) };
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_the_binding_s() {
        for text in
            ["", "SELECT 1", "SELECT a.b FROM t a JOIN u USING (c) WHERE d = 'é' ORDER BY 1; DROP TABLE x"]
        {
            assert_eq!(parse(text).unwrap(), pg_query::parse(text, 0).unwrap().protobuf, "{text}");
        }
    }

    #[test]
    fn an_error_is_the_parser_s_and_leaves_it_usable() {
        for _ in 0..100 {
            let Err(Failure::Parse(message)) = parse("SELEC 1") else { panic!("a tree of no SQL") };
            assert_eq!(message, "syntax error at or near \"SELEC\"");
            assert!(parse("SELECT 1").is_ok());
        }
        assert_eq!(parse("SELECT 1\0"), Err(Failure::Nul));
    }

    #[test]
    fn threads_do_not_meet() {
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    for _ in 0..50 {
                        let text = format!("SELECT {number} FROM t{number}");
                        assert_eq!(parse(&text).unwrap(), pg_query::parse(&text, 0).unwrap().protobuf);
                    }
                });
            }
        });
    }
}
