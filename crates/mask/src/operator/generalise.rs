//! Generalising: less of a value, and still one of its type.
//!
//! A day or moment becomes the first of its year or month, the address of a host its network (/24, /48), a
//! number the lower end of its bucket (towards zero), or of its leading digit where no bucket is named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ValueType;
use super::calendar::{Clock, Moment};

/// How far a value is generalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Coarseness {
    /// Days and moments keep their month, not their year alone.
    pub month: bool,
    /// The size of a number's bucket.
    pub bucket: Option<u64>,
}

/// The value generalised; nothing where its type or form has no coarser one.
pub(super) fn generalise(to: Coarseness, of: ValueType, value: &str) -> Option<String> {
    match of {
        ValueType::Text => moment(to, value).or_else(|| network(value)).or_else(|| decimal(to, value)),
        ValueType::Integer { .. } | ValueType::Numeric => decimal(to, value),
        ValueType::Float => float(to, value),
        ValueType::Date | ValueType::Timestamp => moment(to, value),
        ValueType::Inet | ValueType::Cidr => network(value),
        ValueType::Uuid | ValueType::Bool | ValueType::Other => None,
    }
}

fn moment(to: Coarseness, value: &str) -> Option<String> {
    let mut moment = Moment::read(value)?;
    moment.day.day = 1;
    if !to.month {
        moment.day.month = 1;
    }
    moment.clock = moment.clock.map(|clock| Clock { micros: 0, fraction: 0, ..clock });
    Some(moment.write())
}

fn network(value: &str) -> Option<String> {
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (value, None),
    };
    let (network, most) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => {
            let length = length.unwrap_or(32).min(24);
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            (IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask)), length)
        }
        IpAddr::V6(address) => {
            let length = length.unwrap_or(128).min(48);
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            (IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask)), length)
        }
    };
    Some(format!("{network}/{most}"))
}

/// A whole or decimal number; the fraction goes.
fn decimal(to: Coarseness, value: &str) -> Option<String> {
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", value),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let coarse = match to.bucket {
        Some(bucket) => {
            let number: u128 = whole.parse().ok()?;
            (number - number.checked_rem(u128::from(bucket))?).to_string()
        }
        None if whole.len() == 1 => "0".to_owned(),
        None => {
            let (lead, rest) = whole.split_at_checked(1)?;
            format!("{lead}{}", "0".repeat(rest.len()))
        }
    };
    let is_zero = coarse.bytes().all(|byte| byte == b'0');
    Some(if is_zero { "0".to_owned() } else { format!("{sign}{coarse}") })
}

fn float(to: Coarseness, value: &str) -> Option<String> {
    let number: f64 = value.parse().ok().filter(|number: &f64| number.is_finite())?;
    if let Ok(whole) = value.parse::<i64>() {
        return decimal(to, &whole.to_string());
    }
    // Beyond what is written in digits, the leading digit and its power say it.
    let written = format!("{:.0}", number.trunc());
    decimal(to, &written)
}
