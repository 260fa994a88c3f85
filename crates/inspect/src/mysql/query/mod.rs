//! Queries, data-changing statements and expressions: read by `sqlparser`, from our lexemes.
//!
//! [`tokens`] turns lexemes into its tokens, and on the way writes what it does not know as something that
//! it does and that means the same to facts. [`dialect`] gives it the server's operators, their precedence,
//! and the forms of expressions that it has not.

mod clauses;
mod dialect;
mod forms;
mod keywords;
mod level;
mod tokens;
mod verbs;

use sallyport_core::{Unknown, UnknownCode};
use sqlparser::ast::{Expr, Query, Statement};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::lexer::{Lexeme, Rules};
use dialect::Server;
pub(super) use forms::is_unit;

/// How deep `sqlparser` may go into itself.
const DEPTH: usize = 128;

/// Where a query's result goes, when not to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Into {
    Outfile(String),
    Dumpfile(String),
    /// User variables, without their `@`.
    Variables(Vec<String>),
}

/// A query or data-changing statement.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) statement: Statement,
    /// `INTO OUTFILE` and the like, which `sqlparser` does not know.
    pub(super) into: Vec<Into>,
}

/// Reads a whole statement.
pub(super) fn statement(lexemes: &[Lexeme<'_>], rules: Rules) -> Result<Sql, Unknown> {
    let converted = tokens::convert(lexemes, rules, true)?;
    let statement = if lexemes.first().is_some_and(|first| first.is_word("TABLE") || first.is_word("VALUES"))
    {
        Statement::Query(parse(converted.tokens, rules, |parser| parser.parse_query())?)
    } else {
        parse(converted.tokens, rules, |parser| parser.parse_statement())?
    };
    Ok(Sql { statement, into: converted.into })
}

/// Reads a query that stands inside another statement.
pub(super) fn query(lexemes: &[Lexeme<'_>], rules: Rules) -> Result<Box<Query>, Unknown> {
    let converted = tokens::convert(lexemes, rules, false)?;
    if !converted.into.is_empty() {
        return Err(unparsable("INTO inside another statement".to_owned()));
    }
    parse(converted.tokens, rules, |parser| parser.parse_query())
}

/// Reads one expression.
pub(super) fn expression(lexemes: &[Lexeme<'_>], rules: Rules) -> Result<Expr, Unknown> {
    let converted = tokens::convert(lexemes, rules, false)?;
    parse(converted.tokens, rules, |parser| parser.parse_expr())
}

/// Reads expressions between commas; none from nothing.
pub(super) fn expressions(lexemes: &[Lexeme<'_>], rules: Rules) -> Result<Vec<Expr>, Unknown> {
    if lexemes.is_empty() {
        return Ok(Vec::new());
    }
    let converted = tokens::convert(lexemes, rules, false)?;
    parse(converted.tokens, rules, |parser| parser.parse_comma_separated(Parser::parse_expr))
}

fn parse<T>(
    tokens: Vec<Token>,
    rules: Rules,
    read: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<T, Unknown> {
    let dialect = Server { high_not: rules.mode.high_not_precedence };
    let mut parser = Parser::new(&dialect).with_recursion_limit(DEPTH).with_tokens(tokens);
    let read = read(&mut parser).and_then(|read| parser.expect_token(&Token::EOF).map(|_| read));
    read.map_err(|error| match error {
        ParserError::RecursionLimitExceeded => {
            Unknown { code: UnknownCode::TooLarge, detail: "nested too deep".to_owned() }
        }
        ParserError::ParserError(detail) | ParserError::TokenizerError(detail) => {
            // What it found is the caller's text, and may be a password.
            unparsable(detail.split(", found").next().unwrap_or_default().to_owned())
        }
    })
}

fn unparsable(detail: String) -> Unknown {
    Unknown { code: UnknownCode::Unparsable, detail }
}
