//! The `certvakt` binary: everything is in the library.

use std::process::ExitCode;

/// Much of what the worker does for a message is to allocate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    certvakt::cli::main()
}
