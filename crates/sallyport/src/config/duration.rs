//! Durations as people write them: `500ms`, `90s`, `5m`, `12h`, `30d`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A duration with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TextDuration(pub(crate) Duration);

impl TextDuration {
    /// A number of seconds.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl std::str::FromStr for TextDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{}` is not a duration; write a whole number and ms, s, m, h or d, as in `90s`",
                sallyport_core::visible::line(text)
            )
        };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let millis = match unit {
            "ms" => Some(number),
            "s" => number.checked_mul(1000),
            "m" => number.checked_mul(60_000),
            "h" => number.checked_mul(3_600_000),
            "d" => number.checked_mul(86_400_000),
            _ => None,
        };
        // A century: beyond it, arithmetic with timestamps would saturate instead of telling.
        const LONGEST_MS: u64 = 36_500 * 86_400_000;
        millis
            .filter(|millis| *millis <= LONGEST_MS)
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(wrong)
    }
}

impl fmt::Display for TextDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
            if millis >= size && millis.is_multiple_of(size) {
                return write!(f, "{}{unit}", millis / size);
            }
        }
        write!(f, "{millis}ms")
    }
}

impl<'de> Deserialize<'de> for TextDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl schemars::JsonSchema for TextDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("12h", 43_200), ("30d", 2_592_000)] {
            let read: TextDuration = text.parse().unwrap();
            assert_eq!(read.0, Duration::from_secs(seconds));
            assert_eq!(read.to_string(), text);
        }
        assert_eq!("500ms".parse::<TextDuration>().unwrap().to_string(), "500ms");
    }

    #[test]
    fn a_duration_without_unit_or_number_is_refused() {
        for text in ["", "90", "s", "-1s", "1.5s", "1w", "99999999999999999999s", "9999999999d", "1 s"] {
            assert!(text.parse::<TextDuration>().is_err(), "{text}");
        }
    }
}
