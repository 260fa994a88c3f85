//! From bytes to the statements that the server would run, one after another.
//!
//! Bytes are decoded by the connection's character set, read by the server's own rules into lexemes, cut at
//! the `;` between statements, and each statement parsed: by `sqlparser` from our lexemes ([`super::query`]),
//! or by a rule of ours ([`super::own`]). A statement that changes how the next ones are read does so here too
//! ([`super::session`]).

use std::ops::Range;

use sallyport_core::{Unknown, UnknownCode};

use super::context::Context;
use super::lexer::{Kind, Lexeme, Lexer, Rules};
use super::own::{self, programs};
use super::query::{self, Sql};
use super::session::Session;
use super::{charset, context::SqlMode};

#[cfg(test)]
mod tests;

/// The longest text that is read, bytes.
const BYTES: usize = 1 << 20;
/// The most lexemes of one text. What holds more is data, and is told apart by its length alone.
const LEXEMES: usize = 120_000;
/// The most statements of one text: each has its own start.
const PIECES: usize = 5000;
/// How deep statements may hold statements (`SET STATEMENT … FOR SET STATEMENT …`).
const STATEMENTS: usize = 4;

/// One statement of the text.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where it stands in the decoded text, bytes.
    pub(super) range: Range<usize>,
    /// What it is.
    pub(super) parsed: Parsed,
}

/// A statement that was read.
#[derive(Debug)]
pub(super) enum Parsed {
    /// A query or data-changing statement.
    Sql(Box<Sql>),
    /// What has a rule of ours.
    Own(Box<own::Statement>),
}

/// All that was read of a text. The server runs what stands before an error, so those pieces are there too.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) pieces: Vec<Piece>,
    /// Why the rest could not be read, or the whole is doubtful.
    pub(super) unknown: Option<Unknown>,
}

/// Reads a text. Never fails.
pub(super) fn read(bytes: &[u8], context: &Context<'_>) -> Reading {
    let mut pieces = Vec::new();
    let unknown = read_into(&mut pieces, bytes, context).err();
    Reading { pieces, unknown }
}

fn read_into(pieces: &mut Vec<Piece>, bytes: &[u8], context: &Context<'_>) -> Result<(), Unknown> {
    if bytes.len() > BYTES {
        return Err(unknown(UnknownCode::TooLarge, "longer than 1 MiB"));
    }
    let decoded = charset::decode(bytes, context.character_set)
        .map_err(|detail| Unknown { code: UnknownCode::Encoding, detail })?;
    let mode = context.sql_mode.unwrap_or(SqlMode::DEFAULT);
    let rules = Rules {
        mode,
        mode_known: context.sql_mode.is_some(),
        flavour: context.flavour,
        unicode: decoded.unicode,
    };
    let mut lexer = Lexer::new(&decoded.text, rules);
    let mut session = Session::new(context.character_set, &decoded.text);
    let mut lexemes = Vec::new();
    let mut total = 0;
    loop {
        if lexer.rules.mode.oracle {
            return Err(unknown(UnknownCode::Unsupported, "sql_mode ORACLE"));
        }
        lexemes.clear();
        let ended = statement(&mut lexer, &mut lexemes, &mut total)?;
        if let (Some(first), Some(last)) = (lexemes.first(), lexemes.last()) {
            if pieces.len() == PIECES {
                return Err(unknown(UnknownCode::TooLarge, "too many statements"));
            }
            let range = first.start..last.end;
            let parsed = parse(&lexemes, lexer.rules, STATEMENTS)?;
            let anonymous = matches!(&parsed, Parsed::Own(own) if matches!(**own, own::Statement::Anonymous));
            let followed = session.follow(&parsed, &mut lexer);
            pieces.push(Piece { range, parsed });
            followed?;
            if anonymous {
                return Err(unknown(UnknownCode::Dynamic, "a compound statement"));
            }
        }
        if let Some(doubt) = lexer.doubt {
            // What follows is read on, so that it is seen; the whole stays doubtful.
            session.doubt.get_or_insert(doubt);
        }
        if ended {
            break;
        }
    }
    match session.doubt {
        Some(doubt) => Err(unknown(UnknownCode::Ambiguous, doubt)),
        None => Ok(()),
    }
}

/// Reads the lexemes of a statement, without its `;`; whether the text ends with it.
fn statement<'t>(
    lexer: &mut Lexer<'t>,
    lexemes: &mut Vec<Lexeme<'t>>,
    total: &mut usize,
) -> Result<bool, Unknown> {
    let mut body: Option<programs::Body> = None;
    loop {
        let Some(lexeme) = lexer.next()? else {
            return match body {
                Some(body) if !body.closed() => {
                    Err(unknown(UnknownCode::Unparsable, "a program without an end"))
                }
                _ => Ok(true),
            };
        };
        *total += 1;
        if *total > LEXEMES {
            return Err(unknown(UnknownCode::TooLarge, "too many lexemes"));
        }
        if lexeme.kind == Kind::Symbol && lexeme.text == ";" {
            // The first `;` shows whether a program's body goes on behind it.
            let open = match &body {
                Some(body) => !body.closed(),
                None => {
                    body = programs::Body::of(lexemes)?;
                    body.as_ref().is_some_and(|body| !body.closed())
                }
            };
            if !open {
                return Ok(false);
            }
        }
        if let Some(body) = &mut body {
            body.take(&lexeme)?;
        }
        lexemes.push(lexeme);
    }
}

/// Parses the lexemes of one statement.
pub(super) fn parse(lexemes: &[Lexeme<'_>], rules: Rules, depth: usize) -> Result<Parsed, Unknown> {
    let Some(first) = lexemes.first() else {
        return Err(unknown(UnknownCode::Unparsable, "a statement is missing"));
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(unknown(UnknownCode::TooLarge, "statements in statements"));
    };
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE"];
    if first.is_symbol("(") || verbs.iter().any(|verb| first.is_word(verb)) {
        return query::statement(lexemes, rules).map(|sql| Parsed::Sql(Box::new(sql)));
    }
    own::parse(lexemes, rules, depth).map(|statement| Parsed::Own(Box::new(statement)))
}

fn unknown(code: UnknownCode, detail: &str) -> Unknown {
    Unknown { code, detail: detail.to_owned() }
}
