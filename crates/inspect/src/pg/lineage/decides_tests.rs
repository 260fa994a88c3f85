//! What decides the rows of a query, down to base columns.

use super::super::statement::Remembered;
use super::super::{Context, inspect};
use super::shop::{self, ask, shown};

/// `relation.column` of every filter in the facts, with the shop's catalog.
fn filters(text: &str) -> Vec<String> {
    let catalog = shop::catalog();
    let path = ["public".to_owned()];
    let remembered = Remembered::default();
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: Some(&catalog),
        remembered: &remembered,
    };
    let facts = inspect(text.as_bytes(), &context).facts;
    assert_eq!(facts.unknown, None, "{text}");
    let mut all = Vec::new();
    for action in &facts.actions {
        let object = action.object.as_ref().map(|object| object.name.clone()).unwrap_or_default();
        all.extend(action.filters.iter().map(|column| format!("{object}.{column}")));
    }
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_condition_on_what_a_sub_query_made_names_the_base_column() {
    for text in [
        "SELECT 1 FROM (SELECT ssn AS x FROM users) t WHERE x LIKE '1%'",
        "WITH t AS (SELECT ssn AS x FROM users) SELECT 1 FROM t WHERE x LIKE '1%'",
        "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM (SELECT u.ssn AS s) t WHERE s LIKE '1%')",
        "SELECT 1 FROM users u, LATERAL (SELECT u.ssn AS s) t WHERE t.s > '1'",
        "SELECT 1 FROM orders o JOIN (SELECT ssn AS s FROM users) b ON b.s LIKE '1%'",
        "SELECT 1 FROM (SELECT ssn AS s FROM users) a JOIN (SELECT '1' AS s) b USING (s)",
        "SELECT 1 FROM (SELECT ssn AS s FROM users) a NATURAL JOIN (SELECT '1' AS s) b",
        "SELECT 1 FROM orders WHERE total > (SELECT ssn FROM users LIMIT 1)",
        "SELECT 1 FROM orders LIMIT (SELECT ssn FROM users LIMIT 1)",
        "SELECT 1 FROM orders OFFSET (SELECT ssn FROM users LIMIT 1)",
        "SELECT id FROM (SELECT id, ssn AS s FROM users) t ORDER BY s",
        "SELECT id, ssn FROM (SELECT id, ssn FROM users) t ORDER BY 2",
        "SELECT count(*) FROM (SELECT id, ssn AS s FROM users) t GROUP BY s",
        "SELECT count(*) FROM (SELECT id, ssn AS s FROM users) t GROUP BY ROLLUP (id, s)",
        "SELECT max(id) FROM (SELECT id, ssn AS s FROM users) t HAVING max(s) > '1'",
        "SELECT DISTINCT ON (s) id FROM (SELECT id, ssn AS s FROM users) t",
        "SELECT id, row_number() OVER (ORDER BY s) FROM (SELECT id, ssn AS s FROM users) t",
        "SELECT id, count(*) OVER w FROM (SELECT id, ssn AS s FROM users) t WINDOW w AS (PARTITION BY s)",
        "SELECT key FROM m_users m JOIN v_users v ON v.key = m.id WHERE m.ssn LIKE '1%'",
        "EXPLAIN SELECT 1 FROM (SELECT ssn AS x FROM users) t WHERE x LIKE '1%'",
        "COPY (SELECT 1 FROM (SELECT ssn AS x FROM users) t WHERE x LIKE '1%') TO STDOUT",
        "PREPARE p AS SELECT 1 FROM (SELECT ssn AS x FROM users) t WHERE x LIKE '1%'",
        "DECLARE c CURSOR FOR SELECT 1 FROM (SELECT ssn AS x FROM users) t WHERE x LIKE '1%'",
        "WITH RECURSIVE a AS (SELECT x FROM b WHERE x LIKE '1%'), b AS (SELECT ssn AS x FROM users) SELECT 1 FROM a",
    ] {
        assert!(filters(text).contains(&"users.ssn".to_owned()), "{text}: {:?}", filters(text));
    }
}

#[test]
fn how_many_rows_a_function_returns_is_decided_by_its_arguments() {
    for text in [
        "SELECT count(*) FROM users, generate_series(1, ssn::int)",
        "SELECT count(*) FROM (SELECT generate_series(1, ssn::int) FROM users) t",
        "SELECT (SELECT count(*) FROM unnest(array_fill(1, ARRAY[ssn::int]))) FROM users",
        "SELECT id FROM users, string_to_table(ssn, '1')",
        "SELECT jsonb_path_query(to_jsonb(ssn), '$ ? (@ like_regex \"^1\")') FROM users",
        "SELECT 1 FROM users, xmltable('/a[.=\"1\"]' PASSING (xmlelement(name a, ssn)) COLUMNS x int PATH '.')",
    ] {
        assert!(filters(text).contains(&"users.ssn".to_owned()), "{text}: {:?}", filters(text));
    }
}

#[test]
fn what_is_put_where_it_can_be_read_again_counts() {
    for text in [
        "SELECT set_config('application_name', ssn, false) FROM users WHERE id = 3",
        "SELECT set_config('search_path', (SELECT ssn FROM users LIMIT 1), false)",
        "SELECT pg_advisory_lock(ssn::int) FROM users",
        "SELECT pg_notify('a', ssn) FROM users",
    ] {
        assert!(filters(text).contains(&"users.ssn".to_owned()), "{text}: {:?}", filters(text));
    }
    assert!(filters("SELECT set_config('app.tenant', $1, true)").is_empty());
}

#[test]
fn explain_analyze_tells_which_branch_ran() {
    let query = "SELECT CASE WHEN ssn LIKE '1%' THEN (SELECT count(*) FROM orders) END FROM users";
    assert_eq!(filters(&format!("EXPLAIN ANALYZE {query}")), ["users.ssn"]);
    assert!(filters(query).is_empty());
    assert!(filters("EXPLAIN ANALYZE SELECT ssn FROM users").is_empty());
}

#[test]
fn merging_equal_rows_compares_what_the_caller_made() {
    for text in [
        "SELECT ssn FROM users UNION SELECT '1'",
        "SELECT ssn FROM users INTERSECT ALL SELECT '1'",
        "SELECT '1' EXCEPT SELECT ssn FROM users",
        "SELECT DISTINCT x FROM (VALUES ((SELECT ssn FROM users LIMIT 1)), ('1')) v (x)",
    ] {
        assert_eq!(filters(text), ["users.ssn"], "{text}");
    }
    for text in ["SELECT DISTINCT ssn FROM users", "SELECT ssn FROM users UNION ALL SELECT '1'"] {
        assert!(filters(text).is_empty(), "{text}: {:?}", filters(text));
    }
}

#[test]
fn a_condition_that_cannot_be_settled_may_be_on_anything_that_is_read() {
    let text = "SELECT 1 FROM (SELECT nobody_knows(ssn) AS x FROM users) t WHERE x = '1'";
    assert_eq!(filters(text), ["users.ssn"]);
}

#[test]
fn what_does_not_decide_is_no_filter() {
    assert_eq!(filters("SELECT id, email FROM (SELECT id, email FROM users) t WHERE id = 3"), ["users.id"]);
    assert_eq!(filters("SELECT mail FROM v_users WHERE key = 3"), ["users.id", "v_users.key"]);
    assert_eq!(filters("SELECT ssn FROM users ORDER BY id"), ["users.id"]);
    let recursive = "WITH RECURSIVE t (n, s) AS (SELECT id, email FROM users UNION ALL \
        SELECT n + 1, s FROM t WHERE n < 5) SELECT s FROM t";
    assert_eq!(filters(recursive), ["users.id"]);
}

#[test]
fn counting_what_the_caller_made_is_made_of_it() {
    let catalog = shop::catalog();
    for (text, expected) in [
        ("SELECT count(nullif(ssn, '1')) FROM users", "count={users.ssn}"),
        ("SELECT count(CASE WHEN ssn LIKE '1%' THEN 1 END) FROM users", "count={users.ssn}"),
        ("SELECT count(x) FROM (SELECT nullif(ssn, '1') AS x FROM users) t", "count={users.ssn}"),
        ("SELECT count(ssn) FROM users", "count={}"),
        ("SELECT count(DISTINCT ssn) FROM users", "count={}"),
        ("SELECT count(u.*) FROM users u", "count={}"),
        ("SELECT count(*) FROM users", "count={}"),
    ] {
        assert_eq!(shown(&ask(text, Some(&catalog), &["public"])), expected, "{text}");
    }
}
