//! What the filter answers.

use serde_json::Value;

use super::*;
use crate::written::{confidence, decimal};

fn ask(line: &str) -> Value {
    let labels = Labels::parse(
        "[[label]]\nname='pii.email'\ncolumns=['*/*/*.*.email', 'shop/*/public.users.mail']\n\
         [[label]]\nname='gone'\ncolumns=['*/*/*.*.gone']\noperator='null'",
    )
    .unwrap();
    serde_json::from_str(&answer(line, &labels)).unwrap()
}

#[test]
fn findings_count_characters() {
    let answer = ask(r#"{"id":"1","text":"Zoë: zoe@example.com"}"#);
    assert_eq!(answer["id"], "1");
    assert_eq!(answer["masked"], "Zoë: ‹EMAIL_ADDRESS›");
    assert_eq!(answer["findings"][0]["entity"], "EMAIL_ADDRESS");
    assert_eq!(answer["findings"][0]["start"], 5);
    assert_eq!(answer["findings"][0]["end"], 20);
}

#[test]
fn numbers_are_written_as_they_are() {
    let written = |number: f32| {
        let mut out = String::new();
        confidence(number, &mut out);
        out
    };
    assert_eq!([0.85, 0.9, 1.0, 0.6].map(written), ["0.85", "0.90", "1.0", "0.60"]);
    for number in [0, 7, 10, 1234567890] {
        let mut out = String::new();
        decimal(number, &mut out);
        assert_eq!(out, number.to_string());
    }
}

#[test]
fn answers_are_json_whatever_the_text() {
    let every: String = (0..0x300).filter_map(char::from_u32).collect();
    let line = json!({ "id": every, "text": format!("{every} a@b.com {every}") }).to_string();
    let answer = ask(&line);
    assert_eq!(answer["id"], json!(every));
    assert_eq!(answer["masked"], json!(format!("{every} ‹EMAIL_ADDRESS› {every}")));
    assert_eq!(ask(r#"{"id":12345678901234567890123,"text":"x"}"#)["masked"], "x");
}

#[test]
fn a_text_without_findings_comes_back() {
    let answer = ask(r#"{"id":7,"text":"all quiet","column":"note"}"#);
    assert_eq!(answer, json!({ "id": 7, "masked": "all quiet", "findings": [] }));
}

#[test]
fn a_labelled_column_is_masked_whatever_it_holds() {
    for column in
        ["email", "public.users.email", "shop/shop/public.users.\\\"email\\\"", "shop/d/public.users.mail"]
    {
        let answer = ask(&format!(r#"{{"id":"1","text":"not an address","column":"{column}"}}"#));
        assert_eq!(answer["masked"], "‹pii.email›", "{column}");
        assert_eq!(answer["findings"][0]["detector"], "label");
        assert_eq!(answer["findings"][0]["end"], 14);
    }
    assert_eq!(ask(r#"{"text":"x","column":"mail"}"#)["masked"], "x");
    assert_eq!(ask(r#"{"text":"x","column":"gone"}"#)["masked"], Value::Null);
}

#[test]
fn a_line_that_does_not_read_is_answered_in_its_place() {
    for line in
        ["", "nonsense", "[]", "{}", r#"{"id":"1"}"#, r#"{"id":"1","text":5}"#, r#"{"text":"x","column":1}"#]
    {
        let answer = ask(line);
        let id = if line.contains("id") { json!("1") } else { Value::Null };
        assert_eq!(answer["id"], id, "{line}");
        assert!(answer["error"].is_string() && answer.get("masked").is_none(), "{line}");
    }
}

#[test]
fn half_a_character_costs_a_line_neither_its_id_nor_its_masking() {
    for line in [
        r#"{"id":"1","text":"\ud83d a@b.com \ude00"}"#,
        r#"{"id":"1","x":{},"text":"\ud83d a@b.com \ude00"}"#,
        r#"{"id":"1","text":"\ud83d a@b.com \ude00","column":"\ud800"}"#,
    ] {
        let answer = ask(line);
        assert_eq!(answer["id"], "1", "{line}");
        assert_eq!(answer["masked"], "\u{fffd} ‹EMAIL_ADDRESS› \u{fffd}", "{line}");
        assert_eq!(answer["findings"][0]["start"], 2, "{line}");
    }
    assert_eq!(ask(r#"{"id":"1","text":"\ud83d\ud83d\ude00"}"#)["masked"], "\u{fffd}😀");
    assert_eq!(ask(r#"{"id":"1","text":"4111\ud8001111\ud80011111111"}"#)["masked"], "‹CREDIT_CARD›");
}

#[test]
fn what_is_read_by_hand_reads_as_by_the_book() {
    // Each is answered as a reader of JSON would: keys in any order and written in any way, twice, with values of
    // any kind beside; and what is no JSON is refused, however nearly it is.
    for (line, masked) in [
        (r#" { "text" : "a@b.com" , "id" : 1 } "#, Some("‹EMAIL_ADDRESS›")),
        (r#"{"text":"x","text":"a@b.com"}"#, Some("‹EMAIL_ADDRESS›")),
        (r#"{"te\u0078t":"a@b.com"}"#, Some("‹EMAIL_ADDRESS›")),
        (
            r#"{"more":{"text":[1,{"a":null}]},"text":"a\u0040b.com\n\ud83d\ude00\/"}"#,
            Some("‹EMAIL_ADDRESS›\n😀/"),
        ),
        (r#"{"id":[1,2],"text":"q","n":-1.5e3,"t":true,"column":null}"#, Some("q")),
        (r#"{"text":"q","column":"\u0061"}"#, Some("q")),
        ("{\"text\":\"a\u{1}b\"}", None),
        (r#"{"text":"\ud83d"}"#, Some("\u{fffd}")),
        (r#"{"text":"\ud83"}"#, None),
        (r#"{"x":{},"text":"\ud83"}"#, None),
        (r#"{"text":"\x"}"#, None),
        (r#"{"text":"x"}}"#, None),
        (r#"{"text":"x",}"#, None),
        (r#"{"text":"x" "id":1}"#, None),
        (r#"{"text":"x","id":01}"#, None),
        (r#"{"text":"x","id":"a\q"}"#, None),
        (r#"{"text":"x"#, None),
        (r#"{text:"x"}"#, None),
    ] {
        let answer = ask(line);
        assert_eq!(answer.get("masked").and_then(Value::as_str), masked, "{line}");
        assert_eq!(answer.get("error").is_some(), masked.is_none(), "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn every_object_is_read_and_every_text_comes_back(
        id in "\\PC{0,12}",
        text in "(\\PC|[\\\\\"\n\t\u{1}]){0,40}",
        spaced in proptest::bool::ANY,
    ) {
        let line = json!({ "id": id, "text": text, "column": "note", "x": [1, null, "\"}"] });
        let line = if spaced { serde_json::to_string_pretty(&line).unwrap() } else { line.to_string() };
        let answer = ask(&line);
        proptest::prop_assert_eq!(&answer["id"], &json!(id));
        if answer["findings"] == json!([]) {
            proptest::prop_assert_eq!(&answer["masked"], &json!(text));
        }
    }
}
