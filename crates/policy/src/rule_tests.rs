//! How annotations read.

use super::*;

#[test]
fn durations_read_with_their_unit_only() {
    for (text, ms) in
        [("500ms", 500), ("90s", 90_000), ("15m", 900_000), ("8h", 28_800_000), ("7d", 604_800_000)]
    {
        assert_eq!(duration_ms(text), Some(ms), "{text}");
    }
    for text in ["", "15", "m", "1.5h", "-1s", "1 m", "1M", "99999999999999999999d", "18446744073709551615d"]
    {
        assert_eq!(duration_ms(text), None, "{text}");
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let take = |key: &str, value: &str| Notes::default().take(key, value);
    for (key, value) in [
        ("approvals", "0"),
        ("approvals", "21"),
        ("approvals", "two"),
        ("ttl", "0s"),
        ("ttl", "8d"),
        ("ttl", "1500ms"),
        ("ttl", "500ms"),
        ("row_limit", "0"),
        ("row_limit", "-1"),
        ("timeout", "0ms"),
        ("timeout", "25h"),
        ("hold", ""),
        ("hold", "dba,"),
        ("id", ""),
        ("id", "-a"),
        ("id", "policy-error"),
        ("reason", " "),
        ("reason", "two\nlines"),
    ] {
        assert!(take(key, value).is_err(), "@{key}({value:?})");
    }
    assert!(take("reason", &"x".repeat(MAX_REASON + 1)).is_err());
}

#[test]
fn several_groups_stand_with_commas() {
    assert_eq!(groups("dba, security ,dba"), Ok(BTreeSet::from(["dba".to_owned(), "security".to_owned()])));
}
