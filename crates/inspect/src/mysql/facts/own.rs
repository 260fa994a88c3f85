//! Statements that have a rule of our own.

use sallyport_core::{Action, Condition, ObjectName as Named, UnknownCode, Verb};
use sqlparser::ast::{Expr, Ident, ObjectName, Value, ValueWithSpan};

use super::accounts::shown;
use super::scope::Source as From;
use super::{Mode, Reader, names};
use crate::mysql::inspection::{StateEffect, StatementKind};
use crate::mysql::own::{KillTarget, Load, LockedTable, ObjectKind, ObjectVerb, Statement};

impl Reader {
    pub(super) fn own(&mut self, statement: &Statement) -> StatementKind {
        match statement {
            Statement::Anonymous => {
                self.add(Action::new(Verb::Anonymous));
                self.run_time("a compound statement");
            }
            Statement::Handler { table, reads: _, filter, arguments } => {
                self.handler(table, filter.as_ref(), arguments);
            }
            Statement::Load(load) => {
                self.load(load);
                if load.local {
                    return StatementKind::LocalFile;
                }
            }
            Statement::Do(expressions) => {
                self.exprs(expressions, Mode::Read);
                self.selects();
            }
            Statement::Call { name, arguments } => {
                self.exprs(arguments, Mode::Read);
                self.routine(Verb::Procedure, "procedure", name);
                self.run_time("CALL of a procedure whose body is not known");
            }
            Statement::Truncate(name) => {
                if let Some(object) = self.relation(name) {
                    self.write(Verb::Truncate, &object, Vec::new(), None);
                }
            }
            Statement::LockTables(tables) => {
                for LockedTable { table, write: _ } in tables {
                    self.on_table(Verb::Lock, table);
                }
            }
            Statement::UnlockTables => self.add(Action::new(Verb::Lock)),
            Statement::Backup { words: _, table } => {
                self.add(Action::new(Verb::Maintain));
                if let Some(table) = table {
                    self.on_table(Verb::Lock, table);
                }
            }
            Statement::Maintain { verb: _, tables } => {
                self.each_table(Verb::Maintain, tables);
            }
            Statement::Flush { what, tables, locks } => {
                // FLUSH MASTER is the old spelling of RESET MASTER.
                if what.iter().any(|what| is_replication(what)) {
                    self.add(Action::new(Verb::Replication));
                }
                if !what.iter().all(|what| is_replication(what)) {
                    self.each_table(Verb::Maintain, tables);
                }
                if *locks {
                    self.each_table(Verb::Lock, tables);
                }
            }
            Statement::Reset { what } => {
                for what in what {
                    self.add(Action::new(match what.split(' ').next() {
                        Some("PERSIST") => Verb::Configure,
                        Some("QUERY") => Verb::Maintain,
                        _ => Verb::Replication,
                    }));
                }
            }
            Statement::Replication { words: _ } => self.add(Action::new(Verb::Replication)),
            Statement::Xa { verb: _ } => self.add(Action::new(Verb::TwoPhase)),
            Statement::Install { what, libraries, assignments } => {
                for library in if libraries.is_empty() { what } else { libraries } {
                    self.act_path(Verb::LoadLibrary, "library", Some(library));
                }
                if !assignments.is_empty() {
                    self.set(assignments);
                }
            }
            Statement::Uninstall { what } => {
                for name in what {
                    self.act_path(Verb::Drop, "plugin", Some(name));
                }
            }
            Statement::Kill { query, target } => return self.kill(*query, target),
            Statement::Shutdown | Statement::Restart => self.add(Action::new(Verb::Shutdown)),
            Statement::Clone { local, source, directory } => {
                if !local {
                    let host = source.as_ref().and_then(|source| source.host.clone());
                    self.act_path(Verb::Network, "server", host.as_deref());
                }
                self.act_path(Verb::FileWrite, "file", directory.as_deref());
                if !local && directory.is_none() {
                    self.add(Action::new(Verb::Shutdown));
                }
            }
            Statement::AlterInstance { words: _ } => self.add(Action::new(Verb::Configure)),
            Statement::ImportTable { files } => {
                self.act_kind(Verb::Create, "table");
                for file in files {
                    self.act_path(Verb::FileRead, "file", Some(file));
                }
            }
            Statement::Help => self.add(Action::new(Verb::Show)),
            Statement::CreateUser { accounts, or_replace, roles: _ } => {
                self.create_accounts(accounts, *or_replace);
            }
            Statement::AlterUser { accounts, roles: _ } => {
                if accounts.is_empty() {
                    self.act_kind(Verb::AlterRole, "role");
                }
                self.accounts(Verb::AlterRole, accounts);
            }
            Statement::DropUser(accounts) | Statement::DropRole(accounts) => {
                self.accounts(Verb::DropRole, accounts);
            }
            Statement::RenameUser(renames) => {
                for (from, to) in renames {
                    self.role(Verb::AlterRole, &shown(from));
                    self.role(Verb::AlterRole, &shown(to));
                }
            }
            Statement::CreateRole { roles, or_replace, admin } => {
                self.create_accounts(roles, *or_replace);
                if let Some(admin) = admin {
                    for role in roles {
                        self.act_to(
                            Verb::Grant,
                            "role",
                            Some(Named::verbatim(&shown(role))),
                            std::slice::from_ref(admin),
                        );
                    }
                }
            }
            Statement::SetPassword { account, value } => {
                if let Some(value) = value {
                    self.expr(value, Mode::Read);
                }
                match account {
                    Some(account) => self.role(Verb::AlterRole, &shown(account)),
                    None => self.act_kind(Verb::AlterRole, "role"),
                }
            }
            Statement::SetRole { roles, word } => {
                self.accounts(Verb::SetRole, roles);
                if let Some(word) = word {
                    self.role(Verb::SetRole, &word.to_lowercase());
                }
            }
            Statement::SetDefaultRole { roles: _, word: _, accounts } => {
                if accounts.is_empty() {
                    self.act_kind(Verb::AlterRole, "role");
                }
                self.accounts(Verb::AlterRole, accounts);
            }
            Statement::Grant(grant) => self.grant(Verb::Grant, grant),
            Statement::Revoke(grant) => self.grant(Verb::Revoke, grant),
            Statement::CreateDatabase { name, or_replace } => {
                if *or_replace {
                    self.database(Verb::Drop, name);
                }
                self.database(Verb::Create, name);
            }
            Statement::AlterDatabase { name } => match name {
                Some(name) => self.database(Verb::Alter, name),
                None => {
                    let object = self.naming.database.as_deref().map(|name| Named::mysql(None, name));
                    self.add(Action {
                        object,
                        kind: Some("database".to_owned()),
                        ..Action::new(Verb::Alter)
                    });
                }
            },
            Statement::DropDatabase { name } => {
                self.database(Verb::Drop, name);
                if self.naming.database.as_deref() == Some(self.naming.folded(&name.value).as_str()) {
                    self.naming.database = None;
                    self.effects.push(StateEffect::LeavesDatabase);
                }
            }
            Statement::CreateTable(create) => self.create_table(create),
            Statement::AlterTable(alter) => self.alter_table(alter),
            Statement::DropTables { names, temporary: _ } => {
                for name in names {
                    if let Some(object) = self.relation(name) {
                        self.write(Verb::Drop, &object, Vec::new(), None);
                    }
                }
            }
            Statement::RenameTable(renames) => self.rename_tables(renames),
            Statement::View(view) => self.view(view),
            Statement::DropViews(views) => {
                for view in views {
                    if let Some(object) = self.relation(view) {
                        self.act(Verb::Drop, "view", object.clone());
                        self.system_write(&object);
                    }
                }
            }
            Statement::CreateIndex { name, table, or_replace, columns: _, expressions } => {
                if *or_replace {
                    self.on_part(Verb::Drop, "index", &name.value.to_lowercase(), table);
                }
                self.on_part(Verb::Create, "index", &name.value.to_lowercase(), table);
                self.definition(expressions);
            }
            Statement::DropIndex { name, table } => {
                self.on_part(Verb::Drop, "index", &name.value.to_lowercase(), table);
            }
            Statement::Object { verb, object, name, or_replace } => {
                self.object(*verb, *object, name.as_ref(), *or_replace);
            }
            Statement::CreateTrigger { name, table, or_replace: _ } => {
                let words = words_of(name);
                let trigger = words.last().map(|name| self.naming.folded(name)).unwrap_or_default();
                self.on_part(Verb::Create, "trigger", &trigger, table);
            }
            Statement::CreateLoadable { name, library, or_replace: _ } => {
                let function = words_of(name).last().map(|name| name.to_lowercase()).unwrap_or_default();
                self.act_bare(Verb::Create, "function", &function);
                self.act_path(Verb::LoadLibrary, "library", Some(library));
            }
            Statement::Event { alter, name, rename: _, or_replace: _, expressions } => {
                self.routine(if *alter { Verb::Alter } else { Verb::Create }, "event", name);
                self.definition(expressions);
            }
            Statement::Server { alter, name, or_replace, wrapper: _, options } => {
                if *or_replace {
                    self.act_named(Verb::Drop, "server", name);
                }
                self.act_named(if *alter { Verb::Alter } else { Verb::Create }, "server", name);
                let host = options.iter().find(|(key, _)| key == "HOST").map(|(_, host)| host.as_str());
                self.act_path(Verb::Network, "server", Some(host.unwrap_or(&name.value)));
            }
            Statement::Tablespace { verb, name, files } => {
                self.act_named(verb_of(*verb), "tablespace", name);
                for file in files {
                    self.act_path(Verb::FileWrite, "file", Some(file));
                }
            }
            Statement::Use(name) => return self.use_database(name),
            Statement::Set(assignments) => {
                self.set(assignments);
                return StatementKind::Set;
            }
            Statement::SetStatement { assignments, statement } => {
                self.set(assignments);
                self.parsed(statement);
            }
            Statement::SetNames { setting, value: _ } => {
                self.set_setting(&setting.to_lowercase().replace(' ', "_"));
                return StatementKind::Set;
            }
            Statement::SetTransaction { global } => {
                let verb = if *global { Verb::Configure } else { Verb::Set };
                self.act_bare(verb, "setting", "transaction");
                return StatementKind::Set;
            }
            Statement::Begin => {
                self.add(Action::new(Verb::Begin));
                return StatementKind::Begin;
            }
            Statement::Commit => {
                self.add(Action::new(Verb::Commit));
                return StatementKind::Commit;
            }
            Statement::Rollback { to: None } => {
                self.add(Action::new(Verb::Rollback));
                return StatementKind::Rollback;
            }
            Statement::Rollback { to: Some(point) } => {
                self.act_named(Verb::Rollback, "savepoint", point);
                return StatementKind::RollbackTo;
            }
            Statement::Savepoint(point) | Statement::Release(point) => {
                self.act_named(Verb::Savepoint, "savepoint", point);
                return StatementKind::Savepoint;
            }
            Statement::Prepare { name, source } => return self.prepare(name, source),
            Statement::Execute { name, arguments } => return self.execute(name, arguments),
            Statement::ExecuteImmediate { source, arguments } => self.execute_immediate(source, arguments),
            Statement::Deallocate(name) => {
                self.act_named(Verb::Deallocate, "statement", name);
                self.prepared.remove(&name.value.to_lowercase());
                return StatementKind::Deallocate(name.value.to_lowercase());
            }
            Statement::Diagnostics { words: _, expressions } => {
                self.exprs(expressions, Mode::Read);
                self.selects();
            }
            Statement::Explain { executes, statement } => {
                self.explain(*executes, statement);
                return StatementKind::Explain;
            }
            Statement::ExplainConnection => {
                self.add(Action::new(Verb::Explain));
                return StatementKind::Explain;
            }
            Statement::Describe { table, column: _ } => self.on_table(Verb::Show, table),
            Statement::Show(show) => self.show(show),
        }
        StatementKind::Other
    }

    fn run_time(&mut self, detail: &str) {
        self.unclassed = true;
        self.effects.push(StateEffect::ReadingDirty);
        self.gap(UnknownCode::Dynamic, detail);
    }

    /// Something is selected, even when no table is read.
    fn selects(&mut self) {
        if !self.found.has(Verb::Select) {
            self.add(Action::new(Verb::Select));
        }
    }

    fn handler(&mut self, table: &ObjectName, filter: Option<&Expr>, arguments: &[Expr]) {
        let Some(source) = self.source_of(table, None) else { return };
        let Some(target) = source.target.clone() else { return };
        self.scoped(|reader| {
            // OPEN too: what is read later may go by another name.
            let columns = vec!["*".to_owned()];
            reader.add(Action { columns, ..Action::on_object(Verb::Select, "table", target) });
            reader.add_source(source);
            if let Some(filter) = filter {
                reader.expr(filter, Mode::Filter);
            }
            reader.exprs(arguments, Mode::Filter);
        });
    }

    fn load(&mut self, load: &Load) {
        let Load { local: _, file, replace, table, columns, assignments } = load;
        self.act_path(Verb::FileRead, "file", Some(file));
        let Some(mut source) = self.source_of(table, None) else { return };
        let Some(object) = source.target.clone() else { return };
        let mut written: Vec<String> = columns.iter().map(|column| column.value.to_lowercase()).collect();
        for (column, _) in assignments {
            written.extend(words_of(column).last().map(|column| column.to_lowercase()));
        }
        if written.is_empty() {
            written.push("*".to_owned());
        }
        self.write(Verb::Insert, &object, written.clone(), None);
        self.write(Verb::CopyIn, &object, written, None);
        if *replace {
            self.write(Verb::Delete, &object, Vec::new(), Some(Condition::Some));
        }
        source.written = true;
        // What SET reads are the columns of the file's own row.
        self.scoped(|reader| {
            reader.add_source(From { target: None, columns: None, ..source });
            for (_, value) in assignments {
                reader.expr(value, Mode::Read);
            }
        });
    }

    fn kill(&mut self, query: bool, target: &KillTarget) -> StatementKind {
        match target {
            KillTarget::Id(expression) => {
                self.expr(expression, Mode::Read);
                let id = super::call::text_of(expression);
                self.act_path(Verb::Terminate, "connection", id.as_deref());
                let number = match expression {
                    Expr::Value(ValueWithSpan { value: Value::Number(number, _), span: _ }) => {
                        number.parse().ok()
                    }
                    _ => None,
                };
                StatementKind::Kill { query, connection: number }
            }
            KillTarget::User(account) => {
                self.role(Verb::Terminate, &shown(account));
                StatementKind::Other
            }
        }
    }

    pub(super) fn database(&mut self, verb: Verb, name: &Ident) {
        let name = self.naming.folded(&name.value);
        self.act(verb, "database", Named::mysql(None, &name));
    }

    fn on_table(&mut self, verb: Verb, name: &ObjectName) {
        if let Some(object) = self.relation(name) {
            self.act(verb, "table", object);
        }
    }

    /// One action a table, or one without an object when none is named.
    fn each_table(&mut self, verb: Verb, tables: &[ObjectName]) {
        if tables.is_empty() {
            self.add(Action::new(verb));
        }
        for table in tables {
            self.on_table(verb, table);
        }
    }

    fn routine(&mut self, verb: Verb, kind: &str, name: &ObjectName) {
        match self.naming.routine(&words_of(name)) {
            Some(object) => self.act(verb, kind, object),
            None => self.unsupported("a name of more than two parts"),
        }
    }

    /// An index or trigger, which stands on a table.
    fn on_part(&mut self, verb: Verb, kind: &str, name: &str, table: &ObjectName) {
        let on = self.relation(table);
        self.add(Action { on, ..Action::on_object(verb, kind, Named::mysql(None, name)) });
    }

    fn object(&mut self, verb: ObjectVerb, kind: ObjectKind, name: Option<&ObjectName>, or_replace: bool) {
        let verb = verb_of(verb);
        let words = name.map(words_of).unwrap_or_default();
        let last = words.last().map(|name| name.to_lowercase()).unwrap_or_default();
        match kind {
            ObjectKind::Procedure => self.named(verb, "procedure", self.naming.routine(&words)),
            ObjectKind::Function => self.named(verb, "function", self.naming.routine(&words)),
            ObjectKind::Package => self.named(verb, "package", self.naming.routine(&words)),
            ObjectKind::PackageBody => self.named(verb, "package-body", self.naming.routine(&words)),
            ObjectKind::Event => self.named(verb, "event", self.naming.routine(&words)),
            ObjectKind::Trigger => self.named(verb, "trigger", self.naming.relation(&words)),
            ObjectKind::Sequence => {
                let object = self.naming.relation(&words);
                if or_replace {
                    self.named(Verb::Drop, "sequence", object.clone());
                }
                self.named(verb, "sequence", object);
            }
            ObjectKind::Server => self.act_bare(verb, "server", &last),
            ObjectKind::Tablespace => self.act_bare(verb, "tablespace", &last),
            ObjectKind::LogfileGroup => self.act_bare(verb, "logfile-group", &last),
            ObjectKind::SpatialReferenceSystem => self.act_kind(verb, "spatial-reference-system"),
            ObjectKind::ResourceGroup => self.act_bare(verb, "resource-group", &last),
        }
    }

    fn named(&mut self, verb: Verb, kind: &str, object: Option<Named>) {
        match object {
            Some(object) => self.act(verb, kind, object),
            None => self.unsupported("a name of more than two parts"),
        }
    }
}

fn verb_of(verb: ObjectVerb) -> Verb {
    match verb {
        ObjectVerb::Create => Verb::Create,
        ObjectVerb::Alter => Verb::Alter,
        ObjectVerb::Drop => Verb::Drop,
    }
}

pub(super) fn words_of(name: &ObjectName) -> Vec<&str> {
    names::parts(name).unwrap_or_default().iter().map(|part| part.value.as_str()).collect()
}

/// Whether that is of replication, among what FLUSH names.
fn is_replication(what: &str) -> bool {
    matches!(what.split(' ').next(), Some("MASTER" | "SLAVE" | "REPLICA"))
}
