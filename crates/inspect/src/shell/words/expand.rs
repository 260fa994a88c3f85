//! Parts of words into pieces of text.
//!
//! What a substitution runs is walked here, in a shell of its own.

use std::rc::Rc;

use sallyport_core::{UnknownCode, Verb};

use crate::shell::engine::{Engine, Output, Stdin, Value};
use crate::shell::syntax::{Expansion, List, Operation, Parameter, Part, is_name};
use crate::shell::word::Sureness;

/// A piece of a word.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) known: Known,
    /// Neither split nor taken for a pattern.
    pub(super) quoted: bool,
    /// Comes of an expansion: split where it is not quoted.
    pub(super) expanded: bool,
}

/// How far a piece is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Yes,
    /// A pattern, even in quotes: a loop's variable that goes through what a pattern matches.
    Pattern,
    /// One harmless word, as it is written.
    Written,
    /// Any text.
    No,
    /// Any number of words, even in quotes.
    Many,
}

impl Piece {
    fn new(text: impl Into<String>, known: Known, quoted: bool) -> Self {
        Self { text: text.into(), known, quoted, expanded: true }
    }
}

impl Piece {
    pub(super) fn unknown() -> Self {
        unknown("", false)
    }
}

impl Engine {
    pub(super) fn expand_parts(&mut self, parts: &[Part], quoted: bool, pieces: &mut Vec<Piece>) {
        for part in parts {
            self.expand_part(part, quoted, pieces);
        }
    }

    pub(super) fn expand_part(&mut self, part: &Part, quoted: bool, pieces: &mut Vec<Piece>) {
        match part {
            Part::Literal(text) => {
                pieces.push(Piece { text: text.clone(), known: Known::Yes, quoted, expanded: false });
            }
            Part::Quoted(text) => {
                pieces.push(Piece { text: text.clone(), known: Known::Yes, quoted: true, expanded: false });
            }
            Part::Double(inner) => {
                pieces.push(Piece { text: String::new(), known: Known::Yes, quoted: true, expanded: false });
                self.expand_parts(inner, true, pieces);
            }
            Part::Expansion(expansion, source) => match expansion.as_ref() {
                Expansion::Parameter(parameter) => {
                    let piece = self.parameter(parameter, source, quoted);
                    pieces.push(piece);
                }
                Expansion::Commands(list) => {
                    let piece = self.substitution(list, source, quoted);
                    pieces.push(piece);
                }
                Expansion::Arithmetic(expression) => {
                    self.arithmetic(expression);
                    pieces.push(Piece::new(source.clone(), Known::Written, quoted));
                }
                Expansion::Process(list) => {
                    let stdin = if source.starts_with('>') { Stdin::Data } else { self.surrounding.shared() };
                    self.apart(|engine| engine.within(|engine| engine.list(list, &stdin)));
                    pieces.push(Piece::new(source.clone(), Known::Written, quoted));
                }
            },
        }
    }

    fn substitution(&mut self, list: &List, source: &str, quoted: bool) -> Piece {
        let stdin = self.surrounding.shared();
        let output = self.apart(|engine| engine.within(|engine| engine.list(list, &stdin)));
        let single = list.items.len() == 1 && list.items.iter().all(|item| item.rest.is_empty());
        match output {
            Output::Text(text) if single => Piece::new(text.trim_end_matches('\n'), Known::Yes, quoted),
            Output::Number | Output::Written if single => Piece::new(source, Known::Written, quoted),
            _ if list.items.is_empty() => Piece::new("", Known::Yes, quoted),
            _ => unknown(source, quoted),
        }
    }

    /// The value of a variable's expansion; what it runs on the way is walked.
    fn parameter(&mut self, parameter: &Parameter, source: &str, quoted: bool) -> Piece {
        let is_all = parameter.subscript.as_deref().is_some_and(is_whole);
        if let Some(subscript) = &parameter.subscript
            && !is_all
        {
            self.subscript(&parameter.name, subscript);
        }
        let mut operand = Vec::new();
        if let Some((operation, parts)) = &parameter.operation {
            if *operation == Operation::Substring {
                self.arithmetic(parts);
            } else {
                self.expand_parts(parts, true, &mut operand);
            }
            if *operation == Operation::Choose('=') && self.env.is_declared_integer(&parameter.name) {
                self.integer_value(&Value::Unknown);
            }
            if let Operation::Transform('P') = operation {
                self.found.does(Verb::Anonymous, "text", source);
                self.found.unknown(UnknownCode::Dynamic, "a value that is expanded as a prompt");
            }
        }
        if parameter.length {
            return Piece::new(source, Known::Written, quoted);
        }
        let value = self.parameter_value(parameter, is_all);
        match (value, &parameter.operation) {
            (value, None) => piece_of(value, source, quoted, is_many(parameter, is_all)),
            (value @ Value::Text(_), Some((Operation::Choose('-' | '?' | '='), _)))
                if value != Value::Text(Rc::from("")) =>
            {
                piece_of(value, source, quoted, false)
            }
            (value @ (Value::Number | Value::Written(_)), Some((Operation::Choose('-' | '?' | '='), _))) => {
                piece_of(value, source, quoted, false)
            }
            (Value::Text(text), Some((Operation::Substring, parts))) => match cut(&text, parts) {
                Some(cut) => Piece::new(cut, Known::Yes, quoted),
                None => unknown(source, quoted),
            },
            (_, Some((Operation::Choose('='), _))) => {
                self.env.set(&parameter.name, Value::Unknown);
                unknown(source, quoted)
            }
            (_, Some((Operation::Names, _))) => Piece::new(source, Known::Many, quoted),
            _ => unknown(source, quoted),
        }
    }

    fn parameter_value(&mut self, parameter: &Parameter, is_all: bool) -> Value {
        let value = match parameter.name.as_str() {
            "#" | "?" | "$" | "!" => Value::Number,
            "-" => Value::Written(Rc::from("$-")),
            name => match (self.env.get(name), &parameter.subscript) {
                // A list in one word is joined by the separator.
                (Value::List(_), _) if self.env.is_set("IFS") => Value::Unknown,
                (value @ Value::List(_), Some(_)) if is_all => value,
                (value @ Value::List(_), None) if matches!(name, "@" | "*") => value,
                (Value::List(_), _) | (_, Some(_)) => Value::Unknown,
                (value, None) => value,
            },
        };
        if !parameter.indirect || matches!(parameter.operation, Some((Operation::Names, _))) {
            return value;
        }
        match &value {
            Value::Text(name) if is_name(name) => self.env.get(name),
            _ => {
                self.found.unknown(UnknownCode::Dynamic, "a variable whose name is built");
                Value::Unknown
            }
        }
    }

    /// Words that an expansion stands for all by itself: an array's elements.
    pub(super) fn elements(&self, part: &Part) -> Option<Rc<[crate::shell::word::Word]>> {
        let expansion = match part {
            Part::Double(inner) => match inner.as_slice() {
                [Part::Expansion(expansion, _)] => expansion,
                _ => return None,
            },
            Part::Expansion(expansion, _) => expansion,
            _ => return None,
        };
        let Expansion::Parameter(parameter) = expansion.as_ref() else { return None };
        let is_all = parameter.name == "@"
            || parameter
                .subscript
                .as_deref()
                .is_some_and(|parts| matches!(parts, [Part::Literal(at)] if at == "@"));
        let is_plain = is_all && parameter.operation.is_none() && !parameter.indirect && !parameter.length;
        match self.env.get(&parameter.name) {
            Value::List(words) if is_plain => Some(words),
            _ => None,
        }
    }
}

fn is_whole(subscript: &[Part]) -> bool {
    matches!(subscript, [Part::Literal(text)] if text == "@" || text == "*")
}

fn is_many(parameter: &Parameter, is_all: bool) -> bool {
    parameter.name == "@"
        || is_all && matches!(parameter.subscript.as_deref(), Some([Part::Literal(at)]) if at == "@")
}

fn unknown(source: &str, quoted: bool) -> Piece {
    Piece::new(source, Known::No, quoted)
}

fn piece_of(value: Value, source: &str, quoted: bool, is_many: bool) -> Piece {
    match value {
        Value::Text(text) => Piece::new(text.as_ref(), Known::Yes, quoted),
        Value::Pattern(text) => Piece::new(text.as_ref(), Known::Pattern, quoted),
        Value::Number => Piece::new(source, Known::Written, quoted),
        Value::Written(text) => Piece::new(text.as_ref(), Known::Written, quoted),
        Value::List(words) if words.iter().all(|word| word.sure == Sureness::Constant) && !is_many => {
            let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            Piece::new(texts.join(" "), Known::Yes, quoted)
        }
        Value::List(_) => Piece::new(source, Known::Many, quoted),
        Value::Unknown if is_many => Piece::new(source, Known::Many, quoted),
        Value::Unknown => unknown(source, quoted),
    }
}

/// `${x:offset:length}` of a known text, where both are plain numbers.
fn cut(text: &str, operand: &[Part]) -> Option<String> {
    let [Part::Literal(numbers)] = operand else { return None };
    let mut numbers = numbers.split(':').map(|number| number.trim().parse::<usize>().ok());
    let offset = numbers.next()??;
    let length = match numbers.next() {
        Some(length) => length?,
        None => usize::MAX,
    };
    numbers.next().is_none().then(|| text.chars().skip(offset).take(length).collect())
}
