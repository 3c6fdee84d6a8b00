//! Who imports a register, and within which limits.

use uuid::Uuid;

/// Who imports a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An operator, with a command
    Operator,
    /// The person who uploaded it
    Upload(Uploader),
}

/// The person who uploaded a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploader {
    /// The person; `None` if they were erased since. Nothing changes their own certifications.
    pub person_id: Option<Uuid>,
    /// The chapters that a coordinator manages, to which the import is limited; `None` for the whole organisation.
    pub chapters: Option<Vec<Uuid>>,
}

impl Source {
    /// The person who uploaded it.
    pub(super) const fn actor(&self) -> Option<Uuid> {
        match self {
            Self::Operator => None,
            Self::Upload(uploader) => uploader.person_id,
        }
    }

    /// The chapters to which the import is limited.
    pub fn chapters(&self) -> Option<&[Uuid]> {
        match self {
            Self::Operator => None,
            Self::Upload(uploader) => uploader.chapters.as_deref(),
        }
    }

    /// The coordinator to whom a saved mapping belongs; `None` if it belongs to the organisation.
    pub fn owner(&self) -> Option<Uuid> {
        self.actor().filter(|_| self.chapters().is_some())
    }
}
