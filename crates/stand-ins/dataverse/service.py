"""The stand-in as a whole: authentication, faults, limits, batches, the public page and the record."""

import collections
import math
import re
import threading
import time
import urllib.parse

import batch
from api import ROOT, Answer, Api
from entra import TENANT, Entra
from names import preferences
from tables import GUID, LISTED, TABLES, Refusal, Store, checked

CACHE_SECONDS = 15 * 60
MENTORS = TABLES["new_mentors"]
SIGN_IN = "<!doctype html><title>Sign in to your account</title>"
WISHES = {"rows", "delete", "set", "faults", "limits", "later", "page", "render", "let_go", "secret"}
WISHES |= {"expires_in", "forget"}
DONE = ("drop", "hold", "cut", "fewer", "renamed")
# By "Service protection API limits": codes, default limits, and messages.
LIMITS = {
    "requests": (
        "0x80072322",
        6000,
        "Number of requests exceeded the limit of {} over time window of {} seconds.",
    ),
    "seconds": (
        "0x80072321",
        1200,
        "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of "
        "{} seconds. Decrease number of concurrent requests or reduce the duration of requests and try again "
        "later.",
    ),
    "concurrent": ("0x80072326", 52, "Number of concurrent requests exceeded the limit of {}."),
}


class Service:
    def __init__(self, address, certificate):
        self.lock = threading.RLock()
        self.later, self.page, self.limits, self.faults = 0, 2, {}, []
        self.address = address
        self.store = Store(self.now)
        self.entra = Entra(address, certificate, self.now)
        self.api = Api(address, self.store)
        self.record, self.operations = [], 0
        self.recent, self.running, self.most = collections.deque(), 0, 0
        self.rendered, self.rendered_at = [], None
        self.held = threading.Event()

    def now(self):
        return time.time() + self.later

    def control(self, wish):
        """Applies a control request of a test:

        rows: {table: [row]}, each upserted by the alternate key, or inserted; delete: [alternate key or id];
        set: {alternate key or id: {column: value}}, what somebody changes by hand;
        faults: all that are to come, each {"on": METHOD, "path"?: how it begins, "part"?: for operations
        within a batch and not for requests, "key"?: alternate key in the URL, "what", "times"?: 1,
        "after"?: matches to leave alone};
        limits: {"requests"?, "seconds"?: of execution, "concurrent"?, "window"?: 300 seconds}, all of them;
        later: seconds to move the clock; page: rows on a public page; render: the public page, now;
        let_go: whatever is held now; secret: {"value"?, "expired"?}; expires_in: of tokens to come; forget:
        tokens given.
        """
        if unknown := wish.keys() - WISHES:
            raise ValueError(f"{unknown} cannot be ordered")
        if wish.get("let_go"):
            # Without the lock, which a held change set keeps.
            self.held.set()
            self.held = threading.Event()
        with self.lock:
            for plural, rows in wish.get("rows", {}).items():
                for row in rows:
                    self.put(TABLES[plural], by_hand(TABLES[plural], row))
            for key in wish.get("delete", []):
                table, id = self.find(key)
                self.store.delete(table, id)
            for key, values in wish.get("set", {}).items():
                table, id = self.find(key)
                self.store.update(table, id, by_hand(table, values))
            if "faults" in wish:
                self.faults = [ordered(**fault) for fault in wish["faults"]]
            self.limits = wish.get("limits", self.limits)
            self.page = wish.get("page", self.page)
            self.later += wish.get("later", 0)
            self.entra.secret = wish.get("secret", {}).get("value", self.entra.secret)
            self.entra.expired = wish.get("secret", {}).get("expired", self.entra.expired)
            self.entra.expires_in = wish.get("expires_in", self.entra.expires_in)
            if wish.get("render"):
                self.rendered_at = None
            if wish.get("forget"):
                self.entra.tokens.clear()

    def put(self, table, row):
        id = self.store.by_key(table, row[table.key]) if table.key and row.get(table.key) else None
        if id is None:
            self.store.create(table, row)
        else:
            self.store.update(table, id, row)

    def find(self, key):
        for table in TABLES.values():
            id = key.lower() if GUID.fullmatch(key) else self.store.by_key(table, key) if table.key else None
            if id in self.store.rows[table.plural]:
                return table, id
        raise KeyError(key)

    def fault(self, method, url, part):
        path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
        key = re.search(r"\(\w+='(.*)'\)$", path, re.DOTALL)
        key = key and key[1].replace("''", "'")
        with self.lock:
            for fault in self.faults:
                if (fault["on"], fault["part"]) != (method, part) or not path.startswith(fault["path"]):
                    continue
                if fault["key"] not in (None, key):
                    continue
                if fault["after"] > 0:
                    fault["after"] -= 1
                elif fault["times"] > 0:
                    fault["times"] -= 1
                    return fault["what"]
        return None

    def instead(self, what):
        """The answer that the test wants in place of what would be done."""
        match what:
            case "redirect":
                url = f"{self.address}/{TENANT}/oauth2/authorize"
                return Answer(302, SIGN_IN, [("Location", url)], "text/html; charset=utf-8")
            case "html":
                return Answer(200, SIGN_IN, kind="text/html; charset=utf-8")
            case "error":
                return Answer(200, Refusal(200, "0x80040265", "As the test wants.").body())
            case [status, code, seconds]:
                known = (exceeded(name, limit, 300) for name, (_, limit, _) in LIMITS.items())
                refusal = next((one for one in known if one.code == code), None)
                body = (refusal or Refusal(status, code, "As the test wants.")).body()
                return Answer(status, body, [("Retry-After", str(seconds))])
            case int():
                return Answer(what, Refusal(what, "0x80040216", "As the test wants.").body())

    def handle(self, operation, what, record):
        """The response to a request; None if it gets none."""
        held = self.held
        self.record.append(record)
        if what == "lose":
            return None
        if what is not None and what not in DONE:
            return self.instead(what)
        operation.renamed = what == "renamed"
        path = urllib.parse.unquote(urllib.parse.urlsplit(operation.url).path)
        if path.startswith(ROOT):
            if refused := self.stranger(operation):
                return refused
            return self.limited(lambda: self.take(operation, path, record), held if what == "hold" else None)
        answer = self.outside(operation, path)
        if what == "hold":
            held.wait(60)
        return answer

    def outside(self, operation, path):
        if path == "/_odata/mentors" and operation.method == "GET":
            return self.public(operation)
        token = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", path)
        if token and operation.method == "POST":
            kind = operation.headers.get("content-type", "")
            with self.lock:
                status, body = self.entra.grant(token[1], kind, operation.body)
            return Answer(status, body, [("Cache-Control", "no-store")], "application/json; charset=utf-8")
        known = re.fullmatch(r"/([^/]+)/v2\.0/\.well-known/openid-configuration", path)
        if known and operation.method == "GET":
            return Answer(200, self.entra.configuration(known[1]), kind="application/json; charset=utf-8")
        return Answer(404, "There is nothing here.", kind="text/plain")

    def limited(self, perform, held):
        """Counts requests as "Service protection API limits" does, and refuses those beyond a test's
        limits."""
        with self.lock:
            now, window = self.now(), self.limits.get("window", 300)
            while self.recent and self.recent[0][0] <= now - window:
                self.recent.popleft()
            if refused := self.refused(now, window):
                return refused
            taken = [now, 0.0]
            self.recent.append(taken)
            self.running += 1
            self.most = max(self.most, self.running)
        begin = time.monotonic()
        try:
            answer = perform()
            if held:
                held.wait(60)
            return answer
        finally:
            with self.lock:
                taken[1] = time.monotonic() - begin
                self.running -= 1

    def refused(self, now, window):
        spent = sum(seconds for _, seconds in self.recent) if "seconds" in self.limits else 0
        measured = {"requests": len(self.recent), "seconds": spent, "concurrent": self.running}
        for name, value in measured.items():
            limit = self.limits.get(name)
            if limit is not None and value >= limit:
                room = self.recent[0][0] + window - now if name != "concurrent" and self.recent else 1
                later = [("Retry-After", str(max(1, math.ceil(room))))]
                return Answer(429, exceeded(name, limit, window).body(), later)
        return None

    def stranger(self, operation):
        """The reason why the client is not authenticated, by "Use OAuth authentication with Microsoft
        Dataverse"."""
        if self.entra.known(operation.headers.get("authorization")):
            return None
        refusal = Refusal(401, "", "The user is not signed in, or the token has expired.")
        challenge = f"Bearer authorization_uri={self.address}/{TENANT}/oauth2/authorize, "
        challenge += f"resource_id={self.address}/"
        return Answer(401, refusal.body(), [("WWW-Authenticate", challenge)])

    def take(self, operation, path, record):
        try:
            self.api.check(operation)
            if path == f"{ROOT}$batch":
                if operation.method != "POST":
                    raise Refusal(405, "", "A batch must be a POST.")
                return self.batch(operation, record)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body(), refusal.headers)
        self.operations += 1
        with self.lock:
            return self.api.perform(operation)

    def batch(self, operation, record):
        record["operations"] = []
        try:
            items = batch.parse(operation.headers.get("content-type", ""), operation.body)
        except UnicodeDecodeError:
            raise Refusal(400, "0x80060888", "The batch is no UTF-8.") from None
        except Refusal as refusal:
            if refusal.code != "0x80048d19":
                raise
            # "Stream was not readable": shown as a batch whose only part says so.
            return self.batched([(Answer(400, refusal.body()), None)], 400)
        onward = "odata.continue-on-error" in preferences(operation.headers)
        answered, bad = [], None
        for item in items:
            perform = self.change_set if isinstance(item, list) else self.part
            result = perform(item, operation, record)
            if result != (None, None):
                answered.append(result)
            failed = isinstance(result, tuple) and result[0] and result[0].status >= 400
            # "The error for that request will be returned for the batch request."
            if failed and not onward:
                bad = result[0]
                break
        later = [pair for pair in bad.headers if pair[0] == "Retry-After"] if bad else []
        return self.batched(answered, bad.status if bad else 200, later)

    @staticmethod
    def batched(answered, status, headers=()):
        """Creates the body from the parts, because a fault can remove some of them."""
        mark, parts = batch.render(answered)
        return Answer(status, (mark, parts), list(headers), f"multipart/mixed; boundary={mark}")

    def part(self, part, outer, record, references=None):
        """The response to an operation and its `Content-ID`; None and None if a fault suppresses it."""
        operation = part.operation
        for name, url in (references or {}).items():
            if re.fullmatch(rf"\${re.escape(name)}([/?].*)?", operation.url):
                operation.url = url + operation.url.removeprefix(f"${name}")
        if operation.url.startswith("$"):
            text = f"Content-ID Reference: '{operation.url}' does not exist in the batch context."
            return Answer(400, Refusal(400, "0x80060888", text).body()), part.id
        held, what = self.held, self.fault(operation.method, operation.url, True)
        operation.renamed = outer.renamed or what == "renamed"
        self.operations += 1
        if what == "lose":
            answer = None
        elif what is not None and what not in DONE:
            answer = self.instead(what)
        else:
            with self.lock:
                answer = self.api.perform(operation)
        if what == "hold":
            held.wait(60)
        record["operations"].append(
            {
                "method": operation.method,
                "path": urllib.parse.urlsplit(operation.url).path,
                "headers": operation.headers,
                "body": operation.body.decode(errors="replace"),
                "status": answer.status if answer else None,
                "what": what,
            }
        )
        return (answer, part.id) if answer and what != "drop" else (None, None)

    def change_set(self, parts, outer, record):
        """All or nothing: the responses to the operations, or that of the operation that failed."""
        with self.lock:
            before, pairs, references = self.store.copy(), [], {}
            for part in parts:
                pair = self.part(part, outer, record, references)
                if pair[0] and pair[0].status >= 400:
                    self.store.restore(before)
                    return pair
                if pair[0] and part.id:
                    references[part.id] = dict(pair[0].headers).get("OData-EntityId", "")
                pairs.append(pair)
            return [pair for pair in pairs if pair[0]]

    def public(self, operation):
        """The public rows, which are cached and not rendered on each request."""
        token = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(operation.url).query)).get(
            "$skiptoken", "0"
        )
        with self.lock:
            if self.rendered_at is None or self.now() - self.rendered_at >= CACHE_SECONDS:
                rows = self.store.rows[MENTORS.plural].values()
                listed = (row[MENTORS.key] for row in rows if row["new_listed"] == LISTED)
                self.rendered, self.rendered_at = sorted(filter(None, listed)), self.now()
            rendered, page = self.rendered, self.page
        if not token.isdigit():
            return Answer(400, Refusal(400, "0x80060888", "The paging token is malformed.").body())
        start = int(token)
        name = "new_code" if operation.renamed else MENTORS.key
        body = {"value": [{name: key} for key in rendered[start : start + page]]}
        if len(rendered) > start + page:
            body["@odata.nextLink"] = f"{self.address}/_odata/mentors?%24skiptoken={start + page}"
        return Answer(200, body)

    def rows(self):
        with self.lock:
            return {plural: list(rows.values()) for plural, rows in self.store.rows.items()}


def exceeded(name, limit, window):
    code, _, text = LIMITS[name]
    return Refusal(429, code, text.format(int(limit * 1000) if name == "seconds" else limit, window))


def by_hand(table, row):
    return {name: checked(table, name, value) for name, value in row.items()}


def ordered(on, what, path="/", *, part=False, key=None, times=1, after=0):
    """Validates a requested fault, so that an unknown one is an error immediately."""
    number = isinstance(what, int) or (isinstance(what, list) and len(what) == 3)
    if not number and what not in (*DONE, "lose", "redirect", "html", "error"):
        raise ValueError(f"the fault {what} is unknown")
    return {"on": on, "what": what, "path": path, "part": part, "key": key, "times": times, "after": after}
