//! The case files: a line of SQL, then a line that says what each output column comes from.

use super::super::catalog::{Catalog, CatalogFunction};
use super::shop::{ask, catalog, shown};

/// The file as it would be if every answer in it were right.
fn answered(file: &str, catalog: Option<&Catalog>, path: &[&str]) -> String {
    file.lines()
        .filter(|line| !line.starts_with("    "))
        .map(|line| match line {
            "" => "\n".to_owned(),
            line if line.starts_with('#') => format!("{line}\n"),
            line => format!("{line}\n    {}\n", shown(&ask(line, catalog, path))),
        })
        .collect()
}

fn assert_holds(file: &str, catalog: Option<&Catalog>, path: &[&str]) {
    let answers = answered(file, catalog, path);
    let wrong: Vec<String> = file
        .lines()
        .zip(answers.lines())
        .filter(|(expected, got)| expected != got)
        .map(|(expected, got)| format!("expected {expected}\n     got {got}"))
        .collect();
    assert!(wrong.is_empty() && file.lines().count() == answers.lines().count(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_with_a_catalog_holds() {
    let catalog = catalog();
    for file in [
        include_str!("cases/queries.txt"),
        include_str!("cases/expressions.txt"),
        include_str!("cases/writes.txt"),
        include_str!("cases/rest.txt"),
    ] {
        assert_holds(file, Some(&catalog), &["public"]);
    }
}

#[test]
fn every_case_without_a_catalog_holds() {
    assert_holds(include_str!("cases/no_catalog.txt"), None, &["public"]);
}

fn asked(text: &str, path: &[&str]) -> String {
    shown(&ask(text, Some(&catalog()), path))
}

#[test]
fn the_search_path_decides_which_relation_a_name_means() {
    assert_eq!(asked("select * from users", &["odd", "public"]), "id=odd.users.id | colour=odd.users.colour");
    assert_eq!(asked("select ssn from users", &["public", "odd"]), "ssn=users.ssn");
    assert_eq!(asked("select ssn from users", &[]), "ssn=?");
    assert_eq!(asked("select email from v_users", &["public"]), "email=?");
    // Views are read with the path they were written out for, not with the caller's.
    assert_eq!(asked("select mail from public.v_users", &["odd"]), "mail=users.email");
}

#[test]
fn a_name_in_one_of_several_schemas_counts_for_all_of_them_without_a_catalog() {
    let answer = |text| shown(&ask(text, None, &["a", "public"]));
    assert_eq!(answer("select ssn from users"), "ssn={a.users.ssn, users.ssn}");
    assert_eq!(answer("select ssn from public.users"), "ssn=users.ssn");
    assert_eq!(answer("select ssn from pg_x"), "ssn={a.pg_x.ssn, pg_catalog.pg_x.ssn, pg_x.ssn}");
}

#[test]
fn functions_and_operators_of_the_path_take_over_the_servers_own() {
    let mine = Catalog::new(
        catalog().relations().cloned().collect(),
        vec![CatalogFunction { schema: "mine".into(), name: "lower".into() }],
        vec![("mine".into(), "=".into()), ("mine".into(), "<=".into())],
        1,
    );
    let answer = |text, path: &[&str]| shown(&ask(text, Some(&mine), path));
    assert_eq!(answer("select lower(email) from users", &["public"]), "lower={users.email}");
    for text in [
        "select lower(id::text) from users",
        "select id = 1 from users",
        "select case id when 1 then 2 end from users",
        "select id in (select 1) from users",
        "select id between 1 and 2 from users",
        "select nullif(id, 1) from users",
    ] {
        assert!(answer(text, &["public", "mine"]).ends_with("=?"), "{text}");
        assert!(!answer(text, &["public"]).ends_with("=?"), "{text}");
    }
    assert_eq!(
        answer("select pg_catalog.lower(email) from users", &["mine", "public"]),
        "lower={users.email}"
    );
}
