//! Standard output: tables that fit the terminal, or JSON.

use std::io::{IsTerminal, Write};

use certvakt_rules::Stage;
use certvakt_rules::text::escaped_lines;
use certvakt_store::run::ByStage;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use console::Term;
use serde::Serialize;

use crate::error::Error;

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Tables and sentences.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Prints the value as JSON, or as the text that `text` makes from it.
pub fn print<T: Serialize>(format: Format, value: &T, text: impl FnOnce(&T) -> String) -> Result<(), Error> {
    match format {
        Format::Json => {
            line(&serde_json::to_string_pretty(value).map_err(|error| Error::Output(error.into()))?)
        }
        Format::Text => line(text(value).trim_end()),
    }
}

/// Prints a line. A closed pipe is not an error. Control characters are escaped.
pub fn line(text: &str) -> Result<(), Error> {
    match writeln!(std::io::stdout().lock(), "{}", escaped_lines(text)) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// Formats a table that fits the terminal; columns of numbers are right-aligned.
pub fn table<const N: usize, C: Into<Cell>>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [C; N]>,
) -> Table {
    table_of(&headings.map(str::to_owned), rows.into_iter().map(Vec::from))
}

/// Formats a table with any number of columns.
pub fn table_of<C: Into<Cell>>(headings: &[String], rows: impl IntoIterator<Item = Vec<C>>) -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table
        .load_style(TableStyle::new().header_separator(line))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings);
    if let Some((_, columns)) = Term::stdout().size_checked() {
        table.set_width(columns);
    }
    let mut is_number = vec![true; headings.len()];
    for row in rows {
        let row: Vec<Cell> = row.into_iter().map(Into::into).collect();
        for (is_number, cell) in is_number.iter_mut().zip(&row) {
            *is_number &=
                cell.content().chars().all(|char| char.is_ascii_digit() || "\u{202f}−–".contains(char));
        }
        table.add_row(row);
    }
    for (column, _) in is_number.into_iter().enumerate().filter(|(_, is_number)| *is_number) {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The heading of a stage's column.
pub fn stage_heading(stage: Stage) -> String {
    match stage {
        Stage::Warning(1) => "1 day".to_owned(),
        Stage::Warning(days) => format!("{days} days"),
        Stage::Expired => "Expired".to_owned(),
    }
}

/// The number of notices of each stage that has any.
pub fn by_stage(notices: &ByStage) -> Vec<String> {
    let notices = notices.iter().filter(|(_, number)| *number > 0);
    notices
        .map(|(stage, number)| match stage {
            Stage::Warning(days) => format!("{days} d {}", count(number)),
            Stage::Expired => format!("expired {}", count(number)),
        })
        .collect()
}

/// Formats a count with a thin space between thousands.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if number < 0 { format!("−{text}") } else { text }
}

/// A progress bar on standard error, if that is a terminal.
pub fn progress(length: u64, what: &'static str) -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(length).with_style(style).with_message(what)
}

/// A bar chart with one bar per row, scaled to the largest: label, bar, number and the parts of a note. It fits 80
/// columns: a long note continues on the next line.
pub fn bar_chart(what: &str, rows: impl IntoIterator<Item = (String, i64, Vec<String>)>) -> String {
    const COLUMNS: usize = 80;
    const WIDEST: i64 = 20;
    let rows: Vec<_> = rows.into_iter().collect();
    let most = rows.iter().map(|(_, number, _)| *number).max().unwrap_or(0).max(1);
    let mut text = format!("{what}, the longest bar is {}\n", count(most));
    for (label, number, note) in rows {
        // A number above zero always gets a bar.
        let length = if number == 0 { 0 } else { (number * WIDEST / most).max(1) };
        let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
        let mut line = format!("{label}  {bar} {}", count(number));
        for (place, part) in note.iter().enumerate() {
            let end = if place + 1 == note.len() { ")" } else { "," };
            let part = if place == 0 { format!(" ({part}{end}") } else { format!("{part}{end}") };
            if line.chars().count() + 1 + part.chars().count() > COLUMNS {
                text += &format!("{line}\n");
                line = " ".repeat(label.chars().count() + 1);
            }
            line += &format!(" {part}");
        }
        text += &format!("{line}\n");
    }
    text
}
