//! Words of git: settings, repositories, paths.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Rest, Special};
use super::outcome::Outcome;
use super::remote::host;
use crate::shell::word::Word;

pub(super) const SPECIALS: &[Special] = &[
    Special { name: "git-config", read: git_config },
    Special { name: "git-url", read: git_url },
    Special { name: "git-address", read: helper },
    Special { name: "git-remote", read: git_remote },
    Special { name: "git-push", read: git_push },
    Special { name: "outside-path", read: outside_path },
    Special { name: "tree-path", read: tree_path },
];

pub(super) const RESTS: &[Rest] = &[Rest { name: "git-settings", read: git_settings }];

/// Whether nothing runs by that setting.
fn is_harmless(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let starts =
        ["user.", "color.", "advice.", "author.", "committer.", "column.", "fetch.", "gc.", "status."];
    let names = [
        "init.defaultbranch",
        "core.quotepath",
        "core.autocrlf",
        "core.eol",
        "core.filemode",
        "core.ignorecase",
        "core.longpaths",
        "core.excludesfile",
        "core.compression",
        "core.symlinks",
        "core.sharedrepository",
        "core.bare",
        "core.logallrefupdates",
        "http.postbuffer",
        "http.lowspeedlimit",
        "http.lowspeedtime",
        "http.sslverify",
        "http.version",
        "http.extraheader",
        "commit.gpgsign",
        "commit.verbose",
        "tag.gpgsign",
        "protocol.version",
        "pull.rebase",
        "pull.ff",
        "push.default",
        "push.autosetupremote",
        "push.followtags",
        "merge.conflictstyle",
        "merge.ff",
        "rebase.autostash",
        "rebase.autosquash",
        "rerere.enabled",
        "diff.algorithm",
        "diff.colormoved",
        "branch.autosetuprebase",
        "branch.autosetupmerge",
        "safe.directory",
        "log.date",
        "log.showsignature",
        "credential.usehttppath",
        "user",
        "index.version",
        "pack.threads",
        "help.autocorrect",
    ];
    starts.iter().any(|start| name.starts_with(start))
        || names.contains(&name.as_str())
        || (name.starts_with("branch.") && (name.ends_with(".remote") || name.ends_with(".merge")))
}

/// `name=value` of `git -c`: some of them run programs.
fn git_config(word: &Word, outcome: &mut Outcome) {
    let name = word.text.split('=').next().unwrap_or_default();
    if word.is_dynamic() || !is_harmless(name) {
        outcome.unknown(UnknownCode::Dynamic, &format!("-c {}", word.text));
    }
}

/// `git config`'s name and value. To read one is harmless; to write one that runs programs is not.
fn git_settings(words: &[Word], outcome: &mut Outcome) {
    let mut names = words.iter().filter(|word| !word.text.starts_with('-') || word.is_dynamic());
    let mut name = names.next();
    match name.and_then(Word::as_constant) {
        Some("get" | "list") => return,
        Some("set" | "unset") => name = names.next(),
        Some("edit") => return outcome.push(crate::shell::effect::Effect::Interactive("git".to_owned())),
        Some("rename-section" | "remove-section") => return,
        _ => {}
    }
    let writes = names.next().is_some();
    let harmless = name.and_then(Word::as_constant).is_some_and(is_harmless);
    let dangerous = words.iter().any(|word| matches!(word.text.as_str(), "-e" | "--edit"));
    if dangerous || words.iter().any(Word::is_dynamic) && !harmless || writes && !harmless {
        outcome.unknown(UnknownCode::Dynamic, &name.map(|word| word.text.clone()).unwrap_or_default());
    }
}

/// `transport::address` runs the program `git-remote-transport`, and `ext::` any.
fn helper(word: &Word, outcome: &mut Outcome) {
    if word.text.contains("::") {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A repository: a URL, `host:path`, or a path.
fn git_url(word: &Word, outcome: &mut Outcome) {
    helper(word, outcome);
    if host(&word.text).is_some() || word.is_dynamic() {
        outcome.does(Verb::Download, "url", word);
    } else {
        outcome.reads(word);
    }
}

/// A remote by its name, or a repository.
fn git_remote(word: &Word, outcome: &mut Outcome) {
    helper(word, outcome);
    let kind = if host(&word.text).is_some() { "url" } else { "remote" };
    outcome.does(Verb::Download, kind, word);
}

fn git_push(word: &Word, outcome: &mut Outcome) {
    helper(word, outcome);
    let kind = if host(&word.text).is_some() { "url" } else { "remote" };
    outcome.does(Verb::Connect, kind, word);
}

/// A path that may lie outside the working tree, and then is read like any file.
fn outside_path(word: &Word, outcome: &mut Outcome) {
    let text = word.text.as_str();
    if text.starts_with(['/', '~']) || text == ".." || text.starts_with("../") || text.contains("/../") {
        outcome.reads(word);
    }
}

/// A branch, or a path of the working tree that is put back.
fn tree_path(word: &Word, outcome: &mut Outcome) {
    if word.text.starts_with(['.', '/', ':', '*']) || word.text.ends_with('/') {
        outcome.writes(word);
    }
}
