//! One MariaDB for all test processes, kept as [`crate::Cluster`] keeps its PostgreSQL: whoever comes first starts
//! it, everybody holds a lock while using it, and it ends itself when nobody has for half a minute.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::cluster::APP_PASSWORD;
use crate::within;

const WATCHER: &str = r#"
"$1" --no-defaults --datadir="$2/data" --socket="$2/socket" --pid-file="$2/pid" --port="$(cat "$2/chosen")" \
  --bind-address=127.0.0.1 --skip-name-resolve --general-log=1 --general-log-file="$2/general.log" \
  --plugin-load-add=auth_ed25519 --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 \
  --performance-schema=0 --max-connections=400 $4 >>"$2/log" 2>&1 &
server=$!
idle=0
while kill -0 $server 2>/dev/null; do
  sleep 2
  if flock -n -x "$3" true; then idle=$((idle + 1)); else idle=0; fi
  if [ $idle -ge 15 ]; then
    flock -n -x "$3" sh -c "kill $server; while kill -0 $server 2>/dev/null; do sleep 0.1; done; rm -rf '$2'/*" || idle=0
  fi
done
"#;

/// The running server.
#[derive(Debug)]
pub struct MariaDb {
    /// Where it listens on loopback.
    pub port: u16,
    home: PathBuf,
    _in_use: File,
}

impl MariaDb {
    /// The server, started if need be.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
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
        let home = base.join("mariadb");
        let port = fs::read_to_string(home.join("port")).ok().and_then(|text| text.trim().parse().ok());
        let found = Self { port: port.unwrap_or(0), home, _in_use: users };
        if port.is_some() && found.try_sql("select 1").is_ok() {
            return found;
        }
        found.fresh(&base)
    }

    #[expect(clippy::zombie_processes, reason = "the server outlives every test process and ends by itself")]
    fn fresh(self, base: &Path) -> Self {
        let Self { home, _in_use: users, .. } = self;
        let owner = owner();
        drop(fs::remove_dir_all(&home));
        fs::create_dir_all(&home).expect("the server's folder");
        let user = if let Some((user, group)) = owner {
            chown(&home, Some(user), Some(group)).expect("the folder's owner");
            "--user=mysql"
        } else {
            ""
        };
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", home.join("data").display()))
            .args((!user.is_empty()).then_some(user))
            .output()
            .expect("MariaDB's server is not installed; `cargo xtask test` installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        fs::write(home.join("chosen"), port.to_string()).expect("the port's file");
        let server = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd", "/usr/libexec/mariadbd"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .expect("mariadbd");
        Command::new("sh")
            .args(["-c", WATCHER, "watcher", server])
            .args([&home, &base.join("users.lock")])
            .arg(user)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the server");
        let server = Self { port, home: home.clone(), _in_use: users };
        within(Duration::from_secs(60), "MariaDB answers", &mut || server.try_sql("select 1").ok());
        for (name, plugin) in [
            ("app", format!("IDENTIFIED BY '{APP_PASSWORD}'")),
            ("modern", format!("IDENTIFIED VIA ed25519 USING PASSWORD('{APP_PASSWORD}')")),
        ] {
            server.sql(&format!("CREATE USER {name}@'127.0.0.1' {plugin}"));
            server.sql(&format!("GRANT ALL ON *.* TO {name}@'127.0.0.1'"));
        }
        fs::write(home.join("port"), port.to_string()).expect("the port's file");
        server
    }

    fn try_sql(&self, sql: &str) -> Result<String, String> {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "-N", "-B", "-uroot", "-S"])
            .arg(self.home.join("socket"))
            .args(["-e", sql])
            .output()
            .expect("the client of MariaDB");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Runs SQL as the server's own administrator, past the gateway.
    pub fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// A database with the shop in it.
    pub(crate) fn new_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("shop_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.renew_database(&name);
        name
    }

    /// Makes it as it was in the beginning.
    pub(crate) fn renew_database(&self, name: &str) {
        self.sql(&format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}; USE {name};\n{SHOP}"));
    }

    pub(crate) fn drop_database(&self, name: &str) {
        drop(self.try_sql(&format!("DROP DATABASE IF EXISTS {name}")));
    }

    /// Whether anybody has sent the server a text with these words.
    pub fn has_run(&self, words: &str) -> bool {
        String::from_utf8_lossy(&fs::read(self.home.join("general.log")).expect("the server's log"))
            .contains(words)
    }
}

const SHOP: &str = include_str!("mariadb.sql");

/// A folder that other users may reach: the server runs as one when this process is root.
fn base() -> PathBuf {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_MANIFEST_DIR"), WATCHER).hash(&mut hasher);
    std::env::temp_dir().join(format!("sallyport-e2e-mariadb-{}-{:08x}", my_user(), hasher.finish() as u32))
}

fn my_user() -> u32 {
    fs::metadata("/proc/self").map_or(0, |it| it.uid())
}

/// Whom the server runs as, when we are root.
fn owner() -> Option<(u32, u32)> {
    (my_user() == 0).then(|| {
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let line: Vec<&str> = users
            .lines()
            .find(|line| line.starts_with("mysql:"))
            .expect("the user that MariaDB's package makes")
            .split(':')
            .collect();
        (line[2].parse().expect("a user id"), line[3].parse().expect("a group id"))
    })
}

fn lock_file(path: &Path) -> File {
    fs::OpenOptions::new().create(true).truncate(false).write(true).open(path).expect("a lock file")
}
