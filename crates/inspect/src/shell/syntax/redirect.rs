//! Redirections, and the here-documents that they owe.

use std::cell::OnceCell;
use std::rc::Rc;

use sallyport_core::{Unknown, UnknownCode};

use super::cursor::{Owed, Reader, ends_word, is_name};
use super::tree::{Part, Redirect, RedirectKind, Word};

impl Reader<'_> {
    /// A redirection, if one is next.
    pub(super) fn redirect(&mut self) -> Result<Option<Redirect>, Unknown> {
        let start = self.at;
        for operator in ["&>>", "&>"] {
            if self.eat_all(operator) {
                self.bash_only("&>");
                return Ok(Some(Redirect::new(RedirectKind::Write(self.target()?), Some("1"))));
            }
        }
        let descriptor = self.descriptor();
        // A process substitution starts a word.
        if !matches!(self.peek(), Some('<' | '>')) || self.second() == Some('(') {
            self.at = start;
            return Ok(None);
        }
        let kind = if self.eat_all("<<<") {
            self.bash_only("<<<");
            RedirectKind::HereString(self.target()?)
        } else if self.eat_all("<<-") {
            self.here(true)?
        } else if self.eat_all("<<") {
            self.here(false)?
        } else if self.eat_all("<&") {
            RedirectKind::Duplicate { word: self.duplicated()?, output: false }
        } else if self.eat_all(">&") {
            RedirectKind::Duplicate { word: self.duplicated()?, output: true }
        } else if self.eat_all("<>") {
            RedirectKind::ReadWrite(self.target()?)
        } else if self.eat_all("<") {
            RedirectKind::Read(self.target()?)
        } else if self.eat_all(">>") || self.eat_all(">|") || self.eat_all(">") {
            RedirectKind::Write(self.target()?)
        } else {
            return self.unexpected();
        };
        Ok(Some(Redirect::new(kind, descriptor.as_deref())))
    }

    /// Digits, or `{name}`, that stand right before the operator.
    fn descriptor(&mut self) -> Option<String> {
        let start = self.at;
        let mut text = String::new();
        let named = self.eat('{');
        while let Some(c) =
            self.peek().filter(|c| c.is_ascii_digit() || named && (c.is_ascii_alphanumeric() || *c == '_'))
        {
            text.push(c);
            self.bump();
        }
        if named && self.peek() == Some('[') {
            self.doubt_element();
        }
        let is_whole = if named { self.eat('}') && is_name(&text) } else { !text.is_empty() };
        if is_whole && matches!(self.peek(), Some('<' | '>')) {
            if named {
                self.bash_only("{name}>");
            }
            return Some(text);
        }
        self.at = start;
        None
    }

    /// What a descriptor becomes a copy of. `>&-` closes it, and for bash it is whole: what follows without a
    /// blank is a word of the command.
    fn duplicated(&mut self) -> Result<Word, Unknown> {
        if !self.eat('-') {
            return self.target();
        }
        if self.peek().is_some_and(|c| !ends_word(c)) {
            self.doubt(UnknownCode::Ambiguous, "a word right behind a descriptor that is closed");
        }
        Ok(Word { source: "-".to_owned(), parts: vec![Part::Literal("-".to_owned())] })
    }

    /// `{name[subscript]}>`: the subscript is evaluated, whatever the command is.
    fn doubt_element(&mut self) {
        let start = self.at;
        let mut last = None;
        while let Some(c) = self.peek().filter(|c| !ends_word(*c)) {
            last = Some(c);
            self.bump();
        }
        if last == Some('}') && matches!(self.peek(), Some('<' | '>')) {
            self.doubt(UnknownCode::Dynamic, "a descriptor that an array's element keeps");
        }
        self.at = start;
    }

    fn target(&mut self) -> Result<Word, Unknown> {
        self.blanks();
        self.word()
    }

    fn here(&mut self, strip_tabs: bool) -> Result<RedirectKind, Unknown> {
        let word = self.target()?;
        let mut delimiter = String::new();
        let mut quoted = false;
        let is_plain = delimiter_text(&word.parts, &mut delimiter, &mut quoted);
        if !is_plain {
            // Expansions are not made in a delimiter; shells disagree on what they make of the quotes in it.
            delimiter.clone_from(&word.source);
            self.doubt(UnknownCode::Ambiguous, "a here-document's delimiter that looks built");
        }
        let body = Rc::new(OnceCell::new());
        self.owed.push(Owed { delimiter, quoted, strip_tabs, body: Rc::clone(&body) });
        Ok(RedirectKind::Here(body))
    }
}

fn delimiter_text(parts: &[Part], text: &mut String, quoted: &mut bool) -> bool {
    parts.iter().all(|part| match part {
        Part::Literal(literal) => {
            text.push_str(literal);
            true
        }
        Part::Quoted(literal) => {
            *quoted = true;
            text.push_str(literal);
            true
        }
        Part::Double(inner) => {
            *quoted = true;
            delimiter_text(inner, text, quoted)
        }
        Part::Expansion(..) => false,
    })
}
