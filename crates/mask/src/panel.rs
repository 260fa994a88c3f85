//! Which detectors a text is shown to: a few look-ups for all of them together.

use crate::context::Column;
use crate::detectors::Detector;
use crate::features::{Features, Needs};

/// Detectors and what they need, turned around: by each feature, who can do with it. A detector is a bit.
#[derive(Debug)]
pub(crate) struct Panel {
    detectors: Vec<&'static dyn Detector>,
    /// By kind of byte: who needs no such byte.
    without: [u64; 16],
    /// By number of digits and bytes: who needs no more.
    digits: Vec<u64>,
    length: Vec<u64>,
    /// Who needs one of some kinds.
    any: Vec<(u64, u16)>,
}

impl Panel {
    /// Of these detectors; sixty-four at most.
    pub(crate) fn of(detectors: &[&'static dyn Detector]) -> Self {
        let needs: Vec<(u64, Needs)> =
            detectors.iter().take(64).enumerate().map(|(at, detector)| (1 << at, detector.needs())).collect();
        let who = |can: &dyn Fn(&Needs) -> bool| {
            needs.iter().filter(|(_, needs)| can(needs)).fold(0, |who, (bit, _)| who | bit)
        };
        let mut without = [0; 16];
        for (kind, place) in without.iter_mut().enumerate() {
            *place = who(&|needs| needs.required() >> kind & 1 == 0);
        }
        let most =
            |number: fn(&Needs) -> usize| needs.iter().map(|(_, needs)| number(needs)).max().unwrap_or(0);
        Self {
            detectors: detectors.iter().take(64).copied().collect(),
            without,
            digits: (0..=most(Needs::least_digits))
                .map(|n| who(&|needs| needs.least_digits() <= n))
                .collect(),
            length: (0..=most(Needs::least_length))
                .map(|n| who(&|needs| needs.least_length() <= n))
                .collect(),
            any: needs
                .iter()
                .filter(|(_, needs)| needs.one_of() != 0)
                .map(|(bit, needs)| (*bit, needs.one_of()))
                .collect(),
        }
    }

    /// Who is asked about a text of these features.
    pub(crate) fn asked(&self, features: Features) -> u64 {
        let by = |who: &[u64], number: usize| {
            who.get(number.min(who.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        let mut asked = by(&self.digits, features.digits()) & by(&self.length, features.length());
        for (kind, who) in self.without.iter().enumerate() {
            if features.bits() >> kind & 1 == 0 {
                asked &= who;
            }
        }
        for (bit, kinds) in &self.any {
            if !features.any(*kinds) {
                asked &= !bit;
            }
        }
        asked
    }

    /// Who reads every value of the column.
    pub(crate) fn asked_by_column(&self, column: &Column) -> u64 {
        let reads = self.detectors.iter().enumerate().filter(|(_, detector)| detector.by_column(column));
        reads.fold(0, |asked, (at, _)| asked | 1 << at)
    }

    /// The detectors that are asked.
    pub(crate) fn each(&self, mut asked: u64) -> impl Iterator<Item = &'static dyn Detector> + '_ {
        std::iter::from_fn(move || {
            let at = usize::try_from(asked.trailing_zeros()).ok()?;
            asked &= asked.wrapping_sub(1);
            self.detectors.get(at).copied()
        })
    }
}
