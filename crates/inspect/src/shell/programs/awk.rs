//! `awk`'s programs: whether they only compute and print, and which files they write.
//!
//! What runs a command, reads by a name of its own, or could be read in two ways is code that is not read.

use super::outcome::Outcome;
use crate::shell::effect::Effect;
use crate::shell::word::Word;

/// Words that let a program do more than read its operands.
const POWERFUL: &[&str] = &["system", "getline", "ARGV", "ARGC", "PROCINFO", "FUNCTAB", "SYMTAB"];

/// Words after which a slash starts a pattern.
const BEFORE_PATTERN: &[&str] = &["print", "printf", "return", "in", "else", "do", "case", "exit", "delete"];

/// The text of a program.
pub(super) fn script(word: &Word, outcome: &mut Outcome) {
    let read = match word.as_constant() {
        Some(text) => Program::new(text).run(),
        None => {
            outcome.dynamic(word);
            None
        }
    };
    match read {
        Some(written) => {
            for path in written {
                outcome.writes(&Word::constant(path));
            }
        }
        None => outcome.push(Effect::RunsCode(outcome.program().to_owned())),
    }
}

/// An operand: a file, or `name=value`.
pub(super) fn file(word: &Word, outcome: &mut Outcome) {
    let name = word.text.split('=').next().unwrap_or_default();
    let assigns = name.len() < word.text.len()
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !assigns {
        outcome.reads(word);
    }
}

/// `-i inplace` writes what is read; anything else is code.
pub(super) fn include(word: &Word, outcome: &mut Outcome) {
    if word.as_constant() == Some("inplace") {
        outcome.bare(sallyport_core::Verb::WriteFile, Some("file"));
    } else {
        outcome.push(Effect::RunsCode(outcome.program().to_owned()));
    }
}

struct Program<'t> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    /// The last thing was a value, so that a slash divides it.
    value: bool,
    /// The last thing was a closing parenthesis: a slash may be either.
    closed: bool,
    /// In a `print` statement, and how deep in its parentheses.
    printing: Option<usize>,
    written: Vec<String>,
}

impl<'t> Program<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            chars: text.chars().peekable(),
            value: false,
            closed: false,
            printing: None,
            written: Vec::new(),
        }
    }

    /// The files it writes; nothing where it may do more.
    fn run(mut self) -> Option<Vec<String>> {
        while let Some(c) = self.chars.next() {
            let closed = std::mem::take(&mut self.closed);
            match c {
                '"' => {
                    self.string()?;
                    self.value = true;
                }
                '#' => while self.chars.next_if(|c| *c != '\n').is_some() {},
                c if c.is_ascii_alphabetic() || c == '_' => self.name(c)?,
                c if c.is_ascii_digit() => self.value = true,
                '/' if closed && self.chars.clone().any(|c| c == '"') => return None,
                '/' if self.value || closed => self.value = false,
                '/' => {
                    self.pattern()?;
                    self.value = true;
                }
                '(' | ')' => self.parenthesis(c),
                ']' | '$' => self.value = c == ']',
                '+' | '-' if self.chars.peek() == Some(&c) => {
                    // `x++ / y` and `++ /x/` look alike.
                    self.chars.next();
                    if self.chars.clone().find(|c| !c.is_whitespace()) == Some('/') {
                        return None;
                    }
                }
                '|' => {
                    self.chars.next_if_eq(&'|')?;
                    self.value = false;
                }
                '>' if self.printing == Some(0) => self.redirect()?,
                '@' => return None,
                ';' | '\n' | '{' | '}' => {
                    self.printing = None;
                    self.value = false;
                }
                ' ' | '\t' | '\r' => self.closed = closed,
                _ => self.value = false,
            }
        }
        Some(self.written)
    }

    fn parenthesis(&mut self, c: char) {
        let open = c == '(';
        self.printing = match self.printing {
            Some(depth) if open => Some(depth + 1),
            // The statement ends before a parenthesis that was open around it.
            Some(depth) => depth.checked_sub(1),
            None => None,
        };
        self.value = !open;
        self.closed = !open;
    }

    fn name(&mut self, first: char) -> Option<()> {
        let mut name = String::from(first);
        while let Some(c) = self.chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        if POWERFUL.contains(&name.as_str()) {
            return None;
        }
        if matches!(name.as_str(), "print" | "printf") {
            self.printing = Some(0);
        }
        self.value = !BEFORE_PATTERN.contains(&name.as_str());
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.chars.next()? {
                '"' => return Some(text),
                '\\' => {
                    text.push('\\');
                    text.push(self.chars.next()?);
                }
                '\n' => return None,
                c => text.push(c),
            }
        }
    }

    /// A pattern between slashes. A slash in brackets ends it for one awk and not for another.
    fn pattern(&mut self) -> Option<()> {
        let mut bracket = false;
        loop {
            match self.chars.next()? {
                '\\' => {
                    self.chars.next()?;
                }
                '[' => bracket = true,
                ']' => bracket = false,
                '/' if bracket => return None,
                '/' => return Some(()),
                '\n' => return None,
                _ => {}
            }
        }
    }

    /// `> "file"` and `>> "file"`; a name that is built is not read.
    fn redirect(&mut self) -> Option<()> {
        self.chars.next_if_eq(&'>');
        while self.chars.next_if(|c| c.is_whitespace() && *c != '\n').is_some() {}
        self.chars.next_if_eq(&'"')?;
        let path = self.string()?;
        while self.chars.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
        let ends = matches!(self.chars.peek(), None | Some(';' | '\n' | '}'));
        (ends && !path.contains('\\') && !path.starts_with("/inet")).then(|| self.written.push(path))
    }
}
