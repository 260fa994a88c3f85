//! Simple commands: assignments, redirections, words, and what they run.

use std::rc::Rc;

use sallyport_core::{UnknownCode, Verb};

use super::programs_by_path::{base_name, is_unread};
use super::{DEEPEST_CALL, Engine, Output, Stdin, Value, output};
use crate::shell::builtins::Call;
use crate::shell::effect::Effect;
use crate::shell::programs;
use crate::shell::syntax::{Argument, Assigned, Assignment, Redirect, RedirectKind, Simple};
use crate::shell::word::{Sureness, Word};
use crate::shell::words::Field;

/// Built-ins after which POSIX keeps the assignments before them.
const SPECIAL: [&str; 15] = [
    ":", ".", "source", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set",
    "shift", "trap", "unset",
];

/// How many elements of an array are remembered.
const MOST_ELEMENTS: usize = 512;

/// Programs that take what follows in a script from standard input, if they are not given a file.
const READERS: [&str; 12] =
    ["cat", "head", "dd", "ssh", "sh", "bash", "dash", "zsh", "python", "python3", "perl", "xargs"];

/// An assignment whose value has been evaluated.
#[derive(Debug)]
pub(in crate::shell) struct Given {
    pub(in crate::shell) name: String,
    pub(in crate::shell) value: Value,
    pub(in crate::shell) source: String,
}

impl Engine {
    pub(super) fn simple(&mut self, simple: &Simple, stdin: &Stdin) -> Output {
        let replaced = Stdin::Data;
        let stdin =
            if self.is_input_replaced && matches!(stdin, Stdin::Terminal) { &replaced } else { stdin };
        let mut fields: Vec<Field> = Vec::new();
        let mut declared = Vec::new();
        self.surrounding.clone_from(stdin);
        for argument in &simple.words {
            match argument {
                Argument::Word(word) => fields.extend(self.fields(word)),
                Argument::Assignment(assignment) => {
                    let is_associative =
                        |field: &Field| field.word.text.starts_with('-') && field.word.text.contains('A');
                    if fields.iter().any(is_associative) {
                        self.env.declare_associative(&assignment.name);
                    }
                    let (given, field) = self.given(assignment);
                    fields.push(field);
                    declared.push(given);
                }
            }
        }
        let before = self.found.count();
        let (input, diverted) = self.redirects(&simple.redirects, stdin);
        let given: Vec<Given> =
            simple.assignments.iter().map(|assignment| self.given(assignment).0).collect();
        if fields.is_empty() {
            for given in given {
                self.set_variable(&given);
            }
            if self.found.count() == before && simple.assignments.is_empty() {
                // Only descriptors were moved, or all words came to nothing.
                self.found.run(":", &[Word::constant(":")]);
            }
            return match simple.redirects.as_slice() {
                [Redirect { kind: RedirectKind::Here(_) | RedirectKind::HereString(_), .. }] => {
                    Output::Text(String::new())
                }
                _ => Output::Unknown,
            };
        }
        let output = self.prefixed(given, &fields, declared, &input);
        if diverted { Output::Unknown } else { output }
    }

    /// Runs words with the assignments before them.
    fn prefixed(
        &mut self,
        given: Vec<Given>,
        fields: &[Field],
        declared: Vec<Given>,
        stdin: &Stdin,
    ) -> Output {
        // Built-ins and functions see them, and some shells keep them after a few of these.
        let first = fields.first().map_or("", |field| field.word.text.as_str());
        let kept = SPECIAL.contains(&first) || self.functions.contains_key(first);
        let before: Vec<Option<Value>> = given.iter().map(|given| self.env.taken(&given.name)).collect();
        for given in &given {
            if self.assigned(&given.name, &given.value, &given.source) {
                self.found.does(Verb::Set, "variable", &given.name);
            }
            self.env.set(&given.name, given.value.clone());
        }
        let output = self.run_fields(fields, declared, stdin);
        for (given, before) in given.iter().zip(before).rev() {
            let value = if kept { Some(Value::Unknown) } else { before };
            self.env.put_back(&given.name, value);
        }
        output
    }

    /// Evaluates an assignment. The word is what `declare` and its like get for it.
    fn given(&mut self, assignment: &Assignment) -> (Given, Field) {
        if let Some(subscript) = &assignment.subscript {
            self.env.declare_array(&assignment.name);
            self.subscript(&assignment.name, subscript);
        }
        let mut text = format!("{}=", assignment.name);
        let mut sure = Sureness::Constant;
        let value = match &assignment.value {
            Assigned::Scalar(word) => {
                let mut field = self.single(word);
                if field.word.sure == Sureness::Pattern {
                    field.word.sure = Sureness::Constant;
                }
                text.push_str(&field.word.text);
                if field.word.is_dynamic() {
                    sure = Sureness::One;
                }
                if self.env.is_declared_integer(&assignment.name) {
                    self.arithmetic_word(&field);
                }
                field.value()
            }
            Assigned::Array(elements) => {
                let mut words = Vec::new();
                for (subscript, word) in elements {
                    if let Some(subscript) = subscript {
                        self.subscript(&assignment.name, subscript);
                    }
                    let fields = self.fields(word);
                    if self.env.is_declared_integer(&assignment.name) {
                        fields.iter().for_each(|field| self.arithmetic_word(field));
                    }
                    if words.len() <= MOST_ELEMENTS {
                        words.extend(fields.into_iter().map(|field| field.word));
                    }
                }
                if words.len() > MOST_ELEMENTS { Value::Unknown } else { Value::List(Rc::from(words)) }
            }
        };
        let value = if assignment.subscript.is_some() {
            Value::Unknown
        } else if assignment.append {
            match (self.env.get(&assignment.name), value) {
                (Value::Text(before), Value::Text(after)) => {
                    Value::Text(Rc::from(format!("{before}{after}")))
                }
                (Value::List(before), Value::List(after)) if before.len() < 256 => {
                    Value::List(before.iter().chain(after.iter()).cloned().collect())
                }
                (before, after) if before.is_number() && after.is_number() => Value::Number,
                _ => Value::Unknown,
            }
        } else {
            value
        };
        let is_exact = sure == Sureness::Constant && assignment.subscript.is_none() && !assignment.append;
        let text =
            if is_exact && !matches!(value, Value::List(_)) { text } else { assignment.source.clone() };
        let given = Given { name: assignment.name.clone(), value, source: assignment.source.clone() };
        (given, Field { word: Word { text, sure }, is_written: false, is_bare: false })
    }

    /// A variable is set for what follows.
    pub(in crate::shell) fn set_variable(&mut self, given: &Given) {
        self.found.does(Verb::Set, "variable", &given.name);
        self.assigned(&given.name, &given.value, &given.source);
        self.env.set(&given.name, given.value.clone());
    }

    /// What redirections do, what is read after them, and whether what is printed goes elsewhere.
    pub(super) fn redirects(&mut self, redirects: &[Redirect], stdin: &Stdin) -> (Stdin, bool) {
        let mut input = stdin.clone();
        let mut diverted = false;
        for Redirect { kind, is_input } in redirects {
            let read = match kind {
                RedirectKind::Read(word) => {
                    let path = self.single(word);
                    self.redirected(&path, &[Verb::ReadFile]);
                    if path.word.text == "/dev/null" { Stdin::Empty } else { Stdin::Data }
                }
                RedirectKind::Write(word) => {
                    let path = self.single(word);
                    self.redirected(&path, &[Verb::WriteFile]);
                    diverted = true;
                    Stdin::Data
                }
                RedirectKind::ReadWrite(word) => {
                    let path = self.single(word);
                    self.redirected(&path, &[Verb::ReadFile, Verb::WriteFile]);
                    Stdin::Data
                }
                RedirectKind::Duplicate { word, output } => {
                    let target = self.single(word);
                    diverted |= *output;
                    let number = target.word.text.strip_suffix('-').unwrap_or(&target.word.text);
                    let is_descriptor = number.bytes().all(|b| b.is_ascii_digit());
                    if !is_descriptor && !target.is_written {
                        let verb = if *output { Verb::WriteFile } else { Verb::ReadFile };
                        self.redirected(&target, &[verb]);
                    }
                    Stdin::Data
                }
                RedirectKind::Here(body) => match body.get().map(|word| self.single(word)) {
                    Some(Field {
                        word: Word { text, sure: Sureness::Constant | Sureness::Pattern }, ..
                    }) => Stdin::Text(Rc::from(text)),
                    _ => Stdin::Data,
                },
                RedirectKind::HereString(word) => match self.single(word).word {
                    Word { text, sure: Sureness::Constant | Sureness::Pattern } => {
                        Stdin::Text(Rc::from(format!("{text}\n")))
                    }
                    _ => Stdin::Data,
                },
            };
            if *is_input {
                input = read;
            }
        }
        (input, diverted)
    }

    fn redirected(&mut self, path: &Field, verbs: &[Verb]) {
        let text = path.word.text.as_str();
        let socket = text.strip_prefix("/dev/tcp/").or_else(|| text.strip_prefix("/dev/udp/"));
        if let Some(peer) = socket {
            self.found.does(Verb::Connect, "host", peer.split('/').next().unwrap_or(peer));
        } else {
            for verb in verbs {
                self.found.file(*verb, text);
            }
        }
        if path.word.is_dynamic() {
            self.found.unknown(UnknownCode::Dynamic, "a redirection to a path that is built");
        }
    }

    /// Runs words as this shell does: functions first, then built-ins, then programs.
    fn run_fields(&mut self, fields: &[Field], declared: Vec<Given>, stdin: &Stdin) -> Output {
        let Some(first) = fields.first() else { return Output::Unknown };
        let argv: Vec<Word> = fields.iter().map(|field| field.word.clone()).collect();
        let by_value = first.is_written && !first.word.text.contains('/');
        let Some(name) = first.word.as_constant().filter(|_| !by_value) else {
            self.found.run(&first.word.text, &argv);
            self.found.unknown(UnknownCode::Dynamic, "a program whose name is built");
            self.env.forget();
            return Output::Unknown;
        };
        if name == "~" {
            self.found.unknown(UnknownCode::Dynamic, "a program whose name is built");
        }
        if let Some(function) = self.functions.get(name).map(Rc::clone) {
            self.call(&function, &argv, stdin);
            // Another shell, or this one before the definition has run, finds the program.
            self.run_builtin_or_program(&argv, declared, stdin);
            return Output::Unknown;
        }
        self.run_builtin_or_program(&argv, declared, stdin)
    }

    /// Runs words that are no function.
    pub(in crate::shell) fn run_builtin_or_program(
        &mut self,
        argv: &[Word],
        declared: Vec<Given>,
        stdin: &Stdin,
    ) -> Output {
        let Some(name) = argv.first().and_then(Word::as_constant) else {
            return self.run_program(argv, stdin);
        };
        match self.builtin(&Call { name, argv, declared, stdin }) {
            Some(output) => {
                self.found.run(name, argv);
                output
            }
            None => self.run_program(argv, stdin),
        }
    }

    fn call(&mut self, function: &Rc<crate::shell::syntax::Function>, argv: &[Word], stdin: &Stdin) {
        self.called.insert(function.name.clone());
        if self.calls.iter().filter(|name| **name == function.name).count() > 1
            || self.calls.len() >= DEEPEST_CALL
        {
            self.found.unknown(UnknownCode::Dynamic, "a function that calls itself");
            return;
        }
        let names = ["@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let before: Vec<Value> = names.iter().map(|name| self.env.get(name)).collect();
        let arguments: Vec<Word> = argv.iter().skip(1).cloned().collect();
        for (index, name) in names.iter().skip(2).enumerate() {
            let is_told = !arguments.iter().take(index + 1).any(|word| word.sure == Sureness::Any);
            let value = match arguments.get(index) {
                Some(word) if is_told => {
                    Field { word: word.clone(), is_written: false, is_bare: false }.value()
                }
                None if is_told => Value::Text(Rc::from("")),
                _ => Value::Unknown,
            };
            self.env.set(name, value);
        }
        let all: Rc<[Word]> = Rc::from(arguments);
        self.env.set("@", Value::List(Rc::clone(&all)));
        self.env.set("*", Value::List(all));
        let locals = self.locals.len();
        self.calls.push(function.name.clone());
        self.deeper(|engine| engine.command(&function.body, stdin));
        self.calls.pop();
        for (name, value) in self.locals.split_off(locals).into_iter().rev() {
            self.env.put_back(&name, value);
        }
        for (name, value) in names.iter().zip(before) {
            self.env.set(name, value);
        }
    }

    /// Runs a program that is no built-in.
    pub(in crate::shell) fn run_program(&mut self, argv: &[Word], stdin: &Stdin) -> Output {
        let Some(first) = argv.first() else { return Output::Unknown };
        let Some(program) = first.as_constant() else {
            self.found.run(&first.text, argv);
            self.found.unknown(UnknownCode::Dynamic, "a program whose name is built");
            return Output::Unknown;
        };
        let name = base_name(program);
        self.found.run(name, argv);
        if matches!(stdin, Stdin::Script) && READERS.contains(&name) {
            self.found.unknown(UnknownCode::Ambiguous, "a program that may read the script it stands in");
        }
        if program.contains(['$', '`']) {
            self.found.unknown(UnknownCode::Dynamic, "a program whose name is built");
        }
        if is_unread(program) {
            self.found.unknown(UnknownCode::Dynamic, format!("{program} is code that is not read here"));
        }
        if let Some(described) = programs::effects(name, argv) {
            let database = described.effects.iter().find_map(|effect| match effect {
                Effect::InDatabase(word) => Some(word.clone()),
                _ => None,
            });
            let outer = std::mem::replace(&mut self.database, database);
            self.deeper(|engine| {
                for effect in described.effects {
                    engine.effect(name, effect, stdin);
                }
            });
            self.database = outer;
        }
        if self.env.is_set("PATH") || self.functions.contains_key(name) || program != name {
            return Output::Unknown;
        }
        output::of(name, argv, stdin)
    }
}
