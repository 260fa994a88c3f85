//! D 21: a labelled value in every dress that SQL has, from the list in `dressings.txt`.

use sallyport_e2e::{Gateway, Message, Options, Policy, Raw};

use crate::AGENT;

/// Everything is allowed, code too, so that only masking stands before the values.
const ALL: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("unknown") @hold("dba") permit (principal, action == Action::"unknown", resource);
"#;

/// Objects of which there are none in the seed.
const OBJECTS: &str = r"
create view patients_names as select diagnosis from users;
create view users_d as select diagnosis from users;
create view deep_view as with q as (select what as y from patients) select upper(y) as x from q;
create materialized view kept as select id, diagnosis as d from users;
create domain short as text;
create table domained (id int, d short);
insert into domained select id, diagnosis from users;
create type pair as (a text, b text);
create table composed (id int, pair pair, pairs pair[]);
insert into composed select id, row(diagnosis, ssn)::pair, array[row(diagnosis, ssn)::pair] from users;
create table parent (id int, diagnosis text);
create table child () inherits (parent);
insert into child select id, diagnosis from users;
create table part (id int, diagnosis text) partition by range (id);
create table part_1 partition of part for values from (0) to (100);
insert into part select id, diagnosis from users;
create function told(int) returns text language sql as 'select diagnosis from public.users where id = $1';
create function told_all() returns setof users language sql as 'select * from public.users';
create function shout(text) returns text language sql as 'select upper($1)';
grant all on all tables in schema public to app;
grant execute on all functions in schema public to app;
alter table domained owner to app; alter table composed owner to app; alter table parent owner to app;
alter table child owner to app; alter table part owner to app; alter table part_1 owner to app;
alter materialized view kept owner to app;
";

const LABELS: &str = r#"
[[label]]
name = "pii.email"
columns = ["*/*/public.users.email"]
[[label]]
name = "pii.diagnosis"
columns = ["*/*/public.users.*i*n*", "*/*/public.users.ssn", "*/*/public.users.profile"]
[[label]]
name = "pii.other"
columns = ["*/*/public.domained.d", "*/*/public.composed.pair*", "*/*/public.parent.diagnosis", "*/*/public.part.diagnosis", "*/*/public.kept.d"]
"#;

/// A protected value, plain or in a coding that one of the dresses gives it.
const SIGNS: &[&str] = &["whisper", "900-11", "7700", "d2hpc3blc", "776869737065", "-repsihw"];

fn leak(messages: &[Message]) -> Option<String> {
    messages.iter().filter(|it| "DdEN".contains(it.tag)).find_map(|message| {
        let text = String::from_utf8_lossy(&message.body).to_lowercase();
        // Codes of binary COPY, the number of a row: what is left of a value is what counts.
        SIGNS.iter().any(|sign| text.contains(sign)).then_some(text)
    })
}

/// In a transaction that is taken back.
fn run(raw: &mut Raw, before: &[&str], last: &str, extended: bool) -> Vec<Message> {
    raw.query("begin");
    let mut said = Vec::new();
    for statement in before.iter().filter(|it| **it != "begin") {
        said.extend(raw.query(statement));
    }
    said.extend(if extended { by_extended(raw, last) } else { raw.query(last) });
    raw.query("rollback");
    said
}

fn by_extended(raw: &mut Raw, sql: &str) -> Vec<Message> {
    raw.send(&[Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat());
    raw.until_ready()
}

#[test]
fn attack_21_a_labelled_value_is_masked_in_every_dress() {
    let gateway = Gateway::with(Options { tls: false, policy: Policy::Only(ALL), ..Options::default() });
    gateway.admin_sql(OBJECTS);
    gateway.write("labels.toml", LABELS);
    sallyport_e2e::within(std::time::Duration::from_secs(5), "the labels act", &mut || {
        let mut raw = Raw::open(&gateway, AGENT);
        let answer = raw.query("copy domained to stdout");
        (leak(&answer).is_none() && Raw::error(&answer).is_none()).then_some(())
    });
    let mut direct = Raw::direct(&gateway);
    let mut through = [Raw::open(&gateway, AGENT), Raw::open(&gateway, AGENT)];
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("dressings.txt").lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        count += 1;
        let (refused, line) = match line.strip_prefix("refused ") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let statements: Vec<&str> = line.split(";;").map(str::trim).collect();
        let (last, before) = statements.split_last().expect("a statement");
        // What the server itself would show.
        let answer = run(&mut direct, before, last, false);
        if leak(&answer).is_none() {
            wrong.push(format!("{line}: proves nothing: {:?}", Raw::error(&answer)));
        }
        for (raw, extended) in through.iter_mut().zip([false, true]) {
            let said = run(raw, before, last, extended);
            if let Some(leak) = leak(&said) {
                wrong.push(format!("{line} (extended {extended}): leaks {leak}"));
            }
            match Raw::error(&said) {
                Some(error) if !refused => wrong.push(format!("{line} (extended {extended}): {error:?}")),
                None if refused => wrong.push(format!("{line} (extended {extended}): was not refused")),
                _ => {}
            }
        }
    }
    assert!(count > 150, "{count} cases were read");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
