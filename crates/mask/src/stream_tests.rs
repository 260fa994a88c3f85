//! Any split of a text gives the same masked text, nothing that is found in the whole comes out, and no more
//! is held than the bound.

use proptest::prelude::*;

use super::*;

fn whole(text: &str) -> String {
    split(text, &[])
}

fn split(text: &str, cuts: &[usize]) -> String {
    let mut stream = Stream::new(&FieldContext::default());
    let mut out = String::new();
    let mut from = 0;
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    for cut in cuts.into_iter().filter(|cut| *cut < text.len() && text.is_char_boundary(*cut)) {
        out.push_str(&stream.push(text.get(from..cut).unwrap()));
        assert!(stream.held.len() <= 2 * LONGEST, "{}", stream.held.len());
        from = cut;
    }
    out.push_str(&stream.push(text.get(from..).unwrap()));
    out.push_str(&stream.finish());
    out
}

const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nabcdef\n-----END RSA PRIVATE KEY-----";

#[test]
fn lines_come_out_masked_as_they_end() {
    let mut stream = Stream::new(&FieldContext::default());
    assert_eq!(stream.push("mail a@b"), "");
    assert_eq!(stream.push(".com now\ncard 4111 1111"), "mail ‹EMAIL_ADDRESS› now\n");
    assert_eq!(stream.push(" 1111 1111\n$ "), "card ‹CREDIT_CARD›\n");
    assert_eq!(stream.flush(), "$ ");
    assert_eq!(stream.finish(), "");
}

#[test]
fn a_private_key_is_one_segment_however_it_comes() {
    let text = format!("before\n{KEY}\nafter a@b.com\n");
    let masked = "before\n‹PRIVATE_KEY›\nafter ‹EMAIL_ADDRESS›\n";
    assert_eq!(whole(&text), masked);
    for cut in 0..text.len() {
        assert_eq!(split(&text, &[cut]), masked, "{cut}");
    }
}

#[test]
fn a_private_key_that_does_not_end_keeps_the_rest_back() {
    let text = format!("-----BEGIN PRIVATE KEY-----\n{}", "MIIEowIBAAKCAQEA7abcdef\n".repeat(4000));
    let masked = whole(&text);
    assert!(!masked.contains("MIIE"), "{} bytes", masked.len());
    assert!(masked.starts_with("‹PRIVATE_KEY›"));
}

#[test]
fn a_flush_in_a_private_key_does_not_open_it() {
    let mut stream = Stream::new(&FieldContext::default());
    let mut out = stream.push("-----BEGIN PRIVATE KEY-----\nMIIEowIB");
    out.push_str(&stream.flush());
    out.push_str(&stream.push("AAKCAQEA7\n-----END PRIVATE KEY-----\nok\n"));
    out.push_str(&stream.finish());
    assert!(!out.contains("MIIE") && !out.contains("AAKC"), "{out}");
    assert!(out.ends_with("ok\n"), "{out}");
}

#[test]
fn long_lines_are_cut_between_values() {
    for pad in [LONGEST - MARGIN - 20, LONGEST - MARGIN - 8, LONGEST - 8, LONGEST - 1, LONGEST] {
        let text = format!("{} 4111 1111 1111 1111 {}", "x ".repeat(pad / 2), "y".repeat(LONGEST));
        let masked = whole(&text);
        assert!(!masked.contains("4111") && masked.contains("‹CREDIT_CARD›"), "{pad}");
        assert_eq!(split(&text, &[7, pad, pad + 3, pad + 9]), masked, "{pad}");
    }
}

#[test]
fn a_word_longer_than_what_is_held_is_masked_to_its_end() {
    let token = format!("ghp_{}", "a1B2".repeat(LONGEST));
    let masked = whole(&format!("{token} done\n"));
    assert_eq!(masked, "‹GITHUB_TOKEN› done\n");
}

#[test]
fn the_column_counts_in_a_stream() {
    let mut stream = Stream::new(&FieldContext::column("phone"));
    assert_eq!(stream.push("4155550132\n"), "‹PHONE_NUMBER›\n");
}

proptest! {
    #[test]
    fn any_split_gives_the_same(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("a@b.com".to_owned()), Just("4111 1111 1111 1111".to_owned()), Just("\n".to_owned()),
                Just("-----BEGIN PRIVATE KEY-----\n".to_owned()), Just("\n-----END PRIVATE KEY-----".to_owned()),
                Just("４１１１".to_owned()), Just("password=hunter2".to_owned()), "[a-z0-9 .:é-]{0,12}",
                Just("alice AT example DOT com".to_owned()), Just("a=40b.com".to_owned()), Just("=\n".to_owned()),
                Just("4\u{332}1\u{20e3}".to_owned()), Just("alice<b>@</b>x.com".to_owned()),
                Just("41111111+11111111.0".to_owned()), Just("4111\t1111\r\n1111\n1111".to_owned()),
            ], 0..24),
        cuts in proptest::collection::vec(0_usize..400, 0..12),
    ) {
        let text = parts.concat();
        prop_assert_eq!(split(&text, &cuts), whole(&text));
    }

    #[test]
    fn a_stream_of_lines_masks_what_each_line_masks(lines in proptest::collection::vec("[a-z@.0-9 -]{0,30}", 0..8)) {
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let each: String =
            lines.iter().map(|line| masked(&format!("{line}\n"), None)).collect();
        prop_assert_eq!(whole(&text), each);
    }
}
