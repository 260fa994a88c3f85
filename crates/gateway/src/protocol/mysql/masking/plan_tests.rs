//! Rows of both forms: what is masked, what stays, what does not read.

use super::*;

fn column(name: &str, kind: u8, collation: u16) -> Column {
    Column {
        schema: b"shop".to_vec(),
        table: b"users".to_vec(),
        org_table: b"users".to_vec(),
        name: name.into(),
        org_name: name.into(),
        collation,
        kind,
        flags: 0,
    }
}

fn label() -> Treatment {
    Treatment::Label { label: "pii.email".into(), operator: Operator::Redact }
}

fn columns() -> Vec<Column> {
    vec![
        column("id", kind::LONG, 63),
        column("email", kind::VAR_STRING, 45),
        column("note", kind::BLOB, 45),
        column("photo", kind::BLOB, 63),
        column("data", kind::JSON, 45),
        column("born", kind::DATE, 63),
    ]
}

fn plan(treatment: &Treatment) -> RowPlan {
    RowPlan::new(&columns(), vec![treatment.clone(); 6], None)
}

#[test]
fn labelled_values_are_masked_in_both_forms_and_all_types() {
    let text: Vec<Option<&[u8]>> =
        vec![Some(b"1"), Some(b"a@b.com"), Some(b"x"), Some(&[0, 255]), Some(br#"{"m":"x"}"#), None];
    let mut row = BytesMut::new();
    for value in &text {
        put_text_value(&mut row, *value);
    }
    let mut out = BytesMut::new();
    assert_eq!(plan(&label()).mask_row(&row, false, &mut out).unwrap(), Some(5));
    let mark = "‹pii.email›".as_bytes();
    let masked: Vec<Option<&[u8]>> =
        vec![None, Some(mark), Some(mark), None, Some("{\"m\":\"‹pii.email›\"}".as_bytes()), None];
    assert_eq!(text_values(&out, 6).unwrap(), masked);

    let kinds: Vec<u8> = columns().iter().map(|column| column.kind).collect();
    let binary: Vec<Option<&[u8]>> = vec![
        Some(&[1, 0, 0, 0]),
        Some(b"a@b.com"),
        Some(b"x"),
        Some(&[0, 255]),
        Some(br#"{"m":"x"}"#),
        Some(&[0xe4, 7, 1, 2]),
    ];
    let mut row = BytesMut::new();
    put_binary_row(&mut row, kinds.iter().copied().zip(binary));
    let mut out = BytesMut::new();
    assert_eq!(plan(&label()).mask_row(&row, true, &mut out).unwrap(), Some(6));
    assert_eq!(binary_values(&out, kinds.into_iter()).unwrap(), masked);
}

#[test]
fn what_no_label_covers_is_looked_at() {
    let looks = plan(&Treatment::Look);
    let mut row = BytesMut::new();
    for value in
        ["4", "to bob@example.com", "plain", "xx\0mail bob@example.com", "{\"m\":\"bob@example.com\"}"]
    {
        put_text_value(&mut row, Some(value.as_bytes()));
    }
    put_text_value(&mut row, Some(b"1990-01-02"));
    let mut out = BytesMut::new();
    assert_eq!(looks.mask_row(&row, false, &mut out).unwrap(), Some(3));
    let values = text_values(&out, 6).unwrap();
    assert_eq!(values[1], Some("to ‹EMAIL_ADDRESS›".as_bytes()));
    assert_eq!((values[0], values[2], values[3]), (Some(&b"4"[..]), Some(&b"plain"[..]), None));
    let mut clean = BytesMut::new();
    for _ in 0..6 {
        put_text_value(&mut clean, Some(b"1"));
    }
    assert_eq!(looks.mask_row(&clean, false, &mut BytesMut::new()).unwrap(), None);
}

#[test]
fn a_row_of_other_columns_is_refused() {
    let mut row = BytesMut::new();
    put_text_value(&mut row, Some(b"1"));
    assert!(plan(&label()).mask_row(&row, false, &mut BytesMut::new()).is_err());
    assert!(plan(&label()).mask_row(&[0, 0], true, &mut BytesMut::new()).is_err());
}

#[test]
fn attack_18_a_wide_character_set_hides_nothing() {
    let wide: Vec<u8> = b"bob@example.com".iter().flat_map(|byte| [0, *byte]).collect();
    let plan = RowPlan::new(&[column("note", kind::VAR_STRING, 54)], vec![Treatment::Look], None);
    let mut row = BytesMut::new();
    put_text_value(&mut row, Some(&wide));
    let mut out = BytesMut::new();
    assert_eq!(plan.mask_row(&row, false, &mut out).unwrap(), Some(1));
    assert_eq!(text_values(&out, 1).unwrap(), [None]);
}

#[test]
fn a_mark_reads_in_a_narrow_character_set() {
    let plan = RowPlan::new(&[column("email", kind::VAR_STRING, 8)], vec![label()], None);
    let mut row = BytesMut::new();
    put_text_value(&mut row, Some(b"bob@example.com"));
    let mut out = BytesMut::new();
    plan.mask_row(&row, false, &mut out).unwrap();
    assert_eq!(text_values(&out, 1).unwrap(), [Some(&b"<pii.email>"[..])]);
}
