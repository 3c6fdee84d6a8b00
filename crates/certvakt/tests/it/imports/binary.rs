//! XLSB workbooks, record by record ([MS-XLSB]).

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Desk, counts, rejects};
use crate::harness::fail;

const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A record: its type and its length, seven bits in each byte, and its data.
fn record(kind: u32, data: &[u8]) -> Vec<u8> {
    let variable = |mut value: usize| {
        let mut bytes = Vec::new();
        loop {
            let byte = u8::try_from(value & 0x7f).unwrap();
            value >>= 7;
            bytes.push(if value > 0 { byte | 0x80 } else { byte });
            if value == 0 {
                return bytes;
            }
        }
    };
    [variable(kind as usize), variable(data.len()), data.to_vec()].concat()
}

fn text(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [u32::try_from(text.encode_utf16().count()).unwrap().to_le_bytes().to_vec(), units].concat()
}

/// A cell of a row.
enum Cell {
    Blank,
    Text(&'static str),
    /// A number with a style.
    Number(f64, u32),
    /// The error of a formula.
    Error,
    RichText(&'static str),
}

/// The records of a sheet's rows.
fn rows(rows: &[&[Cell]]) -> Vec<u8> {
    let mut data = Vec::new();
    for (number, cells) in (0_u32..).zip(rows) {
        data.extend(record(0, &[number.to_le_bytes().to_vec(), vec![0; 13]].concat()));
        for (column, cell) in (0_u32..).zip(*cells) {
            let (kind, style, value) = match cell {
                Cell::Blank => (1, 0, Vec::new()),
                Cell::Text(value) => (6, 0, text(value)),
                Cell::Number(value, style) => (5, *style, value.to_le_bytes().to_vec()),
                Cell::Error => (11, 0, vec![0x2a, 0, 0, 0, 0, 0, 0]),
                Cell::RichText(value) => (62, 0, [vec![0], text(value)].concat()),
            };
            data.extend(record(kind, &[&column.to_le_bytes()[..], &style.to_le_bytes(), &value].concat()));
        }
    }
    data
}

/// A workbook of sheets, each with its state and the records of its rows. Style 1 is a date, style 2 has three
/// digits, and style 3 is a month.
pub fn book(sheets: &[(u32, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, data: &[u8]| {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(data).unwrap();
    };
    let (mut listed, mut related) = (record(143, &[]), String::new());
    for (number, (state, rows)) in (1_u32..).zip(sheets) {
        let id = format!("r{number}");
        let data =
            [&state.to_le_bytes()[..], &number.to_le_bytes(), &text(&id), &text(&format!("s{number}"))];
        listed.extend(record(156, &data.concat()));
        related +=
            &format!("<Relationship Id='{id}' Type='{OFFICE}/worksheet' Target='worksheets/s{number}.bin'/>");
        let sheet =
            [record(129, &[]), record(148, &[0; 16]), record(145, &[]), rows.to_vec(), record(146, &[])];
        part(&format!("xl/worksheets/s{number}.bin"), &sheet.concat());
    }
    part("xl/workbook.bin", &[record(131, &[]), listed, record(144, &[]), record(132, &[])].concat());
    part(
        "xl/_rels/workbook.bin.rels",
        format!("<Relationships xmlns='{PACKAGE}'>{related}</Relationships>").as_bytes(),
    );
    let format = |id: u16, code: &str| record(44, &[&id.to_le_bytes()[..], &text(code)].concat());
    let style = |id: u16| record(47, &[&[0, 0][..], &id.to_le_bytes(), &[0; 12]].concat());
    let styles = [
        record(615, &2_u32.to_le_bytes()),
        format(200, "000"),
        format(201, "mm/yyyy"),
        record(616, &[]),
        record(617, &4_u32.to_le_bytes()),
        style(0),
        style(14),
        style(200),
        style(201),
        record(618, &[]),
    ];
    part("xl/styles.bin", &styles.concat());
    archive.finish().unwrap().into_inner()
}

/// The records of a small register.
pub fn register() -> Vec<u8> {
    rows(&[
        &[Cell::Text("id"), Cell::Text("expires")],
        &[Cell::Number(7.0, 2), Cell::Number(46_387.0, 1)],
        &[],
        &[Cell::Text("A1"), Cell::Number(46_784.0, 3), Cell::Blank],
    ])
}

#[tokio::test]
async fn an_xlsb_workbook_is_read_as_it_is_displayed() {
    let desk = Desk::new().await;
    let imported = desk.import(&desk.file("register.xlsb", book(&[(0, &register())])), &[]);
    assert_eq!(counts(&imported), [2, 0, 0, 0], "{imported}");
    assert_eq!(desk.certifications().await, ["007 2026-12-31 active", "A1 2028-02-29 active"]);
}

#[tokio::test]
async fn an_xlsb_cell_without_a_usable_value_rejects_its_row() {
    for (id, expires, column) in [
        (Cell::Text("1"), Cell::Error, "expires_at"),
        (Cell::Text("1"), Cell::RichText("2026-12-31"), "expires_at"),
        (Cell::Text("1"), Cell::Number(46_387.0, 0), "expires_at"),
        (Cell::Error, Cell::Text("2026-12-31"), "external_id"),
        (Cell::Number(46_387.0, 1), Cell::Text("2026-12-31"), "external_id"),
        (Cell::Number(1e16, 0), Cell::Text("2026-12-31"), "external_id"),
    ] {
        let desk = Desk::new().await;
        let data = rows(&[&[Cell::Text("id"), Cell::Text("expires")], &[id, expires]]);
        let options = ["--blank-expires", "never"];
        let imported = desk.import(&desk.file("register.xlsb", book(&[(0, &data)])), &options);
        assert_eq!(counts(&imported), [0, 0, 0, 1], "{imported}");
        assert_eq!((rejects(&imported)[0].0, rejects(&imported)[0].1.as_str()), (2, column));
    }
}

#[tokio::test]
async fn the_sheet_of_an_xlsb_workbook_is_chosen_and_damage_is_refused() {
    let desk = Desk::new().await;
    let notes = rows(&[&[Cell::Text("Notes")]]);
    let mixed = book(&[(0, &notes), (1, &register()), (0, &register())]);
    assert_eq!(counts(&desk.import(&desk.file("register.xlsb", mixed), &[])), [2, 0, 0, 0]);
    let desk = Desk::new().await;
    let short = register();
    for (sheets, code) in [
        (&[(0, &register()[..]), (0, &register())][..], "import-several-sheets"),
        (&[(2, &register())], "import-hidden"),
        (&[(0, &short[..short.len() - 1])], "import-binary"),
        (&[(0, &record(5, &[0; 3]))], "import-binary"),
        (&[(0, &[5, 0xff, 0xff, 0xff, 0x7f])], "import-binary"),
    ] {
        let said = fail(&mut desk.command(&desk.file("register.xlsb", book(sheets)), &[]), 5);
        assert!(said.contains(code), "{code}: {said}");
    }
    assert!(desk.is_empty().await);
}
