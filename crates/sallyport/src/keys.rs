//! Single keys from the terminal, while something plays on it.
//!
//! The terminal gives keys one by one and does not show them, from [`Keys::listen`] until the value is
//! dropped. Ctrl-C stays what it is.

use std::io::{IsTerminal as _, Read as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Space.
    Pause,
    /// Right, or `l`: on from ten seconds later.
    Ahead,
    /// Enter, or `.`: the next one now.
    Next,
    /// `+`.
    Faster,
    /// `-`.
    Slower,
    /// `q`.
    Quit,
}

/// The keys as they are pressed.
#[derive(Debug)]
pub(crate) struct Keys {
    pressed: mpsc::Receiver<Key>,
    before: Termios,
}

impl Keys {
    /// Listens to the terminal; nothing when there is none.
    pub(crate) fn listen() -> Option<Self> {
        let input = std::io::stdin();
        if !input.is_terminal() {
            return None;
        }
        let before = tcgetattr(&input).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &quiet).ok()?;
        let (sender, pressed) = mpsc::channel(16);
        // Waits in a read for as long as the process lives; nothing is lost with it.
        std::thread::spawn(move || {
            let mut decoder = Decoder::default();
            for byte in std::io::stdin().lock().bytes() {
                let Ok(byte) = byte else { return };
                if let Some(key) = decoder.take(byte)
                    && sender.blocking_send(key).is_err()
                {
                    return;
                }
            }
        });
        Some(Self { pressed, before })
    }

    /// The next key. Waits for ever once there are no more.
    pub(crate) async fn next(&mut self) -> Key {
        match self.pressed.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _restored = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Keys out of bytes: an arrow is three of them.
#[derive(Debug, Default)]
struct Decoder {
    escape: u8,
}

impl Decoder {
    fn take(&mut self, byte: u8) -> Option<Key> {
        match (self.escape, byte) {
            (_, 0x1b) => {
                self.escape = 1;
                return None;
            }
            (1, b'[' | b'O') => {
                self.escape = 2;
                return None;
            }
            (2, b'C') => {
                self.escape = 0;
                return Some(Key::Ahead);
            }
            _ => self.escape = 0,
        }
        match byte {
            b' ' => Some(Key::Pause),
            b'l' => Some(Key::Ahead),
            b'\n' | b'\r' | b'.' => Some(Key::Next),
            b'+' | b'=' => Some(Key::Faster),
            b'-' => Some(Key::Slower),
            b'q' => Some(Key::Quit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_arrows_are_told_apart() {
        let mut decoder = Decoder::default();
        let keys: Vec<Key> =
            b" \x1b[C\x1b[A\x1bOC.+-xq".iter().filter_map(|byte| decoder.take(*byte)).collect();
        assert_eq!(
            keys,
            [Key::Pause, Key::Ahead, Key::Ahead, Key::Next, Key::Faster, Key::Slower, Key::Quit]
        );
    }
}
