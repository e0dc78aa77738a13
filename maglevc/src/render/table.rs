//! Pure. Tables: aligned columns under a line of titles, fitted to the width of the page.
//!
//! Table libraries wrap what is too long, or cut its end. Names of machines differ at both ends, so here they lose their
//! middle: `backend-fra…prod-17`.

use unicode_width::UnicodeWidthChar;

use crate::render::{Page, Span, TITLE};

/// Blanks between two columns.
const GAP: usize = 2;

/// What a column does when the page is too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Keeps its width: states, ages, counts.
    Fixed(&'static str),
    /// Keeps its width, and is aligned to the right: numbers.
    Number(&'static str),
    /// Loses the middle: names.
    Name(&'static str),
    /// Loses the middle, and only when names have given what they can: an address is hard to guess.
    Address(&'static str),
    /// Loses the end: sentences.
    Sentence(&'static str),
    /// Goes on below itself: sentences that matter. Only the last column can.
    Prose(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Fixed(title)
            | Self::Number(title)
            | Self::Name(title)
            | Self::Address(title)
            | Self::Sentence(title)
            | Self::Prose(title) => title,
        }
    }
}

/// A table in the making.
pub(crate) struct Table {
    indent: usize,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

enum Row {
    Cells(Vec<Span>),
    Line(Span),
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { indent: 0, columns: columns.into(), rows: Vec::new() }
    }

    /// Starts each line some columns further in.
    pub(crate) fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// A row, one cell a column.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<Span>>) {
        self.rows.push(Row::Cells(cells.into()));
    }

    /// A line that no column holds.
    pub(crate) fn full_line(&mut self, line: Span) {
        self.rows.push(Row::Line(line));
    }

    /// Puts the table on a page. A column without any content is left out.
    pub(crate) fn put(&self, page: &mut Page) {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|index| self.content(*index) > 0).collect();
        let mut widths: Vec<usize> =
            shown.iter().map(|index| self.content(*index).max(self.columns[*index].title().len())).collect();
        let columns: Vec<Column> = shown.iter().map(|index| self.columns[*index]).collect();
        fit(&columns, &mut widths, page.width.saturating_sub(self.indent));

        let titles: Vec<Span> = columns.iter().map(|column| Span::new(TITLE, column.title())).collect();
        if columns.iter().any(|column| !column.title().is_empty()) {
            self.put_row(page, &columns, &widths, titles.iter());
        }
        for row in &self.rows {
            match row {
                Row::Cells(cells) => {
                    self.put_row(page, &columns, &widths, shown.iter().filter_map(|index| cells.get(*index)));
                }
                Row::Line(line) => {
                    page.space(self.indent);
                    let indent = line.text.len() - line.text.trim_start().len();
                    page.space(indent);
                    page.wrap(self.indent + indent, std::slice::from_ref(line));
                    page.end_line();
                }
            }
        }
    }

    /// The width of the widest cell of a column.
    fn content(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => cells.get(column),
            Row::Line(_) => None,
        });
        cells.map(Span::width).max().unwrap_or(0)
    }

    fn put_row<'a>(
        &self,
        page: &mut Page,
        columns: &[Column],
        widths: &[usize],
        cells: impl Iterator<Item = &'a Span>,
    ) {
        page.space(self.indent);
        let mut start = self.indent;
        for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
            let text = match column {
                Column::Prose(_) => {
                    page.wrap(start, std::slice::from_ref(cell));
                    continue;
                }
                Column::Sentence(_) => cut(&cell.text, *width),
                Column::Fixed(_) | Column::Number(_) | Column::Name(_) | Column::Address(_) => {
                    shorten(&cell.text, *width)
                }
            };
            let cell = Span { text, style: cell.style };
            let blanks = width.saturating_sub(cell.width());
            if matches!(column, Column::Number(_)) {
                page.space(blanks);
                page.put(&cell);
            } else {
                page.put(&cell);
                page.space(blanks);
            }
            page.space(GAP);
            start += width + GAP;
        }
        page.end_line();
    }
}

/// Whether a column gives.
type Gives = fn(Column) -> bool;

/// Takes from columns until they fit, a column at a time and the widest of a kind first.
fn fit(columns: &[Column], widths: &mut [usize], page: usize) {
    fn prose(column: Column) -> bool {
        matches!(column, Column::Sentence(_) | Column::Prose(_))
    }
    fn name(column: Column) -> bool {
        matches!(column, Column::Name(_))
    }
    fn address(column: Column) -> bool {
        matches!(column, Column::Address(_))
    }
    /// Who gives, and what it keeps. 22 columns hold `203.0.113.100 tcp/8080`, 15 any IPv4 address.
    const STEPS: [(Gives, usize); 7] =
        [(prose, 24), (name, 16), (address, 22), (prose, 16), (name, 8), (address, 15), (prose, 8)];
    let gaps = GAP * widths.len().saturating_sub(1);
    for (gives, least) in STEPS {
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(page);
        while excess > 0 {
            let widest = (0..widths.len())
                .filter(|index| gives(columns[*index]))
                .filter(|index| widths[*index] > least.max(columns[*index].title().len()))
                .max_by_key(|index| widths[*index]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
            excess -= 1;
        }
    }
}

/// Takes out the middle of a text that is too wide.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    let total: usize = text.chars().filter_map(UnicodeWidthChar::width).sum();
    if total <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let tail = kept / 2;
    let head = take(text.chars(), kept - tail);
    let tail: String = take(text.chars().rev(), tail).chars().rev().collect();
    format!("{head}…{tail}")
}

/// Cuts the end of a text that is too wide.
fn cut(text: &str, width: usize) -> String {
    let total: usize = text.chars().filter_map(UnicodeWidthChar::width).sum();
    if total <= width {
        return text.to_owned();
    }
    let kept = take(text.chars(), width.saturating_sub(1));
    format!("{}…", kept.trim_end())
}

/// As many of these as fit.
fn take(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut left = width;
    chars
        .take_while(|c| {
            let needed = c.width().unwrap_or(0);
            let fits = needed <= left;
            left = left.saturating_sub(needed);
            fits
        })
        .collect()
}
