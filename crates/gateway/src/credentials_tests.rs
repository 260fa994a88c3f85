//! Values come only from where they may, go only to the target they were loaded for, and never print.

use std::os::unix::fs::PermissionsExt;

use sallyport_core::{TlsMode, TlsSettings};

use super::*;

fn target(credential: CredentialRef) -> Target {
    Target {
        name: "shop".into(),
        protocol: "postgres".into(),
        host: "db.internal".into(),
        port: 5432,
        database: "shop".into(),
        databases: Vec::new(),
        user: "app".into(),
        credential,
        tls: TlsSettings { mode: TlsMode::VerifyFull, ca: None, identity: None },
        tags: BTreeMap::new(),
    }
}

fn file(mode: u32, content: &[u8]) -> (tempfile::TempDir, Target) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (dir, target(CredentialRef::File(path)))
}

fn value(target: &Target) -> Result<String, CredentialError> {
    let credentials = Credentials::load(std::slice::from_ref(target), &|_| None)?;
    Ok(credentials.for_target(target)?.password().unwrap().expose().clone())
}

#[test]
fn a_value_comes_from_the_environment_that_was_handed_in() {
    let target = target(CredentialRef::Env("SHOP".into()));
    let load = |found: Option<&str>| {
        Credentials::load(std::slice::from_ref(&target), &|name| {
            assert_eq!(name, "SHOP");
            found.map(str::to_owned)
        })
    };
    let credentials = load(Some("hunter2")).unwrap();
    assert_eq!(credentials.for_target(&target).unwrap().password().unwrap().expose(), "hunter2");
    assert!(matches!(load(None), Err(CredentialError::EnvironmentUnset { .. })));
    assert!(matches!(load(Some("")), Err(CredentialError::EnvironmentUnset { .. })));
}

#[test]
fn one_line_end_of_a_file_is_trimmed_and_no_more() {
    for (content, expected) in
        [(&b"pw\n"[..], "pw"), (b"pw\r\n", "pw"), (b"pw", "pw"), (b" pw \n\n", " pw \n"), (b"pw\r", "pw\r")]
    {
        let (_dir, target) = file(0o600, content);
        assert_eq!(value(&target).unwrap(), expected);
    }
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    for mode in [0o640, 0o604, 0o660, 0o644, 0o610] {
        let (_dir, target) = file(mode, b"pw");
        assert!(matches!(value(&target), Err(CredentialError::BadFile { .. })), "{mode:o}");
    }
    let (_dir, target) = file(0o400, b"pw");
    assert_eq!(value(&target).unwrap(), "pw");
}

#[test]
fn a_file_of_another_user_is_refused() {
    let (_dir, target) = file(0o600, b"pw");
    let CredentialRef::File(path) = &target.credential else { panic!() };
    // Only root can give a file away; elsewhere there is nothing to try.
    if std::os::unix::fs::chown(path, Some(4242), None).is_ok() {
        assert!(matches!(value(&target), Err(CredentialError::BadFile { .. })));
    }
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let target = target(CredentialRef::File(dir.path().to_owned()));
    assert!(matches!(value(&target), Err(CredentialError::BadFile { .. })));
}

#[test]
fn empty_binary_and_oversize_files_are_refused() {
    for content in [vec![], b"\n".to_vec(), b"a\0b".to_vec(), vec![0xff, 0xfe], vec![b'a'; 65 * 1024]] {
        let (_dir, target) = file(0o600, &content);
        assert!(matches!(value(&target), Err(CredentialError::BadFile { .. })));
    }
}

#[test]
fn a_target_that_was_edited_does_not_get_the_old_secret() {
    let before = target(CredentialRef::Env("SHOP".into()));
    let credentials = Credentials::load(std::slice::from_ref(&before), &|_| Some("pw".into())).unwrap();
    let edits: [fn(&mut Target); 4] = [
        |target| target.host = "evil.example".into(),
        |target| target.port = 1,
        |target| target.user = "admin".into(),
        |target| target.credential = CredentialRef::Env("OTHER".into()),
    ];
    for edit in edits {
        let mut after = before.clone();
        edit(&mut after);
        assert!(matches!(credentials.for_target(&after), Err(CredentialError::NotLoaded { .. })));
    }
    assert!(credentials.for_target(&before).is_ok());
}

#[test]
fn a_failed_reload_keeps_the_last_good_values() {
    let target = target(CredentialRef::Env("SHOP".into()));
    let all = std::slice::from_ref(&target);
    let credentials = Credentials::load(all, &|_| Some("old".into())).unwrap();
    assert!(credentials.reload(all, &|_| None).is_err());
    assert_eq!(credentials.for_target(&target).unwrap().password().unwrap().expose(), "old");
    credentials.reload(all, &|_| Some("new".into())).unwrap();
    assert_eq!(credentials.for_target(&target).unwrap().password().unwrap().expose(), "new");
}

#[test]
fn credentials_do_not_print() {
    let target = target(CredentialRef::Env("SHOP".into()));
    let credentials = Credentials::load(std::slice::from_ref(&target), &|_| Some("hunter2".into())).unwrap();
    let held = credentials.for_target(&target).unwrap();
    let printed = format!("{credentials:?} {held:?}");
    assert!(!printed.contains("hunter2") && !printed.contains("app"));
}

#[test]
fn derived_keys_are_kept_by_salt_and_count_and_only_a_few() {
    let target = target(CredentialRef::Env("SHOP".into()));
    let credentials = Credentials::load(std::slice::from_ref(&target), &|_| Some("pw".into())).unwrap();
    let held = credentials.for_target(&target).unwrap();
    let keys = || Arc::new(ScramKeys { client: Secret::new([1; 32]), server: Secret::new([2; 32]) });
    held.keep(b"salt", 4096, keys());
    assert!(held.derived(b"salt", 4096).is_some());
    assert!(held.derived(b"salt", 4097).is_none());
    assert!(held.derived(b"pepper", 4096).is_none());
    for salt in 0..10_u8 {
        held.keep(&[salt], 4096, keys());
    }
    assert_eq!(held.derived_count(), MAX_DERIVED);
}
