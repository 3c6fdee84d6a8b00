//! Floods of requests for links do not prevent others from getting one.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::TestService;
use super::links::{MENTOR, all_mailed, mailed};

/// Requests links for invented addresses, each from its own client; returns the number of accepted requests.
async fn ask_for_made_up(place: &TestService, number: u32, client: impl Fn(u32) -> String) -> usize {
    let stream = TcpStream::connect(place.service.address()).await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let requests: Vec<String> = (0..number)
        .map(|one| {
            let client = client(one);
            let body = format!("address=made-up-{one}%40{}.example.org", client.len());
            format!(
                "POST /sign-in/link HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        })
        .collect();
    let sending = tokio::spawn(async move {
        for request in requests {
            writing.write_all(request.as_bytes()).await.unwrap();
        }
        writing
    });
    let (mut sent, mut answered) = (0, 0);
    let mut lines = BufReader::new(reading).lines();
    while answered < number {
        let line = lines.next_line().await.unwrap().expect("an answer to each");
        // The body before it does not end with a line break.
        if let Some((_, status)) = line.split_once("HTTP/1.1 ") {
            answered += 1;
            assert!(status.starts_with("303") || status.starts_with("429"), "{status}");
            sent += usize::from(status.starts_with("303"));
        }
    }
    sending.await.unwrap();
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_invented_addresses_do_not_block_links() {
    let place = TestService::start("client_header = \"X-Forwarded-For\"\n").await;
    let people = [MENTOR, "00000000-0000-4000-8000-0000000100a3", "00000000-0000-4000-8000-0000000100a4"];
    for (n, person) in people.into_iter().enumerate() {
        mailed(&place, person, &format!("ok-real-{n}@example.org")).await;
    }
    let mut browser = place.browser();
    let mut ask = async |n: usize, client: &str| {
        browser.headers = vec![("x-forwarded-for", client.to_owned())];
        let address = format!("ok-real-{n}@example.org");
        assert_eq!(browser.post("/sign-in/link", &[("address", &address)]).await.status, 303, "{n}");
    };
    // A customer with a /48, a provider with a /32, and addresses from many networks.
    let of_a_site = ask_for_made_up(&place, 10_000, |n| format!("2001:db8:7:{n:x}::1")).await;
    ask(0, "2001:db8:8::1").await;
    let of_a_provider = ask_for_made_up(&place, 3_000, |n| format!("2001:db9:{n:x}::1")).await;
    ask(1, "2001:dba::1").await;
    let of_everywhere = ask_for_made_up(&place, 3_000, |n| format!("{}.{}.7.9", 1 + n % 200, n / 200)).await;
    ask(2, "203.0.113.5").await;
    // The burst, plus what the rate allowed during the flood.
    assert!(of_a_site <= 1_000 && of_a_provider <= 1_500, "{of_a_site} {of_a_provider}");
    assert_eq!(of_everywhere, 3_000, "and of these nobody can be told from anybody");
    all_mailed(&place, 3).await;
    place.service.until_metric("certvakt_link_requests_dropped_total 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_ipv4_is_the_same_however_it_is_written() {
    let place = TestService::start("client_header = \"X-Forwarded-For\"\n").await;
    let sent = ask_for_made_up(&place, 40, |n| {
        if n % 2 == 0 { "192.0.2.1".to_owned() } else { "::ffff:192.0.2.1".to_owned() }
    });
    let sent = sent.await;
    // The burst of twenty, plus what the rate allowed in the meantime.
    assert!((20..30).contains(&sent), "{sent}");
}
