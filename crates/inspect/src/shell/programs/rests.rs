//! Readers of all the words that are left: what a program runs, and words that belong together.

use sallyport_core::UnknownCode;

use super::description::{Node, Rest, Takes};
use super::outcome::Outcome;
use crate::shell::effect::Effect;
use crate::shell::word::{Sureness, Word};

const RESTS: &[Rest] = &[
    Rest { name: "command", read: command },
    Rest { name: "assigned-command", read: assigned_command },
    Rest { name: "shell-words", read: shell_words },
    Rest { name: "arguments", read: arguments },
    Rest { name: "python-module", read: python_module },
    Rest { name: "xargs-command", read: xargs_command },
    Rest { name: "found-command", read: found_command },
];

/// The reader of that name.
pub(super) fn rest(name: &str) -> Option<Rest> {
    RESTS.iter().find(|rest| rest.name == name).copied()
}

/// A program and its words.
fn command(words: &[Word], outcome: &mut Outcome) {
    if !words.is_empty() {
        outcome.push(Effect::Runs(words.to_vec()));
    }
}

/// `NAME=value`s, then a program and its words.
fn assigned_command(words: &[Word], outcome: &mut Outcome) {
    // `env -` starts without variables.
    let words = words.strip_prefix(&[Word::constant("-")]).unwrap_or(words);
    let start = words.iter().position(|word| !word.text.contains('=')).unwrap_or(words.len());
    let (assignments, words) = words.split_at(start);
    for word in assignments {
        if word.sure == Sureness::Any {
            outcome.dynamic(word);
        }
        outcome.push(Effect::Sets(word.clone()));
    }
    command(words, outcome);
}

/// Words that are put together with blanks, and read by a shell.
fn shell_words(words: &[Word], outcome: &mut Outcome) {
    if words.is_empty() {
        return;
    }
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let sure = match words.iter().find(|word| word.sure != Sureness::Constant) {
        None => Sureness::Constant,
        // A pattern is expanded here, and what it gives is read again as shell text.
        Some(_) => Sureness::Any,
    };
    outcome.push(Effect::RunsShell(Word { text, sure }));
}

/// Words for a text that was given before: they are not the program's.
fn arguments(_: &[Word], _: &mut Outcome) {}

/// `python -m NAME …`: some modules are programs of their own.
fn python_module(words: &[Word], outcome: &mut Outcome) {
    match words.first().and_then(Word::as_constant) {
        Some("pip" | "pipx" | "pytest" | "poetry" | "uv" | "black" | "ruff" | "mypy") => {
            command(words, outcome)
        }
        Some("http.server" | "SimpleHTTPServer") => {
            let port = words.iter().skip(1).find(|word| word.text.bytes().all(|b| b.is_ascii_digit()));
            let port = port.cloned().unwrap_or_else(|| Word::constant("8000"));
            outcome.does(sallyport_core::Verb::ListenOn, "port", &port);
        }
        Some("json.tool") => {
            let mut paths = words.iter().skip(1).filter(|word| !word.text.starts_with('-'));
            if let Some(path) = paths.next() {
                outcome.reads(path);
            }
            if let Some(path) = paths.next() {
                outcome.writes(path);
            }
        }
        Some("venv" | "virtualenv") => {
            for path in words.iter().skip(1).filter(|word| !word.text.starts_with('-')) {
                outcome.writes(path);
            }
        }
        Some(name) => outcome.unknown(UnknownCode::Dynamic, &format!("-m {name}")),
        None => outcome.unknown(UnknownCode::Dynamic, "-m"),
    }
}

/// A program, its words, and those that are read from standard input.
fn xargs_command(words: &[Word], outcome: &mut Outcome) {
    let mut words = words.to_vec();
    if words.is_empty() {
        words.push(Word::constant("echo"));
    }
    if let Some(mark) = outcome.mark() {
        for word in words.iter_mut().filter(|word| word.text.contains(mark)) {
            word.sure = Sureness::One;
        }
        return outcome.push(Effect::Runs(words));
    }
    words.push(Word { text: "{}".to_owned(), sure: Sureness::Any });
    outcome.push(Effect::Runs(words));
}

/// The first word, a cluster of options without its dash, taken apart; and how many of the words
/// after it are its options' values. They come one after the other: `tar cfz archive.tar.gz dir`.
pub(super) fn unbundled(node: &Node, first: &Word, after: &[Word]) -> (Vec<Word>, usize) {
    let mut words = Vec::new();
    let mut values = 0;
    for letter in first.text.chars() {
        let name = format!("-{letter}");
        let takes = node.options.get(&name).is_some_and(|rule| rule.takes == Takes::Required);
        words.push(Word::constant(name));
        if takes && let Some(value) = after.get(values) {
            words.push(value.clone());
            values += 1;
        }
    }
    (words, values)
}

/// `fd -x`: a program, and the paths that were found in place of `{}` or after its words.
fn found_command(words: &[Word], outcome: &mut Outcome) {
    let end = words.iter().position(|word| word.text == ";").unwrap_or(words.len());
    let mut run: Vec<Word> = words.iter().take(end).map(super::find::found).collect();
    if !run.iter().any(|word| word.text.contains('{')) {
        run.push(Word { text: "{}".to_owned(), sure: Sureness::Pattern });
    }
    command(&run, outcome);
}
