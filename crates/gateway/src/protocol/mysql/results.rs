//! Rows on their way to the caller: masked, counted, held to their limits.

use sallyport_wire::mysql::reply::{Done, is_end, tag};
use sallyport_wire::mysql::{Packet, WireError, capability as cap, finish_packet, start_packet};

use super::fault::Fault;
use super::masking::RowPlan;
use super::running::Running;
use super::sides::COALESCE;
use super::talk::Talk;
use crate::wording;

/// An end of rows of the classic form is this long; an OK in its place is longer.
const CLASSIC: usize = 5;

/// Reads an end of rows, whichever form it has: a server with an open cursor uses the classic one, always.
pub(super) fn end_of(payload: &[u8]) -> Result<Done, WireError> {
    if payload.len() <= CLASSIC { Done::parse_eof(payload) } else { Done::parse(payload) }
}

impl Talk {
    /// Rows up to their end. Gives nothing when that was an error, the target's or ours.
    pub(super) async fn rows(
        &mut self,
        running: &mut Running,
        plan: &RowPlan,
        binary: bool,
    ) -> Result<Option<Done>, Fault> {
        loop {
            let packet = self.reply(Some(running)).await?;
            match packet.tag() {
                // No row begins so: it would be a value of more than an exabyte.
                tag::ERR => {
                    if self.failed(&packet, running)? {
                        continue;
                    }
                    return Ok(None);
                }
                tag::EOF if is_end(packet.payload(), self.target.capabilities) => {
                    let mut done = end_of(packet.payload()).map_err(Fault::TargetWire)?;
                    if self.taint.hides_numbers(&running.basis) {
                        done.insert_id = 0;
                    }
                    self.take_status(done.status);
                    self.taint.ended(running, Some(done.warnings));
                    match running.cut.take() {
                        Some(refusal) => self.ended_short(running, &refusal),
                        None if !running.muted => {
                            // With a cursor the classic form goes to everybody.
                            let classic = packet.payload().len() <= CLASSIC
                                && self.target.capabilities & cap::DEPRECATE_EOF != 0;
                            let capabilities = if classic { 0 } else { self.caller.capabilities };
                            self.caller.put_with(|out| done.put_end(out, capabilities));
                        }
                        None => {}
                    }
                    return Ok(Some(done));
                }
                _ => self.row(&packet, running, plan, binary),
            }
            if self.caller.out.len() >= COALESCE {
                self.caller.rows = running.rows;
                self.caller.send(&self.session).await?;
            }
        }
    }

    fn row(&mut self, packet: &Packet, running: &mut Running, plan: &RowPlan, binary: bool) {
        if running.cut.is_some() || running.muted {
            return;
        }
        if let Some(limit) = running.grant.limits().rows
            && running.rows >= limit
        {
            self.cut(running, wording::row_limit(limit));
            return;
        }
        let before = self.caller.out.len();
        if plan.passes_untouched() {
            self.caller.put(packet.payload());
        } else {
            let sequence = self.caller.sequence;
            let mark = start_packet(&mut self.caller.out);
            match plan.mask_row(packet.payload(), binary, &mut self.caller.out) {
                Ok(Some(masked)) => {
                    finish_packet(&mut self.caller.out, mark, &mut self.caller.sequence);
                    running.masked += u64::from(masked);
                }
                Ok(None) => {
                    self.caller.out.truncate(before);
                    self.caller.put(packet.payload());
                }
                Err(_) => {
                    self.caller.out.truncate(before);
                    self.caller.sequence = sequence;
                    self.cut(running, wording::unmaskable());
                    return;
                }
            }
        }
        running.rows += 1;
        running.bytes += u64::try_from(self.caller.out.len() - before).unwrap_or_default();
    }
}
