//! The messages of this protocol that carry no operation, all of them.
//!
//! What is not in [`Control`] goes to a target with a permit or not at all. The text of the gateway's own
//! question is fixed; nothing of a caller's goes into it.

use bytes::{BufMut as _, BytesMut};
use sallyport_wire::mysql::command::number;
use sallyport_wire::mysql::put_packet;

use crate::upstream;

/// A message that carries no operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control {
    /// Whether the target is there.
    Ping,
    /// The session as it was after sign-in.
    ResetConnection,
    /// Several statements in a text: on (0) or off (1).
    SetOption(u16),
    /// Forgets a prepared statement.
    Close(u32),
    /// Puts a prepared statement back.
    Reset(u32),
    /// Asks for what decides the reading of texts, by a fixed text.
    Ask,
    /// In place of the local file that the target asked for: nothing.
    NoFile(u8),
    /// Says goodbye.
    Quit,
}

/// What decides the reading of texts, and how results are written. In hexadecimal, so that it reads the same
/// whatever the session's character sets; with a LIMIT, so that `sql_select_limit` does not hide it.
pub(super) const QUESTION: &[u8] = b"SELECT HEX(@@session.sql_mode), HEX(@@session.character_set_client), HEX(DATABASE()), HEX(@@global.lower_case_table_names) LIMIT 1";

impl upstream::Control for Control {
    fn write(&self, out: &mut BytesMut) {
        let mut body = BytesMut::new();
        let mut sequence = 0;
        match *self {
            Self::Ping => body.put_u8(number::PING),
            Self::ResetConnection => body.put_u8(number::RESET_CONNECTION),
            Self::SetOption(option) => {
                body.put_u8(number::SET_OPTION);
                body.put_u16_le(option);
            }
            Self::Close(statement) => {
                body.put_u8(number::STMT_CLOSE);
                body.put_u32_le(statement);
            }
            Self::Reset(statement) => {
                body.put_u8(number::STMT_RESET);
                body.put_u32_le(statement);
            }
            Self::Ask => {
                body.put_u8(number::QUERY);
                body.put_slice(QUESTION);
            }
            Self::NoFile(next) => sequence = next,
            Self::Quit => body.put_u8(number::QUIT),
        }
        put_packet(out, &mut sequence, &body);
    }
}
