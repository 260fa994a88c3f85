//! Administration of a server: maintenance, replication, plugins, connections.

use sallyport_core::Unknown;
use sqlparser::ast::ObjectName;

use super::super::lexer::{Kind, Lexeme};
use super::super::query;
use super::cursor::{Cursor, unsupported};
use super::{Assignment, AssignmentTarget, KillTarget, LockedTable, Scope, Statement};

/// `ANALYZE | OPTIMIZE | REPAIR | CHECK | CHECKSUM TABLE t, u …`.
pub(super) fn maintain(cursor: &mut Cursor<'_, '_>, verb: &'static str) -> Result<Statement, Unknown> {
    let _ = cursor.any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if cursor.any(&["TABLE", "TABLES", "VIEW", "VIEWS"]).is_none() {
        return Err(cursor.fails("TABLE"));
    }
    let tables = if verb == "ANALYZE" {
        // `PERSISTENT FOR …` may follow each.
        cursor.separated(|cursor| {
            let table = cursor.name()?;
            if cursor.words(&["PERSISTENT", "FOR"]) {
                cursor.until(|lexeme| lexeme.is_symbol(","));
            }
            Ok(table)
        })?
    } else {
        cursor.names()?
    };
    // Options are words and, of histograms, numbers and columns.
    let rest = cursor.rest();
    if rest.iter().any(|lexeme| lexeme.is_symbol("(")) && verb != "ANALYZE" {
        return Err(cursor.fails("options"));
    }
    Ok(Statement::Maintain { verb, tables })
}

/// Tables with the indexes and partitions that are named.
fn tables_with_indexes(cursor: &mut Cursor<'_, '_>) -> Result<Vec<ObjectName>, Unknown> {
    cursor.separated(|cursor| {
        let table = cursor.name()?;
        if cursor.word("PARTITION") {
            cursor.parenthesised()?;
        }
        if cursor.any(&["INDEX", "KEY", "INDEXES", "KEYS"]).is_some() {
            cursor.parenthesised()?;
        }
        cursor.words(&["IGNORE", "LEAVES"]);
        Ok(table)
    })
}

/// `CACHE INDEX t IN c`.
pub(super) fn cache_index(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    cursor.expect("INDEX")?;
    let tables = tables_with_indexes(cursor)?;
    cursor.expect("IN")?;
    cursor.ident()?;
    cursor.end()?;
    Ok(Statement::Maintain { verb: "CACHE INDEX", tables })
}

/// `LOAD INDEX INTO CACHE t`.
pub(super) fn load_index(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if !cursor.words(&["INTO", "CACHE"]) {
        return Err(cursor.fails("INTO CACHE"));
    }
    let tables = tables_with_indexes(cursor)?;
    cursor.end()?;
    Ok(Statement::Maintain { verb: "LOAD INDEX", tables })
}

/// `FLUSH …`.
pub(super) fn flush(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let _ = cursor.any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if cursor.any(&["TABLES", "TABLE"]).is_some() {
        let mut tables = Vec::new();
        if !cursor.ended() && !cursor.sees_any(&["WITH", "FOR"]) {
            tables = cursor.names()?;
        }
        let locks = cursor.words(&["WITH", "READ", "LOCK"]) || cursor.words(&["FOR", "EXPORT"]);
        cursor.words(&["AND", "DISABLE", "CHECKPOINT"]);
        // `FLUSH TABLES, STATUS` is no statement of either server's documentation, and is of its grammar.
        if cursor.symbol(",") {
            return Err(unsupported("FLUSH of several things"));
        }
        cursor.end()?;
        return Ok(Statement::Flush { what: vec!["TABLES".to_owned()], tables, locks });
    }
    let what = cursor.separated(|cursor| {
        let words = leading_words(cursor.until(|lexeme| lexeme.is_symbol(",")), 8);
        if words.is_empty() { Err(cursor.fails("what to flush")) } else { Ok(words) }
    })?;
    cursor.end()?;
    Ok(Statement::Flush { what, tables: Vec::new(), locks: false })
}

/// `RESET …`: of replication, or of other things.
pub(super) fn reset(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let what = cursor.separated(|cursor| {
        let words = leading_words(cursor.until(|lexeme| lexeme.is_symbol(",")), 4);
        match words.split(' ').next() {
            Some("MASTER" | "SLAVE" | "REPLICA" | "BINARY" | "QUERY" | "PERSIST") => Ok(words),
            _ => Err(unsupported("RESET")),
        }
    })?;
    cursor.end()?;
    Ok(Statement::Reset { what })
}

/// Statements of replication, of which the leading words say enough. An expression may only tell a time.
pub(super) fn replication(cursor: &mut Cursor<'_, '_>, verb: &str) -> Result<Statement, Unknown> {
    const TIMES: [&str; 8] =
        ["NOW", "CURRENT_TIMESTAMP", "CURDATE", "CURRENT_DATE", "DATE_SUB", "DATE_ADD", "SUBDATE", "DATE"];
    let rest = cursor.rest();
    let calls = rest.windows(2).any(|two| match two {
        [name, open] => {
            open.is_symbol("(")
                && matches!(name.kind, Kind::Word | Kind::Quoted | Kind::Dotted)
                && !TIMES.iter().any(|time| name.is_word(time))
        }
        _ => false,
    });
    if calls || rest.iter().any(|lexeme| lexeme.is_word("SELECT")) {
        return Err(unsupported("replication with an expression"));
    }
    let words = leading_words(rest, 3);
    Ok(Statement::Replication { words: format!("{verb} {words}").trim_end().to_owned() })
}

/// The first words, in upper case.
fn leading_words(lexemes: &[Lexeme<'_>], most: usize) -> String {
    let words = lexemes.iter().take(most).take_while(|lexeme| lexeme.kind == Kind::Word);
    words.map(|lexeme| lexeme.text.to_ascii_uppercase()).collect::<Vec<_>>().join(" ")
}

/// `XA …`.
pub(super) fn xa(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let verbs = ["START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK", "RECOVER"];
    let Some(verb) = cursor.any(&verbs) else { return Err(cursor.fails("a verb of XA")) };
    let rest = cursor.rest();
    if rest.iter().any(|lexeme| lexeme.is_symbol("(")) {
        return Err(cursor.fails("an identifier of a transaction"));
    }
    Ok(Statement::Xa { verb: verb.to_owned() })
}

/// `INSTALL …`.
pub(super) fn install(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let (mut what, mut libraries, mut assignments) = (Vec::new(), Vec::new(), Vec::new());
    if cursor.word("PLUGIN") {
        cursor.if_not_exists();
        what.push(cursor.text()?);
        cursor.expect("SONAME")?;
        libraries.push(cursor.string()?);
    } else if cursor.word("SONAME") {
        libraries.push(cursor.string()?);
    } else if cursor.word("COMPONENT") {
        libraries = cursor.separated(Cursor::string)?;
        if cursor.word("SET") {
            assignments = cursor.separated(|cursor| {
                let scope = if cursor.word("PERSIST") {
                    Scope::Persist
                } else {
                    cursor.word("GLOBAL");
                    Scope::Global
                };
                let name = cursor.name()?.to_string().to_ascii_lowercase();
                cursor.expect_symbol("=")?;
                let value = Some(cursor.expression(&[])?);
                Ok(Assignment { target: AssignmentTarget::System { scope, name }, value })
            })?;
        }
    } else {
        return Err(cursor.fails("PLUGIN"));
    }
    cursor.end()?;
    Ok(Statement::Install { what, libraries, assignments })
}

/// `UNINSTALL …`.
pub(super) fn uninstall(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.any(&["PLUGIN", "SONAME", "COMPONENT"]).is_none() {
        return Err(cursor.fails("PLUGIN"));
    }
    cursor.if_exists();
    let what = cursor.separated(Cursor::text)?;
    cursor.end()?;
    Ok(Statement::Uninstall { what })
}

/// `KILL …`.
pub(super) fn kill(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let _ = cursor.any(&["HARD", "SOFT"]);
    let mut query = false;
    if cursor.word("QUERY") {
        query = true;
        cursor.word("ID");
    } else {
        cursor.word("CONNECTION");
    }
    let target = if cursor.word("USER") {
        KillTarget::User(cursor.account()?)
    } else {
        KillTarget::Id(query::expression(cursor.rest(), cursor.rules)?)
    };
    cursor.end()?;
    Ok(Statement::Kill { query, target })
}

/// `CLONE …`.
pub(super) fn clone(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.words(&["LOCAL", "DATA", "DIRECTORY"]) {
        cursor.symbol("=");
        let directory = Some(cursor.string()?);
        cursor.end()?;
        return Ok(Statement::Clone { local: true, source: None, directory });
    }
    if !cursor.words(&["INSTANCE", "FROM"]) {
        return Err(cursor.fails("INSTANCE FROM"));
    }
    let source = Some(cursor.account()?);
    let rest = cursor.rest();
    let after = |lexeme: &&Lexeme<'_>| lexeme.kind == Kind::String;
    let directory = rest
        .iter()
        .skip_while(|lexeme| !lexeme.is_word("DIRECTORY"))
        .find(after)
        .map(|lexeme| lexeme.text.clone().into_owned());
    Ok(Statement::Clone { local: false, source, directory })
}

/// `LOCK TABLES …`, `LOCK INSTANCE FOR BACKUP`.
pub(super) fn lock(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.words(&["INSTANCE", "FOR", "BACKUP"]) {
        cursor.end()?;
        return Ok(Statement::Backup { words: "LOCK INSTANCE".to_owned(), table: None });
    }
    if cursor.any(&["TABLES", "TABLE"]).is_none() {
        return Err(cursor.fails("TABLES"));
    }
    let locked = cursor.separated(|cursor| {
        let table = cursor.name()?;
        if cursor.word("AS") || !cursor.sees_any(&["READ", "WRITE", "LOW_PRIORITY"]) {
            cursor.ident()?;
        }
        cursor.word("LOW_PRIORITY");
        let write = match cursor.any(&["READ", "WRITE"]) {
            Some(mode) => mode == "WRITE",
            None => return Err(cursor.fails("READ or WRITE")),
        };
        let _ = cursor.any(&["LOCAL", "CONCURRENT"]);
        Ok(LockedTable { table, write })
    })?;
    if cursor.word("WAIT") {
        cursor.advance();
    }
    cursor.word("NOWAIT");
    cursor.end()?;
    Ok(Statement::LockTables(locked))
}

/// `UNLOCK TABLES`, `UNLOCK INSTANCE`.
pub(super) fn unlock(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let what = cursor.any(&["TABLES", "TABLE", "INSTANCE"]);
    cursor.end()?;
    match what {
        Some("INSTANCE") => Ok(Statement::Backup { words: "UNLOCK INSTANCE".to_owned(), table: None }),
        Some(_) => Ok(Statement::UnlockTables),
        None => Err(cursor.fails("TABLES")),
    }
}

/// MariaDB's `BACKUP …`.
pub(super) fn backup(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.word("STAGE") {
        let Some(stage) = cursor.any_word() else { return Err(cursor.fails("a stage")) };
        cursor.end()?;
        return Ok(Statement::Backup { words: format!("BACKUP STAGE {stage}"), table: None });
    }
    if cursor.word("LOCK") {
        let table = Some(cursor.name()?);
        cursor.end()?;
        return Ok(Statement::Backup { words: "BACKUP LOCK".to_owned(), table });
    }
    cursor.expect("UNLOCK")?;
    cursor.end()?;
    Ok(Statement::Backup { words: "BACKUP UNLOCK".to_owned(), table: None })
}
