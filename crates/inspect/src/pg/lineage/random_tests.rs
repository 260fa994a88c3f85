//! Random queries: none panics or runs away, and a plain column stays itself through any wrapping.

use proptest::prelude::*;

use super::shop::{ask, catalog, shown};

/// One more layer around a query with one column.
fn wrapped(query: &str, column: &str, layer: u8, depth: usize) -> (String, String) {
    let next = format!("c{depth}");
    let text = match layer % 8 {
        0 => format!("select {column} as {next} from ({query}) s{depth}"),
        1 => format!("select s.{column} as {next} from ({query}) s"),
        2 => format!("with w as ({query}) select {column} as {next} from w"),
        3 => format!("with w({next}) as ({query}) select * from w"),
        4 => format!("select * from ({query}) as s({next})"),
        5 => format!("select s.* from ({query}) as s({next}) cross join (select) nothing"),
        6 => format!("select l.{next} from ({query}) s, lateral (select s.{column} as {next}) l"),
        _ => format!("({query}) union all (select {column} from ({query}) s)"),
    };
    let column = if layer % 8 == 7 { column.to_owned() } else { next };
    (text, column)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_plain_column_stays_itself_through_any_wrapping(layers in prop::collection::vec(0_u8..8, 0..7)) {
        let (mut text, mut column) = ("select ssn from users".to_owned(), "ssn".to_owned());
        for (depth, layer) in layers.into_iter().enumerate() {
            (text, column) = wrapped(&text, &column, layer, depth);
        }
        let answer = shown(&ask(&text, Some(&catalog()), &["public"]));
        prop_assert_eq!(answer, format!("{column}=users.ssn"), "{}", text);
    }

    #[test]
    fn a_computed_value_keeps_its_source(parts in prop::collection::vec(0_usize..9, 1..8)) {
        let mut value = "ssn".to_owned();
        for part in parts {
            value = match part {
                0 => format!("lower({value}::text)"),
                1 => format!("({value})::text"),
                2 => format!("coalesce(null, ({value})::text)"),
                3 => format!("case when ({value})::text = 'x' then 1 else 0 end"),
                4 => format!("(select {value})"),
                5 => format!("(select x from (select {value} as x) y)"),
                6 => format!("array[{value}]"),
                7 => format!("to_json(row({value}))"),
                _ => format!("(({value})::text || 'x')"),
            };
        }
        let answer = shown(&ask(&format!("select {value} as v from users"), Some(&catalog()), &["public"]));
        prop_assert!(answer.contains("users.ssn"), "{value}: {answer}");
    }
}

#[test]
fn too_much_to_read_is_unsettled_and_not_a_long_wait() {
    let mut text = "select 1 as a0".to_owned();
    for depth in 0..12 {
        text = format!(
            "with recursive r as (select 1 union all select * from r join ({text}) s on true) select * from r, r b, r c{depth}"
        );
    }
    let started = std::time::Instant::now();
    if pg_query::parse(&text, 0).is_ok() {
        ask(&text, Some(&catalog()), &["public"]);
    }
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn deep_texts_fit_a_small_stack() {
    let run = || {
        for depth in [10, 20, 30, 40] {
            for (open, close) in [("lower(", ")"), ("(select ", ")"), ("case when true then ", " end")] {
                let text = format!("select {}ssn{} from users", open.repeat(depth), close.repeat(depth));
                ask(&text, Some(&catalog()), &["public"]);
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .expect("a thread")
        .join()
        .expect("no overflow");
}
