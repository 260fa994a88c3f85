//! placeholder

use super::*;

#[test]
fn the_starting_policy_loads() {
    let problems = Policy::load(&Policy::starter_files()).err().unwrap_or_default();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    assert_eq!(Policy::starter().version().len(), 12);
}
