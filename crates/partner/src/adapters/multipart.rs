//! Batch requests and responses: `multipart/mixed`, whose parts are HTTP messages (`OData` Version 4.0, Part
//! 1, section 11.7; RFC 2046, section 5.1).

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use uuid::Uuid;

use crate::client::PortalResponse;

/// The maximum number of headers of a part.
const MOST_HEADERS: usize = 32;

/// A request in a batch.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes a batch request. Returns its `Content-Type` and body.
pub(super) fn write(parts: &[&Part]) -> (String, Vec<u8>) {
    let boundary = format!("batch_{}", Uuid::new_v4().simple());
    let mut body = Vec::with_capacity(parts.len() * 512);
    for part in parts {
        let head = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{} {} HTTP/1.1\r\n",
            part.method,
            target(&part.url)
        );
        body.extend_from_slice(head.as_bytes());
        for (name, value) in &part.headers {
            body.extend_from_slice(name.as_str().as_bytes());
            body.extend_from_slice(b": ");
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&part.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/mixed; boundary={boundary}"), body)
}

/// The request target of a URL.
fn target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Reads the responses in a batch response, in order. Returns `None` if it is not a batch response. A
/// response that was cut off has fewer parts.
pub(super) fn read(answered: &PortalResponse) -> Option<Vec<PortalResponse>> {
    let kind = answered.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (name, parameters) = kind.split_once(';')?;
    if !name.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?;
    let marker = format!("--{}", boundary.trim_matches('"'));
    Some(split(&answered.body, marker.as_bytes()).into_iter().map_while(part).collect())
}

/// The parts between boundaries. A part without a boundary after it is incomplete and is dropped.
fn split<'a>(body: &'a [u8], marker: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut begin = None;
    let mut at = 0;
    while at + marker.len() <= body.len() {
        // A boundary is at the start of a line.
        let is_marker = (at == 0 || body[at - 1] == b'\n') && body[at..].starts_with(marker);
        if is_marker {
            parts.extend(begin.map(|begin: usize| &body[begin..at]));
            at += marker.len();
            if body[at..].starts_with(b"--") {
                break;
            }
            begin = Some(at);
        } else {
            at += body[at..].iter().position(|byte| *byte == b'\n').map_or(body.len(), |end| end + 1);
        }
    }
    parts
}

/// Reads a part: its own headers, an empty line, and the response.
fn part(text: &[u8]) -> Option<PortalResponse> {
    let answer = after_empty_line(text)?;
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut read = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = read.parse(answer).ok()? else { return None };
    let headers = read.headers.iter().filter_map(|header| {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(header.value).ok()?))
    });
    Some(PortalResponse {
        status: StatusCode::from_u16(read.code?).ok()?,
        headers: headers.collect(),
        body: answer[length..].trim_ascii_end().to_vec(),
    })
}

fn after_empty_line(text: &[u8]) -> Option<&[u8]> {
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(&text[end + 4..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use certvakt_testing::fuzz::Target;

    fn answered(body: &str) -> PortalResponse {
        let kind = HeaderValue::from_static("multipart/mixed; boundary=\"b\"");
        PortalResponse {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            body: body.replace('\n', "\r\n").into_bytes(),
        }
    }

    fn codes(body: &str) -> Vec<u16> {
        read(&answered(body)).unwrap().iter().map(|one| one.status.as_u16()).collect()
    }

    const FIRST: &str =
        "--b\nContent-Type: application/http\n\nHTTP/1.1 204 No Content\nOData-Version: 4.0\n\n\n";
    const SECOND: &str =
        "--b\nContent-Type: application/http\n\nHTTP/1.1 404 Not Found\nA: --b\n\n{\"--b\":\n1}\n";

    #[test]
    fn answers_are_read_in_their_order_and_only_whole_ones() {
        assert_eq!(codes(&format!("{FIRST}{SECOND}--b--\n")), [204, 404]);
        assert_eq!(codes(&format!("before\n{FIRST}{SECOND}--b--\n{FIRST}--b--\n")), [204, 404]);
        assert_eq!(codes(&format!("{FIRST}{SECOND}")), [204], "the last is not whole");
        assert_eq!(codes(&format!("{FIRST}--b\nno answer\n\nat all\n{SECOND}--b--\n")), [204]);
        assert!(codes("--b--\n").is_empty() && codes("").is_empty());
        let body = &read(&answered(&format!("{SECOND}--b--\n"))).unwrap()[0].body;
        assert_eq!(body, b"{\"--b\":\r\n1}");
    }

    #[test]
    fn fuzz_multipart() {
        let words = &[
            "--b",
            "--",
            "\r\n\r\n",
            "\r\n",
            "HTTP/1.1 204 No Content\r\n",
            "HTTP/1.1 999 ",
            "boundary=",
            ";",
        ];
        Target { name: "multipart", words, made: Vec::new(), inputs: 2_000 }.run(|input| {
            // The first line is the value of Content-Type.
            let (kind, body) = input.split_at(input.iter().position(|byte| *byte == b'\n').unwrap_or(0));
            let Ok(kind) = HeaderValue::from_bytes(kind) else { return };
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
            let body = body.get(1..).unwrap_or_default().to_vec();
            let Some(answers) = read(&PortalResponse { status: StatusCode::OK, headers, body: body.clone() })
            else {
                return;
            };
            // Each response has a line that starts with HTTP/, and a body that is part of the input.
            let heads = body.windows(5).filter(|five| five == b"HTTP/").count();
            assert!(answers.len() <= heads, "{} answers, {heads} first lines", answers.len());
            assert!(answers.iter().map(|one| one.body.len()).sum::<usize>() <= body.len());
            for one in answers {
                assert!(one.body.is_empty() || body.windows(one.body.len()).any(|part| part == one.body));
            }
        });
    }

    #[test]
    fn an_invalid_batch_response_is_none() {
        let mut page = answered(FIRST);
        page.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        assert!(read(&page).is_none());
        page.headers.clear();
        assert!(read(&page).is_none());
    }

    #[test]
    fn each_request_is_between_boundaries() {
        let header = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let headers = HeaderMap::from_iter([header]);
        let url = Url::parse("https://portal.example/a(k='1')?$select=b").unwrap();
        let one = Part { method: Method::PATCH, url, headers, body: b"{}".to_vec() };
        let (kind, body) = write(&[&one, &one]);
        let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap();
        let part = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             PATCH /a(k='1')?$select=b HTTP/1.1\r\ncontent-type: application/json\r\n\r\n{{}}\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), format!("{part}{part}--{boundary}--\r\n"));
    }
}
