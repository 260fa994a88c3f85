//! The codec's laws: whatever is written reads back; a stream may be cut anywhere; no bytes panic.

use bytes::{BufMut as _, BytesMut};
use proptest::prelude::*;

use super::frontend::{FrontendMessage, Subject};
use super::startup::StartupPacket;
use super::*;

/// Feeds `stream` cut at `cuts` and returns the frames.
fn feed(stream: &[u8], cuts: &[usize]) -> Vec<Frame> {
    let decoder = FrameDecoder::new(1 << 20);
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([stream.len()]) {
        buffer.put_slice(&stream[from..cut.max(from)]);
        from = cut.max(from);
        while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
            frames.push(frame);
        }
    }
    assert!(buffer.is_empty());
    frames
}

fn conversation() -> BytesMut {
    let mut out = BytesMut::new();
    frontend::parse_statement(&mut out, b"s1", b"select $1");
    frontend::bind(&mut out, b"p", b"s1");
    frontend::describe(&mut out, Subject::Portal, b"p");
    frontend::execute(&mut out, b"p", 7);
    frontend::close(&mut out, Subject::Statement, b"s1");
    frontend::sync(&mut out);
    frontend::query(&mut out, b"select 1; select 2");
    frontend::copy_fail(&mut out, b"no");
    frontend::terminate(&mut out);
    out
}

#[test]
fn a_stream_split_at_every_byte_gives_the_same_frames() {
    let stream = conversation();
    let whole = feed(&stream, &[]);
    assert_eq!(whole.len(), 9);
    for cut in 0..=stream.len() {
        assert_eq!(feed(&stream, &[cut]), whole, "cut at {cut}");
    }
    let every: Vec<usize> = (0..stream.len()).collect();
    assert_eq!(feed(&stream, &every), whole);
}

#[test]
fn messages_read_back_as_written() {
    let frames = feed(&conversation(), &[]);
    let messages: Vec<_> = frames.iter().map(|frame| frontend::parse(frame).unwrap()).collect();
    assert_eq!(messages[0], FrontendMessage::Parse { name: b"s1", text: b"select $1", types: vec![] });
    assert_eq!(messages[2], FrontendMessage::Describe(Subject::Portal, b"p"));
    assert_eq!(messages[3], FrontendMessage::Execute { portal: b"p", max_rows: 7 });
    assert_eq!(messages[5], FrontendMessage::Sync);
    assert_eq!(messages[6], FrontendMessage::Query(b"select 1; select 2"));
    assert_eq!(messages[8].name(), "Terminate");
}

#[test]
fn a_start_up_split_at_every_byte_is_the_same_packet() {
    let mut stream = BytesMut::new();
    startup::encode_startup(&mut stream, &[("user", "u"), ("database", "shop-prod")]);
    for cut in 0..stream.len() {
        let mut buffer = BytesMut::from(&stream[..cut]);
        assert_eq!(startup::decode(&mut buffer).unwrap(), None);
        buffer.put_slice(&stream[cut..]);
        let packet = startup::decode(&mut buffer).unwrap().unwrap();
        let StartupPacket::Startup { major: 3, minor: 0, parameters } = packet else { panic!("{packet:?}") };
        assert_eq!(parameters.len(), 2);
    }
}

#[test]
fn huge_and_negative_lengths_are_refused_before_any_memory_is_taken() {
    let decoder = FrameDecoder::new(1000);
    for length in [-1_i32, 0, 3] {
        let mut buffer = BytesMut::new();
        buffer.put_u8(b'Q');
        buffer.put_i32(length);
        assert_eq!(decoder.decode(&mut buffer), Err(WireError::BadLength));
    }
    let mut buffer = BytesMut::new();
    buffer.put_u8(b'Q');
    buffer.put_i32(i32::MAX);
    assert_eq!(decoder.decode(&mut buffer), Err(WireError::TooLarge { tag: b'Q', limit: 1000 }));
    let mut start = BytesMut::new();
    start.put_i32(i32::MAX);
    assert!(startup::decode(&mut start).is_err());
}

#[test]
fn a_query_with_bytes_after_its_nul_is_malformed() {
    let mut out = BytesMut::new();
    let mark = start_frame(&mut out, b'Q');
    out.put_slice(b"select 1\0drop table t\0");
    finish_frame(&mut out, mark);
    let frames = feed(&out, &[]);
    assert_eq!(frontend::parse(&frames[0]), Err(WireError::Malformed { tag: b'Q' }));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let decoder = FrameDecoder::new(300);
        let mut buffer = BytesMut::from(&bytes[..]);
        while let Ok(Some(frame)) = decoder.decode(&mut buffer) {
            frontend::parse(&frame).ok();
            backend::row_description(&frame).ok();
            backend::error_fields(&frame).ok();
            backend::data_row(&frame).ok();
            backend::parameter_description(&frame).ok();
            backend::parameter_status(&frame).ok();
        }
        let mut start = BytesMut::from(&bytes[..]);
        startup::decode(&mut start).ok();
    }

    #[test]
    fn bodies_of_every_type_never_panic(tag in any::<u8>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut out = BytesMut::new();
        let mark = start_frame(&mut out, tag);
        out.put_slice(&body);
        finish_frame(&mut out, mark);
        let frame = feed(&out, &[]).remove(0);
        prop_assert_eq!(frame.body(), &body[..]);
        frontend::parse(&frame).ok();
        backend::row_description(&frame).ok();
        backend::error_fields(&frame).ok();
        backend::data_row(&frame).ok();
    }

    #[test]
    fn random_cuts_change_nothing(mut cuts in proptest::collection::vec(0_usize..120, 0..8)) {
        let stream = conversation();
        cuts.iter_mut().for_each(|cut| *cut %= stream.len());
        cuts.sort_unstable();
        prop_assert_eq!(feed(&stream, &cuts), feed(&stream, &[]));
    }

    #[test]
    fn error_fields_round_trip(fields in proptest::collection::vec((1_u8..=255, "[^\0]{0,20}"), 0..6)) {
        let mut out = BytesMut::new();
        backend::put_error_fields(&mut out, b'E', &fields);
        let frame = feed(&out, &[]).remove(0);
        let expected: Vec<(u8, Vec<u8>)> = fields.into_iter().map(|(c, t)| (c, t.into_bytes())).collect();
        prop_assert_eq!(backend::error_fields(&frame).unwrap(), expected);
    }
}
