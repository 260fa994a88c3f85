//! Single values in each type and format.

use super::*;

fn column(treatment: Treatment, type_oid: u32, binary: bool) -> ColumnPlan {
    ColumnPlan { treatment, shape: Shape::of(type_oid), binary, name: "x".into() }
}

fn labelled_as(operator: Operator, type_oid: u32, binary: bool, value: &[u8]) -> Option<Change> {
    mask(&column(Treatment::Label { label: "l".into(), operator }, type_oid, binary), value, None)
}

fn looked_at(type_oid: u32, binary: bool, value: &[u8]) -> Option<Change> {
    mask(&column(Treatment::Look, type_oid, binary), value, None)
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
                assert_eq!(labelled_as(operator, type_oid, binary, b"1234567890"), Some(Change::Null));
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
    assert_eq!(labelled_as(Operator::Redact, 3802, true, json), Some(Change::Null), "another version");
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
    assert_eq!(mask(&card, b"4111111111111111", None), Some(Change::Null));
    assert_eq!(mask(&card, b"4111111111111112", None), None);
    let card = ColumnPlan { binary: true, ..card };
    assert_eq!(mask(&card, &4_111_111_111_111_111_i64.to_be_bytes(), None), Some(Change::Null));
    assert_eq!(mask(&card, &17_i64.to_be_bytes(), None), None);
}
