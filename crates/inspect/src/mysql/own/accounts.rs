//! Users, roles, passwords and privileges.

use sallyport_core::Unknown;
use sqlparser::ast::{Expr, Ident};

use super::super::lexer::Kind;
use super::cursor::Cursor;
use super::{Account, Grant, GrantObject, Statement};

/// `CREATE USER …`.
pub(super) fn create_user(cursor: &mut Cursor<'_, '_>, or_replace: bool) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let (accounts, roles) = accounts_with_options(cursor)?;
    Ok(Statement::CreateUser { accounts, or_replace, roles })
}

/// `ALTER USER …`.
pub(super) fn alter_user(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    cursor.if_exists();
    if cursor.sees("USER") && cursor.peek(1).is_some_and(|next| next.is_symbol("(")) {
        // `ALTER USER USER() IDENTIFIED BY …`
        cursor.rest();
        return Ok(Statement::AlterUser { accounts: Vec::new(), roles: Vec::new() });
    }
    let (accounts, roles) = accounts_with_options(cursor)?;
    Ok(Statement::AlterUser { accounts, roles })
}

/// Accounts with how they sign in, and what holds for all of them: only the default roles matter.
fn accounts_with_options(cursor: &mut Cursor<'_, '_>) -> Result<(Vec<Account>, Vec<Account>), Unknown> {
    let mut accounts = vec![cursor.account()?];
    let mut roles = Vec::new();
    loop {
        cursor.until(|lexeme| lexeme.is_symbol(",") || lexeme.is_word("DEFAULT"));
        if cursor.symbol(",") {
            accounts.push(cursor.account()?);
        } else if cursor.words(&["DEFAULT", "ROLE"]) {
            roles.append(&mut cursor.accounts()?);
        } else if cursor.advance().is_none() {
            break;
        }
    }
    Ok((accounts, roles))
}

/// `RENAME USER a TO b, …`.
pub(super) fn rename_user(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let renamed = cursor.separated(|cursor| {
        let from = cursor.account()?;
        cursor.expect("TO")?;
        Ok((from, cursor.account()?))
    })?;
    cursor.end()?;
    Ok(Statement::RenameUser(renamed))
}

/// `CREATE ROLE …`.
pub(super) fn create_role(cursor: &mut Cursor<'_, '_>, or_replace: bool) -> Result<Statement, Unknown> {
    cursor.if_not_exists();
    let roles = cursor.accounts()?;
    let admin = if cursor.words(&["WITH", "ADMIN"]) { Some(cursor.account()?) } else { None };
    cursor.end()?;
    Ok(Statement::CreateRole { roles, or_replace, admin })
}

/// `DROP USER`, `DROP ROLE`.
pub(super) fn dropped(cursor: &mut Cursor<'_, '_>) -> Result<Vec<Account>, Unknown> {
    cursor.if_exists();
    let accounts = cursor.accounts()?;
    cursor.end()?;
    Ok(accounts)
}

/// `SET PASSWORD [FOR u] = …`, `… TO RANDOM`.
pub(super) fn set_password(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    cursor.expect("PASSWORD")?;
    let account = if cursor.word("FOR") { Some(cursor.account()?) } else { None };
    let value: Option<Expr> = if cursor.words(&["TO", "RANDOM"]) {
        None
    } else {
        if !cursor.symbol(":=") {
            cursor.expect_symbol("=")?;
        }
        Some(cursor.expression(&["REPLACE", "RETAIN"])?)
    };
    if cursor.word("REPLACE") {
        cursor.string()?;
    }
    cursor.words(&["RETAIN", "CURRENT", "PASSWORD"]);
    cursor.end()?;
    Ok(Statement::SetPassword { account, value })
}

/// `SET ROLE …`.
pub(super) fn set_role(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let (roles, word) = roles(cursor)?;
    cursor.end()?;
    Ok(Statement::SetRole { roles, word })
}

/// `SET DEFAULT ROLE r TO u`, MariaDB's `SET DEFAULT ROLE r FOR u`.
pub(super) fn set_default_role(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let (roles, word) = roles(cursor)?;
    let accounts = if cursor.word("TO") || cursor.word("FOR") { cursor.accounts()? } else { Vec::new() };
    cursor.end()?;
    Ok(Statement::SetDefaultRole { roles, word, accounts })
}

fn roles(cursor: &mut Cursor<'_, '_>) -> Result<(Vec<Account>, Option<String>), Unknown> {
    if let Some(word) = cursor.any(&["NONE", "ALL", "DEFAULT"]) {
        let except = cursor.word("EXCEPT");
        return Ok((if except { cursor.accounts()? } else { Vec::new() }, Some(word.to_owned())));
    }
    Ok((cursor.accounts()?, None))
}

/// `GRANT …`.
pub(super) fn grant(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    let mut grant = privileges(cursor, "TO")?;
    cursor.expect("TO")?;
    let mut accounts = vec![cursor.account()?];
    loop {
        let skipped =
            cursor.until(|lexeme| lexeme.is_symbol(",") || lexeme.is_word("WITH") || lexeme.is_word("AS"));
        grant.identified |= skipped.iter().any(|lexeme| lexeme.is_word("IDENTIFIED"));
        // `IDENTIFIED WITH plugin`: accounts may follow.
        if skipped.last().is_some_and(|lexeme| lexeme.is_word("IDENTIFIED")) && cursor.word("WITH") {
            continue;
        }
        if cursor.symbol(",") {
            accounts.push(cursor.account()?);
        } else if cursor.words(&["WITH", "GRANT", "OPTION"]) || cursor.words(&["WITH", "ADMIN", "OPTION"]) {
            grant.option = true;
        } else if cursor.word("WITH") {
            grant.option |= cursor.rest().windows(2).any(
                |two| matches!(two, [first, second] if first.is_word("GRANT") && second.is_word("OPTION")),
            );
        } else if cursor.advance().is_none() {
            break;
        }
    }
    grant.to = accounts;
    Ok(Statement::Grant(Box::new(grant)))
}

/// `REVOKE …`.
pub(super) fn revoke(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    cursor.if_exists();
    let admin = cursor.words(&["ADMIN", "OPTION", "FOR"]);
    let mut grant = privileges(cursor, "FROM")?;
    cursor.expect("FROM")?;
    grant.to = cursor.accounts()?;
    grant.option |= admin;
    cursor.words(&["IGNORE", "UNKNOWN", "USER"]);
    cursor.end()?;
    Ok(Statement::Revoke(Box::new(grant)))
}

/// What is granted, on what; up to `end`, which is not taken.
fn privileges(cursor: &mut Cursor<'_, '_>, end: &str) -> Result<Grant, Unknown> {
    let mut grant = Grant {
        privileges: Vec::new(),
        roles: Vec::new(),
        on: GrantObject::None,
        to: Vec::new(),
        option: false,
        identified: false,
    };
    if cursor.words(&["PROXY", "ON"]) {
        grant.privileges.push(("PROXY".to_owned(), Vec::new()));
        grant.on = GrantObject::Proxy(cursor.account()?);
        return Ok(grant);
    }
    // Roles have no ON; only the word before the end tells.
    let mut ahead = 0;
    let on = loop {
        match cursor.peek(ahead) {
            Some(lexeme) if lexeme.is_word("ON") => break true,
            Some(lexeme) if lexeme.is_word(end) => break false,
            Some(_) => ahead += 1,
            None => return Err(cursor.fails(end)),
        }
    };
    let all = cursor.sees_words(&["ALL", "PRIVILEGES"])
        || (cursor.sees("ALL") && cursor.peek(1).is_some_and(|l| l.is_symbol(",")));
    if !on && !all && !cursor.sees_words(&["GRANT", "OPTION"]) {
        grant.roles = cursor.accounts()?;
        return Ok(grant);
    }
    loop {
        let privilege = privilege(cursor)?;
        if privilege.0 == "GRANT OPTION" {
            grant.option = true;
        }
        grant.privileges.push(privilege);
        if !cursor.symbol(",") {
            break;
        }
    }
    if on {
        cursor.expect("ON")?;
        grant.on = object(cursor)?;
    }
    Ok(grant)
}

/// The words of one privilege, with its columns.
fn privilege(cursor: &mut Cursor<'_, '_>) -> Result<(String, Vec<Ident>), Unknown> {
    let mut words: Vec<String> = Vec::new();
    while !cursor.sees_any(&["ON", "FROM"]) || words.is_empty() {
        match cursor.peek(0) {
            // A dynamic privilege may be quoted.
            Some(lexeme) if matches!(lexeme.kind, Kind::Word | Kind::Quoted | Kind::String) => {
                words.push(lexeme.text.to_ascii_uppercase());
                cursor.advance();
            }
            _ => break,
        }
    }
    if words.is_empty() {
        return Err(cursor.fails("a privilege"));
    }
    let columns = if cursor.sees_symbol("(") { cursor.columns()? } else { Vec::new() };
    let name = words.join(" ");
    Ok((if name == "ALL" { "ALL PRIVILEGES".to_owned() } else { name }, columns))
}

fn object(cursor: &mut Cursor<'_, '_>) -> Result<GrantObject, Unknown> {
    let kind = match cursor.peek(1) {
        // A table may have such a name.
        Some(next) if next.is_word("TO") || next.is_word("FROM") || next.is_symbol(".") => None,
        _ => cursor.any(&["TABLE", "FUNCTION", "PROCEDURE", "PACKAGE"]),
    };
    if kind == Some("PACKAGE") {
        cursor.word("BODY");
    }
    match kind {
        Some("FUNCTION") => return cursor.name().map(GrantObject::Function),
        Some("PROCEDURE") => return cursor.name().map(GrantObject::Procedure),
        Some("PACKAGE") => return cursor.name().map(GrantObject::Package),
        _ => {}
    }
    if cursor.symbol("*") {
        if !cursor.symbol(".") {
            return Ok(GrantObject::CurrentDatabase);
        }
        cursor.expect_symbol("*")?;
        return Ok(GrantObject::Everything);
    }
    let before = cursor.clone();
    let database = cursor.ident()?;
    if cursor.symbol(".") && cursor.symbol("*") {
        return Ok(GrantObject::Database(database));
    }
    *cursor = before;
    cursor.name().map(GrantObject::Table)
}
