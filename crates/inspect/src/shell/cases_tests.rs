//! Command lines with the facts that they must have, as data (`cases/*.txt`).
//!
//! One case a line: the text, ` => `, its facts separated by ` ;; `, and after ` ## ` the reason. In a text
//! `⏎` is an end of line, `␍` a carriage return, `␉` a tab. `run` is followed by the words as the program
//! gets them, those with blanks in `‹›`, or stands alone for the text's own words; other actions are written as they are shown; `?code` is `unknown`.
//! Everyday texts have these facts and no others. Hostile ones have at least these, and this `unknown`.

use sallyport_core::{Action, Verb};

use super::{Flavour, inspect};

struct Case {
    text: String,
    facts: Vec<String>,
    reason: Option<String>,
}

fn cases(data: &str) -> Vec<Case> {
    let lines = data.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("##"));
    lines
        .map(|line| {
            let (text, rest) = line.split_once(" => ").unwrap_or_else(|| panic!("no facts: {line}"));
            let (facts, reason) = match rest.split_once(" ## ") {
                Some((facts, reason)) => (facts, Some(reason.to_owned())),
                None => (rest, None),
            };
            let own = |fact: &str| if fact == "run" { format!("run {text}") } else { fact.to_owned() };
            let mut facts: Vec<String> = facts.split(" ;; ").map(|fact| own(fact.trim())).collect();
            facts.sort();
            facts.dedup();
            Case { text: text.replace('⏎', "\n").replace('␍', "\r").replace('␉', "\t"), facts, reason }
        })
        .collect()
}

fn shown(action: &Action) -> String {
    if action.action != Verb::Run {
        return format!("{action:?}");
    }
    let quoted = |word: &String| {
        if word.is_empty() || word.contains(char::is_whitespace) {
            format!("‹{word}›")
        } else {
            word.clone()
        }
    };
    let words: Vec<String> = action.argv.iter().map(quoted).collect();
    format!("run {}", words.join(" ")).replace('\n', "⏎").replace('\t', "␉").replace('\r', "␍")
}

fn facts_of(text: &str) -> Vec<String> {
    let facts = inspect(text.as_bytes(), Flavour::Bash);
    let mut shown: Vec<String> = facts.actions.iter().map(shown).collect();
    shown.extend(facts.unknown.map(|unknown| format!("?{}", unknown.code.as_str())));
    shown.sort();
    shown
}

fn unknown_of(facts: &[String]) -> Option<&String> {
    facts.iter().find(|fact| fact.starts_with('?'))
}

#[test]
fn everyday_texts_have_these_facts_and_no_others() {
    let cases = cases(include_str!("cases/everyday.txt"));
    let mut wrong = Vec::new();
    for case in &cases {
        let found = facts_of(&case.text);
        if found != case.facts {
            wrong.push(format!("{}\n  expected {:?}\n  found    {found:?}", case.text, case.facts));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= 300, "{}", cases.len());
}

#[test]
fn hostile_texts_have_at_least_these_facts() {
    let cases = cases(include_str!("cases/hostile.txt"));
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(case.reason.is_some(), "without a reason: {}", case.text);
        let found = facts_of(&case.text);
        let missing: Vec<&String> = case.facts.iter().filter(|fact| !found.contains(fact)).collect();
        if !missing.is_empty() || unknown_of(&found) != unknown_of(&case.facts) {
            wrong.push(format!("{}\n  expected {:?}\n  found    {found:?}", case.text, case.facts));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= 250, "{}", cases.len());
}
