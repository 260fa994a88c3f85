//! Sign-in against a double of MySQL 8 and of MariaDB 11.6, written from their protocol documents: no such server
//! is among the tests.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sallyport_core::{CredentialRef, TlsSettings};
use sallyport_wire::mysql::handshake::{ClientFirst, client_first};
use sallyport_wire::mysql::put_packet;
use sallyport_wire::mysql::reply::{Done, Failure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;
use crate::downstream::Downstream;

const PASSWORD: &str = "hunter2";
const SCRAMBLE: [u8; 20] = *b"abcdefghijklmnopqrst";
/// The random bytes of a server with `parsec`.
const PARSEC: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ01234\0";
const SALT: &str = "lhXyNv1cIxpB8EnTxR7ON7S7";
/// What the server stores for the password and the salt, by factor; by Python's hashlib and cryptography.
const STORED_0: &str = "ILvS/oZMgNwBPs13UUdsZaWnAw/rVHm0ZWNvtHsGsto=";
const STORED_3: &str = "CHukYpmPBH5/FEmIp54cudSiVcuqV0XF7ZexlRDjjDc=";

/// What the double says once it has the client's response.
#[derive(Clone, Debug)]
enum Step {
    /// `AuthMoreData`
    More(Vec<u8>),
    /// Its public key, as `AuthMoreData`.
    Key,
    /// `AuthSwitchRequest` to this plugin.
    Switch(&'static str),
    /// Anything else, as it is.
    Raw(Vec<u8>),
    /// The next packet must be this.
    Wants(Vec<u8>),
    /// The next packet must be the password under the public key.
    WantsSealed,
    /// `AuthSwitchRequest` to `parsec`, whose scramble ends in a NUL.
    Parsec,
    /// The extended salt of this factor, as MariaDB sends it, or as `AuthMoreData`.
    Salt(u8, bool),
    /// The next packet must be signed with this public key.
    WantsSigned(&'static str),
    /// OK.
    Done,
}

/// How a sign-in went: what the gateway made of it, and what it sent first (plugin, answer).
struct Went {
    result: Result<(), DialErrorKind>,
    first: (String, Vec<u8>),
}

/// The answer that `caching_sha2_password` wants.
fn fast() -> Vec<u8> {
    let once = digest(&SHA256, PASSWORD.as_bytes());
    let twice = digest(&SHA256, once.as_ref());
    let mask = digest(&SHA256, &[twice.as_ref(), &SCRAMBLE].concat());
    once.as_ref().iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect()
}

/// A certificate for the double and the configuration that trusts it.
fn tls_pair() -> (TlsAcceptor, Arc<ClientConfig>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let made =
        rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = made.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(der.clone()).unwrap();
    let private = tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = crate::tls::provider;
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der], private)
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), Arc::new(client))
}

async fn play(plugin: &str, tls: bool, steps: Vec<Step>) -> Went {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (acceptor, config) = tls_pair();
    let greeting = Greeting {
        version: b"8.4.3".to_vec(),
        connection: 7,
        scramble: SCRAMBLE,
        capabilities: ALWAYS
            | cap::MYSQL
            | cap::CONNECT_WITH_DB
            | cap::DEPRECATE_EOF
            | if tls { cap::SSL } else { 0 },
        collation: 255,
        status: 2,
        plugin: plugin.as_bytes().to_vec(),
    };
    let double = async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = Downstream::Plain(socket);
        let (mut payload, mut message, mut sequence) = (BytesMut::new(), BytesMut::new(), 0);
        greeting.put(&mut payload);
        put_packet(&mut message, &mut sequence, &payload);
        socket.write_all(&message).await.unwrap();
        socket.flush().await.unwrap();
        // Not a byte more than the packet: TLS may begin right behind it.
        let mut header = [0; 4];
        socket.read_exact(&mut header).await.unwrap();
        let mut said = vec![0; usize::from(header[0]) | (usize::from(header[1]) << 8)];
        socket.read_exact(&mut said).await.unwrap();
        if let ClientFirst::Tls(_) = client_first(&said).unwrap() {
            let Downstream::Plain(stream) = socket else { panic!("TLS within TLS") };
            socket = Downstream::Tls(Box::new(acceptor.accept(stream).await.unwrap()));
            said.clear();
        }
        let mut exchange = Exchange::new(socket, BytesMut::new(), MAX_PACKET);
        if said.is_empty() {
            said = exchange.receive().await.unwrap().payload().to_vec();
        }
        let ClientFirst::Response(response) = client_first(&said).unwrap() else { panic!("TLS twice") };
        let first = (String::from_utf8(response.plugin).unwrap(), response.auth);
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let public = key.public_key().as_der().unwrap().as_ref().to_vec();
        let key = OaepPrivateDecryptingKey::new(key).unwrap();
        for step in steps {
            let mut payload = BytesMut::new();
            match step {
                Step::More(bytes) => payload.extend_from_slice(&[&[AUTH_MORE], &bytes[..]].concat()),
                Step::Key => {
                    let lines = STANDARD.encode(&public);
                    let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
                    payload.extend_from_slice(&[&[AUTH_MORE], pem.as_bytes()].concat());
                }
                Step::Switch(to) => {
                    AuthSwitch { plugin: to.into(), data: SCRAMBLE.to_vec() }.put(&mut payload)
                }
                Step::Raw(bytes) => payload.extend_from_slice(&bytes),
                Step::Parsec => {
                    AuthSwitch { plugin: b"parsec".to_vec(), data: PARSEC.to_vec() }.put(&mut payload)
                }
                Step::Salt(factor, more) => {
                    let salt = STANDARD.decode(SALT).unwrap();
                    let before: &[u8] = if more { &[AUTH_MORE] } else { &[] };
                    payload.extend_from_slice(&[before, &[b'P', factor], &salt].concat());
                }
                Step::WantsSigned(stored) => {
                    let Ok(packet) = exchange.receive().await else { return first };
                    let (ours, signature) = packet.payload().split_at(32);
                    let key = UnparsedPublicKey::new(&ED25519, STANDARD.decode(stored).unwrap());
                    key.verify(&[&PARSEC, ours].concat(), signature).expect("a signature of both scrambles");
                    continue;
                }
                Step::Done => Done::default().put(&mut payload),
                Step::Wants(bytes) => {
                    let Ok(packet) = exchange.receive().await else { return first };
                    assert_eq!(packet.payload(), bytes);
                    continue;
                }
                Step::WantsSealed => {
                    let Ok(packet) = exchange.receive().await else { return first };
                    let mut out = vec![0; key.min_output_size()];
                    let plain = key.decrypt(&OAEP_SHA1_MGF1SHA1, packet.payload(), &mut out, None).unwrap();
                    let plain: Vec<u8> =
                        plain.iter().zip(SCRAMBLE.iter().cycle()).map(|(a, b)| a ^ b).collect();
                    assert_eq!(plain, b"hunter2\0");
                    continue;
                }
            }
            if exchange.send(payload).await.is_err() {
                return first;
            }
        }
        // What a gateway that gave up still says is read, so that its own words are not cut off.
        drop(exchange.receive().await);
        first
    };
    let mode = if tls { TlsMode::VerifyFull } else { TlsMode::Disable };
    let target = Target {
        name: "shop".into(),
        protocol: "mysql".into(),
        host: "127.0.0.1".into(),
        port,
        database: "shop".into(),
        databases: Vec::new(),
        user: "app".into(),
        credential: CredentialRef::Env("PW".into()),
        tls: TlsSettings { mode, ca: None, identity: None },
        tags: BTreeMap::new(),
    };
    let credentials = Credentials::load(std::slice::from_ref(&target), &|_| Some(PASSWORD.into())).unwrap();
    let wish = Wish::own(&target);
    let gateway = async {
        let dialled =
            dial(&target, &credentials, tls.then_some(config), &wish, Duration::from_secs(10)).await;
        dialled.map(drop).map_err(|error| error.kind())
    };
    let (result, first) = tokio::join!(gateway, double);
    Went { result, first }
}

#[tokio::test]
async fn mysql_8_signs_in_by_what_it_remembers_in_full_and_by_rsa() {
    let sha2 = "caching_sha2_password";
    for tls in [true, false] {
        let went = play(sha2, tls, vec![Step::More(vec![3]), Step::Done]).await;
        assert_eq!(went.result, Ok(()), "fast, TLS {tls}");
        assert_eq!(went.first, (sha2.to_owned(), fast()));
    }
    // Full: the password in the clear, inside TLS alone.
    let clear = b"hunter2\0".to_vec();
    let full = vec![Step::More(vec![4]), Step::Wants(clear.clone()), Step::Done];
    assert_eq!(play(sha2, true, full).await.result, Ok(()));
    let rsa = vec![Step::More(vec![4]), Step::Wants(vec![2]), Step::Key, Step::WantsSealed, Step::Done];
    assert_eq!(play(sha2, false, rsa).await.result, Ok(()));
    // The older one.
    let went = play("sha256_password", true, vec![Step::Done]).await;
    assert_eq!((went.result, went.first.1), (Ok(()), clear.clone()));
    let went = play("sha256_password", false, vec![Step::Key, Step::WantsSealed, Step::Done]).await;
    assert_eq!((went.result, went.first.1), (Ok(()), vec![1]));
    // Another plugin than the account's at first.
    for greeted in ["mysql_native_password", "authentication_webauthn"] {
        let steps = vec![Step::Switch(sha2), Step::Wants(fast()), Step::More(vec![3]), Step::Done];
        assert_eq!(play(greeted, false, steps).await.result, Ok(()), "{greeted}");
    }
    // Cloud sign-in: a token in the clear, inside TLS.
    let steps = vec![Step::Switch("mysql_clear_password"), Step::Wants(clear), Step::Done];
    assert_eq!(play(sha2, true, steps).await.result, Ok(()));
}

#[tokio::test]
async fn mariadb_s_parsec_signs_what_both_sides_made_up() {
    for (factor, stored, more) in [(0, STORED_0, false), (3, STORED_3, false), (0, STORED_0, true)] {
        let steps = vec![
            Step::Parsec,
            Step::Wants(Vec::new()),
            Step::Salt(factor, more),
            Step::WantsSigned(stored),
            Step::Done,
        ];
        for greeted in ["mysql_native_password", "parsec"] {
            for tls in [true, false] {
                let went = play(greeted, tls, steps.clone()).await;
                assert_eq!(went.result, Ok(()), "factor {factor}, greeted by {greeted}, TLS {tls}");
                assert_eq!(went.first.0, "mysql_native_password");
            }
        }
    }
}

#[tokio::test]
async fn attack_12_a_server_cannot_wear_the_gateway_out_or_have_it_sign_twice() {
    use DialErrorKind::{Protocol, Untrusted};
    let salted = |salt: Step| vec![Step::Parsec, Step::Wants(Vec::new()), salt];
    for (name, steps, kind) in [
        ("too many iterations", salted(Step::Salt(11, false)), Untrusted),
        ("far too many", salted(Step::Salt(255, true)), Untrusted),
        ("another derivation", salted(Step::Raw(vec![AUTH_MORE, b'A', 0, 7])), Protocol),
        ("a salt cut short", salted(Step::Raw(b"P\0short".to_vec())), Protocol),
        ("a scramble of another length", vec![Step::Switch("parsec"), Step::Salt(0, false)], Protocol),
        ("a salt without its plugin", vec![Step::Salt(0, false)], Protocol),
        (
            "a second salt",
            [salted(Step::Salt(0, false)), vec![Step::WantsSigned(STORED_0), Step::Salt(1, false)]].concat(),
            Protocol,
        ),
    ] {
        let went = play("mysql_native_password", false, steps).await;
        assert_eq!(went.result, Err(kind), "{name}");
    }
}

#[tokio::test]
async fn attack_12_a_server_cannot_talk_the_gateway_into_showing_its_password() {
    use DialErrorKind::{Protocol, TargetRefusedUs, Untrusted};
    let denied = || {
        let mut out = BytesMut::new();
        Failure { code: 1045, state: Some(*b"28000"), message: b"denied".to_vec() }.put(&mut out);
        Step::Raw(out.to_vec())
    };
    for (name, steps, kind) in [
        ("in the clear without TLS", vec![Step::Switch("mysql_clear_password")], Untrusted),
        ("a plugin of nobody's", vec![Step::Switch("authentication_kerberos_client")], Untrusted),
        ("the passwords of before 4.1", vec![Step::Raw(vec![0xfe])], Protocol),
        ("a local file", vec![Step::Raw(b"\xfb/etc/passwd".to_vec())], Protocol),
        (
            "a key that is none",
            vec![Step::More(vec![4]), Step::Wants(vec![2]), Step::More(vec![b'x'; 200])],
            Protocol,
        ),
        ("a step of another plugin", vec![Step::More(vec![9])], Protocol),
        ("steps without end", vec![Step::More(vec![3]); 30], Protocol),
        ("a packet over the limit", vec![Step::Raw(vec![1; MAX_PACKET + 1])], Protocol),
        ("denied", vec![denied()], TargetRefusedUs),
    ] {
        let went = play("caching_sha2_password", false, steps).await;
        assert_eq!(went.result, Err(kind), "{name}");
    }
}
