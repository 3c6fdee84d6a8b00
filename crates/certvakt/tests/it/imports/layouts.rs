//! Where the table is in a register's file, and how a text file is written.

use super::workbooks::{Parts, row};
use super::{Desk, counts, rejects};
use crate::harness::fail;

const ROWS: &str = "id,expires,name\n1,2026-12-31,Åse Ødegård\n2,2026-06-30,Bjørn Æsøy\n";

fn wide(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[tokio::test]
async fn a_text_file_is_read_as_it_is_written() {
    let with = |separator: &str| ROWS.replace(',', separator).into_bytes();
    let mac: Vec<u8> = ROWS
        .chars()
        .map(|char| match char {
            'Å' => 0x81,
            'Ø' => 0xaf,
            'å' => 0x8c,
            'ø' => 0xbf,
            'Æ' => 0xae,
            char => u8::try_from(u32::from(char)).unwrap(),
        })
        .collect();
    let numbered = "id;x\n".to_owned() + ROWS;
    for (form, contents, more) in [
        ("bars", with("|"), &[][..]),
        ("carets", with("^"), &[]),
        ("tildes", with("~"), &[]),
        ("colons", with(":"), &[]),
        ("a given separator", with("*"), &["--separator", "*"]),
        ("a given tab", with("\t"), &["--separator", "tab"]),
        ("a control character", with("\u{1f}"), &["--separator", "\u{1f}"]),
        ("sep", [b"sep=;\r\n".to_vec(), with(";")].concat(), &[]),
        ("sep of an unusual separator", [b"sep=!\n".to_vec(), with("!")].concat(), &[]),
        ("sep in quotes", [b"\"sep=;\"\n".to_vec(), with(";")].concat(), &[]),
        ("sep as a row", [b"sep=;;;\n".to_vec(), with(";")].concat(), &[]),
        ("sep after a mark", [b"\xef\xbb\xbfSEP=|\n".to_vec(), with("|")].concat(), &[]),
        ("utf-16le", wide(ROWS, u16::to_le_bytes), &[]),
        ("utf-16be", wide(ROWS, u16::to_be_bytes), &[]),
        ("utf-16be with a mark", wide(&format!("\u{feff}{ROWS}"), u16::to_be_bytes), &[]),
        ("utf-16le with sep", wide(&format!("sep=,\n{ROWS}"), u16::to_le_bytes), &[]),
        ("given utf-16le", wide(ROWS, u16::to_le_bytes), &["--encoding", "utf-16le"]),
        ("macintosh", mac, &["--encoding", "macintosh"]),
        (
            "titles",
            format!("Medlemsregister; 2026\n\n# from the database, at night\n{ROWS}").into_bytes(),
            &[],
        ),
        ("titles as wide as the table", format!("a,b,c\n,,\n{ROWS}").into_bytes(), &[]),
        ("the twentieth row", ("title\n".repeat(19) + ROWS).into_bytes(), &[]),
        ("a given header", ("title\n".repeat(30) + ROWS).into_bytes(), &["--header-row", "31"]),
        ("a part of the header before it", numbered.into_bytes(), &[]),
    ] {
        let desk = Desk::new().await;
        let imported = desk.take(contents, &[&["--column", "name=name"], more].concat());
        assert_eq!(counts(&imported), [2, 0, 0, 0], "{form}: {imported}");
        assert_eq!(
            desk.certifications().await,
            ["1 2026-12-31 active Åse Ødegård", "2 2026-06-30 active Bjørn Æsøy"],
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_reject_names_its_line_after_titles() {
    let desk = Desk::new().await;
    let imported = desk.take("sep=|\nRegister\n\nid|expires\n1|2026-12-31\n2|30.02.2026\n", &[]);
    assert_eq!(counts(&imported), [1, 0, 0, 1]);
    assert_eq!((rejects(&imported)[0].0, rejects(&imported)[0].1.as_str()), (6, "expires_at"));
}

#[tokio::test]
async fn a_layout_that_does_not_fit_says_what_to_do() {
    let desk = Desk::new().await;
    let late = desk.file("late.csv", "title\n".repeat(20) + "id,expires\n1,2026-12-31\n");
    let short = desk.file("short.csv", "id,expires\n1,2026-12-31\n");
    let typo = desk.file("typo.csv", "Register 2026\nid;expire\n1;2026-12-31\n");
    for (file, more, code, hint) in [
        (&late, &[][..], "import-unknown-column", "it has title"),
        (&typo, &[], "import-unknown-column", "did you mean 'expire'?"),
        (&short, &["--header-row", "9"], "import-no-header", "line 9"),
        (&short, &["--sheet", "1"], "import-unknown-sheet", "leave out --sheet"),
    ] {
        let said = fail(&mut desk.command(file, more), if code == "import-unknown-column" { 2 } else { 5 });
        assert!(said.contains(code) && said.contains(hint), "{said}");
    }
    for more in [
        ["--separator", ";;"],
        ["--separator", "\""],
        ["--separator", "æ"],
        ["--encoding", "ebcdic"],
        ["--header-row", "0"],
    ] {
        fail(&mut desk.command(&short, &more), 2);
    }
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn the_sheet_with_the_columns_is_read() {
    let table = row(&["id", "expires"]) + &row(&["1", "2026-12-31"]);
    let other = row(&["id", "expires"]) + &row(&["2", "2026-12-31"]);
    let notes = row(&["About this register"]) + &row(&["id"]);
    let titled = row(&["Members"]) + &table;
    for (case, sheets, more, expected) in [
        ("the first", &[("visible", &table), ("visible", &notes)][..], &[][..], "1"),
        ("behind notes", &[("visible", &notes), ("visible", &titled)], &[], "1"),
        ("a hidden one does not count", &[("hidden", &other), ("visible", &table)], &[], "1"),
        ("by name", &[("visible", &table), ("visible", &other)], &["--sheet", "s2"], "2"),
        ("by number", &[("visible", &table), ("visible", &other)], &["--sheet", "2"], "2"),
        ("a hidden one by name", &[("hidden", &other), ("visible", &table)], &["--sheet", "s1"], "2"),
        ("a given header", &[("visible", &titled)], &["--header-row", "2"], "1"),
    ] {
        let desk = Desk::new().await;
        let book = sheets.iter().fold(Parts::new(), |book, (state, rows)| book.sheet(state, rows.as_str()));
        let imported = desk.import(&desk.file("register.xlsx", book.save()), more);
        assert_eq!(counts(&imported), [1, 0, 0, 0], "{case}: {imported}");
        assert_eq!(desk.certifications().await, [format!("{expected} 2026-12-31 active")], "{case}");
    }
    let desk = Desk::new().await;
    let both = Parts::new().sheet("visible", table.as_str()).sheet("visible", other.as_str()).save();
    let both = desk.file("register.xlsx", both);
    let said = fail(&mut desk.command(&both, &[]), 5);
    assert!(
        said.contains("import-several-sheets") && said.contains("s1, s2") && said.contains("--sheet"),
        "{said}"
    );
    let said = fail(&mut desk.command(&both, &["--sheet", "s3"]), 5);
    assert!(said.contains("import-unknown-sheet") && said.contains("s1, s2"), "{said}");
    assert!(desk.is_empty().await);
}
