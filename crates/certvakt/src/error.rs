//! The error that ends a command: one sentence that says what to do, a stable code, an exit status.

use certvakt_base::Exit;

use crate::demo::DemoError;

/// Any error that ends a command. Each layer has its own error type.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration or the environment.
    #[error(transparent)]
    Config(#[from] certvakt_engine::config::ConfigError),
    /// `CERTVAKT_NOW`.
    #[error(transparent)]
    Now(#[from] certvakt_base::clock::BadNow),
    /// The database.
    #[error(transparent)]
    Store(#[from] certvakt_store::StoreError),
    /// The embedded cluster.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::ClusterError),
    /// An import.
    #[error(transparent)]
    Import(#[from] certvakt_engine::import::ImportError),
    /// The undo of an import.
    #[error(transparent)]
    Undo(#[from] certvakt_engine::import::undo::UndoError),
    /// A run.
    #[error(transparent)]
    Run(#[from] certvakt_engine::expiry::RunError),
    /// A change of a certification.
    #[error(transparent)]
    Renewal(#[from] certvakt_engine::renewal::RenewalError),
    /// A check of histories.
    #[error(transparent)]
    Histories(#[from] certvakt_engine::renewal::histories::CheckError),
    /// A person's data.
    #[error(transparent)]
    People(#[from] certvakt_engine::people::PeopleError),
    /// A partner.
    #[error(transparent)]
    Partner(#[from] certvakt_partner::PartnerError),
    /// A file that cannot be read.
    #[error("{0}")]
    File(String),
    /// A file of rows with other columns than those expected.
    #[error(transparent)]
    Sheet(#[from] certvakt_engine::import::sheet::SheetError),
    /// Delivery.
    #[error(transparent)]
    Delivery(#[from] certvakt_engine::delivery::DeliveryError),
    /// The leak canary.
    #[error(transparent)]
    Canary(#[from] certvakt_engine::audit::canary::CanaryError),
    /// The HTTP server.
    #[error(transparent)]
    Http(#[from] certvakt_server::HttpError),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// Standard output is closed or full.
    #[error("cannot write the output ({0}): check where it is redirected to")]
    Output(#[source] std::io::Error),
}

impl Error {
    /// The stable code, as listed in `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Now(_) => "now-invalid",
            Self::Store(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::Import(error) => error.code(),
            Self::Undo(error) => error.code(),
            Self::Run(error) => error.code(),
            Self::Renewal(error) => error.code(),
            Self::Histories(error) => error.code(),
            Self::People(error) => error.code(),
            Self::Partner(error) => error.code(),
            Self::File(_) => "file-unreadable",
            Self::Sheet(error) => error.code(),
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
            Self::Config(_) | Self::Now(_) | Self::Demo(DemoError::NotLoopback) => Exit::Usage,
            Self::Store(error) | Self::Demo(DemoError::Store(error)) => error.exit(),
            Self::Cluster(_) | Self::Demo(DemoError::Cluster(_)) => Exit::Cluster,
            Self::Import(error) => error.exit(),
            Self::Undo(error) => error.exit(),
            Self::Run(error) => error.exit(),
            Self::Renewal(error) => error.exit(),
            Self::Histories(error) => error.exit(),
            Self::People(error) => error.exit(),
            Self::Partner(error) => error.exit(),
            Self::File(_) => Exit::Input,
            Self::Sheet(error) => error.exit(),
            Self::Delivery(error) => error.exit(),
            Self::Canary(error) => error.exit(),
            Self::Http(_) | Self::Demo(_) => Exit::ProblemFound,
            Self::Output(_) => Exit::Internal,
        }
    }
}
