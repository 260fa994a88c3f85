//! Statements that move data, or run code: LOAD DATA, HANDLER, DO, CALL, diagnostics.

use sallyport_core::Unknown;
use sqlparser::ast::Expr;

use super::super::lexer::Kind;
use super::super::query;
use super::cursor::{Cursor, unsupported};
use super::{Load, Statement};

/// `LOAD DATA …`, `LOAD XML …`.
pub(super) fn load(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.any(&["DATA", "XML"]).is_none() {
        return Err(cursor.fails("DATA"));
    }
    let _ = cursor.any(&["LOW_PRIORITY", "CONCURRENT"]);
    cursor.word("FROM");
    let local = cursor.word("LOCAL");
    // MySQL's bulk load reads from elsewhere.
    if cursor.any(&["INFILE"]).is_none() {
        return Err(unsupported("LOAD DATA from another source"));
    }
    let file = cursor.string()?;
    let replace = cursor.any(&["REPLACE", "IGNORE"]) == Some("REPLACE");
    cursor.expect("INTO")?;
    cursor.expect("TABLE")?;
    let table = cursor.name()?;
    if cursor.word("PARTITION") {
        cursor.parenthesised()?;
    }
    let mut load = Load { local, file, replace, table, columns: Vec::new(), assignments: Vec::new() };
    // How the file is written: words, strings and numbers.
    cursor.until(|lexeme| lexeme.is_symbol("(") || lexeme.is_word("SET") && lexeme.kind == Kind::Word);
    while cursor.sees("SET") && cursor_after_character(cursor) {
        cursor.advance();
        cursor.until(|lexeme| lexeme.is_symbol("(") || lexeme.is_word("SET"));
    }
    if cursor.symbol("(") {
        while !cursor.symbol(")") {
            match cursor.peek(0) {
                Some(lexeme) if lexeme.kind == Kind::Variable => {
                    cursor.advance();
                }
                _ => {
                    let name = cursor.name()?;
                    let column = name.0.last().and_then(|part| part.as_ident());
                    load.columns.push(column.cloned().ok_or_else(|| cursor.fails("a column"))?);
                }
            }
            if !cursor.symbol(",") && !cursor.sees_symbol(")") {
                return Err(cursor.fails(","));
            }
        }
    }
    if cursor.word("SET") {
        load.assignments = cursor.separated(|cursor| {
            let column = cursor.name()?;
            if !cursor.symbol(":=") {
                cursor.expect_symbol("=")?;
            }
            Ok((column, cursor.expression(&[])?))
        })?;
    }
    cursor.end()?;
    Ok(Statement::Load(Box::new(load)))
}

/// Whether the SET at hand is that of `CHARACTER SET`.
fn cursor_after_character(cursor: &Cursor<'_, '_>) -> bool {
    cursor.before().is_some_and(|before| before.is_word("CHARACTER") || before.is_word("CHAR"))
}

/// `HANDLER …`.
pub(super) fn handler(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let table = cursor.name()?;
    let (mut filter, mut arguments): (Option<Expr>, Vec<Expr>) = (None, Vec::new());
    if cursor.word("OPEN") {
        if cursor.word("AS") || !cursor.ended() {
            cursor.ident()?;
        }
        cursor.end()?;
        return Ok(Statement::Handler { table, reads: false, filter, arguments });
    }
    if cursor.word("CLOSE") {
        cursor.end()?;
        return Ok(Statement::Handler { table, reads: false, filter, arguments });
    }
    cursor.expect("READ")?;
    cursor.until(|lexeme| lexeme.is_symbol("(") || lexeme.is_word("WHERE") || lexeme.is_word("LIMIT"));
    if cursor.sees_symbol("(") {
        arguments = query::expressions(cursor.parenthesised()?, cursor.rules)?;
    }
    if cursor.word("WHERE") {
        filter = Some(cursor.expression(&["LIMIT"])?);
    }
    if cursor.word("LIMIT") {
        arguments.append(&mut cursor.expressions()?);
    }
    cursor.end()?;
    Ok(Statement::Handler { table, reads: true, filter, arguments })
}

/// `CALL p(…)`.
pub(super) fn call(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let name = cursor.name()?;
    let arguments =
        if cursor.ended() { Vec::new() } else { query::expressions(cursor.parenthesised()?, cursor.rules)? };
    cursor.end()?;
    Ok(Statement::Call { name, arguments })
}

/// `DO expr, …`. An alias may follow an expression, as in a query.
pub(super) fn evaluate(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let expressions = cursor.expressions()?;
    if expressions.is_empty() { Err(cursor.fails("an expression")) } else { Ok(Statement::Do(expressions)) }
}

/// `SIGNAL`, `RESIGNAL`, `GET DIAGNOSTICS`: what is on the right of a `=`.
pub(super) fn diagnostics(cursor: &mut Cursor<'_, '_>, words: &'static str) -> Result<Statement, Unknown> {
    let mut expressions = Vec::new();
    loop {
        cursor.until(|lexeme| lexeme.is_symbol("="));
        if !cursor.symbol("=") {
            break;
        }
        expressions.push(cursor.expression(&[])?);
    }
    cursor.end()?;
    Ok(Statement::Diagnostics { words, expressions })
}
