//! The two clients of the scenario table, behind one face: a live session that is asked and answers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::gateway::{Gateway, python, signal};

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `psql`: simple queries.
    Psql,
    /// psycopg 3: the extended protocol as soon as there is a parameter.
    Psycopg,
}

/// What came of one statement.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The rows, as text.
    pub rows: String,
    /// The SQLSTATE of its error.
    pub sqlstate: Option<String>,
    /// The error's message.
    pub message: String,
    /// The error's DETAIL.
    pub detail: String,
    /// The error's HINT.
    pub hint: String,
    /// Notices, each with detail and hint.
    pub notices: String,
    /// Everything that was said.
    pub all: String,
}

impl Outcome {
    /// The rows of a statement that must have succeeded.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert!(self.sqlstate.is_none(), "{}", self.all);
        &self.rows
    }

    /// Must be a refusal of ours with this code.
    #[track_caller]
    pub fn refused(&self, sqlstate: &str, code: &str) -> &Self {
        assert_eq!(self.sqlstate.as_deref(), Some(sqlstate), "{}", self.all);
        assert!(self.detail.starts_with(code), "DETAIL is {:?}: {}", self.detail, self.all);
        assert!(!self.hint.is_empty(), "a refusal says what to do: {}", self.all);
        self
    }
}

/// A session of one client through the gateway.
#[derive(Debug)]
pub struct Session {
    kind: Kind,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

const END: &str = "@@the-end@@";

/// Connects and says what came of it.
pub fn attempt(gateway: &Gateway, kind: Kind, token: &str) -> (Session, Outcome) {
    let mut session = Session::spawn(gateway, kind, token);
    let outcome = match kind {
        Kind::Psql => {
            session.write("select 1;\n\\warn ");
            session.write(END);
            session.write("\n");
            session.finish()
        }
        Kind::Psycopg => session.finish(),
    };
    (session, outcome)
}

impl Session {
    /// Connects as a principal.
    #[track_caller]
    pub fn open(gateway: &Gateway, kind: Kind, who: &str) -> Self {
        let (session, outcome) = attempt(gateway, kind, &gateway.token(who));
        outcome.ok();
        session
    }

    fn spawn(gateway: &Gateway, kind: Kind, token: &str) -> Self {
        let parameters = gateway.parameters(token);
        let mut command = match kind {
            Kind::Psql => {
                let (password, words): (Vec<_>, Vec<_>) =
                    parameters.iter().cloned().partition(|(name, _)| *name == "password");
                let conninfo: Vec<String> =
                    words.iter().map(|(name, value)| format!("{name}={value}")).collect();
                // One stream, so that notices, rows and errors keep their order.
                let mut command = Command::new("sh");
                command
                    .args([
                        "-c",
                        "exec psql -X -q -A -t -v VERBOSITY=verbose -v SHOW_CONTEXT=never \"$0\" 2>&1",
                    ])
                    .arg(conninfo.join(" "))
                    .env("PGPASSWORD", &password[0].1);
                command
            }
            Kind::Psycopg => {
                let mut command = Command::new(python());
                command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/driver.py"));
                command
            }
        };
        let mut child = command
            .env("PGCONNECT_TIMEOUT", "30")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        let mut session = Self { kind, child, input, lines };
        if kind == Kind::Psycopg {
            let words: serde_json::Map<String, Value> =
                parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            session.write(&format!("{}\n", Value::Object(words)));
        }
        session
    }

    fn write(&mut self, text: &str) {
        // A client that has ended says so by its last words; what is written to it is lost.
        let _lost = self.input.as_mut().expect("its input").write_all(text.as_bytes());
    }

    /// Sends a statement and does not wait.
    pub fn start(&mut self, sql: &str) {
        match self.kind {
            Kind::Psql => {
                assert!(!sql.contains('\n'), "psql is given one line");
                self.write(&format!("{sql};\n\\warn {END}\n"));
            }
            Kind::Psycopg => self.request(&json!({ "sql": sql })),
        }
    }

    /// Sends a request of the driver's own (psycopg only) and does not wait.
    pub fn request(&mut self, request: &Value) {
        assert_eq!(self.kind, Kind::Psycopg);
        self.write(&format!("{request}\n"));
    }

    /// What came of what was sent.
    #[track_caller]
    pub fn finish(&mut self) -> Outcome {
        match self.kind {
            Kind::Psql => self.finish_psql(),
            Kind::Psycopg => self.finish_psycopg(),
        }
    }

    /// Runs one statement.
    #[track_caller]
    pub fn run(&mut self, sql: &str) -> Outcome {
        self.start(sql);
        self.finish()
    }

    /// Runs one request of the driver (psycopg only).
    #[track_caller]
    pub fn ask(&mut self, request: &Value) -> Outcome {
        self.request(request);
        self.finish()
    }

    /// Cancels, the client's way: Ctrl-C, or `Connection.cancel()`.
    pub fn cancel(&mut self) {
        match self.kind {
            Kind::Psql => signal(self.child.id(), "INT"),
            Kind::Psycopg => self.request(&json!({ "op": "cancel" })),
        }
    }

    /// Whether something has been said already.
    pub fn next_line(&mut self, wait: Duration) -> Option<String> {
        self.lines.recv_timeout(wait).ok()
    }

    #[track_caller]
    fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(Duration::from_secs(45)) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the client says nothing"),
        }
    }

    #[track_caller]
    fn finish_psql(&mut self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut in_notice = false;
        while let Some(line) = self.line() {
            if line == END {
                break;
            }
            outcome.all.push_str(&line);
            outcome.all.push('\n');
            let severity =
                ["ERROR:  ", "FATAL:  "].iter().find_map(|it| line.strip_prefix(it)).or_else(|| {
                    line.find("FATAL:  ")
                        .filter(|_| line.starts_with("psql: error:"))
                        .map(|at| &line[at + 8..])
                });
            if let Some(rest) = severity {
                let (state, message) = rest.split_once(": ").unwrap_or(("", rest));
                // Before the connection stands, psql shows no SQLSTATE.
                let is_state = state.len() == 5 && !state.contains(' ');
                outcome.sqlstate = Some(if is_state { state } else { "start" }.to_owned());
                message.clone_into(&mut outcome.message);
                in_notice = false;
            } else if line.starts_with("NOTICE:  ") || line.starts_with("WARNING:  ") {
                in_notice = true;
                outcome.notices.push_str(&line);
            } else if let Some(detail) = line.strip_prefix("DETAIL:  ") {
                if in_notice {
                    outcome.notices.push_str(detail)
                } else {
                    detail.clone_into(&mut outcome.detail)
                }
            } else if let Some(hint) = line.strip_prefix("HINT:  ") {
                if in_notice { outcome.notices.push_str(hint) } else { hint.clone_into(&mut outcome.hint) }
            } else if line.starts_with("LOCATION:  ") || line == "Cancel request sent" {
                // Of no interest.
            } else if line.contains("connection to server was lost") || line.contains("server closed") {
                outcome.sqlstate.get_or_insert_with(|| "closed".to_owned());
            } else {
                outcome.rows.push_str(&line);
                outcome.rows.push('\n');
            }
        }
        outcome
    }

    #[track_caller]
    fn finish_psycopg(&mut self) -> Outcome {
        let line = self.line().expect("the driver answers");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let error = &said["error"];
        Outcome {
            rows: said["rows"]
                .as_array()
                .map(|rows| {
                    let cell = |cell: &Value| match cell {
                        Value::String(text) => text.clone(),
                        Value::Null => String::new(),
                        other => other.to_string(),
                    };
                    let row = |row: &Value| match row {
                        Value::Array(cells) => cells.iter().map(cell).collect::<Vec<_>>().join("|"),
                        other => cell(other),
                    };
                    rows.iter().map(|it| row(it) + "\n").collect::<String>()
                })
                .unwrap_or_default(),
            sqlstate: (!error.is_null()).then(|| error["sqlstate"].as_str().unwrap_or("closed").to_owned()),
            message: text(&error["message"]),
            detail: text(&error["detail"]),
            hint: text(&error["hint"]),
            notices: said["notices"].to_string(),
            all: line,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
