//! A client that says what no library says: PostgreSQL frames by hand, in the clear.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::gateway::Gateway;

/// One message with its body.
#[must_use]
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a small message");
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// A message of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub tag: char,
    /// What follows the length.
    pub body: Vec<u8>,
}

/// The fields of an error.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// `C`.
    pub sqlstate: String,
    /// `M`.
    pub message: String,
    /// `D`.
    pub detail: String,
    /// `S`.
    pub severity: String,
}

impl Message {
    /// Reads an error.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        for part in self.body.split(|byte| *byte == 0).filter(|part| !part.is_empty()) {
            let text = String::from_utf8_lossy(&part[1..]).into_owned();
            match part[0] {
                b'C' => fields.sqlstate = text,
                b'M' => fields.message = text,
                b'D' => fields.detail = text,
                b'S' => fields.severity = text,
                _ => {}
            }
        }
        fields
    }

    /// The cells of a row.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let mut cells = Vec::new();
        let mut rest = &self.body[2..];
        while rest.len() >= 4 {
            let length = i32::from_be_bytes(rest[..4].try_into().expect("four bytes"));
            rest = &rest[4..];
            if let Ok(length) = usize::try_from(length) {
                cells.push(String::from_utf8_lossy(&rest[..length]).into_owned());
                rest = &rest[length..];
            } else {
                cells.push(String::new());
            }
        }
        cells
    }
}

/// A connection of frames.
#[derive(Debug)]
pub struct Raw {
    /// The socket.
    pub socket: TcpStream,
    /// The key it was given to cancel with.
    pub key: (u32, Vec<u8>),
    /// What came before ReadyForQuery at start-up.
    pub opening: Vec<Message>,
}

fn text(words: &str) -> Vec<u8> {
    [words.as_bytes(), &[0]].concat()
}

impl Raw {
    /// A socket, nothing said.
    #[must_use]
    pub fn socket(gateway: &Gateway) -> TcpStream {
        let socket = TcpStream::connect(gateway.address).expect("the gateway listens");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        socket.set_nodelay(true).expect("no delay");
        socket
    }

    /// A connection to an address, nothing said.
    #[must_use]
    pub fn at(address: std::net::SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("somebody listens");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        socket.set_nodelay(true).expect("no delay");
        Self { socket, key: (0, Vec::new()), opening: Vec::new() }
    }

    /// A start-up packet of a version with parameters.
    #[must_use]
    pub fn startup(version: u32, parameters: &[(&str, &str)]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        for (name, value) in parameters {
            body.extend(text(name));
            body.extend(text(value));
        }
        body.push(0);
        let length = u32::try_from(body.len() + 4).expect("a small message");
        [&length.to_be_bytes()[..], &body].concat()
    }

    /// Opens a session with the server itself, to compare.
    #[must_use]
    pub fn direct(gateway: &Gateway) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", gateway.cluster.port)).expect("the server listens");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        let mut raw = Self { socket, key: (0, Vec::new()), opening: Vec::new() };
        raw.send(&Self::startup(0x0003_0000, &[("user", "direct"), ("database", &gateway.database)]));
        raw.sign_in("direct-secret").unwrap_or_else(|error| panic!("{error:?}"));
        raw
    }

    /// Opens a session as a principal. Panics with the error when it is refused.
    #[must_use]
    #[track_caller]
    pub fn open(gateway: &Gateway, who: &str) -> Self {
        Self::try_open(gateway, who, 0x0003_0000, &[]).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Opens a session with more words at start-up.
    ///
    /// # Errors
    /// The error it was refused with.
    pub fn try_open(
        gateway: &Gateway,
        who: &str,
        version: u32,
        more: &[(&str, &str)],
    ) -> Result<Self, Fields> {
        let mut raw = Self { socket: Self::socket(gateway), key: (0, Vec::new()), opening: Vec::new() };
        let parameters = [&[("user", "raw"), ("database", "shop-prod")], more].concat();
        raw.send(&Self::startup(version, &parameters));
        raw.sign_in(&gateway.token(who))?;
        Ok(raw)
    }

    /// Answers the question for a password and reads until ready.
    ///
    /// # Errors
    /// The error it was refused with.
    pub fn sign_in(&mut self, token: &str) -> Result<(), Fields> {
        self.until_let_in(Some(token))
    }

    /// The same when the question for a password has been read already.
    ///
    /// # Errors
    /// The error it was refused with.
    pub fn sign_in_with(&mut self, token: &str) -> Result<(), Fields> {
        self.send(&frame(b'p', &text(token)));
        self.until_let_in(None)
    }

    fn until_let_in(&mut self, token: Option<&str>) -> Result<(), Fields> {
        loop {
            let message = self.read().ok_or_else(|| Fields {
                message: "the connection was closed".to_owned(),
                ..Fields::default()
            })?;
            match message.tag {
                'R' if message.body[..4] == [0, 0, 0, 3] => {
                    self.send(&frame(b'p', &text(token.expect("it is asked once"))));
                }
                'E' => return Err(message.fields()),
                'K' => {
                    let pid = u32::from_be_bytes(message.body[..4].try_into().expect("four bytes"));
                    self.key = (pid, message.body[4..].to_vec());
                }
                'Z' => return Ok(()),
                _ => self.opening.push(message),
            }
        }
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        // The other side may have closed already; then reading tells.
        let _closed = self.socket.write_all(bytes);
    }

    /// The next message, or nothing when the connection has ended.
    pub fn read(&mut self) -> Option<Message> {
        let mut head = [0_u8; 5];
        match self.socket.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the gateway says nothing")
            }
            Err(_) => return None,
        }
        let length = u32::from_be_bytes(head[1..].try_into().expect("four bytes"));
        let mut body = vec![0; usize::try_from(length).expect("a length") - 4];
        self.socket.read_exact(&mut body).ok()?;
        Some(Message { tag: char::from(head[0]), body })
    }

    /// Messages up to and with ReadyForQuery, or to the end of the connection.
    pub fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.read() {
            let ready = message.tag == 'Z';
            messages.push(message);
            if ready {
                break;
            }
        }
        messages
    }

    /// A simple query with all that it is answered.
    pub fn query(&mut self, sql: &str) -> Vec<Message> {
        self.send(&frame(b'Q', &text(sql)));
        self.until_ready()
    }

    /// A simple query that must succeed; its rows.
    #[track_caller]
    pub fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let messages = self.query(sql);
        if let Some(error) = Self::error(&messages) {
            panic!("{sql}: {error:?}");
        }
        messages.iter().filter(|it| it.tag == 'D').map(Message::cells).collect()
    }

    /// The error among messages.
    #[must_use]
    pub fn error(messages: &[Message]) -> Option<Fields> {
        messages.iter().find(|it| it.tag == 'E').map(Message::fields)
    }

    /// The types of messages, as a word.
    #[must_use]
    pub fn tags(messages: &[Message]) -> String {
        messages.iter().map(|it| it.tag).filter(|tag| !"SN".contains(*tag)).collect()
    }

    /// The transaction status that ends these messages.
    #[must_use]
    pub fn status(messages: &[Message]) -> char {
        let last = messages.last().expect("an answer");
        assert_eq!(last.tag, 'Z', "{messages:?}");
        char::from(last.body[0])
    }

    /// Parse.
    #[must_use]
    pub fn parse(name: &str, sql: &str) -> Vec<u8> {
        frame(b'P', &[text(name), text(sql), vec![0, 0]].concat())
    }

    /// Bind with text parameters.
    #[must_use]
    pub fn bind(portal: &str, statement: &str, values: &[&str]) -> Vec<u8> {
        let mut body = [text(portal), text(statement), vec![0, 0]].concat();
        body.extend(u16::try_from(values.len()).expect("few").to_be_bytes());
        for value in values {
            body.extend(u32::try_from(value.len()).expect("short").to_be_bytes());
            body.extend(value.as_bytes());
        }
        body.extend([0, 0]);
        frame(b'B', &body)
    }

    /// Execute, all rows.
    #[must_use]
    pub fn execute(portal: &str) -> Vec<u8> {
        frame(b'E', &[text(portal), vec![0; 4]].concat())
    }

    /// Describe of a portal.
    #[must_use]
    pub fn describe(portal: &str) -> Vec<u8> {
        frame(b'D', &[vec![b'P'], text(portal)].concat())
    }

    /// Close of a statement.
    #[must_use]
    pub fn close(statement: &str) -> Vec<u8> {
        frame(b'C', &[vec![b'S'], text(statement)].concat())
    }

    /// Sync.
    #[must_use]
    pub fn sync() -> Vec<u8> {
        frame(b'S', &[])
    }

    /// A cancel request under a key, on a connection of its own.
    pub fn cancel(gateway: &Gateway, pid: u32, secret: &[u8]) {
        let mut socket = Self::socket(gateway);
        let length = u32::try_from(12 + secret.len()).expect("short");
        let packet =
            [&length.to_be_bytes()[..], &80_877_102_u32.to_be_bytes(), &pid.to_be_bytes(), secret].concat();
        socket.write_all(&packet).expect("the request");
        let mut end = Vec::new();
        drop(socket.read_to_end(&mut end));
        assert!(end.is_empty(), "a cancel request is not answered");
    }
}
