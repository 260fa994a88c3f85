//! From a shell's tree to what running it would do.
//!
//! The engine walks the commands in order with the variables that the text settles (`env`), evaluates their
//! words (`words`), and follows what programs do by their descriptions: what they run, the shell texts and
//! SQL they are given, what comes to them through standard input. All that is found goes into one `Found`.
//! What cannot be told before it runs makes the whole `unknown`; what was told stands.

mod arithmetic;
mod changes;
mod deciding;
mod effects;
mod env;
mod found;
mod output;
mod programs_by_path;
mod simple;
mod sql;
mod variables;
mod walk;

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use sallyport_core::{Facts, UnknownCode};

pub(super) use deciding::decides_nothing;
pub(super) use env::{Env, Value, is_integer};
pub(super) use found::Found;
pub(super) use output::{Output, Stdin, echo, printf};
pub(super) use simple::Given;

use super::syntax::{self, Dialect, Function, List};
use super::word::Word;

/// How many commands and words are walked; loops and calls count each time.
const MOST_STEPS: usize = 10_000;

/// How deep evaluation may go, calls and texts in texts counted.
const DEEPEST: usize = 64;

/// How deep calls and programs that run programs may go.
const DEEPEST_CALL: usize = 16;

/// What is known while a text is walked.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) found: Found,
    pub(super) env: Env,
    pub(super) functions: BTreeMap<String, Rc<Function>>,
    pub(super) called: HashSet<String>,
    /// The functions that are being called.
    pub(super) calls: Vec<String>,
    pub(super) dialect: Dialect,
    /// What substitutions in the words of the command at hand read.
    pub(super) surrounding: Stdin,
    /// `exec` has given the shell another standard input.
    pub(super) is_input_replaced: bool,
    /// Variables of the functions that are being called, with what they were before.
    pub(super) locals: Vec<(String, Option<Value>)>,
    /// Where the SQL of the client at hand goes.
    pub(super) database: Option<Word>,
    depth: usize,
    steps: usize,
}

/// What a text would do.
pub(super) fn facts(text: &str, dialect: Dialect) -> Facts {
    let mut engine = Engine {
        found: Found::default(),
        env: Env::default(),
        functions: BTreeMap::new(),
        called: HashSet::new(),
        calls: Vec::new(),
        dialect,
        surrounding: Stdin::Terminal,
        is_input_replaced: false,
        locals: Vec::new(),
        database: None,
        depth: 0,
        steps: 0,
    };
    let script = syntax::read(text, dialect, 0);
    engine.found.doubt(script.unknown);
    engine.list(&script.list, &Stdin::Terminal);
    engine.uncalled();
    engine.found.facts(script.list.items.len())
}

impl Engine {
    /// Counts work. False when there has been too much of it.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS {
            self.found.unknown(UnknownCode::TooLarge, "too many commands and words");
        }
        self.steps <= MOST_STEPS
    }

    /// Goes one deeper, unless that is too deep.
    pub(super) fn deeper<T: Default>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEEPEST || !self.spend(1) {
            self.found.unknown(UnknownCode::TooLarge, "nested too deep");
            return T::default();
        }
        self.depth += 1;
        let result = walk(self);
        self.depth -= 1;
        result
    }

    /// Whether a function's body is being walked.
    pub(super) fn is_in_function(&self) -> bool {
        self.calls.iter().any(|name| !name.is_empty())
    }

    /// How deep the walking is.
    pub(super) fn nesting(&self) -> usize {
        self.depth
    }

    /// Walks what runs in a shell of its own.
    pub(super) fn apart<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.env.mark();
        let result = walk(self);
        self.env.undo(mark);
        result
    }

    /// Walks what stands in a word, and comes back to the word's own command.
    pub(super) fn within<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let surrounding = self.surrounding.clone();
        let result = walk(self);
        self.surrounding = surrounding;
        result
    }

    /// Walks what may run or not.
    pub(super) fn perhaps<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.env.mark();
        let result = walk(self);
        self.env.join(mark);
        result
    }

    /// A text that another shell runs: nothing is known of its variables.
    pub(super) fn other_shell(&mut self, text: &str, dialect: Dialect, stdin: &Stdin) {
        let before = std::mem::replace(&mut self.dialect, dialect);
        self.elsewhere(|engine| engine.text(text, stdin));
        self.dialect = before;
    }

    /// Walks what sees none of the variables that are known here.
    pub(super) fn elsewhere<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let (env, locals) = (std::mem::take(&mut self.env), std::mem::take(&mut self.locals));
        let result = walk(self);
        self.env = env;
        self.locals = locals;
        result
    }

    /// A text that this shell runs.
    pub(super) fn text(&mut self, text: &str, stdin: &Stdin) -> Output {
        self.deeper(|engine| {
            let script = syntax::read(text, engine.dialect, engine.depth);
            engine.found.doubt(script.unknown);
            if !engine.spend(text.len() / 16) {
                return Output::Unknown;
            }
            engine.list(&script.list, stdin)
        })
    }

    /// Functions that are defined and not called: whoever calls them later runs what was read here.
    fn uncalled(&mut self) {
        loop {
            let left = self.functions.values().filter(|function| !self.called.contains(&function.name));
            let left: Vec<Rc<Function>> = left.map(Rc::clone).collect();
            if left.is_empty() {
                return;
            }
            for function in left {
                if self.called.insert(function.name.clone()) {
                    self.env = Env::default();
                    self.calls.push(function.name.clone());
                    self.deeper(|engine| engine.command(&function.body, &Stdin::Terminal));
                    self.calls.pop();
                }
            }
        }
    }

    /// Remembers a function.
    pub(super) fn define(&mut self, function: &Rc<Function>) {
        if let Some(before) = self.functions.insert(function.name.clone(), Rc::clone(function))
            && !self.called.contains(&before.name)
            && !Rc::ptr_eq(&before, function)
        {
            // The one before is gone; what it would have done is told all the same.
            self.apart(|engine| engine.deeper(|engine| engine.command(&before.body, &Stdin::Terminal)));
        }
        self.called.remove(&function.name);
    }

    /// What a list does, and what it says to the pipe it stands before.
    pub(super) fn list(&mut self, list: &List, stdin: &Stdin) -> Output {
        self.deeper(|engine| {
            let mut last = Output::Unknown;
            let mut stdin = stdin.clone();
            for item in &list.items {
                if !engine.spend(1) {
                    return Output::Unknown;
                }
                last = engine.item(item, &stdin);
                if !item.rest.is_empty() || !walk::reads_nothing(&item.first) {
                    stdin = stdin.shared();
                }
                if engine.is_input_replaced {
                    stdin = Stdin::Data;
                }
            }
            if list.items.len() == 1 { last } else { Output::Unknown }
        })
    }
}
