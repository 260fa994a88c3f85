//! A page that commands print on, to be read afterwards.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::output::Output;

/// What was printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    /// An output onto this page.
    pub(crate) fn output(&self, json: bool) -> Output {
        Output::plain(Box::new(self.clone()), json)
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
