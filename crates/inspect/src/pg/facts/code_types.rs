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
