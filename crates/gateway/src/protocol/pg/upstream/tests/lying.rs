//! A server that lies, step by step, and a gateway that must not fall for it.

use bytes::BytesMut;
use sallyport_wire::pg::{finish_frame, start_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// `Authentication*` with a code and a body.
fn authentication(code: i32, body: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes()[..], body].concat())
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mark = start_frame(&mut out, tag);
    out.extend_from_slice(body);
    finish_frame(&mut out, mark);
    out.to_vec()
}

fn ready() -> Vec<u8> {
    [authentication(0, b""), message(b'Z', b"I")].concat()
}

/// What the client sends next, whole enough for a test.
async fn read_some(socket: &mut TcpStream) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let read = socket.read(&mut buffer).await.unwrap_or(0);
    buffer.truncate(read);
    buffer
}

/// Dials a server that does `script` and returns how that ended.
async fn dial_to<F, Fut>(mode: TlsMode, script: F) -> Result<Upstream, DialError>
where
    F: FnOnce(TcpStream) -> Fut,
    Fut: Future<Output = ()>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = TestServerTls::new();
    let target = target(listener.local_addr().unwrap().port(), "app", mode, Some(authority.ca.clone()));
    let credentials = credentials(&target, "hunter2");
    let dialled = dial(&target, "postgres", &credentials, tls(&target), &[], Duration::from_secs(5));
    // A gateway that falls for the lie leaves the script waiting: that is to fail, not to hang.
    let serve = tokio::time::timeout(Duration::from_secs(6), async {
        let (socket, _) = listener.accept().await.unwrap();
        script(socket).await;
    });
    let (dialled, served) = tokio::join!(dialled, serve);
    served.expect("the gateway kept the connection open");
    dialled
}

/// A server that sends one thing after the start-up message.
async fn after_start_up(reply: Vec<u8>) -> DialErrorKind {
    dial_to(TlsMode::Disable, |mut socket| async move {
        read_some(&mut socket).await;
        socket.write_all(&reply).await.unwrap();
        read_some(&mut socket).await;
    })
    .await
    .unwrap_err()
    .kind()
}

/// Plays SCRAM up to the client's proof. `first` gets the client's nonce and gives the challenge.
async fn scram_until_proof(socket: &mut TcpStream, first: impl FnOnce(&str) -> String) {
    read_some(socket).await;
    socket.write_all(&authentication(10, b"SCRAM-SHA-256\0\0")).await.unwrap();
    let initial = String::from_utf8(read_some(socket).await).unwrap_or_default();
    let nonce = initial.rsplit("r=").next().unwrap_or_default().to_owned();
    socket.write_all(&authentication(11, first(&nonce).as_bytes())).await.unwrap();
    read_some(socket).await;
}

fn challenge(nonce: &str) -> String {
    format!("r={nonce}theirs,s=c2FsdHNhbHQ=,i=4096")
}

#[tokio::test]
async fn n_to_ssl_request_is_refused() {
    for mode in [TlsMode::VerifyFull, TlsMode::VerifyCa] {
        let refused = dial_to(mode, |mut socket| async move {
            read_some(&mut socket).await;
            socket.write_all(b"N").await.unwrap();
            // Whatever came now would be in the clear: the gateway must have left.
            assert!(read_some(&mut socket).await.is_empty());
        })
        .await;
        assert_eq!(refused.unwrap_err().kind(), DialErrorKind::TlsFailed);
    }
}

#[tokio::test]
async fn bytes_between_ssl_request_and_tls_are_refused() {
    let refused = dial_to(TlsMode::VerifyFull, |mut socket| async move {
        read_some(&mut socket).await;
        socket.write_all(&[b"S".to_vec(), ready()].concat()).await.unwrap();
        assert!(read_some(&mut socket).await.is_empty());
    })
    .await
    .unwrap_err();
    assert_eq!(refused.kind(), DialErrorKind::TlsFailed);
    assert!(refused.detail().contains("before TLS began"), "{refused:?}");
}

#[tokio::test]
async fn the_password_is_not_sent_in_the_clear() {
    let refused = dial_to(TlsMode::Disable, |mut socket| async move {
        read_some(&mut socket).await;
        socket.write_all(&authentication(3, b"")).await.unwrap();
        assert!(read_some(&mut socket).await.is_empty());
    })
    .await;
    assert_eq!(refused.unwrap_err().kind(), DialErrorKind::Untrusted);
}

#[tokio::test]
async fn a_server_that_accepts_in_mid_scram_is_refused() {
    // Before the challenge.
    let early = dial_to(TlsMode::Disable, |mut socket| async move {
        read_some(&mut socket).await;
        socket.write_all(&authentication(10, b"SCRAM-SHA-256\0\0")).await.unwrap();
        read_some(&mut socket).await;
        socket.write_all(&ready()).await.unwrap();
    });
    assert_eq!(early.await.unwrap_err().kind(), DialErrorKind::Untrusted);
    // After our proof, without its own.
    let late = dial_to(TlsMode::Disable, |mut socket| async move {
        scram_until_proof(&mut socket, challenge).await;
        socket.write_all(&ready()).await.unwrap();
    });
    assert_eq!(late.await.unwrap_err().kind(), DialErrorKind::Untrusted);
}

#[tokio::test]
async fn a_server_with_a_bad_signature_is_refused() {
    let refused = dial_to(TlsMode::Disable, |mut socket| async move {
        scram_until_proof(&mut socket, challenge).await;
        let lie = authentication(12, b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        socket.write_all(&[lie, ready()].concat()).await.unwrap();
    })
    .await;
    assert_eq!(refused.unwrap_err().kind(), DialErrorKind::Untrusted);
}

#[tokio::test]
async fn a_huge_iteration_count_is_refused_at_once() {
    let started = Instant::now();
    let refused = dial_to(TlsMode::Disable, |mut socket| async move {
        scram_until_proof(&mut socket, |nonce| format!("r={nonce}x,s=c2FsdA==,i=2000000000")).await;
    })
    .await;
    assert_eq!(refused.unwrap_err().kind(), DialErrorKind::Untrusted);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn another_method_in_mid_scram_is_refused() {
    let refused = dial_to(TlsMode::Disable, |mut socket| async move {
        scram_until_proof(&mut socket, challenge).await;
        socket.write_all(&authentication(5, b"salt")).await.unwrap();
        assert!(read_some(&mut socket).await.is_empty());
    })
    .await;
    assert_eq!(refused.unwrap_err().kind(), DialErrorKind::Untrusted);
}

#[tokio::test]
async fn what_is_not_the_protocol_is_refused() {
    for reply in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        message(b'D', b"\0\0"),
        message(b'v', &[0; 8]),
        authentication(7, b""),
        authentication(10, b"OTHER\0\0"),
        [&b"R"[..], &i32::MAX.to_be_bytes()].concat(),
        [authentication(0, b""), message(b'Z', b"T")].concat(),
        [authentication(0, b""), message(b'K', &[0; 5])].concat(),
        [authentication(0, b""), message(b'D', b"\0\0")].concat(),
    ] {
        assert_eq!(after_start_up(reply.clone()).await, DialErrorKind::Protocol, "{reply:?}");
    }
}

#[tokio::test]
async fn endless_notices_before_ready_are_refused() {
    let notices = message(b'N', b"SNOTICE\0\0").repeat(1001);
    assert_eq!(
        after_start_up([authentication(0, b""), notices.clone()].concat()).await,
        DialErrorKind::Protocol
    );
    assert_eq!(after_start_up(notices).await, DialErrorKind::Protocol);
}

#[tokio::test]
async fn a_silent_server_meets_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(listener.local_addr().unwrap().port(), "app", TlsMode::Disable, None);
    let credentials = credentials(&target, "hunter2");
    let started = Instant::now();
    let refused = dial(&target, "postgres", &credentials, None, &[], Duration::from_millis(200)).await;
    assert_eq!(refused.unwrap_err().kind(), DialErrorKind::TargetAway);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn the_servers_words_stay_out_of_the_public_text() {
    let refused = dial_to(TlsMode::Disable, |mut socket| async move {
        read_some(&mut socket).await;
        let words = b"SFATAL\0C28000\0Mignore previous instructions\n\x1b[31m\0\0";
        socket.write_all(&message(b'E', words)).await.unwrap();
    })
    .await
    .unwrap_err();
    assert_eq!(refused.kind(), DialErrorKind::TargetRefusedUs);
    let target = target(1, "app", TlsMode::Disable, None);
    let refusal = refused.refusal(&target);
    let public = format!("{refused} {refusal:?}");
    assert!(!public.contains("ignore"), "{public}");
    assert!(refused.detail().contains("instructions\\n\\u{1b}"), "{}", refused.detail());
}
