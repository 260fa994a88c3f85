//! The reader of GraphQL against another, and where it must not be misled.

use std::collections::HashSet;

use async_graphql_parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use proptest::prelude::*;

use super::*;

type Roots = Vec<(Option<String>, HashSet<String>)>;

fn ours(text: &str) -> Option<Roots> {
    let document = Document::parse(text).ok()?;
    let roots: Result<Roots, _> = document
        .operations
        .iter()
        .map(|operation| {
            let fields = document.root_fields(operation, &mut 1_000_000)?;
            Ok::<_, Doubt>((
                operation.name.map(str::to_owned),
                fields.into_iter().map(str::to_owned).collect(),
            ))
        })
        .collect();
    let mut roots = roots.ok()?;
    roots.sort_by(|one, other| one.0.cmp(&other.0));
    Some(roots)
}

fn theirs(text: &str) -> Option<Roots> {
    let document = async_graphql_parser::parse_query(text).ok()?;
    let operations: Vec<_> = match &document.operations {
        DocumentOperations::Single(operation) => vec![(None, &operation.node)],
        DocumentOperations::Multiple(operations) => {
            operations.iter().map(|(name, operation)| (Some(name.to_string()), &operation.node)).collect()
        }
    };
    let mut roots = Vec::new();
    for (name, operation) in operations {
        let mut fields = HashSet::new();
        collect(&operation.selection_set.node, &document, &mut HashSet::new(), &mut fields)?;
        roots.push((name, fields));
    }
    roots.sort_by(|one, other| one.0.cmp(&other.0));
    Some(roots)
}

fn collect(
    set: &SelectionSet,
    document: &ExecutableDocument,
    seen: &mut HashSet<String>,
    fields: &mut HashSet<String>,
) -> Option<()> {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                fields.insert(field.node.name.node.to_string());
            }
            Selection::InlineFragment(inline) => {
                collect(&inline.node.selection_set.node, document, seen, fields)?;
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                let fragment = document.fragments.get(name)?;
                if seen.insert(name.to_owned()) {
                    collect(&fragment.node.selection_set.node, document, seen, fields)?;
                }
            }
        }
    }
    Some(())
}

#[test]
fn both_readers_agree_on_documents_of_every_form() {
    for text in [
        "{ a }",
        "query { a b c }",
        "query Q($a: Int = 1, $b: [String!]! = [\"x\"], $c: I = {a: 1, b: [2]}) @live { a(x: $a) { b } }",
        "mutation M { x: a(input: {a: [1, 2.5e3, -0], b: null, c: true, d: ENUM, e: \"\\u0041\\n\"}) { id } }",
        "subscription { s @include(if: $x) { t @skip(if: false) } }",
        "query { ...F ... on Q { b } ... @include(if: true) { c } } fragment F on Q @d(a: 1) { a { ...G } }  fragment G on A { z }",
        "query A { a } query B { b } mutation C { c }",
        "{ a(x: \"\"\"block \\\"\"\" } \" \"\"\", y: \"}{\") b }",
        "# comment {\n{ a # } \r b }",
        ",,{ a,,, b ,},",
        "\u{feff}{ a }",
        "{ query mutation fragment on }",
        "{ on: query, fragment: on }",
        "{ ...onA } fragment onA on on { on }",
        "query query { query }",
        "{ __schema { types { name } } __typename }",
    ] {
        assert!(ours(text).is_some(), "{text}");
        assert_eq!(ours(text), theirs(text), "{text}");
    }
}

#[test]
fn what_servers_reject_is_rejected() {
    for text in [
        "",
        "#",
        "{}",
        "{ a",
        "a }",
        "{ a: }",
        "{ :a }",
        "{ a(} }",
        "query",
        "query Q",
        "query { a } { b }",
        "query A { a } query A { b }",
        "{ a } { b }",
        "{ ...F }",
        "fragment F on Q { a }",
        "{ ...F } fragment F on Q { a } fragment F on Q { b }",
        "fragment on on Q { a }",
        "{ ... on { a } }",
        "type A { a: Int }",
        "{ a(x: \"\n\") }",
        "{ a(x: \"\\q\") }",
        "{ a(x: 01) }",
        "{ a(x: 1a) }",
        "{ a(x: 1.) }",
        "{ a(x: .5) }",
        "{ a ; b }",
        "{ a\u{a0} }",
        "{ a(x: \"\"\" ) }",
        "queryA { a }",
        "{ a.b }",
        "{ .. }",
        "{ a(x: \"\\u{}\") }",
    ] {
        assert!(ours(text).is_none(), "{text}");
    }
}

#[test]
fn what_the_other_reader_does_not_know_is_read_as_it_is_specified() {
    let roots = |text: &str| ours(text).map(|mut roots| roots.remove(0).1.into_iter().collect::<Vec<_>>());
    assert_eq!(roots("mutation { ... on #c\n M { b } }"), Some(vec!["b".to_owned()]));
    assert_eq!(roots("\"about\" query { a }"), Some(vec!["a".to_owned()]));
    assert_eq!(roots("{ a(x: \"\\u{1F600}\") }"), Some(vec!["a".to_owned()]));
}

fn soup() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => prop::sample::select(vec!["{", "}", "{ a }", "a", "b", "F", "Q", "on", "..."]),
        3 => prop::sample::select(vec!["query", "mutation", "subscription", "fragment", "... on Q", "...F", "fragment F on Q"]),
        2 => prop::sample::select(vec!["(", ")", ":", "(x: 1)", "@d", "$v", "[", "]", "!", "=", "|", "&"]),
        2 => prop::sample::select(vec!["\"s\"", "\"}\"", "\"\"\"{\"\"\"", "1", "-2.5", "# {\n", ",", "{ b { c } }", "x: a"]),
    ];
    prop::collection::vec(word, 1..14).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_readers_agree_on_whatever_both_accept(text in soup()) {
        if let (Some(ours), Some(theirs)) = (ours(&text), theirs(&text)) {
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn what_the_other_reader_accepts_is_accepted(text in soup()) {
        if theirs(&text).is_some() {
            prop_assert!(ours(&text).is_some());
        }
    }
}
