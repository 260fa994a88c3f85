//! `cargo xtask mutants [WORD]`: takes each guard out, on a copy of the tree, and expects its tests to fail.
//!
//! ```text
//! mutants.txt (table) -> copy of the tree -> the tests are green -> per guard: apply, build, run, put back -> report
//! ```
//!
//! A guard whose tests stay green is a promise that nobody keeps. So is a row that no longer fits the
//! code, or a mutation that does not compile: both are failures here, not passes.

mod copy;
mod table;
mod trial;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::check::Finding;
use crate::check::pages::has_test;
use crate::check::tree::Tree;
use crate::machine::{self, Need};
use crate::shell::{Failure, Outcome, root};

use table::{Guard, mutate, parse};
use trial::Verdict;

const TABLE: &str = "xtask/mutants.txt";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    machine::prepare(&[Need::Compilers, Need::Postgres])?;
    let tree = Tree::read(&root())?;
    let findings = check(&tree);
    if !findings.is_empty() {
        findings.iter().for_each(|finding| eprintln!("{}: {}", finding.file, finding.what));
        return Err(Failure::failed(format!("{TABLE} does not fit the tree")));
    }
    let all = parse(tree.text(TABLE).unwrap_or_default()).map_err(Failure::failed)?;
    let chosen: Vec<&Guard> =
        all.iter().filter(|guard| arguments.iter().all(|word| guard.mentions(word))).collect();
    if chosen.is_empty() {
        return Err(Failure::usage("no guard mentions that"));
    }
    let copy = copy::make(&tree)?;

    // A test that is red anyway proves nothing.
    let mut tests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for guard in &chosen {
        tests.entry(&guard.package).or_default().extend(guard.tests.iter().map(String::as_str));
    }
    for (package, tests) in &tests {
        println!("{package}: {} tests, with every guard in place", tests.len());
        match trial::run(&copy, package, tests)? {
            Verdict::Green => {}
            other => return Err(Failure::failed(format!("{package}: {other} with every guard in place"))),
        }
    }

    let mut alive = 0;
    for guard in &chosen {
        let started = Instant::now();
        let text = tree.text(&guard.file).unwrap_or_default();
        let path = copy.join(&guard.file);
        std::fs::write(&path, mutate(text, guard).map_err(Failure::failed)?)?;
        let tests: Vec<&str> = guard.tests.iter().map(String::as_str).collect();
        let verdict = trial::each(&copy, &guard.package, &tests);
        std::fs::write(&path, text)?;
        let verdict = verdict?;
        let caught = verdict == Verdict::Red;
        alive += usize::from(!caught);
        println!(
            "{} class {:>2}  {}  ({verdict}, {} s)",
            if caught { "caught " } else { "MISSED " },
            guard.attack,
            guard.what,
            started.elapsed().as_secs()
        );
    }
    println!("\n{} guards, {} caught, {alive} missed", chosen.len(), chosen.len() - alive);
    if alive == 0 { Ok(()) } else { Err(Failure::failed("a guard was taken out and nothing noticed")) }
}

/// Whether the table still fits the code and the tests.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let finding = |what: String| Finding::new(TABLE, what);
    let guards = match parse(tree.text(TABLE).unwrap_or_default()) {
        Ok(guards) => guards,
        Err(error) => return vec![finding(error)],
    };
    let page = tree.text("SECURITY.md").unwrap_or_default();
    let mut findings = Vec::new();
    for guard in &guards {
        match tree.text(&guard.file) {
            None => findings.push(finding(format!("{:?}: {} is not there", guard.what, guard.file))),
            Some(text) => findings.extend(mutate(text, guard).err().map(finding)),
        }
        for test in &guard.tests {
            if !has_test(tree, test) {
                findings.push(finding(format!("{:?}: there is no test {test}", guard.what)));
            } else if !page.contains(&format!("`{test}`")) {
                findings.push(finding(format!("{:?}: SECURITY.md does not name {test}", guard.what)));
            }
        }
    }
    findings
}
