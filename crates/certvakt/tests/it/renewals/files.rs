//! Renewals from a file.

use std::fmt::Write;
use std::fs;

use serde_json::{Value, json};

use super::{NOON, rehearsal};
use crate::harness::fail;
use crate::imports::workbooks::{Parts, row};

#[tokio::test]
async fn a_file_renews_valid_rows_once_and_reports_the_others() {
    let database = rehearsal().await;
    for id in ["1", "2", "3", "4"] {
        database.certify(id, "2026-07-31").await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renewals.csv");
    // As a Norwegian spreadsheet writes it: Windows-1252, semicolons, and Norwegian dates.
    fs::write(
        &file,
        b"certification;completed_on;until;evidence;note;key\r\n1;2026-06-01;;kurs 14;\xc6rlig;\r\n2;;31.12.2027;;;k\r\n\
          nobody;;;;;\r\n3;in May;;;;\r\n4;;1999-01-01;;;\r\n4;;2028-01-01;a;b;c;d\r\n4;2028-01-01\r\n",
    )
    .unwrap();
    let run = || {
        let mut command = database.certvakt(["renew", "--file", file.to_str().unwrap(), "--output", "json"]);
        let done = command.env("CERTVAKT_NOW", NOON).output().unwrap();
        (done.status.code(), serde_json::from_slice::<Value>(&done.stdout).unwrap())
    };
    let (status, done) = run();
    assert_eq!((status, &done["renewed"], &done["known"]), (Some(1), &json!(2), &json!(0)), "{done}");
    let refused: Vec<String> = done["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["line"], one["certification"], one["code"]).replace('"', ""))
        .collect();
    assert_eq!(
        refused,
        [
            "4 nobody unknown-name",
            "5 3 renewal-date",
            "6 4 renewal-date",
            "7 4 renewal-date",
            "8 4 renewal-date"
        ]
    );
    let (_, again) = run();
    assert_eq!((&again["renewed"], &again["known"]), (&json!(0), &json!(2)), "{again}");
    assert_eq!(database.history("1").await, "renewed 2028-06-01");
    assert_eq!(database.history("2").await, "renewed 2027-12-31");
    let note: String = database.value("select note from certvakt.renewal_remarks").await;
    assert_eq!(note, "Ærlig");
    // A workbook's cell without a usable value is not a blank cell.
    let columns = row(&["certification", "until", "completed_on"]);
    for cells in [["3", "<c t='e'><v>#N/A</v></c>", ""], ["3", "2028-01-01", "<c><f>TODAY()</f></c>"]] {
        fs::write(&file, Parts::new().sheet("visible", columns.clone() + &row(&cells)).save()).unwrap();
        let (status, done) = run();
        assert_eq!((status, &done["renewed"], &done["known"]), (Some(1), &json!(0), &json!(0)), "{done}");
        assert!(done["refused"][0]["reason"].as_str().unwrap().contains("cell "), "{done}");
    }
    // A file that cannot be read completely renews nothing, nor does one with wrong columns.
    for (content, code) in [
        ("", "import-empty"),
        ("a,b\n", "file-unreadable"),
        ("certification,completed\n3,2026-06-01\n", "file-unreadable"),
        ("certification,note\n3,x\n4,\"x\n", "import-unclosed-quote"),
    ] {
        fs::write(&file, content).unwrap();
        let mut command = database.certvakt(["renew", "--file", file.to_str().unwrap()]);
        let said = fail(command.env("CERTVAKT_NOW", NOON), 5);
        assert!(said.contains(code), "{content}: {said}");
    }
    assert_eq!(database.history("3").await, "");
}

#[tokio::test]
async fn a_refused_renewal_stops_no_other_of_its_batch() {
    let database = rehearsal().await;
    for id in ["full", "twice"] {
        database.certify(id, "2026-07-31").await;
    }
    database
        .execute(
            "with person as (
               insert into certvakt.people (name) select 'Mentor ' || n from generate_series(1, 700) n returning id, name)
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select h.organisation_id, h.id, p.id, 'type', 'n' || substr(p.name, 8), '2026-07-31 23:59 Europe/Oslo'
             from person p, certvakt.chapters h",
        )
        .await;
    database.json(["history", "limit", "1"]);
    for year in 2027..2037 {
        database.noon(&["correct", "full", "--until", &format!("{year}-07-31")]);
    }
    let mut rows =
        "certification,until,key\nfull,2040-07-31,a\ntwice,2028-01-01,b\ntwice,2029-01-01,c\n".to_owned();
    for n in 1..=700 {
        writeln!(rows, "n{n},2028-01-01,").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renewals.csv");
    fs::write(&file, rows).unwrap();
    let run = || {
        let mut command = database.certvakt(["renew", "--file", file.to_str().unwrap(), "--output", "json"]);
        serde_json::from_slice::<Value>(&command.env("CERTVAKT_NOW", NOON).output().unwrap().stdout).unwrap()
    };
    for renewed in [702, 0] {
        let done = run();
        assert_eq!((&done["renewed"], &done["known"]), (&json!(renewed), &json!(702 - renewed)), "{done}");
        assert_eq!(
            (&done["refused"][0]["line"], &done["refused"][0]["code"]),
            (&json!(2), &json!("history-full"))
        );
    }
    assert_eq!(database.history("twice").await, "renewed 2028-01-01, renewed 2029-01-01");
    assert_eq!(database.history("n700").await, "renewed 2028-01-01");
}
