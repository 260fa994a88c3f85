//! Pseudonyms: a value of the same form under a key, the same for the same value, another for another.
//!
//! Letters become letters of their case, digits digits, and everything else stays where it is. What a reader
//! or program recognises stays recognisable: an e-mail address lies under `.invalid`, which no mail reaches;
//! a card keeps a right Luhn digit; UUIDs, addresses of hosts, days and moments stay what they are, days
//! within their century. An integer keeps its sign, its number of digits and the types it fits, so that
//! the same number in columns of two widths has one pseudonym.

use std::net::{IpAddr, Ipv6Addr};

use super::ValueType;
use super::calendar::{DAY_MICROS, Day, Moment};
use super::permutation::{Permutation, Place};

/// Longer texts have no pseudonym: it would cost too much, and such a text is no key.
const LONGEST: usize = 512;

/// The ending of an address that cannot exist (RFC 2606).
pub(super) const NOWHERE: &str = ".invalid";

/// The pseudonym of a value of a type; nothing where it has none.
pub(super) fn pseudonym(permutation: &Permutation, of: ValueType, value: &str) -> Option<String> {
    if value.len() > LONGEST {
        return None;
    }
    match of {
        ValueType::Text => text(permutation, value),
        ValueType::Integer { .. } => integer(permutation, value),
        ValueType::Numeric => numeric(permutation, value),
        ValueType::Date | ValueType::Timestamp => moment(permutation, value),
        ValueType::Uuid => uuid(permutation, value),
        ValueType::Inet => host(permutation, value),
        ValueType::Float | ValueType::Cidr | ValueType::Bool | ValueType::Other => None,
    }
}

fn text(permutation: &Permutation, value: &str) -> Option<String> {
    if let Some(known) = uuid(permutation, value)
        .or_else(|| moment(permutation, value))
        .or_else(|| host(permutation, value))
        .or_else(|| card(permutation, value))
    {
        return Some(known);
    }
    let mut masked = characters(permutation, value)?;
    if is_email(value) {
        masked.push_str(NOWHERE);
    }
    Some(masked)
}

fn is_email(value: &str) -> bool {
    value.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && !value.contains(char::is_whitespace)
    })
}

/// The first and how many of a class of letters that is kept.
const CLASSES: &[(u32, u32)] = &[
    ('0' as u32, 10),
    ('a' as u32, 26),
    ('A' as u32, 26),
    // Kana, ideographs, Hangul syllables: each stays in its script.
    (0x3042, 80),
    (0x30a2, 80),
    (0x4e00, 20_902),
    (0xac00, 11_172),
];

/// Letter by letter. A letter of another alphabet becomes a Latin one that depends on it.
fn characters(permutation: &Permutation, value: &str) -> Option<String> {
    let mut tweak = Vec::with_capacity(value.len());
    let mut places = Vec::with_capacity(value.len());
    // Per character: its class, or the character that stays.
    let mut form: Vec<Result<u32, char>> = Vec::with_capacity(value.len());
    for character in value.chars() {
        let code = u32::from(character);
        let class = CLASSES.iter().find(|(first, count)| (*first..first + count).contains(&code));
        let mut place = |(first, letters): (u32, u32), letter: u32| {
            places.push(Place { letter, letters });
            form.push(Ok(first));
            tweak.extend_from_slice(&first.to_be_bytes());
        };
        match class {
            Some((first, letters)) => place((*first, *letters), code - first),
            None if character.is_numeric() => {
                place(('0' as u32, 10), 0);
                tweak.extend_from_slice(&code.to_be_bytes());
            }
            None if character.is_alphabetic() => {
                let first = if character.is_uppercase() { 'A' } else { 'a' };
                place((u32::from(first), 26), 0);
                tweak.extend_from_slice(&code.to_be_bytes());
            }
            None => {
                let stays = character.is_ascii()
                    || character.is_whitespace()
                    || matches!(code, 0xa1..=0xbf | 0x2010..=0x2027 | 0x2030..=0x205e | 0x3001..=0x3003);
                form.push(Err(if stays { character } else { '*' }));
                tweak.extend_from_slice(&code.to_be_bytes());
            }
        }
    }
    permutation.places(&tweak, &mut places)?;
    let mut moved = places.into_iter();
    form.into_iter()
        .map(|class| match class {
            Ok(first) => char::from_u32(first + moved.next()?.letter),
            Err(stays) => Some(stays),
        })
        .collect()
}

/// Twelve to nineteen digits with a right Luhn digit, in groups or not.
fn card(permutation: &Permutation, value: &str) -> Option<String> {
    let digits: Vec<u32> = value.chars().filter_map(|it| it.to_digit(10)).collect();
    let only = value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    if !only || !(12..=19).contains(&digits.len()) || luhn(&digits)? != 0 {
        return None;
    }
    let mut places: Vec<Place> = digits.iter().map(|letter| Place { letter: *letter, letters: 10 }).collect();
    places.pop();
    permutation.places(b"card", &mut places)?;
    let mut masked: Vec<u32> = places.iter().map(|place| place.letter).collect();
    masked.push(0);
    let sum = luhn(&masked)?;
    masked.pop();
    masked.push((10 - sum) % 10);
    put_digits(value, &masked)
}

/// The sum of Luhn, modulo ten.
fn luhn(digits: &[u32]) -> Option<u32> {
    let sum = digits.iter().rev().enumerate().try_fold(0_u32, |sum, (at, digit)| {
        let twice = if at % 2 == 1 { digit * 2 } else { *digit };
        sum.checked_add(if twice > 9 { twice - 9 } else { twice })
    })?;
    Some(sum % 10)
}

/// The text with its digits replaced in order.
fn put_digits(text: &str, digits: &[u32]) -> Option<String> {
    let mut digits = digits.iter();
    text.chars()
        .map(|it| if it.is_ascii_digit() { char::from_digit(*digits.next()?, 10) } else { Some(it) })
        .collect()
}

/// Version and variant stay, everything else moves.
fn uuid(permutation: &Permutation, value: &str) -> Option<String> {
    let shape = value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if !shape {
        return None;
    }
    let kept = |at: usize| matches!(at, 8 | 13 | 14 | 18 | 19 | 23);
    let mut places: Vec<Place> = value
        .chars()
        .enumerate()
        .filter(|(at, _)| !kept(*at))
        .filter_map(|(_, it)| it.to_digit(16))
        .map(|letter| Place { letter, letters: 16 })
        .collect();
    let tweak: Vec<u8> = b"uuid"
        .iter()
        .copied()
        .chain(value.bytes().enumerate().filter(|(at, _)| kept(*at)).map(|it| it.1.to_ascii_lowercase()))
        .collect();
    permutation.places(&tweak, &mut places)?;
    let upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
    let mut moved = places.iter();
    value
        .chars()
        .enumerate()
        .map(|(at, it)| {
            if kept(at) {
                return Some(it);
            }
            let digit = char::from_digit(moved.next()?.letter, 16)?;
            Some(if upper { digit.to_ascii_uppercase() } else { digit })
        })
        .collect()
}

/// The address of a host, with or without the length of its network.
fn host(permutation: &Permutation, value: &str) -> Option<String> {
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (value, None),
    };
    if length.is_some_and(|length| length.is_empty() || !length.bytes().all(|it| it.is_ascii_digit())) {
        return None;
    }
    let masked = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => {
            let moved = permutation.number(b"ip4", u64::from(u32::from(address)), 1 << 32)?;
            IpAddr::from(u32::try_from(moved).ok()?.to_be_bytes())
        }
        IpAddr::V6(address) => {
            let mut places: Vec<Place> = address
                .octets()
                .iter()
                .map(|octet| Place { letter: u32::from(*octet), letters: 256 })
                .collect();
            permutation.places(b"ip6", &mut places)?;
            let octets = places.iter().fold(0_u128, |all, place| all << 8 | u128::from(place.letter));
            IpAddr::V6(Ipv6Addr::from(octets))
        }
    };
    Some(match length {
        Some(length) => format!("{masked}/{length}"),
        None => masked.to_string(),
    })
}

/// The first days of the centuries in which days have pseudonyms.
const CENTURIES: [i64; 3] = [1900, 2000, 2100];

/// A day or moment, of the same century; the moment by the clock of Greenwich.
fn moment(permutation: &Permutation, value: &str) -> Option<String> {
    let mut moment = Moment::read(value)?;
    let east = moment.clock.as_ref().map_or(0, |clock| clock.east);
    let micros = i128::from(moment.day.number()) * i128::from(DAY_MICROS)
        + moment.clock.as_ref().map_or(0, |clock| i128::from(clock.micros))
        - i128::from(east) * 1_000_000;
    let day = i64::try_from(micros.div_euclid(i128::from(DAY_MICROS))).ok()?;
    let (first, after) = CENTURIES
        .iter()
        .zip(CENTURIES.iter().skip(1))
        .map(|(from, to)| (new_year(*from), new_year(*to)))
        .find(|(first, after)| (*first..*after).contains(&day))?;
    let days = u64::try_from(after - first).ok()?;
    let Some(clock) = &mut moment.clock else {
        let moved = permutation.number(b"day", u64::try_from(day - first).ok()?, days)?;
        return Some(Day::numbered(first + i64::try_from(moved).ok()?).write());
    };
    // As many digits of the fraction as are written: a whole second stays one.
    let unit = 10_u64.pow(u32::try_from(6 - clock.fraction).ok()?);
    let of_century = u64::try_from(micros - i128::from(first) * i128::from(DAY_MICROS)).ok()?;
    let moved = permutation.number(b"moment", of_century / unit, days * (DAY_MICROS / unit))?;
    let moved = i128::from(moved) * i128::from(unit)
        + i128::from(first) * i128::from(DAY_MICROS)
        + i128::from(east) * 1_000_000;
    moment.day = Day::numbered(i64::try_from(moved.div_euclid(i128::from(DAY_MICROS))).ok()?);
    clock.micros = u64::try_from(moved.rem_euclid(i128::from(DAY_MICROS))).ok()?;
    Some(moment.write())
}

fn new_year(year: i64) -> i64 {
    Day { year, month: 1, day: 1 }.number()
}

/// Where numbers change their length or the types they fit.
const EDGES: [u64; 23] = [
    0,
    10,
    100,
    1_000,
    10_000,
    1 << 15,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    1 << 31,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
    1_000_000_000_000_000_000,
    1 << 63,
    10_000_000_000_000_000_000,
];

fn integer(permutation: &Permutation, value: &str) -> Option<String> {
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", value),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    let (first, after) =
        EDGES.iter().zip(EDGES.iter().skip(1)).find(|(first, after)| (**first..**after).contains(&number))?;
    // There is no negative zero.
    let first = if sign.is_empty() || *first > 0 { *first } else { 1 };
    let moved = permutation.number(sign.as_bytes(), number.checked_sub(first)?, after - first)?;
    Some(format!("{sign}{}", first + moved))
}

/// Digits before and after the point; a number without one as an integer.
fn numeric(permutation: &Permutation, value: &str) -> Option<String> {
    if let Some(masked) = integer(permutation, value) {
        return Some(masked);
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let leads = whole.len() > 1;
    let mut places: Vec<Place> = digits
        .chars()
        .filter_map(|it| it.to_digit(10))
        .enumerate()
        .map(|(at, digit)| match at {
            // A number does not begin with a nought.
            0 if leads => Place { letter: digit.saturating_sub(1), letters: 9 },
            _ => Place { letter: digit, letters: 10 },
        })
        .collect();
    let tweak = format!("numeric {} {} {}", whole.len(), fraction.len(), value.len());
    permutation.places(tweak.as_bytes(), &mut places)?;
    let masked: Vec<u32> = places
        .iter()
        .enumerate()
        .map(|(at, place)| if at == 0 && leads { place.letter + 1 } else { place.letter })
        .collect();
    put_digits(value, &masked)
}
