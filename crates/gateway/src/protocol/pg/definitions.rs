//! What a transaction has changed of the target's definitions, and what is not certain until it ends.
//!
//! The catalog is read on a connection of the gateway's own, which sees what is committed and nothing else.
//! Inside a transaction that has redefined something, what the catalog says of it is the past: a view may show
//! another column by now. Such a result counts as unsettled, and is masked as that.

use std::collections::BTreeSet;
use std::sync::Arc;

use sallyport_core::{Action, Blame, Event, Group, ObjectName, Refusal, RefusalCode, Verb};
use sallyport_inspect::pg::{Catalog, Inspection, Lineage, RelationKind};

use super::admit::Admit;
use super::fault::Fault;
use crate::wording;

/// SQLSTATE of what cannot be run because the definitions cannot be read (`object_not_in_prerequisite_state`).
pub(super) const UNREADABLE: &str = "55000";

/// Most relations that are told apart; beyond, everything counts as redefined.
const NAMES: usize = 1000;

/// What the open transaction has redefined.
#[derive(Debug, Default)]
pub(super) struct Redefined {
    relations: BTreeSet<(String, String)>,
    anything: bool,
}

impl Redefined {
    /// Notes what an action defines, alters or drops.
    pub(super) fn note(&mut self, action: &Action) {
        if action.group != Group::Schema || action.action == Verb::Comment {
            return;
        }
        let altered = action.action == Verb::Alter;
        match (action.kind.as_deref(), &action.object) {
            // What runs nobody has read in any case, and an index shows nothing.
            (
                Some("function" | "procedure" | "aggregate" | "index" | "trigger" | "policy" | "publication"),
                _,
            ) => {}
            (
                Some("table" | "view" | "materialized-view" | "sequence" | "foreign-table"),
                Some(ObjectName { schema: Some(schema), name, .. }),
            ) if !altered && self.relations.len() < NAMES => {
                self.relations.insert((schema.clone(), name.clone()));
            }
            // A table may have got a parent, a column another name, a schema another place in the path.
            _ => self.anything = true,
        }
    }

    /// The transaction is over.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Nothing was.
    pub(super) fn is_empty(&self) -> bool {
        !self.anything && self.relations.is_empty()
    }

    /// Whether what an action reads or writes may be another thing than the catalog says.
    fn touches(&self, action: &Action, catalog: &Catalog) -> bool {
        let Some(object) = &action.object else { return false };
        if !matches!(action.group, Group::Read | Group::Write) {
            return false;
        }
        let Some(schema) = object.schema.as_deref() else { return true };
        if matches!(schema, "pg_catalog" | "information_schema") {
            return false;
        }
        if self.anything || self.relations.contains(&(schema.to_owned(), object.name.clone())) {
            return true;
        }
        // A view may stand over what was redefined, through others.
        catalog.relation(schema, &object.name).is_none_or(|relation| {
            matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
        })
    }
}

/// An inspection whose results are made of nobody knows what.
fn unsettled(inspection: &Inspection) -> Arc<Inspection> {
    let mut inspection = inspection.clone();
    for statement in &mut inspection.statements {
        let returns_nothing = matches!(&statement.lineage, Lineage::Columns(columns) if columns.is_empty());
        if !returns_nothing {
            statement.lineage = Lineage::Unsettled;
        }
        statement.unclassed_code = true;
    }
    Arc::new(inspection)
}

impl Admit {
    /// An inspection as far as it holds in the open transaction.
    pub(super) fn as_redefined(&self, inspection: Arc<Inspection>, catalog: &Catalog) -> Arc<Inspection> {
        let inner = self.state.lock();
        let redefined = &inner.redefined;
        if redefined.is_empty() || !inspection.facts.actions.iter().any(|it| redefined.touches(it, catalog)) {
            return inspection;
        }
        unsettled(&inspection)
    }

    /// The catalog as it is now. When it cannot be read, a locked definition mostly, the message that needs it
    /// is refused, and the refusal recorded.
    ///
    /// # Errors
    /// The outer one ends the conversation.
    pub(super) async fn catalog(
        &self,
        message: &'static str,
    ) -> Result<Result<Arc<Catalog>, Refusal>, Fault> {
        let session = &self.session;
        let read = super::start::catalog(&session.house, &session.target, &session.database).await;
        let Err(unread) = read else { return Ok(read) };
        let refusal = Refusal::new(
            RefusalCode::Target,
            Blame::Upstream,
            "the target's definitions could not be read, so this was not run",
        )
        .detail(unread.message)
        .hint("another transaction may hold a definition locked; try again once it has ended");
        let event = Event::MessageRefused { message: message.to_owned(), refusal: refusal.clone() };
        session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
        Ok(Err(refusal))
    }
}

#[cfg(test)]
mod tests {
    use sallyport_inspect::pg::{CatalogRelation, Context, Remembered, inspect};

    use super::*;

    fn catalog() -> Catalog {
        let relation = |oid, name: &str, kind| CatalogRelation {
            oid,
            schema: "public".into(),
            name: name.into(),
            kind,
            columns: Vec::new(),
            definition: None,
            parents: Vec::new(),
        };
        let relations = vec![relation(1, "t", RelationKind::Table), relation(2, "v", RelationKind::View)];
        Catalog::new(relations, Vec::new(), Vec::new(), 1)
    }

    fn actions(sql: &str, catalog: &Catalog) -> Vec<Action> {
        let remembered = Remembered::default();
        let path = ["public".to_owned()];
        let context = Context {
            search_path: &path,
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: Some(catalog),
            remembered: &remembered,
        };
        inspect(sql.as_bytes(), &context).facts.actions
    }

    fn doubted(before: &str, after: &str) -> bool {
        let catalog = catalog();
        let mut redefined = Redefined::default();
        for action in actions(before, &catalog) {
            redefined.note(&action);
        }
        actions(after, &catalog).iter().any(|action| redefined.touches(action, &catalog))
            && !redefined.is_empty()
    }

    #[test]
    fn what_was_redefined_and_every_view_is_in_doubt_until_the_end() {
        assert!(doubted("CREATE OR REPLACE VIEW v AS SELECT 1", "SELECT * FROM v"));
        assert!(doubted("CREATE TABLE fresh (a int)", "SELECT * FROM fresh"));
        assert!(doubted("CREATE TABLE fresh (a int)", "SELECT * FROM v"), "it may stand over it");
        assert!(!doubted("CREATE TABLE fresh (a int)", "SELECT * FROM t"));
        assert!(doubted("ALTER TABLE t RENAME a TO b", "SELECT * FROM t"));
        assert!(doubted("ALTER SCHEMA s RENAME TO public", "SELECT * FROM t"));
        assert!(!doubted("ALTER TABLE t ADD c int", "SELECT relname FROM pg_catalog.pg_class"));
        assert!(!doubted("CREATE INDEX i ON t (a)", "SELECT * FROM v"));
        assert!(!doubted("SELECT 1", "SELECT * FROM v"));
    }
}
