//! SELECT, VALUES, TABLE, set operations and WITH.

use sallyport_core::{Action, Verb};
use sqlparser::ast::{
    Cte as NamedQuery, Distinct, Expr, LimitClause, LockClause, NamedWindowDefinition, NamedWindowExpr,
    Offset, OrderBy, Query, Select, SelectFlavor, SelectInto, SelectItem, SelectItemQualifiedWildcardKind,
    SelectModifiers, SetExpr, SetOperator, SetQuantifier, Table, Values, WildcardAdditionalOptions, With,
};

use super::from::rename;
use super::output::{expression_name, item_alias, item_expression};
use super::scope::{Cte, Source};
use super::{Mode, Reader, names};

/// More columns no server gives; without a limit, each CTE could hold those of the one before it twice.
const MOST_COLUMNS: usize = 4096;

impl Reader {
    /// A query as a statement of its own: something is selected even when no table is read.
    pub(super) fn query_statement(&mut self, query: &Query) {
        let outer = std::mem::take(&mut self.found);
        self.at_result = true;
        self.query(query);
        self.at_result = false;
        if !self.found.has(Verb::Select) {
            self.add(Action::new(Verb::Select));
        }
        let own = std::mem::replace(&mut self.found, outer);
        self.found.absorb(own);
    }

    /// Reads a query; gives the names of its columns, when the text settles them.
    pub(super) fn query(&mut self, query: &Query) -> Option<Vec<String>> {
        let mut columns = None;
        let assigning = self.assigning.take();
        self.deeper(|reader| columns = reader.scoped(|reader| reader.query_here(query)));
        self.assigning = assigning;
        columns
    }

    fn query_here(&mut self, query: &Query) -> Option<Vec<String>> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        self.foreign(&[
            ("FOR XML or JSON", for_clause.is_some()),
            ("SETTINGS", settings.is_some()),
            ("FORMAT", format_clause.is_some()),
            ("a pipe operator", !pipe_operators.is_empty()),
        ]);
        let at_result = std::mem::take(&mut self.at_result);
        self.with(with.as_ref());
        let columns = match body.as_ref() {
            // ORDER BY and locks stand on the level of the SELECT's own sources.
            SetExpr::Select(select) => {
                self.at_result = at_result;
                self.select(select, order_by.as_ref())
            }
            SetExpr::Table(table) => {
                self.table_statement(table);
                self.order_by(order_by.as_ref(), &[]);
                None
            }
            // ORDER BY behind parentheses orders what stands in them, by any of its columns.
            SetExpr::Query(inner) => {
                self.at_result = at_result;
                let columns = self.query(inner);
                self.keep_closed();
                match innermost(&inner.body) {
                    Some(select) => self.order_by(order_by.as_ref(), &select.projection),
                    None => self.order_of_set(order_by.as_ref()),
                }
                columns
            }
            body => {
                self.closed.clear();
                let columns = self.body(body);
                self.order_of_set(order_by.as_ref());
                // A lock behind a UNION locks the tables of its arms.
                self.keep_closed();
                columns
            }
        };
        self.limit(limit_clause.as_ref());
        if let Some(fetch) = fetch
            && let Some(quantity) = &fetch.quantity
        {
            self.expr(quantity, Mode::Filter);
        }
        for lock in locks {
            let LockClause { lock_type: _, of, nonblock: _ } = lock;
            self.lock(of.as_ref());
        }
        columns
    }

    /// The sources of what was read last are those of this level too.
    fn keep_closed(&mut self) {
        for source in std::mem::take(&mut self.closed) {
            self.add_source(source);
        }
    }

    fn body(&mut self, body: &SetExpr) -> Option<Vec<String>> {
        match body {
            SetExpr::Select(select) => self.scoped(|reader| reader.select(select, None)),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                // INTERSECT and EXCEPT compare all that their arms give.
                self.deciding.anything |= !matches!(op, SetOperator::Union);
                match set_quantifier {
                    SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None => {}
                    SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => {
                        self.unsupported("BY NAME");
                    }
                }
                // A chain of UNIONs leans to the left: walked down, not recursed into.
                let mut arms = vec![right.as_ref()];
                let mut first = left.as_ref();
                while let SetExpr::SetOperation { left, op, set_quantifier: _, right } = first {
                    self.deciding.anything |= !matches!(op, SetOperator::Union);
                    arms.push(right);
                    first = left;
                }
                let mut columns = None;
                self.deeper(|reader| columns = reader.body(first));
                let mut sources = std::mem::take(&mut self.closed);
                for arm in arms.into_iter().rev() {
                    self.deeper(|reader| drop(reader.body(arm)));
                    sources.append(&mut self.closed);
                }
                self.closed = sources;
                columns
            }
            SetExpr::Values(values) => {
                let Values { explicit_row: _, value_keyword: _, rows } = values;
                let width = rows.first().map_or(0, |row| row.content.len());
                for row in rows {
                    self.exprs(&row.content, Mode::Read);
                }
                Some((0..width).map(|number| format!("column_{number}")).collect())
            }
            SetExpr::Table(table) => {
                self.scoped(|reader| reader.table_statement(table));
                None
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                self.unsupported("a write within a query");
                None
            }
        }
    }

    /// TABLE t: all of it.
    fn table_statement(&mut self, table: &Table) {
        let Table { table_name, schema_name } = table;
        let parts: Vec<&str> = schema_name.iter().chain(table_name).map(|part| part.value.as_str()).collect();
        let [.., alias] = parts.as_slice() else { return self.unsupported("TABLE without a name") };
        if parts.len() == 1 && self.find_cte(alias).is_some() {
            return;
        }
        match self.naming.relation(&parts) {
            Some(object) => {
                let source = Source { alias: (*alias).to_owned(), target: Some(object), ..Source::default() };
                self.add_source(source);
                self.star(Mode::Read);
            }
            None => self.unsupported("TABLE of a name of more than two parts"),
        }
    }

    pub(super) fn with(&mut self, with: Option<&With>) {
        let Some(With { with_token: _, recursive, cte_tables }) = with else { return };
        if *recursive {
            for cte in cte_tables {
                let named: Vec<String> = alias_columns(cte);
                let columns = if named.is_empty() { first_names(&cte.query.body) } else { Some(named) };
                self.add_cte(Cte { name: cte.alias.name.value.clone(), columns, others: None });
            }
        }
        for cte in cte_tables {
            let NamedQuery { alias, query, from, materialized, closing_paren_token: _ } = cte;
            self.foreign(&[("FROM in WITH", from.is_some()), ("MATERIALIZED", materialized.is_some())]);
            let renamed = alias_columns(cte);
            let others = self.other_names(query).filter(|_| renamed.is_empty() && !*recursive);
            let columns = self.query(query).map(|columns| rename(columns, &renamed));
            self.add_cte(Cte { name: alias.name.value.clone(), columns, others });
        }
    }

    fn add_cte(&mut self, cte: Cte) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.ctes.push(cte);
        }
    }

    fn select(&mut self, select: &Select, order_by: Option<&OrderBy>) -> Option<Vec<String>> {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        self.foreign(&[
            ("TOP", top.is_some()),
            ("EXCLUDE", exclude.is_some()),
            ("LATERAL VIEW", !lateral_views.is_empty()),
            ("PREWHERE", prewhere.is_some()),
            ("CONNECT BY", !connect_by.is_empty()),
            ("CLUSTER BY", !cluster_by.is_empty()),
            ("DISTRIBUTE BY", !distribute_by.is_empty()),
            ("SORT BY", !sort_by.is_empty()),
            ("QUALIFY", qualify.is_some()),
            ("AS STRUCT", value_table_mode.is_some()),
            ("FROM without SELECT", !matches!(flavor, SelectFlavor::Standard)),
        ]);
        match distinct {
            None | Some(Distinct::All | Distinct::Distinct) => {}
            Some(Distinct::On(_)) => self.unsupported("DISTINCT ON"),
        }
        if let Some(SelectModifiers {
            high_priority: _,
            straight_join: _,
            sql_small_result: _,
            sql_big_result: _,
            sql_buffer_result: _,
            sql_no_cache: _,
            sql_calc_found_rows: _,
        }) = select_modifiers
        {}
        let at_result = std::mem::take(&mut self.at_result);
        self.tables_joined(from);
        if at_result {
            self.result_items(projection);
        }
        let names = self.projection(projection);
        if let Some(condition) = selection {
            self.expr(condition, Mode::Filter);
        }
        self.group_by(group_by, projection);
        if let Some(condition) = having {
            self.having(condition, projection);
        }
        for NamedWindowDefinition(_, window) in named_window {
            match window {
                NamedWindowExpr::NamedWindow(_) => {}
                NamedWindowExpr::WindowSpec(spec) => self.window(spec),
            }
        }
        self.order_by(order_by, projection);
        if let Some(into) = into {
            self.select_into(into);
        }
        names
    }

    /// INTO @a, @b.
    fn select_into(&mut self, into: &SelectInto) {
        let SelectInto { temporary, unlogged, table, targets } = into;
        self.foreign(&[("INTO a table", *temporary || *unlogged || *table)]);
        for target in targets {
            match target {
                Expr::Identifier(name) if names::is_variable(name) => self.set_user_variable(&name.value),
                _ => self.unsupported("INTO what is no variable"),
            }
        }
    }

    /// Reads a select list; gives the names of its columns.
    pub(super) fn projection(&mut self, items: &[SelectItem]) -> Option<Vec<String>> {
        let mut names = Some(Vec::new());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expression) => {
                    self.expr(expression, Mode::Read);
                    if let Some(names) = &mut names {
                        names.push(expression_name(expression).unwrap_or_default());
                    }
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.expr(expr, Mode::Read);
                    if let Some(names) = &mut names {
                        names.push(alias.value.to_lowercase());
                    }
                }
                SelectItem::ExprWithAliases { .. } => self.unsupported("several aliases of one expression"),
                SelectItem::QualifiedWildcard(qualifier, options) => {
                    self.wildcard_options(options);
                    let parts = match qualifier {
                        SelectItemQualifiedWildcardKind::ObjectName(name) => names::parts(name),
                        SelectItemQualifiedWildcardKind::Expr(_) => None,
                    };
                    match parts {
                        Some(parts) => {
                            self.star_of(&parts, Mode::Read);
                            let source = names.is_some().then(|| self.find_source(&parts)).flatten();
                            let columns = source.and_then(|source| source.columns);
                            names = names.zip(columns).map(|(mut all, columns)| {
                                all.extend(columns);
                                all
                            });
                        }
                        None => self.unsupported("a wildcard of an expression"),
                    }
                }
                SelectItem::Wildcard(options) => {
                    self.wildcard_options(options);
                    self.star(Mode::Read);
                    let merged = self.scopes.last().is_some_and(|scope| !scope.merged.is_empty());
                    let of = |source: &Source| source.columns.as_ref().map_or(0, Vec::len);
                    if names.is_none() || self.sources().iter().map(of).sum::<usize>() > MOST_COLUMNS {
                        names = None;
                        continue;
                    }
                    let columns: Option<Vec<Vec<String>>> =
                        self.sources().iter().map(|source| source.columns.clone()).collect();
                    names = names.zip(columns.filter(|_| !merged)).map(|(mut all, columns)| {
                        all.extend(columns.concat());
                        all
                    });
                }
            }
            names = names.filter(|names| names.len() <= MOST_COLUMNS);
        }
        names
    }

    pub(super) fn wildcard_options(&mut self, options: &WildcardAdditionalOptions) {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        self.foreign(&[
            ("* ILIKE", opt_ilike.is_some()),
            ("* EXCLUDE", opt_exclude.is_some()),
            ("* EXCEPT", opt_except.is_some()),
            ("* REPLACE", opt_replace.is_some()),
            ("* RENAME", opt_rename.is_some()),
            ("* AS", opt_alias.is_some()),
        ]);
    }

    fn limit(&mut self, limit: Option<&LimitClause>) {
        match limit {
            None => {}
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                self.foreign(&[("LIMIT BY", !limit_by.is_empty())]);
                if let Some(limit) = limit {
                    self.expr(limit, Mode::Filter);
                }
                if let Some(Offset { value, rows: _ }) = offset {
                    self.expr(value, Mode::Filter);
                }
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.expr(offset, Mode::Filter);
                self.expr(limit, Mode::Filter);
            }
        }
    }
}

/// The SELECT that parentheses stand around.
fn innermost(body: &SetExpr) -> Option<&Select> {
    let mut body = body;
    loop {
        match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::Query(query) => body = &query.body,
            _ => return None,
        }
    }
}

fn alias_columns(cte: &NamedQuery) -> Vec<String> {
    cte.alias.columns.iter().map(|column| column.name.value.to_lowercase()).collect()
}

/// The output names of a recursive query's first arm, without reading it.
fn first_names(body: &SetExpr) -> Option<Vec<String>> {
    let mut body = body;
    loop {
        match body {
            SetExpr::Select(select) => {
                return select
                    .projection
                    .iter()
                    .map(|item| {
                        let name = item_alias(item).map(|name| name.value.to_lowercase());
                        name.or_else(|| item_expression(item).and_then(expression_name))
                    })
                    .collect();
            }
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
            _ => return None,
        }
    }
}
