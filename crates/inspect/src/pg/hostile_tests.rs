//! Texts made to crash, hang or mislead the inspector.

use sallyport_core::{Facts, UnknownCode, Verb};

use super::*;

fn read(text: &[u8], strings: bool, encoding: &str, path: &[&str], catalog: Option<&Catalog>) -> Facts {
    let path: Vec<String> = path.iter().map(|schema| (*schema).to_owned()).collect();
    let remembered = Remembered::default();
    let context = Context {
        search_path: &path,
        standard_conforming_strings: strings,
        client_encoding: encoding,
        catalog,
        remembered: &remembered,
    };
    inspect(text, &context).facts
}

fn facts(text: &str) -> Facts {
    read(text.as_bytes(), true, "UTF8", &["public"], None)
}

fn code(facts: &Facts) -> Option<UnknownCode> {
    facts.unknown.as_ref().map(|unknown| unknown.code)
}

fn small_stack(texts: Vec<String>) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let run = thread.spawn(move || {
        for text in texts {
            let facts = facts(&text);
            assert!(facts.unknown.is_some() || !facts.actions.is_empty());
        }
    });
    run.unwrap().join().unwrap();
}

#[test]
fn deep_nesting_never_overflows_a_small_stack() {
    let mut texts = Vec::new();
    for n in [10, 40, 100, 300, 700, 1400, 20_000] {
        texts.push(format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)));
        texts.push(format!("SELECT {}1{}", "(SELECT ".repeat(n), ")".repeat(n)));
        texts.push(format!("SELECT {}1{}", "f(".repeat(n), ")".repeat(n)));
        texts.push(format!("SELECT {}true", "NOT ".repeat(n)));
        texts.push(format!("SELECT {}1", "- ".repeat(n)));
        texts.push(format!("SELECT 1{}", "+1".repeat(n)));
        texts.push(format!("SELECT 1{}", "::int".repeat(n)));
        texts.push(format!("SELECT 1{}", " COLLATE x".repeat(n)));
        texts.push(format!("SELECT a, b{}", " UNION SELECT a, b".repeat(n)));
        texts.push(format!("SELECT 1 FROM a{}", " JOIN b ON x AND y".repeat(n)));
        texts.push(format!("SELECT {}1{}", "CASE WHEN a AND ".repeat(n), " THEN 1 END".repeat(n)));
        texts.push(format!("SELECT {}1{}", "(SELECT 1 AS end, ".repeat(n), ")".repeat(n)));
        texts.push(format!("SELECT {}1", "CASE WHEN x.end AND ".repeat(n)));
        texts.push(format!("SELECT {}1{}", "ARRAY[".repeat(n), "]".repeat(n)));
        texts.push(format!("SELECT a{}", "[1]".repeat(n)));
        texts.push(format!("SELECT 1 WHERE true{}", " AND true".repeat(n)));
        texts.push(format!("SELECT 1 WHERE true{}", " OR a AND b".repeat(n)));
        texts.push(format!("SELECT 1 IS NULL{}", " IS NULL".repeat(n)));
        texts.push(format!("EXPLAIN SELECT {}", "(".repeat(n)));
        texts.push("/*".repeat(n));
        texts.push(format!("{}SELECT 1", "/**/".repeat(n)));
        texts.push(format!("SELECT {}1", "+".repeat(n)));
        texts.push(format!("SELECT '{}", "$$".repeat(n)));
        texts.push("SELECT 1;".repeat(n));
        texts.push(format!("WITH {} SELECT 1", "a AS (WITH ".repeat(n)));
        texts.push(format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(n), ") x".repeat(n)));
    }
    small_stack(texts);
}

#[test]
fn long_but_flat_texts_are_read() {
    let rows = (0..18_000).map(|n| format!("({n},'x')")).collect::<Vec<_>>().join(",");
    let facts1 = facts(&format!("INSERT INTO t (a, b) VALUES {rows}"));
    assert_eq!((code(&facts1), facts1.actions.len()), (None, 1));
    let list = (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(code(&facts(&format!("SELECT a FROM t WHERE id IN ({list})"))), None);
    let ors = (0..3_000).map(|n| format!("id = {n}")).collect::<Vec<_>>().join(" OR ");
    assert_eq!(code(&facts(&format!("SELECT a FROM t WHERE {ors}"))), None);
}

#[test]
fn what_is_too_large_is_said_to_be() {
    for flat in ["SELECT 1;", "BEGIN;", ",a", " OR a = 1", ",f()", ",1"] {
        let text = format!("SELECT a{}", flat.repeat((1 << 20) / flat.len() - 20));
        assert_eq!(code(&facts(&text)), Some(UnknownCode::TooLarge), "{flat}");
    }
    assert_eq!(code(&facts(&format!("SELECT '{}'", "x".repeat(1 << 20)))), Some(UnknownCode::TooLarge));
    assert_eq!(code(&facts(&format!("SELECT {}1", "NOT ".repeat(9000)))), Some(UnknownCode::TooLarge));
}

#[test]
fn long_chains_and_deep_texts_are_read() {
    for text in [
        format!("SELECT a{} FROM t", " || b".repeat(300)),
        format!("SELECT {}1{}", "(SELECT ".repeat(60), ")".repeat(60)),
        format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(40), ") x".repeat(40)),
        format!("SELECT a FROM t{}", " UNION ALL SELECT b FROM u".repeat(200)),
        format!("SELECT {}a{} FROM t", "coalesce(".repeat(80), ", b)".repeat(80)),
        format!("SELECT CASE {}END FROM t", "WHEN a = 1 THEN 'x' ".repeat(400)),
        format!("SELECT a{} FROM t", " + CASE WHEN b THEN 1 ELSE 2 END".repeat(150)),
    ] {
        let read = facts(&text);
        assert_eq!(code(&read), None, "{}", text.get(..60).unwrap());
    }
}

#[test]
fn many_deep_texts_at_once_are_read_in_turn() {
    let text = format!("SELECT a{} FROM t", " || b".repeat(400));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(code(&facts(&text)), None));
        }
    });
}

#[test]
fn bytes_that_are_no_text_are_unknown_by_encoding() {
    assert_eq!(code(&read(b"SELECT '\xff'", true, "UTF8", &["public"], None)), Some(UnknownCode::Encoding));
    assert_eq!(
        code(&read(b"SELECT 1\0; DROP TABLE t", true, "UTF8", &["public"], None)),
        Some(UnknownCode::Encoding)
    );
    let sly = b"SELECT '\xbf\x5c'; DROP TABLE t; --'";
    assert_eq!(code(&read(sly, true, "GBK", &["public"], None)), Some(UnknownCode::Encoding));
    assert_eq!(
        code(&read("SELECT 'ü'".as_bytes(), true, "LATIN1", &["public"], None)),
        Some(UnknownCode::Encoding)
    );
    assert_eq!(code(&read(b"SELECT 1", true, "LATIN1", &["public"], None)), None);
    assert_eq!(code(&read(b"SELECT 1", true, "SQL_ASCII", &["public"], None)), None);
}

#[test]
fn a_backslash_in_a_plain_literal_is_ambiguous_when_strings_do_not_conform() {
    let sly = br"SELECT 'a\'; DROP TABLE t; --'";
    assert_eq!(code(&read(sly, false, "UTF8", &["public"], None)), Some(UnknownCode::Ambiguous));
    assert!(read(sly, true, "UTF8", &["public"], None).actions.iter().any(|a| a.action == Verb::Drop));
    for plain in ["SELECT 'a'", r"SELECT E'a\n'", r"SELECT $$a\b$$", r"SELECT 1 -- \'"] {
        assert_eq!(code(&read(plain.as_bytes(), false, "UTF8", &["public"], None)), None, "{plain}");
    }
}

#[test]
fn a_schema_before_pg_catalog_takes_over_built_ins() {
    let facts = read(b"SELECT lower(a) FROM t WHERE a = 1", true, "UTF8", &["evil", "pg_catalog"], None);
    let calls: Vec<String> =
        facts.actions.iter().filter(|a| a.action == Verb::Call).map(|a| format!("{a:?}")).collect();
    assert_eq!(calls, ["call function lower", "call operator \"=\""]);
}

#[test]
fn an_unqualified_name_is_reported_under_every_schema_of_the_path() {
    let facts = read(b"SELECT a FROM t", true, "UTF8", &["app", "public"], None);
    let objects: Vec<String> = facts.actions.iter().map(|a| format!("{a:?}")).collect();
    assert_eq!(objects, ["select table app.t (a)", "select table public.t (a)"]);
}

fn relation(
    oid: u32,
    schema: &str,
    name: &str,
    columns: &[&str],
    definition: Option<&str>,
) -> CatalogRelation {
    CatalogRelation {
        oid,
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: if definition.is_some() { RelationKind::View } else { RelationKind::Table },
        columns: columns
            .iter()
            .zip(1..)
            .map(|(name, number)| CatalogColumn { number, name: (*name).to_owned(), type_id: 25 })
            .collect(),
        definition: definition.map(str::to_owned),
        parents: Vec::new(),
    }
}

fn catalog() -> Catalog {
    Catalog::new(
        vec![
            relation(1, "public", "users", &["id", "email", "ssn"], None),
            relation(2, "app", "orders", &["oid_", "user_id", "total"], None),
            relation(
                3,
                "public",
                "mails",
                &["email"],
                Some("SELECT users.email FROM public.users WHERE users.ssn <> ''"),
            ),
            relation(4, "public", "loop", &["a"], Some("SELECT a FROM public.loop")),
            relation(5, "public", "pg_thing", &["a"], None),
        ],
        vec![
            CatalogFunction { schema: "public".to_owned(), name: "lower".to_owned() },
            CatalogFunction { schema: "public".to_owned(), name: "full_name".to_owned() },
        ],
        vec![("public".to_owned(), "+".to_owned())],
        1,
    )
}

fn with_catalog(sql: &str) -> Vec<String> {
    let catalog = catalog();
    let facts = read(sql.as_bytes(), true, "UTF8", &["app", "public"], Some(&catalog));
    let mut lines: Vec<String> = facts.actions.iter().map(|action| format!("{action:?}")).collect();
    lines.extend(facts.unknown.map(|unknown| format!("unknown {}", unknown.code.as_str())));
    lines
}

#[test]
fn a_catalog_settles_names_stars_and_columns() {
    assert_eq!(with_catalog("SELECT * FROM users"), ["select table public.users (email,id,ssn)"]);
    assert_eq!(
        with_catalog("SELECT email, total FROM users, orders WHERE user_id = id"),
        ["select table app.orders (total) by (user_id)", "select table public.users (email) by (id)"]
    );
    assert_eq!(
        with_catalog("SELECT total, (SELECT total FROM users LIMIT 1) FROM orders"),
        ["select table app.orders (total)", "select table public.users"]
    );
    assert_eq!(with_catalog("INSERT INTO users VALUES (1, 'a')"), ["insert table public.users (email,id)"]);
    assert_eq!(with_catalog("COPY users TO STDOUT"), ["copy-out table public.users (email,id,ssn)"]);
}

#[test]
fn a_view_is_reported_with_what_it_reads() {
    assert_eq!(
        with_catalog("SELECT email FROM mails"),
        ["select table public.users (email) by (ssn)", "select view public.mails (email)"]
    );
    assert!(
        with_catalog("DELETE FROM mails").contains(&"delete table public.users (*) where=none".to_owned())
    );
    assert_eq!(with_catalog("SELECT a FROM loop"), ["select view public.loop (a)"]);
}

#[test]
fn a_users_function_operator_or_attribute_is_a_call() {
    assert!(with_catalog("SELECT lower('a')").contains(&"call function public.lower".to_owned()));
    assert!(
        with_catalog("SELECT u.full_name FROM users u")
            .contains(&"call function public.full_name".to_owned())
    );
    assert!(
        with_catalog("SELECT (u).full_name FROM users u")
            .contains(&"call function public.full_name".to_owned())
    );
    assert!(with_catalog("SELECT 1 + 1").contains(&"call operator \"+\"".to_owned()));
    assert_eq!(with_catalog("SELECT upper('a')"), ["select"]);
}

#[test]
fn what_the_text_itself_changes_is_heeded() {
    let after = with_catalog("CREATE TABLE app.users (a int); SELECT a FROM users");
    assert!(after.iter().any(|line| line.starts_with("select table app.users")), "{after:?}");
    let begun = facts("BEGIN; SET LOCAL search_path = a; COMMIT; SELECT * FROM t");
    assert_eq!(code(&begun), Some(UnknownCode::Ambiguous));
}

#[test]
fn effects_say_what_later_statements_depend_on() {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    let dirty = |sql: &str| {
        let inspection = inspect(sql.as_bytes(), &context);
        let effects = &inspection.statements.first().unwrap().effects;
        (
            effects.iter().any(|effect| matches!(effect, StateEffect::SettingsDirty)),
            effects.iter().any(|effect| matches!(effect, StateEffect::CatalogDirty)),
        )
    };
    for sql in [
        "SET search_path = a",
        "SET ROLE x",
        "RESET ALL",
        "DISCARD ALL",
        "SELECT my_func()",
        "CALL p()",
        "DO 'x'",
        "SELECT set_config('role', 'x', true)",
        "SET NAMES 'x'",
        "SET standard_conforming_strings = off",
        "UPDATE pg_settings SET setting = 'x'",
        "EXECUTE q",
        "RESET ROLE",
        "SET SESSION AUTHORIZATION x",
    ] {
        assert_eq!(dirty(sql), (true, false), "{sql}");
    }
    for sql in ["SELECT 1", "SET statement_timeout = 5", "TRUNCATE t", "INSERT INTO t VALUES (1)", "COMMIT"] {
        assert_eq!(dirty(sql), (false, false), "{sql}");
    }
    for sql in ["CREATE TABLE t (a int)", "DROP VIEW v", "ALTER TABLE t ADD a int", "SELECT 1 AS a INTO t"] {
        assert_eq!(dirty(sql), (false, true), "{sql}");
    }
    let prepared = inspect(b"PREPARE q AS DELETE FROM t", &context);
    let Some(StateEffect::Prepares(name, what)) = prepared.statements.first().unwrap().effects.first() else {
        panic!("no effect")
    };
    assert_eq!((name.as_str(), what.facts.actions.first().unwrap().action), ("q", Verb::Delete));
    let mut remembered = Remembered::default();
    remembered.prepared.insert("q".to_owned(), std::sync::Arc::clone(what));
    let later = inspect(b"EXECUTE q", &Context { remembered: &remembered, ..context });
    assert_eq!(later.facts.unknown, None);
    assert!(later.facts.actions.iter().any(|action| action.action == Verb::Delete));
}

#[test]
fn statements_and_the_options_of_a_copy_are_told_apart() {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    let text = "SELECT 'ü'; COPY t TO STDOUT WITH (FORMAT csv, DELIMITER ';', NULL 'N', HEADER)";
    let inspection = inspect(text.as_bytes(), &context);
    assert_eq!(inspection.statements.len(), 2);
    assert_eq!(
        inspection.statements.last().unwrap().kind,
        StatementKind::CopyOut(CopyOptions {
            format: CopyFormat::Csv,
            delimiter: b';',
            null: "N".to_owned(),
            quote: b'"',
            escape: b'"',
            header: true,
        })
    );
    assert!(inspect(b" ; -- nothing", &context).statements.is_empty());
}

#[test]
fn a_type_that_a_result_is_made_into_may_bring_code() {
    for text in [
        "SELECT * FROM json_to_record('{}') AS x(a odd)",
        "SELECT * FROM ROWS FROM (json_to_record('{}') AS (a odd)) AS x",
        "PREPARE p (odd) AS SELECT $1",
        "SELECT pg_input_is_valid('x', 'odd')",
    ] {
        assert!(facts(text).actions.iter().any(|action| action.action == Verb::Call), "{text}");
    }
    let plain = facts("SELECT * FROM json_to_record('{}') AS x(a int, b text[], c timestamptz)");
    assert!(plain.actions.iter().all(|action| action.action != Verb::Call), "{plain:?}");
}

#[test]
fn a_cast_to_an_enumeration_calls_nothing() {
    let types = [("public", "mood", true), ("public", "odd", false), ("app", "mood", false)]
        .map(|(schema, name, plain)| (schema.to_owned(), name.to_owned(), plain));
    let catalog = Catalog::new(Vec::new(), Vec::new(), Vec::new(), 1).with_types(types.to_vec());
    let calls = |text: &str, path: &[&str]| {
        let facts = read(text.as_bytes(), true, "UTF8", path, Some(&catalog));
        facts.actions.iter().any(|action| action.action == Verb::Call)
    };
    for text in ["SELECT 'a'::mood", "SELECT CAST($1 AS public.mood)", "SELECT '{a}'::mood[]"] {
        assert!(!calls(text, &["public"]), "{text}");
    }
    for text in [
        "SELECT 'a'::odd",
        "SELECT 'a'::app.mood",
        "SELECT 'a'::other.mood",
        "CREATE TYPE app.x AS ENUM ('a'); SELECT 'a'::mood",
    ] {
        assert!(calls(text, &["public"]), "{text}");
    }
    assert!(calls("SELECT 'a'::mood", &["app", "public"]));
    assert!(calls("SELECT 'a'::mood", &["public", "pg_catalog"]));
}
