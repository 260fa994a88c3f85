//! Which of the target's definitions are being changed, and what is not certain meanwhile.
//!
//! The catalog is read on a connection of the gateway's own, which sees what is committed and nothing else.
//! Inside a transaction that has redefined something, what the catalog says of it is the past: a view may show
//! another column by now. For everybody else it is uncertain from when the change is sent until the gateway
//! knows how it ended, and for what was sent before that. Results of what is uncertain count as unsettled, and
//! are masked as that.
//!
//! ```text
//! admit: began -> Changing (this session's) -> Changes (of the database, shared)
//! relay: rows described -> anybody else's since this was admitted? -> unsettled
//! ready, transaction over -> Changing ends -> the catalog is read anew
//! ```

mod changes;

use std::collections::BTreeSet;
use std::sync::Arc;

use sallyport_core::{Action, Blame, Event, Group, ObjectName, Refusal, RefusalCode, Verb};
use sallyport_inspect::pg::{Catalog, CatalogRelation, Inspection, Lineage, RelationKind};

pub(super) use self::changes::{Changes, Changing};
use super::admit::Admit;
use super::fault::Fault;
use crate::wording;

/// SQLSTATE of what cannot be run because the definitions cannot be read (`object_not_in_prerequisite_state`).
pub(super) const UNREADABLE: &str = "55000";

/// Most relations that are told apart; beyond, everything counts as redefined.
const NAMES: usize = 1000;

/// What has been redefined.
#[derive(Clone, Debug, Default)]
pub(super) struct Redefined {
    relations: BTreeSet<(String, String)>,
    anything: bool,
}

impl Redefined {
    /// Notes what an action defines, alters or drops. Whether that was anything.
    fn note(&mut self, action: &Action) -> bool {
        if action.group != Group::Schema || action.action == Verb::Comment {
            return false;
        }
        let creates = action.action == Verb::Create;
        match (action.kind.as_deref(), &action.object) {
            // What runs nobody has read in any case, and an index shows nothing.
            (
                Some("function" | "procedure" | "aggregate" | "index" | "trigger" | "policy" | "publication"),
                _,
            ) => return false,
            // What is made in it, or of it, is noted by itself.
            (Some("schema" | "type" | "domain"), _) if creates => return false,
            // A parent gained or lost, a partition and a name taken are altered objects of their own.
            (
                Some("table" | "view" | "materialized-view" | "sequence" | "foreign-table"),
                Some(ObjectName { schema: Some(schema), name, .. }),
            ) if self.relations.len() < NAMES => {
                self.relations.insert((schema.clone(), name.clone()));
            }
            // A schema may have another name, a rule another meaning.
            _ => self.anything = true,
        }
        true
    }

    /// Nothing was.
    fn is_empty(&self) -> bool {
        !self.anything && self.relations.is_empty()
    }

    /// Whether anything that a text reads or writes may be another thing than the catalog says.
    fn touches(&self, inspection: &Inspection, catalog: &Catalog) -> bool {
        !self.is_empty() && inspection.facts.actions.iter().any(|action| self.touches_one(action, catalog))
    }

    fn touches_one(&self, action: &Action, catalog: &Catalog) -> bool {
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
        catalog.relation(schema, &object.name).is_none_or(|relation| self.is_under(relation, catalog))
    }

    /// Whether a relation may stand over what was redefined, through others: by the names that its definition
    /// holds, and by its children.
    fn is_under(&self, relation: &CatalogRelation, catalog: &Catalog) -> bool {
        let mut seen = BTreeSet::from([relation.oid]);
        let mut left = vec![relation];
        while let Some(relation) = left.pop() {
            for child in catalog.children(&relation.schema, &relation.name) {
                if self.relations.contains(child) || seen.len() > NAMES {
                    return true;
                }
                let child = catalog.relation(&child.0, &child.1);
                left.extend(child.filter(|child| seen.insert(child.oid)));
            }
            let view = matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView);
            let Some(definition) = relation.definition.as_deref() else {
                if view {
                    return true;
                }
                continue;
            };
            let names = |name: &str| name.contains('"') || definition.contains(name);
            if self.relations.iter().any(|(_, name)| names(name)) || seen.len() > NAMES {
                return true;
            }
            for other in catalog.relations().filter(|other| names(&other.name)) {
                if seen.insert(other.oid) {
                    left.push(other);
                }
            }
        }
        false
    }
}

/// An inspection whose results are made of nobody knows what.
pub(super) fn unsettled(inspection: &Inspection) -> Arc<Inspection> {
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
    /// The catalog as it is now. When it cannot be read, a locked definition mostly, the message that needs it
    /// is refused, and the refusal recorded.
    ///
    /// # Errors
    /// The outer one ends the conversation.
    pub(super) async fn catalog(
        &mut self,
        message: &'static str,
    ) -> Result<Result<Arc<Catalog>, Refusal>, Fault> {
        let session = &self.session;
        // Before the catalog is looked at: what changes behind this is not in it.
        self.since = self.state.lock().changing.now();
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
    use sallyport_inspect::pg::{Context, Remembered, inspect};

    use super::*;

    fn catalog() -> Catalog {
        let relation = |oid, name: &str, definition: Option<&str>| CatalogRelation {
            oid,
            schema: "public".into(),
            name: name.into(),
            kind: if definition.is_some() { RelationKind::View } else { RelationKind::Table },
            columns: Vec::new(),
            definition: definition.map(str::to_owned),
            parents: Vec::new(),
        };
        let relations = vec![
            relation(1, "t", None),
            relation(2, "v", Some("SELECT t.a FROM t")),
            relation(3, "over_v", Some("SELECT v.a FROM v")),
            relation(4, "other", None),
        ];
        Catalog::new(relations, Vec::new(), Vec::new(), 1)
    }

    fn read(sql: &str, catalog: &Catalog) -> Inspection {
        let remembered = Remembered::default();
        let path = ["public".to_owned()];
        let context = Context {
            search_path: &path,
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog: Some(catalog),
            remembered: &remembered,
        };
        inspect(sql.as_bytes(), &context)
    }

    fn doubted(before: &str, after: &str) -> bool {
        let catalog = catalog();
        let mut redefined = Redefined::default();
        for action in read(before, &catalog).facts.actions {
            redefined.note(&action);
        }
        redefined.touches(&read(after, &catalog), &catalog)
    }

    #[test]
    fn what_was_redefined_and_what_stands_over_it_is_in_doubt_until_the_end() {
        assert!(doubted("CREATE OR REPLACE VIEW v AS SELECT 1", "SELECT * FROM v"));
        assert!(doubted("CREATE OR REPLACE VIEW v AS SELECT 1", "SELECT * FROM over_v"), "through another");
        assert!(doubted("CREATE TABLE fresh (a int)", "SELECT * FROM fresh"));
        assert!(!doubted("CREATE TABLE fresh (a int)", "SELECT * FROM v"), "it does not stand over it");
        assert!(!doubted("CREATE TABLE fresh (a int)", "SELECT * FROM t"));
        assert!(doubted("ALTER TABLE t RENAME a TO b", "SELECT * FROM t"));
        assert!(doubted("ALTER TABLE t RENAME a TO b", "SELECT * FROM over_v"));
        assert!(!doubted("ALTER TABLE t RENAME a TO b", "SELECT * FROM other"));
        assert!(doubted("ALTER TABLE u INHERIT other", "SELECT * FROM other"), "it shows rows of another");
        assert!(doubted("ALTER TABLE other ATTACH PARTITION u DEFAULT", "SELECT * FROM other"));
        assert!(doubted("ALTER TABLE other RENAME TO third", "SELECT * FROM third"), "not in the catalog");
        assert!(doubted("ALTER SCHEMA s RENAME TO public", "SELECT * FROM t"));
        assert!(doubted("CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT 1", "SELECT * FROM other"));
        assert!(!doubted("ALTER TABLE t ADD c int", "SELECT relname FROM pg_catalog.pg_class"));
        assert!(!doubted("CREATE INDEX i ON t (a)", "SELECT * FROM v"));
        assert!(!doubted("SELECT 1", "SELECT * FROM v"));
    }
}
