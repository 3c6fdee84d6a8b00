//! Registers uploaded through the API.

use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Api, id, token};
use crate::harness::between_looks;
use crate::imports::workbooks::{claims_more_than_any_memory, takes_seconds};

const REGISTER: &str = "Nr;Navn;Utløper\n1;Åse Ødegård;2027-01-31\n2;Åse Ødegård;31.13.2027\n";

/// An administrator of the world's other organisation, who signs in as `elsewhere`.
const ADMINISTRATOR_ELSEWHERE: &str = "
    with person as (insert into certvakt.people (name) values ('Elsewhere') returning id),
      login as (
        insert into certvakt.identities (issuer, subject, person_id)
        select 'https://issuer.example', 'elsewhere', id from person)
    insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
    select h.organisation_id, h.id, person.id, 'org_admin' from person, certvakt.chapters h
    where h.id = '00000000-0000-4000-8000-0000000000b1'";

impl Api {
    async fn announce(&self, who: &str, change: Value) -> Answer {
        let mut register = json!({
            "chapter_id": id("0000000000a2"), "type": "type",
            "columns": { "external_id": "Nr", "name": "Navn", "expires_at": "Utløper" },
        });
        for (field, value) in change.as_object().unwrap() {
            register[field] = value.clone();
        }
        self.make(who, "/imports", "", &register).await
    }

    async fn upload_content(&self, who: &str, import: &str, content: impl Into<Body>) -> Answer {
        let path = format!("/imports/{import}/content");
        Answer::of(self.request(who, Method::PUT, &path).body(content)).await
    }

    /// Uploads a register, and returns the result.
    async fn import(&self, change: Value, content: impl Into<Body>) -> Value {
        let announced = self.announce("administrator", change).await;
        assert_eq!(announced.status, StatusCode::CREATED, "{}", announced.body);
        assert_eq!(announced.body["state"], "waiting");
        let import = announced.body["id"].as_str().unwrap();
        let sent = self.upload_content("administrator", import, content).await;
        assert_eq!(
            (sent.status, &sent.body["state"]),
            (StatusCode::ACCEPTED, &json!("received")),
            "{}",
            sent.body
        );
        self.database
            .until(&format!("select finished_at is not null from certvakt.uploads where id = '{import}'"))
            .await;
        let shown = self.get("administrator", &format!("/imports/{import}")).await;
        assert_eq!(shown.status, StatusCode::OK);
        shown.body
    }
}

#[tokio::test]
async fn an_administrator_uploads_a_register() {
    let api = Api::start().await;
    let tried = api.import(json!({ "dry_run": true }), REGISTER).await;
    assert_eq!(
        (&tried["state"], &tried["result"]["added"], &tried["result"]["dry_run"]),
        (&json!("imported"), &json!(1), &json!(true))
    );
    assert_eq!(api.listed("administrator", "/people?q=%C3%98deg").await.len(), 0);
    let taken = api.import(json!({}), REGISTER).await;
    assert_eq!(
        (&taken["result"]["read"], &taken["result"]["added"], &taken["result"]["rejected"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(taken["result"]["rejects"][0]["line"], 3);
    assert_eq!(taken["result"]["rejects"][0]["column"], "expires_at");
    assert_eq!(api.listed("coordinator", "/people?q=%C3%B8DEG").await.len(), 1);
    // A later date is a renewal, and its entry contains who uploaded it.
    let renewed = api.import(json!({}), REGISTER.replace("2027-01-31", "2029-01-31")).await;
    assert_eq!(renewed["result"]["renewed"], 1, "{renewed}");
    let entry: Value = api
        .database
        .value("select renewal_history -> -1 from public.peer_mentor_certifications where external_id = '1'")
        .await;
    let administrator = api.get("administrator", "/me").await.body["id"].clone();
    assert!(administrator.is_string());
    assert_eq!((&entry["source"], &entry["actor"]), (&json!("register"), &administrator));
    let kept: i64 =
        api.database.value("select count(*) from certvakt.uploads where content is not null").await;
    assert_eq!(kept, 0, "the register itself is not kept");
    // An unreadable register has a reason, which reveals nothing about the machine.
    for (change, content, code) in [
        (json!({}), "\n", "import-empty"),
        (json!({ "type": "none" }), REGISTER, "unknown-name"),
        (
            json!({ "columns": { "external_id": "Nr", "expires_at": "Gyldig" } }),
            REGISTER,
            "import-unknown-column",
        ),
        (json!({}), "\0\u{1}\u{2}\u{3}", "import-binary"),
    ] {
        let refused = api.import(change, content).await;
        assert_eq!(
            (&refused["state"], &refused["result"]["code"]),
            (&json!("refused"), &json!(code)),
            "{refused}"
        );
        assert!(!refused.to_string().contains("/register"), "{refused}");
    }
}

#[tokio::test]
async fn a_register_that_looks_wrong_as_a_whole_needs_approval() {
    let api = Api::start().await;
    let wrong = (0..100).fold("Nr;Navn;Utløper\n".to_owned(), |text, i| {
        text + &format!("{i};;{}\n", if i < 70 { "2027-01-31" } else { "31.13.2027" })
    });
    let held = api.import(json!({}), wrong.clone()).await;
    assert_eq!(
        (&held["state"], &held["result"]["code"]),
        (&json!("refused"), &json!("import-held")),
        "{held}"
    );
    let approved = api.import(json!({ "approve": true }), wrong).await;
    assert_eq!(
        (&approved["state"], &approved["result"]["added"]),
        (&json!("imported"), &json!(70)),
        "{approved}"
    );
}

#[tokio::test]
async fn an_uploaded_register_can_name_chapters_and_types_and_people_who_are_missing() {
    let api = Api::start().await;
    let slugs: String = api
        .database
        .value(&format!(
            "select string_agg(h.slug, ' ' order by h.slug) from certvakt.chapters h
             where h.organisation_id = (select organisation_id from certvakt.chapters where id = '{}')",
            id("0000000000a2")
        ))
        .await;
    let slugs: Vec<&str> = slugs.split(' ').collect();
    let columns = json!({
        "external_id": "Nr", "expires_at": "Utløper", "chapter": "Lag", "type": "Kurs",
    });
    let change = json!({ "columns": columns, "type": null, "missing": "suspend" });
    let register = format!(
        "Nr;Utløper;Lag;Kurs\nX1;2029-01-31;{};type\nX2;2029-01-31;{};TYPE\nX3;2029-01-31;nowhere;type\n",
        slugs[0], slugs[1]
    );
    let imported = api.import(change, register).await;
    let result = &imported["result"];
    assert_eq!((&result["added"], &result["rejected"]), (&json!(2), &json!(1)), "{imported}");
    assert_eq!(result["unknown"][0]["value"], "nowhere");
    assert_eq!(result["missing"]["kept_for_rejects"], true, "a rejected row keeps everybody: {imported}");
}

#[tokio::test]
async fn an_administrator_undoes_an_import() {
    let api = Api::start().await;
    let first = api.import(json!({}), REGISTER).await;
    let second = api.import(json!({}), REGISTER.replace("2027-01-31", "2029-01-31")).await;
    let import = second["id"].as_str().unwrap();
    let path = format!("/imports/{import}/undo");
    for who in ["coordinator", "mentor", "outsider"] {
        assert_eq!(api.make(who, &path, "", &json!({})).await.status, StatusCode::NOT_FOUND, "{who}");
    }
    let requested = api.make("administrator", &path, "", &json!({})).await;
    assert_eq!(requested.status, StatusCode::ACCEPTED, "{}", requested.body);
    api.database.until(&format!("select state = 'undone' from certvakt.uploads where id = '{import}'")).await;
    let shown = api.get("administrator", &format!("/imports/{import}")).await.body;
    assert_eq!(
        (&shown["state"], &shown["result"]["undo"]["reverted"]),
        (&json!("undone"), &json!(1)),
        "{shown}"
    );
    let entry: Value = api
        .database
        .value("select renewal_history -> -1 from public.peer_mentor_certifications where external_id = '1'")
        .await;
    let administrator = api.get("administrator", "/me").await.body["id"].clone();
    assert_eq!(
        (&entry["kind"], &entry["source"], &entry["actor"]),
        (&json!("undone"), &json!("undo"), &administrator)
    );
    let again = api.make("administrator", &path, "", &json!({})).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("import-not-undoable")));
    // The first one is older than 30 days by now.
    api.database.execute("update certvakt.imports set finished_at = finished_at - interval '31 days'").await;
    let import = first["id"].as_str().unwrap();
    let requested = api.make("administrator", &format!("/imports/{import}/undo"), "", &json!({})).await;
    assert_eq!(requested.status, StatusCode::ACCEPTED);
    api.database.until(&format!("select result ? 'undo' from certvakt.uploads where id = '{import}'")).await;
    let shown = api.get("administrator", &format!("/imports/{import}")).await.body;
    assert_eq!(
        (&shown["state"], &shown["result"]["undo"]["code"]),
        (&json!("imported"), &json!("import-too-old")),
        "{shown}"
    );
}

#[tokio::test]
async fn an_upload_uses_a_saved_mapping() {
    let api = Api::start().await;
    let organisation: String = api
        .database
        .value(&format!(
            "select o.slug from certvakt.organisations o join certvakt.chapters h on h.organisation_id = o.id
             where h.id = '{}'",
            id("0000000000a2")
        ))
        .await;
    let options = ["--column", "external_id=Nr", "name=Navn", "expires_at=Utløper", "--type", "type"];
    api.database.ok([&["mapping", "set", "members", "--organisation", &organisation][..], &options].concat());
    let change = json!({ "mapping": "members", "columns": {}, "type": null });
    let imported = api.import(change, REGISTER).await;
    assert_eq!(
        (&imported["state"], &imported["result"]["added"]),
        (&json!("imported"), &json!(1)),
        "{imported}"
    );
    let refused = api.import(json!({ "mapping": "member", "columns": {} }), REGISTER).await;
    assert_eq!(
        (&refused["state"], &refused["result"]["code"]),
        (&json!("refused"), &json!("unknown-name")),
        "{refused}"
    );
    let mapping = "x".repeat(64);
    let refused = api.announce("administrator", json!({ "mapping": mapping })).await;
    assert_eq!(refused.body["code"], "request-invalid");
}

#[tokio::test]
async fn a_register_is_uploaded_only_by_who_announced_it_and_once() {
    let api = Api::start().await;
    for (who, change, code) in [
        ("coordinator", json!({ "chapter_id": id("0000000000a3") }), "not-found"),
        ("mentor", json!({}), "not-found"),
        ("outsider", json!({}), "not-found"),
        ("administrator", json!({ "chapter_id": id("0000000000b1") }), "not-found"),
        ("administrator", json!({ "columns": { "external_id": "Nr" } }), "request-invalid"),
        (
            "administrator",
            json!({ "columns": { "external_id": "Nr", "expires_at": "x", "shoe_size": "x" } }),
            "request-invalid",
        ),
        (
            "administrator",
            json!({ "columns": { "external_id": "Nr\0", "expires_at": "x" } }),
            "request-invalid",
        ),
        ("administrator", json!({ "dates_are": "wrong" }), "request-invalid"),
        ("administrator", json!({ "date_formats": ["DD"] }), "request-invalid"),
    ] {
        let refused = api.announce(who, change.clone()).await;
        assert_eq!(refused.body["code"], code, "{who} {change}: {}", refused.body);
    }
    let announced = api.announce("administrator", json!({})).await.body;
    let import = announced["id"].as_str().unwrap();
    for who in ["coordinator", "outsider"] {
        assert_eq!(api.get(who, &format!("/imports/{import}")).await.status, StatusCode::NOT_FOUND, "{who}");
        assert_eq!(api.upload_content(who, import, REGISTER).await.status, StatusCode::NOT_FOUND, "{who}");
    }
    assert_eq!(api.upload_content("administrator", import, "").await.body["code"], "request-invalid");
    assert_eq!(api.upload_content("administrator", import, REGISTER).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        api.upload_content("administrator", import, REGISTER).await.body["code"],
        "register-already-uploaded"
    );
    let long = api.announce("administrator", json!({})).await.body;
    let long =
        api.upload_content("administrator", long["id"].as_str().unwrap(), "x".repeat(21 * 1024 * 1024)).await;
    assert_eq!(long.body["code"], "request-too-long");
}

#[tokio::test]
async fn a_register_that_crashes_every_reader_is_refused_and_the_service_continues() {
    let api = Api::start().await;
    let refused = api.import(json!({}), claims_more_than_any_memory()).await;
    assert_eq!(refused["state"], "refused", "{refused}");
    assert_eq!(refused["result"]["code"], "import-too-much-memory", "{refused}");
    let tried: i32 = api.database.value("select max(attempt) from certvakt.uploads").await;
    assert_eq!(tried, 1);
    let taken = api.import(json!({}), REGISTER).await;
    assert_eq!(taken["result"]["added"], 1, "the same service takes the next: {taken}");
}

#[tokio::test]
async fn a_service_that_is_killed_while_it_reads_a_register_leaves_no_reader_and_tries_again() {
    let mut api = Api::start().await;
    let import = api.announce("administrator", json!({})).await.body["id"].as_str().unwrap().to_owned();
    let sent = api.upload_content("administrator", &import, takes_seconds()).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.body);
    let reader = loop {
        if let [reader] = api.service.children()[..] {
            break reader;
        }
        between_looks().await;
    };
    api.service.kill();
    let ended = async {
        while std::path::Path::new(&format!("/proc/{reader}/fd/0")).exists() {
            between_looks().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), ended).await.expect("its reader ends with it");
    let state: String = api.database.value("select state from certvakt.uploads").await;
    assert_eq!(state, "received");
    api.restart();
    api.database.until("select bool_and(finished_at is not null) from certvakt.uploads").await;
    let tries: i32 = api.database.value("select attempt from certvakt.uploads").await;
    assert_eq!(tries, 2);
}

#[tokio::test]
async fn announcements_are_bounded() {
    let api = Api::start().await;
    let long = "x".repeat(201);
    for change in [
        json!({ "columns": { "external_id": "Nr", "expires_at": long } }),
        json!({ "active_status": [long] }),
        json!({ "active_status": vec!["x"; 51] }),
        json!({ "date_formats": vec!["DD.MM.YYYY"; 21] }),
        json!({ "date_formats": [format!("DD.MM.YYYY{}", " ".repeat(31))] }),
        json!({ "type": "x".repeat(64) }),
        json!({ "date_formats": ["DD MMMMM YYYY"] }),
        json!({ "instant_day": "wrong" }),
        json!({ "header_row": 0 }),
        json!({ "header_row": 1_048_577 }),
        json!({ "separator": "ab" }),
        json!({ "encoding": "no-such-encoding" }),
    ] {
        let refused = api.announce("administrator", change.clone()).await;
        assert_eq!(refused.body["code"], "request-invalid", "{change}: {}", refused.body);
    }
    // A permitted name, and a header as long as the limit of a row: the response shows only a short part of
    // it.
    let header: Vec<String> = (0..40_000).map(|number| format!("column {number}")).collect();
    let change = json!({ "columns": { "external_id": "Nr", "expires_at": "y".repeat(200) } });
    let refused = api.import(change, header.join(";")).await;
    assert_eq!(refused["result"]["code"], "import-unknown-column");
    assert!(refused.to_string().len() < 4_000, "{} bytes", refused.to_string().len());
}

#[tokio::test]
async fn an_organisations_registers_leave_room_for_the_others() {
    let api = Api::start().await;
    api.database.execute(ADMINISTRATOR_ELSEWHERE).await;
    let elsewhere = json!({ "chapter_id": id("0000000000b1"), "type": "type" });
    let announced = async |who: &str, change: Value| {
        let announced = api.announce(who, change).await;
        (announced.status, announced.body["id"].as_str().map(str::to_owned))
    };
    let mut imports = Vec::new();
    for _ in 0..10 {
        let (status, import) = announced("administrator", json!({})).await;
        assert_eq!(status, StatusCode::CREATED);
        imports.push(import.unwrap());
    }
    let refused = api.announce("administrator", json!({})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.body["code"], "too-many-imports");
    assert!(refused.headers.contains_key("retry-after"));
    // The server receives two uploads that never end, refuses a third, and accepts another organisation's.
    let mut slow = Vec::new();
    for import in &imports[..2] {
        let path = format!("{}/api/v1/imports/{import}/content", api.service.address());
        let (host, path) = path.split_once('/').unwrap();
        let mut connection = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "PUT /{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n",
            token("administrator")
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body when it begins to receive it.
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100");
        slow.push(connection);
    }
    let refused = api.upload_content("administrator", &imports[2], REGISTER).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("too-many-imports"))
    );
    let (_, import) = announced("elsewhere", elsewhere).await;
    assert_eq!(
        api.upload_content("elsewhere", &import.unwrap(), REGISTER).await.status,
        StatusCode::ACCEPTED
    );
    drop(slow);
}

#[tokio::test]
async fn registers_are_imported_in_turns_of_their_organisations() {
    let api = Api::start().await;
    let options = json!({
        "chapter_id": id("0000000000a2"), "approve": false, "dry_run": false,
        "options": { "type": "type", "columns": { "external_id": "Nr", "expires_at": "Utløper" } },
    });
    api.database
        .execute(&format!(
            "insert into certvakt.uploads (organisation_id, chapter_id, options, content, state, created_at)
             select h.organisation_id, h.id, '{options}', 'Nr;Utløper', 'received', now() - interval '1 hour' * (10 - n)
             from certvakt.chapters h
             cross join generate_series(1, 4) n
             where h.id = '{}' and n < 4 or h.id = '{}' and n = 4",
            id("0000000000a2"),
            id("0000000000b1"),
        ))
        .await;
    api.database.until("select count(*) = 4 from certvakt.uploads where finished_at is not null").await;
    let turns: String = api
        .database
        .value("select string_agg(left(right(chapter_id::text, 2), 1), '' order by taken_up_at) from certvakt.uploads")
        .await;
    assert_eq!(turns, "abaa");
}

#[tokio::test]
async fn an_announcement_without_content_counts_for_an_hour() {
    let api = Api::start().await;
    for _ in 0..10 {
        assert_eq!(api.announce("administrator", json!({})).await.status, StatusCode::CREATED);
    }
    let refused = api.announce("administrator", json!({})).await;
    assert_eq!(refused.body["code"], "too-many-imports");
    api.database
        .execute(
            "update certvakt.uploads set created_at = now() - interval '1 minute'
             * case id when (select id from certvakt.uploads limit 1) then 50 else 61 end",
        )
        .await;
    api.database.until("select count(*) = 1 from certvakt.uploads").await;
    assert_eq!(api.announce("administrator", json!({})).await.status, StatusCode::CREATED);
    let kept: i64 = api
        .database
        .value("select count(*) from certvakt.uploads where created_at < now() - interval '49 minutes'")
        .await;
    assert_eq!(kept, 1, "what was announced within the hour may still be sent");
}
