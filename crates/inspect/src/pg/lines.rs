//! What a line of `sallyport inspect --language postgres` holds beside its `text`.
//!
//! `search_path`, `client_encoding` and `standard_conforming_strings` are the session's settings;
//! `flavour` names the server (`postgres-15`), `params` what `$1` and the rest are bound to, `catalog` what
//! the database holds. `docs/facts.md` describes them.

use sallyport_core::{Facts, Unknown, UnknownCode};
use serde::Deserialize;
use serde_json::Value;

use super::statement::Given;
use super::{
    Catalog, CatalogColumn, CatalogFunction, CatalogRelation, Context, RelationKind, Remembered, inspection,
};

/// One line of input; what else it holds is for other languages.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    search_path: Option<Vec<String>>,
    #[serde(default)]
    client_encoding: Option<String>,
    #[serde(default)]
    standard_conforming_strings: Option<bool>,
    #[serde(default)]
    flavour: Option<String>,
    #[serde(default)]
    params: Option<Vec<Value>>,
    #[serde(default)]
    catalog: Option<Snapshot>,
}

/// What the database holds beside the server's own.
#[derive(Debug, Deserialize)]
struct Snapshot {
    #[serde(default)]
    relations: Vec<Relation>,
    /// `schema.name`, as are the next two.
    #[serde(default)]
    functions: Vec<Qualified>,
    #[serde(default)]
    operators: Vec<Qualified>,
    /// Enumerations that no cast function leads to.
    #[serde(default)]
    plain_types: Vec<Qualified>,
}

#[derive(Debug, Deserialize)]
struct Relation {
    name: Qualified,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    definition: Option<String>,
    #[serde(default)]
    parents: Vec<Qualified>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Table,
    View,
    MaterializedView,
    ForeignTable,
    Sequence,
}

/// `schema.name`; the first dot parts them.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Qualified {
    schema: String,
    name: String,
}

impl TryFrom<String> for Qualified {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (schema, name) = text.split_once('.').ok_or("a name of the catalog without its schema")?;
        Ok(Self { schema: schema.to_owned(), name: name.to_owned() })
    }
}

impl Qualified {
    fn pair(self) -> (String, String) {
        (self.schema, self.name)
    }
}

impl Snapshot {
    fn catalog(self) -> Catalog {
        let relations = self.relations.into_iter().zip(1..).map(|(relation, oid)| relation.listed(oid));
        let functions = self.functions.into_iter().map(|function| {
            let (schema, name) = function.pair();
            CatalogFunction { schema, name }
        });
        let operators = self.operators.into_iter().map(Qualified::pair);
        let types = self.plain_types.into_iter().map(|name| (name.schema, name.name, true));
        Catalog::new(relations.collect(), functions.collect(), operators.collect(), 1)
            .with_types(types.collect())
    }
}

impl Relation {
    fn listed(self, oid: u32) -> CatalogRelation {
        /// `text`: facts do not depend on types.
        const TEXT: u32 = 25;
        let columns = self.columns.into_iter().zip(1..).map(|(name, number)| CatalogColumn {
            number,
            name,
            type_id: TEXT,
        });
        CatalogRelation {
            oid,
            schema: self.name.schema,
            name: self.name.name,
            kind: match self.kind {
                Kind::Table => RelationKind::Table,
                Kind::View => RelationKind::View,
                Kind::MaterializedView => RelationKind::MaterializedView,
                Kind::ForeignTable => RelationKind::ForeignTable,
                Kind::Sequence => RelationKind::Sequence,
            },
            columns: columns.collect(),
            definition: self.definition,
            parents: self.parents.into_iter().map(Qualified::pair).collect(),
        }
    }
}

/// The major version of `postgres-15`, `postgresql-16.2`; an error when it is another server.
fn major(flavour: &str) -> Result<Option<u32>, ()> {
    let flavour = flavour.to_ascii_lowercase();
    let rest = flavour.strip_prefix("postgresql").or_else(|| flavour.strip_prefix("postgres")).ok_or(())?;
    let version = rest.trim_start_matches(['-', ' ', '_']);
    if version.is_empty() {
        return Ok(None);
    }
    version.split('.').next().unwrap_or_default().parse().map(Some).map_err(|_| ())
}

/// A bound value as the server reads it as text.
fn as_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

pub(crate) fn facts(line: Value) -> Result<Facts, serde_json::Error> {
    let line: Line = serde_json::from_value(line)?;
    let mut path = line.search_path.unwrap_or_else(|| vec!["public".to_owned()]);
    // Whose schema it would be is not known here, and such schemas are rare.
    path.retain(|schema| schema != "$user");
    let remembered = Remembered::default();
    let catalog = line.catalog.map(Snapshot::catalog);
    let context = Context {
        search_path: &path,
        standard_conforming_strings: line.standard_conforming_strings.unwrap_or(true),
        client_encoding: line.client_encoding.as_deref().unwrap_or("UTF8"),
        catalog: catalog.as_ref(),
        remembered: &remembered,
    };
    let server = line.flavour.as_deref().map_or(Ok(None), major);
    let params: Vec<Option<String>> = line.params.unwrap_or_default().into_iter().map(as_text).collect();
    let given = Given { server: server.unwrap_or_default(), params: &params };
    let mut facts = inspection::read(line.text.as_bytes(), &context, given, None).inspection.facts;
    if server.is_err() && facts.unknown.is_none() {
        facts.unknown = Some(Unknown {
            code: UnknownCode::Ambiguous,
            detail: "a server that is no PostgreSQL".to_owned(),
        });
    }
    Ok(facts)
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
