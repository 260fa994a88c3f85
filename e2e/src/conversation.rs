//! Random conversations: messages in legal and illegal orders, made from a seed, and what a client sees of them.
//!
//! ```text
//! seed -> Vec<Step> -> the same bytes to the server itself and through the gateway -> what both said -> compare
//! ```
//!
//! Steps act on temporary and session-local things alone, so that both sides can run on one database. A
//! conversation that differs is cut down, step by step, to the shortest that still does.

use std::time::Duration;

use crate::gateway::Gateway;
use crate::raw::{Message, Raw, frame};

/// Numbers from a seed: xorshift64*, which is enough to pick messages by.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way each time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).expect("31 bits") % limit
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// One message, or a few that belong together.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is, to read.
    pub what: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Texts for Query and Parse: good ones, bad ones, ones that change the transaction.
const TEXTS: &[&str] = &[
    "select 1",
    "select 1",
    "select 'two', null, 3.5",
    "select n from generate_series(1, 7) n",
    "select 1 / 0",
    "select nowhere",
    "",
    "select 1; select 2",
    "select 1; select 1 / 0; select 3",
    "begin",
    "begin",
    "commit",
    "rollback",
    "savepoint a",
    "rollback to a",
    "release a",
    "begin; select 1; commit",
    "set statement_timeout = 0",
    "show transaction_isolation",
    "select count(*) from orders",
    "select id, status from orders order by id limit 3",
    "prepare q as select 8",
    "execute q",
    "deallocate q",
    "declare c cursor for select n from generate_series(1, 9) n",
    "fetch 2 from c",
    "close c",
    "copy (select 1, 'x') to stdout",
    "copy (select n from generate_series(1, 5) n) to stdout (format binary)",
    "values (1), (2)",
    "explain (costs off) select 1",
    "listen news",
];

/// Texts with a parameter.
const WITH_PARAMETER: &[&str] =
    &["select $1::int + 1", "select $1::text", "select n from generate_series(1, $1::int) n"];

const NAMES: &[&str] = &["", "", "a", "b"];

fn text(words: &str) -> Vec<u8> {
    [words.as_bytes(), &[0]].concat()
}

fn step(what: impl Into<String>, bytes: Vec<u8>) -> Step {
    Step { what: what.into(), bytes }
}

/// One step.
fn throw(dice: &mut Dice) -> Step {
    let name = *dice.pick(NAMES);
    let portal = *dice.pick(NAMES);
    match dice.below(20) {
        0..=3 => {
            let sql = *dice.pick(TEXTS);
            step(format!("Query {sql:?}"), frame(b'Q', &text(sql)))
        }
        4..=6 => {
            let sql = if dice.below(4) == 0 { *dice.pick(WITH_PARAMETER) } else { *dice.pick(TEXTS) };
            step(format!("Parse {name:?} {sql:?}"), Raw::parse(name, sql))
        }
        7..=9 => {
            let values: &[&str] = [&[][..], &["3"][..], &["x"][..], &["1", "2"][..]][dice.below(4)];
            step(format!("Bind {portal:?} {name:?} {values:?}"), Raw::bind(portal, name, values))
        }
        10..=12 => {
            let rows = *dice.pick(&[0_u32, 0, 1, 2]);
            let body = [&text(portal)[..], &rows.to_be_bytes()].concat();
            step(format!("Execute {portal:?} {rows}"), frame(b'E', &body))
        }
        13 => {
            let kind = *dice.pick(b"SP");
            let body = [&[kind][..], &text(name)].concat();
            step(format!("Describe {} {name:?}", char::from(kind)), frame(b'D', &body))
        }
        14 => {
            let kind = *dice.pick(b"SP");
            let body = [&[kind][..], &text(name)].concat();
            step(format!("Close {} {name:?}", char::from(kind)), frame(b'C', &body))
        }
        15 => step("Flush", frame(b'H', &[])),
        16 => match dice.below(3) {
            0 => step("CopyData", frame(b'd', b"1\tx\n")),
            1 => step("CopyDone", frame(b'c', &[])),
            _ => step("CopyFail", frame(b'f', &text("enough"))),
        },
        _ => step("Sync", Raw::sync()),
    }
}

/// The conversation of a seed.
#[must_use]
pub fn conversation(seed: u64) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let length = 4 + dice.below(24);
    (0..length).map(|_| throw(&mut dice)).collect()
}

/// What a client sees of a message: not an error's place in the server's source, nor process ids.
fn seen(message: &Message) -> String {
    match message.tag {
        'E' | 'N' => {
            let fields = message.fields();
            format!("{} {} {}", message.tag, fields.severity, fields.sqlstate)
        }
        tag => format!("{tag} {}", String::from_utf8_lossy(&message.body).escape_debug()),
    }
}

/// Plays steps and says everything that came back, up to the answer to a last question that both must answer.
pub fn play(raw: &mut Raw, steps: &[Step]) -> Vec<String> {
    raw.socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    for step in steps {
        raw.send(&step.bytes);
    }
    // A Sync ends whatever pipeline is open; the question behind it says when all has been answered.
    raw.send(
        &[frame(b'f', &text("end")), Raw::sync(), Raw::sync(), frame(b'Q', &text("select 'the end'"))]
            .concat(),
    );
    let mut said = Vec::new();
    while let Some(message) = raw.read() {
        said.push(seen(&message));
        let failed = said.iter().rev().take(2).any(|it| it.starts_with("E ERROR 25P02"));
        let ended = said.iter().rev().take(3).any(|it| it.contains("the end"));
        // In a failed transaction the question is refused as everything is; then it is the last ready.
        if message.tag == 'Z' && (ended || failed && silent(raw)) {
            break;
        }
    }
    said
}

/// Whether nothing more comes for a while.
fn silent(raw: &Raw) -> bool {
    raw.socket.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out");
    let silent = raw.socket.peek(&mut [0]).is_err();
    raw.socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    silent
}

/// What differs, by name, and why it may.
fn is_documented(steps: &[Step], direct: &[String], through: &[String]) -> Option<&'static str> {
    let state = |line: &str, wanted: &str| line.starts_with("E ") && line.ends_with(wanted);
    let at = direct.iter().zip(through).position(|(one, other)| one != other)?;
    let (direct, through) = (&direct[at], &through[at]);
    match () {
        // A portal or statement that SQL made is a portal of the server's, not one of ours.
        () if state(through, " 34000") || state(through, " 26000") => Some("names made by SQL"),
        // What EXECUTE and FETCH would run is unknown when nobody has seen it prepared or declared.
        () if state(through, " 42501") && (state(direct, " 26000") || state(direct, " 34000")) => {
            Some("names that were never seen")
        }
        () if state(through, " 42501") && direct == "1 " && by_name(steps) => {
            Some("names that were never seen")
        }
        // Both refuse it; the server reads the text before it looks at the name.
        () if state(through, " 42P05") && state(direct, "") => Some("which of two mistakes is named"),
        // The gateway reads the whole text first, and of one that cannot be read says so under its own code.
        () if state(through, " 42501") && state(direct, " 42601") => Some("text that cannot be read"),
        () => None,
    }
}

/// Whether a text runs something by its name.
fn by_name(steps: &[Step]) -> bool {
    steps.iter().any(|it| {
        it.what.starts_with("Parse") && (it.what.contains("execute q") || it.what.contains("fetch 2"))
    })
}

/// A conversation whose answers differ, as short as it gets, with both answers.
#[derive(Debug)]
pub struct Difference {
    /// Its seed.
    pub seed: u64,
    /// The steps.
    pub steps: Vec<String>,
    /// What the server itself said.
    pub direct: Vec<String>,
    /// What was said through the gateway.
    pub through: Vec<String>,
}

fn both(gateway: &Gateway, who: &str, steps: &[Step]) -> (Vec<String>, Vec<String>) {
    let direct = play(&mut Raw::direct(gateway), steps);
    let through = play(&mut Raw::open(gateway, who), steps);
    (direct, through)
}

fn differs(gateway: &Gateway, who: &str, steps: &[Step]) -> Option<(Vec<String>, Vec<String>)> {
    let (direct, through) = both(gateway, who, steps);
    (direct != through && is_documented(steps, &direct, &through).is_none()).then_some((direct, through))
}

/// Plays the conversation of a seed on both sides; the shortest part of it that differs, if any does.
#[must_use]
pub fn compare(gateway: &Gateway, who: &str, seed: u64) -> Option<Difference> {
    let mut steps = conversation(seed);
    let mut found = differs(gateway, who, &steps)?;
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        match differs(gateway, who, &fewer) {
            Some(still) => (steps, found) = (fewer, still),
            None => at += 1,
        }
    }
    let (direct, through) = found;
    Some(Difference { seed, steps: steps.into_iter().map(|it| it.what).collect(), direct, through })
}
