//! The entry: bytes in, [`Inspection`] out, never a failure.

use sallyport_core::{Facts, Language, UnknownCode};

use super::facts::{Reader, indifferent};
use super::shape::Shape;
use super::statement::{Context, Given, Inspection};
use crate::room;

use super::{nesting, text};

/// Reads what a text would do. Never fails: what cannot be read is `unknown` in the facts.
#[must_use]
pub fn inspect(bytes: &[u8], context: &Context<'_>) -> Inspection {
    read(bytes, context, Given::default(), None).inspection
}

/// What was read, and for which texts it holds.
pub(super) struct Read {
    pub(super) inspection: Inspection,
    /// Whether the session's prepared statements or cursors were looked up.
    pub(super) consulted: bool,
    /// Whether it holds for every text of the shape.
    pub(super) of_shape: bool,
}

/// As [`inspect`]; `shape` is the text's, if it has one and that is of interest.
pub(super) fn read(bytes: &[u8], context: &Context<'_>, given: Given<'_>, shape: Option<&Shape>) -> Read {
    room::with(|| read_here(bytes, context, given, shape)).unwrap_or_else(|| {
        let facts = Facts::unknown(Language::Postgres, UnknownCode::TooLarge, "no stack to read it with");
        Read { inspection: Inspection { facts, statements: Vec::new() }, consulted: true, of_shape: false }
    })
}

fn read_here(bytes: &[u8], context: &Context<'_>, given: Given<'_>, shape: Option<&Shape>) -> Read {
    let parsed = text::decode(bytes, context).and_then(|text| Ok((text, text::parse(text)?)));
    let (text, parsed) = match parsed {
        Ok(parsed) => parsed,
        Err(unknown) => {
            let facts = Facts::unknown(Language::Postgres, unknown.code, unknown.detail);
            let inspection = Inspection { facts, statements: Vec::new() };
            return Read { inspection, consulted: false, of_shape: false };
        }
    };
    let mut reader = Reader::new(context, given);
    let statements: Vec<_> = parsed.stmts.iter().map(|raw| reader.statement(raw, text.len())).collect();
    let found = reader.found();
    let mut facts = Facts {
        language: Language::Postgres,
        statements: statements.len(),
        unknown: found.unknown.clone(),
        actions: found.actions(),
    };
    if nesting::is_ambiguous(text, context) {
        facts.unknown = Some(sallyport_core::Unknown {
            code: UnknownCode::Ambiguous,
            detail: "a backslash in a plain literal, and standard_conforming_strings is off".to_owned(),
        });
    }
    let of_shape = shape.is_some_and(|shape| shape.holds_all(bytes, &indifferent::numbers(&parsed)));
    Read { consulted: reader.consulted_memory(), inspection: Inspection { facts, statements }, of_shape }
}
