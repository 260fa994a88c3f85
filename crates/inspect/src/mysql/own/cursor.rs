//! A place in the lexemes of a statement, and the small things that statements are made of.

use sallyport_core::{Unknown, UnknownCode};
use sqlparser::ast::{Expr, Ident, ObjectName, Query};

use super::super::lexer::{Kind, Lexeme, Rules};
use super::super::query;
use super::Account;

/// Reads lexemes of a statement one after another.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a, 't> {
    lexemes: &'a [Lexeme<'t>],
    at: usize,
    pub(super) rules: Rules,
}

impl<'a, 't> Cursor<'a, 't> {
    pub(super) fn new(lexemes: &'a [Lexeme<'t>], rules: Rules) -> Self {
        Self { lexemes, at: 0, rules }
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<&'a Lexeme<'t>> {
        self.lexemes.get(self.at + ahead)
    }

    /// The lexeme that was taken last.
    pub(super) fn before(&self) -> Option<&'a Lexeme<'t>> {
        self.at.checked_sub(1).and_then(|before| self.lexemes.get(before))
    }

    pub(super) fn advance(&mut self) -> Option<&'a Lexeme<'t>> {
        let lexeme = self.lexemes.get(self.at);
        self.at += usize::from(lexeme.is_some());
        lexeme
    }

    pub(super) fn ended(&self) -> bool {
        self.at >= self.lexemes.len()
    }

    /// What has not been read.
    pub(super) fn rest(&mut self) -> &'a [Lexeme<'t>] {
        let rest = self.lexemes.get(self.at..).unwrap_or_default();
        self.at = self.lexemes.len();
        rest
    }

    pub(super) fn sees(&self, word: &str) -> bool {
        self.peek(0).is_some_and(|lexeme| lexeme.is_word(word))
    }

    pub(super) fn sees_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.sees(word))
    }

    pub(super) fn sees_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| self.peek(n).is_some_and(|lexeme| lexeme.is_word(word)))
    }

    pub(super) fn sees_symbol(&self, symbol: &str) -> bool {
        self.peek(0).is_some_and(|lexeme| lexeme.is_symbol(symbol))
    }

    /// Takes a word if it is there.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let seen = self.sees(word);
        self.at += usize::from(seen);
        seen
    }

    /// Takes words if all are there.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let seen = self.sees_words(words);
        if seen {
            self.at += words.len();
        }
        seen
    }

    /// Takes the first of the words that is there.
    pub(super) fn any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.word(word))
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let seen = self.sees_symbol(symbol);
        self.at += usize::from(seen);
        seen
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<(), Unknown> {
        if self.word(word) { Ok(()) } else { Err(self.fails(word)) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), Unknown> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.fails(symbol)) }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Unknown> {
        if self.ended() { Ok(()) } else { Err(self.fails("the end")) }
    }

    pub(super) fn fails(&self, expected: &str) -> Unknown {
        // Not what stands there: that is the caller's text, and may be a password.
        let found = self.peek(0).map_or("the end", |_| "something else");
        let detail = format!("expected {expected}, found {found}");
        Unknown { code: UnknownCode::Unparsable, detail }
    }

    /// A keyword in upper case, whatever it is.
    pub(super) fn any_word(&mut self) -> Option<String> {
        let lexeme = self.peek(0).filter(|lexeme| lexeme.kind == Kind::Word)?;
        self.at += 1;
        Some(lexeme.text.to_ascii_uppercase())
    }

    pub(super) fn ident(&mut self) -> Result<Ident, Unknown> {
        let Some(ident) = self.peek(0).and_then(identifier) else { return Err(self.fails("a name")) };
        self.at += 1;
        Ok(ident)
    }

    /// A name with its dots.
    pub(super) fn name(&mut self) -> Result<ObjectName, Unknown> {
        let mut parts = vec![self.ident()?];
        while self.sees_symbol(".") && self.peek(1).is_some_and(|next| identifier(next).is_some()) {
            self.at += 1;
            parts.push(self.ident()?);
        }
        Ok(ObjectName::from(parts))
    }

    pub(super) fn names(&mut self) -> Result<Vec<ObjectName>, Unknown> {
        self.separated(Self::name)
    }

    /// What stands between commas, one at least.
    pub(super) fn separated<T>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, Unknown>,
    ) -> Result<Vec<T>, Unknown> {
        let mut all = vec![read(self)?];
        while self.symbol(",") {
            all.push(read(self)?);
        }
        Ok(all)
    }

    /// The value of a string.
    pub(super) fn string(&mut self) -> Result<String, Unknown> {
        match self.peek(0) {
            Some(lexeme) if lexeme.kind == Kind::String => {
                self.at += 1;
                Ok(lexeme.text.clone().into_owned())
            }
            _ => Err(self.fails("a string")),
        }
    }

    /// A string or a name.
    pub(super) fn text(&mut self) -> Result<String, Unknown> {
        match self.peek(0) {
            Some(lexeme)
                if matches!(lexeme.kind, Kind::String | Kind::Quoted | Kind::Word | Kind::Dotted) =>
            {
                self.at += 1;
                Ok(lexeme.text.clone().into_owned())
            }
            _ => Err(self.fails("a name or string")),
        }
    }

    /// A user or role.
    pub(super) fn account(&mut self) -> Result<Account, Unknown> {
        let quoted = self.peek(0).is_some_and(|lexeme| matches!(lexeme.kind, Kind::String | Kind::Quoted));
        let name = self.text()?;
        let upper = name.to_ascii_uppercase();
        if !quoted && matches!(upper.as_str(), "CURRENT_USER" | "CURRENT_ROLE" | "PUBLIC") {
            if self.symbol("(") {
                self.expect_symbol(")")?;
            }
            return Ok(Account { name: upper, host: None });
        }
        let host = self
            .peek(0)
            .filter(|lexeme| lexeme.kind == Kind::Variable)
            .map(|lexeme| lexeme.text.clone().into_owned());
        self.at += usize::from(host.is_some());
        Ok(Account { name, host })
    }

    pub(super) fn accounts(&mut self) -> Result<Vec<Account>, Unknown> {
        self.separated(Self::account)
    }

    pub(super) fn if_exists(&mut self) {
        self.words(&["IF", "EXISTS"]);
    }

    pub(super) fn if_not_exists(&mut self) {
        self.words(&["IF", "NOT", "EXISTS"]);
    }

    /// The lexemes up to one at this level that stops, which is not taken.
    pub(super) fn until(&mut self, stops: impl Fn(&Lexeme<'_>) -> bool) -> &'a [Lexeme<'t>] {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(lexeme) = self.peek(0) {
            if depth == 0 && (stops(lexeme) || lexeme.is_symbol(")")) {
                break;
            }
            if lexeme.is_symbol("(") {
                depth += 1;
            } else if lexeme.is_symbol(")") {
                depth -= 1;
            }
            self.at += 1;
        }
        self.lexemes.get(start..self.at).unwrap_or_default()
    }

    /// What stands inside the parentheses that open here.
    pub(super) fn parenthesised(&mut self) -> Result<&'a [Lexeme<'t>], Unknown> {
        self.expect_symbol("(")?;
        let inside = self.until(|_| false);
        self.expect_symbol(")")?;
        Ok(inside)
    }

    /// Names in parentheses.
    pub(super) fn columns(&mut self) -> Result<Vec<Ident>, Unknown> {
        let inside = self.parenthesised()?;
        if inside.is_empty() {
            return Ok(Vec::new());
        }
        let mut cursor = Cursor::new(inside, self.rules);
        let columns = cursor.separated(Self::ident)?;
        cursor.end()?;
        Ok(columns)
    }

    /// An expression that ends where one of the words, a comma, a parenthesis or the text does.
    pub(super) fn expression(&mut self, words: &[&str]) -> Result<Expr, Unknown> {
        let lexemes =
            self.until(|lexeme| lexeme.is_symbol(",") || words.iter().any(|word| lexeme.is_word(word)));
        if lexemes.is_empty() {
            return Err(self.fails("an expression"));
        }
        query::expression(lexemes, self.rules)
    }

    /// All expressions that follow, between commas.
    pub(super) fn expressions(&mut self) -> Result<Vec<Expr>, Unknown> {
        let rest = self.rest();
        query::expressions(rest, self.rules)
    }

    /// The query that makes the rest.
    pub(super) fn query(&mut self) -> Result<Box<Query>, Unknown> {
        let rest = self.rest();
        query::query(rest, self.rules)
    }
}

/// The identifier that a lexeme is.
pub(super) fn identifier(lexeme: &Lexeme<'_>) -> Option<Ident> {
    match lexeme.kind {
        Kind::Word | Kind::Dotted => Some(Ident::new(lexeme.text.clone())),
        Kind::Quoted => Some(Ident::with_quote('`', lexeme.text.clone())),
        _ => None,
    }
}

/// A statement that the server has, and that there is no rule for.
pub(super) fn unsupported(words: &str) -> Unknown {
    Unknown { code: UnknownCode::Unsupported, detail: words.to_owned() }
}
