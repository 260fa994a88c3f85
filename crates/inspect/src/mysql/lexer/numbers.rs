//! Numbers, and the words that begin like one.

use std::borrow::Cow;

use sallyport_core::Unknown;

use super::{Kind, Lexeme, Lexer, ambiguous, unparsable, words};

impl<'a> Lexer<'a> {
    /// At a digit: a number, or an identifier that starts with digits.
    pub(super) fn number_or_word(&mut self) -> Result<Lexeme<'a>, Unknown> {
        let start = self.at;
        if self.byte(0) == Some(b'0') {
            let radix = match self.byte(1) {
                Some(b'x') => Some((Kind::Hex, 16)),
                Some(b'b') => Some((Kind::Bit, 2)),
                _ => None,
            };
            if let Some((kind, radix)) = radix {
                let digits = self.count(2, |byte| char::from(byte).is_digit(radix));
                let ends = !self.byte(2 + digits).is_some_and(words::continues);
                if digits == 0 || !ends {
                    return self.word(start, Kind::Dotted);
                }
                let text = self.slice(start + 2, start + 2 + digits);
                return Ok(self.taken(2 + digits, kind, text));
            }
        }
        let digits = self.count(0, |byte| byte.is_ascii_digit());
        match self.byte(digits) {
            Some(b'.') => self.real(start),
            Some(b'e' | b'E') => {
                let sign = usize::from(matches!(self.byte(digits + 1), Some(b'+' | b'-')));
                let exponent = self.count(digits + 1 + sign, |byte| byte.is_ascii_digit());
                if exponent == 0 {
                    return self.word(start, Kind::Dotted);
                }
                let length = digits + 1 + sign + exponent;
                let text = self.slice(start, start + length);
                Ok(self.taken(length, Kind::Number, text))
            }
            Some(byte) if words::continues(byte) => self.word(start, Kind::Dotted),
            _ => {
                let text = self.slice(start, start + digits);
                Ok(self.taken(digits, Kind::Number, text))
            }
        }
    }

    /// A number with a point.
    pub(super) fn real(&mut self, start: usize) -> Result<Lexeme<'a>, Unknown> {
        let whole = self.count(0, |byte| byte.is_ascii_digit());
        let mut length = whole + 1 + self.count(whole + 1, |byte| byte.is_ascii_digit());
        if let Some(b'e' | b'E') = self.byte(length) {
            let sign = usize::from(matches!(self.byte(length + 1), Some(b'+' | b'-')));
            let exponent = self.count(length + 1 + sign, |byte| byte.is_ascii_digit());
            if exponent == 0 {
                // Some versions then forget the number, and go on with what follows it.
                return Err(ambiguous("a number with an empty exponent"));
            }
            length += 1 + sign + exponent;
        }
        let text = self.slice(start, start + length);
        Ok(self.taken(length, Kind::Number, text))
    }

    /// `x'…'` and `b'…'`.
    pub(super) fn digits(&mut self, kind: Kind) -> Result<Lexeme<'a>, Unknown> {
        let (radix, unit) = if kind == Kind::Hex { (16, 2) } else { (2, 1) };
        let digits = self.count(2, |byte| char::from(byte).is_digit(radix));
        if self.byte(2 + digits) != Some(b'\'') || !digits.is_multiple_of(unit) {
            return Err(unparsable("a malformed hexadecimal or bit literal".to_owned()));
        }
        let text = self.slice(self.at + 2, self.at + 2 + digits);
        Ok(self.taken(3 + digits, kind, text))
    }

    fn count(&self, ahead: usize, is: impl Fn(u8) -> bool) -> usize {
        let bytes = self.text.as_bytes().get(self.at + ahead..).unwrap_or_default();
        bytes.iter().take_while(|&&byte| is(byte)).count()
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> Cow<'a, str> {
        Cow::Borrowed(self.text.get(start..end).unwrap_or(""))
    }
}
