//! Which variables a loop's body may change, read before the body is walked.
//!
//! The second time around, the body sees what the first has left. So what it assigns is unknown at its
//! start, or a number where all that is assigned are numbers.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::shell::syntax::{
    Argument, Assigned, Assignment, Command, Compound, Expansion, Function, Item, List, Parameter, Part,
    Pipeline, Simple, Word,
};

/// The functions that are defined.
type Functions = BTreeMap<String, Rc<Function>>;

/// Names that are assigned, and whether only numbers are.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) names: BTreeMap<String, bool>,
    /// Anything may be changed.
    pub(super) all: bool,
    seen: HashSet<String>,
}

/// What `set` and `shift` change.
const POSITIONAL: [&str; 11] = ["@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Built-ins that set the variables their arguments name.
const SETTING: [&str; 12] = [
    "read",
    "mapfile",
    "readarray",
    "declare",
    "typeset",
    "local",
    "export",
    "readonly",
    "unset",
    "getopts",
    "printf",
    "wait",
];

impl Changes {
    pub(super) fn of(lists: &[&List], functions: &Functions) -> Self {
        let mut changes = Self::default();
        for list in lists {
            changes.list(list, functions);
        }
        changes
    }

    fn note(&mut self, name: &str, is_number: bool) {
        let only_numbers = self.names.entry(name.to_owned()).or_insert(true);
        *only_numbers &= is_number;
    }

    fn list(&mut self, list: &List, functions: &Functions) {
        for Item { first, rest, .. } in &list.items {
            self.pipeline(first, functions);
            for (_, pipeline) in rest {
                self.pipeline(pipeline, functions);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, functions: &Functions) {
        for command in &pipeline.commands {
            self.command(command, functions);
        }
    }

    fn command(&mut self, command: &Command, functions: &Functions) {
        match command {
            Command::Simple(simple) => self.simple(simple, functions),
            Command::Function(_) => {}
            Command::Compound(compound, _) => self.compound(compound, functions),
        }
    }

    fn compound(&mut self, compound: &Compound, functions: &Functions) {
        match compound {
            Compound::Subshell(list) | Compound::Group(list) => self.list(list, functions),
            Compound::If(branches) => {
                for (condition, body) in branches {
                    if let Some(condition) = condition {
                        self.list(condition, functions);
                    }
                    self.list(body, functions);
                }
            }
            Compound::Loop { condition, body } => {
                self.list(condition, functions);
                self.list(body, functions);
            }
            Compound::For { name, body, .. } => {
                self.note(name, false);
                self.list(body, functions);
            }
            Compound::ArithmeticFor { expression, body } => {
                self.arithmetic(expression);
                self.list(body, functions);
            }
            Compound::Case { arms, .. } => arms.iter().for_each(|(_, body)| self.list(body, functions)),
            Compound::Arithmetic { expression, .. } => self.arithmetic(expression),
            Compound::Test(_) => {}
            Compound::Coprocess(command) => self.command(command, functions),
        }
    }

    fn simple(&mut self, simple: &Simple, functions: &Functions) {
        for assignment in &simple.assignments {
            self.assignment(assignment);
        }
        let literals: Vec<Option<&str>> = simple
            .words
            .iter()
            .take(2)
            .map(|argument| match argument {
                Argument::Word(word) => word.literal(),
                Argument::Assignment(_) => None,
            })
            .collect();
        if matches!(literals.as_slice(), [Some("command"), Some("-v" | "-V")]) {
            return;
        }
        // What `command` and `builtin` run is what counts.
        let is_prefix = |argument: &&Argument| matches!(argument, Argument::Word(word) if matches!(word.literal(), Some("command" | "builtin" | "-p")));
        let name = match simple.words.iter().find(|argument| !is_prefix(argument)) {
            None => return,
            Some(Argument::Word(word)) => word.literal(),
            Some(Argument::Assignment(_)) => None,
        };
        match name {
            None | Some("eval" | "." | "source") => self.all = true,
            Some("set" | "shift") => {
                for name in POSITIONAL {
                    self.note(name, false);
                }
            }
            Some(name) if functions.contains_key(name) => {
                // Each is looked at once, however often it is called.
                if let Some(function) = functions.get(name).filter(|_| self.seen.insert(name.to_owned())) {
                    self.command(&function.body, functions);
                }
            }
            Some(name) => {
                let sets = SETTING.contains(&name);
                for argument in simple.words.iter().skip(1) {
                    match argument {
                        Argument::Assignment(assignment) => self.assignment(assignment),
                        Argument::Word(word) if sets || name == "let" => self.named(word, name),
                        Argument::Word(word) => self.word(word),
                    }
                }
            }
        }
    }

    fn named(&mut self, word: &Word, builtin: &str) {
        match word.parts.as_slice() {
            [Part::Literal(text) | Part::Quoted(text)] => {
                let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
                self.note(text.get(..end).unwrap_or_default(), builtin == "let");
            }
            // A format or a prompt names nothing.
            _ if matches!(builtin, "printf" | "read" | "export" | "unset") => self.word(word),
            _ => self.all = true,
        }
    }

    fn assignment(&mut self, assignment: &Assignment) {
        let is_number = match &assignment.value {
            Assigned::Scalar(word) => assignment.subscript.is_none() && is_numeric(&word.parts),
            Assigned::Array(_) => false,
        };
        self.note(&assignment.name, is_number);
        if let Assigned::Scalar(word) = &assignment.value {
            self.word(word);
        }
    }

    /// Expansions that assign: `${x:=…}` and arithmetic.
    fn word(&mut self, word: &Word) {
        self.parts(&word.parts);
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Double(inner) => self.parts(inner),
                Part::Expansion(expansion, _) => match expansion.as_ref() {
                    Expansion::Parameter(Parameter { name, operation: Some((_, operand)), .. }) => {
                        self.note(name, false);
                        self.parts(operand);
                    }
                    Expansion::Arithmetic(expression) => self.arithmetic(expression),
                    _ => {}
                },
                Part::Literal(_) | Part::Quoted(_) => {}
            }
        }
    }

    fn arithmetic(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Literal(text) | Part::Quoted(text) => {
                    for name in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                        if !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) {
                            self.note(name, true);
                        }
                    }
                }
                Part::Double(inner) => self.arithmetic(inner),
                Part::Expansion(..) => {}
            }
        }
    }
}

/// Whether a value is a number whatever the variables hold.
fn is_numeric(parts: &[Part]) -> bool {
    match parts {
        [Part::Literal(text) | Part::Quoted(text)] => super::env::is_integer(text),
        [Part::Double(inner)] => is_numeric(inner),
        [Part::Expansion(expansion, _)] => match expansion.as_ref() {
            Expansion::Arithmetic(_) => true,
            Expansion::Parameter(parameter) => {
                parameter.length || matches!(parameter.name.as_str(), "#" | "?" | "$" | "!")
            }
            _ => false,
        },
        _ => false,
    }
}
