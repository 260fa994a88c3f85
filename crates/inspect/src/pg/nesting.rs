//! How deep the parse tree of a text could be, from its tokens alone.
//!
//! The grammar recurses over brackets, CASE, and chains that no comma breaks (`NOT NOT …`, `1+1+…`,
//! `UNION SELECT …`, joins); AND, OR and lists are flat. The estimate never stays below what a chain
//! needs, and costs one pass. It also finds backslashes in plain literals.

use super::statement::Context;

/// The server's scanner reads a run of operator characters again for every comment or sign in it, so a
/// long run takes it quadratic time.
const RUN_LIMIT: usize = 256;

/// How much a text may hold, by the weight of its tokens: what takes the parser, the tree's encoding and the
/// walk some tens of milliseconds. Rows to insert of some 500 KiB are within it.
const WEIGHT_LIMIT: usize = 150_000;
/// Of a word, an operator or a statement's end; a comma or bracket weighs one.
const HEAVY: usize = 5;
/// Of a constant.
const CONSTANT: usize = 2;

#[derive(Clone, Copy, Default)]
struct Level {
    /// Tokens since the last one that starts a new flat element.
    run: usize,
    /// Joins and set operations, which nest to the left across commas.
    chain: usize,
    /// Opened by CASE, not by a bracket.
    case: bool,
}

/// An upper estimate of the tree's depth; nothing when the text holds too much to be read in time.
pub(super) fn estimate(text: &str) -> Option<usize> {
    let mut levels = vec![Level::default()];
    let mut below = 0usize;
    let mut deepest = 0usize;
    let mut tokens = Tokens::new(text);
    while let Some(token) = tokens.next() {
        let mut last = levels.pop().unwrap_or_default();
        match token {
            Token::Open | Token::Case => {
                last.run += 1;
                below += last.run + last.chain;
                levels.push(last);
                last = Level { case: token == Token::Case, ..Level::default() };
            }
            Token::End if !last.case => last.run += 1,
            Token::Close | Token::End => {
                // A bracket closes what is open within it; END closes its own CASE alone.
                while let Some(outer) = levels.pop() {
                    below = below.saturating_sub(outer.run + outer.chain);
                    let closed = token == Token::End || !last.case;
                    last = outer;
                    if closed {
                        break;
                    }
                }
            }
            Token::Separator => last = Level { case: last.case, ..Level::default() },
            Token::Element => last.run = 0,
            Token::Chain => {
                last.chain += 1;
                last.run = 0;
            }
            Token::Other => last.run += 1,
        }
        deepest = deepest.max(below + last.run + last.chain);
        levels.push(last);
        if tokens.weight > WEIGHT_LIMIT {
            return None;
        }
    }
    (tokens.longest_run <= RUN_LIMIT).then_some(deepest)
}

/// Whether a plain literal holds a backslash: with `standard_conforming_strings` off it reads otherwise.
pub(super) fn is_ambiguous(text: &str, context: &Context<'_>) -> bool {
    if context.standard_conforming_strings {
        return false;
    }
    let mut tokens = Tokens::new(text);
    while tokens.next().is_some() {}
    tokens.plain_backslash
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Case,
    End,
    /// `;`
    Separator,
    /// Starts a new element of something flat.
    Element,
    /// Nests to the left.
    Chain,
    Other,
}

struct Tokens<'t> {
    bytes: &'t [u8],
    at: usize,
    plain_backslash: bool,
    /// Of the tokens so far.
    weight: usize,
    /// The last token was a dot or AS.
    name_next: bool,
    /// The longest run of operator characters so far, and where the present one ends.
    longest_run: usize,
    run_end: usize,
}

impl<'t> Tokens<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            plain_backslash: false,
            weight: 0,
            name_next: false,
            longest_run: 0,
            run_end: 0,
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_until(&mut self, quote: u8, escapes: bool) {
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            if byte == b'\\' {
                if escapes {
                    self.at += 2;
                    continue;
                }
                if quote == b'\'' {
                    self.plain_backslash = true;
                }
            }
            self.at += 1;
            if byte == quote {
                return;
            }
        }
    }

    /// Measures a run of operator characters, once.
    fn note_run(&mut self) {
        if self.at >= self.run_end && is_operator(self.peek(0)) {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_operator(**byte)).count();
            self.longest_run = self.longest_run.max(length);
            self.run_end = self.at + length;
        }
    }

    fn block_comment(&mut self) {
        let mut open = 0usize;
        while self.at < self.bytes.len() {
            self.note_run();
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    open += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    open = open.saturating_sub(1);
                    self.at += 2;
                    if open == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// `$tag$ … $tag$`; false when it is none.
    fn dollar_quote(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().skip(1).position(|byte| *byte == b'$') else { return false };
        let Some(tag) = rest.get(..length + 2) else { return false };
        let name = tag.get(1..length + 1).unwrap_or_default();
        let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
            && !name.first().is_some_and(u8::is_ascii_digit);
        if !plain {
            return false;
        }
        let body = rest.get(tag.len()..).unwrap_or_default();
        let end = body.windows(tag.len()).position(|window| window == tag);
        self.at += match end {
            Some(end) => tag.len() * 2 + end,
            None => rest.len(),
        };
        true
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        while is_word(self.peek(0)) {
            self.at += 1;
        }
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        // After a dot or AS it is a name, whatever it spells.
        let named = std::mem::replace(&mut self.name_next, is("as"));
        if named {
            Token::Other
        } else if is("case") {
            Token::Case
        } else if is("end") {
            Token::End
        } else if is("and") || is("or") || is("when") || is("then") || is("else") {
            Token::Element
        } else if is("join") || is("union") || is("except") || is("intersect") {
            Token::Chain
        } else {
            Token::Other
        }
    }
}

fn is_operator(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            if self.at >= self.bytes.len() {
                return None;
            }
            let (byte, after) = (self.peek(0), self.peek(1));
            if (byte, after) != (b'-', b'-') {
                self.note_run();
            }
            match (byte, after) {
                (b'-', b'-') => {
                    while self.at < self.bytes.len() && !matches!(self.peek(0), b'\n' | b'\r') {
                        self.at += 1;
                    }
                }
                (b'/', b'*') => self.block_comment(),
                (b'\'', _) => {
                    let escapes = self
                        .at
                        .checked_sub(1)
                        .and_then(|at| self.bytes.get(at))
                        .is_some_and(|b| matches!(b, b'e' | b'E'));
                    self.at += 1;
                    self.name_next = false;
                    self.weight += CONSTANT;
                    self.skip_until(b'\'', escapes);
                    return Some(Token::Other);
                }
                (b'"', _) => {
                    self.at += 1;
                    self.name_next = false;
                    self.weight += HEAVY;
                    self.skip_until(b'"', false);
                    return Some(Token::Other);
                }
                (b'$', _) if self.dollar_quote() => {
                    self.weight += CONSTANT;
                    return Some(Token::Other);
                }
                (b'(' | b'[', _) => {
                    self.at += 1;
                    self.weight += 1;
                    self.name_next = false;
                    return Some(Token::Open);
                }
                (b')' | b']', _) => {
                    self.at += 1;
                    self.weight += 1;
                    self.name_next = false;
                    return Some(Token::Close);
                }
                (b',', _) => {
                    self.at += 1;
                    self.weight += 1;
                    self.name_next = false;
                    return Some(Token::Element);
                }
                (b';', _) => {
                    self.at += 1;
                    self.weight += HEAVY;
                    self.name_next = false;
                    return Some(Token::Separator);
                }
                (byte, _) if is_word(byte) => {
                    self.weight += if byte.is_ascii_digit() { CONSTANT } else { HEAVY };
                    return Some(self.word());
                }
                (byte, _) if byte.is_ascii_whitespace() => self.at += 1,
                (byte, _) => {
                    self.at += 1;
                    self.weight += if byte == b'.' { 1 } else { HEAVY };
                    self.name_next = byte == b'.';
                    return Some(Token::Other);
                }
            }
        }
    }
}
