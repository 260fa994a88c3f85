//! What a shell text says, as a tree: lists of pipelines of commands, and the words in them.
//!
//! The reader (`script`, `compound`, `word`, …) makes it; the engine walks it. Nothing is expanded yet.

use std::cell::OnceCell;
use std::rc::Rc;

use sallyport_core::Unknown;

/// Commands one after another.
#[derive(Debug, Default)]
pub(in crate::shell) struct List {
    pub(in crate::shell) items: Vec<Item>,
}

/// Pipelines joined by `&&` and `||`, up to `;`, `&` or a line's end.
#[derive(Debug)]
pub(in crate::shell) struct Item {
    pub(in crate::shell) first: Pipeline,
    /// Those run depending on how the ones before ended, and whether that is by `||`.
    pub(in crate::shell) rest: Vec<(bool, Pipeline)>,
    /// Ended by `&`: runs in a shell of its own.
    pub(in crate::shell) background: bool,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub(in crate::shell) struct Pipeline {
    pub(in crate::shell) commands: Vec<Command>,
}

#[derive(Debug)]
pub(in crate::shell) enum Command {
    Simple(Simple),
    Compound(Box<Compound>, Vec<Redirect>),
    Function(Rc<Function>),
}

/// `name=value … program argument … <file`.
#[derive(Debug, Default)]
pub(in crate::shell) struct Simple {
    pub(in crate::shell) assignments: Vec<Assignment>,
    pub(in crate::shell) words: Vec<Argument>,
    pub(in crate::shell) redirects: Vec<Redirect>,
}

/// A word of a command, or what a declaring built-in takes for an assignment.
#[derive(Debug)]
pub(in crate::shell) enum Argument {
    Word(Word),
    Assignment(Assignment),
}

#[derive(Debug)]
pub(in crate::shell) struct Function {
    pub(in crate::shell) name: String,
    pub(in crate::shell) body: Command,
}

#[derive(Debug)]
pub(in crate::shell) enum Compound {
    Subshell(List),
    Group(List),
    /// Conditions and what runs when they hold; the last may be without a condition.
    If(Vec<(Option<List>, List)>),
    /// `while` and `until`.
    Loop {
        condition: List,
        body: List,
    },
    /// `for` and `select`; without words, the positional parameters.
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    /// `for (( … ))`: the three expressions in one.
    ArithmeticFor {
        expression: Vec<Part>,
        body: List,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, List)>,
    },
    /// `(( … ))`.
    Arithmetic {
        expression: Vec<Part>,
        source: String,
    },
    /// `[[ … ]]`: its words, operators too, in order.
    Test(Vec<TestWord>),
    Coprocess(Command),
}

#[derive(Debug)]
pub(in crate::shell) enum TestWord {
    Operator(String),
    Word(Word),
}

#[derive(Debug)]
pub(in crate::shell) struct Assignment {
    pub(in crate::shell) name: String,
    pub(in crate::shell) subscript: Option<Vec<Part>>,
    pub(in crate::shell) append: bool,
    pub(in crate::shell) value: Assigned,
    pub(in crate::shell) source: String,
}

#[derive(Debug)]
pub(in crate::shell) enum Assigned {
    Scalar(Word),
    Array(Vec<Element>),
}

/// An array's element, with its subscript where it has one.
pub(in crate::shell) type Element = (Option<Vec<Part>>, Word);

#[derive(Debug)]
pub(in crate::shell) struct Redirect {
    pub(in crate::shell) kind: RedirectKind,
    /// Standard input is what it changes.
    pub(in crate::shell) is_input: bool,
}

#[derive(Debug)]
pub(in crate::shell) enum RedirectKind {
    Read(Word),
    /// `>`, `>>`, `>|`, `&>`, `&>>`.
    Write(Word),
    ReadWrite(Word),
    /// `>&` and `<&`: a number, `-`, or for `>&` a file.
    Duplicate {
        word: Word,
        output: bool,
    },
    /// A here-document; its body is read after the line that names it.
    Here(Rc<OnceCell<Word>>),
    /// `<<<`.
    HereString(Word),
}

/// A word as it is written.
#[derive(Debug, Default)]
pub(in crate::shell) struct Word {
    pub(in crate::shell) source: String,
    pub(in crate::shell) parts: Vec<Part>,
}

#[derive(Debug)]
pub(in crate::shell) enum Part {
    /// Unquoted text: patterns, braces and a leading tilde count.
    Literal(String),
    /// Quoted text, quotes removed.
    Quoted(String),
    /// In double quotes: quoted text and expansions.
    Double(Vec<Part>),
    Expansion(Box<Expansion>, String),
}

#[derive(Debug)]
pub(in crate::shell) enum Expansion {
    Parameter(Parameter),
    /// `$(…)` and back-ticks.
    Commands(List),
    /// `$((…))` and `$[…]`.
    Arithmetic(Vec<Part>),
    /// `<(…)` and `>(…)`.
    Process(List),
}

#[derive(Debug)]
pub(in crate::shell) struct Parameter {
    pub(in crate::shell) name: String,
    pub(in crate::shell) subscript: Option<Vec<Part>>,
    /// `${!name}`.
    pub(in crate::shell) indirect: bool,
    /// `${#name}`.
    pub(in crate::shell) length: bool,
    pub(in crate::shell) operation: Option<(Operation, Vec<Part>)>,
}

/// What `${name…}` does to the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Operation {
    /// `-`, `?`, `=` and `+`, with and without colon.
    Choose(char),
    /// `:offset:length`, arithmetic.
    Substring,
    /// `#`, `%`, `/`, `^`, `,`: what results is not drawn.
    Edit,
    /// `@P`, `@E`, `@A`, …; the letter.
    Transform(char),
    /// `${!prefix*}` and `${!name[@]}`.
    Names,
}

/// What was read of a text.
#[derive(Debug, Default)]
pub(in crate::shell) struct Script {
    pub(in crate::shell) list: List,
    /// The first reason to doubt it, or what ended the reading.
    pub(in crate::shell) unknown: Option<Unknown>,
}
