//! `sed`'s scripts, as GNU sed reads them: which files they read and write, and what they run.

use sallyport_core::UnknownCode;

use super::outcome::Outcome;
use crate::shell::effect::Effect;
use crate::shell::word::Word;

/// A script, or a part of one. What it cannot read makes the whole unknown.
pub(super) fn script(word: &Word, outcome: &mut Outcome) {
    if word.as_constant().is_none() {
        return outcome.unknown(UnknownCode::Dynamic, &word.text);
    }
    if word.text.is_empty() {
        // After `-i`, BSD's sed takes it for a suffix, and the script comes next.
        outcome.unknown(UnknownCode::Ambiguous, "an empty script");
    }
    let mut script = Script { chars: word.text.chars().peekable(), outcome };
    if script.run().is_none() {
        outcome.unknown(UnknownCode::Unsupported, "its script");
    }
}

struct Script<'t, 'o> {
    chars: std::iter::Peekable<std::str::Chars<'t>>,
    outcome: &'o mut Outcome,
}

impl Script<'_, '_> {
    /// Every command; nothing where the script is not what sed reads.
    fn run(&mut self) -> Option<()> {
        loop {
            self.skip(|c| c.is_whitespace() || c == ';');
            if self.chars.peek().is_none() {
                return Some(());
            }
            if self.address()? {
                self.blanks();
                if self.chars.next_if_eq(&',').is_some() {
                    self.blanks();
                    self.chars.next_if(|c| matches!(c, '+' | '~'));
                    self.address()?;
                }
            }
            self.skip(|c| c == ' ' || c == '\t' || c == '!');
            self.command()?;
        }
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) {
        while self.chars.next_if(|c| what(*c)).is_some() {}
    }

    fn blanks(&mut self) {
        self.skip(|c| c == ' ' || c == '\t');
    }

    /// An address, if there is one.
    fn address(&mut self) -> Option<bool> {
        match self.chars.peek()? {
            '0'..='9' => self.skip(|c| c.is_ascii_digit() || c == '~'),
            '$' => {
                self.chars.next();
            }
            '/' => {
                self.chars.next();
                self.until('/')?;
                self.skip(|c| c == 'I' || c == 'M');
            }
            '\\' => {
                self.chars.next();
                let end = self.chars.next()?;
                self.until(end)?;
                self.skip(|c| c == 'I' || c == 'M');
            }
            _ => return Some(false),
        }
        Some(true)
    }

    /// Text up to its delimiter; a delimiter after a backslash, or in a bracket expression that ends before
    /// the script does, would be read in more than one way by one sed or another.
    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.chars.next()? {
                '\\' => {
                    text.push('\\');
                    text.push(self.chars.next()?);
                }
                c if c == end => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn line(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.chars.next_if(|c| *c != '\n') {
            text.push(c);
        }
        text.trim_start().to_owned()
    }

    fn command(&mut self) -> Option<()> {
        match self.chars.next()? {
            '{' | '}' | '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' | 'F' => {
            }
            '#' => {
                self.line();
            }
            'a' | 'i' | 'c' => self.text(),
            ':' | 'b' | 't' | 'T' | 'v' => self.skip(|c| c != '\n' && c != ';' && c != '}'),
            'q' | 'Q' | 'l' | 'L' => self.skip(|c| c.is_ascii_digit() || c == ' '),
            'r' | 'R' => {
                let path = self.line();
                self.outcome.reads(&Word::constant(path));
            }
            'w' | 'W' => {
                let path = self.line();
                self.outcome.writes(&Word::constant(path));
            }
            'e' => {
                let text = self.line();
                self.runs(text);
            }
            'y' => {
                let end = self.chars.next()?;
                self.until(end)?;
                self.until(end)?;
            }
            's' => return self.substitute(),
            _ => return None,
        }
        Some(())
    }

    /// The text of `a`, `i` and `c`: to the end of the line that does not end with a backslash.
    fn text(&mut self) {
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => {
                    self.chars.next();
                }
                '\n' => return,
                _ => {}
            }
        }
    }

    fn runs(&mut self, text: String) {
        if text.is_empty() {
            // What stands in the input is run.
            self.outcome.push(Effect::RunsCode("sh".to_owned()));
        } else {
            self.outcome.push(Effect::RunsShell(Word::constant(text)));
        }
    }

    fn substitute(&mut self) -> Option<()> {
        let end = self.chars.next().filter(|c| *c != '\n' && *c != '\\')?;
        let pattern = self.until(end)?;
        self.until(end)?;
        // In a bracket expression POSIX lets the delimiter stand for itself, and GNU does not.
        if pattern.matches('[').count() > pattern.matches(']').count() + pattern.matches("\\[").count() {
            return None;
        }
        loop {
            match self.chars.peek() {
                Some('g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9') => {
                    self.chars.next();
                }
                Some('e') => {
                    self.chars.next();
                    self.runs(String::new());
                }
                Some('w') => {
                    self.chars.next();
                    let path = self.line();
                    self.outcome.writes(&Word::constant(path));
                    return Some(());
                }
                Some(' ' | '\t') => self.blanks(),
                None | Some(';' | '\n' | '}' | '#') => return Some(()),
                Some(_) => return None,
            }
        }
    }
}
