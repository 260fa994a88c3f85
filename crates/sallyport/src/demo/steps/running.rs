//! What is there, and who is who.

use crate::demo::tour::Tour;
use crate::failure::Failure;

pub(super) fn show(tour: &mut Tour) -> Result<(), Failure> {
    tour.step("what is running")?;
    let [customers, orders, tickets] = ["customers", "orders", "support_tickets"]
        .map(|table| tour.database.ask(&format!("select count(*) from {table}")));
    tour.screen.say(&format!(
        "A shop's database with {} customers, {} orders and {} support tickets. Nobody who takes part has \
         its password: the gateway keeps it, and everybody signs in to the gateway as themselves.",
        customers?.trim(),
        orders?.trim(),
        tickets?.trim()
    ))?;
    let (gateway, api) = (tour.house.port, tour.house.api);
    let database = format!("{} on 127.0.0.1:{}", tour.database.version, tour.database.port);
    tour.screen.lines(&[
        format!("database   {database}"),
        format!("gateway    127.0.0.1:{gateway} for psql and drivers, 127.0.0.1:{api} for the API"),
        format!("folder     {}", tour.house.root().display()),
    ])?;
    tour.screen.lines(&[
        "claude   the agent claude-code, which works for alice@example.com".to_owned(),
        "alice    an engineer; may approve, but nothing that she or her agent asks".to_owned(),
        "bob      a database administrator; approves".to_owned(),
        "carol    an auditor; reads what was recorded".to_owned(),
    ])?;
    tour.screen.say(
        "Every command below is real, and so is what it prints. To type one yourself, make another \
         terminal theirs first:",
    )?;
    let people = [&tour.people.agent, &tour.people.alice, &tour.people.bob, &tour.people.carol];
    let lines: Vec<String> = people.iter().map(|person| format!("  . {}", person.file.display())).collect();
    tour.screen.lines(&lines)?;

    let bob = tour.people.bob.clone();
    tour.run(&bob, "sallyport targets list")?.went_well()?.says(&["shop-prod", "env=production"])?;
    let agent = tour.people.agent.clone();
    tour.run(&agent, "psql -c '\\conninfo'")?.went_well()?.says(&["shop-prod", "SSL connection"])?;
    tour.screen.shown("The gateway answers, over TLS that the client has verified.")
}
