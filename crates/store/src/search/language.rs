//! The search language: text in, a [`Query`] out, or where it went wrong.
//!
//! ```text
//! table:public.users action:delete,truncate principal:claude-code since:7d "free text" -error:42501
//! ```
//!
//! Terms stand beside each other and all must hold. `-` before a term turns it round, `,` between the
//! values of a field is "or", `*` at the end of a value or word is any continuation, and what is in quotes
//! is taken as it stands. Pure: no store, no clock of its own.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

use sallyport_core::{Effect, Group, Language, PrincipalKind, Timestamp, UnknownCode, Verb};

/// Bytes of a query.
const MOST_BYTES: usize = 1000;
/// Terms of a query, and values of a field.
const MOST_TERMS: usize = 24;
const MOST_VALUES: usize = 24;
/// Shorter beginnings would match half of everything.
const LEAST_PREFIX: usize = 2;

/// What is looked for: every term must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub(crate) terms: Vec<Term>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) negated: bool,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Words of the text, next to each other.
    Words(Value),
    /// Any of the values, in a field.
    Field(Field, Vec<Value>),
}

/// A word, phrase or name, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    /// Whether anything may follow it.
    pub(crate) prefix: bool,
}

/// What can be asked of an operation besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Table,
    Column,
    Action,
    Group,
    Principal,
    Human,
    Kind,
    Target,
    Database,
    Decision,
    State,
    Rule,
    Error,
    Session,
    Language,
    Unknown,
}

/// Every field's name. `table` and `object` are the same.
const FIELDS: &[(&str, Field)] = &[
    ("table", Field::Table),
    ("object", Field::Table),
    ("column", Field::Column),
    ("action", Field::Action),
    ("group", Field::Group),
    ("principal", Field::Principal),
    ("for", Field::Human),
    ("kind", Field::Kind),
    ("target", Field::Target),
    ("database", Field::Database),
    ("decision", Field::Decision),
    ("state", Field::State),
    ("rule", Field::Rule),
    ("error", Field::Error),
    ("session", Field::Session),
    ("language", Field::Language),
    ("unknown", Field::Unknown),
];

/// The states an operation can be in, as written in queries and results.
pub(crate) const STATES: &[&str] = &["running", "waiting", "passed", "failed", "refused", "cut"];

impl Field {
    /// The words it takes; nothing when it takes any.
    fn choices(self) -> Option<Vec<&'static str>> {
        let mut words: Vec<&str> = match self {
            Self::Action => Verb::ALL.iter().map(|verb| verb.as_str()).collect(),
            Self::Group => Group::ALL.iter().map(|group| group.as_str()).collect(),
            Self::Kind => [PrincipalKind::Human, PrincipalKind::Service, PrincipalKind::Agent]
                .map(PrincipalKind::as_str)
                .to_vec(),
            Self::Decision => [Effect::Allow, Effect::Hold, Effect::Deny].map(Effect::as_str).to_vec(),
            Self::State => STATES.to_vec(),
            Self::Language => [Language::Postgres, Language::Mysql, Language::Shell, Language::Http]
                .map(Language::as_str)
                .to_vec(),
            Self::Unknown => [
                UnknownCode::Unparsable,
                UnknownCode::Unsupported,
                UnknownCode::Dynamic,
                UnknownCode::Ambiguous,
                UnknownCode::Encoding,
                UnknownCode::TooLarge,
            ]
            .map(UnknownCode::as_str)
            .to_vec(),
            _ => return None,
        };
        words.sort_unstable();
        words.dedup();
        Some(words)
    }
}

/// Why a query is none, and where. Quotes nothing of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadQuery {
    /// The first character that is wrong, from 0.
    pub at: usize,
    /// How many are.
    pub length: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for BadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at character {} of the query", self.what, self.at + 1)
    }
}

impl std::error::Error for BadQuery {}

impl Query {
    /// Reads a query. `now` is what `since:7d` counts from.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, BadQuery> {
        let mut reader = Reader { text, rest: text.char_indices().peekable(), now };
        if text.len() > MOST_BYTES {
            return Err(reader.bad(0, 0, "the query is longer than 1000 bytes"));
        }
        if let Some((at, _)) = text.char_indices().find(|(_, c)| c.is_control()) {
            return Err(reader.bad(at, 1, "a control character"));
        }
        let mut query = Self::default();
        loop {
            reader.skip_space();
            let at = reader.offset();
            if at == text.len() {
                break;
            }
            reader.term(&mut query)?;
            if query.terms.len() > MOST_TERMS {
                return Err(reader.bad(at, 1, "more than 24 terms"));
            }
        }
        if let (Some(since), Some(until)) = (query.since, query.until)
            && since >= until
        {
            return Err(reader.bad(0, 0, "`since` is not before `until`"));
        }
        Ok(query)
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    now: Timestamp,
}

impl Reader<'_> {
    fn offset(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, c)| *c)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn skip_space(&mut self) {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }

    /// What is wrong from byte `from` on, `bytes` long, said in characters.
    fn bad(&self, from: usize, bytes: usize, what: impl Into<String>) -> BadQuery {
        let characters = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
        BadQuery {
            at: characters(self.text.get(..from)),
            length: characters(self.text.get(from..from.saturating_add(bytes))).max(1),
            what: what.into(),
            hint: None,
        }
    }

    fn term(&mut self, query: &mut Query) -> Result<(), BadQuery> {
        let start = self.offset();
        let negated = self.take('-');
        if negated && self.peek().is_none_or(char::is_whitespace) {
            return Err(self.bad(start, 1, "`-` without a term behind it"));
        }
        let at = self.offset();
        if self.peek() != Some('"')
            && let Some((name, after)) = self.field_name(at)
        {
            while self.offset() < after {
                self.rest.next();
            }
            return self.field(query, negated, (start, at), &name);
        }
        let value = self.value(false)?;
        if !value.text.chars().any(char::is_alphanumeric) {
            let mut bad = self.bad(at, self.length_to_here(at), "nothing that is a word");
            bad.hint = Some("words are letters and digits; signs around them are passed over".to_owned());
            return Err(bad);
        }
        query.terms.push(Term { negated, what: What::Words(value) });
        Ok(())
    }

    fn length_to_here(&self, from: usize) -> usize {
        let here = self.rest.clone().peek().map_or(self.text.len(), |(at, _)| *at);
        here.saturating_sub(from)
    }

    /// `name:` here, and the offset behind it. `a::b` is text, as a cast is written.
    fn field_name(&self, at: usize) -> Option<(String, usize)> {
        let rest = self.text.get(at..)?;
        let (name, behind) = rest.split_once(':')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
        (is_name && !behind.starts_with(':')).then(|| (name.to_ascii_lowercase(), at + name.len() + 1))
    }

    fn field(
        &mut self,
        query: &mut Query,
        negated: bool,
        (start, at): (usize, usize),
        name: &str,
    ) -> Result<(), BadQuery> {
        if matches!(name, "since" | "until") {
            return self.time(query, negated, start, name);
        }
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            let mut bad = self.bad(at, name.len(), "no such field");
            bad.hint = Some(unknown_field(name));
            return Err(bad);
        };
        let mut values = Vec::new();
        loop {
            let from = self.offset();
            let value = self.value(true)?;
            if value.text.is_empty() {
                return Err(self.bad(from, 1, "a field without a value"));
            }
            self.check(*field, &value, from)?;
            values.push(value);
            if values.len() > MOST_VALUES {
                return Err(self.bad(from, 1, "more than 24 values"));
            }
            if !self.take(',') {
                break;
            }
        }
        query.terms.push(Term { negated, what: What::Field(*field, values) });
        Ok(())
    }

    fn check(&self, field: Field, value: &Value, from: usize) -> Result<(), BadQuery> {
        let Some(choices) = field.choices() else { return Ok(()) };
        let wanted = value.text.to_lowercase();
        let known = if value.prefix {
            choices.iter().any(|choice| choice.starts_with(&wanted))
        } else {
            choices.contains(&wanted.as_str())
        };
        if known {
            return Ok(());
        }
        let mut bad = self.bad(from, self.length_to_here(from), "no such word in this field");
        bad.hint = Some(if choices.len() <= 16 {
            format!("one of {}", choices.join(", "))
        } else {
            "the words are those of docs/facts.md".to_owned()
        });
        Err(bad)
    }

    fn time(&mut self, query: &mut Query, negated: bool, start: usize, name: &str) -> Result<(), BadQuery> {
        let from = self.offset();
        let value = self.value(false)?;
        let length = self.length_to_here(from);
        if negated {
            let other = if name == "since" { "until" } else { "since" };
            let mut bad = self.bad(start, 1, "a time cannot be turned round");
            bad.hint = Some(format!("`{other}:` is the other side"));
            return Err(bad);
        }
        let Some(time) = moment(&value.text, self.now).filter(|_| !value.prefix) else {
            let mut bad = self.bad(from, length, "not a time");
            bad.hint = Some("30m, 12h, 7d, 2w, 2026-11-24 or 2026-11-24T10:00:00Z".to_owned());
            return Err(bad);
        };
        let slot = if name == "since" { &mut query.since } else { &mut query.until };
        if slot.replace(time).is_some() {
            return Err(self.bad(start, name.len(), "the same bound twice"));
        }
        Ok(())
    }

    /// A value: in quotes, or up to white space (and up to a comma in a list).
    fn value(&mut self, in_list: bool) -> Result<Value, BadQuery> {
        let from = self.offset();
        let mut text = String::new();
        let prefix = if self.take('"') {
            loop {
                match self.rest.next() {
                    None => return Err(self.bad(from, 1, "a quote that is not closed")),
                    Some((_, '"')) if self.take('"') => text.push('"'),
                    Some((_, '"')) => break,
                    Some((_, c)) => text.push(c),
                }
            }
            self.take('*')
        } else {
            while let Some((_, c)) =
                self.rest.next_if(|(_, c)| !c.is_whitespace() && *c != '"' && !(in_list && *c == ','))
            {
                text.push(c);
            }
            text.len() > 1 && text.ends_with('*')
        };
        if prefix {
            if text.ends_with('*') {
                text.pop();
            }
            let last = text.chars().rev().take_while(|c| c.is_alphanumeric()).count();
            if !in_list && last < LEAST_PREFIX {
                let mut bad = self.bad(from, self.length_to_here(from), "too short a beginning for `*`");
                bad.hint = Some("at least two letters or digits stand before `*`".to_owned());
                return Err(bad);
            }
        }
        Ok(Value { text, prefix })
    }
}

fn unknown_field(name: &str) -> String {
    let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).chain(["since", "until"]).collect();
    let near = names.iter().find(|known| is_near(known, name));
    match near {
        Some(near) => format!("is it `{near}:`? To look for the text itself, put it in quotes"),
        None => format!("fields are {}; to look for the text itself, put it in quotes", names.join(", ")),
    }
}

/// One letter too many, too few, other, or two of them swapped.
fn is_near(known: &str, name: &str) -> bool {
    let (a, b) = (known.as_bytes(), name.as_bytes());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let rest = |bytes: &[u8], skip: usize| bytes.get((same + skip).min(bytes.len())..).map(<[u8]>::to_vec);
    rest(a, 1) == rest(b, 1)
        || rest(a, 1) == rest(b, 0)
        || rest(a, 0) == rest(b, 1)
        || (rest(a, 2) == rest(b, 2) && a.get(same) == b.get(same + 1) && a.get(same + 1) == b.get(same))
}

/// `30m`, `12h`, `7d`, `2w` before now; a day; or a time of RFC 3339.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let unit = match text.chars().last()? {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        'w' => Some(604_800),
        _ => None,
    };
    if let Some(unit) = unit {
        let mut digits = text.to_owned();
        digits.pop();
        let number: i64 = digits.parse::<u32>().ok()?.into();
        return Some(now.plus_seconds(-(number.saturating_mul(unit))));
    }
    if text.len() == 10 {
        return Timestamp::parse(&format!("{text}T00:00:00Z"));
    }
    Timestamp::parse(text)
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
