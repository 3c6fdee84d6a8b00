//! `certvakt read-register`: the child process that reads a register, see `import/process.rs`.

use std::process::ExitCode;

use certvakt_base::Exit;
use certvakt_engine::import::location::{self, Encoding, Location};
use certvakt_engine::import::process::{self, Limits};

/// Read a register from standard input and write its rows in frames; certvakt starts this itself
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The maximum size of an XLSX file in bytes
    #[arg(long)]
    xlsx_bytes: u64,
    /// The maximum length of a row in bytes
    #[arg(long)]
    row_bytes: u64,
    /// The maximum memory in bytes
    #[arg(long)]
    memory_bytes: u64,
    /// The maximum processor time in seconds
    #[arg(long)]
    cpu_seconds: u64,
    /// A column that the header has
    #[arg(long = "column")]
    columns: Vec<String>,
    /// The sheet of a workbook: its name or number
    #[arg(long)]
    sheet: Option<String>,
    /// The line of the header
    #[arg(long)]
    header_row: Option<u64>,
    /// The separator, as the number of its byte
    #[arg(long)]
    separator: Option<u8>,
    /// The encoding
    #[arg(long, value_parser = location::encoding)]
    encoding: Option<&'static Encoding>,
}

/// Runs without the async runtime, whose threads would count against the limits.
pub(super) fn run(args: &Args) -> ExitCode {
    let &Args { xlsx_bytes, row_bytes, memory_bytes, cpu_seconds, header_row, separator, encoding, .. } =
        args;
    let location = Location {
        columns: args.columns.clone(),
        sheet: args.sheet.clone(),
        header_row,
        separator,
        encoding,
    };
    match process::serve(&Limits { xlsx_bytes, row_bytes, memory_bytes, cpu_seconds }, &location) {
        Ok(()) => Exit::Success.into(),
        // The parent process has closed the pipe.
        Err(_) => Exit::Internal.into(),
    }
}
