//! Single values in each type and format.

use super::*;

fn column(treatment: Treatment, type_oid: u32, binary: bool) -> ColumnPlan {
    ColumnPlan { treatment, type_oid, shape: Shape::of(type_oid), longest: None, binary, name: "x".into() }
}

fn labelled_as(operator: Operator, type_oid: u32, binary: bool, value: &[u8]) -> Option<Change> {
    mask(
        &column(Treatment::Label { label: "l".into(), operator }, type_oid, binary),
        value,
        &Means::default(),
    )
}

fn looked_at(type_oid: u32, binary: bool, value: &[u8]) -> Option<Change> {
    mask(&column(Treatment::Look, type_oid, binary), value, &Means::default())
}

fn bytes(text: impl AsRef<[u8]>) -> Option<Change> {
    Some(Change::Bytes(text.as_ref().to_vec()))
}

#[test]
fn labelled_text_is_marked_and_every_other_type_is_null() {
    for type_oid in [25, 1043, 1042, 19, 705] {
        for binary in [false, true] {
            assert_eq!(labelled_as(Operator::Redact, type_oid, binary, b"alice"), bytes("‹l›"));
        }
    }
    // int4, date, bytea, xml, text[], uuid, inet, record, an extension's type
    for type_oid in [23, 1082, 17, 142, 1009, 2950, 869, 2249, 16_500] {
        for binary in [false, true] {
            for operator in [Operator::Redact, Operator::Constant("c".into()), Operator::Partial] {
                let masked = labelled_as(operator, type_oid, binary, b"1234567890");
                assert!(matches!(masked, Some(Change::Null | Change::Unread)), "{type_oid}");
            }
        }
    }
}

#[test]
fn labelled_json_is_masked_leaf_by_leaf_in_both_formats() {
    let json = br#"{"a": ["secret", 17, null]}"#;
    let masked = r#"{"a": ["‹l›", null, null]}"#;
    assert_eq!(labelled_as(Operator::Redact, 114, false, json), bytes(masked));
    assert_eq!(labelled_as(Operator::Redact, 3802, false, json), bytes(masked));
    let with_version = [b"\x01".as_slice(), json].concat();
    let expected = [b"\x01".as_slice(), masked.as_bytes()].concat();
    assert_eq!(labelled_as(Operator::Redact, 3802, true, &with_version), bytes(expected));
    assert_eq!(labelled_as(Operator::Redact, 3802, true, json), Some(Change::Unread), "another version");
    assert_eq!(labelled_as(Operator::Null, 114, false, json), Some(Change::Null));
}

#[test]
fn what_is_not_utf8_keeps_nothing_of_itself() {
    assert_eq!(labelled_as(Operator::Partial, 25, false, b"abcdefgh\xff1234"), bytes("‹l›"));
    assert_eq!(labelled_as(Operator::Redact, 114, false, b"\"\xff\""), Some(Change::Null));
    assert_eq!(looked_at(25, false, b"\xe9 alice@example.com"), Some(Change::Null));
    assert_eq!(looked_at(25, false, b"caf\xe9"), None);
}

#[test]
fn findings_in_unlabelled_text_and_json_are_replaced_where_they_stand() {
    assert_eq!(looked_at(25, true, b"to alice@example.com!"), bytes("to ‹EMAIL_ADDRESS›!"));
    assert_eq!(looked_at(114, false, br#"{"to":"alice@example.com"}"#), bytes(r#"{"to":"‹EMAIL_ADDRESS›"}"#));
    let jsonb = [b"\x01".as_slice(), br#"["alice@example.com"]"#].concat();
    assert_eq!(
        looked_at(3802, true, &jsonb),
        bytes([b"\x01".as_slice(), "[\"‹EMAIL_ADDRESS›\"]".as_bytes()].concat())
    );
    assert_eq!(looked_at(25, false, b"nothing"), None);
}

#[test]
fn findings_where_no_text_may_stand_withhold_the_value() {
    assert_eq!(looked_at(142, false, b"<to>alice@example.com</to>"), Some(Change::Null), "xml");
    assert_eq!(looked_at(17, false, b"\\x616c696365406578616d706c652e636f6d"), Some(Change::Null), "bytea");
    assert_eq!(looked_at(17, true, b"\x00\x01alice@example.com\x00"), Some(Change::Null), "bytea, binary");
    assert_eq!(looked_at(2249, false, b"(1,alice@example.com)"), Some(Change::Null), "record");
    assert_eq!(looked_at(16_500, true, b"alice@example.com"), Some(Change::Null), "citext and its like");
    assert_eq!(looked_at(869, false, b"203.0.113.7/32"), Some(Change::Null), "inet");
    assert_eq!(looked_at(869, true, &[2, 32, 0, 4, 203, 0, 113, 7]), Some(Change::Null), "inet, binary");
    assert_eq!(looked_at(17, true, &[0xff; 40]), None);
    assert_eq!(looked_at(2249, false, b"(1,shipped)"), None);
}

#[test]
fn a_binary_record_is_read_run_by_run() {
    // record_send: count, then type, length and bytes of each; the length's last byte is the digit '0'.
    let text = b"4111111111111111 is the number and more text....";
    assert_eq!(text.len(), usize::from(b'0'));
    let mut record = vec![0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, b'0'];
    record.extend_from_slice(text);
    assert_eq!(looked_at(2249, true, &record), Some(Change::Null));
}

#[test]
fn card_numbers_in_number_columns_are_withheld() {
    let card = ColumnPlan { name: "card_number".into(), ..column(Treatment::Look, 20, false) };
    assert_eq!(mask(&card, b"4111111111111111", &Means::default()), Some(Change::Null));
    assert_eq!(mask(&card, b"4111111111111112", &Means::default()), None);
    let card = ColumnPlan { binary: true, ..card };
    assert_eq!(mask(&card, &4_111_111_111_111_111_i64.to_be_bytes(), &Means::default()), Some(Change::Null));
    assert_eq!(mask(&card, &17_i64.to_be_bytes(), &Means::default()), None);
}

fn pseudonymised(type_oid: u32, binary: bool, value: &[u8]) -> Option<Change> {
    let operator = Operator::FirstOf(vec![Operator::Pseudonym { scope: None }, Operator::Null]);
    let means = Means { key: Some(sallyport_core::Secret::new(b"key".to_vec())), ..Means::default() };
    let column = column(Treatment::Label { label: "l".into(), operator }, type_oid, binary);
    mask(&column, value, &means)
}

#[test]
fn pseudonyms_keep_the_type_and_are_the_same_in_both_formats() {
    for (type_oid, value) in [
        (23, "123456"),
        (20, "4111111111111111"),
        (1700, "1234.50"),
        (1082, "1984-05-06"),
        (1114, "2024-05-06 07:08:09.25"),
        (1184, "2024-05-06 07:08:09+00"),
        (2950, "0188a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
        (869, "203.0.113.7"),
    ] {
        let Some(Change::Bytes(text)) = pseudonymised(type_oid, false, value.as_bytes()) else {
            panic!("{type_oid} has no pseudonym");
        };
        let text = String::from_utf8(text).unwrap();
        assert_ne!(text, value);
        let binary = typed::to_binary(type_oid, value).unwrap();
        let Some(Change::Bytes(masked)) = pseudonymised(type_oid, true, &binary) else {
            panic!("{type_oid} has no pseudonym in binary");
        };
        assert_eq!(masked.len(), binary.len(), "{type_oid}");
        assert_eq!(typed::to_text(type_oid, &masked), Some(text), "{type_oid}");
    }
    for type_oid in [16, 17, 142, 701, 2249, 16_500] {
        assert_eq!(pseudonymised(type_oid, false, b"t"), Some(Change::Null), "{type_oid}");
    }
}

#[test]
fn arrays_are_masked_element_by_element_where_the_operator_keeps_something() {
    let Some(Change::Bytes(text)) = pseudonymised(1007, false, b"{12345,NULL,67890}") else { panic!() };
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(",NULL,") && !text.contains("12345") && !text.contains("67890"), "{text}");
    let Some(Change::Bytes(words)) = pseudonymised(1009, false, b"{alice,\"bob, b\"}") else { panic!() };
    assert!(!String::from_utf8(words).unwrap().contains("alice"));
    assert_eq!(pseudonymised(1000, false, b"{t,f}"), bytes("{NULL,NULL}"), "no pseudonym of a truth value");
    assert_eq!(pseudonymised(1007, false, b"{}"), bytes("{}"));
    assert_eq!(pseudonymised(1007, false, b"12345"), Some(Change::Unread));
    assert_eq!(labelled_as(Operator::Redact, 1009, false, b"{alice}"), Some(Change::Null));
}

#[test]
fn what_stands_for_a_value_fits_the_column() {
    let narrow = |longest: usize, treatment: Treatment| {
        let column = ColumnPlan { longest: Some(longest), ..column(treatment, 1043, false) };
        mask(&column, b"alice", &Means::default())
    };
    let label = || Treatment::Label { label: "pii.email".into(), operator: Operator::Redact };
    assert_eq!(narrow(11, label()), bytes("‹pii.email›"));
    assert_eq!(narrow(6, label()), bytes("‹pii.›"));
    assert_eq!(narrow(1, label()), bytes("‹"));
    assert_eq!(narrow(6, Treatment::Whole(Some("‹unsettled›".into()))), bytes("‹unse›"));
}

#[test]
fn numbers_and_days_are_withheld_where_the_name_says_whose_they_are() {
    for (name, type_oid, value, found) in [
        ("ssn", 23, "536904399", true),
        ("ssn", 20, "536904399", true),
        ("ssn", 20, "17", false),
        ("card_number", 1700, "4111111111111111", true),
        ("date_of_birth", 1082, "1984-05-06", true),
        ("shipped", 1082, "1984-05-06", false),
    ] {
        for binary in [false, true] {
            let column = ColumnPlan { name: name.into(), ..column(Treatment::Look, type_oid, binary) };
            let value =
                if binary { typed::to_binary(type_oid, value).unwrap() } else { value.as_bytes().to_vec() };
            let expected = found.then_some(Change::Null);
            assert_eq!(mask(&column, &value, &Means::default()), expected, "{name} {type_oid} {binary}");
        }
    }
}

#[test]
fn a_secret_s_column_is_read_in_types_that_take_no_text() {
    let column = ColumnPlan { name: "password".into(), ..column(Treatment::Look, 17, true) };
    assert_eq!(mask(&column, b"hunter", &Means::default()), Some(Change::Null));
}

#[test]
fn what_cannot_be_read_is_told_from_what_is_masked() {
    let long = "x ".repeat(600_000);
    assert!(looked_at(25, false, long.as_bytes()).unwrap().is_unread());
    assert!(looked_at(1009, false, b"alice@example.com").unwrap().is_unread());
    assert!(!looked_at(25, false, b"alice@example.com").unwrap().is_unread());
    assert!(!looked_at(869, false, b"203.0.113.7").unwrap().is_unread());
}
