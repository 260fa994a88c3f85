//! Masked values that come back: in a statement's constants, in parameters, in the data of a COPY.
//!
//! Whoever stores a mark overwrites the value that it stands for, and a condition on one matches nothing. A
//! mark is known by its brackets and a name between them that a label or detector has; a pseudonym, which
//! looks like a value, by the fingerprints of those handed out ([`HandedOut`]).

use sallyport_core::{Parameter, ParameterFormat};
use sallyport_inspect::pg::constants;
use sallyport_mask::{Labels, kinds};

use super::handed_out::HandedOut;
use super::plan::UNSETTLED;
use super::typed;

/// The longest mark, bytes: brackets, a label's name, and sixteen digits or four letters of any script.
pub(crate) const LONGEST_MARK: usize = 160;

/// The shortest beginning of a name that a mark cut to its column still has.
const LEAST_OF_NAME: usize = 3;

/// Escapes of the brackets, as JSON and SQL write them.
const OPENING: &[&str] =
    &["\\u2039", "\\U00002039", "\\2039", "\\+002039", "\\xe2\\x80\\xb9", "\\xE2\\x80\\xB9"];
const CLOSING: &[&str] = &[
    "\\u203a",
    "\\u203A",
    "\\U0000203a",
    "\\U0000203A",
    "\\203a",
    "\\203A",
    "\\+00203a",
    "\\+00203A",
    "\\xe2\\x80\\xba",
    "\\xE2\\x80\\xBA",
];

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrittenBack {
    /// `‹pii.email›` and its like.
    Mark,
    /// A pseudonym that was handed out.
    Pseudonym,
}

/// Looks for masked values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks<'a> {
    /// The labels in force.
    pub(crate) labels: &'a Labels,
    /// The pseudonyms that were handed out.
    pub(crate) handed_out: &'a HandedOut,
}

impl Marks<'_> {
    /// In a statement and its parameters.
    pub(crate) fn in_operation(&self, text: &[u8], parameters: &[Parameter]) -> Option<WrittenBack> {
        self.in_text(text).or_else(|| parameters.iter().find_map(|parameter| self.in_parameter(parameter)))
    }

    /// In bytes of any form: only marks.
    pub(crate) fn in_data(&self, data: &[u8]) -> bool {
        // The first byte of a bracket, or an escape.
        if !data.contains(&0xe2) && !data.contains(&b'\\') {
            return false;
        }
        let text = String::from_utf8_lossy(data);
        if self.has_mark(&text) {
            return true;
        }
        // What every escape of the opening bracket holds.
        if !["2039", "\\xe2", "\\xE2"].iter().any(|sign| text.contains(sign)) {
            return false;
        }
        let mut plain = text.into_owned();
        for (escapes, bracket) in [(OPENING, "‹"), (CLOSING, "›")] {
            for escape in escapes {
                if plain.contains(escape) {
                    plain = plain.replace(escape, bracket);
                }
            }
        }
        self.has_mark(&plain)
    }

    fn in_text(&self, text: &[u8]) -> Option<WrittenBack> {
        let marked = self.in_data(text);
        if !marked && self.handed_out.is_empty() {
            return None;
        }
        let Some(constants) = std::str::from_utf8(text).ok().and_then(constants) else {
            // What does not scan is refused elsewhere; should it not be, the mark decides.
            return marked.then_some(WrittenBack::Mark);
        };
        let found = |constant: &sallyport_inspect::pg::Constant| {
            if marked && self.in_data(constant.value.as_bytes()) {
                return Some(WrittenBack::Mark);
            }
            self.handed_out.holds(&constant.value).then_some(WrittenBack::Pseudonym)
        };
        constants.iter().find_map(found)
    }

    fn in_parameter(&self, parameter: &Parameter) -> Option<WrittenBack> {
        let value = parameter.value.as_deref()?;
        if self.in_data(value) {
            return Some(WrittenBack::Mark);
        }
        if self.handed_out.is_empty() {
            return None;
        }
        let read = match parameter.format {
            ParameterFormat::Binary => typed::to_text(parameter.type_id, value),
            ParameterFormat::Text => None,
        };
        let text = read.or_else(|| std::str::from_utf8(value).ok().map(str::to_owned))?;
        self.handed_out.holds(&text).then_some(WrittenBack::Pseudonym)
    }

    fn has_mark(&self, text: &str) -> bool {
        text.match_indices('‹').any(|(at, open)| {
            let rest = text.get(at + open.len()..).unwrap_or("");
            rest.char_indices()
                .take(LONGEST_MARK)
                .find(|(_, it)| matches!(it, '›' | '‹'))
                .filter(|(_, it)| *it == '›')
                .and_then(|(end, _)| rest.get(..end))
                .is_some_and(|inner| self.is_mark(inner))
        })
    }

    /// Whether that stands between a mark's brackets: a known name, alone, with the last of a value, or with
    /// its hash; or the beginning of a name, where a narrow column cut the mark.
    fn is_mark(&self, inner: &str) -> bool {
        let (name, more) = inner.split_once(' ').unwrap_or((inner, ""));
        let fits = more.is_empty()
            || more.starts_with('…')
            || (more.len() == 16 && more.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mut names =
            self.labels.known().chain(kinds().map(|kind| kind.entity)).chain(["WITHHELD", UNSETTLED]);
        let is_cut = more.is_empty() && name.len() >= LEAST_OF_NAME;
        fits && names.any(|known| known == name || (is_cut && known.starts_with(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<WrittenBack> {
        let labels = Labels::parse("[[label]]\nname='pii.email'\ncolumns=[]").unwrap();
        let handed_out = HandedOut::default();
        handed_out.note("qwerty@zxcv.invalid");
        handed_out.note("8123456790");
        Marks { labels: &labels, handed_out: &handed_out }.in_operation(text.as_bytes(), &[])
    }

    #[test]
    fn attack_23_a_mark_in_a_constant_is_known_in_every_quoting() {
        for text in [
            "update users set email = '‹pii.email›'",
            "select 1 where email = '‹pii.email …4242›'",
            "insert into t values ('x ‹pii.email 0123456789abcdef› y')",
            "update t set a = $$‹EMAIL_ADDRESS›$$",
            "update t set a = E'\\u2039pii.email\\u203a'",
            "update t set a = '{\"to\": \"\\u2039pii.email\\u203A\"}'",
            "update t set a = U&'\\2039pii.email\\203a'",
            "update t set a = E'\\xe2\\x80\\xb9pii.email\\xe2\\x80\\xba'",
            "select f('‹WITHHELD›'), g('‹unsettled›')",
            "update t set a = '‹pii.›'",
            "do $$ begin update t set a = '‹pii.email›'; end $$",
        ] {
            assert_eq!(found(text), Some(WrittenBack::Mark), "{text}");
        }
    }

    #[test]
    fn what_is_no_mark_passes() {
        for text in [
            "update users set email = 'pii.email'",
            "update t set a = 'il dit ‹bonjour› et part'",
            "update t set a = '‹pii.email and more›'",
            "update t set a = '‹‹pii.email'",
            "select 1 /* ‹pii.email› */",
            "select 1 as \"‹pii.email›\" -- ‹pii.email›",
            "update t set a = '‹p›'",
            "update t set a = '\\u2039'",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn attack_23_a_pseudonym_that_was_handed_out_is_known_again() {
        for text in [
            "update users set email = 'qwerty@zxcv.invalid'",
            "select 1 where email = E'qwerty\\x40zxcv.invalid'",
            "select 1 where id = 8123456790",
            "select 1 where id = '8123456790'::bigint",
        ] {
            assert_eq!(found(text), Some(WrittenBack::Pseudonym), "{text}");
        }
        assert_eq!(found("update t set a = 'mail qwerty@zxcv.invalid now'"), None, "whole constants only");
    }

    #[test]
    fn attack_23_parameters_are_read_in_both_formats() {
        let labels = Labels::builtin();
        let handed_out = HandedOut::default();
        handed_out.note("8123456790");
        let marks = Marks { labels: &labels, handed_out: &handed_out };
        let parameter =
            |type_id, format, value: &[u8]| Parameter { type_id, format, value: Some(value.to_vec()) };
        for (parameter, expected) in [
            (parameter(25, ParameterFormat::Text, "‹catalog.values›".as_bytes()), Some(WrittenBack::Mark)),
            (
                parameter(3802, ParameterFormat::Binary, b"\x01[\"\\u2039US_SSN\\u203a\"]"),
                Some(WrittenBack::Mark),
            ),
            (
                parameter(20, ParameterFormat::Binary, &8_123_456_790_i64.to_be_bytes()),
                Some(WrittenBack::Pseudonym),
            ),
            (parameter(0, ParameterFormat::Text, b"8123456790"), Some(WrittenBack::Pseudonym)),
            (parameter(20, ParameterFormat::Binary, &7_i64.to_be_bytes()), None),
            (parameter(25, ParameterFormat::Text, b"alice"), None),
        ] {
            assert_eq!(
                marks.in_operation(b"select $1", std::slice::from_ref(&parameter)),
                expected,
                "{parameter:?}"
            );
        }
    }
}
