//! The `certvakt` binary, which calls the library.

use std::process::ExitCode;

/// A faster allocator, because the worker allocates much for each message.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    certvakt::cli::main()
}
