//! White space and comments: what is none to one server, and code to another.

use sallyport_core::Unknown;

use super::super::context::Flavour;
use super::{Lexer, ambiguous, unparsable};

/// What a version that opens an executable comment means to a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Code,
    Comment,
    /// The servers that are possible differ.
    Either,
}

impl Lexer<'_> {
    /// Moves to the next lexeme; whether there is one.
    pub(super) fn skip_space_and_comments(&mut self) -> Result<bool, Unknown> {
        loop {
            let Some(byte) = self.byte(0) else {
                return if self.in_comment {
                    Err(unparsable("an unclosed comment".to_owned()))
                } else {
                    Ok(false)
                };
            };
            match byte {
                b'\t'..=b'\r' | b' ' => self.at += 1,
                b'#' => self.skip_line(),
                b'-' if self.byte(1) == Some(b'-') && self.dash_comment() => self.skip_line(),
                b'/' if self.byte(1) == Some(b'*') => self.open_comment()?,
                b'*' if self.in_comment && self.byte(1) == Some(b'/') => {
                    self.in_comment = false;
                    self.at += 2;
                }
                _ => return Ok(true),
            }
        }
    }

    /// Two dashes are a comment before white space, a control character or the end.
    fn dash_comment(&self) -> bool {
        self.byte(2).is_none_or(|byte| byte <= b' ' || byte == 0x7F)
    }

    /// To the line feed: a carriage return ends no comment.
    fn skip_line(&mut self) {
        self.at = self.rest().find('\n').map_or(self.text.len(), |line| self.at + line + 1);
    }

    fn open_comment(&mut self) -> Result<(), Unknown> {
        let maria = self.byte(2) == Some(b'M') && self.byte(3) == Some(b'!');
        if maria && matches!(self.rules.flavour, Flavour::MySql(_)) {
            return self.skip_comment(false);
        }
        if !maria && self.byte(2) != Some(b'!') {
            return self.skip_plain_comment();
        }
        let head = if maria { 4 } else { 3 };
        let digits =
            (0..6).take_while(|&n| self.byte(head + n).is_some_and(|byte| byte.is_ascii_digit())).count();
        let content = if digits >= 5 {
            let (five, six) = (self.number(head, 5), (digits == 6).then(|| self.number(head, 6)));
            content(self.rules.flavour, maria, five, six)
        } else if maria && self.rules.flavour == Flavour::Either {
            Content::Either
        } else {
            Content::Code
        };
        match content {
            Content::Comment => self.skip_comment(true),
            Content::Either => {
                self.doubts("a comment that only some servers execute");
                self.enter(head + if digits >= 5 { digits } else { 0 })
            }
            Content::Code => self.enter(head + if digits >= 5 { digits } else { 0 }),
        }
    }

    /// What stands inside is code.
    fn enter(&mut self, head: usize) -> Result<(), Unknown> {
        self.at += head;
        self.in_comment = true;
        Ok(())
    }

    fn number(&self, ahead: usize, digits: usize) -> u32 {
        (0..digits)
            .filter_map(|n| self.byte(ahead + n))
            .fold(0, |value: u32, byte| value * 10 + u32::from(byte.wrapping_sub(b'0')))
    }

    /// A plain comment, or the hints of MySQL's optimizer. Hints may quote what looks like the end of them.
    fn skip_plain_comment(&mut self) -> Result<(), Unknown> {
        let start = self.at;
        self.skip_comment(false)?;
        let comment = self.text.get(start..self.at).unwrap_or_default();
        let hints = comment.starts_with("/*+");
        if hints
            && !matches!(self.rules.flavour, Flavour::MariaDb(_))
            && comment.to_ascii_uppercase().contains("SET_VAR")
        {
            self.doubts("an optimizer hint that sets a variable");
        }
        let quotes = self.text.as_bytes().get(start..self.at).is_some_and(|comment| {
            [b'"', b'`', b'\'']
                .iter()
                .any(|quote| comment.iter().filter(|&byte| byte == quote).count() % 2 == 1)
        });
        if hints && quotes && !matches!(self.rules.flavour, Flavour::MariaDb(_)) {
            return Err(ambiguous("optimizer hints that end inside quotes"));
        }
        Ok(())
    }

    /// To the end of a comment; one that a version switched off may hold one comment.
    fn skip_comment(&mut self, nests: bool) -> Result<(), Unknown> {
        let mut depth = 1;
        self.at += 2;
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b'*'), Some(b'/')) => {
                    self.at += 2;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (Some(b'/'), Some(b'*')) if nests && depth == 1 => {
                    self.at += 2;
                    depth += 1;
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(unparsable("an unclosed comment".to_owned())),
            }
        }
    }
}

/// What a comment of that version is. `six` is its number when six digits stand there.
fn content(flavour: Flavour, maria_only: bool, five: u32, six: Option<u32>) -> Content {
    match flavour {
        Flavour::MariaDb(server) => maria(server, maria_only, six.unwrap_or(five)),
        Flavour::MySql(server) => mysql(server, five, six),
        Flavour::Either if maria_only => Content::Either,
        // From 5.7 on MariaDB takes MySQL's versions for comments. Before, all servers execute.
        Flavour::Either if six.is_none() && five < 50_700 => Content::Code,
        Flavour::Either => Content::Either,
    }
}

fn maria(server: u32, maria_only: bool, version: u32) -> Content {
    match version {
        // A build with Galera executes this one.
        99_997 => Content::Either,
        50_700..=99_999 if !maria_only => Content::Comment,
        _ if version <= server => Content::Code,
        _ => Content::Comment,
    }
}

/// Older versions of MySQL read five digits and take the sixth for code.
fn mysql(server: u32, five: u32, six: Option<u32>) -> Content {
    match six {
        None if five <= server => Content::Code,
        None => Content::Comment,
        Some(six) if five > server && six > server => Content::Comment,
        Some(_) => Content::Either,
    }
}
