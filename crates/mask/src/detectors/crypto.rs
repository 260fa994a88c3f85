//! `CRYPTO`: addresses of Bitcoin (Base58Check, Bech32) and Ethereum.

use sha2::{Digest, Sha256};

use super::{Detector, FieldContext, Found, Needs, scan};

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The detector.
#[derive(Debug)]
pub(super) struct Crypto;

impl Detector for Crypto {
    fn id(&self) -> &'static str {
        "crypto-address"
    }

    fn entity(&self) -> &'static str {
        "CRYPTO"
    }

    fn description(&self) -> &'static str {
        "An address of Bitcoin whose check sum is right, or of Ethereum."
    }

    fn needs(&self) -> Needs {
        Needs::digits(1).and_length(26)
    }

    fn find(&self, text: &str, _: &FieldContext<'_>) -> Vec<Found> {
        scan::runs(text.as_bytes(), |byte| scan::is_word(byte) || byte == b'_')
            .filter(|run| (26..=90).contains(&run.len()))
            .filter(|run| text.get((*run).clone()).is_some_and(is_address))
            .map(|run| Found::new(run, 1.0))
            .collect()
    }
}

fn is_address(token: &str) -> bool {
    match token.as_bytes() {
        [b'1' | b'3', ..] => token.len() <= 35 && base58_check(token.as_bytes()),
        [b'b' | b'B', b'c' | b'C', b'1', ..] => bech32_check(token),
        [b'0', b'x', hex @ ..] => {
            hex.len() == 40
                && hex.iter().all(u8::is_ascii_hexdigit)
                && hex.iter().any(u8::is_ascii_alphabetic)
        }
        _ => false,
    }
}

/// 25 bytes, the last four of which are the start of the double SHA-256 of the others.
fn base58_check(token: &[u8]) -> bool {
    let mut bytes = [0_u8; 25];
    for byte in token {
        let Some(digit) = BASE58.iter().position(|letter| letter == byte) else { return false };
        let mut carry = u32::try_from(digit).unwrap_or(0);
        for place in bytes.iter_mut().rev() {
            carry += u32::from(*place) * 58;
            *place = u8::try_from(carry & 0xff).unwrap_or(0);
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let (payload, sum) = bytes.split_at(21);
    let digest = Sha256::digest(Sha256::digest(payload));
    digest.iter().take(4).eq(sum)
}

/// BIP 173 and 350: the polymod is 1, or Bech32m's constant.
fn bech32_check(token: &str) -> bool {
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
    // "bc", expanded: high bits, zero, low bits.
    for value in [3, 3, 0, 2, 3] {
        step(value);
    }
    for byte in token.bytes().skip(3) {
        let Some(value) = BECH32.iter().position(|letter| *letter == byte) else { return false };
        step(u32::try_from(value).unwrap_or(0));
    }
    sum == 1 || sum == 0x2bc8_30a3
}
