//! When each moment of a recording is shown: as fast as it happened, faster, or at once.

use std::time::Duration;

use sallyport_core::Timestamp;

/// Waiting is shortened to this: nobody watches an idle hour.
const LONGEST: Duration = Duration::from_secs(2);

/// How a recording is played.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    speed: f64,
    waits: bool,
    /// Nothing is shown before this, from the session's start.
    seek: Duration,
    began: Option<Timestamp>,
    before: Option<Timestamp>,
}

/// What to do with a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// It lies before where the viewer wants to begin.
    Skip,
    /// Wait so long, then show it. `skipped` is time that was left out of the waiting.
    Show { wait: Duration, skipped: Duration },
}

impl Pace {
    /// At once, or `speed` times as fast as it happened, from `seek` on.
    pub(crate) fn new(waits: bool, speed: f64, seek: Duration) -> Self {
        Self { speed, waits, seek, began: None, before: None }
    }

    /// The next moment.
    pub(crate) fn step(&mut self, at: Timestamp) -> Step {
        let began = *self.began.get_or_insert(at);
        let since = between(began, at);
        if since < self.seek {
            self.before = None;
            return Step::Skip;
        }
        let passed = self.before.map_or(Duration::ZERO, |before| between(before, at));
        // A clock that was put back does not make the player wait for it.
        self.before = Some(self.before.map_or(at, |before| before.max(at)));
        if !self.waits {
            return Step::Show { wait: Duration::ZERO, skipped: Duration::ZERO };
        }
        let scaled = passed.div_f64(self.speed);
        let wait = scaled.min(LONGEST);
        let skipped = if scaled > LONGEST { passed } else { Duration::ZERO };
        Step::Show { wait, skipped }
    }

    /// Goes on from so much later.
    pub(crate) fn skip_ahead(&mut self, by: Duration) {
        if let (Some(began), Some(before)) = (self.began, self.before) {
            self.seek = between(began, before).saturating_add(by);
        }
    }

    /// Twice as fast, or half.
    pub(crate) fn faster(&mut self, factor: f64) {
        self.speed = (self.speed * factor).clamp(0.125, 1024.0);
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }
}

fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::from_micros(later.micros().saturating_sub(earlier.micros()).try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + millis * 1000)
    }

    fn show(wait: u64, skipped: u64) -> Step {
        Step::Show { wait: Duration::from_millis(wait), skipped: Duration::from_millis(skipped) }
    }

    #[test]
    fn waits_follow_the_speed_and_are_never_long() {
        let mut pace = Pace::new(true, 4.0, Duration::ZERO);
        assert_eq!(pace.step(at(0)), show(0, 0));
        assert_eq!(pace.step(at(1000)), show(250, 0));
        assert_eq!(pace.step(at(3_601_000)), show(2000, 3_600_000));
        assert_eq!(pace.step(at(3_600_000)), show(0, 0), "a clock that was put back");
        let mut at_once = Pace::new(false, 1.0, Duration::ZERO);
        at_once.step(at(0));
        assert_eq!(at_once.step(at(9000)), show(0, 0));
    }

    #[test]
    fn what_lies_before_the_place_is_skipped() {
        let mut pace = Pace::new(true, 1.0, Duration::from_secs(30));
        assert_eq!(pace.step(at(0)), Step::Skip);
        assert_eq!(pace.step(at(29_999)), Step::Skip);
        assert_eq!(pace.step(at(30_500)), show(0, 0));
        assert_eq!(pace.step(at(31_500)), show(1000, 0));
        pace.skip_ahead(Duration::from_secs(10));
        assert_eq!(pace.step(at(41_000)), Step::Skip);
        assert_eq!(pace.step(at(41_500)), show(0, 0));
    }
}
