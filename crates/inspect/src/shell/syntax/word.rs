//! Words: quoted and unquoted text, assignments, subscripts.

use sallyport_core::{Unknown, UnknownCode};

use super::cursor::{Reader, ends_word, is_name, problem};
use super::tree::{Assigned, Assignment, Element, Part, Word};

/// The longest expression that is read. Expressions are short, and what only looks like one is read twice.
const LONGEST_EXPRESSION: usize = 16 * 1024;

/// How often a text may be read twice because it was not what it looked like.
const SECOND_READINGS: usize = 64;

impl Reader<'_> {
    /// One word. At least one character.
    pub(super) fn word(&mut self) -> Result<Word, Unknown> {
        let start = self.at;
        let word = self.maybe_empty_word()?;
        if self.at == start || word.parts.is_empty() { self.unexpected() } else { Ok(word) }
    }

    fn maybe_empty_word(&mut self) -> Result<Word, Unknown> {
        self.count()?;
        self.peek();
        let start = self.at;
        if self.raw() == Some('^') && (start == 0 || self.text_before(start).ends_with('\n')) {
            self.doubt(UnknownCode::Ambiguous, "history expansion where a person types");
        }
        if self.raw() == Some('!')
            && self.second().is_some_and(|c| c.is_alphanumeric() || matches!(c, '!' | '$' | '-' | '?'))
        {
            self.doubt(UnknownCode::Ambiguous, "history expansion where a person types");
        }
        let mut parts = Vec::new();
        while let Some(next) = self.peek() {
            let is_process = matches!(next, '<' | '>') && self.second() == Some('(');
            if is_process {
                self.process(&mut parts)?;
            } else if ends_word(next) {
                break;
            } else {
                self.part(&mut parts)?;
            }
        }
        Ok(Word { source: self.since(start).to_owned(), parts })
    }

    /// One piece of a word: quoted text, an expansion, or a character.
    pub(super) fn part(&mut self, parts: &mut Vec<Part>) -> Result<(), Unknown> {
        let Some(next) = self.bump() else { return self.unexpected() };
        match next {
            '\'' => {
                let text = self.single_quoted()?;
                parts.push(Part::Quoted(text));
            }
            '"' => {
                let inner = self.double_quoted(Some('"'))?;
                parts.push(Part::Double(inner));
            }
            '\\' => match self.take_raw() {
                Some(escaped) => parts.push(Part::Quoted(escaped.to_string())),
                None => self.literal('\\', parts),
            },
            '$' if self.peek() == Some('\'') => {
                self.bash_only("$'");
                self.bump();
                let text = self.ansi_quoted()?;
                parts.push(Part::Quoted(text));
            }
            '$' if self.peek() == Some('"') => {
                self.bash_only("$\"");
                self.bump();
                let inner = self.double_quoted(Some('"'))?;
                parts.push(Part::Double(inner));
            }
            '$' | '`' => match self.expansion(next, false)? {
                Some(expansion) => parts.push(expansion),
                None => self.literal('$', parts),
            },
            c => self.literal(c, parts),
        }
        Ok(())
    }

    fn literal(&mut self, c: char, parts: &mut Vec<Part>) {
        if c.is_control() && !matches!(c, '\t' | '\n') || !c.is_ascii() && c.is_whitespace() {
            self.doubt(UnknownCode::Ambiguous, "a control character or a blank that is none to every shell");
        }
        if let Some(Part::Literal(text)) = parts.last_mut() {
            text.push(c);
        } else {
            parts.push(Part::Literal(c.to_string()));
        }
    }

    fn single_quoted(&mut self) -> Result<String, Unknown> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(end) = rest.find('\'') else {
            return Err(problem(UnknownCode::Unparsable, "a single quote without its end"));
        };
        self.at += end + 1;
        Ok(rest.get(..end).unwrap_or_default().to_owned())
    }

    /// The inside of double quotes, up to `end`; without one, the whole text, in which quotes are themselves.
    pub(super) fn double_quoted(&mut self, end: Option<char>) -> Result<Vec<Part>, Unknown> {
        let mut parts = Vec::new();
        let mut text = String::new();
        loop {
            let Some(next) = self.bump() else {
                if end.is_some() {
                    return Err(problem(UnknownCode::Unparsable, "a double quote without its end"));
                }
                break;
            };
            match next {
                c if Some(c) == end => break,
                '\\' => match self.raw() {
                    Some(c) if matches!(c, '$' | '`' | '\\') || Some(c) == end => {
                        self.take_raw();
                        text.push(c);
                    }
                    _ => text.push('\\'),
                },
                '$' | '`' => match self.expansion(next, true)? {
                    Some(expansion) => {
                        if !text.is_empty() {
                            parts.push(Part::Quoted(std::mem::take(&mut text)));
                        }
                        parts.push(expansion);
                    }
                    None => text.push('$'),
                },
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Quoted(text));
        }
        Ok(parts)
    }

    /// `$'…'`: the escapes of C, and of bash.
    fn ansi_quoted(&mut self) -> Result<String, Unknown> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut ended = false;
        loop {
            let Some(next) = self.take_raw() else {
                return Err(problem(UnknownCode::Unparsable, "a quote without its end"));
            };
            if next == '\'' {
                break;
            }
            let escape = if next == '\\' { self.take_raw() } else { None };
            let Some(escape) = escape else {
                push_char(&mut bytes, next, ended);
                continue;
            };
            if escape == 'x' && self.raw() == Some('{') {
                return Err(problem(UnknownCode::Ambiguous, "braces in $'…', which not every version reads"));
            }
            let value = match escape {
                'a' => 7,
                'b' => 8,
                'e' | 'E' => 27,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                'v' => 11,
                '\\' | '\'' | '"' | '?' => u32::from(escape),
                'c' => self.take_raw().map_or(0, |c| u32::from(c) & 0x1f),
                '0'..='7' => self.digits(8, 2, escape.to_digit(8)) & 0xff,
                'x' if self.raw().is_some_and(|c| c.is_ascii_hexdigit()) => self.digits(16, 2, None) & 0xff,
                'u' if self.raw().is_some_and(|c| c.is_ascii_hexdigit()) => self.digits(16, 4, None),
                'U' if self.raw().is_some_and(|c| c.is_ascii_hexdigit()) => self.digits(16, 8, None),
                other => {
                    push_char(&mut bytes, '\\', ended);
                    push_char(&mut bytes, other, ended);
                    continue;
                }
            };
            if value == 0 {
                // The string ends there; the rest up to the quote is dropped.
                ended = true;
            } else if matches!(escape, 'x' | '0'..='7')
                && let Ok(byte) = u8::try_from(value)
            {
                if !ended {
                    bytes.push(byte);
                }
            } else {
                push_char(&mut bytes, char::from_u32(value).unwrap_or('\u{fffd}'), ended);
            }
        }
        String::from_utf8(bytes)
            .map_err(|_| problem(UnknownCode::Encoding, "bytes that are not UTF-8 in $'…'"))
    }

    fn digits(&mut self, radix: u32, most: usize, first: Option<u32>) -> u32 {
        let mut value = first.unwrap_or(0);
        for _ in 0..most {
            let Some(digit) = self.raw().and_then(|c| c.to_digit(radix)) else { break };
            self.take_raw();
            value = value.wrapping_mul(radix).wrapping_add(digit);
        }
        value
    }

    /// `name=value`, `name+=value`, `name[subscript]=value`, `name=(…)`, if one is next. A declaring
    /// built-in's argument may be one as well.
    pub(super) fn assignment(&mut self, declares: bool) -> Result<Option<Assignment>, Unknown> {
        self.peek();
        let start = self.at;
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
            self.bump();
        }
        if !is_name(&name) || !matches!(self.peek(), Some('=' | '+' | '[')) {
            self.at = start;
            return Ok(None);
        }
        let mut subscript = None;
        if self.eat('[') {
            match self.deeper(Self::subscript) {
                Ok(read) if matches!(self.peek(), Some('=' | '+')) => subscript = Some(read),
                Ok(_) if self.since(start).contains(ends_word) && !declares => {
                    return Err(problem(UnknownCode::Ambiguous, "a subscript without an assignment"));
                }
                Err(error) if error.code == UnknownCode::TooLarge => return Err(error),
                _ => {
                    self.second_reading()?;
                    self.at = start;
                    return Ok(None);
                }
            }
        }
        let append = self.eat('+');
        if !self.eat('=') {
            self.at = start;
            return Ok(None);
        }
        let value = if self.peek() == Some('(') && subscript.is_none() {
            self.bash_only("an array");
            self.bump();
            let elements = self.elements()?;
            if self.peek().is_some_and(|c| !ends_word(c)) {
                self.doubt(UnknownCode::Ambiguous, "text right behind an array");
            }
            Assigned::Array(elements)
        } else {
            Assigned::Scalar(self.maybe_empty_word()?)
        };
        let source = self.since(start).to_owned();
        Ok(Some(Assignment { name, subscript, append, value, source }))
    }

    fn elements(&mut self) -> Result<Vec<Element>, Unknown> {
        let mut elements = Vec::new();
        loop {
            self.lines()?;
            if self.eat(')') {
                return Ok(elements);
            }
            let start = self.at;
            if self.eat('[') {
                if let Ok(subscript) = self.deeper(Self::subscript)
                    && {
                        self.eat('+');
                        self.eat('=')
                    }
                {
                    let value = self.maybe_empty_word()?;
                    elements.push((Some(subscript), value));
                    continue;
                }
                self.second_reading()?;
                self.at = start;
            }
            elements.push((None, self.word()?));
        }
    }

    /// Up to the `]` that belongs to a `[` that has just been read.
    pub(super) fn subscript(&mut self) -> Result<Vec<Part>, Unknown> {
        let mut parts = Vec::new();
        let mut open: usize = 0;
        loop {
            match self.peek() {
                None => return self.unexpected(),
                Some(']') if open == 0 => {
                    self.bump();
                    return Ok(parts);
                }
                Some(c @ ('[' | ']')) => {
                    self.bump();
                    open = if c == '[' { open + 1 } else { open - 1 };
                    self.literal(c, &mut parts);
                }
                Some(_) => self.part(&mut parts)?,
            }
        }
    }

    /// An arithmetic expression, up to a parenthesis (or, for `$[`, a bracket) that it does not open.
    pub(super) fn arithmetic(&mut self, quotes: bool) -> Result<Vec<Part>, Unknown> {
        let mut parts = Vec::new();
        let mut open: usize = 0;
        let start = self.at;
        loop {
            if self.at - start > LONGEST_EXPRESSION {
                return Err(problem(UnknownCode::TooLarge, "a long expression"));
            }
            match self.peek() {
                None => return Ok(parts),
                Some(')' | ']') if open == 0 => return Ok(parts),
                Some(c @ ('(' | ')' | '[' | ']')) => {
                    self.bump();
                    open = if matches!(c, '(' | '[') { open + 1 } else { open - 1 };
                    self.literal(c, &mut parts);
                }
                Some('\'') if !quotes => {
                    self.doubt(UnknownCode::Ambiguous, "a single quote in arithmetic");
                    self.bump();
                    self.literal('\'', &mut parts);
                }
                Some(_) => self.part(&mut parts)?,
            }
        }
    }

    /// Counts readings that were in vain, so that nested ones cannot multiply.
    pub(super) fn second_reading(&mut self) -> Result<(), Unknown> {
        self.second_readings += 1;
        if self.second_readings > SECOND_READINGS {
            return Err(problem(UnknownCode::TooLarge, "read twice too often"));
        }
        Ok(())
    }
}

fn push_char(bytes: &mut Vec<u8>, c: char, ended: bool) {
    if !ended {
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
