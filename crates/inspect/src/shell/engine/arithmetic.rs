//! Arithmetic. It evaluates more than its text: the values of the names in it are expressions again, and
//! subscripts are expanded, so that `x='a[$(id)]'; (( x ))` runs `id`.

use sallyport_core::UnknownCode;

use super::{Engine, Value, is_integer};
use crate::shell::syntax::{self, Expansion, Part, is_name};
use crate::shell::word::{Sureness, Word};
use crate::shell::words::Field;

/// How often a value's value is followed.
const MOST_ROUNDS: usize = 4;

impl Engine {
    /// Walks what evaluating an expression runs.
    pub(in crate::shell) fn arithmetic(&mut self, parts: &[Part]) {
        let mut text = String::new();
        self.arithmetic_parts(parts, &mut text);
        self.arithmetic_text(&text, 0);
    }

    /// A variable's subscript: an expression, unless the variable is known to be associative.
    pub(in crate::shell) fn subscript(&mut self, name: &str, parts: &[Part]) {
        if self.env.is_associative(name) {
            self.arithmetic_parts(parts, &mut String::new());
        } else {
            self.arithmetic(parts);
        }
    }

    fn arithmetic_parts(&mut self, parts: &[Part], text: &mut String) {
        for part in parts {
            match part {
                Part::Literal(literal) | Part::Quoted(literal) => text.push_str(literal),
                Part::Double(inner) => self.arithmetic_parts(inner, text),
                Part::Expansion(expansion, _) if matches!(expansion.as_ref(), Expansion::Arithmetic(_)) => {
                    self.quoted_part(part);
                    text.push('0');
                }
                Part::Expansion(..) => {
                    let field = self.quoted_part(part);
                    match (field.word.sure, field.is_written) {
                        (Sureness::Constant, false) => text.push_str(&field.word.text),
                        (Sureness::Constant, true) => text.push('0'),
                        _ => {
                            self.found
                                .unknown(UnknownCode::Dynamic, "arithmetic on a value that is not known");
                            text.push('0');
                        }
                    }
                }
            }
        }
    }

    /// A word that is evaluated: an operand of `-eq`, an argument of `let`.
    pub(in crate::shell) fn arithmetic_word(&mut self, field: &Field) {
        match field.word.sure {
            Sureness::Constant if field.is_written => {}
            Sureness::Constant | Sureness::Pattern => self.arithmetic_text(&field.word.text, 0),
            Sureness::One | Sureness::Any => {
                self.found.unknown(UnknownCode::Dynamic, "arithmetic on a value that is not known");
            }
        }
    }

    /// A variable's name that a built-in is given: what stands in its subscript is evaluated.
    pub(in crate::shell) fn name_argument(&mut self, word: &Word) {
        let name = word.text.split('[').next().unwrap_or_default();
        let is_listed = word.sure == Sureness::Pattern && name.contains(['$', '*', '?']);
        if word.is_dynamic() || is_listed {
            self.found.unknown(UnknownCode::Dynamic, "a variable's name that is built");
        } else if let Some((_, subscript)) = word.text.split_once('[') {
            let subscript = subscript.rsplit_once(']').map_or(subscript, |(inside, _)| inside);
            if !matches!(subscript, "@" | "*") {
                self.arithmetic_text(subscript, 0);
            }
        }
    }

    pub(in crate::shell) fn arithmetic_text(&mut self, text: &str, round: usize) {
        if text.contains(['$', '`']) {
            // Expanded once more when the subscript is evaluated.
            self.found.unknown(UnknownCode::Dynamic, "arithmetic that expands a text");
            if round < MOST_ROUNDS {
                match syntax::read_arithmetic(text, self.dialect, self.nesting()) {
                    Ok(parts) => {
                        let mut inner = String::new();
                        self.deeper(|engine| engine.arithmetic_parts(&parts, &mut inner));
                        if inner != text {
                            self.arithmetic_text(&inner, round + 1);
                        }
                    }
                    Err(unknown) => self.found.unknown(unknown.code, unknown.detail),
                }
            }
            return;
        }
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            let before = rest.get(..start).unwrap_or_default().trim_end();
            let word = rest.get(start..).unwrap_or_default();
            let end = word
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '#' | '@'))
                .unwrap_or(word.len());
            let (name, after) = word.split_at(end);
            if is_name(name) {
                self.arithmetic_name(name, before, after.trim_start(), round);
            }
            rest = after;
        }
    }

    fn arithmetic_name(&mut self, name: &str, before: &str, after: &str, round: usize) {
        let is_assigned = after.starts_with('=') && !after.starts_with("==");
        let is_changed = before.ends_with("++")
            || before.ends_with("--")
            || after.starts_with("++")
            || after.starts_with("--")
            || after.get(1..2) == Some("=") && !after.starts_with(['=', '!', '<', '>'])
            || after.starts_with("<<=")
            || after.starts_with(">>=");
        if !is_assigned {
            match self.env.get(name) {
                Value::Number | Value::Written(_) if !after.starts_with('[') => {}
                Value::Text(value) if is_integer(&value) && !after.starts_with('[') => {}
                Value::Text(value) if round < MOST_ROUNDS => self.arithmetic_text(&value, round + 1),
                _ => self
                    .found
                    .unknown(UnknownCode::Dynamic, format!("arithmetic on {name}, which is not known")),
            }
        }
        if is_assigned || is_changed {
            self.env.set(name, Value::Number);
        }
    }
}
