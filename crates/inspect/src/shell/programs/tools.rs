//! Words of build tools and of clouds' clients that name a program, a role, or a file of settings.

use sallyport_core::{UnknownCode, Verb};

use super::description::Special;
use super::outcome::Outcome;
use super::values::part;
use crate::shell::settings;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "settings", read: settings_file },
    Special { name: "repository-folder", read: repository_folder },
    Special { name: "cargo-setting", read: cargo_setting },
    Special { name: "toolchain", read: toolchain },
    Special { name: "interpreter", read: interpreter },
    Special { name: "rsync-filter", read: rsync_filter },
    Special { name: "canned-acl", read: canned_acl },
    Special { name: "aws-setting", read: aws_setting },
    Special { name: "request-file", read: request_file },
    Special { name: "session-document", read: session_document },
];

/// A file or folder of settings, in which a command may stand.
fn settings_file(word: &Word, outcome: &mut Outcome) {
    outcome.reads(word);
    if !settings::is_own(&word.text) {
        outcome.unknown(UnknownCode::Dynamic, &format!("settings in {}", word.text));
    }
}

/// A repository that is named by its folder: its own settings run programs, and who owns it is not asked.
fn repository_folder(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() || !(settings::is_own(&word.text) || matches!(word.text.as_str(), ".git" | "./.git"))
    {
        outcome.unknown(UnknownCode::Dynamic, &format!("settings in {}", word.text));
    }
}

/// `key=value` or a file: many keys name programs.
fn cargo_setting(word: &Word, outcome: &mut Outcome) {
    const HARMLESS: [&str; 8] = [
        "net.git-fetch-with-cli=",
        "net.offline=",
        "net.retry=",
        "term.",
        "profile.",
        "build.jobs=",
        "build.target=",
        "build.incremental=",
    ];
    let is_harmless = HARMLESS.iter().any(|key| word.text.starts_with(key)) && !word.text.contains('\n');
    if word.is_dynamic() || !is_harmless {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A toolchain by its name, or the folder of one.
fn toolchain(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() || word.text.contains('/') {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// An interpreter by its usual name or version; else a program, or a folder with one.
fn interpreter(word: &Word, outcome: &mut Outcome) {
    let name = word.text.strip_prefix("/usr/bin/").unwrap_or(&word.text);
    let version = name.strip_prefix("python").unwrap_or(name);
    let is_usual = version.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !name.starts_with('.');
    if word.is_dynamic() || !is_usual {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// `merge FILE` or `. FILE` with modifiers perhaps: rules that are read from a file.
fn rsync_filter(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        return outcome.dynamic(word);
    }
    let text = word.text.trim_start();
    let (rule, file) = text.split_once([' ', '_']).unwrap_or((text, ""));
    let name = rule.split(',').next().unwrap_or_default();
    if matches!(name, "merge" | "dir-merge") || rule.starts_with(['.', ':']) {
        outcome.reads(&part(word, file.trim()));
    }
}

/// An access list by its name; those that open a bucket to others count.
fn canned_acl(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    if !matches!(word.text.as_str(), "private" | "bucket-owner-read" | "bucket-owner-full-control") {
        outcome.names(Verb::IamChange, "policy", &word.text);
    }
}

/// A setting that is printed; some are keys.
fn aws_setting(word: &Word, outcome: &mut Outcome) {
    let name = word.text.to_ascii_lowercase();
    if word.is_dynamic() || ["secret", "token", "password"].iter().any(|part| name.contains(part)) {
        outcome.does(Verb::ReadFile, "secret", word);
    }
}

/// All of a request in one text, which is not read, or in a file.
fn request_file(word: &Word, outcome: &mut Outcome) {
    if let Some(path) = word.text.strip_prefix("file://") {
        outcome.reads(&part(word, path));
    }
    outcome.unknown(UnknownCode::Dynamic, "a request that is not read");
}

/// What a session on a machine is for: a port, a command, or a shell.
fn session_document(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() {
        outcome.dynamic(word);
    } else if word.text.contains("PortForwarding") {
        outcome.bare(Verb::ForwardLocal, None);
    } else if word.text != "AWS-StartSSHSession" {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}
