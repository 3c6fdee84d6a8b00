//! import

use crate::error::Exit;

/// To be written
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl ImportError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
        }
    }

    /// How the process ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
        }
    }
}
