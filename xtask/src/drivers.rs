//! The drivers that the end-to-end tests play, in their own languages, under the target folder.
//!
//! ```text
//! e2e/requirements.txt        -> target/venv      psycopg, asyncpg, SQLAlchemy, Django, PyMySQL, Connector/Python
//! e2e/clients/node/*.json     -> target/node      node-postgres and its family, Prisma's client, mysql2
//! e2e/clients/jdbc/Main.java  -> target/jdbc      classes; the driver itself is Debian's package
//! ```
//!
//! Each folder keeps a copy of what it was made from, and is made again when that differs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Failure, Outcome, root, run, succeeds, target_dir};

/// The JDBC driver, where Debian puts it.
const JDBC: &str = "/usr/share/java/postgresql.jar";
/// The same of MariaDB's, which the tests run from source.
const MARIADB_JDBC: &str = "/usr/share/java/mariadb-java-client.jar";

/// Debian's names of what is missing.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !venv_python().exists() && !succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        packages.extend(["python3", "python3-venv"]);
    }
    if !succeeds(Command::new("node").arg("--version")) {
        packages.push("nodejs");
    }
    if !succeeds(Command::new("npm").arg("--version")) {
        packages.push("npm");
    }
    if !succeeds(Command::new("javac").arg("-version")) {
        packages.push("default-jdk-headless");
    }
    if !Path::new(JDBC).exists() {
        packages.push("libpostgresql-jdbc-java");
    }
    if !Path::new(MARIADB_JDBC).exists() {
        packages.push("libmariadb-java");
    }
    packages
}

/// Makes every driver's folder, or brings it up to the pinned versions.
pub(crate) fn prepare() -> Outcome {
    let clients = root().join("e2e/clients");
    python(&root().join("e2e/requirements.txt"))?;
    node(&clients.join("node"))?;
    java(&clients.join("jdbc/Main.java"))
}

/// The Python of the end-to-end tests.
pub(crate) fn venv_python() -> PathBuf {
    target_dir().join("venv/bin/python")
}

fn python(wanted: &Path) -> Outcome {
    let made = target_dir().join("venv");
    let pinned = read(wanted)?;
    if venv_python().exists() && is_made_from(&made, &pinned) {
        return Ok(());
    }
    eprintln!("making a Python environment for the end-to-end tests: {}", pinned_names(&pinned));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&made))?;
    run(Command::new(venv_python())
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(wanted))?;
    note(&made, &pinned)
}

fn node(clients: &Path) -> Outcome {
    let made = target_dir().join("node");
    let files = ["package.json", "package-lock.json", "schema.prisma"];
    let texts = files.map(|name| read(&clients.join(name)));
    let mut pinned = String::new();
    for text in texts {
        pinned.push_str(&text?);
    }
    if is_made_from(&made, &pinned) {
        return Ok(());
    }
    eprintln!("installing the Node.js clients of the end-to-end tests from npm; this takes a minute, once");
    fs::create_dir_all(&made)?;
    for name in files {
        fs::copy(clients.join(name), made.join(name))?;
    }
    let mut npm = Command::new("npm");
    run(npm.current_dir(&made).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    // Generating a client takes no engine, yet the program looks for the one that migrations need, which is
    // not a package of npm's. It is told that it has it.
    let mut prisma = Command::new(made.join("node_modules/.bin/prisma"));
    run(prisma
        .current_dir(&made)
        .env("PRISMA_SCHEMA_ENGINE_BINARY", "/bin/true")
        .env("PRISMA_HIDE_UPDATE_MESSAGE", "1")
        .env("CHECKPOINT_DISABLE", "1")
        .args(["generate", "--schema", "schema.prisma", "--no-hints"]))?;
    note(&made, &pinned)
}

fn java(source: &Path) -> Outcome {
    let made = target_dir().join("jdbc");
    let text = read(source)?;
    if is_made_from(&made, &text) {
        return Ok(());
    }
    fs::create_dir_all(&made)?;
    run(Command::new("javac").args(["-cp", JDBC, "-d"]).arg(&made).arg(source))?;
    note(&made, &text)
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

fn is_made_from(folder: &Path, text: &str) -> bool {
    fs::read_to_string(folder.join("made-from")).is_ok_and(|made| made == text)
}

/// Says what a folder was made from, once it is whole.
fn note(folder: &Path, text: &str) -> Outcome {
    Ok(fs::write(folder.join("made-from"), text)?)
}

fn pinned_names(requirements: &str) -> String {
    let lines = requirements.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_said_without_comments() {
        assert_eq!(
            pinned_names("# why\n\npsycopg[binary]==3.2.1\n  other==1\n"),
            "psycopg[binary]==3.2.1, other==1"
        );
    }
}
