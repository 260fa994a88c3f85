//! A look at what a database holds, for whoever writes its labels: columns with their types, and how many of
//! some values each detector finds. The values themselves stay in here.
//!
//! It reads with the gateway's own role, on a connection that only reads, with a limit on every question: so
//! many rows of a relation, of large ones a random part, so long, so many relations.

use std::collections::BTreeMap;
use std::time::Duration;

use sallyport_core::Target;
use sallyport_mask::FieldContext;

use super::upstream::{DialError, DialErrorKind, QueryLimits, UpstreamClient, dial};
use crate::credentials::Credentials;
use crate::survey::{Surveyed, SurveyedColumn};
use crate::tls;

const DIAL: Duration = Duration::from_secs(10);

/// What an answer may cost; the server itself ends a question sooner.
const LIMITS: QueryLimits =
    QueryLimits { rows: 200_000, bytes: 64 * 1024 * 1024, deadline: Duration::from_secs(20) };

/// Relations that are sampled, columns of one that are read at once, and characters of a value.
const MOST_RELATIONS: usize = 2_000;
const MOST_COLUMNS: usize = 400;
const MOST_CHARACTERS: usize = 2_000;

/// From so many rows on a random part of a relation is read.
const LARGE: f64 = 100_000.0;

const PREPARE: &str = "SELECT pg_catalog.set_config('search_path', '', false), \
    pg_catalog.set_config('default_transaction_read_only', 'on', false), \
    pg_catalog.set_config('statement_timeout', '5000', false), \
    pg_catalog.set_config('lock_timeout', '1000', false), \
    pg_catalog.set_config('DateStyle', 'ISO', false)";

/// Tables, views of stored data and foreign tables, with their columns. A partition or child is read by its
/// parent.
const COLUMNS: &str = "SELECT n.nspname, c.relname, c.relkind, c.reltuples, a.attname, a.atttypid, \
    pg_catalog.format_type(a.atttypid, a.atttypmod), \
    EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'v', 'f') \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
    AND n.nspname OPERATOR(pg_catalog.!~) '^pg_(toast|temp|toast_temp)' \
    ORDER BY n.nspname, c.relname, a.attnum";

/// A relation as it is asked about.
struct Relation {
    /// Quoted for a statement.
    name: String,
    /// `pg_class.relkind`.
    kind: String,
    rows: f64,
    is_child: bool,
    /// Indices into the survey's columns.
    columns: Vec<usize>,
}

/// Looks at a database.
pub(crate) async fn survey(
    target: &Target,
    database: &str,
    credentials: &Credentials,
    sample: usize,
) -> Result<Surveyed, DialError> {
    let tls = tls::client_config(&target.tls)
        .map_err(|error| DialError::new(DialErrorKind::Gateway, error.to_string()))?;
    let parameters = [
        ("application_name".to_owned(), "sallyport-labels".to_owned()),
        ("client_encoding".to_owned(), "UTF8".to_owned()),
    ];
    let upstream = dial(target, database, credentials, tls, &parameters, DIAL).await?;
    let mut client = UpstreamClient::new(upstream, LIMITS);
    client.query(PREPARE).await?;
    let mut columns: Vec<SurveyedColumn> = Vec::new();
    let mut relations: Vec<Relation> = Vec::new();
    for row in client.query(COLUMNS).await? {
        let mut cells = row.into_iter().map(|cell| {
            cell.and_then(|cell| String::from_utf8(cell).ok())
                .ok_or_else(|| DialError::new(DialErrorKind::Protocol, "a name that is missing or not UTF-8"))
        });
        let mut next = || {
            cells
                .next()
                .unwrap_or_else(|| Err(DialError::new(DialErrorKind::Protocol, "a row of another shape")))
        };
        let (schema, relation, kind, rows, column) = (next()?, next()?, next()?, next()?, next()?);
        let (type_oid, type_name, is_child) = (next()?, next()?, next()? == "t");
        let name = format!("{}.{}", quoted(&schema), quoted(&relation));
        if relations.last().is_none_or(|last| last.name != name) {
            relations.push(Relation {
                name,
                kind,
                rows: rows.parse().unwrap_or(0.0),
                is_child,
                columns: Vec::new(),
            });
        }
        if let Some(last) = relations.last_mut() {
            last.columns.push(columns.len());
            columns.push(SurveyedColumn {
                schema,
                relation,
                column,
                type_name,
                type_oid: type_oid.parse().unwrap_or(0),
                follows: last.is_child || matches!(last.kind.as_str(), "v" | "m"),
                sampled: 0,
                found: BTreeMap::new(),
            });
        }
    }
    let mut unread = Vec::new();
    if sample > 0 {
        // What is stored; of a view its tables are labelled, and a foreign table is another server's load.
        let stored =
            relations.iter().filter(|it| !it.is_child && matches!(it.kind.as_str(), "r" | "p" | "m"));
        for (number, relation) in stored.enumerate() {
            if number >= MOST_RELATIONS {
                unread.push(relation.name.clone());
                continue;
            }
            match look(&mut client, relation, &mut columns, sample).await {
                Ok(()) => {}
                // No right to read it, a lock, a broken type: said, and the rest goes on.
                Err(error) if error.kind() == DialErrorKind::QueryFailed => {
                    unread.push(relation.name.clone())
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Surveyed { columns, unread })
}

/// Reads some rows of a relation and counts what detectors find.
async fn look(
    client: &mut UpstreamClient,
    relation: &Relation,
    columns: &mut [SurveyedColumn],
    sample: usize,
) -> Result<(), DialError> {
    let read: Vec<usize> = relation
        .columns
        .iter()
        .copied()
        .filter(|index| columns.get(*index).is_some_and(is_worth_reading))
        .take(MOST_COLUMNS)
        .collect();
    if read.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = read
        .iter()
        .filter_map(|index| columns.get(*index))
        .map(|column| {
            format!("pg_catalog.left({}::pg_catalog.text, {MOST_CHARACTERS})", quoted(&column.column))
        })
        .collect();
    // Four times what is wanted: pages hold unlike numbers of rows.
    let share = if relation.rows > LARGE && relation.kind != "p" {
        let wanted = u32::try_from(sample).map_or(f64::MAX, f64::from);
        format!(" TABLESAMPLE SYSTEM ({:.6})", (wanted * 400.0 / relation.rows).clamp(0.0001, 100.0))
    } else {
        String::new()
    };
    let list = list.join(", ");
    let rows = client.query(&format!("SELECT {list} FROM {}{share} LIMIT {sample}", relation.name)).await?;
    for row in rows {
        for (index, value) in read.iter().zip(row) {
            let (Some(column), Some(value)) = (columns.get_mut(*index), value) else { continue };
            column.sampled += 1;
            let text = String::from_utf8_lossy(&value);
            column.look_at(&text);
        }
    }
    Ok(())
}

/// Texts and documents, addresses, arrays of texts; numbers and days whose name says whose they are.
fn is_worth_reading(column: &SurveyedColumn) -> bool {
    match column.type_oid {
        19 | 25 | 114 | 142 | 650 | 829 | 869 | 1009 | 1015 | 1042 | 1043 | 3802 | 3807 => true,
        20 | 23 | 1082 | 1114 | 1184 | 1700 => FieldContext::column(&column.column).says_whose_number(),
        // Extensions' texts, enums, domains.
        other => other >= 16_384,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
