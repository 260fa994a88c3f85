//! What a column's name says of the values in it.
//!
//! Columns repeat from row to row, so what their names say is remembered per thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use crate::context::{Fnv, MOST, Places, Words};
use crate::topics::Topic;

/// Names of columns remembered per thread.
const MOST_COLUMNS: usize = 512;

/// What a column's name says.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its words.
    pub(crate) words: Words,
    /// Its values are secrets, whatever they look like.
    pub(crate) is_secret: bool,
    /// Its dates are days of birth.
    pub(crate) is_birth: bool,
    /// It says nothing: `c7`, `value`, `field_2`.
    pub(crate) is_blank: bool,
}

/// Words that say nothing of what a column holds.
const BLANK: &[&[u8]] = &[
    b"c",
    b"col",
    b"column",
    b"f",
    b"field",
    b"v",
    b"val",
    b"value",
    b"x",
    b"y",
    b"data",
    b"text",
    b"txt",
    b"str",
    b"string",
    b"attr",
    b"attribute",
    b"arg",
    b"cell",
    b"item",
    b"expr",
    b"a",
    b"b",
    b"var",
    b"prop",
    b"unnamed",
];

/// Whether the name is of no other words than those and numbers.
fn is_blank(name: &str) -> bool {
    let bytes = name.as_bytes();
    name.len() <= MOST
        && name.is_ascii()
        && Places::of(bytes).words(bytes).all(|word| {
            word.iter().all(u8::is_ascii_digit) || BLANK.iter().any(|blank| blank.eq_ignore_ascii_case(word))
        })
}

impl Column {
    /// Whether values of the column are read even when nothing in them asks for it.
    pub(crate) fn is_telling(&self) -> bool {
        self.is_secret || self.is_birth
    }

    /// What the name of that column says.
    pub(crate) fn named(name: Option<&str>) -> Rc<Self> {
        thread_local! {
            static NAMED: RefCell<HashMap<String, Rc<Column>, BuildHasherDefault<Fnv>>> = RefCell::default();
            static UNNAMED: Rc<Column> =
                Rc::new(Column { words: Words::NONE, is_secret: false, is_birth: false, is_blank: true });
        }
        let Some(name) = name else { return UNNAMED.with(Rc::clone) };
        NAMED.with(|named| {
            let Ok(mut named) = named.try_borrow_mut() else { return Rc::new(Self::read(name)) };
            if let Some(column) = named.get(name) {
                return Rc::clone(column);
            }
            if named.len() >= MOST_COLUMNS {
                named.clear();
            }
            let column = Rc::new(Self::read(name));
            named.insert(name.to_owned(), Rc::clone(&column));
            column
        })
    }

    fn read(name: &str) -> Self {
        let words = Words::of(name);
        Self {
            is_secret: crate::detectors::is_secret_name(&words),
            is_birth: words.say(Topic::Birth),
            is_blank: is_blank(name),
            words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_told_from_others() {
        for name in ["c7", "col_3", "value", "field2", "data", "?column?", "C12", "3", "", "textValue"] {
            assert!(is_blank(name), "{name}");
        }
        for name in ["created_at", "hired_on", "released", "date", "dob", "c_date", "value_date", "valeur"] {
            assert!(!is_blank(name), "{name}");
        }
    }
}
