//! Tables, their columns, constraints, partitions and indexes: what the expressions within them call.

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CollateClause, ColumnDef, Constraint, CreateStmt, IndexElem, IndexStmt, Node, PartitionBoundSpec,
};
use sallyport_core::{Action, ObjectName, Verb};

use super::names::split;
use super::scope::Source;
use super::{Mode, Reader, builtin, strings};

impl Reader<'_> {
    pub(super) fn create_table(&mut self, kind: &str, create: &CreateStmt) {
        let Some(range) = &create.relation else { return self.unsupported("CREATE TABLE without a name") };
        self.create_relation(kind, range);
        let own = Source { alias: range.relname.clone(), columns: None, ..Source::default() };
        self.scoped(|reader| {
            reader.add_source(own);
            reader.elements(&create.table_elts);
            reader.elements(&create.constraints);
            if let Some(bound) = &create.partbound {
                reader.partition_bound(bound);
            }
            if let Some(spec) = &create.partspec {
                for part in &spec.part_params {
                    match part.node.as_ref() {
                        Some(NodeEnum::PartitionElem(part)) => {
                            reader.maybe(&part.expr, Mode::Read);
                            reader.operator_class(&part.opclass);
                        }
                        Some(other) => reader.unsupported_node(other),
                        None => {}
                    }
                }
            }
        });
    }

    /// The values of a partition's bound, which the server works out as it makes the partition.
    pub(super) fn partition_bound(&mut self, bound: &PartitionBoundSpec) {
        for datum in bound.listdatums.iter().chain(&bound.lowerdatums).chain(&bound.upperdatums) {
            match datum.node.as_ref() {
                // MINVALUE and MAXVALUE come out of the parser as columns.
                Some(NodeEnum::ColumnRef(_)) | None => {}
                Some(other) => self.node(other, Mode::Read),
            }
        }
    }

    /// Columns and constraints: what their expressions call.
    pub(super) fn elements(&mut self, elements: &[Node]) {
        for element in elements {
            match element.node.as_ref() {
                Some(NodeEnum::ColumnDef(column)) => self.column_definition(column),
                Some(NodeEnum::Constraint(constraint)) => self.constraint(constraint),
                // LIKE copies definitions, not rows.
                Some(NodeEnum::TableLikeClause(_)) | None => {}
                Some(other) => self.unsupported_node(other),
            }
        }
    }

    fn index_element(&mut self, element: &IndexElem) {
        self.maybe(&element.expr, Mode::Read);
        self.operator_class(&element.opclass);
    }

    /// An operator class that is not the server's: its functions may be anybody's.
    pub(super) fn operator_class(&mut self, name: &[Node]) {
        let name = split(&strings(name));
        let ours = match name.schema.as_deref() {
            _ if name.name.is_empty() => true,
            Some("pg_catalog") => builtin::is_operator_class(&name.name),
            Some(_) => false,
            None => {
                builtin::is_operator_class(&name.name)
                    && !self.path_shadows()
                    && !self.created_code.contains(&name.name)
            }
        };
        if !ours {
            self.unclassed = true;
            self.act(Verb::Call, "operator-class", name);
        }
    }

    /// A column's default and constraints.
    pub(super) fn column_definition(&mut self, column: &ColumnDef) {
        self.maybe(&column.raw_default, Mode::Read);
        self.collation(column.coll_clause.as_deref());
        self.elements(&column.constraints);
    }

    pub(super) fn collation(&mut self, clause: Option<&CollateClause>) {
        if let Some(clause) = clause {
            self.maybe(&clause.arg, Mode::Read);
        }
    }

    pub(super) fn constraint(&mut self, constraint: &Constraint) {
        self.maybe(&constraint.raw_expr, Mode::Read);
        self.maybe(&constraint.where_clause, Mode::Read);
        for exclusion in &constraint.exclusions {
            let Some(NodeEnum::List(list)) = exclusion.node.as_ref() else {
                self.unsupported("an exclusion");
                continue;
            };
            for item in &list.items {
                match item.node.as_ref() {
                    Some(NodeEnum::IndexElem(element)) => self.index_element(element),
                    Some(NodeEnum::List(operator)) => self.operator(&operator.items),
                    Some(other) => self.unsupported_node(other),
                    None => {}
                }
            }
        }
    }

    pub(super) fn create_index(&mut self, index: &IndexStmt) {
        let Some(range) = &index.relation else { return self.unsupported("CREATE INDEX without a table") };
        let tables = self.relations(range);
        for table in &tables {
            let object = (!index.idxname.is_empty())
                .then(|| ObjectName { name: index.idxname.clone(), ..table.clone() });
            self.add(Action {
                kind: Some("index".to_owned()),
                object,
                on: Some(table.clone()),
                ..Action::new(Verb::Create)
            });
        }
        // Expressions and the condition run for every row; their columns stay in the index.
        self.scoped(|reader| {
            reader.add_source(Source { alias: range.relname.clone(), ..Source::default() });
            for element in index.index_params.iter().chain(&index.index_including_params) {
                match element.node.as_ref() {
                    Some(NodeEnum::IndexElem(element)) => reader.index_element(element),
                    Some(other) => reader.unsupported_node(other),
                    None => {}
                }
            }
            reader.maybe(&index.where_clause, Mode::Read);
        });
    }
}
