//! Command lines and what their programs do, by hand from the manuals.
//!
//! A case is a line: `words => effect; effect`, and behind ` # ` why it stands there. Words are split at
//! blanks; single quotes keep blanks, `"$x"` is one word that is built at run time, `$x` any number of them,
//! a word with `*` outside quotes is a pattern.

use super::super::effect::Effect;
use super::super::word::{Sureness, Word};

const FILES: &[(&str, &str)] =
    &[("everyday", include_str!("cases/everyday.txt")), ("hostile", include_str!("cases/hostile.txt"))];

fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ' ' {
            continue;
        }
        let mut text = String::new();
        let mut quoted = false;
        let mut sure = match (c, chars.peek()) {
            ('"', Some('$')) => Sureness::One,
            ('$', _) => Sureness::Any,
            _ => Sureness::Constant,
        };
        let mut next = Some(c);
        while let Some(c) = next {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => break,
                c => {
                    if c == '*' && !quoted && sure == Sureness::Constant {
                        sure = Sureness::Pattern;
                    }
                    text.push(c);
                }
            }
            next = chars.next();
        }
        words.push(Word { text, sure });
    }
    words
}

fn written(word: &Word) -> String {
    match word.sure {
        Sureness::Constant | Sureness::Pattern => word.text.clone(),
        Sureness::One => format!("<{}>", word.text),
        Sureness::Any => format!("<<{}>>", word.text),
    }
}

fn shown(effect: &Effect) -> String {
    match effect {
        Effect::Does(action) => {
            let object = action.object.as_ref().map(ToString::to_string);
            [Some(action.action.to_string()), action.kind.clone().filter(|kind| kind != "file"), object]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        }
        Effect::Runs(words) => format!("runs {}", words.iter().map(written).collect::<Vec<_>>().join(" ")),
        Effect::Sets(word) => format!("sets {}", written(word)),
        Effect::RunsShell(word) => format!("shell {}", written(word)),
        Effect::RunsShellInput => "shell-input".to_owned(),
        Effect::RunsCode(language) => format!("code {language}"),
        Effect::RunsSql(language, word) => format!("sql {} {}", language.as_str(), written(word)),
        Effect::InDatabase(word) => format!("database {}", written(word)),
        Effect::RunsSqlInput(language) => format!("sql-input {}", language.as_str()),
        Effect::Interactive(program) => format!("interactive {program}"),
        Effect::Unknown(code, _) => format!("unknown {}", code.as_str()),
    }
}

fn found(line: &str) -> String {
    let argv = words(line);
    let path = argv.first().map(|word| word.text.clone()).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    match super::effects(name, &argv) {
        None => "not described".to_owned(),
        Some(described) => {
            let mut effects: Vec<String> = described.effects.iter().map(shown).collect();
            effects.sort();
            effects.dedup();
            effects.join("; ")
        }
    }
}

fn sorted(effects: &str) -> String {
    let mut effects: Vec<&str> = effects.split("; ").map(str::trim).filter(|text| !text.is_empty()).collect();
    effects.sort_unstable();
    effects.join("; ")
}

#[test]
fn every_case_has_the_effects_that_its_manual_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, text) in FILES {
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (line, reason) = line.split_once(" # ").unwrap_or((line, ""));
            assert!(
                *file != "hostile" || !reason.is_empty(),
                "{file}:{}: an attack has its reason",
                number + 1
            );
            let (command, expected) =
                line.split_once("=>").unwrap_or_else(|| panic!("{file}:{}: no =>", number + 1));
            let (expected, found) = (sorted(expected), found(command.trim()));
            count += 1;
            if expected != found {
                wrong.push(format!(
                    "{file}:{}: {}\n    expected {expected}\n    found    {found}",
                    number + 1,
                    command.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn ten_thousand_words_are_read_in_a_moment() {
    super::effects("true", &[]);
    for program in
        ["rm", "cat", "grep", "find", "git", "kubectl", "tar", "xargs", "ssh", "sort", "curl", "rsync"]
    {
        for sure in [Sureness::Constant, Sureness::Any] {
            for text in ["a", "-x", "--zzz", "--=x", "--s", "--no-", "--", "a=b", "/x/{}"] {
                let mut argv = vec![Word::constant(program)];
                argv.resize(10_000, Word { text: text.to_owned(), sure });
                let start = crate::stopwatch::Stopwatch::start();
                super::effects(program, &argv);
                let took = start.elapsed();
                assert!(took.as_millis() < 1000, "{program} {text}: {took:?}");
            }
        }
    }
}

#[test]
fn no_words_make_any_program_panic() {
    let pool = [
        "-",
        "--",
        "---",
        "-=",
        "--=",
        "=",
        "+",
        "++",
        "-rf",
        "-\u{e9}",
        "--x=\u{1f600}",
        "a:b",
        "::",
        "://",
        "@",
        "@x",
        "x=@y",
        "{}",
        ";",
        "+x",
        "!",
        "(",
        "-exec",
        "-c",
        "-e",
        "-f",
        "-o",
        "-i",
        "--output=",
        "-o=",
        "",
        " ",
        "\n",
        "s/a/b/e",
        "{print > \"x",
        "BEGIN{",
        "get",
        "exec",
        "create",
        "config",
        "file://",
        "\u{0}",
    ];
    let mut seed = 1_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for name in super::format::table().unwrap().keys() {
        for _ in 0..20 {
            let mut argv = vec![Word::constant(name.as_str())];
            for _ in 0..next(8) {
                let sure =
                    [Sureness::Constant, Sureness::Constant, Sureness::Pattern, Sureness::One, Sureness::Any];
                argv.push(Word { text: pool[next(pool.len())].to_owned(), sure: sure[next(sure.len())] });
            }
            super::effects(name, &argv);
        }
    }
}

/// A word that may be any number of words is in the place of an option or of an operand: wherever either
/// does something, that is said.
#[test]
fn a_word_that_may_be_anything_is_never_passed_over() {
    let unknown = Word { text: "$x".to_owned(), sure: Sureness::Any };
    for name in
        ["rm", "cp", "git", "tar", "curl", "find", "ssh", "kubectl", "docker", "psql", "sed", "awk", "az"]
    {
        for before in [vec![], vec!["a"], vec!["a", "b"], vec!["--"]] {
            let mut argv = vec![Word::constant(name)];
            argv.extend(before.iter().map(|text| Word::constant(*text)));
            argv.push(unknown.clone());
            let effects = super::effects(name, &argv).unwrap().effects;
            let said = effects.iter().any(|effect| match effect {
                Effect::Unknown(..) => true,
                Effect::Runs(words) => words.iter().any(Word::is_dynamic),
                Effect::RunsShell(word) => word.is_dynamic(),
                _ => false,
            });
            assert!(said, "{name} {before:?}");
        }
    }
}
