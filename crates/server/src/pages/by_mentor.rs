//! The order of mentors: those with the most urgent state first, then by name. The certifications of a mentor stand together.

use std::collections::HashMap;

use certvakt_engine::expiry::standing::State;
use certvakt_store::caller::Certification;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::list_query::{STANDINGS, state};

/// The place of each mentor of a list: the most urgent state, and the place among the names.
pub(super) struct Mentors(HashMap<Uuid, (State, usize)>);

impl Mentors {
    /// Sorts certifications that are in the order of names.
    pub(super) fn sort(found: &mut [Certification], on: Option<NaiveDate>, now: DateTime<Utc>) -> Self {
        let mut mentors = HashMap::new();
        for (place, one) in found.iter().enumerate() {
            let state = state(one, on, now);
            let (most_urgent, _) = mentors.entry(one.mentor_id).or_insert((state, place));
            *most_urgent = state.min(*most_urgent);
        }
        let mentors = Self(mentors);
        found.sort_by_cached_key(|one| {
            (mentors.of(one), state(one, on, now), one.expires_at.is_none(), one.expires_at)
        });
        mentors
    }

    fn of(&self, one: &Certification) -> Option<(State, usize)> {
        self.0.get(&one.mentor_id).copied()
    }

    /// A cursor with the state of its mentor, because a person who renews while they read changes it.
    pub(super) fn cursor(&self, one: &Certification, cursor: &str) -> String {
        let state = self.of(one).map_or("", |(state, _)| state.as_str());
        format!("{cursor}_{state}")
    }

    /// Where the sorted list continues after a certification whose mentor had a state.
    pub(super) fn start(&self, found: &[Certification], after: Uuid, state: State) -> usize {
        let last = found.iter().enumerate().find(|(_, one)| one.id == after);
        let last = last.and_then(|(at, one)| Some((at, self.of(one)?)));
        match last {
            Some((at, (present, _))) if present == state => at + 1,
            _ => {
                let key = (state, last.map_or(0, |(_, (_, place))| place));
                found.partition_point(|one| self.of(one) < Some(key))
            }
        }
    }
}

/// A cursor without the state of its mentor, and the state.
pub(super) fn split(cursor: &str) -> (&str, Option<State>) {
    let parts = cursor.rsplit_once('_');
    let named = parts.and_then(|(rest, name)| {
        let state = STANDINGS.into_iter().find(|state| state.as_str() == name)?;
        Some((rest, Some(state)))
    });
    named.unwrap_or((cursor, None))
}
