//! `certvakt read-register`: the child process that reads a register, see `import/process.rs`.

use std::process::ExitCode;

use crate::error::Exit;
use crate::import::process::{self, Limits};

/// Read a register from standard input and write its rows in frames; certvakt starts this itself
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    limits: Limits,
}

/// Runs without the async runtime, whose threads would count against the limits.
pub(super) fn run(args: &Args) -> ExitCode {
    match process::serve(&args.limits) {
        Ok(()) => Exit::Success.into(),
        // The parent process has closed the pipe.
        Err(_) => Exit::Internal.into(),
    }
}
