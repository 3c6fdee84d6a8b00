"""How the lab's programs take a number, and how they end when they are asked to."""

import argparse
import signal
import sys
from collections.abc import Callable


def at_least_one(text: str) -> int:
    """A number of rounds or lanes, for argparse: with none, nothing is found, and all seems well."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: at least 1")
    return number


def run(main: Callable[[], int]) -> None:
    """Ends with the status that `main` returns. SIGTERM ends it as Ctrl-C does, so that servers which it
    started end with it; the status is 130 then."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted: there is no result", file=sys.stderr)
        sys.exit(130)
