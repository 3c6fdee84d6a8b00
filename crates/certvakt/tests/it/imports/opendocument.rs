//! ODS workbooks, as office and hostile programs write them (OASIS ODF 1.3, part 3).

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Desk, counts, rejects};
use crate::harness::fail;

const SPACES: &str = "xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' \
    xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' \
    xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' \
    xmlns:style='urn:oasis:names:tc:opendocument:xmlns:style:1.0' \
    xmlns:calcext='urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0'";

/// A workbook of sheets, each with its visibility and its rows.
pub fn book(sheets: &[(bool, &str)]) -> Vec<u8> {
    let mut tables = String::new();
    for (number, (is_visible, rows)) in (1..).zip(sheets) {
        let style = if *is_visible { "ta1" } else { "ta2" };
        write!(
            tables,
            "<table:table table:name='s{number}' table:style-name='{style}'><table:table-column table:number-columns-repeated='16384'/>{rows}</table:table>"
        )
        .unwrap();
    }
    let styles = [("ta1", true), ("ta2", false)].map(|(name, is_shown)| {
        format!("<style:style style:name='{name}' style:family='table'><style:table-properties table:display='{is_shown}'/></style:style>")
    });
    content(&format!(
        "<office:document-content {SPACES}><office:automatic-styles>{}</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
        styles.concat()
    ))
}

fn content(xml: &str) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", xml)]
    {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A row of cells, each written as `<table:table-cell …>` or as plain text.
pub fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| {
        if cell.starts_with('<') {
            (*cell).to_owned()
        } else {
            format!("<table:table-cell office:value-type='string'><text:p>{cell}</text:p></table:table-cell>")
        }
    });
    format!("<table:table-row>{}</table:table-row>", cells.collect::<String>())
}

fn cell(attributes: &str, text: &str) -> String {
    format!("<table:table-cell {attributes}>{text}</table:table-cell>")
}

fn date(value: &str, shown: &str) -> String {
    cell(
        &format!("office:value-type='date' office:date-value='{value}'"),
        &format!("<text:p>{shown}</text:p>"),
    )
}

fn float(value: &str, shown: &str) -> String {
    cell(&format!("office:value-type='float' office:value='{value}'"), &format!("<text:p>{shown}</text:p>"))
}

#[tokio::test]
async fn an_ods_workbook_is_read_as_it_is_displayed() {
    let desk = Desk::new().await;
    let note = "<office:annotation><text:p>9</text:p></office:annotation>";
    let rows = [
        row(&["Members"]),
        "<table:table-row table:number-rows-repeated='2'><table:table-cell table:number-columns-repeated='16384'/></table:table-row>".to_owned(),
        format!("<table:table-header-rows>{}</table:table-header-rows>", row(&["id", "expires", "name"])),
        row(&[&float("7", "007"), &date("2026-12-31", "31.12.2026"), "Åse<text:s text:c='1'/><text:span>Øde</text:span>gård"]),
        row(&[&cell("office:value-type='string'", &format!("{note}<text:p>A&amp;1</text:p>")), "02/2028"]),
        row(&[&float("11", "11"), &date("2026-06-30T00:00:00", "tirsdag 30. juni 26")]),
        row(&["<table:table-cell/>", "<table:covered-table-cell/>", "<table:table-cell/>"]),
        row(&[&float("12", "12"), &date("2026-12-31T13:45:00", "31.12.26 13:45")]),
        "<table:table-row table:number-rows-repeated='1048000'><table:table-cell table:number-columns-repeated='16384'/></table:table-row>".to_owned(),
    ];
    let file = desk.file("register.ods", book(&[(true, &rows.concat())]));
    let imported = desk.import(&file, &["--column", "name=name"]);
    assert_eq!(counts(&imported), [4, 0, 0, 0], "{imported}");
    assert_eq!(
        desk.certifications().await,
        [
            "007 2026-12-31 active Åse Ødegård",
            "11 2026-06-30 active",
            "12 2026-12-31 active",
            "A&1 2028-02-29 active"
        ]
    );
}

#[tokio::test]
async fn an_ods_cell_without_a_usable_value_rejects_its_row() {
    let good = date("2026-12-31", "31.12.2026");
    let error = cell(
        "table:formula='of:=NA()' office:value-type='string' calcext:value-type='error'",
        "<text:p>#N/A</text:p>",
    );
    for (id, expires, column) in [
        (float("1234567", "1,23E+06"), good.clone(), "external_id"),
        (float("1000", "1 000"), good.clone(), "external_id"),
        (float("1e16", "10000000000000000"), good.clone(), "external_id"),
        (
            cell("office:value-type='percentage' office:value='0.07'", "<text:p>7 %</text:p>"),
            good.clone(),
            "external_id",
        ),
        (date("2026-01-07", "07.01.2026"), good.clone(), "external_id"),
        (error.clone(), good, "external_id"),
        ("1".to_owned(), error, "expires_at"),
        ("1".to_owned(), date("2026-12-01", "12/2026"), "expires_at"),
        ("1".to_owned(), date("2026-12-31", "31.12.2569"), "expires_at"),
        ("1".to_owned(), date("2026-02-30", "30.02.2026"), "expires_at"),
        ("1".to_owned(), cell("table:formula='of:=[.B9]'", ""), "expires_at"),
        ("1".to_owned(), float("46387", "46387"), "expires_at"),
    ] {
        let desk = Desk::new().await;
        let rows = row(&["id", "expires"]) + &row(&[&id, &expires]);
        let imported = desk.import(&desk.file("register.ods", book(&[(true, &rows)])), &[]);
        assert_eq!(counts(&imported), [0, 0, 0, 1], "{id} {expires}");
        assert_eq!(
            (rejects(&imported)[0].0, rejects(&imported)[0].1.as_str()),
            (2, column),
            "{id} {expires}"
        );
    }
}

#[tokio::test]
async fn the_sheet_of_an_ods_workbook_is_chosen() {
    let table = row(&["id", "expires"]) + &row(&["1", "2026-12-31"]);
    let other = row(&["id", "expires"]) + &row(&["2", "2026-12-31"]);
    let notes = row(&["Notes"]);
    for (sheets, more, expected) in [
        (&[(true, &notes), (false, &other), (true, &table)][..], &[][..], "1"),
        (&[(true, &table), (true, &other)], &["--sheet", "s2"], "2"),
    ] {
        let desk = Desk::new().await;
        let sheets: Vec<(bool, &str)> = sheets.iter().map(|(shown, rows)| (*shown, rows.as_str())).collect();
        let imported = desk.import(&desk.file("register.ods", book(&sheets)), more);
        assert_eq!(counts(&imported), [1, 0, 0, 0]);
        assert_eq!(desk.certifications().await, [format!("{expected} 2026-12-31 active")]);
    }
    let desk = Desk::new().await;
    for (sheets, code) in [
        (&[(true, table.as_str()), (true, other.as_str())][..], "import-several-sheets"),
        (&[(false, table.as_str())], "import-hidden"),
    ] {
        let said = fail(&mut desk.command(&desk.file("register.ods", book(sheets)), &[]), 5);
        assert!(said.contains(code), "{said}");
    }
}

#[tokio::test]
async fn a_hostile_ods_workbook_costs_itself_only() {
    let desk = Desk::new().await;
    let config =
        desk.file("certvakt.toml", "[import]\nmax_xlsx_bytes = 1000000\nmax_memory_bytes = 134217728\n");
    let config = config.to_str().unwrap();
    let header = row(&["id", "expires"]);
    let many = |rows: &str, columns: &str| {
        format!(
            "{header}<table:table-row table:number-rows-repeated='{rows}'><table:table-cell office:value-type='string' table:number-columns-repeated='{columns}'><text:p>x</text:p></table:table-cell></table:table-row>"
        )
    };
    let whole = |tables: &str| {
        format!(
            "<office:document-content {SPACES}><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
        )
    };
    for (case, file, code) in [
        ("rows", book(&[(true, &many("4294967295", "2"))]), "import-too-much-memory"),
        ("columns", book(&[(true, &many("1", "4294967295"))]), "import-row-too-long"),
        ("no number", book(&[(true, &many("-1", "2"))]), "import-binary"),
        ("a bomb", book(&[(true, &(header.clone() + &" ".repeat(25_000_000)))]), "import-too-large"),
        (
            "deep",
            book(&[(
                true,
                &format!(
                    "{header}{}{}",
                    "<table:table-row-group>".repeat(100_000),
                    "</table:table-row-group>".repeat(100_000)
                ),
            )]),
            "import-binary",
        ),
        ("entities", content(&format!("<!DOCTYPE x [<!ENTITY x 'y'>]>{}", whole(""))), "import-binary"),
        (
            "cut off",
            content(&whole("<table:table table:name='a'>").replace("</office:spreadsheet>", "")),
            "import-binary",
        ),
        ("no sheet", content(&whole("")), "import-binary"),
    ] {
        let file = desk.file("register.ods", file);
        let said = fail(&mut desk.command(&file, &["--config", config]), 5);
        assert!(said.contains(code), "{case}: {said}");
    }
    // Cells and rows without a value cost nothing.
    let empty = "<table:table-row table:number-rows-repeated='4294967295'><table:table-cell table:number-columns-repeated='4294967295'/></table:table-row>";
    let rows = header + &empty.repeat(100) + &row(&["1", "2026-12-31"]);
    let imported = desk.import(&desk.file("register.ods", book(&[(true, &rows)])), &["--config", config]);
    assert_eq!(counts(&imported), [1, 0, 0, 0]);
    let cells = "<table:table-cell/>".repeat(1_000_000);
    let rows = row(&["id", "expires"])
        + &format!("<table:table-row>{cells}</table:table-row>")
        + &row(&["1", "2026-12-31"]);
    assert_eq!(counts(&desk.import(&desk.file("register.ods", book(&[(true, &rows)])), &[])), [0, 0, 1, 0]);
}
