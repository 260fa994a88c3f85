//! Files that take effect while the gateway runs: policy, labels, and of the configuration the targets
//! and principals. What was done to the recording's folders is looked at with them.
//!
//! Every 300 ms the files' contents are hashed. When they changed and are good, the new version swaps
//! in whole; when they are bad, that is said once, by file and line, and the last good version stays.
//! Contents are compared and not times, so that a touched file does nothing and a file replaced within
//! the same second is seen.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sallyport_core::{Digest, DigestBuilder};
use sallyport_mask::Labels;
use sallyport_policy::{Policy, PolicyFile};

use crate::config::{self, Config};
use crate::custody::Custody;
use crate::folder;
use crate::wiring::Running;

/// How often the files are looked at.
pub(crate) const EVERY: Duration = Duration::from_millis(300);

/// Every how many looks the recording's folders are looked at.
const CUSTODY_EVERY: u32 = 10;

/// What stands in files now, or why it cannot be read.
type Found = Result<Vec<PolicyFile>, String>;

/// Makes a version from files, or says everything that is wrong with them.
type Make<T> = Box<dyn Fn(&[PolicyFile]) -> Result<T, Vec<String>> + Send>;

/// One thing that reloads: where it comes from and how it is made.
pub(crate) struct Reloading<T> {
    what: &'static str,
    find: Box<dyn Fn() -> Found + Send>,
    make: Make<T>,
    seen: Digest,
}

impl<T> std::fmt::Debug for Reloading<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloading").field("what", &self.what).finish_non_exhaustive()
    }
}

impl<T> Reloading<T> {
    /// Watches from here on: what stands there now counts as seen.
    pub(crate) fn new(
        what: &'static str,
        find: impl Fn() -> Found + Send + 'static,
        make: impl Fn(&[PolicyFile]) -> Result<T, Vec<String>> + Send + 'static,
    ) -> Self {
        let seen = digest(&find());
        Self { what, find: Box::new(find), make: Box::new(make), seen }
    }

    /// A new version, when the files changed and are good. Bad ones are logged once.
    pub(crate) fn poll(&mut self) -> Option<T> {
        let found = (self.find)();
        let now = digest(&found);
        if now == self.seen {
            return None;
        }
        self.seen = now;
        match found.map_err(|problem| vec![problem]).and_then(|files| (self.make)(&files)) {
            Ok(value) => {
                tracing::info!(what = self.what, "reloaded");
                Some(value)
            }
            Err(problems) => {
                for problem in problems {
                    tracing::error!(what = self.what, problem, "not reloaded; the last good version stays");
                }
                None
            }
        }
    }
}

fn digest(found: &Found) -> Digest {
    match found {
        Ok(files) => files
            .iter()
            .fold(DigestBuilder::new("found"), |digest, file| {
                digest.field(file.name.as_bytes()).field(file.text.as_bytes())
            })
            .finish(),
        Err(problem) => DigestBuilder::new("not found").field(problem.as_bytes()).finish(),
    }
}

fn one_file(path: &Path) -> Found {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(vec![PolicyFile { name, text }]),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Everything that is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    policy: Reloading<(Policy, Vec<PolicyFile>)>,
    labels: Option<Reloading<Labels>>,
    config: Reloading<Config>,
    custody: Custody,
    rounds: u32,
}

impl Watch {
    /// Watches what the configuration names. `label_key` is what masked values are hashed with.
    pub(crate) fn new(config: &Config, label_key: &sallyport_core::Secret<Vec<u8>>) -> Self {
        let dir = config.policy_dir.clone();
        let file = config.file.clone();
        let key = label_key.clone();
        Self {
            custody: Custody::of(config.recordings(), config.wrapping_keys()),
            rounds: 0,
            policy: policy(dir),
            labels: config.labels.clone().map(|path| labels(path, key)),
            config: Reloading::new(
                "configuration",
                {
                    let file = file.clone();
                    move || one_file(&file)
                },
                move |files| {
                    let text = files.iter().map(|file| file.text.as_str()).collect::<String>();
                    config::parse(&file, &text)
                        .map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
                },
            ),
        }
    }

    /// Looks once, and hands what changed to the gateway.
    pub(crate) async fn look(&mut self, running: &mut Running) {
        if let Some((policy, files)) = self.policy.poll() {
            running.new_policy(policy, &files).await;
        }
        if let Some(labels) = self.labels.as_mut().and_then(Reloading::poll) {
            running.new_labels(labels).await;
        }
        if let Some(config) = self.config.poll() {
            running.new_config(config).await;
        }
        // There may be thousands of holds, each a file.
        if self.rounds.is_multiple_of(CUSTODY_EVERY) {
            self.custody.look(running.journal()).await;
        }
        self.rounds = self.rounds.wrapping_add(1);
    }
}

fn policy(dir: PathBuf) -> Reloading<(Policy, Vec<PolicyFile>)> {
    let root = dir.display().to_string();
    Reloading::new(
        "policy",
        move || folder::read(&dir),
        move |files| {
            Policy::load(files)
                .map(|policy| (policy, files.to_vec()))
                .map_err(|problems| problems.iter().map(|problem| format!("{root}/{problem}")).collect())
        },
    )
}

fn labels(path: PathBuf, key: sallyport_core::Secret<Vec<u8>>) -> Reloading<Labels> {
    Reloading::new(
        "labels",
        {
            let path = path.clone();
            move || one_file(&path)
        },
        move |files| {
            let text = files.iter().map(|file| file.text.as_str()).collect::<String>();
            Labels::parse(&text)
                .map(|labels| labels.with_hash_key(key.clone()))
                .map_err(|error| vec![format!("{}: {error}", path.display())])
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sallyport-watch-{}-{name}", std::process::id()));
            let _gone = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.0.join(name), text).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_good_change_swaps_in_and_a_bad_one_keeps_the_last() {
        let folder = Folder::new("swap");
        folder.write("a", "1");
        let dir = folder.0.clone();
        let mut number = Reloading::new(
            "number",
            move || folder::read(&dir),
            |files| files[0].text.parse::<i32>().map_err(|error| vec![error.to_string()]),
        );
        assert_eq!(number.poll(), None, "what stood there at the start is no change");
        folder.write("a", "2");
        assert_eq!(number.poll(), Some(2));
        assert_eq!(number.poll(), None);
        folder.write("a", "two");
        assert_eq!(number.poll(), None);
        folder.write("a", "3");
        assert_eq!(number.poll(), Some(3), "a repaired file is taken");
        std::fs::remove_file(folder.0.join("a")).unwrap();
        std::fs::remove_dir(&folder.0).unwrap();
        assert_eq!(number.poll(), None, "a folder that is gone changes nothing");
    }

    #[test]
    fn a_broken_policy_is_not_taken() {
        let folder = Folder::new("policy");
        for file in Policy::starter_files().iter().filter(|file| !file.name.contains('/')) {
            folder.write(&file.name, &file.text);
        }
        let mut watched = policy(folder.0.clone());
        folder.write("more.cedar", "permit(");
        assert!(watched.poll().is_none());
        folder.write("more.cedar", "// nothing");
        assert!(watched.poll().is_some());
    }
}
