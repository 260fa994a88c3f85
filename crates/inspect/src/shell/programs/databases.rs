//! Words of database clients: where they connect to, and statements of those whose grammar is not read.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Rest, Special};
use super::outcome::Outcome;
use super::values::part;
use crate::shell::effect::Effect;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "connection", read: connection },
    Special { name: "psql-variable", read: psql_variable },
    Special { name: "psql-output", read: psql_output },
    Special { name: "sqlite-text", read: sqlite_text },
    Special { name: "sql-database", read: sql_database },
];

pub(super) const RESTS: &[Rest] =
    &[Rest { name: "redis", read: redis }, Rest { name: "mysqladmin", read: mysqladmin }];

/// A database's name, or a connection string with its host.
fn connection(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    if word.text.ends_with(".js") || word.text.ends_with(".mongodb") {
        // Where a database could be named, MongoDB's shell takes a script as well.
        outcome.reads(word);
        return outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    if let Some((_, after)) = word.text.split_once("://") {
        for host in super::remote::host(&word.text).into_iter().filter(|host| !host.is_empty()) {
            outcome.names(Verb::Connect, "host", host);
        }
        let parameters = after.split_once('?').map_or("", |(_, parameters)| parameters);
        for (name, value) in parameters.split('&').filter_map(|field| field.split_once('=')) {
            setting(&part(word, value), name, outcome);
        }
    } else if word.text.contains('=') {
        for (name, value) in pairs(&word.text) {
            setting(&part(word, &value), &name, outcome);
        }
    }
}

/// One setting of a connection string of PostgreSQL's.
fn setting(value: &Word, name: &str, outcome: &mut Outcome) {
    match name {
        "host" | "hostaddr" => {
            for host in value.text.split(',').filter(|host| !host.is_empty()) {
                outcome.names(Verb::Connect, "host", host);
            }
        }
        "passfile" | "sslcert" | "sslkey" | "sslrootcert" | "sslcrl" | "sslcrldir"
            if value.text != "system" =>
        {
            outcome.reads(value);
        }
        "sslkeylogfile" => outcome.writes(value),
        // Options of the server (a role, a search path), or settings that stand elsewhere.
        "options" | "service" | "servicefile" => outcome.unknown(UnknownCode::Ambiguous, name),
        name if name.contains('%') => outcome.unknown(UnknownCode::Ambiguous, name),
        _ => {}
    }
}

/// `name = 'value' …`, as libpq reads it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let mut value = String::new();
        let mut chars = after.trim_start().chars();
        let is_quoted = chars.as_str().starts_with('\'');
        if is_quoted {
            chars.next();
        }
        while let Some(c) = chars.next() {
            match c {
                '\\' => value.extend(chars.next()),
                '\'' if is_quoted => break,
                c if !is_quoted && c.is_whitespace() => break,
                c => value.push(c),
            }
        }
        pairs.push((name.trim().to_owned(), value));
        rest = chars.as_str().trim_start();
    }
    pairs
}

/// `name=value`: a prompt may run a program.
fn psql_variable(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() || (word.text.starts_with("PROMPT") && word.text.contains('`')) {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    if let Some(path) = word.text.strip_prefix("HISTFILE=") {
        outcome.writes(&part(word, path));
    }
}

/// A file, or `|command`.
fn psql_output(word: &Word, outcome: &mut Outcome) {
    match word.text.strip_prefix('|') {
        Some(command) => outcome.push(Effect::RunsShell(part(word, command))),
        None => outcome.writes(word),
    }
}

/// The name of the database in which unqualified names of the SQL stand.
fn sql_database(word: &Word, outcome: &mut Outcome) {
    outcome.push(Effect::InDatabase(word.clone()));
}

/// SQLite's grammar is not read, and `.shell` runs a program.
fn sqlite_text(word: &Word, outcome: &mut Outcome) {
    if let Some(command) = word.text.trim().strip_prefix('.') {
        let (name, argument) = command.split_once(' ').unwrap_or((command, ""));
        match name {
            "tables" | "schema" | "databases" | "indexes" | "indices" | "mode" | "headers" | "help"
            | "fullschema" | "dump" | "show"
                if !word.is_dynamic() => {}
            "shell" | "system" => outcome.push(Effect::RunsShell(part(word, argument))),
            _ => outcome.push(Effect::RunsCode("sqlite3".to_owned())),
        }
    } else {
        outcome.push(Effect::RunsCode("sqlite3".to_owned()));
    }
}

/// What redis' commands do, by their names.
fn redis(words: &[Word], outcome: &mut Outcome) {
    let Some((command, arguments)) = words.split_first() else { return };
    let Some(name) = command.as_constant().map(str::to_ascii_uppercase) else {
        return outcome.dynamic(command);
    };
    for word in arguments.iter().filter(|word| word.is_dynamic()) {
        outcome.dynamic(word);
    }
    let verb = match name.as_str() {
        "PING" | "ECHO" | "INFO" | "DBSIZE" | "TIME" | "LASTSAVE" | "MONITOR" | "SLOWLOG" | "PUBSUB"
        | "LATENCY" | "COMMAND" | "ROLE" | "SELECT" | "AUTH" | "HELLO" => {
            return outcome.bare(Verb::Show, None);
        }
        "GET" | "MGET" | "KEYS" | "SCAN" | "TTL" | "PTTL" | "TYPE" | "EXISTS" | "HGET" | "HGETALL"
        | "HMGET" | "HKEYS" | "HVALS" | "HLEN" | "HSCAN" | "LRANGE" | "LLEN" | "LINDEX" | "SMEMBERS"
        | "SCARD" | "SISMEMBER" | "SSCAN" | "ZRANGE" | "ZCARD" | "ZSCORE" | "ZRANGEBYSCORE" | "ZSCAN"
        | "STRLEN" | "GETRANGE" | "XRANGE" | "XLEN" | "XREAD" | "RANDOMKEY" | "DUMP" | "OBJECT"
        | "MEMORY" => Verb::Select,
        "SET" | "MSET" | "SETNX" | "SETEX" | "PSETEX" | "APPEND" | "INCR" | "INCRBY" | "DECR" | "DECRBY"
        | "EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PERSIST" | "HSET" | "HMSET" | "HINCRBY" | "LPUSH"
        | "RPUSH" | "LSET" | "LTRIM" | "SADD" | "ZADD" | "ZINCRBY" | "RENAME" | "XADD" | "SETRANGE"
        | "GETSET" => Verb::Update,
        "DEL" | "UNLINK" | "HDEL" | "LPOP" | "RPOP" | "SREM" | "SPOP" | "ZREM" | "LREM" | "GETDEL"
        | "XDEL" => Verb::Delete,
        "FLUSHALL" | "FLUSHDB" => return outcome.bare(Verb::Truncate, None),
        "SHUTDOWN" => return outcome.bare(Verb::Shutdown, None),
        "CONFIG" | "SAVE" | "BGSAVE" | "BGREWRITEAOF" | "ACL" | "CLUSTER" | "FAILOVER" => {
            let reads = arguments.first().is_some_and(|word| word.text.eq_ignore_ascii_case("get"));
            return outcome.bare(if reads { Verb::Show } else { Verb::Configure }, None);
        }
        "REPLICAOF" | "SLAVEOF" | "SYNC" | "PSYNC" => return outcome.bare(Verb::Replication, None),
        "MODULE" => return outcome.bare(Verb::LoadLibrary, None),
        "EVAL" | "EVALSHA" | "FCALL" | "FUNCTION" | "SCRIPT" => {
            return outcome.push(Effect::RunsCode("redis-cli".to_owned()));
        }
        _ => return outcome.unknown(UnknownCode::Unsupported, &name),
    };
    match arguments.first() {
        Some(key) => outcome.names(verb, "key", &key.text),
        None => outcome.bare(verb, Some("key")),
    }
}

/// `mysqladmin`'s commands, several of which may follow each other.
fn mysqladmin(words: &[Word], outcome: &mut Outcome) {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.is_dynamic() {
            return outcome.dynamic(word);
        }
        let (verb, kind, takes) = match word.text.as_str() {
            "ping" | "status" | "extended-status" | "version" | "variables" | "processlist" => continue,
            "create" => (Verb::Create, "database", true),
            "drop" => (Verb::Drop, "database", true),
            "kill" => (Verb::Terminate, "session", true),
            "password" | "old-password" => {
                words.next();
                (Verb::AlterRole, "role", false)
            }
            "shutdown" => (Verb::Shutdown, "server", false),
            "reload" | "refresh" => (Verb::Configure, "server", false),
            "start-slave" | "stop-slave" | "start-replica" | "stop-replica" | "start-all-slaves"
            | "stop-all-slaves" => (Verb::Replication, "server", false),
            text if text.starts_with("flush-") => (Verb::Maintain, "server", false),
            text => return outcome.unknown(UnknownCode::Unsupported, text),
        };
        match if takes { words.next() } else { None } {
            Some(object) => outcome.does(verb, kind, object),
            None => outcome.bare(verb, None),
        }
    }
}
