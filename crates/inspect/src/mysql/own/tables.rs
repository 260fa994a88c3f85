//! `CREATE TABLE`, and what it shares with `ALTER TABLE`: definitions and options.
//!
//! Definitions are gone through for names and expressions, not checked: a column's type changes no facts.

use sallyport_core::Unknown;
use sqlparser::ast::{Expr, Ident, ObjectName};

use super::super::lexer::{Kind, Lexeme, Rules};
use super::super::query;
use super::cursor::{Cursor, identifier};
use super::{CreateTable, Statement};

/// What definitions and options say beside their form.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) columns: Vec<Ident>,
    pub(super) references: Vec<ObjectName>,
    pub(super) options: Vec<(String, String)>,
    pub(super) union: Vec<ObjectName>,
    pub(super) expressions: Vec<Expr>,
}

/// `CREATE [OR REPLACE] [TEMPORARY] TABLE …`, after those words.
pub(super) fn create(
    cursor: &mut Cursor<'_, '_>,
    or_replace: bool,
    temporary: bool,
) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let name = cursor.name()?;
    let mut parts = Parts::default();
    let (mut like, mut query) = (None, None);
    if cursor.word("LIKE") {
        like = Some(cursor.name()?);
    } else if cursor.sees_symbol("(") && cursor.peek(1).is_some_and(|next| next.is_word("LIKE")) {
        cursor.advance();
        cursor.advance();
        like = Some(cursor.name()?);
        cursor.expect_symbol(")")?;
    } else {
        if cursor.sees_symbol("(") && !starts_query(cursor, 1) {
            let inside = cursor.parenthesised()?;
            parts.definitions(inside, cursor.rules)?;
        }
        parts.options(cursor)?;
        let _ = cursor.any(&["IGNORE", "REPLACE"]);
        cursor.word("AS");
        if !cursor.ended() {
            query = Some(cursor.query()?);
        }
    }
    cursor.end()?;
    let Parts { columns, references, options, union, expressions } = parts;
    Ok(Statement::CreateTable(Box::new(CreateTable {
        name,
        or_replace,
        temporary,
        columns,
        references,
        like,
        options,
        union,
        expressions,
        query,
    })))
}

/// Whether a query starts so far ahead.
fn starts_query(cursor: &Cursor<'_, '_>, ahead: usize) -> bool {
    cursor.peek(ahead).is_some_and(|lexeme| {
        ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| lexeme.is_word(word)) || lexeme.is_symbol("(")
    })
}

impl Parts {
    /// Columns, indexes and constraints between commas.
    pub(super) fn definitions(&mut self, lexemes: &[Lexeme<'_>], rules: Rules) -> Result<(), Unknown> {
        let mut cursor = Cursor::new(lexemes, rules);
        loop {
            let definition = cursor.until(|lexeme| lexeme.is_symbol(","));
            self.definition(definition, rules)?;
            if !cursor.symbol(",") {
                break;
            }
        }
        cursor.end()
    }

    /// One column, index or constraint.
    pub(super) fn definition(&mut self, lexemes: &[Lexeme<'_>], rules: Rules) -> Result<(), Unknown> {
        const OTHERS: [&str; 9] =
            ["CONSTRAINT", "PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK"];
        let mut cursor = Cursor::new(lexemes, rules);
        let period = cursor.sees_words(&["PERIOD", "FOR"]);
        if !cursor.sees_any(&OTHERS) && !period {
            self.columns.push(cursor.ident()?);
        } else if cursor.ended() {
            return Err(cursor.fails("a definition"));
        }
        self.inside(&mut cursor)
    }

    /// What a definition refers to and evaluates.
    pub(super) fn inside(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Unknown> {
        while let Some(lexeme) = cursor.advance() {
            if lexeme.is_word("REFERENCES") {
                self.references.push(cursor.name()?);
            } else if ["AS", "CHECK", "DEFAULT"].iter().any(|word| lexeme.is_word(word))
                && cursor.sees_symbol("(")
            {
                let inside = cursor.parenthesised()?;
                self.expressions.push(query::expression(inside, cursor.rules)?);
            } else if (lexeme.is_word("DEFAULT") || lexeme.is_word("UPDATE"))
                && cursor.peek(0).is_some_and(|name| identifier(name).is_some())
                && cursor.peek(1).is_some_and(|next| next.is_symbol("(") || next.is_symbol("."))
            {
                // `DEFAULT uuid()`, `ON UPDATE now(6)`.
                let mut call = cursor.clone();
                call.name()?;
                if call.sees_symbol("(") {
                    let Some(name) = cursor.peek(0) else { continue };
                    let count = cursor.clone().until(|lexeme| lexeme.is_symbol("(")).len();
                    let mut whole: Vec<Lexeme<'_>> = vec![name.clone()];
                    for _ in 1..count {
                        cursor.advance();
                        whole.extend(cursor.peek(0).cloned());
                    }
                    cursor.advance();
                    let open = cursor.peek(0).cloned();
                    let inside = cursor.parenthesised()?;
                    whole.extend(open);
                    whole.extend(inside.iter().cloned());
                    whole.extend(cursor.before().cloned());
                    self.expressions.push(query::expression(&whole, cursor.rules)?);
                }
            } else if lexeme.is_symbol("(") && cursor.sees_symbol("(") {
                // The expression of a functional key part.
                let inside = cursor.parenthesised()?;
                self.expressions.push(query::expression(inside, cursor.rules)?);
            }
        }
        Ok(())
    }

    /// Options and partitions, up to the query or the end.
    pub(super) fn options(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Unknown> {
        loop {
            cursor.symbol(",");
            if cursor.ended() || cursor.sees_any(&["AS", "IGNORE", "REPLACE"]) {
                return Ok(());
            }
            if cursor.words(&["WITH", "SYSTEM", "VERSIONING"])
                || cursor.words(&["WITHOUT", "SYSTEM", "VERSIONING"])
            {
                continue;
            }
            if starts_query(cursor, 0) {
                return Ok(());
            }
            if cursor.words(&["PARTITION", "BY"]) {
                self.partitions(cursor);
                continue;
            }
            self.option(cursor)?;
        }
    }

    /// One option of a table.
    pub(super) fn option(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Unknown> {
        cursor.word("DEFAULT");
        let Some(first) = cursor.peek(0).filter(|lexeme| matches!(lexeme.kind, Kind::Word | Kind::Quoted))
        else {
            return Err(cursor.fails("an option of a table"));
        };
        cursor.advance();
        let mut name = first.text.to_ascii_uppercase();
        for (head, tail) in [
            ("CHARACTER", "SET"),
            ("CHAR", "SET"),
            ("DATA", "DIRECTORY"),
            ("INDEX", "DIRECTORY"),
            ("STORAGE", "ENGINE"),
        ] {
            if first.is_word(head) && cursor.word(tail) {
                name = format!("{name} {tail}");
            }
        }
        cursor.symbol("=");
        if name == "UNION" && cursor.sees_symbol("(") {
            let inside = cursor.parenthesised()?;
            if !inside.is_empty() {
                let mut tables = Cursor::new(inside, cursor.rules);
                self.union.append(&mut tables.names()?);
                tables.end()?;
            }
            return Ok(());
        }
        let value = match cursor.peek(0) {
            Some(value)
                if matches!(
                    value.kind,
                    Kind::Word | Kind::Quoted | Kind::String | Kind::Number | Kind::Hex | Kind::Dotted
                ) =>
            {
                cursor.advance();
                value.text.clone().into_owned()
            }
            _ => return Err(cursor.fails("the value of an option")),
        };
        if name == "TABLESPACE" && cursor.word("STORAGE") {
            cursor.advance();
        }
        self.options.push((name, value));
        Ok(())
    }

    /// How rows are spread: only the files that partitions name matter.
    pub(super) fn partitions(&mut self, cursor: &mut Cursor<'_, '_>) {
        let rules = cursor.rules;
        let partitions = cursor.until(|lexeme| {
            ["AS", "IGNORE", "REPLACE", "SELECT", "WITH"].iter().any(|word| lexeme.is_word(word))
        });
        self.directories(partitions, rules);
    }

    /// `DATA DIRECTORY = 'd'` anywhere in the lexemes.
    pub(super) fn directories(&mut self, lexemes: &[Lexeme<'_>], rules: Rules) {
        let mut cursor = Cursor::new(lexemes, rules);
        while !cursor.ended() {
            let name = if cursor.words(&["DATA", "DIRECTORY"]) {
                "DATA DIRECTORY"
            } else if cursor.words(&["INDEX", "DIRECTORY"]) {
                "INDEX DIRECTORY"
            } else if cursor.word("CONNECTION") {
                "CONNECTION"
            } else {
                cursor.advance();
                continue;
            };
            cursor.symbol("=");
            if let Ok(value) = cursor.string() {
                self.options.push((name.to_owned(), value));
            }
        }
    }
}
