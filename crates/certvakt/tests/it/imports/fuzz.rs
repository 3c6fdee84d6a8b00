//! Fuzz tests of workbooks: the process that reads one ends within its limits of time and memory, and its
//! output is complete.

use std::fs::File;
use std::io::{Seek, Write};
use std::process::{Command, Stdio};

use certvakt_testing::fuzz::Target;

use super::workbooks::Parts;
use super::{binary, opendocument};

const MEMORY: u64 = 128 * 1024 * 1024;
const SHEET: &str = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row><row r='2'><c r='A2'><v>7</v></c><c r='B2' s='1'><v>46387</v></c></row>";
const STRINGS: &str =
    "<sst xmlns='MAIN' count='2' uniqueCount='2'><si><t>id</t></si><si><t>until</t></si></sst>";

/// An open register.
fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// The kinds of the frames in an output; `None` if the last frame is incomplete.
fn frames(mut output: &[u8]) -> Option<Vec<u8>> {
    let mut kinds = Vec::new();
    while let [kind, a, b, c, d, rest @ ..] = output {
        kinds.push(*kind);
        output = rest.get(u32::from_le_bytes([*a, *b, *c, *d]) as usize..)?;
    }
    output.is_empty().then_some(kinds)
}

#[test]
fn fuzz_workbooks() {
    let words = &[
        "<",
        ">",
        "/>",
        "'",
        "<row r='1'>",
        "</row>",
        "<c r='XFD1048576'>",
        "<v>",
        "</v>",
        "t='e'",
        "t='str'",
        "<f>",
        "<si>",
        "<t>",
        "<r>",
        "<!--",
        "<![CDATA[",
        "&#0;",
        "&amp;",
        "&x;",
        "<!DOCTYPE x [<!ENTITY x 'y'>]>",
        "uniqueCount='5000000000000'",
        "4294967295",
        "-1",
        "1e308",
        "\0",
    ];
    let made = vec![format!("{SHEET}\0{STRINGS}").into_bytes()];
    Target { name: "workbooks", words, made, inputs: 40 }.run(|input| {
        // The rows of a sheet, and its strings.
        let at = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
        let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let workbook = Parts::new()
            .sheet("visible", text(&input[..at]))
            .strings(text(input.get(at + 1..).unwrap_or_default()))
            .save();
        check(&workbook);
    });
}

/// The rows of an ODS sheet.
#[test]
fn fuzz_spreadsheets() {
    let words = &[
        "<",
        "/>",
        "'",
        "<table:table-row>",
        "</table:table-row>",
        "<table:table-row-group>",
        "<table:table-cell>",
        "</table:table-cell>",
        "table:number-rows-repeated='4294967295'",
        "table:number-columns-repeated='16384'",
        "office:value-type='date'",
        "office:date-value='2026-12-31'",
        "office:value='1e308'",
        "<text:p>",
        "</text:p>",
        "<text:s text:c='4294967295'/>",
        "<office:annotation>",
        "</table:table>",
        "&#0;",
        "&x;",
        "<![CDATA[",
        "-1",
        "\0",
    ];
    let made = vec![
        opendocument::row(&["id", "until", "<table:table-cell office:value-type='float' office:value='7'/>"])
            .into_bytes(),
    ];
    Target { name: "spreadsheets", words, made, inputs: 40 }.run(|input| {
        let rows = String::from_utf8_lossy(input);
        check(&opendocument::book(&[(true, &rows), (false, ""), (true, "")]));
    });
}

/// The records of an XLSB sheet.
#[test]
fn fuzz_binary_workbooks() {
    let words = &[
        "\u{0}",
        "\u{1}",
        "\u{2}\u{c}",
        "\u{5}\u{10}",
        "\u{6}\u{14}",
        "\u{7}\u{c}",
        "\u{b}\u{f}",
        ">\u{11}",
        "\u{7f}\u{7f}\u{7f}\u{7f}",
        "i\0d\0",
    ];
    Target { name: "binary-workbooks", words, made: vec![binary::register()], inputs: 40 }.run(|input| {
        check(&binary::book(&[(0, input)]));
        check(&binary::book(&[(0, &binary::register()), (0, input)]));
    });
}

/// Reads a workbook within limits.
fn check(workbook: &[u8]) {
    let output = Command::new(env!("CARGO_BIN_EXE_certvakt"))
        .args(["read-register", "--xlsx-bytes", "1000000", "--row-bytes", "1000000", "--cpu-seconds", "10"])
        .args(["--memory-bytes", &MEMORY.to_string()])
        .env_clear()
        .env("MIMALLOC_ARENA_RESERVE", "16MiB")
        .stdin(Stdio::from(file(workbook)))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    // It may be killed at a limit; otherwise it writes the format, rows and the end, or an error.
    if output.status.success() {
        let kinds = frames(&output.stdout).unwrap();
        let (last, others) = kinds.split_last().unwrap();
        let is_read = *last == 2 && others.first() == Some(&0) && others[1..].iter().all(|kind| *kind == 1);
        assert!(is_read || *last == 3, "{kinds:?}");
    } else {
        assert_eq!(output.status.code(), None, "it neither ended well nor was killed: {}", output.status);
    }
}
