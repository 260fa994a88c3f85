//! `sallyport demo`: everything at once, thrown away at the end.
//!
//! ```text
//! demo -> a thread: stage (a folder) -> database -> house (the gateway) -> people -> tour -> steps
//!      -> Ctrl-C, SIGTERM or the tour's end: the stage is taken down
//! ```
//!
//! The tour types real commands of real clients and holds what they print against what it tells. With a
//! person before it, it waits for Enter between the steps, and stays; alone, or told `--tour`, it runs
//! through, and fails when a step does not go as told.

mod database;
mod house;
mod process;
mod screen;
mod stage;
mod stay;
mod steps;
mod tour;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::environment::Environment;
use crate::failure::Failure;
use database::{Database, OtherUser};
use house::House;
use screen::Screen;
use stage::Stage;
use tour::{People, Tour};

/// The arguments.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "Example: sallyport demo --tour\n\n\
        It starts a PostgreSQL of its own (its programs must be installed) and a gateway, on free ports of \
        loopback, in a folder that is removed at the end.")]
pub(crate) struct Demo {
    /// Run through without waiting, and fail when a step does not go as told.
    #[arg(long)]
    tour: bool,
    /// The gateway's port; the API and the database take the next two. Free ones when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65533))]
    port: Option<u16>,
    /// Leave the folder, with configuration, policy and recordings.
    #[arg(long)]
    keep: bool,
}

/// How the demo came to its end.
enum End {
    /// The tour is through, or a step did not go as told.
    Tour(Result<(), Failure>),
    /// Somebody ended it.
    Signal,
}

/// Runs it until the tour, or a person, is through.
pub(crate) fn run(demo: &Demo, environment: &Environment) -> Result<(), Failure> {
    let other = database::other_user()?;
    let programs = database::programs()?;
    let stage = Stage::new(demo.keep, other.is_some())?;
    let over = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let performance = Performance {
        demo: *demo,
        stage: stage.clone(),
        programs,
        other,
        environment: environment.clone(),
        over: Arc::clone(&over),
    };
    std::thread::spawn(move || {
        // Nobody waits for the result when a signal has ended the demo.
        let _heard = sender.send(performance.run());
    });
    let end = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        Ok::<_, std::io::Error>(tokio::select! {
            result = receiver => End::Tour(result.unwrap_or_else(|_| Err(Failure::failed("the demo broke off")))),
            _ = terminate.recv() => End::Signal,
            done = tokio::signal::ctrl_c() => done.map(|()| End::Signal)?,
        })
    });
    stage.take_down();
    match end? {
        End::Tour(result) => result,
        End::Signal if over.load(Ordering::Relaxed) => Ok(()),
        End::Signal => Err(Failure::failed("the demo was ended before the tour was through")),
    }
}

/// What the thread of the tour gets.
#[derive(Debug)]
struct Performance {
    demo: Demo,
    stage: Stage,
    programs: PathBuf,
    other: Option<OtherUser>,
    environment: Environment,
    over: Arc<AtomicBool>,
}

impl Performance {
    fn run(self) -> Result<(), Failure> {
        let person = !self.demo.tour && std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let mut screen = Screen::standard(&self.environment);
        screen.title("sallyport demo")?;
        screen.aside("Making a PostgreSQL with a shop in it, and a gateway before it.")?;
        let [port, api, database_port] = match self.demo.port {
            Some(port) => [port, port + 1, port + 2],
            None => [database::free_port()?, database::free_port()?, database::free_port()?],
        };
        let database = Database::start(&self.stage, self.programs, database_port, self.other)?;
        let house = House::start(&self.stage, &database, port, api)?;
        let people = People {
            agent: house.person("claude", "claude-code")?,
            alice: house.person("alice", "alice@example.com")?,
            bob: house.person("bob", "bob@example.com")?,
            carol: house.person("carol", "carol@example.com")?,
        };
        let mut tour = Tour::new(screen, database, house, people, person.then(tour::keys));
        steps::all(&mut tour)?;
        self.over.store(true, Ordering::Relaxed);
        stay::end(&mut tour, person, self.demo.keep)
    }
}
