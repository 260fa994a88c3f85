//! A program that is named by its path.
//!
//! Only in the directories where a system keeps its programs does the last part of a path say which program
//! it is. Anywhere else it is a script that nobody has read.

/// Where programs come with the system.
const SYSTEM: [&str; 12] = [
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/local/bin/",
    "/usr/local/sbin/",
    "/snap/bin/",
    "/opt/",
    "/usr/lib/",
    "/usr/libexec/",
    "/usr/local/go/bin/",
    "/etc/init.d/",
];

/// Endings of scripts.
const SCRIPTS: [&str; 8] = [".sh", ".bash", ".py", ".pl", ".rb", ".js", ".php", ".ps1"];

/// The program's own name.
pub(super) fn base_name(program: &str) -> &str {
    match program.trim_end_matches('/').rsplit('/').next() {
        Some(name) if !name.is_empty() => name,
        _ => program,
    }
}

/// Whether a program's name is a path to code that nobody has read.
pub(super) fn is_unread(program: &str) -> bool {
    let is_path = program.contains('/');
    let in_system =
        SYSTEM.iter().any(|directory| program.starts_with(directory)) && !program.contains("/../");
    is_path && (!in_system || SCRIPTS.iter().any(|ending| program.ends_with(ending)))
}
