//! Lists, pipelines and simple commands.

use std::rc::Rc;

use sallyport_core::{Unknown, UnknownCode};

use super::cursor::{Reader, ends_word, problem};
use super::tree::{
    Argument, Command, Function, Item, List, Part, Pipeline, Redirect, RedirectKind, Script, Simple, Word,
};

/// Words that end a list where a command could start.
const CLOSING: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];

/// Words that start a compound command.
pub(super) const OPENING: [&str; 10] =
    ["if", "while", "until", "for", "select", "case", "{", "[[", "function", "coproc"];

/// Built-ins whose arguments are read as assignments.
const DECLARING: [&str; 5] = ["declare", "typeset", "local", "export", "readonly"];

impl Reader<'_> {
    /// The whole text. What stands before an error has run by then, so it is kept.
    pub(super) fn script(self) -> Script {
        self.script_and_pieces().0
    }

    /// As [`Reader::script`], with how much was read.
    pub(super) fn script_and_pieces(mut self) -> (Script, usize) {
        let mut list = List::default();
        let ended = self.top_level(&mut list);
        let unknown = ended.err().or(self.doubt);
        (Script { list, unknown }, self.pieces)
    }

    fn top_level(&mut self, list: &mut List) -> Result<(), Unknown> {
        loop {
            self.lines()?;
            if self.raw().is_none() {
                return self.end_of_text();
            }
            if self.closing_word().is_some() {
                return self.unexpected();
            }
            let item = self.item()?;
            list.items.push(item);
            self.blanks();
            if matches!(self.peek(), Some(')')) || self.sees(";;") || self.sees(";&") {
                return self.unexpected();
            }
        }
    }

    fn end_of_text(&mut self) -> Result<(), Unknown> {
        if !self.owed.is_empty() {
            self.doubt(UnknownCode::Ambiguous, "a here-document without a body");
            self.bodies()?;
        }
        Ok(())
    }

    /// Commands up to a closing word, `)`, `;;` or the text's end. At least one.
    pub(super) fn list(&mut self) -> Result<List, Unknown> {
        let mut list = List::default();
        loop {
            self.lines()?;
            if self.ends_list() {
                break;
            }
            let item = self.item()?;
            list.items.push(item);
        }
        if list.items.is_empty() { self.unexpected() } else { Ok(list) }
    }

    pub(super) fn ends_list(&mut self) -> bool {
        matches!(self.peek(), None | Some(')'))
            || self.sees(";;")
            || self.sees(";&")
            || self.closing_word().is_some()
    }

    fn closing_word(&mut self) -> Option<&'static str> {
        let word = self.plain_word()?;
        CLOSING.into_iter().find(|closing| *closing == word)
    }

    /// The word that comes next, if it is short and nothing in it is quoted or expanded.
    pub(super) fn plain_word(&mut self) -> Option<String> {
        let start = self.at;
        let mut word = String::new();
        while let Some(next) = self.peek() {
            if ends_word(next) {
                break;
            }
            if word.len() > 9 || matches!(next, '\\' | '\'' | '"' | '`' | '$') {
                word.clear();
                break;
            }
            word.push(next);
            self.bump();
        }
        self.at = start;
        (!word.is_empty()).then_some(word)
    }

    /// Takes a reserved word if it is next.
    pub(super) fn eat_word(&mut self, wanted: &str) -> bool {
        self.plain_word().as_deref() == Some(wanted) && self.eat_all(wanted)
    }

    /// A reserved word that must come, after ends of lines.
    pub(super) fn expect_word(&mut self, wanted: &str) -> Result<(), Unknown> {
        self.lines()?;
        if self.eat_word(wanted) { Ok(()) } else { self.unexpected() }
    }

    /// Pipelines joined by `&&` and `||`, and what ends them.
    fn item(&mut self) -> Result<Item, Unknown> {
        let mut item = Item { first: self.pipeline()?, rest: Vec::new(), background: false };
        loop {
            self.blanks();
            let is_or = self.eat_all("||");
            if !is_or && !self.eat_all("&&") {
                break;
            }
            self.lines()?;
            let next = self.pipeline()?;
            item.rest.push((is_or, next));
        }
        if self.sees(";;") || self.sees(";&") {
            return Ok(item);
        }
        if self.eat('&') {
            item.background = true;
        } else if !self.eat(';') && !matches!(self.peek(), None | Some('\n' | ')')) && !self.ends_list() {
            return self.unexpected();
        }
        Ok(item)
    }

    fn pipeline(&mut self) -> Result<Pipeline, Unknown> {
        let mut commands = Vec::new();
        self.blanks();
        loop {
            if self.sees("!(") {
                self.doubt(UnknownCode::Ambiguous, "a pattern where extended patterns are on");
            }
            if self.eat_word("!") {
                self.blanks();
            } else if self.is_timed() {
                self.eat_word("time");
                self.blanks();
                if self.eat_word("-p") {
                    self.blanks();
                }
                if self.eat_word("--") {
                    self.blanks();
                }
                if matches!(self.peek(), None | Some('\n' | ';' | ')' | '&')) {
                    return Ok(Pipeline { commands });
                }
            } else {
                break;
            }
        }
        loop {
            let command = self.deeper(Self::command)?;
            commands.push(command);
            self.blanks();
            if self.sees("||") || !self.eat('|') {
                return Ok(Pipeline { commands });
            }
            if self.eat('&') {
                self.bash_only("|&");
            }
            self.lines()?;
        }
    }

    /// Whether the shell's own `time` comes next; with options of the program, it is the program that is
    /// meant, and shells disagree on what they run.
    fn is_timed(&mut self) -> bool {
        if self.plain_word().as_deref() != Some("time") {
            return false;
        }
        let start = self.at;
        self.eat_all("time");
        self.blanks();
        let next = self.plain_word();
        let is_option = self.peek() == Some('-') && !matches!(next.as_deref(), Some("-p" | "--"));
        self.at = start;
        if is_option {
            self.doubt(UnknownCode::Ambiguous, "options of the program time, read by the shell's own");
        }
        !is_option
    }

    pub(super) fn command(&mut self) -> Result<Command, Unknown> {
        self.count()?;
        self.blanks();
        let word = self.plain_word();
        if self.peek() == Some('(') || word.as_deref().is_some_and(|word| OPENING.contains(&word)) {
            return self.compound_command();
        }
        if self.closing_word().is_some() || matches!(word.as_deref(), Some("!" | "in")) && self.sees("!") {
            return self.unexpected();
        }
        self.simple()
    }

    fn simple(&mut self) -> Result<Command, Unknown> {
        let mut simple = Simple::default();
        let mut declares = false;
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None | Some('\n' | ';' | '&' | '|' | ')') => break,
                Some('(') => return self.function_after(simple),
                _ => {}
            }
            if (simple.words.is_empty() || declares)
                && let Some(assignment) = self.assignment(declares)?
            {
                if simple.words.is_empty() {
                    simple.assignments.push(assignment);
                } else {
                    simple.words.push(Argument::Assignment(assignment));
                }
                continue;
            }
            let word = self.word()?;
            if simple.words.is_empty() {
                declares = word.literal().is_some_and(|name| DECLARING.contains(&name));
            } else if let Some(Argument::Word(first)) = simple.words.first()
                && matches!(first.literal(), Some("command" | "builtin"))
            {
                declares |= word.literal().is_some_and(|name| DECLARING.contains(&name));
            }
            simple.words.push(Argument::Word(word));
        }
        if simple.words.is_empty() && simple.assignments.is_empty() && simple.redirects.is_empty() {
            return self.unexpected();
        }
        Ok(Command::Simple(simple))
    }

    /// `name ()`: what was read so far must be one plain word.
    fn function_after(&mut self, simple: Simple) -> Result<Command, Unknown> {
        let mut words = simple.words.into_iter();
        let (Some(Argument::Word(word)), None) = (words.next(), words.next()) else {
            return self.unexpected();
        };
        let is_plain = simple.assignments.is_empty() && simple.redirects.is_empty();
        let Some(name) = word.literal().filter(|_| is_plain) else { return self.unexpected() };
        self.eat('(');
        self.blanks();
        if !self.eat(')') {
            if name.ends_with(['?', '*', '+', '@', '!']) {
                return Err(problem(UnknownCode::Ambiguous, "a pattern where extended patterns are on"));
            }
            return self.unexpected();
        }
        self.function_body(name.to_owned())
    }

    /// A function's body: any compound command, with its redirections.
    pub(super) fn function_body(&mut self, name: String) -> Result<Command, Unknown> {
        self.lines()?;
        let word = self.plain_word();
        let starts = self.peek() == Some('(') || word.is_some_and(|word| OPENING.contains(&word.as_str()));
        if !starts {
            return self.unexpected();
        }
        let body = self.deeper(Self::compound_command)?;
        Ok(Command::Function(Rc::new(Function { name, body })))
    }

    /// The redirections after a compound command.
    pub(super) fn redirects(&mut self) -> Result<Vec<Redirect>, Unknown> {
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(redirects),
            }
        }
    }
}

impl Word {
    /// The text, when it is one unquoted literal.
    pub(in crate::shell) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

impl Redirect {
    pub(super) fn new(kind: RedirectKind, descriptor: Option<&str>) -> Self {
        let input = matches!(
            kind,
            RedirectKind::Read(_)
                | RedirectKind::ReadWrite(_)
                | RedirectKind::Here(_)
                | RedirectKind::HereString(_)
                | RedirectKind::Duplicate { output: false, .. }
        );
        let is_input = descriptor.map_or(input, |descriptor| descriptor.trim_start_matches('0').is_empty());
        Self { kind, is_input }
    }
}
