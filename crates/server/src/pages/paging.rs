//! The pages of the list of certifications, and the links between them.
//!
//! A cursor leads to the next page only. So the URL has the cursors of a few previous pages too; from a later page, the
//! link leads to the first one.

use certvakt_engine::expiry::standing::State;
use certvakt_store::CallerTx;
use certvakt_store::caller::{self, After, Certification, Filter};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::by_mentor::{Mentors, split};
use super::error::PageError;
use super::link::link;
use super::list_query::ListQuery;
use crate::cursor;
use crate::problem::ApiError;

/// The number of certifications on a page.
pub(super) const PAGE: usize = 50;
/// The length up to which a list is counted.
pub(super) const COUNTED: usize = 1000;
/// The length up to which a list can be in the order of names or of mentors, which reads every name of it.
pub(super) const SORTED: usize = 300;
/// The number of cursors in a URL. A sign-in returns to a URL of at most 500 characters.
const CURSORS: usize = 5;

/// A page of the list.
pub(super) struct Page {
    /// The certifications.
    pub(super) found: Vec<Certification>,
    /// The number of those on the previous pages; `None` if the URL does not say.
    pub(super) before: Option<usize>,
    /// The length of the list; `None` if it is more than [`COUNTED`].
    pub(super) total: Option<usize>,
    /// Whether the list is too long for the chosen order, and so is in the order of last valid days.
    pub(super) is_too_long: bool,
    /// The link to the previous page, or to the first one, with the key of its label.
    pub(super) previous: Option<(String, &'static str)>,
    /// The link to the next page.
    pub(super) next: Option<String>,
}

/// Reads a page of the list.
pub(super) async fn page(
    tx: &mut CallerTx,
    path: &str,
    query: &ListQuery,
    filter: &Filter,
    now: DateTime<Utc>,
) -> Result<Page, PageError> {
    let cursors: Vec<&str> = query.after.split('.').filter(|cursor| !cursor.is_empty()).collect();
    let (last, state) = cursors.last().map(|last| split(last)).unzip();
    let after = last.map(|last| cursor::parse(last).ok_or(ApiError::NotFound)).transpose()?;
    let limit = u32::try_from(PAGE + 1).unwrap_or(u32::MAX);
    let mut all = None;
    let mut is_too_long = false;
    let mut mentors = None;
    let mut found = if query.is_sorted() {
        let ids = matching(tx, filter).await?;
        is_too_long = ids.len() > SORTED;
        let found = if is_too_long {
            caller::certifications(tx, filter, after, limit).await?
        } else if query.is_by_mentor() {
            let (found, sorted) = by_mentor(tx, &ids, after.zip(state.flatten()), filter.on, now).await?;
            mentors = Some(sorted);
            found
        } else {
            caller::certifications_by_name(tx, &ids, after.map(|After { id, .. }| id), limit).await?
        };
        all = Some(ids.len());
        found
    } else {
        caller::certifications(tx, filter, after, limit).await?
    };
    let is_last = found.len() <= PAGE;
    found.truncate(PAGE);
    let all = match all {
        Some(all) => all,
        None if is_last && after.is_none() => found.len(),
        None => matching(tx, filter).await?.len(),
    };
    let before = if after.is_none() { Some(0) } else { query.from.parse::<u32>().ok() };
    let before = before.and_then(|before| usize::try_from(before).ok());
    let to = |cursors: &[&str], from: Option<usize>| {
        let (after, from) = (cursors.join("."), from.map(|from| from.to_string()).unwrap_or_default());
        let mut parameters = query.without("");
        parameters.extend([("after", after.as_str()), ("from", from.as_str())]);
        link(path, &parameters)
    };
    let next = found.last().filter(|_| !is_last).map(|last| {
        let cursor = cursor::of(last);
        let last = mentors.as_ref().map_or(cursor.clone(), |mentors| mentors.cursor(last, &cursor));
        let mut cursors = cursors.clone();
        cursors.push(&last);
        to(&cursors[cursors.len().saturating_sub(CURSORS)..], before.map(|before| before + PAGE))
    });
    let previous = cursors.split_last().map(|(_, earlier)| {
        let before = before.map(|before| before.saturating_sub(PAGE));
        let is_first = earlier.is_empty();
        let key = if is_first && before != Some(0) { "first-page" } else { "previous-page" };
        (to(earlier, before.filter(|_| !is_first)), key)
    });
    let total = (all <= COUNTED).then_some(all);
    Ok(Page { found, before, total, is_too_long, previous, next })
}

/// A page of some certifications by mentor, and one more if there is one. The states depend on the day of the list, so the
/// whole list is sorted here.
async fn by_mentor(
    tx: &mut CallerTx,
    ids: &[Uuid],
    after: Option<(After, State)>,
    on: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(Vec<Certification>, Mentors), PageError> {
    // The last one of the previous page has its place even if it has left the list meanwhile.
    let last = after.map(|(after, _)| after.id).filter(|id| !ids.contains(id));
    let all: Vec<Uuid> = ids.iter().copied().chain(last).collect();
    let limit = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let mut found = caller::certifications_by_name(tx, &all, None, limit).await?;
    let mentors = Mentors::sort(&mut found, on, now);
    let start = after.map_or(0, |(after, state)| mentors.start(&found, after.id, state));
    let rest = found.into_iter().skip(start).filter(|one| Some(one.id) != last);
    Ok((rest.take(PAGE + 1).collect(), mentors))
}

/// The ids of the certifications that match, or one more than are counted.
async fn matching(tx: &mut CallerTx, filter: &Filter) -> Result<Vec<Uuid>, PageError> {
    Ok(caller::matching(tx, filter, u32::try_from(COUNTED + 1).unwrap_or(u32::MAX)).await?)
}
