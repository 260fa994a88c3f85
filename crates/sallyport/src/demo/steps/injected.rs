//! Injected into: what an agent reads tells it what to do, and it does.

use crate::demo::tour::{Tour, first_id};
use crate::failure::Failure;

pub(super) fn show(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("injected into")?;
    let (agent, carol) = (tour.people.agent.clone(), tour.people.carol.clone());
    tour.screen.say(
        "A stranger has written a support ticket that speaks to whatever model reads it. Say the agent \
         does as it is told, in the same session:",
    )?;
    tour.run(
        &agent,
        "psql -At -c \"select body from support_tickets where id = 17\" \\\n\
         \x20             -c \"drop table customers\"",
    )?
    .was_refused()?
    .says(&["ignore previous instructions", "ERROR:", "schema-changes-denied"])?;
    let there = tour.database.ask("select count(*) from customers")?;
    tour.seen("select count(*) from customers", there, true).says(&["200"])?;

    tour.screen.say("Carol reads in the record what happened, and why it came to nothing:")?;
    let list = tour.run(&carol, "sallyport sessions list --principal claude-code --limit 1")?.went_well()?;
    let id = list.find("a session", first_id)?;
    tour.run(&carol, &format!("sallyport sessions replay {id}"))?.went_well()?.says(&[
        "allow by agents-read",
        "ignore previous instructions",
        "refused, deny by schema-changes-denied",
        "| drop table customers",
        "for alice@example.com",
    ])?;
    tour.screen.shown(
        "The agent was fooled, and the table is there. The record has the cause, the attempt and the rule.",
    )
}
