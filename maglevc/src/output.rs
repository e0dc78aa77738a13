//! Edge. Where the answers go: as text fitted to a terminal, or as JSON.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::args::Format;
use crate::failure::Failure;
use crate::render::{Page, Text};

/// Where and how to write.
pub(crate) struct Output {
    /// The standard output.
    pub(crate) out: Box<dyn Write>,
    /// For whom.
    pub(crate) format: Format,
    /// What text is fitted to.
    pub(crate) paper: Paper,
}

/// What text is fitted to.
#[derive(Clone)]
pub(crate) struct Paper {
    /// Whether to colour.
    pub(crate) color: bool,
    /// Columns of the terminal.
    pub(crate) width: usize,
    /// The clock ages are counted from.
    pub(crate) clock: fn() -> Timestamp,
    /// The zone times of day are shown in.
    pub(crate) zone: TimeZone,
}

impl Paper {
    /// An answer as text.
    pub(crate) fn print(&self, answer: &impl Text) -> String {
        let mut page = Page::new(self.width, (self.clock)(), self.zone.clone());
        answer.text(&mut page);
        page.finish(self.color)
    }
}

impl Output {
    /// Writes an answer.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn show<T: Serialize + Text>(&mut self, answer: &T) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.write(answer),
            Format::Json => self.json(answer, serde_json::to_string_pretty),
        }
    }

    /// Writes one of many answers on a line of its own.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn line<T: Serialize + Text>(&mut self, answer: &T) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.write(answer),
            Format::Json => self.json(answer, serde_json::to_string),
        }
    }

    /// Writes an object on a line of its own, whatever the format.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn object<T: Serialize>(&mut self, object: &T) -> Result<(), Failure> {
        self.json(object, serde_json::to_string)
    }

    /// Writes text, whatever the format.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn write(&mut self, text: &impl Text) -> Result<(), Failure> {
        self.put(&self.paper.print(text))
    }

    fn json<T: Serialize>(
        &mut self,
        answer: &T,
        encode: impl FnOnce(&T) -> serde_json::Result<String>,
    ) -> Result<(), Failure> {
        let mut text = encode(answer).map_err(|error| Failure::Output(error.into()))?;
        text.push('\n');
        self.put(&text)
    }

    /// Writes what is text already.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).map_err(Failure::Output)
    }
}
