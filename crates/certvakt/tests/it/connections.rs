//! Idle connections, too many connections, and HTTP/2 attacks.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{NOON, TestDatabase};
use crate::service::Service;
use crate::stand_in::write_config;

/// A service with additional settings in `[serve]`.
async fn start(more: &str) -> (Service, tempfile::TempDir) {
    let database = TestDatabase::rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), &format!("[serve]\nlisten = \"127.0.0.1:0\"\n{more}"));
    (Service::start(&database, &config, NOON), folder)
}

/// A connection from an address of this machine.
async fn connect(from: &str, to: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse::<SocketAddr>().unwrap()).unwrap();
    socket.connect(to.parse().unwrap()).await.unwrap()
}

/// Sends a request on a new connection. Returns the status and the body.
async fn get(from: &str, to: &str, path: &str) -> (u16, String) {
    let mut stream = connect(from, to).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = to_the_end(stream).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) =
        answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer from {path}: {answer}"));
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// Reads everything until the service closes the connection.
async fn to_the_end(mut stream: TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // A connection that was closed while we were sending is reset.
    let _ = stream.read_to_end(&mut heard).await;
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_closed() {
    let (service, _folder) = start("").await;
    let beginnings: [&[u8]; 5] = [
        b"",
        b"G",
        // The first byte of both versions.
        b"P",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let silent = beginnings.map(|beginning| {
        let address = service.address().to_owned();
        tokio::spawn(async move {
            let mut stream = connect("127.0.0.1", &address).await;
            stream.write_all(beginning).await.unwrap();
            to_the_end(stream).await
        })
    });
    for one in silent {
        one.await.unwrap();
    }
    service.until_metric("certvakt_connections_idle_closed_total 5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_do_not_block_health_checks() {
    let (service, _folder) = start("connections = 40\nconnections_per_address = 20\n").await;
    let (address, operations) = (service.address(), service.operations());
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(connect("127.0.0.1", address).await);
    }
    let asked = get("127.0.0.1", address, "/api/v1/openapi.json").await;
    assert!(asked.0 == 503 && asked.1.contains("\"busy\""), "{asked:?}");
    assert_eq!(get("127.0.0.2", address, "/api/v1/openapi.json").await.0, 200, "another address");
    for _ in 0..20 {
        held.push(connect("127.0.0.2", address).await);
    }
    // The process has no more regular connections; those beyond the limit only replace each other.
    for _ in 0..200 {
        held.push(connect("127.0.0.3", address).await);
    }
    assert_eq!(get("127.0.0.4", address, "/api/v1/openapi.json").await.0, 503);
    assert_eq!(get("127.0.0.4", address, "/healthz").await, (200, "alive\n".to_owned()));
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get("127.0.0.1", operations, path).await.0, 200, "{path}");
    }
    assert_eq!(get("127.0.0.1", operations, "/api/v1/openapi.json").await.0, 404);
    drop(held);
    let served = async { while get("127.0.0.1", address, "/api/v1/openapi.json").await.0 != 200 {} };
    tokio::time::timeout(std::time::Duration::from_mins(1), served).await.unwrap();
    assert_eq!(get("127.0.0.1", address, "/metrics").await.0, 404, "metrics are for operators");
    service.end();
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The start of a connection: the preface, and default settings.
fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, &[])].concat()
}

/// `GET /` of localhost, by the static table and one literal (RFC 7541, appendix A).
const REQUEST: &[u8] = b"\x82\x86\x84\x01\x09localhost";

#[tokio::test(flavor = "multi_thread")]
async fn http_2_has_its_limits() {
    let (service, _folder) = start("").await;
    let mut stream = connect("127.0.0.1", service.address()).await;
    stream.write_all(&preface()).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "settings come first");
    let mut settings = vec![0; usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    let of = |id: u16| {
        let found = settings.chunks(6).find(|one| one[..2] == id.to_be_bytes())?;
        Some(u32::from_be_bytes(found[2..].try_into().unwrap()))
    };
    assert_eq!((of(3), of(6)), (Some(32), Some(32 * 1024)), "streams at once, and bytes of headers");

    // Many requests that are reset immediately (rapid reset).
    let mut stream = connect("127.0.0.1", service.address()).await;
    let mut flood = preface();
    for number in 0..20_000 {
        let stream = 2 * number + 1;
        flood.extend(frame(1, 0b101, stream, REQUEST));
        flood.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
    }
    let _ = stream.write_all(&flood).await;
    to_the_end(stream).await;
    assert_eq!(get("127.0.0.1", service.address(), "/healthz").await.0, 200);
    service.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_files_is_raised_and_leaves_room_for_others() {
    let database = TestDatabase::rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "[serve]\nlisten = \"127.0.0.1:0\"\nconnections = 1000000\n");
    let service = Service::start(&database, &config, NOON);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", service.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(files[3], files[4], "the soft limit is the hard one");
    service.until_said("fewer connections than serve.connections").await;
}
