//! A question as the requests that Cedar answers: one per action and object, one per named column.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, EntityUid, RestrictedExpression};
use sallyport_core::{
    Action, ColumnRef, Condition, Group, LabelSource, Language, Timestamp, Unknown, UnknownCode, Verb,
};

use crate::entity::{Entities, Place, texts};
use crate::policy::Question;
use crate::schema::Vocabulary;

/// A question could not be put to Cedar. Denied by `policy-error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AskError {
    /// An entity was not taken.
    #[error("an entity of the question does not fit")]
    Entities,
    /// The request does not fit the schema.
    #[error("a request does not fit the schema")]
    Request,
    /// A rule failed while it was evaluated.
    #[error("a rule failed while it was evaluated")]
    Evaluation,
    /// The embedded policy or schema is not there.
    #[error("there is no policy to ask")]
    NoPolicy,
}

/// What it means when no rule permits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The operation is denied.
    Denies,
    /// Only a ban or a hold counts: a column in the condition of a write, asked as `select`.
    Passes,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) context: Context,
    pub(crate) silence: Silence,
}

/// Labels of every column that a question names, looked up once: part of the cache's key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Labels(Vec<BTreeMap<String, BTreeSet<String>>>);

impl Labels {
    /// Looks up the columns and filters of every action on a relation.
    pub(crate) fn look_up(question: &Question<'_>) -> Self {
        Self(question.facts.actions.iter().map(|action| labels_of(question, action)).collect())
    }

    fn of(&self, action: usize, columns: &[String]) -> BTreeSet<String> {
        let all = self.0.get(action);
        columns
            .iter()
            .filter_map(|column| all?.get(column))
            .flatten()
            .flat_map(|label| crate::entity::parents_of(label).chain([label.as_str()]))
            .map(str::to_owned)
            .collect()
    }
}

fn labels_of(question: &Question<'_>, action: &Action) -> BTreeMap<String, BTreeSet<String>> {
    let Some((schema, relation)) = relation_of(action) else { return BTreeMap::new() };
    let source: &dyn LabelSource = question.labels;
    action
        .columns
        .iter()
        .chain(&action.filters)
        .map(|column| {
            let place = ColumnRef {
                target: &question.target.name,
                database: database_of(question, action),
                schema,
                relation,
                column,
            };
            (column.clone(), source.labels_of(place).into_iter().collect())
        })
        .collect()
}

/// Kinds whose objects are relations: they have columns or stand where a table stands.
const RELATION_KINDS: [&str; 8] = [
    "table",
    "view",
    "materialized-view",
    "foreign-table",
    "sequence",
    "partition",
    "temporary-table",
    "relation",
];

fn is_relation(action: &Action) -> bool {
    match action.kind.as_deref() {
        Some(kind) => RELATION_KINDS.contains(&kind),
        None => matches!(action.group, Group::Read | Group::Write) && action.action != Verb::Show,
    }
}

/// The database that an action's object is in: MySQL's schemas are its databases, whichever is the session's.
fn database_of<'q>(question: &Question<'q>, action: &'q Action) -> &'q str {
    let schema = action.object.as_ref().and_then(|object| object.schema.as_deref());
    match question.facts.language {
        Language::Mysql => schema.unwrap_or(question.database),
        Language::Postgres | Language::Shell | Language::Http => question.database,
    }
}

/// The schema and name of the action's relation, where it has one and its schema is settled.
fn relation_of(action: &Action) -> Option<(&str, &str)> {
    let object = action.object.as_ref().filter(|_| is_relation(action))?;
    Some((object.schema.as_deref()?, &object.name))
}

/// All requests of a question, and the entities they speak of.
#[derive(Debug)]
pub(crate) struct Asks<'a> {
    pub(crate) principal: EntityUid,
    pub(crate) entities: Entities<'a>,
    pub(crate) asks: Vec<Ask>,
}

/// Writes a question out as requests.
///
/// `sees_columns` says whether any rule depends on single columns: then a `*` that the catalog did
/// not expand is ambiguous, and asked as `Action::"unknown"` as well.
pub(crate) fn asks<'a>(
    question: &Question<'_>,
    labels: &Labels,
    vocabulary: &'a Vocabulary,
    sees_columns: bool,
) -> Result<Asks<'a>, AskError> {
    let place = Place::new(question.target, question.database);
    let mut entities = Entities::new(&vocabulary.types);
    let principal = entities.principal(question.principal)?;
    entities.target(question.target)?;
    let database = entities.database(&place, question.database)?;
    let mut asks = Vec::new();
    let mut unknown = question.facts.unknown.as_ref().map(|Unknown { code, .. }| *code);
    for (index, action) in question.facts.actions.iter().enumerate() {
        let own = database_of(question, action);
        let place = Place::new(question.target, own);
        entities.database(&place, own)?;
        let resource = resource(&mut entities, &place, action, &database)?;
        let of_action = vocabulary.verb(action.action).map_err(|_| AskError::NoPolicy)?;
        let context = operation_context(question, action, labels, index, condition_of(action))?;
        let mut ask = |action: &EntityUid, resource, context: &Context, silence| {
            asks.push(Ask { action: action.clone(), resource, context: context.clone(), silence });
        };
        ask(of_action, resource, &context, Silence::Denies);
        let Some((schema, relation)) = relation_of(action) else {
            if action.object.is_some() && is_relation(action) {
                // Its schema is not settled, so rules on schemas and relations cannot see it.
                unknown.get_or_insert(UnknownCode::Ambiguous);
            }
            continue;
        };
        let stars = action.columns.iter().chain(&action.filters).any(|column| column == "*");
        if stars && sees_columns {
            unknown.get_or_insert(UnknownCode::Ambiguous);
        }
        for column in &action.columns {
            let own: Vec<String> = labels.of(index, std::slice::from_ref(column)).into_iter().collect();
            let resource = entities.column(&place, schema, relation, column, &own)?;
            ask(of_action, resource, &context, Silence::Denies);
        }
        // A column in a condition is read, as PostgreSQL's own privileges see it. In a write, only
        // bans and holds on reading it count: who may write a row may say which.
        let reads = action.group == Group::Read;
        let select = vocabulary.verb(Verb::Select).map_err(|_| AskError::NoPolicy)?;
        let (verb, silence) = if reads { (of_action, Silence::Denies) } else { (select, Silence::Passes) };
        let context = operation_context(question, action, labels, index, None)?;
        for column in &action.filters {
            let own: Vec<String> = labels.of(index, std::slice::from_ref(column)).into_iter().collect();
            let resource = entities.column(&place, schema, relation, column, &own)?;
            ask(verb, resource, &context, silence);
        }
    }
    if let Some(code) = unknown {
        let mut pairs = moment(question.now);
        pairs.push(("code", RestrictedExpression::new_string(code.as_str().to_owned())));
        pairs.push(("statements", number(question.facts.statements)));
        pairs.push(("in_transaction", RestrictedExpression::new_bool(question.in_transaction)));
        asks.push(Ask {
            action: vocabulary.unknown.clone(),
            resource: database,
            context: context(pairs)?,
            silence: Silence::Denies,
        });
    }
    Ok(Asks { principal, entities, asks })
}

/// The entity an action is asked about: its object, or the database when it has none.
fn resource(
    entities: &mut Entities<'_>,
    place: &Place,
    action: &Action,
    database: &EntityUid,
) -> Result<EntityUid, AskError> {
    let Some(object) = &action.object else { return Ok(database.clone()) };
    if let Some((schema, relation)) = relation_of(action) {
        return entities.relation(place, schema, relation);
    }
    match (action.kind.as_deref(), &object.schema) {
        (Some("database"), None) => entities.database(place, &object.name),
        (Some("schema"), None) => entities.schema(place, &object.name),
        (kind, _) => entities.object(place, kind.unwrap_or("object"), object, action.on.as_ref()),
    }
}

/// Update and delete always have a condition in their context; one that is not told counts as none.
fn condition_of(action: &Action) -> Option<Condition> {
    matches!(action.action, Verb::Update | Verb::Delete).then(|| action.condition.unwrap_or(Condition::None))
}

fn operation_context(
    question: &Question<'_>,
    action: &Action,
    labels: &Labels,
    index: usize,
    condition: Option<Condition>,
) -> Result<Context, AskError> {
    let mut pairs = moment(question.now);
    if let Some(condition) = condition {
        pairs.push(("condition", RestrictedExpression::new_string(condition.as_str().to_owned())));
    }
    if let Some(kind) = &action.kind {
        pairs.push(("kind", RestrictedExpression::new_string(kind.clone())));
    }
    if let Some(on) = &action.on {
        pairs.push(("on", RestrictedExpression::new_string(on.to_string())));
    }
    pairs.push(("columns", texts(&action.columns)));
    pairs.push(("filters", texts(&action.filters)));
    pairs.push(("labels", texts(labels.of(index, &action.columns))));
    pairs.push(("filter_labels", texts(labels.of(index, &action.filters))));
    pairs.push(("to", texts(&action.to)));
    pairs.push(("statements", number(question.facts.statements)));
    pairs.push(("in_transaction", RestrictedExpression::new_bool(question.in_transaction)));
    context(pairs)
}

fn number(value: usize) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A context of named values.
pub(crate) fn context(pairs: Vec<(&str, RestrictedExpression)>) -> Result<Context, AskError> {
    Context::from_pairs(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)))
        .map_err(|_| AskError::Request)
}

const MICROS_PER_HOUR: i64 = 3_600_000_000;
const WEEKDAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

/// What a rule may know of the time: cut to the minute, since decisions are cached for one.
pub(crate) fn moment(now: Timestamp) -> Vec<(&'static str, RestrictedExpression)> {
    let now = now.minute();
    let hours = now.micros().div_euclid(MICROS_PER_HOUR);
    // Day 0 of the epoch was a Thursday.
    let weekday = usize::try_from(hours.div_euclid(24).rem_euclid(7)).ok().and_then(|day| WEEKDAYS.get(day));
    vec![
        ("now", RestrictedExpression::new_datetime(now.to_string())),
        ("hour", RestrictedExpression::new_long(hours.rem_euclid(24))),
        ("weekday", RestrictedExpression::new_string((*weekday.unwrap_or(&"")).to_owned())),
    ]
}
