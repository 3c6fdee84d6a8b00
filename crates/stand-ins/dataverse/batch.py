"""Batches: multipart/mixed requests to operations, and responses to multipart/mixed.

By "Execute batch operations using the Web API", "Troubleshoot Dataverse Web API client errors" and section
11.7 of OData 4.0.
"""

import re
import urllib.parse
import uuid
from dataclasses import dataclass
from http import HTTPStatus

from api import Operation, invalid
from tables import Refusal

MOST = 1000


@dataclass
class Part:
    """An operation, with the `Content-ID` for its response."""

    operation: Operation
    id: str | None


def boundary(kind):
    match = re.fullmatch(r'multipart/mixed\s*;\s*boundary=("?)([^\s";]{1,70})\1', kind, re.IGNORECASE)
    return match and match[2].encode()


def head(text):
    """The headers in the lines of a head, by their names in lower case."""
    headers = {}
    for line in text.decode().split("\r\n"):
        name, colon, value = line.partition(":")
        if line and (not colon or not name.strip()):
            raise invalid(f"Invalid header '{line}' in the batch.")
        if line:
            headers[name.strip().lower()] = value.strip()
    return headers


def split(body, mark):
    """The parts between boundaries, each as headers and a body."""
    start, end = b"--" + mark + b"\r\n", b"--" + mark + b"--"
    if not body.startswith(start):
        raise invalid("The batch does not begin with its boundary.")
    whole, found, rest = body.removeprefix(start).partition(b"\r\n" + end)
    if not found or rest.strip(b"\r\n"):
        raise invalid("The batch does not end with its boundary.")
    for part in whole.split(b"\r\n" + start):
        before, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            raise invalid("A part of the batch has no headers.")
        yield head(before), content


def parse(kind, body):
    """Parts and change sets, each of these a list of parts."""
    mark = boundary(kind)
    if not mark:
        raise invalid("The Content-Type of a batch must be multipart/mixed with a boundary.")
    if re.search(rb"(?<!\r)\n", body) or not body.endswith(b"\r\n"):
        raise Refusal(
            400, "0x80048d19", "InnerException : System.ArgumentException: Stream was not readable."
        )
    items, total = [], 0
    for headers, content in split(body, mark):
        inner = boundary(headers.get("content-type", ""))
        if inner:
            items.append([single(*part, grouped=True) for part in split(content, inner)])
            ids = [part.id for part in items[-1]]
            if len(set(ids)) != len(ids):
                raise invalid("Each Content-ID of a change set must be another.")
        else:
            items.append(single(headers, content))
        total += len(ids) if inner else 1
    if total > MOST:
        raise invalid(f"The batch has {total} operations, and may have {MOST}.")
    return items


def single(headers, content, grouped=False):
    if headers.get("content-type", "").lower() != "application/http":
        raise invalid("The Content-Type of a part must be application/http.")
    if headers.get("content-transfer-encoding", "").lower() != "binary":
        raise invalid("The Content-Transfer-Encoding of a part must be binary.")
    id = headers.get("content-id")
    if grouped and not id:
        raise invalid("Content-ID header not present in a request of the change set.")
    before, _, body = content.partition(b"\r\n\r\n")
    line, _, rest = before.partition(b"\r\n")
    # Microsoft's own client does not escape spaces in the URL of a query.
    request = re.fullmatch(r"([A-Z]+) (\S.*) HTTP/1\.1", line.decode())
    if not request:
        raise invalid(f"The request line '{line.decode()}' is invalid.")
    method, url = request.groups()
    if grouped and method == "GET":
        raise invalid("A GET is not allowed within a change set.")
    if urllib.parse.unquote(url).split("?")[0].endswith("/$batch"):
        raise invalid("A batch must not contain another one.")
    return Part(Operation(method, url, head(rest), body), id)


def render_part(answer, id):
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {id}"] if id else []
    lines += ["", f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"Content-Type: {answer.kind}"] if answer.body is not None else []
    lines += ["OData-Version: 4.0", *(f"{name}: {value}" for name, value in answer.headers), "", ""]
    return "\r\n".join(lines).encode() + answer.data() + b"\r\n"


def join(mark, parts):
    return b"".join(f"--{mark}\r\n".encode() + part for part in parts) + f"--{mark}--\r\n".encode()


def render(answered):
    """Content type and parts; `answered` has what `parse` gave, as pairs of answer and id."""
    mark = f"batchresponse_{uuid.uuid4()}"
    parts = []
    for item in answered:
        if isinstance(item, list):
            inner = f"changesetresponse_{uuid.uuid4()}"
            top = f"Content-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode()
            parts.append(top + join(inner, [render_part(*pair) for pair in item]) + b"\r\n")
        else:
            parts.append(render_part(*item))
    return mark, parts
