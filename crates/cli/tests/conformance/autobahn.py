"""Runs the Autobahn test suite's fuzzing client against the example `echo` and judges what it reports.

    autobahn.py WSTEST ECHO [--cases 6.* 9.*] [--written FOLDER]

WSTEST is the suite's program, ECHO the example. Both of its ways are tried: `/echo`, where a message is answered, and `/loop`,
where it passes the store and the fan-out. Between them they go through all cases of the suite, or those of --cases. Exits with
0 only if there were cases, and none failed or was passed other than strictly; what is informational by the suite's own word is
neither.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

#: With what is not asked of it: answers are not compressed; and who breaks the protocol is answered what it said before, but is no
#: subscriber any more when what it published comes.
WAYS = {"echo": ["12.*", "13.*"], "loop": ["3.*", "4.*", "5.15"]}
#: Of a case or of its closing handshake. UNIMPLEMENTED would mean that no compression was agreed upon.
GOOD = {"OK", "INFORMATIONAL"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wstest", type=Path)
    parser.add_argument("echo", type=Path)
    parser.add_argument("--cases", nargs="+", default=["*"], metavar="PATTERN")
    parser.add_argument("--written", type=Path, default=Path("conformance-reports"), metavar="FOLDER")
    options = parser.parse_args()
    for program in options.wstest, options.echo:
        if not program.is_file():
            sys.exit(f"conformance: {program} is missing; `make conformance` makes it")
    options.written.mkdir(parents=True, exist_ok=True)
    with serving(options.echo.resolve()) as address:
        reports = fuzz(options, address)
    sys.exit(judge(reports, options.written))


@contextlib.contextmanager
def serving(echo):
    """The address of a running server, which ends with the block."""
    environment = {**os.environ, "LISTEN": "127.0.0.1:0"}
    server = subprocess.Popen([echo], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        address = server.stderr.readline().strip()
        if not re.fullmatch(r"127\.0\.0\.1:\d+", address):
            sys.exit(f"conformance: the server does not listen, it says {address!r}")
        yield address
        if server.poll() is not None:
            sys.exit(f"conformance: the server has ended with {server.returncode}")
    finally:
        server.kill()
        server.wait()


def fuzz(options, address):
    """What the suite says of each way, by number of the case. It goes through all cases of one after the other."""
    specification = options.written / "fuzzingclient.json"
    folder = options.written / "reports"
    index = folder / "index.json"
    index.unlink(missing_ok=True)
    specification.write_text(
        json.dumps(
            {
                "outdir": str(folder.resolve()),
                "servers": [{"agent": way, "url": f"ws://{address}/{way}"} for way in WAYS],
                "cases": options.cases,
                "exclude-cases": [],
                "exclude-agent-cases": WAYS,
            }
        )
    )
    run = subprocess.run([options.wstest, "-m", "fuzzingclient", "-s", specification], stdin=subprocess.DEVNULL)
    if run.returncode or not index.is_file():
        sys.exit(f"conformance: the suite ended with {run.returncode} and without a report")
    return json.loads(index.read_text())


def judge(reports, written):
    """Prints what became of the cases and returns the exit code."""
    code = 0
    for way in WAYS:
        cases = reports.get(way, {})
        verdicts = collections.Counter(case["behavior"] for case in cases.values())
        told = ", ".join(f"{number} {verdict.lower()}" for verdict, number in verdicts.most_common())
        print(f"/{way}: {len(cases)} cases: {told or 'none'}")
        bad = {
            number: case
            for number, case in cases.items()
            if case["behavior"] not in GOOD or case["behaviorClose"] not in GOOD
        }
        for number, case in sorted(bad.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
            print(f"  {number}: {case['behavior']}, close {case['behaviorClose']} ({case['remoteCloseCode']})")
        if bad or not cases:
            code = 1
    if code:
        print(f"not conforming: {written / 'reports' / 'index.html'} has what was sent and received")
    return code


main()
