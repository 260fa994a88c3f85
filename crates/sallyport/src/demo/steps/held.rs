//! Held: the operation waits on its connection until a human has answered.

use std::time::{Duration, Instant};

use crate::demo::process::Beside;
use crate::demo::tour::{PATIENCE, Shown, Tour, first_id, request_id};
use crate::failure::Failure;

const UPDATE: &str = "psql -c \"update orders set status = 'refunded' where id = 1017\"";

/// How long a held operation waits on its connection, and a little more.
const HELD: Duration = Duration::from_secs(100);

pub(super) fn show(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("held for a human")?;
    let (agent, alice, bob) = (tour.people.agent.clone(), tour.people.alice.clone(), tour.people.bob.clone());
    tour.screen.say("A change of rows waits for a human. psql stays where it is, and says so:")?;
    let mut waiting = tour.start(&agent, UPDATE)?;
    let id = notice(tour, &mut waiting)?;
    let before = waiting.text();
    tour.screen.output(&before)?;

    let carol = tour.people.carol.clone();
    let live = tour.run(&carol, "sallyport sessions list --live --limit 1")?.went_well()?.says(&["live"])?;
    tour.held = live.find("a live session", first_id)?;

    tour.screen.say("Alice cannot agree to it. The agent is hers, so the request is hers too:")?;
    tour.run(&alice, &format!("sallyport approvals approve {id}"))?.was_refused()?;

    tour.screen.say("Bob sees the whole of what would run, and what it would do:")?;
    tour.run(&bob, "sallyport approvals list")?.went_well()?.says(&[&id, "claude-code"])?;
    tour.run(&bob, &format!("sallyport approvals show {id}"))?.went_well()?.says(&[
        "changes status in rows of public.orders",
        "where id = 1017",
        "1 of dba",
    ])?;
    if !answered_elsewhere(tour, &mut waiting, &id)? {
        tour.run(&bob, &format!("sallyport approvals approve {id} --note 'parcel came back'"))?
            .went_well()?
            .says(&["is approved"])?;
    }
    let ended = waiting.finish(HELD)?;
    let rest = ended.text.strip_prefix(&before).unwrap_or(&ended.text).to_owned();
    tour.screen.say("And psql, which has waited all the while, goes on:")?;
    tour.screen.output(&rest)?;
    let ended = tour.seen(UPDATE, ended.text, ended.ok);
    if tour.keys.is_some() && ended.text.contains("ERROR:") {
        return tour.screen.shown("The request was not approved, so nothing has changed.");
    }
    ended.went_well()?.says(&["UPDATE 1"])?;
    once(tour, &id)
}

/// An approval is used up.
fn once(tour: &mut Tour, id: &str) -> Result<(), Failure> {
    let (agent, bob) = (tour.people.agent.clone(), tour.people.bob.clone());
    let status = tour.database.ask("select status from orders where id = 1017")?;
    tour.seen("select status from orders where id = 1017", status, true).says(&["refunded"])?;
    tour.screen.say("An approval serves once. The same statement again is a new request:")?;
    let mut again = tour.start(&agent, UPDATE)?;
    let second = notice(tour, &mut again)?;
    let before = again.text();
    tour.screen.output(&before)?;
    if second == id {
        let shown = tour.seen(UPDATE, again.text(), true);
        return Err(shown.not("the same statement to be a new request"));
    }
    tour.run(&bob, &format!("sallyport approvals deny {second} --note 'once is enough'"))?
        .went_well()?
        .says(&["is denied"])?;
    let ended = again.finish(PATIENCE)?;
    tour.screen.say("And psql goes on:")?;
    tour.screen.output(ended.text.strip_prefix(&before).unwrap_or(&ended.text))?;
    tour.seen(UPDATE, ended.text, ended.ok).was_refused()?.says(&["ERROR:", "once is enough"])?;
    tour.screen
        .shown("Approved in place by somebody else than who asked, used once, and denied the second time.")
}

/// Waits until psql says that it waits, and for which request.
fn notice(tour: &mut Tour, waiting: &mut Beside) -> Result<String, Failure> {
    // The hint is the last line of the notice.
    let whole = |text: &str| {
        let hint = text.lines().find(|line| line.starts_with("HINT:"))?;
        text.contains(&format!("{hint}\n")).then(|| request_id(text)).flatten()
    };
    match waiting.wait_for(PATIENCE, whole)? {
        Some(id) => Ok(id),
        None => {
            let shown: Shown = tour.seen(UPDATE, waiting.text(), true);
            Err(shown.not("psql to say that the update waits for approval"))
        }
    }
}

/// Gives a person the time to answer in another terminal. Whether they did.
fn answered_elsewhere(tour: &mut Tour, waiting: &mut Beside, id: &str) -> Result<bool, Failure> {
    let Some(keys) = &tour.keys else { return Ok(false) };
    tour.screen.say("Be Bob in another terminal, or press Enter here and he agrees:")?;
    tour.screen.lines(&[
        format!("  . {}", tour.people.bob.file.display()),
        format!("  sallyport approvals approve {id}"),
    ])?;
    let until = Instant::now() + HELD;
    while keys.try_recv().is_err() && Instant::now() < until {
        if waiting.look()? {
            return Ok(true);
        }
    }
    Ok(false)
}
