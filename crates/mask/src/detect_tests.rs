//! Prefilter, readings and overlaps. What each detector finds is in its case file.

use proptest::prelude::*;

use super::*;

fn found(text: &str) -> Vec<(&'static str, String)> {
    detect(text, &FieldContext::default())
        .into_iter()
        .map(|finding| {
            let span: String = text.chars().skip(finding.start).take(finding.end - finding.start).collect();
            assert_eq!(
                Some(span.as_str()),
                text.get(finding.bytes.clone()),
                "characters and bytes name the same span"
            );
            (finding.entity, span)
        })
        .collect()
}

#[test]
fn dressed_values_are_found_where_they_stand() {
    for (text, entity, span) in [
        ("é ４１１１ １１１１ １１１１ １１１１ é", "CREDIT_CARD", "４１１１ １１１１ １１１１ １１１１"),
        (
            "4111\u{200b}1111\u{200b}1111\u{200b}1111",
            "CREDIT_CARD",
            "4111\u{200b}1111\u{200b}1111\u{200b}1111",
        ),
        (
            "4111\u{2013}1111\u{2013}1111\u{2013}1111",
            "CREDIT_CARD",
            "4111\u{2013}1111\u{2013}1111\u{2013}1111",
        ),
        (
            "4111\u{00a0}1111\u{00a0}1111\u{00a0}1111",
            "CREDIT_CARD",
            "4111\u{00a0}1111\u{00a0}1111\u{00a0}1111",
        ),
        ("to=alice%40example.com&x=1", "EMAIL_ADDRESS", "alice%40example.com"),
        ("mail alice\u{ff20}example.com", "EMAIL_ADDRESS", "alice\u{ff20}example.com"),
        ("alice\\u0040example.com", "EMAIL_ADDRESS", "alice\\u0040example.com"),
        ("YWxpY2VAZXhhbXBsZS5jb20=", "EMAIL_ADDRESS", "YWxpY2VAZXhhbXBsZS5jb20="),
        ("\\x616c696365406578616d706c652e636f6d", "EMAIL_ADDRESS", "\\x616c696365406578616d706c652e636f6d"),
        ("\u{0410}KIAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY", "\u{0410}KIAIOSFODNN7EXAMPLE"),
    ] {
        assert_eq!(found(text), [(entity, span.to_owned())], "{text}");
    }
}

#[test]
fn of_overlapping_findings_nothing_is_left_standing() {
    assert_eq!(found("postgres://app:hunter2@db.example.com/shop"), [("PASSWORD", "hunter2".to_owned())]);
    assert_eq!(found("a@b.com,c@d.org").len(), 2);
    let kept = settle(
        "0123456789",
        Features::default(),
        &mut [
            Candidate { bytes: 0..6, entity: "A", detector: "a", confidence: 0.5 },
            Candidate { bytes: 4..9, entity: "B", detector: "b", confidence: 0.9 },
        ],
    );
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].entity, kept[0].start, kept[0].end), ("B", 0, 9));
}

#[test]
fn ordinary_values_do_not_get_past_the_prefilter() {
    for text in ["", "shipped", "Alice Johnson", "42", "12345", "in progress", "a-b"] {
        assert!(!may_hold_findings(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_is_too_long_to_read_is_one_finding() {
    let text = "a".repeat(MAX_TEXT_BYTES + 1);
    let findings = detect(&text, &FieldContext::default());
    assert_eq!((findings[0].entity, findings[0].end), ("WITHHELD", text.len()));
    assert!(may_hold_findings(text.as_bytes()));
}

/// A detector that fails, or works without end.
#[derive(Debug)]
struct Broken {
    endless: bool,
}

impl crate::detectors::Detector for Broken {
    fn kinds(&self) -> Vec<&'static crate::Kind> {
        Vec::new()
    }

    fn needs(&self) -> crate::features::Needs {
        crate::features::Needs::all(0)
    }

    fn find(&self, reading: &Reading<'_>, _: &mut Vec<Found>) {
        if !self.endless {
            panic!("a fault");
        }
        while reading.spend() {}
    }
}

#[test]
fn attack_22_a_detector_that_fails_or_does_not_end_withholds_the_text() {
    static FAILS: Broken = Broken { endless: false };
    static ENDLESS: Broken = Broken { endless: true };
    for (broken, why) in [(&FAILS, "fault"), (&ENDLESS, "work")] {
        let findings =
            detect_with("zoë", &FieldContext::default(), &Column::named(None), &Panel::of(&[broken]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].entity, findings[0].detector), ("WITHHELD", why));
        assert_eq!((findings[0].start, findings[0].end, findings[0].bytes.clone()), (0, 3, 0..4));
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    // Each of these took quadratic time in some detector of this kind.
    let begun = std::time::Instant::now();
    for piece in [
        "@",
        "a@",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "eyJ.",
        "://a:",
        "4 ",
        "4111-",
        "1.",
        "::",
        "password=",
        "AKIA",
        "slp_",
        "%40",
        "DE89",
        "+1",
        "ghp_",
        ":a@b.co",
        "ghp_ ",
        "eyJ ",
        "sk-",
        "a.b-",
        "<b>",
        "<!--",
        "<b ",
        "a @ ",
        "at dot ",
        "@ . ",
        "moc.a@",
        "=40",
        "=\n",
        "\\u{",
        "1, ",
        "4\n1\n",
        "12345678+",
        "1.1111111111e",
        "4\u{332}",
        "65 ",
        "GQYTCMJR",
        "9jqo^",
    ] {
        let text = piece.repeat(400_000 / piece.len());
        let findings = detect(&text, &FieldContext::column("phone password card"));
        assert!(findings.len() <= text.len());
        assert!(begun.elapsed().as_secs() < 60, "{piece:?}");
    }
}

proptest! {
    #[test]
    fn the_prefilter_never_hides_a_finding(
        text in "\\PC{0,40}|[0-9 @.:=+/a-zA-Z_-]{0,60}|(19|20)[0-9]{2}[-/.][01][0-9][-/.][0-3][0-9]|[0-9]{9,10}|[A-Za-z0-9]{12}",
    ) {
        for context in [FieldContext::default(), FieldContext::cell(None), FieldContext::column("c7")] {
            let findings = detect(&text, &context);
            prop_assert!(findings.is_empty() || may_hold_findings(text.as_bytes()));
        }
    }

    #[test]
    fn findings_are_in_order_apart_and_on_characters(text in "(\\PC{0,6}|[0-9]{1,8}|[@.:/=-]|a@b.com|４１１１|\u{200b}){0,12}") {
        let mut before = 0;
        for finding in detect(&text, &FieldContext::column("phone")) {
            prop_assert!(finding.start < finding.end && finding.bytes.start >= before);
            prop_assert!(text.get(finding.bytes.clone()).is_some());
            before = finding.bytes.end;
        }
    }
}

proptest! {
    /// Many spans are looked up as they are one by one.
    #[test]
    fn what_lies_within_something_found_is_found_by_halving_too(
        found in prop::collection::vec((0_usize..60, 1_usize..12, any::<bool>()), 0..20),
        spans in prop::collection::vec((0_usize..60, 1_usize..12), 1..20),
    ) {
        let candidates: Vec<Candidate> = found
            .iter()
            .map(|(start, length, sure)| Candidate {
                bytes: *start..start + length,
                entity: "X",
                detector: "x",
                confidence: if *sure { 1.0 } else { 0.5 },
            })
            .collect();
        for least in [0.0, SURE] {
            let cover = Cover::of(least, &candidates);
            for (start, length) in &spans {
                let span = *start..start + length;
                prop_assert_eq!(cover.holds(&span), is_within(&span, least, &candidates));
            }
        }
    }
}

#[test]
fn many_findings_are_all_found() {
    let text = "4111111111111111 ".repeat(400);
    assert_eq!(detect(&text, &FieldContext::default()).len(), 400);
}
