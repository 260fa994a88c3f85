//! Labels: what is covered, what is refused.

use super::*;

fn column<'a>(relation: &'a str, column: &'a str) -> ColumnRef<'a> {
    let (schema, relation) = relation.split_once('.').unwrap();
    ColumnRef { target: "shop-prod", database: "shop", schema, relation, column }
}

const FILE: &str = r#"
[[label]]
name = "pii.email"
columns = ["shop-prod/shop/public.users.email", "*/*/*.*.email"]
operator = "redact"

[[label]]
name = "pii.card"
columns = ["*/*/*.*.card"]
operator = "partial"

[[label]]
name = "pii"
columns = ["*/*/public.users.*"]
operator = "constant"
constant = "-"
"#;

#[test]
fn columns_carry_their_labels_in_order() {
    let labels = Labels::parse(FILE).unwrap();
    assert_eq!(labels.labels_of(column("public.users", "email")), ["pii", "pii.email"]);
    assert_eq!(labels.labels_of(column("public.orders", "email")), ["pii.email"]);
    assert_eq!(labels.labels_of(column("public.orders", "id")), Vec::<String>::new());
    assert_eq!(labels.labels_of(column("public.users", "\"Odd\"")), ["pii"]);
}

#[test]
fn a_star_asks_for_the_labels_of_every_column() {
    let labels = Labels::parse(FILE).unwrap();
    assert_eq!(labels.labels_of(column("public.orders", "*")), ["pii.card", "pii.email"]);
    assert_eq!(labels.labels_of(column("public.users", "*")), ["pii", "pii.card", "pii.email"]);
}

#[test]
fn a_remembered_answer_is_that_of_its_own_relation() {
    let labels = Labels::parse(FILE).unwrap();
    for _ in 0..3 {
        assert_eq!(labels.labels_of(column("public.users", "name")), ["pii"]);
        assert_eq!(labels.labels_of(column("public.user", "sname")), Vec::<String>::new());
    }
}

#[test]
fn catalogs_with_values_of_others_are_labelled_without_a_file() {
    for labels in [Labels::builtin(), Labels::parse("").unwrap(), Labels::parse(FILE).unwrap()] {
        for (relation, name) in [
            ("pg_catalog.pg_stats", "most_common_vals"),
            ("pg_catalog.pg_stats_ext_exprs", "most_common_vals"),
            ("pg_catalog.pg_statistic", "stavalues1"),
            ("pg_catalog.pg_statistic_ext_data", "stxdmcv"),
            ("pg_catalog.pg_stat_activity", "query"),
            ("public.pg_stat_statements", "query"),
            ("pg_catalog.pg_authid", "rolpassword"),
            ("pg_catalog.pg_shadow", "passwd"),
            ("pg_catalog.pg_user_mapping", "umoptions"),
            ("pg_catalog.pg_user_mappings", "umoptions"),
            ("pg_catalog.pg_subscription", "subconninfo"),
            ("pg_catalog.pg_largeobject", "data"),
        ] {
            assert_eq!(labels.labels_of(column(relation, name)), ["catalog.values"], "{relation}.{name}");
        }
        assert_eq!(labels.labels_of(column("pg_catalog.pg_stat_activity", "pid")), Vec::<String>::new());
        assert_eq!(labels.labels_of(column("pg_catalog.pg_class", "relname")), Vec::<String>::new());
    }
}

/// `\d table` of psql asks for it in a condition.
#[test]
fn definitions_of_extended_statistics_carry_no_label() {
    let labels = Labels::builtin();
    for name in ["stxrelid", "stxname", "stxkind", "stxexprs", "*"] {
        let found = labels.labels_of(column("pg_catalog.pg_statistic_ext", name));
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}

/// `\deu` of psql lists and orders the others.
#[test]
fn of_a_user_mapping_the_options_are_labelled_and_whatever_may_hold_them() {
    let labels = Labels::builtin();
    for relation in ["pg_catalog.pg_user_mapping", "pg_catalog.pg_user_mappings"] {
        for name in ["umoptions", "*"] {
            assert_eq!(labels.labels_of(column(relation, name)), ["catalog.values"], "{relation}.{name}");
        }
        for name in ["srvname", "usename", "umuser"] {
            assert_eq!(labels.labels_of(column(relation, name)), Vec::<String>::new(), "{relation}.{name}");
        }
    }
}

#[test]
fn operators_are_those_of_the_file() {
    let labels = Labels::parse(FILE).unwrap();
    assert_eq!(labels.operator("pii.card"), Operator::Partial);
    assert_eq!(labels.operator("pii"), Operator::Constant("-".to_owned()));
    assert_eq!(labels.operator("nobody.knows"), Operator::Redact);
    assert_eq!(labels.known().collect::<Vec<_>>(), ["catalog.values", "pii", "pii.card", "pii.email"]);
}

#[test]
fn what_cannot_act_is_an_error() {
    let label = |rest: &str| Labels::parse(&format!("[[label]]\n{rest}")).unwrap_err();
    assert!(matches!(label("name='a'\ncolumns=[]\nwhat=1"), LabelsError::Syntax(_)));
    assert!(matches!(Labels::parse("[labels]").unwrap_err(), LabelsError::Syntax(_)));
    assert!(matches!(label("name='a'"), LabelsError::Syntax(_)));
    assert!(matches!(label("name='A b'\ncolumns=[]"), LabelsError::Name(_)));
    assert!(matches!(label("name='catalog.values'\ncolumns=[]"), LabelsError::Twice(_)));
    assert!(matches!(label("name='a'\ncolumns=['users.email']"), LabelsError::Pattern { .. }));
    assert!(matches!(label("name='a'\ncolumns=[]\noperator='shred'"), LabelsError::Operator { .. }));
    assert!(matches!(label("name='a'\ncolumns=[]\noperator='constant'"), LabelsError::Operator { .. }));
    assert!(matches!(label("name='a'\ncolumns=[]\nconstant='x'"), LabelsError::Operator { .. }));
}

#[test]
fn operators_may_be_a_list_with_what_they_need() {
    let operator = |rest: &str| {
        let file = format!("[[label]]\nname='a'\ncolumns=[]\n{rest}");
        Labels::parse(&file).map(|labels| labels.operator("a"))
    };
    assert_eq!(
        operator("operator=['pseudonym','null']\nscope='people'").unwrap(),
        Operator::FirstOf(vec![Operator::Pseudonym { scope: Some("people".into()) }, Operator::Null])
    );
    assert_eq!(
        operator("operator='generalise'\nto='month'\nbucket=500").unwrap(),
        Operator::Generalise(Coarseness { month: true, bucket: Some(500) })
    );
    assert_eq!(operator("operator=['hash']").unwrap(), Operator::Hash);
    for wrong in [
        "operator=[]",
        "operator=['null','null']",
        "operator=['null','shred']",
        "operator='null'\nscope='people'",
        "operator='pseudonym'\nscope='Two words'",
        "operator='generalise'\nto='day'",
        "operator='generalise'\nbucket=0",
        "operator='null'\nbucket=5",
        "operator='null'\nto='year'",
        "operator=['pseudonym','constant']",
    ] {
        assert!(matches!(operator(wrong), Err(LabelsError::Operator { .. })), "{wrong}");
    }
}

#[test]
fn the_memory_of_relations_is_bounded() {
    let labels = Labels::builtin();
    for number in 0..(MOST_REMEMBERED * 2 + 5) {
        let relation = format!("t{number}");
        labels.labels_of(ColumnRef {
            target: "",
            database: "",
            schema: "s",
            relation: &relation,
            column: "c",
        });
    }
    assert!(labels.remembered.read().unwrap().len() <= MOST_REMEMBERED);
}
