//! What INSERT, UPDATE, DELETE and MERGE return.
//!
//! RETURNING reads the written table, so its columns are the table's; but a value that the same
//! statement put there comes from where the statement took it, and that counts too: `INSERT … SELECT
//! ssn … RETURNING note` shows a social security number.

use std::rc::Rc;

use pg_query::protobuf::{
    CmdType, DeleteStmt, InsertStmt, MergeStmt, ReturningClause, ReturningOptionKind, UpdateStmt,
};
use pg_query::{Node, NodeEnum};

use super::flow::{Column, Flow};
use super::query::Columns;
use super::reader::Reader;
use super::scope::{Entry, Item, Scope, Shape, Written};

impl<'c> Reader<'c> {
    /// INSERT.
    pub(super) fn insert(&self, insert: &InsertStmt, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        let _step = self.step()?;
        let Some(returning) = &insert.returning_clause else { return Some(Vec::new()) };
        let ctes = self.with(insert.with_clause.as_ref(), parent);
        let around = Scope { parent, ctes: &ctes, entries: &[] };
        let target = self.table(insert.relation.as_ref()?);
        let mut put = Vec::new();
        let mut any = Flow::constant();
        if let Some(source) = insert.select_stmt.as_deref().and_then(|node| node.node.as_ref()) {
            let names: Option<Vec<Rc<str>>> = if insert.cols.is_empty() {
                target.columns().map(|columns| columns.into_iter().map(|column| column.name).collect())
            } else {
                insert.cols.iter().map(target_name).collect()
            };
            match (self.query(source, Some(&around)), names) {
                (Some(columns), Some(names)) if columns.len() <= names.len() => {
                    put.extend(
                        columns
                            .into_iter()
                            .zip(names)
                            .map(|(column, name)| Column { name, flow: column.flow }),
                    );
                }
                (Some(columns), _) => any = Flow::all(columns.into_iter().map(|column| column.flow)),
                (None, _) => any = Flow::Unsettled,
            }
        }
        if let Some(conflict) = &insert.on_conflict_clause {
            let excluded = Item {
                name: Some("excluded".into()),
                schemas: None,
                written: Some(Rc::new(Written { columns: put.clone(), any: any.clone() })),
                ..target.clone()
            };
            let entries = [
                Entry::new(Rc::new(target.clone())),
                Entry { by_columns: false, ..Entry::new(Rc::new(excluded)) },
            ];
            self.assignments(&conflict.target_list, &Scope { entries: &entries, ..around }, &mut put);
        }
        self.returning(returning, target, Written { columns: put, any }, Vec::new(), false, &around)
    }

    /// UPDATE.
    pub(super) fn update(&self, update: &UpdateStmt, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        let _step = self.step()?;
        let Some(returning) = &update.returning_clause else { return Some(Vec::new()) };
        let ctes = self.with(update.with_clause.as_ref(), parent);
        let around = Scope { parent, ctes: &ctes, entries: &[] };
        let target = self.table(update.relation.as_ref()?);
        let sources = self.from(&update.from_clause, &around);
        let mut entries = vec![Entry::new(Rc::new(target.clone()))];
        entries.extend(sources.iter().cloned());
        let mut put = Vec::new();
        self.assignments(&update.target_list, &Scope { entries: &entries, ..around }, &mut put);
        let written = Written { columns: put, any: Flow::constant() };
        self.returning(returning, target, written, sources, false, &around)
    }

    /// DELETE.
    pub(super) fn delete(&self, delete: &DeleteStmt, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        let _step = self.step()?;
        let Some(returning) = &delete.returning_clause else { return Some(Vec::new()) };
        let ctes = self.with(delete.with_clause.as_ref(), parent);
        let around = Scope { parent, ctes: &ctes, entries: &[] };
        let target = self.table(delete.relation.as_ref()?);
        let sources = self.from(&delete.using_clause, &around);
        let written = Written { columns: Vec::new(), any: Flow::constant() };
        self.returning(returning, target, written, sources, false, &around)
    }

    /// MERGE (RETURNING: PostgreSQL 17).
    pub(super) fn merge(&self, merge: &MergeStmt, parent: Option<&Scope<'_, 'c>>) -> Columns<'c> {
        let _step = self.step()?;
        let Some(returning) = &merge.returning_clause else { return Some(Vec::new()) };
        let ctes = self.with(merge.with_clause.as_ref(), parent);
        let around = Scope { parent, ctes: &ctes, entries: &[] };
        let target = self.table(merge.relation.as_ref()?);
        let source = merge.source_relation.as_deref()?;
        let sources = self.from(std::slice::from_ref(source), &around);
        let mut entries = vec![Entry::new(Rc::new(target.clone()))];
        entries.extend(sources.iter().cloned());
        let scope = Scope { entries: &entries, ..around };
        let (mut put, mut any) = (Vec::new(), Flow::constant());
        for clause in &merge.merge_when_clauses {
            let Some(NodeEnum::MergeWhenClause(clause)) = &clause.node else { return None };
            if clause.command_type() == CmdType::CmdUpdate {
                self.assignments(&clause.target_list, &scope, &mut put);
            } else {
                // An inserted row: which value goes where is not worth telling apart.
                any = any.and(Flow::all(clause.values.iter().map(|value| self.expression(value, &scope))));
            }
        }
        self.returning(returning, target, Written { columns: put, any }, sources, true, &around)
    }

    /// What `SET a = …, (b, c) = …` puts where.
    fn assignments(&self, targets: &[Node], scope: &Scope<'_, 'c>, put: &mut Vec<Column<'c>>) {
        for target in targets {
            let Some(NodeEnum::ResTarget(target)) = &target.node else { continue };
            let flow = match target.val.as_deref().map(|value| (value, &value.node)) {
                Some((_, Some(NodeEnum::MultiAssignRef(reference)))) => match reference.source.as_deref() {
                    Some(source) => self.one_of_many(source, reference.colno, scope),
                    None => Flow::Unsettled,
                },
                Some((value, _)) => self.expression(value, scope),
                None => Flow::Unsettled,
            };
            put.push(Column::new(&target.name, flow.made()));
        }
    }

    /// The value for column `number` (from 1) of `(a, b) = source`.
    fn one_of_many(&self, source: &Node, number: i32, scope: &Scope<'_, 'c>) -> Flow<'c> {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let Some(at) = at else { return Flow::Unsettled };
        match &source.node {
            Some(NodeEnum::RowExpr(row)) => match row.args.get(at) {
                Some(value) => self.expression(value, scope),
                None => Flow::Unsettled,
            },
            Some(NodeEnum::SubLink(link)) => link
                .subselect
                .as_deref()
                .and_then(|node| node.node.as_ref())
                .and_then(|node| self.query(node, Some(scope)))
                .and_then(|columns| columns.into_iter().nth(at))
                .map_or(Flow::Unsettled, |column| column.flow),
            _ => self.expression(source, scope),
        }
    }

    /// The RETURNING list, over the written target and the other entries. `*` expands the target
    /// first, but for MERGE, where it comes last.
    fn returning(
        &self,
        clause: &ReturningClause,
        target: Item<'c>,
        written: Written<'c>,
        others: Vec<Entry<'c>>,
        target_last: bool,
        around: &Scope<'_, 'c>,
    ) -> Columns<'c> {
        let mut target = target;
        if matches!(target.shape, Shape::Named { .. }) && !target.renamed.is_empty() {
            target.shape = Shape::Shapeless(Flow::Unsettled);
        }
        target.written = Some(Rc::new(written));
        let target = Rc::new(target);
        let mut entries = others;
        let at = if target_last { entries.len() } else { 0 };
        entries.insert(at, Entry::new(Rc::clone(&target)));
        let (mut old, mut new) = (None, None);
        for option in &clause.options {
            if let Some(NodeEnum::ReturningOption(option)) = &option.node {
                match option.option() {
                    ReturningOptionKind::ReturningOptionOld => old = Some(option.value.as_str()),
                    ReturningOptionKind::ReturningOptionNew => new = Some(option.value.as_str()),
                    ReturningOptionKind::Undefined => return None,
                }
            }
        }
        for (given, name) in [(old, "old"), (new, "new")] {
            let scope = Scope { entries: &entries, ..*around };
            if given.is_none() && scope.entry(None, name).is_some() {
                continue;
            }
            let item =
                Item { name: Some(given.unwrap_or(name).into()), schemas: None, ..Item::clone(&target) };
            entries.push(Entry { by_columns: false, ..Entry::new(Rc::new(item)) });
        }
        self.targets(&clause.exprs, &Scope { entries: &entries, ..*around })
    }
}

fn target_name(node: &Node) -> Option<Rc<str>> {
    match &node.node {
        Some(NodeEnum::ResTarget(target)) => Some(target.name.as_str().into()),
        _ => None,
    }
}
