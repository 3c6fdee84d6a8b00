//! Renewals, corrections, suspensions, reinstatements and withdrawals: their effect on dates, status, notices
//! and history, through every interface and in any order.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use crate::harness::{NOON, TestDatabase, fail, succeed};

mod changes;
mod files;
mod histories;
mod races;
mod rows;
mod terms;

async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl TestDatabase {
    /// Runs a command at noon; it must succeed.
    fn noon(&self, arguments: &[&str]) -> Value {
        let mut command = self.certvakt(arguments.iter().copied().chain(["--output", "json"]));
        serde_json::from_str(&succeed(command.env("CERTVAKT_NOW", NOON))).unwrap()
    }

    /// Runs a command at noon, which must exit with 2, and returns its code.
    fn refused(&self, arguments: &[&str]) -> String {
        let said = fail(self.certvakt(arguments.iter().copied()).env("CERTVAKT_NOW", NOON), 2);
        said.rsplit('[').next().unwrap().trim_end().trim_end_matches(']').to_owned()
    }

    /// A certification's history: kinds and last valid days, with additional columns.
    async fn history(&self, external_id: &str) -> String {
        self.value(&format!(
            "select coalesce(string_agg(concat_ws(' ', e ->> 'kind',
               ((e ->> 'expires_after')::timestamptz at time zone 'Europe/Oslo')::date), ', ' order by n), '')
             from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) with ordinality e (e, n)
             where c.external_id = '{external_id}'"
        ))
        .await
    }

    async fn standing(&self, external_id: &str) -> String {
        self.value(&format!(
            "select concat_ws(' ', status, (expires_at at time zone 'Europe/Oslo')::date)
             from public.peer_mentor_certifications where external_id = '{external_id}'"
        ))
        .await
    }
}

fn noon() -> DateTime<Utc> {
    NOON.parse().unwrap()
}
