//! The entry: a text in, [`Facts`] out, never a failure.

use sallyport_core::{Facts, Language, UnknownCode};

use super::engine;
use super::syntax::Dialect;

/// The longest text that is read: twice what one argument of a program may hold.
const LONGEST: usize = 256 * 1024;

/// Which shell reads a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// bash.
    #[default]
    Bash,
    /// Any POSIX shell: what they read differently is ambiguous.
    Posix,
}

/// Reads what a text would do. Never fails: what cannot be read is `unknown` in the facts.
#[must_use]
pub fn inspect(bytes: &[u8], flavour: Flavour) -> Facts {
    let unknown = |code, detail: &str| Facts::unknown(Language::Shell, code, detail);
    if bytes.len() > LONGEST {
        return unknown(UnknownCode::TooLarge, "longer than 256 KiB");
    }
    if bytes.contains(&0) {
        return unknown(UnknownCode::Encoding, "a NUL, which shells drop or stop at");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return unknown(UnknownCode::Encoding, "not UTF-8");
    };
    let dialect = match flavour {
        Flavour::Bash => Dialect::Bash,
        Flavour::Posix => Dialect::Posix,
    };
    engine::facts(text, dialect)
}
