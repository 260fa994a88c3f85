//! The demo's gateway: `sallyport init`, a configuration, `sallyport serve`, a token for everybody.
//!
//! All of it through the command itself, in a child of its own, as a person would do it.

use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::database::Database;
use super::process;
use super::stage::Stage;
use crate::environment;
use crate::failure::Failure;
use crate::folder;

const CONFIG: &str = include_str!("shop/sallyport.toml");
const LABELS: &str = include_str!("shop/labels.toml");

/// How long starting may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running gateway.
#[derive(Debug)]
pub(crate) struct House {
    /// Where PostgreSQL clients connect, on loopback.
    pub(crate) port: u16,
    /// Where the API is, on loopback.
    pub(crate) api: u16,
    /// Its folder, with configuration, policy, labels and data.
    pub(crate) dir: PathBuf,
    executable: PathBuf,
    root: PathBuf,
    people: PathBuf,
    programs: PathBuf,
}

/// Somebody with a shell of their own.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// As the prompt shows it.
    pub(crate) name: &'static str,
    /// The file that makes another terminal theirs.
    pub(crate) file: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl House {
    /// Writes and starts it.
    pub(crate) fn start(stage: &Stage, database: &Database, port: u16, api: u16) -> Result<Self, Failure> {
        let executable = std::env::current_exe()?;
        let dir = stage.root().join("gateway");
        let people = stage.root().join("people");
        folder::make_private(&dir)?;
        folder::make_private(&people)?;
        let root = stage.root().to_path_buf();
        let house = Self { port, api, dir, executable, root, people, programs: database.programs.clone() };

        house.ours(&["init"])?;
        let config = CONFIG
            .replace("{gateway_port}", &port.to_string())
            .replace("{api_port}", &api.to_string())
            .replace("{database_port}", &database.port.to_string());
        std::fs::write(house.dir.join("sallyport.toml"), config)?;
        std::fs::write(house.dir.join("labels.toml"), LABELS)?;
        let password = house.dir.join("shop.password");
        folder::write_new(&password, database.app_password.expose().as_bytes(), 0o600)?;

        let log = File::create(house.dir.join("log"))?;
        log.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        let mut serve = house.command();
        serve.arg("serve");
        stage.keep_server(process::serve(serve, log)?, Signal::TERM)?;
        house.wait(stage)?;
        Ok(house)
    }

    /// The command in the gateway's folder, with its configuration and the administrator's token.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.dir).env_clear().env("LC_ALL", "C.UTF-8");
        command
    }

    fn ours(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = self.command();
        command.args(arguments);
        let ended = process::run(command, PATIENCE)?;
        if ended.ok {
            Ok(ended.text)
        } else {
            Err(Failure::failed(format!("sallyport {} failed:\n{}", arguments.join(" "), ended.text)))
        }
    }

    /// Waits until both doors are open.
    fn wait(&self, stage: &Stage) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        let open = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        while !(open(self.port) && open(self.api)) {
            if !stage.all_run() || Instant::now() >= until {
                let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                return Err(Failure::failed(format!("the gateway did not start:\n{log}")));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }

    /// Where the API is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api)
    }

    /// Where the recordings lie.
    pub(crate) fn recordings(&self) -> PathBuf {
        self.dir.join("sallyport-data/recordings")
    }

    /// Makes a token for a principal, and the shell of whoever holds it.
    pub(crate) fn person(&self, name: &'static str, principal: &str) -> Result<Person, Failure> {
        let token = self.ours(&["tokens", "create", principal, "--expires", "1d"])?;
        let ca = self.dir.join("sallyport-data/keys/tls/ca.pem");
        let token = token.trim().to_owned();
        let mut variables = vec![
            ("PGHOST", "localhost".to_owned()),
            ("PGPORT", self.port.to_string()),
            ("PGDATABASE", "shop-prod".to_owned()),
            ("PGUSER", name.to_owned()),
            ("PGSSLMODE", "verify-full".to_owned()),
            ("PGSSLROOTCERT", ca.display().to_string()),
            ("PGPASSWORD", token.clone()),
            // The output of the tour is that of a psql without anyone's settings.
            ("PSQLRC", "/dev/null".to_owned()),
        ];
        // An agent has no business with the API; no role was given to it either.
        if principal != "claude-code" {
            variables.push(("SALLYPORT_URL", self.url()));
            variables.push(("SALLYPORT_TOKEN", token));
        }
        let file = self.people.join(name);
        let mut text = format!("# A shell of {principal}:  . {}\n", file.display());
        for (name, value) in &variables {
            text.push_str(&format!("export {name}={}\n", quoted(value)));
        }
        text.push_str(&format!("export PATH={}:\"$PATH\"\n", quoted(&self.search_path())));
        text.push_str(&format!("cd {}\n", quoted(&self.root.display().to_string())));
        folder::write_new(&file, text.as_bytes(), 0o600)?;
        Ok(Person { name, file, variables })
    }

    /// Somebody who has the machine, and no token.
    pub(crate) fn outsider(name: &'static str) -> Person {
        Person { name, file: PathBuf::new(), variables: Vec::new() }
    }

    /// Where `sallyport` and `psql` are.
    fn search_path(&self) -> String {
        let own = self.executable.parent().unwrap_or_else(|| Path::new("."));
        format!("{}:{}", own.display(), self.programs.display())
    }

    /// A command line in the shell of a person. What is run is the very text that is shown.
    pub(crate) fn shell(&self, person: &Person, line: &str) -> Command {
        let path = environment::variable("PATH").unwrap_or_else(|| "/usr/bin:/bin".to_owned());
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.search_path()))
            .env("HOME", &self.people)
            .env("LC_ALL", "C.UTF-8")
            .envs(person.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The folder in which people's commands run.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

impl Person {
    /// The value of one of their variables.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_files_are_such_as_the_gateway_takes() {
        let dir = std::env::temp_dir().join(format!("sallyport-demo-files-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("policy")).unwrap();
        let text = CONFIG
            .replace("{gateway_port}", "6432")
            .replace("{api_port}", "6480")
            .replace("{database_port}", "5432");
        std::fs::write(dir.join("sallyport.toml"), text).unwrap();
        std::fs::write(dir.join("labels.toml"), LABELS).unwrap();
        folder::write_new(&dir.join("shop.password"), b"x", 0o600).unwrap();
        for file in sallyport_policy::Policy::starter_files() {
            let path = dir.join("policy").join(&file.name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &file.text).unwrap();
        }
        let config = crate::config::load(&dir.join("sallyport.toml"));
        std::fs::remove_dir_all(&dir).unwrap();
        let config = config.unwrap();
        let agent = config.principals.iter().find(|principal| principal.name == "claude-code").unwrap();
        assert_eq!(agent.on_behalf_of.as_deref(), Some("alice@example.com"));
        sallyport_mask::Labels::parse(LABELS).unwrap();
    }

    #[test]
    fn a_quote_does_not_end_the_quoting() {
        assert_eq!(quoted("a'b"), "'a'\\''b'");
    }
}
