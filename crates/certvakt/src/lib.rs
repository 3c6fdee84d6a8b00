//! The binary `certvakt`: the command line and its output, the embedded cluster and the demo.
//!
//! Each subcommand is a file in `cli/`: it reads its arguments, calls a lower crate, and prints the result. Code that
//! another caller could need belongs in those crates. `ARCHITECTURE.md` follows one certification through them.

pub mod cli;
pub mod cluster;
pub mod demo;
pub mod error;
pub mod output;
