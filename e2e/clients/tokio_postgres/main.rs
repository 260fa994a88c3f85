//! tokio-postgres plays the scenarios: everything prepared, parameters and results in binary.

mod tls;

use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

const DENIED: &str = "truncate orders";

type Failed = Box<dyn std::error::Error>;

/// Any value as the bytes it came in.
struct Bytes(String);

impl<'a> FromSql<'a> for Bytes {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn is_plain() -> bool {
    variable("PGSSLMODE") == "disable"
}

fn verified() -> Result<tls::Verified, Failed> {
    tls::Verified::against(&variable("GATEWAY_CA")).map_err(|error| -> Failed { error })
}

fn failed(error: &Error) -> Value {
    let said = error.as_db_error();
    json!({ "sqlstate": said.map(|it| it.code().code()), "detail": said.and_then(|it| it.detail()) })
}

async fn error_of(client: &Client, sql: &str) -> Value {
    match client.query(sql, &[]).await {
        Ok(_) => json!({ "sqlstate": null }),
        Err(error) => failed(&error),
    }
}

async fn usable(client: &Client, mut said: Value) -> Result<Value, Failed> {
    let one: i32 = client.query_one("select 1", &[]).await?.get(0);
    said["usable"] = one.to_string().into();
    Ok(said)
}

async fn cancel(client: &Client) -> Value {
    let token = client.cancel_token();
    let cancelling = async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        if is_plain() {
            return token.cancel_query(NoTls).await.map_err(Failed::from);
        }
        token.cancel_query(verified()?).await.map_err(Failed::from)
    };
    let (said, cancelled) = tokio::join!(error_of(client, "select pg_sleep(20)"), cancelling);
    cancelled.expect("the cancel request");
    said
}

async fn transaction(client: &mut Client) -> Result<Value, Failed> {
    let transaction = client.transaction().await?;
    transaction.execute("insert into orders values (900, 1, 1, 'half')", &[]).await?;
    let mut said = match transaction.execute(DENIED, &[]).await {
        Ok(_) => json!({ "sqlstate": null }),
        Err(error) => failed(&error),
    };
    if let Err(error) = transaction.query("select 1", &[]).await {
        said["after"] = failed(&error)["sqlstate"].clone();
    }
    transaction.rollback().await?;
    let left: i64 = client.query_one("select count(*) from orders where id = 900", &[]).await?.get(0);
    said["value"] = left.to_string().into();
    Ok(said)
}

async fn big(client: &mut Client) -> Result<String, Failed> {
    let transaction = client.transaction().await?;
    let portal = transaction.bind("select n, repeat('x', 50) from generate_series(1, 20000) n", &[]).await?;
    let (mut count, mut total) = (0, 0_i64);
    loop {
        let rows = transaction.query_portal(&portal, 500).await?;
        if rows.is_empty() {
            break;
        }
        count += rows.len();
        total += rows.iter().map(|row| i64::from(row.get::<_, i32>(0))).sum::<i64>();
    }
    transaction.commit().await?;
    Ok(format!("{count}|{total}"))
}

async fn copy(client: &Client) -> Result<String, Failed> {
    use futures_util::{SinkExt as _, TryStreamExt as _};
    let data = "1\tone\n2\t\\N\n3\ttab\\there \\\\ and ‹ø›\n";
    let sink = client.copy_in("copy copied from stdin").await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(bytes::Bytes::from_static(data.as_bytes())).await?;
    sink.close().await?;
    let out = client.copy_out("copy (select * from copied order by a) to stdout").await?;
    let chunks: Vec<bytes::Bytes> = out.try_collect().await?;
    let said = String::from_utf8(chunks.concat())?;
    Ok(if said == data { "copied".to_owned() } else { said })
}

async fn types(client: &Client) -> Result<Value, Failed> {
    let mut lines: Vec<Value> = Vec::new();
    for row in client.query("select * from typed order by n", &[]).await? {
        let cells: Vec<Option<String>> =
            (0..row.len()).map(|at| row.get::<_, Option<Bytes>>(at).map(|cell| cell.0)).collect();
        lines.push(json!(cells));
    }
    for message in client.simple_query("select * from typed order by n").await? {
        if let SimpleQueryMessage::Row(row) = message {
            lines.push(json!((0..row.len()).map(|at| row.get(at)).collect::<Vec<_>>()));
        }
    }
    Ok(json!({ "values": lines }))
}

async fn play(client: &mut Client, name: &str) -> Result<Value, Failed> {
    Ok(match name {
        "allow" => {
            let count: i64 = client.query_one("select count(*) from orders", &[]).await?.get(0);
            json!({ "value": count.to_string() })
        }
        "deny" => {
            let said = error_of(client, DENIED).await;
            usable(client, said).await?
        }
        "approve" => {
            let sql = "update orders set status = 'paid' where id = 3 returning status";
            json!({ "value": client.query_one(sql, &[]).await?.get::<_, String>(0) })
        }
        "expire" => {
            let said = error_of(client, "delete from orders where id = 4").await;
            usable(client, said).await?
        }
        "mask" => {
            let sql = "select name, email, pin from users where id = $1";
            let row = client.query_one(sql, &[&2_i32]).await?;
            let pin: Option<i32> = row.get(2);
            let pin = pin.map(|it| it.to_string()).unwrap_or_default();
            json!({ "value": format!("{}|{}|{pin}", row.get::<_, &str>(0), row.get::<_, &str>(1)) })
        }
        "error" => {
            let said = error_of(client, "select 1 / 0").await;
            usable(client, said).await?
        }
        "cancel" => {
            let said = cancel(client).await;
            usable(client, said).await?
        }
        "transaction" => transaction(client).await?,
        "big" => json!({ "value": big(client).await? }),
        "copy" => json!({ "value": copy(client).await? }),
        "params" => {
            let statement = client.prepare("select $1::int + $2::int").await?;
            // All at once: the driver pipelines them.
            let values: Vec<i32> = (0..10).collect();
            let all = values.iter().map(|number| async {
                let number = *number;
                client.query_one(&statement, &[&number, &1_i32]).await.map(|row| row.get::<_, i32>(0))
            });
            let sums = futures_util::future::try_join_all(all).await?;
            json!({ "value": sums.iter().sum::<i32>().to_string() })
        }
        "types" => types(client).await?,
        other => panic!("no scenario {other}"),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut config = tokio_postgres::Config::new();
    config
        .host(variable("PGHOST"))
        .port(variable("PGPORT").parse()?)
        .dbname(variable("PGDATABASE"))
        .user(variable("PGUSER"))
        .password(variable("PGPASSWORD"));
    let mut client = if is_plain() {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        client
    } else {
        let (client, connection) = config.ssl_mode(SslMode::Require).connect(verified()?).await?;
        tokio::spawn(connection);
        client
    };
    for name in variable("SCENARIOS").split(',') {
        let mut said = play(&mut client, name).await?;
        said["scenario"] = name.into();
        println!("{said}");
    }
    Ok(())
}
