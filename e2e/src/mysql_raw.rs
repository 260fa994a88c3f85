//! A client of MySQL's protocol that sends what no driver would, byte by byte, without TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::mysql::MysqlGateway;

/// What every client of today claims: long flags, a database, protocol 4.1, transactions, several results,
/// plugins.
pub const CLAIMS: u32 =
    4 | 8 | (1 << 9) | (1 << 13) | (1 << 15) | (1 << 16) | (1 << 17) | (1 << 18) | (1 << 19) | (1 << 24);

/// A connection.
#[derive(Debug)]
pub struct MysqlRaw {
    socket: TcpStream,
    /// The number of the next packet.
    pub sequence: u8,
}

impl MysqlRaw {
    /// Connects and reads the greeting.
    pub fn greeted(gateway: &MysqlGateway) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", gateway.port)).expect("the listener");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        socket.set_nodelay(true).expect("no delay");
        let mut raw = Self { socket, sequence: 0 };
        let greeting = raw.receive().expect("a greeting");
        assert_eq!(greeting.first(), Some(&10), "{greeting:?}");
        raw
    }

    /// The packet in which a client says what it wants.
    pub fn response(claims: u32) -> Vec<u8> {
        let mut out = claims.to_le_bytes().to_vec();
        out.extend_from_slice(&(64_u32 << 20).to_le_bytes());
        out.push(45);
        out.extend_from_slice(&[0; 23]);
        out.extend_from_slice(b"anybody\0\0shop-prod\0mysql_native_password\0");
        out
    }

    /// The same with a collation, by its number.
    pub fn response_in(collation: u8) -> Vec<u8> {
        let mut out = Self::response(CLAIMS);
        out[8] = collation;
        out
    }

    /// The same with capabilities of MariaDB's own.
    pub fn response_of_mariadb(extended: u32) -> Vec<u8> {
        let mut out = Self::response(CLAIMS);
        out[28..32].copy_from_slice(&extended.to_le_bytes());
        out
    }

    /// The same of a client that begins with another plugin and its data.
    pub fn response_by(plugin: &str, data: &[u8]) -> Vec<u8> {
        let mut out = Self::response(CLAIMS);
        out.truncate(32);
        out.extend_from_slice(b"anybody\0");
        out.push(u8::try_from(data.len()).expect("short data"));
        out.extend_from_slice(data);
        out.extend_from_slice(b"shop-prod\0");
        out.extend_from_slice(plugin.as_bytes());
        out.push(0);
        out
    }

    /// Connects and signs in with these claims.
    pub fn signed_in(gateway: &MysqlGateway, claims: u32, token: &str) -> Result<Self, String> {
        Self::signed_in_by(gateway, &Self::response(claims), token)
    }

    /// The same by a whole response.
    pub fn signed_in_by(gateway: &MysqlGateway, response: &[u8], token: &str) -> Result<Self, String> {
        let mut raw = Self::greeted(gateway);
        raw.send(response);
        let switch = raw.receive().ok_or("closed")?;
        if switch.first() == Some(&0xff) {
            return Err(String::from_utf8_lossy(&switch).into_owned());
        }
        assert_eq!(switch.first(), Some(&0xfe), "it asks for the token: {switch:?}");
        raw.send(&[token.as_bytes(), b"\0"].concat());
        match raw.receive() {
            Some(ok) if ok.first() == Some(&0) => Ok(raw),
            Some(other) => Err(String::from_utf8_lossy(&other).into_owned()),
            None => Err("closed".to_owned()),
        }
    }

    /// Connects and signs in as a principal.
    #[track_caller]
    pub fn open(gateway: &MysqlGateway, who: &str) -> Self {
        Self::signed_in(gateway, CLAIMS, &gateway.token(who)).expect("it is let in")
    }

    /// Sends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        // A peer that has closed says so when it is read from.
        let _gone = self.socket.write_all(bytes);
    }

    /// Sends one packet with the next number.
    pub fn send(&mut self, payload: &[u8]) {
        let bytes = framed(self.sequence, payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.bytes(&bytes);
    }

    /// Begins a command.
    pub fn command(&mut self, payload: &[u8]) {
        self.sequence = 0;
        self.send(payload);
    }

    /// The next packet; nothing when the peer has closed, or says nothing for long.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let mut header = [0; 4];
        self.socket.read_exact(&mut header).ok()?;
        let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload).ok()?;
        self.sequence = header[3].wrapping_add(1);
        Some(payload)
    }

    /// Prepares a text; gives the statement's number as it goes over the wire.
    #[track_caller]
    pub fn prepare(&mut self, text: &str) -> [u8; 4] {
        self.command(&[b"\x16", text.as_bytes()].concat());
        let prepared = self.receive().expect("an answer");
        assert_eq!(prepared[0], 0, "{}", String::from_utf8_lossy(&prepared));
        let count = |at: usize| u16::from_le_bytes([prepared[at], prepared[at + 1]]);
        for _definition in 0..count(5) + count(7) {
            self.receive().expect("a definition");
        }
        prepared[1..5].try_into().expect("four bytes")
    }

    /// Sends a command; gives everything up to the end of its first result.
    pub fn answer(&mut self, payload: &[u8]) -> Vec<u8> {
        self.command(payload);
        let mut said = Vec::new();
        loop {
            let Some(packet) = self.receive() else { return said };
            let first = said.is_empty();
            said.extend_from_slice(&packet);
            match packet.first() {
                Some(0xff) => return said,
                Some(0) if first => return said,
                Some(0xfe) if packet.len() < 64 => return said,
                _ => {}
            }
        }
    }

    /// Sends a command; gives the number of its error, 0 for anything else, nothing when the peer closed.
    pub fn ask(&mut self, payload: &[u8]) -> Option<u16> {
        self.command(payload);
        self.error_number()
    }

    /// The number of the error that comes next; results are read to their end.
    pub fn error_number(&mut self) -> Option<u16> {
        let first = self.receive()?;
        match first.first() {
            Some(0xff) => Some(u16::from_le_bytes([first[1], first[2]])),
            Some(0 | 0xfe) | None => Some(0),
            Some(_) => loop {
                let packet = self.receive()?;
                match packet.first() {
                    Some(0xff) => return Some(u16::from_le_bytes([packet[1], packet[2]])),
                    Some(0xfe) if packet.len() < 64 => return Some(0),
                    _ => {}
                }
            },
        }
    }

    /// Whether the connection still answers.
    pub fn lives(&mut self) -> bool {
        self.ask(&[0x0e]) == Some(0) && self.ask(b"\x03SELECT 1") == Some(0)
    }

    /// How long until the peer closes, while nothing is said.
    pub fn closed_after(&mut self) -> Duration {
        let begun = std::time::Instant::now();
        let mut byte = [0];
        while matches!(self.socket.read(&mut byte), Ok(1)) {}
        begun.elapsed()
    }
}

/// One packet.
#[must_use]
pub fn framed(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a length").to_le_bytes();
    let mut out = vec![length[0], length[1], length[2], sequence];
    out.extend_from_slice(payload);
    out
}
