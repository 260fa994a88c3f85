//! Days and moments as PostgreSQL writes them in ISO style: `2024-05-06`, `2024-05-06 07:08:09.5+02`.
//!
//! Only years from 1 to 9999 are read; what is written otherwise (infinity, BC, another DateStyle) is not.

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// A day, and a moment of it where one is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub(super) day: Day,
    pub(super) clock: Option<Clock>,
}

/// A moment of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// What stands between day and time.
    pub(super) separator: char,
    pub(super) micros: u64,
    /// How many digits of the second's fraction are written.
    pub(super) fraction: usize,
    /// The offset as it is written, and in seconds east.
    pub(super) offset: String,
    pub(super) east: i64,
}

/// Microseconds of a day.
pub(super) const DAY_MICROS: u64 = 86_400_000_000;

impl Day {
    /// Days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
    pub(super) fn number(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let of_era = year - era * 400;
        let month = (self.month + 9) % 12;
        let of_year = (153 * month + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day of that number.
    pub(super) fn numbered(number: i64) -> Self {
        let number = number + 719_468;
        let era = number.div_euclid(146_097);
        let of_era = number - era * 146_097;
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: year + era * 400 + i64::from(month <= 2), month, day }
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        let read = Self { year: digits(year)?, month: digits(month)?, day: digits(day)? };
        // A day that does not exist comes back as another.
        (read.year > 0 && (1..=12).contains(&read.month) && Self::numbered(read.number()) == read)
            .then_some(read)
    }

    pub(super) fn write(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Moment {
    /// The day so many days after 1970-01-01; nothing outside the years that are written.
    #[must_use]
    pub fn of_days(days: i64) -> Option<Self> {
        let day = Day::numbered(Some(days).filter(|days| days.unsigned_abs() < 4_000_000)?);
        (1..=9999).contains(&day.year).then_some(Self { day, clock: None })
    }

    /// The moment so many microseconds after 1970-01-01, with that written behind it as its offset, `""` or
    /// `"+00"`.
    #[must_use]
    pub fn of_micros(micros: i64, offset: &str) -> Option<Self> {
        let a_day = i64::try_from(DAY_MICROS).ok()?;
        let Self { day, .. } = Self::of_days(micros.div_euclid(a_day))?;
        let micros = u64::try_from(micros.rem_euclid(a_day)).ok()?;
        // As PostgreSQL writes it: no more digits than say something.
        let fraction = (0..6).find(|digits| micros % 10_u64.pow(6 - digits) == 0).unwrap_or(6);
        let clock = Clock {
            separator: ' ',
            micros,
            fraction: usize::try_from(fraction).ok()?,
            offset: offset.to_owned(),
            east: east(offset)?,
        };
        Some(Self { day, clock: Some(clock) })
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(&self) -> i64 {
        self.day.number()
    }

    /// Microseconds since 1970-01-01, by the clock of Greenwich.
    #[must_use]
    pub fn micros(&self) -> Option<i64> {
        let (of_day, east) =
            self.clock.as_ref().map_or((0, 0), |clock| (i128::from(clock.micros), i128::from(clock.east)));
        let micros = i128::from(self.days()) * i128::from(DAY_MICROS) + of_day - east * 1_000_000;
        i64::try_from(micros).ok()
    }

    /// Reads a day or a moment.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let day = Day::read(text.get(..10)?)?;
        let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else {
            return Some(Self { day, clock: None });
        };
        let separator = rest.chars().next().filter(|it| matches!(it, ' ' | 'T'))?;
        let rest = rest.get(1..)?;
        let (time, offset) = match rest.find(['+', '-', 'Z']) {
            Some(at) => (rest.get(..at)?, rest.get(at..)?),
            None => (rest, ""),
        };
        let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
        if fraction.len() > 6 || (time.contains('.') && fraction.is_empty()) {
            return None;
        }
        let seconds = clock_seconds(clock)?;
        let micros = if fraction.is_empty() { 0 } else { digits(&format!("{fraction:0<6}"))? };
        let micros = u64::try_from(seconds * 1_000_000 + micros).ok().filter(|it| *it < DAY_MICROS)?;
        let east = east(offset)?;
        Some(Self {
            day,
            clock: Some(Clock {
                separator,
                micros,
                fraction: fraction.len(),
                offset: offset.to_owned(),
                east,
            }),
        })
    }

    /// As it is written.
    #[must_use]
    pub fn write(&self) -> String {
        let Some(clock) = &self.clock else { return self.day.write() };
        let (seconds, micros) = (clock.micros / 1_000_000, clock.micros % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut text = format!("{}{}{hour:02}:{minute:02}:{second:02}", self.day.write(), clock.separator);
        if clock.fraction > 0 {
            text.push('.');
            text.extend(format!("{micros:06}").chars().take(clock.fraction));
        }
        text.push_str(&clock.offset);
        text
    }
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `07:08:09` or `07:08`.
fn clock_seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("00");
    if parts.next().is_some() || [hour, minute, second].iter().any(|part| part.len() != 2) {
        return None;
    }
    let (hour, minute, second) = (digits(hour)?, digits(minute)?, digits(second)?);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// `+02`, `-03:30`, `+00:19:32`, `Z` or nothing, in seconds.
fn east(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.chars().next() {
        None | Some('Z') => return (offset.len() <= 1).then_some(0),
        Some('+') => (1, offset.get(1..)?),
        _ => (-1, offset.get(1..)?),
    };
    let mut seconds = 0;
    let mut unit = 3600;
    for part in rest.split(':') {
        if part.len() != 2 || unit == 0 {
            return None;
        }
        seconds += digits(part)? * unit;
        unit /= 60;
    }
    Some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_writes_is_read_and_written_back_the_same() {
        for text in [
            "2024-02-29",
            "1970-01-01 00:00:00",
            "2024-05-06 07:08:09.5+02",
            "0001-01-01T23:59:59.999999-03:30",
            "1890-01-01 12:00:00+00:19:32",
            "2024-05-06T07:08:09Z",
        ] {
            assert_eq!(Moment::read(text).map(|moment| moment.write()).as_deref(), Some(text));
        }
        for text in [
            "2023-02-29",
            "2024-13-01",
            "infinity",
            "06.05.2024",
            "2024-5-6",
            "2024-05-06 25:00:00",
            "",
            "2024-05-06 07",
            "2024-05-06 07:08:09.",
            "2024-05-06 BC",
            "2024-05-06 07:08:09 BC",
            "0000-01-01",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_counted_in_microseconds() {
        let micros = |text: &str| Moment::read(text).and_then(|moment| moment.micros());
        assert_eq!(micros("1970-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(micros("1970-01-01 02:00:00+02"), Some(0));
        for text in ["2024-05-06 07:08:09.25", "1969-12-31 23:59:59", "0001-01-01 00:00:00.000001"] {
            assert_eq!(Moment::of_micros(micros(text).unwrap(), "").unwrap().write(), text);
        }
        assert_eq!(Moment::of_days(-1).unwrap().write(), "1969-12-31");
        assert_eq!(Moment::of_days(i64::from(i32::MAX)), None, "infinity");
        assert_eq!(Moment::of_micros(i64::MAX, ""), None, "infinity");
    }

    #[test]
    fn days_are_numbered_as_the_calendar_has_them() {
        assert_eq!(Day { year: 1970, month: 1, day: 1 }.number(), 0);
        assert_eq!(Day { year: 2000, month: 1, day: 1 }.number(), 10_957);
        for number in (-700_000..2_900_000).step_by(37) {
            assert_eq!(Day::numbered(number).number(), number);
        }
    }
}
