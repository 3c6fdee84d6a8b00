//! Fuzz tests of contracts and portals' reports.

use certvakt_testing::fuzz::Target;
use chrono::{DateTime, Datelike};
use uuid::Uuid;

use super::{Contract, Rules, State};

const EXAMPLE: &str = include_str!("../../../../contracts/example/2026-1.toml");
const DATAVERSE: &str = include_str!("../../../../contracts/dataverse/2026-1.toml");

#[test]
fn fuzz_contracts() {
    let words = &[
        "\n",
        "\"",
        "=",
        "[",
        "]",
        "{",
        "}",
        "http://",
        "https://",
        "localhost",
        "[inbound]",
        "[table]",
        "[read]",
        "\"$ref\"",
        "\"#\"",
        "{key}",
        "0",
        "-1",
        "65536",
        "99999999999999999999",
        "1e309",
        "true",
        "inf",
        "1979-05-27",
        "'''",
        "\\u0000",
    ];
    let made = [EXAMPLE, DATAVERSE].map(|text| text.as_bytes().to_vec()).to_vec();
    Target { name: "contracts", words, made, inputs: 300 }.run(|input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        let Ok(contract) = Contract::parse(text) else { return };
        for addresses in contract.environments.values() {
            let others = [&addresses.token, &addresses.listing, &addresses.inbound];
            for url in others.into_iter().flatten().chain([&addresses.endpoint]) {
                let is_encrypted = url.as_str().starts_with("https://");
                let is_here = ["http://localhost", "http://127.", "http://[::1]"]
                    .iter()
                    .any(|here| url.as_str().starts_with(here));
                assert!(is_encrypted || is_here, "{url}");
            }
        }
        assert!(contract.limits.requests_a_minute > 0 && contract.limits.at_once > 0);
        // The two states are distinct, and the request for any mentor matches the contract's schema or is
        // reported as a fault.
        let rules = Rules::of(&contract).unwrap();
        for key in ["1", "", "æ\"\\\u{0}", "{key}"] {
            let [listed, delisted] = [true, false].map(|is_listed| {
                contract.body(&State {
                    number: i64::MAX,
                    ..State::new(key, is_listed, Uuid::nil(), 1, DateTime::UNIX_EPOCH, 0)
                })
            });
            let _ = (rules.request_fault(&listed), rules.request_fault(&delisted));
        }
        assert_ne!(contract.status_values.listed, contract.status_values.delisted);
    });
}

#[test]
fn fuzz_reports() {
    let contract = Contract::parse(EXAMPLE).unwrap();
    let (rules, terms) = (Rules::of(&contract).unwrap(), contract.inbound.clone().unwrap());
    let words = &[
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "\\u0000",
        "\\ud800",
        "1e400",
        "-0",
        "9999-12-31",
        "2024-02-30",
        "0000-01-01",
        "T23:59:60Z",
        "+14:00",
        "-23:59",
        "certvakt",
        "/",
    ];
    Target { name: "reports", words, made: Vec::new(), inputs: 3_000 }.run(|input| {
        let Ok(entry) = serde_json::from_slice(input) else { return };
        let is_kept = rules.report_fault(&entry).is_none();
        for zone in [chrono_tz::Europe::Oslo, chrono_tz::Pacific::Kiritimati, chrono_tz::Pacific::Niue] {
            let Ok(report) = terms.read(&entry, zone) else { continue };
            for id in [&report.event_id, &report.partner_key] {
                assert!((1..=200).contains(&id.chars().count()) && !id.contains(char::is_control));
            }
            for day in report.valid_until.iter().chain([&report.completed_on]) {
                assert!((1900..=9998).contains(&day.year()));
            }
            assert_eq!(report.is_ours, entry["changedBy"] == "certvakt");
            let named = report.completed_on.format("%Y").to_string();
            let given = entry["completedAt"].as_str().unwrap();
            // At New Year, time zones can differ in the year.
            assert!(
                !is_kept || given.contains(&named) || given.contains("-12-31") || given.contains("-01-01")
            );
        }
    });
}
