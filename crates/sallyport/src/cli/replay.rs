//! `sallyport sessions replay | follow`: a recording on the terminal, as it happened or as it happens.

use std::time::Duration;

use sallyport_api::dto::{Entry, EntryLine, Verified};
use sallyport_core::SessionId;

use crate::client::{Api, Lines, encode, refused};
use crate::config::CliDuration;
use crate::failure::Failure;
use crate::keys::{Key, Keys};
use crate::output::{Output, Tint};
use crate::story::{Line, Moment, Pace, Room, Step, Teller, Transcript, What};
use crate::words;

/// How often a broken connection is taken up again before it counts as lost.
const TRIES: u32 = 5;

/// A recording's entries from the API.
pub(super) struct Reading {
    lines: Lines,
    verified: Option<Verified>,
    seen: u64,
    id: String,
}

impl Reading {
    /// Asks for them; `purpose` is what the audit says they were read for.
    pub(super) async fn open(api: &Api, id: &str, purpose: &str) -> Result<Self, Failure> {
        let path = format!("/v1/sessions/{}/entries?purpose={purpose}", encode(id));
        Ok(Self { lines: api.lines(&path).await?, verified: None, seen: 0, id: id.to_owned() })
    }

    /// The next line of the stream.
    pub(super) async fn next(&mut self) -> Result<Option<EntryLine>, Failure> {
        loop {
            let Some(line) = self.lines.next().await? else {
                if self.seen == 0 {
                    let id = SessionId::parse(&self.id).map_or_else(String::new, |id| format!(" of {id}"));
                    return Err(Failure::failed(format!("nothing{id} is recorded here"))
                        .hint("it may have expired, or the gateway records elsewhere"));
                }
                return Ok(None);
            };
            if line.is_empty() {
                continue;
            }
            return match serde_json::from_slice::<EntryLine>(&line) {
                Ok(EntryLine::Broken { problem }) => Err(refused(&problem)),
                Ok(EntryLine::Verified { verified }) => {
                    self.verified = Some(verified.clone());
                    Ok(Some(EntryLine::Verified { verified }))
                }
                Ok(entry) => {
                    self.seen += 1;
                    Ok(Some(entry))
                }
                Err(_) => Err(Failure::failed("an entry cannot be read; is the gateway another version?")),
            };
        }
    }

    /// What the reading checked, once all of it has come.
    pub(super) fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }
}

/// How to play a recording.
#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The session's id.
    id: String,
    /// Rows shown of each result; the recording has all.
    #[arg(long, default_value_t = 20)]
    rows: u64,
    /// So many times as fast as it happened.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Show all of it at once. So it is, too, where no terminal looks on.
    #[arg(long)]
    no_wait: bool,
    /// Begin so long after the session's start.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    seek: CliDuration,
    /// Begin with this operation.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    from: u64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 1000".to_owned()),
    }
}

/// What becomes of the rest after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    GoOn,
    Quit,
}

pub(super) async fn replay(replay: &Replay, api: &Api, out: &mut Output) -> Result<(), Failure> {
    // The terminal is put back as the player is dropped.
    tokio::select! {
        played = play(replay, api, out) => played,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn play(replay: &Replay, api: &Api, out: &mut Output) -> Result<(), Failure> {
    let mut reading = Reading::open(api, &replay.id, "replay").await?;
    if out.is_json() {
        while let Some(line) = reading.next().await? {
            out.json_line(&line)?;
        }
        return Ok(());
    }
    let waits = out.is_terminal() && !replay.no_wait;
    let mut screen = Screen {
        pace: Pace::new(waits, replay.speed, replay.seek.0),
        from: replay.from,
        begun: replay.from == 0,
        skipped: 0,
        keys: if waits { Keys::listen() } else { None },
        transcript: Transcript::default(),
    };
    if screen.keys.is_some() {
        let hint = "space pauses, right goes on 10 s later, . shows the next, + and - change speed, q ends";
        let hint = out.tinted(hint, Some(Tint::Faint));
        out.line(&hint)?;
    }
    let mut teller = Teller::new(Room::terminal(replay.rows));
    while let Some(line) = reading.next().await? {
        let EntryLine::Entry(entry) = line else { continue };
        for moment in teller.entry(&entry) {
            if screen.moment(&moment, out).await? == After::Quit {
                return Ok(());
            }
        }
    }
    if screen.skipped > 0 && !screen.begun {
        return Err(Failure::failed(format!("the session has no operation {}", replay.from)));
    }
    Ok(())
}

/// Where moments are played.
struct Screen {
    pace: Pace,
    from: u64,
    begun: bool,
    skipped: u64,
    keys: Option<Keys>,
    transcript: Transcript,
}

impl Screen {
    async fn moment(&mut self, moment: &Moment, out: &mut Output) -> Result<After, Failure> {
        // Also of what is not shown, for the first one says when the session began.
        let lines = self.transcript.lines(moment);
        if let What::Asked(asked) = &moment.what {
            self.begun |= asked.operation >= self.from;
        }
        let step = self.pace.step(moment.at);
        let Step::Show { wait, skipped } = step else {
            self.skipped += 1;
            return Ok(After::GoOn);
        };
        if !self.begun {
            self.skipped += 1;
            return Ok(After::GoOn);
        }
        if !skipped.is_zero() {
            let later = format!("           … {} later", words::span(skipped.as_secs()));
            let later = out.tinted(&later, Some(Tint::Faint));
            out.line(&later)?;
        }
        if !wait.is_zero() {
            out.flush()?;
            if self.wait(wait, out).await? == After::Quit {
                return Ok(After::Quit);
            }
        }
        show(&lines, out)?;
        Ok(After::GoOn)
    }

    /// Waits, unless a key says otherwise.
    async fn wait(&mut self, wait: Duration, out: &mut Output) -> Result<After, Failure> {
        let mut until = Some(tokio::time::Instant::now() + wait);
        loop {
            let sleep = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let key = async {
                match &mut self.keys {
                    Some(keys) => keys.next().await,
                    None => std::future::pending().await,
                }
            };
            let key = tokio::select! {
                () = sleep => return Ok(After::GoOn),
                key = key => key,
            };
            match key {
                Key::Quit => return Ok(After::Quit),
                Key::Next => return Ok(After::GoOn),
                Key::Ahead => {
                    self.pace.skip_ahead(Duration::from_secs(10));
                    return Ok(After::GoOn);
                }
                Key::Faster | Key::Slower => {
                    self.pace.faster(if key == Key::Faster { 2.0 } else { 0.5 });
                    out.passing(&format!("{} times as fast", self.pace.speed()))?;
                }
                Key::Pause if until.is_some() => {
                    until = None;
                    out.passing("paused; space goes on")?;
                }
                Key::Pause => return Ok(After::GoOn),
            }
        }
    }
}

fn show(lines: &[Line], out: &mut Output) -> Result<(), Failure> {
    for line in lines {
        let text = out.tinted(&line.text, line.tint);
        out.line(&text)?;
    }
    Ok(())
}

/// How to follow a session.
#[derive(Debug, clap::Args)]
pub(crate) struct Follow {
    /// The session's id.
    id: String,
    /// Rows shown of each result; the recording has all.
    #[arg(long, default_value_t = 20)]
    rows: u64,
    /// Begin with this entry of the recording.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    from: u64,
}

pub(super) async fn follow(follow: &Follow, api: &Api, out: &mut Output) -> Result<(), Failure> {
    tokio::select! {
        followed = keep_following(follow, api, out) => followed,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn keep_following(follow: &Follow, api: &Api, out: &mut Output) -> Result<(), Failure> {
    let mut live = Live {
        next: follow.from,
        teller: Teller::new(Room::terminal(follow.rows)),
        transcript: Transcript::default(),
    };
    let mut tries = 0;
    loop {
        let before = live.next;
        let path = format!("/v1/sessions/{}/follow?from={}", encode(&follow.id), live.next);
        let ended = match api.lines(&path).await {
            Ok(mut lines) => live.run(&mut lines, out).await?,
            // The first time that is the answer; later the gateway may be starting again.
            Err(failure) if tries == 0 => return Err(failure),
            Err(_) => None,
        };
        match ended {
            Some(reason) if out.is_json() => {
                return out.json_line(&serde_json::json!({ "end": { "reason": reason, "next": live.next } }));
            }
            Some(reason) => {
                let reason = out.tinted(&sallyport_core::visible::line(&reason), Some(Tint::Faint));
                return out.line(&reason);
            }
            None => {}
        }
        tries = if live.next > before { 1 } else { tries + 1 };
        if tries > TRIES {
            return Err(Failure::failed("the connection to the gateway is lost")
                .hint(format!("`--from {}` goes on where this ended", live.next)));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

struct Live {
    /// The next entry.
    next: u64,
    teller: Teller,
    transcript: Transcript,
}

impl Live {
    /// Shows what comes, until the stream ends: why, when the gateway said so.
    async fn run(&mut self, lines: &mut Lines, out: &mut Output) -> Result<Option<String>, Failure> {
        let mut is_end = false;
        loop {
            let line = match lines.next().await {
                Ok(Some(line)) => line,
                // Cut off in the middle: taken up again behind the last whole entry.
                Ok(None) | Err(_) => return Ok(None),
            };
            if line == b"event: end" {
                is_end = true;
            } else if let Some(data) = line.strip_prefix(b"data: ") {
                if is_end {
                    let end: serde_json::Value = serde_json::from_slice(data).unwrap_or_default();
                    let reason = end.get("reason").and_then(serde_json::Value::as_str);
                    return Ok(Some(reason.unwrap_or("the end").to_owned()));
                }
                let entry: Entry = serde_json::from_slice(data).map_err(|_| {
                    Failure::failed("an entry cannot be read; is the gateway another version?")
                })?;
                self.show(entry, out)?;
            }
        }
    }

    fn show(&mut self, entry: Entry, out: &mut Output) -> Result<(), Failure> {
        self.next = entry.sequence + 1;
        if out.is_json() {
            out.json_line(&entry)?;
        } else {
            for moment in self.teller.entry(&entry) {
                show(&self.transcript.lines(&moment), out)?;
            }
        }
        // Whoever follows wants to see it now.
        out.flush()
    }
}
