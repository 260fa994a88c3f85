//! What the items of a select list read, as masking relies on it: too much is safe, too little is not.

use super::*;

const CONTEXT: Context<'static> = Context {
    flavour: Flavour::MariaDb(101_106),
    sql_mode: Some(SqlMode::DEFAULT),
    character_set: "utf8mb4",
    database: Some("shop"),
    lower_case_table_names: 0,
};

/// The items as `reads|reads`, with `!` for what is unsettled, `@` for variables, `~` before it all when derived.
fn shown(text: &str) -> String {
    let inspection = inspect(text.as_bytes(), &CONTEXT);
    let result = &inspection.statements.first().unwrap().result;
    let item = |item: &ResultItem| {
        let reads: Vec<String> =
            item.reads.iter().map(|(object, column)| format!("{object}.{column}")).collect();
        let mark = |on: bool, mark: &str| if on { mark.to_owned() } else { String::new() };
        reads.join(",") + &mark(item.star, "*") + &mark(item.unsettled, "!") + &mark(item.variables, "@")
    };
    let items = result
        .items
        .as_ref()
        .map_or("?".to_owned(), |items| items.iter().map(item).collect::<Vec<_>>().join("|"));
    if result.derived { format!("~{items}") } else { items }
}

#[test]
fn items_read_what_their_values_depend_on() {
    for (text, items) in [
        ("SELECT id, upper(email), 1, count(*) FROM users", "shop.users.id|shop.users.email||"),
        ("SELECT u.email, c.name FROM users u, hr.c c", "shop.users.email|hr.c.name"),
        ("SELECT email FROM users, cities", "shop.cities.email,shop.users.email"),
        ("SELECT * FROM users", "*"),
        ("SELECT u.*, id FROM users u", "*|shop.users.id"),
        ("SELECT (SELECT max(ssn) FROM staff WHERE x = 1) FROM users", "shop.staff.ssn,shop.staff.x"),
        ("(SELECT email FROM users)", "shop.users.email"),
        ("SELECT EXISTS (SELECT 1 FROM users WHERE ssn LIKE '1%')", "shop.users.ssn"),
        ("SELECT CASE WHEN email LIKE 'a%' THEN 1 END FROM users", "shop.users.email"),
        ("INSERT INTO users (id) VALUES (1) RETURNING id, lower(email)", "shop.users.id|shop.users.email"),
        ("DELETE FROM users WHERE id = 1 RETURNING *", "*"),
        ("SELECT @a, @b := id FROM users", "@|shop.users.id"),
    ] {
        assert_eq!(shown(text), items, "{text}");
    }
}

#[test]
fn what_is_asked_by_a_variable_or_the_last_number_says_so() {
    for (text, items) in [
        ("SELECT @a, @@timestamp, @@session.rand_seed1, 1", "@|@|@|"),
        ("SELECT last_insert_id(), Last_Insert_Id(id) + 1 FROM users", "@|shop.users.id@"),
        ("SELECT upper(concat('x', @a)) FROM users", "@"),
        ("SELECT id FROM users WHERE id = last_insert_id()", "shop.users.id"),
    ] {
        assert_eq!(shown(text), items, "{text}");
    }
}

#[test]
fn what_hides_its_origin_is_unsettled_or_derived() {
    for (text, items) in [
        ("SELECT x FROM (SELECT email AS x FROM users) cities", "~!"),
        ("SELECT * FROM (SELECT email AS x FROM users) cities", "~*"),
        ("WITH cities AS (SELECT email AS name FROM users) SELECT name, 1 FROM cities", "~!|"),
        ("SELECT stored(id) FROM users", "shop.users.id!"),
        ("SELECT id FROM cities UNION SELECT email FROM users", "?"),
        ("VALUES (1)", "?"),
        ("EXPLAIN SELECT id FROM users", "~?"),
        ("EXECUTE IMMEDIATE 'SELECT id FROM cities'", "~?"),
        ("SHOW TABLES", "~?"),
        ("CALL p()", "~?"),
        ("HANDLER users READ FIRST", "~?"),
        ("INSERT INTO cities SELECT email FROM users", "?"),
    ] {
        assert_eq!(shown(text), items, "{text}");
    }
}

#[test]
fn a_kill_by_number_is_told() {
    let kind = |text: &str| inspect(text.as_bytes(), &CONTEXT).statements.first().unwrap().kind.clone();
    let kill = |query, connection| StatementKind::Kill { query, connection };
    assert_eq!(kind("KILL /*!50001 QUERY */ 17"), kill(true, Some(17)));
    assert_eq!(kind("KILL 17"), kill(false, Some(17)));
    assert_eq!(kind("KILL SOFT CONNECTION (1 + 1)"), kill(false, None));
    assert_eq!(kind("KILL USER app"), StatementKind::Other);
}
