//! A transcript, from entries as the API sends them.

use sallyport_core::{Effect, Facts, Language, Limits, OperationKind};

use super::*;

fn decision(effect: Effect) -> Decision {
    Decision {
        effect,
        rule: "reads".into(),
        rules: vec![],
        reason: None,
        hold: None,
        limits: Limits::default(),
        policy_version: "v".into(),
        reveals: Vec::new(),
    }
}

fn entry(sequence: u64, event: Event, payload: &[u8]) -> Entry {
    Entry {
        sequence,
        at: Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(i64::try_from(sequence).unwrap()),
        hash: String::new(),
        entry: EntryContent::Event(Box::new(event)),
        payload: STANDARD.encode(payload),
    }
}

fn intent(text: &[u8], parameters: Vec<ParameterShape>) -> Event {
    Event::Intent {
        operation: 1,
        kind: OperationKind::Execute,
        text_length: text.len(),
        parameters,
        digest: sallyport_core::Digest::of(text),
        facts: Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![] }.into(),
        decision: decision(Effect::Allow).into(),
        approval: None,
        approved_by: vec![],
    }
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn row_description() -> Vec<u8> {
    let mut body = 2_i16.to_be_bytes().to_vec();
    for (name, format) in [("id", 1_i16), ("email", 0)] {
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&[0; 1 + 4 + 2 + 4 + 2 + 4]);
        body.extend_from_slice(&format.to_be_bytes());
    }
    message(b'T', &body)
}

fn row(id: u8, email: Option<&str>) -> Vec<u8> {
    let mut body = 2_i16.to_be_bytes().to_vec();
    body.extend_from_slice(&4_i32.to_be_bytes());
    body.extend_from_slice(&[0, 0, 0, id]);
    match email {
        Some(email) => {
            body.extend_from_slice(&i32::try_from(email.len()).unwrap().to_be_bytes());
            body.extend_from_slice(email.as_bytes());
        }
        None => body.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
    message(b'D', &body)
}

fn data(bytes: &[u8], sequence: u64) -> Entry {
    entry(sequence, Event::Data { direction: ResultDirection::ToCaller, operation: 1 }, bytes)
}

#[test]
fn an_operation_is_shown_with_its_parameters_and_rows() {
    let mut transcript = Transcript::new(2);
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
        ["  : id | email", "  : \\x00000007 | ‹pii.email›", "  : \\x00000008 | NULL"]
    );
    let end = [message(b'C', b"SELECT 3\0"), message(b'Z', b"I")].concat();
    assert_eq!(transcript.entry(&data(&end, 3)), ["  . SELECT 3"]);
    let outcome =
        Event::Outcome { operation: 1, rows: 3, bytes: 90, masked: 1, duration_us: 2500, error: None };
    assert_eq!(
        transcript.entry(&entry(4, outcome, b"")),
        ["  … 1 more row", "  = #1 3 rows in 2 ms, 1 value masked"]
    );
}

#[test]
fn an_error_of_the_target_is_shown_as_text() {
    let mut transcript = Transcript::new(2);
    let bytes = message(b'E', b"SERROR\0C42P01\0Mno such \x1b[31mtable\0\0");
    assert_eq!(transcript.entry(&data(&bytes, 0)), ["  ! ERROR 42P01: no such \\u{1b}[31mtable"]);
}

#[test]
fn bytes_that_are_no_messages_are_said_to_be_so() {
    let mut transcript = Transcript::new(2);
    assert_eq!(transcript.entry(&data(&[b'D', 0, 0, 0, 1, 9], 0)), ["  ? 6 bytes that cannot be decoded"]);
}

#[test]
fn a_row_that_does_not_read_is_said_to_be_so() {
    let mut transcript = Transcript::new(2);
    let bytes = message(b'D', &[0, 2, 0, 0, 0, 9]);
    assert_eq!(transcript.entry(&data(&bytes, 0)), ["  ? a row that cannot be decoded"]);
}

#[test]
fn a_text_that_is_not_whole_is_said_to_be_so() {
    let mut transcript = Transcript::new(2);
    let lines = transcript.entry(&entry(0, intent(b"select 1", vec![]), b"sel"));
    assert_eq!(lines[1], "  ? the text is not whole");
}

fn refused(text: &[u8]) -> Event {
    Event::Refused {
        operation: 1,
        kind: OperationKind::Execute,
        text_length: text.len(),
        parameters: vec![],
        digest: sallyport_core::Digest::of(text),
        facts: Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![] }.into(),
        decision: decision(Effect::Deny).into(),
        request: None,
        refusal: sallyport_core::Refusal {
            code: sallyport_core::RefusalCode::Denied,
            message: "drop is denied".into(),
            detail: None,
            hint: None,
            blame: sallyport_core::Blame::Policy,
        },
    }
}

#[test]
fn a_refusal_is_shown_once_and_another_error_after_it_is_shown_too() {
    let mut transcript = Transcript::new(2);
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
    let lines = |role| Transcript::new(2).entry(&entry(0, asked(role), b""));
    assert_eq!(lines("none"), ["[     0 s] the gateway asked: how", "  = role = app"]);
    assert_eq!(
        lines("dba"),
        ["[     0 s] the gateway asked: how", "  = role = dba", "  = session_authorization = app"]
    );
}
