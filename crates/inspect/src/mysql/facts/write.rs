//! INSERT, REPLACE, UPDATE and DELETE.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{Action, Condition, ObjectName as Named, Verb};
use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, FromTable, Ident, Insert, InsertAliases, ObjectName, OnInsert,
    SelectItem, SetExpr, TableAliasWithoutColumns, TableFactor, TableObject, TableWithJoins, Update,
};

use super::scope::Source;
use super::{Mode, Reader, condition, names};

/// The tables that a statement writes, while what it joins is opened.
#[derive(Debug)]
pub(super) struct Writing {
    verb: Verb,
    outcome: Condition,
    /// By alias and table.
    sources: BTreeSet<(String, Option<Named>)>,
}

impl Writing {
    /// Marks a source that is written.
    pub(super) fn mark(&self, source: &mut Source) {
        source.written = self.sources.contains(&(source.alias.clone(), source.target.clone()));
        if source.written {
            source.filters_into = vec![(self.verb, Some(self.outcome))];
        }
    }
}

impl Reader {
    /// One write on one table, with what writing that very table means.
    pub(super) fn write(
        &mut self,
        verb: Verb,
        object: &Named,
        columns: Vec<String>,
        condition: Option<Condition>,
    ) {
        self.add(Action { columns, condition, ..Action::on_object(verb, "table", object.clone()) });
        self.system_write(object);
    }

    /// INSERT and REPLACE; with WITH before them they come through `query`.
    pub(super) fn insert(&mut self, insert: &Insert) {
        let Insert {
            insert_token: _,
            optimizer_hints: _,
            or,
            ignore: _,
            into: _,
            table,
            table_alias,
            columns,
            by_name,
            overwrite,
            source,
            assignments,
            partitioned: _,
            after_columns,
            overriding,
            has_table_keyword,
            on,
            returning,
            output,
            replace_into,
            priority: _,
            insert_alias,
            settings,
            format_clause,
            multi_table_insert_type,
            multi_table_into_clauses,
            multi_table_when_clauses,
            multi_table_else_clause,
        } = insert;
        self.foreign(&[
            ("INSERT OR", or.is_some()),
            ("BY NAME", *by_name),
            ("INSERT OVERWRITE", *overwrite),
            ("columns after PARTITION", !after_columns.is_empty()),
            ("OVERRIDING", overriding.is_some()),
            ("INSERT INTO TABLE", *has_table_keyword),
            ("OUTPUT", output.is_some()),
            ("SETTINGS", settings.is_some()),
            ("FORMAT", format_clause.is_some()),
            (
                "INSERT ALL",
                multi_table_insert_type.is_some()
                    || !multi_table_into_clauses.is_empty()
                    || !multi_table_when_clauses.is_empty()
                    || multi_table_else_clause.is_some(),
            ),
        ]);
        let name = match table {
            TableObject::TableName(name) => name,
            TableObject::TableFunction(_) | TableObject::TableQuery(_) => {
                return self.unsupported("INSERT into what is no table");
            }
        };
        let Some(mut target) = self.source_of(name, None) else { return };
        if let Some(TableAliasWithoutColumns { explicit: _, alias }) = table_alias {
            target.alias.clone_from(&alias.value);
        }
        let Some(object) = target.target.clone() else { return };
        target.written = true;

        let empty = source.as_deref().is_some_and(|query| match query.body.as_ref() {
            SetExpr::Values(values) => values.rows.iter().all(|row| row.content.is_empty()),
            _ => false,
        });
        let mut written = self.assigned(assignments);
        for column in columns {
            match names::parts(column).as_deref() {
                Some([.., column]) => written.push(column.value.to_lowercase()),
                _ => self.unsupported("a column that is computed"),
            }
        }
        if written.is_empty() && !empty && source.is_some() {
            written.push("*".to_owned());
        }
        self.write(Verb::Insert, &object, written, None);
        if *replace_into {
            self.write(Verb::Delete, &object, Vec::new(), Some(Condition::Some));
        }
        self.closed.clear();
        if let Some(rows) = source {
            self.query(rows);
        }
        // The rows' own sources may be named once more in ON DUPLICATE KEY UPDATE.
        let sources = std::mem::take(&mut self.closed);
        let updates = match on {
            Some(OnInsert::DuplicateKeyUpdate(updates)) => updates.as_slice(),
            // The enum is open; beside this one it has ON CONFLICT.
            Some(_) => {
                self.unsupported("ON CONFLICT");
                &[]
            }
            None => &[],
        };
        target.filters_into = vec![(Verb::Insert, None)];
        self.add_source(target.clone());
        self.values_assigned(assignments);
        if !updates.is_empty() {
            let columns = self.assigned(updates);
            self.write(Verb::Update, &object, columns, Some(Condition::Some));
            for source in sources {
                self.add_source(source);
            }
            if let Some(InsertAliases { row_alias, col_aliases }) = insert_alias {
                self.row_alias(row_alias, col_aliases.as_deref());
            }
            self.values_assigned(updates);
        }
        self.returning(returning.as_deref(), &target);
    }

    /// `AS new(a, b)`: the row that could not be inserted, which reads nothing.
    fn row_alias(&mut self, name: &ObjectName, columns: Option<&[Ident]>) {
        let parts = names::parts(name).unwrap_or_default();
        let [alias] = parts.as_slice() else {
            return self.unsupported("a row's alias of several parts");
        };
        let columns = columns.unwrap_or_default().iter().map(|column| column.value.to_lowercase()).collect();
        self.add_source(Source { alias: alias.value.clone(), columns: Some(columns), ..Source::default() });
    }

    pub(super) fn update(&mut self, update: &Update) {
        let Update {
            update_token: _,
            optimizer_hints: _,
            table,
            on_cluster,
            assignments,
            from,
            selection,
            returning,
            output,
            or,
            order_by,
            limit,
            settings,
        } = update;
        self.foreign(&[
            ("ON CLUSTER", on_cluster.is_some()),
            ("FROM in UPDATE", from.is_some()),
            ("OUTPUT", output.is_some()),
            ("UPDATE OR", or.is_some()),
            ("SETTINGS", settings.is_some()),
        ]);
        let outcome = condition::of(selection.as_ref());
        self.update_tables(std::slice::from_ref(table), assignments, outcome);
        self.values_assigned(assignments);
        if let Some(condition) = selection {
            self.expr(condition, Mode::Filter);
        }
        for item in order_by {
            let expression = self.order_item(item);
            self.expr(expression, Mode::Filter);
        }
        if let Some(limit) = limit {
            self.expr(limit, Mode::Filter);
        }
        let target = self.sources().first().cloned().unwrap_or_default();
        self.returning(returning.as_deref(), &target);
    }

    /// Opens the tables of an UPDATE, and reports those that its assignments may write.
    fn update_tables(&mut self, tables: &[TableWithJoins], assignments: &[Assignment], outcome: Condition) {
        // Joins name columns of tables that are written: which ones must be known before.
        let mut probe = Vec::new();
        for table in tables {
            for factor in
                std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
            {
                self.written_candidates(factor, &mut probe);
            }
        }
        let mut written: Vec<Source> = Vec::new();
        let mut columns: BTreeMap<Named, Vec<String>> = BTreeMap::new();
        for assignment in assignments {
            for name in targets(assignment) {
                if !self.spend(probe.len()) {
                    return;
                }
                let Some(parts) = names::parts(name) else {
                    self.unsupported("a column that is computed");
                    continue;
                };
                let Some((column, qualifier)) = parts.split_last() else { continue };
                let column = column.value.to_lowercase();
                let mut into: Vec<&Source> = probe
                    .iter()
                    .filter(|source| qualifier.is_empty() || self.is_named(source, qualifier))
                    .collect();
                // A qualifier that fits none is reported on every table: nothing written goes by unseen.
                if into.is_empty() {
                    into = probe.iter().collect();
                }
                for source in into {
                    let Some(object) = source.target.clone() else { continue };
                    written.push(source.clone());
                    columns.entry(object).or_default().push(column.clone());
                }
            }
        }
        if written.is_empty() {
            self.unsupported("UPDATE of no table");
        }
        self.written_joined(tables, Verb::Update, outcome, &written);
        for (object, columns) in columns {
            self.write(Verb::Update, &object, columns, Some(outcome));
        }
    }

    fn is_named(&self, source: &Source, qualifier: &[&Ident]) -> bool {
        match qualifier {
            [name] => source.alias.to_lowercase() == name.value.to_lowercase(),
            [.., database, name] => {
                let database = self.naming.folded(&database.value);
                source.alias.to_lowercase() == name.value.to_lowercase()
                    && source
                        .target
                        .as_ref()
                        .is_some_and(|target| target.schema.as_ref().is_none_or(|schema| *schema == database))
            }
            [] => true,
        }
    }

    /// The base tables among what is joined, without reading them.
    fn written_candidates(&mut self, factor: &TableFactor, into: &mut Vec<Source>) {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let is_cte = matches!(names::parts(name).as_deref(), Some([only]) if self.find_cte(&only.value).is_some());
                if !is_cte && let Some(source) = self.source_of(name, alias.as_ref()) {
                    into.push(source);
                }
            }
            TableFactor::NestedJoin { table_with_joins, alias: _ } => {
                let TableWithJoins { relation, joins } = table_with_joins.as_ref();
                self.deeper(|reader| {
                    for factor in std::iter::once(relation).chain(joins.iter().map(|join| &join.relation)) {
                        reader.written_candidates(factor, into);
                    }
                });
            }
            _ => {}
        }
    }

    /// Reads what a write joins; a table that is written is not read by that alone, and its columns in
    /// conditions belong to the write.
    fn written_joined(
        &mut self,
        tables: &[TableWithJoins],
        verb: Verb,
        outcome: Condition,
        sources: &[Source],
    ) {
        let sources = sources.iter().map(|source| (source.alias.clone(), source.target.clone())).collect();
        let outer = self.writing.replace(Writing { verb, outcome, sources });
        self.tables_joined(tables);
        self.writing = outer;
    }

    pub(super) fn delete(&mut self, delete: &Delete) {
        let Delete {
            delete_token: _,
            optimizer_hints: _,
            tables,
            from,
            on_cluster,
            using,
            selection,
            returning,
            output,
            order_by,
            limit,
            settings,
        } = delete;
        self.foreign(&[
            ("ON CLUSTER", on_cluster.is_some()),
            ("OUTPUT", output.is_some()),
            ("SETTINGS", settings.is_some()),
        ]);
        let outcome = condition::of(selection.as_ref());
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = from;
        // DELETE a FROM a JOIN b; DELETE FROM a USING a JOIN b; DELETE FROM a.
        let (named, joined): (Vec<ObjectName>, &[TableWithJoins]) = match using {
            Some(using) => (from.iter().filter_map(table_name).cloned().collect(), using),
            None if !tables.is_empty() => (tables.clone(), from),
            None => (Vec::new(), from),
        };
        let mut candidates = Vec::new();
        for table in joined {
            for factor in
                std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
            {
                self.written_candidates(factor, &mut candidates);
            }
        }
        let mut written: Vec<Source> = Vec::new();
        if named.is_empty() && using.is_none() && tables.is_empty() {
            written.clone_from(&candidates);
        }
        for name in &named {
            if !self.spend(candidates.len()) {
                return;
            }
            // `a.*` is an older way to write it.
            let parts: Vec<&Ident> = names::parts(name)
                .unwrap_or_default()
                .into_iter()
                .filter(|part| part.value != "*" || part.quote_style.is_some())
                .collect();
            let found: Vec<&Source> =
                candidates.iter().filter(|source| self.is_named(source, &parts)).collect();
            if found.is_empty() {
                let words: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                match self.naming.relation(&words) {
                    Some(object) => written.push(Source { target: Some(object), ..Source::default() }),
                    None => self.unsupported("DELETE of what is no table"),
                }
            }
            written.extend(found.into_iter().cloned());
        }
        if written.is_empty() {
            self.unsupported("DELETE of no table");
        }
        self.written_joined(joined, Verb::Delete, outcome, &written);
        for object in written.iter().filter_map(|source| source.target.clone()) {
            self.write(Verb::Delete, &object, Vec::new(), Some(outcome));
        }
        if let Some(condition) = selection {
            self.expr(condition, Mode::Filter);
        }
        for item in order_by {
            let expression = self.order_item(item);
            self.expr(expression, Mode::Filter);
        }
        if let Some(limit) = limit {
            self.expr(limit, Mode::Filter);
        }
        let target = written.first().cloned().unwrap_or_default();
        self.returning(returning.as_deref(), &target);
    }

    /// RETURNING reads what was written.
    fn returning(&mut self, items: Option<&[SelectItem]>, target: &Source) {
        let Some(items) = items else { return };
        let Some(object) = target.target.clone() else { return };
        self.act(Verb::Select, "table", object);
        let source = Source { written: false, filters_into: Vec::new(), ..target.clone() };
        self.scoped(|reader| {
            reader.add_source(source);
            reader.result_items(items);
            reader.projection(items);
        });
    }

    /// The columns that assignments write.
    fn assigned(&mut self, assignments: &[Assignment]) -> Vec<String> {
        let mut columns = Vec::new();
        for assignment in assignments {
            for name in targets(assignment) {
                match names::parts(name).as_deref() {
                    Some([.., column]) => columns.push(column.value.to_lowercase()),
                    _ => self.unsupported("a column that is computed"),
                }
            }
        }
        columns
    }

    /// What the right-hand sides read.
    pub(super) fn values_assigned(&mut self, assignments: &[Assignment]) {
        for Assignment { target, value } in assignments {
            let column = match target {
                AssignmentTarget::ColumnName(name) => {
                    names::parts(name).and_then(|parts| parts.last().map(|part| part.value.to_lowercase()))
                }
                AssignmentTarget::Tuple(_) => {
                    self.unsupported("several columns assigned at once");
                    None
                }
            };
            let before = std::mem::replace(&mut self.assigning, column);
            self.expr(value, Mode::Read);
            self.assigning = before;
        }
    }
}

fn targets(assignment: &Assignment) -> &[ObjectName] {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
        AssignmentTarget::Tuple(names) => names,
    }
}

fn table_name(table: &TableWithJoins) -> Option<&ObjectName> {
    match &table.relation {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    }
}
