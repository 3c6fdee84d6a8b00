//! The forecast of notices.

use std::collections::BTreeMap;

use certvakt_base::clock::Clock;
use certvakt_rules::Stage;
use certvakt_rules::calendar::latest_scheduled;
use certvakt_rules::stage::shift;
use certvakt_store::organisation::Organisation;
use certvakt_store::run::{self, ByStage, Part, Request};
use certvakt_store::{StoreError, WorkerTx, report};
use chrono::NaiveDate;

/// The numbers of notices of an organisation's coming nights, each with the night's date. The first night
/// includes what has come due since the last complete run, as the run itself will.
pub async fn forecast(
    tx: &mut WorkerTx,
    clock: &Clock,
    organisation: &Organisation,
    days: u32,
) -> Result<BTreeMap<NaiveDate, ByStage>, StoreError> {
    let calendar = run::calendar(tx, organisation.id).await?;
    let scheduled = latest_scheduled(clock.now(), organisation.run_at, organisation.zone);
    let first = match calendar.last_complete {
        Some(last) if last >= scheduled => shift(last, 1),
        _ => scheduled,
    };
    let last = shift(first, i64::from(days) - 1);
    let tonight = run::record(
        tx,
        Request {
            organisation,
            run_date: first,
            calendar: calendar.start(organisation, first),
            contact_kinds: None,
            record: false,
            approved: false,
        },
        0,
        Part::Whole,
    )
    .await?;
    let mut nights: BTreeMap<NaiveDate, ByStage> = (0..i64::from(days))
        .map(|night| (shift(first, night), ByStage::none_of(&organisation.selection)))
        .collect();
    nights.insert(first, tonight.due);
    for due in report::coming_due(tx, organisation, shift(first, 1), last).await? {
        if let (Some(stage), Some(night)) = (Stage::from_name(&due.stage), nights.get_mut(&due.night)) {
            night.add(stage, due.notices);
        }
    }
    Ok(nights)
}
