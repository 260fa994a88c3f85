//! `find`'s words: paths, then an expression.
//!
//! A path that find gives to a program stands as `{}` there, and never looks like an option, for it starts
//! with one of the paths that find was given.

use sallyport_core::{UnknownCode, Verb};

use super::outcome::Outcome;
use crate::shell::effect::Effect;
use crate::shell::word::{Sureness, Word};

/// Parts of an expression without a value.
const ALONE: &[&str] = &[
    "(",
    ")",
    "!",
    ",",
    "-a",
    "-and",
    "-o",
    "-or",
    "-not",
    "-daystart",
    "-depth",
    "-d",
    "-follow",
    "-help",
    "--help",
    "-ignore_readdir_race",
    "-noignore_readdir_race",
    "-mount",
    "-xdev",
    "-x",
    "-noleaf",
    "-nowarn",
    "-warn",
    "-version",
    "--version",
    "-empty",
    "-executable",
    "-readable",
    "-writable",
    "-false",
    "-true",
    "-nogroup",
    "-nouser",
    "-print",
    "-print0",
    "-prune",
    "-quit",
    "-ls",
    "-E",
    "-X",
    "-s",
];

/// Parts with a value that only chooses.
const CHOOSES: &[&str] = &[
    "-amin",
    "-anewer",
    "-atime",
    "-cmin",
    "-cnewer",
    "-context",
    "-ctime",
    "-fstype",
    "-gid",
    "-group",
    "-ilname",
    "-iname",
    "-inum",
    "-ipath",
    "-iregex",
    "-iwholename",
    "-links",
    "-lname",
    "-maxdepth",
    "-mindepth",
    "-mmin",
    "-mtime",
    "-name",
    "-newer",
    "-path",
    "-perm",
    "-printf",
    "-regex",
    "-regextype",
    "-samefile",
    "-size",
    "-type",
    "-uid",
    "-used",
    "-user",
    "-wholename",
    "-xtype",
    "-Bmin",
    "-Btime",
    "-flags",
];

pub(super) fn read(words: &[Word], outcome: &mut Outcome) {
    let mut left = words;
    let mut roots: Vec<&Word> = Vec::new();
    // Options that stand before the paths.
    while let Some((word, after)) = left.split_first() {
        match word.text.as_str() {
            "-H" | "-L" | "-P" | "--" => left = after,
            "-D" => left = after.get(1..).unwrap_or_default(),
            text if text.starts_with("-O") && text.len() > 2 => left = after,
            _ => break,
        }
    }
    while let Some((word, after)) = left.split_first() {
        if !word.is_dynamic() && (word.text.starts_with('-') || matches!(word.text.as_str(), "(" | "!" | ","))
        {
            break;
        }
        outcome.reads(word);
        roots.push(word);
        left = after;
    }
    while let Some((word, after)) = left.split_first() {
        left = part(word, after, &roots, outcome);
    }
}

/// One part of the expression; what is left after it.
fn part<'w>(word: &Word, after: &'w [Word], roots: &[&Word], outcome: &mut Outcome) -> &'w [Word] {
    let text = word.text.as_str();
    let value = after.first();
    let more = after.get(1..).unwrap_or_default();
    if word.is_dynamic() {
        outcome.dynamic(word);
        return after;
    }
    match text {
        "-exec" | "-execdir" | "-ok" | "-okdir" => return command(after, outcome),
        "-delete" => {
            for root in roots {
                outcome.file(Verb::RemoveFile, root);
            }
            if roots.is_empty() {
                outcome.names(Verb::RemoveFile, "file", ".");
            }
            return after;
        }
        "-fprint" | "-fprint0" | "-fls" | "-fprintf" => {
            if let Some(path) = value {
                outcome.writes(path);
            }
            return if text == "-fprintf" { more.get(1..).unwrap_or_default() } else { more };
        }
        "-files0-from" | "-f" => {
            if let Some(path) = value {
                outcome.reads(path);
            }
            if text == "-files0-from" {
                outcome.unknown(UnknownCode::Dynamic, "paths from a file");
            }
            return more;
        }
        text if ALONE.contains(&text) => return after,
        text if CHOOSES.contains(&text) || (text.len() == 8 && text.starts_with("-newer")) => {}
        text => {
            outcome.unknown(UnknownCode::Unsupported, text);
            return after;
        }
    }
    if let Some(value) = value
        && value.sure != Sureness::Constant
        && value.sure != Sureness::One
    {
        // What a pattern gives without quotes may be many words, and then parts of the expression.
        outcome.unknown(UnknownCode::Dynamic, &value.text);
    }
    more
}

/// The words of `-exec` up to `;`, or to `+` after `{}`.
fn command<'w>(words: &'w [Word], outcome: &mut Outcome) -> &'w [Word] {
    let mut end = words.len();
    let mut before = "";
    for (at, word) in words.iter().enumerate() {
        if word.text == ";" || (word.text == "+" && before == "{}") {
            end = at;
            break;
        }
        before = &word.text;
    }
    let run: Vec<Word> = words.iter().take(end).map(found).collect();
    if !run.is_empty() {
        outcome.push(Effect::Runs(run));
    }
    words.get(end + 1..).unwrap_or_default()
}

/// A word of the command, in which `{}` is a path that was found.
pub(super) fn found(word: &Word) -> Word {
    if !word.text.contains("{}") || word.is_dynamic() {
        return word.clone();
    }
    let path = word.text.starts_with("{}") || (word.text.starts_with(['/', '.']) && word.text.contains('/'));
    let path = path && !word.text.contains(char::is_whitespace);
    Word { text: word.text.clone(), sure: if path { Sureness::Pattern } else { Sureness::One } }
}
