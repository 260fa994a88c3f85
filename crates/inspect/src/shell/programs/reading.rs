//! Reads a program's words by its description.
//!
//! One walk over the words: options, their values, sub-commands, operands; the operands get their roles at
//! the end, when their number is known. What the description does not say makes the whole unknown, unless
//! the description says that nothing the program can do matters.

use std::collections::BTreeMap;

use sallyport_core::UnknownCode;

use super::description::{Act, Node, Operands, Role, Roles, Rule, Takes};
use super::outcome::Outcome;
use super::rests;
use crate::shell::effect::Effect;
use crate::shell::word::{Sureness, Word};

/// What the words do, those after the program's name.
pub(super) fn read(program: &str, node: &Node, words: &[Word]) -> Vec<Effect> {
    let mut outcome = Outcome::new(program);
    let mut words = std::borrow::Cow::Borrowed(words);
    if node.bundle
        && let Some(first) = words.first()
        && !first.is_dynamic()
        && !first.text.starts_with('-')
    {
        let (apart, used) = rests::unbundled(node, first, words.get(1..).unwrap_or_default());
        words.to_mut().splice(0..=used, apart);
    }
    Reading::new(node, &mut outcome).run(&words);
    outcome.into_effects()
}

/// How far the reading is.
struct Reading<'d, 'w, 'o> {
    /// The program and the sub-commands down to here.
    levels: Vec<&'d Node>,
    node: &'d Node,
    lenient: bool,
    /// The operands so far.
    found: Vec<&'w Word>,
    operands: &'d Operands,
    /// What the many operands are beside.
    also: Vec<&'d Roles>,
    options_ended: bool,
    /// An option said what to do.
    ended: bool,
    outcome: &'o mut Outcome,
}

impl<'d, 'w, 'o> Reading<'d, 'w, 'o> {
    fn new(node: &'d Node, outcome: &'o mut Outcome) -> Self {
        Self {
            levels: vec![node],
            node,
            lenient: node.lenient.unwrap_or(false),
            found: Vec::new(),
            operands: &node.operands,
            also: Vec::new(),
            options_ended: false,
            ended: false,
            outcome,
        }
    }

    fn run(mut self, words: &'w [Word]) {
        if let Some(reader) = self.node.reader {
            return reader(words, self.outcome);
        }
        let mut left = words;
        while let Some((word, after)) = left.split_first() {
            left = after;
            if !self.options_ended && !word.is_dynamic() {
                if word.text == "--" {
                    self.options_ended = true;
                    if let Some(roles) = &self.node.after_dashes {
                        self.ended |= !left.is_empty();
                        if matches!(roles.as_slice(), [Role::Mark(name)] if name == "@command") {
                            self.outcome.push(Effect::Runs(left.to_vec()));
                            break;
                        }
                        if matches!(roles.as_slice(), [Role::Mark(name)] if name == "@ssh") {
                            // They stand behind the host, and the first of them may be options of ssh's own.
                            let host = self
                                .found
                                .first()
                                .map_or_else(|| Word::constant("host"), |host| (*host).clone());
                            let argv = [Word::constant("ssh"), host].into_iter().chain(left.iter().cloned());
                            self.outcome.push(Effect::Runs(argv.collect()));
                            break;
                        }
                        left.iter().for_each(|word| self.outcome.roles(roles, word));
                        break;
                    }
                    continue;
                }
                if self.is_option(&word.text) {
                    left = self.option(word, left);
                    continue;
                }
            }
            // One word behind the options is an operand, and its role says what that means.
            let settled = self.options_ended && word.sure == Sureness::One;
            let known = settled || self.outcome.has_unknown(UnknownCode::Dynamic);
            if word.is_dynamic() && !known && !self.is_inert() {
                self.outcome.dynamic(word);
            }
            if self.node.has_subs() && !self.is_operand(word) {
                if !self.sub(word) {
                    return;
                }
                if let Some(reader) = self.node.reader {
                    return reader(left, self.outcome);
                }
                continue;
            }
            if let Some(rest) = self.operands.rest
                && self.found.len() == self.operands.before.len()
            {
                let from = words.get(words.len() - left.len() - 1..).unwrap_or_default();
                self.ended = true;
                (rest.read)(from, self.outcome);
                break;
            }
            self.options_ended |= self.node.posix;
            self.found.push(word);
        }
        self.finish();
    }

    /// Whether it is no sub-command, where a program may be given operands in place of one.
    fn is_operand(&self, word: &Word) -> bool {
        self.operands.are_described()
            && (!self.found.is_empty() || (!word.is_dynamic() && self.node.sub(&word.text).is_none()))
    }

    /// Goes down to a sub-command; false where that is not possible.
    fn sub(&mut self, word: &Word) -> bool {
        if word.is_dynamic() {
            self.outcome.dynamic(word);
            return false;
        }
        match self.node.sub(&word.text) {
            Some(node) => {
                self.node = node;
                self.levels.push(node);
                self.lenient = node.lenient.unwrap_or(self.lenient);
                self.operands = &node.operands;
                true
            }
            None if self.node.groups => true,
            None => {
                self.outcome.unknown(UnknownCode::Unsupported, &word.text);
                false
            }
        }
    }

    fn is_option(&self, text: &str) -> bool {
        match text.as_bytes() {
            [b'-', _, ..] => true,
            [b'+', _, ..] => self.find("+").is_some(),
            _ => false,
        }
    }

    fn finish(mut self) {
        let found = std::mem::take(&mut self.found);
        self.assign(&found);
        if self.node.has_subs() && !self.operands.are_described() && !self.ended {
            // A group without a sub-command prints its help, except where the description says otherwise.
            if self.node.groups && self.node.none.is_empty() {
                self.outcome.unknown(UnknownCode::Unsupported, "no command that is described");
            }
        } else {
            for act in &self.node.does {
                self.outcome.act(act);
            }
        }
        if found.is_empty() && !self.ended {
            for act in &self.node.none {
                self.outcome.act(act);
            }
        }
        if let Some(rest) = self.operands.rest.filter(|rest| rest.name == "entry-command")
            && !self.ended
        {
            (rest.read)(&[], self.outcome);
        }
        let idle = self.ended || (self.node.target && found.is_empty());
        if !idle {
            for act in &self.node.bare {
                self.outcome.act(act);
            }
        }
    }

    /// Gives the operands their roles.
    fn assign(&mut self, found: &[&Word]) {
        let Operands { before, many, after, all, .. } = self.operands;
        if let Some(all) = all {
            let words: Vec<Word> = found.iter().copied().cloned().collect();
            return (all.read)(&words, self.outcome);
        }
        let (first, left) = found.split_at(before.len().min(found.len()));
        let (middle, last) = left.split_at(left.len().saturating_sub(after.len()));
        // A word that may be any number of words moves the places of those after it.
        let moved = found.iter().any(|word| word.sure == Sureness::Any) && !self.operands.are_harmless();
        for (word, roles) in first.iter().zip(before).chain(last.iter().zip(after)) {
            self.ended |= roles.iter().any(Role::is_work);
            self.outcome.roles(roles, word);
        }
        if let Some(roles) = many {
            self.ended |= !middle.is_empty() && roles.iter().any(Role::is_work);
            for word in middle {
                for roles in std::iter::once(roles).chain(self.also.iter().copied()) {
                    self.outcome.roles(roles, word);
                }
            }
        }
        if moved {
            self.outcome.unknown(UnknownCode::Dynamic, "any number of operands");
        }
    }

    /// Whether no word could make it do anything.
    fn is_inert(&self) -> bool {
        self.lenient
            && !self.node.has_subs()
            && self.operands.are_harmless()
            && self.node.options.values().chain(self.globals()).all(Rule::is_harmless)
    }

    fn globals(&self) -> impl Iterator<Item = &'d Rule> {
        self.levels.clone().into_iter().flat_map(|level| level.global.values().chain(level.late.values()))
    }

    fn tables(&self) -> impl Iterator<Item = &'d BTreeMap<String, Rule>> {
        std::iter::once(&self.node.options)
            .chain(self.levels.clone().into_iter().rev().map(|level| &level.global))
            .chain(self.levels.clone().into_iter().rev().skip(1).map(|level| &level.late))
    }

    fn find(&self, name: &str) -> Option<&'d Rule> {
        self.tables().find_map(|table| table.get(name))
    }

    /// Reads one option; what is left after its values.
    fn option(&mut self, word: &'w Word, left: &'w [Word]) -> &'w [Word] {
        let text = word.text.as_str();
        if let Some(value) = text.strip_prefix('+') {
            return self.apply("+", self.find("+"), Some(value), word, left);
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if word.sure == Sureness::Pattern && name.contains(['*', '?', '[']) {
            self.outcome.unknown(UnknownCode::Ambiguous, text);
        }
        if let Some(long) = text.strip_prefix("--") {
            let single = if self.node.long { name.get(1..).and_then(|name| self.find(name)) } else { None };
            let rule = self.find(name).or(single).or_else(|| self.abbreviated(name));
            if rule.is_none() && matches!(long, "help" | "version") {
                self.ended = true;
                return left;
            }
            return self.apply(name, rule, value, word, left);
        }
        if name.len() > 2 || self.node.long {
            if let Some(rule) = self.find(name) {
                return self.apply(name, Some(rule), value, word, left);
            }
            // `-javaagent:library`
            if let Some((before, value)) = text.split_once(':').filter(|_| self.node.long)
                && let Some(rule) = self.find(before)
            {
                return self.apply(before, Some(rule), Some(value), word, left);
            }
            if self.node.long {
                let double = self.find(&format!("-{name}"));
                return self.apply(name, double, value, word, left);
            }
        }
        self.cluster(word, left)
    }

    /// One rule of an option: its values, then what it does.
    fn apply(
        &mut self,
        name: &str,
        rule: Option<&'d Rule>,
        attached: Option<&str>,
        word: &'w Word,
        left: &'w [Word],
    ) -> &'w [Word] {
        let Some(rule) = rule else {
            // Before a sub-command it may take a word with it, and that word is not the sub-command.
            // Before a command it may take the command's name with it.
            let shifts = self.operands.rest.is_some_and(|rest| rest.name != "arguments");
            if !self.lenient || shifts || self.node.has_subs() {
                self.outcome.unknown(UnknownCode::Unsupported, name);
            }
            let takes = self.node.values
                && attached.is_none()
                && left.first().is_some_and(|next| !next.text.starts_with('-'));
            if takes && let Some(value) = left.first() {
                self.given_file(&value.text, value);
                return left.get(1..).unwrap_or_default();
            }
            self.given_file(attached.unwrap_or_default(), word);
            return left;
        };
        let attached = attached.map(|text| Word { text: text.to_owned(), sure: word.sure });
        let is_value = |roles: &Roles| roles.as_slice() == [Role::Value];
        if let (Some(value), Some(first)) = (&attached, rule.roles.first())
            && is_value(first)
        {
            self.given_file(&value.text, value);
        }
        let mut left = left;
        let mut roles = rule.roles.as_slice();
        if let (Some(value), Some((first, more))) = (&attached, roles.split_first()) {
            self.outcome.roles(first, value);
            roles = more;
        }
        if rule.takes == Takes::Optional && attached.is_none() {
            // Without its value such an option has one of its own.
            let usual = Word::constant("");
            for role in
                rule.roles.iter().flatten().filter(|role| matches!(role, Role::Special(_) | Role::Mark(_)))
            {
                self.outcome.role(role, &usual);
            }
        }
        if rule.takes == Takes::Required {
            for role in roles {
                let Some((value, after)) = left.split_first() else { break };
                left = after;
                if value.sure == Sureness::Any
                    && !self.outcome.has_unknown(UnknownCode::Dynamic)
                    && !self.is_inert()
                {
                    self.outcome.dynamic(value);
                }
                if is_value(role) {
                    self.given_file(&value.text, value);
                }
                self.outcome.roles(role, value);
            }
        }
        for act in &rule.acts {
            match act {
                Act::Operands(operands) => self.operands = operands,
                Act::Also(roles) => self.also.push(roles),
                Act::End => self.ended = true,
                Act::Rest => {
                    self.ended = true;
                    if let Some(rest) = self.operands.rest {
                        (rest.read)(left, self.outcome);
                    }
                    left = &[];
                }
                Act::Code => {
                    self.ended = true;
                    self.outcome.act(act);
                }
                act => self.outcome.act(act),
            }
        }
        left
    }

    /// A value that the clouds' programs take out of a file: `file://…`, `fileb://…`, `@…`.
    fn given_file(&mut self, text: &str, word: &Word) {
        let path = text.strip_prefix("file://").or_else(|| text.strip_prefix("fileb://"));
        let path =
            path.or_else(|| text.strip_prefix('@')).or_else(|| text.split_once("=@").map(|(_, path)| path));
        if let Some(path) = path.filter(|_| self.node.values) {
            self.outcome.reads(&Word { text: path.to_owned(), sure: word.sure });
        } else if word.is_dynamic() && self.node.values && word.sure == Sureness::Any {
            self.outcome.dynamic(word);
        }
    }

    /// Short options put together (`-rf`), the last of which may have its value in the same word.
    fn cluster(&mut self, word: &'w Word, left: &'w [Word]) -> &'w [Word] {
        let mut letters = word.text.chars();
        letters.next();
        while let Some(letter) = letters.next() {
            let digits = letter.is_ascii_digit() && self.find("-#").is_some();
            let name = if digits { "-#".to_owned() } else { format!("-{letter}") };
            let rule = self.find(&name);
            let takes = rule.map_or(Takes::Nothing, |rule| rule.takes);
            if takes == Takes::Nothing {
                let after = self.apply(&name, rule, None, word, left);
                if after.len() < left.len() {
                    return after;
                }
                continue;
            }
            let value = letters.as_str();
            let equals = self.node.values || self.levels.iter().any(|level| level.equals);
            let value = value.strip_prefix('=').filter(|_| equals).unwrap_or(value);
            let attached = (!value.is_empty()).then_some(value);
            return self.apply(&name, rule, attached, word, left);
        }
        left
    }

    /// The option that a long one without its end can only be.
    fn abbreviated(&mut self, name: &str) -> Option<&'d Rule> {
        if name.len() < 3 {
            return None;
        }
        // What is ambiguous already is not made more so, however many words there are.
        let enough = if self.outcome.has_unknown(UnknownCode::Ambiguous) { 1 } else { 2 };
        let mut rules: Vec<&'d Rule> = Vec::new();
        for table in self.tables() {
            let from = table.range::<str, _>((std::ops::Bound::Included(name), std::ops::Bound::Unbounded));
            for (_, rule) in from.take_while(|(spelling, _)| spelling.starts_with(name)) {
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
                if rules.len() >= enough {
                    break;
                }
            }
        }
        if rules.len() > 1 {
            self.outcome.unknown(UnknownCode::Ambiguous, name);
        }
        rules.first().copied()
    }
}
