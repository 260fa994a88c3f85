//! Values of types that operators and detectors can read: from their binary form to text and back.
//!
//! The binary forms are those of the types' send functions (`int4send`, `numeric_send`, …), the texts those
//! of their output functions in ISO style. What does not read is nothing, and its value becomes NULL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{BufMut as _, BytesMut};
use sallyport_mask::{Moment, ValueType};

use super::row::Cursor;

/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;

/// `numeric`: the sign's values, the base of its digits, and how far from the point one is read.
const NEGATIVE: i16 = 0x4000;
const BASE_DIGITS: usize = 4;
const FARTHEST: i16 = 64;

/// Families of addresses.
const INET: u8 = 2;
const INET6: u8 = 3;

/// What operators take a type for.
pub(super) fn value_type(type_oid: u32) -> ValueType {
    match type_oid {
        16 => ValueType::Bool,
        20 => ValueType::Integer { bits: 64 },
        21 => ValueType::Integer { bits: 16 },
        23 => ValueType::Integer { bits: 32 },
        650 => ValueType::Cidr,
        700 | 701 => ValueType::Float,
        869 => ValueType::Inet,
        1082 => ValueType::Date,
        1114 | 1184 => ValueType::Timestamp,
        1700 => ValueType::Numeric,
        2950 => ValueType::Uuid,
        _ => ValueType::Other,
    }
}

/// A binary value as text.
pub(super) fn to_text(type_oid: u32, value: &[u8]) -> Option<String> {
    Some(match type_oid {
        16 => if value == [0] { "f" } else { "t" }.to_owned(),
        20 => i64::from_be_bytes(value.try_into().ok()?).to_string(),
        21 => i16::from_be_bytes(value.try_into().ok()?).to_string(),
        23 => i32::from_be_bytes(value.try_into().ok()?).to_string(),
        700 => f32::from_be_bytes(value.try_into().ok()?).to_string(),
        701 => f64::from_be_bytes(value.try_into().ok()?).to_string(),
        650 | 869 => address(type_oid == 650, value)?,
        1082 => {
            let days = i64::from(i32::from_be_bytes(value.try_into().ok()?));
            Moment::of_days(days.checked_add(EPOCH_DAYS)?)?.write()
        }
        1114 | 1184 => {
            let micros = i64::from_be_bytes(value.try_into().ok()?).checked_add(EPOCH_MICROS)?;
            Moment::of_micros(micros, if type_oid == 1184 { "+00" } else { "" })?.write()
        }
        1700 => decimal(value)?,
        2950 => {
            let bytes: [u8; 16] = value.try_into().ok()?;
            let mut text = String::with_capacity(36);
            for (at, byte) in bytes.iter().enumerate() {
                if matches!(at, 4 | 6 | 8 | 10) {
                    text.push('-');
                }
                text.push_str(&format!("{byte:02x}"));
            }
            text
        }
        _ => return None,
    })
}

/// A text as a binary value.
pub(super) fn to_binary(type_oid: u32, text: &str) -> Option<Vec<u8>> {
    Some(match type_oid {
        16 => vec![u8::from(text == "t")],
        20 => text.parse::<i64>().ok()?.to_be_bytes().to_vec(),
        21 => text.parse::<i16>().ok()?.to_be_bytes().to_vec(),
        23 => text.parse::<i32>().ok()?.to_be_bytes().to_vec(),
        700 => text.parse::<f32>().ok()?.to_be_bytes().to_vec(),
        701 => text.parse::<f64>().ok()?.to_be_bytes().to_vec(),
        650 | 869 => put_address(type_oid == 650, text)?,
        1082 => {
            let days = Moment::read(text)?.days().checked_sub(EPOCH_DAYS)?;
            i32::try_from(days).ok()?.to_be_bytes().to_vec()
        }
        1114 | 1184 => Moment::read(text)?.micros()?.checked_sub(EPOCH_MICROS)?.to_be_bytes().to_vec(),
        1700 => put_decimal(text)?,
        2950 => {
            let digits: Vec<u32> = text.chars().filter_map(|it| it.to_digit(16)).collect();
            let bytes: Option<Vec<u8>> = digits
                .chunks(2)
                .map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte << 4 | digit)).ok())
                .collect();
            bytes.filter(|bytes| bytes.len() == 16)?
        }
        _ => return None,
    })
}

/// `inet_send`: family, length of the network, whether it is one, and the address with its length.
fn address(is_network: bool, value: &[u8]) -> Option<String> {
    let (head, address) = value.split_at_checked(4)?;
    let (family, bits) = (*head.first()?, *head.get(1)?);
    let address = match family {
        INET => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        INET6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    let whole = if family == INET { 32 } else { 128 };
    Some(if bits == whole && !is_network { address.to_string() } else { format!("{address}/{bits}") })
}

fn put_address(is_network: bool, text: &str) -> Option<Vec<u8>> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (family, whole, octets) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => (INET, 32, Ipv4Addr::octets(&address).to_vec()),
        IpAddr::V6(address) => (INET6, 128, Ipv6Addr::octets(&address).to_vec()),
    };
    let mut out = vec![family, bits.unwrap_or(whole), u8::from(is_network), u8::try_from(octets.len()).ok()?];
    out.extend(octets);
    Some(out)
}

/// `numeric_send`: how many digits of base 10 000, the power of the first, sign, digits after the point.
fn decimal(value: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(value);
    let count = usize::try_from(cursor.i16()?).ok()?;
    let weight = cursor.i16().filter(|weight| (-FARTHEST..=FARTHEST).contains(weight))?;
    let sign = cursor.i16().filter(|sign| matches!(*sign, 0 | NEGATIVE))?;
    let scale = usize::try_from(cursor.i16()?).ok()?;
    let mut digits = Vec::new();
    for _ in 0..count {
        digits.push(cursor.i16().filter(|digit| (0..10_000).contains(digit))?);
    }
    if !cursor.is_empty() || scale > 4 * usize::try_from(FARTHEST).ok()? {
        return None;
    }
    let at = |power: i16| {
        let place = usize::try_from(weight.checked_sub(power)?).ok()?;
        digits.get(place).copied()
    };
    let whole: String =
        (0..=weight.max(0)).rev().map(|power| format!("{:04}", at(power).unwrap_or(0))).collect();
    let fraction: String = (1..=FARTHEST)
        .take(scale.div_ceil(BASE_DIGITS))
        .map(|power| format!("{:04}", at(-power).unwrap_or(0)))
        .collect::<String>()
        .chars()
        .take(scale)
        .collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if sign == NEGATIVE { "-" } else { "" };
    Some(if scale > 0 { format!("{sign}{whole}.{fraction}") } else { format!("{sign}{whole}") })
}

fn put_decimal(text: &str) -> Option<Vec<u8>> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let lead = whole.len().div_ceil(BASE_DIGITS) * BASE_DIGITS;
    let tail = fraction.len().div_ceil(BASE_DIGITS) * BASE_DIGITS;
    let padded = format!("{whole:0>lead$}{fraction:0<tail$}");
    let digits: Option<Vec<i16>> = padded
        .as_bytes()
        .chunks(BASE_DIGITS)
        .map(|four| std::str::from_utf8(four).ok()?.parse().ok())
        .collect();
    let digits = digits?;
    let skipped = digits.iter().take_while(|digit| **digit == 0).count();
    let used = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1 - skipped);
    let weight = i16::try_from(lead / BASE_DIGITS).ok()?.checked_sub(1)?;
    let weight = if used == 0 { 0 } else { weight.checked_sub(i16::try_from(skipped).ok()?)? };
    let mut out = BytesMut::new();
    out.put_i16(i16::try_from(used).ok()?);
    out.put_i16(weight);
    out.put_i16(if used == 0 { 0 } else { sign });
    out.put_i16(i16::try_from(fraction.len()).ok()?);
    for digit in digits.iter().skip(skipped).take(used) {
        out.put_i16(*digit);
    }
    Some(out.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_read_and_written_back_the_same() {
        for (oid, text, bytes) in [
            (16, "t", vec![1]),
            (21, "-7", vec![0xff, 0xf9]),
            (23, "42", vec![0, 0, 0, 42]),
            (20, "-1", vec![0xff; 8]),
            (701, "1.5", 1.5_f64.to_be_bytes().to_vec()),
            (1082, "2000-01-02", vec![0, 0, 0, 1]),
            (1082, "1999-12-31", vec![0xff; 4]),
            (1114, "2000-01-01 00:00:01.5", 1_500_000_i64.to_be_bytes().to_vec()),
            (1184, "1999-12-31 23:59:59+00", (-1_000_000_i64).to_be_bytes().to_vec()),
            (2950, "00112233-4455-6677-8899-aabbccddeeff", (0..16).map(|it| it * 0x11).collect()),
            (869, "203.0.113.7", vec![2, 32, 0, 4, 203, 0, 113, 7]),
            (869, "203.0.113.7/24", vec![2, 24, 0, 4, 203, 0, 113, 7]),
            (650, "10.0.0.0/8", vec![2, 8, 1, 4, 10, 0, 0, 0]),
            // As numeric_send gives them.
            (1700, "12345.678", vec![0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]),
            (1700, "-0.00012", vec![0, 2, 0xff, 0xff, 0x40, 0, 0, 5, 0, 1, 0x07, 0xd0]),
            (1700, "0", vec![0; 8]),
            (1700, "10000", vec![0, 1, 0, 1, 0, 0, 0, 0, 0, 1]),
            (1700, "0.50", vec![0, 1, 0xff, 0xff, 0, 0, 0, 2, 0x13, 0x88]),
        ] {
            assert_eq!(to_text(oid, &bytes).as_deref(), Some(text), "{oid}");
            assert_eq!(to_binary(oid, text), Some(bytes), "{oid} {text}");
        }
        assert_eq!(
            to_text(869, &to_binary(869, "2001:db8::1/64").unwrap()).as_deref(),
            Some("2001:db8::1/64")
        );
    }

    #[test]
    fn what_does_not_read_is_nothing() {
        for (oid, bytes) in [
            (23, vec![0; 8]),
            (1082, i32::MAX.to_be_bytes().to_vec()),
            (1114, i64::MIN.to_be_bytes().to_vec()),
            (1700, vec![0, 0, 0, 0, 0xc0, 0, 0, 0]),
            (1700, vec![0, 1, 0x7f, 0xff, 0, 0, 0, 0, 0, 1]),
            (1700, vec![0, 9]),
            (869, vec![9, 32, 0, 4, 1, 2, 3, 4]),
            (2950, vec![1]),
            (25, b"text".to_vec()),
        ] {
            assert_eq!(to_text(oid, &bytes), None, "{oid} {bytes:?}");
        }
    }
}
