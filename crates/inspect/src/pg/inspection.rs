//! The entry: bytes in, [`Inspection`] out, never a failure.

use sallyport_core::{Facts, Language, UnknownCode};

use super::facts::Reader;
use super::statement::{Context, Given, Inspection};
use crate::room;

use super::{nesting, text};

/// Reads what a text would do. Never fails: what cannot be read is `unknown` in the facts.
#[must_use]
pub fn inspect(bytes: &[u8], context: &Context<'_>) -> Inspection {
    read(bytes, context, Given::default()).0
}

/// As [`inspect`], with whether the session's prepared statements or cursors were looked up.
pub(super) fn read(bytes: &[u8], context: &Context<'_>, given: Given<'_>) -> (Inspection, bool) {
    room::with(|| read_here(bytes, context, given)).unwrap_or_else(|| {
        let facts = Facts::unknown(Language::Postgres, UnknownCode::TooLarge, "no stack to read it with");
        (Inspection { facts, statements: Vec::new() }, true)
    })
}

fn read_here(bytes: &[u8], context: &Context<'_>, given: Given<'_>) -> (Inspection, bool) {
    let parsed = text::decode(bytes, context).and_then(|text| Ok((text, text::parse(text)?)));
    let (text, parsed) = match parsed {
        Ok(parsed) => parsed,
        Err(unknown) => {
            let facts = Facts::unknown(Language::Postgres, unknown.code, unknown.detail);
            return (Inspection { facts, statements: Vec::new() }, false);
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
    let consulted = reader.consulted_memory();
    (Inspection { facts, statements }, consulted)
}
