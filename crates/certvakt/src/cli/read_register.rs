//! `certvakt read-register`: the child that reads a register, see `import/process.rs`.

use std::process::ExitCode;

use crate::error::Exit;
use crate::import::process::{self, Limits};

/// Read a register on standard input and write its rows in frames; certvakt calls this itself
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    limits: Limits,
}

/// Needs no runtime, and must not have one: its threads would count against the limits.
pub(super) fn run(args: &Args) -> ExitCode {
    match process::serve(&args.limits) {
        Ok(()) => Exit::Success.into(),
        // The parent does not listen any more.
        Err(_) => Exit::Internal.into(),
    }
}
