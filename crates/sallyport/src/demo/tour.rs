//! The tour's hands: it types a person's command, shows what came, and holds it against what was told.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::database::Database;
use super::house::{House, Person};
use super::process::{self, Beside};
use super::screen::Screen;
use crate::failure::Failure;

/// How long one command may take; what is held waits for a person and has its own patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Everyone and everything that takes part.
#[derive(Debug)]
pub(crate) struct Tour {
    pub(crate) screen: Screen,
    pub(crate) database: Database,
    pub(crate) house: House,
    pub(crate) people: People,
    /// The lines that are typed, when a person takes the tour.
    pub(crate) keys: Option<Receiver<()>>,
    /// The session of the approved update.
    pub(crate) held: String,
    step: usize,
}

/// Who is who.
#[derive(Debug)]
pub(crate) struct People {
    /// The agent.
    pub(crate) agent: Person,
    /// The human whom it works for.
    pub(crate) alice: Person,
    /// The approver.
    pub(crate) bob: Person,
    /// The auditor.
    pub(crate) carol: Person,
}

/// What a command printed, to be held against what it should.
#[derive(Debug)]
pub(crate) struct Shown {
    step: usize,
    command: String,
    /// What it printed.
    pub(crate) text: String,
    ok: bool,
}

/// Reads lines from standard input, in a thread that ends with the process.
pub(crate) fn keys() -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while matches!(std::io::stdin().read_line(&mut line), Ok(1..)) && sender.send(()).is_ok() {
            line.clear();
        }
    });
    receiver
}

impl Tour {
    pub(crate) fn new(
        screen: Screen,
        database: Database,
        house: House,
        people: People,
        keys: Option<Receiver<()>>,
    ) -> Self {
        Self { screen, database, house, people, keys, held: String::new(), step: 0 }
    }

    /// The next step begins.
    pub(crate) fn step(&mut self, heading: &str) -> Result<(), Failure> {
        if self.step > 0 {
            self.pause("Enter goes on; Ctrl-C ends the demo.")?;
        }
        self.step += 1;
        self.screen.heading(self.step, heading)
    }

    /// Waits for a person, if there is one.
    pub(crate) fn pause(&mut self, text: &str) -> Result<(), Failure> {
        if let Some(keys) = &self.keys {
            self.screen.aside(text)?;
            // Without standard input nobody can answer; then the tour just goes on.
            let _typed = keys.recv();
        }
        Ok(())
    }

    /// Types a command, and shows what it prints.
    pub(crate) fn run(&mut self, who: &Person, line: &str) -> Result<Shown, Failure> {
        self.screen.command(who.name, line)?;
        let ended = process::run(self.house.shell(who, line), PATIENCE)?;
        self.screen.output(&ended.text)?;
        Ok(self.seen(line, ended.text, ended.ok))
    }

    /// Types a command that does not come back at once.
    pub(crate) fn start(&mut self, who: &Person, line: &str) -> Result<Beside, Failure> {
        self.screen.command(who.name, line)?;
        Beside::start(self.house.shell(who, line))
    }

    /// What came, for a look at it.
    pub(crate) fn seen(&self, line: &str, text: String, ok: bool) -> Shown {
        Shown { step: self.step, command: line.to_owned(), text, ok }
    }
}

impl Shown {
    /// It went well.
    pub(crate) fn went_well(self) -> Result<Self, Failure> {
        if self.ok { Ok(self) } else { Err(self.not("it to go well")) }
    }

    /// It was refused, or failed.
    pub(crate) fn was_refused(self) -> Result<Self, Failure> {
        if self.ok { Err(self.not("it to be refused")) } else { Ok(self) }
    }

    /// It says all of this, wherever the lines break.
    pub(crate) fn says(self, wanted: &[&str]) -> Result<Self, Failure> {
        match wanted.iter().find(|wanted| !self.text.contains(**wanted)) {
            Some(missing) => Err(self.not(&format!("it to say {missing:?}"))),
            None => Ok(self),
        }
    }

    /// It says nothing of this.
    pub(crate) fn hides(self, secrets: &[String]) -> Result<Self, Failure> {
        match secrets.iter().find(|secret| self.text.contains(secret.as_str())) {
            Some(secret) => Err(self.not(&format!("it not to show {secret:?}"))),
            None => Ok(self),
        }
    }

    /// What a look at it finds.
    pub(crate) fn find<T>(&self, what: &str, look: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        look(&self.text).ok_or_else(|| self.not(&format!("it to show {what}")))
    }

    /// It was not as told.
    pub(crate) fn not(&self, expected: &str) -> Failure {
        Failure::failed(format!(
            "step {} did not go as told\nexpected {expected}\nof: {}\ncame:\n{}",
            self.step, self.command, self.text
        ))
    }
}

/// The first word of the form `XXXX-XXXX` after the word `request`: the id of a request for approval.
pub(crate) fn request_id(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| c.is_whitespace());
    words.find(|word| *word == "request")?;
    words.next().filter(|word| word.len() == 9 && word.as_bytes().get(4) == Some(&b'-')).map(str::to_owned)
}

/// The first word of the first line below the heading of a list.
pub(crate) fn first_id(text: &str) -> Option<String> {
    text.lines().nth(1)?.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, ok: bool) -> Shown {
        Shown { step: 4, command: "psql".into(), text: text.into(), ok }
    }

    #[test]
    fn a_step_that_goes_otherwise_fails_and_says_what_came() {
        let failure = shown("ERROR:  no", false).went_well().unwrap_err();
        assert!(failure.message.contains("step 4") && failure.message.contains("ERROR:  no"), "{failure}");
        shown("fine", true).was_refused().unwrap_err();
        shown("fine", true).says(&["fine", "more"]).unwrap_err();
        shown("mail a@example.com", true).hides(&["a@example.com".into()]).unwrap_err();
        shown("fine", true).find("an id", request_id).unwrap_err();
        shown("fine", true).went_well().unwrap().says(&["fine"]).unwrap().hides(&["x".into()]).unwrap();
    }

    #[test]
    fn ids_are_found_in_what_people_see() {
        let notice = "NOTICE:  waits\nDETAIL:  SLP-HELD request ACZ8-A6MP · target shop-prod";
        assert_eq!(request_id(notice).as_deref(), Some("ACZ8-A6MP"));
        assert_eq!(request_id("DETAIL:  request ACZ8"), None);
        assert_eq!(first_id("id  state\n06H1  ended\n").as_deref(), Some("06H1"));
    }
}
