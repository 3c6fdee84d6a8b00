//! The `certvakt` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    certvakt::cli::main()
}
