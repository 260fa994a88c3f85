//! Children of the demo: run to their end, or beside the tour, with a deadline in any case.
//!
//! Standard output and standard error go into one pipe, so that what is shown is in the order in which
//! a terminal would show it. Children get a process group of their own: Ctrl-C ends the demo, and the
//! demo ends them.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::failure::Failure;

/// What a child prints is kept up to here; the demo's commands print far less.
const PRINTED_LIMIT: usize = 1 << 20;

/// How often a child is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(15);

/// What came of a child.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// What it printed.
    pub(crate) text: String,
    /// Whether it ended with exit code 0.
    pub(crate) ok: bool,
}

/// A child that runs beside the tour.
#[derive(Debug)]
pub(crate) struct Beside {
    child: Child,
    chunks: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    closed: bool,
}

impl Beside {
    /// Starts it, with no input.
    pub(crate) fn start(command: Command) -> Result<Self, Failure> {
        Self::start_with(command, None)
    }

    fn start_with(mut command: Command, input: Option<Stdio>) -> Result<Self, Failure> {
        let (mut reader, writer) = std::io::pipe()?;
        command.stdin(input.unwrap_or_else(Stdio::null));
        command.stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let child = command.spawn().map_err(|error| cannot_start(&command, &error))?;
        // The command holds our ends of the pipe; while they are open the reader never sees the end.
        drop(command);
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length) = reader.read(&mut buffer) {
                let chunk = buffer.get(..length).unwrap_or_default();
                if chunk.is_empty() || sender.send(chunk.to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, chunks, bytes: Vec::new(), closed: false })
    }

    /// All that it has printed so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Reads on for a moment.
    fn listen(&mut self) {
        match self.chunks.recv_timeout(LOOK) {
            Ok(chunk) if self.bytes.len() + chunk.len() <= PRINTED_LIMIT => self.bytes.extend(chunk),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                self.closed = true;
                std::thread::sleep(LOOK);
            }
        }
    }

    /// Waits until it has printed what `found` looks for. Nothing when it ended, or printed nothing like
    /// it in time.
    pub(crate) fn wait_for<T>(
        &mut self,
        at_most: Duration,
        found: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let until = Instant::now() + at_most;
        loop {
            self.listen();
            if let Some(value) = found(&self.text()) {
                return Ok(Some(value));
            }
            if self.has_ended()? || Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    /// Whether it has ended, and all that it printed has been read.
    pub(crate) fn has_ended(&mut self) -> Result<bool, Failure> {
        Ok(self.child.try_wait()?.is_some() && self.closed)
    }

    /// Reads on for a moment, and says whether it has ended.
    pub(crate) fn look(&mut self) -> Result<bool, Failure> {
        self.listen();
        self.has_ended()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end in time; it is killed then.
    pub(crate) fn finish(mut self, at_most: Duration) -> Result<Ended, Failure> {
        let until = Instant::now() + at_most;
        loop {
            self.listen();
            if let Some(status) = self.child.try_wait()?
                && self.closed
            {
                return Ok(Ended { text: self.text(), ok: status.success() });
            }
            if Instant::now() >= until {
                let text = self.text();
                return Err(Failure::failed(format!(
                    "a command did not end within {} s; it had printed:\n{text}",
                    at_most.as_secs()
                )));
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

/// Runs a child to its end.
pub(crate) fn run(command: Command, at_most: Duration) -> Result<Ended, Failure> {
    Beside::start(command)?.finish(at_most)
}

/// Runs a child that reads a file.
pub(crate) fn run_on(command: Command, input: std::fs::File, at_most: Duration) -> Result<Ended, Failure> {
    Beside::start_with(command, Some(Stdio::from(input)))?.finish(at_most)
}

/// Starts a server that writes to a log, in a process group of its own.
pub(crate) fn serve(mut command: Command, log: std::fs::File) -> Result<Child, Failure> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
    command.spawn().map_err(|error| cannot_start(&command, &error))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{} cannot be started: {error}", command.get_program().display()))
}

/// Asks a child to end, and kills it when it does not within the time.
pub(crate) fn end(child: &mut Child, signal: Signal, at_most: Duration) {
    let until = Instant::now() + at_most;
    if let Some(pid) = running(child) {
        // It may have ended in between; then there is nobody to tell.
        let _told = kill_process(pid, signal);
    }
    while running(child).is_some() {
        if Instant::now() >= until {
            end_group(child);
            return;
        }
        std::thread::sleep(LOOK);
    }
}

fn end_group(child: &mut Child) {
    if let Some(pid) = running(child) {
        let _killed = kill_process_group(pid, Signal::KILL);
        let _reaped: std::io::Result<ExitStatus> = child.wait();
    }
}

/// Its id while it runs. An id of a child that has been waited for may be somebody else's by now.
fn running(child: &mut Child) -> Option<Pid> {
    match child.try_wait() {
        Ok(None) => i32::try_from(child.id()).ok().and_then(Pid::from_raw),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        command
    }

    #[test]
    fn both_outputs_come_in_order() {
        let ended = run(shell("echo a; echo b >&2; echo c; exit 3"), Duration::from_secs(10)).unwrap();
        assert_eq!((ended.text.as_str(), ended.ok), ("a\nb\nc\n", false));
    }

    #[test]
    fn a_child_that_hangs_is_ended_with_its_own_children() {
        let began = Instant::now();
        let failure = run(shell("echo begun; sleep 60; true"), Duration::from_millis(300)).unwrap_err();
        assert!(failure.message.contains("begun"), "{failure}");
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_is_printed_can_be_waited_for() {
        let mut beside = Beside::start(shell("echo one; sleep 0.2; echo two; sleep 60")).unwrap();
        let seen = beside.wait_for(Duration::from_secs(10), |text| text.find("two")).unwrap();
        assert_eq!(seen, Some(4));
        let mut short = Beside::start(shell("echo one")).unwrap();
        assert_eq!(short.wait_for(Duration::from_secs(10), |text| text.find("two")).unwrap(), None);
    }
}
