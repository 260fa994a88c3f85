//! The shape of tokens.

use std::collections::HashSet;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_micros(0)
}

/// A well-formed token with this id and a secret of one's own.
pub(crate) fn with_secret(id: &TokenId, secret: &str) -> Secret<String> {
    let body = format!("slp_{id}_{secret}");
    Secret::new(format!("{body}_{:08x}", crc32(body.as_bytes())))
}

#[test]
fn crc_is_the_known_one() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

#[test]
fn an_issued_token_reads_back_and_its_secret_is_not_in_its_record() {
    let issued = issue("claude-code", None, Some("laptop".into()), now()).unwrap();
    let text = issued.secret.expose();
    let (id, digest) = parse_token(text).unwrap();
    assert_eq!((id, digest), (issued.record.id.clone(), issued.record.hash));
    let secret = text.split('_').nth(2).unwrap();
    assert_eq!(secret.len(), 43);
    assert!(!format!("{:?}", issued.record).contains(secret));
    assert!(!format!("{issued:?}").contains(secret));
}

#[test]
fn no_two_tokens_share_a_character_stream() {
    let mut seen = HashSet::new();
    let mut letters = HashSet::new();
    for _ in 0..200 {
        let issued = issue("a", None, None, now()).unwrap();
        let secret = issued.secret.expose().split('_').nth(2).unwrap().to_owned();
        letters.extend(secret.chars());
        assert!(seen.insert(secret));
    }
    assert_eq!(letters.len(), 62);
}

#[test]
fn a_mistyped_or_cut_token_does_not_parse() {
    let issued = issue("claude-code", None, None, now()).unwrap();
    let text = issued.secret.expose().clone();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(parse_token(&changed), None, "{at}");
        assert_eq!(parse_token(text.get(..at).unwrap()), None);
    }
    assert_eq!(parse_token(&format!("{text} ")), None);
    assert_eq!(parse_token(&text.to_uppercase()), None);
    assert_eq!(parse_token(""), None);
}
