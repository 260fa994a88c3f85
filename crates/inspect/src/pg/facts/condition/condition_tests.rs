//! Which conditions depend on the row.

use pg_query::NodeEnum;

use super::is_constant;

fn constant(condition: &str) -> bool {
    let sql = format!("DELETE FROM t WHERE {condition}");
    let parsed = pg_query::parse(&sql, 0).unwrap_or_else(|error| panic!("{sql}: {error}")).protobuf;
    let Some(NodeEnum::DeleteStmt(delete)) = &parsed.stmts[0].stmt.as_ref().unwrap().node else {
        panic!("{sql}")
    };
    is_constant(delete.where_clause.as_ref().unwrap().node.as_ref().unwrap()).unwrap()
}

#[test]
fn what_does_not_depend_on_the_row_is_constant() {
    for condition in include_str!("constant.txt").lines() {
        assert!(constant(condition), "{condition}");
    }
}

#[test]
fn what_depends_on_the_row_is_not() {
    for condition in include_str!("depends.txt").lines() {
        assert!(!constant(condition), "{condition}");
    }
}
