//! What has a shape, and that texts of one shape which share an inspection would each have got the same.

use proptest::prelude::*;

use super::*;
use crate::pg::{
    Cache, Catalog, CatalogColumn, CatalogRelation, Context, Inspection, RelationKind, Remembered,
};

fn shape(text: &str) -> Option<(String, usize)> {
    Shape::of(text.as_bytes())
        .map(|shape| (String::from_utf8(shape.text).unwrap().replace('\u{1}', "#"), shape.numbers.len()))
}

#[test]
fn numbers_are_taken_out_of_plain_texts() {
    let of = |text: &str| shape(text).unwrap();
    assert_eq!(of("SELECT a FROM t WHERE id = 42;"), ("SELECT a FROM t WHERE id = #;".to_owned(), 1));
    assert_eq!(
        of("select t1.a_2 from t1 where b in (1,22, 333)").0,
        "select t1.a_2 from t1 where b in (#,#, #)"
    );
    assert_eq!(of("UPDATE t SET a = a + -1234 WHERE b='it''s 5' AND c=7").1, 2, "none of a literal");
    assert_eq!(
        of("select \"a 1\" from t where b = 1 limit 10").0,
        "select \"a 1\" from t where b = # limit 10"
    );
    assert_eq!(of("select a from t where b = $1 and c = 3").0, "select a from t where b = $1 and c = #");
}

#[test]
fn what_could_be_read_two_ways_has_no_shape() {
    for text in [
        "select 1.5",
        "select .5",
        "select 5.",
        "select 1e5",
        "select 0x1F",
        "select 1_000",
        "select 5a",
        "select 1 -- 2",
        "select /* 1 */ 2",
        "select $$1$$, 2",
        "select $a$1$a$, 2",
        "select a$1, 2",
        "select E'\\'', 2",
        "select 'a\\', 2",
        "select U&'1', 2",
        "select b'1', 2",
        "select U&\"a\", 2",
        "select 'é', 2",
        "select é1, 2",
        "select 'open, 2",
        "select a\u{1} from t where b = 2",
        "select {1}",
        "select 2\0",
    ] {
        assert_eq!(shape(text), None, "{text}");
    }
    assert_eq!(shape("select a from t"), None, "there is nothing to take out");
    assert_eq!(shape("select a from t where b = 1234567890"), None, "it may not be a 32-bit number");
    assert_eq!(shape(&format!("select a from t where b = 1{}", " ".repeat(LONGEST))), None);
}

fn catalog() -> Catalog {
    let columns = ["id", "a", "b", "email"].iter().zip(1..);
    let relation = CatalogRelation {
        oid: 16_384,
        schema: "public".to_owned(),
        name: "t".to_owned(),
        kind: RelationKind::Table,
        columns: columns
            .map(|(name, number)| CatalogColumn { number, name: (*name).to_owned(), type_id: 23 })
            .collect(),
        definition: None,
        parents: vec![],
    };
    Catalog::new(vec![relation], vec![], vec![], 1)
}

/// Everything that an inspection says.
fn said(inspection: &Inspection) -> String {
    format!("{inspection:?}")
}

/// Reads texts one after the other through one cache, and each by itself: what is said has to be the same.
fn shared_as_alone(texts: &[String]) {
    let (path, remembered, catalog) = (vec!["public".to_owned()], Remembered::default(), catalog());
    for catalog in [None, Some(&catalog)] {
        let context = Context {
            search_path: &path,
            standard_conforming_strings: true,
            client_encoding: "UTF8",
            catalog,
            remembered: &remembered,
        };
        let cache = Cache::new(64, 1 << 20);
        for text in texts {
            let alone = crate::pg::inspect(text.as_bytes(), &context);
            assert_eq!(said(&cache.inspect(text.as_bytes(), &context)), said(&alone), "{text} in {texts:?}");
        }
    }
}

/// How many inspections the cache makes of these texts.
fn kept(texts: &[&str]) -> usize {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    let cache = Cache::new(64, 1 << 20);
    for text in texts {
        let _kept = cache.inspect(text.as_bytes(), &context);
    }
    cache.len()
}

#[test]
fn texts_that_differ_in_keys_and_values_are_read_once() {
    for texts in [
        ["SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id = 987654321"],
        ["select a from t where id = -1 and b < 2", "select a from t where id = -99 and b < 0"],
        ["select a from t where id between 1 and 2", "select a from t where id between 7 and 70"],
        ["select a from t where id in (1, 2, - 3)", "select a from t where id in (33, 22, - 1)"],
        ["update t set a = a + -5, b = 0 where id = 1", "update t set a = a + -66, b = 7 where id = 2"],
        ["insert into t (id, a) values (1, -2), (3, 4)", "insert into t (id, a) values (9, -9), (8, 88)"],
        ["delete from t where id = 1", "delete from t where id = 2"],
    ] {
        assert_eq!(kept(&texts), 1, "{texts:?}");
        shared_as_alone(&texts.map(str::to_owned));
    }
}

/// Texts of one shape that say different things, or may: none may be taken for another.
#[test]
fn a_number_that_decides_is_never_taken_for_another() {
    for texts in [
        ["update t set a = 0 where id = 1 or id <> 2", "update t set a = 0 where id = 1 or id <> 1"],
        ["delete from t where not (id = 1 and id <> 2)", "delete from t where not (id = 1 and id <> 1)"],
        ["delete from t where 1 = 2", "delete from t where 1 = 1"],
        ["delete from t where id = 5 and 1 = 2", "delete from t where id = 5 and 1 = 1"],
        ["delete from t where id + 1 = id", "delete from t where id + 0 = id"],
        ["delete from t where id * 2 = id", "delete from t where id * 1 = id"],
        ["delete from t where length(a) >= 5", "delete from t where length(a) >= 0"],
        ["delete from t where 0::bool", "delete from t where 1::bool"],
        ["delete from t where coalesce(id, 1) = 2", "delete from t where coalesce(id, 1) = 1"],
        ["delete from t where id in (1) or id not in (2)", "delete from t where id in (1) or id not in (1)"],
        [
            "delete from t where case when 1 = 2 then id = 5 else true end",
            "delete from t where case when 2 = 2 then id = 5 else true end",
        ],
        [
            "delete from t where exists (select 1 where 1 = 2)",
            "delete from t where exists (select 1 where 2 = 2)",
        ],
        ["delete from t where 5 > id and 1 > 2", "delete from t where 5 > id and 2 > 1"],
        ["select id, email from t order by 1", "select id, email from t order by 2"],
        ["select count(id), email from t group by 2", "select email, count(id) from t group by 1"],
        ["select id, email from t group by 1, 2", "select id, email from t group by 2, 1"],
        ["select distinct on (1) id, email from t", "select distinct on (2) id, email from t"],
        ["select a from t where id = 1 limit 1", "select a from t where id = 1 limit 0"],
        ["select a from t where id = 1 offset 1", "select a from t where id = 1 offset 2"],
        [
            "select a from t where id = 1 fetch first 1 rows only",
            "select a from t where id = 1 fetch first 9 rows only",
        ],
        ["select pg_sleep(1)", "select pg_sleep(100)"],
        [
            "select a from t where id = 1 union select a from t order by 1",
            "select a from t where id = 2 union select a from t order by 1",
        ],
        ["set statement_timeout = 100", "set statement_timeout = 0"],
        ["select set_config('row_security', 1, false)", "select set_config('row_security', 0, false)"],
        ["prepare q as select a from t where id = 1", "prepare q as select a from t where id = 2"],
        [
            "select a from t where id = 1; select a from t where id = 2",
            "select a from t where id = 3; select a from t where id = 4",
        ],
        ["fetch 1 from c", "fetch 2 from c"],
        ["create table x (a varchar(1))", "create table x (a varchar(2))"],
        ["grant select on t to r1", "grant select on t to r2"],
        ["select a from t1 where id = 1", "select a from t2 where id = 1"],
        [
            "select a from t where id operator(pg_catalog.=) 1",
            "select a from t where id operator(pg_catalog.=) 2",
        ],
        ["select a from t where b = '1' and id = 2", "select a from t where b = '2' and id = 2"],
    ] {
        let reversed = [texts[1].to_owned(), texts[0].to_owned()];
        shared_as_alone(&texts.map(str::to_owned));
        shared_as_alone(&reversed);
    }
}

/// Statements of every kind, from the case files of this folder.
fn statements() -> Vec<&'static str> {
    [include_str!("cases/everyday.txt"), include_str!("grammar/samples.sql")]
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(" => ").map_or(line, |(sql, _)| sql))
        .filter(|sql| Shape::of(sql.as_bytes()).is_some())
        .collect()
}

fn with_numbers(text: &str, numbers: &[u32]) -> String {
    let shape = Shape::of(text.as_bytes()).unwrap();
    let mut numbers = numbers.iter().cycle();
    let mut out = String::new();
    for byte in shape.text {
        match byte {
            PLACE => out.push_str(&numbers.next().unwrap().to_string()),
            other => out.push(char::from(other)),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn other_numbers_say_the_same_where_an_inspection_is_shared(
        at in any::<prop::sample::Index>(),
        first in prop::collection::vec(prop_oneof![0u32..4, 0u32..999_999_999], 1..6),
        second in prop::collection::vec(prop_oneof![0u32..4, 0u32..999_999_999], 1..6),
    ) {
        let statements = statements();
        let text = statements[at.index(statements.len())];
        shared_as_alone(&[with_numbers(text, &first), with_numbers(text, &second), text.to_owned()]);
    }

    #[test]
    fn conditions_put_together_at_random_share_only_what_is_the_same(
        parts in prop::collection::vec(0usize..PARTS.len(), 1..5),
        joins in prop::collection::vec(0usize..3, 5),
        verb in 0usize..4,
        first in prop::collection::vec(0u32..3, 1..6),
        second in prop::collection::vec(0u32..3, 1..6),
    ) {
        let mut condition = String::new();
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                condition.push_str([" AND ", " OR ", " AND NOT "][joins[place]]);
            }
            condition.push_str(PARTS[*part]);
        }
        let text = ["DELETE FROM t WHERE ", "UPDATE t SET a = 1 WHERE ", "SELECT email FROM t WHERE ", "INSERT INTO t SELECT id, 1 FROM t WHERE "][verb].to_owned() + &condition;
        shared_as_alone(&[with_numbers(&text, &first), with_numbers(&text, &second)]);
    }
}

/// Conditions, and what looks like one.
const PARTS: [&str; 14] = [
    "id = 1",
    "id <> 1",
    "a > 1",
    "a <= 1",
    "1 = id",
    "1 < 2",
    "id in (1, 2)",
    "id not in (1, 2)",
    "b between 1 and 2",
    "(id = 1 or id <> 1)",
    "id + 1 = id",
    "abs(a) >= 1",
    "id is distinct from 1",
    "not id = 1",
];
