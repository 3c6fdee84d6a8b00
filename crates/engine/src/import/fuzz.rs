//! Fuzz tests of registers and announcements.

use std::io::Write;

use certvakt_testing::fuzz::Target;
use chrono::{Datelike, Days, NaiveDate};
use csv::StringRecord;

use super::dates::{DateFormat, When, parse};
use super::location::Location;
use super::source::{self, Form};
use super::uploads::Register;
use crate::config::ImportConfig;

/// The month whose name has this start, in the languages of registers.
fn named(word: &str) -> Option<u32> {
    let starts: [&[&str]; 12] = [
        &["jan", "jän"],
        &["feb", "fév", "fev"],
        &["mar", "mär", "mae", "mrs", "mrz"],
        &["apr", "avr"],
        &["mai", "maj", "may"],
        &["jun", "juin"],
        &["jul", "juil"],
        &["aug", "aoû", "aou"],
        &["sep"],
        &["okt", "oct"],
        &["nov"],
        &["des", "dec", "dez", "déc"],
    ];
    let word = certvakt_rules::normal::fold(word);
    (1..).zip(starts).find(|(_, starts)| starts.iter().any(|start| word.starts_with(start))).map(|one| one.0)
}

/// The day in a text, by its numbers, names and separators, independently of the parser under test.
fn written(text: &str) -> Option<NaiveDate> {
    // The last number before a colon is the hour.
    let before = text.split(':').next()?;
    let text = if before.len() < text.len() {
        before.trim_end_matches(|char: char| char.is_ascii_digit()).trim_end_matches(['T', 't', ' ', ','])
    } else {
        text
    };
    let numbers: Vec<u32> = text
        .split(|char: char| !char.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map_while(|digits| digits.parse().ok())
        .collect();
    let date = |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    let last = |year, month| (28..=31).rev().find_map(|day| date(year, month, day));
    if let Some(month) = text.split(|char: char| !char.is_alphabetic()).find_map(named) {
        return match numbers[..] {
            [year] => last(year, month),
            // A day has two digits at most, and the year has four.
            [one, other] if one <= 31 && text.find(char::is_alphabetic)? > 0 || other > 99 => {
                if text.trim_start().bytes().take_while(u8::is_ascii_digit).count() == 4 {
                    date(one, month, other)
                } else {
                    date(other, month, one)
                }
            }
            [year, day] => date(year, month, day),
            _ => None,
        };
    }
    match (numbers.as_slice(), text.chars().find(|char| !char.is_ascii_digit())?) {
        ([month, year], '/') => last(*year, *month),
        ([day, month, year], '.') | ([year, month, day], '-' | '/' | '+') => date(*year, *month, *day),
        _ => None,
    }
}

#[test]
fn fuzz_dates() {
    let words = &[
        "-",
        "/",
        ".",
        " ",
        ",",
        "T",
        "Z",
        ":",
        "+01:00",
        "-12:00",
        "+02",
        "00:00:00",
        " 12:00:00 AM",
        "PM",
        "2026",
        "29",
        "02",
        "YYYY",
        "YY",
        "MM",
        "MMM",
        "DD",
        "\n",
        "mai",
        "des.",
        "March",
        "août",
        "st",
    ];
    Target { name: "dates", words, made: Vec::new(), inputs: 5_000 }.run(|input| {
        // The first line is the date, every other line is a format.
        let Ok(text) = std::str::from_utf8(input) else { return };
        let mut lines = text.split('\n');
        let date = lines.next().unwrap_or_default();
        let formats: Vec<DateFormat> = lines.filter_map(|form| form.parse().ok()).collect();
        let Ok(when) = parse(date, &formats) else { return };
        let day = match when {
            When::Day(day) => day,
            When::Local(local) => local.date(),
            When::Instant(at) => at.date_naive(),
        };
        if formats.is_empty() {
            assert_eq!(written(date), Some(day), "{date:?}");
        } else {
            let year = format!("{:04}", day.year());
            assert!(date.contains(&year) || date.contains(&year[2..]), "{date:?} is {day}");
        }
    });
}

#[test]
fn each_day_is_read_as_it_was_written() {
    let mut day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
    // A step that reaches each day of a month, and the ends of leap years.
    while day.year() < 2070 {
        for form in ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%-d.%-m.%Y", "%Y-%m-%d 00:00:00", "%Y-%-m-%-d"] {
            let text = day.format(form).to_string();
            assert_eq!(parse(&text, &[]), Ok(When::Day(day)), "{text}");
        }
        day = day + Days::new(17);
    }
}

#[test]
fn fuzz_announcements() {
    let words =
        &["\"", "{", "}", "[", "]", ",", ":", "\\u0000", "external_id", "expires_at", "null", "YYYY", "æ"];
    Target { name: "announcements", words, made: Vec::new(), inputs: 2_000 }.run(|input| {
        let Ok(register) = serde_json::from_slice::<Register>(input) else { return };
        if register.mapping.is_none() && register.check().is_ok() {
            let options = &register.options;
            assert!(options.columns.len() <= 14 && options.columns.contains_key("external_id"));
            assert!(options.columns.values().all(|column| column.chars().count() <= 200));
            assert!(options.date_formats.len() <= 20 && options.active_status.len() <= 50);
            assert!(options.certification_type.as_ref().is_none_or(|code| !code.is_empty()));
            // It survives a round trip through JSON.
            let stored = serde_json::to_value(&register).unwrap();
            assert_eq!(serde_json::from_value::<Register>(stored).unwrap(), register);
        }
    });
}

#[test]
fn fuzz_registers() {
    let words =
        &["\"", "\"\"", ",", ";", "\t", "\r\n", "\n", "\r", "\u{feff}", "æ", "\u{1a}", "2026-12-31", "#N/A"];
    let config = ImportConfig { max_row_bytes: 512, ..ImportConfig::default() };
    Target { name: "registers", words, made: Vec::new(), inputs: 2_000 }.run(|input| {
        // tests/it/imports/fuzz.rs covers workbooks.
        if input.starts_with(b"PK\x03\x04") {
            return;
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input).unwrap();
        let Ok(mut rows) =
            source::open(file, &config, &Location::default(), &indicatif::ProgressBar::hidden())
        else {
            return;
        };
        assert_eq!(rows.form(), Form::Text);
        let (mut record, mut found, mut last, mut bytes) = (StringRecord::new(), Vec::new(), 0, 0);
        let whole = loop {
            match rows.next(&mut record) {
                Ok(true) => {}
                end => break end.is_ok(),
            }
            assert!(rows.line() > last, "line {} after line {last}", rows.line());
            last = rows.line();
            bytes += record.as_slice().len();
            // A byte of Windows-1252 becomes at most three bytes of UTF-8, and so does a byte of UTF-16.
            assert!(record.as_slice().len() <= 512);
            found.push(record.clone());
        };
        assert!(bytes <= input.len() * 3);
        // Without quotation marks, a row is a line, and a field is the text between commas.
        if let Ok(text) = std::str::from_utf8(input)
            && whole
            && !text.contains(['"', '\r', '\u{feff}', ';', '\t', '|', '\0'])
            && !text.trim_start_matches('\n').to_ascii_lowercase().starts_with("sep=")
        {
            let lines: Vec<Vec<&str>> = text
                .split('\n')
                .filter(|line| !line.is_empty())
                .map(|line| line.split(',').collect())
                .collect();
            assert_eq!(found, lines);
        }
    });
}
