//! A word of a command line, as far as it is known before it runs.
//!
//! The engine (`engine`) evaluates what the shell would expand; the programs' descriptions
//! (`programs`) see words in this form and nothing of the grammar.

/// One argument that a program would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The argument itself where it is constant, quotes removed; else as it was written.
    pub(super) text: String,
    /// How far `text` is what the program gets.
    pub(super) sure: Sureness,
}

/// How far a word is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sureness {
    /// The program gets exactly this text.
    Constant,
    /// A path pattern (`*.log`): the program gets the matching paths, none of which starts with `-`
    /// unless the pattern itself could match such a name.
    Pattern,
    /// Built at run time, but one argument for certain (`"$x"`): it may be any text.
    One,
    /// Built at run time, and any number of arguments (`$x`, `$@`, `$(…)` without quotes).
    Any,
}

impl Word {
    /// A constant argument.
    pub(super) fn constant(text: impl Into<String>) -> Self {
        Self { text: text.into(), sure: Sureness::Constant }
    }

    /// The text, when it is constant.
    pub(super) fn as_constant(&self) -> Option<&str> {
        (self.sure == Sureness::Constant).then_some(self.text.as_str())
    }

    /// Whether the argument is built at run time.
    pub(super) fn is_dynamic(&self) -> bool {
        matches!(self.sure, Sureness::One | Sureness::Any)
    }
}
