//! What calling a function of `pg_catalog` does, by name.
//!
//! The table is data (`functions.txt`, drawn up from the server's own `pg_proc` and then sorted by
//! hand): name and class. A name that is not in it is not classed, and calling it is reported.

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
            "calls" => Self::Calls,
            _ => return None,
        })
    }
}

fn table() -> &'static HashMap<&'static str, FunctionClass> {
    static TABLE: OnceLock<HashMap<&'static str, FunctionClass>> = OnceLock::new();
    TABLE.get_or_init(|| {
        include_str!("functions.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (name, class) = line.split_once(' ')?;
                Some((name, FunctionClass::parse(class)?))
            })
            .collect()
    })
}

/// The class of a function of `pg_catalog`, or of a well-known extension wherever it was installed.
/// `schema` is what the text wrote; `None` takes the name as one of `pg_catalog`, so the caller first
/// makes sure that no function of the search path stands before it. `None`: not classed, a `call`.
pub(crate) fn class_of(schema: Option<&str>, name: &str) -> Option<FunctionClass> {
    if name.starts_with("dblink") {
        return Some(FunctionClass::Network);
    }
    match schema {
        None | Some("pg_catalog") => table().get(name).copied(),
        // The information schema's own helpers only read the catalog.
        Some("information_schema") if name.starts_with("_pg_") => Some(FunctionClass::Harmless),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_none_repeats() {
        let lines: Vec<_> =
            include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')).collect();
        for line in &lines {
            let class = line.split_once(' ').and_then(|(_, class)| FunctionClass::parse(class));
            assert!(class.is_some(), "{line}");
        }
        assert_eq!(table().len(), lines.len());
    }

    #[test]
    fn functions_with_effects_are_not_harmless() {
        for name in [
            "set_config",
            "pg_read_file",
            "pg_read_binary_file",
            "lo_import",
            "lo_export",
            "lo_unlink",
            "lowrite",
            "pg_ls_dir",
            "pg_stat_file",
            "query_to_xml",
            "query_to_xml_and_xmlschema",
            "table_to_xml",
            "cursor_to_xml",
            "database_to_xml",
            "schema_to_xml",
            "ts_stat",
            "ts_rewrite",
            "pg_terminate_backend",
            "pg_cancel_backend",
            "pg_reload_conf",
            "pg_rotate_logfile",
            "pg_sleep",
            "pg_advisory_lock",
            "pg_try_advisory_xact_lock",
            "nextval",
            "setval",
            "pg_notify",
            "pg_export_snapshot",
            "pg_logical_slot_get_changes",
            "pg_logical_emit_message",
            "pg_replication_slot_advance",
            "pg_create_physical_replication_slot",
            "pg_create_restore_point",
            "pg_switch_wal",
            "pg_backup_start",
            "pg_promote",
            "binary_upgrade_set_next_pg_type_oid",
            "fmgr_c_validator",
            "pg_stat_reset",
            "brin_summarize_range",
            "lo_get",
            "setseed",
        ] {
            let class = class_of(None, name);
            assert!(class.is_some() && class != Some(FunctionClass::Harmless), "{name}");
        }
        assert_eq!(class_of(None, "dblink_exec"), Some(FunctionClass::Network));
        assert_eq!(class_of(None, "my_function"), None);
        assert_eq!(class_of(Some("public"), "lower"), None);
        assert_eq!(class_of(None, "lower"), Some(FunctionClass::Harmless));
        assert_eq!(class_of(None, "count"), Some(FunctionClass::Harmless));
    }
}
