//! sqlx, driven from outside: a line in, a JSON object a line out; as driver.py says. Without TLS.
//!
//!     sqlx-mysql-client HOST PORT DATABASE

use serde_json::{Value, json};
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlRow, MySqlSslMode};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Error, MySqlConnection, Row as _, TypeInfo as _,
};

fn said(error: &Error) -> Value {
    let server = match error {
        Error::Database(error) => error.try_downcast_ref::<MySqlDatabaseError>(),
        _ => None,
    };
    let code = server.map_or(-1, |error| i64::from(error.number()));
    let message = server.map_or_else(|| error.to_string(), |error| error.message().to_owned());
    json!({ "code": code, "message": message })
}

fn cell(row: &MySqlRow, place: usize) -> Value {
    let kind = row.column(place).type_info().name().to_owned();
    let value = match kind.as_str() {
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "BOOLEAN" => {
            row.try_get_unchecked::<Option<i64>, _>(place).map(|value| json!(value))
        }
        unsigned if unsigned.ends_with("UNSIGNED") => {
            row.try_get_unchecked::<Option<u64>, _>(place).map(|value| json!(value))
        }
        "FLOAT" | "DOUBLE" => row.try_get_unchecked::<Option<f64>, _>(place).map(|value| json!(value)),
        _ => row
            .try_get_unchecked::<Option<Vec<u8>>, _>(place)
            .map(|value| json!(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))),
    };
    value.unwrap_or_else(|error| json!(format!("{kind}: {error}")))
}

async fn play(connection: &mut MySqlConnection, words: &[&str]) -> Result<Vec<MySqlRow>, Error> {
    match words {
        ["query", text] => sqlx::raw_sql(AssertSqlSafe(*text)).fetch_all(connection).await,
        ["exec", text, parameters @ ..] => {
            let mut query = sqlx::query(AssertSqlSafe(*text));
            for parameter in parameters {
                query = query.bind((*parameter).to_owned());
            }
            query.fetch_all(connection).await
        }
        _ => Err(Error::Protocol("this driver has no such command".to_owned())),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, database, ..] = words.as_slice() else { panic!("HOST PORT DATABASE") };
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let user = variable("SALLYPORT_USER");
    let options = MySqlConnectOptions::new()
        .host(host)
        .port(port.parse().expect("a port"))
        .database(database)
        .username(if user.is_empty() { "anybody" } else { &user })
        .password(&variable("SALLYPORT_PASSWORD"))
        .ssl_mode(MySqlSslMode::Disabled)
        .enable_cleartext_plugin(user.is_empty());
    let say = |rows: Value, error: Value| println!("{}", json!({ "rows": rows, "error": error }));
    let mut connection = match options.connect().await {
        Ok(connection) => connection,
        Err(error) => return say(json!([]), said(&error)),
    };
    say(json!([]), Value::Null);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split('\t').collect();
        match play(&mut connection, &words).await {
            Ok(rows) => {
                let all = |row: &MySqlRow| (0..row.len()).map(|place| cell(row, place)).collect::<Value>();
                say(rows.iter().map(all).collect(), Value::Null);
            }
            Err(error) => say(json!([]), said(&error)),
        }
    }
}
