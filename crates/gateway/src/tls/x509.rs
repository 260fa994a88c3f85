//! The few fields of a certificate that rustls does not show: validity, names, signature algorithm.
//!
//! A reader of DER (X.690) that goes exactly as deep as RFC 5280 section 4.1 needs for these. It
//! judges nothing: whether a certificate is trusted is rustls's business. What it cannot read is
//! `None`, and its callers take that for the worst case.

use std::net::IpAddr;

use sallyport_core::Timestamp;

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const BOOLEAN: u8 = 0x01;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// `subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The hash that a signature algorithm uses, for `tls-server-end-point` (RFC 5929 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureHash {
    /// SHA-256; MD5 and SHA-1 count as SHA-256 there.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// When the certificate ends.
pub(crate) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let mut validity = Reader(Fields::of(certificate)?.validity);
    validity.next()?;
    let (tag, text) = validity.next()?;
    let text = std::str::from_utf8(text).ok()?;
    let (year, rest) = match tag {
        GENERALIZED_TIME => text.split_at_checked(4)?,
        UTC_TIME => text.split_at_checked(2)?,
        _ => return None,
    };
    let year: u32 = year.parse().ok()?;
    // RFC 5280 section 4.1.2.5.1: two-digit years below 50 are of this century.
    let year = match tag {
        UTC_TIME if year < 50 => 2000 + year,
        UTC_TIME => 1900 + year,
        _ => year,
    };
    let part = |from: usize| rest.get(from..from + 2);
    Timestamp::parse(&format!("{year:04}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?))
}

/// The names the certificate is for: DNS names as they stand, addresses in their usual notation.
pub(crate) fn names(certificate: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut extensions = Reader(Reader(Fields::of(certificate)?.extensions?).expect(SEQUENCE)?);
    while let Some((SEQUENCE, extension)) = extensions.next() {
        let mut extension = Reader(extension);
        if extension.expect(OID)? != SUBJECT_ALT_NAME {
            continue;
        }
        let (mut tag, mut value) = extension.next()?;
        if tag == BOOLEAN {
            (tag, value) = extension.next()?;
        }
        if tag != OCTETS {
            return None;
        }
        let mut general = Reader(Reader(value).expect(SEQUENCE)?);
        while let Some((tag, name)) = general.next() {
            match tag {
                DNS_NAME => names.push(std::str::from_utf8(name).ok()?.to_owned()),
                IP_ADDRESS => {
                    let address = <[u8; 4]>::try_from(name)
                        .map(IpAddr::from)
                        .or_else(|_| <[u8; 16]>::try_from(name).map(IpAddr::from))
                        .ok()?;
                    names.push(address.to_string());
                }
                _ => {}
            }
        }
    }
    Some(names)
}

/// The hash of the certificate's signature. `None` where RFC 5929 leaves it undefined (Ed25519) or
/// where it stands in parameters (RSASSA-PSS).
pub(crate) fn signature_hash(certificate: &[u8]) -> Option<SignatureHash> {
    let mut certificate = Reader(Reader(certificate).expect(SEQUENCE)?);
    certificate.expect(SEQUENCE)?;
    let algorithm = Reader(certificate.expect(SEQUENCE)?).expect(OID)?;
    // RFC 4055 section 5 (1.2.840.113549.1.1.x) and RFC 5758 section 3.2 (1.2.840.10045.4.x).
    match algorithm.strip_prefix(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]) {
        Some([4 | 5 | 11]) => return Some(SignatureHash::Sha256),
        Some([12]) => return Some(SignatureHash::Sha384),
        Some([13]) => return Some(SignatureHash::Sha512),
        _ => {}
    }
    match algorithm.strip_prefix(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04]) {
        Some([1] | [3, 2]) => Some(SignatureHash::Sha256),
        Some([3, 3]) => Some(SignatureHash::Sha384),
        Some([3, 4]) => Some(SignatureHash::Sha512),
        _ => None,
    }
}

/// The parts of `TBSCertificate` that are read.
struct Fields<'a> {
    validity: &'a [u8],
    extensions: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut tbs = Reader(Reader(Reader(certificate).expect(SEQUENCE)?).expect(SEQUENCE)?);
        let (first, _) = tbs.next()?;
        if first == VERSION {
            tbs.next()?; // serialNumber
        }
        tbs.expect(SEQUENCE)?; // signature
        tbs.expect(SEQUENCE)?; // issuer
        let validity = tbs.expect(SEQUENCE)?;
        let mut extensions = None;
        while let Some((tag, value)) = tbs.next() {
            if tag == EXTENSIONS {
                extensions = Some(value);
            }
        }
        Some(Self { validity, extensions })
    }
}

/// Takes one tag-length-value after the other off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
    }
}
