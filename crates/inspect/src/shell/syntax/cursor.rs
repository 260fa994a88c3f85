//! Where the reading is: the text, the position, what is still owed and what is doubted.

use std::cell::OnceCell;
use std::rc::Rc;

use sallyport_core::{Unknown, UnknownCode};

use super::DEEPEST;
use super::tree::Word;

/// How many commands and words are read.
const MOST_PIECES: usize = 20_000;

/// Which shell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Dialect {
    /// bash, as it comes.
    Bash,
    /// Any POSIX shell (`sh`): what only bash reads as bash does is doubted.
    Posix,
}

/// A here-document whose body has not come yet.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) delimiter: String,
    pub(super) quoted: bool,
    pub(super) strip_tabs: bool,
    pub(super) body: Rc<OnceCell<Word>>,
}

#[derive(Debug)]
pub(in crate::shell) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) dialect: Dialect,
    pub(super) owed: Vec<Owed>,
    pub(super) doubt: Option<Unknown>,
    /// How often something was read twice.
    pub(super) second_readings: usize,
    /// How many commands and words were read.
    pub(super) pieces: usize,
}

impl<'t> Reader<'t> {
    pub(in crate::shell) fn new(text: &'t str, dialect: Dialect, depth: usize) -> Self {
        Self { text, at: 0, depth, dialect, owed: Vec::new(), doubt: None, second_readings: 0, pieces: 0 }
    }

    /// The next character as it stands.
    pub(super) fn raw(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    /// The next character, line continuations taken out.
    pub(super) fn peek(&mut self) -> Option<char> {
        loop {
            let rest = self.text.get(self.at..)?;
            if rest.starts_with("\\\n") {
                self.at += 2;
            } else {
                return rest.chars().next();
            }
        }
    }

    /// The character after the next.
    pub(super) fn second(&mut self) -> Option<char> {
        let start = self.at;
        self.bump()?;
        let second = self.peek();
        self.at = start;
        second
    }

    /// Takes one character as it stands.
    pub(super) fn take_raw(&mut self) -> Option<char> {
        let next = self.raw()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes one character, line continuations taken out.
    pub(super) fn bump(&mut self) -> Option<char> {
        self.peek()?;
        self.take_raw()
    }

    /// Takes a character if it is the next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
    }

    /// Takes an operator if it is next.
    pub(super) fn eat_all(&mut self, wanted: &str) -> bool {
        let start = self.at;
        let all = wanted.chars().all(|c| self.eat(c));
        if !all {
            self.at = start;
        }
        all
    }

    /// Whether an operator is next.
    pub(super) fn sees(&mut self, wanted: &str) -> bool {
        let start = self.at;
        let all = self.eat_all(wanted);
        self.at = start;
        all
    }

    /// What stands between a place and here.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// All that stands before a place.
    pub(super) fn text_before(&self, place: usize) -> &'t str {
        self.text.get(..place).unwrap_or_default()
    }

    /// Passes blanks, and a comment if one starts here.
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        if self.raw() == Some('#') {
            while self.raw().is_some_and(|c| c != '\n') {
                self.take_raw();
            }
        }
    }

    /// Passes blanks, comments and ends of lines, and reads the here-documents that those bring.
    pub(super) fn lines(&mut self) -> Result<(), Unknown> {
        loop {
            self.blanks();
            if !self.eat('\n') {
                return Ok(());
            }
            self.bodies()?;
        }
    }

    /// Counts commands and words, so that no more of them are read than are walked.
    pub(super) fn count(&mut self) -> Result<(), Unknown> {
        self.pieces += 1;
        if self.pieces > MOST_PIECES {
            return Err(problem(UnknownCode::TooLarge, "too many commands and words"));
        }
        Ok(())
    }

    /// A reader of a text within this one.
    pub(super) fn inner<'i>(&self, text: &'i str) -> Reader<'i> {
        let (second_readings, pieces) = (self.second_readings, self.pieces);
        Reader { second_readings, pieces, ..Reader::new(text, self.dialect, self.depth) }
    }

    /// Goes one construct deeper.
    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unknown>,
    ) -> Result<T, Unknown> {
        if self.depth >= DEEPEST {
            return Err(problem(UnknownCode::TooLarge, "nested too deep"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Remembers the first doubt.
    pub(super) fn doubt(&mut self, code: UnknownCode, detail: &str) {
        self.doubt.get_or_insert_with(|| problem(code, detail));
    }

    /// Something that only bash reads as bash does.
    pub(super) fn bash_only(&mut self, what: &str) {
        if self.dialect == Dialect::Posix {
            self.doubt(UnknownCode::Ambiguous, &format!("{what}: only bash reads it so"));
        }
    }

    /// What the grammar does not allow here.
    pub(super) fn unexpected<T>(&mut self) -> Result<T, Unknown> {
        let near: String = self.text.get(self.at..).unwrap_or_default().chars().take(20).collect();
        Err(problem(UnknownCode::Unparsable, &format!("unexpected {near:?}")))
    }
}

pub(super) fn problem(code: UnknownCode, detail: &str) -> Unknown {
    Unknown { code, detail: detail.to_owned() }
}

/// Whether a character ends an unquoted word.
pub(super) fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

/// Whether a text is a variable's name.
pub(in crate::shell) fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
