//! Workbooks written part by part, as hostile or careless programs write them (ECMA-376, part 1).

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Desk, counts, rejects};
use crate::harness::{fail, under};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

/// A workbook whose sheets are XML.
pub struct Parts {
    /// The state and the rows of each sheet.
    sheets: Vec<(&'static str, String)>,
    strings: String,
    styles: String,
}

impl Parts {
    pub fn new() -> Self {
        Self { sheets: Vec::new(), strings: "<sst xmlns='MAIN'/>".to_owned(), styles: styles(&[]) }
    }

    /// Adds a sheet; `state` is `visible`, `hidden` or `veryHidden`.
    pub fn sheet(mut self, state: &'static str, rows: impl Into<String>) -> Self {
        self.sheets.push((state, rows.into()));
        self
    }

    /// Replaces the shared strings.
    pub fn strings(mut self, part: impl Into<String>) -> Self {
        self.strings = part.into();
        self
    }

    /// Replaces the styles by one for each number format, from style 1 on.
    fn formats(mut self, codes: &[&str]) -> Self {
        self.styles = styles(codes);
        self
    }

    pub fn save(&self) -> Vec<u8> {
        self.archive(SimpleFileOptions::default())
    }

    /// The same without compression.
    fn stored(&self) -> Vec<u8> {
        self.archive(SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored))
    }

    fn archive(&self, options: SimpleFileOptions) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let mut part = |name: &str, text: &str| {
            archive.start_file(name, options).unwrap();
            archive.write_all(text.replace("MAIN", MAIN).as_bytes()).unwrap();
        };
        part(
            "[Content_Types].xml",
            &format!(
                "<Types xmlns='{PACKAGE}/content-types'><Default Extension='xml' ContentType='application/xml'/></Types>"
            ),
        );
        let relation = |id: usize, kind: &str, target: &str| {
            format!("<Relationship Id='r{id}' Type='{OFFICE}/{kind}' Target='{target}'/>")
        };
        let relations =
            |all: String| format!("<Relationships xmlns='{PACKAGE}/relationships'>{all}</Relationships>");
        part("_rels/.rels", &relations(relation(1, "officeDocument", "xl/workbook.xml")));
        let (mut listed, mut related) = (String::new(), String::new());
        for (number, (state, rows)) in (1..).zip(&self.sheets) {
            write!(listed, "<sheet name='s{number}' sheetId='{number}' state='{state}' r:id='r{number}'/>")
                .unwrap();
            related += &relation(number, "worksheet", &format!("worksheets/s{number}.xml"));
            part(
                &format!("xl/worksheets/s{number}.xml"),
                &format!("<worksheet xmlns='MAIN'><sheetData>{rows}</sheetData></worksheet>"),
            );
        }
        part(
            "xl/workbook.xml",
            &format!("<workbook xmlns='MAIN' xmlns:r='{OFFICE}'><sheets>{listed}</sheets></workbook>"),
        );
        related += &relation(901, "sharedStrings", "sharedStrings.xml");
        related += &relation(902, "styles", "styles.xml");
        part("xl/_rels/workbook.xml.rels", &relations(related));
        part("xl/sharedStrings.xml", &self.strings);
        part("xl/styles.xml", &self.styles);
        archive.finish().unwrap().into_inner()
    }
}

/// A styles part whose style 0 is plain and whose style n has the n-th number format.
fn styles(codes: &[&str]) -> String {
    let (mut formats, mut used) = (String::new(), "<xf numFmtId='0'/>".to_owned());
    for (id, code) in (200..).zip(codes) {
        let code = code.replace('"', "&quot;");
        write!(formats, "<numFmt numFmtId='{id}' formatCode=\"{code}\"/>").unwrap();
        write!(used, "<xf numFmtId='{id}' applyNumberFormat='1'/>").unwrap();
    }
    format!("<styleSheet xmlns='MAIN'><numFmts>{formats}</numFmts><cellXfs>{used}</cellXfs></styleSheet>")
}

/// A row of cells, each written as `<c …>…</c>` or as plain text.
pub fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| {
        if cell.starts_with("<c") {
            (*cell).to_owned()
        } else {
            format!("<c t='inlineStr'><is><t>{cell}</t></is></c>")
        }
    });
    format!("<row>{}</row>", cells.collect::<String>())
}

/// A workbook of two kilobytes, for whose declared size the library reserves memory.
pub fn claims_more_than_any_memory() -> Vec<u8> {
    let claim = "<sst xmlns='MAIN' uniqueCount='5000000000000'/>";
    Parts::new().sheet("visible", row(&["id", "expires"])).strings(claim).save()
}

/// A small workbook of twenty million empty cells.
pub fn takes_seconds() -> Vec<u8> {
    let cells = row(&["id", "expires"]) + "<row>" + &"<c/>".repeat(20_000_000) + "</row>";
    Parts::new().sheet("visible", cells).save()
}

#[tokio::test]
async fn a_workbook_that_takes_too_much_of_the_machine_costs_itself_only() {
    let desk = Desk::new().await;
    let config = desk.file("certvakt.toml", "[import]\nmax_memory_bytes = 67108864\n");
    let strings = format!("<sst xmlns='MAIN'>{}</sst>", "<si><t>a</t></si>".repeat(2_000_000));
    let strings = Parts::new().sheet("visible", row(&["id", "expires"])).strings(strings).save();
    for (name, workbook, code) in [
        ("a claim", claims_more_than_any_memory(), "import-too-much-memory"),
        ("many strings", strings, "import-too-much-memory"),
        ("many cells", takes_seconds(), "import-too-slow"),
    ] {
        assert!(workbook.len() < 500_000, "{name}: {} bytes", workbook.len());
        let command = desk.command(&desk.file("r.xlsx", workbook), &["--config", config.to_str().unwrap()]);
        // Limits from outside also apply to the child: here, a second of processor time.
        let seconds = if code == "import-too-slow" { "--cpu=2" } else { "--cpu=60" };
        let said = fail(&mut under("prlimit", seconds, &command), 5);
        assert!(said.contains(code), "{name}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn a_hidden_sheet_is_never_read_in_place_of_the_visible_one() {
    let rows = |id: &str| row(&["id", "expires"]) + &row(&[id, "2027-12-31"]);
    for state in ["hidden", "veryHidden"] {
        let desk = Desk::new().await;
        let workbook = Parts::new().sheet(state, rows("old")).sheet("visible", rows("new")).save();
        desk.take(workbook, &[]);
        assert_eq!(desk.certifications().await, ["new 2027-12-31 active"]);
        let said = fail(
            &mut desk.command(&desk.file("r.xlsx", Parts::new().sheet(state, rows("1")).save()), &[]),
            5,
        );
        assert!(said.contains("import-hidden") && said.contains("unhide the sheet"), "{said}");
    }
}

#[tokio::test]
async fn a_cell_without_a_usable_value_rejects_its_row_and_is_named() {
    let desk = Desk::new().await;
    let more = ["--column", "status=status", "--blank-expires", "never"];
    let good = |id: &str| row(&[id, "2027-12-31", "active"]);
    let rows = |second: &str| row(&["id", "expires", "status"]) + &good("1") + second;
    let strings = "<sst xmlns='MAIN'><si><t>2027-12-31</t></si></sst>";
    let workbook = |second: &str| Parts::new().sheet("visible", rows(second)).strings(strings).save();
    assert_eq!(counts(&desk.take(workbook(&good("2")), &more)), [2, 0, 0, 0]);
    for (expires, status, cell, because) in [
        ("<c t='e'><v>#N/A</v></c>", "active", "B3", "an error"),
        ("<c t='e'><v>#REF!</v></c>", "active", "B3", "an error"),
        ("<c t='e'><f>C1</f><v>#REF!</v></c>", "active", "B3", "an error"),
        ("<c><f>TODAY()</f></c>", "active", "B3", "a formula without a result"),
        ("<c t='str'><f>A1</f></c>", "active", "B3", "a formula without a result"),
        ("2027-12-31", "<c t='e'><v>#NAME?</v></c>", "C3", "an error"),
        ("2027-12-31", "<c><f>A1</f></c>", "C3", "a formula without a result"),
        ("<c t='e'/>", "active", "B3", "an error"),
        ("<c t='e'><v></v></c>", "active", "B3", "an error"),
        ("<c t='s'/>", "active", "B3", "no readable value"),
        ("<c t='s'><v> 0 </v></c>", "active", "B3", "no readable value"),
        ("<c t='s'><v>x</v></c>", "active", "B3", "no readable value"),
        ("<c t='inlineStr'><v>2027-12-31</v></c>", "active", "B3", "no readable value"),
        ("<c t='d'/>", "active", "B3", "no readable value"),
        ("<c t='d'><v>soon</v></c>", "active", "B3", "a date that does not exist"),
        ("<c><v></v></c>", "active", "B3", "no readable value"),
        ("2027-12-31", "<c t='e'/>", "C3", "an error"),
        ("2027-12-31", "<c t='b'/>", "C3", "no readable value"),
        ("#N/A", "active", "", "a spreadsheet error"),
        ("#VERDI!", "active", "", "a spreadsheet error"),
        ("2027-12-31", "#I/T", "", "a spreadsheet error"),
    ] {
        let imported = desk.take(workbook(&row(&["2", expires, status])), &more);
        assert_eq!(counts(&imported), [0, 0, 1, 1], "{expires} {status}");
        let (line, _, reason) = &rejects(&imported)[0];
        assert!(
            *line == 3 && reason.contains(cell) && reason.contains(because),
            "{expires} {status}: {reason}"
        );
        assert_eq!(desk.certifications().await, ["1 2027-12-31 active", "2 2027-12-31 active"]);
    }
    // A blank or missing cell is blank, and the result of a formula can be blank.
    for (id, blank) in [("3", "<c/>"), ("4", "<c t='str'><f>A1</f><v></v></c>")] {
        let imported = desk.take(workbook(&row(&[id, blank, "active"])), &more);
        assert_eq!(counts(&imported), [1, 0, 1, 0], "{blank}");
    }
}

#[tokio::test]
async fn a_cell_has_its_displayed_value() {
    let formats = [
        "mm/yyyy",
        "mmmm yyyy",
        "yyyy",
        "000",
        "\"M\"0",
        "0-00",
        "[$-414]dd.mm.yyyy",
        "#,##0",
        "00,000",
        "@",
        "dddd",
        "[h]:mm",
        "yyyy-mm-dd hh:mm",
    ];
    let desk = Desk::new().await;
    // 46,357 is 1 December 2026.
    let dated = |style: usize| format!("<c s='{style}'><v>46357</v></c>");
    let numbered = |style: usize| format!("<c s='{style}'><v>7</v></c>");
    for (id, expires, expected) in [
        ("a".to_owned(), dated(1), Some("a 2026-12-31 active")),
        ("b".to_owned(), dated(2), Some("b 2026-12-31 active")),
        ("c".to_owned(), dated(3), None),
        ("d".to_owned(), dated(7), Some("d 2026-12-01 active")),
        (numbered(4), dated(7), Some("007 2026-12-01 active")),
        (numbered(5), dated(7), None),
        (numbered(6), dated(7), None),
        (numbered(8), dated(7), Some("7 2026-12-01 active")),
        (numbered(9), dated(7), None),
        (numbered(10), dated(7), Some("7 2026-12-01 active")),
        ("e".to_owned(), dated(11), None),
        ("f".to_owned(), dated(12), None),
        // A time that the format hides is ignored; a displayed time counts.
        ("g".to_owned(), "<c s='7'><v>46357.25</v></c>".to_owned(), Some("g 2026-12-01 active")),
        ("h".to_owned(), "<c s='13'><v>46357.25</v></c>".to_owned(), Some("h 2026-12-01 active")),
        ("i".to_owned(), "<c s='1' t='d'><v>2026-12-01</v></c>".to_owned(), Some("i 2026-12-31 active")),
        ("j".to_owned(), "<c s='7'><v>60</v></c>".to_owned(), None),
        (dated(7), dated(7), None),
        ("<c s='8'><v>1234</v></c>".to_owned(), dated(7), None),
        ("<c><v>1234567890123456</v></c>".to_owned(), dated(7), None),
        ("<c><v>123456789012345</v></c>".to_owned(), dated(7), Some("123456789012345 2026-12-01 active")),
    ] {
        let rows = row(&["id", "expires"]) + &row(&[&id, &expires]);
        let imported = desk.take(Parts::new().formats(&formats).sheet("visible", rows).save(), &[]);
        let kept = desk.certifications().await;
        match expected {
            Some(expected) => assert!(kept.iter().any(|one| one == expected), "{id} {expires}: {kept:?}"),
            None => assert_eq!(counts(&imported), [0, 0, 0, 1], "{id} {expires}: {kept:?}"),
        }
    }
}

#[tokio::test]
async fn a_workbook_that_is_damaged_is_refused_whole() {
    let desk = Desk::new().await;
    let rows = row(&["id", "expires"]) + &row(&["1", "2027-12-31"]) + &row(&["2", "2027-12-31"]);
    // Stored without compression, so that a changed byte changes the date and not the checksum.
    let mut changed = Parts::new().sheet("visible", rows.as_str()).stored();
    let at = changed.windows(10).position(|bytes| bytes == b"2027-12-31").unwrap();
    changed[at + 3] = b'9';
    let unclosed = rows.replacen("</row>", "</raw>", 1);
    let entity = "<!DOCTYPE sst [<!ENTITY x 'y'>]><sst xmlns='MAIN'/>";
    for (name, workbook) in [
        ("a changed byte", changed),
        ("a tag that closes another", Parts::new().sheet("visible", unclosed).save()),
        (
            "a second root",
            Parts::new()
                .sheet("visible", rows.clone() + "</sheetData></worksheet><worksheet><sheetData>")
                .save(),
        ),
        ("cut off", Parts::new().sheet("visible", rows.as_str()).save()[..900].to_vec()),
    ] {
        let said = fail(&mut desk.command(&desk.file("r.xlsx", workbook), &[]), 5);
        assert!(said.contains("import-binary"), "{name}: {said}");
    }
    // Entities that the strings declare are never resolved.
    desk.take(Parts::new().sheet("visible", rows.as_str()).strings(entity).save(), &["--dry-run"]);
    assert!(desk.is_empty().await);
}
