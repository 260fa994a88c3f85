//! The published Cedar schema, and the types and actions it names.
//!
//! The text is the file `starter/schema.cedarschema`, so that an editor's Cedar extension and this
//! crate read the same one. A test holds it fresh against the words of `sallyport_core::Verb`.

use std::collections::HashMap;
use std::str::FromStr as _;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, Schema};
use sallyport_core::{Group, PrincipalKind, Verb};

/// The schema's text.
const TEXT: &str = include_str!("../starter/schema.cedarschema");

/// The published Cedar schema: entity types, actions and what each action's context holds.
#[must_use]
pub fn schema() -> &'static str {
    TEXT
}

/// The schema could not be read; a build whose tests pass never sees it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the embedded schema does not name what the gateway asks about")]
pub(crate) struct BadSchema;

/// The entity types, read once.
#[derive(Clone, Debug)]
pub(crate) struct Types {
    pub(crate) human: EntityTypeName,
    pub(crate) service: EntityTypeName,
    pub(crate) agent: EntityTypeName,
    pub(crate) group: EntityTypeName,
    pub(crate) environment: EntityTypeName,
    pub(crate) tag: EntityTypeName,
    pub(crate) target: EntityTypeName,
    pub(crate) database: EntityTypeName,
    pub(crate) schema: EntityTypeName,
    pub(crate) relation: EntityTypeName,
    pub(crate) column: EntityTypeName,
    pub(crate) object: EntityTypeName,
    pub(crate) label: EntityTypeName,
    pub(crate) action: EntityTypeName,
}

impl Types {
    fn read() -> Result<Self, BadSchema> {
        let read = |name: &str| EntityTypeName::from_str(name).map_err(|_| BadSchema);
        Ok(Self {
            human: read("Human")?,
            service: read("Service")?,
            agent: read("Agent")?,
            group: read("Group")?,
            environment: read("Environment")?,
            tag: read("Tag")?,
            target: read("Target")?,
            database: read("Database")?,
            schema: read("Schema")?,
            relation: read("Relation")?,
            column: read("Column")?,
            object: read("Object")?,
            label: read("Label")?,
            action: read("Action")?,
        })
    }

    /// The type of a principal of this kind.
    pub(crate) fn principal(&self, kind: PrincipalKind) -> &EntityTypeName {
        match kind {
            PrincipalKind::Human => &self.human,
            PrincipalKind::Service => &self.service,
            PrincipalKind::Agent => &self.agent,
        }
    }
}

/// Whether policies can speak of the verb: those of SQL, the one language that is carried. What a shell or
/// an API would do can be inspected, and gets its actions here together with its protocol.
pub(crate) fn is_spoken(verb: Verb) -> bool {
    match verb.group() {
        Group::Process | Group::File | Group::Net | Group::Http | Group::Tool => false,
        _ => !matches!(verb, Verb::IamChange | Verb::Elevate | Verb::Interpreter),
    }
}

/// An entity's id.
pub(crate) fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

/// The schema with all that is looked up in it.
#[derive(Clone, Debug)]
pub(crate) struct Vocabulary {
    pub(crate) schema: Schema,
    pub(crate) types: Types,
    /// Every action with its groups above it.
    actions: HashMap<EntityUid, Vec<Entity>>,
    verbs: HashMap<Verb, EntityUid>,
    pub(crate) connect: EntityUid,
    pub(crate) reveal: EntityUid,
    pub(crate) unknown: EntityUid,
}

impl Vocabulary {
    /// Reads the embedded schema.
    pub(crate) fn read() -> Result<Self, BadSchema> {
        let (schema, _) = Schema::from_cedarschema_str(TEXT).map_err(|_| BadSchema)?;
        let types = Types::read()?;
        let entities = schema.action_entities().map_err(|_| BadSchema)?;
        let mut actions = HashMap::new();
        for entity in entities.iter() {
            let mut chain = vec![entity.clone()];
            for above in entities.ancestors(&entity.uid()).into_iter().flatten() {
                chain.push(entities.get(above).ok_or(BadSchema)?.clone());
            }
            actions.insert(entity.uid(), chain);
        }
        let known = |id: &str| {
            let action = uid(&types.action, id);
            if actions.contains_key(&action) { Ok(action) } else { Err(BadSchema) }
        };
        let verbs = Verb::ALL
            .iter()
            .filter(|verb| is_spoken(**verb))
            .map(|verb| Ok((*verb, known(&format!("sql:{verb}"))?)))
            .collect::<Result<_, BadSchema>>()?;
        let (connect, reveal, unknown) = (known("connect")?, known("reveal")?, known("unknown")?);
        Ok(Self { schema, types, actions, verbs, connect, reveal, unknown })
    }

    /// The action of a verb. An error, and so a refusal, for one that no policy can speak of.
    pub(crate) fn verb(&self, verb: Verb) -> Result<&EntityUid, BadSchema> {
        self.verbs.get(&verb).ok_or(BadSchema)
    }

    /// An action's entity and those of its groups, so that `action in` works.
    pub(crate) fn action_chain(&self, action: &EntityUid) -> &[Entity] {
        self.actions.get(action).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
