//! What the demo has started and made, so that all of it goes away again, however the demo ends.
//!
//! The tour runs in a thread of its own and puts everything in here; whoever ends the demo takes the
//! stage down. What is started after that is ended at once.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use super::process;
use crate::failure::Failure;

/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A shared handle.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    root: PathBuf,
    keep: bool,
    servers: Arc<Mutex<Servers>>,
}

#[derive(Debug, Default)]
struct Servers {
    running: Vec<(Child, Signal)>,
    down: bool,
}

impl Stage {
    /// Makes the demo's folder below the system's folder for temporary files. `shared`: other users may
    /// pass through it to what is theirs by name, but not list it; everything of ours in it is private.
    pub(crate) fn new(keep: bool, shared: bool) -> Result<Self, Failure> {
        let mut random = [0; 6];
        getrandom::fill(&mut random).map_err(|error| Failure::failed(error.to_string()))?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let root = std::env::temp_dir().join(format!("sallyport-demo-{name}"));
        // A folder that is there already is somebody else's: that is an error.
        DirBuilder::new()
            .mode(if shared { 0o711 } else { 0o700 })
            .create(&root)
            .map_err(|error| Failure::failed(format!("{}: {error}", root.display())))?;
        Ok(Self { root, keep, servers: Arc::default() })
    }

    /// The demo's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A server to end with the demo, by the signal that it takes for an end.
    ///
    /// # Errors
    /// When the demo has ended meanwhile.
    pub(crate) fn keep_server(&self, mut server: Child, signal: Signal) -> Result<(), Failure> {
        let mut servers = self.servers();
        if servers.down {
            process::end(&mut server, signal, PATIENCE);
            return Err(Failure::failed("the demo has ended"));
        }
        servers.running.push((server, signal));
        Ok(())
    }

    /// Whether all servers still run.
    pub(crate) fn all_run(&self) -> bool {
        self.servers().running.iter_mut().all(|(server, _)| matches!(server.try_wait(), Ok(None)))
    }

    /// Ends the servers, last started first, and removes the folder.
    pub(crate) fn take_down(&self) {
        let mut servers = self.servers();
        servers.down = true;
        while let Some((mut server, signal)) = servers.running.pop() {
            process::end(&mut server, signal, PATIENCE);
        }
        if !self.keep {
            // What cannot be removed lies in a folder for temporary files.
            let _gone = std::fs::remove_dir_all(&self.root);
        }
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    #[test]
    fn nothing_stays() {
        let stage = Stage::new(false, false).unwrap();
        let server = sleeper();
        let pid = server.id();
        stage.keep_server(server, Signal::TERM).unwrap();
        std::fs::write(stage.root().join("file"), "x").unwrap();
        assert!(stage.all_run());
        stage.take_down();
        assert!(!stage.root().exists());
        assert!(!Path::new(&format!("/proc/{pid}/stat")).exists());
    }

    #[test]
    fn what_comes_too_late_is_ended_at_once() {
        let stage = Stage::new(false, false).unwrap();
        stage.take_down();
        let server = sleeper();
        let pid = server.id();
        stage.keep_server(server, Signal::TERM).unwrap_err();
        assert!(!Path::new(&format!("/proc/{pid}/stat")).exists());
    }

    #[test]
    fn the_folder_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        for (shared, mode) in [(false, 0o700), (true, 0o711)] {
            let stage = Stage::new(false, shared).unwrap();
            assert_eq!(std::fs::metadata(stage.root()).unwrap().permissions().mode() & 0o777, mode);
            stage.take_down();
        }
    }
}
