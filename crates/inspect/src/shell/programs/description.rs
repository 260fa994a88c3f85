//! What a description says of a program: its options, its operands, its sub-commands.
//!
//! `format` makes these out of the data files, `reading` reads words by them.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use sallyport_core::{Language, UnknownCode, Verb};

use super::outcome::Outcome;
use crate::shell::word::Word;

/// A program or one of its sub-commands, and the sub-commands below it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Shared by all that are alike; nothing where a level is only there for those below it.
    pub(super) body: Option<Arc<Body>>,
    /// Sub-commands by name.
    pub(super) subs: BTreeMap<String, Node>,
    /// Sub-commands by pattern (`list-*`), the more telling first.
    pub(super) patterns: Vec<(String, Node)>,
}

/// What is said of a program or sub-command itself.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Options of this level, by spelling.
    pub(super) options: BTreeMap<String, Rule>,
    /// Options of this level and of every level below it.
    pub(super) global: BTreeMap<String, Rule>,
    /// Options of the levels below it alone. Before the sub-command the program takes them for something else.
    pub(super) late: BTreeMap<String, Rule>,
    /// What the operands are; nothing where there should be none, or none that matter.
    pub(super) operands: Operands,
    /// What it does in any case.
    pub(super) does: Vec<Act>,
    /// What it does when it is given no operand, and no option that says what to do.
    pub(super) none: Vec<Act>,
    /// What it does when nothing it was given says what to do: a client without a statement, a shell without
    /// a script.
    pub(super) bare: Vec<Act>,
    /// An equals sign may stand between a short option and its value, here and below.
    pub(super) equals: bool,
    /// Without its first operand it does nothing at all.
    pub(super) target: bool,
    /// What the words after `--` are, where they are something else than the operands.
    pub(super) after_dashes: Option<Roles>,
    /// An option that is not described does nothing, rather than making the whole unknown. As the level
    /// above has it, where it is not said.
    pub(super) lenient: Option<bool>,
    /// An option that is not described takes the next word as its value.
    pub(super) values: bool,
    /// Options end at the first operand.
    pub(super) posix: bool,
    /// Options have one dash and a long name, and are not put together.
    pub(super) long: bool,
    /// A sub-command that is not described is a group of others.
    pub(super) groups: bool,
    /// The first word may be a cluster of options without its dash (`tar xzf`).
    pub(super) bundle: bool,
    /// Reads all the words in place of the description.
    pub(super) reader: Option<fn(&[Word], &mut Outcome)>,
}

/// What an option takes and does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rule {
    /// How its values come.
    pub(super) takes: Takes,
    /// What its values are, one each.
    pub(super) roles: Vec<Roles>,
    /// What it does by itself.
    pub(super) acts: Vec<Act>,
}

/// How an option's value comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Takes {
    /// It has none.
    #[default]
    Nothing,
    /// It may have one, and then in the same word.
    Optional,
    /// It has one, in the same word or the next.
    Required,
}

/// All that one word is.
pub(super) type Roles = Vec<Role>;

/// What a word means to the program that gets it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    /// Nothing that matters outside the program.
    Value,
    /// The object of an action, of this kind.
    Does(Verb, String),
    /// Shell text, or the name of a program to run.
    Shell,
    /// Text for an interpreter.
    Code,
    /// A file of code that is run.
    Script,
    /// SQL.
    Sql(Language),
    /// Something that cannot be read.
    Unknown(UnknownCode),
    /// A text with a grammar of its own.
    Special(Special),
    /// Something that a reader asks for by this name.
    Mark(String),
}

/// A reader of one word.
#[derive(Clone, Copy)]
pub(super) struct Special {
    pub(super) name: &'static str,
    pub(super) read: fn(&Word, &mut Outcome),
}

/// A reader of all the words that are left.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    pub(super) name: &'static str,
    pub(super) read: fn(&[Word], &mut Outcome),
}

/// What the operands are, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Operands {
    /// The first ones.
    pub(super) before: Vec<Roles>,
    /// As many as there are.
    pub(super) many: Option<Roles>,
    /// The last ones, after the many.
    pub(super) after: Vec<Roles>,
    /// From here on, every word, options and all.
    pub(super) rest: Option<Rest>,
    /// Reads all the operands in place of the others here.
    pub(super) all: Option<Rest>,
}

/// Something that is done whatever the words are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// An action, of a kind, on an object.
    Does(Verb, Option<String>, Option<String>),
    /// A session that no parser sees.
    Interactive,
    /// Code that the inspector does not read.
    Code,
    /// Shell text from standard input.
    ShellInput,
    /// SQL from standard input.
    SqlInput(Language),
    /// Something that cannot be read.
    Unknown(UnknownCode),
    /// The operands are something else.
    Operands(Operands),
    /// The many operands are this as well.
    Also(Roles),
    /// A reader asks whether this was given.
    Mark(String),
    /// The program does what this says, and not what it does without operands.
    End,
    /// The words that follow are for the text that was given.
    Rest,
}

impl std::fmt::Debug for Special {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Special {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Rest {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Rule {
    /// Whether the option says nothing about what the program touches.
    pub(super) fn is_harmless(&self) -> bool {
        self.acts.iter().all(|act| *act == Act::End)
            && self.roles.iter().flatten().all(|role| *role == Role::Value)
    }
}

impl Role {
    /// Whether a program that is given it has its work, and asks nobody for more.
    pub(super) fn is_work(&self) -> bool {
        match self {
            Self::Shell | Self::Code | Self::Script | Self::Sql(_) => true,
            Self::Special(special) => special.name == "sqlite-text",
            _ => false,
        }
    }
}

impl Operands {
    /// Whether there may be any.
    pub(super) fn are_described(&self) -> bool {
        *self != Self::default()
    }

    /// Whether no operand touches anything.
    pub(super) fn are_harmless(&self) -> bool {
        self.rest.is_none()
            && self.all.is_none()
            && [&self.before, &self.after]
                .into_iter()
                .flatten()
                .chain(&self.many)
                .flatten()
                .all(|role| *role == Role::Value)
    }
}

static NOTHING: LazyLock<Body> = LazyLock::new(Body::default);

impl Deref for Node {
    type Target = Body;

    fn deref(&self) -> &Body {
        self.body.as_deref().unwrap_or(&NOTHING)
    }
}

impl Node {
    /// The sub-command of that name.
    pub(super) fn sub(&self, name: &str) -> Option<&Node> {
        self.subs.get(name).or_else(|| {
            self.patterns.iter().find(|(pattern, _)| matches(pattern, name)).map(|(_, node)| node)
        })
    }

    /// Whether it has sub-commands.
    pub(super) fn has_subs(&self) -> bool {
        !self.subs.is_empty() || !self.patterns.is_empty()
    }
}

/// `list-*` of `list-users`; one star at an end, or none.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}
