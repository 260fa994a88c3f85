//! What the shell's own commands do: those that run text, those that set variables, and those that change
//! how the shell reads.
//!
//! Each is reported as `run` by the engine; here is what it does beside that. A built-in that does nothing
//! else is listed, so that it is not looked up among the programs.

mod reading;
mod running;
mod setting;

use sallyport_core::UnknownCode;

use super::engine::{Engine, Output, Stdin};
use super::syntax::Dialect;
use super::word::{Sureness, Word};
use super::words::Field;

/// A built-in with its words.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) name: &'c str,
    pub(super) argv: &'c [Word],
    /// The arguments that were read as assignments.
    pub(super) declared: Vec<super::engine::Given>,
    pub(super) stdin: &'c Stdin,
}

impl Call<'_> {
    fn arguments(&self) -> &[Word] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// The arguments' texts, when all are constant.
    fn constants(&self) -> Option<Vec<&str>> {
        self.arguments().iter().map(Word::as_constant).collect()
    }

    fn has(&self, option: &str) -> bool {
        self.arguments().iter().any(|word| word.text == option)
    }
}

impl Engine {
    /// What a built-in does, and what it prints. Nothing when there is none of that name.
    pub(super) fn builtin(&mut self, call: &Call<'_>) -> Option<Output> {
        let mut output = Output::Unknown;
        match call.name {
            ":" | "true" | "false" | "pushd" | "popd" | "dirs" | "times" | "caller" | "umask" | "ulimit"
            | "bg" | "fg" | "disown" | "break" | "continue" | "return" | "exit" | "logout" | "suspend"
            | "type" | "help" | "cd" | "compopt" => {}
            "pwd" => output = Output::Written,
            "echo" => {
                output = call.constants().map_or(Output::Unknown, |words| {
                    super::engine::echo(&words, self.dialect == Dialect::Bash)
                })
            }
            "printf" => output = self.printf(call),
            "test" | "[" => self.test_builtin(call.arguments()),
            "eval" => output = self.eval(call),
            "." | "source" => self.source(call),
            "exec" => self.exec(call),
            "command" => output = self.command_builtin(call),
            "builtin" => {
                output = self
                    .deeper(|engine| engine.run_builtin_or_program(call.arguments(), Vec::new(), call.stdin));
            }
            "trap" => self.trap(call),
            "jobs" => self.jobs(call),
            "declare" | "typeset" | "local" | "export" | "readonly" => self.declare(call),
            "unset" => self.unset(call),
            "read" | "mapfile" | "readarray" | "getopts" | "wait" => self.receive(call),
            "let" => self.let_builtin(call),
            "set" => self.set_builtin(call),
            "shift" => self.forget_positional(),
            "alias" => self.alias(call),
            "unalias" => {}
            "shopt" => self.shopt(call),
            "enable" => self.enable(call),
            "hash" => self.hash(call),
            "complete" | "compgen" => self.complete(call),
            "bind" => self.bind(call),
            "fc" => self.fc(call),
            "history" => self.history(call),
            _ => return None,
        }
        if matches!((call.name, call.stdin), ("read" | "mapfile" | "readarray", Stdin::Script)) {
            self.found.unknown(UnknownCode::Ambiguous, "reads the script it stands in");
        }
        Some(output)
    }

    fn printf(&mut self, call: &Call<'_>) -> Output {
        let mut arguments = call.arguments();
        match arguments {
            [flag, name, rest @ ..] if flag.text == "-v" => {
                self.name_argument(name);
                self.set_unknown(&name.text);
                arguments = rest;
            }
            [first, ..] if first.sure == Sureness::Any => {
                self.found.unknown(UnknownCode::Dynamic, "printf with words that are not known");
            }
            [first, second, ..]
                if first.sure == Sureness::One
                    && (second.text.contains('[') || self.could_be_option(&first.text)) =>
            {
                self.found.unknown(UnknownCode::Dynamic, "printf with a format that is not known");
            }
            [first, ..] if first.text.starts_with("-v") && first.text.len() > 2 => {
                let name = Word { text: first.text.chars().skip(2).collect(), sure: first.sure };
                self.name_argument(&name);
                self.set_unknown(&name.text);
            }
            _ => {}
        }
        let constants: Option<Vec<&str>> = arguments.iter().map(Word::as_constant).collect();
        match constants {
            Some(words) if arguments.len() == call.arguments().len() => super::engine::printf(&words),
            _ => Output::Unknown,
        }
    }

    /// `test`: `-v` and `-R` evaluate a subscript, and words that are not known may be such operators.
    fn test_builtin(&mut self, arguments: &[Word]) {
        for (index, word) in arguments.iter().enumerate() {
            let next = arguments.get(index + 1);
            let could_be_operator = word.sure == Sureness::Any && !self.is_from_outside(&word.text)
                || word.sure == Sureness::One
                    && next.is_some_and(|next| next.is_dynamic() || next.text.contains("[$"));
            if could_be_operator {
                self.found.unknown(UnknownCode::Dynamic, "test with words that are not known");
            }
            if matches!(word.text.as_str(), "-v" | "-R")
                && let Some(name) = next
                && name.text != "]"
            {
                self.name_argument(name);
            }
        }
    }

    /// Whether a quoted word starts and ends with what the text has read or computed. Text at its end makes
    /// it no name of a variable.
    fn could_be_option(&self, written: &str) -> bool {
        let inside = written.trim_matches('"');
        let ends_open = inside.ends_with(['}', ')', '`', ']'])
            || inside.rsplit_once('$').is_some_and(|(_, name)| super::syntax::is_name(name));
        inside.starts_with(['$', '`']) && ends_open && !self.is_from_outside(inside)
    }

    /// Whether a word is one variable that the text has not set: what it holds came with the session.
    fn is_from_outside(&self, written: &str) -> bool {
        let name = written.strip_prefix('$').unwrap_or_default();
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        let is_variable = super::syntax::is_name(name) || matches!(name, "1" | "2" | "3" | "4");
        is_variable && !self.env.is_set(name)
    }

    fn let_builtin(&mut self, call: &Call<'_>) {
        for word in call.arguments() {
            self.arithmetic_word(&Field { word: word.clone(), is_written: false, is_bare: false });
        }
    }
}
