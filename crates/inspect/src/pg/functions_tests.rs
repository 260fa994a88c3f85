//! The tables against a real server, and against what must never be harmless.

use super::*;

use std::collections::{BTreeMap, BTreeSet};

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// What a real server of version 15 has: name, kinds, volatilities, whether all are support functions.
fn server() -> BTreeMap<&'static str, [&'static str; 3]> {
    let row = |line: &'static str| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[0], [words[1], words[2], words[3]])
    };
    include_str!("pg_proc_15.txt").lines().map(row).collect()
}

#[test]
fn every_line_of_the_tables_is_read_and_none_repeats() {
    for line in lines(include_str!("functions.txt")).chain(lines(include_str!("extensions.txt"))) {
        let class = line.split(' ').nth(1).and_then(FunctionClass::parse);
        assert!(class.is_some(), "{line}");
    }
    assert_eq!(table().len(), lines(include_str!("functions.txt")).count());
    assert_eq!(extensions().len(), lines(include_str!("extensions.txt")).count());
    assert!(extensions().values().all(|class| *class != FunctionClass::Harmless));
}

#[test]
fn every_function_of_a_real_server_is_classed() {
    /// Names of servers before 15, with an effect.
    const GONE: [&str; 4] = ["pg_read_file_old", "pg_start_backup", "pg_stop_backup", "pg_switch_xlog"];
    let server = server();
    for (name, [_, _, sort]) in &server {
        // Nothing calls a support function usefully; one that is called is not classed.
        assert_eq!(table().contains_key(name), *sort == "plain", "{name}");
    }
    for (name, known) in table() {
        let later = known.since > 15;
        let gone = GONE.contains(name) && known.class != FunctionClass::Harmless;
        assert!(server.contains_key(name) != later || gone, "{name} since {}", known.since);
    }
}

#[test]
fn a_volatile_function_is_harmless_for_a_reason() {
    let reasons: BTreeMap<&str, &str> =
        lines(include_str!("volatile.txt")).filter_map(|line| line.split_once(' ')).collect();
    let volatile: BTreeSet<&str> = server()
        .into_iter()
        .filter(|(name, [_, volatility, _])| {
            volatility.contains('v') && class_of(None, name) == Some(FunctionClass::Harmless)
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(volatile, reasons.keys().copied().collect::<BTreeSet<_>>());
}

#[test]
fn a_function_of_a_later_server_is_a_users_on_an_earlier_one() {
    assert_eq!(class_in(Some(15), None, "any_value"), None);
    assert_eq!(class_in(Some(16), None, "any_value"), Some(FunctionClass::Harmless));
    assert_eq!(class_in(None, None, "any_value"), Some(FunctionClass::Harmless));
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
    assert_eq!(extension_class("dblink_exec"), Some(FunctionClass::RemoteText));
    assert_eq!(extension_class("dblink_connect_u"), Some(FunctionClass::Network));
    assert_eq!(class_of(None, "my_function"), None);
    assert_eq!(class_of(Some("public"), "lower"), None);
    assert_eq!(class_of(None, "lower"), Some(FunctionClass::Harmless));
    assert_eq!(class_of(None, "count"), Some(FunctionClass::Harmless));
}
