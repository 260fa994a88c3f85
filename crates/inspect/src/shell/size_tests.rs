//! Large and deep texts are answered, on a small stack and in time. A build without optimisation is given
//! smaller texts and more time.

use std::time::Duration;

use sallyport_core::UnknownCode;

use super::{Flavour, inspect};
use crate::stopwatch::Stopwatch;

const MEBIBYTE: usize = 1024 * 1024;

/// Texts that are as bad as they come: each a pattern that is repeated, and what closes it.
pub(super) fn hostile(size: usize) -> Vec<(&'static str, String)> {
    let repeated = |piece: &str| piece.repeat(size / piece.len());
    vec![
        ("commands", repeated("a;")),
        ("words", repeated("a ")),
        ("a word", repeated("a")),
        ("assignments", repeated("x=1;")),
        ("a value that grows", format!("x=y;{}", repeated("x=$x$x;"))),
        ("quotes", repeated("'")),
        ("double quotes", repeated("\"a\"")),
        ("escapes", repeated("\\")),
        ("parentheses", repeated("(")),
        ("double parentheses", repeated("((")),
        ("double parentheses closed", format!("{}{}", "(".repeat(size / 2), ")".repeat(size / 2))),
        ("arithmetic that is none", repeated("((a);(b))\n")),
        ("braces", repeated("{")),
        ("braces in one word", format!("echo {}", "{a,b}".repeat(size / 5))),
        ("commas in braces", format!("echo {{{}}}", ",".repeat(size - 8))),
        ("a sequence", "echo {1..999999999}{1..999999999}".to_owned()),
        ("substitutions", repeated("$(")),
        ("substitutions closed", format!("{}{}", "$(a ".repeat(size / 5), ")".repeat(size / 5))),
        ("substitutions in quotes", repeated("\"$(")),
        ("substitutions in arithmetic", repeated("$((a[$(")),
        ("arithmetic in substitutions", repeated("(( $( ")),
        ("back-ticks", repeated("`a`")),
        ("escaped back-ticks", repeated("`\\`")),
        ("parameters", repeated("${x:-")),
        ("subscripts", repeated("a[a[")),
        ("here-documents", repeated("<<E ")),
        ("here-documents and lines", format!("{}\n{}", "cat <<E;".repeat(size / 16), "x\n".repeat(size / 4))),
        ("a here-document", format!("cat <<E\n{}E\n", "x $y `z`\n".repeat(size / 9))),
        ("pipes", repeated("a|")),
        ("conditions", repeated("a&&")),
        ("if", repeated("if a;then ")),
        ("case", repeated("case x in x) ")),
        ("functions", repeated("f(){ ")),
        (
            "functions that call",
            (0..size / 40).map(|n| format!("f{n}(){{ f{};f{}; }}\n", n + 1, n + 1)).collect(),
        ),
        ("a function called often", format!("f(){{ a;a;a;a; }};{}", "f;".repeat(size / 2))),
        ("loops in loops", format!("{}:{}", "for x in 1 2 3 4;do ".repeat(20), ";done".repeat(20))),
        ("loops side by side", repeated("for x in a b;do c;done;")),
        ("eval", repeated("eval ")),
        ("sudo", repeated("sudo ")),
        ("command", repeated("command ")),
        ("builtin", repeated("builtin command ")),
        ("sh -c", repeated("sh -c ")),
        ("env", repeated("env x=1 ")),
        ("traps", repeated("trap 'a;b' DEBUG;")),
        ("patterns in a test", format!("[[ a =~ {} ]]", "(".repeat(size - 16))),
        ("words in a test", format!("[[ {} a ]]", "a && ".repeat(size / 5 - 8))),
        ("redirections", repeated(">a ")),
        ("comments", repeated("#")),
        ("names in arithmetic", format!("(( {} a ))", "a+".repeat(size / 2 - 8))),
        ("lines", repeated("\n")),
        ("continued lines", repeated("\\\n")),
        ("reserved words", repeated("! ")),
        ("time", repeated("time ")),
        ("arrays", format!("a=({})", "x ".repeat(size / 2 - 8))),
        ("arrays that grow", repeated("a+=(x);")),
        (
            "arrays that double",
            (1..size / 40)
                .map(|n| format!("a{n}=(\"${{a{}[@]}}\" \"${{a{}[@]}}\" x);", n - 1, n - 1))
                .collect(),
        ),
        ("an array often", format!("a=({});{}", "x ".repeat(200), "b \"${a[@]}\";".repeat(size / 13))),
        ("psql", format!("psql -c '{}'", "select 1;".repeat(size / 9))),
    ]
}

#[test]
fn large_texts_are_answered_on_a_small_stack() {
    let reading = std::thread::Builder::new().stack_size(2 * MEBIBYTE).spawn(|| {
        let mut slow = Vec::new();
        let (size, time) =
            if cfg!(debug_assertions) { (MEBIBYTE / 16, 10_000) } else { (MEBIBYTE / 4 - 256, 100) };
        // What is read once for all programs does not count.
        assert_eq!(inspect(b"ls", Flavour::Bash).statements, 1);
        for (name, text) in hostile(size) {
            let start = Stopwatch::start();
            let facts = inspect(text.as_bytes(), Flavour::Bash);
            let took = start.elapsed();
            if took > Duration::from_millis(time) {
                slow.push(format!("{name}: {took:?}"));
            }
            assert!(facts.unknown.is_some() || facts.statements == 0 || !facts.actions.is_empty(), "{name}");
        }
        assert!(slow.is_empty(), "{slow:?}");
    });
    reading.unwrap().join().unwrap();
}

#[test]
fn what_is_too_large_is_said_to_be() {
    for text in [
        "a".repeat(MEBIBYTE / 4 + 1),
        "(".repeat(1000),
        format!("echo {}{}", "$(".repeat(200), ")".repeat(200)),
        "sudo ".repeat(100),
        "a;".repeat(30_000),
    ] {
        let unknown = inspect(text.as_bytes(), Flavour::Bash).unknown;
        assert_eq!(unknown.map(|unknown| unknown.code), Some(UnknownCode::TooLarge), "{:.40}", text);
    }
}
