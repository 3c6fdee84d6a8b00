"""What clients write: the names of columns, the values in a body, and the headers with preferences and conditions."""

import json
import re

from tables import Refusal, checked, payload

RENAMED = {"new_listed": "new_state"}


def invalid(message, code="0x80060888"):
    return Refusal(400, code, message)


def unknown(table, name):
    return invalid(
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table.logical}'.", "0x0"
    )


def preferences(headers):
    wanted = re.findall(r'([\w.-]+)(?:\s*=\s*("[^"]*"|[^,;\s]*))?', headers.get("prefer", ""))
    return {name.lower(): value.strip('"') for name, value in wanted}


def condition(headers, name):
    """Reads a conditional header. `If-None-Match: null`, which all requests have, means nothing."""
    value = headers.get(name, "").strip()
    return None if value in ("", "null") else value


class Names:
    """The columns of a table as the client sees them, because a choice may have been renamed."""

    def __init__(self, table, renamed):
        self.table = table
        self.shown = {name: RENAMED.get(name, name) if renamed else name for name in table.columns}
        self.own = {shown: name for name, shown in self.shown.items()}

    def column(self, name):
        if name not in self.own:
            raise unknown(self.table, name)
        return self.own[name]

    def selected(self, query):
        if "$select" not in query:
            return None
        return [self.column(name.strip()) for name in query["$select"].split(",")]

    def render(self, row, select):
        names = list(self.table.columns) if select is None else [*select, self.table.id]
        return {"@odata.etag": etag(row)} | {self.shown[name]: row[name] for name in names}

    def values(self, body):
        """The values in a body."""
        try:
            sent = json.loads(body, object_pairs_hook=once)
        except ValueError as error:
            raise payload(self.table, f"Microsoft.OData.ODataException: {error}") from None
        if not isinstance(sent, dict):
            raise payload(self.table, "Microsoft.OData.ODataException: an object is needed.")
        values = {}
        for name, value in sent.items():
            if name == "@odata.type":
                continue
            if "@" in name:
                text = "Microsoft.OData.ODataException: An undeclared property "
                text += f"'{name.split('@')[0]}' which only has property annotations in the payload but no "
                text += "property value was found in the payload."
                raise payload(self.table, text)
            if name not in self.own:
                text = "An error occurred while validating input parameters: Microsoft.Crm.CrmException: "
                text += f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM."
                text += (
                    f"{self.table.logical}'. ---> Microsoft.OData.ODataException: Does not support untyped "
                )
                text += "value in non-open type."
                raise invalid(text, "0x0")
            values[self.own[name]] = checked(self.table, self.own[name], value)
        return values


def once(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("Duplicate properties have been found.")
    return dict(pairs)


def etag(row):
    return f'W/"{row["versionnumber"]}"'
