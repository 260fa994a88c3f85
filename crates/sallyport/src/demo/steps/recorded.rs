//! Replayed and verified: what was said in a session, and that nobody has touched the record of it.

use crate::demo::tour::Tour;
use crate::failure::Failure;

pub(super) fn replayed(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("replayed")?;
    let carol = tour.people.carol.clone();
    tour.screen.say("Every session is kept: who, on whose behalf, where, and how it ended.")?;
    tour.run(&carol, "sallyport sessions list --limit 6")?
        .went_well()?
        .says(&["claude-code for", "ended"])?;
    let id = tour.held.clone();
    tour.run(&carol, &format!("sallyport sessions show {id}"))?.went_well()?.says(&[&id])?;
    tour.screen.say("And everything said in it, with the decision and the answer:")?;
    tour.run(&carol, &format!("sallyport sessions replay {id}"))?
        .went_well()?
        .says(&["hold by writes-held", "update orders set status = 'refunded' where id = 1017"])?;
    tour.screen.shown("What is replayed is what the caller got, after masking; the record never had more.")
}

pub(super) fn verified(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("verified")?;
    let carol = tour.people.carol.clone();
    tour.screen.say(
        "Each entry commits to everything before it, and the gateway signs every session's end. To verify \
         takes the files and the public key, and no gateway.",
    )?;
    let line = "sallyport recording verify gateway/sallyport-data/recordings \\\n    \
                --key gateway/sallyport-data/keys/recording.pub.pem";
    tour.run(&carol, line)?.went_well()?;
    tour.screen.shown("The record is what was recorded.")
}
