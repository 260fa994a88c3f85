//! Requests with the facts that they must have, as data (`cases/*.txt`).
//!
//! A line is `METHOD URL | Name: value | body … => facts # reason`. Facts are divided by `;`, each a word and what
//! differs from the usual: the kind is `path`, and the object is host and path as they stand in the URL.
//! `!code` is what is unknown; `=N` counts statements. In all but a body, `\r \n \xNN` are bytes; `␠` is a space in a word of `argv`.

use std::collections::BTreeSet;

use sallyport_core::{Action, Facts, Group, ObjectName, Verb};

use super::*;

struct Case<'c> {
    line: &'c str,
    method: Vec<u8>,
    url: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    facts: &'c str,
    reason: &'c str,
}

fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        (rest, _) = match rest {
            [] => return out,
            [b'\\', b'r', rest @ ..] => (rest, out.push(b'\r')),
            [b'\\', b'n', rest @ ..] => (rest, out.push(b'\n')),
            [b'\\', b'x', high, low, rest @ ..] => {
                let digits = [char::from(*high), char::from(*low)].map(|digit| digit.to_digit(16).unwrap());
                (rest, out.push(u8::try_from(digits[0] * 16 + digits[1]).unwrap()))
            }
            [byte, rest @ ..] => (rest, out.push(*byte)),
        };
    }
}

fn parse(line: &str) -> Case<'_> {
    let (request, rest) = line.rsplit_once(" => ").unwrap_or_else(|| panic!("no facts: {line}"));
    let (facts, reason) = rest.split_once(" # ").unwrap_or((rest, ""));
    let (head, body) = match (request.split_once(" | body "), request.split_once(" | raw ")) {
        (Some((head, text)), _) => (head, text.as_bytes().to_vec()),
        (None, Some((head, text))) => (head, bytes(text)),
        (None, None) => (request, Vec::new()),
    };
    let mut fields = head.split(" | ");
    let (method, url) = fields.next().unwrap().split_once(' ').unwrap();
    let mut headers = Vec::new();
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"));
        headers.push((bytes(name), bytes(value)));
    }
    Case { line, method: bytes(method), url: bytes(url), headers, body, facts, reason }
}

fn inspect_case(case: &Case<'_>) -> Facts {
    let headers: Vec<_> =
        case.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let request = Request {
        method: &case.method,
        scheme: None,
        authority: None,
        target: &case.url,
        headers: &headers,
        body: Body::Whole(&case.body),
        version: Version::Http11,
    };
    inspect(&request, &Apis::default())
}

fn verb(word: &str) -> Verb {
    let groups = [Group::Http, Group::Privilege, Group::Process, Group::Net, Group::Code, Group::File];
    groups.iter().find_map(|group| Verb::parse(*group, word)).unwrap_or_else(|| panic!("no word: {word}"))
}

/// The facts as they are written, in one form for both sides.
fn expected(case: &Case<'_>) -> (BTreeSet<String>, Option<String>, Option<usize>) {
    let url = String::from_utf8_lossy(&case.url).into_owned();
    let object =
        url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).split('?').next().unwrap().to_owned();
    let (mut actions, mut unknown, mut count) = (BTreeSet::new(), None, None);
    for fact in case.facts.split(';').map(str::trim).filter(|fact| !fact.is_empty()) {
        if let Some(code) = fact.strip_prefix('!') {
            unknown = Some(code.to_owned());
            continue;
        }
        if let Some(number) = fact.strip_prefix('=') {
            count = Some(number.parse().unwrap());
            continue;
        }
        let mut words = fact.split(' ');
        let mut action =
            Action::on_object(verb(words.next().unwrap()), "path", ObjectName::verbatim(&object));
        for word in words {
            match word.split_once('=').unwrap_or_else(|| panic!("{fact}: {}", case.line)) {
                ("kind", kind) => action.kind = Some(kind.to_owned()),
                ("object", "") => (action.object, action.kind) = (None, None),
                ("object", object) => action.object = Some(ObjectName::verbatim(object)),
                ("on", on) => action.on = Some(ObjectName::verbatim(on)),
                ("op", operation) => action.operation = Some(operation.to_owned()),
                ("to", names) => action.to = names.split(',').map(str::to_owned).collect(),
                ("argv", words) => {
                    action.argv = words.split(',').map(|word| word.replace('␠', " ")).collect()
                }
                _ => panic!("{fact}: {}", case.line),
            }
        }
        actions.insert(format!("{action:?}"));
    }
    (actions, unknown, count)
}

fn hold(cases: &str) -> usize {
    let cases: Vec<Case<'_>> =
        cases.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).map(parse).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let facts = inspect_case(case);
        let actions: BTreeSet<String> = facts.actions.iter().map(|action| format!("{action:?}")).collect();
        let code = facts.unknown.as_ref().map(|unknown| unknown.code.as_str().to_owned());
        let (wanted, unknown, count) = expected(case);
        if actions != wanted || code != unknown || count.is_some_and(|count| count != facts.statements) {
            wrong.push(format!(
                "{}\n  expected {unknown:?} {wanted:?}\n  found    {:?} {actions:?} ={}",
                case.line, facts.unknown, facts.statements
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    cases.len()
}

#[test]
fn everyday_requests_have_their_facts() {
    let text = include_str!("cases/everyday.txt");
    assert!(hold(text) >= 250);
    let known = text.lines().filter(|line| line.contains(" => ") && !line.contains('!')).count();
    let all = text.lines().filter(|line| line.contains(" => ")).count();
    assert!(known * 100 >= all * 98, "{known} of {all} are understood");
}

#[test]
fn attack_13_and_35_requests_have_their_facts() {
    let text = include_str!("cases/hostile.txt");
    assert!(hold(text) >= 250);
    for line in text.lines().filter(|line| line.contains(" => ")) {
        assert!(!parse(line).reason.is_empty(), "no reason: {line}");
    }
}

#[test]
fn identity_and_secrets_have_their_facts() {
    assert!(hold(include_str!("cases/identity.txt")) >= 100);
}
