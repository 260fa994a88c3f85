//! What writing a table of the server's own means: rights, libraries, code and servers are rows there.

use sallyport_core::{ObjectName, Verb};

use super::Reader;

impl Reader {
    /// Adds what else a write on that table is.
    pub(super) fn system_write(&mut self, object: &ObjectName) {
        let system = object.schema.as_deref().is_some_and(|database| database.eq_ignore_ascii_case("mysql"));
        if !system {
            return;
        }
        let (verb, kind) = match object.name.to_ascii_lowercase().as_str() {
            "user" | "global_priv" | "password_history" => (Verb::AlterRole, "role"),
            "db" | "tables_priv" | "columns_priv" | "procs_priv" | "proxies_priv" | "global_grants"
            | "host" => (Verb::Grant, "grant-table"),
            "roles_mapping" | "role_edges" | "default_roles" => (Verb::Grant, "role"),
            "func" | "plugin" | "component" => (Verb::LoadLibrary, "library"),
            "servers" => (Verb::Network, "server"),
            "proc" => (Verb::Create, "procedure"),
            "event" => (Verb::Create, "event"),
            "slave_master_info"
            | "slave_relay_log_info"
            | "slave_worker_info"
            | "gtid_slave_pos"
            | "gtid_executed"
            | "replication_group_member_actions" => (Verb::Replication, "table"),
            _ => return,
        };
        self.act_kind(verb, kind);
    }
}
