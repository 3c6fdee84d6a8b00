"""A partner's portal for tests: it accepts webhooks, shows a public listing, and is strict about both.

    python portal.py

Prints its address (loopback) as JSON, and ends when standard input closes. It needs the reference verifiers of
webhooks, `standardwebhooks` and `svix`, and shares no code with certvakt.

    POST /mentors              {"mentorId", "status": "active" | "inactive", "sequence", "changedAt"}, and nothing else:
                               202 {"result": "accepted"}, or "repeated" for a webhook-id that came before, which
                               changes nothing; 404 for a mentor that it does not know
    GET  /mentors/KEY          {"mentorId", "status"}
    GET  /listing              the mentors who are active, {"value": [{"mentorId"}], "next"}, two a page, rendered at
                               most every 15 minutes
    GET  /courses              {"value": [...], "next", "delta"}: what it tells of completed courses, two a page; at "delta"
                               only what came since
    POST /token                client credentials; the token is valid for an hour
    POST /control              of the test: what it is to know and how to behave (see `Portal.control`)
    GET  /record               of the test: every request in the order in which they were decided, when that was, and
                               what it was answered with

It requires signatures while it has keys, and a header key or a token while it has one of these.
"""

import contextlib
import json
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import standardwebhooks
import svix

CACHE_SECONDS = 15 * 60
FIELDS = {"mentorId": str, "status": str, "sequence": int, "changedAt": str}


class Portal:
    def __init__(self):
        self.lock = threading.RLock()
        self.status = {}
        self.keys, self.header_key, self.credentials = [], None, None
        self.tokens = set()
        self.seen = set()
        self.record = []
        self.faults = []
        self.later, self.page = 0, 2
        self.rendered, self.rendered_at = [], None
        self.let_go = threading.Event()
        self.courses = []

    def control(self, wish):
        """know: mentors who are inactive so far; set: what somebody changes by hand; keys, header_key, credentials:
        how others sign in; faults: what to do instead, each {"on": METHOD, "path"?, "what", "times"?}, where `drop` takes
        the change and `lose` does not, and neither answers; later: seconds to move its clock; page: mentors on a page;
        render: now; courses: completed meanwhile; let_go: whatever is held; forget: tokens given; reset: mentors,
        messages and the record."""
        with self.lock:
            if wish.get("reset"):
                self.status, self.seen, self.record = {}, set(), []
            self.status |= {key: "inactive" for key in wish.get("know", [])}
            self.status |= wish.get("set", {})
            for name in ("keys", "header_key", "credentials", "faults", "page"):
                if name in wish:
                    setattr(self, name, wish[name])
            if "faults" in wish:
                self.let_go = threading.Event()
            self.later += wish.get("later", 0)
            self.courses += wish.get("courses", [])
            if wish.get("render"):
                self.rendered_at = None
            if wish.get("forget"):
                self.tokens.clear()
            if wish.get("let_go"):
                self.let_go.set()

    def fault(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault["on"] == method and path.startswith(fault.get("path", "/")) and fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    return fault["what"]
        return None

    def stranger(self, headers, body):
        """The reason why the client is not authenticated; None if it is."""
        if self.keys:
            needed = ("webhook-id", "webhook-timestamp", "webhook-signature")
            signed = {name: headers.get(name, "") for name in needed}
            # A receiver knows one key, which can be any of the sender's keys.
            for verifier in (standardwebhooks.Webhook(self.keys[0]), svix.Webhook(self.keys[0])):
                try:
                    verifier.verify(body, signed)
                except json.JSONDecodeError:
                    pass  # Nothing was sent: the signature had been verified before.
                except Exception as error:
                    return type(error).__name__
        if self.header_key and headers.get("x-api-key") != self.header_key:
            return "no key"
        if self.credentials and headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return "no token"
        return None

    def take(self, headers, body):
        try:
            change = json.loads(body)
        except ValueError:
            return 400, {"error": "no JSON"}
        if not isinstance(change, dict) or change.keys() != FIELDS.keys():
            return 400, {"error": "other fields"}
        if any(type(change[name]) is not form for name, form in FIELDS.items()):
            return 400, {"error": "other forms"}
        if change["status"] not in ("active", "inactive"):
            return 400, {"error": "unknown status"}
        with self.lock:
            if change["mentorId"] not in self.status:
                return 404, {"error": "unknown mentor"}
            message = headers.get("webhook-id")
            if message in self.seen:
                return 202, {"result": "repeated"}
            if message:
                self.seen.add(message)
            self.status[change["mentorId"]] = change["status"]
        return 202, {"result": "accepted"}

    def listing(self, page):
        with self.lock:
            now = time.time() + self.later
            if self.rendered_at is None or now - self.rendered_at >= CACHE_SECONDS:
                self.rendered = sorted(key for key, status in self.status.items() if status == "active")
                self.rendered_at = now
            rows = self.rendered[page * self.page : (page + 1) * self.page]
            more = f"/listing?page={page + 1}" if len(self.rendered) > (page + 1) * self.page else None
        return 200, {"value": [{"mentorId": key} for key in rows], "next": more}

    def completed(self, begin):
        with self.lock:
            end = min(begin + self.page, len(self.courses))
            following = "next" if end < len(self.courses) else "delta"
            return 200, {"value": self.courses[begin:end], following: f"/courses?from={end}"}

    def grant(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        known = self.credentials and [form.get("client_id"), form.get("client_secret")] == self.credentials
        if form.get("grant_type") != "client_credentials" or "scope" not in form:
            return 400, {"error": "invalid_request"}
        if not known:
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(24)
        with self.lock:
            self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    portal = Portal()

    def log_message(self, *_):
        pass

    def answer(self, code, body, kind="application/json", headers=()):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        # The client may have disconnected.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.end_headers()
            self.wfile.write(data)

    def drop(self):
        self.close_connection = True
        self.connection.close()

    def handle_any(self):
        portal, url = self.portal, urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path == "/control":
            portal.control(json.loads(body))
            return self.answer(200, {})
        if url.path == "/record":
            return self.answer(200, portal.record)
        what = portal.fault(self.command, self.path)
        let_go = portal.let_go
        with portal.lock:
            code, answer = self.decide(what, url, body)
            portal.record.append(
                {
                    "at": time.time(),
                    "method": self.command,
                    "path": url.path,
                    "query": url.query,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body.decode(),
                    "status": code,
                    "what": what,
                }
            )
        match what:
            case "drop" | "lose":
                return self.drop()
            case "hold":
                let_go.wait(60)
            case "redirect":
                return self.answer(302, "", headers=[("Location", "/sign-in")])
            case "html":
                return self.answer(200, "<!doctype html><title>Sign in</title>", "text/html")
            case "renamed":
                return self.answer(202, {"outcome": "accepted"})
            case "error":
                return self.answer(200, {"error": {"code": "0x80040217"}})
            case int():
                headers = [("Retry-After", "1")] if what in (429, 503) else []
                return self.answer(what, {"error": "as the test wants"}, headers=headers)
        return self.answer(code, answer)

    def decide(self, what, url, body):
        """The normal response and effect, without a fault."""
        portal = self.portal
        if what is not None and what not in ("drop", "hold"):
            return None, None
        if url.path == "/token" and self.command == "POST":
            return portal.grant(body)
        if url.path == "/listing" and self.command == "GET":
            return portal.listing(int(dict(urllib.parse.parse_qsl(url.query)).get("page", 0)))
        if reason := portal.stranger(self.headers, body):
            return 401, {"error": reason}
        if url.path == "/mentors" and self.command == "POST":
            return portal.take(self.headers, body)
        if url.path == "/courses" and self.command == "GET":
            return portal.completed(int(dict(urllib.parse.parse_qsl(url.query)).get("from", 0)))
        key = urllib.parse.unquote(url.path.removeprefix("/mentors/"))
        if url.path.startswith("/mentors/") and self.command == "GET" and key in portal.status:
            return 200, {"mentorId": key, "status": portal.status[key]}
        return 404, {"error": "there is nothing here"}

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"address": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
sys.stdin.read()
