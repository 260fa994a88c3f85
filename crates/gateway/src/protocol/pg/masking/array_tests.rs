//! Arrays in both formats.

use super::*;

fn look_at(element: u32, binary: bool, value: &[u8]) -> Option<Change> {
    look(element, binary, value, &FieldContext::default())
}

fn text_of(change: Option<Change>) -> String {
    match change {
        None => "unchanged".into(),
        Some(Change::Null | Change::Unread) => "NULL".into(),
        Some(Change::Bytes(bytes)) => String::from_utf8(bytes).unwrap(),
    }
}

fn binary_of(elements: &[Option<&[u8]>]) -> Vec<u8> {
    let count = i32::try_from(elements.len()).unwrap();
    let mut out = BytesMut::new();
    for number in [1, 0, 25, count, 1] {
        out.put_i32(number);
    }
    for element in elements {
        let change = element.map_or(Change::Null, |bytes| Change::Bytes(bytes.to_vec()));
        put_value(&mut out, &change).unwrap();
    }
    out.to_vec()
}

#[test]
fn elements_of_text_arrays_are_replaced_where_they_stand() {
    for (array, masked) in [
        ("{plain,words}", "unchanged"),
        ("{}", "unchanged"),
        ("{alice@example.com,b}", "{\"‹EMAIL_ADDRESS›\",b}"),
        (
            "{NULL,\"to alice@example.com, now\",{x,bob@example.org}}",
            "{NULL,\"to ‹EMAIL_ADDRESS›, now\",{x,\"‹EMAIL_ADDRESS›\"}}",
        ),
        ("[0:1]={alice@example.com,\"q\\\"x\"}", "[0:1]={\"‹EMAIL_ADDRESS›\",\"q\\\"x\"}"),
        ("{\"alice\\@example.com\"}", "{\"‹EMAIL_ADDRESS›\"}"),
    ] {
        assert_eq!(text_of(look_at(25, false, array.as_bytes())), masked, "{array}");
    }
}

#[test]
fn an_array_that_does_not_read_is_withheld() {
    for array in
        ["{alice@example.com", "alice@example.com", "{\"alice@example.com}", "{a@b.com}}", "x{a@b.com}"]
    {
        assert_eq!(look_at(25, false, array.as_bytes()), Some(Change::Unread), "{array}");
    }
    let whole = binary_of(&[Some(b"a@b.com")]);
    for cut in 1..whole.len() {
        assert_eq!(look_at(25, true, &whole[..cut]), Some(Change::Unread), "{cut}");
    }
    let mut lying = whole;
    lying[12..16].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(look_at(25, true, &lying), Some(Change::Unread));
}

#[test]
fn elements_of_binary_arrays_are_replaced_where_they_stand() {
    let array = binary_of(&[Some(b"x"), None, Some(b"alice@example.com"), Some(b"y")]);
    let masked = binary_of(&[Some(b"x"), None, Some("‹EMAIL_ADDRESS›".as_bytes()), Some(b"y")]);
    assert_eq!(look_at(25, true, &array), Some(Change::Bytes(masked)));
    assert_eq!(look_at(25, true, &binary_of(&[Some(b"x"), None])), None);
}

#[test]
fn arrays_of_json_are_masked_as_json() {
    let array = r#"{"{\"to\": \"alice@example.com\"}"}"#;
    assert_eq!(text_of(look_at(114, false, array.as_bytes())), r#"{"{\"to\": \"‹EMAIL_ADDRESS›\"}"}"#);
}
