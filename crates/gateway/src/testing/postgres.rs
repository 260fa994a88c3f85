//! A throw-away PostgreSQL: made, started and removed by a test.
//!
//! `initdb` and `postgres` refuse to run as root; then they run as the user that the packages make.
//! The superuser is `postgres`, let in without a password by the socket in the server's directory only;
//! over TCP the lines of [`Options::hba`] decide.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How the server is set up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Lines of `pg_hba.conf` for TCP. None: everybody over TCP by `scram-sha-256`.
    pub(crate) hba: Vec<&'static str>,
    /// Lines of `postgresql.conf`.
    pub(crate) settings: Vec<&'static str>,
    /// SQL run once as superuser in `postgres`.
    pub(crate) sql: &'static str,
    /// Names in the certificate; empty: no TLS.
    pub(crate) tls_names: Vec<&'static str>,
}

/// A running server. Stopped and removed when dropped.
#[derive(Debug)]
pub(crate) struct TestServer {
    pub(crate) port: u16,
    /// Data directory; holds `ca.pem`, `client.crt` and `client.key` when there is TLS.
    pub(crate) dir: PathBuf,
    server: Child,
    _home: tempfile::TempDir,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // `setpriv` has become the server itself, so its process id is the server's. SIGQUIT: at once.
        let pid = rustix::process::Pid::from_child(&self.server);
        if rustix::process::kill_process(pid, rustix::process::Signal::QUIT).is_ok() {
            drop(self.server.wait());
        }
    }
}

fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL's server package is needed for these tests")
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().expect("no initdb under /usr/lib/postgresql")
}

/// A command that runs as somebody who may run PostgreSQL.
fn command(program: &Path) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn give_away(path: &Path) {
    if rustix::process::geteuid().is_root() {
        let done = Command::new("chown").arg("-R").arg("postgres:postgres").arg(path).status().unwrap();
        assert!(done.success());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl TestServer {
    /// Makes and starts a server; returns once it takes connections.
    pub(crate) fn start(options: &Options) -> Self {
        let bin = binaries();
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let dir = home.path().join("data");
        std::fs::create_dir(&dir).unwrap();
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        give_away(&dir);
        let made = command(&bin.join("initdb"))
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&dir)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut conf = std::fs::OpenOptions::new().append(true).open(dir.join("postgresql.conf")).unwrap();
        writeln!(
            conf,
            "fsync = off\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'",
            dir.display()
        )
        .unwrap();
        for line in &options.settings {
            writeln!(conf, "{line}").unwrap();
        }
        if !options.tls_names.is_empty() {
            writeln!(conf, "ssl = on").unwrap();
            certificates(&dir, &options.tls_names);
        }
        let mut hba = String::from("local all all trust\n");
        let over_tcp =
            if options.hba.is_empty() { vec!["host all all all scram-sha-256"] } else { options.hba.clone() };
        hba.push_str(&over_tcp.join("\n"));
        hba.push('\n');
        std::fs::write(dir.join("pg_hba.conf"), hba).unwrap();
        give_away(&dir);
        let port = free_port();
        let log = std::fs::File::create(home.path().join("log")).unwrap();
        let server = command(&bin.join("postgres"))
            .arg("-D")
            .arg(&dir)
            .args(["-p", &port.to_string()])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { port, dir, server, _home: home };
        server.wait_until_ready();
        if !options.sql.is_empty() {
            server.sql("postgres", options.sql);
        }
        server
    }

    fn wait_until_ready(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.psql("postgres", "SELECT 1").status().unwrap().success() {
            assert!(Instant::now() < until, "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-p",
            &self.port.to_string(),
            "-h",
        ])
        .arg(&self.dir)
        .args(["-d", database, "-c", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
        psql
    }

    /// Runs SQL as superuser.
    pub(crate) fn sql(&self, database: &str, sql: &str) {
        let done = self.psql(database, sql).stderr(Stdio::piped()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// An authority (`ca.pem`) and a server certificate under it, where PostgreSQL looks for them.
fn certificates(dir: &Path, names: &[&str]) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca_params = rcgen::CertificateParams::default();
    ca_params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca_params.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
    let ca = ca_params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca_params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let leaf = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("ca.pem"), ca.pem()).unwrap();
    std::fs::write(dir.join("server.crt"), leaf.pem()).unwrap();
    let key_path = dir.join("server.key");
    std::fs::write(&key_path, key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key_path, std::fs::Permissions::from_mode(0o600)).unwrap();
    // What a client named `app` may show.
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "app");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    std::fs::write(dir.join("client.crt"), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    let key_path = dir.join("client.key");
    std::fs::write(&key_path, key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key_path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
