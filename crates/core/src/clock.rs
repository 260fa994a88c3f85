//! Time, as a thing that is handed in, so that tests can hold it still.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// A point in time, microseconds since the Unix epoch, UTC. Serialised as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The point `micros` microseconds after the epoch; clamped to what RFC 3339 can write.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Reads an RFC 3339 time, or nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// This time plus `seconds` (which may be negative), saturating.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.micros().saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Whole seconds from `earlier` to this time; negative when `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.micros().saturating_sub(earlier.micros()).div_euclid(1_000_000)
    }

    /// The same time cut to the minute: what cached decisions may depend on.
    #[must_use]
    pub fn minute(self) -> Self {
        let micros = self.micros();
        Self::from_micros(micros.saturating_sub(micros.rem_euclid(60_000_000)))
    }

    /// `HH:MMZ`, for hints that a person reads.
    #[must_use]
    pub fn hour_minute(self) -> String {
        self.0.strftime("%H:%MZ").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock: the one place that reads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else asks")]
    fn now(&self) -> Timestamp {
        let micros = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Timestamp::from_micros(micros)
    }
}
