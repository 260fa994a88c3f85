//! What has been found of a text so far.

use std::collections::BTreeSet;

use sallyport_core::{Action, Facts, Language, ObjectName, Unknown, UnknownCode, Verb};

use crate::shell::word::Word;

/// Actions, and the first reason why they may not be all.
#[derive(Debug, Default)]
pub(in crate::shell) struct Found {
    actions: BTreeSet<Action>,
    unknown: Option<Unknown>,
}

impl Found {
    pub(in crate::shell) fn add(&mut self, action: Action) {
        self.actions.insert(action);
    }

    pub(in crate::shell) fn does(&mut self, verb: Verb, kind: &str, object: &str) {
        self.add(Action::on_object(verb, kind, ObjectName::verbatim(object)));
    }

    /// A program, or a built-in, that is run with these words.
    pub(in crate::shell) fn run(&mut self, name: &str, argv: &[Word]) {
        let argv = argv.iter().map(|word| word.text.clone()).collect();
        self.add(Action { argv, ..Action::on_object(Verb::Run, "program", ObjectName::verbatim(name)) });
    }

    /// A file that the shell or a program touches. What every process has open anyway is no file.
    pub(in crate::shell) fn file(&mut self, verb: Verb, path: &str) {
        if !is_everyones(path) {
            self.does(verb, "file", path);
        }
    }

    pub(in crate::shell) fn unknown(&mut self, code: UnknownCode, detail: impl Into<String>) {
        self.unknown.get_or_insert_with(|| Unknown { code, detail: detail.into() });
    }

    pub(in crate::shell) fn merge(&mut self, facts: Facts) {
        self.actions.extend(facts.actions);
        if let Some(unknown) = facts.unknown {
            self.unknown.get_or_insert(unknown);
        }
    }

    pub(in crate::shell) fn doubt(&mut self, unknown: Option<Unknown>) {
        if let Some(unknown) = unknown {
            self.unknown.get_or_insert(unknown);
        }
    }

    /// Whether nothing was found.
    pub(in crate::shell) fn count(&self) -> usize {
        self.actions.len()
    }

    pub(in crate::shell) fn facts(self, statements: usize) -> Facts {
        Facts {
            language: Language::Shell,
            statements,
            unknown: self.unknown,
            actions: self.actions.into_iter().collect(),
        }
    }
}

/// Devices that hold nothing, the standard streams, and the pipes of process substitutions.
pub(in crate::shell) fn is_everyones(path: &str) -> bool {
    matches!(
        path,
        "/dev/null"
            | "/dev/stdin"
            | "/dev/stdout"
            | "/dev/stderr"
            | "/dev/tty"
            | "/dev/zero"
            | "/dev/full"
            | "/dev/random"
            | "/dev/urandom"
            | "-"
    ) || path.starts_with("<(")
        || path.starts_with(">(")
        || path.strip_prefix("/dev/fd/").is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}
