//! The HTTP API: what each kind of person sees and may do through it, and what it answers to everything else.

use std::collections::BTreeMap;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::TestDatabase;
use crate::service::Service;

const SECRET: &str = "a secret of the tests, of forty bytes...";
const NOON: &str = "2026-06-15T12:00:00+02:00";
const WORLD: &str = include_str!("../../../../supabase/tests/fixtures/world.sql");
const MAY: &str = include_str!("../../../../supabase/tests/fixtures/may.sql");
const ISSUER: &str = "https://issuer.example";

/// The service on the world of two organisations, at noon of a day on which everybody has five days left.
struct Api {
    database: TestDatabase,
    service: Service,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    etag: String,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Api {
    async fn start() -> Self {
        let database = TestDatabase::rehearsal().await;
        database.execute(WORLD).await;
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        let config = folder.path().join("certvakt.toml");
        let text = format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\n[auth]\nissuer = \"{ISSUER}\"\naudience = \"authenticated\"\n\
             algorithm = \"HS256\"\nsecret_file = \"{}\"\n",
            secret.display()
        );
        std::fs::write(&config, text).unwrap();
        let service = Service::start(&database, &config, NOON);
        let client = certvakt::http::client(Duration::from_secs(30));
        Self { database, service, client, _folder: folder }
    }

    /// Asks as a login of the world; `nobody` brings no token.
    async fn ask(&self, who: &str, method: Method, path: &str, etag: &str, body: Option<&Value>) -> Answer {
        let mut request =
            self.client.request(method, format!("http://{}/api/v1{path}", self.service.address()));
        if who != "nobody" {
            request = request.bearer_auth(token(who));
        }
        if !etag.is_empty() {
            request = request.header("if-match", etag);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let etag = headers.get("etag").map_or(String::new(), |etag| etag.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, etag, headers, body }
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(who, Method::GET, path, "", None).await
    }

    /// The ids that a list shows.
    async fn listed(&self, who: &str, path: &str) -> Vec<String> {
        let answer = self.get(who, path).await;
        let items = answer.body.get("items").unwrap_or(&answer.body).as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn token(subject: &str) -> String {
    let expires: u64 = 4_102_444_800;
    let claims = json!({ "iss": ISSUER, "sub": subject, "aud": "authenticated", "exp": expires });
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap()
}

const KINDS: [&str; 8] =
    ["nobody", "stranger", "mentor", "coordinator", "administrator", "both", "former", "outsider"];
/// A place: its name, and the ends of the ids of its organisation, chapter and certification.
const PLACES: [(&str, &str, &str, &str); 8] = [
    ("top", "0000000000a0", "0000000000a1", "0000000200a1"),
    ("own", "0000000000a0", "0000000000a2", "0000000200a2"),
    ("beside", "0000000000a0", "0000000000a3", "0000000200a3"),
    ("below", "0000000000a0", "0000000000a4", "0000000200a4"),
    ("other", "0000000000b0", "0000000000b1", "0000000200b1"),
    ("twice", "0000000000a0", "0000000000a1", "000000030001"),
    ("mine", "0000000000b0", "0000000000b1", "000000030002"),
    ("deleted", "00000000dead", "00000000dead", "00000000dead"),
];

fn id(end: &str) -> String {
    format!("00000000-0000-4000-8000-{end}")
}

/// The places of each kind of person, resource and verb, as pgTAP reads them.
fn rights() -> BTreeMap<(String, String, String), Vec<String>> {
    let mut rights = BTreeMap::new();
    for line in MAY.lines().filter(|line| line.starts_with("  ('")) {
        let fields: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        let [who, resource, verb, places] = fields[..] else { panic!("{line}") };
        rights.insert(
            (who.to_owned(), resource.to_owned(), verb.to_owned()),
            places.split(' ').map(str::to_owned).collect(),
        );
    }
    assert!(rights.len() > 40, "{rights:?}");
    rights
}

#[tokio::test]
async fn everybody_sees_and_does_what_is_listed_and_nothing_else() {
    let api = Api::start().await;
    let rights = rights();
    for who in KINDS {
        let chapters = api.listed(who, "/chapters").await;
        let certifications = api.listed(who, "/certifications").await;
        let me = api.get(who, "/me").await;
        let organisations: Vec<&str> = me.body["organisations"]
            .as_array()
            .map_or(Vec::new(), |all| all.iter().filter_map(|one| one["id"].as_str()).collect());
        let refused = match who {
            "nobody" => Some(StatusCode::UNAUTHORIZED),
            "stranger" => Some(StatusCode::FORBIDDEN),
            _ => None,
        };
        for (place, organisation, chapter, certification) in PLACES {
            let may = |resource: &str, verb: &str| {
                rights
                    .get(&(who.to_owned(), resource.to_owned(), verb.to_owned()))
                    .is_some_and(|places| places.iter().any(|one| one == place))
            };
            let cell = format!("{who} {place}");
            let certification = id(certification);
            assert_eq!(chapters.contains(&id(chapter)), may("chapter", "select"), "chapter: {cell}");
            assert_eq!(
                organisations.contains(&&*id(organisation)),
                may("organisation", "select"),
                "organisation: {cell}"
            );
            let sees = may("certification", "select");
            assert_eq!(certifications.contains(&certification), sees, "list: {cell}");

            let path = format!("/certifications/{certification}");
            let shown = api.get(who, &path).await;
            let expected = refused.unwrap_or(if sees { StatusCode::OK } else { StatusCode::NOT_FOUND });
            assert_eq!(shown.status, expected, "one: {cell}");
            let has_notices = shown.body["notices"].as_array().is_some_and(|all| !all.is_empty());
            assert_eq!(has_notices, may("notice", "select"), "notices: {cell}");
            let knows_mentor = shown.body["mentor"]["name"].is_string();
            assert_eq!(knows_mentor, sees && may("person", "select"), "mentor: {cell}");

            let suspended = api.ask(who, Method::POST, &format!("{path}/suspend"), &shown.etag, None).await;
            let expected = match (refused, sees, may("certification", "update")) {
                (Some(refused), ..) => refused,
                (None, false, _) => StatusCode::NOT_FOUND,
                (None, true, false) => StatusCode::FORBIDDEN,
                (None, true, true) => StatusCode::OK,
            };
            assert_eq!(suspended.status, expected, "suspend: {cell}: {}", suspended.body);
            if expected == StatusCode::OK {
                assert_eq!(suspended.body["status"], "suspended", "{cell}");
                assert_eq!(suspended.body["stage"], Value::Null, "{cell}");
                let path = format!("{path}/reinstate");
                let stale = api.ask(who, Method::POST, &path, &shown.etag, None).await;
                assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{cell}");
                let reinstated = api.ask(who, Method::POST, &path, &suspended.etag, None).await;
                assert_eq!(reinstated.status, StatusCode::OK, "{cell}: {}", reinstated.body);
                assert_eq!(reinstated.body["status"], "active", "{cell}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_page_by_page_and_holds_each_once() {
    let api = Api::start().await;
    api.database
        .execute(
            "insert into certvakt.people (id, name)
               select ('00000000-0000-4000-8000-0000000400' || to_char(n, 'FM00'))::uuid, 'Række ' || n from generate_series(1, 40) n;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
               select organisation_id, c.id, ('00000000-0000-4000-8000-0000000400' || to_char(n, 'FM00'))::uuid, 'type', 'x%' || n,
                 case when n % 8 > 0 then '2026-07-01T10:00:00Z'::timestamptz + (n % 5) * interval '10 days' end
               from generate_series(1, 40) n, certvakt.chapters c
               where c.slug = case n % 4 when 0 then 'own' when 1 then 'below' when 2 then 'beside' else 'top' end",
        )
        .await;
    for limit in [1, 7, 200] {
        let mut found: Vec<Value> = Vec::new();
        let mut after = String::new();
        loop {
            let page = api.get("administrator", &format!("/certifications?limit={limit}{after}")).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            found.extend(items.iter().cloned());
            match page.body["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(found.len(), 45, "pages of {limit}");
        let order: Vec<(String, String)> = found
            .iter()
            .map(|one| (one["expires_at"].as_str().unwrap_or("never").to_owned(), one["id"].to_string()))
            .collect();
        let mut sorted = order.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(order, sorted, "pages of {limit}");
    }
    let counts = [
        ("coordinator", "", 22),
        ("coordinator", "&chapter=00000000-0000-4000-8000-0000000000a4", 11),
        ("coordinator", "&chapter=00000000-0000-4000-8000-0000000000a3", 0),
        ("administrator", "&stage=expiry_warning_7d", 5),
        ("administrator", "&stage=expiry_warning_30d", 14),
        ("administrator", "&stage=expired", 0),
        ("administrator", "&type=type", 45),
        ("administrator", "&type=other", 0),
        ("administrator", "&q=r%C3%A6kke%201", 11),
        ("administrator", "&q=x%25", 40),
        ("administrator", "&q=%25%25", 0),
        ("administrator", "&q=_", 0),
        ("administrator", "&q=%5C", 0),
    ];
    for (who, filter, expected) in counts {
        let found = api.listed(who, &format!("/certifications?limit=200{filter}")).await;
        assert_eq!(found.len(), expected, "{who} {filter}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_a_problem_with_a_code() {
    let api = Api::start().await;
    let own = format!("/certifications/{}", id("0000000200a2"));
    let cases = [
        (Method::GET, "/certifications?limit=0".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?limit=201".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?limit=-1".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?stage=90".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?after=x".to_owned(), None, 422, "request-invalid"),
        (
            Method::GET,
            "/certifications?after=99999999999999999_00000000".to_owned(),
            None,
            422,
            "request-invalid",
        ),
        (Method::GET, "/certifications?q=%00".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?chapter=x".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?unknown=1".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications/x".to_owned(), None, 404, "not-found"),
        (Method::GET, "/nothing".to_owned(), None, 404, "not-found"),
        (Method::DELETE, own.clone(), None, 405, "method-not-allowed"),
        (Method::POST, format!("{own}/suspend"), None, 428, "version-missing"),
        (Method::PUT, "/me/devices/phone".to_owned(), Some(json!({ "token": "" })), 422, "request-invalid"),
        (
            Method::PUT,
            "/me/devices/phone".to_owned(),
            Some(json!({ "token": "a b" })),
            422,
            "request-invalid",
        ),
        (
            Method::PUT,
            "/me/devices/phone".to_owned(),
            Some(json!({ "token": "a", "x": 1 })),
            422,
            "request-invalid",
        ),
        (
            Method::PUT,
            "/me/devices/phone".to_owned(),
            Some(json!({ "token": "x".repeat(70_000) })),
            413,
            "request-too-long",
        ),
        (Method::PUT, "/me/devices/phone".to_owned(), None, 415, "request-not-json"),
        (
            Method::POST,
            "/me/invitation".to_owned(),
            Some(json!({ "token": "guess" })),
            422,
            "invitation-invalid",
        ),
        (
            Method::POST,
            "/me/invitation".to_owned(),
            Some(json!({ "token": "\0" })),
            422,
            "invitation-invalid",
        ),
    ];
    for (method, path, body, status, code) in cases {
        let answer = api.ask("coordinator", method.clone(), &path, "", body.as_ref()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        assert_eq!(answer.body["code"], code, "{method} {path}: {}", answer.body);
        assert_eq!(answer.body["status"], status, "{method} {path}");
        assert_eq!(answer.body["type"], format!("urn:certvakt:problem:{code}"));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.contains_key("x-request-id"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn an_invitation_makes_a_login_a_person_once() {
    let api = Api::start().await;
    api.database
        .execute(
            "insert into certvakt.invitations (person_id, token_hash, expires_at)
             select '00000000-0000-4000-8000-0000000100a4', sha256(token::bytea), until
             from (values ('good', now() + interval '1 day'), ('second', now() + interval '1 day'), ('old', now())) as i (token, until)",
        )
        .await;
    assert_eq!(api.get("newcomer", "/me").await.body["code"], "login-unknown");
    let accept = async |who: &str, token: &str| {
        let answer = api.ask(who, Method::POST, "/me/invitation", "", Some(&json!({ "token": token }))).await;
        (answer.status.as_u16(), answer.body)
    };
    assert_eq!(accept("newcomer", "old").await.1["code"], "invitation-invalid");
    assert_eq!(accept("nobody", "good").await.1["code"], "token-missing");
    assert_eq!(
        accept("coordinator", "good").await.1["code"],
        "login-taken",
        "and the invitation is good still"
    );
    assert_eq!(accept("newcomer", "good").await, (200, json!({ "id": id("0000000100a4") })));
    assert_eq!(accept("thief", "good").await.1["code"], "invitation-invalid");
    assert_eq!(accept("newcomer", "second").await.1["code"], "login-taken");
    assert_eq!(api.listed("newcomer", "/certifications").await, [id("0000000200a4")]);
}

#[tokio::test]
async fn a_device_is_of_whoever_signed_in_last() {
    let api = Api::start().await;
    let owners = "select coalesce(string_agg(installation || '=' || person_id || '=' || address, ' ' order by installation), '')
        from certvakt.contact_points where installation is not null";
    let keep = async |who: &str, installation: &str, token: &str| {
        let path = format!("/me/devices/{installation}");
        let answer = api.ask(who, Method::PUT, &path, "", Some(&json!({ "token": token }))).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    };
    let (mentor, coordinator) = (id("0000000100a2"), id("000000000001"));
    keep("mentor", "phone", "first").await;
    keep("mentor", "phone", "second").await;
    assert_eq!(api.database.value::<String>(owners).await, format!("phone={mentor}=second"));
    keep("coordinator", "phone", "second").await;
    assert_eq!(api.database.value::<String>(owners).await, format!("phone={coordinator}=second"));
    // The app was installed anew on the same device.
    keep("mentor", "again", "second").await;
    assert_eq!(api.database.value::<String>(owners).await, format!("again={mentor}=second"));
    for (who, left) in [("coordinator", format!("again={mentor}=second")), ("mentor", String::new())] {
        let answer = api.ask(who, Method::DELETE, "/me/devices/again", "", None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(api.database.value::<String>(owners).await, left, "{who}");
    }
}

#[tokio::test]
async fn leaving_a_chapter_and_a_closure_count_at_once() {
    let api = Api::start().await;
    let path = format!("/certifications/{}", id("0000000200a4"));
    assert_eq!(api.get("coordinator", &path).await.status, StatusCode::OK);
    let close = "insert into certvakt.access_closures (resource, organisation_id, reason)
        select 'certifications', id, 'a test' from certvakt.organisations where slug = ";
    api.database.execute(&format!("{close} 'a'")).await;
    for (who, code) in [("coordinator", "access-closed"), ("both", "access-closed"), ("outsider", "")] {
        let answer = api.get(who, "/certifications").await;
        assert_eq!(answer.body["code"].as_str().unwrap_or_default(), code, "{who}");
    }
    api.database.execute("update certvakt.access_closures set opened_at = now(), opened_by = 'a test'").await;
    assert_eq!(api.get("coordinator", &path).await.status, StatusCode::OK);
    api.database
        .execute(
            "insert into certvakt.access_closures (resource, reason) values ('certifications', 'a test')",
        )
        .await;
    assert_eq!(api.get("outsider", "/certifications").await.status, StatusCode::SERVICE_UNAVAILABLE);
    api.database.execute("update certvakt.access_closures set opened_at = now(), opened_by = 'a test'").await;
    api.database
        .execute(&format!("delete from certvakt.memberships where person_id = '{}'", id("000000000001")))
        .await;
    assert_eq!(api.get("coordinator", &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_command_line_lets_people_in_and_closes_the_door() {
    let api = Api::start().await;
    let database = &api.database;
    let added = database.json([
        "person",
        "add",
        "--organisation",
        "a",
        "--chapter",
        "beside",
        "--role",
        "coordinator",
        "--name",
        "Åse Ødegård",
        "--email",
        "aase@example.org",
    ]);
    let person = added["id"].as_str().unwrap();
    let invited = database.json(["person", "invite", person]);
    let token = json!({ "token": invited["token"] });
    let accepted = api.ask("newcomer", Method::POST, "/me/invitation", "", Some(&token)).await;
    assert_eq!(accepted.body["id"], person, "{}", accepted.body);
    let me = api.get("newcomer", "/me").await.body;
    assert_eq!(me["name"], "Åse Ødegård");
    assert_eq!(me["memberships"][0]["role"], "coordinator");
    assert_eq!(api.listed("newcomer", "/certifications").await, [id("0000000200a3"), id("000000030001")]);

    let closed =
        database.ok(["access", "disable", "certifications", "--organisation", "a", "--reason", "en prøve"]);
    assert!(closed.contains("Closed"), "{closed}");
    assert_eq!(api.get("newcomer", "/certifications").await.body["code"], "access-closed");
    let again =
        database.json(["access", "disable", "certifications", "--organisation", "a", "--reason", "igjen"]);
    assert_eq!(again, json!({ "closed": true, "changed": false }));
    let status = database.certvakt(["status"]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("CLOSED to people: certifications of a since"), "{status}");
    assert!(status.contains("by certvakt_service: en prøve"), "{status}");
    // Three weeks later everybody has lapsed: the service's own work goes on behind the closed door.
    database.ok(["run", "--organisation", "a", "--date", "2026-07-01", "--approve"]);
    let lapsed: i64 = database
        .value("select count(*) from public.peer_mentor_certifications c join certvakt.organisations o on o.id = c.organisation_id where o.slug = 'a' and status = 'expired'")
        .await;
    assert_eq!(lapsed, 5);
    database.ok(["access", "enable", "certifications", "--organisation", "a"]);
    assert_eq!(api.get("newcomer", "/certifications").await.status, StatusCode::OK);
    let path = format!("/certifications/{}", id("0000000200a3"));
    let etag = api.get("newcomer", &path).await.etag;
    let suspended = api.ask("newcomer", Method::POST, &format!("{path}/suspend"), &etag, None).await;
    assert_eq!(suspended.body["code"], "certification-lapsed");
    let reinstated = api.ask("newcomer", Method::POST, &format!("{path}/reinstate"), &etag, None).await;
    assert_eq!(reinstated.body["status"], "expired", "{}", reinstated.body);
    let kept: String = database
        .value("select concat_ws(' ', reason, closed_by, opened_by) from certvakt.access_closures")
        .await;
    assert_eq!(kept, "en prøve certvakt_service certvakt_service");

    for (arguments, says) in [
        (vec!["person", "invite", "nobody"], "unknown-name"),
        (vec!["access", "disable", "certifications", "--reason", " "], "a reason has"),
        (vec!["access", "enable", "certifications", "--organisation", "x"], "unknown-name"),
    ] {
        let said = crate::harness::fail(&mut database.certvakt(arguments.iter().copied()), 2);
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn the_api_describes_itself_and_every_address_of_it() {
    let api = Api::start().await;
    let document = api.get("nobody", "/openapi.json").await;
    assert_eq!(document.status, StatusCode::OK);
    assert!(document.body["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document.body["openapi"]);
    let paths = document.body["paths"].as_object().unwrap();
    let operations: Vec<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(
        operations,
        [
            "get /api/v1/certifications",
            "get /api/v1/certifications/{id}",
            "post /api/v1/certifications/{id}/reinstate",
            "post /api/v1/certifications/{id}/suspend",
            "get /api/v1/chapters",
            "get /api/v1/me",
            "delete /api/v1/me/devices/{installation}",
            "put /api/v1/me/devices/{installation}",
            "post /api/v1/me/invitation",
        ]
    );
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            for status in ["4XX", "5XX"] {
                let content = &operation["responses"][status]["content"]["application/problem+json"];
                assert!(content.is_object(), "{method} {path} {status}: {operation}");
            }
        }
    }
}

#[tokio::test]
async fn one_login_cannot_keep_the_others_waiting() {
    let api = Api::start().await;
    // Refused before the database is asked, so that the minute's requests are sent within it.
    let wrong = json!({ "wrong": true });
    let mut sent = 0;
    let answer = loop {
        let answer = api.ask("mentor", Method::PUT, "/me/devices/phone", "", Some(&wrong)).await;
        sent += 1;
        if answer.status != StatusCode::UNPROCESSABLE_ENTITY || sent == 20_000 {
            break answer;
        }
    };
    assert_eq!(answer.body["code"], "too-many-requests", "after {sent}");
    assert!(sent > 600, "{sent}");
    assert_eq!(answer.headers["retry-after"], "60");
    assert_eq!(api.get("coordinator", "/me").await.status, StatusCode::OK);
}
