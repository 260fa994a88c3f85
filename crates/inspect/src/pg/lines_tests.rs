//! What a line of input decides beside its text.

use serde_json::{Value, json};

use super::facts;

fn read(line: Value) -> (Option<String>, Vec<String>) {
    let facts = facts(line).unwrap();
    let actions = facts.actions.iter().map(|action| format!("{action:?}")).collect();
    (facts.unknown.map(|unknown| unknown.code.as_str().to_owned()), actions)
}

#[test]
fn a_catalog_on_the_line_settles_stars_views_functions_and_types() {
    let catalog = json!({
        "relations": [
            {"name": "public.users", "columns": ["id", "email", "ssn"]},
            {"name": "public.mails", "kind": "view", "columns": ["email"],
             "definition": "SELECT email FROM public.users WHERE ssn <> ''"}
        ],
        "functions": ["public.lower"],
        "operators": ["public.~~"],
        "plain_types": ["public.mood"]
    });
    let with = |text: &str| read(json!({"text": text, "catalog": catalog}));
    assert_eq!(with("SELECT * FROM users"), (None, vec!["select table public.users (email,id,ssn)".into()]));
    assert_eq!(
        with("SELECT * FROM mails"),
        (
            None,
            vec![
                "select table public.users (email) by (ssn)".to_owned(),
                "select view public.mails (email)".to_owned()
            ]
        )
    );
    assert!(with("SELECT lower('x')").1.contains(&"call function public.lower".to_owned()));
    assert!(with("SELECT 'a' LIKE 'b'").1.contains(&"call operator \"~~\"".to_owned()));
    assert_eq!(with("SELECT 'sad'::mood").1, ["select"]);
    assert!(facts(json!({"text": "SELECT 1", "catalog": {"functions": ["lower"]}})).is_err());
}

#[test]
fn the_flavour_decides_which_functions_the_server_has() {
    let text = "SELECT any_value(a), JSON_VALUE(b, '$') FROM t";
    let on = |flavour: &str| read(json!({"text": text, "flavour": flavour}));
    assert_eq!(on("postgres-17"), (None, vec!["select table public.t (a,b)".to_owned()]));
    let calls = ["call function any_value", "call function json_value"].map(str::to_owned);
    assert_eq!(on("postgres-15.4").1.get(1..), Some(calls.as_slice()));
    assert_eq!(on("postgresql").0, None);
    assert_eq!(on("cockroach-23").0.as_deref(), Some("ambiguous"));
}

#[test]
fn a_bound_parameter_that_runs_as_text_is_read() {
    let with = |text: &str, params: Value| read(json!({"text": text, "params": params}));
    let run = "SELECT query_to_xml($1, true, true, '')";
    let (unknown, actions) = with(run, json!(["DELETE FROM users"]));
    assert_eq!(unknown, None);
    assert!(actions.contains(&"delete table public.users where=none".to_owned()));
    assert_eq!(with(run, json!([])).0.as_deref(), Some("dynamic"));
    assert_eq!(with(run, json!([null])).0.as_deref(), Some("dynamic"));
    let prepared = format!("PREPARE p (text) AS {run}");
    assert_eq!(with(&prepared, json!(["SELECT 1"])).0.as_deref(), Some("dynamic"), "another $1");
}

#[test]
fn a_temporary_table_of_the_text_stands_before_the_path() {
    let read = |text: &str| read(json!({"text": text})).1;
    assert_eq!(
        read("CREATE TEMP TABLE s AS SELECT id FROM u; DELETE FROM s; DROP TABLE s"),
        [
            "select table public.u (id)",
            "delete table pg_temp.s where=none",
            "create table pg_temp.s",
            "drop table pg_temp.s"
        ]
    );
    let after = read("BEGIN; CREATE TEMP TABLE s (a int); ROLLBACK; DELETE FROM s");
    assert!(after.contains(&"delete table public.s where=none".to_owned()), "{after:?}");
    assert!(after.contains(&"delete table pg_temp.s where=none".to_owned()), "{after:?}");
    let dropped = read("CREATE TEMP TABLE s (a int); DROP TABLE s; DELETE FROM s");
    assert!(dropped.contains(&"delete table public.s where=none".to_owned()), "{dropped:?}");
    let planned = read("EXPLAIN CREATE TEMP TABLE s AS SELECT 1; DELETE FROM s");
    assert!(planned.contains(&"delete table public.s where=none".to_owned()), "{planned:?}");
}
