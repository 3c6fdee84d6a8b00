"""Hooks for schemathesis: sign-in, and a new idempotency key for each request."""

import itertools
import uuid

import schemathesis

from conformance.world import LOGINS, token

_subjects = itertools.cycle(f"administrator-{number}" for number in range(1, LOGINS + 1))


@schemathesis.auth(refresh_interval=None)
class SignIn:
    """Signs each case in with the next of many logins of one person."""

    def get(self, _case, _context) -> str:
        return token(next(_subjects))

    def set(self, case, data, _context) -> None:
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(_context, case, _kwargs) -> None:
    """Gives each request its own idempotency key, because a key for another request is refused."""
    if (
        case.headers
        and "idempotency-key" in case.headers
        and len(case.headers["idempotency-key"] or "") in range(1, 256)
    ):
        case.headers["idempotency-key"] = str(uuid.uuid4())
