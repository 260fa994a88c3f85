//! One gateway for one test: its own process, folder, policy, ports and database.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::cluster::{APP, APP_PASSWORD, Cluster};
use crate::{eventually, within};

/// Which rules a gateway starts with.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// Those of `sallyport init`.
    Starter,
    /// Those of `sallyport init`, and these beside them.
    StarterAnd(&'static str),
    /// These alone.
    Only(&'static str),
}

/// What differs from the ordinary gateway.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The rules.
    pub policy: Policy,
    /// Whether callers speak TLS.
    pub tls: bool,
    /// Lines of `[limits]`.
    pub limits: &'static str,
    /// Further lines of `[listen]`.
    pub listen: &'static str,
    /// Further lines of the target.
    pub target: &'static str,
    /// Whether the target's server is left out: its port refuses.
    pub target_down: bool,
    /// Where something stands before the server.
    pub target_port: Option<u16>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::Starter,
            tls: true,
            limits: "",
            listen: "",
            target: "",
            target_down: false,
            target_port: None,
        }
    }
}

/// A running gateway. Dropping it ends the process and removes its folder and database.
#[derive(Debug)]
pub struct Gateway {
    /// The database that belongs to this test.
    pub database: String,
    /// The server behind it.
    pub cluster: &'static Cluster,
    /// Where PostgreSQL clients connect.
    pub address: SocketAddr,
    api: String,
    dir: tempfile::TempDir,
    process: Mutex<Option<Child>>,
    tokens: Mutex<HashMap<String, String>>,
    tls: bool,
}

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it wrote.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

impl Ran {
    /// The output of a program that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }
}

const PRINCIPALS: &str = r#"
[[principal]]
name = "admin"
kind = "human"
roles = ["admin", "viewer", "auditor"]
[[principal]]
name = "bob@example.com"
kind = "human"
groups = ["dba"]
roles = ["viewer", "approver"]
[[principal]]
name = "dora@example.com"
kind = "human"
groups = ["dba"]
roles = ["viewer", "approver"]
[[principal]]
name = "alice@example.com"
kind = "human"
groups = ["engineers", "dba"]
roles = ["viewer", "approver"]
[[principal]]
name = "victor@example.com"
kind = "human"
roles = ["viewer"]
[[principal]]
name = "claude-code"
kind = "agent"
on_behalf_of = "alice@example.com"
groups = ["agents", "dba"]
[[principal]]
name = "codex"
kind = "agent"
on_behalf_of = "bob@example.com"
groups = ["agents"]
[[principal]]
name = "dumper"
kind = "service"
groups = ["backups"]
"#;

const LABELS: &str = r#"
[[label]]
name = "pii.email"
columns = ["*/*/public.users.email"]
[[label]]
name = "pii.ssn"
columns = ["*/*/public.users.ssn"]
[[label]]
name = "pii.diagnosis"
columns = ["*/*/public.users.diagnosis", "*/*/public.users.profile", "*/*/public.users.pin"]
# Revealed by the rules of tests that compare values: detectors then leave them alone.
[[label]]
name = "of-every-type"
columns = ["*/*/public.typed.*"]
"#;

impl Gateway {
    /// The ordinary gateway: starting policy, TLS.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// One that differs.
    #[must_use]
    pub fn with(options: Options) -> Self {
        let cluster = Cluster::shared();
        let database = cluster.new_database();
        let dir = tempfile::Builder::new().prefix("sallyport-gw-").tempdir().expect("a folder");
        let mut gateway = Self {
            database,
            cluster,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            api: String::new(),
            dir,
            process: Mutex::new(None),
            tokens: Mutex::new(HashMap::new()),
            tls: options.tls,
        };
        gateway.run(&["init", gateway.dir.path().join("gw").to_str().expect("a path")], &[]).ok();
        gateway.write("labels.toml", LABELS);
        gateway.write("sallyport.toml", &gateway.configuration(options, PRINCIPALS));
        match options.policy {
            Policy::Starter => {}
            Policy::StarterAnd(more) => gateway.write("policy/more.cedar", more),
            Policy::Only(text) => {
                fs::remove_dir_all(gateway.path("policy")).expect("the starting policy");
                fs::create_dir(gateway.path("policy")).expect("the policy's folder");
                gateway.write("policy/only.cedar", text);
            }
        }
        gateway.launch();
        gateway
    }

    fn configuration(&self, options: Options, principals: &str) -> String {
        let tls = if options.tls { "" } else { "tls = \"off\"\n" };
        let port = if options.target_down { 1 } else { options.target_port.unwrap_or(self.cluster.port) };
        format!(
            "data_dir = \"sallyport-data\"\n[listen]\npostgres = \"127.0.0.1:0\"\napi = \"127.0.0.1:0\"\n{tls}{}\n\
             [[target]]\nname = \"shop-prod\"\nprotocol = \"postgres\"\naddress = \"127.0.0.1:{port}\"\n\
             database = \"{}\"\nuser = \"{APP}\"\ncredential = \"env:SHOP_PASSWORD\"\n\
             tls = {{ mode = \"disable\" }}\ntags = {{ env = \"production\" }}\n{}\n{principals}\n\
             [policy]\ndir = \"policy\"\n[masking]\nlabels = \"labels.toml\"\n[limits]\n{}\n",
            options.listen, self.database, options.target, options.limits
        )
    }

    /// Writes the principals again, changed; the gateway takes them within a second.
    pub fn change_principals(&self, options: Options, change: impl Fn(&str) -> String) {
        self.write("sallyport.toml", &self.configuration(options, &change(PRINCIPALS)));
    }

    /// Starts the process again after it ended.
    pub fn launch(&mut self) {
        let mut log = File::create(self.path("log")).expect("a log");
        // Ignored, so that a file limit is an error of a write and not the end of the process.
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\""])
            .arg(program())
            .arg(self.path("sallyport.toml"))
            .env("SHOP_PASSWORD", APP_PASSWORD)
            .env_remove("SALLYPORT_URL")
            .env_remove("SALLYPORT_TOKEN")
            .env_remove("SALLYPORT_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the gateway");
        // Through a pipe, so that a file limit of the gateway does not cut its log.
        let mut said = child.stderr.take().expect("its log");
        std::thread::spawn(move || std::io::copy(&mut said, &mut log));
        *self.process.lock().expect("the process") = Some(child);
        let line = within(Duration::from_secs(60), "the gateway serves", &mut || {
            if let Some(child) = self.process.lock().expect("the process").as_mut() {
                assert!(child.try_wait().expect("its state").is_none(), "it ended: {}", self.log());
            }
            self.log().lines().find(|line| line.contains("\"message\":\"serving\"")).map(str::to_owned)
        });
        let said: Value = serde_json::from_str(&line).expect("a log line");
        self.address = said["postgres"].as_str().and_then(|it| it.parse().ok()).expect("an address");
        self.api = format!("http://{}", said["api"].as_str().expect("an address"));
    }

    /// Where callers of one target alone connect.
    pub fn own_address(&self, target: &str) -> SocketAddr {
        let log = self.log();
        let line = log
            .lines()
            .filter(|line| line.contains("listening for one target"))
            .find(|line| line.contains(&format!("\"target\":\"{target}\"")))
            .expect("a listener of its own");
        let said: Value = serde_json::from_str(line).expect("a log line");
        said["address"].as_str().and_then(|it| it.parse().ok()).expect("an address")
    }

    /// A file of this gateway.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("gw").join(name)
    }

    /// Writes a file of this gateway.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.lock().expect("the process").as_ref().expect("it runs").id()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits until it has ended.
    pub fn ended(&self) {
        eventually("the gateway ends", || {
            self.process.lock().expect("the process").as_mut()?.try_wait().expect("its state")
        });
        *self.process.lock().expect("the process") = None;
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = Command::new(program())
            .args(arguments)
            .env_remove("SALLYPORT_URL")
            .env_remove("SALLYPORT_TOKEN")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the command");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The command line, as somebody.
    pub fn cli(&self, who: &str, arguments: &[&str]) -> Ran {
        let token = self.token(who);
        self.run(arguments, &[("SALLYPORT_URL", &self.api), ("SALLYPORT_TOKEN", &token)])
    }

    /// The command line without a gateway, on this configuration.
    pub fn offline(&self, arguments: &[&str]) -> Ran {
        let file = self.path("sallyport.toml");
        let config = ["--config", file.to_str().expect("a path")];
        self.run(&[arguments, &config].concat(), &[("SHOP_PASSWORD", APP_PASSWORD)])
    }

    /// What the command line prints as JSON.
    pub fn json(&self, who: &str, arguments: &[&str]) -> Value {
        let out = self.cli(who, &[arguments, &["--json"]].concat()).ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// A token of a principal; the same one each time.
    pub fn token(&self, who: &str) -> String {
        if who == "admin" {
            let file = self.path("sallyport-data/admin.token");
            return fs::read_to_string(file).expect("the first token").trim().to_owned();
        }
        if let Some(token) = self.tokens.lock().expect("tokens").get(who) {
            return token.clone();
        }
        let token = self.new_token(who, &[]);
        self.tokens.lock().expect("tokens").insert(who.to_owned(), token.clone());
        token
    }

    /// A fresh token.
    pub fn new_token(&self, who: &str, more: &[&str]) -> String {
        let arguments = [&["tokens", "create", who], more].concat();
        self.cli("admin", &arguments).ok().trim().to_owned()
    }

    /// Lets every token that has an end come to it: a minute is the shortest life one can ask for.
    pub fn age_tokens(&self) {
        let age = "import sqlite3, sys; it = sqlite3.connect(sys.argv[1], timeout=10); \
                   it.execute('update tokens set expires = created where expires is not null'); it.commit()";
        let store = self.path("sallyport-data/store.db");
        let done = Command::new(python()).args(["-c", age]).arg(store).status().expect("python");
        assert!(done.success());
    }

    /// The one open request, once there is one.
    pub fn open_request(&self) -> String {
        eventually("a request waits", || {
            let list = self.json("bob@example.com", &["approvals", "list"]);
            let requests = list["requests"].as_array().expect("a list");
            assert!(requests.len() < 2, "{list}");
            Some(requests.first()?["id"].as_str()?.to_owned())
        })
    }

    /// How many requests are open.
    pub fn open_requests(&self) -> usize {
        let list = self.json("bob@example.com", &["approvals", "list"]);
        list["requests"].as_array().expect("a list").len()
    }

    /// How a request stands.
    pub fn request_state(&self, id: &str) -> String {
        let shown = self.json("bob@example.com", &["approvals", "show", id]);
        shown["state"].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned()
    }

    /// Says yes, as bob.
    pub fn approve(&self, id: &str) {
        self.cli("bob@example.com", &["approvals", "approve", id]).ok();
    }

    /// The newest session's id.
    pub fn newest_session(&self) -> String {
        let list = self.json("admin", &["sessions", "list"]);
        list["sessions"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}")).to_owned()
    }

    /// SQL as the server's administrator, on this test's database.
    pub fn admin_sql(&self, sql: &str) -> String {
        self.cluster.sql(&self.database, sql)
    }

    /// Whether the target has run a text with these words, for the gateway.
    pub fn has_run(&self, words: &str) -> bool {
        self.cluster.has_run(&self.database, words)
    }

    /// What `psql` and psycopg connect with.
    pub fn parameters(&self, token: &str) -> Vec<(&'static str, String)> {
        vec![
            ("host", "127.0.0.1".to_owned()),
            ("port", self.address.port().to_string()),
            ("dbname", "shop-prod".to_owned()),
            ("user", "whoever".to_owned()),
            ("password", token.to_owned()),
            ("sslmode", if self.tls { "require" } else { "disable" }.to_owned()),
        ]
    }
}

impl Gateway {
    /// What clients connect to the server itself with, past the gateway, to compare.
    pub fn direct_parameters(&self) -> Vec<(&'static str, String)> {
        vec![
            ("host", "127.0.0.1".to_owned()),
            ("port", self.cluster.port.to_string()),
            ("dbname", self.database.clone()),
            ("user", "direct".to_owned()),
            ("password", "direct-secret".to_owned()),
            ("sslmode", "disable".to_owned()),
        ]
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(25).collect();
            eprintln!("---- the gateway's log, newest first\n{}", tail.join("\n"));
        }
        if let Some(mut child) = self.process.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(child.kill());
            drop(child.wait());
        }
        self.cluster.drop_database(&self.database);
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    let done = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("kill");
    assert!(done.success(), "kill -{name} {pid}");
}

/// The program under test: named by the environment, else built here, once.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(named) = std::env::var_os("SALLYPORT_PROGRAM") {
            return PathBuf::from(named);
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // Cargo's own lock lets one build at a time; the others find it done.
        let built = Command::new(cargo)
            .args(["build", "--quiet", "-p", "sallyport"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo");
        assert!(built.success(), "the program could not be built");
        target().join("sallyport")
    })
}

/// The folder with this profile's programs: tests run from its `deps`.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().expect("this test's own path");
    test.ancestors().nth(2).expect("target/<profile>").to_path_buf()
}

/// A Python with psycopg 3. Without one the tests fail: a client that is not there was not tested.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        for variable in ["SALLYPORT_E2E_PYTHON", "SALLYPORT_PYTHON"] {
            if let Some(named) = std::env::var_os(variable) {
                return PathBuf::from(named);
            }
        }
        let made = target().parent().expect("target").join("venv/bin/python");
        if made.exists() {
            return made;
        }
        let found = Command::new("python3")
            .args(["-c", "import psycopg"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        assert!(found, "psycopg 3 is not installed; `cargo xtask test` makes target/venv with it");
        PathBuf::from("python3")
    })
}
