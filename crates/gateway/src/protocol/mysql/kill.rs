//! KILL: by the numbers that callers are greeted with, and no further than the caller's own connections.

use sallyport_core::{Blame, Event, Refusal, RefusalCode};
use sallyport_wire::mysql::reply::Done;

use super::fault::Fault;
use super::refusal::{NO_SUCH_THREAD, failure_as};
use super::talk::Talk;
use crate::registry::EndReason;
use crate::wording;

impl Talk {
    /// `KILL QUERY n` (`query`), `KILL n` and `COM_PROCESS_KILL`: what the connection runs is cancelled, or it is
    /// ended. The target's own numbers mean nothing here.
    pub(super) fn kill(&mut self, number: u32, query: bool) -> Result<(), Fault> {
        let principal = &self.session.principal.name;
        let Some(connection) = self.session.house.protocols.mysql.callers.of(number, principal) else {
            let refusal = Refusal::new(
                RefusalCode::Denied,
                Blame::Downstream,
                "no connection of yours has that number",
            )
            .hint("each of your connections has the number that it was greeted with, not CONNECTION_ID()");
            let event = Event::MessageRefused { message: "KILL".to_owned(), refusal: refusal.clone() };
            self.session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
            self.caller.put_failure(&failure_as(NO_SUCH_THREAD, &refusal));
            return Ok(());
        };
        let text = if query {
            "KILL QUERY of a connection of the caller's own"
        } else {
            "KILL of a connection of the caller's own"
        };
        let answer = [("session".to_owned(), connection.handle.session.to_string())].into_iter().collect();
        let event = Event::GatewayAsked { text: text.to_owned(), answer };
        self.session.tape.append(&event, &[]).map_err(|error| wording::recorder(&error))?;
        if query {
            connection.handle.cancel.notify_one();
        } else {
            connection.handle.end(EndReason::Killed(principal.clone()));
        }
        let done = Done { status: self.status, ..Done::default() };
        self.caller.put_done(&done);
        Ok(())
    }
}
