//! Statements that have a rule of ours, because `sqlparser` knows no such statement, loses a part of it,
//! or takes it for something else than the server does.
//!
//! A statement's lexemes go in; a variant of [`Statement`] comes out. Expressions and queries inside are read
//! by `sqlparser` ([`super::query`]).

mod accounts;
mod admin;
mod altering;
mod cursor;
mod data;
mod objects;
pub(super) mod programs;
mod session;
mod show;
mod statement;
mod tables;

use sallyport_core::{Unknown, UnknownCode};

use super::lexer::{Lexeme, Rules};
use cursor::Cursor;
pub(super) use statement::*;

/// Parses a statement that begins with none of the verbs of queries and data.
pub(super) fn parse(lexemes: &[Lexeme<'_>], rules: Rules, depth: usize) -> Result<Statement, Unknown> {
    let mut cursor = Cursor::new(lexemes, rules);
    let cursor = &mut cursor;
    if lexemes.get(1).is_some_and(|second| second.is_symbol(":")) {
        cursor.rest();
        return Ok(Statement::Anonymous);
    }
    let Some(verb) = cursor.any_word() else { return Err(cursor.fails("a statement")) };
    let statement = match verb.as_str() {
        "CREATE" => objects::create(cursor),
        "ALTER" => objects::alter(cursor),
        "DROP" => objects::drop(cursor),
        "SET" => session::set(cursor, depth),
        "SHOW" => show::show(cursor),
        "USE" => objects::last_ident(cursor).map(Statement::Use),
        "BEGIN" => session::begin(cursor),
        "START" => start(cursor),
        "STOP" => stop(cursor),
        "COMMIT" => session::end_transaction(cursor, false),
        "ROLLBACK" => session::end_transaction(cursor, true),
        "SAVEPOINT" => objects::last_ident(cursor).map(Statement::Savepoint),
        "RELEASE" => {
            cursor.expect("SAVEPOINT")?;
            objects::last_ident(cursor).map(Statement::Release)
        }
        "PREPARE" => session::prepare(cursor),
        "EXECUTE" => session::execute(cursor),
        "DEALLOCATE" => {
            cursor.expect("PREPARE")?;
            objects::last_ident(cursor).map(Statement::Deallocate)
        }
        "EXPLAIN" | "DESCRIBE" | "DESC" => session::explain(cursor, false, depth),
        "ANALYZE" if cursor.sees_any(&["TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG"]) => {
            admin::maintain(cursor, "ANALYZE")
        }
        "ANALYZE" => session::explain(cursor, true, depth),
        "OPTIMIZE" => admin::maintain(cursor, "OPTIMIZE"),
        "REPAIR" => admin::maintain(cursor, "REPAIR"),
        "CHECK" => admin::maintain(cursor, "CHECK"),
        "CHECKSUM" => admin::maintain(cursor, "CHECKSUM"),
        "CACHE" => admin::cache_index(cursor),
        "LOAD" if cursor.word("INDEX") => admin::load_index(cursor),
        "LOAD" => data::load(cursor),
        "HANDLER" => data::handler(cursor),
        "CALL" => data::call(cursor),
        "DO" => data::evaluate(cursor),
        "TRUNCATE" => {
            cursor.word("TABLE");
            let table = cursor.name()?;
            if cursor.word("WAIT") {
                cursor.advance();
            }
            cursor.word("NOWAIT");
            cursor.end()?;
            Ok(Statement::Truncate(table))
        }
        "RENAME" if cursor.word("USER") => accounts::rename_user(cursor),
        "RENAME" => rename_tables(cursor),
        "GRANT" => accounts::grant(cursor),
        "REVOKE" => accounts::revoke(cursor),
        "LOCK" => admin::lock(cursor),
        "UNLOCK" => admin::unlock(cursor),
        "BACKUP" => admin::backup(cursor),
        "FLUSH" => admin::flush(cursor),
        "RESET" => admin::reset(cursor),
        "PURGE" | "BINLOG" => admin::replication(cursor, &verb),
        "CHANGE" if cursor.sees_any(&["MASTER", "REPLICATION"]) => admin::replication(cursor, &verb),
        "XA" => admin::xa(cursor),
        "INSTALL" => admin::install(cursor),
        "UNINSTALL" => admin::uninstall(cursor),
        "KILL" => admin::kill(cursor),
        "CLONE" => admin::clone(cursor),
        "SHUTDOWN" => {
            cursor.words(&["WAIT", "FOR", "ALL", "SLAVES"]);
            cursor.words(&["WAIT", "FOR", "ALL", "REPLICAS"]);
            cursor.end().map(|()| Statement::Shutdown)
        }
        "RESTART" => cursor.end().map(|()| Statement::Restart),
        "HELP" => cursor.text().and_then(|_| cursor.end()).map(|()| Statement::Help),
        "IMPORT" => {
            if !cursor.words(&["TABLE", "FROM"]) {
                return Err(cursor.fails("TABLE FROM"));
            }
            let files = cursor.separated(Cursor::string)?;
            cursor.end().map(|()| Statement::ImportTable { files })
        }
        "SIGNAL" => data::diagnostics(cursor, "SIGNAL"),
        "RESIGNAL" => data::diagnostics(cursor, "RESIGNAL"),
        "GET" => data::diagnostics(cursor, "GET DIAGNOSTICS"),
        "IF" | "CASE" | "LOOP" | "REPEAT" | "WHILE" | "FOR" => {
            cursor.rest();
            Ok(Statement::Anonymous)
        }
        _ => return Err(Unknown { code: UnknownCode::Unparsable, detail: format!("no statement: {verb}") }),
    }?;
    cursor.end()?;
    Ok(statement)
}

fn start(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.word("TRANSACTION") {
        return session::start_transaction(cursor);
    }
    replicas(cursor, "START")
}

fn stop(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    replicas(cursor, "STOP")
}

fn replicas(cursor: &mut Cursor<'_, '_>, verb: &str) -> Result<Statement, Unknown> {
    if !cursor.sees_any(&["SLAVE", "REPLICA", "GROUP_REPLICATION", "ALL"]) {
        return Err(cursor.fails("REPLICA"));
    }
    admin::replication(cursor, verb)
}

/// `RENAME TABLE a TO b, …`.
fn rename_tables(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.any(&["TABLE", "TABLES"]).is_none() {
        return Err(cursor.fails("TABLE"));
    }
    cursor.if_exists();
    let renamed = cursor.separated(|cursor| {
        let from = cursor.name()?;
        if cursor.word("WAIT") {
            cursor.advance();
        }
        cursor.word("NOWAIT");
        cursor.expect("TO")?;
        Ok((from, cursor.name()?))
    })?;
    cursor.end()?;
    Ok(Statement::RenameTable(renamed))
}
