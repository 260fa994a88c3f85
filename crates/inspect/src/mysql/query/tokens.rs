//! From our lexemes to the tokens of `sqlparser`.
//!
//! One pass, with the open parentheses in hand. What `sqlparser` has no syntax for is written as what it has
//! and means the same to facts (`a, b` before SET as a join), left out where it means nothing to them (index
//! hints, `PARTITION (p)`, priorities), or taken out and reported beside (`INTO OUTFILE`).

use sallyport_core::{Unknown, UnknownCode};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use crate::room;

use super::super::lexer::{Kind, Lexeme, Rules};
use super::dialect::reserved;
use super::keywords::{identifier, word};
use super::level::{Clause, JOINS, Level, OPERATORS, Opener};
use super::{Into, unparsable};

/// How deep parentheses may go. `sqlparser` counts more finely.
const PARENTHESES: usize = 100;

/// Tokens of a statement.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) tokens: Vec<Token>,
    pub(super) into: Vec<Into>,
}

#[derive(Debug)]
pub(super) struct Converter<'a, 't> {
    pub(super) lexemes: &'a [Lexeme<'t>],
    pub(super) at: usize,
    rules: Rules,
    /// The innermost level.
    pub(super) level: Level,
    outer: Vec<Level>,
    /// All operators, and all joins, of the levels that are open.
    operators: usize,
    joins: usize,
    pub(super) tokens: Vec<Token>,
    pub(super) into: Vec<Into>,
    /// Where ORDER BY or LIMIT of the statement starts, and RETURNING.
    ordered: Option<usize>,
    returning: Option<usize>,
}

/// Converts. A `statement` begins with its verb, whose own options are then dealt with.
pub(super) fn convert(lexemes: &[Lexeme<'_>], rules: Rules, statement: bool) -> Result<Converted, Unknown> {
    let mut converter = Converter {
        lexemes,
        at: 0,
        rules,
        level: Level::new(Opener::Other),
        outer: Vec::new(),
        operators: 0,
        joins: 0,
        tokens: Vec::with_capacity(lexemes.len() + 4),
        into: Vec::new(),
        ordered: None,
        returning: None,
    };
    let mut verb = statement;
    while let Some(lexeme) = converter.peek(0) {
        if verb && converter.outer.is_empty() && converter.verb(lexeme)? {
            verb = false;
            continue;
        }
        converter.step(lexeme)?;
    }
    if !converter.outer.is_empty() {
        return Err(unparsable("an unclosed parenthesis".to_owned()));
    }
    // `DELETE … LIMIT 5 RETURNING a`: RETURNING stands before it to `sqlparser`.
    let deletes = lexemes.first().is_some_and(|first| first.is_word("DELETE"));
    if let (true, Some(ordered), Some(returning)) = (deletes, converter.ordered, converter.returning)
        && let Some(length) = returning.checked_sub(ordered)
        && let Some(tail) = converter.tokens.get_mut(ordered..)
    {
        tail.rotate_left(length);
    }
    Ok(Converted { tokens: converter.tokens, into: converter.into })
}

impl<'a, 't> Converter<'a, 't> {
    pub(super) fn peek(&self, ahead: usize) -> Option<&'a Lexeme<'t>> {
        self.lexemes.get(self.at + ahead)
    }

    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|lexeme| lexeme.is_word(word))
    }

    pub(super) fn any_word(&self, ahead: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(ahead, word))
    }

    pub(super) fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        self.peek(ahead).is_some_and(|lexeme| lexeme.is_symbol(symbol))
    }

    pub(super) fn push(&mut self, token: Token) {
        self.tokens.push(token);
    }

    pub(super) fn words(&mut self, words: &[&str]) {
        self.tokens.extend(words.iter().map(|text| word(text)));
    }

    /// Whether the token before ends an operand, so that what follows it is an operator.
    fn after_operand(&self) -> bool {
        match self.tokens.last() {
            Some(Token::Word(word)) => {
                !reserved(word.keyword)
                    && ![
                        "SELECT",
                        "NOT",
                        "AND",
                        "OR",
                        "XOR",
                        "CASE",
                        "WHEN",
                        "THEN",
                        "ELSE",
                        "BINARY",
                        "RETURNING",
                    ]
                    .iter()
                    .any(|operator| {
                        word.keyword != Keyword::NoKeyword && word.value.eq_ignore_ascii_case(operator)
                    })
            }
            Some(
                Token::RParen
                | Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::HexStringLiteral(_)
                | Token::SingleQuotedByteStringLiteral(_)
                | Token::Placeholder(_)
                | Token::NationalStringLiteral(_),
            ) => true,
            _ => false,
        }
    }

    fn ordered(&mut self) {
        if self.outer.is_empty() {
            self.ordered.get_or_insert(self.tokens.len());
        }
    }

    /// One lexeme, with those that belong to it.
    pub(super) fn step(&mut self, lexeme: &'a Lexeme<'t>) -> Result<(), Unknown> {
        match lexeme.kind {
            Kind::Word => return self.word(lexeme),
            Kind::Symbol => return self.symbol(lexeme),
            _ => {}
        }
        let text = || lexeme.text.clone().into_owned();
        let token = match lexeme.kind {
            Kind::Dotted => identifier(text(), None),
            Kind::Quoted => identifier(text(), Some('`')),
            Kind::Variable => identifier(format!("@{}", lexeme.text), None),
            Kind::System => identifier(format!("@@{}", lexeme.text), None),
            Kind::National => Token::NationalStringLiteral(text()),
            Kind::Hex => Token::HexStringLiteral(text()),
            Kind::Bit => Token::SingleQuotedByteStringLiteral(text()),
            Kind::Number => Token::Number(text(), false),
            Kind::Parameter => Token::Placeholder("?".to_owned()),
            Kind::String | Kind::Word | Kind::Symbol => Token::SingleQuotedString(text()),
        };
        self.push(token);
        self.at += 1;
        Ok(())
    }

    pub(super) fn symbol(&mut self, lexeme: &Lexeme<'t>) -> Result<(), Unknown> {
        self.at += 1;
        let token = match lexeme.text.as_ref() {
            "(" => {
                let opener = self.opener();
                if self.outer.len() >= PARENTHESES {
                    return Err(too_large("nested too deep"));
                }
                self.outer.push(std::mem::replace(&mut self.level, Level::new(opener)));
                Token::LParen
            }
            ")" => {
                let Some(outer) = self.outer.pop() else {
                    return Err(unparsable("a parenthesis that nothing opened".to_owned()));
                };
                self.operators -= self.level.operators + self.level.sets;
                self.joins -= self.level.joins;
                self.level = outer;
                Token::RParen
            }
            "," => {
                self.operators -= std::mem::take(&mut self.level.operators);
                if self.level.opener == Opener::Tables || self.level.clause == Clause::UpdateTables {
                    self.words(&["CROSS", "JOIN"]);
                    return Ok(());
                }
                Token::Comma
            }
            // `DELETE t.*, u.* FROM …`
            "." if self.level.clause == Clause::DeleteTargets && self.is_symbol(0, "*") => {
                self.at += 1;
                return Ok(());
            }
            "." => Token::Period,
            // ODBC's `{d '…'}`, `{fn f()}`, `{oj …}`: the word says nothing, what stands inside is read.
            "{" => {
                if !self.peek(0).is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Quoted)) {
                    return Err(unparsable("a brace".to_owned()));
                }
                self.at += 1;
                return Ok(());
            }
            "}" => return Ok(()),
            operator => return self.operator(operator),
        };
        self.push(token);
        Ok(())
    }

    fn operator(&mut self, operator: &str) -> Result<(), Unknown> {
        self.chained()?;
        let token = match operator {
            "||" if self.rules.mode.pipes_as_concat => Token::StringConcat,
            "||" => word("OR"),
            "&&" => word("AND"),
            "<=>" => Token::Spaceship,
            "->>" => Token::LongArrow,
            "->" => Token::Arrow,
            ":=" => Token::Assignment,
            "<=" => Token::LtEq,
            ">=" => Token::GtEq,
            "<>" | "!=" => Token::Neq,
            "<<" => Token::ShiftLeft,
            ">>" => Token::ShiftRight,
            "=" => Token::Eq,
            "<" => Token::Lt,
            ">" => Token::Gt,
            "+" => Token::Plus,
            "-" => Token::Minus,
            "*" => Token::Mul,
            "/" => Token::Div,
            "%" => Token::Mod,
            "^" => Token::Caret,
            "&" => Token::Ampersand,
            "|" => Token::Pipe,
            "!" => Token::ExclamationMark,
            "~" => Token::Tilde,
            other => return Err(unparsable(format!("{other} in a statement"))),
        };
        self.push(token);
        Ok(())
    }

    /// Counts an operator, which is a level of the tree.
    fn chained(&mut self) -> Result<(), Unknown> {
        self.level.operators += 1;
        self.operators += 1;
        if self.operators > OPERATORS {
            Err(too_large("too many operators in an expression"))
        } else {
            Ok(())
        }
    }

    /// Counts a join: without ON it holds all that follow it.
    fn joined(&mut self) -> Result<(), Unknown> {
        self.level.joins += 1;
        self.joins += 1;
        if room::allowed(self.joins, JOINS) { Ok(()) } else { Err(too_large("too many tables joined")) }
    }

    /// What the parenthesis at hand, just taken, belongs to.
    fn opener(&self) -> Opener {
        let Some(Token::Word(before)) = self.tokens.last() else {
            return match self.tokens.last() {
                // `FROM ((a, b), c)`
                Some(Token::LParen) if self.level.opener == Opener::Tables && !self.queries() => {
                    Opener::Tables
                }
                _ => Opener::Other,
            };
        };
        if before.quote_style.is_some() {
            return Opener::Other;
        }
        match before.value.to_ascii_uppercase().as_str() {
            "FROM" | "JOIN" | "STRAIGHT_JOIN" | "UPDATE" if !self.queries() => Opener::Tables,
            "CHAR" => Opener::Char,
            "JSON_VALUE" => Opener::JsonValue,
            "WEIGHT_STRING" => Opener::WeightString,
            "GROUP_CONCAT" => Opener::GroupConcat,
            _ => Opener::Other,
        }
    }

    /// Whether a query follows.
    fn queries(&self) -> bool {
        self.any_word(0, &["SELECT", "WITH", "VALUES", "TABLE"])
    }

    fn word(&mut self, lexeme: &'a Lexeme<'t>) -> Result<(), Unknown> {
        let upper = lexeme.text.to_ascii_uppercase();
        self.at += 1;
        match upper.as_str() {
            "SELECT" => {
                self.level.clause = Clause::Other;
                self.words(&["SELECT"]);
                while self.any_word(
                    0,
                    &[
                        "HIGH_PRIORITY",
                        "STRAIGHT_JOIN",
                        "SQL_SMALL_RESULT",
                        "SQL_BIG_RESULT",
                        "SQL_BUFFER_RESULT",
                        "SQL_CACHE",
                        "SQL_NO_CACHE",
                        "SQL_CALC_FOUND_ROWS",
                        "DISTINCT",
                        "DISTINCTROW",
                        "ALL",
                    ],
                ) {
                    if self.any_word(0, &["DISTINCT", "DISTINCTROW"]) && !self.distinct() {
                        self.words(&["DISTINCT"]);
                    }
                    self.at += 1;
                }
                return Ok(());
            }
            "UNION" | "EXCEPT" | "INTERSECT" => {
                self.operators -= std::mem::take(&mut self.level.operators);
                self.joins -= std::mem::take(&mut self.level.joins);
                self.level.sets += 1;
                self.operators += 1;
                if self.operators > OPERATORS {
                    return Err(too_large("too many queries in a union"));
                }
            }
            "AND" | "OR" | "XOR" => self.chained()?,
            "IN" | "LIKE" | "REGEXP" | "RLIKE" | "IS" | "BETWEEN" | "COLLATE" => self.chained()?,
            "JOIN" | "STRAIGHT_JOIN" => self.joined()?,
            "DIV" if self.after_operand() => {
                self.chained()?;
                self.push(Token::CustomBinaryOperator("DIV".to_owned()));
                return Ok(());
            }
            "MOD" if self.after_operand() => {
                self.chained()?;
                self.push(Token::Mod);
                return Ok(());
            }
            "SOUNDS" if self.is_word(0, "LIKE") && self.after_operand() => return Ok(()),
            "SET" => self.level.clause = Clause::Other,
            "USING" if self.level.clause == Clause::DeleteTargets => self.level.clause = Clause::Other,
            "USING" if self.level.opener == Opener::Char => {
                self.at += 1;
                return Ok(());
            }
            "AS" if self.level.opener == Opener::WeightString => return self.skip_to_parenthesis(),
            "RETURNING" if self.level.opener == Opener::JsonValue => return self.skip_to_parenthesis(),
            // `TRIM(BOTH FROM x)`
            "BOTH" | "LEADING" | "TRAILING" if self.is_word(0, "FROM") => {
                self.at += 1;
                return Ok(());
            }
            "FROM" => return self.from(),
            "GROUP" if self.is_word(0, "BY") => self.level.clause = Clause::GroupBy,
            "ASC" | "DESC" if self.level.clause == Clause::GroupBy => return Ok(()),
            "HAVING" | "WINDOW" | "WHERE" | "ORDER" => {
                if upper == "ORDER" {
                    self.ordered();
                }
                self.level.clause = Clause::Other;
            }
            "LIMIT" if self.level.opener == Opener::GroupConcat => return self.skip_to_parenthesis(),
            // SUBSTRING by another name, of which the form with FROM is not known.
            "MID" if self.is_symbol(0, "(") => {
                self.words(&["SUBSTRING"]);
                return Ok(());
            }
            "RETURNING" if self.outer.is_empty() => self.returning = Some(self.tokens.len()),
            "LIMIT" => {
                self.ordered();
                self.level.clause = Clause::Other;
                if self.is_word(0, "ROWS") && self.is_word(1, "EXAMINED") {
                    self.at += 3;
                    return Ok(());
                }
            }
            "ROWS" if self.is_word(0, "EXAMINED") => {
                self.at += 2;
                return Ok(());
            }
            "INTO" => return self.into(),
            "LOCK" if self.is_word(0, "IN") && self.is_word(1, "SHARE") && self.is_word(2, "MODE") => {
                self.at += 3;
                self.words(&["FOR", "SHARE"]);
                return self.lock_options();
            }
            "FOR" => return self.for_clause(),
            "USE" | "FORCE" | "IGNORE" if self.any_word(0, &["INDEX", "KEY"]) => return self.index_hint(),
            "PARTITION" if self.is_symbol(0, "(") => return self.skip_parentheses(),
            "PROCEDURE" if self.peek(0).is_some_and(|n| n.is_word("ANALYSE")) && self.is_symbol(1, "(") => {
                self.at += 1;
                return self.skip_parentheses();
            }
            "BEFORE" if self.is_word(0, "SYSTEM_TIME") => {
                self.at += 1;
                self.words(&["WHERE"]);
                return Ok(());
            }
            "CURRENT_USER" | "CURRENT_ROLE" | "UTC_DATE" | "UTC_TIME" | "UTC_TIMESTAMP"
                if !self.is_symbol(0, "(") && !self.is_symbol(0, ".") =>
            {
                self.push(identifier(lexeme.text.clone().into_owned(), None));
                self.tokens.extend([Token::LParen, Token::RParen]);
                return Ok(());
            }
            "TIMESTAMPADD" | "TIMESTAMPDIFF" | "GET_FORMAT" if self.is_symbol(0, "(") => {
                return self.unit_first(lexeme);
            }
            "PREVIOUS" if self.is_word(0, "VALUE") && self.is_word(1, "FOR") => {
                // Shown as the function that it is.
                return Err(unsupported("PREVIOUS VALUE FOR"));
            }
            _ if self.introducer(&upper) => return Ok(()),
            _ => {}
        }
        if upper.starts_with('_') && self.peek(0).is_some_and(|next| next.kind == Kind::String) {
            // No character set: an alias follows, which must not be taken for a literal.
            self.push(identifier(lexeme.text.clone().into_owned(), Some('`')));
            self.words(&["AS"]);
            return Ok(());
        }
        self.push(word(&lexeme.text));
        if upper == "COLLATE" {
            self.collation()?;
        }
        Ok(())
    }

    fn distinct(&self) -> bool {
        matches!(self.tokens.last(), Some(Token::Word(last)) if last.value == "DISTINCT")
    }

    /// A collation's name, which may be a string or a keyword.
    fn collation(&mut self) -> Result<(), Unknown> {
        let Some(name) = self.peek(0) else { return Err(unparsable("COLLATE without a name".to_owned())) };
        if !matches!(name.kind, Kind::Word | Kind::Quoted | Kind::String) {
            return Err(unparsable("COLLATE without a name".to_owned()));
        }
        self.at += 1;
        self.push(identifier(name.text.clone().into_owned(), None));
        Ok(())
    }
}

fn too_large(detail: &str) -> Unknown {
    Unknown { code: UnknownCode::TooLarge, detail: detail.to_owned() }
}

pub(super) fn unsupported(detail: &str) -> Unknown {
    Unknown { code: UnknownCode::Unsupported, detail: detail.to_owned() }
}
