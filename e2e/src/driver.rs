//! Real drivers in their own languages: each is a program in `clients/` that plays scenarios by name and
//! prints a line of JSON for each.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::gateway::{Gateway, python, target};

/// What runs a program of `clients/`.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// A script of `clients/`, run by the tests' Python.
    Python(&'static str),
    /// A script of `clients/node/`, run by Node.js.
    Node(&'static str),
    /// `clients/jdbc/Main.java`.
    Java,
    /// A program that cargo built.
    Built(&'static str),
}

/// A driver, and how it is to play.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The program.
    pub program: Program,
    /// Its further environment.
    pub environment: &'static [(&'static str, &'static str)],
    /// Whether it speaks TLS to the gateway.
    pub tls: bool,
}

/// A driver at work.
#[derive(Debug)]
pub struct Playing {
    child: Child,
    lines: Receiver<String>,
}

impl Driver {
    fn command(&self) -> Command {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let mut command = match self.program {
            Program::Python(script) => {
                let mut command = Command::new(python());
                command
                    .arg(clients.join(script))
                    .env("PYTHONPATH", &clients)
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Program::Node(script) => {
                let home = made("node", "node_modules/pg");
                let mut command = Command::new("node");
                command
                    .arg(clients.join("node").join(script))
                    .env("NODE_PATH", home.join("node_modules"))
                    .env("PRISMA_CLIENT", home.join("generated"));
                command
            }
            Program::Java => {
                let mut command = Command::new("java");
                let classes = made("jdbc", "Main.class");
                let path = format!("{}:/usr/share/java/postgresql.jar", classes.display());
                // One short-lived program: the fast compiler alone, and little memory.
                command.args([
                    "-XX:TieredStopAtLevel=1",
                    "-XX:+UseSerialGC",
                    "-Xshare:auto",
                    "-cp",
                    &path,
                    "Main",
                ]);
                command
            }
            Program::Built(path) => Command::new(path),
        };
        command.envs(self.environment.iter().copied());
        command
    }

    /// Plays scenarios through the gateway.
    #[must_use]
    pub fn play(&self, gateway: &Gateway, who: &str, scenarios: &[&str]) -> Playing {
        let mut place = gateway.parameters(&gateway.token(who));
        place.push(("GATEWAY_CA", gateway.path("sallyport-data/keys/tls/ca.pem").display().to_string()));
        self.spawn(&place, scenarios)
    }

    /// Plays scenarios on the server itself, to compare.
    #[must_use]
    pub fn play_directly(&self, gateway: &Gateway, scenarios: &[&str]) -> Playing {
        self.spawn(&gateway.direct_parameters(), scenarios)
    }

    fn spawn(&self, place: &[(&'static str, String)], scenarios: &[&str]) -> Playing {
        let mut command = self.command();
        for (name, value) in place {
            let variable = match *name {
                "dbname" => "PGDATABASE".to_owned(),
                "GATEWAY_CA" => "GATEWAY_CA".to_owned(),
                other => format!("PG{}", other.to_uppercase()),
            };
            command.env(variable, value);
        }
        let mut child = command
            .env("SCENARIOS", scenarios.join(","))
            .env("PGCONNECT_TIMEOUT", "30")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
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
        Playing { child, lines }
    }
}

impl Playing {
    /// What it says of the next scenario.
    #[track_caller]
    pub fn said(&mut self, scenario: &str) -> Value {
        let line = self
            .lines
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|_| panic!("{scenario}: the client says nothing"));
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(said["scenario"], scenario, "{line}");
        said
    }

    /// Waits for its end, which must be a good one.
    #[track_caller]
    pub fn ended(mut self) {
        assert!(self.child.wait().expect("its end").success(), "the client failed at its end");
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A folder beside the built programs that `cargo xtask test` fills. Without it the tests fail: a client that
/// is not there was not tested.
pub(crate) fn made(name: &str, holds: &str) -> PathBuf {
    let folder = target().parent().expect("target").join(name);
    assert!(
        folder.join(holds).exists(),
        "{} is not there; `cargo xtask clients` makes it",
        folder.join(holds).display()
    );
    folder
}
