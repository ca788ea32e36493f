"""Replays the kinds of cases that the Autobahn test suite has, against a server that sends every message back.

    smoke.py PORT [NUMBER…]

Prints what failed, and how many did not; exits with 1 if any failed. With numbers, only cases that begin with one of them.
"""

import functools
import sys
import time

# Whose cases enter themselves into the list.
import framing, texts, closing, limits  # noqa: E401, F401
from cases import CASES
from client import Client, Unexpected


def main():
    port, *chosen = sys.argv[1:]
    address = ("127.0.0.1", int(port))
    started = time.monotonic()
    passed, failed = 0, 0
    for number, rule, function in CASES:
        if chosen and not any(f"{number}.".startswith(f"{prefix}.") for prefix in chosen):
            continue
        try:
            function(functools.partial(Client, address))
            passed += 1
        except (Unexpected, OSError, ValueError) as error:
            failed += 1
            print(f"{number} failed: {type(error).__name__}: {error} ({rule})")
    print(f"{passed} passed, {failed} failed in {time.monotonic() - started:.1f} s")
    sys.exit(failed > 0 or passed == 0)


if __name__ == "__main__":
    main()
