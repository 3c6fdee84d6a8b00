//! Registers as they come: every encoding and form, every row accounted for, nothing taken twice.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{TestDatabase, fail, succeed};

/// A database with an organisation, and a folder for registers.
struct Desk {
    database: TestDatabase,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let database = TestDatabase::rehearsal().await;
        database.with_organisation();
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// `import` of a file whose columns are `id` and `expires`, and what else is given.
    fn command(&self, file: &Path, more: &[&str]) -> Command {
        let mut command = self.database.certvakt([
            "import",
            file.to_str().unwrap(),
            "--organisation",
            "org",
            "--chapter",
            "chapter",
            "--type",
            "type",
            "--column",
            "external_id=id",
            "--column",
            "expires_at=expires",
        ]);
        command.args(more);
        command
    }

    fn import(&self, file: &Path, more: &[&str]) -> Value {
        let output = succeed(self.command(file, more).args(["--output", "json"]));
        let imported: Value = serde_json::from_str(&output).unwrap();
        let number = |name: &str| imported[name].as_i64().unwrap();
        assert_eq!(
            number("read"),
            number("added") + number("updated") + number("unchanged") + number("rejected"),
            "{imported}"
        );
        imported
    }

    fn take(&self, contents: impl AsRef<[u8]>, more: &[&str]) -> Value {
        self.import(&self.file("register.csv", contents), more)
    }

    /// Every certification: its id, its last valid day in Oslo, status and mentor's name.
    async fn certifications(&self) -> Vec<String> {
        let rows: Option<String> = self
            .database
            .value(
                "select string_agg(concat_ws(' ', c.external_id,
                   coalesce((c.expires_at at time zone 'Europe/Oslo')::date::text, 'never'), c.status, p.name), e'\\n'
                   order by c.external_id)
                 from public.peer_mentor_certifications c join certvakt.people p on p.id = c.peer_mentor_id",
            )
            .await;
        rows.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    async fn is_empty(&self) -> bool {
        self.database
            .value(
                "select not exists (select from public.peer_mentor_certifications)
                   and not exists (select from certvakt.people) and not exists (select from certvakt.imports)",
            )
            .await
    }
}

fn counts(imported: &Value) -> [i64; 4] {
    ["added", "updated", "unchanged", "rejected"].map(|name| imported[name].as_i64().unwrap())
}

/// Line, column and the reason's beginning of each reject.
fn rejects(imported: &Value) -> Vec<(i64, String, String)> {
    let list = imported["rejects"].as_array().unwrap();
    list.iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (one["line"].as_i64().unwrap(), text("column"), text("reason"))
        })
        .collect()
}

#[tokio::test]
async fn every_encoding_and_separator_gives_the_same_people() {
    let rows = "id,expires,name\n1,31.12.2026,Åse Ødegård\n2,2026-06-30,Bjørn Æsøy\n";
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(rows.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let windows: Vec<u8> = rows.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    for (form, contents) in [
        ("utf-8", rows.as_bytes().to_vec()),
        ("utf-8 with a mark", [b"\xef\xbb\xbf", rows.as_bytes()].concat()),
        ("windows-1252", windows),
        ("utf-16", wide),
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
    // A row left empty, a date written as text, one that is none.
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
async fn rows_that_cannot_be_taken_say_why_and_the_others_are_taken() {
    let desk = Desk::new().await;
    let rejected = desk.folder.path().join("rejected.csv");
    let register = [
        "id,expires,issued,mail,name",
        "1,2026-12-31,2024-12-31,a@example.org,Åse",
        ",2026-12-31,,,no id",
        "3,,,,no date",
        "4,01/02/2026,,,two days",
        "5,2026-12-31,2027-01-01,,issued after the end",
        "6,2026-12-31,,nobody,no mail address",
        "7,2026-12-31,,,01017000027",
        "1,2027-12-31,,,twice",
        "9,2026-12-31",
        "10,30.02.2026,,,no such day",
    ]
    .join("\n");
    let more = [
        "--column",
        "issued_at=issued",
        "--column",
        "email=mail",
        "--column",
        "name=name",
        "--rejects",
        rejected.to_str().unwrap(),
    ];
    let number = national_number();
    let imported = desk.take(register.replace("01017000027", &number), &more);
    assert_eq!(counts(&imported), [2, 0, 0, 8]);
    let found = rejects(&imported);
    for ((line, column, reason), (at, field, because)) in found.iter().zip([
        (3, "external_id", "blank"),
        (4, "expires_at", "--blank-expires"),
        (5, "expires_at", "--date-format"),
        (6, "expires_at", "before the day of issue"),
        (7, "email", "no mail address"),
        (8, "name", "national identity number"),
        (9, "external_id", "given twice, first in line 2"),
        (11, "expires_at", "no date"),
    ]) {
        assert_eq!((*line, column.as_str()), (at, field));
        assert!(reason.contains(because), "line {line}: {reason}");
    }
    let written = fs::read_to_string(&rejected).unwrap();
    assert_eq!(written.lines().next(), Some("line,column,reason,external_id"));
    assert_eq!(written.lines().count(), 9);
    assert!(!written.contains(&number), "nobody's number is kept");
    assert_eq!(desk.certifications().await, ["1 2026-12-31 active Åse", "9 2026-12-31 active"]);
    // The same again: nothing changes, the same rows are rejected.
    assert_eq!(counts(&desk.take(register.replace("01017000027", &number), &more)), [0, 0, 2, 8]);
}

/// A valid national identity number of nobody: a synthetic one, its month moved by 80.
fn national_number() -> String {
    let weights = [[3, 7, 6, 1, 8, 9, 4, 5, 2, 1, 0], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]];
    (0..100_000)
        .map(|tail| format!("018170{tail:05}"))
        .find(|number| {
            weights.iter().all(|weights| {
                let digits = number.bytes().map(|digit| u32::from(digit - b'0'));
                weights.iter().zip(digits).map(|(weight, digit)| weight * digit).sum::<u32>() % 11 == 0
            })
        })
        .unwrap()
}

#[tokio::test]
async fn ambiguous_dates_need_a_form_and_a_month_means_its_last_day() {
    let desk = Desk::new().await;
    let register = "id,expires\n1,01/02/2027\n2,02/2028\n";
    assert_eq!(counts(&desk.take(register, &[])), [1, 0, 0, 1]);
    assert_eq!(counts(&desk.take(register, &["--date-format", "MM/DD/YYYY"])), [1, 0, 1, 0]);
    assert_eq!(desk.certifications().await, ["1 2027-01-02 active", "2 2028-02-29 active"]);
    let said = fail(&mut desk.command(&desk.file("r.csv", register), &["--date-format", "D.M.Y"]), 2);
    assert!(said.contains("YYYY"), "{said}");
}

#[tokio::test]
async fn a_register_that_comes_again_renews_and_corrects() {
    let desk = Desk::new().await;
    let first = "id,expires\n1,2026-12-31\n2,2026-12-31\n3,2026-12-31\n";
    let second = "id,expires\n1,2028-12-31\n2,2026-11-30\n3,2026-12-31\n";
    assert_eq!(counts(&desk.take(first, &[])), [3, 0, 0, 0]);
    assert_eq!(counts(&desk.take(first, &[])), [0, 0, 3, 0]);

    let dry = desk.take(second, &["--dry-run"]);
    assert_eq!((&dry["renewed"], &dry["corrected"]), (&json!(1), &json!(1)));
    assert_eq!(desk.certifications().await[0], "1 2026-12-31 active", "a dry run changes nothing");
    let dry = desk.take(second, &["--dry-run", "--dates-are", "corrections"]);
    assert_eq!((&dry["renewed"], &dry["corrected"]), (&json!(0), &json!(2)));

    let imported = desk.take(second, &[]);
    assert_eq!(counts(&imported), [0, 2, 1, 0]);
    let kinds: String = desk
        .database
        .value(
            "select string_agg(c.external_id || ' ' || k.kind, ', ' order by c.external_id)
             from certvakt.certification_changes k join public.peer_mentor_certifications c on c.id = k.certification_id
             where k.kind <> 'recorded'",
        )
        .await;
    assert_eq!(kinds, "1 renewed, 2 corrected");
}

#[tokio::test]
async fn an_expired_certification_is_active_again_once_renewed() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2026-06-14\n", &[]);
    desk.database.run("2026-06-15");
    assert_eq!(desk.certifications().await, ["1 2026-06-14 expired"]);
    desk.take("id,expires\n1,2026-06-14\n", &[]);
    assert_eq!(desk.certifications().await, ["1 2026-06-14 expired"], "the same register revives nobody");
    desk.take("id,expires\n1,2028-06-14\n", &[]);
    assert_eq!(desk.certifications().await, ["1 2028-06-14 active"]);
}

#[tokio::test]
async fn a_status_column_suspends_and_reinstates() {
    let desk = Desk::new().await;
    let status = ["--column", "status=status", "--active-status", "ACTIVE"];
    desk.take("id,expires,status\n1,2026-12-31,Active\n2,2026-12-31,REVOKED\n3,,REVOKED\n", &status);
    assert_eq!(
        desk.certifications().await,
        ["1 2026-12-31 active", "2 2026-12-31 suspended", "3 never suspended"]
    );
    let imported =
        desk.take("id,expires,status\n1,2026-12-31,\n2,2026-12-31,active\n3,2026-12-31,active\n", &status);
    assert_eq!(counts(&imported), [0, 3, 0, 0]);
    assert_eq!(
        desk.certifications().await,
        ["1 2026-12-31 suspended", "2 2026-12-31 active", "3 2026-12-31 active"]
    );
}

#[tokio::test]
async fn a_device_belongs_to_who_signed_in_last_and_a_new_mail_address_takes_the_old_ones_place() {
    let desk = Desk::new().await;
    let contacts = ["--column", "email=mail", "--column", "push_token=device"];
    let points = "select string_agg(c.external_id || ' ' || k.kind || ' ' || k.address, ', ' order by c.external_id, k.kind, k.address)
        from certvakt.contact_points k join public.peer_mentor_certifications c on c.peer_mentor_id = k.person_id";
    desk.take(
        "id,expires,mail,device\n1,2026-12-31,a@example.org,d1\n2,2026-12-31,b@example.org,d2\n",
        &contacts,
    );
    let imported = desk.take(
        "id,expires,mail,device\n1,2026-12-31,c@example.org,d1\n2,2026-12-31,b@example.org,d1\n",
        &contacts,
    );
    assert_eq!(counts(&imported), [0, 2, 0, 0]);
    let found: String = desk.database.value(points).await;
    assert_eq!(found, "1 email c@example.org, 2 email b@example.org, 2 push d1, 2 push d2");
    // Of two rows with one device the last one counts, however often the file comes.
    let imported =
        desk.take("id,expires,mail,device\n1,2026-12-31,,d1\n2,2026-12-31,b@example.org,d1\n", &contacts);
    assert_eq!(counts(&imported), [0, 0, 2, 0]);

    // What another organisation knows of a device is not ours to take.
    let database = &desk.database;
    database.ok(["organisation", "add", "other", "--name", "Annen", "--timezone", "Europe/Oslo"]);
    database.ok(["chapter", "add", "chapter", "--organisation", "other", "--name", "Vest"]);
    database.ok(["type", "add", "type", "--organisation", "other", "--name", "T"]);
    let register = desk.file("other.csv", "id,expires,device\n1,2026-12-31,d1\n");
    let mut command = database.certvakt(["import", register.to_str().unwrap(), "--organisation", "other"]);
    command.args([
        "--chapter",
        "chapter",
        "--type",
        "type",
        "--column",
        "external_id=id",
        "expires_at=expires",
    ]);
    succeed(command.arg("push_token=device"));
    let holders: i64 =
        database.value("select count(*) from certvakt.contact_points where address = 'd1'").await;
    assert_eq!(holders, 2);
}

#[tokio::test]
async fn one_register_never_touches_another_organisations_people() {
    let desk = Desk::new().await;
    let database = &desk.database;
    database.ok(["organisation", "add", "other", "--name", "Annen", "--timezone", "Europe/Oslo"]);
    database.ok(["chapter", "add", "chapter", "--organisation", "other", "--name", "Vest"]);
    database.ok(["type", "add", "type", "--organisation", "other", "--name", "T"]);
    let register = desk.file("register.csv", "id,expires,name\n1,2026-12-31,Åse\n");
    desk.import(&register, &["--column", "name=name"]);
    let mut command = database.certvakt(["import", register.to_str().unwrap(), "--organisation", "other"]);
    command.args([
        "--chapter",
        "chapter",
        "--type",
        "type",
        "--column",
        "external_id=id",
        "expires_at=expires",
    ]);
    succeed(&mut command);
    let people: i64 = database.value("select count(*) from certvakt.people").await;
    assert_eq!(people, 2, "the same id in another organisation is somebody else");
    // Two types of one organisation are one person's.
    database.ok(["type", "add", "second", "--organisation", "org", "--name", "Second"]);
    let mut command = database.certvakt(["import", register.to_str().unwrap(), "--organisation", "org"]);
    command.args([
        "--chapter",
        "chapter",
        "--type",
        "second",
        "--column",
        "external_id=id",
        "expires_at=expires",
    ]);
    succeed(&mut command);
    let people: i64 = database.value("select count(*) from certvakt.people").await;
    assert_eq!(people, 2);
}

#[tokio::test]
async fn contents_that_mean_harm_are_only_text() {
    let desk = Desk::new().await;
    let name = "'; drop table certvakt.people; -- \\N \\t %s {{x}} <script>";
    let register =
        format!("id,expires,name\n\\.,2026-12-31,\"{name}\"\n\\N,2026-12-31,x\n3,2026-12-31,\u{202e}\n");
    let imported = desk.take(register, &["--column", "name=name"]);
    assert_eq!(counts(&imported), [3, 0, 0, 0]);
    let names: Vec<String> = desk.certifications().await;
    assert!(names.iter().any(|row| row.starts_with("\\.") && row.ends_with(name)), "{names:?}");
    assert!(names.iter().any(|row| row.starts_with("\\N ")), "{names:?}");
    let long = format!("id,expires,name\n4,2026-12-31,{}\n", "x".repeat(201));
    assert!(rejects(&desk.take(long, &["--column", "name=name"]))[0].2.contains("longer"));
    let controls = "id,expires,name\n5,2026-12-31,\"a\nb\"\n";
    assert!(rejects(&desk.take(controls, &["--column", "name=name"]))[0].2.contains("control characters"));
}

#[tokio::test]
async fn what_is_no_register_is_refused_in_a_sentence_and_nothing_is_taken() {
    let desk = Desk::new().await;
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
    ] {
        let said = fail(&mut desk.command(&desk.file(name, contents), &[]), status);
        assert!(said.contains(code) && said.contains(hint), "{name}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
    }
    let pipe = desk.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(fail(&mut desk.command(&pipe, &[]), 5).contains("no regular file"));
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
    let command = desk.command(&path, &[]);
    let mut limited = Command::new("prlimit");
    limited.arg("--data=268435456").arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.env_remove("CERTVAKT_NOW").env_remove("CERTVAKT_CONFIG");
    let said = fail(&mut limited, 5);
    assert!(said.contains("import-row-too-long") && said.contains("line 3"), "{said}");
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn quotation_marks_inside_a_field_are_letters_and_joined_rows_are_rejected() {
    let desk = Desk::new().await;
    // More than the limit of a row, were the first one to open something.
    let rows: Vec<String> = (0..60_000).map(|number| format!("{number},2026-12-31,5\" pipe")).collect();
    let imported = desk.take(format!("id,expires,note\n{}\n", rows.join("\n")), &["--dry-run"]);
    assert_eq!(counts(&imported), [60_000, 0, 0, 0]);
    // A note over two lines, and one whose mark swallowed the beginning of the next row.
    let register = "id,expires,note,more\n1,2026-12-31,\"two\nlines\",x\n2,2026-12-31,\"a\n3,2026-12-31,b\"\n4,2026-12-31,a,b,c\n";
    let imported = desk.take(register, &[]);
    assert_eq!(counts(&imported), [1, 0, 0, 2]);
    let found = rejects(&imported);
    assert_eq!((found[0].0, found[0].1.as_str(), found[1].0), (4, "row", 6));
    let said = succeed(&mut desk.command(&desk.file("r.csv", register), &["--dry-run"]));
    assert!(said.contains("the others would be taken"), "{said}");
}

#[tokio::test]
async fn rows_that_the_schema_could_not_hold_are_rejected_like_any_other() {
    let desk = Desk::new().await;
    let database = &desk.database;
    database.ok(["organisation", "add", "far", "--name", "Far", "--timezone", "America/New_York"]);
    database.ok(["chapter", "add", "chapter", "--organisation", "far", "--name", "C"]);
    database.ok(["type", "add", "type", "--organisation", "far", "--name", "T"]);
    let token = "t".repeat(3000);
    let register = desk.file(
        "far.csv",
        format!("id,expires,device\n1,9998-12-31,\n2,2026-12-31,{token}\n3,2026-12-31,æ\n4,1900-01-01,\n"),
    );
    let mut command = database.certvakt(["import", register.to_str().unwrap(), "--organisation", "far"]);
    command.args([
        "--chapter",
        "chapter",
        "--type",
        "type",
        "--column",
        "external_id=id",
        "expires_at=expires",
    ]);
    let output = succeed(command.args(["push_token=device", "--output", "json"]));
    let imported: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(counts(&imported), [1, 0, 0, 3]);
}

#[tokio::test]
async fn a_workbook_that_says_it_is_a_billion_cells_wide_is_read_all_the_same() {
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
async fn two_imports_of_one_register_at_once_take_everybody_once() {
    let desk = Desk::new().await;
    let rows: Vec<String> = (0..3_000).map(|number| format!("{number},2026-12-31")).collect();
    let register = desk.file("register.csv", format!("id,expires\n{}\n", rows.join("\n")));
    let imports: Vec<_> = (0..2)
        .map(|_| {
            let mut command = desk.command(&register, &["--output", "json"]);
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let added: i64 = imports
        .into_iter()
        .map(|import| {
            let output = import.wait_with_output().unwrap();
            assert!(output.status.success());
            let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
            imported["added"].as_i64().unwrap()
        })
        .sum();
    assert_eq!(added, 3_000);
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
        blocked.go_on().await;
    }
    // The second file is 24 MB larger.
    assert!(peaks[1] < peaks[0] + 8 * 1024, "KiB: {peaks:?}");
}

#[tokio::test]
async fn progress_shows_on_a_terminal_only() {
    let desk = Desk::new().await;
    let rows = (0..10_000).map(|number| format!("{number},2026-12-31\n")).collect::<Vec<_>>().concat();
    let register = desk.file("register.csv", format!("id,expires\n{rows}"));
    let command = desk.command(&register, &["--dry-run"]);
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = words.iter().map(|word| format!("'{}'", word.display())).collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &format!("{line} 2>&1"), "/dev/null"]);
    terminal.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    let shown = succeed(&mut terminal);
    assert!(shown.contains("reading") && shown.contains('%'), "{shown}");
    let output = desk.command(&register, &["--dry-run"]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_leaves_nothing_behind() {
    let desk = Desk::new().await;
    let register = desk.file("register.csv", "id,expires\n1,2026-12-31\n");
    let blocked = desk
        .database
        .blocked_at("public.peer_mentor_certifications", &mut desk.command(&register, &[]))
        .await;
    let said = blocked.cut_off(4).await;
    assert!(said.contains("database-unreachable") && said.contains("nothing was left half done"), "{said}");
    assert!(desk.is_empty().await);
}
