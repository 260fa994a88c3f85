//! What a text is made of, as bits, and what a detector must have of it.
//!
//! [`Parts::read`](crate::parts::Parts::read) finds them in its one pass over the bytes. A detector says by its
//! [`Needs`] which of them every match has; whoever lacks one is not called. Most values have nothing that any
//! detector could want (a name, a status, a short number), and nothing else runs for them.

/// Kinds of bytes, as bits.
pub(crate) const DIGIT: u64 = 1;
pub(crate) const LOWER: u64 = 1 << 1;
pub(crate) const UPPER: u64 = 1 << 2;
pub(crate) const AT: u64 = 1 << 3;
pub(crate) const COLON: u64 = 1 << 4;
pub(crate) const DOT: u64 = 1 << 5;
pub(crate) const DASH: u64 = 1 << 6;
pub(crate) const UNDERSCORE: u64 = 1 << 7;
pub(crate) const EQUALS: u64 = 1 << 8;
pub(crate) const PLUS: u64 = 1 << 9;
pub(crate) const SLASH: u64 = 1 << 10;
/// `%`, `&`, `\`: may write another character.
pub(crate) const ESCAPE: u64 = 1 << 11;
/// Not ASCII.
pub(crate) const HIGH: u64 = 1 << 12;
pub(crate) const GREATER: u64 = 1 << 13;
pub(crate) const SPACE: u64 = 1 << 14;
/// A parenthesis.
pub(crate) const OPEN: u64 = 1 << 15;
/// `!`, `#`, `$`, `*`, `?`, `^`, `~` and the like: signs that passwords have.
pub(crate) const SIGN: u64 = 1 << 16;
/// Everything else: quotes, brackets, commas, control characters.
pub(crate) const OTHER: u64 = 1 << 17;

// What is found beyond single bytes.
/// Two colons or more; two of them side by side.
pub(crate) const COLONS: u64 = 1 << 24;
pub(crate) const COLON_PAIR: u64 = 1 << 25;
/// Two dashes side by side.
pub(crate) const DASH_PAIR: u64 = 1 << 26;
/// Seven digits or more; as many in one row of groups.
pub(crate) const SEVEN: u64 = 1 << 27;
pub(crate) const ROW: u64 = 1 << 28;
/// Four numbers with dots between.
pub(crate) const DOTTED: u64 = 1 << 29;
/// A word of base64 of so many bytes or more.
pub(crate) const WORD_10: u64 = 1 << 30;
pub(crate) const WORD_12: u64 = 1 << 31;
pub(crate) const WORD_16: u64 = 1 << 32;
pub(crate) const WORD_20: u64 = 1 << 33;
pub(crate) const WORD_40: u64 = 1 << 34;
/// A token that ends as `password` and `identified` do.
pub(crate) const TOLD: u64 = 1 << 35;
/// A token of so many bytes or more.
pub(crate) const TOKEN_26: u64 = 1 << 36;
/// A token of letters and digits of exactly so many.
pub(crate) const MIXED_4: u64 = 1 << 37;
pub(crate) const MIXED_5: u64 = 1 << 38;
pub(crate) const MIXED_8_9: u64 = 1 << 39;
pub(crate) const MIXED_10: u64 = 1 << 40;
pub(crate) const MIXED_16: u64 = 1 << 41;
/// One letter alone; two with a digit right behind what parts them.
pub(crate) const LETTERS_1: u64 = 1 << 42;
pub(crate) const PAIR: u64 = 1 << 43;
/// Two letters and two digits at the start of a token.
pub(crate) const ACCOUNT: u64 = 1 << 44;
/// A token of up to five characters that starts with a digit.
pub(crate) const SHORT_NUMBER: u64 = 1 << 45;
/// A capital behind a space, not the first word that has one, in a text longer than a name.
pub(crate) const NAMES: u64 = 1 << 46;
/// Some tokens of one size stand in a row, as those of a value taken apart do.
pub(crate) const APART: u64 = 1 << 47;
/// Three or more tokens of two, or of four, characters in a row; one of twelve.
pub(crate) const OCTETS: u64 = 1 << 48;
/// A token starts as one of the words for a day of birth does, or changes its case within.
pub(crate) const BIRTH: u64 = 1 << 49;
/// A token starts as a JSON object in base64 does: `ey`, `ew`.
pub(crate) const OBJECT: u64 = 1 << 50;
/// A token starts as `bearer` and `Basic` do.
pub(crate) const BEARER: u64 = 1 << 51;
/// A token starts as those of GitHub do.
pub(crate) const GITHUB: u64 = 1 << 52;
/// A letter of either case.
pub(crate) const LETTER: u64 = 1 << 53;
/// A token starts as words for a street do, or ends as they do and starts with a capital.
pub(crate) const STREET: u64 = 1 << 54;
/// A word may say what a value is.
pub(crate) const TELLING: u64 = 1 << 55;
/// The whole text is one run of letters, digits and the signs that passwords have, of 8 to 64 bytes.
pub(crate) const LONE: u64 = 1 << 56;

/// A dash behind a space, as flags of programs have it.
pub(crate) const FLAG: u64 = 1 << 57;
/// `at` in brackets or capitals, or with `dot` somewhere; an `@` that is no part of a word.
pub(crate) const SPELLED_AT: u64 = 1 << 58;
/// Characters as quoted-printable text writes them, or one of its soft line breaks.
pub(crate) const QUOTED: u64 = 1 << 59;
/// Two groups of digits with something unusual between them, or a long fraction with an exponent.
pub(crate) const UNUSUAL: u64 = 1 << 60;

/// Kinds that are not in such a run.
pub(crate) const NOT_LONE: u64 = COLON | DOT | EQUALS | SLASH | GREATER | SPACE | HIGH | OTHER;

const fn kind(byte: u8) -> u32 {
    let kind = match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'z' => LOWER,
        b'A'..=b'Z' => UPPER,
        b' ' => SPACE,
        b'>' => GREATER,
        b'@' => AT,
        b':' => COLON,
        b'.' => DOT,
        b'-' => DASH,
        b'_' => UNDERSCORE,
        b'=' => EQUALS,
        b'+' => PLUS,
        b'/' => SLASH,
        b'%' | b'&' | b'\\' => ESCAPE,
        b'(' | b')' => OPEN,
        b'!' | b'#' | b'$' | b'*' | b'?' | b'^' | b'~' => SIGN,
        0x80.. => HIGH,
        _ => OTHER,
    };
    #[expect(clippy::cast_possible_truncation, reason = "kinds of bytes are the lowest eighteen bits")]
    {
        kind as u32
    }
}

/// The kinds of each byte.
const KINDS: [u32; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0_u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256; checked when it is compiled")]
        {
            kinds[byte as usize] = kind(byte);
        }
        match byte.checked_add(1) {
            Some(next) => byte = next,
            None => break kinds,
        }
    }
};

/// The kind of a byte.
#[inline]
pub(crate) fn kind_of(byte: u8) -> u32 {
    KINDS.get(usize::from(byte)).copied().unwrap_or(0)
}

/// What a text is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// Bits of all that is above.
    pub(crate) bits: u64,
    pub(crate) digits: usize,
    pub(crate) length: usize,
    /// Bytes of the longest word of base64.
    pub(crate) longest: usize,
}

impl Features {
    /// Whether any of these is there.
    #[inline]
    pub(crate) fn any(self, bits: u64) -> bool {
        self.bits & bits != 0
    }

    /// Whether all of these are there.
    #[inline]
    pub(crate) fn all(self, bits: u64) -> bool {
        self.bits & bits == bits
    }
}

/// The least a text must have for a detector to be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    all: u64,
    /// Of which one must be there.
    any: u64,
}

impl Needs {
    /// All of these.
    pub(crate) const fn all(all: u64) -> Self {
        Self { all, any: u64::MAX }
    }

    /// And one of these.
    pub(crate) const fn any(self, any: u64) -> Self {
        Self { any, ..self }
    }

    /// Whether a text of these bits has it.
    #[inline]
    pub(crate) fn met_by(&self, bits: u64) -> bool {
        (bits & self.all == self.all) & (bits & self.any != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_met_by_what_is_there() {
        let needs = Needs::all(AT | DOT).any(ROW | COLON);
        assert!(needs.met_by(AT | DOT | COLON) && needs.met_by(AT | DOT | COLON | ROW));
        assert!(!needs.met_by(AT | DOT) && !needs.met_by(AT | COLON) && !needs.met_by(0));
        assert!(!Needs::all(0).met_by(0) && Needs::all(0).met_by(SPACE), "an empty text is nobody's");
    }
}
