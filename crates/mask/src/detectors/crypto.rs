//! `CRYPTO`: addresses of Bitcoin and its relatives (Base58Check, Bech32), Ethereum, Ripple, Monero.

use sha2::{Digest, Sha256};

use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{DIGIT, TOKEN_26};

/// What each character of an alphabet of base 58 counts.
static BASE58: [u8; 256] = digits(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
static RIPPLE: [u8; 256] = digits(b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz");

/// A character that the alphabet has not.
const NONE: u8 = u8::MAX;

const fn digits(alphabet: &[u8; 58]) -> [u8; 256] {
    let mut digits = [NONE; 256];
    let mut at = 0_u8;
    while at < 58 {
        #[expect(clippy::indexing_slicing, reason = "below the alphabet's size; checked when it is compiled")]
        {
            digits[alphabet[at as usize] as usize] = at;
        }
        at += 1;
    }
    digits
}

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// First bytes of addresses: Bitcoin (also its test net), Litecoin, Dogecoin, Dash, Tron.
const VERSIONS: &[u8] = &[0x00, 0x05, 0x6f, 0xc4, 0x30, 0x32, 0x1e, 0x16, 0x4c, 0x10, 0x41];

/// What such addresses start with.
const STARTS: &[u8] = b"13mn2LM9ADX7T";

/// What comes before the 1 in addresses of Bech32.
const HUMAN: &[&str] = &["bc", "tb", "ltc", "addr", "cosmos", "osmo", "terra", "grs", "vtc"];

const KIND: Kind = Kind {
    id: "crypto-address",
    entity: "CRYPTO",
    description: "An address of Bitcoin or one of its relatives whose check sum is right, or of Ethereum.",
};

/// The detector.
#[derive(Debug)]
pub(super) struct Crypto;

impl Detector for Crypto {
    fn kinds(&self) -> Vec<&'static Kind> {
        vec![&KIND]
    }

    fn needs(&self) -> Needs {
        Needs::all(DIGIT | TOKEN_26)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        for token in
            reading.parts.tokens.iter().filter(|token| (26..=120).contains(&token.len()) && !token.glued)
        {
            if reading.text.get(token.span.clone()).is_some_and(is_address) {
                found.push(Found::new(&KIND, token.span.clone(), 1.0));
            }
        }
    }
}

fn is_address(token: &str) -> bool {
    let bytes = token.as_bytes();
    let by_shape = match bytes {
        [b'0', b'x' | b'X', hex @ ..] => {
            hex.len() == 40
                && hex.iter().all(u8::is_ascii_hexdigit)
                && hex.iter().any(u8::is_ascii_alphabetic)
        }
        [b'r', ..] if bytes.len() <= 35 && base58_check(bytes, &RIPPLE, &[0]) => true,
        [b'4' | b'8', ..] if bytes.len() == 95 => {
            bytes.iter().all(|byte| BASE58.get(usize::from(*byte)).is_some_and(|digit| *digit != NONE))
        }
        [first, ..] if bytes.len() <= 35 && STARTS.contains(first) => base58_check(bytes, &BASE58, VERSIONS),
        _ => false,
    };
    by_shape
        || HUMAN.iter().any(|human| {
            token.get(..human.len()).is_some_and(|start| start.eq_ignore_ascii_case(human))
                && scan::at(bytes, human.len()) == b'1'
                && bech32_check(token, human)
        })
}

/// 25 bytes, the first a known version, the last four the start of the double SHA-256 of the others.
fn base58_check(token: &[u8], alphabet: &[u8; 256], versions: &[u8]) -> bool {
    // Seven words of 32 bits, the lowest first.
    let mut words = [0_u32; 7];
    for byte in token {
        let digit = alphabet.get(usize::from(*byte)).copied().unwrap_or(NONE);
        if digit == NONE {
            return false;
        }
        let mut carry = u64::from(digit);
        for word in &mut words {
            carry += u64::from(*word) * 58;
            *word = u32::try_from(carry & 0xffff_ffff).unwrap_or(0);
            carry >>= 32;
        }
        if carry != 0 {
            return false;
        }
    }
    let mut whole = [0_u8; 28];
    for (place, word) in whole.chunks_exact_mut(4).zip(words.iter().rev()) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    let Some((&[0, 0, 0], bytes)) = whole.split_first_chunk::<3>() else { return false };
    let (payload, sum) = bytes.split_at(21);
    if !payload.first().is_some_and(|version| versions.contains(version)) {
        return false;
    }
    let digest = Sha256::digest(Sha256::digest(payload));
    digest.iter().take(4).eq(sum)
}

/// BIP 173 and 350: the polymod is 1, or Bech32m's constant.
fn bech32_check(token: &str, human: &str) -> bool {
    let token = match (token.to_lowercase(), token.to_uppercase()) {
        (lower, upper) if token == lower || token == upper => lower,
        _ => return false,
    };
    let mut sum = 1_u32;
    let mut step = |value: u32| {
        let top = sum >> 25;
        sum = ((sum & 0x01ff_ffff) << 5) ^ value;
        for (bit, generator) in
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].into_iter().enumerate()
        {
            if (top >> bit) & 1 == 1 {
                sum ^= generator;
            }
        }
    };
    // What comes before the 1, expanded: high bits, zero, low bits.
    human.bytes().for_each(|byte| step(u32::from(byte >> 5)));
    step(0);
    human.bytes().for_each(|byte| step(u32::from(byte & 31)));
    for byte in token.bytes().skip(human.len() + 1) {
        let Some(value) = BECH32.iter().position(|letter| *letter == byte) else { return false };
        step(u32::try_from(value).unwrap_or(0));
    }
    sum == 1 || sum == 0x2bc8_30a3
}
