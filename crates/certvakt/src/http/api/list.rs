//! What lists have in common: how many at once, and where one goes on.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Refusal;

/// How many are on a page, if the request does not say.
const PAGE: u32 = 50;
/// The most on a page.
const LONGEST_PAGE: u32 = 200;
/// The longest text to look for, in characters.
const LONGEST_TEXT: usize = 200;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    items: Vec<T>,
    /// What to send as `after` for the next page; null: this is the last.
    next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` of what was found, which is one more if there is another page.
    pub(super) fn of(mut found: Vec<T>, limit: u32, place: impl Fn(&T) -> String) -> Self {
        let is_last = found.len() <= limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| !is_last).map(place);
        Self { items: found, next }
    }

    /// What is on it.
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// The same page of what is shown.
    pub(super) fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}

/// How many to show on a page.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Refusal> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=LONGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Refusal::Invalid(format!("limit is from 1 to {LONGEST_PAGE}")))
    }
}

/// Refuses a text to look for that nothing contains.
pub(super) fn check_text(text: Option<&String>) -> Result<(), Refusal> {
    match text {
        Some(text) if text.chars().count() > LONGEST_TEXT || text.contains('\0') => {
            Err(Refusal::Invalid(format!("a text to look for has at most {LONGEST_TEXT} characters")))
        }
        _ => Ok(()),
    }
}
