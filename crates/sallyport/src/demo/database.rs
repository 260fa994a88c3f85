//! The demo's PostgreSQL: found, made, started on loopback, and filled with the shop.
//!
//! initdb refuses to run as root, so root runs it as another user; the server's folder is that user's.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sallyport_core::Secret;

use super::process;
use super::stage::Stage;
use crate::environment;
use crate::failure::Failure;
use crate::folder;

const SHOP: &str = include_str!("shop/shop.sql");

/// The server's own owner, whom only the demo knows.
const OWNER: &str = "postgres";

/// Where distributions put the server's programs, by version, besides the search path.
const ROOTS: [&str; 4] = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/pgsql"];

/// How long starting may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
#[derive(Debug)]
pub(crate) struct Database {
    /// Where it listens, on loopback.
    pub(crate) port: u16,
    /// Its programs.
    pub(crate) programs: PathBuf,
    /// What it says of itself, as `PostgreSQL 15.10`.
    pub(crate) version: String,
    /// The password of the role that the gateway signs in as.
    pub(crate) app_password: Secret<String>,
    owner_password: Secret<String>,
}

/// Whom the server runs as, when not as ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherUser {
    uid: u32,
    gid: u32,
}

/// Whether the server must run as another user, and as whom.
pub(crate) fn other_user() -> Result<Option<OtherUser>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    ["postgres", "nobody"].iter().find_map(|name| user(&users, name)).map(Some).ok_or_else(|| {
        Failure::failed("root may not run PostgreSQL, and there is no user postgres or nobody")
    })
}

/// A user of the text of `/etc/passwd`, who is not root.
fn user(users: &str, name: &str) -> Option<OtherUser> {
    let fields: Vec<&str> = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))?;
    let number = |at: usize| fields.get(at)?.parse().ok().filter(|number| *number > 0);
    Some(OtherUser { uid: number(2)?, gid: number(3)? })
}

/// A port on loopback that nobody uses now.
pub(crate) fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The folder with `initdb`, `postgres` and `psql`: of the search path, or the newest of the known places.
pub(crate) fn programs() -> Result<PathBuf, Failure> {
    let path = environment::variable("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<(u32, PathBuf)> = ROOTS.iter().flat_map(|root| versions(Path::new(root))).collect();
    versions.sort_by(|one, other| other.cmp(one));
    folders.extend(versions.into_iter().map(|(_, folder)| folder));
    folders.into_iter().find(|folder| whole(folder)).ok_or_else(|| {
        Failure::failed("PostgreSQL's programs initdb, postgres and psql are not there")
            .hint("install them (Debian: apt-get install postgresql), or put their folder into PATH")
    })
}

fn whole(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
}

/// `root/15/bin`, `root-15/bin` and `root/bin`, with the version where the name has one.
fn versions(root: &Path) -> Vec<(u32, PathBuf)> {
    let mut found = vec![(0, root.join("bin"))];
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        if let Ok(version) = digits.parse() {
            found.push((version, entry.path().join("bin")));
        }
    }
    found
}

/// A password that nobody has to type.
fn password() -> Result<Secret<String>, Failure> {
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Secret::new(random.iter().map(|byte| format!("{byte:02x}")).collect()))
}

impl Database {
    /// Makes, starts and fills it.
    pub(crate) fn start(
        stage: &Stage,
        programs: PathBuf,
        port: u16,
        other: Option<OtherUser>,
    ) -> Result<Self, Failure> {
        let home = stage.root().join("postgres");
        folder::make_private(&home)?;
        let own = |path: &Path| match other {
            Some(user) => chown(path, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        };
        let database = Self {
            port,
            programs,
            version: String::new(),
            app_password: password()?,
            owner_password: password()?,
        };
        let secret = home.join("owner.password");
        folder::write_new(&secret, database.owner_password.expose().as_bytes(), 0o600)?;
        let log = File::create(home.join("log"))?;
        log.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        own(&secret)?;
        own(&home)?;
        let program = |name: &str| {
            let mut command = Command::new(database.programs.join(name));
            command.current_dir(&home).env_clear().env("LC_ALL", "C").env("TZ", "UTC");
            if let Some(user) = other {
                command.uid(user.uid).gid(user.gid);
            }
            command
        };

        let mut initdb = program("initdb");
        initdb.arg("-D").arg(home.join("data")).arg("--pwfile").arg(&secret);
        initdb.args(["-U", OWNER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        let made = process::run(initdb, PATIENCE)?;
        std::fs::remove_file(&secret)?;
        if !made.ok {
            return Err(Failure::failed(format!("initdb failed:\n{}", made.text)));
        }
        let mut postgres = program("postgres");
        postgres.arg("-D").arg(home.join("data"));
        // Thrown away at the end, so nothing has to survive a power cut.
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "autovacuum=off",
            "jit=off",
            "max_connections=40",
            "shared_buffers=16MB",
            &format!("port={port}"),
        ] {
            postgres.args(["-c", setting]);
        }
        stage.keep_server(process::serve(postgres, log)?, Signal::QUIT)?;
        database.wait(stage, &home)?;
        database.fill(stage)?;
        let version = database.ask("select 'PostgreSQL ' || current_setting('server_version')")?;
        let version: Vec<&str> = version.split_whitespace().take(2).collect();
        Ok(Self { version: version.join(" "), ..database })
    }

    /// Waits until it lets its owner in.
    fn wait(&self, stage: &Stage, home: &Path) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = process::run(self.psql("postgres", &["-c", "select 1"]), PATIENCE)?;
            if answer.ok {
                return Ok(());
            }
            if !stage.all_run() || Instant::now() >= until {
                let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
                return Err(Failure::failed(format!("PostgreSQL did not start:\n{log}{}", answer.text)));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs the shop's text, from a private file: an argument can be seen by everyone on the machine.
    fn fill(&self, stage: &Stage) -> Result<(), Failure> {
        let path = stage.root().join("shop.sql");
        let text = Secret::new(format!("\\set app_password '{}'\n{SHOP}", self.app_password.expose()));
        folder::write_new(&path, text.expose().as_bytes(), 0o600)?;
        let command = self.psql("postgres", &["-v", "ON_ERROR_STOP=1", "-f", "-"]);
        let filled = process::run_on(command, File::open(&path)?, PATIENCE)?;
        std::fs::remove_file(&path)?;
        if filled.ok {
            Ok(())
        } else {
            Err(Failure::failed(format!("the shop could not be made:\n{}", filled.text)))
        }
    }

    /// Asks the server itself, past the gateway: what is true, to hold against what the gateway lets out.
    pub(crate) fn ask(&self, statement: &str) -> Result<String, Failure> {
        let answer = process::run(self.psql("shop", &["-Atc", statement]), PATIENCE)?;
        if answer.ok { Ok(answer.text) } else { Err(Failure::failed(answer.text)) }
    }

    fn psql(&self, database: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command
            .env_clear()
            .env("PGPASSWORD", self.owner_password.expose())
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", OWNER)
            .env("PGDATABASE", database)
            .args(["-X", "-q"])
            .args(arguments);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_never_the_other_user() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres:x:105:111::/:/bin/sh\nnobody:x:0:65534::/:/bin/sh\n";
        assert_eq!(user(users, "postgres"), Some(OtherUser { uid: 105, gid: 111 }));
        assert_eq!(user(users, "nobody"), None);
        assert_eq!(user(users, "root"), None);
    }

    #[test]
    fn the_newest_version_is_found_first() {
        let root = std::env::temp_dir().join(format!("sallyport-demo-versions-{}", std::process::id()));
        for version in ["9", "15", "16"] {
            std::fs::create_dir_all(root.join(version).join("bin")).unwrap();
        }
        let mut found = versions(&root);
        found.sort_by(|one, other| other.cmp(one));
        assert_eq!(found.first().unwrap().1, root.join("16/bin"));
        assert_eq!(found.len(), 4);
        std::fs::remove_dir_all(root).unwrap();
    }
}
