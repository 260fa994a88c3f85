//! What means nothing to the server changes nothing in the facts: comments, white space, the case of words,
//! quotes around names, executable comments around all of it.

use std::collections::BTreeSet;

use super::*;

/// A context in which no name depends on its case.
const CONTEXT: Context<'static> = Context {
    flavour: Flavour::Either,
    sql_mode: Some(SqlMode::DEFAULT),
    character_set: "utf8mb4",
    database: Some("shop"),
    lower_case_table_names: 1,
};

fn facts_of(text: &str) -> BTreeSet<String> {
    let facts = inspect(text.as_bytes(), &CONTEXT).facts;
    let mut all: BTreeSet<String> = facts.actions.iter().map(|action| format!("{action:?}")).collect();
    all.extend(facts.unknown.iter().map(|unknown| format!("unknown {}", unknown.code.as_str())));
    all
}

/// Everyday texts without comments of their own.
fn texts() -> Vec<&'static str> {
    include_str!("cases/everyday.txt")
        .lines()
        .filter_map(|line| line.split_once(" ==> "))
        .map(|(text, _)| text)
        .filter(|text| !["--", "#", "/*", "␊"].iter().any(|mark| text.contains(mark)))
        .collect()
}

/// The parts of a text: what stands in quotes (with them), and what does not.
fn parts(text: &str) -> Vec<(bool, String)> {
    let mut parts = vec![(false, String::new())];
    let mut open = None;
    let mut escaped = false;
    for c in text.chars() {
        match open {
            None if matches!(c, '\'' | '"' | '`') => {
                open = Some(c);
                parts.push((true, c.to_string()));
            }
            None => parts.last_mut().unwrap().1.push(c),
            Some(quote) => {
                parts.last_mut().unwrap().1.push(c);
                if escaped {
                    escaped = false;
                } else if c == '\\' && quote != '`' {
                    escaped = true;
                } else if c == quote {
                    open = None;
                    parts.push((false, String::new()));
                }
            }
        }
    }
    parts
}

fn outside(text: &str, change: impl Fn(&str) -> String) -> String {
    parts(text).iter().map(|(quoted, part)| if *quoted { part.clone() } else { change(part) }).collect()
}

fn hold(change: impl Fn(&str) -> Option<String>) -> usize {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for text in texts() {
        let Some(changed) = change(text) else { continue };
        count += 1;
        let (before, after) = (facts_of(text), facts_of(&changed));
        if before != after {
            wrong.push(format!("{text}\n{changed}\n    {before:?}\n    {after:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    count
}

#[test]
fn comments_and_white_space_change_nothing() {
    for space in ["/**/", "\n\t", " -- x\n", " # x\r y\n", " /* '\" ` ; */ ", "\u{b}\u{c}"] {
        let changed = hold(|text| Some(outside(text, |part| part.replace(' ', space))));
        assert!(changed > 300);
    }
}

#[test]
fn the_case_of_words_changes_nothing() {
    // Accounts and roles have case.
    let accounts = ["USER", "ROLE", "GRANT", "REVOKE", "PASSWORD"];
    for upper in [true, false] {
        let changed = hold(|text| {
            let has_case = accounts.iter().any(|word| text.to_uppercase().contains(word));
            let case = |part: &str| if upper { part.to_uppercase() } else { part.to_lowercase() };
            (!has_case).then(|| outside(text, case))
        });
        assert!(changed > 150);
    }
}

#[test]
fn quotes_around_names_change_nothing() {
    let names = ["users", "orders", "email", "status", "total", "user_id", "created_at", "banned", "staff"];
    let quote = |part: &str| {
        let mut changed = String::new();
        let mut word = String::new();
        for c in part.chars().chain([' ']) {
            if c.is_ascii_alphanumeric() || c == '_' || c == '@' {
                word.push(c);
                continue;
            }
            if c != '(' && names.contains(&word.as_str()) {
                changed.push_str(&format!("`{word}`"));
            } else {
                changed.push_str(&word);
            }
            word.clear();
            changed.push(c);
        }
        changed.pop();
        changed
    };
    let changed = hold(|text| {
        let changed = outside(text, quote);
        (changed != text && !text.starts_with("SHOW")).then_some(changed)
    });
    assert!(changed > 100);
}

#[test]
fn an_executable_comment_around_a_text_changes_nothing() {
    for opening in ["/*!", "/*!50000 ", "/*!40101"] {
        let changed = hold(|text| (!text.contains(';')).then(|| format!("{opening} {text} */")));
        assert!(changed > 300);
    }
}

#[test]
fn words_hidden_one_by_one_change_nothing() {
    let changed = hold(|text| {
        let first = text.split(' ').next()?;
        (first.bytes().all(|byte| byte.is_ascii_alphabetic()) && first.len() < text.len())
            .then(|| text.replacen(first, &format!("/*!{first}*/"), 1))
    });
    assert!(changed > 250);
}
