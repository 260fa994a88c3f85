//! Refusals and notices in PostgreSQL's own words: `ErrorResponse` and `NoticeResponse` with SQLSTATE,
//! DETAIL and HINT ("Error and Notice Message Fields").

use bytes::BytesMut;
use sallyport_core::{Refusal, RefusalCode};
use sallyport_wire::pg::backend::{put_error_fields, tag};

use crate::approvals::Notice;

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// It does.
    Error,
    /// It does not.
    Fatal,
}

/// The SQLSTATE of a refusal. Never one that drivers retry or drop their pools on.
pub(super) fn sqlstate(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Denied
        | RefusalCode::Unknown
        | RefusalCode::Rejected
        | RefusalCode::Ticket
        | RefusalCode::Expired
        | RefusalCode::Mask => "42501",
        RefusalCode::Withdrawn | RefusalCode::Timeout => "57014",
        RefusalCode::Limit => "54000",
        RefusalCode::Recorder | RefusalCode::Store => "58030",
        RefusalCode::Target | RefusalCode::Ended => "08006",
        RefusalCode::Token => "28P01",
        RefusalCode::Protocol => "0A000",
    }
}

/// Writes a refusal as an `ErrorResponse`.
pub(super) fn put_refusal(out: &mut BytesMut, severity: Severity, refusal: &Refusal) {
    put_refusal_as(out, severity, sqlstate(refusal.code), refusal);
}

/// Writes a refusal under an SQLSTATE that clients know it by.
pub(super) fn put_refusal_as(out: &mut BytesMut, severity: Severity, state: &str, refusal: &Refusal) {
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    let detail = match &refusal.detail {
        Some(detail) => format!("{} {detail}", refusal.code.as_str()),
        None => refusal.code.as_str().to_owned(),
    };
    let mut fields: Vec<(u8, &str)> =
        vec![(b'S', severity), (b'V', severity), (b'C', state), (b'M', &refusal.message), (b'D', &detail)];
    if let Some(hint) = &refusal.hint {
        fields.push((b'H', hint));
    }
    put_error_fields(out, tag::ERROR_RESPONSE, &fields);
}

/// Writes a notice to a waiting caller.
pub(super) fn put_notice(out: &mut BytesMut, notice: &Notice) {
    let fields: [(u8, &str); 6] = [
        (b'S', "NOTICE"),
        (b'V', "NOTICE"),
        (b'C', "00000"),
        (b'M', &notice.message),
        (b'D', &notice.detail),
        (b'H', &notice.hint),
    ];
    put_error_fields(out, tag::NOTICE_RESPONSE, &fields);
}
