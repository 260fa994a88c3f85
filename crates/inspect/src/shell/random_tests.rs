//! Facts do not change with what a shell does not read, and nothing that is typed makes the reader fail.

use proptest::prelude::*;
use sallyport_core::{Facts, Language};

use super::{Flavour, inspect};

fn facts(text: &str) -> Facts {
    inspect(text.as_bytes(), Flavour::Bash)
}

/// Command lines without quotes or comments, so that they can be rewritten word by word.
fn lines() -> impl Strategy<Value = Vec<Vec<String>>> {
    let word = prop_oneof![
        Just("-rf".to_owned()),
        Just("/tmp/x".to_owned()),
        Just("a.log".to_owned()),
        "[a-z][a-z0-9./-]{0,6}".prop_map(|word| word),
    ];
    let program = prop_oneof![
        Just("rm".to_owned()),
        Just("cat".to_owned()),
        Just("echo".to_owned()),
        Just("cp".to_owned()),
        Just("sudo".to_owned()),
        Just("mytool".to_owned()),
    ];
    let line = (program, prop::collection::vec(word, 0..4)).prop_map(|(program, mut words)| {
        words.insert(0, program);
        words
    });
    prop::collection::vec(line, 1..5)
}

fn joined(lines: &[Vec<String>], blank: &str, end: &str) -> String {
    lines.iter().map(|line| line.join(blank)).collect::<Vec<_>>().join(end)
}

/// What decides the facts, without the number of statements.
fn told(facts: &Facts) -> (Option<&str>, &[sallyport_core::Action]) {
    (facts.unknown.as_ref().map(|unknown| unknown.code.as_str()), &facts.actions)
}

/// Pieces of shell, put together at random.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "rm", "x", " ", " ", "\n", ";", "&&", "||", "|", "&", "(", ")", "((", "))", "{", "}", "[[", "]]",
        "if", "then", "fi", "for", "in", "do", "done", "case", "esac", ";;", "'", "\"", "`", "\\", "$", "$(",
        "${", "$((", "$'", "<<E", "<<-'E'", "E", "<", ">", ">&", "<(", "#", "=", "a=", "a[", "]", "+=", "!",
        "*", "{a,b}", "{1..9}", "${x:-", "@P}", "f()", "function", "eval", "trap", "sh -c", "sudo", "xargs",
        "psql -c", "é", "\r", "\t", "\u{a0}", "-v", "1",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn blanks_and_continued_lines_change_nothing(lines in lines()) {
        let plain = facts(&joined(&lines, " ", "\n"));
        for blank in ["  ", "\t", " \\\n ", " \t "] {
            let other = facts(&joined(&lines, blank, "\n"));
            prop_assert_eq!(&plain, &other);
        }
    }

    #[test]
    fn comments_change_nothing(lines in lines()) {
        let plain = facts(&joined(&lines, " ", "\n"));
        let other = facts(&format!("# '\" $( rm\n{} # x", joined(&lines, " ", " # ` ) '\n\n")));
        prop_assert_eq!(&plain, &other);
    }

    #[test]
    fn ends_of_lines_and_semicolons_are_the_same(lines in lines()) {
        let plain = facts(&joined(&lines, " ", "\n"));
        let other = facts(&joined(&lines, " ", " ; "));
        prop_assert_eq!(&plain, &other);
    }

    #[test]
    fn quotes_around_plain_words_change_nothing(lines in lines()) {
        let plain = facts(&joined(&lines, " ", "\n"));
        for quote in ["'", "\""] {
            let quoted: Vec<Vec<String>> =
                lines.iter().map(|line| line.iter().map(|word| format!("{quote}{word}{quote}")).collect()).collect();
            prop_assert_eq!(&plain, &facts(&joined(&quoted, " ", "\n")));
        }
        let escaped: Vec<Vec<String>> = lines
            .iter()
            .map(|line| line.iter().map(|word| word.chars().flat_map(|c| ['\\', c]).collect()).collect())
            .collect();
        prop_assert_eq!(&plain, &facts(&joined(&escaped, " ", "\n")));
    }

    #[test]
    fn groups_and_conditions_hide_nothing(lines in lines()) {
        let plain = facts(&joined(&lines, " ", "\n"));
        let text = joined(&lines, " ", "\n");
        for wrapped in [
            format!("({text}\n)"),
            format!("{{ {text}\n}}"),
            format!("if true; then {text}\nfi"),
            format!("while false; do {text}\ndone"),
            format!("echo $({text}\n)"),
            format!("f() {{ {text}\n}}"),
        ] {
            let found = facts(&wrapped);
            for action in &plain.actions {
                prop_assert!(found.actions.contains(action), "{wrapped}: {action:?}");
            }
            prop_assert!(plain.unknown.is_none() || found.unknown.is_some(), "{wrapped}");
        }
    }

    #[test]
    fn no_text_makes_it_fail_and_the_same_text_says_the_same(text in soup()) {
        let found = facts(&text);
        let again = facts(&text);
        prop_assert_eq!(told(&found), told(&again));
        prop_assert!(found.statements == 0 || found.unknown.is_some() || !found.actions.is_empty(), "{text:?}");
        prop_assert_eq!(inspect(text.as_bytes(), Flavour::Posix).language, Language::Shell);
    }

    #[test]
    fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(inspect(&bytes, Flavour::Bash).language, Language::Shell);
    }
}
