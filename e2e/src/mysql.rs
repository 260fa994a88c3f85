//! A gateway before MariaDB, and the clients of its protocol behind one face: a live session that is asked and
//! answers.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use crate::gateway::{Gateway, Options, python};
use crate::mariadb::MariaDb;

/// A gateway with a target that speaks MySQL's protocol, beside the ordinary one. The server and its password
/// are those of the tests.
#[derive(Debug)]
pub struct MysqlGateway {
    gateway: Gateway,
    /// Where clients connect.
    pub port: u16,
    /// This test's database.
    pub database: String,
    server: &'static MariaDb,
    ca: Option<PathBuf>,
}

impl Deref for MysqlGateway {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

const LABELS: &str = r#"
[[label]]
name = "pii.email"
columns = ["*/*/*.users.email"]
[[label]]
name = "pii.ssn"
columns = ["*/*/*.users.ssn"]
[[label]]
name = "pii.diagnosis"
columns = ["*/*/*.users.diagnosis", "*/*/*.users.profile", "*/*/*.users.pin", "*/*/*.users.photo"]
"#;

impl MysqlGateway {
    /// One with these options. `user` is the account that the gateway signs in with.
    #[must_use]
    pub fn with(options: Options, user: &str) -> Self {
        Self::behind(options, user, if options.target_down { 1 } else { MariaDb::shared().port })
    }

    /// The same with something else in the server's place.
    #[must_use]
    pub fn behind(options: Options, user: &str, port: u16) -> Self {
        let server = MariaDb::shared();
        let database = server.new_database();
        let mut gateway = Gateway::with(options);
        let file = gateway.path("sallyport.toml");
        let text = fs::read_to_string(&file).expect("the configuration");
        // The target of the ordinary gateway stays, under another name.
        let text = text.replace("name = \"shop-prod\"", "name = \"postgres-prod\"").replacen(
            "[listen]\n",
            "[listen]\nmysql = \"127.0.0.1:0\"\n",
            1,
        );
        let target = format!(
            "[[target]]\nname = \"shop-prod\"\nprotocol = \"mysql\"\naddress = \"127.0.0.1:{port}\"\n\
             database = \"{database}\"\nuser = \"{user}\"\ncredential = \"env:SHOP_PASSWORD\"\n\
             tls = {{ mode = \"disable\" }}\ntags = {{ env = \"production\" }}\n[[principal]]\n"
        );
        gateway.write("sallyport.toml", &text.replacen("[[principal]]\n", &target, 1));
        gateway.write("labels.toml", LABELS);
        gateway.signal("TERM");
        gateway.ended();
        gateway.launch();
        let line =
            gateway.log().lines().find(|line| line.contains("\"message\":\"serving\"")).map(str::to_owned);
        let said: Value = serde_json::from_str(&line.expect("it serves")).expect("a log line");
        let address = said["mysql"].as_str().expect("an address").to_owned();
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let ca = options.tls.then(|| gateway.path("sallyport-data/keys/tls/ca.pem"));
        if let Some(ca) = &ca {
            assert!(ca.exists(), "{}", ca.display());
        }
        Self { gateway, port, database, server, ca }
    }

    /// SQL as the server's administrator, on this test's database.
    pub fn admin_sql(&self, sql: &str) -> String {
        self.server.sql(&format!("USE {}; {sql}", self.database))
    }

    /// Makes this test's database as it was in the beginning.
    pub fn renew(&self) {
        self.server.renew_database(&self.database);
    }

    /// Whether anybody has sent the server a text with these words.
    pub fn has_run(&self, words: &str) -> bool {
        self.server.has_run(words)
    }
}

impl Drop for MysqlGateway {
    fn drop(&mut self) {
        self.server.drop_database(&self.database);
    }
}

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MysqlClient {
    /// The `mariadb` command line.
    Mariadb,
    /// PyMySQL.
    PyMySql,
    /// MySQL Connector/Python.
    ConnectorPython,
    /// SQLAlchemy over PyMySQL.
    SqlAlchemy,
    /// mysql2 of Node.js.
    Mysql2,
    /// MariaDB Connector/J.
    ConnectorJ,
    /// sqlx of Rust.
    Sqlx,
    /// mysql_async of Rust.
    MysqlAsync,
}

impl MysqlClient {
    /// Whether it is played with TLS: what the Rust clients would need for it is under another licence than those
    /// that are allowed here.
    #[must_use]
    pub fn speaks_tls(self) -> bool {
        !matches!(self, Self::Sqlx | Self::MysqlAsync)
    }
}

/// What came of one statement.
#[derive(Clone, Debug)]
pub struct MysqlOutcome {
    /// Rows of values as text, `|` between the values and a line each.
    pub rows: String,
    /// The number of its error.
    pub code: Option<u64>,
    /// The error's text.
    pub message: String,
}

impl MysqlOutcome {
    /// The rows of a statement that must have succeeded.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert!(self.code.is_none(), "{self:?}");
        &self.rows
    }

    /// Must be a refusal of ours with this number and code.
    #[track_caller]
    pub fn refused(&self, number: u64, code: &str) {
        assert_eq!(self.code, Some(number), "{self:?}");
        assert!(self.message.contains(code), "{self:?}");
    }
}

/// A session of one client through the gateway.
#[derive(Debug)]
pub struct MysqlSession {
    client: MysqlClient,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// What the command line says behind each statement.
const END: &str = "@@the-end@@";

impl MysqlSession {
    /// Connects as a principal.
    #[track_caller]
    pub fn open(gateway: &MysqlGateway, client: MysqlClient, who: &str) -> Self {
        let (session, outcome) = Self::attempt(gateway, client, &gateway.token(who));
        outcome.ok();
        session
    }

    /// Connects and says what came of it.
    pub fn attempt(gateway: &MysqlGateway, client: MysqlClient, password: &str) -> (Self, MysqlOutcome) {
        Self::attempt_at(gateway, client, password, "shop-prod")
    }

    /// The same with a database's name.
    pub fn attempt_at(
        gateway: &MysqlGateway,
        client: MysqlClient,
        password: &str,
        database: &str,
    ) -> (Self, MysqlOutcome) {
        Self::attempt_as(gateway, client, None, password, database)
    }

    /// The same with the user name of a short-lived password.
    pub fn attempt_as(
        gateway: &MysqlGateway,
        client: MysqlClient,
        user: Option<&str>,
        password: &str,
        database: &str,
    ) -> (Self, MysqlOutcome) {
        let ca = gateway.ca.as_ref().map(|ca| ca.display().to_string()).unwrap_or_default();
        let port = gateway.port.to_string();
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/mysql");
        let mut command = match client {
            MysqlClient::Mariadb => {
                let mut command = Command::new("sh");
                let tls =
                    if ca.is_empty() { "--skip-ssl".to_owned() } else { format!("--ssl --ssl-ca={ca}") };
                command.args([
                    "-c",
                    "exec mariadb --no-defaults -h127.0.0.1 -P\"$0\" -u\"${SALLYPORT_USER:-anybody}\" $1 -N -B -n -f -c --unbuffered \"$2\" 2>&1",
                    &port,
                    &tls,
                    database,
                ]);
                command
            }
            MysqlClient::PyMySql | MysqlClient::ConnectorPython | MysqlClient::SqlAlchemy => {
                let kind = match client {
                    MysqlClient::PyMySql => "pymysql",
                    MysqlClient::ConnectorPython => "connector",
                    _ => "sqlalchemy",
                };
                let mut command = Command::new(python());
                command.arg(clients.join("driver.py")).args([kind, "127.0.0.1", &port, database, &ca]);
                command
            }
            MysqlClient::Mysql2 => {
                let mut command = Command::new("node");
                command
                    .arg(clients.join("driver.js"))
                    .args(["127.0.0.1", &port, database, &ca])
                    .env("NODE_PATH", node_modules());
                command
            }
            MysqlClient::ConnectorJ => {
                let mut command = Command::new("java");
                command
                    .args(["-cp", "/usr/share/java/mariadb-java-client.jar"])
                    .arg(clients.join("Driver.java"))
                    .args(["127.0.0.1", &port, database, &ca]);
                command
            }
            MysqlClient::Sqlx => {
                let mut command = Command::new(built("sqlx-mysql-client"));
                command.args(["127.0.0.1", &port, database]);
                command
            }
            MysqlClient::MysqlAsync => {
                let mut command = Command::new(built("mysql-async-client"));
                command.args(["127.0.0.1", &port, database]);
                command
            }
        };
        // `user:plugin` is a user name and the plugin that the client is to begin with.
        if let Some((user, plugin)) = user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            command.env("SALLYPORT_USER", user);
            if !plugin.is_empty() {
                command.env("SALLYPORT_PLUGIN", plugin);
            }
        }
        let mut child = command
            .env("SALLYPORT_PASSWORD", password)
            .env("MYSQL_PWD", password)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        let mut session = Self { client, child, input, lines };
        let outcome = if client == MysqlClient::Mariadb { session.run("SELECT 1") } else { session.finish() };
        (session, outcome)
    }

    fn write(&mut self, text: &str) {
        let input = self.input.as_mut().expect("its input");
        // A client that has ended says so when it is asked.
        let _gone = input.write_all(text.as_bytes()).and_then(|()| input.flush());
    }

    /// Begins a statement.
    pub fn start(&mut self, sql: &str) {
        match self.client {
            MysqlClient::Mariadb => self.write(&format!("{sql};\nSELECT '{END}';\n")),
            _ => self.write(&format!("query\t{}\n", sql.replace('\n', " "))),
        }
    }

    /// Begins another command of the drivers' own.
    pub fn start_op(&mut self, op: &str, words: &[&str]) {
        assert_ne!(self.client, MysqlClient::Mariadb);
        self.write(&format!("{}\n", [&[op], words].concat().join("\t")));
    }

    /// Waits for what was begun.
    #[track_caller]
    pub fn finish(&mut self) -> MysqlOutcome {
        let limit = Duration::from_secs(60);
        if self.client != MysqlClient::Mariadb {
            let line = match self.lines.recv_timeout(limit) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("{:?} did not answer", self.client),
                Err(RecvTimeoutError::Disconnected) => {
                    return MysqlOutcome { rows: String::new(), code: Some(0), message: "it ended".into() };
                }
            };
            let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let rows = said["rows"].as_array().into_iter().flatten().map(shown).collect();
            let error = &said["error"];
            return MysqlOutcome {
                rows,
                code: (!error.is_null()).then(|| error["code"].as_u64().unwrap_or(0)),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
            };
        }
        let (mut rows, mut code, mut message) = (String::new(), None, String::new());
        loop {
            // A connection that ended may take the end mark with it.
            let lost = matches!(code, Some(1053 | 2006 | 2013));
            let limit = if lost { Duration::from_secs(5) } else { limit };
            match self.lines.recv_timeout(limit) {
                Ok(line) if line == END => break,
                Err(RecvTimeoutError::Timeout) if lost => break,
                Ok(line) if line.starts_with("ERROR ") => {
                    let number = line.split_whitespace().nth(1).unwrap_or_default();
                    code = Some(number.parse().unwrap_or(0));
                    message = line;
                }
                Ok(line) => rows.push_str(&(line.replace('\t', "|") + "\n")),
                Err(RecvTimeoutError::Timeout) => panic!("the command line did not answer: {rows}"),
                Err(RecvTimeoutError::Disconnected) => {
                    code = code.or(Some(0));
                    break;
                }
            }
        }
        MysqlOutcome { rows, code, message }
    }

    /// Runs a statement.
    #[track_caller]
    pub fn run(&mut self, sql: &str) -> MysqlOutcome {
        self.start(sql);
        self.finish()
    }

    /// Runs a prepared statement with its parameters.
    #[track_caller]
    pub fn execute(&mut self, sql: &str, parameters: &[&str]) -> MysqlOutcome {
        self.start_op("exec", &[&[sql], parameters].concat());
        self.finish()
    }

    /// Runs another command of the drivers' own.
    #[track_caller]
    pub fn op(&mut self, op: &str, words: &[&str]) -> MysqlOutcome {
        self.start_op(op, words);
        self.finish()
    }
}

impl Drop for MysqlSession {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn shown(row: &Value) -> String {
    let one = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "NULL".to_owned(),
        other => other.to_string(),
    };
    let values: Vec<String> = row.as_array().into_iter().flatten().map(one).collect();
    values.join("|") + "\n"
}

/// A program of this package, which is built along with its tests.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let folder = test.ancestors().nth(2).expect("the folder that tests are built in");
    folder.join(name)
}

/// Where mysql2 is installed: beside the Python environment, as `cargo xtask test` makes both.
fn node_modules() -> PathBuf {
    if let Some(named) = std::env::var_os("SALLYPORT_NODE_MODULES") {
        return PathBuf::from(named);
    }
    let venv = python().parent().and_then(Path::parent).and_then(Path::parent);
    venv.unwrap_or(Path::new(".")).join("node/node_modules")
}
