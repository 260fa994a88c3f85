//! The variables of a shell, as far as the text settles them.
//!
//! Changes are logged, so that a shell of its own can be undone, and what only may have happened can be
//! joined with what was before.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::shell::word::Word;

/// How many variables are remembered, and how long their values may be; beyond, they are unknown.
const MOST: usize = 512;
const LONGEST: usize = 4096;

/// Variables that the shell or the login sets, and whose value names something of the machine's own: such a
/// value stands in facts as it is written, as `~` does.
const OWN: [&str; 20] = [
    "HOME",
    "USER",
    "LOGNAME",
    "PWD",
    "OLDPWD",
    "HOSTNAME",
    "UID",
    "EUID",
    "PPID",
    "BASHPID",
    "RANDOM",
    "SECONDS",
    "LINENO",
    "SHLVL",
    "COLUMNS",
    "LINES",
    "TMPDIR",
    "EPOCHSECONDS",
    "OPTIND",
    "GROUPS",
];

/// Variables that the shell itself changes: what a text gives them is not what they are.
const SHELLS: [&str; 24] = [
    "_",
    "FUNCNAME",
    "DIRSTACK",
    "PIPESTATUS",
    "BASH_COMMAND",
    "BASH_SOURCE",
    "BASH_ARGV",
    "BASH_ARGV0",
    "BASH_REMATCH",
    "BASH_VERSION",
    "REPLY",
    "OPTARG",
    "MAPFILE",
    "COPROC",
    "PWD",
    "OLDPWD",
    "EPOCHREALTIME",
    "SRANDOM",
    "HISTCMD",
    "BASH_SUBSHELL",
    "BASH_LINENO",
    "BASH_ARGC",
    "BASH_VERSINFO",
    "SHELLOPTS",
];

/// Of those and others, the arrays.
const ARRAYS: [&str; 13] = [
    "FUNCNAME",
    "DIRSTACK",
    "PIPESTATUS",
    "BASH_SOURCE",
    "BASH_ARGV",
    "BASH_REMATCH",
    "BASH_LINENO",
    "BASH_ARGC",
    "BASH_VERSINFO",
    "BASH_ALIASES",
    "BASH_CMDS",
    "COPROC",
    "GROUPS",
];

/// Of those, the numbers.
const NUMBERS: [&str; 13] = [
    "UID",
    "EUID",
    "PPID",
    "BASHPID",
    "RANDOM",
    "SECONDS",
    "LINENO",
    "SHLVL",
    "COLUMNS",
    "LINES",
    "EPOCHSECONDS",
    "OPTIND",
    "GROUPS",
];

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::shell) enum Value {
    Text(Rc<str>),
    /// The paths that a pattern matches, one at a time.
    Pattern(Rc<str>),
    /// A number.
    Number,
    /// One word of a harmless form, not known before it runs (a date, a host's name): as it was written.
    Written(Rc<str>),
    /// An array's elements.
    List(Rc<[Word]>),
    Unknown,
}

impl Value {
    pub(in crate::shell) fn is_number(&self) -> bool {
        match self {
            Self::Number => true,
            Self::Text(text) => is_integer(text),
            _ => false,
        }
    }
}

pub(in crate::shell) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() < 20 && digits.bytes().all(|b| b.is_ascii_digit())
}

#[derive(Debug, Default)]
pub(in crate::shell) struct Env {
    values: HashMap<Rc<str>, Value>,
    log: Vec<(Rc<str>, Option<Value>)>,
    /// Declared as integers: what is assigned is evaluated.
    integers: HashSet<String>,
    /// Declared as associative: their subscripts are plain strings.
    associative: HashSet<String>,
    /// Declared as arrays.
    arrays: HashSet<String>,
    /// Never what was assigned last: read-only, changed on assignment, or set by a trap.
    volatile: HashSet<String>,
    /// Read-only with the next assignment.
    fixed: HashSet<String>,
    /// Anything may have been set, or a name may stand for another: nothing is known any more.
    forgotten: bool,
}

impl Env {
    pub(in crate::shell) fn get(&self, name: &str) -> Value {
        if self.forgotten || self.volatile.contains(name) {
            return Value::Unknown;
        }
        if NUMBERS.contains(&name) || self.integers.contains(name) {
            return Value::Number;
        }
        if SHELLS.contains(&name) && self.values.contains_key(name) {
            return Value::Unknown;
        }
        match self.values.get(name) {
            Some(value) => value.clone(),
            None if name == "IFS" => Value::Text(Rc::from(" \t\n")),
            None if OWN.contains(&name) => Value::Written(Rc::from(format!("${name}"))),
            None => Value::Unknown,
        }
    }

    /// Whether the text itself has set the variable.
    pub(in crate::shell) fn is_set(&self, name: &str) -> bool {
        self.forgotten || self.values.contains_key(name)
    }

    pub(in crate::shell) fn set(&mut self, name: &str, value: Value) {
        let value = match value {
            Value::Text(text) if text.len() > LONGEST => Value::Unknown,
            value => value,
        };
        if self.fixed.contains(name) && self.values.contains_key(name) {
            self.volatile.insert(name.to_owned());
        }
        if self.values.len() >= MOST && !self.values.contains_key(name) {
            self.forgotten = true;
            return;
        }
        let name: Rc<str> = Rc::from(name);
        let before = self.values.insert(Rc::clone(&name), value);
        self.log.push((name, before));
    }

    /// What the text has set a variable to, for [`Env::put_back`].
    pub(in crate::shell) fn taken(&self, name: &str) -> Option<Value> {
        self.values.get(name).cloned()
    }

    /// Makes a variable what it was.
    pub(in crate::shell) fn put_back(&mut self, name: &str, value: Option<Value>) {
        let name: Rc<str> = Rc::from(name);
        let before = match value {
            Some(value) => self.values.insert(Rc::clone(&name), value),
            None => self.values.remove(&name),
        };
        self.log.push((name, before));
    }

    pub(in crate::shell) fn declare_integer(&mut self, name: &str) {
        self.integers.insert(name.to_owned());
    }

    pub(in crate::shell) fn declare_associative(&mut self, name: &str) {
        self.associative.insert(name.to_owned());
    }

    pub(in crate::shell) fn declare_array(&mut self, name: &str) {
        self.arrays.insert(name.to_owned());
    }

    /// Whether a variable may be an array: declared so, made one, or made by what is not known.
    pub(in crate::shell) fn could_be_array(&self, name: &str) -> bool {
        self.forgotten
            || self.arrays.contains(name)
            || ARRAYS.contains(&name)
            || matches!(self.values.get(name), Some(Value::List(_)))
    }

    pub(in crate::shell) fn is_associative(&self, name: &str) -> bool {
        self.associative.contains(name)
    }

    /// What is assigned to the variable is not what it will be.
    pub(in crate::shell) fn distrust(&mut self, name: &str) {
        self.volatile.insert(name.to_owned());
    }

    /// The variable keeps what it is given now, at most; later assignments may fail.
    pub(in crate::shell) fn distrust_later(&mut self, name: &str, now_too: bool) {
        if now_too || self.values.contains_key(name) {
            self.volatile.insert(name.to_owned());
        } else {
            self.fixed.insert(name.to_owned());
        }
    }

    /// What is assigned is evaluated: declared so, or one of the shell's own numbers.
    pub(in crate::shell) fn is_declared_integer(&self, name: &str) -> bool {
        matches!(name, "RANDOM" | "SRANDOM" | "OPTIND" | "HISTCMD") || self.integers.contains(name)
    }

    /// From here on nothing is known.
    pub(in crate::shell) fn forget(&mut self) {
        self.forgotten = true;
    }

    /// A place in the log.
    pub(in crate::shell) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Takes back what was changed since: it happened in a shell of its own.
    pub(in crate::shell) fn undo(&mut self, mark: usize) {
        while self.log.len() > mark {
            let Some((name, before)) = self.log.pop() else { return };
            match before {
                Some(value) => self.values.insert(name, value),
                None => self.values.remove(&name),
            };
        }
    }

    /// What was changed since may have happened or not.
    pub(in crate::shell) fn join(&mut self, mark: usize) {
        let changed: Vec<(Rc<str>, Option<Value>)> = self.log.get(mark..).unwrap_or_default().to_vec();
        let mut seen = HashSet::new();
        for (name, before) in changed {
            if !seen.insert(Rc::clone(&name)) {
                continue;
            }
            let now = self.get(&name);
            let joined = match before {
                Some(before) if before == now => continue,
                Some(before) if before.is_number() && now.is_number() => Value::Number,
                _ => Value::Unknown,
            };
            self.set(&name, joined);
        }
    }
}
