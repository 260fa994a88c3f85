//! Types that bring somebody's code with them: a user's cast functions, or those that compare its values.
//!
//! Which of them a statement runs is decided by the server's rules of overloading, which are not followed
//! here: `e::json`, `upper(e)`, `to_json(e)`, `ORDER BY e` may each call a function that nobody has read. What
//! surely runs none is to give the value out as it is. So a column of such a type that stands anywhere but as
//! itself in the outermost select list counts as a call, and the statement's result as unsettled. Functions in
//! C are no such code: only a superuser makes them, for types of extensions.

use sallyport_core::{ObjectName, Verb};

use super::Reader;
use crate::pg::catalog::Catalog;
use crate::pg::lineage::Lineage;

/// What the present statement has to do with them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfTypes {
    /// What is read goes out as it is.
    given_out: bool,
    /// It may run code that a type brings.
    runs: bool,
}

impl OfTypes {
    /// Whether what is read goes out as it is.
    pub(super) fn is_given_out(self) -> bool {
        self.given_out
    }

    /// Forgets what was run so far, and says it.
    pub(super) fn take(&mut self) -> bool {
        std::mem::take(&mut self.runs)
    }

    /// Something ran before.
    pub(super) fn ran(&mut self, before: bool) {
        self.runs |= before;
    }
}

impl Reader<'_> {
    /// Reads what is an output column of the outermost query as it is.
    pub(super) fn given_out(&mut self, read: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.of_types.given_out, self.scopes.len() == 1);
        read(self);
        self.of_types.given_out = before;
    }

    /// Reads what is used, wherever it stands.
    pub(super) fn used(&mut self, read: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.of_types.given_out, false);
        read(self);
        self.of_types.given_out = before;
    }

    /// A column of a relation is read, or all of them (`*`), or written.
    pub(super) fn may_run_code(&mut self, object: &ObjectName, column: &str) {
        let Some(catalog) = self.catalog.filter(|catalog| catalog.has_code_types()) else { return };
        let relation = object.schema.as_deref().and_then(|schema| catalog.relation(schema, &object.name));
        let Some(relation) = relation else { return };
        let used = relation.columns.iter().filter(|of| column == "*" || of.name == column);
        let types: Vec<ObjectName> = used
            .filter_map(|of| catalog.code_type(of.type_id))
            .map(|(schema, name)| ObjectName::in_schema(schema, name))
            .collect();
        for name in types {
            self.unclassed = true;
            self.of_types.runs = true;
            self.act(Verb::Call, "cast", name);
        }
    }

    /// A value of a type is made: what comes of it may run what the type brings.
    pub(super) fn makes_value_of(&mut self, name: &ObjectName) {
        let brings = |catalog: &Catalog| catalog.is_code_type(name.schema.as_deref(), &name.name);
        self.of_types.runs |= self.catalog.is_some_and(brings);
    }

    /// The lineage of what may have run such code.
    pub(super) fn unless_code_ran(&self, lineage: Lineage) -> Lineage {
        match lineage {
            Lineage::Columns(columns) if !columns.is_empty() && self.of_types.runs => Lineage::Unsettled,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pg::{
        Catalog, CatalogColumn, CatalogRelation, Context, Lineage, RelationKind, Remembered, inspect,
    };
    use sallyport_core::Verb;

    /// `ty (id int, e u.e, ea u.e[])`, of which `u.e` brings code.
    fn catalog() -> Catalog {
        let columns = [("id", 23), ("e", 16_500), ("ea", 16_501)].into_iter().zip(1..);
        let ty = CatalogRelation {
            oid: 16_510,
            schema: "public".to_owned(),
            name: "ty".to_owned(),
            kind: RelationKind::Table,
            columns: columns
                .map(|((name, type_id), number)| CatalogColumn { number, name: name.to_owned(), type_id })
                .collect(),
            definition: None,
            parents: vec![],
        };
        let of = |name: &str| ("u".to_owned(), name.to_owned());
        let code = [(16_500, of("e")), (16_501, of("_e"))].map(|(oid, (schema, name))| (oid, schema, name));
        Catalog::new(vec![ty], vec![], vec![], 1).with_code_types(code)
    }

    #[test]
    fn a_column_that_brings_code_is_a_call_unless_it_is_given_out_as_it_is() {
        let (path, remembered, catalog) = (vec!["public".to_owned()], Remembered::default(), catalog());
        let context = Context {
            search_path: &path,
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: Some(&catalog),
            remembered: &remembered,
        };
        let calls = |text: &str| {
            let found = inspect(text.as_bytes(), &context);
            let calls = found.facts.actions.iter().any(|it| it.action == Verb::Call);
            let of = |it: &crate::pg::Statement| matches!(it.lineage, Lineage::Unsettled);
            let settled = !found.statements.iter().any(of);
            assert!(
                calls != settled || text.starts_with("update"),
                "{text}: what ran leaves nothing settled"
            );
            calls
        };
        for text in [
            "select e from ty",
            "select * from ty where id = 1 order by id",
            "select ty from ty",
            "select t.e as x, count(id) over () from ty t",
        ] {
            assert!(!calls(text), "{text}");
        }
        for text in [
            "select e::text from ty",
            "select upper(t.e) from ty t",
            "select ea[1] from ty",
            "select to_json(ty) from ty",
            "select ty.to_json from ty",
            "select id from ty where e = 'a'",
            "select id from ty order by ty",
            "select distinct e from ty",
            "select e from ty group by 1",
            "select e from ty union select e from ty",
            "select s.e from (select e from ty) s",
            "with s as (select e from ty) select id from ty",
            "select a.id from ty a join ty b using (e)",
            "update ty set e = 'a' where id = 1",
            "select 1 from ty, lateral (select e) s",
        ] {
            assert!(calls(text), "{text}");
        }
    }
}
