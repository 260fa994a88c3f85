//! CREATE, ALTER and DROP, by what they are about.

use sallyport_core::Unknown;
use sqlparser::ast::ObjectName;

use super::super::query;
use super::cursor::{Cursor, unsupported};
use super::{ObjectKind, ObjectVerb, Statement, View, accounts, altering, tables};

/// `CREATE …`.
pub(super) fn create(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let or_replace = cursor.words(&["OR", "REPLACE"]);
    if cursor.words(&["TEMPORARY", "TABLE"]) {
        return tables::create(cursor, or_replace, true);
    }
    if cursor.words(&["TEMPORARY", "SEQUENCE"]) {
        return object(cursor, ObjectVerb::Create, ObjectKind::Sequence, or_replace);
    }
    if cursor.word("TABLE") {
        return tables::create(cursor, or_replace, false);
    }
    if cursor.any(&["DATABASE", "SCHEMA"]).is_some() {
        cursor.if_not_exists();
        let name = cursor.ident()?;
        database_options(cursor)?;
        return Ok(Statement::CreateDatabase { name, or_replace });
    }
    if cursor.word("USER") {
        return accounts::create_user(cursor, or_replace);
    }
    if cursor.word("ROLE") {
        return accounts::create_role(cursor, or_replace);
    }
    if cursor.word("SERVER") {
        return server(cursor, false, or_replace);
    }
    if cursor.word("SEQUENCE") {
        return object(cursor, ObjectVerb::Create, ObjectKind::Sequence, or_replace);
    }
    if cursor.word("UNDO") || cursor.sees("TABLESPACE") {
        cursor.expect("TABLESPACE")?;
        return tablespace(cursor, ObjectVerb::Create);
    }
    if cursor.words(&["LOGFILE", "GROUP"]) {
        return tablespace(cursor, ObjectVerb::Create);
    }
    if cursor.words(&["RESOURCE", "GROUP"]) {
        return object(cursor, ObjectVerb::Create, ObjectKind::ResourceGroup, or_replace);
    }
    if cursor.words(&["SPATIAL", "REFERENCE", "SYSTEM"]) {
        cursor.rest();
        let object = ObjectKind::SpatialReferenceSystem;
        return Ok(Statement::Object { verb: ObjectVerb::Create, object, name: None, or_replace });
    }
    let online = cursor.any(&["ONLINE", "OFFLINE"]).is_some();
    let kind = cursor.any(&["UNIQUE", "FULLTEXT", "SPATIAL"]).is_some();
    if cursor.word("INDEX") {
        return index(cursor, or_replace);
    }
    if online || kind {
        return Err(cursor.fails("INDEX"));
    }
    defined(cursor, ObjectVerb::Create, or_replace)
}

/// Views and programs, which may be defined by an account.
fn defined(cursor: &mut Cursor<'_, '_>, verb: ObjectVerb, or_replace: bool) -> Result<Statement, Unknown> {
    let alter = verb == ObjectVerb::Alter;
    if cursor.word("ALGORITHM") {
        cursor.expect_symbol("=")?;
        cursor.ident()?;
    }
    if cursor.word("DEFINER") {
        cursor.expect_symbol("=")?;
        cursor.account()?;
    }
    if cursor.words(&["SQL", "SECURITY"]) {
        cursor.ident()?;
    }
    if cursor.word("VIEW") {
        return view(cursor, alter, or_replace);
    }
    cursor.word("AGGREGATE");
    if cursor.word("TRIGGER") {
        cursor.if_not_exists();
        let name = cursor.name()?;
        cursor.until(|lexeme| lexeme.is_word("ON"));
        cursor.expect("ON")?;
        let table = cursor.name()?;
        if !cursor.words(&["FOR", "EACH", "ROW"]) {
            return Err(cursor.fails("FOR EACH ROW"));
        }
        cursor.rest();
        return Ok(Statement::CreateTrigger { name, table, or_replace });
    }
    if cursor.word("EVENT") {
        return event(cursor, alter, or_replace);
    }
    if cursor.word("PROCEDURE") {
        return object(cursor, verb, ObjectKind::Procedure, or_replace);
    }
    if cursor.word("FUNCTION") {
        cursor.if_not_exists();
        let mut ahead = cursor.clone();
        let name = ahead.name()?;
        if ahead.word("RETURNS") {
            // Without parameters: a function of a library.
            ahead.advance();
            ahead.expect("SONAME")?;
            let library = ahead.string()?;
            ahead.end()?;
            *cursor = ahead;
            return Ok(Statement::CreateLoadable { name, library, or_replace });
        }
        return object(cursor, verb, ObjectKind::Function, or_replace);
    }
    if cursor.word("PACKAGE") {
        let kind = if cursor.word("BODY") { ObjectKind::PackageBody } else { ObjectKind::Package };
        return object(cursor, verb, kind, or_replace);
    }
    Err(cursor.fails("what to create or alter"))
}

/// An object of which only the name matters; its body is not read.
fn object(
    cursor: &mut Cursor<'_, '_>,
    verb: ObjectVerb,
    object: ObjectKind,
    or_replace: bool,
) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    cursor.if_exists();
    let name = Some(cursor.name()?);
    cursor.rest();
    Ok(Statement::Object { verb, object, name, or_replace })
}

/// `ALTER …`.
pub(super) fn alter(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let _ = cursor.any(&["ONLINE", "OFFLINE"]);
    cursor.word("IGNORE");
    if cursor.word("TABLE") {
        return altering::table(cursor);
    }
    if cursor.any(&["DATABASE", "SCHEMA"]).is_some() {
        let options =
            ["CHARACTER", "CHARSET", "DEFAULT", "COLLATE", "COMMENT", "ENCRYPTION", "READ", "UPGRADE"];
        let named = !cursor.sees_any(&options)
            || cursor.peek(1).is_some_and(|next| {
                options.iter().any(|option| next.is_word(option)) && !next.is_word("SET")
            });
        let name = if named { Some(cursor.ident()?) } else { None };
        database_options(cursor)?;
        return Ok(Statement::AlterDatabase { name });
    }
    if cursor.word("USER") {
        return accounts::alter_user(cursor);
    }
    if cursor.word("SERVER") {
        return server(cursor, true, false);
    }
    if cursor.word("INSTANCE") {
        let words =
            cursor.rest().iter().map(|lexeme| lexeme.text.to_ascii_uppercase()).collect::<Vec<_>>().join(" ");
        return Ok(Statement::AlterInstance { words });
    }
    if cursor.word("SEQUENCE") {
        return object(cursor, ObjectVerb::Alter, ObjectKind::Sequence, false);
    }
    if cursor.word("UNDO") || cursor.sees("TABLESPACE") {
        cursor.expect("TABLESPACE")?;
        return tablespace(cursor, ObjectVerb::Alter);
    }
    if cursor.words(&["LOGFILE", "GROUP"]) {
        return tablespace(cursor, ObjectVerb::Alter);
    }
    if cursor.words(&["RESOURCE", "GROUP"]) {
        return object(cursor, ObjectVerb::Alter, ObjectKind::ResourceGroup, false);
    }
    defined(cursor, ObjectVerb::Alter, false)
}

/// `DROP …`.
pub(super) fn drop(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.words(&["PREPARE"]) {
        return Ok(Statement::Deallocate(last_ident(cursor)?));
    }
    let temporary = cursor.word("TEMPORARY");
    if cursor.any(&["TABLE", "TABLES"]).is_some() {
        return Ok(Statement::DropTables { names: dropped(cursor)?, temporary });
    }
    if cursor.any(&["VIEW", "VIEWS"]).is_some() {
        return dropped(cursor).map(Statement::DropViews);
    }
    if cursor.any(&["DATABASE", "SCHEMA"]).is_some() {
        cursor.if_exists();
        return Ok(Statement::DropDatabase { name: last_ident(cursor)? });
    }
    if cursor.word("USER") {
        return accounts::dropped(cursor).map(Statement::DropUser);
    }
    if cursor.word("ROLE") {
        return accounts::dropped(cursor).map(Statement::DropRole);
    }
    let _ = cursor.any(&["ONLINE", "OFFLINE"]);
    if cursor.word("INDEX") {
        cursor.if_exists();
        let name = cursor.ident()?;
        cursor.expect("ON")?;
        let table = cursor.name()?;
        index_options(cursor);
        cursor.end()?;
        return Ok(Statement::DropIndex { name, table });
    }
    let kind = if cursor.word("PROCEDURE") {
        ObjectKind::Procedure
    } else if cursor.word("FUNCTION") {
        ObjectKind::Function
    } else if cursor.words(&["PACKAGE", "BODY"]) {
        ObjectKind::PackageBody
    } else if cursor.word("PACKAGE") {
        ObjectKind::Package
    } else if cursor.word("TRIGGER") {
        ObjectKind::Trigger
    } else if cursor.word("EVENT") {
        ObjectKind::Event
    } else if cursor.word("SERVER") {
        ObjectKind::Server
    } else if cursor.words(&["UNDO", "TABLESPACE"]) || cursor.word("TABLESPACE") {
        ObjectKind::Tablespace
    } else if cursor.words(&["LOGFILE", "GROUP"]) {
        ObjectKind::LogfileGroup
    } else if cursor.words(&["RESOURCE", "GROUP"]) {
        ObjectKind::ResourceGroup
    } else if cursor.words(&["SPATIAL", "REFERENCE", "SYSTEM"]) {
        cursor.rest();
        let object = ObjectKind::SpatialReferenceSystem;
        return Ok(Statement::Object { verb: ObjectVerb::Drop, object, name: None, or_replace: false });
    } else if cursor.word("SEQUENCE") {
        cursor.if_exists();
        let mut names = cursor.names()?;
        cursor.end()?;
        // Several sequences are rare, and each must be named.
        let (Some(name), true) = (names.pop(), names.is_empty()) else {
            return Err(unsupported("DROP of several sequences"));
        };
        let object = ObjectKind::Sequence;
        return Ok(Statement::Object { verb: ObjectVerb::Drop, object, name: Some(name), or_replace: false });
    } else {
        return Err(cursor.fails("what to drop"));
    };
    object(cursor, ObjectVerb::Drop, kind, false)
}

/// `DROP TABLE [IF EXISTS] a, b [RESTRICT]`.
fn dropped(cursor: &mut Cursor<'_, '_>) -> Result<Vec<ObjectName>, Unknown> {
    cursor.if_exists();
    let names = cursor.names()?;
    let _ = cursor.any(&["RESTRICT", "CASCADE"]);
    if cursor.word("WAIT") {
        cursor.advance();
    }
    cursor.word("NOWAIT");
    cursor.end()?;
    Ok(names)
}

pub(super) fn last_ident(cursor: &mut Cursor<'_, '_>) -> Result<sqlparser::ast::Ident, Unknown> {
    let name = cursor.ident()?;
    cursor.end()?;
    Ok(name)
}

fn database_options(cursor: &mut Cursor<'_, '_>) -> Result<(), Unknown> {
    if cursor.rest().iter().any(|lexeme| lexeme.is_symbol("(") || lexeme.is_symbol(";")) {
        return Err(cursor.fails("an option of a database"));
    }
    Ok(())
}

/// `VIEW v (a, b) AS query`.
fn view(cursor: &mut Cursor<'_, '_>, alter: bool, or_replace: bool) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let name = cursor.name()?;
    let columns = if cursor.sees_symbol("(") { cursor.columns()? } else { Vec::new() };
    cursor.expect("AS")?;
    let mut lexemes = cursor.rest();
    for check in [
        &["WITH", "CHECK", "OPTION"][..],
        &["WITH", "LOCAL", "CHECK", "OPTION"],
        &["WITH", "CASCADED", "CHECK", "OPTION"],
    ] {
        let Some((head, tail)) =
            lexemes.len().checked_sub(check.len()).and_then(|at| lexemes.split_at_checked(at))
        else {
            continue;
        };
        if tail.iter().zip(check).all(|(lexeme, word)| lexeme.is_word(word)) {
            lexemes = head;
            break;
        }
    }
    let query = query::query(lexemes, cursor.rules)?;
    Ok(Statement::View(Box::new(View { alter, or_replace, name, columns, query })))
}

/// `INDEX i ON t (a, (b + 1))`.
fn index(cursor: &mut Cursor<'_, '_>, or_replace: bool) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let name = cursor.ident()?;
    index_options(cursor);
    cursor.expect("ON")?;
    let table = cursor.name()?;
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    let mut parts = Cursor::new(cursor.parenthesised()?, cursor.rules);
    loop {
        if parts.sees_symbol("(") {
            expressions.push(query::expression(parts.parenthesised()?, cursor.rules)?);
        } else {
            columns.push(parts.ident()?);
            if parts.sees_symbol("(") {
                parts.parenthesised()?;
            }
        }
        let _ = parts.any(&["ASC", "DESC"]);
        if !parts.symbol(",") {
            break;
        }
    }
    parts.end()?;
    index_options(cursor);
    cursor.end()?;
    Ok(Statement::CreateIndex { name, table, or_replace, columns, expressions })
}

/// Words with their values, up to ON or the end.
fn index_options(cursor: &mut Cursor<'_, '_>) {
    cursor.until(|lexeme| lexeme.is_word("ON") || lexeme.is_symbol("("));
}

/// `EVENT e …`.
fn event(cursor: &mut Cursor<'_, '_>, alter: bool, or_replace: bool) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let name = cursor.name()?;
    let (mut rename, mut expressions) = (None, Vec::new());
    let stops = ["STARTS", "ENDS", "ON", "RENAME", "ENABLE", "DISABLE", "COMMENT", "DO"];
    while !cursor.ended() {
        if cursor.words(&["RENAME", "TO"]) {
            rename = Some(cursor.name()?);
        } else if cursor.any(&["AT", "EVERY", "STARTS", "ENDS"]).is_some() {
            let lexemes = cursor.until(|lexeme| stops.iter().any(|word| lexeme.is_word(word)));
            // The unit after EVERY belongs to no expression; an interval with it does.
            let every = lexemes.split_last().filter(|(last, _)| query::is_unit(&last.text));
            let interval = lexemes.iter().any(|lexeme| lexeme.is_word("INTERVAL"));
            expressions.push(match every {
                Some((_, value)) if !interval => query::expression(value, cursor.rules)?,
                _ => query::expression(lexemes, cursor.rules)?,
            });
        } else if cursor.word("DO") {
            cursor.rest();
        } else {
            cursor.advance();
        }
    }
    Ok(Statement::Event { alter, name, rename, or_replace, expressions })
}

/// `SERVER s FOREIGN DATA WRAPPER w OPTIONS (…)`.
fn server(cursor: &mut Cursor<'_, '_>, alter: bool, or_replace: bool) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let quoted = cursor.text()?;
    let name = sqlparser::ast::Ident::with_quote('`', quoted);
    let wrapper = if cursor.words(&["FOREIGN", "DATA", "WRAPPER"]) { Some(cursor.text()?) } else { None };
    cursor.expect("OPTIONS")?;
    let mut inside = Cursor::new(cursor.parenthesised()?, cursor.rules);
    let options = inside.separated(|cursor| {
        let Some(option) = cursor.peek(0) else { return Err(cursor.fails("an option")) };
        cursor.advance();
        let Some(value) = cursor.advance() else { return Err(cursor.fails("a value")) };
        Ok((option.text.to_ascii_uppercase(), value.text.clone().into_owned()))
    })?;
    inside.end()?;
    cursor.end()?;
    Ok(Statement::Server { alter, name, or_replace, wrapper, options })
}

/// Tablespaces and log file groups, with the files that they name.
fn tablespace(cursor: &mut Cursor<'_, '_>, verb: ObjectVerb) -> Result<Statement, Unknown> {
    let name = cursor.ident()?;
    let mut files = Vec::new();
    while !cursor.ended() {
        if cursor.any(&["DATAFILE", "UNDOFILE", "REDOFILE"]).is_some() {
            files.push(cursor.string()?);
        } else {
            cursor.advance();
        }
    }
    Ok(Statement::Tablespace { verb, name, files })
}
