//! C 19: types that bring a user's code with them, as casts and as what compares their values. The server calls
//! it in statements that name no function at all.

use sallyport_e2e::{Gateway, Message, Options, Policy, Raw};

use crate::{AGENT, plain};

/// Each function leaves a trace, and most give out a labelled value.
const OBJECTS: &str = r"
create schema u;
create table hit (name text);
create function u.secret(text) returns text language plpgsql as
    $$ begin insert into public.hit values ($1); return (select max(diagnosis) from public.users where diagnosis like '%whisper%'); end $$;
create type u.e as enum ('a', 'b');
create function u.e_text(u.e) returns text language sql as $$ select u.secret('e_text') $$;
create cast (u.e as text) with function u.e_text(u.e) as implicit;
create type u.k as (x int);
create function u.k_json(u.k) returns json language sql as $$ select to_json(u.secret('k_json')) $$;
create cast (u.k as json) with function u.k_json(u.k);
create type u.o as (x int);
create function u.cmp(u.o, u.o) returns int language sql as $$ select length(u.secret('cmp')) * 0 + ($1).x - ($2).x $$;
create function u.lt(u.o, u.o) returns bool language sql as $$ select u.cmp($1, $2) < 0 $$;
create function u.le(u.o, u.o) returns bool language sql as $$ select u.cmp($1, $2) <= 0 $$;
create function u.eq(u.o, u.o) returns bool language sql as $$ select u.cmp($1, $2) = 0 $$;
create operator u.< (leftarg = u.o, rightarg = u.o, procedure = u.lt);
create operator u.<= (leftarg = u.o, rightarg = u.o, procedure = u.le);
create operator u.= (leftarg = u.o, rightarg = u.o, procedure = u.eq);
create operator class u.ordered default for type u.o using btree as
    operator 1 u.<, operator 2 u.<=, operator 3 u.=, function 1 u.cmp(u.o, u.o);
create domain u.ed as u.e;
create table ty (id int, e u.e, k u.k, o u.o, ea u.e[], d u.ed, r int);
insert into ty values (1, 'a', row(1), row(1), '{a}', 'a', 1), (2, 'b', row(2), row(2), '{b}', 'b', 2);
create view seen as select id, e, k from ty;
create view told as select id, k::json as x from ty;
grant usage on schema u to app;
grant all on all tables in schema public to app;
";

/// What runs a function, in fact or by the server's rules perhaps.
const RUNS: &[&str] = &[
    "select e::text from ty",
    "select cast(e as text) from ty",
    "select e || '' from ty",
    "select upper(e) from ty",
    "select text(e) from ty",
    "select (e).text from ty",
    "select concat(e) from ty",
    "select id from ty where e = 'x'::text",
    "select coalesce(e, 'x'::text) from ty",
    "select case when id = 1 then e else 'z'::text end from ty",
    "select 'q'::text union select e from ty",
    "select s.e::text from (select e from ty) s",
    "with s as (select e from ty) select e || '' from s",
    "select (select e from ty limit 1)::text",
    "select x::text from unnest(array(select e from ty)) x",
    "select e::text from seen",
    "select d::text from ty",
    "select ea::text[] from ty",
    "select ea[1]::text from ty",
    "select to_json(k) from ty",
    "select k::json from ty",
    "select row_to_json(ty) from ty",
    "select to_jsonb(ty) -> 'k' from ty",
    "select ty.to_json from ty",
    "select json_agg(k) from ty",
    "select json_agg(s) from seen s",
    "select json_build_array(k) from ty",
    "select x from told",
    "select id from ty order by o",
    "select id from ty order by ty",
    "select distinct o from ty",
    "select o from ty group by o",
    "select o from ty union select o from ty",
    "select count(distinct o) from ty",
    "select rank() over (order by o) from ty",
    "select t.id from ty t join ty s using (o)",
    "select t.id from ty t natural join ty s",
    "select array[o] < array[o] from ty",
    "select row(o, 1) < row(o, 2) from ty",
    "select greatest(o, o) from ty",
    "select 'a'::u.e::text",
    "copy (select e || '' from ty) to stdout",
    "copy (select row_to_json(ty) from ty) to stdout",
    "copy (select to_json(k) from ty order by o) to stdout",
];

/// What gives values out as they are, and everything that leaves these columns alone.
const GIVES_OUT: &[&str] = &[
    "select e from ty",
    "select * from ty",
    "select t.* from ty t where t.id = 1 order by r limit 1",
    "select id, e, o from ty where r between 1 and 2",
    "select count(*) from ty",
    "select id::text, r + 1 from ty order by id",
    "select e, k from seen",
    "select max(r) from ty group by id",
    "copy ty (id, e) to stdout",
];

fn runs(raw: &mut Raw, sql: &str, extended: bool) -> Vec<Message> {
    if !extended {
        return raw.query(sql);
    }
    raw.send(&[Raw::parse("", sql), Raw::bind("", "", &[]), Raw::execute(""), Raw::sync()].concat());
    raw.until_ready()
}

fn leaks(said: &[Message]) -> bool {
    said.iter().any(|it| "DdEN".contains(it.tag) && String::from_utf8_lossy(&it.body).contains("whisper"))
}

fn hits(gateway: &Gateway) -> String {
    let hits = gateway.admin_sql("select distinct name from hit order by 1");
    gateway.admin_sql("truncate hit");
    hits
}

#[test]
fn attack_19_a_type_that_brings_code_runs_none_of_it_unseen() {
    let gateway = plain();
    gateway.admin_sql(OBJECTS);
    let mut direct = Raw::direct(&gateway);
    let mut raw = Raw::open(&gateway, AGENT);
    let (mut wrong, mut proven) = (Vec::new(), 0);
    for sql in RUNS {
        direct.query(sql);
        proven += usize::from(!hits(&gateway).is_empty());
        for extended in [false, true] {
            let said = runs(&mut raw, sql, extended);
            let hits = hits(&gateway);
            if Raw::error(&said).is_none() || leaks(&said) || !hits.is_empty() {
                wrong.push(format!("{sql} (extended {extended}): leaks {}, ran {hits:?}", leaks(&said)));
            }
        }
    }
    for sql in GIVES_OUT {
        if let Some(error) = Raw::error(&raw.query(sql)) {
            wrong.push(format!("{sql}: {error:?}"));
        }
        assert_eq!(hits(&gateway), "", "{sql} runs nothing");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(proven > 20, "{proven} of {} run something on the server itself", RUNS.len());
}

/// Where policy lets code run, what it makes is nobody's to know.
#[test]
fn attack_21_what_a_type_s_code_makes_is_masked() {
    let policy = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
"#;
    let gateway = Gateway::with(Options { tls: false, policy: Policy::Only(policy), ..Options::default() });
    gateway.admin_sql(OBJECTS);
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in RUNS {
        for extended in [false, true] {
            let said = runs(&mut raw, sql, extended);
            assert!(!leaks(&said), "{sql} (extended {extended})");
        }
    }
    raw.query("prepare p as select e::text from ty");
    assert!(!leaks(&raw.query("execute p")), "prepared in SQL");
    raw.query("begin");
    raw.query("declare c cursor for select to_json(k) from ty");
    assert!(!leaks(&raw.query("fetch all from c")), "by a cursor");
}

/// An extension in `public`, where most put it, changes nothing for those who do not use it; what a user makes of
/// its functions, or of the server's, is a user's.
#[test]
fn attack_19_an_extension_s_operators_are_not_a_user_s() {
    let gateway = plain();
    gateway.admin_sql(
        "create extension citext; create extension hstore;
         create operator public.=== (leftarg = citext, rightarg = citext, procedure = citext_eq);
         create operator public.@@@ (rightarg = text, procedure = pg_ls_dir)",
    );
    let mut raw = Raw::open(&gateway, AGENT);
    for sql in [
        "select id from orders where id = 2",
        "select max(id), min(id), count(*) from orders",
        "select o.id from orders o join users u on u.id = o.user_id where o.status <> 'x' order by o.id limit 1",
        "select 'A'::text || 'b' from orders limit 1",
    ] {
        let error = Raw::error(&raw.query(sql));
        assert!(error.is_none(), "{sql}: {error:?}");
    }
    for sql in ["select 'a'::text === 'b'::text", "select @@@ '/etc'::text", "select @@@ status from orders"]
    {
        assert!(Raw::error(&raw.query(sql)).is_some(), "{sql}");
    }
}
