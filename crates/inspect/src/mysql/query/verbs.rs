//! The verb a statement begins with, and the options behind it.

use sallyport_core::Unknown;

use super::super::lexer::{Kind, Lexeme};
use super::keywords::word;
use super::level::Clause;
use super::tokens::Converter;

impl<'a, 't> Converter<'a, 't> {
    /// The verb of a data-changing statement with its options.
    pub(super) fn verb(&mut self, lexeme: &'a Lexeme<'t>) -> Result<bool, Unknown> {
        if lexeme.kind != Kind::Word {
            return Ok(false);
        }
        let options: &[&str] = match lexeme.text.to_ascii_uppercase().as_str() {
            "INSERT" => &["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"],
            "REPLACE" => &["LOW_PRIORITY", "DELAYED"],
            "UPDATE" => &["LOW_PRIORITY", "IGNORE"],
            "DELETE" => &["LOW_PRIORITY", "QUICK", "IGNORE"],
            // A query's or CTE's own.
            "SELECT" | "VALUES" | "TABLE" => {
                self.step(lexeme)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let verb = lexeme.text.to_ascii_uppercase();
        self.push(word(&verb));
        self.at += 1;
        while options.iter().any(|option| self.is_word(0, option)) {
            self.at += 1;
        }
        match verb.as_str() {
            "INSERT" | "REPLACE" if !self.is_word(0, "INTO") => self.words(&["INTO"]),
            "UPDATE" => self.level.clause = Clause::UpdateTables,
            "DELETE" => {
                self.level.clause = Clause::DeleteTargets;
                if self.is_word(0, "HISTORY") && self.is_word(1, "FROM") {
                    self.at += 1;
                }
            }
            _ => {}
        }
        Ok(true)
    }
}
