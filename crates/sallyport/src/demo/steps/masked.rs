//! Read, and masked: as a column, by another name, computed, as JSON, through a view, by COPY, in prose.

use crate::demo::tour::Tour;
use crate::failure::Failure;

/// What must not be seen of the customers whom the step reads.
const SECRETS: &str = "select unnest(array[name, split_part(name, ' ', 2), upper(name), email, \
    split_part(email, '@', 1), phone, born::text, street, iban, left(iban, 12), card_number, \
    left(card_number, 8)]) from customers where id <= 4 or id in (select customer_id from support_tickets \
    where id in (3, 5))";

pub(super) fn show(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("read, and masked")?;
    let secrets: Vec<String> = tour.database.ask(SECRETS)?.lines().map(str::to_owned).collect();
    let agent = tour.people.agent.clone();
    tour.screen.say(
        "The agent may read. Columns that carry a label come back masked, whoever asks; of a card the \
         last four digits stay, as on a receipt.",
    )?;
    tour.run(
        &agent,
        "psql -c \"select id, name, email, card_number, city\n\
         \x20                   from customers order by id limit 3\"",
    )?
    .went_well()?
    .says(&["‹pii.name›", "‹pii.email›", "‹pii.card …", "(3 rows)"])?
    .hides(&secrets)?;

    tour.screen.say(
        "Another name, an expression, a cast or JSON does not get around it: each output column is \
         followed back to the columns it is made of. What is no text becomes NULL.",
    )?;
    tour.run(
        &agent,
        "psql -x -c \"select email as note, reverse(name) as eman,\n\
         \x20                        left(iban, 12) as x, md5(phone) as digest,\n\
         \x20                        born + 1 as day, to_jsonb(c) as whole_row\n\
         \x20                   from customers c where id = 2\"",
    )?
    .went_well()?
    .says(&["‹pii.email›", "‹pii.name›", "‹pii.iban›", "‹pii.phone›"])?
    .hides(&secrets)?;
    tour.run(
        &agent,
        "psql -c \"select contact, orders, spent\n\
         \x20                   from customer_overview where id = 3\"",
    )?
    .went_well()?
    .says(&["‹pii.email›", "(1 row)"])?
    .hides(&secrets)?;
    tour.run(&agent, "psql -c \"copy (select id, iban from customers limit 2) to stdout\"")?
        .went_well()?
        .says(&["‹pii.iban›", "2\t"])?
        .hides(&secrets)?;
    tour.run(&agent, "psql -At -c \"select shipping from orders where id = 1059\"")?
        .went_well()?
        .says(&["‹pii.address›", "parcels"])?
        .hides(&secrets)?;

    tour.screen.say(
        "No label says what is in free text. Detectors find what has a shape of its own: addresses, \
         numbers, keys.",
    )?;
    tour.run(&agent, "psql -At -c \"select body from support_tickets where id in (3, 5)\"")?
        .went_well()?
        .says(&["‹EMAIL_ADDRESS›", "‹PHONE_NUMBER›", "‹CREDIT_CARD›"])?
        .hides(&secrets)?;
    tour.screen.shown(
        "Of the customers read, no name, address, account or card left the gateway; the tour has held \
         every output above against the database itself.",
    )
}
