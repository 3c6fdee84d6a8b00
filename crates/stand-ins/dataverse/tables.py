"""Tables with fixed columns: rows, keys, versions and deletions."""

import datetime
import re
import uuid
from dataclasses import dataclass, field

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
LISTED, NOT_LISTED = 100000000, 100000001


class Refusal(Exception):
    """An error in the form of "Compose HTTP requests and handle errors"."""

    def __init__(self, status, code, message, headers=()):
        super().__init__(message)
        self.status, self.code, self.headers = status, code, list(headers)

    def body(self):
        return {"error": {"code": self.code, "message": str(self)}}


@dataclass(frozen=True)
class Column:
    kind: str
    edm: str
    most: int = 0
    options: dict = field(default_factory=dict)
    fixed: bool = False


def text(most):
    return Column("String", "Edm.String", most=most)


def choice(kind, **options):
    return Column(
        kind, "Edm.Int32", options={value: label.replace("_", " ") for label, value in options.items()}
    )


NUMBER = Column("Integer", "Edm.Int32")
MOMENT = Column("DateTime", "Edm.DateTimeOffset")
DAY = Column("DateTime", "Edm.Date")
ID = Column("Uniqueidentifier", "Edm.Guid")
STANDARD = {
    "createdon": Column("DateTime", "Edm.DateTimeOffset", fixed=True),
    "modifiedon": Column("DateTime", "Edm.DateTimeOffset", fixed=True),
    "versionnumber": Column("BigInt", "Edm.Int64", fixed=True),
    "statecode": choice("State", Active=0, Inactive=1),
    "statuscode": choice("Status", Active=1, Inactive=2),
}


@dataclass(frozen=True)
class Table:
    logical: str
    plural: str
    id: str
    key: str | None
    columns: dict


TABLES = {
    "new_mentors": Table(
        "new_mentor",
        "new_mentors",
        "new_mentorid",
        "new_key",
        {
            "new_mentorid": ID,
            "new_name": text(850),
            "new_key": text(100),
            "new_listed": choice("Picklist", Listed=LISTED, Not_listed=NOT_LISTED),
            "new_sequence": NUMBER,
            "new_changedon": MOMENT,
            **STANDARD,
        },
    ),
    "new_renewals": Table(
        "new_renewal",
        "new_renewals",
        "new_renewalid",
        None,
        {
            "new_renewalid": ID,
            "new_name": text(850),
            "new_mentorkey": text(100),
            "new_type": text(100),
            "new_completedon": DAY,
            "new_validuntil": DAY,
            **STANDARD,
        },
    ),
}


def payload(table, reason):
    """By "Troubleshoot Dataverse Web API client errors", "Error identified in Payload"."""
    text = f"Error identified in Payload provided by the user for Entity :'{table.plural}'  ---->  "
    text += f"InnerException : {reason}"
    return Refusal(400, "0x80048d19", text)


def checked(table, name, value):
    """The value as the column stores it."""
    column = table.columns[name]
    wrong = payload(
        table,
        f"Microsoft.OData.ODataException: Cannot convert the literal '{value}' to the expected type "
        f"'{column.edm}' of the property '{name}'.",
    )
    if column.fixed:
        raise Refusal(400, "0x80040203", f"The property '{name}' cannot be set.")
    if value is None and column.edm != "Edm.Guid" and column.kind not in ("State", "Status"):
        return None
    if type(value) is not (int if column.edm == "Edm.Int32" else str):
        raise wrong
    match column.edm:
        case "Edm.String" if len(value) > column.most:
            # As "Execute batch operations using the Web API" shows it.
            text = f"A validation error occurred.  The length of the '{name}' attribute of the "
            text += f"'{table.logical}' entity exceeded the maximum allowed length of '{column.most}'."
            raise Refusal(400, "0x80044331", text)
        case "Edm.Int32":
            check_number(table, name, value, wrong)
        case "Edm.Guid":
            if not GUID.fullmatch(value):
                raise wrong
            return value.lower()
        case "Edm.Date":
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                raise wrong
            moment(value, wrong)
        case "Edm.DateTimeOffset":
            # OData requires the offset; the service stores whole seconds.
            if not re.fullmatch(r"\d{4}-.*T.*(Z|[+-]\d\d:\d\d)", value):
                raise wrong
            return stamp(moment(value, wrong))
    return value


def check_number(table, name, value, wrong):
    column = table.columns[name]
    if not -(2**31) <= value < 2**31:
        raise wrong
    if column.options and value not in column.options:
        accepted = ",".join(map(str, column.options))
        text = f"A validation error occurred. The value {value} of '{name}' on record of type "
        text += f"'{table.logical}' is outside the valid range. Accepted Values: {accepted}"
        raise Refusal(400, "0x8004431a", text)


def moment(value, wrong):
    try:
        when = datetime.datetime.fromisoformat(value)
        when = when.astimezone(datetime.UTC) if when.tzinfo else when
    except (ValueError, OverflowError):
        raise wrong from None
    # The first day that the database can store.
    if when.year < 1753:
        raise wrong
    return when


def stamp(when):
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """The rows of all tables. Rows are never changed in place, so a copy of the dictionaries is a copy of
    everything."""

    def __init__(self, now):
        self.now, self.version = now, 915000
        self.rows = {name: {} for name in TABLES}
        self.keys = {name: {} for name in TABLES}
        self.deleted = {name: {} for name in TABLES}

    def copy(self):
        return [
            {name: dict(part) for name, part in whole.items()}
            for whole in (self.rows, self.keys, self.deleted)
        ]

    def restore(self, copy):
        self.rows, self.keys, self.deleted = copy

    def by_key(self, table, key):
        # The database compares strings without regard to case, as in "Filter rows using OData".
        return self.keys[table.plural].get(key.casefold())

    def create(self, table, values):
        id = values.setdefault(table.id, str(uuid.uuid4()))
        if id in self.rows[table.plural]:
            raise Refusal(412, "0x80040237", "A record with matching key values already exists.")
        row = dict.fromkeys(table.columns) | {"statecode": 0, "statuscode": 1} | values
        row["createdon"] = stamp(datetime.datetime.fromtimestamp(self.now(), datetime.UTC))
        return self.put(table, row, None)

    def update(self, table, id, values):
        before = self.rows[table.plural][id]
        if values.get(table.id, id) != id:
            raise Refusal(400, "0x80040203", "The id of a record cannot be changed.")
        return self.put(table, before | values, before)

    def put(self, table, row, before):
        id, keys = row[table.id], self.keys[table.plural]
        if table.key:
            if row[table.key] is not None and keys.get(row[table.key].casefold(), id) != id:
                text = "Entity Key Key violated. A record with the same value for Key already exists. A "
                text += "duplicate record cannot be created. Select one or more unique values and try again."
                raise Refusal(412, "0x80060892", text)
            if before and before[table.key] is not None:
                del keys[before[table.key].casefold()]
            if row[table.key] is not None:
                keys[row[table.key].casefold()] = id
        self.version += 1
        row["versionnumber"] = self.version
        row["modifiedon"] = stamp(datetime.datetime.fromtimestamp(self.now(), datetime.UTC))
        self.rows[table.plural][id] = row
        self.deleted[table.plural].pop(id, None)
        return row

    def delete(self, table, id):
        row = self.rows[table.plural].pop(id)
        if table.key and row[table.key] is not None:
            del self.keys[table.plural][row[table.key].casefold()]
        self.version += 1
        self.deleted[table.plural][id] = self.version
