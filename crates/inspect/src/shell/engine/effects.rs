//! What programs do, by their descriptions, and what that runs in turn.

use sallyport_core::{UnknownCode, Verb};

use super::found::is_everyones;
use super::simple::Given;
use super::{DEEPEST_CALL, Engine, Stdin, Value, sql};
use crate::shell::effect::Effect;
use crate::shell::syntax::{Dialect, is_name};
use crate::shell::word::{Sureness, Word};

/// Programs that talk to a person whatever they read.
const SCREENS: [&str; 20] = [
    "less", "more", "most", "man", "info", "vim", "vi", "view", "nvim", "vimdiff", "nano", "pico", "emacs",
    "top", "htop", "watch", "screen", "tmux", "k9s", "mc",
];

impl Engine {
    pub(super) fn effect(&mut self, program: &str, effect: Effect, stdin: &Stdin) {
        match effect {
            Effect::Does(action) => {
                let is_nothing = action.kind.as_deref() == Some("file")
                    && action.object.as_ref().is_some_and(|object| is_everyones(&object.name));
                if action.action == Verb::Interpreter && action.object.is_none() {
                    self.interpreter(program);
                } else if !is_nothing {
                    self.found.add(*action);
                }
            }
            Effect::Runs(argv) if program == "xargs" && matches!(stdin, Stdin::Names) => {
                self.runs(&listed(argv), &Stdin::Empty);
            }
            Effect::Runs(argv) => self.runs(&argv, stdin),
            Effect::Sets(word) => self.sets(&word),
            Effect::RunsShell(word) => match word.as_constant() {
                Some(text) => self.other_shell(text, dialect_of(program), stdin),
                None => self.anonymous(&word.text, "shell text that is built"),
            },
            Effect::RunsShellInput => match stdin {
                Stdin::Text(text) => {
                    let text = std::rc::Rc::clone(text);
                    self.other_shell(&text, dialect_of(program), &Stdin::Script);
                }
                Stdin::Terminal => self.found.does(Verb::Interactive, "program", program),
                Stdin::Data | Stdin::Names | Stdin::Script => {
                    self.anonymous(program, "shell text that comes through standard input")
                }
                Stdin::Empty => {}
            },
            Effect::RunsCode(code) => {
                let _ = code;
                self.interpreter(program);
                self.found.unknown(UnknownCode::Dynamic, format!("code for {program}"));
            }
            Effect::RunsSql(language, word) => {
                self.interpreter(program);
                match word.as_constant() {
                    Some(text) => sql::command(self, program, language, text),
                    None => self.found.unknown(UnknownCode::Dynamic, "SQL that is built"),
                }
            }
            Effect::InDatabase(_) => {}
            Effect::RunsSqlInput(language) => match stdin {
                Stdin::Text(text) => {
                    self.interpreter(program);
                    let text = std::rc::Rc::clone(text);
                    sql::script(self, program, language, &text);
                }
                Stdin::Terminal => self.found.does(Verb::Interactive, "program", program),
                Stdin::Data | Stdin::Names | Stdin::Script => {
                    self.interpreter(program);
                    self.found.unknown(UnknownCode::Dynamic, "SQL that comes through standard input");
                }
                Stdin::Empty => {}
            },
            Effect::Interactive(what) => match stdin {
                _ if SCREENS.contains(&what.as_str()) => self.found.does(Verb::Interactive, "program", &what),
                Stdin::Terminal => self.found.does(Verb::Interactive, "program", &what),
                Stdin::Text(_) | Stdin::Data | Stdin::Names | Stdin::Script => {
                    self.interpreter(&what);
                    self.found.unknown(UnknownCode::Dynamic, format!("what {what} reads"));
                }
                Stdin::Empty => {}
            },
            Effect::Unknown(code, detail) => self.found.unknown(code, detail),
        }
    }

    fn interpreter(&mut self, program: &str) {
        self.found.does(Verb::Interpreter, "program", program);
    }

    /// A program that another one runs.
    pub(in crate::shell) fn runs(&mut self, argv: &[Word], stdin: &Stdin) {
        if self.calls.len() >= DEEPEST_CALL {
            self.found.unknown(UnknownCode::TooLarge, "programs that run programs, too deep");
            return;
        }
        self.calls.push(String::new());
        self.run_program(argv, stdin);
        self.calls.pop();
    }

    fn sets(&mut self, word: &Word) {
        let (name, value) = word.text.split_once('=').unwrap_or((word.text.as_str(), ""));
        if !is_name(name) {
            if name.starts_with("BASH_FUNC_") {
                self.found.unknown(UnknownCode::Ambiguous, "a function that is given to another shell");
            }
            if word.is_dynamic() {
                self.found.unknown(UnknownCode::Dynamic, "a variable whose name is built");
            }
            return;
        }
        let value = if word.is_dynamic() { Value::Unknown } else { Value::Text(std::rc::Rc::from(value)) };
        let given = Given { name: name.to_owned(), value, source: word.text.clone() };
        if self.assigned(&given.name, &given.value, &given.source) {
            self.found.does(Verb::Set, "variable", &given.name);
        }
    }
}

/// Programs whose operands are paths, identifiers or numbers, whatever these are.
const PLAIN: [&str; 25] = [
    "rm",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "wc",
    "ls",
    "cat",
    "head",
    "tail",
    "stat",
    "file",
    "du",
    "chmod",
    "chown",
    "cp",
    "mv",
    "touch",
    "md5sum",
    "sha256sum",
    "gzip",
    "sed",
    "docker",
    "podman",
    "kill",
];

/// The words that `xargs` takes from a list of names are operands like those a pattern gives, to programs
/// that run none of them.
fn listed(mut argv: Vec<Word>) -> Vec<Word> {
    let is_plain = argv.first().and_then(Word::as_constant).is_some_and(|name| PLAIN.contains(&name));
    if is_plain {
        for word in argv.iter_mut().filter(|word| word.text == "{}") {
            word.sure = Sureness::Pattern;
        }
    }
    argv
}

/// `sh` may be any POSIX shell.
fn dialect_of(program: &str) -> Dialect {
    if matches!(program, "sh" | "dash" | "ash" | "busybox" | "ksh" | "mksh") {
        Dialect::Posix
    } else {
        Dialect::Bash
    }
}
