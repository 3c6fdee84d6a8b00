//! A parser of calendar files that is as strict as RFC 5545, and shares no code with the writer.

use std::collections::BTreeMap;

/// The properties of the one event in a calendar, by name and parameters, their text unescaped.
pub fn read(file: &str) -> BTreeMap<String, String> {
    assert!(file.ends_with("\r\n"), "{file:?}");
    let physical: Vec<&str> = file.split_terminator("\r\n").collect();
    for line in &physical {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.is_empty() && !line.contains(['\r', '\n']), "{line:?}");
    }
    let unfolded = file.replace("\r\n ", "");
    let lines: Vec<&str> = unfolded.split_terminator("\r\n").collect();
    let (first, last) = (lines[0], lines[lines.len() - 1]);
    assert_eq!((first, last), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
    let begin = lines.iter().position(|line| *line == "BEGIN:VEVENT").unwrap();
    let end = lines.iter().position(|line| *line == "END:VEVENT").unwrap();
    let around: Vec<&str> = lines[1..begin].iter().chain(&lines[end + 1..lines.len() - 1]).copied().collect();
    assert!(
        around.contains(&"VERSION:2.0") && around.iter().any(|line| line.starts_with("PRODID:")),
        "{around:?}"
    );
    assert!(!around.iter().any(|line| line.starts_with("BEGIN:") || line.starts_with("END:")), "one event");
    let mut event = BTreeMap::new();
    for line in &lines[begin + 1..end] {
        let (name, value) = line.split_once(':').unwrap();
        assert!(event.insert(name.to_owned(), text(value)).is_none(), "twice: {name}");
    }
    let stamp = event["DTSTAMP"].as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    assert!(
        stamp.len() == 16
            && digits(&stamp[..8])
            && stamp[8] == b'T'
            && digits(&stamp[9..15])
            && stamp[15] == b'Z',
        "in UTC: {}",
        event["DTSTAMP"]
    );
    event
}

/// Text, unescaped (section 3.3.11).
fn text(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(match characters.next() {
                Some('n' | 'N') => '\n',
                Some(escaped @ ('\\' | ';' | ',')) => escaped,
                other => panic!("no escape: {other:?} in {value}"),
            }),
            ';' | ',' => panic!("not escaped: {value}"),
            other => {
                assert!(!other.is_control(), "{value:?}");
                text.push(other);
            }
        }
    }
    text
}
