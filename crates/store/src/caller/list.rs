//! The list of certifications that the caller may see: its filters, its pages in two orders, and its length.

use std::collections::HashMap;
use std::ops::Bound;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

use super::certifications::Certification;
use super::search::containing;
use crate::{CallerTx, CertificationStatus, StoreError, Zone};

/// A range of expiry times of a type. A certification that does not expire is in a range without an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeOfType {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The type's code.
    pub type_code: String,
    /// The start of the range; `None` for any earlier time.
    pub since: Option<DateTime<Utc>>,
    /// The end of the range, exclusive; `None` for any later time.
    pub before: Option<DateTime<Utc>>,
}

/// The states of certifications to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InState {
    /// Those that are not suspended and expire in a range of their type.
    Expires(Vec<RangeOfType>),
    /// Those that are suspended.
    Suspended,
    /// Those that are withdrawn.
    Withdrawn,
    /// Those with a notice that waits for an address that works.
    Unreachable,
    /// Those whose mentors opted out of every kind of contact point that they have.
    Declined,
}

/// A filter of certifications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only certifications of this chapter.
    pub chapter_id: Option<Uuid>,
    /// Only certifications of the type with this code.
    pub type_code: Option<String>,
    /// Only certifications whose mentor's name or register id contains this text.
    pub text: Option<String>,
    /// Only certifications in this state.
    pub state: Option<InState>,
    /// The day of the state; `None` for today. A suspension whose last day is before it has ended.
    pub on: Option<NaiveDate>,
}

/// A cursor in a list of certifications: the expiry and the id of the last one on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// The expiry; `None` for a certification that does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The id.
    pub id: Uuid,
}

/// The filter's ranges and states, as the statements take them.
struct Asked<'a> {
    /// The first and the last expiry of all ranges.
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    text: Option<String>,
    types: Option<Vec<String>>,
    ranges: Option<Vec<PgRange<DateTime<Utc>>>>,
    named: Option<&'a str>,
}

impl Asked<'_> {
    /// What to ask; `None` if nothing can match.
    fn of(filter: &Filter) -> Option<Self> {
        let (ranges, named) = match &filter.state {
            None => (None, None),
            Some(InState::Expires(ranges)) => (Some(ranges.as_slice()), None),
            Some(InState::Suspended) => (None, Some("suspended")),
            Some(InState::Withdrawn) => (None, Some("withdrawn")),
            Some(InState::Unreachable) => (None, Some("unreachable")),
            Some(InState::Declined) => (None, Some("declined")),
        };
        if ranges.is_some_and(<[_]>::is_empty) {
            return None;
        }
        let ends = ranges.and_then(|all| all.iter().map(|one| one.before).collect::<Option<Vec<_>>>());
        let name = |one: &RangeOfType| format!("{}/{}", one.organisation_id, one.type_code);
        let range = |one: &RangeOfType| PgRange {
            start: one.since.map_or(Bound::Unbounded, Bound::Included),
            end: one.before.map_or(Bound::Unbounded, Bound::Excluded),
        };
        Some(Self {
            first: ranges.and_then(|all| all.iter().map(|one| one.since).min()).flatten(),
            last: ends.and_then(|ends| ends.into_iter().max()),
            text: filter.text.as_deref().map(containing),
            types: ranges.map(|all| all.iter().map(name).collect()),
            ranges: ranges.map(|all| all.iter().map(range).collect()),
            named,
        })
    }
}

/// A time as the statements take it.
fn at(time: Option<DateTime<Utc>>, unlimited: &str) -> String {
    time.map_or(unlimited.to_owned(), |at| at.to_rfc3339())
}

/// The certifications that the caller may see, the next to expire first.
pub async fn certifications(
    tx: &mut CallerTx,
    filter: &Filter,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<Certification>, StoreError> {
    let Some(asked) = Asked::of(filter) else { return Ok(Vec::new()) };
    // The index is read from the first to the last time of all ranges.
    let (expiry, id) = match after {
        Some(After { expires_at, id })
            if expires_at.is_none_or(|at| asked.first.is_none_or(|first| at >= first)) =>
        {
            (at(expires_at, "infinity"), id)
        }
        _ => (at(asked.first, "-infinity"), Uuid::nil()),
    };
    let found = sqlx::query_file_as!(
        Certification,
        "src/caller/page.sql",
        i64::from(limit),
        expiry,
        id,
        filter.chapter_id,
        filter.type_code,
        asked.text,
        asked.types.as_deref(),
        asked.ranges.as_deref(),
        at(asked.last, "infinity"),
        asked.named,
        filter.on,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The ids of the certifications that match a filter, in no order, at most `limit`.
pub async fn matching(tx: &mut CallerTx, filter: &Filter, limit: u32) -> Result<Vec<Uuid>, StoreError> {
    let Some(asked) = Asked::of(filter) else { return Ok(Vec::new()) };
    let found = sqlx::query_file_scalar!(
        "src/caller/matching.sql",
        i64::from(limit),
        at(asked.first, "-infinity"),
        at(asked.last, "infinity"),
        filter.chapter_id,
        filter.type_code,
        asked.text,
        asked.types.as_deref(),
        asked.ranges.as_deref(),
        asked.named,
        filter.on,
    );
    Ok(found.fetch_one(tx).await?)
}

/// A page of those of some certifications that the caller may see, by the names of their mentors in the order of the
/// Norwegian alphabet. `after` is the last certification of the previous page.
pub async fn certifications_by_name(
    tx: &mut CallerTx,
    among: &[Uuid],
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Certification>, StoreError> {
    let found = sqlx::query_file_as!(
        Certification,
        "src/caller/page_by_name.sql",
        among,
        after as _,
        i64::from(limit)
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// The places of a certification among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// By the name of its chapter, the same for all of a chapter.
    pub chapter: i64,
    /// By the family name of its mentor, or the name of one without.
    pub name: i64,
}

/// The places of certifications by names, in the order of the Norwegian alphabet.
pub async fn places(
    tx: &mut CallerTx,
    certifications: &[Certification],
) -> Result<HashMap<Uuid, Place>, StoreError> {
    let name = |of: fn(&Certification) -> &Option<String>| {
        certifications.iter().map(|one| of(one).clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    let places = sqlx::query_as!(
        Place,
        r#"select dense_rank() over (order by certvakt.alphabetical(c.chapter), c.chapter_id) as "chapter!",
             row_number() over (order by certvakt.alphabetical(c.mentor, c.family_name), c.id) as "name!"
           from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::uuid[]) with ordinality
             as c (chapter, chapter_id, mentor, family_name, id, number)
           order by c.number"#,
        &name(|one| &one.chapter),
        &certifications.iter().map(|one| one.chapter_id).collect::<Vec<_>>(),
        &name(|one| &one.mentor),
        &certifications.iter().map(|one| one.family_name.clone()).collect::<Vec<_>>() as _,
        &certifications.iter().map(|one| one.id).collect::<Vec<_>>(),
    );
    let places = places.fetch_all(tx).await?;
    Ok(certifications.iter().map(|one| one.id).zip(places).collect())
}
