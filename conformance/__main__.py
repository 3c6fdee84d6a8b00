"""`make conformance`: schemathesis tests the API against its own description, with all checks,
rlsautotest tests the policies, and Supabase's database linter (splinter) checks the schema. None may find
anything."""

import os
import subprocess
import sys
from pathlib import Path

from conformance.world import World
from lab import program
from lab.certvakt import ROOT

SEED = 1
# Tables in which rlsautotest cannot insert a row, because of composite foreign keys and checks, so that its
# results are meaningless. pgTAP asserts the permissions there.
NOT_PLANTED = {
    "public": ["cert_notification_log", "peer_mentor_certifications"],
    "certvakt": [
        "certification_changes",
        "certification_renewal_events",
        "certification_types",
        "change_results",
        "address_confirmations",
        "certifications_elsewhere",
        "chapters",
        "contacts",
        "digest_days",
        "digests",
        "erased_register_ids",
        "idempotency_keys",
        "import_changes",
        "import_mappings",
        "imports",
        "mail_queue",
        "listing_consents",
        "listings",
        "long_histories",
        "memberships",
        "notice_texts",
        "organisations",
        "partner_alerts",
        "partner_events",
        "partner_reports",
        "partner_types",
        "partners",
        "person_changes",
        "person_names",
        "register_ids",
        "register_suspensions",
        "renewal_remarks",
        "replacements",
        "run_calendars",
        "runs",
        "uploads",
    ],
}


def tool(name: str) -> Path:
    """The path of a program in the folder of the Python interpreter."""
    return Path(sys.executable).with_name(name)


def fuzz(world: World) -> int:
    print(f"== schemathesis, all checks, seed {SEED}", flush=True)
    command = [
        *(tool("schemathesis"), "--config-file", ROOT / "conformance/schemathesis.toml"),
        *("run", f"{world.address}/api/v1/openapi.json", "--checks", "all", "--seed", str(SEED)),
        *("--no-color", "--continue-on-failure"),
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "conformance.hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=world.folder, check=False).returncode


def probe(world: World, schema: str) -> int:
    print(f"== rlsautotest, schema {schema}", flush=True)
    command = [
        *(tool("rlsautotest"), "--db-url", world.superuser(), "--schema", schema, "--report"),
        *(f"--allow-unreliable={schema}.{table}" for table in NOT_PLANTED[schema]),
    ]
    done = subprocess.run(command, cwd=world.folder, check=False, capture_output=True, text=True)
    # Print its long output only if a check failed.
    print(done.stdout if done.returncode != 0 else "no table is exposed, and no check failed")
    return done.returncode


def lint(world: World) -> int:
    print("== splinter, from WARN up", flush=True)
    # Some rules apply only to the schemas that Supabase opens to clients.
    world.set("pgrst.db_schemas", "public, graphql_public")
    linter = Path(sys.executable).parents[2] / "database-linter/node_modules/.bin/postgres-language-server"
    command = [
        *(linter, "dblint", "--connection-string", world.superuser()),
        *("--error-on-warnings", "--diagnostic-level", "warn", "--max-diagnostics", "none"),
    ]
    return subprocess.run(command, cwd=world.folder, check=False).returncode


def main() -> int:
    with World() as world:
        statuses = [fuzz(world), *(probe(world, schema) for schema in NOT_PLANTED), lint(world)]
    return max(statuses)


if __name__ == "__main__":
    program.run(main)
