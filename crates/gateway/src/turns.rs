//! Whoever fails again and again waits longer and longer for an answer, by its address.
//!
//! A failure takes a turn; turns come back one a second. Who has none left is answered later, and never
//! refused: a caller with a good credential beside a bad one, on one address, is let in as ever.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A turn comes back in this time.
const EVERY: Duration = Duration::from_secs(1);
/// So many failures at once are answered at once.
const AT_ONCE: u32 = 10;
/// Nobody waits longer than this.
const LONGEST: Duration = Duration::from_secs(10);
/// Addresses that are remembered; those whose turns have all come back are forgotten first.
const ADDRESSES: usize = 10_000;

/// Who has failed of late.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// When all turns of an address will have come back.
    whole_again: Mutex<HashMap<IpAddr, Instant>>,
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.whole_again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a turn for a failure; how long its answer is to wait.
    pub(crate) fn failed(&self, address: IpAddr, now: Instant) -> Duration {
        let mut all = self.lock();
        if all.len() >= ADDRESSES {
            all.retain(|_, whole_again| *whole_again > now);
        }
        if all.len() >= ADDRESSES {
            // So many at once are no accident: all of them wait.
            return LONGEST;
        }
        let whole_again = all.entry(neighbourhood(address)).or_insert(now);
        let wait = whole_again.saturating_duration_since(now).saturating_sub(EVERY * AT_ONCE);
        if wait < LONGEST {
            *whole_again = (*whole_again).max(now) + EVERY;
        }
        wait.min(LONGEST)
    }

    /// How long an address waits before it is listened to, without a turn being taken.
    pub(crate) fn wait(&self, address: IpAddr, now: Instant) -> Duration {
        let whole_again = self.lock().get(&neighbourhood(address)).copied();
        let left =
            whole_again.map_or(Duration::ZERO, |whole_again| whole_again.saturating_duration_since(now));
        left.saturating_sub(EVERY * AT_ONCE).min(LONGEST)
    }
}

/// Whom an address stands for: itself, or in IPv6 its network of 64 bits, which one caller has whole.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_again_and_again_waits_longer_and_another_does_not() {
        let turns = Turns::default();
        let now = Instant::now();
        let (bad, good): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let waits: Vec<u64> = (0..30).map(|_| turns.failed(bad, now).as_secs()).collect();
        assert!(waits[..=10].iter().all(|wait| *wait == 0), "{waits:?}");
        assert_eq!(waits[11..14], [1, 2, 3]);
        assert_eq!(waits[29], LONGEST.as_secs());
        assert_eq!(turns.wait(bad, now), LONGEST);
        assert_eq!(turns.failed(good, now), Duration::ZERO);
        assert_eq!(turns.wait(bad, now + Duration::from_secs(30)), Duration::ZERO, "turns come back");
    }

    #[test]
    fn one_network_of_ipv6_is_one_caller() {
        let of = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_eq!(of("::1"), "::1".parse::<IpAddr>().unwrap());
    }
}
