//! The binary `certvakt`: the command line, what it prints, the embedded cluster and the demo.
//!
//! A subcommand is a file in `cli/`: it reads its arguments, calls a crate below, and prints. Work that another caller
//! could need belongs in those crates. `ARCHITECTURE.md` follows one certification through them.

pub mod cli;
pub mod cluster;
pub mod demo;
pub mod error;
pub mod output;
