//! Pure. Answers as text for people: a page of styled words fitted to a width.
//!
//! Meaning is always in a word; colour only repeats it. Whatever comes from elsewhere, which includes what backends answer
//! to probes, is cleaned of control characters before it reaches a terminal.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maglev_core::text::is_unprintable;
use unicode_width::UnicodeWidthStr;

use crate::view::Time;

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod backend;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod event;
pub(crate) mod explanation;
pub(crate) mod failure;
pub(crate) mod frontend;
pub(crate) mod help;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod server;
pub(crate) mod table;
pub(crate) mod token;
pub(crate) mod units;
pub(crate) mod vpp;
pub(crate) mod weight;

#[cfg(test)]
mod tests;

/// What can be shown to people.
pub(crate) trait Text {
    /// Puts this on a page.
    fn text(&self, page: &mut Page);
}

/// Nothing special.
pub(crate) const PLAIN: Style = Style::new();
/// Titles.
pub(crate) const TITLE: Style = Style::new().bold();
/// What matters least.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// As it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Not as it should be.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// As an operator wants it, or worth a look.
pub(crate) const NOTICE: Style = AnsiColor::Yellow.on_default();
/// Not known.
pub(crate) const OPEN: Style = AnsiColor::Cyan.on_default();

/// Some text in one style, free of control characters.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// The text.
    pub(crate) text: String,
    /// Its style.
    pub(crate) style: Style,
}

impl Span {
    /// Text in a style.
    pub(crate) fn new(style: Style, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.contains(is_unprintable) {
            text = text.replace(is_unprintable, "\u{fffd}");
        }
        Self { text, style }
    }

    /// Text without a style.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(PLAIN, text)
    }

    /// Nothing.
    pub(crate) fn empty() -> Self {
        Self::plain("")
    }

    /// Columns of a terminal that it takes.
    pub(crate) fn width(&self) -> usize {
        self.text.width()
    }
}

/// Text in the making.
pub(crate) struct Page {
    /// Columns of the terminal.
    pub(crate) width: usize,
    now: Timestamp,
    zone: TimeZone,
    text: String,
}

impl Page {
    /// An empty page, with the time ages are counted to and the zone times of day are shown in.
    pub(crate) fn new(width: usize, now: Timestamp, zone: TimeZone) -> Self {
        Self { width, now, zone, text: String::new() }
    }

    /// The text, with or without its colours.
    pub(crate) fn finish(self, color: bool) -> String {
        if color { self.text } else { anstream::adapter::strip_str(&self.text).to_string() }
    }

    /// How long ago something was, such as `3m12s`; empty for no time.
    pub(crate) fn age(&self, at: Option<Time>) -> String {
        at.map_or_else(String::new, |Time(at)| units::age(self.now.duration_since(at).as_secs()))
    }

    /// How long until something, such as `12s`.
    pub(crate) fn until(&self, Time(at): Time) -> String {
        units::age(at.duration_since(self.now).as_secs())
    }

    /// Date and time of day, where the operator is.
    pub(crate) fn clock(&self, Time(at): Time) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Day and time of day to the millisecond, where the operator is.
    pub(crate) fn moment(&self, Time(at): Time) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%m-%d %H:%M:%S%.3f").to_string()
    }

    /// Goes on with the line.
    pub(crate) fn put(&mut self, span: &Span) {
        let Span { text, style } = span;
        if style.is_plain() || text.is_empty() {
            self.text.push_str(text);
        } else {
            self.text.push_str(&format!("{style}{text}{style:#}"));
        }
    }

    /// Moves on by some columns.
    pub(crate) fn space(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    /// Ends the line, without blanks at its end.
    pub(crate) fn end_line(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
    }

    /// A line of its own.
    pub(crate) fn line(&mut self, spans: &[Span]) {
        for span in spans {
            self.put(span);
        }
        self.end_line();
    }

    /// A line for one field of an object, its label first; what does not fit goes on below itself.
    pub(crate) fn field(&mut self, label: &str, spans: &[Span]) {
        /// Room for the longest label.
        const LABELS: usize = 14;
        self.space(2);
        self.put(&Span::new(FAINT, label));
        self.space(LABELS.saturating_sub(label.width()).max(1));
        self.wrap(2 + LABELS, spans);
        self.end_line();
    }

    /// Words from a column on, broken between words where the line is full. Runs of blanks become one.
    pub(crate) fn wrap(&mut self, indent: usize, spans: &[Span]) {
        let mut column = indent;
        let mut blank = false;
        for Span { text, style } in spans {
            // What of this span is on the present line: styled in one piece.
            let mut run = Span { text: String::new(), style: *style };
            for (index, word) in text.split(' ').enumerate() {
                blank |= index > 0;
                if word.is_empty() {
                    continue;
                }
                let gap = usize::from(blank && column > indent);
                if column > indent && column + gap + word.width() > self.width {
                    self.put(&run);
                    run.text.clear();
                    self.end_line();
                    self.space(indent);
                    column = indent;
                } else if gap > 0 {
                    run.text.push(' ');
                    column += 1;
                }
                run.text.push_str(word);
                column += word.width();
                blank = false;
            }
            self.put(&run);
        }
    }
}

/// A word with an `s` unless there is one of it: `1 error`, `3 errors`.
pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
