//! B 12 and 14: before anybody is known, and who does not come that far.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use sallyport_e2e::{Gateway, Kind, Options, Policy, Raw, Session, eventually};

use crate::{AGENT, OPEN, open};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const GSS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];

fn answer(socket: &mut std::net::TcpStream, bytes: usize) -> Vec<u8> {
    let mut answer = vec![0; bytes];
    match socket.read_exact(&mut answer) {
        Ok(()) => answer,
        Err(_) => Vec::new(),
    }
}

#[test]
fn gss_encryption_is_declined_once_and_tls_may_follow() {
    let gateway = Gateway::start();
    let mut socket = Raw::socket(&gateway);
    socket.write_all(&GSS_REQUEST).expect("sent");
    assert_eq!(answer(&mut socket, 1), b"N");
    socket.write_all(&SSL_REQUEST).expect("sent");
    assert_eq!(answer(&mut socket, 1), b"S");
    let mut socket = Raw::socket(&gateway);
    socket.write_all(&GSS_REQUEST).expect("sent");
    assert_eq!(answer(&mut socket, 1), b"N");
    socket.write_all(&GSS_REQUEST).expect("sent");
    assert!(answer(&mut socket, 1).is_empty(), "the second time the connection ends");
}

#[test]
fn what_is_sent_before_tls_is_not_taken_for_said_inside_it() {
    let gateway = Gateway::start();
    let mut socket = Raw::socket(&gateway);
    let startup = Raw::startup(0x0003_0000, &[("user", "x"), ("database", "shop-prod")]);
    socket.write_all(&[&SSL_REQUEST[..], &startup].concat()).expect("sent");
    let mut said = Vec::new();
    let _reset = socket.read_to_end(&mut said);
    assert!(said.is_empty() || said[0] == b'S', "{said:?}");
    assert!(!said.contains(&b'R'), "no authentication is asked for");
    assert!(!gateway.log().contains("session opened"));
}

#[test]
fn plain_text_is_refused_before_a_token_is_asked_for() {
    let gateway = Gateway::start();
    let mut raw = Raw { socket: Raw::socket(&gateway), key: (0, Vec::new()), opening: Vec::new() };
    raw.send(&Raw::startup(0x0003_0000, &[("user", "x"), ("database", "shop-prod")]));
    let message = raw.read().expect("a refusal");
    assert_eq!((message.tag, message.fields().sqlstate.as_str()), ('E', "28000"));
    assert!(raw.read().is_none());
}

#[test]
fn start_up_packets_of_every_bad_length_are_dropped_quickly() {
    let gateway = open();
    for bytes in [
        vec![0, 0, 0, 0],
        vec![0, 0, 0, 7, 0, 3, 0],
        vec![0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0],
        vec![0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        [&[0, 0, 0, 12, 0, 3, 0, 0][..], b"user"].concat(),
    ] {
        let mut socket = Raw::socket(&gateway);
        socket.write_all(&bytes).expect("sent");
        let mut said = Vec::new();
        let started = Instant::now();
        let _reset = socket.read_to_end(&mut said);
        assert!(started.elapsed() < Duration::from_secs(5), "{bytes:?}");
        assert!(said.is_empty() || said[0] == b'E', "{bytes:?}: {said:?}");
    }
    let mut raw = Raw::open(&gateway, AGENT);
    assert_eq!(raw.rows("select 1"), [["1"]]);
}

#[test]
fn silent_and_slow_callers_hold_up_nobody_and_are_closed_at_the_deadline() {
    let gateway = Gateway::with(Options { limits: "handshake = \"3s\"", ..Options::default() });
    let silent = Raw::socket(&gateway);
    let mut slow_tls = Raw::socket(&gateway);
    slow_tls.write_all(&SSL_REQUEST).expect("sent");
    assert_eq!(answer(&mut slow_tls, 1), b"S");
    slow_tls.write_all(&[22, 3, 1]).expect("a part of a hello");
    let mut half = Raw::socket(&gateway);
    half.write_all(&[0, 0]).expect("half a length");
    let started = Instant::now();
    assert_eq!(Session::open(&gateway, Kind::Psql, AGENT).run("select 1").ok(), "1\n");
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    for mut socket in [silent, slow_tls, half] {
        let mut said = Vec::new();
        let _reset = socket.read_to_end(&mut said);
        assert!(started.elapsed() < Duration::from_secs(8), "closed at the deadline");
        assert!(!said.contains(&b'R'));
    }
}

#[test]
fn one_address_cannot_take_every_connection() {
    let gateway = Gateway::with(Options {
        policy: Policy::Only(OPEN),
        tls: false,
        limits: "max_connections_per_address = 3",
        ..Options::default()
    });
    let held: Vec<_> = (0..3).map(|_| Raw::open(&gateway, AGENT)).collect();
    let mut fourth = Raw::socket(&gateway);
    let _reset = fourth.write_all(&Raw::startup(0x0003_0000, &[("user", "x"), ("database", "shop-prod")]));
    let mut said = Vec::new();
    let _reset = fourth.read_to_end(&mut said);
    assert!(said.is_empty(), "past the limit nothing is answered: {said:?}");
    drop(held);
    eventually("a place is free again", || {
        Raw::try_open(&gateway, AGENT, 0x0003_0000, &[]).is_ok().then_some(())
    });
}
