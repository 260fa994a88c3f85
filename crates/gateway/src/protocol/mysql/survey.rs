//! A look at what a database holds, for whoever writes its labels: columns with their types, and how many of some
//! values each detector finds. The values themselves stay in here.
//!
//! It reads with the gateway's own account, on a connection that only reads, with a limit on every question: so
//! many rows of a table, so long, so many tables. A server of this kind gives no random part of a table: what is
//! read are the first rows.

use std::collections::BTreeMap;
use std::time::Duration;

use sallyport_core::Target;
use sallyport_mask::FieldContext;

use super::server::is_mariadb;
use super::upstream::{Client, QueryLimits, Wish, dial};
use crate::credentials::Credentials;
use crate::dialling::{DialError, DialErrorKind};
use crate::survey::{Surveyed, SurveyedColumn};
use crate::tls;

const DIAL: Duration = Duration::from_secs(10);

/// What an answer may cost; the server itself ends a question sooner.
const LIMITS: QueryLimits = QueryLimits { rows: 200_000, bytes: 64 << 20, deadline: Duration::from_secs(20) };

/// Tables that are sampled, columns of one that are read at once, and characters of a value.
const MOST_TABLES: usize = 2_000;
const MOST_COLUMNS: usize = 400;
const MOST_CHARACTERS: usize = 2_000;

/// A constant ends at its quote alone, and nothing is written.
const PREPARE: [&str; 3] = [
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION lock_wait_timeout = 1",
];

/// Engines whose tables are another server's load, or hold nothing.
const ELSEWHERE: [&str; 6] = ["federated", "connect", "spider", "s3", "blackhole", "sphinx"];

/// A table as it is asked about.
struct Table {
    /// Quoted for a statement.
    name: String,
    /// What is stored in it here.
    is_stored: bool,
    /// Each column, quoted, with its place among the survey's.
    columns: Vec<(String, usize)>,
}

/// Looks at a database.
pub(crate) async fn survey(
    target: &Target,
    database: &str,
    credentials: &Credentials,
    sample: usize,
) -> Result<Surveyed, DialError> {
    let mut client = open(target, database, credentials).await?;
    let folds = !matches!(
        client.query("SELECT @@global.lower_case_table_names").await?.as_slice(),
        [row] if matches!(row.as_slice(), [Some(number)] if number == b"0")
    );
    let (mut columns, tables) = read(client.query(&of(database)).await?, folds)?;
    let mut unread = Vec::new();
    if sample > 0 {
        for (number, table) in tables.iter().filter(|table| table.is_stored).enumerate() {
            if number >= MOST_TABLES {
                unread.push(table.name.clone());
                continue;
            }
            if !client.is_in_step() {
                client = open(target, database, credentials).await?;
            }
            match look(&mut client, table, &mut columns, sample).await {
                Ok(()) => {}
                // No right to read it, a lock, a broken table: said, and the rest goes on.
                Err(error) if error.kind() == DialErrorKind::QueryFailed => unread.push(table.name.clone()),
                Err(error) => return Err(error),
            }
        }
    }
    client.leave().await;
    Ok(Surveyed { columns, unread })
}

/// A connection that only reads.
async fn open(target: &Target, database: &str, credentials: &Credentials) -> Result<Client, DialError> {
    let tls = tls::client_config(&target.tls)
        .map_err(|error| DialError::new(DialErrorKind::Gateway, error.to_string()))?;
    let wish = Wish { database: database.to_owned(), ..Wish::own(target) };
    let upstream = dial(target, credentials, tls, &wish, DIAL).await?;
    let time = if is_mariadb(&upstream.version) {
        "SET SESSION max_statement_time = 5"
    } else {
        "SET SESSION max_execution_time = 5000"
    };
    let mut client = Client::new(upstream, LIMITS);
    for statement in PREPARE.into_iter().chain([time]) {
        client.query(statement).await?;
    }
    Ok(client)
}

/// Tables and views of a database, with their columns.
fn of(database: &str) -> String {
    let database = database.replace('\'', "''");
    format!(
        "SELECT c.table_schema, c.table_name, t.table_type, COALESCE(t.engine, ''), c.column_name, \
         c.data_type, c.column_type FROM information_schema.columns c \
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
         WHERE c.table_schema = '{database}' AND t.table_schema = '{database}' \
         ORDER BY c.table_schema, c.table_name, c.ordinal_position"
    )
}

/// Columns as labels name them, and the tables that they are read from.
fn read(
    rows: Vec<super::upstream::Row>,
    folds: bool,
) -> Result<(Vec<SurveyedColumn>, Vec<Table>), DialError> {
    let mut columns: Vec<SurveyedColumn> = Vec::new();
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let cells: Vec<String> = row
            .into_iter()
            .map(|cell| {
                cell.and_then(|cell| String::from_utf8(cell).ok())
                    .ok_or_else(|| DialError::protocol("a name that is missing or not UTF-8"))
            })
            .collect::<Result<_, _>>()?;
        let [schema, relation, kind, engine, column, data_type, column_type] =
            <[String; 7]>::try_from(cells).map_err(|_| DialError::protocol("a row of another shape"))?;
        let name = format!("{}.{}", quoted(&schema), quoted(&relation));
        if tables.last().is_none_or(|last| last.name != name) {
            let is_stored = matches!(kind.as_str(), "BASE TABLE" | "SYSTEM VERSIONED")
                && !ELSEWHERE.iter().any(|engine_name| engine.eq_ignore_ascii_case(engine_name));
            tables.push(Table { name, is_stored, columns: Vec::new() });
        }
        if let Some(last) = tables.last_mut()
            && is_worth_reading(&data_type, &column)
        {
            last.columns.push((quoted(&column), columns.len()));
        }
        let fold = |name: String| if folds { name.to_lowercase() } else { name };
        // The members of an enumeration are values.
        let lists = matches!(data_type.as_str(), "enum" | "set");
        columns.push(SurveyedColumn {
            schema: fold(schema),
            relation: fold(relation),
            // As everything that is read by labels writes them.
            column: column.to_lowercase(),
            type_name: if lists { data_type } else { column_type },
            type_oid: 0,
            follows: kind.ends_with("VIEW"),
            sampled: 0,
            found: BTreeMap::new(),
        });
    }
    Ok((columns, tables))
}

/// Reads some rows of a table and counts what detectors find.
async fn look(
    client: &mut Client,
    table: &Table,
    columns: &mut [SurveyedColumn],
    sample: usize,
) -> Result<(), DialError> {
    let read: Vec<&(String, usize)> = table.columns.iter().take(MOST_COLUMNS).collect();
    if read.is_empty() {
        return Ok(());
    }
    let list: Vec<String> =
        read.iter().map(|(column, _)| format!("LEFT({column}, {MOST_CHARACTERS})")).collect();
    let question = format!("SELECT {} FROM {} LIMIT {sample}", list.join(", "), table.name);
    for row in client.query(&question).await? {
        for ((_, index), value) in read.iter().zip(row) {
            let (Some(column), Some(value)) = (columns.get_mut(*index), value) else { continue };
            column.sampled += 1;
            // Bytes that are no text have nothing that a detector reads.
            let Ok(text) = String::from_utf8(value) else { continue };
            column.look_at(&text);
        }
    }
    Ok(())
}

/// Texts and documents, addresses, bytes that may be text; numbers and days whose name says whose they are.
fn is_worth_reading(data_type: &str, column: &str) -> bool {
    match data_type {
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" | "json"
        | "inet4" | "inet6" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            true
        }
        "int" | "bigint" | "decimal" | "date" | "datetime" | "timestamp" => {
            FieldContext::column(column).says_whose_number()
        }
        _ => false,
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 7]) -> super::super::upstream::Row {
        cells.iter().map(|cell| Some(cell.as_bytes().to_vec())).collect()
    }

    #[test]
    fn columns_are_named_as_labels_name_them_and_tables_as_the_server_does() {
        let rows = || {
            vec![
                row(["Shop", "People", "BASE TABLE", "InnoDB", "Email", "varchar", "varchar(100)"]),
                row(["Shop", "People", "BASE TABLE", "InnoDB", "kind", "enum", "enum('a','b')"]),
                row(["Shop", "People", "BASE TABLE", "InnoDB", "n", "int", "int(11)"]),
                row(["Shop", "o`dd", "BASE TABLE", "FEDERATED", "x", "text", "text"]),
                row(["Shop", "v", "VIEW", "", "Email", "varchar", "varchar(100)"]),
            ]
        };
        let (columns, tables) = read(rows(), false).unwrap();
        let names: Vec<String> = columns
            .iter()
            .map(|it| format!("{}.{}.{} {}", it.schema, it.relation, it.column, it.type_name))
            .collect();
        assert_eq!(
            names,
            [
                "Shop.People.email varchar(100)",
                "Shop.People.kind enum",
                "Shop.People.n int(11)",
                "Shop.o`dd.x text",
                "Shop.v.email varchar(100)"
            ]
        );
        assert_eq!(
            columns.iter().map(|it| it.follows).collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
        let stored: Vec<(&str, bool)> = tables.iter().map(|it| (it.name.as_str(), it.is_stored)).collect();
        assert_eq!(stored, [("`Shop`.`People`", true), ("`Shop`.`o``dd`", false), ("`Shop`.`v`", false)]);
        assert_eq!(tables[0].columns, [("`Email`".to_owned(), 0), ("`kind`".to_owned(), 1)]);
        let (folded, tables) = read(rows(), true).unwrap();
        assert_eq!((folded[0].schema.as_str(), folded[0].relation.as_str()), ("shop", "people"));
        assert_eq!(tables[0].name, "`Shop`.`People`");
    }

    #[test]
    fn a_database_s_name_cannot_leave_its_quotes() {
        assert!(of(r"a' OR '1' = '1\").contains(r"c.table_schema = 'a'' OR ''1'' = ''1\'"));
    }
}
