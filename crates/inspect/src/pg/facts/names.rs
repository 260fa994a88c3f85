//! Which objects a name may mean: the search path, as PostgreSQL applies it, over what the catalog
//! and the server's built-in relations settle.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, RangeVar, RoleSpec, RoleSpecType, TypeName};
use sallyport_core::{ObjectName, UnknownCode};

use super::{Reader, builtin, string_of, strings};
use crate::pg::catalog::RelationKind;

/// Splits a qualified name's parts into schema and name; a database in front is left out.
pub(super) fn split(parts: &[String]) -> ObjectName {
    match parts {
        [] => ObjectName::bare(""),
        [name] => ObjectName::bare(name),
        [.., schema, name] => ObjectName::in_schema(schema, name),
    }
}

/// A name written as a list of strings, as a type name, or as one string.
pub(super) fn object_name(node: &Node) -> ObjectName {
    match node.node.as_ref() {
        Some(NodeEnum::List(list)) => split(&strings(&list.items)),
        Some(NodeEnum::String(string)) => ObjectName::bare(&string.sval),
        Some(NodeEnum::TypeName(name)) => type_name(name),
        Some(NodeEnum::ObjectWithArgs(object)) => split(&strings(&object.objname)),
        Some(NodeEnum::RangeVar(range)) => written(range),
        Some(NodeEnum::Integer(number)) => ObjectName::bare(&number.ival.to_string()),
        Some(NodeEnum::Float(number)) => ObjectName::bare(&number.fval),
        _ => ObjectName::bare(""),
    }
}

/// A type's name as written.
pub(super) fn type_name(name: &TypeName) -> ObjectName {
    split(&strings(&name.names))
}

/// A relation's name as written.
pub(super) fn written(range: &RangeVar) -> ObjectName {
    if range.schemaname.is_empty() {
        ObjectName::bare(&range.relname)
    } else {
        ObjectName::in_schema(&range.schemaname, &range.relname)
    }
}

/// A role as the text names it.
pub(super) fn role(spec: &RoleSpec) -> String {
    match RoleSpecType::try_from(spec.roletype) {
        Ok(RoleSpecType::RolespecCurrentRole) => "current_role".to_owned(),
        Ok(RoleSpecType::RolespecCurrentUser) => "current_user".to_owned(),
        Ok(RoleSpecType::RolespecSessionUser) => "session_user".to_owned(),
        Ok(RoleSpecType::RolespecPublic) => "public".to_owned(),
        Ok(RoleSpecType::RolespecCstring | RoleSpecType::Undefined) | Err(_) => spec.rolename.clone(),
    }
}

/// Several roles.
pub(super) fn roles(nodes: &[Node]) -> Vec<String> {
    let mut roles: Vec<String> = nodes
        .iter()
        .filter_map(|node| match node.node.as_ref() {
            Some(NodeEnum::RoleSpec(spec)) => Some(role(spec)),
            Some(NodeEnum::AccessPriv(privilege)) => Some(privilege.priv_name.clone()),
            _ => string_of(node).map(str::to_owned),
        })
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

impl Reader<'_> {
    /// The path; where the text left it in doubt, the last one known, and a gap.
    fn known_path(&mut self) -> Vec<String> {
        match &self.path {
            Some(path) => path.clone(),
            None => {
                self.gap(
                    UnknownCode::Ambiguous,
                    "an unqualified name after search_path may have been changed",
                );
                self.last_path.clone()
            }
        }
    }

    /// The path as the server searches it: `pg_catalog` first unless the setting places it.
    pub(super) fn effective_path(&mut self) -> Vec<String> {
        let path = self.known_path();
        let mut effective = path;
        if !effective.iter().any(|schema| schema == "pg_catalog") {
            effective.insert(0, "pg_catalog".to_owned());
        }
        effective
    }

    /// Every relation that a name may mean; at least one.
    pub(super) fn relations(&mut self, range: &RangeVar) -> Vec<ObjectName> {
        if !range.schemaname.is_empty() {
            return vec![written(range)];
        }
        self.relations_named(&range.relname)
    }

    /// Every relation that a possibly qualified name may mean.
    pub(super) fn relations_of(&mut self, name: ObjectName) -> Vec<ObjectName> {
        if name.schema.is_some() { vec![name] } else { self.relations_named(&name.name) }
    }

    fn relations_named(&mut self, name: &str) -> Vec<ObjectName> {
        let path = self.effective_path();
        let mut possible = Vec::new();
        // The temporary schema is searched first, unless the path places it.
        if let Some(certain) = self.temporary.get(name)
            && !path.iter().any(|schema| schema == "pg_temp")
        {
            possible.push(ObjectName::in_schema("pg_temp", name));
            if *certain {
                return possible;
            }
        }
        for schema in &path {
            let builtin = schema == "pg_catalog" && builtin::relation_kind(name).is_some();
            let known = self.catalog_current
                && self.catalog.is_some_and(|catalog| catalog.relation(schema, name).is_some());
            if builtin || known {
                // What stands before could hold it only when no catalog says otherwise.
                if self.catalog_current && self.catalog.is_some() {
                    possible.retain(|other| other.schema.as_deref() == Some("pg_temp"));
                }
                possible.push(ObjectName::in_schema(schema, name));
                if possible.len() == 1 || self.catalog.is_none() || self.catalog_current {
                    return possible;
                }
            } else if schema != "pg_catalog" {
                possible.push(ObjectName::in_schema(schema, name));
            }
        }
        if possible.is_empty() { vec![ObjectName::bare(name)] } else { possible }
    }

    /// Temporary relations may be gone: what they hid may be meant.
    pub(super) fn doubt_temporary(&mut self) {
        self.temporary.values_mut().for_each(|certain| *certain = false);
    }

    /// Where an unqualified new object would be made.
    pub(super) fn created(&mut self, name: ObjectName, temporary: bool) -> Vec<ObjectName> {
        if name.schema.is_some() {
            return vec![name];
        }
        if temporary {
            if !self.planning {
                self.temporary.insert(name.name.clone(), true);
            }
            return vec![ObjectName::in_schema("pg_temp", &name.name)];
        }
        if let Some(schema) = &self.new_schema {
            return vec![ObjectName::in_schema(schema, &name.name)];
        }
        let path = self.known_path();
        let known_first = path.first().filter(|first| {
            self.catalog.is_some_and(|catalog| catalog.relations().any(|relation| relation.schema == **first))
        });
        if let Some(first) = known_first {
            return vec![ObjectName::in_schema(first, &name.name)];
        }
        if path.is_empty() {
            return vec![name];
        }
        path.iter().map(|schema| ObjectName::in_schema(schema, &name.name)).collect()
    }

    /// `table`, `view`… of a relation, as far as it is known.
    pub(super) fn relation_kind(&self, object: &ObjectName) -> &'static str {
        let Some(schema) = object.schema.as_deref() else { return "table" };
        if let Some(relation) = self.catalog.and_then(|catalog| catalog.relation(schema, &object.name)) {
            return match relation.kind {
                RelationKind::Table | RelationKind::Other => "table",
                RelationKind::View => "view",
                RelationKind::MaterializedView => "materialized-view",
                RelationKind::ForeignTable => "foreign-table",
                RelationKind::Sequence => "sequence",
            };
        }
        match schema {
            "pg_catalog" => builtin::relation_kind(&object.name).unwrap_or("table"),
            "information_schema" => "view",
            _ => "table",
        }
    }

    /// The columns of a relation, when the catalog knows it.
    pub(super) fn relation_columns(&self, object: &ObjectName) -> Option<Vec<String>> {
        if !self.catalog_current {
            return None;
        }
        let relation = self.catalog?.relation(object.schema.as_deref()?, &object.name)?;
        if relation.columns.is_empty() {
            return None;
        }
        Some(relation.columns.iter().map(|column| column.name.clone()).collect())
    }
}
