//! `ALTER TABLE`: what it does to rows, other tables and files, beside changing a table's form.

use sallyport_core::Unknown;

use super::super::lexer::{Kind, Lexeme, Rules};
use super::cursor::Cursor;
use super::tables::Parts;
use super::{AlterTable, Statement, TableChange};

/// `ALTER TABLE …`, after those words.
pub(super) fn table(cursor: &mut Cursor<'_, '_>) -> Result<Statement, Unknown> {
    cursor.if_exists();
    let table = cursor.name()?;
    if cursor.word("WAIT") {
        cursor.advance();
    }
    cursor.word("NOWAIT");
    let mut parts = Parts::default();
    let mut changes = Vec::new();
    while !cursor.ended() {
        let change = cursor.until(|lexeme| lexeme.is_symbol(","));
        change_of(change, cursor.rules, &mut parts, &mut changes)?;
        if !cursor.symbol(",") {
            break;
        }
        if cursor.ended() {
            return Err(cursor.fails("a change"));
        }
    }
    cursor.end()?;
    let Parts { references, options, union, expressions, .. } = parts;
    Ok(Statement::AlterTable(Box::new(AlterTable {
        table,
        changes,
        references,
        options,
        union,
        expressions,
    })))
}

/// One change between commas.
fn change_of(
    lexemes: &[Lexeme<'_>],
    rules: Rules,
    parts: &mut Parts,
    changes: &mut Vec<TableChange>,
) -> Result<(), Unknown> {
    let mut cursor = Cursor::new(lexemes, rules);
    let Some(verb) = cursor.peek(0).filter(|lexeme| matches!(lexeme.kind, Kind::Word | Kind::Quoted)) else {
        return Err(cursor.fails("a change"));
    };
    let upper = verb.text.to_ascii_uppercase();
    let start = cursor.clone();
    cursor.advance();
    let change = match upper.as_str() {
        "ADD" => add(&mut cursor, parts)?,
        "CHANGE" | "MODIFY" => {
            cursor.word("COLUMN");
            cursor.if_exists();
            let column = cursor.ident()?;
            if upper == "CHANGE" {
                cursor.ident()?;
            }
            parts.inside(&mut cursor)?;
            form(&upper, Some(column))
        }
        "ALTER" => {
            let index = cursor.any(&["INDEX", "KEY", "CONSTRAINT", "CHECK"]).is_some();
            cursor.word("COLUMN");
            cursor.if_exists();
            let column = cursor.ident()?;
            parts.inside(&mut cursor)?;
            form("ALTER", (!index).then_some(column))
        }
        "DROP" => drop(&mut cursor)?,
        "RENAME" => rename(&mut cursor)?,
        "TRUNCATE" => {
            cursor.expect("PARTITION")?;
            cursor.rest();
            TableChange::RemoveRows { words: "TRUNCATE PARTITION" }
        }
        "EXCHANGE" => {
            cursor.expect("PARTITION")?;
            cursor.ident()?;
            cursor.expect("WITH")?;
            cursor.expect("TABLE")?;
            let table = cursor.name()?;
            cursor.words(&["WITH", "VALIDATION"]);
            cursor.words(&["WITHOUT", "VALIDATION"]);
            TableChange::Exchange { words: "EXCHANGE PARTITION", table }
        }
        "CONVERT" => convert(&mut cursor, parts)?,
        "DISCARD" | "IMPORT" => {
            let partition = cursor.word("PARTITION");
            if partition {
                cursor.until(|lexeme| lexeme.is_word("TABLESPACE"));
            }
            cursor.expect("TABLESPACE")?;
            let words = if upper == "DISCARD" { "DISCARD TABLESPACE" } else { "IMPORT TABLESPACE" };
            TableChange::Tablespace { words }
        }
        "ANALYZE" | "OPTIMIZE" | "CHECK" | "REPAIR" | "REBUILD" if cursor.word("PARTITION") => {
            cursor.rest();
            TableChange::Maintain {
                verb: match upper.as_str() {
                    "ANALYZE" => "ANALYZE",
                    "OPTIMIZE" => "OPTIMIZE",
                    "CHECK" => "CHECK",
                    "REPAIR" => "REPAIR",
                    _ => "REBUILD",
                },
            }
        }
        "REORGANIZE" | "COALESCE" if cursor.word("PARTITION") => {
            parts.directories(cursor.rest(), rules);
            form(&format!("{upper} PARTITION"), None)
        }
        "REMOVE" if cursor.word("PARTITIONING") => form("REMOVE PARTITIONING", None),
        "PARTITION" if cursor.word("BY") => {
            parts.directories(cursor.rest(), rules);
            form("PARTITION BY", None)
        }
        // PARTITIONS at the end of a list of names; the list was cut at its commas.
        "ORDER" if cursor.word("BY") => {
            cursor.rest();
            form("ORDER BY", None)
        }
        "ENABLE" | "DISABLE" if cursor.word("KEYS") => form(&format!("{upper} KEYS"), None),
        "FORCE" => form("FORCE", None),
        "WITH" | "WITHOUT" if cursor.word("VALIDATION") => form(&format!("{upper} VALIDATION"), None),
        // The rest of a list whose head was one change: `ORDER BY a, b`, `DROP PARTITION p, q`.
        _ if continues_list(changes, lexemes) => return Ok(()),
        _ => {
            cursor = start;
            parts.options(&mut cursor)?;
            form("OPTIONS", None)
        }
    };
    // Options may follow a change without a comma, partitions after the last.
    if !cursor.ended() {
        parts.options(&mut cursor)?;
    }
    cursor.end()?;
    changes.push(change);
    Ok(())
}

fn form(words: &str, column: Option<sqlparser::ast::Ident>) -> TableChange {
    TableChange::Form { words: words.to_owned(), column }
}

/// Whether lexemes are the next names of the list that the last change began.
fn continues_list(changes: &[TableChange], lexemes: &[Lexeme<'_>]) -> bool {
    let listed = match changes.last() {
        Some(
            TableChange::RemoveRows { .. } | TableChange::Maintain { .. } | TableChange::Tablespace { .. },
        ) => true,
        Some(TableChange::Form { words, .. }) => words == "ORDER BY",
        _ => false,
    };
    listed
        && match lexemes {
            [name] | [name, _] => matches!(name.kind, Kind::Word | Kind::Quoted | Kind::Dotted),
            _ => false,
        }
}

/// `ADD …`.
fn add(cursor: &mut Cursor<'_, '_>, parts: &mut Parts) -> Result<TableChange, Unknown> {
    if cursor.word("PARTITION") {
        parts.directories(cursor.rest(), cursor.rules);
        return Ok(form("ADD PARTITION", None));
    }
    if cursor.words(&["SYSTEM", "VERSIONING"]) {
        return Ok(form("ADD SYSTEM VERSIONING", None));
    }
    let words =
        ["CONSTRAINT", "PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK"];
    if cursor.sees_words(&["PERIOD", "FOR"]) {
        cursor.rest();
        return Ok(form("ADD PERIOD", None));
    }
    if let Some(word) = words.iter().find(|word| cursor.sees(word)) {
        let index = ["UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL"].contains(word);
        let mut name = cursor.clone();
        let definition = cursor.rest();
        parts.definition(definition, cursor.rules)?;
        if index {
            name.advance();
            let _ = name.any(&["KEY", "INDEX"]);
            name.if_not_exists();
            let name = if name.sees_symbol("(") || name.sees("USING") { None } else { name.ident().ok() };
            return Ok(TableChange::Index { add: true, name });
        }
        return Ok(form(&format!("ADD {word}"), None));
    }
    cursor.word("COLUMN");
    cursor.if_not_exists();
    if cursor.sees_symbol("(") {
        let inside = cursor.parenthesised()?;
        parts.definitions(inside, cursor.rules)?;
        return Ok(form("ADD", None));
    }
    let column = cursor.ident()?;
    parts.inside(cursor)?;
    Ok(form("ADD", Some(column)))
}

/// `DROP …`.
fn drop(cursor: &mut Cursor<'_, '_>) -> Result<TableChange, Unknown> {
    if cursor.word("PARTITION") {
        cursor.rest();
        return Ok(TableChange::RemoveRows { words: "DROP PARTITION" });
    }
    if cursor.words(&["SYSTEM", "VERSIONING"]) {
        // The history goes with it.
        return Ok(TableChange::RemoveRows { words: "DROP SYSTEM VERSIONING" });
    }
    if cursor.words(&["PRIMARY", "KEY"]) {
        return Ok(form("DROP PRIMARY KEY", None));
    }
    if cursor.words(&["FOREIGN", "KEY"]) {
        cursor.if_exists();
        cursor.ident()?;
        return Ok(form("DROP FOREIGN KEY", None));
    }
    if cursor.words(&["PERIOD", "FOR"]) {
        cursor.rest();
        return Ok(form("DROP PERIOD", None));
    }
    if cursor.any(&["INDEX", "KEY"]).is_some() {
        cursor.if_exists();
        return Ok(TableChange::Index { add: false, name: Some(cursor.ident()?) });
    }
    if let Some(word) = cursor.any(&["CONSTRAINT", "CHECK"]) {
        cursor.if_exists();
        cursor.ident()?;
        return Ok(form(&format!("DROP {word}"), None));
    }
    cursor.word("COLUMN");
    cursor.if_exists();
    let column = cursor.ident()?;
    let _ = cursor.any(&["RESTRICT", "CASCADE"]);
    Ok(form("DROP", Some(column)))
}

/// `RENAME …`.
fn rename(cursor: &mut Cursor<'_, '_>) -> Result<TableChange, Unknown> {
    if cursor.word("COLUMN") {
        cursor.if_exists();
        let column = cursor.ident()?;
        cursor.expect("TO")?;
        cursor.ident()?;
        return Ok(form("RENAME COLUMN", Some(column)));
    }
    if cursor.any(&["INDEX", "KEY"]).is_some() {
        cursor.if_exists();
        cursor.ident()?;
        cursor.expect("TO")?;
        cursor.ident()?;
        return Ok(form("RENAME INDEX", None));
    }
    if cursor.any(&["TO", "AS"]).is_none() {
        cursor.symbol("=");
    }
    cursor.name().map(TableChange::Rename)
}

/// `CONVERT TO CHARACTER SET …`, MariaDB's `CONVERT TABLE t TO PARTITION p …` and `CONVERT PARTITION p TO TABLE t`.
fn convert(cursor: &mut Cursor<'_, '_>, parts: &mut Parts) -> Result<TableChange, Unknown> {
    if cursor.word("TABLE") {
        let table = cursor.name()?;
        parts.directories(cursor.rest(), cursor.rules);
        return Ok(TableChange::Exchange { words: "CONVERT TABLE", table });
    }
    if cursor.word("PARTITION") {
        cursor.ident()?;
        cursor.expect("TO")?;
        cursor.expect("TABLE")?;
        return Ok(TableChange::Exchange { words: "CONVERT PARTITION", table: cursor.name()? });
    }
    cursor.expect("TO")?;
    cursor.rest();
    Ok(form("CONVERT TO", None))
}
