//! Readers of one word with a grammar of its own.

use sallyport_core::{UnknownCode, Verb};

use super::description::Special;
use super::outcome::Outcome;
use super::{awk, clusters, databases, git, java, remote, sed, tools};
use crate::shell::effect::Effect;
use crate::shell::word::{Sureness, Word};

const SPECIALS: &[Special] = &[
    Special { name: "assignment", read: assignment },
    Special { name: "dd", read: dd },
    Special { name: "at-file", read: at_file },
    Special { name: "editor-command", read: editor_command },
    Special { name: "checkpoint", read: checkpoint },
    Special { name: "sed-script", read: sed::script },
    Special { name: "awk-script", read: awk::script },
    Special { name: "awk-file", read: awk::file },
    Special { name: "awk-include", read: awk::include },
    Special { name: "split-string", read: split_string },
    Special { name: "compressed", read: compressed },
    Special { name: "decompressed", read: decompressed },
    Special { name: "shell-name", read: shell_name },
    Special { name: "user", read: user },
    Special { name: "apt-option", read: apt_option },
    Special { name: "pip-package", read: pip_package },
    Special { name: "compiler-file", read: compiler_file },
    Special { name: "property", read: property },
    Special { name: "at-path", read: at_path },
    Special { name: "tmux-word", read: tmux_word },
    Special { name: "format-name", read: format_name },
    Special { name: "getent", read: getent },
    Special { name: "jq-filter", read: jq_filter },
    Special { name: "at-start", read: at_start },
    Special { name: "form-field", read: form_field },
    Special { name: "encoded-field", read: encoded_field },
    Special { name: "job-file", read: job_file },
    Special { name: "sysctl", read: sysctl },
    Special { name: "at-script", read: at_script },
    Special { name: "mode", read: mode },
    Special { name: "comma-command", read: comma_command },
    Special { name: "text-or-file", read: text_or_file },
    Special { name: "ansible-text", read: ansible_text },
];

/// The reader of that name.
pub(super) fn special(name: &str) -> Option<Special> {
    [
        SPECIALS,
        git::SPECIALS,
        remote::SPECIALS,
        clusters::SPECIALS,
        databases::SPECIALS,
        java::SPECIALS,
        tools::SPECIALS,
    ]
    .into_iter()
    .flatten()
    .find(|special| special.name == name)
    .copied()
}

/// The same word with another text.
pub(super) fn part(word: &Word, text: &str) -> Word {
    Word { text: text.to_owned(), sure: word.sure }
}

/// `NAME=value` among a program's own words.
fn assignment(word: &Word, outcome: &mut Outcome) {
    outcome.push(Effect::Sets(word.clone()));
}

/// `if=FILE` and `of=FILE`.
fn dd(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('=') {
        Some(("if", path)) => outcome.reads(&part(word, path)),
        Some(("of", path)) => outcome.writes(&part(word, path)),
        Some(_) if !word.is_dynamic() => {}
        _ => outcome.dynamic(word),
    }
}

/// `@FILE`, or a text.
fn at_file(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('@') {
        Some((before, path)) if before.is_empty() || before.ends_with('=') || word.is_dynamic() => {
            outcome.reads(&part(word, path));
        }
        _ if word.is_dynamic() => outcome.dynamic(word),
        _ => {}
    }
}

/// A command of vi's or emacs's own: it can run anything, and what is known of it is little.
fn editor_command(word: &Word, outcome: &mut Outcome) {
    let text = word.text.trim().trim_start_matches(':');
    let harmless = !word.is_dynamic()
        && (text.is_empty()
            || text.bytes().all(|b| b.is_ascii_digit())
            || matches!(
                text,
                "$" | "F" | "G" | "g" | "q" | "q!" | "qa" | "qa!" | "set nu" | "set number" | "syntax on"
            ));
    if let Some(command) = text.strip_prefix('!') {
        outcome.push(Effect::RunsShell(part(word, command)));
    } else if !harmless && !text.starts_with('/') {
        outcome.push(Effect::RunsCode(outcome.program().to_owned()));
    }
}

/// An action of tar's checkpoints.
fn checkpoint(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('=') {
        Some(("exec", command)) => outcome.push(Effect::RunsShell(part(word, command))),
        _ if word.is_dynamic() => outcome.dynamic(word),
        _ => {}
    }
}

/// `env -S`: words in one text. What is quoted in it is not read.
fn split_string(word: &Word, outcome: &mut Outcome) {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ./_-=:,+@%".contains(c);
    if word.as_constant().is_none() || !word.text.chars().all(plain) {
        return outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    let words: Vec<Word> = word.text.split_whitespace().map(Word::constant).collect();
    let start = words.iter().position(|word| !word.text.contains('=')).unwrap_or(words.len());
    for word in words.iter().take(start) {
        outcome.push(Effect::Sets(word.clone()));
    }
    let words = words.get(start..).unwrap_or_default();
    if words.first().is_none_or(|first| first.text.starts_with('-')) {
        // Options of env's own.
        return outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    outcome.set_mark("@split", word);
    outcome.push(Effect::Runs(words.to_vec()));
}

/// What `gzip` and its like make of a file: the same name with their ending.
fn compressed(word: &Word, outcome: &mut Outcome) {
    let ending = match outcome.program() {
        "bzip2" | "pbzip2" | "lbzip2" => ".bz2",
        "xz" => ".xz",
        "lzma" => ".lzma",
        "zstd" => ".zst",
        "lz4" => ".lz4",
        "brotli" => ".br",
        "compress" => ".Z",
        _ => ".gz",
    };
    outcome.writes(&part(word, &format!("{}{ending}", word.text)));
}

/// What it makes of one with the ending.
fn decompressed(word: &Word, outcome: &mut Outcome) {
    let name = word.text.rsplit_once('.').map_or(word.text.as_str(), |(name, _)| name);
    outcome.writes(&part(word, name));
}

/// A shell to run, by its name.
fn shell_name(word: &Word, outcome: &mut Outcome) {
    let name = word.text.rsplit('/').next().unwrap_or_default();
    if !matches!(name, "sh" | "bash" | "dash" | "zsh" | "ksh" | "nologin" | "false") || word.is_dynamic() {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// Who `su` becomes; `-` is no user.
fn user(word: &Word, outcome: &mut Outcome) {
    if word.text != "-" {
        outcome.does(Verb::Elevate, "user", word);
    }
}

/// `-o Name=value` of apt: some run programs before and after.
fn apt_option(word: &Word, outcome: &mut Outcome) {
    let name = word.text.to_ascii_lowercase();
    let harmless = [
        "dpkg::options::=--force-conf",
        "acquire::",
        "dpkg::lock::timeout",
        "apt::get::",
        "dpkg::use-pty",
        "apt::install-",
        "debug::",
    ];
    if word.is_dynamic() || !harmless.iter().any(|start| name.starts_with(start)) {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A package by name, or a path or address whose set-up code is run.
fn pip_package(word: &Word, outcome: &mut Outcome) {
    outcome.does(Verb::Package, "package", word);
    if word.text.contains(['/', '\\']) || word.text.starts_with('.') || word.text.ends_with(".whl") {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A source, or `@file` with more options.
fn compiler_file(word: &Word, outcome: &mut Outcome) {
    match word.text.strip_prefix('@') {
        Some(path) => {
            outcome.reads(&part(word, path));
            outcome.unknown(UnknownCode::Dynamic, &word.text);
        }
        None => outcome.reads(word),
    }
}

/// `Name=value` of a unit that is made on the spot.
fn property(word: &Word, outcome: &mut Outcome) {
    let name = word.text.split('=').next().unwrap_or_default();
    if word.is_dynamic() || name.starts_with("Exec") || name.starts_with("Environment") {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// `name=path`, or a path.
fn at_path(word: &Word, outcome: &mut Outcome) {
    let path = word.text.split_once('=').map_or(word.text.as_str(), |(_, path)| path);
    outcome.reads(&part(word, path));
}

/// What `ansible` gives to its module, kept for when the module is known.
fn ansible_text(word: &Word, outcome: &mut Outcome) {
    outcome.set_mark("@text", word);
}

/// A path, with `@` before it perhaps, or the text itself.
fn text_or_file(word: &Word, outcome: &mut Outcome) {
    outcome.reads(&part(word, word.text.strip_prefix('@').unwrap_or(&word.text)));
}

/// A program and its words between commas.
fn comma_command(word: &Word, outcome: &mut Outcome) {
    outcome.push(Effect::Runs(word.text.split(',').map(|text| part(word, text)).collect()));
}

/// A file's mode; one that lets it run as its owner is more than a mode.
fn mode(word: &Word, outcome: &mut Outcome) {
    let digits = word.text.trim_start_matches('0');
    let is_special = digits.len() > 3 || word.text.contains('s');
    if word.is_dynamic() {
        outcome.dynamic(word);
    } else if is_special {
        outcome.bare(Verb::Permissions, None);
    }
}

/// A setting of the kernel; with a value it is changed.
fn sysctl(word: &Word, outcome: &mut Outcome) {
    if let Some((name, _)) = word.text.split_once('=') {
        outcome.names(Verb::Configure, "setting", name);
    } else if word.text.starts_with('/') || word.text.contains("..") {
        // The name is made a path under /proc/sys, and may lead out of it.
        outcome.reads(word);
    }
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
}

/// `@script`, or shell text that another host runs.
fn at_script(word: &Word, outcome: &mut Outcome) {
    match word.text.strip_prefix('@') {
        Some(path) => outcome.reads(&part(word, path)),
        None => outcome.push(Effect::RunsShell(word.clone())),
    }
}

/// A text, or `@file` as a whole.
fn at_start(word: &Word, outcome: &mut Outcome) {
    // One word in double quotes that starts with something known names no file, whatever follows.
    let is_text = word.sure == Sureness::One
        && word.text.strip_prefix('"').is_some_and(|text| {
            text.starts_with(|c: char| !matches!(c, '@' | '$' | '`' | '\\' | '"' | '\''))
        });
    match word.text.strip_prefix('@') {
        Some(path) => outcome.reads(&part(word, path)),
        None if is_text => {}
        None if word.is_dynamic() => outcome.dynamic(word),
        None => {}
    }
}

/// `name=@file` and `name=<file` of a form, with what is said of the file behind it.
fn form_field(word: &Word, outcome: &mut Outcome) {
    let content = word.text.split_once('=').map_or("", |(_, content)| content);
    if word.is_dynamic() {
        outcome.dynamic(word);
    }
    for path in content.split(',').filter_map(|field| field.strip_prefix(['@', '<'])) {
        outcome.reads(&part(word, path.split(';').next().unwrap_or_default().trim_matches('"')));
    }
}

/// `name@file`, `@file`, or a text with an equals sign before any of these.
fn encoded_field(word: &Word, outcome: &mut Outcome) {
    match word.text.split_once('@') {
        Some((name, path)) if !name.contains('=') => outcome.reads(&part(word, path)),
        _ if word.is_dynamic() => outcome.dynamic(word),
        _ => {}
    }
}

/// A table of jobs; from standard input nobody has read it.
fn job_file(word: &Word, outcome: &mut Outcome) {
    outcome.reads(word);
    if word.text == "-" {
        outcome.unknown(UnknownCode::Dynamic, "jobs from standard input");
    }
}

/// A database of names; two of them hold passwords.
fn getent(word: &Word, outcome: &mut Outcome) {
    match word.text.as_str() {
        "shadow" | "gshadow" => outcome.names(Verb::ReadFile, "file", &format!("/etc/{}", word.text)),
        _ if word.is_dynamic() => outcome.dynamic(word),
        _ => {}
    }
}

/// A filter of jq or yq: few words of theirs read files, and one runs a program.
fn jq_filter(word: &Word, outcome: &mut Outcome) {
    let reads = ["import", "include", "load", "system"];
    if word.is_dynamic() || reads.iter().any(|name| word.text.contains(name)) {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A word of tmux, which takes a semicolon at its end for the start of another command.
fn tmux_word(word: &Word, outcome: &mut Outcome) {
    // `#(command)` in a format is run.
    if word.is_dynamic() || word.text.ends_with(';') || word.text.contains("#(") {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}

/// A format by its name, or a file of code that makes it.
fn format_name(word: &Word, outcome: &mut Outcome) {
    if word.is_dynamic() || word.text.contains(['.', '/']) {
        outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
}
