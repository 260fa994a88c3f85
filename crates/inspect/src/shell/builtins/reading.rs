//! Built-ins that change how the shell reads and finds what follows.

use sallyport_core::{UnknownCode, Verb};

use super::Call;
use crate::shell::engine::{Engine, Stdin};
use crate::shell::syntax::Dialect;

impl Engine {
    pub(super) fn set_builtin(&mut self, call: &Call<'_>) {
        let mut arguments = call.arguments();
        while let [first, rest @ ..] = arguments {
            if first.is_dynamic() {
                self.found.unknown(UnknownCode::Dynamic, "set with words that are not known");
                return;
            }
            match first.text.as_str() {
                "--" | "-" => return self.set_positional(rest),
                "-o" | "+o" => {
                    let option = rest.first().map_or("", |word| word.text.as_str());
                    if matches!(option, "posix" | "keyword" | "history" | "allexport")
                        || rest.first().is_some_and(crate::shell::word::Word::is_dynamic)
                    {
                        self.found
                            .unknown(UnknownCode::Ambiguous, "an option that changes how the shell reads");
                    }
                    arguments = rest.get(1..).unwrap_or_default();
                }
                flags if flags.starts_with(['-', '+']) => {
                    if flags.contains('k') {
                        self.found.unknown(UnknownCode::Ambiguous, "set -k changes how the shell reads");
                    }
                    if flags.contains('o') {
                        arguments = rest.get(1..).unwrap_or_default();
                        continue;
                    }
                    arguments = rest;
                }
                _ => return self.set_positional(arguments),
            }
        }
    }

    /// A text that stands for a word from the next line on, where shells expand aliases.
    pub(super) fn alias(&mut self, call: &Call<'_>) {
        for word in call.arguments().iter().filter(|word| word.text.contains('=')) {
            match word.as_constant().and_then(|text| text.split_once('=')) {
                Some((_, text)) => self.other_shell(text, Dialect::Bash, &Stdin::Terminal),
                None => self.anonymous(&word.text, "an alias that is built"),
            }
            self.found.unknown(UnknownCode::Ambiguous, "an alias changes what later lines say");
        }
        if call.arguments().iter().any(|word| word.as_constant().is_none()) {
            self.found.unknown(UnknownCode::Dynamic, "an alias that is built");
        }
    }

    pub(super) fn shopt(&mut self, call: &Call<'_>) {
        for word in call.arguments() {
            let changes = matches!(
                word.text.as_str(),
                "expand_aliases"
                    | "extglob"
                    | "sourcepath"
                    | "compat31"
                    | "compat32"
                    | "compat40"
                    | "lastpipe"
                    | "assoc_expand_once"
                    | "array_expand_once"
                    | "posix"
            );
            if changes || word.is_dynamic() {
                self.found.unknown(UnknownCode::Ambiguous, "an option that changes how the shell reads");
            }
        }
    }

    /// `enable -f file` loads a library; `enable -n` gives a built-in's name to a program.
    pub(super) fn enable(&mut self, call: &Call<'_>) {
        for (_, file) in self.options(call, &["-f"]) {
            self.found.does(Verb::LoadLibrary, "file", &file.text);
        }
        let only_lists = call.arguments().iter().all(|word| matches!(word.text.as_str(), "-a" | "-p" | "-s"));
        if !only_lists {
            self.found.unknown(UnknownCode::Ambiguous, "enable changes what names stand for");
        }
    }

    /// `hash -p path name` makes a name run another program.
    pub(super) fn hash(&mut self, call: &Call<'_>) {
        for (_, path) in self.options(call, &["-p"]) {
            self.runs(&[path], &Stdin::Terminal);
            self.found.unknown(UnknownCode::Ambiguous, "hash -p changes what a name runs");
        }
    }
}
