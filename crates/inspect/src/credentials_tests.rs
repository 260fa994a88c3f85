//! Where credentials stand, statement by statement; and that nothing else is touched.

use proptest::prelude::*;

use super::*;
use crate::stopwatch::Stopwatch;

fn shown(text: &str, dialect: Dialect) -> String {
    let out = withhold(text.as_bytes(), &find(text.as_bytes(), dialect));
    out.map_or_else(|| text.to_owned(), |out| String::from_utf8(out).unwrap().replace(STAND_IN, "‹›"))
}

#[track_caller]
fn hides(dialect: Dialect, cases: &[&str]) {
    for text in cases {
        // Every case writes its credential so.
        let expected = text.replace("hunter2", "‹›");
        assert_ne!(expected, *text, "the case has no credential");
        assert_eq!(shown(text, dialect), expected, "{text}");
    }
}

#[test]
fn postgres_credentials_are_found_wherever_they_stand() {
    hides(
        Dialect::Postgres,
        &[
            "CREATE ROLE bob LOGIN PASSWORD 'hunter2'",
            "alter user bob with encrypted password 'hunter2' valid until 'infinity'",
            "ALTER ROLE bob PASSWORD E'hunter2'",
            "ALTER ROLE bob PASSWORD U&'hunter2'",
            "ALTER ROLE bob PASSWORD $$hunter2$$",
            "ALTER ROLE bob PASSWORD $p$hunter2$p$; select 'x'",
            "ALTER ROLE bob PASSWORD /* new */ 'hunter2'",
            "ALTER ROLE bob PASSWORD 'hunter2'\n'hunter2'",
            "ALTER ROLE bob PASSWORD 'hunter2",
            "CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'bob', password 'hunter2')",
            "ALTER USER MAPPING FOR bob SERVER s OPTIONS (SET password 'hunter2', ADD sslpassword 'hunter2')",
            "CREATE USER MAPPING FOR bob SERVER s OPTIONS (\"user\" 'b', \"password\" 'hunter2')",
            "CREATE SUBSCRIPTION s CONNECTION 'host=h user=u password=hunter2 dbname=d' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=''hunter2'' dbname=d' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:hunter2@h:5432/d?sslmode=require' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'postgresql://h/d?user=u&password=hunter2&x=1' PUBLICATION p",
            "SELECT dblink_connect('c', 'dbname=d passwd = hunter2')",
            "SELECT * FROM dblink(E'password=\\'hunter2\\' host=h', 'select 1') AS t(a int)",
            "DO $$ BEGIN EXECUTE 'ALTER ROLE bob PASSWORD ''hunter2'''; END $$",
            "DO $$ BEGIN ALTER ROLE bob PASSWORD 'hunter2'; END $$",
            "COPY t FROM PROGRAM 'curl https://u:hunter2@example.com/x'",
            "SELECT aws_s3.query_export_to_s3('q', 'b', secret_key => 'hunter2')",
            "UPDATE users SET password = 'hunter2' WHERE id = 7",
            "SELECT set_config('app.conf', '{\"api_key\": \"hunter2\", \"x\": \"y\"}', false)",
            "-- password=hunter2\nSELECT 1",
            "SELECT 1 /* postgres://u:hunter2@h */",
        ],
    );
}

#[test]
fn mysql_credentials_are_found_wherever_they_stand() {
    hides(
        Dialect::MySql,
        &[
            "CREATE USER 'bob'@'%' IDENTIFIED BY 'hunter2'",
            "create user bob identified by \"hunter2\"",
            "ALTER USER bob IDENTIFIED WITH mysql_native_password BY 'hunter2' REPLACE 'hunter2'",
            "ALTER USER bob IDENTIFIED WITH caching_sha2_password AS 'hunter2'",
            "ALTER USER bob IDENTIFIED VIA ed25519 USING PASSWORD('hunter2')",
            "GRANT ALL ON *.* TO bob IDENTIFIED BY PASSWORD 'hunter2'",
            "SET PASSWORD FOR 'bob'@'%' = 'hunter2'",
            "SET PASSWORD = PASSWORD('hunter2')",
            "SET PASSWORD FOR bob TO 'hunter2'",
            "CHANGE MASTER TO MASTER_USER='u', MASTER_PASSWORD='hunter2'",
            "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = _utf8mb4 'hunter2'",
            "START REPLICA USER = 'u' PASSWORD = 'hunter2'",
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD 'hunter2')",
            "CREATE TABLE t (a int) ENGINE=FEDERATED CONNECTION='mysql://u:hunter2@h/d/t'",
            "/*!50001 ALTER USER bob IDENTIFIED BY 'hunter2' */",
            "PREPARE s FROM 'alter user bob identified by \\'hunter2\\''",
            "# password=hunter2\nSELECT 1",
        ],
    );
}

#[test]
fn a_quote_within_a_credential_does_not_end_it() {
    for (dialect, text) in [
        (Dialect::MySql, "ALTER USER bob IDENTIFIED BY 'hunter\\'2'"),
        (Dialect::MySql, "ALTER USER bob IDENTIFIED BY \"hunter\"\"2\""),
        (Dialect::Postgres, "ALTER ROLE bob PASSWORD 'hunter''2'"),
        (Dialect::Postgres, "ALTER ROLE bob PASSWORD E'hunter\\'2'"),
    ] {
        assert!(!shown(text, dialect).contains("hunter") && !shown(text, dialect).contains('2'), "{text}");
    }
}

#[test]
fn what_is_no_credential_stays() {
    for text in [
        "select 1",
        "select * from users where name = 'password'",
        "select 'the password is secret'",
        "select u.password, v.token from u join v on u.password = v.password",
        "alter role bob password null",
        "alter role bob valid until 'tomorrow'",
        "set password_encryption = 'scram-sha-256'",
        "create user mapping for bob server s options (user 'bob')",
        "select 'https://example.com/a:b@c'",
        "select $1 where password = $2",
        "alter role bob password ''",
        "select 'identified by nobody'",
        "insert into t values ('token', 'x')",
    ] {
        assert_eq!(shown(text, Dialect::Postgres), text);
        assert_eq!(shown(text, Dialect::MySql), text);
    }
}

#[test]
fn a_statement_ends_what_one_before_it_began() {
    let text = "create user a identified by 'x'; select 1 as 'y'";
    assert_eq!(shown(text, Dialect::MySql), "create user a identified by '‹›'; select 1 as 'y'");
}

proptest! {
    #[test]
    fn spans_are_apart_in_order_and_within_the_text(text in "(password|identified by|=|'|\"|\\$|;|\\\\|://|@|:| |a|/\\*|\\*/|--|\n|E|é){0,40}") {
        for dialect in [Dialect::Postgres, Dialect::MySql] {
            let mut end = 0;
            for span in find(text.as_bytes(), dialect) {
                prop_assert!(span.start >= end && span.start < span.end && span.end <= text.len());
                end = span.end;
            }
        }
    }
}

#[test]
fn time_is_linear_in_the_text() {
    for piece in ["password='", "password=$a$", "'password=", "://a:", "identified by ", "$a$ $b$ ", "=\" \""]
    {
        let took = |times: usize| {
            let text = piece.repeat(times);
            let begun = Stopwatch::start();
            let (one, other) =
                (find(text.as_bytes(), Dialect::Postgres), find(text.as_bytes(), Dialect::MySql));
            assert!(one.len() <= text.len() && other.len() <= text.len());
            begun.elapsed()
        };
        let (one, eight) = (took(4_000).max(std::time::Duration::from_millis(2)), took(32_000));
        assert!(eight < one * 40, "{piece}: {one:?}, {eight:?}");
    }
}
