//! MD5 password authentication ("PostgreSQL: Frontend/Backend Protocol", AuthenticationMD5Password).
//!
//! Kept for servers that have nothing better. It proves nothing about the server.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// `"md5" ‖ hex(md5(hex(md5(password ‖ user)) ‖ salt))`.
pub(super) fn response(user: &str, password: &str, salt: [u8; 4]) -> Zeroizing<String> {
    let inner = Zeroizing::new(hex(&[password.as_bytes(), user.as_bytes()]));
    let outer = Zeroizing::new(hex(&[inner.as_bytes(), &salt]));
    Zeroizing::new(format!("md5{}", outer.as_str()))
}

fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_the_one_that_postgresql_expects() {
        // Checked against `SELECT 'md5' || md5(md5('secret' || 'app') || E'\x01\x02\x03\x04')`.
        let inner = hex(&[b"secret", b"app"]);
        assert_eq!(inner.len(), 32);
        let expected = format!("md5{}", hex(&[inner.as_bytes(), &[1, 2, 3, 4]]));
        assert_eq!(response("app", "secret", [1, 2, 3, 4]).as_str(), expected);
        assert_eq!(hex(&[b"abc"]), "900150983cd24fb0d6963f7d28e17f72");
    }
}
