//! What a fresh Debian-like machine needs before anything here can be built or tested.
//!
//! Each need is looked for first. As root the missing ones are installed and said; otherwise the exact
//! command is named and nothing is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::drivers;
use crate::shell::{Failure, Outcome, cargo, output, run, succeeds, variable};

/// Something a command cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A C compiler, and libclang with its own headers: the SQL parser is C, and its Rust bindings are
    /// generated while it is built.
    Compilers,
    /// A C++ compiler, for libFuzzer.
    Cxx,
    /// PostgreSQL's server and client, 15 or later.
    Postgres,
    /// MariaDB's server and client.
    MariaDb,
    /// The drivers that the end-to-end tests play: Python's, Node.js's and Java's.
    Drivers,
    /// cargo-nextest.
    Nextest,
    /// PgBouncer, the peer that measurements are held against.
    PgBouncer,
    /// What measures the gateway before MariaDB, and the peer that it is held against.
    Sysbench,
}

/// The oldest PostgreSQL that is tested against.
const POSTGRES: u32 = 15;

/// Finds or installs what is needed.
///
/// # Errors
/// What is missing and how to install it, when this process may not.
pub(crate) fn prepare(needs: &[Need]) -> Outcome {
    let packages = missing_packages(needs);
    if !packages.is_empty() {
        install(&packages)?;
        let still = missing_packages(needs);
        if !still.is_empty() {
            return Err(Failure::usage(format!(
                "after installing them, this is still not found: {}",
                still.join(" ")
            )));
        }
    }
    if needs.contains(&Need::Drivers) {
        drivers::prepare()?;
    }
    if needs.contains(&Need::Nextest) && !has_nextest() {
        eprintln!("installing cargo-nextest from crates.io; this takes some minutes, once");
        // Without it the tests still run, by cargo's own runner.
        if let Err(failure) = run(&mut cargo(&["install", "cargo-nextest", "--locked"])) {
            eprintln!("{failure}\ncargo-nextest could not be installed; cargo test is used instead");
        }
    }
    Ok(())
}

/// Whether cargo-nextest is there.
pub(crate) fn has_nextest() -> bool {
    succeeds(&mut cargo(&["nextest", "--version"]))
}

/// Debian's names of what is missing.
fn missing_packages(needs: &[Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    if needs.contains(&Need::Compilers) {
        if !succeeds(Command::new("cc").arg("--version")) {
            packages.extend(["gcc", "libc6-dev"]);
        }
        if !has_libclang() {
            packages.push("libclang-dev");
        }
    }
    if needs.contains(&Need::Cxx) && !succeeds(Command::new("c++").arg("--version")) {
        packages.push("g++");
    }
    if needs.contains(&Need::Postgres)
        && (postgres().is_none() || !succeeds(Command::new("psql").arg("--version")))
    {
        packages.push("postgresql");
    }
    if needs.contains(&Need::MariaDb) {
        if !Path::new("/usr/sbin/mariadbd").exists() && !succeeds(Command::new("mariadbd").arg("--version")) {
            packages.push("mariadb-server");
        }
        if !succeeds(Command::new("mariadb").arg("--version")) {
            packages.push("mariadb-client");
        }
    }
    if needs.contains(&Need::Sysbench) {
        if !succeeds(Command::new("sysbench").arg("--version")) {
            packages.push("sysbench");
        }
        if !Path::new("/usr/sbin/haproxy").exists() && !succeeds(Command::new("haproxy").arg("-v")) {
            packages.push("haproxy");
        }
    }
    if needs.contains(&Need::PgBouncer)
        && !Path::new("/usr/sbin/pgbouncer").exists()
        && !succeeds(Command::new("pgbouncer").arg("--version"))
    {
        packages.push("pgbouncer");
    }
    if needs.contains(&Need::Drivers) {
        packages.extend(drivers::missing_packages());
    }
    packages
}

fn install(packages: &[&str]) -> Outcome {
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let root = output(Command::new("id").arg("-u"))?.trim() == "0";
    if !root || !succeeds(Command::new("apt-get").arg("--version")) {
        return Err(Failure::usage(format!(
            "this machine lacks what is needed. As root:\n\n    apt-get update && {line}\n\n(Debian's names; other systems have the same under others.)"
        )));
    }
    eprintln!("installing with apt-get: {}", packages.join(" "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().args(["update", "-q"]))?;
    run(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(packages))
}

/// Whether bindgen will find libclang, and libclang its own `stddef.h`.
fn has_libclang() -> bool {
    let named = variable("LIBCLANG_PATH").map(PathBuf::from);
    named.is_some_and(|dir| is_libclang_in(&dir))
        || folders("/usr/lib").iter().any(|dir| {
            let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("llvm-")
                && is_libclang_in(&dir.join("lib"))
                && has_headers(&dir.join("lib/clang"))
        })
}

fn is_libclang_in(dir: &Path) -> bool {
    let library = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("libclang.so")
            || (name.starts_with("libclang-") && name.contains(".so") && !name.contains("cpp"))
    };
    // A link that leads nowhere is no library.
    fs::read_dir(dir)
        .is_ok_and(|entries| entries.flatten().any(|entry| library(&entry.path()) && entry.path().exists()))
}

fn has_headers(dir: &Path) -> bool {
    folders(dir).iter().any(|version| version.join("include/stddef.h").exists())
}

fn folders(dir: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
    let mut folders: Vec<PathBuf> =
        entries.unwrap_or_default().into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The folder with the newest PostgreSQL server's programs.
pub(crate) fn postgres() -> Option<PathBuf> {
    let version = |dir: &Path| dir.file_name()?.to_str()?.parse::<u32>().ok();
    folders("/usr/lib/postgresql")
        .into_iter()
        .filter(|dir| version(dir).is_some_and(|version| version >= POSTGRES))
        .filter(|dir| dir.join("bin/initdb").exists() && dir.join("bin/postgres").exists())
        .max_by_key(|dir| version(dir))
        .map(|dir| dir.join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_holds_no_libclang() {
        let dir = std::env::temp_dir().join(format!("sallyport-xtask-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert!(!is_libclang_in(&dir));
        std::os::unix::fs::symlink("nowhere", dir.join("libclang.so")).unwrap();
        assert!(!is_libclang_in(&dir), "a dangling link");
        fs::write(dir.join("libclang-cpp.so.14"), "").unwrap();
        assert!(!is_libclang_in(&dir), "the C++ library is another one");
        fs::write(dir.join("libclang-14.so.1"), "").unwrap();
        assert!(is_libclang_in(&dir));
        fs::remove_dir_all(&dir).unwrap();
    }
}
