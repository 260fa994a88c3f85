//! What of the target's own text reaches the caller.

use super::*;

fn fields() -> Vec<(u8, Vec<u8>)> {
    [
        (b'S', "ERROR"),
        (b'V', "ERROR"),
        (b'C', "22P02"),
        (b'M', "invalid input syntax for type integer: \"alice@example.com\""),
        (b'D', "Key (email)=(alice@example.com) already exists."),
        (b'H', "ask alice@example.com"),
        (b'P', "8"),
        (b'W', "SQL statement \"SELECT 'alice@example.com'\""),
        (b'q', "SELECT 'alice@example.com'"),
        (b's', "public"),
        (b't', "users"),
        (b'c', "email"),
        (b'n', "users_email_key"),
        (b'F', "numutils.c"),
        (b'L', "323"),
        (b'R', "pg_strtoint32"),
    ]
    .into_iter()
    .map(|(kind, text)| (kind, text.as_bytes().to_vec()))
    .collect()
}

#[test]
fn strictly_only_severity_code_and_position_stay() {
    let masked = mask_notice(&fields(), true);
    let kinds: Vec<u8> = masked.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, b"SVCMP");
    assert_eq!(masked[2].1, b"22P02");
    let message = String::from_utf8(masked[3].1.clone()).unwrap();
    assert_eq!(message, format!("a value cannot be read as the type it should be ({WITHHELD})"));
}

#[test]
fn otherwise_every_field_is_read_by_detectors() {
    let masked = mask_notice(&fields(), false);
    assert_eq!(masked.len(), fields().len());
    for (kind, text) in &masked {
        let text = String::from_utf8(text.clone()).unwrap();
        assert!(!text.contains("alice"), "{}: {text}", char::from(*kind));
    }
    assert_eq!(masked[3].1, "invalid input syntax for type integer: \"‹EMAIL_ADDRESS›\"".as_bytes());
    assert_eq!(masked[10].1, b"users");
}

#[test]
fn a_function_cannot_hide_text_in_the_fields_that_stay() {
    let raised =
        [(b'S', b"alice@example.com".to_vec()), (b'C', b"al ice".to_vec()), (b'P', b"alice".to_vec())];
    for strict in [true, false] {
        let masked = mask_notice(&raised, strict);
        assert_eq!(masked, [(b'S', b"ERROR".to_vec()), (b'C', b"XX000".to_vec()), (b'P', b"1".to_vec())]);
    }
}

#[test]
fn notifications_are_read_by_detectors() {
    assert_eq!(&*mask_channel(b"new user alice@example.com"), "new user ‹EMAIL_ADDRESS›".as_bytes());
    assert!(matches!(mask_channel(b"refresh"), Cow::Borrowed(b"refresh")));
}

#[test]
fn a_setting_cannot_carry_what_a_strict_operation_read() {
    let masked = |name: &str, value: &str, strict| {
        String::from_utf8(mask_setting(name.as_bytes(), value.as_bytes(), strict).into_owned()).unwrap()
    };
    for (name, value) in [
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("TimeZone", "Europe/Berlin"),
        ("TimeZone", "America/Argentina/Buenos_Aires"),
        ("TimeZone", "UTC"),
        ("TimeZone", "<+0530>-05:30"),
        ("TimeZone", "Etc/GMT+12"),
        ("TimeZone", "EST5EDT"),
    ] {
        assert_eq!(masked(name, value, true), value);
    }
    for (name, value) in [
        ("TimeZone", "whisper-1"),
        ("TimeZone", "Europe/whisper-1"),
        ("TimeZone", "<77001>5"),
        ("application_name", "whisper"),
        ("anything.new", "whisper"),
    ] {
        assert_eq!(masked(name, value, true), "‹unsettled›");
        assert_eq!(masked(name, value, false), value, "the caller's own words");
    }
    assert_eq!(masked("application_name", "alice@example.com", false), "‹EMAIL_ADDRESS›");
}

#[test]
fn a_payload_cannot_carry_what_a_strict_operation_read() {
    assert_eq!(&*mask_payload(b"whisper", true), "‹unsettled›".as_bytes());
    assert_eq!(&*mask_payload(b"", true), b"");
    assert_eq!(&*mask_payload(b"order 7", false), b"order 7");
    assert_eq!(&*mask_payload(b"alice@example.com", false), "‹EMAIL_ADDRESS›".as_bytes());
}
