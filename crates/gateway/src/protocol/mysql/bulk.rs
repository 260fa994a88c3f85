//! Many rows of parameters for one prepared statement, MariaDB's way: one operation, of which every row is
//! decoded. Digest, recording, the approver's view and the search for masked values that come back have them all.

use std::sync::Arc;

use bytes::BytesMut;
use sallyport_core::{Blame, Refusal, RefusalCode};
use sallyport_wire::mysql::bulk::Bulk;
use sallyport_wire::mysql::{Packet, WireError, capability as cap, put_packet};

use super::control::Control;
use super::fault::Fault;
use super::parameters::given;
use super::prepared::Run;
use super::talk::Talk;

const NAME: &str = "COM_STMT_BULK_EXECUTE";
/// Most values of one execution, all rows together. A megabyte of one-byte values would be a hundred of memory.
const VALUES: usize = 1 << 18;

impl Talk {
    /// `COM_STMT_BULK_EXECUTE`
    pub(super) async fn execute_bulk(&mut self, packet: &Packet, asked: u32) -> Result<(), Fault> {
        // The target's own may be another one than the callers of this listener are greeted by.
        if self.caller.capabilities & self.target.capabilities & cap::MARIADB_BULK == 0 {
            return self.refuse_message(NAME);
        }
        let number = self.numbered(asked);
        let Some(statement) = self.statements.get_mut(&number) else { return self.no_statement() };
        statement.cursor = None;
        if statement.parameters == 0 || statement.too_long || !statement.long.is_empty() {
            statement.too_long = false;
            statement.long.clear();
            self.target.upstream.forward_control(&Control::Reset(number));
            self.send_on().await?;
            self.reply(None).await?;
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "many rows of parameters go with a statement that has some, and none that was sent in parts",
            )
            .hint("execute it row by row; nothing of it was run");
            return self.refuse(NAME, &refusal);
        }
        let known = statement.types.as_deref();
        let bulk = match Bulk::parse(packet.payload(), statement.parameters, known, VALUES) {
            Err(WireError::TooMany { limit }) => {
                let refusal = Refusal::new(
                    RefusalCode::Limit,
                    Blame::Downstream,
                    format!("one execution carries at most {limit} values, all rows together"),
                )
                .hint("send fewer rows at once; nothing of it was run");
                return self.refuse(NAME, &refusal);
            }
            read => read.map_err(Fault::CallerWire)?,
        };
        if bulk.unit_results {
            let refusal = Refusal::new(
                RefusalCode::Protocol,
                Blame::Downstream,
                "what each row did cannot be asked for: it was not offered",
            )
            .hint("execute it without, or row by row; nothing of it was run");
            return self.refuse(NAME, &refusal);
        }
        let types = bulk.types.clone().or_else(|| statement.types.clone()).unwrap_or_default();
        let parameters = bulk.values.iter().zip(types.iter().cycle()).map(|(value, of)| given(*of, *value));
        let run = Run {
            number,
            parameters: parameters.collect::<Arc<[_]>>(),
            rows: Some(bulk.values.len() / statement.parameters),
            cursor: false,
        };
        let mut payload = BytesMut::with_capacity(packet.payload().len() + 2 * types.len());
        bulk.put(&mut payload, number, &types);
        let mut message = BytesMut::with_capacity(payload.len() + 8);
        put_packet(&mut message, &mut 0, &payload);
        statement.types = Some(types);
        self.run_prepared(run, &message).await
    }
}
