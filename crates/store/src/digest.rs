//! The digests of coordinators: who gets one, and what is in it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::{StoreError, WorkerTx};

/// Today in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The organisation.
    pub organisation_id: Uuid,
    /// Today, in its time zone.
    pub today: NaiveDate,
}

fn columns(days: &[Day]) -> (Vec<Uuid>, Vec<NaiveDate>) {
    days.iter().map(|day| (day.organisation_id, day.today)).unzip()
}

/// Records and queues the digests of organisations that are due today, once for each day. Returns their number.
pub async fn queue(tx: &mut WorkerTx, days: &[Day]) -> Result<u64, StoreError> {
    let (organisations, todays) = columns(days);
    let queued = sqlx::query_file!("src/digest/queue.sql", &organisations, &todays);
    Ok(queued.execute(tx).await?.rows_affected())
}

/// A partner to which sending has stopped, or with reports for the person to settle.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Partner {
    /// The partner's short name.
    pub name: String,
    /// Whether sending to the partner stopped.
    pub is_stopped: bool,
    /// The number of its reports for the person to settle: [`MOST_REPORTS`](crate::caller::alarms::MOST_REPORTS) plus one
    /// stands for more.
    pub reports_waiting: i64,
}

/// A line of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The person who gets the digest.
    pub person_id: Uuid,
    /// The token that turns the person's digests off.
    pub unsubscribe: Uuid,
    /// The date of the held run, if one waits.
    pub held_on: Option<NaiveDate>,
    /// The partners that need the person, by name.
    pub partners: Json<Vec<Partner>>,
    /// The chapter; `None` if no mentor needs anybody.
    pub chapter_id: Option<Uuid>,
    /// The chapter's name.
    pub chapter: Option<String>,
    /// The chapter's mentors who are expired, unreachable, expire within a week, and within a month.
    pub counts: Option<Vec<i64>>,
    /// Whether the mentor is listed; otherwise the line holds only the numbers of the chapter.
    pub is_listed: Option<bool>,
    /// The mentor's most urgent certification.
    pub certification_id: Option<Uuid>,
    /// 1 expired, 2 unreachable, 3 expires within a week, 4 within a month.
    pub reason: Option<i32>,
    /// The last valid day.
    pub last_valid_day: Option<NaiveDate>,
    /// The mentor and the certification, if the organisation allows names.
    pub mentor: Option<String>,
}

/// The content of the digests of some people, each given with the organisation, with at most `limit` mentors in each.
pub async fn contents(
    tx: &mut WorkerTx,
    digests: &[(Uuid, Uuid)],
    days: &[Day],
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let (of_organisations, people): (Vec<Uuid>, Vec<Uuid>) = digests.iter().copied().unzip();
    let (organisations, todays) = columns(days);
    let lines = sqlx::query_file_as!(
        Line,
        "src/digest/contents.sql",
        &of_organisations,
        &people,
        &organisations,
        &todays,
        limit
    );
    Ok(lines.fetch_all(tx).await?)
}

/// The digests of an organisation in the last week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestState {
    /// The organisation's slug.
    pub organisation: String,
    /// The last day on which digests were queued.
    pub last_on: Option<NaiveDate>,
    /// The digests that the mail server accepted.
    pub mailed: i64,
    /// The digests that wait to be sent.
    pub waiting: i64,
    /// The digests that were not sent: nothing needed their recipients any more, or the address was refused.
    pub not_sent: i64,
}

/// The digests of each organisation in the last week.
pub async fn states(tx: &mut WorkerTx) -> Result<Vec<DigestState>, StoreError> {
    Ok(sqlx::query_file_as!(DigestState, "src/digest/states.sql").fetch_all(tx).await?)
}

/// The digests of a day to those who get them about a chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestsOfDay {
    /// The day.
    pub on_date: NaiveDate,
    /// `daily`, `weekly` or `urgent`.
    pub kind: String,
    /// The number of recipients.
    pub recipients: i64,
    /// The number of those that the mail server accepted.
    pub mailed: i64,
}

/// The last digests to those who get them about a certification's chapter, latest first.
pub async fn of_certification(
    tx: &mut WorkerTx,
    certification: Uuid,
) -> Result<Vec<DigestsOfDay>, StoreError> {
    let found = sqlx::query_file_as!(DigestsOfDay, "src/digest/of_certification.sql", certification);
    Ok(found.fetch_all(tx).await?)
}
