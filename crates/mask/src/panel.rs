//! Which detectors a text is shown to: a look at a few bits for each.

use crate::column::Column;
use crate::detectors::Detector;
use crate::features::Needs;

/// Detectors and what they need. A detector is a bit.
#[derive(Debug)]
pub(crate) struct Panel {
    detectors: Vec<&'static dyn Detector>,
    needs: Vec<Needs>,
}

impl Panel {
    /// Of these detectors; sixty-four at most.
    pub(crate) fn of(detectors: &[&'static dyn Detector]) -> Self {
        let detectors: Vec<_> = detectors.iter().take(64).copied().collect();
        Self { needs: detectors.iter().map(|detector| detector.needs()).collect(), detectors }
    }

    /// Who is asked about a text of these bits.
    pub(crate) fn asked(&self, bits: u64) -> u64 {
        self.needs.iter().rev().fold(0, |asked, needs| asked << 1 | u64::from(needs.met_by(bits)))
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
