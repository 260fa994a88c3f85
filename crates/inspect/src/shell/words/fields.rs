//! Pieces into words: splitting, patterns, and how far each word is known.

use std::rc::Rc;

use sallyport_core::UnknownCode;

use super::brace::{self, Bit};
use super::expand::{Known, Piece};
use crate::shell::engine::{Engine, Value};
use crate::shell::syntax::{Dialect, Part, Word as Written};
use crate::shell::word::{Sureness, Word};

/// A word as a program gets it.
#[derive(Clone, Debug)]
pub(in crate::shell) struct Field {
    pub(in crate::shell) word: Word,
    /// Holds something of a harmless form that stands as it is written.
    pub(in crate::shell) is_written: bool,
    /// Nothing in it was quoted or expanded.
    pub(in crate::shell) is_bare: bool,
}

impl Field {
    /// What a variable is worth that is given this.
    pub(in crate::shell) fn value(&self) -> Value {
        let text = Rc::from(self.word.text.as_str());
        match self.word.sure {
            Sureness::Constant if self.is_written => Value::Written(text),
            Sureness::Constant => Value::Text(text),
            Sureness::Pattern => Value::Pattern(text),
            Sureness::One | Sureness::Any => Value::Unknown,
        }
    }
}

impl Engine {
    /// All that a written word comes to.
    pub(in crate::shell) fn fields(&mut self, written: &Written) -> Vec<Field> {
        if let [part] = written.parts.as_slice()
            && let Some(words) = self.elements(part)
        {
            self.spend(words.len());
            return words.iter().map(|word| field(word.text.clone(), word.sure, false, false)).collect();
        }
        let mut fields = Vec::new();
        if brace::is_braced(&written.parts) {
            match brace::expand(&written.parts) {
                Some(words) => {
                    if words.len() > 1 && self.dialect == Dialect::Posix {
                        self.found.unknown(UnknownCode::Ambiguous, "braces, which only some shells expand");
                    }
                    for bits in words {
                        let mut pieces = Vec::new();
                        self.expand_bits(&bits, &mut pieces);
                        self.split(pieces, written, &mut fields);
                    }
                }
                None => {
                    self.expand_parts(&written.parts, false, &mut Vec::new());
                    fields.push(field(written.source.clone(), Sureness::Any, false, false));
                }
            }
        } else {
            let mut pieces = Vec::new();
            self.expand_parts(&written.parts, false, &mut pieces);
            self.split(pieces, written, &mut fields);
        }
        self.spend(fields.len());
        fields
    }

    /// A word that is neither split nor braced: what is assigned, a redirection's target, a here-string.
    pub(in crate::shell) fn single(&mut self, written: &Written) -> Field {
        let mut pieces = Vec::new();
        self.expand_parts(&written.parts, false, &mut pieces);
        self.tilde(&mut pieces);
        let is_bare = written.literal().is_some();
        let mut whole = Building::default();
        for piece in &pieces {
            whole.push(piece, &piece.text);
        }
        whole.finish(written, is_bare)
    }

    /// One expansion as in double quotes.
    pub(in crate::shell) fn quoted_part(&mut self, part: &Part) -> Field {
        let mut pieces = Vec::new();
        self.expand_part(part, true, &mut pieces);
        let mut whole = Building::default();
        for piece in &pieces {
            whole.push(piece, &piece.text);
        }
        whole.finish(&Written::default(), false)
    }

    fn expand_bits(&mut self, bits: &[Bit<'_>], pieces: &mut Vec<Piece>) {
        let mut literal = String::new();
        let mut after_name = false;
        for bit in bits {
            // Braces are expanded before names are read: what they put behind a name belongs to it.
            let joins = matches!(bit, Bit::Char(c) if after_name && (c.is_ascii_alphanumeric() || matches!(c, '_' | '[')));
            if joins || matches!(bit, Bit::Char('$')) {
                pieces.push(Piece::unknown());
            }
            after_name = matches!(bit, Bit::Part(Part::Expansion(_, source))
                if source.starts_with('$') && source.trim_end_matches("\\\n").ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
            match bit {
                Bit::Char(c) => literal.push(*c),
                Bit::Part(part) => {
                    if !literal.is_empty() {
                        let text = Part::Literal(std::mem::take(&mut literal));
                        self.expand_part(&text, false, pieces);
                    }
                    self.expand_part(part, false, pieces);
                }
            }
        }
        if !literal.is_empty() {
            self.expand_part(&Part::Literal(literal), false, pieces);
        }
    }

    /// A leading tilde is what `$HOME` is, if the text has changed that.
    fn tilde(&mut self, pieces: &mut [Piece]) {
        if !self.env.is_set("HOME") {
            return;
        }
        let Some(first) = pieces.first_mut().filter(|piece| !piece.quoted && !piece.expanded) else { return };
        let Some(rest) = first.text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'))
        else {
            return;
        };
        match self.env.get("HOME") {
            Value::Text(home) => first.text = format!("{home}{rest}"),
            _ => first.known = Known::No,
        }
    }

    fn split(&mut self, mut pieces: Vec<Piece>, written: &Written, fields: &mut Vec<Field>) {
        self.tilde(&mut pieces);
        let separators = self.env.get("IFS");
        let is_bare = written.literal().is_some();
        let mut current = Building::default();
        for piece in &pieces {
            let splits = piece.expanded && !piece.quoted && matches!(piece.known, Known::Yes);
            if !splits {
                current.push(piece, &piece.text);
                continue;
            }
            let Value::Text(separators) = &separators else {
                current.any = true;
                continue;
            };
            let mut rest = piece.text.as_str();
            loop {
                let end = rest.find(|c| separators.contains(c));
                let (text, after) = match end {
                    Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end..).unwrap_or_default()),
                    None => (rest, ""),
                };
                if !text.is_empty() {
                    current.push(piece, text);
                }
                let mut after = after.chars();
                let Some(separator) = after.next() else { break };
                rest = after.as_str();
                if current.is_something() || !separator.is_whitespace() {
                    current.kept = true;
                    fields.push(std::mem::take(&mut current).finish(written, false));
                }
            }
        }
        if current.is_something() {
            fields.push(current.finish(written, is_bare));
        }
    }
}

/// A word that is being put together.
#[derive(Debug, Default)]
struct Building {
    text: String,
    one: bool,
    any: bool,
    pattern: bool,
    written: bool,
    /// There is a word even when its text is empty.
    kept: bool,
}

impl Building {
    fn push(&mut self, piece: &Piece, text: &str) {
        self.text.push_str(text);
        self.kept |= piece.quoted && piece.known != Known::Many;
        match piece.known {
            Known::Yes => self.pattern |= !piece.quoted && is_pattern(text),
            Known::Pattern => self.pattern = true,
            Known::Written => self.written = true,
            Known::No if piece.quoted => self.one = true,
            Known::No | Known::Many => self.any = true,
        }
    }

    fn is_something(&self) -> bool {
        self.kept || self.any || self.one || !self.text.is_empty()
    }

    fn finish(self, written: &Written, is_bare: bool) -> Field {
        let sure = match self {
            Self { any: true, .. } => Sureness::Any,
            Self { one: true, .. } => Sureness::One,
            Self { pattern: true, .. } => Sureness::Pattern,
            _ => Sureness::Constant,
        };
        let text = if self.any || self.one { written.source.clone() } else { self.text };
        field(text, sure, self.written, is_bare && sure == Sureness::Constant)
    }
}

fn field(text: String, sure: Sureness, is_written: bool, is_bare: bool) -> Field {
    Field { word: Word { text, sure }, is_written, is_bare }
}

/// Whether a text has the characters of a path pattern.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
        || text.find('[').is_some_and(|open| text.get(open..).is_some_and(|rest| rest.contains(']')))
}
