//! Random conversations look the same through the gateway as from the server itself; and what the gateway
//! follows of a session's settings is what the server says of them, whatever has happened before.
//!
//! A few seeds in the suite. More: `SEEDS=2000 FROM=1000 cargo nextest run -p sallyport-e2e --test conversation`.

use sallyport_e2e::conversation::{Dice, compare};
use sallyport_e2e::{Gateway, Options, Policy, Raw};

const AGENT: &str = "claude-code";
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;

fn open() -> Gateway {
    Gateway::with(Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() })
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn seeds() -> std::ops::Range<u64> {
    let from = number("FROM", 1);
    from..from + number("SEEDS", 60)
}

#[test]
fn a_random_conversation_is_answered_as_by_the_server_itself() {
    let gateway = open();
    let different: Vec<String> = seeds()
        .filter_map(|seed| compare(&gateway, AGENT, seed))
        .map(|it| {
            format!(
                "seed {}: {:#?}\nserver:  {:#?}\nthrough: {:#?}",
                it.seed, it.steps, it.direct, it.through
            )
        })
        .collect();
    assert!(different.is_empty(), "{} differ\n{}", different.len(), different.join("\n\n"));
}

/// What may happen to a session's settings, in every way there is.
const HISTORY: &[&str] = &[
    "set search_path = shadow, public",
    "set search_path = public",
    "set local search_path = shadow",
    "reset search_path",
    "set session search_path to default",
    "set role clerk",
    "set local role clerk",
    "reset role",
    "set role none",
    "select set_config('search_path', 'shadow', false)",
    "select set_config('search_path', 'shadow', true)",
    "select sideways('shadow')",
    "select sideways('public')",
    "set standard_conforming_strings = off",
    "set standard_conforming_strings = on",
    "set client_encoding = 'LATIN1'",
    "set client_encoding = 'UTF8'",
    "reset client_encoding",
    "reset all",
    "discard all",
    "discard temp",
    "begin",
    "begin",
    "commit",
    "rollback",
    "savepoint a",
    "rollback to a",
    "release a",
    "select 1 / 0",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
    "deallocate all",
    "create temp table if not exists orders (id int)",
    "drop table if exists pg_temp.orders",
    "begin; set search_path = shadow; rollback",
    "begin; set local search_path = shadow; commit",
    "set search_path = shadow; select 1 / 0",
];

/// Whether the settings that decide how texts are read are followed is seen by what a text then means: the
/// denied relation is refused under whatever name the session's path gives it, and no other is.
#[test]
fn what_is_followed_of_a_session_is_what_the_server_says_after_any_history() {
    const POLICY: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("not-this") forbid (principal, action == Action::"sql:select", resource) when { resource has schema && resource has name && resource.schema == "shadow" && resource.name == "orders" };
"#;
    let gateway = Gateway::with(Options { policy: Policy::Only(POLICY), tls: false, ..Options::default() });
    gateway.admin_sql(
        "grant usage on schema shadow to clerk; grant select on all tables in schema shadow, public to clerk",
    );
    for seed in seeds() {
        let mut dice = Dice::new(seed ^ 0x5e55_1041);
        let mut raw = Raw::open(&gateway, AGENT);
        let mut told = Vec::new();
        for _ in 0..4 + dice.below(10) {
            let step = *dice.pick(HISTORY);
            told.push(step);
            if dice.below(3) == 0 {
                raw.send(
                    &[Raw::parse("", step), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat(),
                );
                let _said = raw.until_ready();
            } else {
                let _said = raw.query(step);
            }
        }
        // What the server says the name means now, which touches no relation.
        let asked = raw.query("select coalesce(to_regclass('orders')::oid::regclass::text, 'none'), current_schemas(true)::text, to_regclass('shadow.orders')::oid = to_regclass('orders')::oid");
        let Some(row) = asked.iter().find(|it| it.tag == 'D') else {
            // A failed transaction: nothing can be asked, and nothing but its end runs.
            assert_eq!(Raw::status(&asked), 'E', "seed {seed}: {told:?}");
            continue;
        };
        let is_denied = row.cells()[2] == "t";
        let answer = raw.query("select count(id) from orders");
        // With a temporary relation about, a name counts in the schemas behind it too.
        let temporary = row.cells()[1].contains("pg_temp");
        let refused = Raw::error(&answer).is_some_and(|error| error.detail.starts_with("SLP-DENIED"));
        assert!(
            refused == is_denied || (refused && temporary),
            "seed {seed}: {told:?}\nthe server says {:?}\n{answer:?}",
            row.cells()
        );
    }
}
