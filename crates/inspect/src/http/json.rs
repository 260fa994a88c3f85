//! JSON that remembers what two readers could take differently: a name that stands twice in one object.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value. Numbers are not needed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number,
    Text(String),
    Array(Vec<Json>),
    Object(Object),
}

/// Members in order, repeats included.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object {
    members: Vec<(String, Json)>,
    repeats: bool,
}

impl Json {
    /// Whether a name stands twice in one object, anywhere. No deeper than the parser reads.
    pub(super) fn repeats(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::repeats),
            Self::Object(object) => object.repeats || object.members.iter().any(|(_, value)| value.repeats()),
            _ => false,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Json] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    pub(super) fn members(&self) -> &[(String, Json)] {
        match self {
            Self::Object(object) => &object.members,
            _ => &[],
        }
    }

    /// A member, by its name in any case: some servers read it so.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let exact = self.members().iter().find(|(member, _)| member == name);
        let any = || self.members().iter().find(|(member, _)| member.eq_ignore_ascii_case(name));
        exact.or_else(any).map(|(_, value)| value)
    }

    /// How many members have the name, in any case.
    pub(super) fn count(&self, name: &str) -> usize {
        self.members().iter().filter(|(member, _)| member.eq_ignore_ascii_case(name)).count()
    }

    /// A member that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::as_text)
    }

    /// What stands at `/a/b`; `*` is every item or member.
    pub(super) fn at<'j>(&'j self, pointer: &str) -> Vec<&'j Json> {
        let mut here = vec![self];
        for step in pointer.split('/').skip(1) {
            here = here
                .into_iter()
                .flat_map(|value| -> Vec<&'j Json> {
                    if step == "*" {
                        let members = value.members().iter().map(|(_, value)| value);
                        value.items().iter().chain(members).collect()
                    } else {
                        value.get(step).into_iter().collect()
                    }
                })
                .collect();
        }
        here
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, Json>()? {
            members.push(member);
        }
        let repeats = match members.as_slice() {
            [] | [_] => false,
            few if few.len() <= 8 => few
                .iter()
                .enumerate()
                .any(|(at, (name, _))| few.iter().skip(at + 1).any(|(other, _)| other == name)),
            many => {
                let mut names = HashSet::with_capacity(many.len());
                !many.iter().all(|(name, _)| names.insert(name.as_str()))
            }
        };
        Ok(Json::Object(Object { members, repeats }))
    }
}

impl Json {
    /// Written again: a body that came inside another. A number is written as `0`.
    pub(super) fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number => out.push('0'),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(object) => {
                out.push('{');
                for (at, (name, value)) in object.members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(name));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}
