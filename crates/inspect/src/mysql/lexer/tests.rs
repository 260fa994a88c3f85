//! The lexer against readings written by hand from the servers' sources; what a server answers to the same is
//! in `differential`.

use super::*;

const MARIADB: Flavour = Flavour::MariaDb(101_106);
const MYSQL_8: Flavour = Flavour::MySql(80_403);

fn rules(flavour: Flavour, mode: Option<SqlMode>) -> Rules {
    Rules { mode: mode.unwrap_or(SqlMode::DEFAULT), mode_known: mode.is_some(), flavour, unicode: true }
}

/// Lexemes as `kind:text`, a symbol or word as itself, at the end the doubt or the error.
fn shown(text: &str, rules: Rules) -> String {
    let mut lexer = Lexer::new(text, rules);
    let mut shown = Vec::new();
    loop {
        match lexer.next() {
            Ok(Some(lexeme)) => shown.push(match lexeme.kind {
                Kind::Word | Kind::Symbol => lexeme.text.to_string(),
                Kind::Parameter => "?".to_owned(),
                kind => format!("{kind:?}:{}", lexeme.text),
            }),
            Ok(None) => break,
            Err(unknown) => {
                shown.push(format!("!{}", unknown.code.as_str()));
                break;
            }
        }
    }
    if lexer.doubt.is_some() {
        shown.push("!doubt".to_owned());
    }
    shown.join(" ")
}

#[track_caller]
fn reads(text: &str, expected: &str) {
    assert_eq!(shown(text, rules(MARIADB, Some(SqlMode::DEFAULT))), expected, "{text}");
}

#[test]
fn a_word_beside_a_dot_is_a_name_whatever_it_spells() {
    reads("a.select", "Dotted:a . Dotted:select");
    reads("select.a", "Dotted:select . Dotted:a");
    reads("a . select", "a . select");
    reads("a .select", "a . Dotted:select");
    reads("t.1a", "Dotted:t . Dotted:1a");
    reads("t.5", "Dotted:t . Dotted:5");
    reads("t .5", "t Number:.5");
    reads("`t`.5", "Quoted:t Number:.5");
    reads("`t`.`u`", "Quoted:t . Quoted:u");
}

#[test]
fn numbers_and_words_that_begin_like_one() {
    reads("1a", "Dotted:1a");
    reads("1e5", "Number:1e5");
    reads("1e5a", "Number:1e5 a");
    reads("1e", "Dotted:1e");
    reads("1e+", "Dotted:1e +");
    reads("1.5.5", "Number:1.5 Number:.5");
    reads("0x41", "Hex:41");
    reads("0x4g", "Dotted:0x4g");
    reads("0X41", "Dotted:0X41");
    reads("0b12", "Dotted:0b12");
    reads("0b", "Dotted:0b");
    reads("x'4'", "!unparsable");
    reads("b'2'", "!unparsable");
    // `1.e(` is read as `(` by versions that forget the number.
    reads("1.e(", "!ambiguous");
    reads("1.5e", "!ambiguous");
    reads(".5e+ ", "!ambiguous");
}

#[test]
fn variables_and_hosts() {
    reads("@a", "Variable:a");
    reads("@a.b", "Variable:a.b");
    reads("@`a b`", "Variable:a b");
    reads("@'a''b'", "Variable:a'b");
    reads("@\"x\"", "Variable:x");
    reads("@@a", "System:a");
    reads("@@global.a", "System:global . Dotted:a");
    reads("@@`a`", "System:a");
    reads("@@ a", "!unparsable");
    reads("'u'@'h'", "String:u Variable:h");
    reads("u@localhost", "u Variable:localhost");
    reads("u@127.0.0.1", "u Variable:127.0.0.1");
}

#[test]
fn quotes_and_escapes() {
    reads("'a''b'", "String:a'b");
    reads(r"'a\'b'", "String:a'b");
    reads(r"'\%\_\a'", r"String:\%\_a");
    reads("\"a\"\"b\"", "String:a\"b");
    reads("`a``b`", "Quoted:a`b");
    reads("``", "!unparsable");
    reads("'a", "!unparsable");
    reads(r"'a\'", "!unparsable");
    reads("`a", "!unparsable");
    reads("N'a' n'b' N", "National:a National:b N");
    reads(r"\N", "NULL");
}

#[test]
fn a_mode_that_is_not_known_makes_a_doubt_of_what_it_decides() {
    let unknown = rules(MARIADB, None);
    assert_eq!(shown("'a' `b` c", unknown), "String:a Quoted:b c");
    assert_eq!(shown("\"a\"", unknown), "String:a !doubt");
    assert_eq!(shown(r"'a\\'", unknown), r"String:a\ !doubt");
    assert_eq!(shown("a || b", unknown), "a || b !doubt");
    let ansi = rules(MARIADB, Some(SqlMode::named("ANSI")));
    assert_eq!(shown("\"a\" || count (b)", ansi), "Quoted:a || count ( b )");
    let plain = rules(MARIADB, Some(SqlMode::named("NO_BACKSLASH_ESCAPES")));
    assert_eq!(shown(r"'a\' b", plain), r"String:a\ b");
}

#[test]
fn a_function_apart_from_its_parenthesis_is_another() {
    reads("count (a)", "count ( a ) !doubt");
    reads("count/**/(a)", "count ( a ) !doubt");
    reads("count(a)", "count ( a )");
    reads("abs (a)", "abs ( a )");
    reads("INSERT INTO rank (a)", "INSERT INTO rank ( a )");
    reads("a.count (a)", "Dotted:a . Dotted:count ( a )");
}

#[test]
fn comments_end_where_the_server_ends_them() {
    reads("a # b\rc\nd", "a d");
    reads("a -- b\rc\nd", "a d");
    reads("a --b", "a - - b");
    reads("a --\u{1}b\nc", "a c");
    reads("a--", "a");
    reads("a /* /* */ b", "a b");
    reads("a /* b", "a !unparsable");
    reads("a /*!b", "a b !unparsable");
    reads("a */ b", "a * / b");
    reads("a /*! b /* c */ d */ e", "a b d e");
    reads("a /*!99999 b /* c */ d */ e", "a e");
    reads("a /*! b ; c */", "a b ; c * / !doubt");
    reads("a\u{b}b\u{c}c", "a b c");
}

#[test]
fn executable_comments_by_server() {
    // The text, then what MariaDB 10.11.6, MySQL 8.4.3 and either of them read.
    for (text, maria, mysql, either) in [
        ("a /*! b */", "a b", "a b", "a b"),
        ("a /*!50000 b */", "a b", "a b", "a b"),
        ("a /*!50000b*/", "a b", "a b", "a b"),
        ("a /*!50699 b */", "a b", "a b", "a b"),
        ("a /*!50700 b */", "a", "a b", "a b !doubt"),
        ("a /*!80000 b */", "a", "a b", "a b !doubt"),
        ("a /*!80404 b */", "a", "a", "a b !doubt"),
        ("a /*!99999 b */", "a", "a", "a b !doubt"),
        ("a /*!100100 b */", "a b", "a b !doubt", "a b !doubt"),
        ("a /*!101107 b */", "a", "a b !doubt", "a b !doubt"),
        ("a /*!999999 b */", "a", "a", "a b !doubt"),
        ("a /*M! b */", "a b", "a", "a b !doubt"),
        ("a /*M!100100 b */", "a b", "a", "a b !doubt"),
        ("a /*M!110000 b */", "a", "a", "a b !doubt"),
        ("a /*M!50700 b */", "a b", "a", "a b !doubt"),
        // A build with Galera executes it.
        ("a /*!99997 b */", "a b !doubt", "a", "a b !doubt"),
        // Four digits are no version.
        ("a /*!5000 b */", "a Number:5000 b", "a Number:5000 b", "a Number:5000 b"),
        ("a /*+ \" */ b \" */", "a b !unparsable", "a !ambiguous", "a !ambiguous"),
        ("a /*+ BKA(t) */ b", "a b", "a b", "a b"),
        ("a /*+ SET_VAR(x = 1) */ b", "a b", "a b !doubt", "a b !doubt"),
    ] {
        let mode = Some(SqlMode::DEFAULT);
        assert_eq!(shown(text, rules(MARIADB, mode)), maria, "MariaDB: {text}");
        assert_eq!(shown(text, rules(MYSQL_8, mode)), mysql, "MySQL: {text}");
        assert_eq!(shown(text, rules(Flavour::Either, mode)), either, "either: {text}");
    }
}

#[test]
fn characters_beyond_ascii() {
    reads("größe 表", "größe 表");
    // White space to a reader, a letter to the server.
    reads("a\u{a0}b", "a\u{a0}b");
    reads("\u{feff}SELECT", "\u{feff}SELECT");
    let latin = Rules { unicode: false, ..rules(MARIADB, Some(SqlMode::DEFAULT)) };
    assert_eq!(shown("größe 'a\u{a0}'", latin), "größe String:a\u{a0}");
    // White space to the server too, there.
    assert_eq!(shown("a\u{a0}b", latin), "!ambiguous");
    // The server passes over one byte behind a backslash: over half of a character.
    assert_eq!(shown("'\\縗'", latin), "!ambiguous");
    reads("a [ b", "a !unparsable");
    reads("a \u{1} b", "a !unparsable");
}
