//! The shop that the tests of lineage read: its catalog, and how an answer is written in a case file.

use std::fmt::Write as _;

use super::super::catalog::{Catalog, CatalogColumn, CatalogFunction, CatalogRelation, RelationKind};
use super::super::inspect;
use super::super::statement::{Context, Remembered, StateEffect};
use super::{BaseColumn, Lineage, Origin};

/// One line per relation: kind, name, columns, definition.
const RELATIONS: &str = "
r public.users id email full_name ssn created_at tags profile bio
r public.orders id user_id total note
r public.staff id email boss
r public.events id payload
r public.events_2024 id payload
v public.v_users key mail : SELECT users.id AS key, users.email AS mail FROM public.users
v public.v_nested handle domain : SELECT v.mail, split_part(v.mail, '@'::text, 2) FROM public.v_users v
v public.v_loop id : SELECT v_loop.id FROM public.v_loop
v public.v_broken id : SELECT x.id FROM public.gone x
v public.v_union who : SELECT users.email FROM public.users UNION SELECT staff.email FROM public.staff
m public.m_users id ssn : SELECT users.id, users.ssn FROM public.users
r pg_catalog.pg_class oid relname relkind
v pg_catalog.pg_stats schemaname tablename most_common_vals : SELECT 1, 2, 3
v information_schema.tables table_schema table_name : SELECT 1, 2
r odd.users id colour
";

/// The catalog.
pub(super) fn catalog() -> Catalog {
    let mut relations = Vec::new();
    for (line, oid) in RELATIONS.lines().filter(|line| !line.is_empty()).zip(16_384..) {
        let (head, definition) = match line.split_once(" : ") {
            Some((head, definition)) => (head, Some(format!(" {definition};"))),
            None => (line, None),
        };
        let mut words = head.split(' ');
        let kind = match words.next() {
            Some("r") => RelationKind::Table,
            Some("v") => RelationKind::View,
            Some("m") => RelationKind::MaterializedView,
            other => panic!("{other:?}"),
        };
        let (schema, name) = words.next().and_then(|name| name.split_once('.')).expect("a name");
        let columns = words
            .zip(1..)
            .map(|(name, number)| CatalogColumn {
                number,
                name: name.to_owned(),
                type_id: if name == "tags" { 1009 } else { 25 },
            })
            .collect();
        let parents =
            if name == "events_2024" { vec![("public".to_owned(), "events".to_owned())] } else { Vec::new() };
        relations.push(CatalogRelation {
            oid,
            schema: schema.to_owned(),
            name: name.to_owned(),
            kind,
            columns,
            definition,
            parents,
        });
    }
    let function = |schema: &str, name: &str| CatalogFunction { schema: schema.into(), name: name.into() };
    let functions = vec![function("public", "leak"), function("audit", "f")];
    Catalog::new(relations, functions, vec![("public".into(), "<~>".into())], 1)
}

/// The answer for a text of one statement, in a session with a prepared statement and a cursor.
pub(super) fn ask(text: &str, catalog: Option<&Catalog>, path: &[&str]) -> Lineage {
    let path: Vec<String> = path.iter().map(|schema| (*schema).to_owned()).collect();
    let mut remembered = Remembered::default();
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog,
        remembered: &Remembered::default(),
    };
    let before = "PREPARE stored AS SELECT email FROM users; DECLARE cur CURSOR FOR SELECT email FROM users";
    for statement in inspect(before.as_bytes(), &context).statements {
        for effect in statement.effects {
            match effect {
                StateEffect::Prepares(name, prepared) => drop(remembered.prepared.insert(name, prepared)),
                StateEffect::Declares(name, prepared) => drop(remembered.cursors.insert(name, prepared)),
                _ => {}
            }
        }
    }
    let context = Context { remembered: &remembered, ..context };
    inspect(text.as_bytes(), &context)
        .statements
        .first()
        .map_or(Lineage::Unsettled, |statement| statement.lineage.clone())
}

/// `name=schema.relation.column`, `name={sources}`, `name=?`; `public.` is left out; `??` when nothing
/// is settled, `-` when there are no columns.
pub(super) fn shown(lineage: &Lineage) -> String {
    let Lineage::Columns(columns) = lineage else { return "??".to_owned() };
    if columns.is_empty() {
        return "-".to_owned();
    }
    let base = |base: &BaseColumn| {
        let schema = if base.schema == "public" { String::new() } else { format!("{}.", base.schema) };
        format!("{schema}{}.{}", base.relation, base.column)
    };
    let mut text = String::new();
    for column in columns {
        let separator = if text.is_empty() { "" } else { " | " };
        let name = column.name.as_deref().unwrap_or("_");
        let origin = match &column.origin {
            Origin::Column(column) => base(column),
            Origin::Expression(bases) => {
                format!("{{{}}}", bases.iter().map(base).collect::<Vec<_>>().join(", "))
            }
            Origin::Unsettled => "?".to_owned(),
        };
        write!(text, "{separator}{name}={origin}").expect("a string takes it");
    }
    text
}
