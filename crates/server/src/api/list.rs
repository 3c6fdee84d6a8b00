//! Pagination: page sizes and cursors.

use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::ApiError;

/// The default number of items on a page.
const PAGE: u32 = 50;
/// The maximum number of items on a page.
const LONGEST_PAGE: u32 = 200;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    items: Vec<T>,
    /// The value of `after` for the next page; null on the last page.
    next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` items from up to `limit + 1` rows; the extra row shows that there is
    /// another page.
    pub(super) fn of(mut found: Vec<T>, limit: u32, place: impl Fn(&T) -> String) -> Self {
        let is_last = found.len() <= limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| !is_last).map(place);
        Self { items: found, next }
    }

    /// The items of the page.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// Converts the items of the page.
    pub(super) fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}

/// The number of items on the requested page.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=LONGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::Invalid(format!("limit must be from 1 to {LONGEST_PAGE}")))
    }
}
