//! Which treatment a column gets: each rule has a test that fails without it.

use std::collections::BTreeSet;

use sallyport_inspect::pg::{CatalogColumn, CatalogRelation, OutputColumn};

use super::*;

pub(in super::super) const LABELS: &str = "
[[label]]
name = 'pii.email'
columns = ['*/*/public.users.email', '*/*/public.parent.email', '*/*/public.part.email']
[[label]]
name = 'pii.card'
columns = ['*/*/public.users.card']
operator = 'partial'
[[label]]
name = 'pii.profile'
columns = ['*/*/public.users.profile', '*/*/public.users.profileb', '*/*/public.users.born', '*/*/public.users.tags']
[[label]]
name = 'pii.gone'
columns = ['*/*/public.users.gone']
operator = 'null'
";

fn relation(
    oid: u32,
    name: &str,
    kind: RelationKind,
    columns: &[(&str, u32)],
    parents: &[&str],
) -> CatalogRelation {
    CatalogRelation {
        oid,
        schema: "public".into(),
        name: name.into(),
        kind,
        columns: columns
            .iter()
            .zip(1..)
            .map(|((name, type_id), number)| CatalogColumn {
                number,
                name: (*name).into(),
                type_id: *type_id,
            })
            .collect(),
        definition: None,
        parents: parents.iter().map(|parent| ("public".to_owned(), (*parent).to_owned())).collect(),
    }
}

pub(in super::super) fn catalog() -> Catalog {
    let users = [
        ("id", 23),
        ("email", 25),
        ("card", 25),
        ("profile", 114),
        ("profileb", 3802),
        ("born", 1082),
        ("tags", 1009),
        ("note", 25),
        ("gone", 25),
        ("password", 25),
    ];
    Catalog::new(
        vec![
            relation(20_000, "users", RelationKind::Table, &users, &[]),
            relation(20_001, "users_view", RelationKind::View, &[("email", 25), ("who", 25)], &[]),
            relation(20_002, "orders", RelationKind::Table, &[("id", 23), ("email", 25)], &[]),
            relation(20_003, "parent", RelationKind::Table, &[("email", 25)], &[]),
            relation(20_004, "child", RelationKind::Table, &[("email", 25)], &["parent"]),
            relation(20_005, "whole", RelationKind::Table, &[("email", 25)], &[]),
            relation(20_006, "part", RelationKind::Table, &[("email", 25)], &["whole"]),
        ],
        vec![],
        vec![],
        1,
    )
}

pub(in super::super) fn base(relation: &str, column: &str) -> BaseColumn {
    BaseColumn { schema: "public".into(), relation: relation.into(), column: column.into() }
}

pub(in super::super) fn from(relation: &str, column: &str) -> Origin {
    Origin::Column(base(relation, column))
}

pub(in super::super) fn made_of(columns: &[(&str, &str)]) -> Origin {
    Origin::Expression(
        columns.iter().map(|(relation, column)| base(relation, column)).collect::<BTreeSet<_>>(),
    )
}

pub(in super::super) fn lineage(origins: Vec<Origin>) -> Lineage {
    Lineage::Columns(origins.into_iter().map(|origin| OutputColumn { name: None, origin }).collect())
}

pub(in super::super) fn field(type_oid: u32) -> Field {
    Field { name: b"x".to_vec(), table_oid: 0, column_number: 0, type_oid, type_modifier: -1, binary: false }
}

/// Runs with a context in which the labels named are revealed.
pub(in super::super) fn with_context<T>(revealed: &[&str], with: impl FnOnce(&MaskContext<'_>) -> T) -> T {
    let labels = Labels::parse(LABELS).unwrap();
    let catalog = catalog();
    let reveals = |label: &str, _: &BaseColumn| revealed.contains(&label);
    with(&MaskContext {
        target: "t",
        database: "d",
        catalog: Some(&catalog),
        labels: &labels,
        reveals: &reveals,
        handed_out: &Arc::default(),
    })
}

fn treatment(origin: Origin, field: Field, revealed: &[&str]) -> Treatment {
    with_context(revealed, |context| {
        RowPlan::new(&lineage(vec![origin]), &[field], context).columns[0].treatment.clone()
    })
}

fn named(table_oid: u32, column_number: i16, type_oid: u32) -> Field {
    Field { table_oid, column_number, ..field(type_oid) }
}

fn email() -> Treatment {
    Treatment::Label { label: "pii.email".into(), operator: Operator::Redact }
}

fn text(text: &str) -> Treatment {
    Treatment::Whole(Some(text.into()))
}

#[test]
fn a_labelled_column_is_masked_unless_its_label_is_revealed() {
    assert_eq!(treatment(from("users", "email"), field(25), &[]), email());
    assert_eq!(treatment(from("users", "email"), field(25), &["pii.card"]), email());
    assert_eq!(treatment(from("users", "email"), field(25), &["pii.email"]), Treatment::Pass);
    assert_eq!(treatment(from("users", "note"), field(25), &[]), Treatment::Look);
    assert_eq!(treatment(from("users", "id"), field(23), &[]), Treatment::Pass);
}

#[test]
fn an_expression_over_a_labelled_column_is_masked_whole() {
    let mixed = || made_of(&[("users", "note"), ("users", "email")]);
    assert_eq!(treatment(mixed(), field(25), &[]), text("‹pii.email›"));
    assert_eq!(treatment(mixed(), field(23), &[]), Treatment::Whole(None));
    assert_eq!(treatment(made_of(&[("users", "email")]), field(17), &[]), Treatment::Whole(None), "bytea");
    assert_eq!(treatment(made_of(&[("users", "email")]), field(114), &[]), Treatment::Whole(None), "json");
    // A partial operator on a computed value would keep a part that somebody chose.
    assert_eq!(treatment(made_of(&[("users", "card")]), field(25), &[]), text("‹pii.card›"));
    assert_eq!(treatment(made_of(&[("users", "note")]), field(25), &[]), Treatment::Look);
    assert_eq!(
        treatment(mixed(), field(25), &["pii.email"]),
        Treatment::Look,
        "the other source is unlabelled"
    );
    assert_eq!(treatment(made_of(&[("users", "email")]), field(25), &["pii.email"]), Treatment::Pass);
}

#[test]
fn what_is_unsettled_counts_as_labelled_and_may_be_revealed_by_name() {
    assert_eq!(treatment(Origin::Unsettled, field(25), &[]), text("‹unsettled›"));
    assert_eq!(treatment(Origin::Unsettled, field(23), &[]), Treatment::Whole(None));
    assert_eq!(treatment(Origin::Unsettled, field(25), &["unsettled"]), Treatment::Look);
}

#[test]
fn a_result_with_other_columns_than_its_lineage_is_unsettled() {
    with_context(&[], |context| {
        for lineage in [
            Lineage::Unsettled,
            lineage(vec![from("users", "id")]),
            lineage(vec![from("users", "id"), from("users", "id"), from("users", "id")]),
        ] {
            let plan = RowPlan::new(&lineage, &[field(23), field(25)], context);
            assert_eq!(plan.withheld_columns(), 2, "{lineage:?}");
            assert!(plan.labelled() && !plan.passes_untouched());
        }
    });
}

#[test]
fn a_label_that_only_the_row_description_brings_counts() {
    assert_eq!(treatment(made_of(&[]), named(20_000, 2, 25), &[]), text("‹pii.email›"));
    // users_view.email itself is not labelled, but the base is.
    assert_eq!(treatment(from("users", "email"), named(20_001, 1, 25), &[]), email());
}

#[test]
fn a_row_description_that_contradicts_lineage_unsettles() {
    let unsettled = text("‹unsettled›");
    assert_eq!(treatment(from("orders", "email"), named(20_000, 2, 25), &[]), unsettled, "another relation");
    assert_eq!(treatment(from("users", "note"), named(20_000, 2, 25), &[]), unsettled, "another column");
    assert_eq!(treatment(from("users", "note"), named(20_000, 77, 25), &[]), unsettled, "no such column");
    assert_eq!(treatment(from("users", "note"), named(30_000, 1, 25), &[]), unsettled, "a stranger");
    assert_eq!(treatment(from("users", "note"), named(20_000, 8, 25), &[]), Treatment::Look, "they agree");
    assert_eq!(
        treatment(from("users", "note"), named(20_001, 2, 25), &[]),
        Treatment::Look,
        "through a view"
    );
}

#[test]
fn what_is_revealed_passes_through_a_view_too() {
    assert_eq!(treatment(from("users", "email"), named(20_001, 1, 25), &["pii.email"]), Treatment::Pass);
}

#[test]
fn a_whole_row_carries_the_labels_of_every_column() {
    assert_eq!(treatment(made_of(&[]), named(20_000, 0, 2249), &[]), Treatment::Whole(None));
    assert_eq!(treatment(made_of(&[("orders", "id")]), named(20_002, 0, 2249), &[]), Treatment::Look);
    assert_eq!(treatment(from("users", "note"), named(20_000, 0, 25), &[]), text("‹unsettled›"));
}

#[test]
fn labels_hold_along_inheritance_both_ways() {
    assert_eq!(treatment(from("child", "email"), field(25), &[]), email(), "the parent is labelled");
    assert_eq!(treatment(from("whole", "email"), field(25), &[]), email(), "a child is labelled");
    assert_eq!(treatment(from("orders", "email"), field(25), &[]), Treatment::Look);
}

#[test]
fn catalogs_that_hold_values_are_labelled() {
    let origin = Origin::Column(BaseColumn {
        schema: "pg_catalog".into(),
        relation: "pg_stats".into(),
        column: "most_common_vals".into(),
    });
    assert_eq!(
        treatment(origin, named(2_619, 1, 2277), &[]),
        Treatment::Label { label: "catalog.values".into(), operator: Operator::Redact }
    );
}

#[test]
fn a_plan_without_anything_to_look_at_passes_untouched() {
    with_context(&[], |context| {
        let plan =
            RowPlan::new(&lineage(vec![from("users", "id"), made_of(&[])]), &[field(23), field(20)], context);
        assert!(plan.passes_untouched() && !plan.labelled());
        let plan = RowPlan::new(&lineage(vec![from("users", "note")]), &[field(25)], context);
        assert!(!plan.passes_untouched() && !plan.labelled());
    });
}

#[test]
fn numbers_and_days_are_looked_at_only_where_the_name_says_whose_they_are() {
    let of = |type_oid: u32, name: &str| {
        let field = Field { name: name.as_bytes().to_vec(), ..field(type_oid) };
        treatment(made_of(&[]), field, &[])
    };
    for (type_oid, name) in [
        (20, "card_number"),
        (20, "ssn"),
        (23, "ssn"),
        (1700, "phone"),
        (1082, "date_of_birth"),
        (1007, "ssns"),
        (23, "password"),
    ] {
        assert_eq!(of(type_oid, name), Treatment::Look, "{name}");
    }
    for (type_oid, name) in
        [(20, "id"), (23, "order_number"), (1082, "shipped"), (1007, "parts"), (21, "ssn")]
    {
        assert_eq!(of(type_oid, name), Treatment::Pass, "{name}");
    }
}
