//! Clauses that `sqlparser` does not know: passed over where they mean nothing to facts, taken out or rewritten
//! where they do.

use sallyport_core::Unknown;
use sqlparser::tokenizer::Token;

use super::super::lexer::{Kind, Lexeme};
use super::forms::is_unit;
use super::keywords::identifier;
use super::level::Clause;
use super::tokens::{Converter, unsupported};
use super::{Into, unparsable};

impl<'a, 't> Converter<'a, 't> {
    /// `_utf8mb4'x'`: the character set says nothing to facts.
    pub(super) fn introducer(&self, upper: &str) -> bool {
        const SETS: [&str; 42] = [
            "_ARMSCII8",
            "_ASCII",
            "_BIG5",
            "_BINARY",
            "_CP1250",
            "_CP1251",
            "_CP1256",
            "_CP1257",
            "_CP850",
            "_CP852",
            "_CP866",
            "_CP932",
            "_DEC8",
            "_EUCJPMS",
            "_EUCKR",
            "_GB18030",
            "_GB2312",
            "_GBK",
            "_GEOSTD8",
            "_GREEK",
            "_HEBREW",
            "_HP8",
            "_KEYBCS2",
            "_KOI8R",
            "_KOI8U",
            "_LATIN1",
            "_LATIN2",
            "_LATIN5",
            "_LATIN7",
            "_MACCE",
            "_MACROMAN",
            "_SJIS",
            "_SWE7",
            "_TIS620",
            "_UCS2",
            "_UJIS",
            "_UTF16",
            "_UTF16LE",
            "_UTF32",
            "_UTF8",
            "_UTF8MB3",
            "_UTF8MB4",
        ];
        upper.starts_with('_')
            && self.peek(0).is_some_and(|next| matches!(next.kind, Kind::String | Kind::Hex | Kind::Bit))
            && SETS.contains(&upper)
    }

    pub(super) fn from(&mut self) -> Result<(), Unknown> {
        let dual = self.is_word(0, "DUAL")
            && !self.is_symbol(1, ",")
            && !self.is_symbol(1, ".")
            && !self.any_word(1, &["JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "NATURAL", "STRAIGHT_JOIN"]);
        if dual && self.level.clause == Clause::Other {
            self.at += 1;
            return Ok(());
        }
        if self.level.clause == Clause::DeleteTargets {
            // Targets stand before FROM, or between it and USING; those may be written `t.*`.
            let targets = self.tokens.len() == 1
                || matches!(self.tokens.last(), Some(Token::Word(w)) if w.value == "DELETE");
            let using = self
                .lexemes
                .get(self.at..)
                .unwrap_or_default()
                .iter()
                .take_while(|l| !l.is_symbol("("))
                .any(|l| l.is_word("USING"));
            if !targets || !using {
                self.level.clause = Clause::Other;
            }
        }
        self.words(&["FROM"]);
        Ok(())
    }

    /// `INTO OUTFILE 'f' …`, `INTO DUMPFILE 'f'`, `INTO @x, @y`; else INSERT's.
    pub(super) fn into(&mut self) -> Result<(), Unknown> {
        let file = |converter: &Self| match converter.peek(1) {
            Some(name) if name.kind == Kind::String => Ok(name.text.clone().into_owned()),
            _ => Err(unparsable("a file without a name".to_owned())),
        };
        if self.is_word(0, "DUMPFILE") {
            self.into.push(Into::Dumpfile(file(self)?));
            self.at += 2;
        } else if self.is_word(0, "OUTFILE") {
            self.into.push(Into::Outfile(file(self)?));
            self.at += 2;
            self.skip_format()?;
        } else if self.peek(0).is_some_and(|next| next.kind == Kind::Variable) {
            let mut variables = Vec::new();
            while let Some(name) = self.peek(0).filter(|next| next.kind == Kind::Variable) {
                variables.push(name.text.clone().into_owned());
                self.at += 1;
                if !self.is_symbol(0, ",") {
                    break;
                }
                self.at += 1;
            }
            self.into.push(Into::Variables(variables));
        } else {
            // SELECT … INTO a program's variable stands nowhere but in programs; INSERT's is the second word.
            if self.tokens.len() != 1
                && !matches!(self.tokens.last(), Some(Token::Word(w)) if w.value == "INSERT" || w.value == "REPLACE")
            {
                return Err(unparsable("INTO a variable outside a program".to_owned()));
            }
            self.words(&["INTO"]);
        }
        Ok(())
    }

    /// How a file is written.
    pub(super) fn skip_format(&mut self) -> Result<(), Unknown> {
        const WORDS: [&str; 12] = [
            "CHARACTER",
            "CHARSET",
            "FIELDS",
            "COLUMNS",
            "LINES",
            "TERMINATED",
            "OPTIONALLY",
            "ENCLOSED",
            "ESCAPED",
            "STARTING",
            "BY",
            "SET",
        ];
        while self.any_word(0, &WORDS) {
            let named = self.any_word(0, &["SET", "CHARSET"]);
            self.at += 1;
            let value = self.peek(0).is_some_and(|next| {
                matches!(next.kind, Kind::String | Kind::Hex | Kind::Bit)
                    || (named && next.kind == Kind::Word)
            });
            if value {
                self.at += 1;
            }
        }
        Ok(())
    }

    pub(super) fn for_clause(&mut self) -> Result<(), Unknown> {
        if self.any_word(0, &["UPDATE", "SHARE"]) {
            let share = self.is_word(0, "SHARE");
            self.at += 1;
            self.words(&["FOR", if share { "SHARE" } else { "UPDATE" }]);
            return self.lock_options();
        }
        if self.is_word(0, "SYSTEM_TIME") {
            self.at += 1;
            return self.system_time();
        }
        if self.is_word(0, "PORTION") {
            return Err(unsupported("FOR PORTION OF"));
        }
        self.words(&["FOR"]);
        Ok(())
    }

    /// What follows a locking clause. Of several tables after OF, all are left out: every table is locked then.
    pub(super) fn lock_options(&mut self) -> Result<(), Unknown> {
        if self.is_word(0, "OF") {
            let mut length = 1;
            while let Some(next) = self.peek(length) {
                let part = matches!(next.kind, Kind::Dotted | Kind::Quoted)
                    || next.is_symbol(".")
                    || next.is_symbol(",");
                let word = next.kind == Kind::Word
                    && !self.any_word(length, &["NOWAIT", "SKIP", "FOR", "LOCK", "INTO", "UNION", "LIMIT"]);
                if !part && !word {
                    break;
                }
                length += 1;
            }
            if length == 2 {
                self.words(&["OF"]);
                if let Some(table) = self.peek(1) {
                    self.push(identifier(table.text.clone().into_owned(), None));
                }
            }
            self.at += length;
        }
        if self.is_word(0, "WAIT") {
            self.at += 2;
        }
        Ok(())
    }

    /// MariaDB's `FOR SYSTEM_TIME`, when its bounds are constants.
    pub(super) fn system_time(&mut self) -> Result<(), Unknown> {
        if self.is_word(0, "ALL") {
            self.at += 1;
            return Ok(());
        }
        let bounds =
            match (self.is_word(0, "AS") && self.is_word(1, "OF"), self.any_word(0, &["BETWEEN", "FROM"])) {
                (true, _) => {
                    self.at += 2;
                    1
                }
                (_, true) => {
                    self.at += 1;
                    2
                }
                _ => return Err(unparsable("FOR SYSTEM_TIME".to_owned())),
            };
        for bound in 0..bounds {
            if bound == 1 {
                if !self.any_word(0, &["AND", "TO"]) {
                    return Err(unsupported("FOR SYSTEM_TIME with an expression"));
                }
                self.at += 1;
            }
            let start = self.at;
            let mut depth = 0_usize;
            while let Some(next) = self.peek(0) {
                let call = next.is_word("NOW") || next.is_word("CURRENT_TIMESTAMP");
                let constant =
                    matches!(next.kind, Kind::String | Kind::Number | Kind::Variable | Kind::Parameter)
                        || (next.kind == Kind::Word
                            && (call
                                || is_unit(&next.text)
                                || self.any_word(0, &["INTERVAL", "TIMESTAMP", "TRANSACTION"])))
                        || next.is_symbol("+")
                        || next.is_symbol("-");
                if next.is_symbol("(") {
                    depth += 1;
                } else if next.is_symbol(")") && depth > 0 {
                    depth -= 1;
                } else if !constant {
                    break;
                }
                self.at += 1;
            }
            let more = self
                .peek(0)
                .is_some_and(|next| next.kind == Kind::Symbol && !matches!(next.text.as_ref(), "," | ")"));
            if depth > 0 || more || self.at == start {
                return Err(unsupported("FOR SYSTEM_TIME with an expression"));
            }
        }
        Ok(())
    }

    /// `USE INDEX FOR JOIN (i, j)`.
    pub(super) fn index_hint(&mut self) -> Result<(), Unknown> {
        self.at += 1;
        if self.is_word(0, "FOR") {
            self.at += 2;
            if self.is_word(0, "BY") {
                self.at += 1;
            }
        }
        self.skip_parentheses()
    }

    /// From the parenthesis that opens here to the one that closes it.
    pub(super) fn skip_parentheses(&mut self) -> Result<(), Unknown> {
        if !self.is_symbol(0, "(") {
            return Err(unparsable("a parenthesis is missing".to_owned()));
        }
        self.at += 1;
        self.skip_to_parenthesis()?;
        self.at += 1;
        Ok(())
    }

    /// To the parenthesis that closes what is open. Nothing but names and constants is passed over.
    pub(super) fn skip_to_parenthesis(&mut self) -> Result<(), Unknown> {
        const TYPES: [&str; 8] =
            ["CHAR", "BINARY", "DECIMAL", "DATETIME", "TIME", "FLOAT", "VARCHAR", "TIMESTAMP"];
        let mut depth = 0_usize;
        while let Some(lexeme) = self.peek(0) {
            if lexeme.is_symbol("(") {
                // A type's length, and no call.
                let before = self.at.checked_sub(1).and_then(|before| self.lexemes.get(before));
                if !before.is_some_and(|before| TYPES.iter().any(|name| before.is_word(name))) {
                    break;
                }
                depth += 1;
            } else if lexeme.is_symbol(")") {
                let Some(outer) = depth.checked_sub(1) else { return Ok(()) };
                depth = outer;
            } else if lexeme.is_word("SELECT") {
                break;
            }
            self.at += 1;
        }
        Err(unparsable("an unclosed parenthesis".to_owned()))
    }

    /// `TIMESTAMPDIFF(DAY, a, b)`: the unit is no column.
    pub(super) fn unit_first(&mut self, lexeme: &Lexeme<'t>) -> Result<(), Unknown> {
        self.push(identifier(lexeme.text.clone().into_owned(), None));
        let Some(parenthesis) = self.peek(0) else { return Ok(()) };
        self.symbol(parenthesis)?;
        if let Some(unit) = self.peek(0).filter(|unit| unit.kind == Kind::Word) {
            let text = unit.text.strip_prefix("SQL_TSI_").or_else(|| unit.text.strip_prefix("sql_tsi_"));
            let text = text.unwrap_or(&unit.text);
            if is_unit(text) || ["DATE", "TIME", "DATETIME", "TIMESTAMP"].iter().any(|w| unit.is_word(w)) {
                self.push(Token::SingleQuotedString(text.to_owned()));
                self.at += 1;
            }
        }
        Ok(())
    }
}
