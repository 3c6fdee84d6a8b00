//! How a process ends.

use std::process::ExitCode;

/// The exit status of the process. The numbers are external names (`docs/errors.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Success.
    Success = 0,
    /// A check found a problem, or the machine lacks a requirement.
    ProblemFound = 1,
    /// The command line, the configuration or the environment is invalid.
    Usage = 2,
    /// A run or an import is held and needs approval.
    Held = 3,
    /// The database cannot be reached, refused access, or closed the connection.
    Database = 4,
    /// The input cannot be read.
    Input = 5,
    /// The embedded cluster cannot be started.
    Cluster = 6,
    /// A channel has stopped; its queue is kept.
    ChannelStopped = 7,
    /// An internal error.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
