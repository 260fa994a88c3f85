//! Reading against hand-written expectations.

use proptest::prelude::*;

use super::*;
use crate::mysql::Flavour;

fn context() -> Context<'static> {
    Context {
        flavour: Flavour::Either,
        sql_mode: Some(SqlMode::DEFAULT),
        character_set: "utf8mb4",
        database: None,
        lower_case_table_names: 0,
    }
}

#[test]
fn everyday_statements_are_read() {
    let mut failed = Vec::new();
    let texts = [include_str!("everyday.sql"), include_str!("applications.sql")];
    for text in texts.iter().flat_map(|data| data.lines()).filter(|line| !line.starts_with("-- ")) {
        let reading = read(text.as_bytes(), &context());
        if reading.unknown.is_some() || reading.pieces.len() != 1 {
            failed.push(format!("{text}\n    {:?}", reading.unknown));
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

/// Statements as their first words, at the end the code of what is unknown.
fn shown(text: &str, context: &Context<'_>) -> String {
    let reading = read(text.as_bytes(), context);
    let decoded = charset::decode(text.as_bytes(), context.character_set).unwrap();
    let mut shown: Vec<String> = Vec::new();
    for piece in &reading.pieces {
        let words: Vec<_> =
            decoded.text.get(piece.range.clone()).unwrap().split_whitespace().take(2).collect();
        shown.push(words.join(" "));
    }
    shown.extend(reading.unknown.map(|unknown| format!("!{}", unknown.code.as_str())));
    shown.join(" | ")
}

#[test]
fn a_text_is_cut_where_the_server_cuts_it() {
    for (text, expected) in [
        ("SELECT 1; DELETE FROM t", "SELECT 1 | DELETE FROM"),
        ("SELECT 1;; DELETE FROM t;", "SELECT 1 | DELETE FROM"),
        (" ; -- x\n", ""),
        ("SELECT ';' AS `;` -- ;\n; SELECT 2", "SELECT ';' | SELECT 2"),
        // What stands before an error is run.
        ("DELETE FROM t; SELEC", "DELETE FROM | !unparsable"),
        ("DELETE FROM t; SELECT 'x", "DELETE FROM | !unparsable"),
        ("DELETE FROM t; SELECT 1 /*", "DELETE FROM | !unparsable"),
        ("DELIMITER //\nDELETE FROM t//", "!unparsable"),
        // Bodies keep their own.
        ("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; DROP TABLE t", "CREATE PROCEDURE | DROP TABLE"),
        ("CREATE PROCEDURE p() SELECT 1; DROP TABLE t", "CREATE PROCEDURE | DROP TABLE"),
        (
            "CREATE PROCEDURE p() l: LOOP SELECT 1; LEAVE l; END LOOP l; DROP TABLE t",
            "CREATE PROCEDURE | DROP TABLE",
        ),
        (
            "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT IF(1, 2, 3); ELSE SELECT 2; END IF; END; DROP TABLE t",
            "CREATE PROCEDURE | DROP TABLE",
        ),
        (
            "CREATE PROCEDURE p() BEGIN CASE 1 WHEN 1 THEN SELECT CASE 1 WHEN 2 THEN 3 END; END CASE; END; DROP TABLE t",
            "CREATE PROCEDURE | DROP TABLE",
        ),
        (
            "CREATE PROCEDURE p() BEGIN REPEAT SET @a = 1; UNTIL @a END REPEAT; END; DROP TABLE t",
            "CREATE PROCEDURE | DROP TABLE",
        ),
        (
            "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLSTATE '1', NOT FOUND BEGIN SELECT 1; END; SELECT 2; END; DROP TABLE t",
            "CREATE PROCEDURE | DROP TABLE",
        ),
        (
            "CREATE FUNCTION f(a INT) RETURNS DECIMAL(5,2) UNSIGNED DETERMINISTIC BEGIN RETURN 1; END; DROP TABLE t",
            "CREATE FUNCTION | DROP TABLE",
        ),
        (
            "CREATE DEFINER = a@b TRIGGER x BEFORE INSERT ON t FOR EACH ROW FOLLOWS y BEGIN END; DROP TABLE t",
            "CREATE DEFINER | DROP TABLE",
        ),
        (
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN SELECT 1; END; DROP TABLE t",
            "CREATE EVENT | DROP TABLE",
        ),
        // A name that only looks like the start of a block hides nothing.
        (
            "CREATE PROCEDURE p() BEGIN SELECT begin; END; DROP TABLE t; END",
            "CREATE PROCEDURE | DROP TABLE | !unparsable",
        ),
        (
            "CREATE PROCEDURE p() BEGIN DECLARE x INT DEFAULT begin; END; DROP TABLE t; END",
            "CREATE PROCEDURE | DROP TABLE | !unparsable",
        ),
        (
            "CREATE PROCEDURE p() BEGIN DECLARE handler INT DEFAULT begin; END; DROP TABLE t; END",
            "CREATE PROCEDURE | DROP TABLE | !unparsable",
        ),
        (
            "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR begin SELECT 1; END; DROP TABLE t; END",
            "CREATE PROCEDURE | DROP TABLE | !unparsable",
        ),
        ("CREATE PROCEDURE p() SELECT begin; DROP TABLE t", "CREATE PROCEDURE | DROP TABLE"),
        ("CREATE TABLE procedure_x (begin INT); DROP TABLE t", "CREATE TABLE | DROP TABLE"),
        ("CREATE VIEW event AS SELECT 1; BEGIN; DROP TABLE t", "CREATE VIEW | BEGIN | DROP TABLE"),
        ("CREATE PROCEDURE p() BEGIN SELECT 1; DROP TABLE t", "!unparsable"),
        // MariaDB's programs without a name, of which nothing is read.
        ("BEGIN NOT ATOMIC SELECT 1; END; DROP TABLE t", "BEGIN NOT | !dynamic"),
        ("IF 1 THEN DROP TABLE t; END IF", "IF 1 | !dynamic"),
        ("x: BEGIN NOT ATOMIC DROP TABLE t; END", "x: BEGIN | !dynamic"),
    ] {
        assert_eq!(shown(text, &context()), expected, "{text}");
    }
}

#[test]
fn a_statement_changes_the_reading_of_those_behind_it() {
    for (text, expected) in [
        ("SET sql_mode = 'ANSI_QUOTES'; SELECT \"a\\\" FROM t", "SET sql_mode | SELECT \"a\\\""),
        (
            "SET @@session.sql_mode = NO_BACKSLASH_ESCAPES; SELECT 'a\\'; DROP TABLE t",
            "SET @@session.sql_mode | SELECT 'a\\' | DROP TABLE",
        ),
        ("SET sql_mode = @x; SELECT 'a' FROM t", "SET sql_mode | SELECT 'a'"),
        ("SET sql_mode = @x; SELECT \"a\" FROM t", "SET sql_mode | SELECT \"a\" | !ambiguous"),
        (
            "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'); SELECT \"a\"",
            "SET sql_mode | SELECT \"a\" | !ambiguous",
        ),
        ("SET sql_mode = DEFAULT; SELECT \"a\"", "SET sql_mode | SELECT \"a\" | !ambiguous"),
        ("SET sql_mode = 4; SELECT \"a\"", "SET sql_mode | SELECT \"a\" | !ambiguous"),
        ("SET GLOBAL sql_mode = ANSI; SELECT \"a\"", "SET GLOBAL | SELECT \"a\""),
        ("SET sql_mode = 'ORACLE'; SELECT 1", "SET sql_mode | !unsupported"),
        ("PREPARE s FROM 'SELECT 1'; EXECUTE s; SELECT \"a\"", "PREPARE s | EXECUTE s | SELECT \"a\""),
        (
            "PREPARE s FROM 'SET sql_mode = ANSI'; EXECUTE s; SELECT \"a\"",
            "PREPARE s | EXECUTE s | SELECT \"a\" | !ambiguous",
        ),
        ("PREPARE s FROM @a; EXECUTE s; SELECT \"a\"", "PREPARE s | EXECUTE s | SELECT \"a\" | !ambiguous"),
        ("SET STATEMENT sql_mode = ANSI FOR SELECT \"a\"", "SET STATEMENT"),
        ("SET STATEMENT sql_mode = ANSI FOR PREPARE s FROM 'SELECT \"a\"'", "SET STATEMENT | !ambiguous"),
        ("EXECUTE IMMEDIATE 'SELECT 1'; SELECT \"a\"", "EXECUTE IMMEDIATE | SELECT \"a\""),
        ("EXECUTE IMMEDIATE @a; SELECT \"a\"", "EXECUTE IMMEDIATE | SELECT \"a\" | !ambiguous"),
        ("SET NAMES gbk; SELECT 'a'", "SET NAMES | SELECT 'a'"),
        ("SET NAMES gbk; SELECT 'é'", "SET NAMES | !ambiguous"),
        ("SET NAMES utf8; SELECT 'é'", "SET NAMES | SELECT 'é'"),
        ("SET character_set_client = 'sjis'; SELECT 'é'", "SET character_set_client | !ambiguous"),
        ("SET CHARACTER SET DEFAULT; SELECT 'é'", "SET CHARACTER | !ambiguous"),
    ] {
        assert_eq!(shown(text, &context()), expected, "{text}");
    }
}

#[test]
fn bytes_are_decoded_before_they_are_lexed() {
    let gbk = Context { character_set: "gbk", ..context() };
    // The backslash is half of a character, so that the quote ends the string.
    let reading = read(b"SELECT '\xbf\x5c' OR 1; DROP TABLE t -- '", &gbk);
    assert!(reading.unknown.is_none() && reading.pieces.len() == 2, "{reading:?}");
    for (bytes, character_set) in [
        (&b"SELECT '\xbf'"[..], "gbk"),
        (b"SELECT '\xff'", "utf8mb4"),
        (b"SELECT '\xf0\x9f\x98\x80'", "utf8mb3"),
        (b"SELECT '\xe9'", "ascii"),
        (b"SELECT 1", "utf16"),
        (b"SELECT 1", "klingon"),
        (b"SELECT 'a\0'", "utf8mb4"),
        (b"SELECT 1\0", "latin1"),
    ] {
        let reading = read(bytes, &Context { character_set, ..context() });
        let code = reading.unknown.map(|unknown| unknown.code);
        assert!(
            code == Some(UnknownCode::Encoding) && reading.pieces.is_empty(),
            "{bytes:?} {character_set}"
        );
    }
}

/// Statements that change the reading of those behind them, as many as there can be.
#[test]
fn settings_do_not_take_the_square() {
    let start = crate::stopwatch::Stopwatch::start();
    for part in
        ["SET NAMES gbk;SET NAMES sjis;", "PREPARE a FROM 'b';PREPARE c FROM 'd';", "SET sql_mode=ANSI;"]
    {
        let text = part.repeat(20_000 / part.len().div_ceil(30));
        let reading = read(text.as_bytes(), &context());
        assert!(reading.pieces.len() > 1000, "{part}");
    }
    let limit = if cfg!(debug_assertions) { 20_000 } else { 300 };
    assert!(start.elapsed().as_millis() < limit, "{:?}", start.elapsed());
}

const PARTS: [&[u8]; 28] = [
    b"SELECT ",
    b"DELETE FROM t ",
    b"'",
    b"\"",
    b"`",
    b"\\",
    b";",
    b"/*",
    b"/*!",
    b"/*!50000 ",
    b"/*M!",
    b"*/",
    b"-- ",
    b"#",
    b"\n",
    b" ",
    b"a",
    b"(",
    b")",
    b",",
    b"\xbf\x5c",
    b"\x95\x5c",
    b"\xe6\x97\xa5",
    b"0x",
    b"1e",
    b"@",
    b"BEGIN ",
    b"END ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 20_000 }))]

    /// Whatever comes in, in whichever character set and mode: an answer, and pieces that lie one after another.
    #[test]
    fn anything_is_read(
        parts in proptest::collection::vec(0..PARTS.len(), 0..40),
        character_set in proptest::sample::select(vec!["utf8mb4", "gbk", "sjis", "big5", "latin1", "binary", "gb18030", "euckr", "ujis"]),
        mode in proptest::sample::select(vec![None, Some(""), Some("ANSI"), Some("NO_BACKSLASH_ESCAPES")]),
        flavour in proptest::sample::select(vec![Flavour::Either, Flavour::MariaDb(101_106), Flavour::MySql(80_403)]),
    ) {
        let text: Vec<u8> = parts.iter().flat_map(|&part| PARTS[part].iter().copied()).collect();
        let context = Context { character_set, sql_mode: mode.map(SqlMode::named), flavour, ..context() };
        let reading = read(&text, &context);
        let mut end = 0;
        for piece in &reading.pieces {
            prop_assert!(piece.range.start >= end && piece.range.end > piece.range.start);
            end = piece.range.end;
        }
    }
}
