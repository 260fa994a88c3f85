//! What runs later by name: statements of PREPARE, cursors of DECLARE.
//!
//! A cursor is what it was when it was declared. A prepared statement is analysed anew by the server once the
//! search path or a definition is another, though not in every case: where its names have come to mean
//! something else it is read again, and what it does is what either reading says.

use std::sync::Arc;

use pg_query::NodeEnum;
use pg_query::protobuf::Node;
use sallyport_core::{Facts, Group, Language, UnknownCode, Verb};

use super::{Found, Mode, Reader};
use crate::pg::lineage::Lineage;
use crate::pg::statement::{Meaning, Prepared};

/// What a parse tree takes beside its text, about.
const TREE: usize = 8;

impl Reader<'_> {
    /// Reads a statement that runs later by name, on its own, and adds what it does.
    pub(super) fn prepared(&mut self, query: &NodeEnum) -> Arc<Prepared> {
        let read = self.read_apart(query);
        let bytes = self.extent.saturating_mul(TREE) + 256 * read.0.actions.len();
        Arc::new(Prepared {
            facts: read.0,
            lineage: read.1,
            bytes,
            query: Arc::new(query.clone()),
            meaning: self.meaning(),
        })
    }

    fn read_apart(&mut self, query: &NodeEnum) -> (Facts, Lineage) {
        let outer = std::mem::take(&mut self.found);
        // Its parameters are those of EXECUTE.
        let params = std::mem::take(&mut self.given.params);
        let ran = self.of_types.take();
        self.deeper(|reader| {
            reader.any_statement(query);
        });
        self.given.params = params;
        self.exhausted();
        let own = std::mem::replace(&mut self.found, outer);
        let facts = facts_of(&own);
        self.found.absorb(own);
        let lineage = self.unless_code_ran(self.settle(query));
        self.of_types.ran(ran);
        (facts, lineage)
    }

    /// What names mean at this place of the text.
    fn meaning(&self) -> Meaning {
        Meaning {
            path: self.path.clone(),
            catalog: self.catalog.filter(|_| self.catalog_current).map(|catalog| catalog.version),
            temporary: self.temporary.keys().cloned().collect(),
        }
    }

    /// The prepared statement of that name as it would be run here.
    pub(super) fn by_name(&mut self, name: &str) -> Option<Arc<Prepared>> {
        self.consulted_memory = true;
        let before = self.remembered.prepared.get(name).cloned()?;
        let meaning = self.meaning();
        let holds = before.meaning == meaning && (self.catalog.is_none() || self.catalog_current);
        if holds {
            return Some(before);
        }
        let (facts, lineage) = self.read_apart(&before.query);
        let mut either = Found { unknown: facts.unknown, ..Found::default() };
        for action in before.facts.actions.iter().chain(&facts.actions) {
            either.add(action.clone());
        }
        if either.unknown.is_none() {
            either.unknown.clone_from(&before.facts.unknown);
        }
        let lineage = if lineage == before.lineage { lineage } else { Lineage::Unsettled };
        let now = Arc::new(Prepared {
            facts: facts_of(&either),
            lineage,
            bytes: before.bytes,
            query: Arc::clone(&before.query),
            meaning,
        });
        self.remembered.to_mut().prepared.insert(name.to_owned(), Arc::clone(&now));
        Some(now)
    }

    fn recall(&mut self, prepared: &Prepared) {
        for action in &prepared.facts.actions {
            // A call in it may be of code that nobody has read.
            self.unclassed |= action.group == Group::Code;
            self.add(action.clone());
        }
        if let Some(unknown) = &prepared.facts.unknown {
            self.gap(unknown.code, unknown.detail.clone());
        }
    }

    /// EXECUTE, and what stands for one.
    pub(super) fn execute(&mut self, name: &str, params: &[Node]) {
        self.act_bare(Verb::Execute, "statement", name);
        self.all(params, Mode::Read);
        match self.by_name(name) {
            Some(prepared) => self.recall(&prepared),
            None => {
                self.settings_dirty();
                self.gap(UnknownCode::Dynamic, "EXECUTE of a statement that was not seen prepared");
            }
        }
    }

    /// FETCH and MOVE.
    pub(super) fn fetch(&mut self, name: &str) {
        self.consulted_memory = true;
        self.act_bare(Verb::Fetch, "cursor", name);
        if let Some(cursor) = self.remembered.cursors.get(name).cloned() {
            self.recall(&cursor);
        }
    }
}

fn facts_of(found: &Found) -> Facts {
    Facts {
        language: Language::Postgres,
        statements: 1,
        unknown: found.unknown.clone(),
        actions: found.actions(),
    }
}

#[cfg(test)]
mod tests {
    use sallyport_core::Facts;

    use crate::pg::{
        Catalog, CatalogColumn, CatalogRelation, Context, Inspection, Lineage, Origin, RelationKind,
        Remembered, StateEffect, inspect,
    };

    /// Two tables of one name, and a view that shows `shown` under the name `name`.
    fn catalog(version: u64, shown: &str) -> Catalog {
        let relation = |oid, schema: &str, name: &str, columns: &[&str], definition: Option<String>| {
            let column = |(at, name): (usize, &&str)| CatalogColumn {
                name: (*name).to_owned(),
                number: i16::try_from(at + 1).unwrap(),
                type_id: 25,
            };
            CatalogRelation {
                oid,
                schema: schema.into(),
                name: name.into(),
                kind: if definition.is_some() { RelationKind::View } else { RelationKind::Table },
                columns: columns.iter().enumerate().map(column).collect(),
                definition,
                parents: Vec::new(),
            }
        };
        let view = format!("SELECT users.{shown} AS name FROM public.users");
        let relations = vec![
            relation(1, "public", "users", &["name", "ssn"], None),
            relation(2, "other", "users", &["name", "ssn"], None),
            relation(3, "public", "v", &["name"], Some(view)),
        ];
        Catalog::new(relations, Vec::new(), Vec::new(), version)
    }

    fn read(text: &str, path: &str, catalog: Option<&Catalog>, remembered: &Remembered) -> Inspection {
        let context = Context {
            search_path: &[path.to_owned()],
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog,
            remembered,
        };
        inspect(text.as_bytes(), &context)
    }

    fn prepared(text: &str, path: &str, catalog: Option<&Catalog>) -> Remembered {
        let mut remembered = Remembered::default();
        for effect in &read(text, path, catalog, &Remembered::default()).statements[0].effects {
            if let StateEffect::Prepares(name, prepared) = effect {
                remembered.prepared.insert(name.clone(), prepared.clone());
            }
        }
        remembered
    }

    fn objects(facts: &Facts) -> Vec<String> {
        let named = facts.actions.iter().filter(|it| it.action != sallyport_core::Verb::Execute);
        named.filter_map(|it| it.object.as_ref()).map(ToString::to_string).collect()
    }

    #[test]
    fn a_prepared_statement_is_read_again_under_another_path() {
        for text in ["DELETE FROM users", "SELECT name FROM users"] {
            let remembered = prepared(&format!("PREPARE p AS {text}"), "public", None);
            let there = read("EXECUTE p", "public", None, &remembered);
            assert_eq!(objects(&there.facts), ["public.users"]);
            let elsewhere = read("EXECUTE p", "other", None, &remembered);
            assert_eq!(objects(&elsewhere.facts), ["other.users", "public.users"], "either may be meant");
        }
        let in_one = "PREPARE p AS DELETE FROM users; SET search_path = other; EXECUTE p";
        let facts = read(in_one, "public", None, &Remembered::default()).facts;
        assert!(objects(&facts).contains(&"other.users".to_owned()), "{facts:?}");
    }

    #[test]
    fn a_prepared_statement_over_a_view_that_shows_another_column_is_unsettled() {
        let (before, after) = (catalog(1, "name"), catalog(2, "ssn"));
        let remembered = prepared("PREPARE p AS SELECT name FROM v", "public", Some(&before));
        let column = |inspection: &Inspection| match &inspection.statements[0].lineage {
            Lineage::Columns(columns) => match &columns[0].origin {
                Origin::Column(base) => base.column.clone(),
                other => format!("{other:?}"),
            },
            Lineage::Unsettled => "unsettled".to_owned(),
        };
        assert_eq!(column(&read("EXECUTE p", "public", Some(&before), &remembered)), "name");
        assert_eq!(column(&read("EXECUTE p", "public", Some(&after), &remembered)), "unsettled");
        let unchanged = catalog(3, "name");
        assert_eq!(column(&read("EXECUTE p", "public", Some(&unchanged), &remembered)), "name");
        let swapped = "CREATE OR REPLACE VIEW v AS SELECT ssn AS name FROM users; EXECUTE p";
        let swapped = read(swapped, "public", Some(&before), &remembered);
        assert_eq!(swapped.statements[1].lineage, Lineage::Unsettled);
    }
}
