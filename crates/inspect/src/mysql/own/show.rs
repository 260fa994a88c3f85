//! `SHOW` in all its forms.

use sallyport_core::Unknown;

use super::cursor::Cursor;
use super::{Show, Statement};

/// What is about one object: the words, and the object's name follows.
const ABOUT: [&[&str]; 17] = [
    &["CREATE", "TABLE"],
    &["CREATE", "VIEW"],
    &["CREATE", "PROCEDURE"],
    &["CREATE", "FUNCTION"],
    &["CREATE", "TRIGGER"],
    &["CREATE", "EVENT"],
    &["CREATE", "SEQUENCE"],
    &["CREATE", "PACKAGE", "BODY"],
    &["CREATE", "PACKAGE"],
    &["CREATE", "SERVER"],
    &["PROCEDURE", "CODE"],
    &["FUNCTION", "CODE"],
    &["PACKAGE", "BODY", "CODE"],
    &["EXTENDED", "COLUMNS"],
    &["PARSE_TREE"],
    &["CREATE", "LIBRARY"],
    &["RELAYLOG"],
];

/// `SHOW …`.
pub(super) fn show(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let mut show = Show { what: String::new(), object: None, database: None, account: None, filter: None };
    if cursor.words(&["CREATE", "DATABASE"]) || cursor.words(&["CREATE", "SCHEMA"]) {
        cursor.if_not_exists();
        show.what = "CREATE DATABASE".to_owned();
        show.database = Some(cursor.ident()?);
    } else if cursor.words(&["CREATE", "USER"]) {
        show.what = "CREATE USER".to_owned();
        show.account = if cursor.ended() { None } else { Some(cursor.account()?) };
    } else if cursor.words(&["GRANTS"]) {
        show.what = "GRANTS".to_owned();
        show.account = if cursor.word("FOR") { Some(cursor.account()?) } else { None };
        if cursor.word("USING") {
            cursor.accounts()?;
        }
    } else if let Some(words) =
        ABOUT.iter().find(|words| cursor.sees_words(words) && words.first() == Some(&"CREATE"))
    {
        cursor.words(words);
        cursor.if_not_exists();
        show.what = words.join(" ");
        show.object = Some(cursor.name()?);
    } else {
        general(cursor, &mut show)?;
    }
    cursor.end()?;
    Ok(Statement::Show(Box::new(show)))
}

/// `SHOW <words> [{FROM | IN} t [{FROM | IN} d]] [LIKE 'x' | WHERE expr] [LIMIT …]`.
fn general(cursor: &mut Cursor<'_, '_>, show: &mut Show) -> Result<(), Unknown> {
    let mut words = Vec::new();
    let stops = ["FROM", "IN", "LIKE", "WHERE", "LIMIT", "FOR"];
    // `SHOW COUNT(*) WARNINGS`
    if cursor.word("COUNT") {
        cursor.parenthesised()?;
        words.push("COUNT".to_owned());
    }
    while !cursor.sees_any(&stops) {
        match cursor.any_word() {
            Some(word) => words.push(word),
            None if cursor.symbol(",") => {}
            None => break,
        }
    }
    if words.is_empty() {
        return Err(cursor.fails("what to show"));
    }
    show.what = words.join(" ");
    // `SHOW ENGINE x STATUS`, `SHOW PROCEDURE CODE p`: the name is among the words, or follows them.
    if show.what.ends_with(" CODE") {
        show.object = Some(cursor.name()?);
    }
    let of_table =
        ["COLUMNS", "FIELDS", "INDEX", "INDEXES", "KEYS"].contains(&words.last().map_or("", String::as_str));
    if words.last().is_some_and(|last| last == "SONAME") && !cursor.sees("LIKE") {
        cursor.string()?;
    }
    if cursor.word("FOR") {
        // `SHOW PROFILE FOR QUERY n`, `SHOW … FOR CHANNEL 'c'`, `SHOW EXPLAIN FOR n`.
        cursor.until(|lexeme| lexeme.is_word("LIMIT"));
    }
    if cursor.any(&["FROM", "IN"]).is_some() {
        if of_table {
            let table = cursor.name()?;
            show.object = Some(match cursor.any(&["FROM", "IN"]) {
                Some(_) => {
                    let database = cursor.ident()?;
                    let mut parts = vec![sqlparser::ast::ObjectNamePart::Identifier(database)];
                    parts.extend(table.0);
                    sqlparser::ast::ObjectName(parts)
                }
                None => table,
            });
        } else if show.what.ends_with("EVENTS") && cursor.string().is_ok() {
            // `SHOW BINLOG EVENTS IN 'log' FROM n`
            if cursor.word("FROM") {
                cursor.advance();
            }
        } else if show.what.ends_with("EVENTS") && words.len() > 1 {
            cursor.advance();
        } else {
            show.database = Some(cursor.ident()?);
        }
    }
    if cursor.word("FOR") {
        cursor.until(|lexeme| lexeme.is_word("LIMIT"));
    }
    if cursor.word("LIKE") {
        cursor.string()?;
    } else if cursor.word("WHERE") {
        show.filter = Some(cursor.expression(&["LIMIT"])?);
    }
    if cursor.word("LIMIT") {
        cursor.rest();
    }
    if cursor.word("FOR") {
        cursor.rest();
    }
    Ok(())
}
