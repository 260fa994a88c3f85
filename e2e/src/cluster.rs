//! One PostgreSQL for all test processes.
//!
//! Whoever comes first starts it under a file lock, with a watcher as its parent; everybody holds a
//! shared lock while using it. When the watcher has been able to take that lock exclusively for half a
//! minute, nobody is left, and it ends the server and removes its files.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::eventually;

/// The role that the gateway signs in as, by SCRAM.
pub(crate) const APP: &str = "app";
/// Its password.
pub(crate) const APP_PASSWORD: &str = "app-secret";

const WATCHER: &str = r#"
"$1/postgres" -D "$2/data" >>"$2/log" 2>&1 &
server=$!
idle=0
while kill -0 $server 2>/dev/null; do
  sleep 2
  if flock -n -x "$3" true; then idle=$((idle + 1)); else idle=0; fi
  if [ $idle -ge 15 ]; then
    flock -n -x "$3" sh -c "kill -INT $server; while kill -0 $server 2>/dev/null; do sleep 0.1; done; rm -rf '$2'/*" || idle=0
  fi
done
"#;

/// The running server.
#[derive(Debug)]
pub struct Cluster {
    /// Where it listens on loopback.
    pub port: u16,
    home: PathBuf,
    _in_use: File,
}

/// The SQL that every test's database is a copy of.
#[must_use]
pub fn seed() -> &'static str {
    include_str!("seed.sql")
}

impl Cluster {
    /// The role that the gateway signs in as, and its password.
    pub const ROLE: (&str, &str) = (APP, APP_PASSWORD);

    /// The server, started if need be.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let base = base();
        fs::create_dir_all(&base).expect("the server's folder");
        fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).expect("its mode");
        let users = lock_file(&base.join("users.lock"));
        users.lock_shared().expect("the lock of users");
        let starting = lock_file(&base.join("start.lock"));
        starting.lock().expect("the lock of starters");
        let home = base.join("pg");
        let port_file = home.join("port");
        if let Some(port) = fs::read_to_string(&port_file).ok().and_then(|text| text.trim().parse().ok()) {
            let found = Self { port, home: home.clone(), _in_use: users };
            if found.try_sql("postgres", "select 1").is_ok() {
                return found;
            }
            return Self::fresh(&home, &base, found._in_use);
        }
        Self::fresh(&home, &base, users)
    }

    #[expect(clippy::zombie_processes, reason = "the server outlives every test process and ends by itself")]
    fn fresh(home: &Path, base: &Path, users: File) -> Self {
        let programs = programs();
        let owner = owner();
        drop(fs::remove_dir_all(home));
        fs::create_dir_all(home).expect("the cluster's folder");
        if let Some((user, group)) = owner {
            chown(home, Some(user), Some(group)).expect("the cluster's owner");
        }
        let run = |command: &mut Command| {
            let output = as_owner(command, owner).output().expect("a program of PostgreSQL");
            assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let data = home.join("data");
        run(Command::new(programs.join("initdb")).current_dir(home).arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]));
        // The server's own folder for the administrator, SCRAM for everybody else.
        fs::write(
            data.join("pg_hba.conf"),
            "local all postgres trust\nhost all direct 127.0.0.1/32 password\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n",
        )
        .expect("pg_hba.conf");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let settings = format!(
            "listen_addresses='127.0.0.1'\nport={port}\nunix_socket_directories='{}'\nmax_connections=200\n\
             fsync=off\nfull_page_writes=off\nsynchronous_commit=off\nautovacuum=off\nlog_statement=all\n\
             log_line_prefix='%d|%a|'\nshared_buffers=32MB\nmax_wal_senders=4\nwal_level=replica\n",
            home.display()
        );
        fs::OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))
            .and_then(|mut file| file.write_all(settings.as_bytes()))
            .expect("postgresql.conf");
        let mut watcher = Command::new("sh");
        watcher
            .current_dir(home)
            .args(["-c", WATCHER, "watcher"])
            .args([&programs, home, &base.join("users.lock")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        as_owner(&mut watcher, owner).spawn().expect("the server");
        let cluster = Self { port, home: home.to_path_buf(), _in_use: users };
        eventually("PostgreSQL answers", || cluster.try_sql("postgres", "select 1").ok());
        cluster.script("postgres", seed());
        fs::write(home.join("port"), port.to_string()).expect("the port's file");
        cluster
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new("psql");
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"])
            .arg(&self.home)
            .args(["-p", &self.port.to_string()])
            .env_remove("PGPASSWORD")
            .env("PGAPPNAME", "e2e-admin");
        command
    }

    fn try_sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let output = self.psql(database).args(["-c", sql]).output().expect("psql");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn script(&self, database: &str, sql: &str) {
        let mut child =
            self.psql(database).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("psql");
        child.stdin.take().expect("its input").write_all(sql.as_bytes()).expect("the script");
        assert!(child.wait().expect("psql").success(), "the shop could not be made");
    }

    /// Runs SQL as the server's own administrator, past the gateway.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.try_sql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// A new copy of the shop.
    pub(crate) fn new_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("shop_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let _old = self.try_sql("postgres", &format!("drop database if exists {name} with (force)"));
        eventually("a copy of the shop", || {
            self.try_sql("postgres", &format!("create database {name} template shop owner {APP}")).ok()
        });
        name
    }

    pub(crate) fn drop_database(&self, name: &str) {
        let _gone = self.try_sql("postgres", &format!("drop database if exists {name} with (force)"));
    }

    /// Whether the server has run a text with these words in a database, for anybody but us.
    pub fn has_run(&self, database: &str, words: &str) -> bool {
        let log = fs::read(self.home.join("log")).expect("the server's log");
        let begin = format!("{database}|");
        String::from_utf8_lossy(&log)
            .lines()
            .any(|line| line.starts_with(&begin) && !line.contains("|e2e-admin|") && line.contains(words))
    }
}

/// A folder that other users may reach: the server runs as one when this process is root.
fn base() -> PathBuf {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_MANIFEST_DIR"), seed(), WATCHER).hash(&mut hasher);
    std::env::temp_dir().join(format!("sallyport-e2e-{}-{:08x}", my_user(), hasher.finish() as u32))
}

fn my_user() -> u32 {
    fs::metadata("/proc/self").map_or(0, |it| it.uid())
}

/// Whom the server runs as, when we are root: it refuses root.
fn owner() -> Option<(u32, u32)> {
    (my_user() == 0).then(|| {
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let of = |name: &str| {
            users
                .lines()
                .map(|line| line.split(':').collect::<Vec<_>>())
                .find(|line| line[0] == name)
                .map(|line| (line[2].parse().expect("a user id"), line[3].parse().expect("a group id")))
        };
        of("postgres").or_else(|| of("nobody")).expect("a user other than root")
    })
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) -> &mut Command {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// The newest server programs.
fn programs() -> PathBuf {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| version(path));
    if let Some(dir) = newest {
        return dir.join("bin");
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .find(|dir| dir.join("initdb").exists())
        .expect("PostgreSQL's server is not installed; `cargo xtask test` installs it")
}

fn lock_file(path: &Path) -> File {
    fs::OpenOptions::new().create(true).truncate(false).write(true).open(path).expect("a lock file")
}
