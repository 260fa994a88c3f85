//! Why a conversation of this protocol ends.

use sallyport_wire::mysql::WireError;

pub(super) type Fault = crate::protocol::fault::Fault<WireError>;
