//! How the caller hands over its token: in the password's place, or by SASL OAUTHBEARER.
//!
//! ```text
//! password:  AuthenticationCleartextPassword <- PasswordMessage
//! bearer:    AuthenticationSASL (OAUTHBEARER) <- SASLInitialResponse: n,,^Aauth=Bearer TOKEN^A^A
//!            refused or empty: SASLContinue (where tokens come from, as JSON) <- ^A, then the error
//! ```
//!
//! The server picks the method in this protocol, before it knows what the client can; a client that wants
//! the second on a listener of the first says so by the start-up option `sallyport.sign_in=oauth`. ("SASL
//! Authentication"; RFC 7628.)

use bytes::BytesMut;
use sallyport_core::Secret;
use sallyport_wire::pg::backend::{put_authentication_cleartext, put_authentication_sasl, put_sasl_continue};
use sallyport_wire::pg::{Frame, FrameDecoder, Reader, WireError, frontend};

use super::fault::Fault;
use super::handshake::{read_some, write};
use crate::downstream::Downstream;
use crate::house::House;

/// A token is small; an OIDC access token may be a few kilobytes.
const MAX_PASSWORD: usize = 32 << 10;
/// The one mechanism that carries a token.
const OAUTHBEARER: &str = "OAUTHBEARER";
/// What separates the parts of its messages.
const SEPARATOR: u8 = 1;

/// Asks for the token in the password's place.
pub(super) async fn password(socket: &mut Downstream) -> Result<Secret<String>, Fault> {
    let mut out = BytesMut::new();
    put_authentication_cleartext(&mut out);
    write(socket, &out).await?;
    let frame = answer(socket).await?;
    let body = frame.body();
    Ok(secret(body.strip_suffix(&[0]).unwrap_or(body)))
}

/// Asks for the token by OAUTHBEARER; nothing when the caller wants to know first where tokens come from.
pub(super) async fn bearer(socket: &mut Downstream) -> Result<Option<Secret<String>>, Fault> {
    let mut out = BytesMut::new();
    put_authentication_sasl(&mut out, &[OAUTHBEARER]);
    write(socket, &out).await?;
    let frame = answer(socket).await?;
    let malformed = || Fault::CallerWire(WireError::Malformed { tag: frame.tag() });
    let mut body = Reader::new(frame.tag(), frame.body());
    if body.c_string().map_err(Fault::CallerWire)? != OAUTHBEARER.as_bytes() {
        return Err(malformed());
    }
    // Its length is that of the rest; without an initial response (-1) an empty challenge asks for one.
    let length = body.i32().map_err(Fault::CallerWire)?;
    let rest = body.remaining();
    if length >= 0 {
        if usize::try_from(length).ok() != Some(rest.len()) {
            return Err(malformed());
        }
        return token(rest).ok_or_else(malformed);
    }
    let mut out = BytesMut::new();
    put_sasl_continue(&mut out, &[]);
    write(socket, &out).await?;
    let frame = answer(socket).await?;
    token(frame.body()).ok_or(Fault::CallerWire(WireError::Malformed { tag: frame.tag() }))
}

/// Tells a caller whose bearer token was not taken where tokens come from, and waits for its word that it has
/// heard; the error follows.
pub(super) async fn where_tokens_come_from(socket: &mut Downstream, house: &House) -> Result<(), Fault> {
    let issuer = house.authenticator.issuers().next();
    let mut words = serde_json::json!({ "status": "invalid_token" });
    if let (Some(issuer), Some(words)) = (issuer, words.as_object_mut()) {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        words.insert("openid-configuration".to_owned(), address.into());
    }
    let mut out = BytesMut::new();
    put_sasl_continue(&mut out, words.to_string().as_bytes());
    write(socket, &out).await?;
    let frame = answer(socket).await?;
    match frame.body() {
        [SEPARATOR] => Ok(()),
        _ => Err(Fault::CallerWire(WireError::Malformed { tag: frame.tag() })),
    }
}

/// The caller's one message in answer. Nothing may follow it until it has been judged.
async fn answer(socket: &mut Downstream) -> Result<Frame, Fault> {
    let decoder = FrameDecoder::new(MAX_PASSWORD);
    let mut buffer = BytesMut::new();
    loop {
        if let Some(frame) = decoder.decode(&mut buffer).map_err(Fault::CallerWire)? {
            if !buffer.is_empty() {
                return Err(Fault::CallerWire(WireError::Malformed { tag: frame.tag() }));
            }
            return match frontend::parse(&frame).map_err(Fault::CallerWire)? {
                frontend::FrontendMessage::Password(_) => Ok(frame),
                _ => Err(Fault::CallerWire(WireError::UnknownTag { tag: frame.tag() })),
            };
        }
        read_some(socket, &mut buffer).await?;
    }
}

fn secret(bytes: &[u8]) -> Secret<String> {
    Secret::new(String::from_utf8_lossy(bytes).into_owned())
}

/// Reads the client's first message (RFC 7628, section 3.1): `Some(None)` when its token is empty, nothing when
/// it is no such message. Neither channel binding nor another identity than the token's own can be asked for.
fn token(message: &[u8]) -> Option<Option<Secret<String>>> {
    let text = std::str::from_utf8(message).ok()?;
    let parts = text.strip_prefix("n,,\u{1}").or_else(|| text.strip_prefix("y,,\u{1}"))?;
    let pairs = parts.strip_suffix("\u{1}\u{1}")?;
    let mut found = None;
    for pair in pairs.split('\u{1}') {
        let (key, value) = pair.split_once('=')?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        // Twice would be read one way here and another way elsewhere.
        if key == "auth" && found.replace(value).is_some() {
            return None;
        }
    }
    let auth = found?;
    if auth.is_empty() {
        return Some(None);
    }
    let (scheme, token) = auth.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if !scheme.eq_ignore_ascii_case("bearer")
        || token.trim_end_matches('=').is_empty()
        || !token.trim_end_matches('=').bytes().all(plain)
    {
        return None;
    }
    Some(Some(Secret::new(token.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Option<String>> {
        token(text.as_bytes()).map(|token| token.map(|token| token.expose().clone()))
    }

    #[test]
    fn a_bearer_token_is_read_as_the_rfc_writes_it() {
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(read("n,,\u{1}auth=Bearer slp_a.b-c_d~e+/==\u{1}\u{1}"), some("slp_a.b-c_d~e+/=="));
        assert_eq!(read("y,,\u{1}host=x\u{1}port=1\u{1}auth=bearer   t\u{1}\u{1}"), some("t"));
        assert_eq!(read("n,,\u{1}auth=\u{1}\u{1}"), Some(None), "where do tokens come from?");
    }

    #[test]
    fn what_is_no_such_message_is_refused() {
        for text in [
            "",
            "n,,",
            "n,,\u{1}\u{1}",
            "p=tls-exporter,,\u{1}auth=Bearer t\u{1}\u{1}",
            "n,a=other,\u{1}auth=Bearer t\u{1}\u{1}",
            "n,,\u{1}auth=Bearer t\u{1}",
            "n,,\u{1}auth=Bearer t",
            "n,,\u{1}auth=Basic t\u{1}\u{1}",
            "n,,\u{1}auth=Bearer \u{1}\u{1}",
            "n,,\u{1}auth=Bearer ===\u{1}\u{1}",
            "n,,\u{1}auth=Bearer a b\u{1}\u{1}",
            "n,,\u{1}auth=Bearer t\u{1}auth=Bearer u\u{1}\u{1}",
            "n,,\u{1}host=x\u{1}\u{1}",
            "n,,\u{1}auth\u{1}\u{1}",
            "n,,\u{1}auth=Bearer t\u{0}\u{1}\u{1}",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
