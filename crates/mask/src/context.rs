//! What surrounds a value: the words of its column's name, of the key before it, of the sentence it stands in.
//!
//! Names are read in words: `homePhone`, `home_phone` and `Home phone` are the same two. The words that say
//! what a value is ([`Words::say`]) are looked for in the column's name or key, and in prose in what stands
//! shortly before; there the nearest word decides, so that "SSN 536-90-4399, order 123456789" does not make
//! the order an SSN.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use crate::column::Column;
use crate::features::kind_of;
use crate::topics::{TOPICS, Topic};

/// What is known about where a value comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldContext<'a> {
    /// The column's name, or the key in a JSON object.
    pub column: Option<&'a str>,
    /// It is one value of a table, though nothing says of which column.
    is_cell: bool,
}

impl<'a> FieldContext<'a> {
    /// A value of that column.
    #[must_use]
    pub fn column(name: &'a str) -> Self {
        Self { column: Some(name), is_cell: true }
    }

    /// One value of a table, of that column if its name is known.
    pub(crate) fn cell(column: Option<&'a str>) -> Self {
        Self { column, is_cell: true }
    }

    /// Text, under that key if there is one.
    pub(crate) fn under(column: Option<&'a str>) -> Self {
        Self { column, is_cell: column.is_some() }
    }

    /// A number in a document, or a key of it: what nothing but its key could tell.
    pub(crate) fn inner(column: Option<&'a str>) -> Self {
        Self { column, is_cell: false }
    }

    /// Whether the value is a cell by itself.
    pub(crate) fn is_cell(&self) -> bool {
        self.is_cell
    }

    /// Whether the value is a cell by itself whose column has no name.
    pub(crate) fn is_unnamed(&self) -> bool {
        self.is_cell && self.column.is_none()
    }

    /// Whether the value is a cell by itself, and its column says nothing of what is in it.
    pub(crate) fn is_blind(&self, column: &Column) -> bool {
        self.is_cell && (self.column.is_none() || column.is_blank)
    }

    /// Whether the column's name alone says that each of its values is sensitive, whatever it looks like.
    #[must_use]
    pub fn reads_everything(&self) -> bool {
        Column::named(self.column).is_telling()
    }

    /// Whether the column's name says what a number or day in it could be, so that one is worth reading.
    #[must_use]
    pub fn says_whose_number(&self) -> bool {
        const NONE: u64 = 1 << (Topic::Other as u8)
            | 1 << (Topic::Version as u8)
            | 1 << (Topic::Address as u8)
            | 1 << (Topic::Mac as u8)
            | 1 << (Topic::NoSecret as u8);
        Column::named(self.column).words.said & !NONE != 0
    }

    /// Whether one of the words stands in the column's name. Words are lower case; a name is split where
    /// it changes from letters to something else and before capitals, and its end may be a plural.
    #[must_use]
    pub fn suggests(&self, words: &[&str]) -> bool {
        let Some(name) = self.column else { return false };
        let bytes = name.as_bytes();
        let bytes = bytes.get(bytes.len().saturating_sub(MOST)..).unwrap_or(&[]);
        let found = Places::of(bytes);
        found.words(bytes).any(|part| {
            let part = part.to_ascii_lowercase();
            words
                .iter()
                .any(|word| part == word.as_bytes() || part.strip_suffix(b"s") == Some(word.as_bytes()))
        })
    }
}

/// The most that is read of a name, bytes; of a longer one its end.
pub(super) const MOST: usize = 48;

/// The longest run of letters and digits that is read in words.
const LONGEST_WORD: usize = 32;

/// The most words of it.
const MOST_WORDS: usize = 24;

/// The words of a name or of the end of a sentence: what they say, and where each thing is said last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    said: u64,
    /// By topic, where the words for it end.
    last: [u8; 64],
    length: u8,
}

/// What a phrase says, and whether a longer one starts with it.
#[derive(Clone, Copy, Debug, Default)]
struct Phrase {
    says: u64,
    goes_on: bool,
}

/// Phrases by their text.
static PHRASES: LazyLock<HashMap<&'static [u8], Phrase, BuildHasherDefault<Fnv>>> = LazyLock::new(|| {
    let mut phrases: HashMap<&'static [u8], Phrase, BuildHasherDefault<Fnv>> = HashMap::default();
    for (topic, words) in TOPICS {
        for phrase in *words {
            phrases.entry(phrase.as_bytes()).or_default().says |= 1 << (*topic as u8);
            for (at, _) in phrase.match_indices(' ') {
                if let Some(start) = phrase.as_bytes().get(..at) {
                    phrases.entry(start).or_default().goes_on = true;
                }
            }
        }
    }
    phrases
});

/// Which words start a phrase, by their first two letters and their length: most words are told by it.
static STARTERS: [u8; 1024] = {
    let mut starters = [0; 1024];
    let mut topic = 0;
    #[expect(clippy::indexing_slicing, reason = "each index is below its bound; checked when it is compiled")]
    while topic < TOPICS.len() {
        let phrases = TOPICS[topic].1;
        let mut at = 0;
        while at < phrases.len() {
            let phrase = phrases[at].as_bytes();
            let mut length = 0;
            while length < phrase.len() && phrase[length] != b' ' {
                length += 1;
            }
            let second = if length > 1 { phrase[1] } else { 0 };
            // Or in the plural.
            starters[pair(phrase[0], second)] |= 1 << (length & 7) | 1 << ((length + 1) & 7);
            at += 1;
        }
        topic += 1;
    }
    starters
};

const fn pair(first: u8, second: u8) -> usize {
    ((first & 31) as usize) << 5 | (second & 31) as usize
}

/// Whether a word of that length that begins with those bytes may start a phrase.
#[inline]
pub(crate) fn may_start(first: u8, second: u8, length: usize) -> bool {
    let second = if length > 1 { second } else { 0 };
    STARTERS.get(pair(first, second)).is_some_and(|lengths| lengths >> (length & 7) & 1 == 1)
}

/// The hash of Fowler, Noll and Vo: quick for short words that nobody chooses to collide.
#[derive(Debug)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Words {
    pub(crate) const NONE: Self = Self { said: 0, last: [0; 64], length: 0 };

    /// The words of a text; of a long one those at its end.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let bytes = bytes.get(bytes.len().saturating_sub(MOST)..).unwrap_or(&[]);
        let found = Places::of(bytes);
        let places = found.places.get(..found.count).unwrap_or(&[]);
        let end = places.last().map_or(0, |place| place.1);
        let mut words = Self { length: end, ..Self::NONE };
        for (index, (start, end)) in places.iter().enumerate() {
            let word = bytes.get(usize::from(*start)..usize::from(*end)).unwrap_or(&[]);
            let letter = |at: usize| word.get(at).copied().unwrap_or(0);
            if may_start(letter(0), letter(1), word.len()) {
                words.phrases(bytes, places.get(index..).unwrap_or(&[]));
            }
        }
        words
    }

    /// The phrases that start with the first of these words.
    fn phrases(&mut self, bytes: &[u8], places: &[(u8, u8)]) {
        // Lower case, one space between.
        let (mut phrase, mut length) = ([b' '; MOST + 1], 0);
        for (start, end) in places {
            let word = bytes.get(usize::from(*start)..usize::from(*end)).unwrap_or(&[]);
            let Some(place) = phrase.get_mut(length..length + word.len()) else { return };
            place.copy_from_slice(word);
            place.make_ascii_lowercase();
            length += word.len();
            let phrase = phrase.get(..length).unwrap_or(&[]);
            let found = PHRASES.get(phrase).copied();
            let plural = phrase.strip_suffix(b"s").and_then(|one| PHRASES.get(one));
            self.say_all(found.unwrap_or_default().says | plural.map_or(0, |one| one.says), *end);
            if !found.is_some_and(|phrase| phrase.goes_on) {
                return;
            }
            length += 1;
        }
    }

    fn say_all(&mut self, says: u64, end: u8) {
        self.said |= says;
        let mut left = says;
        while left != 0 {
            if let Some(last) = self.last.get_mut(usize::try_from(left.trailing_zeros()).unwrap_or(0)) {
                *last = end;
            }
            left &= left - 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn last(&self, topic: Topic) -> u8 {
        self.last.get(usize::from(topic as u8)).copied().unwrap_or(0)
    }

    /// Whether words for the topic stand among these.
    pub(crate) fn say(&self, topic: Topic) -> bool {
        self.said >> (topic as u8) & 1 == 1
    }

    /// Whether these say nothing that any detector asks for.
    pub(crate) fn say_nothing(&self) -> bool {
        self.said == 0
    }

    /// Whether these end with words for the topic.
    pub(crate) fn end_with(&self, topic: Topic) -> bool {
        self.say(topic) && self.last(topic) == self.length
    }
}

/// Where the words of a name or of the end of a sentence stand.
pub(super) struct Places {
    places: [(u8, u8); MOST_WORDS],
    count: usize,
}

impl Places {
    /// Of at most [`MOST`] bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut places = Self { places: [(0, 0); MOST_WORDS], count: 0 };
        let kind = |at: usize| bytes.get(at).map_or(0, |byte| kind_of(*byte));
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            while kind(at) & PART != 0 {
                at += 1;
            }
            // What is longer than any name holds no words, whatever its capitals say.
            if (1..=LONGEST_WORD).contains(&(at - start)) {
                let mut word = start;
                for next in start + 1..at {
                    let (before, here) = (kind(next - 1), kind(next));
                    if here & UPPER != 0 && before & LOWER != 0
                        || here & DIGIT != 0 && before & LETTER != 0
                        || here & LETTER != 0 && before & DIGIT != 0
                    {
                        places.push(word, next);
                        word = next;
                    }
                }
                places.push(word, at);
            }
            at += 1;
        }
        places
    }

    /// The words themselves.
    pub(super) fn words<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
        let places = self.places.iter().take(self.count);
        places.map(|(start, end)| bytes.get(usize::from(*start)..usize::from(*end)).unwrap_or(&[]))
    }

    fn push(&mut self, start: usize, end: usize) {
        if let (Some(place), Ok(start), Ok(end)) =
            (self.places.get_mut(self.count), u8::try_from(start), u8::try_from(end))
        {
            *place = (start, end);
            self.count += 1;
        }
    }
}

/// Kinds of bytes as they stand in their table; parts of words.
const DIGIT: u32 = 1;
const LOWER: u32 = 1 << 1;
const UPPER: u32 = 1 << 2;
const LETTER: u32 = LOWER | UPPER;
const PART: u32 = LETTER | DIGIT | 1 << 12;

/// How far back prose is read.
const REACH: usize = 56;

/// What ends a sentence, and what ends a key besides.
const ENDS_SENTENCE: u8 = 1;
const ENDS_KEY: u8 = 2;

static STOPS: [u8; 256] = {
    let mut stops = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            stops[byte as usize] = match byte {
                b'\n' | b'\r' | b'\t' | b';' | b'|' | b'{' | b'}' | b'&' | b'=' | b'<' => ENDS_SENTENCE,
                b',' | b'(' | b'?' | b':' | b'"' | b'[' | b'>' => ENDS_KEY,
                _ => 0,
            };
        }
        byte += 1;
    }
    stops
};

/// The words before a value in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    words: Words,
    /// They are the value's key, not a sentence.
    is_key: bool,
}

impl Before {
    pub(crate) const NOTHING: Self = Self { words: Words::NONE, is_key: false };

    pub(crate) fn key(key: &str) -> Self {
        Self { words: Words::of(key), is_key: true }
    }

    /// What stands before that byte of the text: the key when one does, else the end of the sentence.
    pub(crate) fn of(text: &str, at: usize) -> Self {
        let bytes = text.as_bytes();
        let mut end = at.min(bytes.len());
        let floor = end.saturating_sub(REACH);
        let byte = |place: usize| bytes.get(place).copied().unwrap_or(0);
        let opens = |byte: u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'[' | b'(' | b'\\' | b'+' | b'#');
        while end > floor && opens(byte(end - 1)) {
            end -= 1;
        }
        let mut is_key = false;
        while end > floor && matches!(byte(end - 1), b':' | b'=' | b'>' | b'"' | b'\'' | b'\\' | b' ' | b'-')
        {
            is_key |= matches!(byte(end - 1), b':' | b'=' | b'>');
            end -= 1;
        }
        let wanted = if is_key { ENDS_SENTENCE | ENDS_KEY } else { ENDS_SENTENCE };
        let stops = |byte: u8| STOPS.get(usize::from(byte)).is_some_and(|ends| ends & wanted != 0);
        let mut start = end;
        while start > floor && !stops(byte(start - 1)) {
            start -= 1;
        }
        while !text.is_char_boundary(start) {
            start += 1;
        }
        Self { words: Words::of(text.get(start..end).unwrap_or("")), is_key }
    }

    /// Whether they say that the value is what the words name.
    pub(crate) fn say(&self, topic: Topic) -> bool {
        self.words.say(topic) && (self.is_key || self.words.last(Topic::Other) < self.words.last(topic))
    }

    /// Whether they say that the value is an order, a part or the like.
    pub(crate) fn say_other(&self) -> bool {
        self.words.end_with(Topic::Other)
    }

    /// The words themselves.
    pub(crate) fn words(&self) -> &Words {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_column_is_read_in_words() {
        for name in ["phone", "home_phone", "homePhone", "Phones", "phone2", "PHONE"] {
            assert!(FieldContext::column(name).suggests(&["phone"]), "{name}");
        }
        for name in ["phonetic", "telephones_x", "", "microphone"] {
            assert!(!FieldContext::column(name).suggests(&["phone"]), "{name}");
        }
        let words = Words::of("social_security_number");
        assert!(words.say(Topic::UsSsn) && !words.end_with(Topic::UsSsn) && !words.say(Topic::Phone));
        assert!(!Words::of("LaZChvgHeqkn3qdaQcusYGQteSSnYKVEFcSsn").say(Topic::UsSsn));
        assert!(Words::of("dbPassword").end_with(Topic::Password));
        assert!(!Words::of("password_changed_at").end_with(Topic::Password));
    }

    #[test]
    fn a_key_speaks_for_its_own_value_alone() {
        let say = |text: &str| Before::of(text, text.len()).say(Topic::UsSsn);
        for text in [
            "SSN ",
            "ssn: ",
            "ssn=",
            "\"ssn\": \"",
            "<ssn>",
            "her SSN is ",
            "{\"a\":1,\"ssn\":[\"",
            "ssn # ",
            "\\\"ssn\\\":\\\"",
        ] {
            assert!(say(text), "{text}");
        }
        for text in [
            "ssn=536904399&order=",
            "\"ssn\": \"536904399\", \"id\": \"",
            "SSN 536904399, order ",
            "classnote ",
        ] {
            assert!(!say(text), "{text}");
        }
    }
}
