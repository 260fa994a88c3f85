//! Statements about the session, transactions, prepared statements, cursors and the server.

use std::sync::Arc;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    DiscardMode, ExplainStmt, Node, ReindexObjectType, TransactionStmt, TransactionStmtKind, VariableSetKind,
    VariableSetStmt, a_const,
};
use sallyport_core::{Action, UnknownCode, Verb};

use super::call::{constant_text, matters};
use super::names::split;
use super::{Mode, Reader, inner, string_of, strings};
use crate::pg::statement::{StateEffect, StatementKind};

impl Reader<'_> {
    /// Any statement, by its kind.
    pub(super) fn any_statement(&mut self, node: &NodeEnum) -> StatementKind {
        match node {
            NodeEnum::SelectStmt(_)
            | NodeEnum::InsertStmt(_)
            | NodeEnum::UpdateStmt(_)
            | NodeEnum::DeleteStmt(_)
            | NodeEnum::MergeStmt(_) => self.query_statement(node),
            NodeEnum::TransactionStmt(transaction) => return self.transaction(transaction),
            NodeEnum::ExplainStmt(explain) => {
                self.explain(explain);
                return StatementKind::Explain;
            }
            NodeEnum::CopyStmt(copy) => return self.copy(copy),
            NodeEnum::VariableSetStmt(set) => {
                self.set(set);
                if let Some(reason) = stated_reason(set) {
                    return StatementKind::StatesReason(reason);
                }
            }
            NodeEnum::VariableShowStmt(show) => {
                let name = show.name.to_ascii_lowercase();
                self.act_bare(Verb::Show, "setting", &name);
            }
            NodeEnum::PrepareStmt(prepare) => {
                self.act_bare(Verb::Prepare, "statement", &prepare.name);
                for argument in &prepare.argtypes {
                    match argument.node.as_ref() {
                        Some(NodeEnum::TypeName(name)) => self.cast_to(Some(name)),
                        _ => self.unsupported("a parameter without a type"),
                    }
                }
                if let Some(query) = inner(&prepare.query) {
                    let prepared = self.prepared(query);
                    self.remembered.to_mut().prepared.insert(prepare.name.clone(), Arc::clone(&prepared));
                    self.effects.push(StateEffect::Prepares(prepare.name.clone(), prepared));
                }
            }
            NodeEnum::ExecuteStmt(execute) => self.execute(&execute.name, &execute.params),
            NodeEnum::DeallocateStmt(deallocate) => {
                let name = if deallocate.isall { "all" } else { deallocate.name.as_str() };
                self.act_bare(Verb::Deallocate, "statement", name);
                let one = (!deallocate.isall).then(|| deallocate.name.clone());
                match &one {
                    Some(name) => drop(self.remembered.to_mut().prepared.remove(name)),
                    None => self.remembered.to_mut().prepared.clear(),
                }
                self.effects.push(StateEffect::Deallocates(one));
            }
            NodeEnum::DeclareCursorStmt(declare) => {
                self.act_bare(Verb::Cursor, "cursor", &declare.portalname);
                if let Some(query) = inner(&declare.query) {
                    let prepared = self.prepared(query);
                    if !self.planning {
                        let cursors = &mut self.remembered.to_mut().cursors;
                        cursors.insert(declare.portalname.clone(), Arc::clone(&prepared));
                    }
                    self.effects.push(StateEffect::Declares(declare.portalname.clone(), prepared));
                }
            }
            NodeEnum::ClosePortalStmt(close) => {
                let one = (!close.portalname.is_empty()).then(|| close.portalname.clone());
                self.act_bare(Verb::Cursor, "cursor", one.as_deref().unwrap_or("all"));
                match &one {
                    Some(name) => drop(self.remembered.to_mut().cursors.remove(name)),
                    None => self.remembered.to_mut().cursors.clear(),
                }
                self.effects.push(StateEffect::Closes(one));
            }
            NodeEnum::FetchStmt(fetch) => {
                self.fetch(&fetch.portalname);
            }
            NodeEnum::ListenStmt(listen) => self.act_bare(Verb::Listen, "channel", &listen.conditionname),
            NodeEnum::UnlistenStmt(listen) => {
                let name = if listen.conditionname.is_empty() { "*" } else { &listen.conditionname };
                self.act_bare(Verb::Listen, "channel", name);
            }
            NodeEnum::NotifyStmt(notify) => self.act_bare(Verb::Notify, "channel", &notify.conditionname),
            NodeEnum::DiscardStmt(discard) => self.discard(discard.target),
            NodeEnum::DoStmt(_) => {
                self.add(Action::new(Verb::Anonymous));
                self.settings_dirty();
                self.next_path = Some(None);
                self.gap(UnknownCode::Dynamic, "DO");
            }
            NodeEnum::CallStmt(call) => {
                if let Some(call) = call.funccall.as_deref() {
                    self.all(&call.args, Mode::Read);
                    self.all(&call.agg_order, Mode::Read);
                    self.maybe(&call.agg_filter, Mode::Read);
                    self.act(Verb::Procedure, "procedure", split(&strings(&call.funcname)));
                }
                self.settings_dirty();
                self.next_path = Some(None);
                self.gap(UnknownCode::Dynamic, "CALL of a procedure whose body is not known");
            }
            NodeEnum::LockStmt(lock) => self.on_relations(Verb::Lock, &lock.relations),
            NodeEnum::TruncateStmt(truncate) => self.on_relations(Verb::Truncate, &truncate.relations),
            NodeEnum::ConstraintsSetStmt(_) => self.act_bare(Verb::Set, "setting", "constraints"),
            NodeEnum::LoadStmt(load) => self.act_bare(Verb::LoadLibrary, "file", &load.filename),
            NodeEnum::CheckPointStmt(_) => self.add(Action::new(Verb::Maintain)),
            NodeEnum::AlterSystemStmt(alter) => match &alter.setstmt {
                Some(set) if set.name.is_empty() => self.act_bare(Verb::AlterSystem, "setting", "all"),
                Some(set) => self.act_bare(Verb::AlterSystem, "setting", &set.name.to_ascii_lowercase()),
                None => self.unsupported("ALTER SYSTEM without a setting"),
            },
            NodeEnum::VacuumStmt(vacuum) => {
                if vacuum.rels.is_empty() {
                    self.add(Action::new(Verb::Maintain));
                }
                for relation in &vacuum.rels {
                    match relation.node.as_ref() {
                        Some(NodeEnum::VacuumRelation(relation)) => {
                            if let Some(range) = &relation.relation {
                                self.on_relation(Verb::Maintain, range);
                            }
                        }
                        Some(other) => self.unsupported_node(other),
                        None => {}
                    }
                }
            }
            NodeEnum::ClusterStmt(cluster) => match &cluster.relation {
                Some(range) => self.on_relation(Verb::Maintain, range),
                None => self.add(Action::new(Verb::Maintain)),
            },
            NodeEnum::ReindexStmt(reindex) => {
                match (&reindex.relation, ReindexObjectType::try_from(reindex.kind)) {
                    (Some(range), Ok(ReindexObjectType::ReindexObjectIndex)) => {
                        for object in self.relations(range) {
                            self.act(Verb::Maintain, "index", object);
                        }
                    }
                    (Some(range), _) => self.on_relation(Verb::Maintain, range),
                    (None, Ok(ReindexObjectType::ReindexObjectSchema)) => {
                        self.act_bare(Verb::Maintain, "schema", &reindex.name);
                    }
                    (None, _) if reindex.name.is_empty() => self.add(Action::new(Verb::Maintain)),
                    (None, _) => self.act_bare(Verb::Maintain, "database", &reindex.name),
                }
            }
            NodeEnum::RefreshMatViewStmt(refresh) => {
                if let Some(range) = &refresh.relation {
                    for object in self.relations(range) {
                        self.act(Verb::Maintain, "materialized-view", object);
                    }
                }
            }
            other => self.definition(other),
        }
        StatementKind::Other
    }

    fn transaction(&mut self, transaction: &TransactionStmt) -> StatementKind {
        let point = transaction.savepoint_name.as_str();
        match TransactionStmtKind::try_from(transaction.kind) {
            Ok(TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart) => {
                self.add(Action::new(Verb::Begin));
                StatementKind::Begin
            }
            Ok(TransactionStmtKind::TransStmtCommit) => {
                self.add(Action::new(Verb::Commit));
                StatementKind::Commit
            }
            Ok(TransactionStmtKind::TransStmtRollback) => {
                self.add(Action::new(Verb::Rollback));
                StatementKind::Rollback
            }
            Ok(TransactionStmtKind::TransStmtSavepoint | TransactionStmtKind::TransStmtRelease) => {
                self.act_bare(Verb::Savepoint, "savepoint", point);
                StatementKind::Savepoint
            }
            Ok(TransactionStmtKind::TransStmtRollbackTo) => {
                self.act_bare(Verb::Rollback, "savepoint", point);
                StatementKind::RollbackTo
            }
            Ok(TransactionStmtKind::TransStmtPrepare) => {
                self.act_bare(Verb::TwoPhase, "transaction", &transaction.gid);
                StatementKind::Commit
            }
            Ok(
                TransactionStmtKind::TransStmtCommitPrepared | TransactionStmtKind::TransStmtRollbackPrepared,
            ) => {
                self.act_bare(Verb::TwoPhase, "transaction", &transaction.gid);
                StatementKind::Other
            }
            Ok(TransactionStmtKind::Undefined) | Err(_) => {
                self.unsupported("a kind of transaction statement");
                StatementKind::Other
            }
        }
    }

    fn explain(&mut self, explain: &ExplainStmt) {
        let mut analyze = false;
        for option in &explain.options {
            match option.node.as_ref() {
                Some(NodeEnum::DefElem(option)) => {
                    // The last one wins; what cannot be read as off is on.
                    let value = option.arg.as_deref().and_then(option_text);
                    let on = !matches!(value.as_deref(), Some("off" | "false" | "0"));
                    analyze = if option.defname == "analyze" { on } else { analyze };
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        let Some(query) = inner(&explain.query) else { return };
        if analyze {
            let watched = std::mem::replace(&mut self.watched, true);
            self.deeper(|reader| {
                reader.any_statement(query);
            });
            self.watched = watched;
            return;
        }
        let outer = std::mem::take(&mut self.found);
        let planning = std::mem::replace(&mut self.planning, true);
        let effects = self.effects.len();
        self.deeper(|reader| {
            reader.any_statement(query);
        });
        self.effects.truncate(effects);
        self.planning = planning;
        let own = std::mem::replace(&mut self.found, outer);
        let mut explained = false;
        for action in own.actions() {
            match action.action {
                Verb::Select | Verb::Insert | Verb::Update | Verb::Delete if action.object.is_some() => {
                    explained = true;
                    self.add(Action {
                        kind: action.kind,
                        object: action.object,
                        columns: action.columns,
                        filters: action.filters,
                        ..Action::new(Verb::Explain)
                    });
                }
                Verb::Call => self.add(action),
                _ => {}
            }
        }
        if !explained {
            self.add(Action::new(Verb::Explain));
        }
        if let Some(unknown) = own.unknown {
            self.gap(unknown.code, unknown.detail);
        }
    }

    fn set(&mut self, set: &VariableSetStmt) {
        let name = set.name.to_ascii_lowercase();
        match VariableSetKind::try_from(set.kind) {
            Ok(VariableSetKind::VarSetValue) => {
                let value = if name == "search_path" {
                    let parts: Option<Vec<String>> = set.args.iter().map(constant_text).collect();
                    let path = parts.filter(|path| !path.iter().any(|schema| schema == "$user"));
                    self.act_bare(Verb::Set, "setting", &name);
                    self.settings_dirty();
                    self.next_path = Some(path);
                    return;
                } else {
                    set.args.first().and_then(constant_text)
                };
                self.set_setting(&name, value);
            }
            Ok(VariableSetKind::VarSetMulti) => {
                for arg in &set.args {
                    match arg.node.as_ref() {
                        Some(NodeEnum::DefElem(option)) => {
                            let prefix = if name == "session characteristics" { "default_" } else { "" };
                            self.act_bare(Verb::Set, "setting", &format!("{prefix}{}", option.defname));
                        }
                        _ => self.act_bare(Verb::Set, "setting", "transaction_snapshot"),
                    }
                }
                if set.args.is_empty() {
                    self.act_bare(Verb::Set, "setting", &name);
                }
            }
            Ok(VariableSetKind::VarSetDefault | VariableSetKind::VarReset) => {
                let reset = set.kind == VariableSetKind::VarReset as i32;
                match name.as_str() {
                    "role" | "session_authorization" => {
                        if reset {
                            self.act_bare(Verb::Reset, "setting", &name);
                        }
                        self.add(Action { kind: Some("role".to_owned()), ..Action::new(Verb::SetRole) });
                    }
                    "row_security" => self.act_bare(Verb::RowSecurity, "setting", &name),
                    _ => self.act_bare(if reset { Verb::Reset } else { Verb::Set }, "setting", &name),
                }
                if matters(&name) {
                    self.settings_dirty();
                }
                if name == "search_path" {
                    self.next_path = Some(None);
                }
            }
            Ok(VariableSetKind::VarResetAll) => {
                self.act_bare(Verb::Reset, "setting", "all");
                self.settings_dirty();
                self.next_path = Some(None);
            }
            Ok(VariableSetKind::VarSetCurrent) => {
                self.act_bare(Verb::Set, "setting", &name);
            }
            Ok(VariableSetKind::Undefined) | Err(_) => self.unsupported("a kind of SET"),
        }
    }

    /// `UPDATE pg_settings SET setting = …` sets what its condition selects.
    pub(super) fn set_by_update(&mut self, condition: Option<&NodeEnum>) {
        let named = match condition {
            Some(NodeEnum::AExpr(expression)) => {
                let column = match inner(&expression.lexpr) {
                    Some(NodeEnum::ColumnRef(reference)) => reference.fields.last().and_then(string_of),
                    _ => None,
                };
                let equals = expression.name.last().and_then(string_of) == Some("=");
                match expression.rexpr.as_deref().and_then(constant_text) {
                    Some(setting) if equals && column == Some("name") => Some(setting.to_ascii_lowercase()),
                    _ => None,
                }
            }
            _ => None,
        };
        match named {
            Some(setting) => self.set_setting(&setting, None),
            None => {
                self.add(Action { kind: Some("setting".to_owned()), ..Action::new(Verb::Set) });
                self.add(Action { kind: Some("role".to_owned()), ..Action::new(Verb::SetRole) });
                self.act_bare(Verb::RowSecurity, "setting", "row_security");
            }
        }
        self.settings_dirty();
        self.next_path = Some(None);
    }

    fn discard(&mut self, target: i32) {
        let name = match DiscardMode::try_from(target) {
            Ok(DiscardMode::DiscardAll) => "all",
            Ok(DiscardMode::DiscardPlans) => "plans",
            Ok(DiscardMode::DiscardSequences) => "sequences",
            Ok(DiscardMode::DiscardTemp) => "temp",
            Ok(DiscardMode::Undefined) | Err(_) => return self.unsupported("a kind of DISCARD"),
        };
        self.act_bare(Verb::Discard, "session", name);
        if matches!(name, "all" | "temp") {
            self.temporary.clear();
        }
        if name == "all" {
            self.settings_dirty();
            self.next_path = Some(None);
            self.remembered.to_mut().prepared.clear();
            self.remembered.to_mut().cursors.clear();
            self.effects.push(StateEffect::Deallocates(None));
            self.effects.push(StateEffect::Closes(None));
        }
    }

    fn on_relations(&mut self, verb: Verb, relations: &[Node]) {
        for relation in relations {
            match relation.node.as_ref() {
                Some(NodeEnum::RangeVar(range)) => self.on_relation(verb, range),
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
    }

    pub(super) fn on_relation(&mut self, verb: Verb, range: &pg_query::protobuf::RangeVar) {
        for object in self.relations(range) {
            let kind = self.relation_kind(&object);
            self.act(verb, kind, object);
        }
    }
}

/// The value of an option, lower case, as the server reads it.
pub(super) fn option_text(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(string) => Some(string.sval.to_ascii_lowercase()),
        NodeEnum::Integer(number) => Some(number.ival.to_string()),
        NodeEnum::Boolean(value) => Some(value.boolval.to_string()),
        NodeEnum::Float(number) => Some(number.fval.clone()),
        NodeEnum::AConst(constant) => match constant.val.as_ref()? {
            a_const::Val::Sval(text) => Some(text.sval.to_ascii_lowercase()),
            a_const::Val::Ival(number) => Some(number.ival.to_string()),
            a_const::Val::Boolval(value) => Some(value.boolval.to_string()),
            a_const::Val::Fval(number) => Some(number.fval.clone()),
            a_const::Val::Bsval(_) => None,
        },
        NodeEnum::TypeName(name) => name.names.last().and_then(string_of).map(str::to_ascii_lowercase),
        _ => None,
    }
}

/// The reason that `SET sallyport.reason TO 'text'` states.
fn stated_reason(set: &VariableSetStmt) -> Option<String> {
    let states = set.kind == VariableSetKind::VarSetValue as i32
        && set.name.eq_ignore_ascii_case("sallyport.reason")
        && set.args.len() == 1;
    if states { set.args.first().and_then(constant_text) } else { None }
}
