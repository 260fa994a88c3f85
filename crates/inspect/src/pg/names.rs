//! What a name means: the search path, applied as PostgreSQL applies it.
//!
//! PostgreSQL looks for an unqualified name in `pg_temp` (relations only), then `pg_catalog` unless
//! the path names it, then the schemas of the path in order, and takes the first that has it. With a
//! catalog the answer is one relation; without one it is the list of schemas it may stand in. See
//! `namespace.c`, `RelnameGetRelid`.

use super::catalog::{Catalog, CatalogRelation};
use super::statement::Context;

const SYSTEM: &str = "pg_catalog";

/// What the name of a relation means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// This relation of the catalog.
    Known(&'a CatalogRelation),
    /// There is no catalog to ask: a relation of that name in one of these schemas, first match first.
    Possible(Vec<String>),
    /// The catalog does not have it: temporary, missing, or newer than the snapshot.
    Unlisted,
}

/// What `schema.name` means; an empty `schema` was not written.
pub(crate) fn relation<'a>(schema: &str, name: &str, context: &Context<'a>) -> Meaning<'a> {
    if is_temporary_schema(schema) {
        return Meaning::Unlisted;
    }
    let Some(catalog) = context.catalog else {
        return Meaning::Possible(if schema.is_empty() {
            unqualified_schemas(name, context)
        } else {
            vec![schema.to_owned()]
        });
    };
    if !schema.is_empty() {
        return catalog.relation(schema, name).map_or(Meaning::Unlisted, Meaning::Known);
    }
    for schema in searched(context.search_path) {
        // What the session's temporary schema holds is not in the catalog; a path that names it may stop there.
        if is_temporary_schema(schema) {
            return Meaning::Unlisted;
        }
        if let Some(relation) = catalog.relation(schema, name) {
            return Meaning::Known(relation);
        }
    }
    Meaning::Unlisted
}

/// Whether the schema is the session's temporary one, under its alias or its own name.
pub(crate) fn is_temporary_schema(schema: &str) -> bool {
    schema == "pg_temp" || schema.starts_with("pg_temp_") || schema.starts_with("pg_toast_temp_")
}

/// The schemas of the path in the order PostgreSQL searches them, `pg_catalog` put first unless named.
pub(crate) fn searched(path: &[String]) -> impl Iterator<Item = &str> {
    let implicit = (!path.iter().any(|schema| schema == SYSTEM)).then_some(SYSTEM);
    implicit.into_iter().chain(path.iter().map(String::as_str))
}

/// Names that start with `pg_` may be the server's own; others may not, without a catalog that says so.
fn unqualified_schemas(name: &str, context: &Context<'_>) -> Vec<String> {
    searched(context.search_path)
        .filter(|schema| *schema != SYSTEM || name.starts_with("pg_"))
        .map(str::to_owned)
        .collect()
}

/// Whether a function that is not the server's own may answer to this unqualified name: overloading
/// picks by argument types, so one anywhere on the path is enough.
pub(crate) fn may_be_user_function(name: &str, context: &Context<'_>) -> bool {
    on_path(context, |catalog, schema| catalog.has_function(schema, name))
}

/// Whether an operator that is not the server's own may answer to this unqualified name.
pub(crate) fn may_be_user_operator(name: &str, context: &Context<'_>) -> bool {
    on_path(context, |catalog, schema| catalog.has_operator(schema, name))
}

fn on_path(context: &Context<'_>, has: impl Fn(&Catalog, &str) -> bool) -> bool {
    context.catalog.is_some_and(|catalog| context.search_path.iter().any(|schema| has(catalog, schema)))
}
