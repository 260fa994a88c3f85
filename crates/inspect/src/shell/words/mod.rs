//! From words as they are written to words as programs get them, as far as that is known before they run.
//!
//! `brace` makes several words of one; `expand` evaluates quotes, variables, substitutions and arithmetic
//! into pieces; `fields` splits the pieces and puts words together.

mod brace;
mod expand;
mod fields;

pub(super) use fields::Field;
