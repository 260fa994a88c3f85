//! Executable documents of GraphQL: operations and fragments, with the fields of their roots.
//!
//! The grammar is the specification's of September 2025, section 2. What stands below the roots is read to
//! its end and not kept. Nesting is limited, so that no text takes the stack.

use std::collections::{HashMap, HashSet};

use sallyport_core::{UnknownCode, Verb};

use super::lexer::{Lexer, NoToken, Token};

/// Selections within selections, values within values.
const DEEPEST: usize = 100;

/// Why a text is not read.
pub(super) type Doubt = (UnknownCode, &'static str);

const REJECTED: Doubt = (UnknownCode::Unparsable, "a GraphQL text that its grammar rejects");
const TOO_DEEP: Doubt = (UnknownCode::TooLarge, "a GraphQL text that is nested deeper than is read");

/// What a selection of the root asks for.
#[derive(Debug, Default)]
pub(super) struct Root<'t> {
    fields: Vec<&'t str>,
    fragments: Vec<&'t str>,
}

impl Root<'_> {
    fn takes(&self, room: &mut usize) -> Result<(), Doubt> {
        let left = room.checked_sub(1 + self.fields.len() + self.fragments.len());
        *room = left.ok_or((UnknownCode::TooLarge, "more GraphQL than is read"))?;
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Operation<'t> {
    pub(super) verb: Verb,
    pub(super) name: Option<&'t str>,
    root: Root<'t>,
}

#[derive(Debug, Default)]
pub(super) struct Document<'t> {
    pub(super) operations: Vec<Operation<'t>>,
    fragments: HashMap<&'t str, Root<'t>>,
}

impl<'t> Document<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, Doubt> {
        let mut parser = Parser { lexer: Lexer::new(text), token: Token::End, depth: 0 };
        parser.advance()?;
        let mut document = Self::default();
        while parser.token != Token::End {
            parser.definition(&mut document)?;
        }
        let mut names = HashSet::new();
        let is_sound = match document.operations.as_slice() {
            [] => false,
            [_] => true,
            many => many.iter().all(|operation| operation.name.is_some_and(|name| names.insert(name))),
        };
        if is_sound { Ok(document) } else { Err(REJECTED) }
    }

    /// The fields of an operation's root, through fragments. `room` is what may still be looked at: a fragment
    /// is read again for each operation that spreads it.
    pub(super) fn root_fields(
        &self,
        operation: &Operation<'t>,
        room: &mut usize,
    ) -> Result<HashSet<&'t str>, Doubt> {
        operation.root.takes(room)?;
        let mut fields: HashSet<&str> = operation.root.fields.iter().copied().collect();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut next = operation.root.fragments.clone();
        while let Some(name) = next.pop() {
            if seen.insert(name) {
                let fragment = self.fragments.get(name);
                let fragment = fragment.ok_or((UnknownCode::Unparsable, "a fragment that is not defined"))?;
                fragment.takes(room)?;
                fields.extend(&fragment.fields);
                next.extend(&fragment.fragments);
            }
        }
        Ok(fields)
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token<'t>,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn advance(&mut self) -> Result<(), Doubt> {
        self.token = self.lexer.next().map_err(|NoToken| REJECTED)?;
        Ok(())
    }

    fn is(&self, mark: u8) -> bool {
        self.token == Token::Mark(mark)
    }

    /// Takes a mark if it stands here.
    fn takes(&mut self, mark: u8) -> Result<bool, Doubt> {
        let is = self.is(mark);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect(&mut self, mark: u8) -> Result<(), Doubt> {
        if self.takes(mark)? { Ok(()) } else { Err(REJECTED) }
    }

    fn name(&mut self) -> Result<&'t str, Doubt> {
        let Token::Name(name) = self.token else { return Err(REJECTED) };
        self.advance()?;
        Ok(name)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Doubt>) -> Result<T, Doubt> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TOO_DEEP);
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn definition(&mut self, document: &mut Document<'t>) -> Result<(), Doubt> {
        if self.token == Token::Text {
            // A description.
            self.advance()?;
        } else if self.is(b'{') {
            let mut root = Root::default();
            self.selection_set(Some(&mut root))?;
            document.operations.push(Operation { verb: Verb::Query, name: None, root });
            return Ok(());
        }
        let verb = match self.name()? {
            "query" => Verb::Query,
            "mutation" => Verb::Mutation,
            "subscription" => Verb::Subscription,
            "fragment" => return self.fragment(document),
            _ => return Err(REJECTED),
        };
        let name = if let Token::Name(_) = self.token { Some(self.name()?) } else { None };
        if self.takes(b'(')? {
            while !self.takes(b')')? {
                self.variable()?;
            }
        }
        self.directives()?;
        let mut root = Root::default();
        self.selection_set(Some(&mut root))?;
        document.operations.push(Operation { verb, name, root });
        Ok(())
    }

    fn fragment(&mut self, document: &mut Document<'t>) -> Result<(), Doubt> {
        let name = self.name()?;
        if name == "on" || self.name()? != "on" {
            return Err(REJECTED);
        }
        self.name()?;
        self.directives()?;
        let mut root = Root::default();
        self.selection_set(Some(&mut root))?;
        match document.fragments.insert(name, root) {
            None => Ok(()),
            Some(_) => Err(REJECTED),
        }
    }

    /// `$name: Type = value @directive`
    fn variable(&mut self) -> Result<(), Doubt> {
        if self.token == Token::Text {
            self.advance()?;
        }
        self.expect(b'$')?;
        self.name()?;
        self.expect(b':')?;
        self.kind()?;
        if self.takes(b'=')? {
            self.value()?;
        }
        self.directives()
    }

    fn kind(&mut self) -> Result<(), Doubt> {
        if self.takes(b'[')? {
            self.deeper(Self::kind)?;
            self.expect(b']')?;
        } else {
            self.name()?;
        }
        self.takes(b'!').map(|_| ())
    }

    fn directives(&mut self) -> Result<(), Doubt> {
        while self.takes(b'@')? {
            self.name()?;
            self.arguments()?;
        }
        Ok(())
    }

    fn arguments(&mut self) -> Result<(), Doubt> {
        if self.takes(b'(')? {
            while !self.takes(b')')? {
                self.name()?;
                self.expect(b':')?;
                self.value()?;
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Result<(), Doubt> {
        match self.token {
            Token::Mark(b'$') => {
                self.advance()?;
                self.name().map(|_| ())
            }
            Token::Mark(b'[') => self.deeper(|parser| {
                parser.advance()?;
                while !parser.takes(b']')? {
                    parser.value()?;
                }
                Ok(())
            }),
            Token::Mark(b'{') => self.deeper(|parser| {
                parser.advance()?;
                while !parser.takes(b'}')? {
                    parser.name()?;
                    parser.expect(b':')?;
                    parser.value()?;
                }
                Ok(())
            }),
            Token::Name(_) | Token::Number | Token::Text => self.advance(),
            Token::Mark(_) | Token::Spread | Token::End => Err(REJECTED),
        }
    }

    /// Reads a selection set; what it asks for goes to `root`, if it is one.
    fn selection_set(&mut self, root: Option<&mut Root<'t>>) -> Result<(), Doubt> {
        self.deeper(|parser| parser.selections(root))
    }

    fn selections(&mut self, mut root: Option<&mut Root<'t>>) -> Result<(), Doubt> {
        self.expect(b'{')?;
        if self.is(b'}') {
            return Err(REJECTED);
        }
        while !self.takes(b'}')? {
            if self.token != Token::Spread {
                let field = self.field()?;
                if let Some(root) = root.as_deref_mut() {
                    root.fields.push(field);
                }
                continue;
            }
            self.advance()?;
            match self.token {
                Token::Name(name) if name != "on" => {
                    self.advance()?;
                    self.directives()?;
                    if let Some(root) = root.as_deref_mut() {
                        root.fragments.push(name);
                    }
                }
                _ => {
                    if let Token::Name(_) = self.token {
                        self.advance()?;
                        self.name()?;
                    }
                    self.directives()?;
                    self.selection_set(root.as_deref_mut())?;
                }
            }
        }
        Ok(())
    }

    /// A field's own name; an alias is left out.
    fn field(&mut self) -> Result<&'t str, Doubt> {
        let mut name = self.name()?;
        if self.takes(b':')? {
            name = self.name()?;
        }
        self.arguments()?;
        self.directives()?;
        if self.is(b'{') {
            self.selection_set(None)?;
        }
        Ok(name)
    }
}
