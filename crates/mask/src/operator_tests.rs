//! Operators: what each makes of values of each type.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn key() -> Secret<Vec<u8>> {
    Secret::new(b"one".to_vec())
}

fn text(operator: &Operator, value: &str, key: Option<&Secret<Vec<u8>>>) -> String {
    match operator.apply("pii.card", value, key) {
        Masked::Text(text) => text,
        Masked::Null => "NULL".to_owned(),
    }
}

fn typed(operator: &Operator, of: ValueType, value: &str) -> String {
    match operator.apply_to(of, "pii.x", value, Some(&key())) {
        Masked::Text(text) => text,
        Masked::Null => "NULL".to_owned(),
    }
}

fn pseudonym() -> Operator {
    Operator::Pseudonym { scope: None }
}

fn generalise(month: bool, bucket: Option<u64>) -> Operator {
    Operator::Generalise(Coarseness { month, bucket })
}

/// `a` for a small letter, `A` for a large one, `0` for a digit.
fn form(text: &str) -> String {
    text.chars()
        .map(|it| match it {
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            '0'..='9' => '0',
            other => other,
        })
        .collect()
}

#[test]
fn each_operator_has_its_form() {
    assert_eq!(text(&Operator::Redact, "4111111111111111", None), "‹pii.card›");
    assert_eq!(text(&Operator::Partial, "4111111111111234", None), "‹pii.card …1234›");
    assert_eq!(text(&Operator::Null, "x", None), "NULL");
    assert_eq!(text(&Operator::Constant("n/a".into()), "x", None), "n/a");
}

#[test]
fn partial_of_a_short_value_keeps_nothing() {
    assert_eq!(text(&Operator::Partial, "1234", None), "‹pii.card›");
    assert_eq!(text(&Operator::Partial, "1234567", None), "‹pii.card›");
}

#[test]
fn hash_without_a_key_redacts_and_with_one_depends_on_it() {
    let (one, two) = (key(), Secret::new(b"two".to_vec()));
    assert_eq!(text(&Operator::Hash, "alice", None), "‹pii.card›");
    let first = text(&Operator::Hash, "alice", Some(&one));
    assert_eq!(first, text(&Operator::Hash, "alice", Some(&one)));
    assert_ne!(first, text(&Operator::Hash, "bob", Some(&one)));
    assert_ne!(first, text(&Operator::Hash, "alice", Some(&two)));
    assert!(!first.contains("alice"));
}

#[test]
fn a_pseudonym_keeps_the_form_and_nothing_else() {
    for value in ["Alice Archer", "AB-1234-xyz", "+44 20 7946 0018", "O'Brien", "x9"] {
        let masked = typed(&pseudonym(), ValueType::Text, value);
        assert_eq!(form(&masked), form(value), "{masked}");
        assert_ne!(masked, value);
        assert_eq!(masked, typed(&pseudonym(), ValueType::Text, value), "the same again");
    }
    let masked = typed(&pseudonym(), ValueType::Text, "alice.archer@example.com");
    assert_eq!(form(&masked), "aaaaa.aaaaaa@aaaaaaa.aaa.aaaaaaa");
    assert!(masked.ends_with(".invalid") && !masked.contains("alice") && !masked.contains("example"));
    let masked = typed(&pseudonym(), ValueType::Text, "Zoë Müller-Łęcki 東京 Ω7");
    assert_eq!(form(&masked).chars().filter(|it| it.is_ascii()).collect::<String>(), "Aaa Aaaaaa-Aaaaa  A0");
    assert!(!masked.contains(['ë', 'ü', 'Ł', '東', 'Ω']), "{masked}");
}

#[test]
fn a_pseudonym_of_a_known_form_stays_one() {
    let card = typed(&pseudonym(), ValueType::Text, "4111 1111 1111 1111");
    assert_eq!(form(&card), "0000 0000 0000 0000");
    let found = crate::detect(&card.replace(' ', ""), &crate::FieldContext::default());
    assert!(card != "4111 1111 1111 1111");
    let sum: u32 = card
        .chars()
        .filter_map(|it| it.to_digit(10))
        .rev()
        .enumerate()
        .map(|(at, it)| if at % 2 == 1 { it * 2 / 10 + it * 2 % 10 } else { it })
        .sum();
    assert_eq!(sum % 10, 0, "{card} {found:?}");
    let uuid = "0188a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
    for of in [ValueType::Text, ValueType::Uuid] {
        let masked = typed(&pseudonym(), of, uuid);
        assert!(reads_as(ValueType::Uuid, &masked) && masked != uuid);
        assert_eq!((masked.get(14..15), masked.get(19..20)), (Some("7"), Some("8")));
    }
    for host in ["203.0.113.7", "2001:db8::1", "203.0.113.7/24"] {
        let masked = typed(&pseudonym(), ValueType::Inet, host);
        assert!(reads_as(ValueType::Inet, &masked) && masked != host, "{masked}");
    }
    let day = typed(&pseudonym(), ValueType::Date, "1984-05-06");
    assert!(reads_as(ValueType::Date, &day) && day.starts_with("19") && day != "1984-05-06", "{day}");
    let moment = typed(&pseudonym(), ValueType::Timestamp, "2024-05-06 07:08:09.25+02");
    assert!(reads_as(ValueType::Timestamp, &moment) && moment.ends_with("+02"), "{moment}");
    assert_eq!(form(&moment), "0000-00-00 00:00:00.00+00");
    // One moment has one pseudonym, in whatever zone it is written.
    let greenwich = typed(&pseudonym(), ValueType::Timestamp, "2024-05-06 05:08:09.25+00");
    let (one, two) = (calendar::Moment::read(&moment).unwrap(), calendar::Moment::read(&greenwich).unwrap());
    let micros = |moment: &calendar::Moment| {
        let clock = moment.clock.as_ref().unwrap();
        moment.day.number() * 86_400_000_000 + i64::try_from(clock.micros).unwrap() - clock.east * 1_000_000
    };
    assert_eq!(micros(&one), micros(&two));
    for value in ["infinity", "0044-03-15 BC", "1776-07-04", "06.05.2024"] {
        assert_eq!(typed(&pseudonym(), ValueType::Date, value), "NULL", "{value}");
    }
}

#[test]
fn an_integer_s_pseudonym_fits_the_type_and_is_the_same_in_a_wider_one() {
    let of = |bits: u8, value: &str| typed(&pseudonym(), ValueType::Integer { bits }, value);
    for value in ["7", "42", "32767", "-17", "12345"] {
        let narrow = of(16, value);
        assert_eq!(narrow, of(64, value));
        assert_eq!(narrow, typed(&pseudonym(), ValueType::Numeric, value));
        assert_eq!(narrow.len(), value.len(), "{narrow}");
    }
    for value in ["2147483647", "2147483648", "9223372036854775807", "-9223372036854775807"] {
        let masked = of(64, value);
        assert_eq!(masked.len(), value.len(), "{masked}");
        assert_ne!(masked, value);
    }
    let numeric = typed(&pseudonym(), ValueType::Numeric, "-1234.50");
    assert_eq!(form(&numeric), "-0000.00");
    assert!(!numeric.starts_with("-0"));
    assert_eq!(typed(&pseudonym(), ValueType::Numeric, "NaN"), "NULL");
    let all: BTreeSet<String> = (10_000..=32_767).map(|value: i32| of(16, &value.to_string())).collect();
    assert_eq!(all.len(), 22_768, "no two share one");
}

#[test]
fn a_scope_is_shared_by_its_labels_and_by_no_other() {
    let scoped = Operator::Pseudonym { scope: Some("people".into()) };
    let under = |operator: &Operator, label: &str| operator.apply(label, "alice", Some(&key()));
    assert_eq!(under(&scoped, "a"), under(&scoped, "b"));
    assert_ne!(under(&pseudonym(), "a"), under(&pseudonym(), "b"));
    assert_eq!(pseudonym().apply("a", "alice", None), Masked::Text("‹a›".into()), "without a key it redacts");
}

#[test]
fn what_has_no_pseudonym_is_redacted_or_null() {
    for value in ["", "-", "…", &"x".repeat(600)] {
        assert_eq!(typed(&pseudonym(), ValueType::Text, value), "‹pii.x›");
    }
    for of in [ValueType::Bool, ValueType::Other, ValueType::Float, ValueType::Cidr] {
        assert_eq!(typed(&pseudonym(), of, "t"), "NULL");
    }
}

#[test]
fn generalising_keeps_the_type_and_less_of_the_value() {
    let year = generalise(false, None);
    let month = generalise(true, Some(500));
    for (operator, of, value, masked) in [
        (&year, ValueType::Date, "1984-05-06", "1984-01-01"),
        (&month, ValueType::Date, "1984-05-06", "1984-05-01"),
        (&year, ValueType::Text, "1984-05-06", "1984-01-01"),
        (&month, ValueType::Timestamp, "2024-05-06 07:08:09.5+02", "2024-05-01 00:00:00+02"),
        (&year, ValueType::Inet, "203.0.113.77", "203.0.113.0/24"),
        (&year, ValueType::Inet, "10.1.2.3/8", "10.0.0.0/8"),
        (&year, ValueType::Cidr, "2001:db8:1:2::/64", "2001:db8:1::/48"),
        (&year, ValueType::Text, "203.0.113.77", "203.0.113.0/24"),
        (&year, ValueType::Integer { bits: 32 }, "12345", "10000"),
        (&year, ValueType::Integer { bits: 32 }, "-7", "0"),
        (&month, ValueType::Integer { bits: 32 }, "12345", "12000"),
        (&month, ValueType::Numeric, "-1234.56", "-1000"),
        (&year, ValueType::Numeric, "0.5", "0"),
        (&year, ValueType::Float, "98765.4321", "90000"),
        (&month, ValueType::Float, "1e3", "1000"),
        (&year, ValueType::Float, "NaN", "NULL"),
        (&year, ValueType::Bool, "t", "NULL"),
        (&year, ValueType::Uuid, "0188a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "NULL"),
        (&year, ValueType::Text, "alice", "‹pii.x›"),
        (&year, ValueType::Date, "infinity", "NULL"),
        (&generalise(false, Some(0)), ValueType::Integer { bits: 32 }, "5", "NULL"),
    ] {
        assert_eq!(typed(operator, of, value), masked, "{of:?} {value}");
    }
}

#[test]
fn of_a_list_the_first_that_keeps_the_type_is_taken() {
    let list = Operator::FirstOf(vec![pseudonym(), Operator::Constant("f".into()), Operator::Null]);
    assert_eq!(form(&typed(&list, ValueType::Text, "alice")), "aaaaa");
    assert_eq!(typed(&list, ValueType::Bool, "t"), "f");
    assert_eq!(typed(&list, ValueType::Float, "1.5"), "NULL");
    let list = Operator::FirstOf(vec![Operator::Partial, generalise(false, None)]);
    assert_eq!(typed(&list, ValueType::Integer { bits: 16 }, "321"), "300");
    assert_eq!(list.to_string(), "partial, generalise");
}

#[test]
fn a_constant_stands_where_it_is_of_the_type() {
    let constant = |text: &str| Operator::Constant(text.to_owned());
    assert_eq!(typed(&constant("1970-01-01"), ValueType::Date, "1984-05-06"), "1970-01-01");
    assert_eq!(typed(&constant("0"), ValueType::Integer { bits: 16 }, "7"), "0");
    assert_eq!(typed(&constant("70000"), ValueType::Integer { bits: 16 }, "7"), "NULL");
    assert_eq!(typed(&constant("c"), ValueType::Date, "1984-05-06"), "NULL");
}

#[test]
fn the_strictest_operator_keeps_least() {
    let order = [
        Operator::Null,
        Operator::Redact,
        Operator::Constant("x".into()),
        Operator::Hash,
        pseudonym(),
        generalise(false, None),
        Operator::Partial,
    ];
    assert!(order.windows(2).all(|pair| pair[0].strictness() > pair[1].strictness()));
    let list = Operator::FirstOf(vec![Operator::Null, Operator::Partial]);
    assert_eq!(list.strictness(), Operator::Partial.strictness());
}

#[test]
fn a_computed_value_keeps_nothing() {
    for operator in [pseudonym(), generalise(false, None), Operator::Partial, Operator::Hash] {
        assert_eq!(operator.whole("l"), Masked::Text("‹l›".into()));
        assert_eq!(Operator::FirstOf(vec![operator, Operator::Null]).whole("l"), Masked::Text("‹l›".into()));
    }
    assert_eq!(Operator::Null.whole("l"), Masked::Null);
}

proptest! {
    #[test]
    fn pseudonyms_of_two_texts_are_two(one in "\\PC{1,40}", two in "\\PC{1,40}") {
        prop_assume!(one != two);
        let (a, b) = (typed(&pseudonym(), ValueType::Text, &one), typed(&pseudonym(), ValueType::Text, &two));
        // Letters outside the kept alphabets are Latin ones afterwards, and may meet.
        let kept = |text: &str| text.is_ascii() && text.bytes().any(|it| it.is_ascii_alphanumeric());
        if kept(&one) && kept(&two) && form(&one) == form(&two) {
            prop_assert_ne!(a, b);
        }
    }

    #[test]
    fn no_letter_or_digit_run_of_a_text_survives(value in "[a-zA-Z0-9]{12,30}( [a-z]{8,12}){0,2}") {
        let masked = typed(&pseudonym(), ValueType::Text, &value);
        for at in 0..value.len() - 8 {
            prop_assert!(!value.get(at..at + 8).is_some_and(|part| masked.contains(part)) || !value.is_char_boundary(at));
        }
    }

    #[test]
    fn every_moment_stays_a_moment(day in -25_567_i64..47_481, micros in 0_u64..86_400_000_000) {
        let value = calendar::Moment {
            day: calendar::Day::numbered(day),
            clock: Some(calendar::Clock {
                separator: ' ', micros, fraction: 6, offset: String::new(), east: 0,
            }),
        }.write();
        let masked = typed(&pseudonym(), ValueType::Timestamp, &value);
        prop_assert!(reads_as(ValueType::Timestamp, &masked), "{} {}", value, masked);
    }
}
