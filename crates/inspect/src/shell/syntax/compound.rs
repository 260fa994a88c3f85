//! Compound commands.

use sallyport_core::{Unknown, UnknownCode};

use super::cursor::{Reader, is_name};
use super::tree::{Command, Compound, List, Part, TestWord, Word};

impl Reader<'_> {
    /// A compound command with its redirections, or a function that `function` defines.
    pub(super) fn compound_command(&mut self) -> Result<Command, Unknown> {
        let start = self.at;
        if self.peek() == Some('(') {
            let compound = self.parenthesised(start)?;
            return Ok(Command::Compound(Box::new(compound), self.redirects()?));
        }
        let word = self.plain_word().unwrap_or_default();
        self.eat_all(&word);
        let compound = match word.as_str() {
            "function" => return self.function(),
            "{" => Compound::Group(self.until("}")?),
            "if" => self.conditional()?,
            "while" | "until" => {
                let condition = self.list()?;
                Compound::Loop { condition, body: self.body()? }
            }
            "for" | "select" => self.for_each(word == "select")?,
            "case" => self.case()?,
            "[[" => self.test()?,
            "coproc" => self.coprocess()?,
            _ => return self.unexpected(),
        };
        Ok(Command::Compound(Box::new(compound), self.redirects()?))
    }

    /// `(( … ))`, else `( … )`.
    fn parenthesised(&mut self, start: usize) -> Result<Compound, Unknown> {
        self.eat('(');
        if self.eat('(') {
            let (owed, doubt) = (self.owed.len(), self.doubt.clone());
            let inner = self.at;
            match self.deeper(|reader| reader.arithmetic(true)) {
                Ok(expression) => {
                    let source = self.since(inner).to_owned();
                    if self.eat_all("))") {
                        self.bash_only("((");
                        return Ok(Compound::Arithmetic { expression, source });
                    }
                }
                Err(error) if error.code == UnknownCode::TooLarge => return Err(error),
                Err(_) => {}
            }
            self.second_reading()?;
            self.owed.truncate(owed);
            self.doubt = doubt;
            self.at = start;
            self.eat('(');
        }
        let list = self.list()?;
        if self.eat(')') { Ok(Compound::Subshell(list)) } else { self.unexpected() }
    }

    fn until(&mut self, closing: &str) -> Result<List, Unknown> {
        let list = self.list()?;
        self.expect_word(closing)?;
        Ok(list)
    }

    fn body(&mut self) -> Result<List, Unknown> {
        self.lines()?;
        if self.eat_word("{") {
            self.bash_only("braces for do and done");
            return self.until("}");
        }
        self.expect_word("do")?;
        self.until("done")
    }

    fn conditional(&mut self) -> Result<Compound, Unknown> {
        let mut branches = Vec::new();
        loop {
            let condition = self.list()?;
            self.expect_word("then")?;
            let then = self.list()?;
            branches.push((Some(condition), then));
            self.lines()?;
            if self.eat_word("elif") {
                continue;
            }
            if self.eat_word("else") {
                let otherwise = self.list()?;
                branches.push((None, otherwise));
            }
            self.expect_word("fi")?;
            return Ok(Compound::If(branches));
        }
    }

    fn for_each(&mut self, is_select: bool) -> Result<Compound, Unknown> {
        if is_select {
            self.bash_only("select");
        }
        self.blanks();
        if !is_select && self.eat_all("((") {
            self.bash_only("for ((");
            let expression = self.deeper(|reader| reader.arithmetic(true))?;
            if !self.eat_all("))") {
                return self.unexpected();
            }
            self.blanks();
            self.eat(';');
            return Ok(Compound::ArithmeticFor { expression, body: self.body()? });
        }
        let word = self.word()?;
        let Some(name) = word.literal().filter(|name| is_name(name)).map(str::to_owned) else {
            return self.unexpected();
        };
        self.lines()?;
        let mut words = None;
        if self.eat_word("in") {
            let mut listed = Vec::new();
            loop {
                self.blanks();
                match self.peek() {
                    Some(';' | '\n') => break,
                    None | Some('&' | '|' | '(' | ')') => return self.unexpected(),
                    Some(_) => listed.push(self.word()?),
                }
            }
            words = Some(listed);
        }
        self.blanks();
        if !self.sees(";;") {
            self.eat(';');
        }
        Ok(Compound::For { name, words, body: self.body()? })
    }

    fn case(&mut self) -> Result<Compound, Unknown> {
        self.blanks();
        let word = self.word()?;
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.lines()?;
            if self.eat_word("esac") {
                return Ok(Compound::Case { word, arms });
            }
            self.eat('(');
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?);
                self.blanks();
                if self.eat(')') {
                    break;
                }
                if !self.eat('|') {
                    return self.unexpected();
                }
            }
            self.lines()?;
            let body = if self.ends_list() { List::default() } else { self.list()? };
            arms.push((patterns, body));
            self.lines()?;
            if self.eat_all(";;&") || self.eat_all(";&") {
                self.bash_only(";&");
            } else if !self.eat_all(";;") && self.plain_word().as_deref() != Some("esac") {
                return self.unexpected();
            }
        }
    }

    fn function(&mut self) -> Result<Command, Unknown> {
        self.bash_only("function");
        self.blanks();
        let word = self.word()?;
        let Some(name) = word.literal().map(str::to_owned) else { return self.unexpected() };
        self.blanks();
        if self.peek() == Some('(') && self.second() == Some(')') {
            self.eat_all("()");
        }
        self.function_body(name)
    }

    fn coprocess(&mut self) -> Result<Compound, Unknown> {
        self.bash_only("coproc");
        self.blanks();
        let start = self.at;
        // A name may come before a compound command.
        if let Some(name) = self.plain_word().filter(|name| is_name(name)) {
            self.eat_all(&name);
            self.blanks();
            let next = self.plain_word();
            let is_compound = self.peek() == Some('(')
                || next.is_some_and(|next| super::script::OPENING.contains(&next.as_str()));
            if !is_compound {
                self.at = start;
            }
        }
        Ok(Compound::Coprocess(self.deeper(Self::command)?))
    }

    /// `[[ … ]]`: only the words matter, so their order is kept and their precedence is not.
    fn test(&mut self) -> Result<Compound, Unknown> {
        self.bash_only("[[");
        let mut words = Vec::new();
        let mut open: usize = 0;
        loop {
            self.lines()?;
            if self.eat_word("]]") {
                if open > 0 || words.is_empty() {
                    return self.unexpected();
                }
                return Ok(Compound::Test(words));
            }
            let is_process = matches!(self.peek(), Some('<' | '>')) && self.second() == Some('(');
            let operator = ["&&", "||", "(", ")", "<", ">"]
                .into_iter()
                .find(|operator| !is_process && self.eat_all(operator));
            if let Some(operator) = operator {
                match operator {
                    "(" => open += 1,
                    ")" if open == 0 => return self.unexpected(),
                    ")" => open -= 1,
                    _ => {}
                }
                words.push(TestWord::Operator(operator.to_owned()));
                continue;
            }
            if matches!(self.peek(), None | Some(';' | '&' | '|')) {
                return self.unexpected();
            }
            if let Some(operator) =
                self.plain_word().filter(|word| matches!(word.as_str(), "=~" | "==" | "=" | "!="))
            {
                self.eat_all(&operator);
                self.blanks();
                words.push(TestWord::Operator(operator));
                let pattern = self.pattern()?;
                words.push(TestWord::Word(pattern));
                continue;
            }
            words.push(TestWord::Word(self.word()?));
        }
    }

    /// A pattern or regular expression: parentheses and bars belong to it, blanks only within parentheses.
    fn pattern(&mut self) -> Result<Word, Unknown> {
        let start = self.at;
        let mut parts = Vec::new();
        let mut open: usize = 0;
        loop {
            match self.peek() {
                None | Some('\n') => break,
                Some(' ' | '\t') if open == 0 => break,
                Some(')') if open == 0 => break,
                Some('&' | ';') if open == 0 => break,
                Some('|') if open == 0 && self.second() == Some('|') => break,
                Some('<' | '>') if self.second() == Some('(') => self.process(&mut parts)?,
                Some(c @ ('(' | ')' | '|' | ' ' | '\t' | '<' | '>' | '&' | ';' | '#')) => {
                    self.bump();
                    open = match c {
                        '(' => open + 1,
                        ')' => open.saturating_sub(1),
                        _ => open,
                    };
                    parts.push(Part::Literal(c.to_string()));
                }
                Some(_) => self.part(&mut parts)?,
            }
        }
        if parts.is_empty() {
            return self.unexpected();
        }
        Ok(Word { source: self.since(start).to_owned(), parts })
    }
}
