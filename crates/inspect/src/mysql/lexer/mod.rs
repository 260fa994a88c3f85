//! The server's lexical rules (`sql_lex.cc` of MySQL 8 and MariaDB 10.11): decoded text in, lexemes out.
//!
//! [`Lexer::next`] gives one lexeme after another and ends the reading with an error where the server's
//! lexer would, or where servers that are still possible would read on differently in a way that cannot
//! be followed. What reads differently under them, and can be followed, is remembered as [`Lexer::doubt`].

mod comments;
mod numbers;
mod strings;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;

use sallyport_core::{Unknown, UnknownCode};

use super::context::{Flavour, SqlMode};

/// What a lexeme is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word without quotes: a keyword or an identifier.
    Word,
    /// A word that is an identifier whatever it spells: it stands right after a dot.
    Dotted,
    /// An identifier in quotes; the text is without them.
    Quoted,
    /// `@x`: the text is without the `@` and quotes.
    Variable,
    /// `@@x`: the text is without the `@@`.
    System,
    /// A string; the text is its value.
    String,
    /// `N'…'`.
    National,
    /// `x'…'` and `0x…`: the digits.
    Hex,
    /// `b'…'` and `0b…`: the digits.
    Bit,
    Number,
    /// `?`.
    Parameter,
    /// An operator or punctuation.
    Symbol,
}

/// The smallest thing that the grammar knows.
#[derive(Clone, Debug)]
pub(super) struct Lexeme<'a> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'a, str>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Lexeme<'_> {
    /// Whether it is that word, written without quotes.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is that symbol.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// What decides the lexing, beside the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) mode: SqlMode,
    /// Whether the mode is the session's, or only assumed.
    pub(super) mode_known: bool,
    pub(super) flavour: Flavour,
    /// Whether the character set is one of Unicode: in others some characters beyond ASCII are white space
    /// or punctuation.
    pub(super) unicode: bool,
}

/// Reads lexemes.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    pub(super) rules: Rules,
    /// Inside an executable comment.
    in_comment: bool,
    /// The last lexeme was a dot right before a word.
    dotted: bool,
    /// Where the last word without quotes ended.
    word_end: Option<usize>,
    /// The last lexeme was a word after which a name follows, so that a parenthesis is no call's.
    names: bool,
    /// What other servers or modes would read otherwise.
    pub(super) doubt: Option<&'static str>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, rules: Rules) -> Self {
        Self {
            text,
            at: 0,
            rules,
            in_comment: false,
            dotted: false,
            word_end: None,
            names: false,
            doubt: None,
        }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The next lexeme, nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Lexeme<'a>>, Unknown> {
        if !self.skip_space_and_comments()? {
            return Ok(None);
        }
        let start = self.at;
        let dotted = std::mem::take(&mut self.dotted);
        let Some(byte) = self.byte(0) else { return Ok(None) };
        let lexeme = match byte {
            b'\'' => self.string(b'\'', 0, Kind::String)?,
            b'"' if self.rules.mode.ansi_quotes => self.quoted(b'"', 0, Kind::Quoted)?,
            b'"' => self.string(b'"', 0, Kind::String)?,
            b'`' => self.quoted(b'`', 0, Kind::Quoted)?,
            b'0'..=b'9' if dotted => self.word(start, Kind::Dotted)?,
            b'0'..=b'9' => self.number_or_word()?,
            b'.' if self.byte(1).is_some_and(|next| next.is_ascii_digit()) && !self.follows_word() => {
                self.real(start)?
            }
            b'@' => self.variable()?,
            b'N' | b'n' if self.byte(1) == Some(b'\'') && !dotted => self.string(b'\'', 1, Kind::National)?,
            b'X' | b'x' if self.byte(1) == Some(b'\'') && !dotted => self.digits(Kind::Hex)?,
            b'B' | b'b' if self.byte(1) == Some(b'\'') && !dotted => self.digits(Kind::Bit)?,
            b'\\' if self.byte(1) == Some(b'N') => self.taken(2, Kind::Word, Cow::Borrowed("NULL")),
            _ if words::starts(byte) => self.word(start, if dotted { Kind::Dotted } else { Kind::Word })?,
            _ => self.symbol(byte)?,
        };
        if !matches!(lexeme.kind, Kind::Word | Kind::Dotted) {
            self.names = false;
        }
        Ok(Some(lexeme))
    }

    /// Whether the dot at hand stands right after a word, which makes it a separator and no number's point.
    fn follows_word(&self) -> bool {
        self.word_end == Some(self.at)
    }

    /// A byte that far ahead.
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// The lexeme that takes so many bytes.
    fn taken(&mut self, bytes: usize, kind: Kind, text: Cow<'a, str>) -> Lexeme<'a> {
        let start = self.at;
        self.at += bytes;
        Lexeme { kind, text, start, end: self.at }
    }

    fn doubts(&mut self, why: &'static str) {
        self.doubt.get_or_insert(why);
    }

    /// What is read so only under the mode that is assumed.
    fn depends_on_mode(&mut self, why: &'static str) {
        if !self.rules.mode_known {
            self.doubts(why);
        }
    }

    fn symbol(&mut self, byte: u8) -> Result<Lexeme<'a>, Unknown> {
        const SYMBOLS: [&str; 31] = [
            "<=>", "->>", ":=", "->", "<=", ">=", "<>", "!=", "<<", ">>", "||", "&&", "(", ")", ",", ".",
            ";", "=", "<", ">", "+", "-", "*", "/", "%", "^", "&", "|", "!", "~", "{",
        ];
        if byte == b'?' {
            return Ok(self.taken(1, Kind::Parameter, Cow::Borrowed("?")));
        }
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = SYMBOLS.iter().chain(&["}", ":"]).find(|symbol| rest.starts_with(symbol.as_bytes()));
        let Some(&symbol) = found else {
            return Err(unparsable(format!(
                "a character that the server takes for nothing at byte {}",
                self.at
            )));
        };
        match symbol {
            "." => self.dotted = self.byte(1).is_some_and(words::continues),
            "||" => self.depends_on_mode("|| by sql_mode"),
            ";" if self.in_comment => {
                self.in_comment = false;
                self.doubts("; inside an executable comment");
            }
            _ => {}
        }
        Ok(self.taken(symbol.len(), Kind::Symbol, Cow::Borrowed(symbol)))
    }
}

fn unparsable(detail: String) -> Unknown {
    Unknown { code: UnknownCode::Unparsable, detail }
}

fn ambiguous(detail: &str) -> Unknown {
    Unknown { code: UnknownCode::Ambiguous, detail: detail.to_owned() }
}
