//! What a `$` or a back-tick starts.

use sallyport_core::{Unknown, UnknownCode};

use super::cursor::{Reader, problem};
use super::tree::{Expansion, List, Operation, Parameter, Part};

impl Reader<'_> {
    /// An expansion whose first character has just been read; nothing when the `$` is itself.
    pub(super) fn expansion(&mut self, first: char, quoted: bool) -> Result<Option<Part>, Unknown> {
        let start = self.at.saturating_sub(1);
        let expansion = if first == '`' {
            self.deeper(|reader| reader.backquoted(quoted))?
        } else {
            match self.peek() {
                Some('(') => self.deeper(Self::parenthesis)?,
                Some('{') => {
                    self.bump();
                    Expansion::Parameter(self.deeper(|reader| reader.braced(quoted))?)
                }
                Some('[') => {
                    self.bash_only("$[");
                    self.bump();
                    let expression = self.deeper(|reader| reader.arithmetic(false))?;
                    if !self.eat(']') {
                        return self.unexpected();
                    }
                    Expansion::Arithmetic(expression)
                }
                Some(c) if c.is_ascii_alphabetic() || c == '_' => Expansion::Parameter(self.plain_name()),
                Some(c) if is_special(c) => {
                    self.bump();
                    Expansion::Parameter(Parameter::named(c.to_string()))
                }
                _ => return Ok(None),
            }
        };
        Ok(Some(Part::Expansion(Box::new(expansion), self.since(start).to_owned())))
    }

    fn plain_name(&mut self) -> Parameter {
        Parameter::named(self.identifier())
    }

    fn identifier(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
            self.bump();
        }
        name
    }

    /// `$((…))`, else `$(…)`.
    fn parenthesis(&mut self) -> Result<Expansion, Unknown> {
        self.eat('(');
        let start = self.at;
        if self.peek() == Some('(') {
            self.bump();
            let (owed, doubt) = (self.owed.len(), self.doubt.clone());
            match self.arithmetic(false) {
                Ok(expression) if self.eat_all("))") => return Ok(Expansion::Arithmetic(expression)),
                Err(error) if error.code == UnknownCode::TooLarge => return Err(error),
                _ => {}
            }
            self.second_reading()?;
            self.owed.truncate(owed);
            self.doubt = doubt;
            self.at = start;
            self.doubt(UnknownCode::Ambiguous, "$(( that is no arithmetic");
        }
        Ok(Expansion::Commands(self.substituted()?))
    }

    /// Commands up to the closing parenthesis.
    fn substituted(&mut self) -> Result<List, Unknown> {
        let start = self.at;
        let owed = std::mem::take(&mut self.owed);
        self.lines()?;
        let list = if self.peek() == Some(')') { List::default() } else { self.list()? };
        if !self.owed.is_empty() || !owed.is_empty() && self.since(start).contains('\n') {
            self.doubt(UnknownCode::Ambiguous, "a here-document across a substitution's end");
        }
        self.owed.splice(..0, owed);
        if self.eat(')') { Ok(list) } else { self.unexpected() }
    }

    /// `<(…)` or `>(…)`, which is next.
    pub(super) fn process(&mut self, parts: &mut Vec<Part>) -> Result<(), Unknown> {
        self.bash_only("<(");
        self.peek();
        let start = self.at;
        self.bump();
        self.eat('(');
        let list = self.deeper(Self::substituted)?;
        parts.push(Part::Expansion(Box::new(Expansion::Process(list)), self.since(start).to_owned()));
        Ok(())
    }

    fn backquoted(&mut self, quoted: bool) -> Result<Expansion, Unknown> {
        let mut text = String::new();
        loop {
            match self.take_raw() {
                None => return Err(problem(UnknownCode::Unparsable, "a back-tick without its end")),
                Some('`') => break,
                Some('\\') => match self.take_raw() {
                    Some(c) if matches!(c, '`' | '\\' | '$') || quoted && c == '"' => text.push(c),
                    Some(c) => text.extend(['\\', c]),
                    None => return Err(problem(UnknownCode::Unparsable, "a back-tick without its end")),
                },
                Some(c) => text.push(c),
            }
        }
        let (script, pieces) = self.inner(&text).script_and_pieces();
        self.pieces = pieces;
        if let Some(unknown) = script.unknown {
            self.doubt.get_or_insert(unknown);
        }
        Ok(Expansion::Commands(script.list))
    }

    /// After `${`.
    fn braced(&mut self, quoted: bool) -> Result<Parameter, Unknown> {
        if matches!(self.peek(), Some(' ' | '\t' | '\n' | '|' | '(')) {
            return Err(problem(UnknownCode::Ambiguous, "commands in ${…}, which newer shells run"));
        }
        let mut parameter = Parameter::named(String::new());
        match (self.peek(), self.second()) {
            (Some('#'), Some(c)) if c != '}' && (is_named(c) || is_special(c)) => {
                // `${#-x}` is `$#` with an operation in some shells; what follows decides.
                self.bump();
                parameter.length = true;
            }
            (Some('!'), Some(c)) if c != '}' && (is_named(c) || is_special(c)) => {
                self.bash_only("${!");
                self.bump();
                parameter.indirect = true;
            }
            _ => {}
        }
        parameter.name = match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let mut digits = String::new();
                while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                    digits.push(c);
                    self.bump();
                }
                digits
            }
            Some(c) if is_named(c) => self.identifier(),
            Some(c) if is_special(c) => {
                self.bump();
                c.to_string()
            }
            _ => return Err(problem(UnknownCode::Unparsable, "bad substitution")),
        };
        if self.eat('[') {
            self.bash_only("an array");
            parameter.subscript = Some(self.subscript()?);
        }
        if self.eat('}') {
            return Ok(parameter);
        }
        if parameter.length {
            return Err(problem(UnknownCode::Ambiguous, "${# with an operation"));
        }
        let operation = self.operation(parameter.indirect)?;
        let operand = self.operand(quoted)?;
        parameter.operation = Some((operation, operand));
        Ok(parameter)
    }

    fn operation(&mut self, indirect: bool) -> Result<Operation, Unknown> {
        let colon = self.eat(':');
        let operation = match self.peek() {
            Some(choice @ ('-' | '?' | '+' | '=')) => Operation::Choose(choice),
            _ if colon => {
                self.bash_only("${x:y}");
                return Ok(Operation::Substring);
            }
            Some('#' | '%') => Operation::Edit,
            Some('/' | '^' | ',' | '~') => {
                self.bash_only("${x/…}");
                Operation::Edit
            }
            Some('@' | '*') if indirect && self.second() == Some('}') => Operation::Names,
            Some('@') => {
                self.bash_only("${x@…}");
                self.bump();
                match self.peek() {
                    Some(letter) if letter.is_ascii_alphabetic() => Operation::Transform(letter),
                    _ => return Err(problem(UnknownCode::Unparsable, "bad substitution")),
                }
            }
            _ => return Err(problem(UnknownCode::Unparsable, "bad substitution")),
        };
        self.bump();
        Ok(operation)
    }

    /// Up to the closing brace.
    fn operand(&mut self, quoted: bool) -> Result<Vec<Part>, Unknown> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                None => return Err(problem(UnknownCode::Unparsable, "${ without its end")),
                Some('}') => {
                    self.bump();
                    return Ok(parts);
                }
                Some('\'') if quoted => {
                    self.doubt(UnknownCode::Ambiguous, "a single quote in ${…} in double quotes");
                    self.bump();
                    parts.push(Part::Quoted("'".to_owned()));
                }
                Some('\\') if quoted => {
                    self.bump();
                    match self.raw() {
                        Some(c) if matches!(c, '$' | '`' | '"' | '\\' | '}') => {
                            self.take_raw();
                            parts.push(Part::Quoted(c.to_string()));
                        }
                        _ => parts.push(Part::Quoted("\\".to_owned())),
                    }
                }
                // Outside double quotes these run, as anywhere in a word.
                Some('<' | '>') if !quoted && self.second() == Some('(') => self.process(&mut parts)?,
                Some(_) => self.part(&mut parts)?,
            }
        }
    }
}

impl Parameter {
    fn named(name: String) -> Self {
        Self { name, subscript: None, indirect: false, length: false, operation: None }
    }
}

fn is_named(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_special(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '@' | '*' | '#' | '?' | '-' | '$' | '!')
}
