//! What `pg_catalog` holds on every server: relations, types, operators and operator classes, from the
//! server's own catalogs. Without it a name could not be told from a user's.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

struct Builtin {
    relations: HashMap<&'static str, &'static str>,
    types: HashSet<&'static str>,
    operators: HashSet<&'static str>,
    operator_classes: HashSet<&'static str>,
}

fn table() -> &'static Builtin {
    static TABLE: OnceLock<Builtin> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut builtin = Builtin {
            relations: HashMap::new(),
            types: HashSet::new(),
            operators: HashSet::new(),
            operator_classes: HashSet::new(),
        };
        for line in include_str!("builtin.txt").lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("relation"), Some(name), Some(kind)) => {
                    builtin.relations.insert(name, kind);
                }
                (Some("type"), Some(name), None) => {
                    builtin.types.insert(name);
                }
                (Some("operator"), Some(name), None) => {
                    builtin.operators.insert(name);
                }
                (Some("opclass" | "extension-opclass"), Some(name), None) => {
                    builtin.operator_classes.insert(name);
                }
                // A comment.
                _ => {}
            }
        }
        builtin
    })
}

/// The kind (`table`, `view`) of a relation of `pg_catalog`.
pub(super) fn relation_kind(name: &str) -> Option<&'static str> {
    table().relations.get(name).copied()
}

/// Whether `pg_catalog` has a type of that name.
pub(super) fn is_type(name: &str) -> bool {
    let types = &table().types;
    types.contains(name)
        || name.strip_prefix('_').is_some_and(|element| types.contains(element))
        || relation_kind(name).is_some()
}

/// Whether `pg_catalog` has an operator of that name.
pub(super) fn is_operator(name: &str) -> bool {
    table().operators.contains(name)
}

/// Whether `pg_catalog`, or a well-known extension, has an operator class of that name.
pub(super) fn is_operator_class(name: &str) -> bool {
    table().operator_classes.contains(name)
}
