//! SQL that a database's client is given.
//!
//! Clients have commands of their own among the SQL, which no server sees: `\!`, `\copy`, `source`, `system`.
//! What is not known to be harmless of those makes the whole unknown.

use sallyport_core::{Facts, Language, UnknownCode, Verb};

use super::{Engine, Stdin};
use crate::shell::syntax::Dialect;
use crate::shell::word::Word;
use crate::{mysql, pg};

/// Commands of `psql` that only show or shape what is shown.
const PSQL_SHOWS: [&str; 26] = [
    "\\x",
    "\\timing",
    "\\pset",
    "\\q",
    "\\echo",
    "\\conninfo",
    "\\l",
    "\\l+",
    "\\list",
    "\\z",
    "\\h",
    "\\?",
    "\\a",
    "\\t",
    "\\f",
    "\\H",
    "\\encoding",
    "\\errverbose",
    "\\sf",
    "\\sv",
    "\\sf+",
    "\\sv+",
    "\\qecho",
    "\\warn",
    "\\copyright",
    "\\html",
];

/// Words that start a command of the `mysql` client.
const MYSQL_COMMANDS: [&str; 10] = [
    "system",
    "source",
    "pager",
    "tee",
    "edit",
    "delimiter",
    "connect",
    "query_attributes",
    "prompt",
    "charset",
];

/// The argument of `-c` or `-e`.
pub(super) fn command(engine: &mut Engine, program: &str, language: Language, text: &str) {
    match language {
        Language::Postgres if text.trim_start().starts_with('\\') => meta(engine, program, text.trim()),
        Language::Postgres => postgres(engine, text),
        _ => mysql(engine, text),
    }
}

/// A whole script on standard input.
pub(super) fn script(engine: &mut Engine, program: &str, language: Language, text: &str) {
    if language != Language::Postgres {
        return mysql(engine, text);
    }
    let mut rest = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with('\\') {
            meta(engine, program, line.trim());
        } else {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    if interpolates(&rest) {
        engine.found.unknown(UnknownCode::Dynamic, "psql puts a variable into the text");
    }
    if !rest.trim().is_empty() {
        postgres(engine, &rest);
    }
}

/// A command of `psql` itself.
fn meta(engine: &mut Engine, program: &str, line: &str) {
    let end = line.find(|c: char| c.is_whitespace()).unwrap_or(line.len());
    let (name, argument) = line.split_at(end);
    let shows = PSQL_SHOWS.contains(&name)
        || name.starts_with("\\d")
            && name.bytes().skip(2).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'S'));
    if let Some(shell) = line.strip_prefix("\\!") {
        engine.other_shell(shell, Dialect::Posix, &Stdin::Terminal);
    } else if shows && !argument.contains(['\\', '`', '|', ':']) {
        engine.found.does(Verb::Show, "meta-command", name);
    } else {
        engine.found.does(Verb::Interpreter, "program", program);
        engine.found.unknown(UnknownCode::Unsupported, format!("a command of {program}: {name}"));
    }
}

fn postgres(engine: &mut Engine, text: &str) {
    if has_bare_backslash(text) {
        engine.found.unknown(UnknownCode::Unsupported, "a command of psql among the SQL");
    }
    let (path, remembered) = (vec!["public".to_owned()], pg::Remembered::default());
    let context = pg::Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    engine.found.merge(pg::inspect(text.as_bytes(), &context).facts);
}

fn mysql(engine: &mut Engine, text: &str) {
    let starts = text.split([';', '\n']).filter_map(|statement| statement.split_whitespace().next());
    let is_client = starts.map(str::to_ascii_lowercase).any(|word| MYSQL_COMMANDS.contains(&word.as_str()));
    if is_client || has_bare_backslash(text) {
        engine.found.unknown(UnknownCode::Unsupported, "a command of the mysql client among the SQL");
    }
    let database = engine.database.as_ref().and_then(Word::as_constant);
    let mut line = serde_json::json!({ "text": text });
    if let Some((fields, database)) = line.as_object_mut().zip(database) {
        fields.insert("database".to_owned(), database.into());
    }
    let facts = mysql::lines::facts(line)
        .unwrap_or_else(|error| Facts::unknown(Language::Mysql, UnknownCode::Unsupported, error.to_string()));
    engine.found.merge(facts);
}

/// Whether a backslash stands outside single quotes, or where quotes are of a kind that hides it from here.
fn has_bare_backslash(text: &str) -> bool {
    if !text.contains('\\') {
        return false;
    }
    let is_plain =
        !text.contains("$$") && !text.contains("--") && !text.contains("/*") && !text.contains('"');
    let outside = text.split('\'').step_by(2).any(|outside| outside.contains('\\'));
    outside || !is_plain
}

/// `:name`, `:'name'` and `:"name"`, which `psql` replaces by a variable's value.
fn interpolates(text: &str) -> bool {
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        if c == '\'' {
            quoted = !quoted;
        }
        let next = chars.peek().copied().unwrap_or(' ');
        if c == ':'
            && !quoted
            && before != ':'
            && (next.is_alphabetic() || matches!(next, '_' | '\'' | '"' | '{'))
        {
            return true;
        }
        before = c;
    }
    false
}
