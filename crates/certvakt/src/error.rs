//! The error of a command: one sentence that says what to do, a stable code, and an exit status.

use std::process::ExitCode;

/// The exit status of the process. The numbers are external names (`docs/errors.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Success.
    Success = 0,
    /// A check found a problem, or the machine lacks a requirement.
    Found = 1,
    /// The command line, the configuration or the environment is invalid.
    Usage = 2,
    /// A run is held and waits for approval.
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

/// Any error that ends a command. Each layer has its own error type.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration or the environment.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// `CERTVAKT_NOW`.
    #[error(transparent)]
    Now(#[from] crate::clock::BadNow),
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The embedded cluster.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::ClusterError),
    /// An import.
    #[error(transparent)]
    Import(#[from] crate::import::ImportError),
    /// A run.
    #[error(transparent)]
    Run(#[from] crate::expiry::RunError),
    /// A change of a certification.
    #[error(transparent)]
    Renewal(#[from] crate::renewal::RenewalError),
    /// A check of histories.
    #[error(transparent)]
    Histories(#[from] crate::renewal::histories::CheckError),
    /// A person's data.
    #[error(transparent)]
    People(#[from] crate::people::PeopleError),
    /// A partner.
    #[error(transparent)]
    Partner(#[from] crate::partner::PartnerError),
    /// A file that cannot be read.
    #[error("{0}")]
    File(String),
    /// Delivery.
    #[error(transparent)]
    Delivery(#[from] crate::delivery::DeliveryError),
    /// The leak canary.
    #[error(transparent)]
    Canary(#[from] crate::audit::canary::CanaryError),
    /// The HTTP server.
    #[error(transparent)]
    Http(#[from] crate::http::HttpError),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] crate::demo::DemoError),
    /// Standard output is closed or full.
    #[error("cannot write the output ({0}): check where it is redirected to")]
    Output(#[source] std::io::Error),
}

impl Error {
    /// The stable code, as listed in `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Now(_) => "bad-now",
            Self::Store(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::Import(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Renewal(error) => error.code(),
            Self::Histories(error) => error.code(),
            Self::People(error) => error.code(),
            Self::Partner(error) => error.code(),
            Self::File(_) => "file-unreadable",
            Self::Delivery(error) => error.code(),
            Self::Canary(error) => error.code(),
            Self::Http(error) => error.code(),
            Self::Demo(error) => error.code(),
            Self::Output(_) => "output",
        }
    }

    /// The exit status.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Now(_) => Exit::Usage,
            Self::Store(error) => error.exit(),
            Self::Cluster(_) | Self::Demo(crate::demo::DemoError::Cluster(_)) => Exit::Cluster,
            Self::Import(error) => error.exit(),
            Self::Run(error) => error.exit(),
            Self::Renewal(error) => error.exit(),
            Self::Histories(error) => error.exit(),
            Self::People(error) => error.exit(),
            Self::Partner(error) => error.exit(),
            Self::File(_) => Exit::Input,
            Self::Delivery(error) => error.exit(),
            Self::Canary(error) => error.exit(),
            Self::Http(_) | Self::Demo(_) => Exit::Found,
            Self::Output(_) => Exit::Internal,
        }
    }
}
