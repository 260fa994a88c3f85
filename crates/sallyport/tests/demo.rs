//! The guided tour, from outside: it goes as told, ends by itself, and leaves nothing.
//!
//! It needs PostgreSQL's programs; without them this fails, and says so.

use std::process::Command;

#[test]
fn the_tour_goes_as_told_and_leaves_nothing() {
    // A folder of its own, to see what stays; not below the build folder, which another user's PostgreSQL
    // may not be able to enter.
    let temp = std::env::temp_dir().join(format!("sallyport-demo-test-{}", std::process::id()));
    std::fs::create_dir(&temp).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_sallyport")).args(["demo", "--tour"]).env("TMPDIR", &temp).output();
    let left = std::fs::read_dir(&temp).unwrap().count();
    std::fs::remove_dir_all(&temp).unwrap();
    let output = output.unwrap();
    let (text, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(
        !errors.contains("initdb, postgres and psql are not there"),
        "this test needs PostgreSQL's programs (Debian: apt-get install postgresql)"
    );
    assert!(output.status.success(), "{text}\n{errors}");
    for heading in [
        "1  what is running",
        "2  read, and masked",
        "3  blocked",
        "4  held for a human",
        "5  injected into",
        "6  replayed",
        "7  verified",
        "8  tampered with, and caught",
    ] {
        assert!(text.contains(&format!("── {heading} ─")), "no step {heading:?} in:\n{text}");
    }
    assert_eq!(text.matches("✓").count(), 8, "{text}");
    assert!(!text.contains('\x1b'), "colour without a terminal");
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "wider than 80 columns: {wide:#?}");
    assert_eq!(left, 0, "the demo's folder is still there");
}
