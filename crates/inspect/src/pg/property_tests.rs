//! What changes nothing about a text changes nothing about its facts: comments, white space, letter case,
//! quotes around plain names, brackets around expressions. And no text at all makes the inspector fail.

use proptest::prelude::*;
use sallyport_core::Facts;

use super::*;

fn facts(text: &str) -> Facts {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    inspect(text.as_bytes(), &context).facts
}

/// Statements whose words stand apart by single blanks and hold no literal with one.
fn statements() -> Vec<&'static str> {
    include_str!("cases/everyday.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(" => "))
        .map(|(sql, _)| sql)
        .filter(|sql| !sql.contains(['\'', '"', '$', '%', '\\']))
        .collect()
}

/// What may stand where a blank does.
const BLANKS: [&str; 7] = [" ", "\n", "\t \r\n", " /* ; ' */ ", " -- '\n", "/**/", " /* /* nested */ */\n"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn comments_white_space_and_letter_case_change_nothing(
        at in any::<prop::sample::Index>(),
        blanks in prop::collection::vec(0..BLANKS.len(), 64),
        upper in prop::collection::vec(any::<bool>(), 64),
    ) {
        let statements = statements();
        let sql = statements[at.index(statements.len())];
        let mut other = String::from(BLANKS[blanks[0]]);
        for (place, word) in sql.split(' ').enumerate() {
            other.push_str(&if upper[place % 64] { word.to_uppercase() } else { word.to_owned() });
            other.push_str(BLANKS[blanks[place % 64]]);
        }
        let (plain, changed) = (facts(sql), facts(&other));
        prop_assert_eq!(&plain.actions, &changed.actions, "{}", other);
        prop_assert_eq!(plain.unknown.map(|gap| gap.code), changed.unknown.map(|gap| gap.code), "{}", other);
    }

    #[test]
    fn quotes_around_plain_names_change_nothing(
        table in "[a-z_][a-z0-9_]{0,8}", column in "[a-z_][a-z0-9_]{0,8}", other in "[a-z_][a-z0-9_]{0,8}",
    ) {
        let quoted = |name: &str| format!("\"{name}\"");
        let sql = |t: &str, c: &str, o: &str| format!(
            "WITH w AS (DELETE FROM {t} WHERE {c} = 1 RETURNING {o}) SELECT x.{c}, x.{o} FROM public.{t} AS x ORDER BY x.{o}"
        );
        let plain = facts(&sql(&table, &column, &other));
        // A reserved word is no plain name.
        prop_assume!(plain.unknown.is_none());
        let changed = facts(&sql(&quoted(&table), &quoted(&column), &quoted(&other)));
        prop_assert_eq!(plain.actions, changed.actions);
        prop_assert!(changed.unknown.is_none());
    }

    #[test]
    fn brackets_around_conditions_change_nothing(
        conditions in prop::collection::vec(0..CONDITIONS.len(), 1..5), ors in prop::collection::vec(any::<bool>(), 5),
    ) {
        let join = |open: &str, close: &str| {
            let mut text = String::new();
            for (place, condition) in conditions.iter().enumerate() {
                if place > 0 {
                    text.insert(0, '(');
                    text.push_str(if ors[place] { ") OR " } else { ") AND " });
                }
                text.push_str(&format!("{open}{}{close}", CONDITIONS[*condition]));
            }
            facts(&format!("DELETE FROM t WHERE {text}")).actions
        };
        prop_assert_eq!(join("", ""), join("((", "))"));
    }

    #[test]
    fn no_text_makes_it_fail(text in "\\PC{0,60}") {
        let facts = facts(&text);
        prop_assert!(facts.unknown.is_some() || !facts.actions.is_empty() || facts.statements == 0);
    }

    #[test]
    fn no_tokens_make_it_fail(tokens in prop::collection::vec(0..TOKENS.len(), 0..40)) {
        let text: Vec<&str> = tokens.into_iter().map(|token| TOKENS[token]).collect();
        let facts = facts(&text.join(" "));
        prop_assert!(facts.unknown.is_some() || !facts.actions.is_empty() || facts.statements == 0);
    }
}

const CONDITIONS: [&str; 8] =
    ["a = 1", "1 = 1", "b IS NULL", "c LIKE 'x%'", "a = a", "NOT d", "false", "e IN (SELECT f FROM u)"];

const TOKENS: [&str; 48] = [
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "a",
    ",",
    "(",
    ")",
    "*",
    "=",
    "1",
    "'x'",
    "AND",
    "OR",
    "NOT",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "WITH",
    "AS",
    "RETURNING",
    "JOIN",
    "ON",
    "USING",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "UNION",
    "CREATE",
    "TABLE",
    "DROP",
    "ALTER",
    "ADD",
    "COLUMN",
    "int",
    "GRANT",
    "TO",
    "COPY",
    "EXPLAIN",
    "ANALYZE",
    ";",
    "f(",
    "::",
    ".",
    "$1",
];
