//! One line of the filter as it is asked: `{"id", "text", "column"?}`.
//!
//! The usual line is read by hand in one go, borrowing from it what needs no copy. A line that is written in any
//! less usual way, and one that is no JSON, is read again by serde, which decides.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::written::first_special;

/// A line that was read.
#[derive(Debug, Default)]
pub(crate) struct Question<'l> {
    /// The value of `id` as it was written.
    pub(crate) id: Option<&'l str>,
    pub(crate) text: Cow<'l, str>,
    pub(crate) column: Option<Cow<'l, str>>,
}

impl<'l> Question<'l> {
    /// Reads a line; or says what is wrong with it.
    pub(crate) fn read(line: &'l str) -> Result<Self, Wrong<'l>> {
        match (Reader { line, at: 0 }).question() {
            Some(question) => Ok(question),
            None => by_the_book(line),
        }
    }
}

/// What is wrong with a line, and the `id` that it still has.
#[derive(Debug)]
pub(crate) struct Wrong<'l> {
    pub(crate) id: Option<&'l str>,
    pub(crate) why: &'static str,
}

/// Reads the usual form; nothing when the line is of any other.
struct Reader<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Reader<'l> {
    fn question(mut self) -> Option<Question<'l>> {
        let mut question = Question::default();
        let mut has_text = false;
        self.take(b'{')?;
        loop {
            let key = self.key()?;
            self.take(b':')?;
            match key {
                "text" => {
                    question.text = self.string()?;
                    has_text = true;
                }
                "column" if self.next() == Some(b'n') => {
                    (self.plain()? == "null").then_some(())?;
                    question.column = None;
                }
                "column" => question.column = Some(self.string()?),
                "id" => question.id = Some(self.plain()?),
                _ => {
                    self.plain()?;
                }
            }
            match self.next()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        (has_text && self.next().is_none()).then_some(question)
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.line.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// A key without escapes.
    fn key(&mut self) -> Option<&'l str> {
        self.next()?;
        let (length, key) = match self.line.as_bytes().get(self.at..)? {
            [b'"', b'i', b'd', b'"', ..] => (4, "id"),
            [b'"', b't', b'e', b'x', b't', b'"', ..] => (6, "text"),
            [b'"', b'c', b'o', b'l', b'u', b'm', b'n', b'"', ..] => (8, "column"),
            _ => (0, ""),
        };
        if length > 0 {
            self.at += length;
            return Some(key);
        }
        match self.string()? {
            Cow::Borrowed(key) => Some(key),
            Cow::Owned(_) => None,
        }
    }

    /// A string, its escapes undone.
    fn string(&mut self) -> Option<Cow<'l, str>> {
        self.take(b'"')?;
        let start = self.at;
        let length = first_special(self.line.as_bytes().get(start..)?);
        let plain = self.line.get(start..start + length)?;
        self.at += length;
        match self.line.as_bytes().get(self.at)? {
            b'"' => {
                self.at += 1;
                Some(Cow::Borrowed(plain))
            }
            b'\\' => self.escaped(plain).map(Cow::Owned),
            _ => None,
        }
    }

    /// The rest of a string that has escapes, behind what has none.
    fn escaped(&mut self, plain: &str) -> Option<String> {
        let mut text = String::with_capacity(plain.len() + 64);
        text.push_str(plain);
        loop {
            let bytes = self.line.as_bytes();
            match bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(text);
                }
                b'\\' => {
                    text.push(match bytes.get(self.at + 1)? {
                        b'n' => '\n',
                        b't' => '\t',
                        b'r' => '\r',
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
                        b'u' => self.unit()?,
                        _ => return None,
                    });
                    self.at += 2;
                }
                0..0x20 => return None,
                _ => {}
            }
            let length = first_special(self.line.as_bytes().get(self.at..)?);
            text.push_str(self.line.get(self.at..self.at + length)?);
            self.at += length;
        }
    }

    /// The character that `\\uXXXX` writes, or two of them. Steps over all but two bytes. Half of a character is read as
    /// the sign for one that is lost, as programs write it that cut a text in two.
    fn unit(&mut self) -> Option<char> {
        let four = |at: usize| {
            let four = self.line.get(at..at + 4)?;
            four.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
            u32::from_str_radix(four, 16).ok()
        };
        let first = four(self.at + 2)?;
        let second =
            (self.line.get(self.at + 6..self.at + 8) == Some("\\u")).then(|| four(self.at + 8)).flatten();
        if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
            self.at += 10;
            return char::from_u32(0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00));
        }
        self.at += 4;
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// A string without escapes, a whole number, or a word, as it is written.
    fn plain(&mut self) -> Option<&'l str> {
        let start = match self.next()? {
            b'"' => {
                let start = self.at;
                let length = first_special(self.line.as_bytes().get(start + 1..)?);
                self.at += length + 2;
                return (self.line.as_bytes().get(start + 1 + length)? == &b'"')
                    .then(|| self.line.get(start..self.at))?;
            }
            b'1'..=b'9' => self.at,
            b'n' | b't' | b'f' => {
                let rest = self.line.get(self.at..)?;
                let word = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word))?;
                let start = self.at;
                self.at += word.len();
                return self.line.get(start..self.at);
            }
            _ => return None,
        };
        while self.line.as_bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        // What goes on (a fraction, an exponent) is no whole number.
        matches!(self.next()?, b',' | b'}').then_some(())?;
        self.line.get(start..self.at).map(str::trim_end)
    }
}

/// A line, read by serde.
#[derive(Default)]
struct Fields<'a> {
    id: Option<&'a RawValue>,
    text: Option<Field<'a>>,
    column: Option<Field<'a>>,
}

/// A field that should be a string.
enum Field<'a> {
    Text(Cow<'a, str>),
    Null,
    Other,
}

fn by_the_book(line: &str) -> Result<Question<'_>, Wrong<'_>> {
    let fields: Fields<'_> =
        serde_json::from_str(line).map_err(|_| Wrong { id: None, why: "the line is not a JSON object" })?;
    let id = fields.id.map(RawValue::get);
    let Some(Field::Text(text)) = fields.text else {
        return Err(Wrong { id, why: "`text` is missing or not a string" });
    };
    let column = match fields.column {
        Some(Field::Text(column)) => Some(column),
        Some(Field::Other) => return Err(Wrong { id, why: "`column` is not a string" }),
        Some(Field::Null) | None => None,
    };
    Ok(Question { id, text, column })
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            /// Of a key that is there twice the last counts.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_ref() {
                        "id" => fields.id = Some(map.next_value()?),
                        "text" => fields.text = Some(map.next_value()?),
                        "column" => fields.column = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            // What serde has read as a string, but for halves of characters.
            Some(b'"') => (Reader { line: raw, at: 0 }).string().map_or(Field::Other, Field::Text),
            Some(b'n') => Field::Null,
            _ => Field::Other,
        })
    }
}
