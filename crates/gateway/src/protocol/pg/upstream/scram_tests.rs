//! The exchange of RFC 7677, and each lie a server can tell in it.

use super::super::error::DialErrorKind;
use super::*;

const SERVER_FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

fn started(binding: Binding) -> Scram {
    Scram { binding, nonce: "rOprNGfwEbeRWgbNEkqO".into() }
}

/// The example's client names its user in `n=`; ours leaves that to the start-up message, so the
/// example's signatures are computed over what we send.
fn exchange(password: &str) -> (String, Awaited, ScramKeys, String) {
    let challenge = started(Binding::Unsupported).challenge(SERVER_FIRST.as_bytes()).unwrap();
    let keys = derive(password, &challenge.salt, challenge.iterations).unwrap();
    let signed = challenge.signed.clone();
    let (message, awaited) = challenge.answer(&keys);
    (message, awaited, keys, signed)
}

#[test]
fn keys_are_those_of_rfc_7677() {
    // RFC 7677 section 3: with `n=user` in the signed text, proof and signature are the published ones.
    let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let keys = derive("pencil", &salt, 4096).unwrap();
    let challenge = Challenge {
        salt,
        iterations: 4096,
        without_proof: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into(),
        signed: format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,{SERVER_FIRST},c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        ),
    };
    let (message, awaited) = challenge.answer(&keys);
    assert!(message.ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{message}");
    assert!(awaited.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").is_ok());
}

#[test]
fn a_wrong_server_signature_is_refused() {
    let (_, awaited, keys, signed) = exchange("pencil");
    let right = BASE64.encode(mac(keys.server.expose(), signed.as_bytes()).as_ref());
    assert!(awaited.verify(format!("v={right}").as_bytes()).is_ok());
    let other = BASE64.encode(mac(&[7; 32], signed.as_bytes()).as_ref());
    for lie in [format!("v={other}"), "v=".into(), "v=!!".into(), "e=other-error".into(), String::new()] {
        assert_eq!(awaited.verify(lie.as_bytes()).unwrap_err().kind(), DialErrorKind::Untrusted, "{lie}");
    }
}

#[test]
fn a_nonce_that_does_not_continue_ours_is_refused() {
    for nonce in ["somethingelse", "rOprNGfwEbeRWgbNEkqO", ""] {
        let first = format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        assert!(started(Binding::Unsupported).challenge(first.as_bytes()).is_err(), "{nonce}");
    }
}

#[test]
fn iteration_counts_out_of_bounds_are_refused_before_any_work() {
    for count in ["0", "1000001", "4294967295", "99999999999999", "-1", ""] {
        let first = format!("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i={count}");
        assert!(started(Binding::Unsupported).challenge(first.as_bytes()).is_err(), "{count}");
    }
}

#[test]
fn a_mandatory_extension_is_refused() {
    let first = "m=new,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    assert!(started(Binding::Unsupported).challenge(first.as_bytes()).is_err());
}

#[test]
fn the_binding_says_what_was_possible_and_what_was_offered() {
    assert_eq!(Binding::choose(None, false), Binding::Unsupported);
    assert_eq!(Binding::choose(Some(b"not a certificate"), true), Binding::Unsupported);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let der = Some(certificate.der().as_ref());
    let bound = Binding::choose(der, true);
    assert_eq!(bound.mechanism(), SCRAM_SHA_256_PLUS);
    assert!(matches!(&bound, Binding::EndPoint(hash) if hash.len() == 32));
    // Taken out of the offer by somebody in between: the true server sees `y` and refuses.
    let stripped = Binding::choose(der, false);
    assert_eq!((stripped.mechanism(), stripped.header()), (SCRAM_SHA_256, "y,,"));
}

#[test]
fn nonces_differ() {
    let nonce = || Scram::new(Binding::Unsupported).unwrap().nonce;
    assert_ne!(nonce(), nonce());
    assert!(nonce().len() >= 24);
}

#[test]
fn passwords_are_prepared_as_postgresql_does() {
    assert_eq!(prepare("p\u{fb01}n").as_str(), "pfin");
    assert_eq!(prepare("a\u{a0}b").as_str(), "a b");
    // Not allowed by SASLprep: taken as it stands.
    assert_eq!(prepare("\u{7}\u{e9}").as_str(), "\u{7}\u{e9}");
}
