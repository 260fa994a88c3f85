//! Collects what a program's words do.
//!
//! Every reader adds to an [`Outcome`]. A word that is built at run time stands as it was written, and makes
//! the whole unknown wherever it decides something.

use std::collections::{BTreeMap, BTreeSet};

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};

use super::description::{Act, Role, Roles};
use crate::shell::effect::Effect;
use crate::shell::word::Word;

/// What was found so far.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The program's name, for what it says of itself.
    program: String,
    effects: Vec<Effect>,
    unknown: Vec<UnknownCode>,
    /// Every action so far, once.
    done: BTreeSet<Verb>,
    /// What options said that a reader of several words asks for.
    marks: BTreeMap<String, Word>,
}

impl Outcome {
    pub(super) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            effects: Vec::new(),
            unknown: Vec::new(),
            done: BTreeSet::new(),
            marks: BTreeMap::new(),
        }
    }

    pub(super) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }

    pub(super) fn program(&self) -> &str {
        &self.program
    }

    pub(super) fn mark(&self, name: &str) -> Option<Word> {
        self.marks.get(name).cloned()
    }

    pub(super) fn is_marked(&self, name: &str) -> bool {
        self.marks.contains_key(name)
    }

    pub(super) fn set_mark(&mut self, name: &str, word: &Word) {
        self.marks.insert(name.to_owned(), word.clone());
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Something is not understood; said once for each kind of gap.
    pub(super) fn unknown(&mut self, code: UnknownCode, detail: &str) {
        if !self.unknown.contains(&code) {
            self.unknown.push(code);
            self.effects.push(Effect::Unknown(code, format!("{}: {detail}", self.program)));
        }
    }

    pub(super) fn has_unknown(&self, code: UnknownCode) -> bool {
        self.unknown.contains(&code)
    }

    pub(super) fn dynamic(&mut self, word: &Word) {
        self.unknown(UnknownCode::Dynamic, &word.text);
    }

    /// An action on the object that the word names.
    pub(super) fn does(&mut self, verb: Verb, kind: &str, word: &Word) {
        if word.is_dynamic() {
            self.dynamic(word);
        }
        self.names(verb, kind, &word.text);
    }

    fn has_done(&self, verb: Verb) -> bool {
        self.done.contains(&verb)
    }

    /// An action on an object.
    pub(super) fn names(&mut self, verb: Verb, kind: &str, object: &str) {
        self.done.insert(verb);
        let action = Action::on_object(verb, kind, ObjectName::verbatim(object));
        self.effects.push(Effect::Does(Box::new(action)));
    }

    /// An action without an object.
    pub(super) fn bare(&mut self, verb: Verb, kind: Option<&str>) {
        self.done.insert(verb);
        let action = Action { kind: kind.map(str::to_owned), ..Action::new(verb) };
        self.effects.push(Effect::Does(Box::new(action)));
    }

    pub(super) fn reads(&mut self, word: &Word) {
        self.file(Verb::ReadFile, word);
    }

    pub(super) fn writes(&mut self, word: &Word) {
        self.file(Verb::WriteFile, word);
    }

    /// An action on a file. Standard streams are not files, and what is written to some devices is gone.
    pub(super) fn file(&mut self, verb: Verb, word: &Word) {
        let text = word.text.as_str();
        let nothing = match verb {
            Verb::ReadFile => matches!(text, "-" | "/dev/null" | "/dev/stdin"),
            Verb::WriteFile => matches!(text, "-" | "/dev/null" | "/dev/stdout" | "/dev/stderr"),
            _ => false,
        };
        if !nothing {
            self.does(verb, "file", word);
        }
    }

    /// The word in one of its roles.
    pub(super) fn role(&mut self, role: &Role, word: &Word) {
        match role {
            Role::Value => {}
            Role::Does(verb @ (Verb::ReadFile | Verb::WriteFile | Verb::RemoveFile), kind)
                if kind == "file" =>
            {
                self.file(*verb, word);
            }
            Role::Does(verb, kind) => self.does(*verb, kind, word),
            Role::Shell => self.push(Effect::RunsShell(word.clone())),
            Role::Code => self.push(Effect::RunsCode(self.program.clone())),
            Role::Script => {
                self.reads(word);
                self.unknown(UnknownCode::Dynamic, &format!("runs {}", word.text));
            }
            Role::Sql(language) => self.push(Effect::RunsSql(*language, word.clone())),
            Role::Unknown(code) => self.unknown(*code, &word.text),
            Role::Special(special) => (special.read)(word, self),
            Role::Mark(name) => self.set_mark(name, word),
        }
    }

    pub(super) fn roles(&mut self, roles: &Roles, word: &Word) {
        for role in roles {
            self.role(role, word);
        }
    }

    /// What is done whatever the words are. What an option changes in the reading is not for here.
    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Does(verb, kind, Some(object)) => {
                self.names(*verb, kind.as_deref().unwrap_or_default(), object);
            }
            // Where a word already named what it is done to, this adds nothing.
            Act::Does(verb, _, None) if self.has_done(*verb) => {}
            Act::Does(verb, kind, None) => self.bare(*verb, kind.as_deref()),
            Act::Mark(name) => self.set_mark(name, &Word::constant("")),
            Act::Interactive => self.push(Effect::Interactive(self.program.clone())),
            Act::Code => self.push(Effect::RunsCode(self.program.clone())),
            Act::ShellInput => self.push(Effect::RunsShellInput),
            Act::SqlInput(language) => self.push(Effect::RunsSqlInput(*language)),
            Act::Unknown(code) => self.unknown(*code, "it does what its words do not say"),
            Act::Operands(_) | Act::Also(_) | Act::End | Act::Rest => {}
        }
    }
}
