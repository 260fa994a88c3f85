//! However bytes arrive, the same packets come out; what is written reads back; no input panics.

use bytes::BytesMut;
use proptest::prelude::*;

use super::bulk::{Bulk, Given};
use super::capability as cap;
use super::column::{Column, kind};
use super::command::{Command, Execute, ParameterType, Value};
use super::handshake::{AuthSwitch, ClientFirst, Greeting, Response, TlsRequest, client_first};
use super::reply::{Done, Failure, Prepared, column_count, end, is_end};
use super::row::{binary_values, put_binary_row, put_text_value, text_values};
use super::*;

fn greeting() -> Greeting {
    Greeting {
        version: b"5.5.5-10.11.6-MariaDB".to_vec(),
        connection: 77,
        scramble: *b"abcdefghijklmnopqrst",
        capabilities: cap::PROTOCOL_41
            | cap::SECURE_CONNECTION
            | cap::PLUGIN_AUTH
            | cap::SSL
            | cap::MARIADB_PROGRESS,
        collation: 45,
        status: 2,
        plugin: b"mysql_native_password".to_vec(),
    }
}

fn response() -> Response {
    Response {
        capabilities: cap::PROTOCOL_41
            | cap::SECURE_CONNECTION
            | cap::PLUGIN_AUTH
            | cap::PLUGIN_AUTH_LENENC
            | cap::CONNECT_WITH_DB
            | cap::CONNECT_ATTRS,
        max_packet: 1 << 24,
        collation: 45,
        user: b"anybody".to_vec(),
        auth: vec![7; 20],
        database: b"shop-prod/hr".to_vec(),
        plugin: b"mysql_clear_password".to_vec(),
        attributes: vec![(b"program_name".to_vec(), b"mysql".to_vec())],
    }
}

#[test]
fn handshakes_read_back() {
    let mut out = BytesMut::new();
    greeting().put(&mut out);
    assert_eq!(Greeting::parse(&out).unwrap(), greeting());
    let mut out = BytesMut::new();
    response().put(&mut out);
    assert_eq!(client_first(&out).unwrap(), ClientFirst::Response(response()));
    let request = TlsRequest { capabilities: cap::PROTOCOL_41 | cap::SSL | 1, max_packet: 9, collation: 8 };
    let mut out = BytesMut::new();
    request.put(&mut out);
    assert_eq!(client_first(&out).unwrap(), ClientFirst::Tls(request));
    // A scramble of 20 bytes has a NUL behind it; a longer one may end in one of its own.
    for data in [vec![1; 20], vec![0; 20], [vec![1; 31], vec![0]].concat(), Vec::new()] {
        let switch = AuthSwitch { plugin: b"client_ed25519".to_vec(), data };
        let mut out = BytesMut::new();
        switch.put(&mut out);
        assert_eq!(AuthSwitch::parse(&out).unwrap(), switch);
    }
    assert!(AuthSwitch::parse(&[0xfe]).is_err(), "passwords of before 4.1");
}

#[test]
fn a_response_cut_anywhere_is_malformed_or_shorter_and_never_panics() {
    let mut out = BytesMut::new();
    response().put(&mut out);
    for cut in 0..out.len() {
        if let Ok(ClientFirst::Response(read)) = client_first(&out[..cut]) {
            assert_ne!(read, response(), "{cut}");
        }
    }
}

#[test]
fn a_payload_split_at_every_byte_is_one_packet() {
    let mut whole = BytesMut::new();
    let mut sequence = 3;
    put_packet(&mut whole, &mut sequence, b"\x03SELECT 1");
    assert_eq!(sequence, 4);
    for cut in 0..=whole.len() {
        let (one, two) = whole.split_at(cut);
        let mut buffer = BytesMut::from(one);
        let decoder = PacketDecoder::new(100);
        let early = decoder.decode(&mut buffer).unwrap();
        assert_eq!(early.is_some(), cut == whole.len());
        buffer.extend_from_slice(two);
        let packet = early.or(decoder.decode(&mut buffer).unwrap()).unwrap();
        assert_eq!((packet.first, packet.last, packet.payload()), (3, 3, &b"\x03SELECT 1"[..]));
        assert!(buffer.is_empty());
    }
}

#[test]
fn payloads_around_sixteen_megabytes_are_joined_and_cut_again() {
    for length in [MAX_CHUNK - 1, MAX_CHUNK, MAX_CHUNK + 1, 2 * MAX_CHUNK] {
        let payload: Vec<u8> = (0..length).map(|at| at.to_le_bytes()[0]).collect();
        let mut out = BytesMut::new();
        let mut sequence = 254;
        put_packet(&mut out, &mut sequence, &payload);
        let mut again = BytesMut::new();
        let mut other = 254;
        let mark = start_packet(&mut again);
        again.extend_from_slice(&payload);
        finish_packet(&mut again, mark, &mut other);
        assert_eq!((sequence, &out), (other, &again), "{length}");
        let mut skipped = out.clone();
        assert!(Discard::default().take(&mut skipped) && skipped.is_empty(), "{length}");
        let packet = PacketDecoder::new(length).decode(&mut out).unwrap().unwrap();
        assert!(packet.payload() == payload && out.is_empty(), "{length}");
    }
}

#[test]
fn attack_17_a_payload_over_the_limit_is_refused_before_it_is_there() {
    let mut buffer = BytesMut::from(&[0x65, 0, 0, 0][..]);
    assert_eq!(PacketDecoder::new(100).decode(&mut buffer), Err(WireError::TooLarge { limit: 100 }));
    // The second packet of a payload counts too, and must follow the first.
    let mut buffer = BytesMut::new();
    let mut sequence = 0;
    put_packet(&mut buffer, &mut sequence, &vec![0; MAX_CHUNK]);
    let last = buffer.len() - 4;
    buffer[last] = 9;
    assert!(matches!(
        PacketDecoder::new(MAX_CHUNK + 8).decode(&mut buffer.clone()),
        Err(WireError::TooLarge { .. })
    ));
    buffer[last + 3] = 7;
    assert_eq!(PacketDecoder::new(MAX_CHUNK + 90).decode(&mut buffer), Err(WireError::Order));
}

#[test]
fn a_discard_takes_one_payload_in_any_pieces() {
    let mut whole = BytesMut::new();
    let mut sequence = 0;
    put_packet(&mut whole, &mut sequence, &vec![1; MAX_CHUNK + 5]);
    put_packet(&mut whole, &mut sequence, b"next");
    let mut discard = Discard::default();
    let mut buffer = BytesMut::new();
    let mut done = false;
    for piece in whole.chunks(1_000_003) {
        buffer.extend_from_slice(piece);
        done = done || discard.take(&mut buffer);
    }
    assert!(done);
    assert_eq!(PacketDecoder::new(9).decode(&mut buffer).unwrap().unwrap().payload(), b"next");
}

#[test]
fn ends_of_rows_are_told_from_rows() {
    let done = Done { status: 0x0a, warnings: 3, ..Done::default() };
    for capabilities in [0, cap::DEPRECATE_EOF] {
        let mut out = BytesMut::new();
        done.put_end(&mut out, capabilities);
        assert!(is_end(&out, capabilities));
        assert_eq!(end(&out, capabilities).unwrap(), done);
    }
    assert!(!is_end(&[0xfe; 9], 0), "a row whose first value is very long");
    assert!(!is_end(&vec![0xfe; MAX_CHUNK], cap::DEPRECATE_EOF));
    assert!(done.has_more());
}

#[test]
fn errors_read_back_and_progress_is_told_apart() {
    let failure = Failure { code: 1227, state: Some(*b"42000"), message: b"no".to_vec() };
    let mut out = BytesMut::new();
    failure.put(&mut out);
    assert_eq!(Failure::parse(&out).unwrap(), failure);
    let mut out = BytesMut::new();
    reply::put_progress(&mut out, 1, 1, b"waits");
    assert_eq!(Failure::parse(&out).unwrap().code, reply::PROGRESS);
}

#[test]
fn parameters_are_decoded_and_types_remembered() {
    let types = [
        ParameterType { kind: kind::LONG, unsigned: true },
        ParameterType { kind: kind::VAR_STRING, unsigned: false },
    ];
    let bytes = [
        &[0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0][..],
        &[0, 1, kind::LONG, 0x80, kind::VAR_STRING, 0],
        &[5, 0, 0, 0, 2, b'h', b'i'],
    ]
    .concat();
    let read = Execute::parse(&bytes, 2, None, |_| false).unwrap();
    assert_eq!(read.types.as_deref(), Some(&types[..]));
    assert_eq!(read.values, [Value::Bytes(&[5, 0, 0, 0]), Value::Bytes(b"hi")]);
    // The second execution leaves the types out.
    let again = [&[0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0][..], &[0b10, 0], &[9, 0, 0, 0]].concat();
    assert!(Execute::parse(&again, 2, None, |_| false).is_err());
    let read = Execute::parse(&again, 2, Some(&types), |_| false).unwrap();
    assert_eq!(read.values, [Value::Bytes(&[9, 0, 0, 0]), Value::Null]);
    let sent = [&[0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0][..], &[0, 0], &[9, 0, 0, 0]].concat();
    let read = Execute::parse(&sent, 2, Some(&types), |index| index == 1).unwrap();
    assert_eq!(read.values, [Value::Bytes(&[9, 0, 0, 0]), Value::Sent]);
    for cut in 0..bytes.len() {
        assert!(Execute::parse(&bytes[..cut], 2, None, |_| false).is_err(), "{cut}");
    }
}

/// An execution whose types the server holds already goes on with them: it may hold others.
#[test]
fn an_execution_is_sent_on_with_the_types_that_it_was_read_by() {
    let types = [
        ParameterType { kind: kind::LONG, unsigned: true },
        ParameterType { kind: kind::VAR_STRING, unsigned: false },
    ];
    let came = [&[0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0][..], &[0b00, 0], &[9, 0, 0, 0, 2, b'h', b'i']].concat();
    let read = Execute::parse(&came, 2, Some(&types), |_| false).unwrap();
    let mut out = BytesMut::new();
    read.put(&mut out, 7, &types);
    let wanted = [
        &[0x17, 7, 0, 0, 0, 0, 1, 0, 0, 0][..],
        &[0b00, 1, kind::LONG, 0x80, kind::VAR_STRING, 0],
        &[9, 0, 0, 0, 2, b'h', b'i'],
    ]
    .concat();
    assert_eq!(out, wanted);
    let again = Execute::parse(&out, 2, None, |_| false).unwrap();
    assert_eq!((again.types.as_deref(), again.values), (Some(&types[..]), read.values));
    let none = Execute::parse(&[0x17, 9, 0, 0, 0, 1, 1, 0, 0, 0], 0, None, |_| false).unwrap();
    let mut out = BytesMut::new();
    none.put(&mut out, 7, &[]);
    assert_eq!(&out[..], [0x17, 7, 0, 0, 0, 1, 1, 0, 0, 0]);
}

/// MariaDB takes a bit string or a geometry for NULL and reads the next parameter from where it stands; MySQL
/// takes a year for a text.
#[test]
fn attack_25_types_that_servers_read_differently_are_no_parameters() {
    for of in [kind::NULL, kind::INT24, kind::YEAR, kind::BIT, kind::GEOMETRY] {
        let value = |of: u8| match of {
            kind::INT24 => vec![1; 4],
            kind::YEAR => vec![1; 2],
            kind::NULL => Vec::new(),
            _ => vec![2, b'h', b'i'],
        };
        let execute = |nulls: u8, value: &[u8]| {
            [&[0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0][..], &[nulls, 1, of, 0], value].concat()
        };
        assert!(Execute::parse(&execute(0, &value(of)), 1, None, |_| false).is_err(), "type {of}");
        let bulk = |rest: &[u8]| [&[0xfa, 1, 0, 0, 0, 128, 0, of, 0][..], rest].concat();
        assert!(Bulk::parse(&bulk(&[&[0], &value(of)[..]].concat()), 1, None, 9).is_err(), "type {of}");
        // NULL has no bytes, whatever its type.
        assert_eq!(Execute::parse(&execute(1, &[]), 1, None, |_| false).unwrap().values, [Value::Null]);
        assert_eq!(Bulk::parse(&bulk(&[1]), 1, None, 9).unwrap().values, [Given::Null]);
    }
}

/// Two rows of a number and a text.
fn bulk() -> Vec<u8> {
    [
        &[0xfa, 1, 0, 0, 0, 128, 0][..],
        &[kind::LONG, 0x80, kind::VAR_STRING, 0],
        &[0, 5, 0, 0, 0, 0, 2, b'h', b'i'],
        &[2, 1],
    ]
    .concat()
}

#[test]
fn many_rows_of_parameters_are_decoded_with_their_indicators() {
    let bytes = bulk();
    assert_eq!(Command::parse(&bytes).unwrap(), Command::BulkExecute { statement: 1 });
    let read = Bulk::parse(&bytes, 2, None, 100).unwrap();
    let wanted = [Given::Bytes(&[5, 0, 0, 0]), Given::Bytes(b"hi"), Given::Default, Given::Null];
    assert_eq!((&read.values[..], read.unit_results), (&wanted[..], false));
    let types = read.types.clone().unwrap();
    // Without types: those of the last execution, and with them it goes on.
    let again = [&[0xfa, 1, 0, 0, 0, 64, 0][..], &[3, 0, 1, b'x']].concat();
    assert!(Bulk::parse(&again, 2, None, 100).is_err(), "they were never given");
    let read = Bulk::parse(&again, 2, Some(&types), 100).unwrap();
    assert_eq!(read.values, [Given::Ignore, Given::Bytes(b"x")]);
    assert!(read.unit_results);
    let mut out = BytesMut::new();
    read.put(&mut out, 9, &types);
    let sent = [&[0xfa, 9, 0, 0, 0, 192, 0][..], &[kind::LONG, 0x80, kind::VAR_STRING, 0], &[3, 0, 1, b'x']];
    assert_eq!(&out[..], sent.concat());
}

#[test]
fn many_rows_of_parameters_cut_anywhere_or_with_what_nobody_knows_are_refused() {
    let bytes = bulk();
    for cut in 0..bytes.len() {
        // Behind the first row it is whole again, with a row less.
        let read = Bulk::parse(&bytes[..cut], 2, None, 100);
        assert_eq!(read.map(|read| read.values.len()).ok(), (cut == bytes.len() - 2).then_some(2), "{cut}");
    }
    let with = |place: usize, byte: u8| {
        let mut bytes = bulk();
        bytes[place] = byte;
        Bulk::parse(&bytes, 2, None, 100).is_err()
    };
    for flags in [129, 130, 136, 0x80 | 0x20] {
        assert!(with(5, flags), "flags {flags}");
    }
    assert!(with(6, 1), "flags of the second byte");
    assert!(with(7, 99), "a type that nobody knows");
    for indicator in [4, 5, 0x80, 0xff] {
        assert!(with(11, indicator), "indicator {indicator}");
    }
    assert!(Bulk::parse(&bytes, 0, None, 100).is_err(), "nothing to give values for");
    assert!(Bulk::parse(&[&bytes[..], &[0]].concat(), 2, None, 100).is_err(), "half a row");
    assert_eq!(Bulk::parse(&bytes, 2, None, 3), Err(WireError::TooMany { limit: 3 }));
}

fn rows() -> impl Strategy<Value = Vec<(u8, Option<Vec<u8>>)>> {
    let one = prop_oneof![
        (Just(kind::TINY), prop::option::of(prop::collection::vec(any::<u8>(), 1))),
        (Just(kind::LONGLONG), prop::option::of(prop::collection::vec(any::<u8>(), 8))),
        (Just(kind::DATETIME), prop::option::of(prop::collection::vec(any::<u8>(), 0..12))),
        (Just(kind::VAR_STRING), prop::option::of(prop::collection::vec(any::<u8>(), 0..300))),
    ];
    prop::collection::vec(one, 1..20)
}

proptest! {
    #[test]
    fn rows_read_back_in_both_forms(row in rows()) {
        let mut out = BytesMut::new();
        put_binary_row(&mut out, row.iter().map(|(kind, value)| (*kind, value.as_deref())));
        let read = binary_values(&out, row.iter().map(|(kind, _)| *kind)).unwrap();
        let wanted: Vec<Option<&[u8]>> = row.iter().map(|(_, value)| value.as_deref()).collect();
        prop_assert_eq!(&read, &wanted);
        let mut out = BytesMut::new();
        for value in &wanted {
            put_text_value(&mut out, *value);
        }
        prop_assert_eq!(&text_values(&out, wanted.len()).unwrap(), &wanted);
        prop_assert!(text_values(&out, wanted.len() + 1).is_err());
    }

    #[test]
    fn rows_of_parameters_read_back(rows in prop::collection::vec(rows(), 1..6)) {
        let types: Vec<ParameterType> =
            rows[0].iter().map(|(kind, _)| ParameterType { kind: *kind, unsigned: false }).collect();
        let mut bytes = BytesMut::from(&[0xfa, 1, 0, 0, 0, 128, 0][..]);
        for of in &types {
            bytes.extend_from_slice(&[of.kind, 0]);
        }
        let mut wanted: Vec<Given<'_>> = Vec::new();
        for (index, of) in rows.iter().flat_map(|_| types.iter().enumerate()) {
            // The first row's values, each as its type has it; NULL, the default or nothing where it has none.
            match &rows[0][index].1 {
                Some(value) => {
                    bytes.extend_from_slice(&[0]);
                    match of.kind {
                        kind::DATETIME => bytes.extend_from_slice(&[u8::try_from(value.len()).unwrap()]),
                        kind::VAR_STRING => put_lenenc(&mut bytes, value.len() as u64),
                        _ => {}
                    }
                    bytes.extend_from_slice(value);
                    wanted.push(Given::Bytes(value));
                }
                None => {
                    let (indicator, given) =
                        [(1, Given::Null), (2, Given::Default), (3, Given::Ignore)][index % 3];
                    bytes.extend_from_slice(&[indicator]);
                    wanted.push(given);
                }
            }
        }
        let read = Bulk::parse(&bytes, types.len(), None, 1000).unwrap();
        prop_assert_eq!(&read.values, &wanted);
        let mut out = BytesMut::new();
        read.put(&mut out, 1, &types);
        prop_assert_eq!(&out, &bytes);
        prop_assert!(Bulk::parse(&bytes[..bytes.len() - 1], types.len(), None, 1000).ok() != Some(read));
    }

    #[test]
    fn numbers_read_back(value in any::<u64>()) {
        let mut out = BytesMut::new();
        put_lenenc(&mut out, value);
        let mut reader = Reader::new("number", &out);
        prop_assert_eq!(reader.lenenc().unwrap(), value);
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0_usize..40) {
        let mut seen = 0_usize;
        seen += usize::from(Greeting::parse(&bytes).is_ok());
        seen += usize::from(client_first(&bytes).is_ok());
        seen += usize::from(AuthSwitch::parse(&bytes).is_ok());
        seen += usize::from(Command::parse(&bytes).is_ok());
        seen += usize::from(Execute::parse(&bytes, count, None, |index| index % 2 == 0).is_ok());
        seen += usize::from(Bulk::parse(&bytes, count, None, 64).is_ok());
        seen += usize::from(Column::parse(&bytes).is_ok());
        seen += usize::from(Done::parse(&bytes).is_ok()) + usize::from(Done::parse_eof(&bytes).is_ok());
        seen += usize::from(Failure::parse(&bytes).is_ok()) + usize::from(Prepared::parse(&bytes).is_ok());
        seen += usize::from(column_count(&bytes).is_ok()) + usize::from(text_values(&bytes, count).is_ok());
        seen += usize::from(binary_values(&bytes, vec![kind::LONG; count].into_iter()).is_ok());
        prop_assert!(seen < 15);
    }

    #[test]
    fn packets_do_not_depend_on_how_the_bytes_arrive(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut whole = BytesMut::new();
        let mut sequence = 0;
        for payload in &payloads {
            put_packet(&mut whole, &mut sequence, payload);
        }
        let (one, two) = whole.split_at(cut.index(whole.len() + 1));
        let mut buffer = BytesMut::from(one);
        let mut read = Vec::new();
        for piece in [&[][..], two] {
            buffer.extend_from_slice(piece);
            while let Some(packet) = PacketDecoder::new(100).decode(&mut buffer).unwrap() {
                read.push(packet.payload().to_vec());
            }
        }
        prop_assert_eq!(read, payloads);
    }
}
