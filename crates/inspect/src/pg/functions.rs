//! What calling a function of `pg_catalog` does, by name.
//!
//! The tables are data: `functions.txt`, drawn up from the server's own `pg_proc` (`pg_proc_15.txt`) and
//! sorted by hand, and `extensions.txt`, what well-known extensions do beside being called. A name that is
//! in neither is not classed, and calling it is reported.

use std::collections::HashMap;
use std::sync::OnceLock;

/// What calling a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FunctionClass {
    /// Reads its arguments, the catalog or the clock; changes nothing, runs nothing.
    Harmless,
    /// Runs SQL out of an argument (`query_to_xml`).
    RunsText,
    /// Reads the relation that an argument names (`table_to_xml`).
    ReadsRelation,
    /// Reads a whole schema, database or cursor (`schema_to_xml`).
    ReadsAnything,
    /// `set_config`.
    Sets,
    /// `pg_notify`.
    Notifies,
    /// Reads files of the server.
    ReadsFile,
    /// Writes files of the server.
    WritesFile,
    /// Talks to other hosts (`dblink`).
    Network,
    /// Ends or cancels other sessions.
    Terminates,
    /// Reconfigures the server (`pg_reload_conf`).
    Configures,
    /// Drives replication, backups or the write-ahead log.
    Replicates,
    /// Index and catalog maintenance.
    Maintains,
    /// Sends SQL out of an argument to another server (`dblink_exec`).
    RemoteText,
    /// Runs a program of the server's host (`sys_exec`).
    RunsProgram,
    /// Has some other effect (`nextval`, `pg_sleep`, advisory locks, large objects).
    Calls,
}

impl FunctionClass {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "harmless" => Self::Harmless,
            "runs-text" => Self::RunsText,
            "reads-relation" => Self::ReadsRelation,
            "reads-anything" => Self::ReadsAnything,
            "sets" => Self::Sets,
            "notifies" => Self::Notifies,
            "reads-file" => Self::ReadsFile,
            "writes-file" => Self::WritesFile,
            "terminates" => Self::Terminates,
            "configures" => Self::Configures,
            "replicates" => Self::Replicates,
            "maintains" => Self::Maintains,
            "network" => Self::Network,
            "remote-text" => Self::RemoteText,
            "runs-program" => Self::RunsProgram,
            "calls" => Self::Calls,
            _ => return None,
        })
    }
}

/// A function of `pg_catalog`.
struct Known {
    class: FunctionClass,
    /// The first major version that has it, as far as it matters.
    since: u32,
}

fn table() -> &'static HashMap<&'static str, Known> {
    static TABLE: OnceLock<HashMap<&'static str, Known>> = OnceLock::new();
    TABLE.get_or_init(|| {
        include_str!("functions.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let mut words = line.split(' ');
                let (name, class) = (words.next()?, FunctionClass::parse(words.next()?)?);
                let since = words.next().map_or(Some(0), |since| since.parse().ok())?;
                Some((name, Known { class, since }))
            })
            .collect()
    })
}

fn extensions() -> &'static HashMap<&'static str, FunctionClass> {
    static TABLE: OnceLock<HashMap<&'static str, FunctionClass>> = OnceLock::new();
    TABLE.get_or_init(|| {
        include_str!("extensions.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (name, class) = line.split_once(' ')?;
                Some((name, FunctionClass::parse(class)?))
            })
            .collect()
    })
}

/// The class of a function of `pg_catalog`. `schema` is what the text wrote; `None` takes the name as one of
/// `pg_catalog`, so the caller first makes sure that no function of the search path stands before it.
/// `None`: not classed, a `call`.
pub(crate) fn class_of(schema: Option<&str>, name: &str) -> Option<FunctionClass> {
    class_in(None, schema, name)
}

/// As [`class_of`], on a server of that major version, where it is known: a name that came later is a
/// user's there.
pub(crate) fn class_in(server: Option<u32>, schema: Option<&str>, name: &str) -> Option<FunctionClass> {
    match schema {
        None | Some("pg_catalog") => table()
            .get(name)
            .filter(|known| server.is_none_or(|server| known.since <= server))
            .map(|known| known.class),
        // The information schema's own helpers only read the catalog.
        Some("information_schema") if name.starts_with("_pg_") => Some(FunctionClass::Harmless),
        Some(_) => None,
    }
}

/// What a function of a well-known extension does beside being called, wherever it was installed.
pub(crate) fn extension_class(name: &str) -> Option<FunctionClass> {
    if let Some(rest) = name.strip_prefix("dblink") {
        let runs = matches!(rest, "" | "_exec" | "_open" | "_send_query");
        return Some(if runs { FunctionClass::RemoteText } else { FunctionClass::Network });
    }
    extensions().get(name).copied()
}

#[cfg(test)]
#[path = "functions_tests.rs"]
mod tests;
