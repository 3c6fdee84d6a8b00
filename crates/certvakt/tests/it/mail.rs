//! The e-mail channel, with a real mail server.

use serde_json::{Value, json};

use crate::harness::{NOON, TestDatabase, fail};
use crate::stand_in::MailServer;

async fn one_due(address: &str) -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-06-20").await;
    database.reachable("1", "email", address).await;
    database.run("2026-06-15");
    database
}

#[tokio::test]
async fn a_mail_is_text_html_and_a_calendar_entry_in_the_persons_language() {
    let server = MailServer::start(None);
    let database = one_due("ok-1@example.org").await;
    assert_eq!(database.work(NOON, &server.config(""))["delivered"], 1);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    let key: String = database.value("select idempotency_key from public.cert_notification_log").await;
    assert_eq!(mail["headers"]["message-id"], json!(format!("<{key}@example.org>")));
    assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
    assert_eq!(mail["headers"]["subject"], "Du har en påminnelse");
    assert_eq!(mail["headers"]["to"], "ok-1@example.org");
    assert_eq!(mail["from"], "varsel@example.org");

    let parts: Vec<&str> =
        mail["parts"].as_array().unwrap().iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(parts, ["text/plain", "text/html", "text/calendar"]);
    let text = |part: usize| mail["parts"][part]["text"].as_str().unwrap();
    for part in [0, 1] {
        for words in ["Hei Åse Ødegård", "Likeperson hos Foreningen", "20. juni 2026", "Det er 5 dager igjen"]
        {
            assert!(text(part).contains(words), "{words}: {}", text(part));
        }
    }
    assert!(text(1).contains("<html lang=\"nb\">"));
    let id: String = database.value("select id::text from public.peer_mentor_certifications").await;
    let calendar = crate::calendar::read(text(2));
    assert_eq!(calendar["UID"], format!("{id}@certvakt"));
    assert_eq!(calendar["SUMMARY"], "Påminnelse");
    // The whole last valid day, and nothing of the next (RFC 5545, section 3.6.1).
    assert_eq!(calendar["DTSTART;VALUE=DATE"], "20260620");
    assert_eq!(calendar["DTEND;VALUE=DATE"], "20260621");
    assert_eq!(calendar["TRANSP"], "TRANSPARENT");

    database.execute("update certvakt.people set locale = 'en'; update certvakt.deliveries set state = 'pending', finished_at = null").await;
    database.work(NOON, &server.config(""));
    let mail = server.mails().pop().unwrap();
    assert_eq!(mail["headers"]["subject"], "You have a reminder");
    assert_eq!(
        mail["headers"]["message-id"],
        json!(format!("<{key}@example.org>")),
        "a repeat is the same mail"
    );
    assert!(mail["parts"][1]["text"].as_str().unwrap().contains("<html lang=\"en\">"));
}

/// Stores the organisation's own text of the stage that is due, in Norwegian.
async fn word(database: &TestDatabase, text: &str) {
    let text = text.replace('\'', "''");
    database
        .execute(&format!(
            "insert into certvakt.notice_texts (organisation_id, days_before, locale, body)
             select id, 7, 'nb', '{text}' from certvakt.organisations where slug = 'org'
             on conflict (organisation_id, days_before, locale) do update set body = excluded.body;
             update certvakt.deliveries set state = 'pending', finished_at = null"
        ))
        .await;
}

#[tokio::test]
async fn an_organisations_own_text_is_in_both_parts_and_nowhere_else() {
    let server = MailServer::start(None);
    let database = one_due("ok-1@example.org").await;
    word(
        &database,
        "Kjære {name}, {type} i {chapter} hos {organisation} gjelder til {date}, altså {days}. {remaining}\n\n\
         Bcc: all@example.org\n.\nSubject: <script>alert(1)</script> & <b>{{{{",
    )
    .await;
    assert_eq!(database.work(NOON, &server.config(""))["delivered"], 1);
    let mail = server.mails().pop().unwrap();
    let text = |part: usize| mail["parts"][part]["text"].as_str().unwrap().replace("\r\n", "\n");
    assert!(text(0).contains("Likeperson hos Foreningen gjelder til og med"), "braces: {}", text(0));

    word(
        &database,
        "Kjære {name}, {type} i {chapter} hos {organisation} gjelder til {date}, altså {days}. {remaining}\n\n\
         Bcc: all@example.org\n.\nSubject: <script>alert(1)</script> & <b>",
    )
    .await;
    assert_eq!(database.work(NOON, &server.config(""))["delivered"], 1);
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    let mail = &mails[1];
    let text = |part: usize| mail["parts"][part]["text"].as_str().unwrap().replace("\r\n", "\n");
    let chapter: String = database.value("select name from certvakt.chapters where slug = 'chapter'").await;
    let first = format!(
        "Kjære Åse Ødegård, Likeperson i {chapter} hos Foreningen gjelder til 20. juni 2026, altså 5 dager. \
         Det er 5 dager igjen."
    );
    let last = "Bcc: all@example.org\n.\nSubject: <script>alert(1)</script> & <b>";
    assert!(text(0).contains(&format!("\n\n{first}\n\n{last}\n\n-- \n")), "{}", text(0));
    let escaped =
        "Bcc: all@example.org<br>.<br>Subject: &#60;script&#62;alert(1)&#60;/script&#62; &#38; &#60;b&#62;";
    assert!(text(1).contains(&format!("<p>{first}</p>\n<p>{escaped}</p>")), "{}", text(1));
    for part in [0, 1] {
        assert!(text(part).contains("Hei Åse Ødegård,") && text(part).contains("kan ikke besvares"));
        assert!(!text(part).contains("Ta kontakt med koordinatoren"), "{}", text(part));
    }
    assert_eq!(mail["headers"]["subject"], "Du har en påminnelse");
    assert!(mail["headers"]["bcc"].is_null());
    assert_eq!(mail["to"], json!(["ok-1@example.org"]));

    database
        .execute("update certvakt.people set locale = 'en'; update certvakt.deliveries set state = 'pending', finished_at = null")
        .await;
    database.work(NOON, &server.config(""));
    let english = server.mails().pop().unwrap();
    assert!(english["parts"][0]["text"].as_str().unwrap().contains("is valid until 20 June 2026"));
}

#[tokio::test]
async fn a_command_shows_stores_and_removes_a_text() {
    let server = MailServer::start(None);
    let database = one_due("ok-1@example.org").await;
    let of = ["organisation", "text", "org", "--stage", "expiry_warning_7d", "--language", "nb"];
    let shown = || database.json(of);
    let built_in = shown();
    assert_eq!(built_in["is_own"], false);
    let file = server.file("text.txt", "Kom på kurs.\r\n\r\n\r\nHilsen {organisation}\r\n");
    database.ok(of.into_iter().chain(["--file", file.to_str().unwrap()]));
    assert_eq!(shown()["text"], "Kom på kurs.\n\nHilsen {organisation}");
    database.work(NOON, &server.config(""));
    let sent = server.mails().pop().unwrap();
    let sent = sent["parts"][0]["text"].as_str().unwrap().replace("\r\n", "\n");
    assert!(sent.contains("\n\nKom på kurs.\n\nHilsen Foreningen\n\n-- \n"), "{sent}");

    let wrong = server.file("wrong.txt", "Ring {phone}");
    let said = fail(&mut database.certvakt(of.into_iter().chain(["--file", wrong.to_str().unwrap()])), 2);
    assert!(said.contains("unknown field: 'phone'"), "{said}");
    let undeclared = ["organisation", "text", "org", "--stage", "expiry_warning_45d", "--language", "nb"];
    let said = fail(&mut database.certvakt(undeclared), 2);
    assert!(said.contains("not declared"), "{said}");
    database.ok(of.into_iter().chain(["--built-in"]));
    assert_eq!(shown(), built_in);
}

#[tokio::test]
async fn a_text_that_cannot_be_filled_in_loses_no_notice() {
    let server = MailServer::start(None);
    let database = one_due("ok-1@example.org").await;
    database.execute("update certvakt.people set name = null; delete from certvakt.person_names").await;
    for (text, warning) in [
        ("Ring {phone}", "is not valid, and the built-in text is sent: it contains an unknown field"),
        ("Kjære {name}", "is unknown, and the built-in text is sent"),
    ] {
        word(&database, text).await;
        let mut command =
            database.certvakt(["work", "--drain", "--config", server.config("").to_str().unwrap()]);
        let output = command.env("CERTVAKT_NOW", NOON).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains(warning), "{said}");
        assert!(!said.contains(text), "{said}");
        let sent = server.mails().pop().unwrap();
        let sent = sent["parts"][0]["text"].as_str().unwrap();
        assert!(sent.contains("Likeperson hos Foreningen gjelder til og med 20. juni 2026."), "{sent}");
    }
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test]
async fn the_mail_servers_reply_decides() {
    let server = MailServer::start(None);
    let config = server.config("");
    for (address, state, detail) in [
        ("unknown-1@example.org", "unreachable", "refused with 550 5.1.1 at RCPT TO"),
        ("full-1@example.org", "pending", "put off with 452 4.2.2 at RCPT TO"),
        ("later-1@example.org", "pending", "put off with 451 4.7.1 at the end of the message"),
        ("drop-1@example.org", "pending", "no connection"),
    ] {
        let database = one_due(address).await;
        database.work(NOON, &config);
        assert_eq!(
            database.notices("1").await,
            [format!("expiry_warning_7d 2026-06-13 {state}")],
            "{address}"
        );
        let attempt: String = database.value("select detail from certvakt.delivery_attempts").await;
        assert_eq!(attempt, detail, "{address}");
        let addresses: i64 = database.value("select count(*) from certvakt.contact_points").await;
        assert_eq!(addresses, 1, "a mail address is never removed: {address}");
    }
}

#[tokio::test]
async fn a_refused_address_is_not_tried_again_and_another_one_is() {
    let server = MailServer::start(None);
    let config = server.config("");
    let database = one_due("unknown-1@example.org").await;
    for _ in 0..2 {
        database.work(NOON, &config);
        assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 unreachable"]);
        let attempts: i64 = database.value("select count(*) from certvakt.delivery_attempts").await;
        assert_eq!(attempts, 1);
    }
    assert_eq!(database.explained(NOON, "1")[2], "2026-06-13 expiry_warning_7d undeliverable");
    let status: Value = serde_json::from_str(&database.at(NOON, ["status", "--output", "json"])).unwrap();
    assert_eq!(status["queue"]["unreachable"], 1, "its coordinator sees it");
    database.reachable("1", "email", "ok-1@example.org").await;
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_refused_password_stops_the_channel_until_it_is_fixed() {
    let server = MailServer::start(Some("certvakt:right"));
    let database = one_due("ok-1@example.org").await;
    let right = server.file("right", "right\n");
    let wrong = server.file("wrong", "s3cret\n");
    let signed_in = |password: &std::path::Path| {
        server.config(&format!("user = \"certvakt\"\npassword_file = \"{}\"\n", password.display()))
    };
    for config in [signed_in(&wrong), server.config("")] {
        let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
        let said = fail(command.env("CERTVAKT_NOW", NOON), 7);
        assert!(said.contains("channel-stopped") && !said.contains("s3cret"), "{said}");
        database.execute("update certvakt.deliveries set available_at = now()").await;
    }
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 pending"]);
    assert_eq!(database.work(NOON, &signed_in(&right))["delivered"], 1);
    let stops: i64 = database.value("select count(*) from certvakt.channel_stops").await;
    assert_eq!(stops, 0);
}

#[tokio::test]
async fn nothing_goes_to_a_server_that_cannot_encrypt_when_that_is_asked_for() {
    let server = MailServer::start(None);
    let database = one_due("ok-1@example.org").await;
    for address in ["smtps://127.0.0.1:PORT", "smtp://127.0.0.1:PORT?tls=required"] {
        let config = server.file(
            "encrypted.toml",
            &format!(
                "[email]\nserver = \"{}\"\nfrom = \"varsel@example.org\"\n",
                address.replace("PORT", &server.port.to_string())
            ),
        );
        assert_eq!(database.work(NOON, &config)["delivered"], 0);
        database.execute("update certvakt.deliveries set available_at = now()").await;
    }
    assert!(server.mails().is_empty());
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 pending"]);
}

#[tokio::test]
async fn logs_contain_no_names_and_secrets_at_any_level() {
    let stand_in = crate::stand_in::StandIn::start();
    let server = MailServer::start(Some("certvakt:s3cret"));
    let password = server.file("password", "s3cret");
    let database = one_due("ok-1@example.org").await;
    database.reachable("1", "push", "gone-1").await;
    let config = stand_in.config(
        "[\"fcm\", \"email\"]",
        &format!(
            "[email]\nserver = \"smtp://127.0.0.1:{}\"\nuser = \"certvakt\"\npassword_file = \"{}\"\n\
             from = \"varsel@example.org\"\n",
            server.port,
            password.display()
        ),
    );
    let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    let output = command.env("CERTVAKT_NOW", NOON).env("RUST_LOG", "trace").output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    // The password as AUTH PLAIN writes it: base64 of \0certvakt\0s3cret.
    let written = "AGNlcnR2YWt0AHMzY3JldA==";
    for secret in ["ok-1@", "gone-1", "Ødegård", "Foreningen", "s3cret", written, "Bearer", "bearer"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[tokio::test]
async fn a_mentor_without_a_working_device_gets_an_email() {
    let stand_in = crate::stand_in::StandIn::start();
    let server = MailServer::start(None);
    let database = one_due("ok-1@example.org").await;
    database.reachable("1", "push", "gone-1").await;
    let config = stand_in.config(
        "[\"fcm\", \"email\"]",
        &format!("[email]\nserver = \"smtp://127.0.0.1:{}\"\nfrom = \"varsel@example.org\"\n", server.port),
    );
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    assert_eq!(server.mails().len(), 1);
    let attempts: String = database
        .value(
            "select string_agg(channel || ' ' || outcome, ', ' order by attempt, message) from certvakt.delivery_attempts",
        )
        .await;
    assert_eq!(attempts, "fcm given_up, email delivered");
}

#[tokio::test]
async fn an_address_has_one_form_from_the_register_to_the_envelope() {
    let server = MailServer::start(None);
    let config = server.config("");
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    let register = server.file(
        "register.csv",
        "id,expires,mail\n1,2026-06-20,ok-1@example.org.\n2,2026-06-20,ok-2@BL\u{c5}B\u{c6}R.example\n\
         3,2026-06-20,bj\u{f8}rn@example.org\n4,2026-06-20,Kari <ok-4@example.org>\n",
    );
    let imported = database.json([
        "import",
        register.to_str().unwrap(),
        "--organisation",
        "org",
        "--chapter",
        "chapter",
        "--type",
        "type",
        "--column",
        "external_id=id",
        "expires_at=expires",
        "email=mail",
    ]);
    assert_eq!(imported["contacts_rejected"], 2, "{imported}");
    let addresses = "select string_agg(address, ' ' order by address) from certvakt.contact_points";
    let stored: String = database.value(addresses).await;
    assert_eq!(stored, "ok-1@example.org ok-2@xn--blbr-roah.example");

    // Addresses that were stored without validation are sent to in canonical form, or not at all.
    for (id, address) in [("3", "ok-3@Example.ORG."), ("4", "ok-4@example.org>")] {
        database.reachable(id, "email", address).await;
    }
    database.json(["run", "--date", "2026-06-15", "--approve"]);
    let done = database.work(NOON, &config);
    assert_eq!((&done["delivered"], &done["unreachable"]), (&json!(3), &json!(1)), "{done}");
    let mut sent: Vec<String> =
        server.mails().iter().map(|mail| mail["to"][0].as_str().unwrap().to_owned()).collect();
    sent.sort();
    assert_eq!(sent, ["ok-1@example.org", "ok-2@xn--blbr-roah.example", "ok-3@example.org"]);

    let add = |email: &str| {
        let arguments = [
            "person",
            "add",
            "--organisation",
            "org",
            "--chapter",
            "chapter",
            "--role",
            "coordinator",
            "--name",
            "K",
        ];
        let arguments: Vec<&str> = arguments.into_iter().chain(["--email", email]).collect();
        database.certvakt(arguments.iter().copied()).output().unwrap()
    };
    for wrong in ["a@localhost", "\"a b\"@example.org", "b\u{f8}@example.org", "a@b@example.org"] {
        let output = add(wrong);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("not a valid e-mail address"), "{wrong}: {said}");
        assert!(!said.contains(wrong), "{said}");
    }
    assert!(add("coordinator@Example.org.").status.success());
    let stored: bool = database
        .value(
            "select exists (select from certvakt.contact_points where address = 'coordinator@example.org')",
        )
        .await;
    assert!(stored);
}
