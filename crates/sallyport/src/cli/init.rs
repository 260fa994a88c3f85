//! `sallyport init`: a configuration to start from, and the first token.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use sallyport_core::{Clock, SystemClock};
use sallyport_policy::Policy;
use sallyport_store::Store;

use super::Bench;
use crate::config::{self, ADMIN_TOKEN, DEFAULT_FILE};
use crate::failure::Failure;
use crate::folder;

const CONFIG: &str = include_str!("../config/init.toml");
const LABELS: &str = include_str!("../config/labels.toml");
const DATA: &str = "sallyport-data";
const ADMIN: &str = "admin";

#[derive(Debug, Args)]
#[command(after_help = "Example: sallyport init gateway && sallyport serve --config gateway/sallyport.toml")]
pub(crate) struct Init {
    /// The folder to write into; made when it is not there.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(crate) fn run(init: &Init, bench: &mut Bench) -> Result<(), Failure> {
    let dir = &init.dir;
    write(dir)?;
    let token = dir.join(DATA).join(ADMIN_TOKEN);
    let file = dir.join(DEFAULT_FILE);
    if bench.out.is_json() {
        return bench.out.json(&serde_json::json!({ "config": file, "token_file": token }));
    }
    let file = file.display();
    for line in [
        format!("wrote {file}, policy/, labels.toml and {DATA}/"),
        format!("the administrator's token is in {}", token.display()),
        String::new(),
        format!("next: describe your database in {file} ([[target]]), and who calls ([[principal]])"),
        format!("      sallyport config check --config {file}"),
        format!("      sallyport serve --config {file}"),
        format!("      sallyport tokens create NAME --config {file}"),
    ] {
        bench.out.line(&line)?;
    }
    Ok(())
}

/// Writes everything, or nothing when any of it is there already.
fn write(dir: &Path) -> Result<(), Failure> {
    let failed =
        |path: &Path, error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", path.display()));
    for name in [DEFAULT_FILE, "policy", "labels.toml", DATA] {
        let path = dir.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(Failure::failed(format!("{} is there already; nothing was written", path.display()))
                .hint("name another folder: sallyport init DIR"));
        }
    }
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let data = dir.join(DATA);
    folder::make_private(&data).map_err(|error| failed(&data, &error))?;
    for file in Policy::starter_files() {
        let path = dir.join("policy").join(&file.name);
        let parent = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        folder::write_new(&path, file.text.as_bytes(), 0o644).map_err(|error| failed(&path, &error))?;
    }
    for (name, text) in [("labels.toml", LABELS), (DEFAULT_FILE, CONFIG)] {
        let path = dir.join(name);
        folder::write_new(&path, text.as_bytes(), 0o644).map_err(|error| failed(&path, &error))?;
    }
    let config = config::load(&dir.join(DEFAULT_FILE))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let issued = sallyport_auth::issue(ADMIN, None, Some("made by sallyport init".to_owned()), clock.now())
        .map_err(|error| Failure::failed(error.to_string()))?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let store = Store::open(&config.store_file(), clock).await?;
            store.add_token(&issued.record).await?;
            store.close().await;
            Ok::<_, sallyport_store::StoreError>(())
        })
        .map_err(|error| failed(&config.store_file(), &error))?;
    let path = config.admin_token();
    let text = sallyport_core::Secret::new(format!("{}\n", issued.secret.expose()));
    folder::write_new(&path, text.expose().as_bytes(), 0o600).map_err(|error| failed(&path, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = std::fs::remove_dir_all(&self.0);
        }
    }

    fn folder(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sallyport-init-{}-{name}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_init_writes_can_serve_and_is_private() {
        let folder = folder("good");
        write(&folder.0).unwrap();
        let config = config::load(&folder.0.join(DEFAULT_FILE)).unwrap();
        crate::wiring::load_policy(&config).unwrap();
        crate::wiring::load_labels(&config).unwrap();
        crate::wiring::directory(&config).unwrap();
        assert_eq!(mode(&config.data_dir), 0o700);
        assert_eq!(mode(&config.admin_token()), 0o600);
        assert_eq!(mode(&config.store_file()), 0o600);
        let admin = config.principals.iter().find(|principal| principal.name == ADMIN).unwrap();
        assert!(admin.has_role(sallyport_core::ApiRole::Admin));
        assert!(!admin.has_role(sallyport_core::ApiRole::Approver), "who makes tokens does not approve");
        let token = std::fs::read_to_string(config.admin_token()).unwrap();
        assert!(sallyport_auth::parse_token(token.trim()).is_some());
    }

    #[test]
    fn init_overwrites_nothing() {
        let folder = folder("twice");
        std::fs::create_dir_all(&folder.0).unwrap();
        std::fs::write(folder.0.join("labels.toml"), "mine").unwrap();
        let failure = write(&folder.0).unwrap_err();
        assert!(failure.message.contains("labels.toml is there already"), "{failure}");
        assert_eq!(std::fs::read_to_string(folder.0.join("labels.toml")).unwrap(), "mine");
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "nothing else was written");
    }
}
