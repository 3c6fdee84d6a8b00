//! The time of day behind a date, as databases and spreadsheets write it.

use chrono::{FixedOffset, NaiveTime};

/// A time of day, with its offset from UTC if one is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) time: NaiveTime,
    pub(super) offset: Option<FixedOffset>,
}

/// Splits a date from the time behind it: `2026-05-01 00:00:00+02` (PostgreSQL), `2026-05-01T00:00:00.000Z`
/// (ISO 8601), `12/31/2021 12:00:00 AM`, `May  1 2026 12:00AM` (SQL Server). `None` without a time.
pub(super) fn split(text: &str) -> Option<(&str, Time)> {
    let colon = text.find(':')?;
    let digits = text[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
    let (date, time) = text.split_at(colon - digits);
    let date = date.strip_suffix(['T', 't']).or_else(|| {
        let date = date.strip_suffix(' ')?.trim_end_matches(' ');
        Some(date.strip_suffix(',').unwrap_or(date))
    })?;
    Some((date, parse(time)?))
}

fn parse(text: &str) -> Option<Time> {
    let end = text.find(|char: char| !matches!(char, '0'..='9' | ':' | '.' | ',')).unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !are_digits(fraction) {
        return None;
    }
    let mut parts = clock.split(':');
    let hour = parts.next().filter(|hour| (1..=2).contains(&hour.len()))?.parse::<u32>().ok()?;
    let minute = two(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two)?;
    if parts.next().is_some() || (second == 0 && clock.len() < 6 && fraction != "0") {
        return None;
    }
    let (hour, rest) = half_of_day(hour, rest)?;
    let nano = format!("{fraction:0<9}").parse().ok()?;
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nano)?;
    let offset = match rest.strip_prefix(' ').unwrap_or(rest) {
        "" => None,
        written => Some(offset(written)?),
    };
    Some(Time { time, offset })
}

/// The hour of 24, and the text behind `AM` or `PM`.
fn half_of_day(hour: u32, text: &str) -> Option<(u32, &str)> {
    let marked = text.strip_prefix(' ').unwrap_or(text);
    for (mark, noon) in [("am", 0), ("a.m.", 0), ("pm", 12), ("p.m.", 12)] {
        if let Some((start, rest)) = marked.split_at_checked(mark.len())
            && start.eq_ignore_ascii_case(mark)
        {
            return (1..=12).contains(&hour).then_some((hour % 12 + noon, rest));
        }
    }
    Some((hour, text))
}

/// The offset from UTC that a text is.
fn offset(text: &str) -> Option<FixedOffset> {
    if ["Z", "UTC", "GMT"].iter().any(|utc| text.eq_ignore_ascii_case(utc)) {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-').or_else(|| text.strip_prefix('\u{2212}'))?),
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = match minutes.strip_prefix(':').unwrap_or(minutes) {
        "" if minutes.is_empty() => 0,
        minutes => two(minutes)?,
    };
    let seconds = i32::try_from(two(hours)? * 3600 + minutes * 60).ok()?;
    // The largest offset in use is +14:00.
    if minutes > 59 || seconds > 14 * 3600 {
        return None;
    }
    FixedOffset::east_opt(sign * seconds)
}

fn two(text: &str) -> Option<u32> {
    (text.len() == 2 && are_digits(text)).then(|| text.parse().ok())?
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_databases_and_spreadsheets() {
        for (text, date, time, offset) in [
            ("2026-05-01 00:00:00+02", "2026-05-01", "00:00:00", Some(7_200)),
            ("2026-05-01 00:00:00-03:30", "2026-05-01", "00:00:00", Some(-12_600)),
            ("2026-05-01T21:30:00.000Z", "2026-05-01", "21:30:00", Some(0)),
            ("2026-05-01T21:30:00+0200", "2026-05-01", "21:30:00", Some(7_200)),
            ("2026-05-01 21:30:00 UTC", "2026-05-01", "21:30:00", Some(0)),
            ("12/31/2021 12:00:00 AM", "12/31/2021", "00:00:00", None),
            ("12/31/2021, 12:00:00 pm", "12/31/2021", "12:00:00", None),
            ("May  1 2026 12:00AM", "May  1 2026", "00:00:00", None),
            ("31.12.2026 0:00", "31.12.2026", "00:00:00", None),
            ("31.12.2026 11:59 p.m.", "31.12.2026", "23:59:00", None),
        ] {
            let offset = offset.and_then(FixedOffset::east_opt);
            assert_eq!(split(text), Some((date, Time { time: time.parse().unwrap(), offset })), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "2026-05-01",
            "2026-05-0110:00",
            "2026-05-01 24:00",
            "2026-05-01 1:2",
            "2026-05-01 10:60",
            "2026-05-01 13:00 PM",
            "2026-05-01 0:00 AM",
            "2026-05-01 10:00:00 CET",
            "2026-05-01 10:00:00+2",
            "2026-05-01 10:00:00+15",
            "2026-05-01 10:00:00+02:",
            "2026-05-01 10:00:00:00",
            "2026-05-01 10:00x",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
