//! Rows as the wire has them.

use proptest::prelude::*;

use super::super::plan::tests::{field, from, lineage, made_of, with_context};
use super::super::plan::{Field, UNSETTLED};
use super::*;

fn body(values: &[Option<&[u8]>]) -> Vec<u8> {
    let mut out = BytesMut::new();
    out.put_i16(i16::try_from(values.len()).unwrap());
    for value in values {
        let change = value.map_or(Change::Null, |bytes| Change::Bytes(bytes.to_vec()));
        put_value(&mut out, &change).unwrap();
    }
    out.to_vec()
}

fn users_plan() -> RowPlan {
    with_context(&[], |context| {
        let origins =
            vec![from("users", "id"), from("users", "email"), from("users", "card"), from("users", "note")];
        RowPlan::new(&lineage(origins), &[field(23), field(25), field(25), field(25)], context)
    })
}

fn masked(plan: &RowPlan, values: &[Option<&[u8]>]) -> (RowOutcome, Vec<u8>) {
    let mut out = BytesMut::from(&b"before"[..]);
    let outcome = plan.mask_row(&body(values), &mut out).unwrap();
    assert_eq!(&out[..6], b"before", "what was there stays");
    (outcome, out[6..].to_vec())
}

#[test]
fn labelled_values_and_findings_are_replaced_and_the_rest_stays() {
    let (outcome, new) = masked(
        &users_plan(),
        &[Some(b"7"), Some(b"alice"), Some(b"4111111111111111"), Some(b"call bob@example.org")],
    );
    assert_eq!(outcome, RowOutcome { changed: true, masked: 3, unread: 0 });
    assert_eq!(
        new,
        body(&[
            Some(b"7"),
            Some("‹pii.email›".as_bytes()),
            Some("‹pii.card …1111›".as_bytes()),
            Some("call ‹EMAIL_ADDRESS›".as_bytes())
        ])
    );
}

#[test]
fn a_row_that_stays_writes_nothing() {
    let (outcome, new) = masked(&users_plan(), &[Some(b"7"), None, None, Some(b"quiet")]);
    assert_eq!(outcome, RowOutcome { changed: false, masked: 0, unread: 0 });
    assert!(new.is_empty());
}

#[test]
fn an_operator_that_says_null_gives_null() {
    let plan = with_context(&[], |context| {
        RowPlan::new(&lineage(vec![from("users", "gone")]), &[field(25)], context)
    });
    assert_eq!(masked(&plan, &[Some(b"x")]).1, body(&[None]));
}

#[test]
fn every_dressing_of_a_labelled_value_is_masked() {
    let email = || made_of(&[("users", "email")]);
    let secret = b"alice@example.com".as_slice();
    // (what was written, origin, type, format)
    let dressings: Vec<(&str, sallyport_inspect::pg::Origin, u32, bool)> = vec![
        ("email AS x", from("users", "email"), 25, false),
        ("email, binary", from("users", "email"), 25, true),
        ("substr(email, 1, 3)", email(), 25, false),
        ("'<' || email || '>'", email(), 25, false),
        ("email::bytea", email(), 17, false),
        ("email::bytea, binary", email(), 17, true),
        ("to_json(email)", email(), 114, false),
        ("to_jsonb(email), binary", email(), 3802, true),
        ("xmlelement(name e, email)", email(), 142, false),
        ("row_to_json(users)", email(), 114, false),
        ("users (whole row)", email(), 2249, false),
        ("ROW(email), binary", email(), 2249, true),
        ("array_agg(email)", email(), 1009, false),
        ("array_agg(email), binary", email(), 1009, true),
        ("encode(email::bytea, 'base64')", email(), 25, false),
        ("length(email)", email(), 23, false),
        ("f(email)", sallyport_inspect::pg::Origin::Unsettled, 25, false),
        ("an extension's type", from("users", "email"), 16_500, false),
    ];
    for (dressing, origin, type_oid, binary) in dressings {
        let fields = [Field { binary, ..field(type_oid) }];
        let plan = with_context(&[], |context| RowPlan::new(&lineage(vec![origin]), &fields, context));
        for value in [secret, b"", b"anything at all", b"\x00\x01\xff"] {
            let (outcome, new) = masked(&plan, &[Some(value)]);
            assert!(outcome.changed, "{dressing}");
            let marks = [
                body(&[None]),
                body(&[Some("‹pii.email›".as_bytes())]),
                body(&[Some("‹unsettled›".as_bytes())]),
            ];
            assert!(marks.contains(&new), "{dressing}: {new:?}");
        }
    }
    assert_eq!(UNSETTLED, "unsettled");
}

#[test]
fn values_that_cannot_be_read_are_withheld_and_counted() {
    let long = "x ".repeat(600_000);
    for (type_oid, binary, value) in [
        (25, false, long.as_bytes()),
        (1009, false, b"not an array, alice@example.com".as_slice()),
        (1009, true, b"\x01 alice@example.com"),
        (3802, true, b"\x02{}"),
    ] {
        let fields = [Field { binary, ..field(type_oid) }];
        let plan = with_context(&[], |context| {
            RowPlan::new(&lineage(vec![from("users", "note")]), &fields, context)
        });
        let (outcome, new) = masked(&plan, &[Some(value)]);
        assert_eq!(outcome, RowOutcome { changed: true, masked: 1, unread: 1 }, "{type_oid}");
        assert!(new.len() < 40, "{type_oid}");
    }
}

#[test]
fn a_row_that_does_not_read_is_a_fault_and_writes_nothing() {
    let good = body(&[Some(b"7"), Some(b"a"), Some(b"b"), Some(b"c")]);
    let mut rows: Vec<Vec<u8>> = (0..good.len()).map(|cut| good[..cut].to_vec()).collect();
    rows.push([good.as_slice(), b"x"].concat());
    rows.push(body(&[Some(b"7"), Some(b"a"), Some(b"b")]));
    rows.push(body(&[Some(b"7"), Some(b"a"), Some(b"b"), Some(b"c"), Some(b"alice@example.com")]));
    for row in rows {
        let mut out = BytesMut::from(&b"before"[..]);
        assert_eq!(users_plan().mask_row(&row, &mut out), Err(MaskFault::Malformed));
        assert_eq!(&out[..], b"before");
    }
}

#[test]
fn a_row_over_the_limit_is_a_fault() {
    let long = vec![b'x'; ROW_LIMIT_BYTES];
    let row = body(&[Some(b"7"), None, None, Some(&long)]);
    assert_eq!(users_plan().mask_row(&row, &mut BytesMut::new()), Err(MaskFault::TooLarge));
}

proptest! {
    #[test]
    fn random_bytes_never_pass_as_a_changed_row_that_does_not_read(row in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut out = BytesMut::new();
        let result = users_plan().mask_row(&row, &mut out);
        prop_assert!(result.is_ok_and(|outcome| outcome.changed) != out.is_empty());
    }

    #[test]
    fn changed_rows_read_as_rows_and_hold_no_labelled_value(
        values in proptest::collection::vec(proptest::option::of("[a-z@. 0-9é]{0,30}"), 4),
        types in proptest::collection::vec(prop_oneof![Just(25u32), Just(114), Just(3802), Just(1009), Just(17), Just(2249), Just(20), Just(869)], 4),
        binary in any::<bool>(),
    ) {
        let fields: Vec<Field> = types.iter().map(|type_oid| Field { binary, ..field(*type_oid) }).collect();
        let origins = vec![from("users", "note"), from("users", "email"), made_of(&[("users", "card")]), from("users", "note")];
        let plan = with_context(&[], |context| RowPlan::new(&lineage(origins), &fields, context));
        let row: Vec<Option<&[u8]>> = values.iter().map(|value| value.as_deref().map(str::as_bytes)).collect();
        let mut out = BytesMut::new();
        let outcome = plan.mask_row(&body(&row), &mut out).unwrap();
        if outcome.changed {
            let mut cursor = Cursor::new(&out);
            prop_assert_eq!(cursor.i16(), Some(4));
            for (index, old) in row.iter().enumerate() {
                let new = cursor.value().unwrap();
                prop_assert!(old.is_some() || new.is_none(), "NULL stays NULL");
                if let (1 | 2, Some(old), Some(new)) = (index, old, new) {
                    prop_assert!(old.len() < 3 || *old != new);
                }
            }
            prop_assert!(cursor.is_empty());
        } else {
            prop_assert!(out.is_empty() && row[1].is_none() && row[2].is_none());
        }
    }
}
