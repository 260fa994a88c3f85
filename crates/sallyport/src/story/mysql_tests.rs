//! Replies of MySQL's protocol, as entries tell them.

use sallyport_core::{Event, ParameterShape};
use sallyport_wire::mysql::put_packet;
use sallyport_wire::mysql::row::{put_binary_row, put_text_value};

use super::super::testing::{Shown, data, entry, intent, opened, refused};
use super::*;

/// Packets of a reply, numbered.
#[derive(Default)]
struct Packets(BytesMut, u8);

impl Packets {
    fn put(mut self, payload: &[u8]) -> Self {
        put_packet(&mut self.0, &mut self.1, payload);
        self
    }

    fn column(self, name: &str, kind: u8) -> Self {
        let mut out = BytesMut::new();
        for part in ["def", "shop", "t", "t", name, name] {
            sallyport_wire::mysql::put_lenenc_bytes(&mut out, part.as_bytes());
        }
        out.extend_from_slice(&[12, 45, 0, 0, 1, 0, 0, kind, 0, 0, 0, 0, 0]);
        self.put(&out)
    }

    fn end(self, capabilities: u64, status: u16) -> Self {
        let mut out = BytesMut::new();
        Done { status, ..Done::default() }.put_end(&mut out, capabilities);
        self.put(&out)
    }
}

/// A session in which an operation of this kind is answered so.
fn shown(kind: OperationKind, replies: &[(u64, Packets)]) -> Vec<String> {
    let mut shown = Shown::new(10);
    shown.entry(&entry(0, opened("mysql"), b""));
    let mut asked = intent(b"x", Vec::<ParameterShape>::new());
    if let Event::Intent { kind: of, .. } = &mut asked {
        *of = kind;
    }
    shown.entry(&entry(1, asked, b"x"));
    let mut lines = Vec::new();
    for (operation, packets) in replies {
        let mut entry = data(&packets.0, 2);
        if let sallyport_api::dto::EntryContent::Event(event) = &mut entry.entry
            && let Event::Data { operation: of, .. } = event.as_mut()
        {
            *of = *operation;
        }
        lines.extend(shown.entry(&entry));
    }
    let outcome = Event::Outcome { operation: 1, rows: 1, bytes: 1, masked: 0, duration_us: 1, error: None };
    let mut ended = shown.entry(&entry(3, outcome, b""));
    ended.pop();
    lines.extend(ended);
    lines
}

fn two_results(capabilities: u64) -> Vec<String> {
    let mut packets = Packets::default().put(&[1]).column("name", 253);
    if capabilities == 0 {
        packets = packets.end(0, 0);
    }
    let mut row = BytesMut::new();
    put_text_value(&mut row, Some("Zo\u{202e}e".as_bytes()));
    let mut ok = BytesMut::new();
    Done { affected: 3, ..Done::default() }.put(&mut ok);
    let packets = packets.put(&row).end(capabilities, status::MORE_RESULTS).put(&ok);
    shown(OperationKind::Query, &[(1, packets)])
}

#[test]
fn results_are_told_apart_whichever_way_the_client_ends_them() {
    let wanted = ["  : name", "  : -------------", "  : Zo\\u{202e}e", "  . OK, 3 rows changed"];
    let (classic, deprecated) = (two_results(0), two_results(capability::DEPRECATE_EOF));
    assert_eq!(classic, deprecated);
    assert_eq!(classic.len(), wanted.len(), "{classic:?}");
    assert_eq!((&*classic[0], &*classic[2], &*classic[3]), (wanted[0], wanted[2], wanted[3]));
}

#[test]
fn a_cursor_goes_on_behind_another_operation() {
    let row = |text: &str| {
        let mut row = BytesMut::new();
        put_binary_row(&mut row, [(253, Some(text.as_bytes()))].into_iter());
        row
    };
    let opened = Packets::default().put(&[1]).column("name", 253).end(0, status::CURSOR);
    let fetched = Packets::default().put(&row("one")).end(0, status::CURSOR);
    let last = Packets::default().put(&row("two")).end(0, status::CURSOR | status::LAST_ROW);
    let mut ok = BytesMut::new();
    Done::default().put(&mut ok);
    let other = Packets::default().put(&ok);
    let lines = shown(OperationKind::Execute, &[(1, opened), (1, fetched), (2, other), (1, last)]);
    let text = lines.join("\n");
    assert!(text.contains(": one") && text.contains(": two") && !text.contains('?'), "{text}");
}

#[test]
fn a_prepared_statement_s_columns_are_no_result() {
    let packets = Packets::default().put(&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]).column("name", 253).end(0, 0);
    assert_eq!(shown(OperationKind::Prepare, &[(1, packets)]), Vec::<String>::new());
}

#[test]
fn a_refusal_is_shown_once_and_what_does_not_read_is_said_to_be_so() {
    let mut shown = Shown::new(2);
    shown.entry(&entry(0, opened("mysql"), b""));
    shown.entry(&entry(1, refused(b"drop table t"), b"drop table t"));
    let error = |message: &str| {
        let mut out = BytesMut::new();
        let failure = Failure { code: 1227, state: Some(*b"42000"), message: message.as_bytes().to_vec() };
        failure.put(&mut out);
        Packets::default().put(&out)
    };
    let same = error("SLP-DENIED: drop is denied (ask) [me at shop]");
    assert_eq!(shown.entry(&data(&same.0, 2)), Vec::<String>::new());
    let other = error("no such \x1b[31mtable");
    assert_eq!(shown.entry(&data(&other.0, 3)), ["  ! ERROR 1227 42000: no such \\u{1b}[31mtable"]);
    // No length of a column count.
    let mut asked = Shown::new(2);
    asked.entry(&entry(0, opened("mysql"), b""));
    asked.entry(&entry(1, intent(b"x", vec![]), b"x"));
    let lines = asked.entry(&data(&Packets::default().put(&[0xfc, 1]).0, 2));
    assert_eq!(lines, ["  ? a result that cannot be decoded"]);
}
