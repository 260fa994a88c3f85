//! Facts as words of the full-text index.
//!
//! Every operation has, beside its text, a second indexed column of made-up words: one for its target, one
//! for each table, and so on: a letter that says which field, and the value in hexadecimal, so that any
//! value is one word, nothing in a value can be taken for another field, and the beginning of a value is
//! the beginning of its word. The index then answers any mixture of fields and text by walking sorted
//! lists side by side, newest first, and stops when a page is full.
//!
//! `action:delete table:users` is to find deletes of that table, and not statements that delete from one
//! and read the other: so each action also makes a word of itself and its object.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sallyport_core::{Facts, fold_name};

use super::language::{Field, Query, Term, Value, What};

/// In every operation: what a query of exclusions alone starts from.
const EVERY: &str = "x";
/// Words of one operation. A text that touches more is found by its first ones and by its text.
const MOST: usize = 2000;

/// The letter of a field's words.
fn letter(field: Field) -> char {
    match field {
        Field::Table => 'o',
        Field::Column => 'c',
        Field::Action => 'a',
        Field::Group => 'g',
        Field::Principal => 'p',
        Field::Human => 'h',
        Field::Kind => 'k',
        Field::Target => 't',
        Field::Database => 'b',
        Field::Decision => 'd',
        Field::State => 's',
        Field::Rule => 'r',
        Field::Error => 'e',
        Field::Session => 'i',
        Field::Language => 'l',
        Field::Unknown => 'u',
    }
}

/// A table by its last name alone, and the two of them behind an action.
const NAME: char = 'n';
const ACTION_ON_TABLE: char = 'q';
const ACTION_ON_NAME: char = 'm';

fn hex(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        // Writing to a String cannot fail.
        let _written = write!(out, "{byte:02x}");
    }
    out
}

fn word(letter: char, value: &str) -> String {
    format!("{letter}{}", hex(&fold_name(value)))
}

fn pair(letter: char, action: &str, object: &str) -> String {
    // No hexadecimal digit is an `x`, so that the two cannot run into each other.
    format!("{letter}{}x{}", hex(action), hex(&fold_name(object)))
}

/// A word of a field, for an operation. Rights hang on a target's name, so that one is exact.
pub(super) fn of(field: Field, value: &str) -> String {
    match field {
        Field::Target => format!("{}{}", letter(field), hex(value)),
        _ => word(letter(field), value),
    }
}

/// The words of an operation's facts.
pub(super) fn of_facts(facts: &Facts) -> BTreeSet<String> {
    let mut words = BTreeSet::from([EVERY.to_owned(), of(Field::Language, facts.language.as_str())]);
    if let Some(unknown) = &facts.unknown {
        words.insert(of(Field::Unknown, unknown.code.as_str()));
    }
    for action in &facts.actions {
        if words.len() >= MOST {
            break;
        }
        words.insert(of(Field::Action, action.action.as_str()));
        words.insert(of(Field::Group, action.group.as_str()));
        for object in [&action.object, &action.on].into_iter().flatten() {
            let whole = object.to_string();
            words.insert(of(Field::Table, &whole));
            words.insert(word(NAME, &object.name));
            words.insert(pair(ACTION_ON_TABLE, action.action.as_str(), &whole));
            words.insert(pair(ACTION_ON_NAME, action.action.as_str(), &object.name));
        }
        for column in action.columns.iter().chain(&action.filters).take(MOST) {
            words.insert(of(Field::Column, column));
        }
    }
    words
}

/// The words of a message without facts.
pub(super) fn of_nothing() -> BTreeSet<String> {
    BTreeSet::from([EVERY.to_owned(), of(Field::Decision, "deny")])
}

/// A query as an expression of FTS5; nothing when any operation will do. `targets` are those whose
/// operations may be found, when not all may.
pub(super) fn expression(query: &Query, targets: Option<&BTreeSet<String>>) -> Option<String> {
    let action = only_action(query);
    let mut wanted: Vec<String> = Vec::new();
    let mut unwanted: Vec<String> = Vec::new();
    for term in &query.terms {
        let expression = of_term(term, action);
        if term.negated { unwanted.push(expression) } else { wanted.push(expression) }
    }
    if let Some(targets) = targets {
        let names = targets.iter().map(|target| Value { text: target.clone(), prefix: false });
        wanted.push(any_of(names.map(|name| facet(&of(Field::Target, &name.text), false))));
    }
    if wanted.is_empty() && unwanted.is_empty() {
        return None;
    }
    if wanted.is_empty() {
        wanted.push(facet(EVERY, false));
    }
    let wanted = wanted.join(" AND ");
    if unwanted.is_empty() {
        return Some(wanted);
    }
    Some(format!("({wanted}) NOT {}", any_of(unwanted.into_iter())))
}

/// The one action that is asked for, when there is one: tables are then asked for together with it.
fn only_action(query: &Query) -> Option<&str> {
    let mut actions = query.terms.iter().filter_map(|term| match &term.what {
        What::Field(Field::Action, values) if !term.negated => Some(values.as_slice()),
        _ => None,
    });
    match (actions.next(), actions.next()) {
        (Some([only]), None) if !only.prefix => Some(&only.text),
        _ => None,
    }
}

fn of_term(term: &Term, action: Option<&str>) -> String {
    match &term.what {
        What::Words(value) => {
            let text = value.text.replace('"', "\"\"");
            format!("text:\"{text}\"{}", if value.prefix { "*" } else { "" })
        }
        What::Field(Field::Table, values) => {
            let action = action.filter(|_| !term.negated).map(str::to_lowercase);
            any_of(values.iter().map(|value| table(value, action.as_deref())))
        }
        What::Field(field, values) => {
            any_of(values.iter().map(|value| facet(&of(*field, &value.text), value.prefix)))
        }
    }
}

/// `users` is a table of that name in any schema; `public.users` is that one. A beginning may be either.
fn table(value: &Value, action: Option<&str>) -> String {
    let with = |letter: char, paired: char| match action {
        Some(action) => facet(&pair(paired, action, &value.text), value.prefix),
        None => facet(&word(letter, &value.text), value.prefix),
    };
    any_of([with('o', ACTION_ON_TABLE), with(NAME, ACTION_ON_NAME)].into_iter())
}

fn facet(word: &str, prefix: bool) -> String {
    format!("facets:\"{word}\"{}", if prefix { "*" } else { "" })
}

fn any_of(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    // None of nothing matches: a reader of no target finds nothing.
    if parts.is_empty() { facet("none", false) } else { format!("({})", parts.join(" OR ")) }
}

#[cfg(test)]
mod tests {
    use sallyport_core::{Action, Language, ObjectName, Timestamp, Verb};

    use super::*;

    fn expression_of(text: &str, targets: Option<&[&str]>) -> Option<String> {
        let query = Query::parse(text, Timestamp::from_micros(1_800_000_000_000_000)).unwrap();
        let targets = targets.map(|targets| targets.iter().map(|name| (*name).to_owned()).collect());
        expression(&query, targets.as_ref())
    }

    #[test]
    fn queries_become_expressions() {
        assert_eq!(expression_of("since:7d", None), None);
        assert_eq!(expression_of("decision:hold", None).unwrap(), "(facets:\"d686f6c64\")");
        assert_eq!(
            expression_of("-decision:hold", None).unwrap(),
            "(facets:\"x\") NOT ((facets:\"d686f6c64\"))"
        );
        assert_eq!(
            expression_of("\"a \"\"b\"\"\" us*", None).unwrap(),
            "text:\"a \"\"b\"\"\" AND text:\"us\"*"
        );
        assert_eq!(
            expression_of("action:delete table:a.*", None).unwrap(),
            "(facets:\"a64656c657465\") AND ((facets:\"q64656c657465x612e\"* OR facets:\"m64656c657465x612e\"*))"
        );
    }

    #[test]
    fn a_readers_targets_are_part_of_every_expression() {
        assert_eq!(expression_of("", Some(&["T"])).unwrap(), "(facets:\"t54\")");
        assert_eq!(
            expression_of("-a", Some(&["T", "u"])).unwrap(),
            "((facets:\"t54\" OR facets:\"t75\")) NOT (text:\"a\")"
        );
        assert_eq!(expression_of("", Some(&[])).unwrap(), "facets:\"none\"");
    }

    #[test]
    fn nothing_in_a_value_reads_as_another_field() {
        let mut delete =
            Action::on_object(Verb::Delete, "table", ObjectName::in_schema("public", "t\" OR x"));
        delete.columns = vec!["naïve x".into()];
        let facts =
            Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![delete] };
        for word in of_facts(&facts) {
            assert!(word.bytes().all(|b| b.is_ascii_alphanumeric()), "{word}");
        }
    }
}
