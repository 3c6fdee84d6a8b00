//! No login or organisation can exhaust the resources of others, and requests cannot exhaust those of the
//! background work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Executor, PgConnection};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{Answer, Api, token};
use crate::harness::superuser;

/// The number of statements that wait for a lock.
const BLOCKED: &str =
    "(select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";

/// Members of a chapter, `slug-1` and so on, each with a device whose row is locked, so that registering it
/// waits.
async fn blocked_members(api: &Api, chapter: &str, slug: &str, number: u32) -> PgConnection {
    api.database
        .execute(&format!(
            "with person as (
               insert into certvakt.people (id, name)
               select md5('{slug}' || n)::uuid, '{slug} ' || n from generate_series(1, {number}) n returning id),
             login as (
               insert into certvakt.identities (issuer, subject, person_id)
               select 'https://issuer.example', '{slug}-' || n, md5('{slug}' || n)::uuid from generate_series(1, {number}) n),
             member as (
               insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
               select h.organisation_id, h.id, person.id, 'mentor' from person, certvakt.chapters h where h.id = '{}')
             insert into certvakt.contact_points (person_id, kind, address, installation)
             select md5('{slug}' || n)::uuid, 'push', '{slug}-token-' || n, '{slug}-' || n from generate_series(1, {number}) n",
            super::id(chapter)
        ))
        .await;
    let mut holder = superuser(&api.database.name).await;
    let hold =
        format!("begin; select from certvakt.contact_points where installation like '{slug}-%' for update");
    holder.execute(sqlx::AssertSqlSafe(hold)).await.unwrap();
    holder
}

fn register_device(api: &Api, login: &str) -> impl Future<Output = Answer> + use<> {
    let request =
        api.request(login, Method::PUT, &format!("/me/devices/{login}")).json(&json!({ "token": "other" }));
    Answer::of(request)
}

/// Sends requests repeatedly, two at a time for each login, until it is stopped.
fn keep_asking(
    api: &Api,
    logins: impl IntoIterator<Item = String>,
    stop: &Arc<AtomicBool>,
) -> Vec<JoinHandle<()>> {
    let mut asking = Vec::new();
    for login in logins.into_iter().flat_map(|login| [login.clone(), login]) {
        let (stop, url) =
            (Arc::clone(stop), format!("http://{}/api/v1/me/devices/{login}", api.service.address()));
        let client = api.client.clone();
        asking.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let request = client.put(&url).bearer_auth(token(&login)).json(&json!({ "token": login }));
                request.send().await.unwrap();
            }
        }));
    }
    asking
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_has_two_concurrent_requests_and_a_bounded_queue() {
    let api = Api::start().await;
    let mut holder = blocked_members(&api, "0000000000a2", "slow", 1).await;
    let (mut refused, mut waiting) = (Vec::new(), Vec::new());
    let mut asking: futures_util::stream::FuturesUnordered<_> =
        (0..40).map(|_| tokio::spawn(register_device(&api, "slow-1"))).collect();
    // Two requests run and twenty wait.
    while refused.len() < 18 {
        let answer = futures_util::StreamExt::next(&mut asking).await.unwrap().unwrap();
        let heard = if answer.status == StatusCode::TOO_MANY_REQUESTS { &mut refused } else { &mut waiting };
        heard.push(answer);
    }
    for answer in &refused {
        assert_eq!(answer.body["code"], "too-many-at-once", "{}", answer.body);
        assert_eq!(answer.headers["retry-after"], "5");
    }
    api.database.until(&format!("select {BLOCKED} = 2")).await;
    for other in ["mentor", "coordinator", "outsider"] {
        assert_eq!(api.get(other, "/me").await.status, StatusCode::OK, "{other}");
    }
    holder.execute("rollback").await.unwrap();
    join_all(asking).await;
    assert_eq!(register_device(&api, "slow-1").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_have_half_each_and_the_background_has_its_own() {
    // The pooler of the tests has fewer connections than the service's pools, so it decides about them.
    if std::env::var("CERTVAKT_TEST_POOLER").is_ok() {
        return;
    }
    let api = Api::start().await;
    let mut holders = [
        blocked_members(&api, "0000000000a2", "ours", 5).await,
        blocked_members(&api, "0000000000b1", "theirs", 5).await,
    ];
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = keep_asking(&api, (1..=5).map(|n| format!("ours-{n}")), &stop);
    api.database.until(&format!("select {BLOCKED} = 6")).await;
    assert_eq!(api.get("outsider", "/me").await.status, StatusCode::OK, "another organisation gets through");
    asking.extend(keep_asking(&api, (1..=5).map(|n| format!("theirs-{n}")), &stop));
    // With every connection for requests in use, a run still completes, metrics are read and the access log
    // is written.
    api.database.until(&format!("select {BLOCKED} = 12")).await;
    api.database.ok(["organisation", "add", "later", "--name", "Later", "--timezone", "Europe/Oslo"]);
    api.service.until_metric("certvakt_access_events_lost_total 0").await;
    let ran =
        "select exists (select from certvakt.runs r join certvakt.organisations o on o.id = r.organisation_id
        where o.slug = 'later' and r.state = 'complete')";
    api.database.until(ran).await;
    api.database
        .until("select exists (select from certvakt.access_events where resource like '%devices%')")
        .await;
    let most: i64 = api.database.value(&format!("select {BLOCKED}")).await;
    assert!(most <= 12, "{most}");
    stop.store(true, Ordering::Relaxed);
    for holder in &mut holders {
        holder.execute("rollback").await.unwrap();
    }
    join_all(asking).await;
    assert_eq!(api.get("ours-1", "/me").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_do_not_make_the_operators_check_of_readiness_fail() {
    // The pooler of the tests has no more connections than the unidentified callers use here.
    if std::env::var("CERTVAKT_TEST_POOLER").is_ok() {
        return;
    }
    let api = Api::start().await;
    let mut holder = superuser(&api.database.name).await;
    holder.execute("begin; lock table certvakt.sessions in access exclusive mode").await.unwrap();
    // Twice as many as can run at once, so that each one that ends is replaced.
    let stop = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (stop, client) = (Arc::clone(&stop), api.client.clone());
            let url = format!("http://{}/api/v1/me", api.service.address());
            let cookie = format!("__Host-certvakt={}", "0".repeat(64));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.get(&url).header("cookie", &cookie).send().await.unwrap();
                }
            })
        })
        .collect();
    api.database.until(&format!("select {BLOCKED} = 4")).await;
    let readiness = async |address: &str| {
        let answer = api.client.get(format!("http://{address}/readyz")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let ready = (200, "ready\n".to_owned());
    // Both at the same time, so that no request ends between them. Repeat if one ended before the check timed
    // out.
    let checking = async {
        loop {
            let (strangers, operators) =
                tokio::join!(readiness(api.service.address()), readiness(api.service.operations()));
            assert_eq!(operators, ready);
            if strangers == (503, "busy\n".to_owned()) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), checking).await.expect("strangers have all their turns");
    stop.store(true, Ordering::Relaxed);
    holder.execute("rollback").await.unwrap();
    join_all(asking).await;
    assert_eq!(readiness(api.service.address()).await, ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_client_keeps_its_permit_until_the_statement_ends() {
    let api = Api::start().await;
    let mut holder = blocked_members(&api, "0000000000a2", "gone", 1).await;
    for asked in 1..=6 {
        let mut stream = TcpStream::connect(api.service.address()).await.unwrap();
        let request = format!(
            "PUT /api/v1/me/devices/gone-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{{\"token\":\"x\"}}",
            token("gone-1")
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        api.database.until(&format!("select {BLOCKED} = {}", asked.min(2))).await;
        drop(stream);
    }
    let blocked: i64 = api.database.value(&format!("select {BLOCKED}")).await;
    assert!(blocked <= 2, "{blocked} statements of one login");
    holder.execute("rollback").await.unwrap();
    assert_eq!(register_device(&api, "gone-1").await.status, StatusCode::NO_CONTENT);
}
