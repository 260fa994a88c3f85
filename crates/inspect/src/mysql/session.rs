//! What a statement of the text changes for the reading of those behind it.
//!
//! The server reads a text statement by statement, each under the mode and character set that the ones before
//! have left. Constant settings are followed; of others nothing is known afterwards, so that what depends on
//! them is ambiguous.

use sallyport_core::{Unknown, UnknownCode};
use sqlparser::ast::{Expr, Value};

use super::context::SqlMode;
use super::lexer::Lexer;
use super::own::{Assignment, AssignmentTarget, Scope, Source, Statement};
use super::reading::Parsed;

/// The state that the statements leave.
#[derive(Debug)]
pub(super) struct Session {
    character_set: String,
    /// How many bytes at the end of the text are ASCII.
    ascii_tail: usize,
    /// Prepared statements of which the text was seen and changes nothing.
    harmless: Vec<String>,
    pub(super) doubt: Option<&'static str>,
}

impl Session {
    pub(super) fn new(character_set: &str, text: &str) -> Self {
        let ascii_tail = text.bytes().rev().take_while(u8::is_ascii).count();
        Self {
            character_set: character_set.to_ascii_lowercase(),
            ascii_tail,
            harmless: Vec::new(),
            doubt: None,
        }
    }

    /// Takes the effects of a statement. An error when what follows cannot be read.
    pub(super) fn follow(&mut self, parsed: &Parsed, lexer: &mut Lexer<'_>) -> Result<(), Unknown> {
        let Parsed::Own(statement) = parsed else { return Ok(()) };
        match statement.as_ref() {
            Statement::Set(assignments) => {
                for assignment in assignments {
                    self.assign(assignment, lexer)?;
                }
            }
            // Set back after the statement that it is for. That is read before it is set, but not a text that
            // it prepares or runs.
            Statement::SetStatement { assignments, statement } => {
                let reading = assignments.iter().any(|assignment| match &assignment.target {
                    AssignmentTarget::System { name, .. } => {
                        name == "sql_mode" || name == "character_set_client"
                    }
                    AssignmentTarget::User(_) => false,
                });
                if reading && matches!(**statement, Parsed::Own(_)) {
                    self.doubt.get_or_insert("a text that is run under another mode");
                }
                self.follow(statement, lexer)?;
            }
            Statement::SetNames { value, .. } => self.character_set(value.as_deref(), lexer)?,
            Statement::Prepare { name, source } => {
                let name = name.value.to_lowercase();
                self.harmless.retain(|known| *known != name);
                let known = matches!(source, Source::Text(text) if !changes_reading(text));
                // Of more than a session keeps, nothing is known: it would take the square to look them up.
                if known && self.harmless.len() < 64 {
                    self.harmless.push(name);
                }
            }
            Statement::Execute { name, .. } if self.harmless.contains(&name.value.to_lowercase()) => {}
            Statement::ExecuteImmediate { source: Source::Text(text), .. } if !changes_reading(text) => {}
            Statement::Execute { .. } | Statement::ExecuteImmediate { .. } | Statement::Call { .. } => {
                lexer.rules.mode_known = false;
                self.character_set(None, lexer)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn assign(&mut self, assignment: &Assignment, lexer: &mut Lexer<'_>) -> Result<(), Unknown> {
        let AssignmentTarget::System { scope: Scope::Session, name } = &assignment.target else {
            return Ok(());
        };
        let value = assignment.value.as_ref().and_then(constant);
        match name.as_str() {
            "sql_mode" => {
                // A number is a set of bits, which nobody writes.
                let known = value
                    .filter(|value| !value.bytes().all(|byte| byte.is_ascii_digit()) || value.is_empty());
                lexer.rules.mode_known = known.is_some();
                lexer.rules.mode = known.map_or(lexer.rules.mode, SqlMode::named);
            }
            "character_set_client" | "names" | "character_set" => self.character_set(value, lexer)?,
            _ => {}
        }
        Ok(())
    }

    /// The rest was decoded by the old character set: it reads the same under the new one only in ASCII.
    fn character_set(&mut self, name: Option<&str>, lexer: &Lexer<'_>) -> Result<(), Unknown> {
        let name = name.unwrap_or("?").to_ascii_lowercase();
        let unicode = |name: &str| matches!(name, "utf8" | "utf8mb3" | "utf8mb4");
        let same = name == self.character_set || (unicode(&name) && unicode(&self.character_set));
        if !same && lexer.rest().len() > self.ascii_tail {
            let detail = "text in another character set than that before it".to_owned();
            return Err(Unknown { code: UnknownCode::Ambiguous, detail });
        }
        self.character_set = name;
        Ok(())
    }
}

/// Whether a text that is run may change how the next ones are read.
fn changes_reading(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["sql_mode", "character", "charset", "names", "execute", "call"].iter().any(|word| text.contains(word))
}

/// The value of a constant, or of a bare word.
fn constant(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::Number(text, _) => Some(text),
            _ => None,
        },
        Expr::Identifier(word) if !word.value.starts_with('@') => Some(&word.value),
        _ => None,
    }
}
