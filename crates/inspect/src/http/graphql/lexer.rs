//! Tokens of GraphQL.
//!
//! The specification of September 2025, section 2.1. Values of literals are not needed, only where they end.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Name(&'t str),
    Number,
    Text,
    Mark(u8),
    Spread,
    End,
}

/// Something that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoToken;

#[derive(Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> Result<Token<'t>, NoToken> {
        self.skip_ignored();
        let rest = self.rest();
        let (length, token) = match rest {
            [] => return Ok(Token::End),
            [b'.', b'.', b'.', ..] => (3, Token::Spread),
            [mark, ..] if b"!$&():=@[]{|}".contains(mark) => (1, Token::Mark(*mark)),
            [b'"', b'"', b'"', rest @ ..] => (6 + block_length(rest)?, Token::Text),
            [b'"', rest @ ..] => (2 + text_length(rest)?, Token::Text),
            [first, ..] if is_name_start(*first) => {
                let length =
                    rest.iter().take_while(|byte| is_name_start(**byte) || byte.is_ascii_digit()).count();
                let name = self.text.get(self.at..self.at + length).ok_or(NoToken)?;
                (length, Token::Name(name))
            }
            [first, ..] if first.is_ascii_digit() || *first == b'-' => (number_length(rest)?, Token::Number),
            _ => return Err(NoToken),
        };
        self.at += length;
        Ok(token)
    }

    /// White space, line ends, commas, byte order marks and comments.
    fn skip_ignored(&mut self) {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\n' | b'\r' | b',', ..] => self.at += 1,
                [0xef, 0xbb, 0xbf, ..] => self.at += 3,
                [b'#', rest @ ..] => {
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.at += 1 + end.unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }
}

pub(super) fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Up to the quotes that end a block string.
fn block_length(rest: &[u8]) -> Result<usize, NoToken> {
    let mut at = 0;
    loop {
        match rest.get(at..).unwrap_or_default() {
            [] => return Err(NoToken),
            [b'\\', b'"', b'"', b'"', ..] => at += 4,
            [b'"', b'"', b'"', ..] => return Ok(at),
            _ => at += 1,
        }
    }
}

/// Up to the quote that ends a string.
fn text_length(rest: &[u8]) -> Result<usize, NoToken> {
    let mut at = 0;
    loop {
        match rest.get(at..).unwrap_or_default() {
            [b'"', ..] => return Ok(at),
            [] | [b'\n' | b'\r', ..] => return Err(NoToken),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
            [b'\\', b'u', rest @ ..] => at += 2 + escape_length(rest)?,
            [b'\\', ..] => return Err(NoToken),
            _ => at += 1,
        }
    }
}

/// `XXXX` or `{X…}`
fn escape_length(rest: &[u8]) -> Result<usize, NoToken> {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    match rest {
        [b'{', rest @ ..] => {
            let length = rest.iter().take_while(|byte| is_digit(byte)).count();
            let closes = rest.get(length) == Some(&b'}');
            if length > 0 && closes { Ok(length + 2) } else { Err(NoToken) }
        }
        [a, b, c, d, ..] if [a, b, c, d].into_iter().all(is_digit) => Ok(4),
        _ => Err(NoToken),
    }
}

/// A number ends before white space or a mark; a name or a dot may not follow it.
fn number_length(rest: &[u8]) -> Result<usize, NoToken> {
    let digits = |from: usize| rest.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(rest.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && rest.get(at) == Some(&b'0')) {
        return Err(NoToken);
    }
    at += whole;
    if rest.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return Err(NoToken);
        }
        at += 1 + fraction;
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return Err(NoToken);
        }
        at += 1 + sign + exponent;
    }
    match rest.get(at) {
        Some(byte) if is_name_start(*byte) || *byte == b'.' => Err(NoToken),
        _ => Ok(at),
    }
}
