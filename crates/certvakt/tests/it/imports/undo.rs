//! Undoing an import, and saved mappings.

use serde_json::{Value, json};

use super::{Desk, counts};
use crate::harness::{fail, succeed};

impl Desk {
    pub(super) fn undo(&self, import: &Value) -> Value {
        self.database.json(["import", "undo", &import["import"].to_string()])
    }

    /// Everything that an import can change, as one text.
    async fn everything(&self) -> String {
        self.database
            .value(
                "select concat_ws(e'\\n',
                   (select string_agg(concat_ws(' ', c.external_id, h.slug, c.certification_type, c.issued_at,
                      c.expires_at, c.status, c.suspended_until), ', ' order by c.external_id, c.certification_type)
                    from public.peer_mentor_certifications c join certvakt.chapters h on h.id = c.chapter_id),
                   (select string_agg(concat_ws(' ', n.name, n.family_name, n.locale), ', ' order by n.name) from certvakt.person_names n),
                   (select string_agg(concat_ws(' ', k.kind, k.address), ', ' order by k.kind, k.address)
                    from certvakt.contact_points k),
                   (select string_agg(slug, ', ' order by slug) from certvakt.chapters),
                   (select count(*) from certvakt.people), (select count(*) from certvakt.memberships),
                   (select count(*) from certvakt.register_ids), (select count(*) from certvakt.replacements))",
            )
            .await
    }
}

const COLUMNS: &[&str] = &[
    "--column",
    "name=name",
    "email=mail",
    "phone=mobil",
    "language=lang",
    "chapter=lag",
    "person_id=medlem",
    "issued_at=issued",
    "--add-chapters",
];
const HEADER: &str = "id,expires,issued,name,mail,mobil,lang,lag,medlem\n";

#[tokio::test]
async fn an_undone_import_leaves_everything_as_it_was() {
    let desk = Desk::new().await;
    let empty = desk.everything().await;
    let first = desk.take(
        format!(
            "{HEADER}1,2027-12-31,2025-01-01,Åse,a@example.org,+4791234567,nb,chapter,7\n\
             2,2027-12-31,,Bo,b@example.org;c@example.org,,en,chapter,8\n3,2027-12-31,,Chris,,,,chapter,9\n"
        ),
        COLUMNS,
    );
    let before = desk.everything().await;
    // Every kind of change: a date, a chapter, a name, addresses, a language, a replaced and a missing certification.
    let second = desk.take(
        format!(
            "{HEADER}1,2026-11-30,2025-02-01,Åse Ødegård,x@example.org,22334455,en,Bodø,7\n\
             4,2029-12-31,,Bo B,b@example.org,,nb,chapter,8\n5,2028-12-31,,Dag,d@example.org,,,Tromsø,10\n"
        ),
        &[COLUMNS, &["--one-per-type", "--missing", "suspend"]].concat(),
    );
    assert_eq!((counts(&second), &second["replaced"]), ([2, 1, 0, 0], &json!(1)));
    assert_eq!(second["missing"]["first"], json!(["3"]));
    let changed = desk.everything().await;
    assert_ne!(changed, before);

    let dry = desk.database.json(["import", "undo", &second["import"].to_string(), "--dry-run"]);
    assert_eq!(desk.everything().await, changed, "a dry run changes nothing");
    let undone = desk.undo(&second);
    assert_eq!(undone, dry);
    assert_eq!(undone, json!({ "deleted": 2, "reverted": 3, "people": 2, "notified": [], "kept": [] }));
    assert_eq!(desk.everything().await, before);
    let kinds: String = desk
        .database
        .value(
            "select string_agg(e.entry ->> 'kind' || ' ' || (e.entry ->> 'source'), ', ' order by e.number)
             from public.peer_mentor_certifications c
             cross join jsonb_array_elements(c.renewal_history) with ordinality e (entry, number)
             where c.external_id = '1'",
        )
        .await;
    assert_eq!(kinds, "corrected register, undone undo", "the history shows both");
    let checked = desk.database.ok(["verify", "--history"]);
    assert!(!checked.is_empty());

    let said = fail(&mut desk.database.certvakt(["import", "undo", &second["import"].to_string()]), 2);
    assert!(said.contains("was undone on") && said.contains("[import-undone]"), "{said}");
    // The same register again has the same result, and the first import can be undone too.
    desk.undo(&first);
    assert_eq!(desk.everything().await, empty);
    let said = fail(&mut desk.database.certvakt(["import", "undo", "4711"]), 2);
    assert!(said.contains("[import-unknown]"), "{said}");
}

#[tokio::test]
async fn what_was_changed_since_stays_and_is_listed() {
    let desk = Desk::new().await;
    let more = ["--column", "name=name", "email=mail"];
    desk.take("id,expires,name,mail\n1,2027-12-31,A,a@example.org\n2,2027-12-31,B,b@example.org\n", &more);
    let wrong = desk.take(
        "id,expires,name,mail\n1,2028-12-31,X,x@example.org\n2,2028-12-31,Y,y@example.org\n3,2028-12-31,Z,z@example.org\n",
        &more,
    );
    desk.database.ok(["correct", "1", "--until", "2029-06-30"]);
    desk.database.ok(["suspend", "3"]);
    desk.take("id,expires,name,mail\n2,2028-12-31,Bo,y@example.org\n", &more);
    let undone = desk.undo(&wrong);
    // The date of 1 and the name of 2 stay; the date of 2, the name of 1 and both addresses are changed back.
    assert_eq!(
        (&undone["deleted"], &undone["reverted"], &undone["people"]),
        (&json!(0), &json!(1), &json!(2))
    );
    assert_eq!(
        undone["kept"],
        json!([
            { "external_id": "1", "fields": ["expires_at"] },
            { "external_id": "2", "fields": ["name"] },
            { "external_id": "3", "fields": ["certification"] },
        ])
    );
    assert_eq!(
        desk.certifications().await,
        ["1 2029-06-30 active A", "2 2027-12-31 active Bo", "3 2028-12-31 suspended Z"]
    );
    let text: String = desk
        .database
        .value("select string_agg(address, ' ' order by address) from certvakt.contact_points where kind = 'email'")
        .await;
    assert_eq!(text, "a@example.org b@example.org z@example.org");
}

#[tokio::test]
async fn a_withdrawal_since_stays_and_a_leave_before_comes_back() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n2,2027-12-31\n3,2027-12-31\n", &[]);
    desk.database.ok(["suspend", "3", "--until", "2070-03-01"]);
    // 1 gets another date, 2 is missing, and 3, on leave, is missing too.
    let wrong = desk.take("id,expires\n1,2028-12-31\n", &["--missing", "withdraw"]);
    desk.database.ok(["reinstate", "2"]);
    desk.database.ok(["withdraw", "1"]);
    desk.database.ok(["withdraw", "2"]);
    let undone = desk.undo(&wrong);
    assert_eq!(
        undone["kept"],
        json!([
            { "external_id": "1", "fields": ["expires_at"] },
            { "external_id": "2", "fields": ["status", "suspended_until"] },
        ])
    );
    let states: String = desk
        .database
        .value(
            "select string_agg(concat_ws(' ', external_id, expires_at::date, suspended_until,
               certvakt.is_withdrawn(status, renewal_history)), ', ' order by external_id)
             from public.peer_mentor_certifications",
        )
        .await;
    assert_eq!(states, "1 2028-12-31 t, 2 2027-12-31 t, 3 2027-12-31 2070-03-01 f");
}

#[tokio::test]
async fn a_replaced_row_that_the_register_suspends_comes_back_active() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n", &[]);
    let wrong = desk.take(
        "id,expires,status,old\n1,2027-12-31,utgått,\n2,2029-12-31,active,1\n",
        &["--column", "status=status", "replaces=old"],
    );
    assert_eq!(wrong["replaced"], 1);
    assert_eq!(desk.undo(&wrong)["kept"], json!([]));
    assert_eq!(desk.certifications().await, ["1 2027-12-31 active"]);
}

#[tokio::test]
async fn a_leave_that_was_recorded_before_the_import_counts_as_before() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n", &[]);
    desk.database.ok(["suspend", "1", "--until", "2060-08-31"]);
    let wrong = desk.take("id,expires,til\n1,2027-12-31,2060-09-30\n", &["--column", "suspended_until=til"]);
    assert_eq!(desk.undo(&wrong)["kept"], json!([]));
    let until: String =
        desk.database.value("select suspended_until::text from public.peer_mentor_certifications").await;
    assert_eq!(until, "2060-08-31");
}

#[tokio::test]
async fn ids_of_people_are_undone_too() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n2,2027-12-31\n", &[]);
    let wrong = desk.take("id,expires,m\n1,2027-12-31,8\n2,2027-12-31,7\n", &["--column", "person_id=m"]);
    desk.undo(&wrong);
    let right = desk.take("id,expires,m\n1,2027-12-31,7\n2,2027-12-31,8\n", &["--column", "person_id=m"]);
    assert_eq!(counts(&right), [0, 0, 2, 0], "{right}");
}

#[tokio::test]
async fn addresses_that_were_only_added_are_undone() {
    let desk = Desk::new().await;
    let more = ["--column", "email=mail"];
    desk.take("id,expires,mail\n1,2027-12-31,old@example.org\n", &more);
    let wrong = desk.take("id,expires,mail\n1,2027-12-31,new@example.org; bad@@\n", &more);
    let undone = desk.undo(&wrong);
    assert_eq!(undone["kept"], json!([]));
    let left: String =
        desk.database.value("select string_agg(address, ' ') from certvakt.contact_points").await;
    assert_eq!(left, "old@example.org");
}

#[tokio::test]
async fn a_notice_that_was_sent_is_corrected() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n", &[]);
    // A wrong register, and a run that night.
    let wrong = desk.take("id,expires\n1,2026-06-20\n2,2026-06-20\n3,2027-06-20\n", &["--approve"]);
    desk.database.run("2026-06-15");
    let undone = desk.undo(&wrong);
    assert_eq!((&undone["deleted"], &undone["notified"]), (&json!(1), &json!(["1", "2"])));
    assert_eq!(desk.certifications().await, ["1 2027-12-31 active", "2 2026-06-20 suspended"]);
    let notices: i64 = desk.database.value("select count(*) from public.cert_notification_log").await;
    assert_eq!(notices, 2, "the log stays");
    assert!(
        desk.database.run("2026-06-16")["notices"].as_object().is_none_or(|by| by.values().all(|n| n == 0))
    );
    // The right register brings the suspended one back.
    desk.take("id,expires\n1,2027-12-31\n2,2027-12-31\n", &[]);
    assert_eq!(desk.certifications().await, ["1 2027-12-31 active", "2 2027-12-31 active"]);
}

#[tokio::test]
async fn an_import_can_be_undone_for_30_days() {
    let desk = Desk::new().await;
    let import = desk.take("id,expires\n1,2027-12-31\n", &[]);
    desk.take("id,expires\n1,2028-12-31\n", &[]);
    let listed = desk.database.json(["import", "list", "--organisation", "org"]);
    assert_eq!(listed["imports"].as_array().unwrap().len(), 2);
    assert!(desk.database.ok(["import", "list", "--organisation", "org"]).contains("Undone"));
    desk.database.execute("update certvakt.imports set finished_at = now() - interval '31 days'").await;
    let said = fail(&mut desk.database.certvakt(["import", "undo", &import["import"].to_string()]), 2);
    assert!(said.contains("[import-too-old]"), "{said}");
    desk.database.ok(["cleanup", "--older-than", "1000d"]);
    let left: i64 = desk.database.value("select count(*) from certvakt.import_changes").await;
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_values_before_an_import_are_erased_with_the_person() {
    let desk = Desk::new().await;
    let more = ["--column", "name=name"];
    desk.take("id,expires,name\n1,2027-12-31,Åse zqx7\n", &more);
    let import = desk.take("id,expires,name\n1,2028-12-31,Åse\n", &more);
    let ledger = desk.folder.path().join("erased");
    desk.database.ok(["person", "erase", "1", "--ledger", ledger.to_str().unwrap()]);
    let left: i64 = desk.database.value("select count(*) from certvakt.import_changes").await;
    assert_eq!(left, 0);
    desk.undo(&import);
    assert_eq!(desk.certifications().await, [" 2028-12-31 suspended".trim_start()], "nothing comes back");
}

#[tokio::test]
async fn a_mapping_is_saved_and_used_again() {
    let desk = Desk::new().await;
    let file = desk.file("register.csv", "Nr;Navn;Utløp\n1;Åse;31/12/2027\n");
    let path = file.to_str().unwrap();
    let with = ["--column", "external_id=Nr", "name=Navn", "expires_at=Utløp", "--date-format", "DD/MM/YYYY"];
    let base = ["import", path, "--organisation", "org"];
    let first = [&base[..], &["--chapter", "chapter", "--type", "type"], &with[..]].concat();
    let dry = [&first[..], &["--save-as", "hlf-members", "--dry-run"]].concat();
    desk.database.ok(dry.iter().copied());
    let list = ["mapping", "list", "--organisation", "org"];
    assert_eq!(desk.database.json(list)["mappings"], json!([]), "a dry run saves nothing");
    desk.database.ok([&first[..], &["--save-as", "hlf-members"]].concat().iter().copied());
    let shown = desk.database.json(["mapping", "show", "hlf-members", "--organisation", "org"]);
    assert_eq!(
        shown["options"],
        json!({
            "chapter": "chapter", "type": "type", "date_formats": ["DD/MM/YYYY"],
            "columns": { "external_id": "Nr", "name": "Navn", "expires_at": "Utløp" },
        })
    );
    assert_eq!(shown["header"], json!(["Nr", "Navn", "Utløp"]));
    for text in [list.to_vec(), vec!["mapping", "show", "hlf-members", "--organisation", "org"]] {
        let said = desk.database.ok(text);
        assert!(said.contains("hlf-members") || said.contains("columns name"), "{said}");
    }

    let again = [&base[..], &["--mapping", "hlf-members"]].concat();
    let imported = super::take_in(&mut desk.database.certvakt(again.iter().copied()));
    assert_eq!((counts(&imported), imported.get("changed_columns")), ([0, 0, 1, 0], None));
    // Options on the command line count more.
    desk.file("register.csv", "Nr;Navn;Utløp;Mail\n1;Åse;31/12/2027;a@example.org\n");
    let more = [&again[..], &["--column", "email=Mail"]].concat();
    let imported = super::take_in(&mut desk.database.certvakt(more.iter().copied()));
    assert_eq!(counts(&imported), [0, 1, 0, 0]);
    assert_eq!(imported["changed_columns"], json!({ "added": ["Mail"], "removed": [] }));

    // A column that is gone.
    desk.file("register.csv", "Nr;Fullt navn;Utløp\n1;Åse;31/12/2027\n");
    let said = fail(&mut desk.database.certvakt(again.iter().copied()), 2);
    assert!(
        said.contains("no column 'Navn'") && said.contains("new since the mapping was saved: Fullt navn"),
        "{said}"
    );
    desk.database.ok([
        "mapping",
        "set",
        "hlf-members",
        "--organisation",
        "org",
        "--column",
        "name=Fullt navn",
    ]);
    let text = succeed(&mut desk.database.certvakt(again.iter().copied()));
    assert!(text.contains("New columns, compared with the mapping: Fullt navn."), "{text}");

    let said = fail(&mut desk.database.certvakt([&base[..], &["--mapping", "hlf-member"]].concat()), 2);
    assert!(said.contains("did you mean 'hlf-members'?"), "{said}");
    desk.database.ok(["mapping", "remove", "hlf-members", "--organisation", "org"]);
    let said = fail(&mut desk.database.certvakt(again.iter().copied()), 2);
    assert!(said.contains("`certvakt mapping set`"), "{said}");
    let incomplete = ["mapping", "set", "m", "--organisation", "org", "--column", "external_id=Nr"];
    let said = fail(&mut desk.database.certvakt(incomplete), 2);
    assert!(said.contains("no column is given for expires_at: add one"), "{said}");
    for wrong in ["Hlf", "-a", "", "å"] {
        fail(&mut desk.database.certvakt(["mapping", "show", wrong, "--organisation", "org"]), 2);
    }
}
