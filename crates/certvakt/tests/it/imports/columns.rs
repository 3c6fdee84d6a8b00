//! Columns for chapter, type, person, name parts, addresses and language.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Desk, counts, rejects, take_in};
use crate::harness::fail;

impl Desk {
    /// `import` of a file with the columns `id` and `expires`, without a chapter or type for rows that name none.
    pub(super) fn national(&self, contents: &str, more: &[&str]) -> Value {
        take_in(&mut self.national_command(contents, more))
    }

    pub(super) fn national_command(&self, contents: &str, more: &[&str]) -> std::process::Command {
        let file = self.file("register.csv", contents);
        let mut command = self.database.certvakt(["import", file.to_str().unwrap(), "--organisation", "org"]);
        command.args(["--column", "external_id=id", "expires_at=expires"]).args(more);
        command
    }

    pub(super) fn add(&self, what: &str, key: &str, name: &str, external_id: Option<&str>) {
        let mut arguments = vec![what, "add", key, "--organisation", "org", "--name", name];
        arguments.extend(external_id.iter().flat_map(|id| ["--external-id", id]));
        self.database.ok(arguments);
    }

    /// What a query returns as text, one line for each row.
    pub(super) async fn rows(&self, sql: &str) -> Vec<String> {
        let text: Option<String> =
            self.database.value(&format!("select string_agg(x.row, e'\\n') from ({sql}) x (row)")).await;
        text.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The id, chapter, type and person of each certification, where people are numbered by their first id.
    pub(super) async fn placed(&self) -> Vec<String> {
        self.rows(
            "select concat_ws(' ', c.external_id, h.slug, c.certification_type,
               min(c.external_id) over (partition by c.peer_mentor_id))
             from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id
             order by c.external_id, c.certification_type",
        )
        .await
    }
}

#[tokio::test]
async fn a_row_belongs_to_the_chapter_and_type_that_it_names() {
    let desk = Desk::new().await;
    desk.add("chapter", "tromso", "Tromsø og omegn", Some("19"));
    desk.add("type", "veileder", "Veileder", Some("K-2"));
    let register = "id,expires,lag,kurs\n1,2027-12-31,tromso,veileder\n2,2027-12-31,TROMSØ  OG OMEGN,K-2\n\
        3,2027-12-31,19,VEILEDER\n4,2027-12-31,,\n5,2027-12-31,Tromso og Omegnn,veileder\n6,2027-12-31,Oslo,kokk\n";
    let columns = ["--column", "chapter=lag", "type=kurs", "--chapter", "chapter", "--type", "type"];
    let imported = desk.national(register, &columns);
    assert_eq!(counts(&imported), [4, 0, 0, 2], "{imported}");
    assert_eq!(
        desk.placed().await,
        ["1 tromso veileder 1", "2 tromso veileder 2", "3 tromso veileder 3", "4 chapter type 4"]
    );
    let found = rejects(&imported);
    assert_eq!((found[0].0, found[0].1.as_str()), (6, "chapter"));
    assert!(found[0].2.contains("did you mean 'Tromsø og omegn'?"), "{found:?}");
    assert_eq!((found[1].0, found[1].1.as_str()), (7, "type"));
    assert_eq!(
        imported["unknown"],
        json!([
            { "field": "chapter", "value": "Tromso og Omegnn", "rows": 1, "nearest": "Tromsø og omegn" },
            { "field": "type", "value": "kokk", "rows": 1, "nearest": null },
        ])
    );
    assert_eq!(counts(&desk.national(register, &columns)), [0, 0, 4, 2], "the same again changes nothing");
    // Another chapter in the register moves the certification.
    let moved = register.replace("1,2027-12-31,tromso", "1,2027-12-31,chapter");
    assert_eq!(counts(&desk.national(&moved, &columns)), [0, 1, 3, 2]);
    assert_eq!(desk.placed().await[0], "1 chapter veileder 1");
    let roles = desk.rows("select h.slug from certvakt.memberships m join certvakt.chapters h on h.id = m.chapter_id
        join public.peer_mentor_certifications c on c.peer_mentor_id = m.person_id where c.external_id = '1' order by 1").await;
    assert_eq!(roles, ["chapter", "tromso"], "the former chapter still knows the mentor");
}

#[tokio::test]
async fn rows_need_a_chapter_and_a_type() {
    let desk = Desk::new().await;
    for (more, needs) in [
        (&["--type", "type"][..], "chapter"),
        (&["--chapter", "chapter"], "type"),
        (&["--chapter", "chapter", "--type", "type", "--one-per-type"], "person_id"),
    ] {
        let said = fail(&mut desk.national_command("id,expires\n1,2027-12-31\n", more), 2);
        assert!(said.contains(&format!("no column is given for {needs}")), "{said}");
    }
    let imported = desk.national(
        "id,expires,lag\n1,2027-12-31,\n2,2027-12-31,chapter\n",
        &["--column", "chapter=lag", "--type", "type"],
    );
    assert_eq!(counts(&imported), [1, 0, 0, 1]);
    assert!(rejects(&imported)[0].2.contains("--chapter"), "{imported}");
    let said = fail(
        &mut desk.national_command("id,expires\n1,2027-12-31\n", &["--chapter", "chapte", "--type", "type"]),
        2,
    );
    assert!(said.contains("did you mean 'chapter'?"), "{said}");
}

#[tokio::test]
async fn new_chapters_are_created_on_request() {
    let desk = Desk::new().await;
    let register = "id,expires,lag\n1,2027-12-31,Ålesund\n2,2027-12-31,ÅLESUND\n3,2027-12-31,Ålesund\n\
        4,2027-12-31,Møre / Romsdal\n5,no date,Bodø\n";
    let columns = ["--column", "chapter=lag", "--type", "type", "--add-chapters", "--under", "chapter"];
    let dry = desk.national(register, &[&columns[..], &["--dry-run"]].concat());
    let created = json!([
        { "slug": "alesund", "name": "Ålesund" },
        { "slug": "more-romsdal", "name": "Møre / Romsdal" },
    ]);
    assert_eq!(dry["new_chapters"], created, "with their most frequent spelling");
    assert_eq!(
        desk.rows("select slug from certvakt.chapters").await,
        ["chapter"],
        "a dry run creates nothing"
    );
    let imported = desk.national(register, &columns);
    assert_eq!(counts(&imported), [4, 0, 0, 1]);
    assert_eq!(
        desk.rows(
            "select concat_ws(' ', c.slug, c.name, p.slug) from certvakt.chapters c
             left join certvakt.chapters p on p.id = c.parent_id order by c.slug"
        )
        .await,
        ["alesund Ålesund chapter", "chapter Østlandet", "more-romsdal Møre / Romsdal chapter"],
        "the rejected row creates no chapter"
    );
    let again = desk.national(register, &columns);
    assert_eq!((counts(&again), again.get("new_chapters")), ([0, 0, 4, 1], None));
}

#[tokio::test]
async fn a_person_can_have_several_certifications() {
    let desk = Desk::new().await;
    desk.add("type", "veileder", "Veileder", None);
    let shared = "id,expires,kurs,name,mail\n1,2027-12-31,type,Åse,a@example.org\n1,2028-12-31,veileder,Åse,a@example.org\n";
    let by_id = ["--column", "type=kurs", "name=name", "email=mail", "--chapter", "chapter"];
    assert_eq!(counts(&desk.national(shared, &by_id)), [2, 0, 0, 0]);
    assert_eq!(counts(&desk.national(shared, &by_id)), [0, 0, 2, 0]);
    assert_eq!(desk.placed().await, ["1 chapter type 1", "1 chapter veileder 1"]);

    let own = "id,expires,kurs,medlem,name,mail,token\nA,2027-12-31,type,7,Bo,b@example.org,t7\n\
        B,2028-12-31,veileder,7,Bo,,t7\nC,2028-12-31,type,8,Chris,c@example.org,\nD,2028-12-31,type,,Dag,,\n";
    let by_person = [
        "--column",
        "type=kurs",
        "person_id=medlem",
        "name=name",
        "email=mail",
        "push_token=token",
        "--chapter",
        "chapter",
    ];
    let imported = desk.national(own, &by_person);
    assert_eq!((counts(&imported), &imported["contacts_rejected"]), ([3, 0, 0, 1], &json!(0)), "{imported}");
    assert_eq!((rejects(&imported)[0].1.as_str(), rejects(&imported)[0].0), ("person_id", 5));
    assert_eq!(counts(&desk.national(own, &by_person)), [0, 0, 3, 1]);
    assert_eq!(desk.placed().await[2..], ["A chapter type A", "B chapter veileder A", "C chapter type C"]);
    assert_eq!(
        desk.rows("select concat_ws(' ', external_id) from certvakt.register_ids order by 1").await,
        ["7", "8"]
    );
    // The same person under a new number, and a number that belongs to somebody else.
    let next = "id,expires,kurs,medlem\nE,2029-12-31,type,7\nC,2029-12-31,type,7\n";
    let by_person = ["--column", "type=kurs", "person_id=medlem", "--chapter", "chapter"];
    let imported = desk.national(next, &by_person);
    assert_eq!(counts(&imported), [1, 0, 0, 1]);
    assert!(rejects(&imported)[0].2.contains("another id"), "{imported}");
    assert_eq!(desk.placed().await[5], "E chapter type A");
}

#[tokio::test]
async fn a_register_without_ids_of_people_can_get_them() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n", &[]);
    let more = ["--column", "person_id=medlem"];
    assert_eq!(
        counts(&desk.take("id,expires,medlem\n1,2027-12-31,7\n2,2027-12-31,7\n", &more)),
        [1, 0, 1, 0]
    );
    assert_eq!(desk.placed().await, ["1 chapter type 1", "2 chapter type 1"]);
}

#[tokio::test]
async fn an_erased_person_does_not_come_back_by_either_id() {
    let desk = Desk::new().await;
    let more = ["--column", "person_id=medlem"];
    desk.take("id,expires,medlem\n1,2027-12-31,7\n", &more);
    let ledger = desk.folder.path().join("erased");
    desk.database.ok(["person", "erase", "1", "--ledger", ledger.to_str().unwrap()]);
    let imported = desk.take("id,expires,medlem\n1,2027-12-31,9\n2,2027-12-31,7\n3,2027-12-31,8\n", &more);
    assert_eq!(counts(&imported), [1, 0, 0, 2]);
    let columns: Vec<String> = rejects(&imported).into_iter().map(|(_, column, _)| column).collect();
    assert_eq!(columns, ["external_id", "person_id"]);
}

#[tokio::test]
async fn a_wrong_column_for_people_holds_the_import() {
    let desk = Desk::new().await;
    // Eight people in so many chapters, whose column is given for the people's ids.
    let command = |chapters: usize| {
        let rows: Vec<String> = (1..=8)
            .map(|number| format!("{number},2027-12-31,{},Navn {number}", number % chapters))
            .collect();
        let file = desk.file("register.csv", format!("id,expires,lag,name\n{}\n", rows.join("\n")));
        desk.command(&file, &["--column", "person_id=lag", "name=name", "--dry-run"])
    };
    // Two are too few.
    assert_eq!(take_in(&mut command(2)).get("hold"), None);
    assert_eq!(take_in(&mut command(4))["hold"]["rule"], "different-names");
    let rows = "id,expires,lag,name\n1,2027-12-31,a,A\n2,2027-12-31,b,B\n3,2027-12-31,c,C\n";
    let file =
        desk.file("register.csv", format!("{rows}4,2027-12-31,a,D\n5,2027-12-31,b,E\n6,2027-12-31,c,F\n"));
    let said = fail(&mut desk.command(&file, &["--column", "person_id=lag", "name=name"]), 3);
    assert!(said.contains("3 of 3 people with several rows have different names"), "{said}");
    assert!(said.contains("line 5; line 6; line 7") && said.contains("person_id"), "{said}");
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn names_addresses_and_language_come_from_columns() {
    let desk = Desk::new().await;
    let more = [
        "--column",
        "name=Fornavn+Etternavn",
        "email=E-post+Privat",
        "phone=Mobil+Fasttelefon",
        "language=Språk",
    ];
    let header = "id,expires,Fornavn,Etternavn,E-post,Privat,Mobil,Fasttelefon,Språk\n";
    let first = format!(
        "{header}1,2027-12-31,Åse,Ødegård,a@example.org;b@example.org,C@example.org,+47 912 34 567,(22) 33-44-55,Nynorsk\n\
         2,2027-12-31,,Li,not an address,d@example.org,tolv,,English\n\
         3,2027-12-31,Bo,,kari nordmann@example.org,,,,suomi\n"
    );
    let imported = desk.take(&first, &more);
    assert_eq!((counts(&imported), &imported["contacts_rejected"]), ([3, 0, 0, 0], &json!(4)), "{imported}");
    let columns: Vec<(i64, String)> =
        rejects(&imported).into_iter().map(|(line, column, _)| (line, column)).collect();
    let expected = [(3, "email"), (3, "phone"), (4, "email"), (4, "language")];
    assert_eq!(columns, expected.map(|(line, column)| (line, column.to_owned())));
    let people = "select concat_ws(' ', c.external_id, n.name, n.locale, (
            select string_agg(k.address, ',' order by k.kind, k.address) from certvakt.contact_points k
            where k.person_id = p.id and k.organisation_id is not null))
        from public.peer_mentor_certifications c join certvakt.people p on p.id = c.peer_mentor_id
        left join certvakt.person_names n on n.person_id = p.id order by c.external_id";
    assert_eq!(
        desk.rows(people).await,
        [
            "1 Åse Ødegård nb C@example.org,a@example.org,b@example.org,+4791234567,22334455",
            "2 Li en d@example.org",
            "3 Bo"
        ]
    );
    assert_eq!(counts(&desk.take(&first, &more)), [0, 0, 3, 0], "the same again changes nothing");
    // A new list replaces the old one; an address that cannot be read loses none of those that could.
    let second = first
        .replace("a@example.org;b@example.org,C@example.org", "b@example.org,")
        .replace("(22) 33-44-55", "")
        .replace("not an address,d@example.org", "not an address,e@example.org")
        .replace("Nynorsk", "en");
    assert_eq!(counts(&desk.take(&second, &more)), [0, 2, 1, 0]);
    assert_eq!(
        desk.rows(people).await,
        ["1 Åse Ødegård en b@example.org,+4791234567", "2 Li en d@example.org,e@example.org", "3 Bo"]
    );
}

#[tokio::test]
async fn the_last_of_several_columns_of_a_name_is_the_family_name() {
    let desk = Desk::new().await;
    let parts = ["--column", "name=first+middle+family"];
    let header = "id,expires,first,middle,family\n";
    let whole =
        |name: &str| desk.take(format!("id,expires,name\n1,2027-12-31,{name}\n"), &["--column", "name=name"]);
    let stored = async || {
        desk.rows(
            "select concat_ws(' | ', n.name, n.family_name) from certvakt.person_names n
             join public.peer_mentor_certifications c on c.peer_mentor_id = n.person_id order by c.external_id",
        )
        .await
    };
    let first = format!("{header}1,2027-12-31,Anna,Lie,Berg\n2,2027-12-31,Bo,,\n3,2027-12-31,,,Dahl\n");
    assert_eq!(counts(&desk.take(&first, &parts)), [3, 0, 0, 0]);
    let separated = ["Anna Lie Berg | Berg", "Bo", "Dahl | Dahl"];
    assert_eq!(stored().await, separated);
    assert_eq!(counts(&desk.take(&first, &parts)), [0, 0, 3, 0], "the same again changes nothing");
    // A register with the whole name leaves the family name of the same name, and not that of another.
    assert_eq!(counts(&whole("Anna Lie Berg")), [0, 0, 1, 0]);
    assert_eq!(stored().await, separated);
    let renamed = whole("Anna Li");
    assert_eq!(stored().await[0], "Anna Li");
    assert_eq!(desk.undo(&renamed)["people"], json!(1));
    assert_eq!(stored().await, separated);
    // The same name can have another family name.
    let moved = desk.take(format!("{header}1,2027-12-31,Anna,,Lie Berg\n"), &parts);
    assert_eq!((counts(&moved), stored().await[0].as_str()), ([0, 1, 0, 0], "Anna Lie Berg | Lie Berg"));
    assert_eq!(desk.undo(&moved)["people"], json!(1));
    assert_eq!(stored().await, separated);
    // A family name that was changed since keeps its name.
    let wrong = desk.take(format!("{header}1,2027-12-31,Anna,X,Y\n"), &parts);
    desk.take(format!("{header}1,2027-12-31,Anna,,X Y\n"), &parts);
    let undone = desk.undo(&wrong);
    assert_eq!(
        (&undone["people"], &undone["kept"]),
        (&json!(0), &json!([{ "external_id": "1", "fields": ["name"] }]))
    );
    assert_eq!(stored().await[0], "Anna X Y | X Y");
}

/// A register of a national association: 40 chapters and 3 types in one file.
#[tokio::test]
async fn a_national_register_is_one_file() {
    let desk = Desk::new().await;
    for number in 2..=3 {
        desk.add("type", &format!("kurs-{number}"), &format!("Kurs {number}"), None);
    }
    let mut expected: BTreeMap<(String, &str), i64> = BTreeMap::new();
    let mut register = String::from("\u{feff}Medlemsnr;Navn;Lokallag;Kurs;Gyldig til\n");
    for person in 0..800 {
        let lag = person * 7 % 40;
        for (at, (kurs, code)) in
            [("type", "type"), ("KURS 2", "kurs-2"), ("Kurs  3", "kurs-3")].into_iter().enumerate()
        {
            if person % (at + 1) == 0 {
                register += &format!("{person};Person {person};Lag nr. {lag};{kurs};31.12.2027\n");
                *expected.entry((format!("lag-nr-{lag}"), code)).or_default() += 1;
            }
        }
    }
    let file = desk.file("nasjonalt.csv", &register);
    let mut command = desk.database.certvakt(["import", file.to_str().unwrap(), "--organisation", "org"]);
    command.args(["--column", "external_id=Medlemsnr", "name=Navn", "chapter=Lokallag", "type=Kurs"]);
    let imported = take_in(command.args(["expires_at=Gyldig til", "--add-chapters"]));
    assert_eq!(imported["new_chapters"].as_array().unwrap().len(), 40);
    assert_eq!(counts(&imported), [800 + 400 + 267, 0, 0, 0]);
    let found = desk
        .rows(
            "select concat_ws(' ', h.slug, c.certification_type, count(*))
             from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id
             group by h.slug, c.certification_type",
        )
        .await;
    let found: std::collections::BTreeSet<String> = found.into_iter().collect();
    assert_eq!(
        found,
        expected.iter().map(|((slug, code), number)| format!("{slug} {code} {number}")).collect()
    );
    assert_eq!(desk.rows("select count(*)::text from certvakt.people").await, ["800"]);
}

#[tokio::test]
async fn a_blank_type_is_the_type_of_the_import() {
    let desk = Desk::new().await;
    let columns = ["--column", "type=kurs", "--chapter", "chapter", "--type", "type"];
    let register = "id,expires,kurs\n7,2027-12-31,\n7,2026-12-31,Type\n";
    for expected in [[1, 0, 0, 0], [0, 0, 1, 0]] {
        let imported = desk.national(register, &columns);
        assert_eq!((counts(&imported), &imported["duplicate"]), (expected, &json!(1)), "{imported}");
    }
    assert_eq!(desk.certifications().await, ["7 2027-12-31 active"]);
}

#[tokio::test]
async fn several_certifications_of_one_mentor_change_nothing_twice() {
    let desk = Desk::new().await;
    let with_ids = ["--column", "person_id=medlem", "name=name", "email=mail"];
    desk.take(
        "id,expires,medlem,name,mail\nA,2027-12-31,7,Åse,a@example.org\nC,2027-12-31,7,Åse,a@example.org\n",
        &with_ids,
    );
    let plain = ["--column", "name=name", "email=mail"];
    let register =
        "id,expires,name,mail\nA,2027-12-31,Åse A,a@example.org\nC,2027-12-31,Åse B,c@example.org\n";
    desk.take(register, &plain);
    let after = desk.certifications().await;
    assert_eq!(after, ["A 2027-12-31 active Åse A", "C 2027-12-31 active Åse A"]);
    assert_eq!(counts(&desk.take(register, &plain)), [0, 0, 2, 0]);
    assert_eq!(desk.certifications().await, after);
}
