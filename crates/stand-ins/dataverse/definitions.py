"""The definitions of tables, as "Query table definitions using the Web API" describes them."""

import re

from names import invalid
from tables import TABLES, Refusal


def definitions(resource, query):
    """The value of a definition, and its context. Only the definitions that Microsoft's client reads."""
    match = re.fullmatch(r"EntityDefinitions(?:\(LogicalName='(\w+)'\))?(?:/(.+))?", resource)
    wanted = re.fullmatch(r"LogicalName eq '(\w*)'", query.get("$filter", ""))
    logical = match and (match[1] or (wanted and wanted[1]))
    if not match or ("$filter" in query and not wanted) or (match[2] and not match[1]):
        raise invalid(f"The definition '{resource}' is not known here.")
    known = [table for table in TABLES.values() if logical in (None, table.logical)]
    if match[1] is None:
        return {"value": [definition(table) for table in known]}, "EntityDefinitions"
    if not known:
        raise Refusal(404, "0x80060888", f"Could not find an entity with name {logical}.")
    if match[2] is None:
        return definition(known[0]), "EntityDefinitions/$entity"
    if match[2] == "Keys":
        key = known[0].key
        keys = [{"LogicalName": key, "KeyAttributes": [key], "EntityKeyIndexStatus": "Active"}] if key else []
        return {"value": keys}, resource
    cast = re.fullmatch(r"Attributes(?:/Microsoft\.Dynamics\.CRM\.(\w+)AttributeMetadata)?", match[2])
    if not cast:
        raise invalid(f"The definition '{resource}' is not known here.")
    columns = known[0].columns.items()
    return {
        "value": [attribute(name, column) for name, column in columns if cast[1] in (None, column.kind)]
    }, resource


def definition(table):
    return {
        "MetadataId": "33333333-3333-3333-3333-" + table.logical.encode().hex()[-12:],
        "LogicalName": table.logical,
        "SchemaName": table.logical,
        "EntitySetName": table.plural,
        "PrimaryIdAttribute": table.id,
        "PrimaryNameAttribute": "new_name",
        "ChangeTrackingEnabled": True,
        "IsOptimisticConcurrencyEnabled": True,
    }


def attribute(name, column):
    options = [
        {"Value": value, "Label": {"LocalizedLabels": [{"Label": label, "LanguageCode": 1033}]}}
        for value, label in column.options.items()
    ]
    return {
        "LogicalName": name,
        "SchemaName": name,
        "AttributeType": column.kind,
        **({"OptionSet": {"Options": options}} if options else {}),
    }
