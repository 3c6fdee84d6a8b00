//! What an import would change, for the person who decides about it.

use certvakt_store::import::{self as staging, ChangedRow, CloseMatch, Target};
use certvakt_store::{RegistrarTx, StoreError};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The maximum number of rows that are listed for each consequence, and of close matches.
const LISTED: i64 = 100;

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The first rows with each consequence, and the number of all of them.
    pub rows: Vec<ChangedRow>,
    /// New people with the name of a known person.
    pub close_matches: Vec<CloseMatch>,
}

impl Changes {
    /// What the matched rows would change.
    pub(super) async fn of(tx: &mut RegistrarTx, target: &Target, zone: Tz) -> Result<Self, StoreError> {
        let rows = staging::changed_rows(tx, target, zone, LISTED).await?;
        let close_matches = staging::close_matches(tx, target, LISTED).await?;
        Ok(Self { rows, close_matches })
    }
}
