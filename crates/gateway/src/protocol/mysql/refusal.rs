//! Refusals in MySQL's own words: ERR packets with a number, an SQLSTATE and one text ("Server Error Message
//! Reference"). Clients show no more than 512 bytes of a text, so what matters most stands first.

use sallyport_core::{Refusal, RefusalCode};
use sallyport_wire::mysql::reply::Failure;

/// Number and SQLSTATE of a refusal. None that drivers take for a lost connection, but for those that are one.
fn number(code: RefusalCode) -> (u16, [u8; 5]) {
    match code {
        // ER_SPECIFIC_ACCESS_DENIED_ERROR
        RefusalCode::Denied
        | RefusalCode::Unknown
        | RefusalCode::Rejected
        | RefusalCode::Ticket
        | RefusalCode::Expired
        | RefusalCode::Mask => (1227, *b"42000"),
        // ER_QUERY_INTERRUPTED
        RefusalCode::Withdrawn | RefusalCode::Timeout => (1317, *b"70100"),
        // ER_USER_LIMIT_REACHED
        RefusalCode::Limit => (1226, *b"42000"),
        // ER_UNKNOWN_ERROR
        RefusalCode::Recorder | RefusalCode::Store => (1105, *b"HY000"),
        // ER_SERVER_SHUTDOWN
        RefusalCode::Target | RefusalCode::Ended => (1053, *b"08S01"),
        // ER_ACCESS_DENIED_ERROR
        RefusalCode::Token => (1045, *b"28000"),
        // ER_NOT_SUPPORTED_YET
        RefusalCode::Protocol => (1235, *b"42000"),
    }
}

/// ER_SECURE_TRANSPORT_REQUIRED: the caller has to speak TLS.
pub(super) const TLS_REQUIRED: (u16, [u8; 5]) = (3159, *b"HY000");
/// ER_DBACCESS_DENIED_ERROR: no such target, or not for this caller.
pub(super) const NO_TARGET: (u16, [u8; 5]) = (1044, *b"42000");
/// ER_CONNECT_TO_FOREIGN_DATA_SOURCE: the target could not be reached while signing in.
pub(super) const TARGET_AWAY: (u16, [u8; 5]) = (1429, *b"HY000");
/// ER_NO_SUCH_THREAD: no connection of the caller's has that number.
pub(super) const NO_SUCH_THREAD: (u16, [u8; 5]) = (1094, *b"HY000");

/// A refusal as an ERR packet.
pub(super) fn failure(refusal: &Refusal) -> Failure {
    failure_as(number(refusal.code), refusal)
}

/// A refusal under a number that clients know it by.
pub(super) fn failure_as((code, state): (u16, [u8; 5]), refusal: &Refusal) -> Failure {
    let mut text = format!("{} {}", refusal.code.as_str(), refusal.message);
    if let Some(hint) = &refusal.hint {
        text.push_str(". ");
        text.push_str(hint);
    }
    if let Some(detail) = &refusal.detail {
        text.push_str(" [");
        text.push_str(detail);
        text.push(']');
    }
    Failure { code, state: Some(state), message: text.into_bytes() }
}

/// The number that a refusal is recorded by.
pub(super) fn recorded(code: RefusalCode) -> String {
    number(code).0.to_string()
}

#[cfg(test)]
mod tests {
    use sallyport_core::Blame;

    use super::*;

    #[test]
    fn a_refusal_begins_with_its_code_and_says_what_to_do() {
        let refusal =
            Refusal::new(RefusalCode::Denied, Blame::Policy, "drop on shop.users is denied (rule x)")
                .hint("nothing of it was run.")
                .detail("target shop");
        let failure = failure(&refusal);
        assert_eq!((failure.code, failure.state), (1227, Some(*b"42000")));
        assert_eq!(
            String::from_utf8(failure.message).unwrap(),
            "SLP-DENIED drop on shop.users is denied (rule x). nothing of it was run. [target shop]"
        );
    }
}
