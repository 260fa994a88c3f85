//! Principals, targets and objects as Cedar entities, each in the one above it.
//!
//! Ids are written so that two things never share one: names go in their shown form, in which a
//! part that is not a plain lower-case identifier stands in double quotes.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{Entity, EntityTypeName, EntityUid, RestrictedExpression};
use sallyport_core::{ObjectName, Principal, Target};

use crate::ask::AskError;
use crate::schema::{Types, uid};

/// Entities of one question, each once.
#[derive(Debug)]
pub(crate) struct Entities<'a> {
    types: &'a Types,
    all: BTreeMap<EntityUid, Entity>,
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// A set of strings.
pub(crate) fn texts<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.into_iter().map(|value| text(value.as_ref())))
}

/// A part of an id before the last one: quoted when it holds what divides parts.
fn part(name: &str) -> String {
    if name.contains(['/', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

/// Where the objects of a question live.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `target`.
    pub(crate) target: String,
    /// `target/database`.
    pub(crate) database: String,
}

impl Place {
    pub(crate) fn new(target: &Target, database: &str) -> Self {
        Self { target: part(&target.name), database: format!("{}/{}", part(&target.name), part(database)) }
    }
}

impl<'a> Entities<'a> {
    pub(crate) fn new(types: &'a Types) -> Self {
        Self { types, all: BTreeMap::new() }
    }

    /// All of them, and these.
    pub(crate) fn with(&self, more: &[Entity]) -> Result<cedar_policy::Entities, AskError> {
        let entities = self.all.values().cloned().chain(more.iter().cloned());
        cedar_policy::Entities::from_entities(entities, None).map_err(|_| AskError::Entities)
    }

    fn add(
        &mut self,
        of: &EntityTypeName,
        id: &str,
        attributes: Vec<(&str, RestrictedExpression)>,
        parents: Vec<EntityUid>,
    ) -> Result<EntityUid, AskError> {
        let uid = uid(of, id);
        if !self.all.contains_key(&uid) {
            let attributes: HashMap<String, RestrictedExpression> =
                attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let parents: HashSet<EntityUid> = parents.into_iter().collect();
            let entity = Entity::new(uid.clone(), attributes, parents).map_err(|_| AskError::Entities)?;
            self.all.insert(uid.clone(), entity);
        }
        Ok(uid)
    }

    /// The caller, in its groups.
    pub(crate) fn principal(&mut self, principal: &Principal) -> Result<EntityUid, AskError> {
        let types = self.types;
        let mut groups = Vec::new();
        for group in &principal.groups {
            groups.push(self.add(&types.group, group, vec![], vec![])?);
        }
        let mut attributes = vec![("name", text(&principal.name))];
        if let Some(human) = &principal.on_behalf_of {
            attributes.push(("on_behalf_of", text(human)));
        }
        self.add(types.principal(principal.kind), &principal.name, attributes, groups)
    }

    /// The target, in its environment and tags.
    pub(crate) fn target(&mut self, target: &Target) -> Result<EntityUid, AskError> {
        let types = self.types;
        let mut above = Vec::new();
        for (name, value) in &target.tags {
            above.push(self.add(&types.tag, &format!("{name}={value}"), vec![], vec![])?);
            if name == "env" {
                above.push(self.add(&types.environment, value, vec![], vec![])?);
            }
        }
        let attributes = vec![("name", text(&target.name)), ("protocol", text(&target.protocol))];
        self.add(&types.target, &part(&target.name), attributes, above)
    }

    /// A database of the target, which must have been added.
    pub(crate) fn database(&mut self, place: &Place, name: &str) -> Result<EntityUid, AskError> {
        let types = self.types;
        let id = format!("{}/{}", place.target, part(name));
        self.add(&types.database, &id, vec![("name", text(name))], vec![uid(&types.target, &place.target)])
    }

    /// A schema of the database, which must have been added.
    pub(crate) fn schema(&mut self, place: &Place, name: &str) -> Result<EntityUid, AskError> {
        let types = self.types;
        let id = format!("{}/{}", place.database, ObjectName::bare(name));
        let attributes = vec![("name", text(name)), ("schema", text(name))];
        self.add(&types.schema, &id, attributes, vec![uid(&types.database, &place.database)])
    }

    /// A relation in its schema.
    pub(crate) fn relation(
        &mut self,
        place: &Place,
        schema: &str,
        name: &str,
    ) -> Result<EntityUid, AskError> {
        let above = vec![uid(&self.types.database, &place.database), self.schema(place, schema)?];
        let types = self.types;
        let id = format!("{}/{}", place.database, ObjectName::in_schema(schema, name));
        let attributes = vec![("name", text(name)), ("schema", text(schema)), ("relation", text(name))];
        self.add(&types.relation, &id, attributes, above)
    }

    /// A column in its relation; `*` is a name like any other.
    pub(crate) fn column(
        &mut self,
        place: &Place,
        schema: &str,
        relation: &str,
        name: &str,
        labels: &[String],
    ) -> Result<EntityUid, AskError> {
        let above = self.relation(place, schema, relation)?;
        let types = self.types;
        let column = if name == "*" { "*".to_owned() } else { ObjectName::bare(name).to_string() };
        let id = format!("{}/{}.{column}", place.database, ObjectName::in_schema(schema, relation));
        let attributes = vec![
            ("name", text(name)),
            ("schema", text(schema)),
            ("relation", text(relation)),
            ("labels", texts(labels)),
        ];
        self.add(&types.column, &id, attributes, vec![above])
    }

    /// Anything else that has a name: in its schema and in the relation it belongs to, if any.
    pub(crate) fn object(
        &mut self,
        place: &Place,
        kind: &str,
        name: &ObjectName,
        on: Option<&ObjectName>,
    ) -> Result<EntityUid, AskError> {
        let types = self.types;
        let mut above = vec![uid(&types.database, &place.database)];
        let mut attributes = vec![("name", text(&name.name)), ("kind", text(kind))];
        if let Some(schema) = &name.schema {
            attributes.push(("schema", text(schema)));
            above.push(self.schema(place, schema)?);
        }
        if let Some(ObjectName { schema: Some(schema), name, .. }) = on {
            above.push(self.relation(place, schema, name)?);
        }
        let id = match on {
            // The same index or trigger name may stand on two tables.
            Some(on) if kind == "trigger" || kind == "policy" || kind == "rule" => {
                format!("{}/{kind}/{on}.{name}", place.database)
            }
            _ => format!("{}/{kind}/{name}", place.database),
        };
        self.add(&types.object, &id, attributes, above)
    }

    /// A label, in its parents: `pii.email` is in `pii`.
    pub(crate) fn label(&mut self, label: &str) -> Result<EntityUid, AskError> {
        let types = self.types;
        let mut above = Vec::new();
        for parent in parents_of(label) {
            above.push(self.add(&types.label, parent, vec![], vec![])?);
        }
        self.add(&types.label, label, vec![], above)
    }
}

/// The labels above a dotted one, nearest last: `a.b.c` has `a` and `a.b`.
pub(crate) fn parents_of(label: &str) -> impl Iterator<Item = &str> {
    label.match_indices('.').filter_map(|(at, _)| label.get(..at)).filter(|parent| !parent.is_empty())
}
