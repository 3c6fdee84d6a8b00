"""Executes one operation of the Web API: applies a URL, a method and headers to the tables.

By "Compose HTTP requests and handle errors", "Use Upsert to Create or Update a record", "Perform conditional
operations using the Web API", "Page results using OData", "Use change tracking to synchronize data with
external systems" and "Troubleshoot Dataverse Web API client errors".
"""

import datetime
import json
import operator
import re
import secrets
import urllib.parse
from dataclasses import dataclass, field

from definitions import definitions
from names import Names, condition, etag, invalid, preferences, unknown
from tables import GUID, TABLES, Refusal

ROOT = "/api/data/v9.2/"
WEEK = 7 * 24 * 3600
# "Define alternate keys using Power Apps" says that no GET and PATCH works with one of these in a key.
UNUSABLE = set("/#<>*%&:\\?+")
COMPARE = {name: getattr(operator, name) for name in ("eq", "ne", "gt", "ge", "lt", "le")}
TERM = re.compile(r"(\w+) +(eq|ne|gt|ge|lt|le) +('(?:[^']|'')*'|[^\s()']+)")


@dataclass
class Operation:
    method: str
    url: str
    headers: dict
    body: bytes
    renamed: bool = False


@dataclass
class Answer:
    status: int
    body: object = None
    headers: list = field(default_factory=list)
    kind: str = "application/json; odata.metadata=minimal"

    def data(self):
        if self.body is None:
            return b""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass
class Cursor:
    """A paginated read: ids, each with whether its row is deleted, and the delta token after it."""

    items: list
    query: dict
    since: str | None = None
    delta: bool = False
    count: int | None = None


class Api:
    def __init__(self, address, store):
        self.address, self.store = address, store
        self.cursors = {}

    def check(self, operation):
        """Checks the headers that "Compose HTTP requests" requires on every request."""
        headers = operation.headers
        for name in ("odata-version", "odata-maxversion"):
            if headers.get(name) != "4.0":
                raise invalid(f"The header {name} must be 4.0.")
        if "application/json" not in headers.get("accept", ""):
            raise invalid("The header accept must be application/json.")

    def perform(self, operation):
        try:
            return self.route(operation)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body(), refusal.headers)

    def route(self, operation):
        url = urllib.parse.urlsplit(operation.url)
        if (url.scheme or url.netloc) and f"{url.scheme}://{url.netloc}" != self.address:
            raise invalid(f"The request URI '{operation.url}' is of another service.")
        if not url.path.startswith(ROOT):
            raise Refusal(
                404, "", f"No HTTP resource was found that matches the request URI '{operation.url}'."
            )
        query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
        if len(dict(query)) != len(query):
            raise invalid("A query parameter is there more than once.")
        resource, query = url.path.removeprefix(ROOT), dict(query)
        if operation.method in ("POST", "PATCH"):
            kind = operation.headers.get("content-type", "").split(";")[0].strip().lower()
            if kind != "application/json":
                raise invalid("The header Content-Type must be application/json.")
        if operation.method == "GET" and resource.startswith("EntityDefinitions"):
            return self.answer(*definitions(urllib.parse.unquote(resource), query))
        if operation.method == "GET" and resource == "WhoAmI":
            id = "22222222-2222-2222-2222-222222222222"
            return self.answer(
                {"BusinessUnitId": id, "UserId": id, "OrganizationId": id},
                "Microsoft.Dynamics.CRM.WhoAmIResponse",
            )
        match = re.fullmatch(r"(\w+)(?:\((.*)\))?", urllib.parse.unquote(resource), re.DOTALL)
        if not match or match[1] not in TABLES:
            segment = urllib.parse.unquote(resource.split("/")[0].split("(")[0])
            raise Refusal(404, "0x8006088a", f"Resource not found for the segment '{segment}'.")
        names = Names(TABLES[match[1]], operation.renamed)
        known = {("GET", False): self.collection, ("POST", False): self.create}
        known |= {("GET", True): self.read, ("PATCH", True): self.upsert, ("DELETE", True): self.delete}
        perform = known.get((operation.method, match[2] is not None))
        if perform is None:
            raise Refusal(
                405, "", f"The requested resource does not support http method '{operation.method}'."
            )
        if match[2] is None:
            return perform(names, operation, query)
        return perform(names, operation, query, self.key(names.table, match[2]))

    @staticmethod
    def key(table, text):
        """The column and the value in the parentheses of a URL."""
        named = re.fullmatch(r"(\w+)=(.*)", text, re.DOTALL)
        column, literal = named.groups() if named else (table.id, text)
        if column == table.id and GUID.fullmatch(literal):
            return column, literal.lower()
        quoted = re.fullmatch(r"'((?:[^']|'')*)'", literal, re.DOTALL)
        if column != table.key or table.key is None or not quoted:
            kind = f"resource 'Microsoft.Dynamics.CRM.{table.logical}'"
            text = f"The key in the request URI is not valid for {kind}. Ensure that the names and number of "
            raise invalid(
                text + f"key properties match the declared or alternate key properties for the {kind}."
            )
        value = quoted[1].replace("''", "'")
        if UNUSABLE & set(value):
            raise invalid("A potentially dangerous Request.Path value was detected from the client.", "")
        return column, value

    def find(self, table, key):
        column, value = key
        id = value if column == table.id else self.store.by_key(table, value)
        return self.store.rows[table.plural].get(id)

    @staticmethod
    def missing(table, key):
        column, value = key
        if column == table.id:
            return Refusal(404, "0x80040217", f"{table.logical} With Id = {value} Does Not Exist")
        text = f"A record with the specified key values does not exist in {table.logical} entity"
        return Refusal(404, "0x80060891", text)

    def answer(self, value, context, status=200, headers=()):
        body = {"@odata.context": f"{self.address}{ROOT}$metadata#{context}"} | value
        return Answer(status, body, list(headers))

    def entity(self, names, row, query, status=200, applied=None):
        select = names.selected(query)
        columns = f"({query['$select']})" if select is not None else ""
        headers = [("ETag", etag(row))] + ([("Preference-Applied", applied)] if applied else [])
        shown = names.render(row, select)
        return self.answer(shown, f"{names.table.plural}{columns}/$entity", status, headers)

    @staticmethod
    def only(query, *allowed):
        for name in query:
            if name not in allowed:
                raise invalid(f"The query parameter {name} is not supported")

    def read(self, names, operation, query, key):
        self.only(query, "$select")
        row = self.find(names.table, key)
        if row is None:
            raise self.missing(names.table, key)
        # A GET with annotations never gets 304.
        asked = condition(operation.headers, "if-none-match")
        if asked == etag(row) and "odata.include-annotations" not in preferences(operation.headers):
            return Answer(304, headers=[("ETag", asked)])
        return self.entity(names, row, query)

    def written(self, names, operation, query, row, *, where, created):
        """The response to a write: `where` is the part in parentheses of the entity's URL."""
        if preferences(operation.headers).get("return") == "representation":
            return self.entity(names, row, query, 201 if created else 200, "return=representation")
        uri = f"{self.address}{ROOT}{names.table.plural}({where})"
        # "Execute batch operations" and "Create a table row" show Location for a POST.
        headers = [("Location", uri)] if operation.method == "POST" else []
        return Answer(204, headers=[*headers, ("OData-EntityId", uri)])

    def create(self, names, operation, query):
        self.only(query, "$select")
        names.selected(query)
        row = self.store.create(names.table, names.values(operation.body))
        return self.written(names, operation, query, row, where=row[names.table.id], created=True)

    def upsert(self, names, operation, query, key):
        self.only(query, "$select")
        names.selected(query)
        table, values, row = names.table, names.values(operation.body), self.find(names.table, key)
        column, value = key
        where = (
            value
            if column == table.id
            else f"{column}='{urllib.parse.quote(value.replace(chr(39), chr(39) * 2))}'"
        )
        if row is None:
            if condition(operation.headers, "if-match"):
                raise self.missing(table, key)
            # "If the record doesn't exist: the server uses any alternate key values set in the body."
            if column == table.id and values.get(column, value) != value:
                raise invalid("The id in the body is another than the one in the URL.", "0x80040203")
            row = self.store.create(table, {column: value} | values)
            return self.written(names, operation, query, row, where=where, created=True)
        if condition(operation.headers, "if-none-match") == "*":
            raise Refusal(412, "0x80040237", "A record with matching key values already exists.")
        self.unchanged(operation, row)
        # "If the record exists: the server removes the data set in the body for those alternate key values."
        if column != table.id:
            values.pop(column, None)
        row = self.store.update(table, row[table.id], values)
        return self.written(names, operation, query, row, where=where, created=False)

    def delete(self, names, operation, query, key):
        self.only(query)
        row = self.find(names.table, key)
        if row is None:
            raise self.missing(names.table, key)
        self.unchanged(operation, row)
        self.store.delete(names.table, row[names.table.id])
        return Answer(204)

    @staticmethod
    def unchanged(operation, row):
        wanted = condition(operation.headers, "if-match")
        if wanted not in (None, "*", etag(row)):
            text = "The version of the existing record doesn't match the RowVersion property provided."
            raise Refusal(412, "0x80060882", text)

    def collection(self, names, operation, query):
        wanted, applied = preferences(operation.headers), []
        size = wanted.get("odata.maxpagesize")
        if size is not None:
            if not re.fullmatch(r"[1-9]\d*", size):
                raise invalid("The preference odata.maxpagesize must be a positive number.")
            applied.append(f"odata.maxpagesize={size}")
        self.only(
            query, "$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken"
        )
        start = 0
        if "$skiptoken" in query:
            if query["$skiptoken"] not in self.cursors:
                raise invalid("The paging cookie is malformed.")
            cursor, start, number = self.cursors[query["$skiptoken"]]
        else:
            number = 1
            cursor = self.open(names, query, "odata.track-changes" in wanted, size is None)
        if cursor.since is not None and not cursor.delta:
            applied.append("odata.track-changes")
        size = min(int(size or 5000), 5000)
        return self.page(names, cursor, start, number, size=size, applied=applied)

    def open(self, names, query, tracked, top):
        """The cursor at its start; `$top` is ignored beside a page size."""
        kept = {"$select": query["$select"]} if "$select" in query else {}
        names.selected(query)
        if tracked or "$deltatoken" in query:
            for name in ("filter", "orderby", "expand", "top"):
                if f"${name}" in query:
                    text = f'The "${name}" query parameter isn\'t supported when Change Tracking is enabled.'
                    raise invalid(text)
        if "$deltatoken" in query:
            return Cursor(self.changes(names.table, query["$deltatoken"]), kept, self.token(), delta=True)
        if "$expand" in query:
            raise unknown(names.table, query["$expand"])
        rows = self.filtered(names, query.get("$filter"))
        # Without an order, it is that of the primary key.
        rows.sort(key=operator.itemgetter(names.table.id))
        for part in reversed(query["$orderby"].split(",") if "$orderby" in query else []):
            ordered = re.fullmatch(r"(\w+)(?: +(asc|desc))?", part.strip())
            if not ordered:
                raise invalid(f"Syntax error in '{part}'.")
            column = names.column(ordered[1])
            rows.sort(key=lambda row, at=column: (row[at] is not None, row[at]), reverse=ordered[2] == "desc")
        count = min(len(rows), 5000) if query.get("$count") == "true" else None
        if top and "$top" in query:
            if not query["$top"].isdigit():
                raise invalid("Invalid value for $top query option.")
            rows = rows[: int(query["$top"])]
        items = [(row[names.table.id], False) for row in rows]
        return Cursor(items, kept, self.token() if tracked else None, count=count)

    def filtered(self, names, text):
        rows, place = list(self.store.rows[names.table.plural].values()), 0
        while text is not None:
            term = TERM.match(text, place)
            if not term:
                raise invalid(f"Syntax error at position {place} in '{text}'.")
            column = names.column(term[1])
            value, compare = self.literal(names.table, column, term[3]), COMPARE[term[2]]
            rows = [row for row in rows if matches(row[column], value, compare)]
            place = term.end()
            if place == len(text):
                break
            joint = re.compile(r" +and +").match(text, place)
            if not joint:
                raise invalid(f"Syntax error at position {place} in '{text}'.")
            place = joint.end()
        return rows

    @staticmethod
    def literal(table, column, text):
        if text == "null":
            return None
        edm = table.columns[column].edm
        form = {"Edm.String": r"'.*'", "Edm.Int32": r"-?\d+", "Edm.Int64": r"-?\d+", "Edm.Guid": GUID.pattern}
        if not re.fullmatch(form.get(edm, r"\d{4}-[^']+"), text, re.DOTALL | re.IGNORECASE):
            detail = f"The value {text} of '{column}' is not of the type '{edm}'."
            raise invalid(f"A binary operator with incompatible types was detected. {detail}")
        if edm == "Edm.String":
            return text[1:-1].replace("''", "'")
        return int(text) if edm.startswith("Edm.Int") else text

    def token(self):
        now = datetime.datetime.fromtimestamp(self.store.now(), datetime.UTC)
        return f"{self.store.version}!{now:%m/%d/%Y %H:%M:%S}"

    def changes(self, table, token):
        """New and changed rows by their version, and then the deleted ones."""
        version, _, moment = token.partition("!")
        try:
            since = int(version)
            then = datetime.datetime.strptime(f"{moment} +0000", "%m/%d/%Y %H:%M:%S %z")
        except ValueError:
            raise invalid("The delta token is malformed.", "0x80040203") from None
        if self.store.now() - then.timestamp() > WEEK:
            text = "Version stamp associated with the client has expired. Please perform a full sync."
            raise invalid(text, "0x80044352")
        rows = [row for row in self.store.rows[table.plural].values() if row["versionnumber"] > since]
        rows.sort(key=operator.itemgetter("versionnumber"))
        gone = [(id, True) for id, version in self.store.deleted[table.plural].items() if version > since]
        return [(row[table.id], False) for row in rows] + gone

    def page(self, names, cursor, start, number, *, size, applied):
        table, select = names.table, names.selected(cursor.query)
        rows, end = self.store.rows[table.plural], start + size
        value = []
        for id, gone in cursor.items[start:end]:
            if gone:
                context = f"{self.address}{ROOT}$metadata#{table.plural}/$deletedEntity"
                value.append({"@odata.context": context, "id": id, "reason": "deleted"})
            elif id in rows:
                value.append(names.render(rows[id], select))
        body = {"@odata.count": cursor.count} if cursor.count is not None else {}
        if end < len(cursor.items):
            token = self.cookie(cursor.items[end - 1][0], number + 1, cursor.since is not None)
            self.cursors[token] = (cursor, end, number + 1)
            link = {"@odata.nextLink": self.link(table, cursor.query, "$skiptoken", token)}
        elif cursor.since is not None:
            link = {"@odata.deltaLink": self.link(table, cursor.query, "$deltatoken", cursor.since)}
        else:
            link = {}
        columns = f"({cursor.query['$select']})" if select is not None else ""
        context = f"{table.plural}{columns}" + ("/$delta" if cursor.delta else "")
        headers = [("Preference-Applied", ", ".join(applied))] if applied else []
        return self.answer(body | {"value": value} | link, context, headers=headers)

    @staticmethod
    def cookie(last, number, tracking):
        """A paging cookie as the service creates it: encoded twice, so that clients must send it back
        unchanged."""
        inner = (
            f'<cookie page="{number - 1}"><id last="{{{last}}}" first="{secrets.token_hex(4)}" /></cookie>'
        )
        inner = urllib.parse.quote(urllib.parse.quote(inner, safe=""), safe="")
        return f'<cookie pagenumber="{number}" pagingcookie="{inner}" istracking="{tracking}" />'

    def link(self, table, query, name, token):
        parts = [f"{key}={urllib.parse.quote(value, safe=',')}" for key, value in query.items()]
        parts.append(f"{name}={urllib.parse.quote(token, safe='')}")
        return f"{self.address}{ROOT}{table.plural}?{'&'.join(parts)}"


def matches(kept, value, compare):
    """Compares strings without regard to case: "Filter rows using OData"."""
    if kept is None or value is None:
        return compare in (operator.eq, operator.ne) and compare(kept, value)
    if isinstance(kept, str):
        kept, value = kept.casefold(), value.casefold()
    return compare(kept, value)
