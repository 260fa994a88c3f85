//! mysql_async, driven from outside: a line in, a JSON object a line out; as driver.py says. Without TLS.
//!
//!     mysql-async-client HOST PORT DATABASE

use mysql_async::prelude::{Protocol, Queryable as _};
use mysql_async::{Conn, Error, OptsBuilder, QueryResult, Row, Value as Cell};
use serde_json::{Value, json};

fn said(error: &Error) -> Value {
    match error {
        Error::Server(error) => json!({ "code": error.code, "message": error.message }),
        other => json!({ "code": -1, "message": other.to_string() }),
    }
}

fn shown(cell: Cell) -> Value {
    match cell {
        Cell::NULL => Value::Null,
        Cell::Bytes(bytes) => json!(String::from_utf8_lossy(&bytes)),
        Cell::Int(number) => json!(number),
        Cell::UInt(number) => json!(number),
        Cell::Float(number) => json!(number),
        Cell::Double(number) => json!(number),
        time @ (Cell::Date(..) | Cell::Time(..)) => json!(time.as_sql(true)),
    }
}

async fn all<P: Protocol>(mut result: QueryResult<'_, '_, P>) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    while !result.is_empty() {
        rows.extend(result.collect::<Row>().await?);
    }
    Ok(rows)
}

async fn play(connection: &mut Conn, words: &[&str]) -> Result<Vec<Row>, Error> {
    match words {
        ["query", text] => all(connection.query_iter(*text).await?).await,
        ["exec", text] => all(connection.exec_iter(*text, ()).await?).await,
        ["exec", text, parameters @ ..] => {
            let parameters: Vec<Cell> = parameters.iter().map(|it| Cell::from(*it)).collect();
            all(connection.exec_iter(*text, parameters).await?).await
        }
        _ => Err(Error::Other("this driver has no such command".into())),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, database, ..] = words.as_slice() else { panic!("HOST PORT DATABASE") };
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let user = variable("SALLYPORT_USER");
    let options = OptsBuilder::default()
        .ip_or_hostname(host.as_str())
        .tcp_port(port.parse().expect("a port"))
        .db_name(Some(database.as_str()))
        .user(Some(if user.is_empty() { "anybody" } else { user.as_str() }))
        .pass(Some(variable("SALLYPORT_PASSWORD")))
        .prefer_socket(false)
        .enable_cleartext_plugin(user.is_empty());
    let say = |rows: Value, error: Value| println!("{}", json!({ "rows": rows, "error": error }));
    let mut connection = match Conn::new(options).await {
        Ok(connection) => connection,
        Err(error) => return say(json!([]), said(&error)),
    };
    say(json!([]), Value::Null);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split('\t').collect();
        match play(&mut connection, &words).await {
            Ok(rows) => {
                let all = |row: Row| row.unwrap().into_iter().map(shown).collect::<Value>();
                say(rows.into_iter().map(all).collect(), Value::Null);
            }
            Err(error) => say(json!([]), said(&error)),
        }
    }
}
