//! The facts that policy decides by: with `*` written out, and with every column that decides which rows come
//! named as a filter, down to the tables that views and generated columns are made of.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sallyport_core::{Action, Facts, Group, Verb};
use sallyport_inspect::mysql::{Deciding, Inspection};

use super::catalog::{Base, Catalog};

/// The facts of an inspection, by this catalog.
pub(super) fn facts<'f>(catalog: &Catalog, inspection: &'f Inspection) -> Cow<'f, Facts> {
    let facts = catalog.expanded(&inspection.facts);
    let mut deciding = decide(&facts, &inspection.deciding);
    let filters = facts.actions.iter().filter_map(|action| Some((action.object.as_ref()?, &action.filters)));
    let written = filters.flat_map(|(object, columns)| columns.iter().map(move |name| (object, name)));
    deciding.extend(
        written
            .filter(|(object, _)| catalog.is_made_of_others(object))
            .map(|(object, name)| (object.clone(), name.clone())),
    );
    if deciding.is_empty() {
        return facts;
    }
    let mut facts = facts.into_owned();
    let bases: BTreeSet<Base> =
        deciding.iter().flat_map(|(object, column)| catalog.origin(object, column).columns).collect();
    for (object, column) in bases {
        let of_it = |action: &&mut Action| {
            action.action == Verb::Select && action.object.as_ref() == Some(&object) && action.on.is_none()
        };
        match facts.actions.iter_mut().find(of_it) {
            Some(action) => action.filters.push(column),
            None => {
                let mut action = Action::on_object(Verb::Select, "table", object);
                action.filters.push(column);
                facts.actions.push(action);
            }
        }
    }
    for action in &mut facts.actions {
        action.filters.sort_unstable();
        action.filters.dedup();
    }
    facts.actions.sort();
    facts.actions.dedup();
    Cow::Owned(facts)
}

/// Columns that decide beside the filters.
fn decide(facts: &Facts, deciding: &Deciding) -> BTreeSet<Base> {
    let read = || {
        facts.actions.iter().filter(|action| action.group == Group::Read).flat_map(|action| {
            let object = action.object.iter();
            object
                .flat_map(move |object| action.columns.iter().map(move |name| (object.clone(), name.clone())))
        })
    };
    let mut found = deciding.columns.clone();
    let mut anything = deciding.anything;
    for name in &deciding.derived {
        let before = found.len();
        found.extend(read().filter(|(_, column)| column == name || column == "*"));
        // It goes by a name that no table read here has.
        anything |= found.len() == before && !found.iter().any(|(_, column)| column == name);
    }
    if anything {
        found.extend(read());
    }
    found
}

#[cfg(test)]
mod tests {
    use sallyport_inspect::mysql::{Context, Flavour, SqlMode, inspect};

    use super::super::catalog::tests::shop;
    use super::*;

    /// Columns of `users` that decide, in order.
    fn filters(sql: &str) -> String {
        let context = Context {
            flavour: Flavour::MariaDb(101_106),
            sql_mode: Some(SqlMode::DEFAULT),
            character_set: "utf8mb4",
            database: Some("shop"),
            lower_case_table_names: 0,
        };
        let inspection = inspect(sql.as_bytes(), &context);
        assert_eq!(inspection.facts.unknown, None, "{sql}");
        let facts = facts(&shop(), &inspection);
        let of_users = facts.actions.iter().filter(|action| {
            action.object.as_ref().is_some_and(|object| object.name == "users")
                && action.action == Verb::Select
        });
        let mut names: Vec<&str> = of_users.flat_map(|action| &action.filters).map(String::as_str).collect();
        names.dedup();
        names.join(" ")
    }

    #[test]
    fn what_a_sub_select_in_a_condition_returns_decides() {
        for sql in [
            "SELECT id FROM cities WHERE id = (SELECT email FROM users WHERE id = 2)",
            "SELECT c.id FROM cities c JOIN cities d ON d.id = (SELECT ord(substr(email, c.id, 1)) FROM users)",
            "SELECT id FROM cities WHERE 'x' IN (SELECT email FROM users)",
            "SELECT id FROM cities WHERE 'x' = ANY (SELECT email FROM users)",
            "SELECT id FROM cities WHERE ('x', 1) IN (SELECT email, 1 FROM users)",
            "SELECT id FROM cities WHERE (SELECT email LIKE 'k%' FROM users LIMIT 1)",
            "SELECT id FROM cities GROUP BY id HAVING id = (SELECT length(email) FROM users LIMIT 1)",
            "SELECT id FROM cities ORDER BY (SELECT email FROM users LIMIT 1)",
            "SELECT id FROM cities WHERE id = (SELECT length(x.email) FROM (SELECT email FROM users) x LIMIT 1)",
            "SELECT id FROM cities WHERE id = (SELECT m FROM vv)",
        ] {
            assert!(filters(sql).split(' ').any(|name| name == "email"), "{sql}: {}", filters(sql));
        }
    }

    #[test]
    fn so_does_what_views_derived_tables_and_places_are_made_of() {
        for sql in [
            "SELECT id FROM v WHERE mail LIKE 'k%'",
            "SELECT id FROM v ORDER BY mail",
            "SELECT id, mail FROM v GROUP BY id, mail HAVING mail > 'k'",
            "SELECT v.id FROM v JOIN vv ON vv.m = 'k'",
            "SELECT v.id FROM v JOIN cities USING (mail)",
            "SELECT id FROM users WHERE shout LIKE 'k%'",
            "SELECT * FROM users ORDER BY 3",
            "SELECT c.id FROM cities c JOIN (SELECT email LIKE 'k%' m FROM users WHERE id = 1) q ON q.m = c.id",
            "SELECT c.id FROM cities c JOIN (SELECT id AS z, email AS id FROM users) q ON q.id = c.id",
            "WITH q AS (SELECT email AS m FROM users) SELECT 1 FROM q WHERE m LIKE 'k%'",
            "SELECT 1 FROM (SELECT * FROM (SELECT email AS id FROM users) x) q WHERE id LIKE 'k%'",
            "SELECT 'k' INTERSECT SELECT email FROM users",
            "SELECT email FROM users EXCEPT SELECT 'k'",
            "SELECT id, email FROM users UNION SELECT 1, 'k' ORDER BY email",
        ] {
            assert!(filters(sql).split(' ').any(|name| name == "email"), "{sql}: {}", filters(sql));
        }
    }

    #[test]
    fn what_is_only_read_does_not() {
        for (sql, expected) in [
            ("SELECT email FROM users WHERE id = 1", "id"),
            ("SELECT q.email FROM (SELECT id, email FROM users) q WHERE q.id = 1", "id"),
            ("WITH q AS (SELECT id, email FROM users) SELECT email FROM q WHERE id = 1", "id"),
            ("SELECT mail FROM v WHERE id = 1", "id"),
            ("SELECT email, (SELECT name FROM cities WHERE id = 1) FROM users", ""),
            ("SELECT email FROM users UNION ALL SELECT name FROM cities", ""),
            ("SELECT id, email FROM users ORDER BY 1", "id"),
        ] {
            assert_eq!(filters(sql), expected, "{sql}");
        }
    }
}
