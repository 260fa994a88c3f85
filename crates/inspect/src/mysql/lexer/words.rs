//! Words without quotes, and variables.

use std::borrow::Cow;

use sallyport_core::Unknown;

use super::super::context::Flavour;
use super::{Kind, Lexeme, Lexer, ambiguous, unparsable};

/// Functions whose name is theirs only right before the parenthesis, unless `IGNORE_SPACE` is set
/// (`sql_functions` of `lex.h`, of both servers).
const TIGHT: [&str; 49] = [
    "ADDDATE",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "CAST",
    "COUNT",
    "CUME_DIST",
    "CURDATE",
    "CURTIME",
    "DATE_ADD",
    "DATE_SUB",
    "DECODE_ORACLE",
    "DENSE_RANK",
    "EXTRACT",
    "FIRST_VALUE",
    "GROUP_CONCAT",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
    "LAG",
    "LEAD",
    "MAX",
    "MEDIAN",
    "MID",
    "MIN",
    "NOW",
    "NTH_VALUE",
    "NTILE",
    "PERCENTILE_CONT",
    "PERCENTILE_DISC",
    "PERCENT_RANK",
    "POSITION",
    "RANK",
    "ROW_NUMBER",
    "SESSION_USER",
    "STD",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "ST_COLLECT",
    "SUBDATE",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "SYSDATE",
    "SYSTEM_USER",
    "TRIM",
    "TRIM_ORACLE",
    "VARIANCE",
    "VAR_POP",
];

/// Words after which a name stands, so that a parenthesis after it is not a call's.
const BEFORE_NAMES: [&str; 13] = [
    "INTO",
    "TABLE",
    "JOIN",
    "FROM",
    "UPDATE",
    "EXISTS",
    "VIEW",
    "INDEX",
    "KEY",
    "REFERENCES",
    "WITH",
    "PROCEDURE",
    "FUNCTION",
];

/// Whether a word may start with it.
pub(super) fn starts(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Whether a word may go on with it.
pub(super) fn continues(byte: u8) -> bool {
    starts(byte) || byte.is_ascii_digit()
}

impl<'a> Lexer<'a> {
    /// A word from `start` on.
    pub(super) fn word(&mut self, start: usize, kind: Kind) -> Result<Lexeme<'a>, Unknown> {
        let bytes = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = bytes.iter().take_while(|&&byte| continues(byte)).count();
        let text = self.text.get(start..start + length).unwrap_or("");
        self.check(text)?;
        self.at = start + length;
        self.word_end = Some(self.at);
        let named =
            std::mem::replace(&mut self.names, BEFORE_NAMES.iter().any(|w| w.eq_ignore_ascii_case(text)));
        // A dot and a word right behind make an identifier of what may be a keyword.
        let kind = if self.byte(0) == Some(b'.') && self.byte(1).is_some_and(continues) {
            Kind::Dotted
        } else {
            kind
        };
        if kind == Kind::Word && !named {
            self.check_call(text);
        }
        Ok(Lexeme { kind, text: Cow::Borrowed(text), start, end: self.at })
    }

    /// Outside Unicode, bytes beyond ASCII may be white space or punctuation to the server.
    fn check(&self, text: &str) -> Result<(), Unknown> {
        // `$$ … $$` is a string to MySQL from 9 on.
        let dollars = text.strip_prefix('$').is_some_and(|rest| rest.contains('$'));
        if dollars && !matches!(self.rules.flavour, Flavour::MariaDb(_) | Flavour::MySql(..80_400)) {
            return Err(ambiguous("text in dollars"));
        }
        if self.rules.unicode || text.chars().all(|char| char.is_ascii() || char.is_alphabetic()) {
            return Ok(());
        }
        Err(ambiguous("a character that may be white space in this character set"))
    }

    /// Whether white space parts a built-in function from its parenthesis.
    fn check_call(&mut self, text: &str) {
        if !matches!(self.byte(0), Some(b'\t'..=b'\r' | b' ' | b'/' | b'#' | b'-')) || text.len() > 15 {
            return;
        }
        if !TIGHT.iter().chain(&["VAR_SAMP"]).any(|name| name.eq_ignore_ascii_case(text)) {
            return;
        }
        let parenthesis = self.rest().trim_start().starts_with(['(', '/', '#', '-']);
        if parenthesis && !(self.rules.mode_known && self.rules.mode.ignore_space) {
            self.doubts("white space before a function's parenthesis");
        }
    }

    /// `@x`, `@'x'`, `@@x`.
    pub(super) fn variable(&mut self) -> Result<Lexeme<'a>, Unknown> {
        let start = self.at;
        match self.byte(1) {
            Some(b'@') => {
                self.at += 2;
                match self.byte(0) {
                    Some(b'`') => self.from(start, |lexer| lexer.quoted(b'`', 0, Kind::System)),
                    Some(byte) if continues(byte) => {
                        let at = self.at;
                        self.from(start, |lexer| lexer.word(at, Kind::System))
                            .map(|word| Lexeme { kind: Kind::System, ..word })
                    }
                    _ => Err(unparsable("@@ without a name".to_owned())),
                }
            }
            Some(b'`') => self.quoted(b'`', 1, Kind::Variable),
            Some(b'\'') => self.string(b'\'', 1, Kind::Variable),
            Some(b'"') if self.rules.mode.ansi_quotes => self.quoted(b'"', 1, Kind::Variable),
            Some(b'"') => self.string(b'"', 1, Kind::Variable),
            _ => {
                let bytes = self.text.as_bytes().get(start + 1..).unwrap_or_default();
                let length = bytes.iter().take_while(|&&byte| continues(byte) || byte == b'.').count();
                let text = self.slice(start + 1, start + 1 + length);
                self.check(&text)?;
                Ok(self.taken(1 + length, Kind::Variable, text))
            }
        }
    }

    fn from(
        &mut self,
        start: usize,
        read: impl FnOnce(&mut Self) -> Result<Lexeme<'a>, Unknown>,
    ) -> Result<Lexeme<'a>, Unknown> {
        read(self).map(|lexeme| Lexeme { start, ..lexeme })
    }
}
