//! Built-ins that run text or programs.

use sallyport_core::{UnknownCode, Verb};

use super::Call;
use crate::shell::engine::{Engine, Output, Stdin, Value};
use crate::shell::syntax::Dialect;
use crate::shell::word::{Sureness, Word};

/// Programs that complete for themselves, by the line in their environment, and do nothing else then.
const COMPLETING: [&str; 8] =
    ["terraform", "tofu", "vault", "bao", "consul", "nomad", "packer", "aws_completer"];

impl Engine {
    pub(super) fn eval(&mut self, call: &Call<'_>) -> Output {
        let mut arguments = call.arguments();
        if arguments.first().is_some_and(|word| word.text == "--") {
            arguments = arguments.get(1..).unwrap_or_default();
        }
        let texts: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
        let text = texts.join(" ");
        if arguments.iter().all(|word| word.sure == Sureness::Constant) {
            return self.text(&text, call.stdin);
        }
        self.anonymous(&text, "text that is built and evaluated");
        self.env.forget();
        Output::Unknown
    }

    pub(super) fn source(&mut self, call: &Call<'_>) {
        let mut arguments = call.arguments();
        if arguments.first().is_some_and(|word| word.text == "--") {
            arguments = arguments.get(1..).unwrap_or_default();
        }
        if let Some(file) = arguments.first() {
            self.found.file(Verb::ReadFile, &file.text);
        }
        self.found.unknown(UnknownCode::Dynamic, "a script that is not read here");
        self.env.forget();
    }

    pub(super) fn exec(&mut self, call: &Call<'_>) {
        let mut arguments = call.arguments();
        while let [first, rest @ ..] = arguments {
            match first.text.as_str() {
                "--" => {
                    arguments = rest;
                    break;
                }
                "-a" => arguments = rest.get(1..).unwrap_or_default(),
                "-c" | "-l" | "-cl" | "-lc" => arguments = rest,
                option if option.starts_with('-') => {
                    self.found.unknown(UnknownCode::Unsupported, "an option of exec");
                    break;
                }
                _ => break,
            }
        }
        if arguments.is_empty() {
            // What its redirections did to standard input stays.
            self.is_input_replaced |= !matches!(call.stdin, Stdin::Terminal);
        } else {
            self.runs(arguments, call.stdin);
        }
    }

    pub(super) fn command_builtin(&mut self, call: &Call<'_>) -> Output {
        let mut arguments = call.arguments();
        while let [first, rest @ ..] = arguments {
            match first.text.as_str() {
                "-p" => arguments = rest,
                "--" => {
                    arguments = rest;
                    break;
                }
                "-v" | "-V" | "-pv" | "-pV" => return Output::Unknown,
                _ => break,
            }
        }
        if arguments.is_empty() {
            return Output::Unknown;
        }
        self.deeper(|engine| engine.run_builtin_or_program(arguments, Vec::new(), call.stdin))
    }

    /// `trap 'text' SIGNAL…`: the text runs some day, with variables as they are then.
    pub(super) fn trap(&mut self, call: &Call<'_>) {
        let mut arguments = call.arguments();
        if arguments.first().is_some_and(|word| word.text == "--") {
            arguments = arguments.get(1..).unwrap_or_default();
        }
        let [action, signals @ ..] = arguments else { return };
        let is_option = action.text.starts_with('-') && matches!(action.text.as_str(), "-" | "-l" | "-p");
        if signals.is_empty() || is_option || action.text.is_empty() {
            return;
        }
        match action.as_constant() {
            Some(text) => {
                self.elsewhere(|engine| engine.text(text, &Stdin::Terminal));
                if !signals.iter().all(|signal| matches!(signal.text.as_str(), "EXIT" | "0")) {
                    self.distrust_changes(text);
                }
            }
            None => self.anonymous(&action.text, "a trap whose text is built"),
        }
    }

    /// `jobs -x program …` runs the program.
    pub(super) fn jobs(&mut self, call: &Call<'_>) {
        if let [flag, program @ ..] = call.arguments()
            && flag.text == "-x"
            && !program.is_empty()
        {
            self.runs(program, call.stdin);
        }
    }

    /// `complete -C command`, `compgen -C command`, `-F function`, `-W words` (which are expanded).
    ///
    /// A command gets three more words: what is completed for, the word so far, and the one before it.
    pub(super) fn complete(&mut self, call: &Call<'_>) {
        let valued = ["-o", "-A", "-G", "-W", "-F", "-C", "-X", "-P", "-S", "-V"];
        let mut operands = Vec::new();
        let mut words = call.arguments().iter();
        while let Some(word) = words.next() {
            if valued.contains(&word.text.as_str()) {
                words.next();
            } else if !word.text.starts_with('-') {
                operands.push(word);
            }
        }
        let is_now = call.name == "compgen";
        let mut more = if is_now { " compgen".to_owned() } else { String::new() };
        for word in operands {
            match word.as_constant() {
                Some(text) => more.push_str(&format!(" '{}'", text.replace('\'', "'\\''"))),
                None => self.found.unknown(UnknownCode::Dynamic, "a completion of a word that is not known"),
            }
        }
        more.push_str(if is_now { " ''" } else { " \"$2\" \"$3\"" });
        for (option, value) in self.options(call, &["-C", "-F", "-W"]) {
            match (option.as_str(), value.as_constant()) {
                ("-W", Some(text)) => self.expanded(text),
                ("-W", None) => self.anonymous(&value.text, "words that are expanded"),
                (_, Some(text)) => {
                    let name = text.rsplit('/').next().unwrap_or_default();
                    let text =
                        if COMPLETING.contains(&name) { text.to_owned() } else { format!("{text}{more}") };
                    self.other_shell(&text, Dialect::Bash, &Stdin::Terminal);
                }
                (_, None) => self.anonymous(&value.text, "a command that is built"),
            }
        }
    }

    /// The values of options that take one.
    pub(super) fn options(&self, call: &Call<'_>, wanted: &[&str]) -> Vec<(String, Word)> {
        let mut found = Vec::new();
        let mut words = call.arguments().iter();
        while let Some(word) = words.next() {
            for option in wanted {
                if word.text == *option {
                    let value = words.as_slice().first().cloned().unwrap_or_else(|| Word::constant(""));
                    found.push(((*option).to_owned(), value));
                } else if let Some(value) = word.text.strip_prefix(option) {
                    found.push(((*option).to_owned(), Word { text: value.to_owned(), sure: word.sure }));
                }
            }
        }
        found
    }

    /// `bind -x '"keys": command'`, and macros that type commands.
    pub(super) fn bind(&mut self, call: &Call<'_>) {
        let is_listing = call
            .arguments()
            .iter()
            .all(|word| matches!(word.text.as_str(), "-l" | "-p" | "-P" | "-s" | "-S" | "-v" | "-V" | "-X"));
        if !is_listing {
            let text = call.arguments().iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            self.anonymous(&text, "keys that run commands");
        }
    }

    /// `fc` runs commands of the history again, or an editor and then what was edited.
    pub(super) fn fc(&mut self, call: &Call<'_>) {
        if !call.arguments().first().is_some_and(|word| word.text.starts_with("-l")) {
            self.anonymous("fc", "commands of the history");
        }
    }

    pub(super) fn history(&mut self, call: &Call<'_>) {
        for (option, value) in self.options(call, &["-w", "-a", "-r", "-n"]) {
            let verb = if matches!(option.as_str(), "-w" | "-a") { Verb::WriteFile } else { Verb::ReadFile };
            let is_usual = value.text.is_empty();
            let usual = self.env.taken("HISTFILE");
            let path = match &usual {
                Some(Value::Text(path) | Value::Written(path)) if is_usual => path.as_ref(),
                _ if is_usual => "~/.bash_history",
                _ => value.text.as_str(),
            };
            self.found.file(verb, path);
            let is_built = matches!(usual, Some(Value::Unknown | Value::Pattern(_) | Value::List(_)));
            if value.is_dynamic() || is_usual && is_built {
                self.found.unknown(UnknownCode::Dynamic, "a path that is built");
            }
        }
    }
}
