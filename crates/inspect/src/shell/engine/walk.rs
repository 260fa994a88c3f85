//! Pipelines and compound commands.

use sallyport_core::{UnknownCode, Verb};

use super::changes::Changes;
use super::env::is_integer;
use super::{Engine, Output, Stdin, Value};
use crate::shell::syntax::{self, Command, Compound, Item, List, Part, Pipeline, TestWord, Word};
use crate::shell::word::{Sureness, Word as Argument};
use crate::shell::words::Field;

/// How many rounds of a loop over constants are walked one by one.
const MOST_ROUNDS: usize = 64;

impl Engine {
    pub(super) fn item(&mut self, item: &Item, stdin: &Stdin) -> Output {
        if item.background {
            return self.apart(|engine| engine.chain(item, stdin));
        }
        self.chain(item, stdin)
    }

    /// Each link of a chain of `&&` has seen the ones before it run; a link after `||` may not have.
    fn chain(&mut self, item: &Item, stdin: &Stdin) -> Output {
        let output = self.pipeline(&item.first, stdin);
        let stdin = &if reads_nothing(&item.first) { stdin.clone() } else { stdin.shared() };
        let mut mark = self.env.mark();
        for (is_or, pipeline) in &item.rest {
            if *is_or {
                self.env.join(mark);
                mark = self.env.mark();
            }
            self.pipeline(pipeline, stdin);
        }
        self.env.join(mark);
        if item.rest.is_empty() { output } else { Output::Unknown }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, stdin: &Stdin) -> Output {
        let Some((last, before)) = pipeline.commands.split_last() else {
            // `time` alone.
            self.found.run("time", &[Argument::constant("time")]);
            return Output::Unknown;
        };
        let mut input = stdin.clone();
        for command in before {
            let output = self.apart(|engine| engine.command(command, &input));
            input = output.into_stdin();
        }
        if before.is_empty() {
            return self.command(last, &input);
        }
        self.perhaps(|engine| engine.command(last, &input))
    }

    pub(in crate::shell) fn command(&mut self, command: &Command, stdin: &Stdin) -> Output {
        match command {
            Command::Simple(simple) => self.deeper(|engine| engine.simple(simple, stdin)),
            Command::Function(function) => {
                self.define(function);
                Output::Unknown
            }
            Command::Compound(compound, redirects) => {
                self.surrounding.clone_from(stdin);
                let (input, diverted) = self.redirects(redirects, stdin);
                self.surrounding.clone_from(&input);
                let output = self.deeper(|engine| engine.compound(compound, &input));
                if diverted { Output::Unknown } else { output }
            }
        }
    }

    fn compound(&mut self, compound: &Compound, stdin: &Stdin) -> Output {
        match compound {
            Compound::Subshell(list) => return self.apart(|engine| engine.list(list, stdin)),
            Compound::Group(list) => return self.list(list, stdin),
            _ => {}
        }
        // What one of several commands has read, the next does not get; of a list of names, others are left.
        let names = if matches!(stdin, Stdin::Names) { stdin.clone() } else { stdin.shared() };
        let stdin = &stdin.shared();
        match compound {
            Compound::Subshell(_) | Compound::Group(_) => {}
            Compound::If(branches) => {
                for (condition, body) in branches {
                    if let Some(condition) = condition {
                        self.list(condition, stdin);
                    }
                    self.perhaps(|engine| engine.list(body, stdin));
                }
            }
            Compound::Loop { condition, body } => {
                self.before_loop(&[condition, body]);
                self.list(condition, &names);
                self.perhaps(|engine| engine.list(body, stdin));
            }
            Compound::For { name, words, body } => self.for_each(name, words.as_deref(), body, stdin),
            Compound::ArithmeticFor { expression, body } => {
                // Its first part runs before the body, its last after each round.
                self.before_loop(&[body]);
                self.arithmetic(expression);
                self.perhaps(|engine| engine.list(body, stdin));
            }
            Compound::Case { word, arms } => {
                self.single(word);
                for (patterns, body) in arms {
                    for pattern in patterns {
                        self.single(pattern);
                    }
                    self.perhaps(|engine| engine.list(body, stdin));
                }
            }
            Compound::Arithmetic { expression, source } => {
                let argv = ["((", source.trim(), "))"].map(Argument::constant);
                self.found.run("((", &argv);
                self.arithmetic(expression);
            }
            Compound::Test(words) => self.test(words),
            Compound::Coprocess(command) => {
                self.apart(|engine| engine.command(command, &Stdin::Data));
            }
        }
        Output::Unknown
    }

    /// What a loop's body assigns is not what it was, from the second round on.
    fn before_loop(&mut self, lists: &[&List]) {
        let changes = Changes::of(lists, &self.functions);
        if changes.all {
            self.env.forget();
        }
        for (name, is_number) in changes.names {
            let stays = is_number && self.env.get(&name).is_number();
            self.env.set(&name, if stays { Value::Number } else { Value::Unknown });
        }
    }

    /// What a text assigns that may run at any time from here on.
    pub(in crate::shell) fn distrust_changes(&mut self, text: &str) {
        let script = syntax::read(text, self.dialect, self.nesting());
        let changes = Changes::of(&[&script.list], &self.functions);
        if changes.all {
            self.env.forget();
        }
        for name in changes.names.keys() {
            self.env.distrust(name);
        }
    }

    fn for_each(&mut self, name: &str, words: Option<&[Word]>, body: &List, stdin: &Stdin) {
        let values: Option<Vec<Value>> = match words {
            None => match self.env.get("@") {
                Value::List(words) => Some(words.iter().map(constant_value).collect()),
                _ => None,
            },
            Some(words) => self.for_values(words),
        };
        self.before_loop(&[body]);
        let mark = self.env.mark();
        match values {
            Some(values) if values.is_empty() => {
                // Nothing runs, as far as is known; what would is told all the same.
                self.env.set(name, Value::Unknown);
                self.list(body, stdin);
            }
            Some(values) if values.len() <= MOST_ROUNDS => {
                for value in values {
                    if self.env.is_declared_integer(name) {
                        self.integer_value(&value);
                    }
                    self.assigned(name, &value, name);
                    self.env.set(name, value);
                    self.list(body, stdin);
                    self.before_loop(&[body]);
                }
            }
            Some(values) if values.iter().all(Value::is_number) => {
                self.env.set(name, Value::Number);
                self.list(body, stdin);
            }
            _ => {
                if self.env.is_declared_integer(name) {
                    self.integer_value(&Value::Unknown);
                }
                self.assigned(name, &Value::Unknown, name);
                self.env.set(name, Value::Unknown);
                self.list(body, stdin);
            }
        }
        self.env.join(mark);
    }

    fn for_values(&mut self, words: &[Word]) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        let mut all_known = true;
        for word in words {
            for field in self.fields(word) {
                let is_seq = is_number_sequence(word) || is_seq(word);
                match field.word.sure {
                    Sureness::Constant | Sureness::Pattern => values.push(field.value()),
                    Sureness::One | Sureness::Any if is_seq => values.push(Value::Number),
                    Sureness::One | Sureness::Any => all_known = false,
                }
            }
        }
        all_known.then_some(values)
    }

    /// `[[ … ]]`: its words are neither split nor patterns of paths; some are arithmetic.
    fn test(&mut self, words: &[TestWord]) {
        let mut argv = vec![Argument::constant("[[")];
        let fields: Vec<Option<Field>> = words
            .iter()
            .map(|word| match word {
                TestWord::Operator(operator) => {
                    argv.push(Argument::constant(operator.as_str()));
                    None
                }
                TestWord::Word(word) => {
                    let mut field = self.single(word);
                    if field.word.sure == Sureness::Pattern {
                        field.word.sure = Sureness::Constant;
                    }
                    argv.push(field.word.clone());
                    Some(field)
                }
            })
            .collect();
        argv.push(Argument::constant("]]"));
        self.found.run("[[", &argv);
        let bare = |field: &Option<Field>| match field {
            Some(field) if field.is_bare => Some(field.word.text.clone()),
            _ => None,
        };
        let mut fields = fields.iter().peekable();
        let mut before: Option<&Field> = None;
        while let Some(field) = fields.next() {
            let after = fields.peek().and_then(|field| field.as_ref());
            match bare(field).as_deref() {
                Some("-v" | "-R") => {
                    if let Some(name) = after {
                        self.name_argument(&name.word);
                    }
                }
                Some("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") => {
                    for operand in [before, after].into_iter().flatten() {
                        self.arithmetic_word(operand);
                    }
                }
                _ => {}
            }
            before = field.as_ref();
        }
    }

    /// A text that is expanded as in double quotes when it is used.
    pub(in crate::shell) fn expanded(&mut self, text: &str) {
        match syntax::read_expanded(text, self.dialect, self.nesting()) {
            Ok(word) => {
                self.deeper(|engine| Some(engine.single(&word)));
            }
            Err(unknown) => self.found.unknown(unknown.code, unknown.detail),
        }
    }

    /// A program, or a text, that nothing is known of.
    pub(in crate::shell) fn anonymous(&mut self, what: &str, detail: &str) {
        self.found.does(Verb::Anonymous, "text", what);
        self.found.unknown(UnknownCode::Dynamic, detail);
    }
}

/// Whether a pipeline leaves standard input as it is.
pub(super) fn reads_nothing(pipeline: &Pipeline) -> bool {
    const NOTHING: [&str; 16] = [
        "cd", "echo", "printf", "set", "export", ":", "true", "test", "[", "mkdir", "rm", "cp", "mv",
        "touch", "ls", "umask",
    ];
    match pipeline.commands.as_slice() {
        [Command::Simple(simple)] => match simple.words.first() {
            None => true,
            Some(crate::shell::syntax::Argument::Word(word)) => {
                word.literal().is_some_and(|name| NOTHING.contains(&name))
            }
            Some(crate::shell::syntax::Argument::Assignment(_)) => false,
        },
        [Command::Function(_)] => true,
        _ => false,
    }
}

fn constant_value(word: &Argument) -> Value {
    Field { word: word.clone(), is_written: false, is_bare: false }.value()
}

/// `{1..100000}`.
fn is_number_sequence(word: &Word) -> bool {
    let Some(inside) = word.literal().and_then(|text| text.strip_prefix('{')?.strip_suffix('}')) else {
        return false;
    };
    let ends: Vec<&str> = inside.split("..").collect();
    matches!(ends.len(), 2 | 3) && ends.into_iter().all(is_integer)
}

/// `$(seq …)` of numbers.
fn is_seq(word: &Word) -> bool {
    let [Part::Expansion(_, source)] = word.parts.as_slice() else { return false };
    let inside = source.strip_prefix("$(seq ").and_then(|rest| rest.strip_suffix(')'));
    inside.is_some_and(|inside| inside.split(' ').all(|word| is_integer(word) || word == "-w"))
}
