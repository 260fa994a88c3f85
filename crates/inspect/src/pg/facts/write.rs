//! INSERT, UPDATE, DELETE and MERGE.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CmdType, DeleteStmt, InsertStmt, MergeStmt, MergeWhenClause, Node, OnConflictAction, RangeVar,
    ReturningClause, SelectStmt, UpdateStmt,
};
use sallyport_core::{Action, Condition, ObjectName, UnknownCode, Verb};

use super::scope::Source;
use super::{Mode, Reader, condition, inner};

/// A relation being written, and the sources it is.
struct Target {
    objects: Vec<ObjectName>,
    source: Source,
}

impl Reader<'_> {
    fn target(&mut self, range: Option<&RangeVar>) -> Target {
        let Some(range) = range else {
            self.unsupported("a write without a relation");
            return Target { objects: Vec::new(), source: Source::default() };
        };
        let objects = self.relations(range);
        let mut source = self.source_of(range, objects.clone());
        source.written = true;
        Target { objects, source }
    }

    /// One write on every relation that the target may be, and through views on what they stand for.
    fn write(
        &mut self,
        verb: Verb,
        objects: &[ObjectName],
        columns: &[String],
        condition: Option<Condition>,
    ) {
        for object in objects {
            let kind = self.relation_kind(object);
            // What a column is set to is cast to its type.
            columns.iter().for_each(|column| self.may_run_code(object, column));
            self.add(Action {
                columns: columns.to_vec(),
                condition,
                ..Action::on_object(verb, kind, object.clone())
            });
            if kind == "foreign-table" {
                self.act(Verb::Network, kind, object.clone());
            }
            if kind == "view" {
                self.write_through(verb, object, &["*".to_owned()], condition);
            }
            self.catalog_write(object);
        }
    }

    /// A view that can be written through writes its base tables.
    pub(super) fn write_through(
        &mut self,
        verb: Verb,
        view: &ObjectName,
        columns: &[String],
        condition: Option<Condition>,
    ) {
        let definition = self
            .catalog
            .zip(view.schema.as_deref())
            .and_then(|(catalog, schema)| catalog.relation(schema, &view.name))
            .and_then(|relation| relation.definition.clone());
        let Some(definition) = definition else { return };
        if self.views.contains(view) {
            return;
        }
        if self.nested_left == 0 {
            return self.unsupported("too many views");
        }
        self.nested_left -= 1;
        let Ok(parsed) = crate::pg::text::parse(&definition) else {
            return self.unsupported("a view's definition");
        };
        self.views.push(view.clone());
        self.deeper(|reader| {
            for raw in &parsed.stmts {
                let Some(NodeEnum::SelectStmt(select)) =
                    raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref())
                else {
                    continue;
                };
                for item in &select.from_clause {
                    if let Some(NodeEnum::RangeVar(range)) = item.node.as_ref() {
                        let objects = reader.relations(range);
                        reader.write(verb, &objects, columns, condition);
                    }
                }
            }
        });
        self.views.pop();
        self.read_view(view);
    }

    /// Writing a system catalog changes what the catalog decides.
    fn catalog_write(&mut self, object: &ObjectName) {
        if object.schema.as_deref() != Some("pg_catalog") {
            return;
        }
        let (verb, kind) = match object.name.as_str() {
            "pg_authid" | "pg_shadow" | "pg_roles" | "pg_user" | "pg_db_role_setting" => {
                (Verb::AlterRole, "role")
            }
            "pg_auth_members" | "pg_group" => (Verb::Grant, "role"),
            "pg_default_acl" => (Verb::DefaultPrivileges, "schema"),
            "pg_policy" => (Verb::RowSecurity, "table"),
            // These hold owners and privileges of what they list.
            "pg_class"
            | "pg_proc"
            | "pg_namespace"
            | "pg_database"
            | "pg_type"
            | "pg_attribute"
            | "pg_language"
            | "pg_largeobject_metadata"
            | "pg_tablespace"
            | "pg_foreign_server"
            | "pg_foreign_data_wrapper"
            | "pg_parameter_acl"
            | "pg_init_privs" => (Verb::Grant, "catalog"),
            _ => return,
        };
        self.add(Action { kind: Some(kind.to_owned()), ..Action::new(verb) });
    }

    fn returning(&mut self, clause: Option<&ReturningClause>, target: &Target) -> Option<Vec<String>> {
        let clause = clause?;
        for option in &clause.options {
            match option.node.as_ref() {
                Some(NodeEnum::ReturningOption(option)) => {
                    let mut source = target.source.clone();
                    source.alias.clone_from(&option.value);
                    self.add_source(source);
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        for object in &target.objects {
            let kind = self.relation_kind(object);
            self.act(Verb::Select, kind, object.clone());
        }
        let mut source = target.source.clone();
        source.written = false;
        for name in ["old", "new"] {
            self.add_source(Source { alias: name.to_owned(), ..source.clone() });
        }
        self.targets(&clause.exprs, false)
    }

    pub(super) fn insert(&mut self, insert: &InsertStmt) -> Option<Vec<String>> {
        self.with(insert.with_clause.as_ref());
        let mut target = self.target(insert.relation.as_ref());
        let mut columns = self.assigned(&insert.cols);
        self.subscripts(&insert.cols);
        let select = match inner(&insert.select_stmt) {
            Some(NodeEnum::SelectStmt(select)) => Some(select),
            Some(other) => {
                self.unsupported_node(other);
                None
            }
            None => None,
        };
        if columns.is_empty() {
            columns = match (&target.source.columns, select) {
                (Some(all), Some(select)) => {
                    let width = row_width(select).unwrap_or(all.len());
                    all.iter().take(width).cloned().collect()
                }
                (None, Some(_)) => vec!["*".to_owned()],
                (_, None) => Vec::new(),
            };
        }
        self.write(Verb::Insert, &target.objects, &columns, None);
        if let Some(rows) = inner(&insert.select_stmt) {
            self.query(rows);
        }
        if let Some(conflict) = &insert.on_conflict_clause {
            let updates = conflict.action == OnConflictAction::OnconflictUpdate as i32;
            let outcome = self.narrowed(inner(&conflict.where_clause));
            target.source.filters_into =
                if updates { vec![(Verb::Update, Some(outcome))] } else { vec![(Verb::Insert, None)] };
            self.add_source(target.source.clone());
            if !updates && conflict.action != OnConflictAction::OnconflictNothing as i32 {
                self.unsupported("an action of ON CONFLICT");
            }
            if updates {
                let assigned = self.assigned(&conflict.target_list);
                self.write(Verb::Update, &target.objects, &assigned, Some(outcome));
            }
            if let Some(infer) = &conflict.infer {
                // Which rows conflict is decided by these columns.
                let keep = self.assigning.take();
                self.all(&infer.index_elems, Mode::Filter);
                self.maybe(&infer.where_clause, Mode::Filter);
                self.assigning = keep;
            }
            self.add_source(Source {
                alias: "excluded".to_owned(),
                columns: target.source.columns.clone(),
                ..Source::default()
            });
            self.assignments(&conflict.target_list);
            self.maybe(&conflict.where_clause, Mode::Filter);
        } else if insert.returning_clause.is_some() {
            self.add_source(target.source.clone());
        }
        self.returning(insert.returning_clause.as_ref(), &target)
    }

    pub(super) fn update(&mut self, update: &UpdateStmt) -> Option<Vec<String>> {
        self.with(update.with_clause.as_ref());
        let mut target = self.target(update.relation.as_ref());
        let outcome = self.condition_of(inner(&update.where_clause));
        let columns = self.assigned(&update.target_list);
        self.write(Verb::Update, &target.objects, &columns, Some(outcome));
        target.source.filters_into = vec![(Verb::Update, Some(outcome))];
        self.add_source(target.source.clone());
        self.source_list(&update.from_clause);
        if target.objects.iter().any(|object| *object == ObjectName::in_schema("pg_catalog", "pg_settings")) {
            self.set_by_update(inner(&update.where_clause));
        }
        self.assignments(&update.target_list);
        self.maybe(&update.where_clause, Mode::Filter);
        self.returning(update.returning_clause.as_ref(), &target)
    }

    pub(super) fn delete(&mut self, delete: &DeleteStmt) -> Option<Vec<String>> {
        self.with(delete.with_clause.as_ref());
        let mut target = self.target(delete.relation.as_ref());
        let outcome = self.condition_of(inner(&delete.where_clause));
        self.write(Verb::Delete, &target.objects, &[], Some(outcome));
        target.source.filters_into = vec![(Verb::Delete, Some(outcome))];
        self.add_source(target.source.clone());
        self.source_list(&delete.using_clause);
        self.maybe(&delete.where_clause, Mode::Filter);
        self.returning(delete.returning_clause.as_ref(), &target)
    }

    pub(super) fn merge_into(&mut self, merge: &MergeStmt) -> Option<Vec<String>> {
        self.with(merge.with_clause.as_ref());
        let mut target = self.target(merge.relation.as_ref());
        let outcome = self.narrowed(inner(&merge.join_condition));
        let mut clauses: Vec<&MergeWhenClause> = Vec::new();
        for node in &merge.merge_when_clauses {
            match node.node.as_ref() {
                Some(NodeEnum::MergeWhenClause(clause)) => clauses.push(clause.as_ref()),
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        let mut into = Vec::new();
        for clause in &clauses {
            let mut columns = self.assigned(&clause.target_list);
            match CmdType::try_from(clause.command_type) {
                Ok(CmdType::CmdInsert) => {
                    if columns.is_empty() && !clause.values.is_empty() {
                        columns = match &target.source.columns {
                            Some(all) => all.iter().take(clause.values.len()).cloned().collect(),
                            None => vec!["*".to_owned()],
                        };
                    }
                    self.write(Verb::Insert, &target.objects, &columns, None);
                }
                Ok(CmdType::CmdUpdate) => {
                    self.write(Verb::Update, &target.objects, &columns, Some(outcome));
                    into.push((Verb::Update, Some(outcome)));
                }
                Ok(CmdType::CmdDelete) => {
                    self.write(Verb::Delete, &target.objects, &[], Some(outcome));
                    into.push((Verb::Delete, Some(outcome)));
                }
                Ok(CmdType::CmdNothing) => {}
                _ => self.unsupported("an action of MERGE"),
            }
        }
        if into.is_empty() {
            into.push((
                if clauses.iter().any(|c| c.command_type == CmdType::CmdInsert as i32) {
                    Verb::Insert
                } else {
                    Verb::Select
                },
                None,
            ));
        }
        into.dedup();
        target.source.filters_into = into;
        self.add_source(target.source.clone());
        if let Some(source) = inner(&merge.source_relation) {
            self.source_item(source);
        }
        self.maybe(&merge.join_condition, Mode::Filter);
        for clause in &clauses {
            self.maybe(&clause.condition, Mode::Filter);
            self.assignments(&clause.target_list);
            self.all(&clause.values, Mode::Read);
        }
        self.returning(merge.returning_clause.as_ref(), &target)
    }

    /// How far the condition of an UPDATE or DELETE narrows.
    fn condition_of(&mut self, node: Option<&NodeEnum>) -> Condition {
        condition::of(node).unwrap_or_else(|| {
            self.gap(UnknownCode::TooLarge, "a condition");
            Condition::Constant
        })
    }

    /// The same where the statement itself chooses rows: by a conflict, by a join.
    fn narrowed(&mut self, node: Option<&NodeEnum>) -> Condition {
        match self.condition_of(node) {
            Condition::None => Condition::Some,
            other => other,
        }
    }

    /// The columns that a list of targets writes.
    fn assigned(&mut self, targets: &[Node]) -> Vec<String> {
        let mut columns = Vec::new();
        for target in targets {
            match target.node.as_ref() {
                Some(NodeEnum::ResTarget(column)) => columns.push(column.name.clone()),
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        columns.sort();
        columns.dedup();
        columns
    }

    /// `INSERT INTO t (a[i])`: what the subscripts read.
    fn subscripts(&mut self, targets: &[Node]) {
        for target in targets {
            if let Some(NodeEnum::ResTarget(column)) = target.node.as_ref() {
                self.all(&column.indirection, Mode::Read);
                self.maybe(&column.val, Mode::Read);
            }
        }
    }

    /// What the right-hand sides read.
    fn assignments(&mut self, targets: &[Node]) {
        for target in targets {
            let Some(NodeEnum::ResTarget(column)) = target.node.as_ref() else {
                self.unsupported("an assignment");
                continue;
            };
            let before = self.assigning.replace(column.name.clone());
            self.all(&column.indirection, Mode::Read);
            if matches!(inner(&column.val), Some(NodeEnum::MultiAssignRef(_))) {
                // (a, b) = (…): each value may land in another column.
                self.assigning = None;
            }
            self.maybe(&column.val, Mode::Read);
            self.assigning = before;
        }
    }
}

/// How many columns a row of the source has, when the text says.
fn row_width(select: &SelectStmt) -> Option<usize> {
    if let Some(row) = select.values_lists.first() {
        return match row.node.as_ref() {
            Some(NodeEnum::List(list)) => Some(list.items.len()),
            _ => None,
        };
    }
    if let Some(left) = select.larg.as_deref() {
        return row_width(left);
    }
    let star = select.target_list.iter().any(|target| match target.node.as_ref() {
        Some(NodeEnum::ResTarget(column)) => match inner(&column.val) {
            Some(NodeEnum::ColumnRef(reference)) => {
                reference.fields.iter().any(|field| matches!(field.node.as_ref(), Some(NodeEnum::AStar(_))))
            }
            _ => false,
        },
        _ => true,
    });
    (!star).then_some(select.target_list.len())
}
