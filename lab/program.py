"""Numbers in arguments, and the shutdown of the lab's programs."""

import argparse
import signal
import sys
from collections.abc import Callable


def at_least_one(text: str) -> int:
    """A number of at least 1, for argparse: with zero rounds or lanes, everything would seem fine."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: at least 1")
    return number


def run(main: Callable[[], int]) -> None:
    """Exits with the status that `main` returns. SIGTERM has the effect of Ctrl-C, so that the started
    servers end too; the status is then 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted: there is no result", file=sys.stderr)
        sys.exit(130)
