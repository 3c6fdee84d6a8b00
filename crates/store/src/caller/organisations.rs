//! The caller's organisations.

use std::collections::BTreeMap;

use certvakt_rules::Selection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::organisation::selection;
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
    /// The codes of its types of certification.
    pub types: Vec<String>,
    /// The stages of its certifications.
    pub selection: Selection,
}

impl OfOrganisation for Organisation {
    fn organisation_id(&self) -> Uuid {
        self.id
    }
}

/// The caller's organisations.
pub async fn organisations(tx: &mut CallerTx) -> Result<Vec<Organisation>, StoreError> {
    let found = sqlx::query!(
        r#"select o.id, o.name, o.time_zone as "zone: Zone", o.expired_grace_days, o.lead_times,
             (select jsonb_object_agg(t.code, t.lead_times) from certvakt.certification_types t
              where t.organisation_id = o.id) as "types: Json<BTreeMap<String, Option<Vec<u16>>>>"
           from certvakt.organisations o order by certvakt.alphabetical(o.name), o.id"#
    )
    .fetch_all(&mut *tx)
    .await?;
    let found: Vec<Organisation> = found
        .into_iter()
        .map(|row| {
            let types = row.types.map(|types| types.0).unwrap_or_default();
            Organisation {
                id: row.id,
                name: row.name,
                zone: row.zone,
                types: types.keys().cloned().collect(),
                selection: selection(
                    &row.lead_times,
                    Some(Json(types.into_iter().filter_map(|(code, own)| Some((code, own?))).collect())),
                    row.expired_grace_days,
                ),
            }
        })
        .collect();
    tx.saw(&found);
    Ok(found)
}
