//! Moments and lines, from entries as the API sends them.

use super::super::testing::{Shown, data, entry, intent, message, opened, refused, row, row_description};
use super::*;

#[test]
fn an_operation_is_shown_with_its_parameters_and_rows() {
    let mut transcript = Shown::new(2);
    let shapes = vec![
        ParameterShape { type_id: 23, format: ParameterFormat::Text, length: Some(2) },
        ParameterShape { type_id: 25, format: ParameterFormat::Text, length: None },
    ];
    let text = b"select *\nfrom users -- \x1b[2J";
    let lines = transcript.entry(&entry(0, intent(text, shapes), &[text.as_slice(), b"42"].concat()));
    assert_eq!(
        lines,
        [
            "[     0 s] #1 allow by reads",
            "  | select *",
            "  | from users -- \\u{1b}[2J",
            "  $1 = 42",
            "  $2 = NULL"
        ]
    );
    // A message that is cut in two is decoded when its rest has come.
    let bytes = [row_description(), row(7, Some("‹pii.email›")), row(8, None), row(9, None)].concat();
    let (first, second) = bytes.split_at(20);
    assert_eq!(transcript.entry(&data(first, 1)), Vec::<String>::new());
    assert_eq!(
        transcript.entry(&data(second, 2)),
        Vec::<String>::new(),
        "rows are gathered, to be set out side by side"
    );
    let end = [message(b'C', b"SELECT 3\0"), message(b'Z', b"I")].concat();
    assert_eq!(
        transcript.entry(&data(&end, 3)),
        [
            "  : id         | email",
            "  : -----------+------------",
            "  : \\x00000007 | ‹pii.email›",
            "  : \\x00000008 | NULL",
            "  . SELECT 3"
        ]
    );
    let outcome =
        Event::Outcome { operation: 1, rows: 3, bytes: 90, masked: 1, duration_us: 2500, error: None };
    assert_eq!(
        transcript.entry(&entry(4, outcome, b"")),
        ["  … 1 more row", "  = #1 3 rows in 2 ms, 1 value masked"]
    );
}

#[test]
fn an_error_of_the_target_is_shown_as_text() {
    let mut transcript = Shown::new(2);
    let bytes = message(b'E', b"SERROR\0C42P01\0Mno such \x1b[31mtable\0\0");
    assert_eq!(transcript.entry(&data(&bytes, 0)), ["  ! ERROR 42P01: no such \\u{1b}[31mtable"]);
}

#[test]
fn bytes_that_are_no_messages_are_said_to_be_so() {
    let mut transcript = Shown::new(2);
    assert_eq!(transcript.entry(&data(&[b'D', 0, 0, 0, 1, 9], 0)), ["  ? 6 bytes that cannot be decoded"]);
}

#[test]
fn a_row_that_does_not_read_is_said_to_be_so() {
    let mut transcript = Shown::new(2);
    let bytes = message(b'D', &[0, 2, 0, 0, 0, 9]);
    assert_eq!(transcript.entry(&data(&bytes, 0)), ["  ? a row that cannot be decoded"]);
}

#[test]
fn a_text_that_is_not_whole_is_said_to_be_so() {
    let mut transcript = Shown::new(2);
    let lines = transcript.entry(&entry(0, intent(b"select 1", vec![]), b"sel"));
    assert_eq!(lines[1], "  ? the text is not whole");
    let lines = transcript.entry(&entry(1, intent(&[b'x'; 300_000], vec![]), &[b'x'; 300_000]));
    assert_eq!(lines.last().unwrap(), "  ? 37 856 more bytes of the text");
}

#[test]
fn a_refusal_is_shown_once_and_another_error_after_it_is_shown_too() {
    let mut transcript = Shown::new(2);
    let lines = transcript.entry(&entry(0, refused(b"drop table t"), b"drop table t"));
    assert_eq!(
        lines,
        ["[     0 s] #1 refused, deny by reads", "  | drop table t", "  ! SLP-DENIED: drop is denied"]
    );
    let same = message(b'E', b"SERROR\0C42501\0Mdrop is denied\0\0");
    assert_eq!(transcript.entry(&data(&same, 1)), Vec::<String>::new());
    assert_eq!(transcript.entry(&data(&same, 2)), ["  ! ERROR 42501: drop is denied"], "only once");
    transcript.entry(&entry(3, refused(b"drop table t"), b"drop table t"));
    let other = message(b'E', b"SERROR\0C42P01\0Mno such table\0\0");
    assert_eq!(transcript.entry(&data(&other, 4)), ["  ! ERROR 42P01: no such table"]);
}

#[test]
fn the_role_that_acts_is_named_as_approvals_name_it() {
    let asked = |role: &str| Event::GatewayAsked {
        text: "how".into(),
        answer: [
            ("role".to_owned(), role.to_owned()),
            ("session_authorization".to_owned(), "app".to_owned()),
        ]
        .into(),
    };
    let lines = |role| Shown::new(2).entry(&entry(0, asked(role), b""));
    assert_eq!(lines("none"), ["[     0 s] the gateway asked: how", "  = role = app"]);
    assert_eq!(
        lines("dba"),
        ["[     0 s] the gateway asked: how", "  = role = dba", "  = session_authorization = app"]
    );
}

#[test]
fn many_rows_are_set_out_in_pieces_and_those_left_out_are_counted() {
    let mut transcript = Shown::new(250);
    transcript.entry(&entry(0, intent(b"select", vec![]), b"select"));
    let mut bytes = row_description();
    for number in 0..255 {
        bytes.extend_from_slice(&row(number, Some("x")));
    }
    let first = transcript.entry(&data(&bytes, 1));
    assert_eq!(first.len(), 202, "two lines of names and 200 rows");
    let rest = transcript.entry(&data(&message(b'C', b"SELECT 255\0"), 2));
    assert_eq!(rest.len(), 51, "50 rows and the tag");
    let outcome =
        Event::Outcome { operation: 1, rows: 255, bytes: 9, masked: 0, duration_us: 1, error: None };
    assert_eq!(transcript.entry(&entry(3, outcome, b"")), ["  … 5 more rows", "  = #1 255 rows in 0 ms"]);
}

#[test]
fn a_reply_in_another_protocol_is_named_by_its_size() {
    let mut transcript = Shown::new(2);
    transcript.entry(&entry(0, opened("other"), b""));
    assert_eq!(transcript.entry(&data(b"\x1b[2Jabc", 1)), Vec::<String>::new());
    let outcome = Event::Outcome { operation: 1, rows: 1, bytes: 9, masked: 0, duration_us: 1, error: None };
    let lines = transcript.entry(&entry(2, outcome, b""));
    assert_eq!(lines[0], "  ? 7 bytes of a reply that is not decoded here");
}
