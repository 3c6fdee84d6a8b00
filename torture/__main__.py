"""python -m torture: plays rounds from a seed, and prints one line with the result."""

from __future__ import annotations

import argparse
import functools
import os
import secrets

from lab import program
from torture.campaign import Campaign

# The quick mode plays at most this many rounds, and starts none after this many seconds.
QUICK_ROUNDS, QUICK_SECONDS = 60, 155
# Concurrent rounds, which mostly wait for leases, responses and the server's recovery.
LANES = 2 * (os.cpu_count() or 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--rounds", type=program.at_least_one, default=500)
    parser.add_argument("--seed", default=None, help="seed of all random choices [default: a new one]")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under three minutes")
    parser.add_argument(
        "--only-round", type=program.at_least_one, default=None, metavar="K", help="one round of the seed"
    )
    parser.add_argument("--keep-going", action="store_true", help="continue after a violation")
    parser.add_argument(
        "--lanes",
        type=program.at_least_one,
        default=LANES,
        help="concurrent rounds [default: 2 per processor]",
    )
    arguments = parser.parse_args()
    seed = arguments.seed or str(secrets.randbelow(10**9))
    rounds = list(range(1, (QUICK_ROUNDS if arguments.quick else arguments.rounds) + 1))
    if arguments.only_round is not None:
        rounds = [arguments.only_round]
    print(f"torture: seed {seed}", flush=True)
    seconds = QUICK_SECONDS if arguments.quick else float("inf")
    say = functools.partial(print, flush=True)
    campaign = Campaign(seed, rounds, seconds, say, keeps_going=arguments.keep_going)
    campaign.go(arguments.lanes)
    print(campaign.summary())
    return 1 if campaign.found else 0


if __name__ == "__main__":
    program.run(main)
