//! The targets' catalogs: which relations there are, their columns, and what views are made of. Read by the
//! gateway on connections of its own and shared by all sessions of a target.
//!
//! A snapshot of more than 30 s is used once more while a new one is read, one of more than two minutes is not
//! used at all; after a definition changed, or when an operation names what the snapshot does not hold, it is
//! read again first. Whatever goes wrong refuses the operation: never an older or an empty catalog.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sallyport_core::{Action, Facts, Group, ObjectName, Refusal, Target};
use sallyport_inspect::mysql::{Context, Flavour, SqlMode, inspect};
use tokio::time::Instant;

use super::reading::Reading;
use super::upstream::{Client, QueryLimits, Row, Wish, dial};
use crate::dialling::DialError;
use crate::house::House;
use crate::session::Session;

const FRESH: Duration = Duration::from_secs(30);
const STALE: Duration = Duration::from_secs(120);
/// What an operation names and the snapshot does not hold makes it be read again, not more often than this.
const AGAIN: Duration = Duration::from_secs(2);
const DIAL: Duration = Duration::from_secs(10);
/// A catalog of some hundred thousand columns; what is larger is not read.
const LIMITS: QueryLimits =
    QueryLimits { rows: 2_000_000, bytes: 128 << 20, deadline: Duration::from_secs(20) };
/// How deep views may stand on views.
const DEEPEST: usize = 32;

/// The servers' own databases: not read; labels name what of them is protected.
const SYSTEM: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

const COLUMNS: &str = "SELECT table_schema, table_name, column_name, generation_expression \
    FROM information_schema.columns \
    WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') \
    ORDER BY table_schema, table_name, ordinal_position";
const VIEWS: &str = "SELECT table_schema, table_name, view_definition FROM information_schema.views \
    WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')";

/// A column of a relation.
pub(super) type Base = (ObjectName, String);

/// One relation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Relation {
    /// Its columns, in order, in lower case.
    pub(super) columns: Vec<String>,
    view: Option<View>,
    /// What its generated columns are computed from.
    generated: BTreeMap<String, View>,
}

/// What a view is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct View {
    /// What each column reads, in order.
    columns: Vec<Vec<Base>>,
    /// Some of what it reads could not be told.
    unsettled: bool,
}

/// A target's relations at one moment.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    relations: BTreeMap<(String, String), Relation>,
    folds: bool,
}

/// What a column is made of, down to tables.
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) columns: BTreeSet<Base>,
    /// It is also made of what could not be told.
    pub(super) unsettled: bool,
}

/// Whether a database is the server's own.
pub(super) fn is_system(schema: &str) -> bool {
    SYSTEM.iter().any(|system| schema.eq_ignore_ascii_case(system))
}

impl Catalog {
    fn key(&self, object: &ObjectName) -> Option<(String, String)> {
        let schema = object.schema.clone()?;
        if self.folds {
            Some((schema.to_lowercase(), object.name.to_lowercase()))
        } else {
            Some((schema, object.name.clone()))
        }
    }

    /// The relation of that name.
    pub(super) fn relation(&self, object: &ObjectName) -> Option<&Relation> {
        self.relations.get(&self.key(object)?)
    }

    /// Whether columns of it are made of other columns: those of a view, and generated ones.
    pub(super) fn is_made_of_others(&self, object: &ObjectName) -> bool {
        self.relation(object)
            .is_some_and(|relation| relation.view.is_some() || !relation.generated.is_empty())
    }

    /// What a column of a relation, or all of them (`*`), is made of.
    pub(super) fn origin(&self, object: &ObjectName, column: &str) -> Origin {
        let mut origin = Origin::default();
        self.trace(object, column, DEEPEST, &mut origin);
        origin
    }

    fn trace(&self, object: &ObjectName, column: &str, left: usize, into: &mut Origin) {
        // The name itself may carry a label, a view's too.
        into.columns.insert((object.clone(), column.to_owned()));
        let Some(schema) = &object.schema else {
            into.unsettled = true;
            return;
        };
        if is_system(schema) {
            return;
        }
        let Some(relation) = self.relation(object) else {
            // A temporary table, or one that was made a moment ago.
            into.unsettled = true;
            return;
        };
        let computed = match (&relation.view, column) {
            (Some(view), _) => vec![view],
            (None, "*") => relation.generated.values().collect(),
            (None, column) => relation.generated.get(column).into_iter().collect(),
        };
        for view in computed {
            self.trace_view(relation, view, column, left, into);
        }
    }

    /// What a column of a view is made of, or a generated one.
    fn trace_view(&self, relation: &Relation, view: &View, column: &str, left: usize, into: &mut Origin) {
        if left == 0 {
            into.unsettled = true;
            return;
        }
        into.unsettled |= view.unsettled;
        let place = relation.columns.iter().position(|name| name == column);
        let place = place.filter(|_| relation.view.is_some());
        let reads: Vec<&Base> = match place.and_then(|place| view.columns.get(place)) {
            Some(reads) => reads.iter().collect(),
            None => view.columns.iter().flatten().collect(),
        };
        for (base, column) in reads {
            if !into.columns.contains(&(base.clone(), column.clone())) {
                self.trace(base, column, left - 1, into);
            }
        }
    }

    /// The facts with `*` written out, where the catalog knows the columns.
    pub(super) fn expanded<'f>(&self, facts: &'f Facts) -> Cow<'f, Facts> {
        let star = |names: &[String]| names.iter().any(|name| name == "*");
        if !facts.actions.iter().any(|action| star(&action.columns) || star(&action.filters)) {
            return Cow::Borrowed(facts);
        }
        let mut facts = facts.clone();
        for action in &mut facts.actions {
            let Some(relation) = action.object.as_ref().and_then(|object| self.relation(object)) else {
                continue;
            };
            for names in [&mut action.columns, &mut action.filters] {
                if star(names) {
                    names.retain(|name| name != "*");
                    names.extend(relation.columns.iter().cloned());
                    names.sort_unstable();
                    names.dedup();
                }
            }
        }
        facts.actions.sort();
        facts.actions.dedup();
        Cow::Owned(facts)
    }

    /// Whether the facts read a relation that is not in here.
    fn lacks(&self, facts: &Facts) -> bool {
        let missing = |action: &Action| {
            let object = action.object.as_ref()?;
            let schema = object.schema.as_deref()?;
            let is_relation = matches!(action.kind.as_deref(), Some("table" | "view"));
            (is_relation
                && matches!(action.group, Group::Read | Group::Write)
                && !is_system(schema)
                && self.relation(object).is_none())
            .then_some(())
        };
        facts.actions.iter().any(|action| missing(action).is_some())
    }

    fn read(columns: Vec<Row>, views: Vec<Row>, flavour: Flavour, lower: u8) -> Result<Self, DialError> {
        let text = |value: Option<Vec<u8>>| {
            value
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| DialError::protocol("a catalog with a name that does not read"))
        };
        let folds = lower != 0;
        let name =
            |value: Option<Vec<u8>>| text(value).map(|name| if folds { name.to_lowercase() } else { name });
        let mut catalog = Self { relations: BTreeMap::new(), folds };
        for row in columns {
            let [schema, relation, column, expression] =
                <[_; 4]>::try_from(row).map_err(|_| DialError::protocol("a catalog of other columns"))?;
            let key = (name(schema)?, name(relation)?);
            let column = text(column)?.to_lowercase();
            let expression = expression.filter(|expression| !expression.is_empty());
            let computed = expression.map(|expression| generated(&expression, &key, flavour, lower));
            let relation = catalog.relations.entry(key).or_default();
            if let Some(computed) = computed {
                relation.generated.insert(column.clone(), computed);
            }
            relation.columns.push(column);
        }
        for row in views {
            let [schema, relation, definition] =
                <[_; 3]>::try_from(row).map_err(|_| DialError::protocol("a catalog of other columns"))?;
            let key = (name(schema)?, name(relation)?);
            let view = view(&definition.unwrap_or_default(), &key.0, flavour, lower);
            catalog.relations.entry(key).or_default().view = Some(view);
        }
        Ok(catalog)
    }
}

/// What a generated column of a table is computed from.
fn generated(expression: &[u8], table: &(String, String), flavour: Flavour, lower: u8) -> View {
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let from = format!(" FROM {}.{}", quoted(&table.0), quoted(&table.1));
    view(&[b"SELECT ", expression, from.as_bytes()].concat(), &table.0, flavour, lower)
}

/// What a view reads, by its definition, in which the server writes every name out. One that the account may
/// not see is empty.
fn view(definition: &[u8], database: &str, flavour: Flavour, lower: u8) -> View {
    let context = Context {
        flavour,
        sql_mode: Some(SqlMode::DEFAULT),
        character_set: "utf8mb4",
        database: Some(database),
        lower_case_table_names: lower,
    };
    let inspection = inspect(definition, &context);
    let all: Vec<Base> = inspection
        .facts
        .actions
        .iter()
        .filter(|action| action.group == Group::Read)
        .filter_map(|action| Some((action.object.clone()?, &action.columns)))
        .flat_map(|(object, columns)| columns.iter().map(move |column| (object.clone(), column.clone())))
        .collect();
    let [statement] = inspection.statements.as_slice() else {
        return View { columns: vec![all], unsettled: true };
    };
    let unsettled = inspection.facts.unknown.is_some() || statement.unclassed_code;
    let columns = match &statement.result.items {
        Some(items) if items.iter().all(|item| !item.star) => {
            items.iter().map(|item| if item.unsettled { all.clone() } else { item.reads.clone() }).collect()
        }
        _ => vec![all],
    };
    View { columns, unsettled }
}

/// The entries of one target: one for each way that it was configured.
type OfTarget = Vec<(Arc<Target>, Arc<Entry>)>;

/// All catalogs, by target name. An edited target's has another entry.
#[derive(Debug, Default)]
pub(super) struct Catalogs {
    slots: Mutex<BTreeMap<String, OfTarget>>,
}

#[derive(Debug, Default)]
struct Entry {
    snapshot: Mutex<Option<Snapshot>>,
    /// Grows with each sign that the catalog changed. A snapshot holds the value from before it was read.
    generation: AtomicU64,
    /// Held while reading: everybody else who needs a fresh snapshot waits here.
    reader: tokio::sync::Mutex<()>,
    refreshing: AtomicBool,
}

#[derive(Clone, Debug)]
struct Snapshot {
    catalog: Arc<Catalog>,
    generation: u64,
    read: Instant,
}

impl Entry {
    fn usable(&self, age: Duration) -> Option<Snapshot> {
        let generation = self.generation.load(Ordering::Acquire);
        let snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        snapshot
            .as_ref()
            .filter(|snapshot| snapshot.generation == generation && snapshot.read.elapsed() <= age)
            .cloned()
    }
}

fn entry(house: &House, target: &Arc<Target>) -> Arc<Entry> {
    let mut slots = house.protocols.mysql.catalogs.slots.lock().unwrap_or_else(PoisonError::into_inner);
    let of_name = slots.entry(target.name.clone()).or_default();
    if let Some((_, entry)) = of_name.iter().find(|(known, _)| known == target) {
        return Arc::clone(entry);
    }
    // What an edited target was is of no more use; its sessions make it again.
    of_name.retain(|(known, _)| Arc::strong_count(known) > 1);
    let entry = Arc::new(Entry::default());
    of_name.push((Arc::clone(target), Arc::clone(&entry)));
    entry
}

/// Definitions changed: the catalog is read again before its next use.
pub(super) fn changed(session: &Session) {
    entry(&session.house, &session.target).generation.fetch_add(1, Ordering::AcqRel);
}

/// The catalog of a session's target, recent enough to decide by; read again when the facts name what it does
/// not hold.
///
/// # Errors
/// When it cannot be read: what cannot be traced is not run.
pub(super) async fn for_facts(
    session: &Session,
    reading: &Reading,
    facts: &Facts,
) -> Result<Arc<Catalog>, Refusal> {
    let entry = entry(&session.house, &session.target);
    let need = Need { flavour: reading.flavour, lower: reading.lower_case_table_names };
    if let Some(snapshot) = entry.usable(STALE)
        && (!snapshot.catalog.lacks(facts) || snapshot.read.elapsed() < AGAIN)
    {
        if snapshot.read.elapsed() > FRESH && !entry.refreshing.swap(true, Ordering::AcqRel) {
            let house = Arc::clone(&session.house);
            let target = Arc::clone(&session.target);
            session.house.tasks.spawn("catalog", async move {
                if let Err(error) = fresh(&house, &target, &entry, need, FRESH).await {
                    tracing::warn!(target = %target.name, detail = error.detail(), "the catalog could not be read");
                }
                entry.refreshing.store(false, Ordering::Release);
            });
        }
        return Ok(snapshot.catalog);
    }
    fresh(&session.house, &session.target, &entry, need, AGAIN).await.map_err(|error| {
        tracing::warn!(target = %session.target.name, detail = error.detail(), "the catalog could not be read");
        error.refusal(&session.target)
    })
}

/// What decides how names and definitions are read.
#[derive(Clone, Copy, Debug)]
struct Need {
    flavour: Flavour,
    lower: u8,
}

/// A snapshot no older than `age`; those who wait share one reading.
async fn fresh(
    house: &House,
    target: &Arc<Target>,
    entry: &Entry,
    need: Need,
    age: Duration,
) -> Result<Arc<Catalog>, DialError> {
    let _one = entry.reader.lock().await;
    if let Some(snapshot) = entry.usable(age) {
        return Ok(snapshot.catalog);
    }
    let generation = entry.generation.load(Ordering::Acquire);
    let tls = house.targets.get().get(&target.name).and_then(|reachable| reachable.tls.clone());
    let credentials = house.credentials.get();
    let upstream = dial(target, &credentials, tls, &Wish::own(target), DIAL).await?;
    let mut client = Client::new(upstream, LIMITS);
    // Definitions are written for the mode of whoever asks.
    client.query("SET SESSION sql_mode = ''").await?;
    let columns = client.query(COLUMNS).await?;
    let views = client.query(VIEWS).await?;
    client.leave().await;
    let catalog = Arc::new(Catalog::read(columns, views, need.flavour, need.lower)?);
    let snapshot = Snapshot { catalog: Arc::clone(&catalog), generation, read: Instant::now() };
    *entry.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    Ok(catalog)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn row(values: &[&str]) -> Row {
        values.iter().map(|value| Some(value.as_bytes().to_vec())).collect()
    }

    pub(in super::super) fn shop() -> Catalog {
        let columns = vec![
            row(&["shop", "users", "id", ""]),
            row(&["shop", "users", "Email", ""]),
            row(&["shop", "users", "city", ""]),
            row(&["shop", "users", "shout", "concat(`email`,'!')"]),
            row(&["shop", "cities", "id", ""]),
            row(&["shop", "cities", "name", ""]),
            row(&["shop", "v", "id", ""]),
            row(&["shop", "v", "mail", ""]),
            row(&["shop", "vv", "m", ""]),
            row(&["shop", "hidden", "x", ""]),
        ];
        let views = vec![
            row(&[
                "shop",
                "v",
                "select `shop`.`users`.`id` AS `id`,lower(`shop`.`users`.`email`) AS `mail` from `shop`.`users`",
            ]),
            row(&["shop", "vv", "select max(`v`.`mail`) AS `m` from `shop`.`v`"]),
            row(&["shop", "hidden", ""]),
        ];
        Catalog::read(columns, views, Flavour::MariaDb(101_106), 0).unwrap()
    }

    fn traced(relation: &str, column: &str) -> String {
        let origin = shop().origin(&ObjectName::mysql(Some("shop"), relation), column);
        let columns: Vec<String> =
            origin.columns.iter().map(|(object, column)| format!("{}.{column}", object.name)).collect();
        format!("{}{}", columns.join(" "), if origin.unsettled { " !" } else { "" })
    }

    #[test]
    fn a_view_s_columns_are_traced_to_tables() {
        assert_eq!(traced("users", "email"), "users.email");
        assert_eq!(traced("v", "mail"), "users.email v.mail");
        assert_eq!(traced("v", "id"), "users.id v.id");
        assert_eq!(traced("vv", "m"), "users.email v.mail vv.m");
        assert_eq!(traced("v", "*"), "users.email users.id v.*");
        assert_eq!(traced("users", "shout"), "users.email users.shout");
        assert_eq!(traced("users", "*"), "users.* users.email");
    }

    #[test]
    fn what_cannot_be_traced_is_unsettled() {
        assert_eq!(traced("hidden", "x"), "hidden.x !");
        assert_eq!(traced("nowhere", "x"), "nowhere.x !");
    }

    #[test]
    fn stars_are_written_out() {
        let context = Context {
            flavour: Flavour::MariaDb(101_106),
            sql_mode: Some(SqlMode::DEFAULT),
            character_set: "utf8mb4",
            database: Some("shop"),
            lower_case_table_names: 0,
        };
        let facts = inspect(b"SELECT * FROM users", &context).facts;
        let catalog = shop();
        let expanded = catalog.expanded(&facts);
        assert_eq!(expanded.actions.first().unwrap().columns, ["city", "email", "id", "shout"]);
        assert!(!catalog.lacks(&facts));
        assert!(catalog.lacks(&inspect(b"SELECT * FROM fresh", &context).facts));
    }
}
