//! Built-ins that set variables.

use std::rc::Rc;

use sallyport_core::{UnknownCode, Verb};

use super::Call;
use crate::shell::engine::{Engine, Given, Stdin, Value, decides_nothing};
use crate::shell::syntax::is_name;
use crate::shell::word::{Sureness, Word};
use crate::shell::words::Field;

impl Engine {
    /// A built-in has set a variable to something that is not known.
    pub(super) fn set_unknown(&mut self, name: &str) {
        let name = name.split('[').next().unwrap_or_default();
        if is_name(name) {
            if self.env.is_declared_integer(name) {
                self.integer_value(&Value::Unknown);
            }
            self.assigned(name, &Value::Unknown, name);
            self.env.set(name, Value::Unknown);
        }
    }

    pub(super) fn declare(&mut self, call: &Call<'_>) {
        let mut flags = String::new();
        let mut names: Vec<&Word> = Vec::new();
        let mut ended = false;
        for word in call.arguments() {
            if word.text == "--" {
                ended = true;
            } else if !ended && word.text.starts_with(['-', '+']) && word.sure == Sureness::Constant {
                flags.push_str(&word.text);
            } else {
                names.push(word);
            }
        }
        if flags.contains('n') && matches!(call.name, "declare" | "typeset" | "local") {
            self.stands_for(call, &names);
        }
        // `export -p NAME=value` assigns all the same.
        let is_printed = flags.contains('p') && !matches!(call.name, "export" | "readonly");
        if is_printed || matches!(flags.chars().nth(1), Some('f' | 'F')) {
            return;
        }
        let is_integer = flags.contains('i');
        let is_local = !self.calls.is_empty()
            && (call.name == "local" || matches!(call.name, "declare" | "typeset") && !flags.contains('g'));
        let all = names
            .iter()
            .map(|word| word.text.as_str())
            .chain(call.declared.iter().map(|given| given.name.as_str()));
        for text in all.map(str::to_owned).collect::<Vec<_>>() {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
            let name = text.get(..end).unwrap_or_default();
            if is_local {
                self.locals.push((name.to_owned(), self.env.taken(name)));
            }
            if flags.contains('A') {
                self.env.declare_associative(name);
            }
            if flags.contains(['a', 'A']) {
                self.env.declare_array(name);
            }
            // Assignments fail from here on, or are changed on the way.
            if call.name == "readonly" || flags.contains(['r', 'l', 'u', 'c']) {
                self.env.distrust_later(name, flags.contains(['l', 'u', 'c']));
            }
        }
        for given in &call.declared {
            if is_integer {
                self.env.declare_integer(&given.name);
                self.integer_value(&given.value);
            }
            let is_array = self.array_text(&flags, &given.name, &given.value, call);
            self.set_variable(given);
            if is_array {
                self.env.set(&given.name, Value::Unknown);
            }
        }
        let fails = call.name == "local" && !self.is_in_function();
        for word in names {
            let is_read = call.declared.iter().any(|given| {
                word.text
                    .strip_prefix(given.name.as_str())
                    .is_some_and(|rest| rest.starts_with(['=', '+', '[']))
            });
            if !is_read {
                let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
                let value = match word.sure {
                    Sureness::Constant | Sureness::Pattern => Value::Text(Rc::from(value)),
                    Sureness::One | Sureness::Any => Value::Unknown,
                };
                let is_array = self.array_text(&flags, name.trim_end_matches('+'), &value, call);
                self.declare_word(word, is_integer);
                if is_array {
                    self.set_unknown(name.trim_end_matches('+'));
                }
            }
            if fails {
                self.set_unknown(&word.text);
            }
        }
        for given in call.declared.iter().filter(|_| fails) {
            // Outside a function bash refuses it, and other shells do not.
            self.set_unknown(&given.name);
        }
    }

    /// The value of an array that is one text, `declare -a 'a=(…)'`: it is read and expanded like a list that
    /// stands there without quotes.
    /// Whether it was one.
    fn array_text(&mut self, flags: &str, name: &str, value: &Value, call: &Call<'_>) -> bool {
        let bare = name.split('[').next().unwrap_or_default();
        if !flags.contains(['a', 'A']) && !self.env.could_be_array(bare) {
            return false;
        }
        match value {
            Value::Text(text) if text.starts_with('(') && text.ends_with(')') => {
                self.text(&format!("{bare}={text}"), call.stdin);
                true
            }
            Value::Unknown => {
                self.found.unknown(UnknownCode::Dynamic, "an array that is made of text that is not known");
                false
            }
            _ => false,
        }
    }

    /// A name that stands for another variable. What it stands for may have a subscript, which is evaluated
    /// whenever the name is used, and what is assigned to it first says what it stands for.
    fn stands_for(&mut self, call: &Call<'_>, names: &[&Word]) {
        self.env.forget();
        for given in &call.declared {
            self.env.declare_integer(&given.name);
            match &given.value {
                Value::Text(text) => self.name_argument(&Word::constant(text.as_ref())),
                Value::Number | Value::Written(_) => {}
                _ => self.found.unknown(UnknownCode::Dynamic, "a name for a variable that is not known"),
            }
        }
        for word in names {
            let (name, target) = word.text.split_once('=').unwrap_or((&word.text, ""));
            self.env.declare_integer(name);
            self.name_argument(&Word { text: target.to_owned(), sure: word.sure });
        }
    }

    /// An argument that was no assignment as it was written: a name, or an assignment that is quoted.
    fn declare_word(&mut self, word: &Word, is_integer: bool) {
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name.trim_end_matches('+'), Some(value)),
            None => (word.text.as_str(), None),
        };
        if word.is_dynamic() {
            // The name is known where the text starts with it.
            let plain = name.trim_start_matches('"');
            if value.is_some() && is_name(plain) && word.sure == Sureness::One {
                let given =
                    Given { name: plain.to_owned(), value: Value::Unknown, source: word.text.clone() };
                self.set_variable(&given);
            } else {
                self.found.unknown(UnknownCode::Dynamic, "a variable whose name is built");
                self.env.forget();
            }
            return;
        }
        if word.sure == Sureness::Pattern && name.contains(['$', '*', '?']) {
            // A name out of a list may be an assignment to anything.
            self.found.unknown(UnknownCode::Dynamic, "a variable whose name is built");
            self.env.forget();
            return;
        }
        self.name_argument(&Word::constant(name));
        let bare = name.split('[').next().unwrap_or_default();
        if is_integer {
            self.env.declare_integer(bare);
        }
        let Some(value) = value else {
            if is_name(bare) && !self.env.is_set(bare) && !is_integer {
                return;
            }
            return;
        };
        let known = if name == bare { Value::Text(Rc::from(value)) } else { Value::Unknown };
        if is_integer || self.env.is_declared_integer(bare) {
            self.integer_value(&known);
        }
        if is_name(bare) {
            self.set_variable(&Given { name: bare.to_owned(), value: known, source: word.text.clone() });
        }
    }

    /// A value that is evaluated when it is assigned.
    pub(in crate::shell) fn integer_value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.arithmetic_text(text, 0),
            Value::Number | Value::Written(_) => {}
            _ => self.found.unknown(UnknownCode::Dynamic, "arithmetic on a value that is not known"),
        }
    }

    pub(super) fn unset(&mut self, call: &Call<'_>) {
        let is_function = call.has("-f");
        for word in call.arguments().iter().filter(|word| !word.text.starts_with('-')) {
            self.name_argument(word);
            if is_function {
                continue;
            }
            let name = word.text.split('[').next().unwrap_or_default();
            if is_name(name) {
                self.found.does(Verb::Reset, "variable", name);
                self.env.set(name, Value::Unknown);
                if matches!(name, "PATH" | "HOME" | "IFS") {
                    self.found.unknown(UnknownCode::Ambiguous, format!("{name} is unset"));
                }
            }
        }
    }

    /// `read`, `mapfile`, `getopts`, `wait -p`: names that get what comes.
    pub(super) fn receive(&mut self, call: &Call<'_>) {
        let arguments = call.arguments();
        let valued: &[&str] = match call.name {
            "read" => &["-a", "-d", "-i", "-n", "-N", "-p", "-t", "-u"],
            "mapfile" | "readarray" => &["-d", "-n", "-O", "-s", "-u", "-C", "-c"],
            "wait" => &["-p"],
            _ => &[],
        };
        let mut names: Vec<Word> = Vec::new();
        let mut words = arguments.iter().skip(usize::from(call.name == "getopts"));
        while let Some(word) = words.next() {
            // An option that takes a value may end a cluster (`-rp`).
            let option = word
                .text
                .strip_prefix('-')
                .filter(|flags| !flags.is_empty() && word.sure == Sureness::Constant)
                .map(|flags| {
                    let at = flags.find(|c| valued.iter().any(|option| option.ends_with(c)));
                    let (before, value) = flags.split_at(at.unwrap_or(flags.len()));
                    let mut value = value.chars();
                    let letter = value.next();
                    (before.to_owned(), letter, value.as_str().to_owned())
                });
            match option {
                Some((_, Some(letter), attached)) => {
                    let value = if attached.is_empty() {
                        words.next().cloned()
                    } else {
                        Some(Word { text: attached, sure: word.sure })
                    };
                    match (call.name, letter, value) {
                        ("read", 'a', Some(name)) | ("wait", 'p', Some(name)) => {
                            self.env.declare_array(&name.text);
                            names.push(name);
                        }
                        ("mapfile" | "readarray", 'C', Some(callback)) => match callback.as_constant() {
                            // It gets the line's number and the line.
                            Some(text) => {
                                self.env.set("MAPFILE", Value::Unknown);
                                self.text(&format!("{text} 0 \"$MAPFILE\""), call.stdin);
                            }
                            None => self.anonymous(&callback.text, "a callback that is built"),
                        },
                        _ => {}
                    }
                }
                Some((_, None, _)) => {}
                None if call.name == "wait" => {}
                None => names.push(word.clone()),
            }
            if call.name == "getopts" {
                break;
            }
        }
        let is_one_line = call.name == "read"
            && matches!(call.stdin, Stdin::Names)
            && names.len() == 1
            && !arguments
                .iter()
                .any(|word| word.text.starts_with('-') && word.text.contains(['n', 'N', 'u', 'i', 'a']));
        for name in names {
            if matches!(call.name, "mapfile" | "readarray") {
                self.env.declare_array(&name.text);
            }
            self.name_argument(&name);
            self.set_unknown(&name.text);
            if is_one_line && is_name(&name.text) && decides_nothing(&name.text) {
                // One of the names that a command lists: a path, as a loop over a pattern gives them.
                self.env.set(&name.text, Value::Pattern(Rc::from(format!("${}", name.text))));
            }
        }
        match call.name {
            "read" => self.set_unknown("REPLY"),
            "getopts" => {
                self.set_unknown("OPTARG");
            }
            "mapfile" | "readarray" => {
                self.env.declare_array("MAPFILE");
                self.set_unknown("MAPFILE");
            }
            _ => {}
        }
    }

    pub(super) fn forget_positional(&mut self) {
        for name in ["@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            self.env.set(name, Value::Unknown);
        }
    }

    /// `set -- words` sets the positional parameters.
    pub(super) fn set_positional(&mut self, words: &[Word]) {
        self.forget_positional();
        if words.iter().any(Word::is_dynamic) {
            return;
        }
        for (index, word) in words.iter().enumerate().take(9) {
            let value = Field { word: word.clone(), is_written: false, is_bare: false }.value();
            self.env.set(&(index + 1).to_string(), value);
        }
        self.env.set("@", Value::List(Rc::from(words)));
        self.env.set("*", Value::List(Rc::from(words)));
    }
}
