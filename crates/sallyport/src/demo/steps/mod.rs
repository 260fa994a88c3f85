//! The steps of the tour, in order. Each shows one thing, and fails when it does not show it.

mod blocked;
mod held;
mod injected;
mod masked;
mod recorded;
mod running;
mod tampered;

use super::tour::Tour;
use crate::failure::Failure;

/// All of them.
pub(crate) fn all(tour: &mut Tour) -> Result<(), Failure> {
    running::show(tour)?;
    masked::show(tour)?;
    blocked::show(tour)?;
    held::show(tour)?;
    injected::show(tour)?;
    recorded::replayed(tour)?;
    recorded::verified(tour)?;
    tampered::show(tour)
}
