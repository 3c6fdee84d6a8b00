"""Dataverse's Web API and Entra's token endpoint for tests, as strict as Microsoft's documents.

    python dataverse FOLDER

Creates an authority, the server's certificate and an application's in FOLDER (ca.pem, client.pem: a key and its
certificate), prints its addresses (loopback) as JSON, and ends when standard input closes. It was written from the
documents that its files name; ../microsoft.py shows that it works with Microsoft's own client. It shares no code
with certvakt. The application has the tenant "tenant", the client id
11111111-1111-1111-1111-111111111111 and the secret "correct horse".

    {"address": "https://127.0.0.1:…", "ca": "FOLDER/ca.pem", "control": "http://127.0.0.1:…"}

At `address`, over TLS:

    POST /TENANT/oauth2/v2.0/token    client credentials, with a secret or an assertion
    …    /api/data/v9.2/…             new_mentors and new_renewals: read, write, query, changes, batches
    GET  /_odata/mentors              the public page of listed mentors

At `control`:

    POST /control                     sets its data and behaviour, see `Service.control`
    GET  /record                      all requests, a batch with its operations
    GET  /rows                        the rows of each table
    GET  /measure                     the numbers of requests and operations, and the maximum concurrency

A fault replaces the response to a request, or to an operation in a batch:

    drop, lose, hold                  accepted without a response; neither; response when released, or after 60 s
    redirect, html, error             a page to sign in at, by 302 or 200; 200 with an error inside
    cut, fewer                        for an accepted batch: half of the response; all but its last part
    503, [429, code, seconds]         a status; with `Retry-After`
    renamed                           new_listed is called new_state; on the public page, new_key new_code
"""

import contextlib
import json
import pathlib
import socket
import ssl
import sys
import threading
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import batch
import certificates
from api import ROOT, Answer, Operation
from service import Service
from tables import Refusal


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *whose):
        # The client may have disconnected, or may not trust the certificate. Everything else is a bug of
        # this program.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*whose)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service = None

    def log_message(self, *_):
        pass

    def answer(self, answer, cut=None):
        data = answer.data()
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        if answer.body is not None:
            lines.append(f"Content-Type: {answer.kind}")
        if answer.status not in (204, 304):
            lines.append(f"Content-Length: {len(data)}")
        lines += ["OData-Version: 4.0"] if self.path.startswith(ROOT) else []
        lines += [*(f"{name}: {value}" for name, value in answer.headers), "", ""]
        with contextlib.suppress(OSError):
            self.connection.sendall("\r\n".join(lines).encode() + data[:cut])

    def drop(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = lambda self: self.handle_any()


class Control(Handler):
    def handle_any(self):
        service = self.service
        match self.path:
            case "/control":
                try:
                    service.control(json.loads(self.body()))
                except (Refusal, KeyError, ValueError, TypeError, AttributeError) as error:
                    return self.answer(Answer(400, {"error": repr(error)}))
                return self.answer(Answer(200, {}))
            case "/record":
                return self.answer(Answer(200, list(service.record)))
            case "/rows":
                return self.answer(Answer(200, service.rows()))
            case "/measure":
                counts = {"requests": len(service.record), "operations": service.operations}
                return self.answer(Answer(200, counts | {"concurrent": service.most}))
        return self.answer(Answer(404, {}))


class Partner(Handler):
    context = None

    def setup(self):
        # Not in the accept loop, because a handshake must not block other connections.
        self.request = self.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def handle_any(self):
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self.answer(Answer(411, "The length is needed.", kind="text/plain"))
        service, url = self.service, urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        operation = Operation(self.command, self.path, headers, self.body())
        record = {
            "method": self.command,
            "path": url.path,
            "query": url.query,
            "headers": headers,
            "body": operation.body.decode(errors="replace"),
            "status": None,
        }
        record["what"] = what = service.fault(self.command, self.path, False)
        answer = service.handle(operation, what, record)
        record["status"] = answer.status if answer else None
        if answer is None or what == "drop":
            return self.drop()
        cut = None
        if isinstance(answer.body, tuple):
            mark, parts = answer.body
            if what == "fewer":
                parts = parts[:-1]
            answer.body = batch.join(mark, parts).decode()
            if what == "cut":
                cut = len(batch.join(mark, parts[: len(parts) // 2])) - len(f"--{mark}--\r\n")
        self.answer(answer, cut)
        if cut is not None:
            self.drop()


def main():
    folder = pathlib.Path(sys.argv[1])
    certificate = certificates.make(folder)
    Partner.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Partner.context.load_cert_chain(folder / "server.pem")
    server, control = Server(("127.0.0.1", 0), Partner), Server(("127.0.0.1", 0), Control)
    address = f"https://127.0.0.1:{server.server_address[1]}"
    Handler.service = Service(address, certificate)
    for each in (server, control):
        threading.Thread(target=each.serve_forever, daemon=True).start()
    shown = {"address": address, "ca": str(folder / "ca.pem")}
    print(json.dumps(shown | {"control": f"http://127.0.0.1:{control.server_address[1]}"}), flush=True)
    sys.stdin.read()


main()
