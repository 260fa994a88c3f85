//! Why a conversation of this protocol ends.

use sallyport_wire::pg::WireError;

pub(super) type Fault = crate::protocol::fault::Fault<WireError>;
