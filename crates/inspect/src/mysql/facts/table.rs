//! CREATE TABLE, ALTER TABLE and views.

use sallyport_core::{Action, ObjectName as Named, Verb};
use sqlparser::ast::{Expr, ObjectName};

use super::{Mode, Reader};
use crate::mysql::own::{AlterTable, CreateTable, TableChange, View};

/// Engines whose rows live on another host.
const REMOTE: [&str; 5] = ["federated", "federatedx", "connect", "spider", "s3"];

impl Reader {
    /// Expressions of a definition: they call functions, and read no row.
    pub(super) fn definition(&mut self, expressions: &[Expr]) {
        self.scoped(|reader| reader.exprs(expressions, Mode::Read));
    }

    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let CreateTable {
            name,
            or_replace,
            temporary: _,
            columns: _,
            references: _,
            like: _,
            options,
            union,
            expressions,
            query,
        } = create;
        let Some(object) = self.relation(name) else { return };
        if *or_replace {
            self.act(Verb::Drop, "table", object.clone());
        }
        self.act(Verb::Create, "table", object.clone());
        self.system_write(&object);
        self.options(options, &object);
        self.merged(union);
        self.definition(expressions);
        if let Some(query) = query {
            self.query(query);
        }
    }

    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let AlterTable { table, changes, references: _, options, union, expressions } = alter;
        let Some(object) = self.relation(table) else { return };
        let maintained = !changes.is_empty()
            && options.is_empty()
            && changes.iter().all(|change| matches!(change, TableChange::Maintain { verb: _ }));
        if maintained {
            return self.act(Verb::Maintain, "table", object);
        }
        self.act(Verb::Alter, "table", object.clone());
        self.system_write(&object);
        for change in changes {
            match change {
                TableChange::Form { words: _, column: _ }
                | TableChange::Index { add: _, name: _ }
                | TableChange::Tablespace { words: _ } => {}
                TableChange::Rename(name) => self.renamed(&object, name),
                TableChange::RemoveRows { words } => {
                    if words.contains("TRUNCATE") {
                        self.act(Verb::Truncate, "table", object.clone());
                    }
                }
                TableChange::Exchange { words: _, table } => {
                    if let Some(other) = self.relation(table) {
                        self.act(Verb::Alter, "table", other.clone());
                        self.system_write(&other);
                    }
                }
                TableChange::Maintain { verb: _ } => self.act(Verb::Maintain, "table", object.clone()),
            }
        }
        self.options(options, &object);
        self.merged(union);
        self.definition(expressions);
    }

    /// A new name is the table's own affair, unless it is one of another database.
    fn renamed(&mut self, from: &Named, to: &ObjectName) {
        if let Some(to) = self.relation(to) {
            if to.schema != from.schema {
                self.act(Verb::Alter, "table", to.clone());
            }
            self.system_write(&to);
        }
    }

    pub(super) fn rename_tables(&mut self, renames: &[(ObjectName, ObjectName)]) {
        for (from, to) in renames {
            if let Some(object) = self.relation(from) {
                self.act(Verb::Alter, "table", object.clone());
                self.system_write(&object);
                self.renamed(&object, to);
            }
        }
    }

    /// Options that reach outside: other hosts, and files at a path of the text's choosing.
    fn options(&mut self, options: &[(String, String)], object: &Named) {
        for (name, value) in options {
            let value = unquoted(value);
            match name.as_str() {
                "ENGINE" | "TYPE" | "STORAGE ENGINE" => {
                    let engine = value.to_lowercase();
                    if REMOTE.contains(&engine.as_str()) {
                        self.act(Verb::Network, "table", object.clone());
                    }
                    if engine == "connect" && !options.iter().any(|(name, _)| name == "FILE_NAME") {
                        self.act_path(Verb::FileRead, "file", None);
                        self.act_path(Verb::FileWrite, "file", None);
                    }
                }
                "CONNECTION" => self.act(Verb::Network, "table", object.clone()),
                "DATA DIRECTORY" | "INDEX DIRECTORY" => {
                    self.act_path(Verb::FileWrite, "file", Some(value));
                }
                "FILE_NAME" => {
                    self.act_path(Verb::FileRead, "file", Some(value));
                    self.act_path(Verb::FileWrite, "file", Some(value));
                }
                _ => {}
            }
        }
    }

    /// The tables of a MERGE table are read and written through it.
    fn merged(&mut self, tables: &[ObjectName]) {
        for table in tables {
            if let Some(object) = self.relation(table) {
                let columns = vec!["*".to_owned()];
                self.add(Action { columns, ..Action::on_object(Verb::Select, "table", object) });
            }
        }
    }

    pub(super) fn view(&mut self, view: &View) {
        let View { alter, or_replace: _, name, columns: _, query } = view;
        let Some(object) = self.relation(name) else { return };
        self.act(if *alter { Verb::Alter } else { Verb::Create }, "view", object.clone());
        self.system_write(&object);
        self.query(query);
    }
}

fn unquoted(value: &str) -> &str {
    ['\'', '"', '`']
        .iter()
        .find_map(|mark| value.strip_prefix(*mark).and_then(|rest| rest.strip_suffix(*mark)))
        .unwrap_or(value)
}
