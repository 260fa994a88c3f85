//! Statements of a session: SET in all its forms, transactions, prepared statements, EXPLAIN and the like.

use sallyport_core::Unknown;
use sqlparser::ast::{Expr, Ident, Value};

use super::super::lexer::{Kind, Lexeme};
use super::super::{query, reading};
use super::cursor::{Cursor, unsupported};
use super::{Assignment, AssignmentTarget, Scope, Source, Statement};

/// `SET …`.
pub(super) fn set(cursor: &mut Cursor<'_, '_>, depth: usize) -> Result<Statement, Unknown> {
    if cursor.word("NAMES") {
        return set_names(cursor, "names");
    }
    if cursor.words(&["CHARACTER", "SET"]) || cursor.words(&["CHAR", "SET"]) || cursor.word("CHARSET") {
        return set_names(cursor, "character_set");
    }
    if cursor.word("STATEMENT") {
        let mut assignments = vec![assignment(cursor)?];
        while cursor.symbol(",") {
            assignments.push(assignment(cursor)?);
        }
        cursor.expect("FOR")?;
        let statement = Box::new(reading::parse(cursor.rest(), cursor.rules, depth)?);
        return Ok(Statement::SetStatement { assignments, statement });
    }
    if cursor.sees("PASSWORD") && !cursor.peek(1).is_some_and(|next| next.is_symbol(".")) {
        return super::accounts::set_password(cursor);
    }
    if cursor.words(&["DEFAULT", "ROLE"]) {
        return super::accounts::set_default_role(cursor);
    }
    if cursor.sees("ROLE") && !cursor.peek(1).is_some_and(|next| next.is_symbol("=") || next.is_symbol(":="))
    {
        cursor.advance();
        return super::accounts::set_role(cursor);
    }
    if cursor.words(&["RESOURCE", "GROUP"]) {
        return Err(unsupported("SET RESOURCE GROUP"));
    }
    let before = cursor.clone();
    let scope = cursor.any(&["GLOBAL", "SESSION", "LOCAL"]);
    if cursor.word("TRANSACTION") {
        cursor.rest();
        return Ok(Statement::SetTransaction { global: scope == Some("GLOBAL") });
    }
    *cursor = before;
    several(cursor, Vec::new())
}

/// Assignments, among which character sets may stand by their words, behind those read before.
fn several(cursor: &mut Cursor<'_, '_>, mut assignments: Vec<Assignment>) -> Result<Statement, Unknown> {
    let mut scope = Scope::Session;
    loop {
        // With an equals sign behind it, NAMES is read as any variable's name; the server takes none of that name.
        let is_variable = cursor.peek(1).is_some_and(|next| next.is_symbol("=") || next.is_symbol(":="));
        let setting = if !is_variable && cursor.word("NAMES") {
            Some("names")
        } else if cursor.words(&["CHARACTER", "SET"])
            || cursor.words(&["CHAR", "SET"])
            || cursor.word("CHARSET")
        {
            Some("character_set")
        } else {
            None
        };
        match setting {
            Some(setting) => {
                let value = character_set(cursor, setting)?;
                assignments.push(named(setting, value));
            }
            None => {
                // A scope holds for what follows it without one.
                let (read, next) = scoped_assignment(cursor, scope)?;
                scope = next;
                assignments.push(read);
            }
        }
        if !cursor.symbol(",") {
            break;
        }
    }
    cursor.end()?;
    Ok(Statement::Set(assignments))
}

/// `NAMES x` and `CHARACTER SET x` as an assignment of that name, which no variable has.
fn named(setting: &str, value: Option<String>) -> Assignment {
    let value = value.map(|value| Expr::Value(Value::SingleQuotedString(value).with_empty_span()));
    Assignment { target: AssignmentTarget::System { scope: Scope::Session, name: setting.to_owned() }, value }
}

fn set_names(cursor: &mut Cursor<'_, '_>, setting: &'static str) -> Result<Statement, Unknown> {
    let value = character_set(cursor, setting)?;
    // `SET NAMES x, @y = 1` is one statement.
    if cursor.symbol(",") {
        return several(cursor, vec![named(setting, value)]);
    }
    cursor.end()?;
    Ok(Statement::SetNames { setting, value })
}

/// The name behind NAMES or CHARACTER SET; nothing for the default.
fn character_set(cursor: &mut Cursor<'_, '_>, setting: &str) -> Result<Option<String>, Unknown> {
    if setting == "names" && cursor.sees_symbol("=") {
        return Err(cursor.fails("a character set"));
    }
    let value = if cursor.word("DEFAULT") { None } else { Some(cursor.text()?) };
    if cursor.word("COLLATE") {
        cursor.text()?;
    }
    Ok(value)
}

fn assignment(cursor: &mut Cursor<'_, '_>) -> Result<Assignment, Unknown> {
    scoped_assignment(cursor, Scope::Session).map(|(assignment, _)| assignment)
}

fn scoped_assignment(cursor: &mut Cursor<'_, '_>, scope: Scope) -> Result<(Assignment, Scope), Unknown> {
    let mut scope = scope;
    let target = match cursor.peek(0) {
        Some(lexeme) if lexeme.kind == Kind::Variable => {
            cursor.advance();
            AssignmentTarget::User(lexeme.text.clone().into_owned())
        }
        Some(lexeme) if lexeme.kind == Kind::System => {
            cursor.advance();
            // `@@global.x`; its scope is its own alone.
            let (own, first) = match scope_word(&lexeme.text) {
                Some(own) if cursor.symbol(".") => (own, cursor.ident()?.value),
                _ => (Scope::Session, lexeme.text.clone().into_owned()),
            };
            AssignmentTarget::System { scope: own, name: variable(cursor, first)? }
        }
        Some(lexeme) => {
            let next = cursor.peek(1);
            let named =
                next.is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Quoted | Kind::Dotted));
            if lexeme.kind == Kind::Word
                && named
                && let Some(own) = scope_word(&lexeme.text)
            {
                cursor.advance();
                scope = own;
            }
            // Behind another assignment it still is no variable, but the account's own.
            if lexeme.is_word("PASSWORD") && !next.is_some_and(|next| next.is_symbol(".")) {
                return Err(unsupported("SET PASSWORD behind an assignment"));
            }
            let first = cursor.ident()?.value;
            AssignmentTarget::System { scope, name: variable(cursor, first)? }
        }
        None => return Err(cursor.fails("a variable")),
    };
    if !cursor.symbol("=") && !cursor.symbol(":=") {
        return Err(cursor.fails("="));
    }
    let system = matches!(target, AssignmentTarget::System { .. });
    let value = value(cursor, system)?;
    Ok((Assignment { target, value }, scope))
}

fn scope_word(word: &str) -> Option<Scope> {
    Some(match word.to_ascii_uppercase().as_str() {
        "GLOBAL" => Scope::Global,
        "SESSION" | "LOCAL" => Scope::Session,
        "PERSIST" => Scope::Persist,
        "PERSIST_ONLY" => Scope::PersistOnly,
        _ => return None,
    })
}

/// The name that starts with `first`, in lower case.
fn variable(cursor: &mut Cursor<'_, '_>, first: String) -> Result<String, Unknown> {
    let mut name = first.to_ascii_lowercase();
    while cursor.symbol(".") {
        name = format!("{name}.{}", cursor.ident()?.value.to_ascii_lowercase());
    }
    Ok(name)
}

/// What is assigned; a system variable takes bare words too (`ON`, `ALL`, `binary`).
fn value(cursor: &mut Cursor<'_, '_>, system: bool) -> Result<Option<Expr>, Unknown> {
    if let Some(word) = cursor.peek(0).filter(|lexeme| lexeme.kind == Kind::Word)
        && cursor.peek(1).is_none_or(|next| next.is_symbol(",") || next.is_word("FOR"))
        && system
    {
        cursor.advance();
        let word = word.text.clone();
        return Ok(if word.eq_ignore_ascii_case("DEFAULT") {
            None
        } else {
            Some(Expr::Identifier(Ident::new(word)))
        });
    }
    cursor.expression(&["FOR"]).map(Some)
}

/// `BEGIN`, `START TRANSACTION`, and what else starts with those words.
pub(super) fn begin(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.words(&["NOT", "ATOMIC"]) {
        cursor.rest();
        return Ok(Statement::Anonymous);
    }
    cursor.word("WORK");
    cursor.end()?;
    Ok(Statement::Begin)
}

/// `COMMIT`, `ROLLBACK`.
pub(super) fn end_transaction(cursor: &mut Cursor<'_, '_>, rollback: bool) -> Result<Statement, Unknown> {
    cursor.word("WORK");
    if rollback && cursor.word("TO") {
        cursor.word("SAVEPOINT");
        let to = Some(cursor.ident()?);
        cursor.end()?;
        return Ok(Statement::Rollback { to });
    }
    if cursor.word("AND") {
        cursor.word("NO");
        cursor.expect("CHAIN")?;
    }
    cursor.word("NO");
    cursor.word("RELEASE");
    cursor.end()?;
    Ok(if rollback { Statement::Rollback { to: None } } else { Statement::Commit })
}

/// `START TRANSACTION` options.
pub(super) fn start_transaction(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    while !cursor.ended() {
        let known = cursor.words(&["WITH", "CONSISTENT", "SNAPSHOT"])
            || cursor.words(&["READ", "ONLY"])
            || cursor.words(&["READ", "WRITE"]);
        if !known {
            return Err(cursor.fails("the end"));
        }
        cursor.symbol(",");
    }
    Ok(Statement::Begin)
}

/// `PREPARE s FROM …`.
pub(super) fn prepare(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let name = cursor.ident()?;
    cursor.expect("FROM")?;
    Ok(Statement::Prepare { name, source: source(cursor.rest(), cursor)? })
}

/// `EXECUTE s`, `EXECUTE IMMEDIATE …`.
pub(super) fn execute(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    if cursor.word("IMMEDIATE") {
        let text = cursor.until(|lexeme| lexeme.is_word("USING"));
        let source = source(text, cursor)?;
        let arguments = if cursor.word("USING") { cursor.expressions()? } else { Vec::new() };
        cursor.end()?;
        return Ok(Statement::ExecuteImmediate { source, arguments });
    }
    let name = cursor.ident()?;
    let arguments = if cursor.word("USING") { cursor.expressions()? } else { Vec::new() };
    cursor.end()?;
    Ok(Statement::Execute { name, arguments })
}

fn source(text: &[Lexeme<'_>], cursor: &Cursor<'_, '_>) -> Result<Source, Unknown> {
    match text {
        [one] if one.kind == Kind::String => Ok(Source::Text(one.text.clone().into_owned())),
        _ => query::expression(text, cursor.rules).map(Source::Expression),
    }
}

/// `EXPLAIN …`, `DESCRIBE …`; `analyze` for MariaDB's `ANALYZE <statement>`.
pub(super) fn explain(
    cursor: &mut Cursor<'_, '_>,
    analyze: bool,
    depth: usize,
) -> Result<Statement, Unknown> {
    let mut executes = analyze;
    loop {
        if cursor.sees("FORMAT") && cursor.peek(1).is_some_and(|next| next.is_symbol("=")) {
            cursor.advance();
            cursor.advance();
            cursor.text()?;
        } else if cursor.word("ANALYZE") {
            executes = true;
        } else if cursor.sees_words(&["FOR", "CONNECTION"]) || cursor.sees_words(&["FOR", "QUERY"]) {
            cursor.rest();
            return Ok(Statement::ExplainConnection);
        } else if cursor.word("FOR") {
            // FOR SCHEMA d, FOR DATABASE d.
            cursor.advance();
            cursor.ident()?;
        } else if cursor.word("INTO") {
            cursor.advance();
        } else if !(cursor.word("EXTENDED") || cursor.word("PARTITIONS") || cursor.word("QUERY_PLAN")) {
            break;
        }
    }
    let statements = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE"];
    if cursor.sees_symbol("(") || cursor.sees_any(&statements) {
        let statement = Box::new(reading::parse(cursor.rest(), cursor.rules, depth)?);
        return Ok(Statement::Explain { executes, statement });
    }
    if executes {
        return Err(cursor.fails("a statement"));
    }
    let table = cursor.name()?;
    let column = if cursor.ended() { None } else { Some(cursor.text()?) };
    cursor.end()?;
    Ok(Statement::Describe { table, column })
}
