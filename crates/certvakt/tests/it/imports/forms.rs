//! The formats of registers, and files that are not registers.

use std::fs;
use std::io::{BufWriter, Write};
use std::process::Command;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::{Desk, counts, rejects};
use crate::harness::{fail, on_terminal, succeed, under};

#[tokio::test]
async fn every_encoding_and_separator_gives_the_same_people() {
    let rows = "id,expires,name\n1,31.12.2026,Åse Ødegård\n2,2026-06-30,Bjørn Æsøy\n";
    let wide = |text: &str| -> Vec<u8> {
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let windows: Vec<u8> = rows.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    for (form, contents) in [
        ("utf-8", rows.as_bytes().to_vec()),
        ("utf-8 with a mark", [b"\xef\xbb\xbf", rows.as_bytes()].concat()),
        ("windows-1252", windows),
        ("utf-16", wide(rows)),
        ("utf-16 with carriage returns", wide(&rows.replace('\n', "\r\n"))),
        ("semicolons", rows.replace(',', ";").into_bytes()),
        ("tabs", rows.replace(',', "\t").into_bytes()),
        ("carriage returns", rows.replace('\n', "\r\n").into_bytes()),
        ("carriage returns alone", rows.replace('\n', "\r").into_bytes()),
        ("no last line end", rows.trim_end().as_bytes().to_vec()),
        ("quoted", rows.replace("Åse Ødegård", "\"Åse Ødegård\"").into_bytes()),
        ("blank lines", rows.replace("\n2", "\n\n\n2").into_bytes()),
    ] {
        let desk = Desk::new().await;
        assert_eq!(counts(&desk.take(contents, &["--column", "name=name"])), [2, 0, 0, 0], "{form}");
        assert_eq!(
            desk.certifications().await,
            ["1 2026-12-31 active Åse Ødegård", "2 2026-06-30 active Bjørn Æsøy"],
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_workbook_is_read_as_its_export_would_be() {
    let desk = Desk::new().await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let date = Format::new().set_num_format("dd.mm.yyyy");
    for (column, heading) in ["id", "expires", "name"].into_iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), heading).unwrap();
    }
    sheet.write(1, 0, 1001).unwrap();
    sheet.write_with_format(1, 1, ExcelDateTime::from_ymd(2026, 12, 31).unwrap(), &date).unwrap();
    sheet.write(1, 2, "Åse Ødegård").unwrap();
    // An empty row, a date as text, and an invalid date.
    sheet.write(3, 0, "1002").unwrap();
    sheet.write(3, 1, "02/2028").unwrap();
    sheet.write(4, 0, "1003").unwrap();
    sheet.write(4, 1, "soon").unwrap();
    let path = desk.folder.path().join("register.xlsx");
    workbook.save(&path).unwrap();

    let imported = desk.import(&path, &["--column", "name=name"]);
    assert_eq!(counts(&imported), [2, 0, 0, 1]);
    assert_eq!((rejects(&imported)[0].0, rejects(&imported)[0].1.as_str()), (5, "expires_at"));
    assert_eq!(desk.certifications().await, ["1001 2026-12-31 active Åse Ødegård", "1002 2028-02-29 active"]);
    assert_eq!(counts(&desk.import(&path, &["--column", "name=name"])), [0, 0, 2, 1]);

    let config = desk.file("certvakt.toml", "[import]\nmax_xlsx_bytes = 1000\n");
    let said = fail(&mut desk.command(&path, &["--config", config.to_str().unwrap()]), 5);
    assert!(said.contains("import-too-large") && said.contains("export it as CSV"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_a_register_is_refused_with_a_reason() {
    let desk = Desk::new().await;
    // Replaces each bar with one letter in Windows-1252.
    let mixed =
        |text: &str| text.bytes().map(|byte| if byte == b'|' { 0xf8 } else { byte }).collect::<Vec<u8>>();
    let zip = b"PK\x03\x04 and no more";
    let quote = format!("id,expires\n1,2026-12-31\n2,\"2026-12-31\n{}", "x\n".repeat(1_000_000));
    for (name, contents, status, code, hint) in [
        ("binary.csv", b"id,expires\n\x00\x01\x02".to_vec(), 5, "import-binary", "CSV"),
        ("zip.xlsx", zip.to_vec(), 5, "import-binary", "CSV"),
        ("empty.csv", Vec::new(), 5, "import-empty", "first row"),
        ("blank.csv", b"\n\n\n".to_vec(), 5, "import-empty", "first row"),
        ("columns.csv", b"id,expiry\n1,2026-12-31\n".to_vec(), 2, "import-unknown-column", "'expiry'"),
        ("far.csv", b"id,other\n1,2026-12-31\n".to_vec(), 2, "import-unknown-column", "id, other"),
        ("twice.csv", b"id,expires,expires\n1,2026-12-31,\n".to_vec(), 2, "import-unknown-column", "twice"),
        (
            "open.csv",
            b"id,expires,note\n1,2026-12-31,\"a\n2,2026-12-31,b\n".to_vec(),
            5,
            "import-unclosed-quote",
            "line 2",
        ),
        (
            "shifted.csv",
            b"id,expires,note\n1,2026-12-31,\"a\n2,2026-12-31,\"b\"\n".to_vec(),
            5,
            "import-unclosed-quote",
            "line 2",
        ),
        ("quote.csv", quote.into_bytes(), 5, "import-row-too-long", "line 3"),
        (
            "mixed.csv",
            mixed("id,expires,name\n1,2026-12-31,Åse\n2,2026-12-31,B|rn\n"),
            5,
            "import-mixed-encodings",
            "line 3",
        ),
        (
            "stray.csv",
            mixed("id,expires,name\n1,2026-12-31,B||rn\n2,2026-12-31,Åse\n"),
            5,
            "import-mixed-encodings",
            "line 3",
        ),
        (
            "marked.csv",
            mixed("\u{feff}id,expires,name\n1,2026-12-31,B|rn\n"),
            5,
            "import-mixed-encodings",
            "line ",
        ),
    ] {
        let said = fail(&mut desk.command(&desk.file(name, contents), &[]), status);
        assert!(said.contains(code) && said.contains(hint), "{name}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn a_path_or_an_option_that_does_not_fit_is_refused_with_a_reason() {
    let desk = Desk::new().await;
    let pipe = desk.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(fail(&mut desk.command(&pipe, &[]), 5).contains("it is not a regular file"));
    let absent = desk.folder.path().join("absent.csv");
    assert!(fail(&mut desk.command(&absent, &[]), 5).contains("import-unreadable"));
    assert!(fail(&mut desk.command(desk.folder.path(), &[]), 5).contains("import-unreadable"));
    let fine = desk.file("fine.csv", "id,expires\n1,2026-12-31\n");
    let said = fail(&mut desk.command(&fine, &["--rejects", fine.to_str().unwrap()]), 2);
    assert!(said.contains("import-rejects"), "{said}");
    assert_eq!(fs::read_to_string(&fine).unwrap(), "id,expires\n1,2026-12-31\n", "the register is whole");
    let said = fail(&mut desk.command(&fine, &["--column", "external_id=expires"]), 2);
    assert!(said.contains("import-field-twice"), "{said}");
    let said = fail(&mut desk.command(&fine, &["--column", "names=id"]), 2);
    assert!(said.contains("did you mean 'name'"), "{said}");
    for (flag, wrong, near) in [
        ("--organisation", "orgg", "'org'"),
        ("--chapter", "chaptr", "'chapter'"),
        ("--type", "types", "'type'"),
    ] {
        let mut arguments = vec!["import", fine.to_str().unwrap()];
        for (name, value) in [("--organisation", "org"), ("--chapter", "chapter"), ("--type", "type")] {
            arguments.extend([name, if name == flag { wrong } else { value }]);
        }
        arguments.extend(["--column", "external_id=id", "expires_at=expires"]);
        let said = fail(&mut desk.database.certvakt(arguments), 2);
        assert!(said.contains("unknown-name") && said.contains(near), "{said}");
    }
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn a_line_of_200_mb_ends_the_import_before_it_fills_the_memory() {
    let desk = Desk::new().await;
    let path = desk.folder.path().join("long.csv");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    file.write_all(b"id,expires\n1,2026-12-31\n2,").unwrap();
    let megabyte = vec![b'x'; 1024 * 1024];
    for _ in 0..200 {
        file.write_all(&megabyte).unwrap();
    }
    file.flush().unwrap();
    // 256 MB of address space for heap and stacks together: the line alone would not fit twice.
    let mut limited = under("prlimit", "--data=268435456", &desk.command(&path, &[]));
    let said = fail(&mut limited, 5);
    assert!(said.contains("import-row-too-long") && said.contains("line 3"), "{said}");
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn quotation_marks_inside_a_field_are_letters_and_joined_rows_are_rejected() {
    let desk = Desk::new().await;
    // More than the limit of a row, if the first quotation mark opened a field.
    let rows: Vec<String> = (0..60_000).map(|number| format!("{number},2026-12-31,5\" pipe")).collect();
    let imported = desk.take(format!("id,expires,note\n{}\n", rows.join("\n")), &["--dry-run"]);
    assert_eq!(counts(&imported), [60_000, 0, 0, 0]);
    // Separators that end every row, and a blank line before a short one.
    let imported = desk.take("id,expires,note\n1,2026-12-31,,\n\n2,2026-12-31\n", &["--dry-run"]);
    assert_eq!(counts(&imported), [2, 0, 0, 0]);
    // A note over two lines, and one whose quotation mark absorbs the start of the next row.
    let register = "id,expires,note,more\n1,2026-12-31,\"two\nlines\",x\n2,2026-12-31,\"a\n3,2026-12-31,b\"\n4,2026-12-31,a,b,c\n";
    let imported = desk.take(register, &[]);
    assert_eq!(counts(&imported), [1, 0, 0, 2]);
    let found = rejects(&imported);
    assert_eq!((found[0].0, found[0].1.as_str(), found[1].0), (4, "row", 6));
    let said = succeed(&mut desk.command(&desk.file("r.csv", register), &["--dry-run"]));
    assert!(said.contains("the other rows would be imported"), "{said}");
}

#[tokio::test]
async fn a_workbook_that_declares_a_billion_columns_is_still_read() {
    let desk = Desk::new().await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, cells) in [["id", "expires"], ["1", "2026-12-31"]].into_iter().enumerate() {
        for (column, text) in cells.into_iter().enumerate() {
            sheet.write(u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), text).unwrap();
        }
    }
    sheet.write(1_048_575, 16_383, "far away").unwrap();
    let path = desk.folder.path().join("far.xlsx");
    workbook.save(&path).unwrap();
    let imported = desk.import(&path, &[]);
    assert_eq!(counts(&imported), [1, 0, 0, 1]);
    assert_eq!(rejects(&imported)[0].0, 1_048_576);
}

#[tokio::test]
async fn memory_does_not_grow_with_the_file() {
    let desk = Desk::new().await;
    let mut peaks = Vec::new();
    let note = "x".repeat(400);
    for number_of_rows in [1_000, 60_000] {
        let rows: Vec<String> =
            (0..number_of_rows).map(|number| format!("{number},2026-12-31,{note}\n")).collect();
        let register = desk.file("register.csv", format!("id,expires,note\n{}", rows.concat()));
        let mut command = desk.command(&register, &["--dry-run"]);
        // The whole file has been read and sent when it waits here.
        let blocked = desk.database.blocked_at("public.peer_mentor_certifications", &mut command).await;
        peaks.push(blocked.peak_memory());
        blocked.resume().await;
    }
    // The second file is 24 MB larger.
    assert!(peaks[1] < peaks[0] + 8 * 1024, "KiB: {peaks:?}");
}

#[tokio::test]
async fn progress_shows_on_a_terminal_only() {
    let desk = Desk::new().await;
    let rows = (0..10_000).map(|number| format!("{number},2026-12-31\n")).collect::<Vec<_>>().concat();
    let register = desk.file("register.csv", format!("id,expires\n{rows}"));
    let shown = succeed(&mut on_terminal(80, &desk.command(&register, &["--dry-run"])));
    assert!(shown.contains("reading") && shown.contains('%'), "{shown}");
    let output = desk.command(&register, &["--dry-run"]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
