//! Entries as the API sends them, for the tests of viewers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_api::dto::{Entry, EntryContent};
use sallyport_core::{
    Decision, Effect, Event, Facts, Language, Limits, OperationKind, ParameterShape, ResultDirection,
    Timestamp,
};

use super::{Room, Teller, Transcript};

/// Entries in, lines out.
#[derive(Debug)]
pub(crate) struct Shown(Teller, Transcript);

impl Shown {
    pub(crate) fn new(rows: u64) -> Self {
        Self(Teller::new(Room::terminal(rows)), Transcript::default())
    }

    pub(crate) fn entry(&mut self, entry: &Entry) -> Vec<String> {
        let moments = self.0.entry(entry);
        moments.iter().flat_map(|moment| self.1.lines(moment)).map(|line| line.text).collect()
    }
}

pub(crate) fn decision(effect: Effect) -> Decision {
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

pub(crate) fn entry(sequence: u64, event: Event, payload: &[u8]) -> Entry {
    Entry {
        sequence,
        at: Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(i64::try_from(sequence).unwrap()),
        hash: format!("{sequence:064x}"),
        session_link: String::new(),
        log_link: String::new(),
        entry: EntryContent::Event(Box::new(event)),
        payload: STANDARD.encode(payload),
    }
}

pub(crate) fn intent(text: &[u8], parameters: Vec<ParameterShape>) -> Event {
    Event::Intent {
        operation: 1,
        kind: OperationKind::Execute,
        text_length: text.len(),
        withheld: Vec::new(),
        parameters,
        digest: sallyport_core::Digest::of(text),
        facts: Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![] }.into(),
        decision: decision(Effect::Allow).into(),
        approval: None,
        approved_by: vec![],
    }
}

pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    out.extend_from_slice(body);
    out
}

pub(crate) fn row_description() -> Vec<u8> {
    let mut body = 2_i16.to_be_bytes().to_vec();
    for (name, format) in [("id", 1_i16), ("email", 0)] {
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&[0; 1 + 4 + 2 + 4 + 2 + 4]);
        body.extend_from_slice(&format.to_be_bytes());
    }
    message(b'T', &body)
}

pub(crate) fn row(id: u8, email: Option<&str>) -> Vec<u8> {
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

pub(crate) fn data(bytes: &[u8], sequence: u64) -> Entry {
    entry(sequence, Event::Data { direction: ResultDirection::ToCaller, operation: 1 }, bytes)
}

pub(crate) fn refused(text: &[u8]) -> Event {
    Event::Refused {
        operation: 1,
        kind: OperationKind::Execute,
        text_length: text.len(),
        withheld: Vec::new(),
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

pub(crate) fn opened(protocol: &str) -> Event {
    Event::SessionOpened {
        principal: sallyport_core::Principal {
            name: "claude-code".into(),
            kind: sallyport_core::PrincipalKind::Agent,
            on_behalf_of: Some("alice@example.com".into()),
            groups: Default::default(),
            roles: Default::default(),
        },
        authenticated_by: "token".into(),
        target: "shop-prod".into(),
        protocol: protocol.into(),
        database: "shop".into(),
        client: "127.0.0.1:50000".into(),
        client_says: Default::default(),
        server_version: "15.1".into(),
        gateway_version: "0.1.0".into(),
        policy_version: "0123456789ab".into(),
    }
}

/// The strings of `nasty.txt`, with their names.
pub(crate) fn nasty() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for line in include_str!("nasty.txt").lines().filter(|line| !line.starts_with("# ")) {
        let Some((name, written)) = line.split_once('\t') else { continue };
        found.push((name.to_owned(), unescaped(written)));
    }
    assert!(found.len() > 50, "{}", found.len());
    found.push(("huge line".to_owned(), vec![b'x'; 100_000]));
    found
}

fn unescaped(written: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match rest.next().unwrap() {
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            'u' => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                let c = char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap();
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// A session in which everything that can come from outside is `bytes`.
pub(crate) fn session_of(bytes: &[u8]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut open = opened("postgres");
    if let Event::SessionOpened { principal, target, database, client, server_version, .. } = &mut open {
        principal.name = text.clone();
        principal.on_behalf_of = Some(text.clone());
        for field in [target, database, client, server_version] {
            *field = text.clone();
        }
    }
    let mut asked = intent(
        bytes,
        vec![ParameterShape {
            type_id: 25,
            format: sallyport_core::ParameterFormat::Text,
            length: Some(bytes.len()),
        }],
    );
    if let Event::Intent { facts, decision, approved_by, approval, .. } = &mut asked {
        let mut action = sallyport_core::Action::on_object(
            sallyport_core::Verb::Delete,
            "table",
            sallyport_core::ObjectName::in_schema(&text, &text),
        );
        action.columns = vec![text.clone()];
        *facts = Facts { language: Language::Postgres, statements: 1, unknown: None, actions: vec![action] }
            .into();
        let mut hold = decision_of(&text);
        hold.reason = Some(text.clone());
        *decision = hold.into();
        *approved_by = vec![text.clone()];
        *approval = sallyport_core::RequestId::parse("7F3K-Q2WM");
    }
    let field = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>();
    let mut description = 1_i16.to_be_bytes().to_vec();
    description.extend_from_slice(&field(bytes));
    description.extend_from_slice(&[0; 1 + 4 + 2 + 4 + 2 + 4 + 2]);
    let mut cells = 1_i16.to_be_bytes().to_vec();
    cells.extend_from_slice(&i32::try_from(bytes.len()).unwrap().to_be_bytes());
    cells.extend_from_slice(bytes);
    let mut error = b"SERROR\0CXX000\0M".to_vec();
    error.extend_from_slice(&field(bytes));
    error.extend_from_slice(b"\0\0");
    let mut tag = field(bytes);
    tag.push(0);
    let reply = [
        message(b'T', &description),
        message(b'D', &cells),
        message(b'C', &tag),
        message(b'N', &error),
        message(b'E', &error),
    ]
    .concat();
    let code = Some(text.clone());
    let outcome = Event::Outcome { operation: 1, rows: 1, bytes: 1, masked: 1, duration_us: 1, error: code };
    let mut refused = refused(bytes);
    if let Event::Refused { refusal, decision, .. } = &mut refused {
        refusal.message = text.clone();
        *decision = decision_of(&text).into();
    }
    let learnt = Event::GatewayAsked { text: text.clone(), answer: [(text.clone(), text.clone())].into() };
    let message_refused = Event::MessageRefused {
        message: text.clone(),
        refusal: sallyport_core::Refusal::new(
            sallyport_core::RefusalCode::Protocol,
            sallyport_core::Blame::Downstream,
            text.clone(),
        ),
    };
    vec![
        entry(0, open, b""),
        entry(1, asked, &[bytes, bytes].concat()),
        data(&reply, 2),
        entry(3, outcome, b""),
        entry(4, refused, bytes),
        entry(5, learnt, b""),
        entry(6, message_refused, b""),
        data(b"Q\0\0\0", 7),
        entry(8, Event::SessionClosed { reason: text, operations: 1 }, b""),
    ]
}

fn decision_of(rule: &str) -> Decision {
    Decision { rule: rule.to_owned(), ..decision(Effect::Hold) }
}
