"""Shows that Microsoft's own client for Python works with the stand-in for Dataverse.

    python microsoft.py ADDRESS CA CLIENT

CLIENT is the file with the application's key and certificate. It signs in with the secret, and then with the
certificate, and checks the results of the client, `PowerPlatform-Dataverse-Client`. Prints "works", or exits with
the first failure. The client does not retry after a 429, so this is not tested.
"""

import os
import sys
import uuid

address, authority, certificate = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = authority

from azure.core.exceptions import ClientAuthenticationError  # noqa: E402
from azure.identity import CertificateCredential, ClientSecretCredential  # noqa: E402
from PowerPlatform.Dataverse.client import DataverseClient  # noqa: E402
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError  # noqa: E402
from PowerPlatform.Dataverse.models.upsert import UpsertItem  # noqa: E402

MENTOR, RENEWAL, LISTED, NOT_LISTED = "new_mentor", "new_renewal", 100000000, 100000001
CLIENT = "11111111-1111-1111-1111-111111111111"
OPTIONS = {"authority": address.removeprefix("https://"), "disable_instance_discovery": True}


def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got!r} instead of {wanted!r}")


def refused(what, status, code, do):
    try:
        do()
    except HttpError as error:
        same(what, (error.status_code, error.details.get("service_error_code")), (status, code))
        return error
    sys.exit(f"{what}: not refused")


def row(key, **values):
    return {"new_name": f"The mentor {key}", "new_key": key, "new_listed": LISTED, "new_sequence": 1} | values


def single(client, prefix):
    key = f"{prefix}-1"
    id = client.records.create(MENTOR, row(key, new_changedon="2026-01-02T03:04:05Z"))
    same("an id", str(uuid.UUID(id)), id)
    read = client.records.retrieve(MENTOR, id)
    same("what was created", {name: read[name] for name in row(key)}, row(key))
    same("a moment", read["new_changedon"], "2026-01-02T03:04:05Z")
    client.records.update(MENTOR, id, {"new_listed": "not listed", "new_sequence": 2})
    again = client.records.retrieve(MENTOR, id, select=["new_listed", "new_sequence"])
    same("what was updated", (again["new_listed"], again["new_sequence"]), (NOT_LISTED, 2))
    same("another version", read.etag != again.etag, True)
    client.records.upsert(MENTOR, [UpsertItem({"new_key": key}, {"new_sequence": 3})])
    same("an upsert that updates", client.records.retrieve(MENTOR, id)["new_sequence"], 3)
    quoted = f"{prefix}-O'Neill å"
    client.records.upsert(
        MENTOR, [UpsertItem({"new_key": quoted}, {"new_name": "New", "new_listed": LISTED})]
    )
    found = client.records.list(MENTOR, filter=f"new_key eq '{prefix}-O''Neill å'").records
    same("an upsert that creates", [(one["new_key"], one["new_name"]) for one in found], [(quoted, "New")])
    renewal = {
        "new_mentorkey": key,
        "new_type": "course",
        "new_completedon": "2026-02-03",
        "new_validuntil": None,
    }
    other = client.records.create(RENEWAL, renewal)
    read = client.records.retrieve(RENEWAL, other)
    same("a renewal", {name: read[name] for name in renewal}, renewal)
    refused(
        "a duplicate",
        412,
        "0x80060892",
        lambda: client.records.create(MENTOR, row(key.lower(), new_name="Twice")),
    )
    refused("an option", 400, "0x8004431a", lambda: client.records.update(MENTOR, id, {"new_listed": 7}))
    refused("a column", 400, "0x0", lambda: client.records.update(MENTOR, id, {"new_other": 7}))
    client.records.delete(MENTOR, id)
    # The client returns None for a missing record.
    same("a deleted record", client.records.retrieve(MENTOR, id), None)
    refused(
        "an update of nothing",
        404,
        "0x80040217",
        lambda: client.records.update(MENTOR, id, {"new_sequence": 1}),
    )
    refused("a second delete", 404, "0x80040217", lambda: client.records.delete(MENTOR, id))
    try:
        client.records.list("new_nothing")
        sys.exit("an unknown table: not refused")
    except MetadataError:
        pass


def pages(client, prefix):
    for number in range(5):
        client.records.create(
            MENTOR, row(f"{prefix}-page-{number}", new_name=f"{prefix} page", new_sequence=number)
        )
    found = list(
        client.records.list_pages(
            MENTOR,
            select=["new_sequence"],
            filter=f"new_name eq '{prefix} page' and new_listed eq {LISTED}",
            orderby=["new_sequence desc"],
            page_size=2,
        )
    )
    numbers = [[one["new_sequence"] for one in page] for page in found]
    same("pages", numbers, [[4, 3], [2, 1], [0]])
    top = client.records.list(MENTOR, filter=f"new_name eq '{prefix} page'", orderby=["new_sequence"], top=2)
    same("the first", [one["new_sequence"] for one in top], [0, 1])


def batches(client, prefix):
    def statuses(result):
        return [one.status_code for one in result.responses]

    def filled(*keys):
        batch = client.batch.new()
        for key in keys:
            batch.records.create(MENTOR, row(f"{prefix}-{key}"))
        return batch

    result = filled("b1", "b2").execute()
    same("a batch", statuses(result), [204, 204])
    ids = result.entity_ids
    batch = client.batch.new()
    batch.records.update(MENTOR, ids[0], {"new_sequence": 9})
    batch.records.upsert(MENTOR, [UpsertItem({"new_key": f"{prefix}-b3"}, {"new_sequence": 4})])
    batch.records.retrieve(MENTOR, ids[0], select=["new_sequence"])
    batch.records.list(MENTOR, filter=f"new_key eq '{prefix}-b3'", select=["new_sequence"])
    result = batch.execute()
    same("a batch of all kinds", statuses(result), [204, 204, 200, 200])
    same("what a batch read", result.responses[2].data["new_sequence"], 9)
    same("what a batch found", [one["new_sequence"] for one in result.responses[3].data["value"]], [4])

    result = filled("b4", "b1", "b5").execute(continue_on_error=True)
    same("a batch that goes on", statuses(result), [204, 412, 204])
    same("its error", result.failed[0].error_code, "0x80060892")
    # Its status is that of the operation that failed, and the client takes no other than 400 for a batch's.
    refused("a batch that stops", 412, None, lambda: filled("b6", "b1", "b7").execute())
    batch = filled("b8")
    batch.records.update(MENTOR, ids[0], {"new_listed": 7})
    batch.records.update(MENTOR, ids[0], {"new_sequence": 1})
    same("a batch that stops with 400", statuses(batch.execute()), [204, 400])
    found = client.records.list(MENTOR, filter=f"new_key eq '{prefix}-b6' and new_sequence eq 1")
    same("what came before the error", len(found), 1)
    same("what came after it", len(client.records.list(MENTOR, filter=f"new_key eq '{prefix}-b7'")), 0)

    batch = client.batch.new()
    with batch.changeset() as group:
        made = group.records.create(MENTOR, row(f"{prefix}-c1"))
        group.records.update(MENTOR, made, {"new_sequence": 6})
        group.records.delete(MENTOR, ids[1])
    batch.records.retrieve(MENTOR, ids[0])
    result = batch.execute()
    same("a change set", statuses(result), [204, 204, 204, 200])
    same("its Content-IDs", [one.content_id for one in result.responses], ["1", "2", "3", None])
    same(
        "what it referred to",
        client.records.retrieve(MENTOR, result.responses[0].entity_id)["new_sequence"],
        6,
    )
    batch = client.batch.new()
    with batch.changeset() as group:
        group.records.create(MENTOR, row(f"{prefix}-c2"))
        group.records.create(MENTOR, row(f"{prefix}-c1"))
    batch.records.retrieve(MENTOR, ids[0])
    result = batch.execute(continue_on_error=True)
    same("a change set that fails", statuses(result), [412, 200])
    same("nothing of it is left", len(client.records.list(MENTOR, filter=f"new_key eq '{prefix}-c2'")), 0)


def all_of_it(credential, prefix):
    with DataverseClient(address, credential) as client:
        single(client, prefix)
        pages(client, prefix)
        batches(client, prefix)


try:
    ClientSecretCredential("tenant", CLIENT, "wrong", **OPTIONS).get_token(f"{address}/.default")
    sys.exit("a wrong secret: not refused")
except ClientAuthenticationError as error:
    same("a wrong secret", "AADSTS7000215" in str(error), True)
all_of_it(ClientSecretCredential("tenant", CLIENT, "correct horse", **OPTIONS), uuid.uuid4().hex[:8])
all_of_it(CertificateCredential("tenant", CLIENT, certificate, **OPTIONS), uuid.uuid4().hex[:8])
print("works")
