//! What stands in FROM, USING and MERGE's source: relations, sub-selects, functions and joins.

use std::collections::BTreeSet;

use pg_query::NodeEnum;
use pg_query::protobuf::{Alias, JoinExpr, Node, RangeFunction, RangeTableSample, RangeVar};
use sallyport_core::{Action, ObjectName, Verb};

use super::names::{role, split, written};
use super::scope::Source;
use super::{Mode, Reader, inner, string_of, strings};

fn alias_name(alias: Option<&Alias>) -> String {
    alias.map(|alias| alias.aliasname.clone()).unwrap_or_default()
}

fn alias_columns(alias: Option<&Alias>) -> Vec<String> {
    alias.map(|alias| strings(&alias.colnames)).unwrap_or_default()
}

impl Reader<'_> {
    pub(super) fn source_list(&mut self, items: &[Node]) {
        for item in items {
            if let Some(node) = item.node.as_ref() {
                self.deeper(|reader| reader.source_item(node));
            }
        }
    }

    pub(super) fn source_item(&mut self, node: &NodeEnum) {
        match node {
            NodeEnum::RangeVar(range) => self.source_relation(range),
            NodeEnum::RangeSubselect(sub) => {
                self.stands_on.clear();
                let columns = match inner(&sub.subquery) {
                    Some(query) if sub.lateral => self.query(query),
                    Some(query) => self.beside(|reader| reader.query(query)),
                    None => None,
                };
                let below = std::mem::take(&mut self.stands_on);
                self.opaque(sub.alias.as_ref(), columns, below);
            }
            NodeEnum::RangeFunction(function) => self.source_function(function),
            NodeEnum::JoinExpr(join) => self.source_join(join),
            NodeEnum::RangeTableSample(sample) => self.source_sample(sample),
            NodeEnum::RangeTableFunc(table) => {
                self.maybe(&table.docexpr, Mode::Read);
                self.maybe(&table.rowexpr, Mode::Read);
                self.all(&table.namespaces, Mode::Read);
                let mut columns = Vec::new();
                for column in &table.columns {
                    match column.node.as_ref() {
                        Some(NodeEnum::RangeTableFuncCol(column)) => {
                            columns.push(column.colname.clone());
                            self.maybe(&column.colexpr, Mode::Read);
                            self.maybe(&column.coldefexpr, Mode::Read);
                            self.cast_to(column.type_name.as_ref());
                        }
                        Some(other) => self.unsupported_node(other),
                        None => self.unsupported("an empty column of XMLTABLE"),
                    }
                }
                self.opaque(table.alias.as_ref(), Some(columns), Vec::new());
            }
            NodeEnum::JsonTable(table) => {
                let columns = self.json_table(table);
                self.opaque(table.alias.as_ref(), Some(columns), Vec::new());
            }
            other => self.unsupported_node(other),
        }
    }

    /// A sub-select that cannot see its neighbours, only the levels around it.
    fn beside<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let hidden = self.scopes.last_mut().map(|scope| std::mem::take(&mut scope.sources));
        let result = read(self);
        if let (Some(hidden), Some(scope)) = (hidden, self.scopes.last_mut()) {
            scope.sources = hidden;
        }
        result
    }

    fn opaque(&mut self, alias: Option<&Alias>, columns: Option<Vec<String>>, below: Vec<ObjectName>) {
        let renamed = alias_columns(alias);
        let columns = columns.map(|mut columns| {
            for (column, name) in columns.iter_mut().zip(&renamed) {
                column.clone_from(name);
            }
            columns
        });
        self.add_source(Source { alias: alias_name(alias), columns, renamed, below, ..Source::default() });
    }

    fn source_relation(&mut self, range: &RangeVar) {
        if range.schemaname.is_empty()
            && let Some(cte) = self.find_cte(&range.relname)
        {
            {
                let renamed = alias_columns(range.alias.as_ref());
                let mut source = Source {
                    alias: alias_name(range.alias.as_ref()),
                    columns: cte.columns,
                    ..Source::default()
                };
                if source.alias.is_empty() {
                    source.alias = cte.name;
                }
                if let Some(columns) = &mut source.columns {
                    for (column, name) in columns.iter_mut().zip(&renamed) {
                        column.clone_from(name);
                    }
                }
                source.renamed = renamed;
                return self.add_source(source);
            }
        }
        let targets = self.relations(range);
        for target in &targets {
            self.read_relation(target);
        }
        let source = self.source_of(range, targets);
        self.add_source(source);
    }

    /// The source that a relation is.
    pub(super) fn source_of(&self, range: &RangeVar, targets: Vec<ObjectName>) -> Source {
        let alias = alias_name(range.alias.as_ref());
        let columns = match targets.as_slice() {
            [only] => self.relation_columns(only),
            _ => None,
        };
        Source {
            alias: if alias.is_empty() { range.relname.clone() } else { alias },
            targets,
            columns,
            renamed: alias_columns(range.alias.as_ref()),
            ..Source::default()
        }
    }

    /// A relation is read: the relation itself, and what a view reads.
    pub(super) fn read_relation(&mut self, target: &ObjectName) {
        let kind = self.relation_kind(target);
        self.act(Verb::Select, kind, target.clone());
        if kind == "foreign-table" {
            self.act(Verb::Network, kind, target.clone());
        }
        self.read_view(target);
    }

    /// What a view's definition reads. `None` when it is no view that the catalog knows.
    pub(super) fn read_view(&mut self, target: &ObjectName) {
        let Some(catalog) = self.catalog else { return };
        let definition = target
            .schema
            .as_deref()
            .and_then(|schema| catalog.relation(schema, &target.name))
            .and_then(|relation| relation.definition.clone());
        let Some(definition) = definition else { return };
        // A system view reads what the server lets everybody read through it.
        if matches!(target.schema.as_deref(), Some("pg_catalog" | "information_schema"))
            || self.views.contains(target)
        {
            return;
        }
        self.views.push(target.clone());
        self.nested_text(&definition);
        self.views.pop();
    }

    fn source_function(&mut self, function: &RangeFunction) {
        let mut columns: Option<Vec<String>> = None;
        for entry in &function.functions {
            match entry.node.as_ref() {
                Some(NodeEnum::List(list)) => {
                    if let Some(call) = list.items.first() {
                        self.expr(call, Mode::Read);
                    }
                    if let Some(NodeEnum::List(definitions)) =
                        list.items.get(1).and_then(|item| item.node.as_ref())
                    {
                        columns.get_or_insert_default().extend(self.column_definitions(&definitions.items));
                    }
                    if list.items.len() > 2 {
                        self.unsupported("a function in FROM");
                    }
                }
                Some(other) => self.deeper(|reader| reader.node(other, Mode::Read)),
                None => self.unsupported("an empty function in FROM"),
            }
        }
        if !function.coldeflist.is_empty() {
            columns.get_or_insert_default().extend(self.column_definitions(&function.coldeflist));
        }
        let renamed = alias_columns(function.alias.as_ref());
        if columns.is_none() && !renamed.is_empty() {
            columns = Some(renamed);
        }
        if columns.is_none()
            && let [only] = function.functions.as_slice()
        {
            columns = made_by(only, &alias_name(function.alias.as_ref()));
        }
        if function.ordinality
            && let Some(columns) = &mut columns
        {
            columns.push("ordinality".to_owned());
        }
        let mut source = Source { alias: alias_name(function.alias.as_ref()), columns, ..Source::default() };
        if source.alias.is_empty() {
            source.alias = function_name(&function.functions).unwrap_or_default();
        }
        self.add_source(source);
    }

    fn column_definitions(&mut self, definitions: &[Node]) -> Vec<String> {
        let mut names = Vec::new();
        for definition in definitions {
            match definition.node.as_ref() {
                Some(NodeEnum::ColumnDef(column)) => {
                    names.push(column.colname.clone());
                    // The value is made one of that type, by whatever code the type brings with it.
                    self.cast_to(column.type_name.as_ref());
                    self.column_definition(column);
                }
                Some(other) => self.unsupported_node(other),
                None => {}
            }
        }
        names
    }

    fn source_sample(&mut self, sample: &RangeTableSample) {
        if let Some(relation) = inner(&sample.relation) {
            self.source_item(relation);
        }
        let method = split(&strings(&sample.method));
        if !matches!(method.name.as_str(), "bernoulli" | "system") {
            self.unclassed = true;
            self.act(Verb::Call, "function", method);
        }
        self.all(&sample.args, Mode::Read);
        self.maybe(&sample.repeatable, Mode::Read);
    }

    fn source_join(&mut self, join: &JoinExpr) {
        let from = self.scopes.last().map_or(0, |scope| scope.sources.len());
        for side in [&join.larg, &join.rarg] {
            if let Some(node) = inner(side) {
                self.deeper(|reader| reader.source_item(node));
            }
        }
        if join.is_natural || !join.using_clause.is_empty() {
            self.operator_named(None, "=");
        }
        for column in join.using_clause.iter().filter_map(string_of) {
            self.merge(column, from);
        }
        if join.is_natural {
            let sources: Vec<Source> = self
                .scopes
                .last()
                .map(|scope| scope.sources.iter().skip(from).cloned().collect())
                .unwrap_or_default();
            let known: Option<Vec<BTreeSet<String>>> = sources
                .iter()
                .map(|source| source.columns.as_ref().map(|columns| columns.iter().cloned().collect()))
                .collect();
            match known.as_deref() {
                Some([left, right]) => {
                    for column in left.intersection(right) {
                        self.merge(column, from);
                    }
                }
                _ => self.merge("*", from),
            }
        }
        if let Some(quals) = inner(&join.quals) {
            self.node(quals, Mode::Filter);
        }
        if join.alias.is_some() {
            let own = || self.scopes.last().into_iter().flat_map(|scope| scope.sources.iter().skip(from));
            let targets = own().flat_map(|source| source.targets.iter().cloned()).collect();
            let below = own().flat_map(|source| source.below.iter().cloned()).collect();
            let alias = alias_name(join.alias.as_ref());
            let renamed = alias_columns(join.alias.as_ref());
            self.add_source(Source { alias, targets, below, renamed, ..Source::default() });
        }
    }

    /// FOR UPDATE, FOR SHARE: the relations named, or all of the level.
    pub(super) fn locking(&mut self, clauses: &[Node]) {
        for clause in clauses {
            let Some(NodeEnum::LockingClause(clause)) = clause.node.as_ref() else {
                self.unsupported("a locking clause");
                continue;
            };
            let mut names = Vec::new();
            for node in &clause.locked_rels {
                match node.node.as_ref() {
                    Some(NodeEnum::RangeVar(range)) => names.push(written(range).name),
                    Some(other) => self.unsupported_node(other),
                    None => {}
                }
            }
            let sources = self.scopes.last().map(|scope| scope.sources.clone()).unwrap_or_default();
            if !self.spend(super::NOTE * (sources.len() + 1) + sources.len() * names.len()) {
                self.exhausted();
                return;
            }
            let locked = sources.iter().filter(|source| names.is_empty() || names.contains(&source.alias));
            for target in locked.flat_map(|source| source.targets.iter().chain(&source.below)) {
                let kind = self.relation_kind(target);
                self.act(Verb::Lock, kind, target.clone());
                if kind == "view" {
                    self.write_through(Verb::Lock, target, &[], None);
                }
            }
        }
    }

    /// CURRENT_ROLE and its kind, as a grantee or owner.
    pub(super) fn owner(spec: Option<&pg_query::protobuf::RoleSpec>) -> Vec<String> {
        spec.map(role).into_iter().collect()
    }

    /// A privilege-like action with its receivers.
    pub(super) fn act_to(&mut self, verb: Verb, kind: &str, object: ObjectName, to: Vec<String>) {
        self.add(Action { to, ..Action::on_object(verb, kind, object) });
    }

    /// An action on a part of a table.
    pub(super) fn act_on(&mut self, verb: Verb, kind: &str, name: &str, on: Option<ObjectName>) {
        let mut action = Action { on, kind: Some(kind.to_owned()), ..Action::new(verb) };
        if !name.is_empty() {
            action.object = Some(ObjectName::bare(name));
        }
        self.add(action);
    }
}

/// The columns of the rows that one of the server's own functions makes; nothing when they depend on its
/// arguments.
fn made_by(function: &Node, alias: &str) -> Option<Vec<String>> {
    let NodeEnum::List(list) = function.node.as_ref()? else { return None };
    let NodeEnum::FuncCall(call) = list.items.first()?.node.as_ref()? else { return None };
    let name = call.funcname.last().and_then(string_of)?;
    let plain = |item: &Node| matches!(item.node.as_ref(), Some(NodeEnum::AConst(_)));
    let columns: &[&str] = match name {
        "json_each" | "json_each_text" | "jsonb_each" | "jsonb_each_text" => &["key", "value"],
        "json_array_elements"
        | "json_array_elements_text"
        | "jsonb_array_elements"
        | "jsonb_array_elements_text" => &["value"],
        "generate_series"
        | "generate_subscripts"
        | "regexp_split_to_table"
        | "regexp_matches"
        | "string_to_table"
        | "json_object_keys"
        | "jsonb_object_keys" => &[if alias.is_empty() { name } else { alias }],
        // Of rows it makes their columns.
        "unnest" => match call.args.as_slice() {
            [argument] => match argument.node.as_ref() {
                Some(NodeEnum::AArrayExpr(array)) if array.elements.iter().all(plain) => {
                    &[if alias.is_empty() { name } else { alias }]
                }
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    Some(columns.iter().map(|column| (*column).to_owned()).collect())
}

fn function_name(functions: &[Node]) -> Option<String> {
    let Some(NodeEnum::List(list)) = functions.first().and_then(|entry| entry.node.as_ref()) else {
        return None;
    };
    match list.items.first().and_then(|call| call.node.as_ref()) {
        Some(NodeEnum::FuncCall(call)) => call.funcname.last().and_then(string_of).map(str::to_owned),
        _ => None,
    }
}
