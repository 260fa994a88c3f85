//! What stands in FROM: tables, derived tables, JSON_TABLE and joins.

use std::collections::BTreeSet;

use sallyport_core::Verb;
use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, JsonTableColumn, ObjectName, TableAlias, TableFactor,
    TableFunctionArgs, TableVersion, TableWithJoins,
};

use super::scope::Source;
use super::{Mode, Reader, names};

/// What an alias calls the source, and its columns.
fn alias_of(alias: Option<&TableAlias>) -> (Option<&str>, Vec<String>) {
    let Some(TableAlias { explicit: _, name, columns, at: _ }) = alias else { return (None, Vec::new()) };
    (Some(&name.value), columns.iter().map(|column| column.name.value.to_lowercase()).collect())
}

impl Reader {
    pub(super) fn tables_joined(&mut self, tables: &[TableWithJoins]) {
        for table in tables {
            self.table_with_joins(table);
        }
    }

    pub(super) fn table_with_joins(&mut self, table: &TableWithJoins) {
        let TableWithJoins { relation, joins } = table;
        let from = self.sources().len();
        self.deeper(|reader| reader.table_factor(relation));
        for join in joins {
            self.join(join, from);
        }
    }

    fn join(&mut self, join: &Join, from: usize) {
        let Join { relation, global, join_operator } = join;
        self.foreign(&[("GLOBAL JOIN", *global)]);
        self.deeper(|reader| reader.table_factor(relation));
        let constraint = match join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::StraightJoin(constraint) => constraint,
            JoinOperator::FullOuter(_)
            | JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_)
            | JoinOperator::RightSemi(_)
            | JoinOperator::Anti(_)
            | JoinOperator::LeftAnti(_)
            | JoinOperator::RightAnti(_)
            | JoinOperator::CrossApply
            | JoinOperator::OuterApply
            | JoinOperator::AsOf { .. }
            | JoinOperator::ArrayJoin
            | JoinOperator::LeftArrayJoin
            | JoinOperator::InnerArrayJoin => return self.unsupported("a kind of join"),
        };
        match constraint {
            JoinConstraint::On(condition) => self.expr(condition, Mode::Filter),
            JoinConstraint::Using(columns) => {
                for column in columns {
                    match names::parts(column).as_deref() {
                        Some([only]) => self.merge(&only.value.to_lowercase(), from),
                        _ => self.unsupported("a qualified column in USING"),
                    }
                }
            }
            JoinConstraint::UsingAlias(..) => self.unsupported("USING with an alias"),
            JoinConstraint::Natural => self.natural(from),
            JoinConstraint::None => {}
        }
    }

    fn natural(&mut self, from: usize) {
        let columns: Option<Vec<Vec<String>>> =
            self.sources().iter().skip(from).map(|source| source.columns.clone()).collect();
        match columns.as_deref() {
            Some([left, right]) => {
                for column in left.iter().filter(|column| right.contains(column)) {
                    self.merge(column, from);
                }
            }
            // Without a catalog: any column that both have.
            _ => self.merge("*", from),
        }
    }

    fn table_factor(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions: _,
                json_path,
                sample,
                index_directives: _,
                inheritance,
            } => {
                self.foreign(&[
                    ("WITH ORDINALITY", *with_ordinality),
                    ("a path behind a table", json_path.is_some()),
                    ("TABLESAMPLE", sample.is_some()),
                    ("ONLY", inheritance.is_some()),
                    ("WITH hints", !with_hints.is_empty()),
                ]);
                if let Some(TableFunctionArgs { .. }) = args {
                    return self.unsupported("a function as a table");
                }
                if let Some(version) = version {
                    self.version(version);
                }
                self.table(name, alias.as_ref());
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                self.foreign(&[("TABLESAMPLE", sample.is_some())]);
                let others = self.other_names(subquery);
                let columns = if *lateral {
                    self.query(subquery)
                } else {
                    self.beside(|reader| reader.query(subquery))
                };
                self.opaque(alias.as_ref(), columns, others);
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns, alias } => {
                self.expr(json_expr, Mode::Read);
                let mut names = Vec::new();
                json_columns(columns, &mut names);
                self.opaque(alias.as_ref(), Some(names), None);
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.foreign(&[("an alias of a join", alias.is_some())]);
                self.table_with_joins(table_with_joins);
            }
            TableFactor::TableFunction { .. }
            | TableFactor::Function { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => self.unsupported("a kind of table in FROM"),
        }
    }

    /// MariaDB's FOR SYSTEM_TIME.
    fn version(&mut self, version: &TableVersion) {
        match version {
            TableVersion::ForSystemTimeAsOf(at) => self.expr(at, Mode::Filter),
            TableVersion::TimestampAsOf(_)
            | TableVersion::VersionAsOf(_)
            | TableVersion::Function(_)
            | TableVersion::Changes { .. } => self.unsupported("a version of a table"),
        }
    }

    /// A derived table cannot see its neighbours, only the levels around it.
    fn beside<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let hidden = self.scopes.last_mut().map(|scope| std::mem::take(&mut scope.sources));
        let result = read(self);
        if let (Some(hidden), Some(scope)) = (hidden, self.scopes.last_mut()) {
            scope.sources = hidden;
        }
        result
    }

    fn opaque(
        &mut self,
        alias: Option<&TableAlias>,
        columns: Option<Vec<String>>,
        others: Option<BTreeSet<String>>,
    ) {
        let (alias, renamed) = alias_of(alias);
        let columns = columns.map(|columns| rename(columns, &renamed));
        let others = others.filter(|_| renamed.is_empty());
        let alias = alias.unwrap_or_default().to_owned();
        self.add_source(Source { alias, columns, others, ..Source::default() });
    }

    fn table(&mut self, name: &ObjectName, alias: Option<&TableAlias>) {
        if let Some([only]) = names::parts(name).as_deref()
            && let Some(cte) = self.find_cte(&only.value)
        {
            let (alias, renamed) = alias_of(alias);
            let alias = alias.unwrap_or(&cte.name).to_owned();
            let columns = cte.columns.map(|columns| rename(columns, &renamed));
            let others = cte.others.filter(|_| renamed.is_empty());
            return self.add_source(Source { alias, columns, others, ..Source::default() });
        }
        // DUAL is no table unless it is quoted or qualified.
        if let Some([only]) = names::parts(name).as_deref()
            && only.quote_style.is_none()
            && only.value.eq_ignore_ascii_case("dual")
        {
            return;
        }
        let Some(mut source) = self.source_of(name, alias) else { return };
        if let Some(writing) = &self.writing {
            writing.mark(&mut source);
        }
        if let Some(target) = source.target.clone().filter(|_| !source.written) {
            self.act(Verb::Select, "table", target);
        }
        self.add_source(source);
    }

    /// The source that a base table is.
    pub(super) fn source_of(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Option<Source> {
        let target = self.relation(name)?;
        let (alias, renamed) = alias_of(alias);
        if !renamed.is_empty() {
            self.unsupported("columns of a table renamed");
        }
        let alias = match alias {
            Some(alias) => alias.to_owned(),
            None => target.name.clone(),
        };
        Some(Source { alias, target: Some(target), ..Source::default() })
    }

    /// FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE: the tables named, or all of the level.
    pub(super) fn lock(&mut self, of: Option<&ObjectName>) {
        let locked = match of.map(names::parts) {
            None => self.sources().to_vec(),
            Some(Some(parts)) => {
                let parts: Vec<&Ident> = parts;
                match self.find_source(&parts) {
                    Some(source) => vec![source],
                    None => self.sources().to_vec(),
                }
            }
            Some(None) => return self.unsupported("a computed name"),
        };
        for target in locked.into_iter().filter_map(|source| source.target) {
            self.act(Verb::Lock, "table", target);
        }
    }

    pub(super) fn exprs(&mut self, expressions: &[Expr], mode: Mode) {
        for expression in expressions {
            self.expr(expression, mode);
        }
    }
}

/// New names for the first columns (`AS d (a, b)`).
pub(super) fn rename(mut columns: Vec<String>, names: &[String]) -> Vec<String> {
    for (column, name) in columns.iter_mut().zip(names) {
        column.clone_from(name);
    }
    columns
}

fn json_columns(columns: &[JsonTableColumn], names: &mut Vec<String>) {
    for column in columns {
        match column {
            JsonTableColumn::Named(named) => names.push(named.name.value.to_lowercase()),
            JsonTableColumn::ForOrdinality(name) => names.push(name.value.to_lowercase()),
            JsonTableColumn::Nested(nested) => json_columns(&nested.columns, names),
        }
    }
}
