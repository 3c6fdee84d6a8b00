//! The caller's organisations.

use certvakt_rules::Stages;
use uuid::Uuid;

use crate::organisation::stages;
use crate::rows_read::OfOrganisation;
use crate::{CallerTx, StoreError, Zone};

/// An organisation, with the settings for its dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its time zone.
    pub zone: Zone,
    /// The number of days for which the stage `expired` stays current.
    pub expired_grace_days: i16,
    /// The selected lead times in days.
    pub lead_times: Vec<i32>,
}

impl Organisation {
    /// The stages of its certifications.
    pub fn stages(&self) -> Stages {
        stages(&self.lead_times, self.expired_grace_days)
    }
}

impl OfOrganisation for Organisation {
    fn organisation_id(&self) -> Uuid {
        self.id
    }
}

/// The caller's organisations.
pub async fn organisations(tx: &mut CallerTx) -> Result<Vec<Organisation>, StoreError> {
    let found = sqlx::query_as!(
        Organisation,
        r#"select id, name, time_zone as "zone: Zone", expired_grace_days, lead_times
           from certvakt.organisations order by name, id"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
