//! `PASSWORD`: what command lines and password files hold where no name says so: `curl -u user:word`,
//! `mysql -pword`, `sshpass -p word`, `redis-cli -a word`, lines of `.pgpass`, `user/word@` of Oracle.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::secret::{PASSWORD, is_placeholder};
use super::{Detector, Found, Kind, Needs, Reading, scan};
use crate::features::{AT, COLONS, FLAG, LETTER, SLASH};

/// Longest password, bytes.
const MOST: usize = 256;

/// Where the password stands behind a program's flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the next word.
    Next,
    /// In the same word.
    Same,
    /// In the next word, behind a user and a colon.
    AfterUser,
}

/// A flag and where the password stands behind it.
type Flag = (&'static [u8], Place);

/// Programs, and the flags behind which they take a password.
const FLAGS: &[(&str, &[Flag])] = &[
    (
        "curl",
        &[(b" -u", Place::AfterUser), (b" --user", Place::AfterUser), (b" --proxy-user", Place::AfterUser)],
    ),
    ("mysql", &[(b" -p", Place::Same)]),
    ("mariadb", &[(b" -p", Place::Same)]),
    ("sshpass", &[(b" -p", Place::Next), (b" -p", Place::Same)]),
    ("redis-cli", &[(b" -a", Place::Next)]),
    ("docker login", &[(b" -p", Place::Next)]),
    ("ldapsearch", &[(b" -w", Place::Next)]),
];

static PROGRAMS: LazyLock<Vec<(Finder<'static>, &'static [Flag])>> =
    LazyLock::new(|| FLAGS.iter().map(|(program, flags)| (Finder::new(*program), *flags)).collect());

/// What stands before the sign-in of Oracle's driver.
static THIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(":thin:"));

/// The detector.
#[derive(Debug)]
pub(super) struct CommandLine;

impl Detector for CommandLine {
    /// Those of [`Secret`](super::secret::Secret).
    fn kinds(&self) -> Vec<&'static Kind> {
        Vec::new()
    }

    fn needs(&self) -> Needs {
        Needs::all(LETTER).any(FLAG | COLONS)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        if reading.features.any(FLAG) {
            for (program, flags) in PROGRAMS.iter() {
                let Some(from) = program.find(bytes) else { continue };
                let rest = bytes.get(from..).unwrap_or(&[]);
                for (flag, place) in *flags {
                    for at in memmem::find_iter(rest, flag).take(64) {
                        found.extend(behind(reading.text, from + at + flag.len(), *place));
                    }
                }
            }
        }
        if reading.features.any(COLONS) && memchr::memchr_iter(b':', bytes).nth(2).is_some() {
            for line in scan::runs(bytes, |byte| !matches!(byte, b'\n' | b'\r')) {
                found.extend(in_password_file(reading.text, line.start, line.end));
            }
            if reading.features.all(AT | SLASH)
                && let Some(at) = THIN.find(bytes)
            {
                found.extend(in_oracle(reading.text, at + 6));
            }
        }
    }
}

fn password(text: &str, start: usize, end: usize) -> Option<Found> {
    let word = text.get(start..end)?;
    ((3..=MOST).contains(&word.len()) && !is_placeholder(word))
        .then(|| Found::new(&PASSWORD, start..end, 0.8))
}

/// The password behind a flag that ends there.
fn behind(text: &str, end: usize, place: Place) -> Option<Found> {
    let bytes = text.as_bytes();
    let apart = matches!(scan::at(bytes, end), b' ' | b'=');
    if apart == (place == Place::Same) {
        return None;
    }
    let mut start = end + usize::from(apart);
    let quote = Some(scan::at(bytes, start)).filter(|byte| matches!(byte, b'\'' | b'"'));
    start += usize::from(quote.is_some());
    let reach = bytes.get(..bytes.len().min(start + MOST)).unwrap_or(bytes);
    let end = scan::run_end(reach, start, |byte| match quote {
        Some(quote) => byte != quote,
        None => !byte.is_ascii_whitespace() && !matches!(byte, b'\'' | b'"' | b'`' | b'|' | b';'),
    });
    if scan::at(bytes, start) == b'-' {
        return None;
    }
    if place == Place::AfterUser {
        start += reach.get(start..end)?.iter().position(|byte| *byte == b':')? + 1;
    }
    password(text, start, end)
}

/// `host:port:database:user:word`, nothing else on the line.
fn in_password_file(text: &str, start: usize, end: usize) -> Option<Found> {
    let line = text.get(start..end).filter(|line| line.len() <= 4 * MOST)?;
    let is_name = |name: &str| {
        name == "*"
            || name.bytes().any(|byte| byte.is_ascii_alphabetic())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/'))
    };
    let mut fields = line.splitn(5, ':');
    // Most lines are told by their first field.
    let host = fields.next()?;
    if !is_name(host) && host.parse::<std::net::Ipv4Addr>().is_err() {
        return None;
    }
    let [port, database, user, word] = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
    let is_port = port == "*" || port.parse::<u16>().is_ok_and(|port| port >= 1024);
    let stands = is_port && is_name(database) && is_name(user) && !word.contains([' ', ':']);
    if !stands || word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    password(text, end - word.len(), end)
}

/// `jdbc:oracle:thin:user/word@host`: behind `thin:`.
fn in_oracle(text: &str, start: usize) -> Option<Found> {
    let rest = text.get(start..)?;
    let sign_in = rest.get(..rest.find(['@', ' ', '\n'])?)?;
    let user = sign_in.find('/')?;
    (rest.as_bytes().get(sign_in.len()) == Some(&b'@')).then_some(())?;
    password(text, start + user + 1, start + sign_in.len())
}
