//! Readers of all the words that are left: what a program runs, and words that belong together.

use sallyport_core::{UnknownCode, Verb};

use super::description::{Node, Rest, Takes};
use super::outcome::Outcome;
use super::{clusters, databases, git, java, remote};
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
    Rest { name: "tar", read: tar },
    Rest { name: "service-script", read: service },
    Rest { name: "su", read: su },
    Rest { name: "parallel", read: parallel },
    Rest { name: "flock-command", read: flock_command },
    Rest { name: "entry-command", read: entry_command },
];

/// The reader of that name.
pub(super) fn rest(name: &str) -> Option<Rest> {
    [RESTS, git::RESTS, remote::RESTS, clusters::RESTS, databases::RESTS, java::RESTS]
        .into_iter()
        .flatten()
        .find(|rest| rest.name == name)
        .copied()
}

/// A program and its words.
fn command(words: &[Word], outcome: &mut Outcome) {
    // The end of options, where it stands behind the first operand.
    let words = words.strip_prefix(&[Word::constant("--")]).unwrap_or(words);
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
    if let Some(split) = outcome.mark("@split").filter(|_| start == 0) {
        // They follow the words of `-S`.
        let split = split.text.split_whitespace().filter(|word| !word.contains('=')).map(Word::constant);
        return command(&split.chain(words.iter().cloned()).collect::<Vec<_>>(), outcome);
    }
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
            outcome.does(Verb::ListenOn, "port", &port);
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
    if let Some(mark) = outcome.mark("@replace") {
        if mark.is_dynamic() {
            outcome.dynamic(&mark);
        }
        let mark = if mark.text.is_empty() { "{}" } else { &mark.text };
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

/// `tar`'s operands: what goes into an archive, or which of its members come out.
fn tar(words: &[Word], outcome: &mut Outcome) {
    let archive = outcome.mark("@archive");
    let folder = outcome.mark("@folder");
    let creates = outcome.is_marked("@create");
    if let Some(archive) = &archive {
        if creates || outcome.is_marked("@change") {
            outcome.writes(archive)
        } else {
            outcome.reads(archive)
        }
        if let Some(host) = remote::host(&archive.text) {
            outcome.names(Verb::Connect, "host", host);
        }
    }
    if creates {
        for word in words {
            outcome.reads(word);
            if outcome.is_marked("@remove") {
                outcome.file(Verb::RemoveFile, word);
            }
        }
    } else if outcome.is_marked("@extract") {
        match &folder {
            Some(folder) => outcome.writes(folder),
            None => outcome.bare(Verb::WriteFile, Some("file")),
        }
    }
}

/// `service NAME ACTION`: runs the script of that name.
fn service(words: &[Word], outcome: &mut Outcome) {
    for word in words.iter().filter(|word| word.is_dynamic()) {
        outcome.dynamic(word);
    }
    let Some(name) = words.first() else { return };
    if name.text.contains('/') {
        return outcome.push(Effect::RunsShell(name.clone()));
    }
    if words.get(1).is_none_or(|action| action.text != "status") {
        outcome.names(Verb::Service, "service", &name.text);
    }
}

/// `su [-] [user [argument…]]`: the arguments are the shell's.
fn su(words: &[Word], outcome: &mut Outcome) {
    let words = words.strip_prefix(&[Word::constant("-")]).unwrap_or(words);
    if let Some((user, arguments)) = words.split_first() {
        outcome.does(Verb::Elevate, "user", user);
        if let Some(argument) = arguments.first() {
            outcome.unknown(UnknownCode::Dynamic, &argument.text);
        }
    }
}

/// `parallel command ::: words`: the command is shell text with a word put into it.
fn parallel(words: &[Word], outcome: &mut Outcome) {
    let end = words.iter().position(|word| word.text.starts_with(":::")).unwrap_or(words.len());
    let (words, given) = words.split_at(end);
    let words: Vec<Word> = words.iter().map(super::find::found).collect();
    if let Some((separator, texts)) = given.split_first().filter(|_| words.is_empty()) {
        // Without a command they are the commands.
        if separator.text != ":::" {
            outcome.unknown(UnknownCode::Dynamic, "commands from a file");
        }
        texts.iter().for_each(|text| outcome.push(Effect::RunsShell(text.clone())));
        return;
    }
    if words.is_empty() {
        return outcome.push(Effect::RunsShellInput);
    }
    shell_words(&words, outcome);
    outcome.push(Effect::Runs(words));
    outcome.unknown(UnknownCode::Dynamic, "text is put into its command");
}

/// `flock FILE command`, or `flock FILE -c 'text'`.
fn flock_command(words: &[Word], outcome: &mut Outcome) {
    match words.split_first() {
        Some((first, text)) if matches!(first.text.as_str(), "-c" | "--command") => {
            for word in text.iter().take(1) {
                outcome.push(Effect::RunsShell(word.clone()));
            }
        }
        _ => command(words, outcome),
    }
}

/// A container's words: a program's, or those of the program that was put in front of them.
fn entry_command(words: &[Word], outcome: &mut Outcome) {
    let mut run: Vec<Word> = outcome.mark("@entrypoint").into_iter().collect();
    run.extend_from_slice(words);
    if run.is_empty() && outcome.is_marked("@terminal") && !outcome.is_marked("@detached") {
        // What the image runs by itself, on a terminal.
        outcome.bare(Verb::Interactive, None);
    }
    command(&run, outcome);
}
