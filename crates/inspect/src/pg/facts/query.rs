//! SELECT, VALUES, set operations and WITH.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, SelectStmt, SetOperation, WithClause};

use super::naming::target_name;
use super::scope::Cte;
use super::{Mode, Reader, inner, string_of, strings};

impl Reader<'_> {
    /// Reads a query; gives the names of its columns, when the text settles them.
    pub(super) fn query(&mut self, node: &NodeEnum) -> Option<Vec<String>> {
        let mut columns = None;
        self.deeper(|reader| {
            columns = match node {
                NodeEnum::SelectStmt(select) => reader.scoped(|reader| reader.select(select)),
                NodeEnum::InsertStmt(insert) => reader.scoped(|reader| reader.insert(insert)),
                NodeEnum::UpdateStmt(update) => reader.scoped(|reader| reader.update(update)),
                NodeEnum::DeleteStmt(delete) => reader.scoped(|reader| reader.delete(delete)),
                NodeEnum::MergeStmt(merge) => reader.scoped(|reader| reader.merge_into(merge)),
                other => {
                    reader.unsupported_node(other);
                    None
                }
            };
        });
        columns
    }

    pub(super) fn with(&mut self, with: Option<&WithClause>) {
        let Some(with) = with else { return };
        let mut ctes = Vec::with_capacity(with.ctes.len());
        for node in &with.ctes {
            match node.node.as_ref() {
                Some(NodeEnum::CommonTableExpr(cte)) => ctes.push(cte.as_ref()),
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        if with.recursive {
            for cte in &ctes {
                let aliases = strings(&cte.aliascolnames);
                let columns =
                    if aliases.is_empty() { self.first_names(inner(&cte.ctequery)) } else { Some(aliases) };
                self.add_cte(Cte { name: cte.ctename.clone(), columns });
            }
        }
        for cte in &ctes {
            let mut columns = inner(&cte.ctequery).and_then(|query| self.query(query));
            let aliases = strings(&cte.aliascolnames);
            if let Some(columns) = &mut columns {
                for (column, alias) in columns.iter_mut().zip(&aliases) {
                    column.clone_from(alias);
                }
            }
            if let (Some(search), Some(columns)) = (&cte.search_clause, &mut columns) {
                columns.push(search.search_seq_column.clone());
            }
            if let Some(cycle) = &cte.cycle_clause {
                self.maybe(&cycle.cycle_mark_value, Mode::Read);
                self.maybe(&cycle.cycle_mark_default, Mode::Read);
                if let Some(columns) = &mut columns {
                    columns.push(cycle.cycle_mark_column.clone());
                    columns.push(cycle.cycle_path_column.clone());
                }
            }
            self.add_cte(Cte { name: cte.ctename.clone(), columns });
        }
    }

    fn add_cte(&mut self, cte: Cte) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.ctes.push(cte);
        }
    }

    /// The output names of a recursive query's first arm, without reading it.
    fn first_names(&self, node: Option<&NodeEnum>) -> Option<Vec<String>> {
        let Some(NodeEnum::SelectStmt(select)) = node else { return None };
        let mut select: &SelectStmt = select;
        while let Some(left) = select.larg.as_deref() {
            select = left;
        }
        select.target_list.iter().map(target_name).collect()
    }

    fn select(&mut self, select: &SelectStmt) -> Option<Vec<String>> {
        self.with(select.with_clause.as_ref());
        if let Some(into) = &select.into_clause {
            self.select_into(into);
        }
        if select.op != SetOperation::SetopNone as i32 && select.op != SetOperation::Undefined as i32 {
            return self.set_operation(select);
        }
        if !select.values_lists.is_empty() {
            return self.values(select);
        }
        self.source_list(&select.from_clause);
        self.set_setting_of_rows(self.one_setting(select));
        let names = self.targets(&select.target_list, !select.distinct_clause.is_empty());
        // A condition may call for rows that the other half of it then drops.
        self.set_setting_of_rows(None);
        self.maybe(&select.where_clause, Mode::Filter);
        for item in &select.distinct_clause {
            // Plain DISTINCT is one empty node.
            if let Some(node) = item.node.as_ref() {
                self.output_or(node, &select.target_list, true);
            }
        }
        for item in &select.group_clause {
            if let Some(node) = item.node.as_ref() {
                self.output_or(node, &select.target_list, false);
            }
        }
        self.maybe(&select.having_clause, Mode::Filter);
        self.all(&select.window_clause, Mode::Filter);
        for item in &select.sort_clause {
            match item.node.as_ref() {
                Some(NodeEnum::SortBy(sort)) => {
                    self.operator(&sort.use_op);
                    if let Some(node) = inner(&sort.node) {
                        self.output_or(node, &select.target_list, true);
                    }
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        self.limits(select);
        self.locking(&select.locking_clause);
        self.stands_on = self.scopes.last().map(|scope| scope.lockable()).unwrap_or_default();
        names
    }

    fn limits(&mut self, select: &SelectStmt) {
        self.maybe(&select.limit_count, Mode::Filter);
        self.maybe(&select.limit_offset, Mode::Filter);
    }

    fn set_operation(&mut self, select: &SelectStmt) -> Option<Vec<String>> {
        let mut names = None;
        for (side, arm) in [&select.larg, &select.rarg].into_iter().enumerate() {
            let Some(arm) = arm.as_deref() else { continue };
            self.deeper(|reader| {
                let columns = reader.scoped(|reader| reader.select(arm));
                if side == 0 {
                    names = columns;
                }
            });
        }
        self.no_simple_select(select);
        self.output_order(&select.sort_clause);
        self.limits(select);
        self.locking(&select.locking_clause);
        names
    }

    /// ORDER BY of a set operation or of VALUES can name output columns only: nothing new is read.
    fn output_order(&mut self, items: &[Node]) {
        for item in items {
            match item.node.as_ref() {
                Some(NodeEnum::SortBy(sort)) => {
                    self.operator(&sort.use_op);
                    if !matches!(inner(&sort.node), Some(NodeEnum::ColumnRef(_) | NodeEnum::AConst(_))) {
                        self.maybe(&sort.node, Mode::Filter);
                    }
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
    }

    /// The clauses that the grammar gives to a plain SELECT alone.
    fn no_simple_select(&mut self, select: &SelectStmt) {
        let bare = select.distinct_clause.is_empty()
            && select.target_list.is_empty()
            && select.from_clause.is_empty()
            && select.where_clause.is_none()
            && select.group_clause.is_empty()
            && select.having_clause.is_none()
            && select.window_clause.is_empty();
        let both = select.op != SetOperation::SetopNone as i32 && !select.values_lists.is_empty();
        if !bare || both {
            self.unsupported("a query that is of two kinds at once");
        }
    }

    fn values(&mut self, select: &SelectStmt) -> Option<Vec<String>> {
        let mut width = 0;
        for row in &select.values_lists {
            if let Some(NodeEnum::List(list)) = row.node.as_ref() {
                width = width.max(list.items.len());
                self.all(&list.items, Mode::Read);
            } else {
                self.unsupported("a row of VALUES");
            }
        }
        self.no_simple_select(select);
        self.output_order(&select.sort_clause);
        self.limits(select);
        self.locking(&select.locking_clause);
        Some((1..=width).map(|number| format!("column{number}")).collect())
    }

    /// Reads a target list, whose values are `compared` with each other or not; gives the names of the columns.
    pub(super) fn targets(&mut self, targets: &[Node], compared: bool) -> Option<Vec<String>> {
        let mut names = Some(Vec::new());
        for target in targets {
            match target.node.as_ref() {
                Some(NodeEnum::ResTarget(column)) => {
                    self.all(&column.indirection, Mode::Read);
                    match inner(&column.val) {
                        Some(NodeEnum::ColumnRef(_)) if !compared => {
                            self.given_out(|reader| reader.maybe(&column.val, Mode::Read));
                        }
                        _ => self.maybe(&column.val, Mode::Read),
                    }
                    match (names.as_mut(), target_name(target)) {
                        (Some(names), Some(name)) => names.push(name),
                        (Some(_), None) => match self.star_names(inner(&column.val)) {
                            Some(columns) => names.get_or_insert_default().extend(columns),
                            None => names = None,
                        },
                        (None, _) => {}
                    }
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        names
    }

    /// What `*` or `a.*` stands for, when every source's columns are known.
    fn star_names(&self, node: Option<&NodeEnum>) -> Option<Vec<String>> {
        let Some(NodeEnum::ColumnRef(reference)) = node else { return None };
        let scope = self.scopes.last()?;
        let known = |source: &super::scope::Source| source.columns.as_ref().map_or(0, Vec::len);
        let steps: usize = scope.sources.iter().map(|source| 1 + known(source) * 8).sum();
        if !self.spend(steps) {
            return None;
        }
        if !scope.merged.is_empty() {
            return None;
        }
        let qualifier = reference.fields.iter().filter_map(string_of).next_back();
        let mut names = Vec::new();
        for source in scope.sources.iter().filter(|source| qualifier.is_none_or(|name| source.alias == name))
        {
            names.extend(source.columns.clone()?);
        }
        Some(names)
    }

    /// ORDER BY, GROUP BY and DISTINCT ON may name an output column by its name or place.
    fn output_or(&mut self, node: &NodeEnum, targets: &[Node], output_first: bool) {
        let looked_up = if matches!(node, NodeEnum::ColumnRef(_)) { targets.len() } else { 0 };
        if !self.spend(super::NOTE + looked_up) {
            self.exhausted();
            return;
        }
        if let Some(expression) = self.output(node, targets, output_first) {
            return self.deeper(|reader| reader.node(expression, Mode::Filter));
        }
        self.deeper(|reader| reader.node(node, Mode::Filter));
    }

    fn output<'t>(&self, node: &NodeEnum, targets: &'t [Node], output_first: bool) -> Option<&'t NodeEnum> {
        let column = |target: &'t Node| match target.node.as_ref() {
            Some(NodeEnum::ResTarget(column)) => Some(column.as_ref()),
            _ => None,
        };
        match node {
            NodeEnum::ColumnRef(reference) if reference.fields.len() == 1 => {
                let name = reference.fields.first().and_then(string_of)?;
                if !output_first && self.input_has(name) {
                    return None;
                }
                let target = targets.iter().filter_map(column).find(|target| target.name == name)?;
                inner(&target.val)
            }
            NodeEnum::AConst(constant) => {
                let Some(pg_query::protobuf::a_const::Val::Ival(place)) = &constant.val else { return None };
                let place = usize::try_from(place.ival).ok()?.checked_sub(1)?;
                inner(&targets.get(place).and_then(column)?.val)
            }
            _ => None,
        }
    }

    fn input_has(&self, name: &str) -> bool {
        self.scopes.last().is_some_and(|scope| {
            let known = |source: &super::scope::Source| source.columns.as_ref().map_or(1, Vec::len);
            self.spend(scope.sources.iter().map(known).sum());
            scope.sources.iter().any(|source| {
                source.columns.as_ref().is_some_and(|columns| columns.iter().any(|column| column == name))
            })
        })
    }
}
