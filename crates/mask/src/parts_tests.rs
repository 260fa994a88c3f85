//! What the one pass finds.

use super::Parts;
use crate::features::*;

fn read(text: &str) -> (Parts, Features) {
    let mut parts = Parts::default();
    let features = parts.read(text.as_bytes());
    (parts, features)
}

#[test]
fn one_pass_finds_what_the_text_is_made_of() {
    let (parts, features) = read("a-1@b.com 22");
    assert_eq!((features.digits, features.length, features.longest), (3, 12, 3));
    assert!(features.all(AT | DOT | DASH | SPACE | LOWER) && !features.any(HIGH | UPPER | COLON | ROW));
    assert_eq!(parts.tokens.len(), 5);
    for (text, bit) in [
        ("555 1234", ROW),
        ("10.0.0.1", DOTTED),
        ("fe80::1", COLON_PAIR),
        ("10:30:00", COLONS),
        ("-----BEGIN", DASH_PAIR),
        ("a DE89 b", ACCOUNT),
        ("4 1 1 1", APART),
        ("AKIA IOSF ODNN 7EXA", APART),
        ("00-1a-2b-3c", OCTETS),
        ("001a2b3c4d5e", OCTETS),
        ("her DOB 1985", BIRTH),
        ("patientDob 1985", BIRTH),
        ("d. o. b. 1985", BIRTH),
        ("née 1985", BIRTH),
        ("eyJhbGciOi", OBJECT),
        ("Bearer x", BEARER),
        ("ghp_", GITHUB),
        ("Dear Alice, thanks", NAMES),
        ("12a4", MIXED_4),
        ("x 12345", SHORT_NUMBER),
        ("abcdefgh+/=_", WORD_12),
        ("Zoë", HIGH),
        ("the dbPassword is", TOLD),
        ("IDENTIFIED BY", TOLD),
        ("12 rue de", STREET),
        ("mysql -pword", FLAG),
        ("bob (at) x", SPELLED_AT),
        ("Hauptstr. 5", STREET),
    ] {
        assert!(read(text).1.any(bit), "{text}");
    }
    for (text, bit) in [
        ("555,1234", ROW),
        ("a10.0.0.1", DOTTED),
        ("1.2.3", DOTTED),
        ("10:30:00 11-12", APART),
        ("Dear alice, thanks", NAMES),
        ("dear Alice, thanks", NAMES),
        ("Alice Smith", NAMES),
        ("cat 1985", BIRTH),
        ("her DOB", BIRTH),
    ] {
        assert!(!read(text).1.any(bit), "{text}");
    }
}

#[test]
fn groups_are_those_at_the_ends_of_tokens() {
    let groups = |text: &str| -> Vec<(String, Option<u8>)> {
        let (parts, _) = read(text);
        parts
            .groups
            .iter()
            .map(|group| (text.get(group.span.clone()).unwrap().to_owned(), group.link))
            .collect()
    };
    assert_eq!(
        groups("DE89 3704-12a34b56.7"),
        [
            ("89".to_owned(), Some(b' ')),
            ("3704".to_owned(), Some(b'-')),
            ("12".to_owned(), None),
            ("56".to_owned(), Some(b'.')),
            ("7".to_owned(), None)
        ]
    );
    assert_eq!(groups("1 - 2  3")[0].1, Some(b'-'));
    assert_eq!(groups("1 - 2  3")[1].1, Some(b' '));
}
