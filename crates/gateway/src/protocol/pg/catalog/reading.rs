//! The questions that make a catalog, and their answers as plain data.
//!
//! All of them run in one read-only transaction. Every name is written with its schema and the
//! connection's `search_path` is empty: nothing that the database's owner put before `pg_catalog` is
//! called, and view definitions come with every name qualified.

use std::collections::BTreeMap;

use sallyport_inspect::pg::{CatalogColumn, CatalogFunction, CatalogRelation, RelationKind};
use sha2::{Digest, Sha256};

use crate::protocol::pg::upstream::{DialError, DialErrorKind, Row, UpstreamClient};

/// Once per connection. A view's definition waits for whoever alters what it reads: not for long.
const PREPARE: &str = "SELECT pg_catalog.set_config('search_path', '', false), \
    pg_catalog.set_config('default_transaction_read_only', 'on', false), \
    pg_catalog.set_config('statement_timeout', '15000', false), \
    pg_catalog.set_config('lock_timeout', '3000', false), \
    pg_catalog.set_config('quote_all_identifiers', 'off', false)";

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Temporary and TOAST schemas, of all sessions, are nobody's to name.
macro_rules! schemas {
    () => {
        "n.nspname OPERATOR(pg_catalog.!~) '^pg_(toast|temp|toast_temp)(_[0-9]+)?$'"
    };
}

macro_rules! own_schemas {
    () => {
        concat!(schemas!(), " AND n.nspname NOT IN ('pg_catalog', 'information_schema')")
    };
}

const RELATIONS: &str = concat!(
    "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ",
    schemas!(),
    " ORDER BY c.oid"
);

const COLUMNS: &str = concat!(
    "SELECT a.attrelid, a.attnum, a.attname, a.atttypid FROM pg_catalog.pg_attribute a ",
    "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind NOT IN ('i', 'I') AND ",
    schemas!(),
    " ORDER BY a.attrelid, a.attnum"
);

const VIEWS: &str = concat!(
    "SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
    "WHERE c.relkind IN ('v', 'm') AND ",
    own_schemas!(),
    " ORDER BY c.oid"
);

const PARENTS: &str = concat!(
    "SELECT i.inhrelid, n.nspname, c.relname FROM pg_catalog.pg_inherits i ",
    "JOIN pg_catalog.pg_class c ON c.oid = i.inhparent ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
    "WHERE c.relkind IN ('r', 'p', 'f') ORDER BY i.inhrelid, i.inhseqno"
);

/// Without an extension's aggregates that are made of its functions in C: `max` of citext is no reason to hold
/// every `max` for a user's.
const FUNCTIONS: &str = concat!(
    "SELECT DISTINCT n.nspname, p.proname FROM pg_catalog.pg_proc p ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace ",
    "LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid ",
    "LEFT JOIN pg_catalog.pg_proc t ON t.oid = g.aggtransfn ",
    "LEFT JOIN pg_catalog.pg_language l ON l.oid = t.prolang WHERE NOT (g.aggfnoid IS NOT NULL ",
    "AND g.aggfinalfn = 0 AND l.lanname = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_depend d ",
    "WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')) AND ",
    own_schemas!(),
    " ORDER BY 1, 2"
);

/// Without an extension's operators that are functions in C, for the same reason. An operator of a user's may
/// stand for any function, in C or built in.
const OPERATORS: &str = concat!(
    "SELECT DISTINCT n.nspname, o.oprname FROM pg_catalog.pg_operator o ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace ",
    "LEFT JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode ",
    "LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang ",
    "WHERE n.nspname <> 'pg_catalog' AND (l.lanname IS DISTINCT FROM 'c' ",
    "OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend d ",
    "WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.objid = o.oid AND d.deptype = 'e')) AND ",
    schemas!(),
    " ORDER BY 1, 2"
);

/// Types, and whether making a value of one runs nobody's code. Arrays go by their elements.
const TYPES: &str = concat!(
    "SELECT n.nspname, t.typname, CASE WHEN t.typtype = 'e' AND NOT EXISTS (",
    "SELECT FROM pg_catalog.pg_cast k WHERE k.casttarget = t.oid AND k.castmethod = 'f') ",
    "THEN 'plain' ELSE 'other' END, t.oid, t.typarray FROM pg_catalog.pg_type t ",
    "JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE ",
    own_schemas!(),
    " ORDER BY 1, 2"
);

/// Types that bring code of a user's with them, as a cast from or to them or to compare their values, and those
/// that are made of them: arrays, domains, composites, ranges. Functions in C are an extension's.
const CODE_TYPES: &str = "WITH RECURSIVE own AS (\
    SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
    WHERE l.lanname NOT IN ('internal', 'c')), code(oid) AS ((\
    SELECT k.castsource FROM pg_catalog.pg_cast k JOIN own ON own.oid = k.castfunc \
    UNION SELECT k.casttarget FROM pg_catalog.pg_cast k JOIN own ON own.oid = k.castfunc \
    UNION SELECT o.opcintype FROM pg_catalog.pg_opclass o \
    JOIN pg_catalog.pg_amproc a ON a.amprocfamily = o.opcfamily JOIN own ON own.oid = a.amproc::pg_catalog.oid) \
    UNION SELECT t.oid FROM code c JOIN pg_catalog.pg_type t ON t.typbasetype = c.oid OR t.typelem = c.oid \
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.atttypid = c.oid \
    AND a.attnum > 0 AND NOT a.attisdropped) \
    OR EXISTS (SELECT FROM pg_catalog.pg_range r WHERE r.rngsubtype = c.oid AND t.oid::pg_catalog.text \
    IN (r.rngtypid::pg_catalog.text, pg_catalog.to_jsonb(r) ->> 'rngmultitypid')) \
    WHERE c.oid >= 16384) \
    SELECT t.oid, n.nspname, t.typname FROM code JOIN pg_catalog.pg_type t ON t.oid = code.oid \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.oid >= 16384 ORDER BY 1";

/// What a catalog holds, and a hash over all of it.
pub(super) struct Content {
    pub(super) relations: Vec<CatalogRelation>,
    pub(super) functions: Vec<CatalogFunction>,
    pub(super) operators: Vec<(String, String)>,
    pub(super) types: Vec<(String, String, bool)>,
    pub(super) plain_type_oids: Vec<u32>,
    pub(super) code_types: Vec<(u32, String, String)>,
    pub(super) hash: [u8; 32],
}

/// Makes a fresh connection one that the questions can be asked on.
pub(super) async fn prepare(client: &mut UpstreamClient) -> Result<(), DialError> {
    client.query(PREPARE).await.map(drop)
}

/// Reads everything. After an error the connection is not to be used again: its transaction is open.
pub(super) async fn read(client: &mut UpstreamClient) -> Result<Content, DialError> {
    client.query(BEGIN).await?;
    let mut hash = Sha256::new();
    let mut relations = BTreeMap::new();
    for row in ask(client, RELATIONS, &mut hash).await? {
        let [oid, schema, name, kind] = values(row)?;
        let oid: u32 = number(oid)?;
        let relation = CatalogRelation {
            oid,
            schema: text(schema)?,
            name: text(name)?,
            kind: relation_kind(&text(kind)?),
            columns: Vec::new(),
            definition: None,
            parents: Vec::new(),
        };
        relations.insert(oid, relation);
    }
    for row in ask(client, COLUMNS, &mut hash).await? {
        let [oid, number_, name, type_id] = values(row)?;
        let column = CatalogColumn { number: number(number_)?, name: text(name)?, type_id: number(type_id)? };
        if let Some(relation) = relations.get_mut(&number::<u32>(oid)?) {
            relation.columns.push(column);
        }
    }
    for row in ask(client, VIEWS, &mut hash).await? {
        let [oid, definition] = values(row)?;
        // NULL for a view that was dropped a moment ago.
        if let (Some(relation), Some(_)) = (relations.get_mut(&number::<u32>(oid)?), &definition) {
            relation.definition = Some(text(definition)?);
        }
    }
    for row in ask(client, PARENTS, &mut hash).await? {
        let [oid, schema, name] = values(row)?;
        if let Some(relation) = relations.get_mut(&number::<u32>(oid)?) {
            relation.parents.push((text(schema)?, text(name)?));
        }
    }
    let functions = pairs(ask(client, FUNCTIONS, &mut hash).await?)?
        .into_iter()
        .map(|(schema, name)| CatalogFunction { schema, name })
        .collect();
    let operators = pairs(ask(client, OPERATORS, &mut hash).await?)?;
    let mut code_types = Vec::new();
    for row in ask(client, CODE_TYPES, &mut hash).await? {
        let [oid, schema, name] = values(row)?;
        code_types.push((number::<u32>(oid)?, text(schema)?, text(name)?));
    }
    let mut types = Vec::new();
    let mut plain_type_oids = Vec::new();
    for row in ask(client, TYPES, &mut hash).await? {
        let [schema, name, sort, oid, array] = values(row)?;
        let (oid, array) = (number::<u32>(oid)?, number::<u32>(array)?);
        let plain = text(sort)? == "plain" && !code_types.iter().any(|(code, ..)| *code == oid);
        if plain {
            plain_type_oids.extend([oid, array]);
        }
        types.push((text(schema)?, text(name)?, plain));
    }
    client.query("COMMIT").await?;
    Ok(Content {
        relations: relations.into_values().collect(),
        functions,
        operators,
        types,
        plain_type_oids,
        code_types,
        hash: hash.finalize().into(),
    })
}

/// One question. Its rows go into the hash, lengths first, so that no two answers look alike.
async fn ask(client: &mut UpstreamClient, sql: &str, hash: &mut Sha256) -> Result<Vec<Row>, DialError> {
    let rows = client.query(sql).await?;
    hash.update(rows.len().to_be_bytes());
    for value in rows.iter().flatten() {
        match value {
            Some(value) => {
                hash.update([1]);
                hash.update(value.len().to_be_bytes());
                hash.update(value);
            }
            None => hash.update([0]),
        }
    }
    Ok(rows)
}

/// `pg_class.relkind`.
fn relation_kind(letter: &str) -> RelationKind {
    match letter {
        "r" | "p" => RelationKind::Table,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::ForeignTable,
        "S" => RelationKind::Sequence,
        _ => RelationKind::Other,
    }
}

fn pairs(rows: Vec<Row>) -> Result<Vec<(String, String)>, DialError> {
    rows.into_iter()
        .map(|row| {
            let [schema, name] = values(row)?;
            Ok((text(schema)?, text(name)?))
        })
        .collect()
}

fn values<const N: usize>(row: Row) -> Result<[Option<Vec<u8>>; N], DialError> {
    row.try_into().map_err(|_| unusable("a row of another shape"))
}

fn text(value: Option<Vec<u8>>) -> Result<String, DialError> {
    value
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| unusable("a name that is missing or not UTF-8"))
}

fn number<T: std::str::FromStr>(value: Option<Vec<u8>>) -> Result<T, DialError> {
    text(value)?.parse().map_err(|_| unusable("a number that is none"))
}

fn unusable(what: &str) -> DialError {
    DialError::new(DialErrorKind::Protocol, format!("catalog: {what}"))
}
