//! How partners stand of the organisations that the person who is asking administers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::of_organisation;
use crate::store::partner::{REMOVAL_SECONDS, SECRET_DAYS};
use crate::store::{StoreError, TenantTx};

/// A partner, which publishes whom one can contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Partner {
    /// The organisation.
    pub organisation_id: Uuid,
    /// Its name.
    pub organisation: String,
    /// The partner's short name.
    pub partner: String,
    /// `staging` or `live`; none: it is told nothing.
    pub stage: Option<String>,
    /// Mentors who are to be listed.
    pub listed: i64,
    /// Who are to be put on.
    pub to_list: i64,
    /// Who are to be taken off.
    pub to_delist: i64,
    /// For how many seconds somebody has waited to be taken off.
    pub oldest_removal_seconds: i64,
    /// Since when it is told nothing any more.
    pub stopped_since: Option<DateTime<Utc>>,
    /// Why: `contract`, `sign-in` or `outage`.
    pub stopped_by: Option<String>,
    /// Removals that wait for somebody to look at them.
    pub held: i64,
    /// Since when its listing could not be read.
    pub unread_since: Option<DateTime<Utc>>,
    /// Mentors who are not to be listed, and are.
    pub still_shown: i64,
    /// Who are to be listed, and are not.
    pub not_shown: i64,
    /// Who were removed from the listing by hand.
    pub away: i64,
    /// Who are listed and known to nobody here.
    pub unknown_shown: i64,
    /// Reports of completed courses that wait for a person.
    pub reports_waiting: i64,
    /// Days until the credential expires; negative once expired; none: the configuration names no expiry.
    pub secret_days: Option<i32>,
}

of_organisation!(Partner);

/// Something about a partner that wants a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, as messages have it.
    pub name: &'static str,
    /// How many it is about; of a secret, for how many days it is good yet.
    pub number: i64,
}

impl Partner {
    /// What about it wants a person, the worst first.
    pub fn alarms(&self) -> Vec<Alarm> {
        if self.stage.is_none() {
            return Vec::new();
        }
        let days = self.secret_days.map(i64::from);
        let since = |at: Option<DateTime<Utc>>| i64::from(at.is_some());
        let late = if self.oldest_removal_seconds < REMOVAL_SECONDS { 0 } else { self.to_delist.max(1) };
        let alarms = [
            ("still-listed", self.still_shown),
            ("late", late),
            ("stopped", since(self.stopped_since)),
            ("held", self.held),
            ("unread", since(self.unread_since)),
            ("missing", self.not_shown),
            ("by-hand", self.away),
            ("unknown", self.unknown_shown),
            ("reports", self.reports_waiting),
        ];
        let alarms = alarms.into_iter().filter(|(_, number)| *number > 0);
        let ending = days.filter(|days| *days < SECRET_DAYS).map(|days| ("secret", days.max(0)));
        alarms.chain(ending).map(|(name, number)| Alarm { name, number }).collect()
    }
}

/// The partners of the organisations that who is asking administers.
pub async fn administered(tx: &mut TenantTx) -> Result<Vec<Partner>, StoreError> {
    let found = sqlx::query_as!(
        Partner,
        r#"select organisation_id as "organisation_id!", organisation as "organisation!", partner as "partner!", stage,
             listed as "listed!", to_list as "to_list!", to_delist as "to_delist!",
             oldest_removal_seconds as "oldest_removal_seconds!", stopped_since, stopped_by, held as "held!", unread_since,
             still_shown as "still_shown!", not_shown as "not_shown!", away as "away!", unknown_shown as "unknown_shown!",
             reports_waiting as "reports_waiting!", secret_days
           from certvakt.my_partners() order by organisation, partner"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
