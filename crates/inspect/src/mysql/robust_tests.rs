//! Hostile texts end in an answer: no panic, no overflow of a small stack, nothing that grows with the square.

use std::time::Duration;

use proptest::prelude::*;
use sallyport_core::UnknownCode;

use super::*;
use crate::stopwatch::Stopwatch;

const CONTEXT: Context<'static> = Context {
    flavour: Flavour::Either,
    sql_mode: Some(SqlMode::DEFAULT),
    character_set: "utf8mb4",
    database: Some("shop"),
    lower_case_table_names: 0,
};

fn facts_of(text: &[u8]) -> sallyport_core::Facts {
    inspect(text, &CONTEXT).facts
}

/// Texts that nest or chain as deep as they are long, or that a naive reader would take the square of.
fn hostile(size: usize) -> Vec<(&'static str, String)> {
    let fill = |piece: &str| piece.repeat(size / piece.len());
    let around = |before: &str, middle: &str, after: &str| {
        let count = size / (before.len() + after.len());
        format!("{}{middle}{}", before.repeat(count), after.repeat(count))
    };
    // Half of it columns, half of it tables.
    let of_tables = |head: &str, column: &str, condition: &str| {
        let half = |piece: &str| piece.repeat((size / 2).checked_div(piece.len()).unwrap_or(0));
        format!("{head}{} FROM t{} WHERE 1{}", half(column), half(",t"), half(condition))
    };
    // A piece with every number in turn, one for so many bytes of the text.
    let numbered = |per: usize, piece: &str, between: &str| {
        (0..size / per).map(|at| piece.replace('#', &at.to_string())).collect::<Vec<_>>().join(between)
    };
    vec![
        ("parentheses", format!("SELECT {}", around("(", "1", ")"))),
        ("open parentheses", format!("SELECT {}", fill("("))),
        ("sub-queries", around("(SELECT ", "1", ")")),
        ("derived tables", around("SELECT * FROM (", "SELECT 1", ") d")),
        ("joins", format!("SELECT 1 FROM {}", around("(a JOIN ", "b", ")"))),
        ("calls", format!("SELECT {}", around("ABS(", "1", ")"))),
        ("unknown calls", format!("SELECT {}", around("f(", "1", ")"))),
        ("cases", format!("SELECT {}", around("CASE WHEN 1 THEN ", "1", " END"))),
        ("or", format!("DELETE FROM t WHERE a = 1{}", fill(" OR b = 2"))),
        ("and or", format!("DELETE FROM t WHERE a = 1{}", fill(" OR b = 2 AND c"))),
        ("plus", format!("SELECT 1{}", fill("+1"))),
        ("comparisons", format!("DELETE FROM t WHERE a{}", fill("=a"))),
        ("minus", format!("SELECT {}1", fill("- "))),
        ("not", format!("SELECT {}1", fill("NOT "))),
        ("assignments", format!("SELECT {}1", fill("@a := "))),
        ("unions", format!("SELECT 1{}", fill(" UNION SELECT 1"))),
        ("tables", format!("SELECT a FROM t{}", fill(",t"))),
        ("columns", format!("SELECT a{} FROM t, u", fill(",b"))),
        ("aliases", format!("SELECT a x{} FROM t HAVING x", fill(",a x"))),
        ("rows", format!("INSERT INTO t VALUES (1){}", fill(",(1)"))),
        ("list", format!("DELETE FROM t WHERE a IN (1{})", fill(",1"))),
        ("statements", fill("SELECT 1;")),
        ("empty statements", fill(";")),
        ("ctes", format!("WITH a AS (SELECT 1){} SELECT 1", fill(", a AS (SELECT 1)"))),
        ("nested ctes", around("WITH a AS (", "SELECT 1", ") SELECT 1")),
        ("comments", fill("/*")),
        ("executable comments", fill("/*!")),
        ("closed comments", fill("/**/")),
        ("a string", format!("SELECT '{}'", fill("''"))),
        ("an open string", format!("SELECT '{}", fill("a"))),
        ("back-ticks", format!("SELECT `{}`", fill("``"))),
        ("a word", fill("a")),
        ("a number", fill("1")),
        ("dots", format!("SELECT a{}", fill(".a"))),
        ("at signs", format!("SELECT {}", fill("@"))),
        ("begins", format!("CREATE PROCEDURE p() {}", fill("BEGIN "))),
        ("set", format!("SET @a = 1{}", fill(", @a = 1"))),
        ("set statement", format!("{} SELECT 1", fill("SET STATEMENT a=1 FOR "))),
        ("explain", format!("{} SELECT 1", fill("EXPLAIN "))),
        ("prepares", format!("PREPARE s FROM '{}'", fill("SELECT 1 "))),
        ("many prepares", fill("PREPARE s FROM 'SELECT a FROM t';")),
        ("braces", format!("SELECT {}", fill("{fn "))),
        ("intervals", format!("SELECT {} 1", fill("INTERVAL "))),
        ("collations", format!("SELECT a{}", fill(" COLLATE b"))),
        ("is null", format!("SELECT a{}", fill(" IS NULL"))),
        ("betweens", format!("DELETE FROM t WHERE a{}", fill(" BETWEEN 1 AND a"))),
        ("columns of a table", format!("CREATE TABLE t (a INT{})", fill(", a INT"))),
        ("grants", format!("GRANT SELECT{} ON *.* TO a", fill(", SELECT"))),
        ("references", format!("UPDATE t SET a = 1{}", fill(", a = a"))),
        ("deletes", format!("DELETE t{} FROM t", fill(", t"))),
        ("columns of tables", of_tables("SELECT 1", ", c", "")),
        ("qualified columns of tables", of_tables("SELECT 1", ", t.c", "")),
        ("stars of tables", of_tables("SELECT 1", ", *", "")),
        ("columns of tables in a condition", of_tables("SELECT 1", "", " AND c")),
        ("doubled columns", {
            let more =
                (1..size / 60).map(|at| format!(",c{at} AS (SELECT * FROM c{} a, c{} b)", at - 1, at - 1));
            format!("WITH c0 AS (SELECT 1 x){} SELECT 1", more.collect::<String>())
        }),
        (
            "executions",
            format!(
                "PREPARE s FROM 'SELECT 1 FROM {}';{}",
                (0..size / 40).map(|at| format!("t{at}")).collect::<Vec<_>>().join(","),
                "EXECUTE s;".repeat(size / 20)
            ),
        ),
        ("many tables", format!("SELECT 1 FROM {}", numbered(8, "t#", ","))),
        ("tables updated", {
            format!("UPDATE {} SET {}", numbered(20, "t#", ","), numbered(40, "t#.a = 1", ","))
        }),
        ("tables updated by no name", {
            format!("UPDATE {} SET {}", numbered(20, "t#", ","), numbered(20, "a = 1", ","))
        }),
        ("tables joined and updated", format!("UPDATE {} SET a = 1", numbered(20, "t#", " JOIN "))),
        ("as many joins as may be", format!("SELECT 1 FROM t{}", " JOIN t".repeat(100))),
        ("joins in parentheses", format!("SELECT 1 FROM t{}", fill(" JOIN (t JOIN t JOIN t"))),
        ("joins and commas", format!("UPDATE t{} SET a = 1", fill(" JOIN t,t"))),
        ("straight joins", format!("SELECT 1 FROM t{}", fill(" STRAIGHT_JOIN t"))),
        ("tables deleted", format!("DELETE {} FROM {}", numbered(20, "t#", ","), numbered(20, "t#", ","))),
        ("aliases ordered by", {
            format!("SELECT {} FROM t ORDER BY {}", numbered(20, "a x#", ","), numbered(20, "x#", ","))
        }),
        ("aliases grouped by", {
            format!("SELECT {} FROM t GROUP BY {}", numbered(20, "a x#", ","), numbered(20, "x#", ","))
        }),
        ("aliases in HAVING", {
            format!("SELECT {} FROM t HAVING {}", numbered(20, "a x#", ","), numbered(20, "x#", "+"))
        }),
        ("merged columns of tables", format!("SELECT 1 FROM t{}", fill(" JOIN t USING (a)"))),
    ]
}

#[test]
fn deep_and_long_texts_fit_a_small_stack() {
    // As small as the threads that the gateway reads on.
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let reading = thread.spawn(|| {
        // Without optimisation a level takes more stack, and reading more time.
        let sizes: &[usize] =
            if cfg!(debug_assertions) { &[1_000, 20_000] } else { &[1_000, 20_000, 200_000] };
        for size in sizes {
            for (name, text) in hostile(*size) {
                let facts = facts_of(text.as_bytes());
                let answered = facts.unknown.is_some() || !facts.actions.is_empty();
                assert!(answered || name == "closed comments" || name == "empty statements", "{name}");
            }
        }
    });
    reading.unwrap().join().unwrap();
}

#[test]
fn a_mebibyte_is_answered_in_no_time() {
    // Without optimisation a smaller text shows whether the time grows with the square.
    let (size, limit) = if cfg!(debug_assertions) { (1 << 17, 10_000) } else { ((1 << 20) - 64, 100) };
    let limit = Duration::from_millis(limit);
    let mut slow = Vec::new();
    for (name, text) in hostile(size) {
        let start = Stopwatch::start();
        drop(facts_of(text.as_bytes()));
        let took = start.elapsed();
        if took > limit {
            slow.push(format!("{name}: {took:?}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn what_is_too_large_is_said_to_be() {
    let text = format!("SELECT '{}'", "a".repeat(1 << 20));
    assert_eq!(facts_of(text.as_bytes()).unknown.unwrap().code, UnknownCode::TooLarge);
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(facts_of(deep.as_bytes()).unknown.unwrap().code, UnknownCode::TooLarge);
}

#[test]
fn long_everyday_texts_are_read() {
    let rows = vec!["(1, 'a', 'b@c.d', NULL)"; 2000].join(", ");
    let facts = facts_of(format!("INSERT INTO t VALUES {rows}").as_bytes());
    assert!(facts.unknown.is_none() && facts.actions.len() == 1);
    let list = vec!["17"; 5000].join(", ");
    let facts = facts_of(format!("SELECT a FROM t WHERE id IN ({list})").as_bytes());
    assert!(facts.unknown.is_none() && facts.actions.len() == 1);
    let arms = vec!["a = 1"; 300].join(" OR ");
    let facts = facts_of(format!("DELETE FROM t WHERE {arms}").as_bytes());
    assert!(facts.unknown.is_none() && facts.actions.len() == 1);
}

#[test]
fn the_gateway_is_told_what_it_has_to_know() {
    let text = "BEGIN; USE hr; SET NAMES utf8mb4; PREPARE S FROM 'SELECT 1'; EXECUTE s; SELECT f(); \
                DEALLOCATE PREPARE s; CREATE TABLE t (a INT); SAVEPOINT a; ROLLBACK TO a; COMMIT; \
                LOAD DATA LOCAL INFILE 'x' INTO TABLE t";
    let inspection = inspect(text.as_bytes(), &CONTEXT);
    let kinds: Vec<StatementKind> = inspection.statements.iter().map(|it| it.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            StatementKind::Begin,
            StatementKind::Use("hr".into()),
            StatementKind::Set,
            StatementKind::Prepare("s".into()),
            StatementKind::Execute("s".into()),
            StatementKind::Other,
            StatementKind::Deallocate("s".into()),
            StatementKind::Other,
            StatementKind::Savepoint,
            StatementKind::RollbackTo,
            StatementKind::Commit,
            StatementKind::LocalFile,
        ]
    );
    let effects: Vec<StateEffect> =
        inspection.statements.iter().flat_map(|it| it.effects.iter().cloned()).collect();
    assert_eq!(
        effects,
        [StateEffect::Uses("hr".into()), StateEffect::ReadingDirty, StateEffect::CatalogDirty]
    );
    let unclassed: Vec<bool> = inspection.statements.iter().map(|it| it.unclassed_code).collect();
    assert_eq!(unclassed.iter().position(|it| *it), Some(5));
    let first = inspection.statements.first().unwrap();
    assert_eq!(text.get(first.range.clone()), Some("BEGIN"));
}

/// Words that make many texts that are nearly statements.
const WORDS: [&str; 62] = [
    "SELECT",
    "FROM",
    "WHERE",
    "users",
    "t",
    "a",
    "b",
    "*",
    ",",
    "(",
    ")",
    "=",
    "1",
    "'x'",
    "`q`",
    "@v",
    "@@g",
    "AND",
    "OR",
    "NOT",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "UNION",
    "ALL",
    "WITH",
    "AS",
    "JOIN",
    "ON",
    "USING",
    "GROUP",
    "BY",
    "ORDER",
    "HAVING",
    "LIMIT",
    "FOR",
    "IN",
    "EXISTS",
    ";",
    ".",
    "/*!",
    "*/",
    "--",
    "#",
    "OUTFILE",
    "PREPARE",
    "EXECUTE",
    "s",
    "CREATE",
    "TABLE",
    "VIEW",
    "DROP",
    "EXPLAIN",
    "CALL",
    "SHOW",
    "GRANT",
    "TO",
    "LOAD_FILE",
    ":=",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 20_000 }))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(facts_of(&bytes));
    }

    #[test]
    fn nearly_statements_are_unknown_or_do_something(
        words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..24),
    ) {
        let facts = facts_of(words.join(" ").as_bytes());
        prop_assert!(facts.unknown.is_some() || facts.statements == 0 || !facts.actions.is_empty());
    }
}
