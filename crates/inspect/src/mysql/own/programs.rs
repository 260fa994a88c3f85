//! Where the body of a stored program ends.
//!
//! A body is not read, but the `;` inside it are its own. Compound statements are followed word by word, as
//! strictly as can be: what is taken for a body although the server is done with it would hide a statement.

use sallyport_core::{Unknown, UnknownCode};

use super::super::lexer::{Kind, Lexeme};

/// What is open in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Begin,
    If,
    Case,
    /// The expression, which ends with a bare END.
    CaseExpression,
    Loop,
    Repeat,
    While,
    For,
}

/// A program's body, as far as it was read.
#[derive(Debug)]
pub(in super::super) struct Body {
    open: Vec<Open>,
    /// A statement may start here.
    starts: bool,
    /// The last lexeme was END at a statement's start.
    ending: Option<Open>,
    /// The last lexeme may be a label.
    label: bool,
    /// Inside `DECLARE … HANDLER FOR`, and whether its statement may come next.
    handler: Option<bool>,
    /// How many lexemes of a DECLARE were read.
    declared: Option<u8>,
    /// Inside `UNTIL …`, which ends with END.
    until: bool,
}

impl Body {
    /// The compound body that a statement has, if it creates a program that has one. Nothing otherwise.
    pub(in super::super) fn of(lexemes: &[Lexeme<'_>]) -> Result<Option<Self>, Unknown> {
        let Some(start) = body_start(lexemes) else { return Ok(None) };
        let body = lexemes.get(start..).unwrap_or_default();
        let labelled = body.get(1).is_some_and(|lexeme| lexeme.is_symbol(":"));
        let first = body.get(if labelled { 2 } else { 0 });
        let compound = ["BEGIN", "IF", "CASE", "LOOP", "REPEAT", "WHILE", "FOR"];
        if !first.is_some_and(|first| compound.iter().any(|word| first.is_word(word))) {
            return Ok(None);
        }
        let mut read = Self {
            open: Vec::new(),
            starts: true,
            ending: None,
            label: false,
            handler: None,
            declared: None,
            until: false,
        };
        for lexeme in body {
            read.take(lexeme)?;
        }
        Ok(Some(read))
    }

    /// Whether the body has ended.
    pub(in super::super) fn closed(&self) -> bool {
        self.open.is_empty()
    }

    /// Goes on by a lexeme.
    pub(in super::super) fn take(&mut self, lexeme: &Lexeme<'_>) -> Result<(), Unknown> {
        if self.open.len() > 200 {
            return Err(Unknown {
                code: UnknownCode::TooLarge,
                detail: "a program nested too deep".to_owned(),
            });
        }
        if let Some(ending) = self.ending.take()
            && !ended_by(ending, lexeme)?
        {
            return Ok(());
        }
        if lexeme.is_symbol(";") {
            self.starts = true;
            (self.handler, self.declared, self.until) = (None, None, false);
            return Ok(());
        }
        if lexeme.is_symbol(":") && self.label {
            self.starts = true;
            return Ok(());
        }
        let starts = std::mem::take(&mut self.starts);
        self.label = starts && matches!(lexeme.kind, Kind::Word | Kind::Quoted | Kind::Dotted);
        // A condition stands after FOR and after a comma; the statement after a condition.
        let handled = self.handler == Some(true);
        if let Some(next) = &mut self.handler {
            *next = !lexeme.is_word("FOR")
                && !lexeme.is_symbol(",")
                && !lexeme.is_word("SQLSTATE")
                && !lexeme.is_word("NOT");
        }
        self.declared = self.declared.map(|read| read.saturating_add(1));
        if lexeme.kind != Kind::Word {
            return Ok(());
        }
        if starts {
            self.starting(lexeme)
        } else {
            self.inside(lexeme, handled);
            Ok(())
        }
    }

    /// A word that starts a statement, or ends a block.
    fn starting(&mut self, lexeme: &Lexeme<'_>) -> Result<(), Unknown> {
        let opened = match lexeme.text.to_ascii_uppercase().as_str() {
            "BEGIN" => Open::Begin,
            "IF" => Open::If,
            "CASE" => Open::Case,
            "LOOP" => Open::Loop,
            "REPEAT" => Open::Repeat,
            "WHILE" => Open::While,
            "FOR" => Open::For,
            "ELSE" => {
                self.starts = matches!(self.open.last(), Some(Open::If | Open::Case));
                return Ok(());
            }
            "UNTIL" => {
                self.until = self.open.last() == Some(&Open::Repeat);
                return Ok(());
            }
            "END" => {
                return match self.open.pop() {
                    Some(Open::CaseExpression) | None => Err(malformed()),
                    ended => {
                        self.ending = ended;
                        Ok(())
                    }
                };
            }
            "DECLARE" => {
                self.declared = Some(0);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.open.push(opened);
        self.starts = matches!(opened, Open::Begin | Open::Loop | Open::Repeat);
        Ok(())
    }

    /// A word inside a statement.
    fn inside(&mut self, lexeme: &Lexeme<'_>, handled: bool) {
        match lexeme.text.to_ascii_uppercase().as_str() {
            "CASE" => self.open.push(Open::CaseExpression),
            // `DECLARE CONTINUE HANDLER`: the word between is reserved.
            "HANDLER" if self.declared == Some(2) => self.handler = Some(false),
            "BEGIN" if handled => {
                self.open.push(Open::Begin);
                self.handler = None;
                self.starts = true;
            }
            "THEN" | "ELSE" => self.starts = matches!(self.open.last(), Some(Open::If | Open::Case)),
            "DO" => self.starts = matches!(self.open.last(), Some(Open::While | Open::For)),
            "END" if self.open.last() == Some(&Open::CaseExpression) => {
                self.open.pop();
            }
            "END" if self.until => {
                self.until = false;
                self.ending = self.open.pop();
            }
            _ => {}
        }
    }
}

/// After END: whether the lexeme is more than the rest of it.
fn ended_by(ending: Open, lexeme: &Lexeme<'_>) -> Result<bool, Unknown> {
    let word = match ending {
        Open::If => "IF",
        Open::Case => "CASE",
        Open::Loop => "LOOP",
        Open::Repeat => "REPEAT",
        Open::While => "WHILE",
        Open::For => "FOR",
        Open::Begin | Open::CaseExpression => {
            let other =
                ["IF", "CASE", "LOOP", "REPEAT", "WHILE", "FOR"].iter().any(|word| lexeme.is_word(word));
            return if other { Err(malformed()) } else { Ok(true) };
        }
    };
    if lexeme.is_word(word) { Ok(false) } else { Err(malformed()) }
}

fn malformed() -> Unknown {
    Unknown { code: UnknownCode::Ambiguous, detail: "a program whose blocks do not match".to_owned() }
}

/// Where the body of a program starts that a statement creates or alters.
fn body_start(lexemes: &[Lexeme<'_>]) -> Option<usize> {
    let first = lexemes.first()?;
    if !first.is_word("CREATE") && !first.is_word("ALTER") {
        return None;
    }
    let kinds = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"];
    // OR REPLACE, DEFINER = x, AGGREGATE.
    let (at, kind) =
        lexemes.iter().enumerate().take(12).find_map(|(at, lexeme)| {
            kinds.iter().find(|kind| lexeme.is_word(kind)).map(|kind| (at, *kind))
        })?;
    // Where one of another kind is created, the word is a name.
    let others =
        ["TABLE", "VIEW", "INDEX", "USER", "ROLE", "DATABASE", "SCHEMA", "SERVER", "SEQUENCE", "TABLESPACE"];
    if lexemes.iter().take(at).any(|lexeme| others.iter().any(|other| lexeme.is_word(other))) {
        return None;
    }
    match kind {
        "TRIGGER" => {
            let row = (at..lexemes.len()).find(|&n| words(lexemes, n, &["FOR", "EACH", "ROW"]))? + 3;
            let follows = lexemes.get(row).is_some_and(|l| l.is_word("FOLLOWS") || l.is_word("PRECEDES"));
            Some(if follows { row + 2 } else { row })
        }
        "EVENT" => (at..lexemes.len()).find(|&n| words(lexemes, n, &["DO"])).map(|n| n + 1),
        _ => routine_body(lexemes, at),
    }
}

/// After the parameters, what a function returns, and the characteristics.
fn routine_body(lexemes: &[Lexeme<'_>], at: usize) -> Option<usize> {
    let open = (at..lexemes.len()).find(|&n| lexemes.get(n).is_some_and(|lexeme| lexeme.is_symbol("(")))?;
    let mut at = after_parentheses(lexemes, open)?;
    if words(lexemes, at, &["RETURNS"]) {
        // The type: its name, length, and the words that belong to types.
        at += 2;
        loop {
            let lexeme = lexemes.get(at)?;
            if lexeme.is_symbol("(") {
                at = after_parentheses(lexemes, at)?;
            } else if ["CHARACTER", "CHARSET", "COLLATE"].iter().any(|word| lexeme.is_word(word)) {
                at += if words(lexemes, at, &["CHARACTER", "SET"]) { 3 } else { 2 };
            } else if [
                "UNSIGNED",
                "SIGNED",
                "ZEROFILL",
                "BINARY",
                "PRECISION",
                "VARYING",
                "ASCII",
                "UNICODE",
                "BYTE",
            ]
            .iter()
            .any(|word| lexeme.is_word(word))
            {
                at += 1;
            } else {
                break;
            }
        }
    }
    loop {
        const CHARACTERISTICS: [(&[&str], usize); 9] = [
            (&["COMMENT"], 2),
            (&["LANGUAGE"], 2),
            (&["NO", "SQL"], 2),
            (&["NOT", "DETERMINISTIC"], 2),
            (&["CONTAINS", "SQL"], 2),
            (&["READS", "SQL", "DATA"], 3),
            (&["MODIFIES", "SQL", "DATA"], 3),
            (&["SQL", "SECURITY"], 3),
            (&["DETERMINISTIC"], 1),
        ];
        let Some((_, length)) = CHARACTERISTICS.iter().find(|(known, _)| words(lexemes, at, known)) else {
            return lexemes.get(at).map(|_| at);
        };
        at += length;
    }
}

fn words(lexemes: &[Lexeme<'_>], at: usize, words: &[&str]) -> bool {
    words.iter().enumerate().all(|(n, word)| lexemes.get(at + n).is_some_and(|lexeme| lexeme.is_word(word)))
}

/// Behind the parentheses that open there.
fn after_parentheses(lexemes: &[Lexeme<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, lexeme) in lexemes.iter().enumerate().skip(open) {
        if lexeme.is_symbol("(") {
            depth += 1;
        } else if lexeme.is_symbol(")") {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}
