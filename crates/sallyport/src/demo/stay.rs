//! After the tour: what can be tried, and requests for approval as they come.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use sallyport_api::dto::RequestList;
use sallyport_core::Secret;

use super::tour::Tour;
use crate::client::Api;
use crate::environment::Environment;
use crate::failure::Failure;

/// How often it is asked for new requests.
const EVERY: Duration = Duration::from_secs(1);

/// Says how to go on, and stays when there is a person.
pub(crate) fn end(tour: &mut Tour, person: bool, keep: bool) -> Result<(), Failure> {
    tour.screen.title("that was all of it")?;
    if keep {
        let folder = tour.house.root().display().to_string();
        tour.screen.say(&format!("The folder stays: {folder}"))?;
    }
    if !person {
        return tour.screen.say(
            "To walk through it yourself, run `sallyport demo` on a terminal. For a database of your own: \
             `sallyport init`, then `sallyport config example` shows every setting.",
        );
    }
    tour.screen.say(
        "Gateway and database stay until Ctrl-C. Try what you like as the agent, and answer as Bob; what \
         asks for approval is shown here.",
    )?;
    tour.screen.lines(&[
        format!("  . {}", tour.people.agent.file.display()),
        "  psql".to_owned(),
        String::new(),
        format!("  . {}", tour.people.bob.file.display()),
        "  sallyport approvals list".to_owned(),
    ])?;
    tour.screen.say("The policy is in gateway/policy and reloads when a file is saved. In this folder:")?;
    tour.screen.lines(&[format!("  {}", tour.house.root().display())])?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(requests(tour))
}

/// Shows requests as they come, for ever.
async fn requests(tour: &mut Tour) -> Result<(), Failure> {
    let environment = Environment {
        url: Some(tour.house.url()),
        token: tour.people.bob.variable("SALLYPORT_TOKEN").map(|token| Secret::new(token.to_owned())),
        ..Environment::default()
    };
    let api = Api::find(&environment, Path::new("sallyport.toml"))?;
    let mut known = BTreeSet::new();
    loop {
        tokio::time::sleep(EVERY).await;
        let list: RequestList = api.get("/v1/requests", &[("state", Some("open".to_owned()))]).await?;
        for request in list.requests {
            if known.insert(request.id.to_string()) {
                tour.screen.say(&format!(
                    "{} waits: {} on {}, by {}. sallyport approvals show {}",
                    request.id,
                    request.actions.join(", "),
                    request.target,
                    sallyport_core::visible::line(&request.principal),
                    request.id
                ))?;
            }
        }
    }
}
