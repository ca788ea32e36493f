"""Injects faults into real processes and says what came of it: see README.md."""

import argparse
import asyncio
import resource
import sys
import time
import traceback
from pathlib import Path

import on_clients
import on_frames
import on_load
import on_masters
import on_network
import on_nodes
import on_publishers
import on_redis
import on_strings
import wire
from processes import Folder
from report import Row, circumstances, table, write
from trial import SCENARIOS, Trial

#: No scenario takes longer, in seconds.
LONGEST = 300


def main():
    arguments = parse()
    chosen = [scenario for scenario in SCENARIOS if is_chosen(scenario, arguments)]
    if arguments.list:
        for scenario in chosen:
            print(f"{scenario.theme:<11}{scenario.name}{'  (quick)' if scenario.is_quick else ''}")
        return 0
    if not chosen:
        print(f"no scenario has `{arguments.only}` in its name", file=sys.stderr)
        return 2
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    said, begun, rows = circumstances(arguments.binary), time.monotonic(), []
    for scenario in chosen:
        rows.append(asyncio.run(one(scenario, arguments)))
        print(rows[-1].line(), flush=True)
    failed = sum(not row.is_good for row in rows)
    seconds = time.monotonic() - begun
    print(f"{len(rows)} scenarios, {failed} failed, {seconds:.0f} s")
    if arguments.markdown:
        print(table(rows))
    if arguments.written:
        write(arguments.written, "faults", rows, seconds, said)
    return 1 if failed else 0


async def one(scenario, arguments):
    """Tries one scenario; what it raises is a fault as well."""
    begun = time.monotonic()
    wire.closes.clear()
    with Folder() as folder:
        trial = Trial(arguments.binary, folder, arguments.patience)
        try:
            async with asyncio.timeout(LONGEST):
                await scenario.run(trial)
                await trial.finish()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            trial.faults.append(f"{error!r} at {Path(where.filename).name}:{where.lineno}")
            if arguments.verbose:
                traceback.print_exception(error)
        if trial.faults and arguments.logs:
            for process in folder.processes:
                target = Path(arguments.logs) / f"{scenario.theme} {scenario.name} {process.name}.log".replace(" ", "-")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(process.log())
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
    return Row(scenario, trial.measured, trial.faults, time.monotonic() - begun)


def is_chosen(scenario, arguments):
    if arguments.quick and not scenario.is_quick:
        return False
    return arguments.only in f"{scenario.theme} {scenario.name}"


def parse():
    parser = argparse.ArgumentParser(description="Inject faults into real processes.")
    parser.add_argument("binary", help="geocast, release or debug")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios that have this in their theme or name")
    parser.add_argument("--quick", action="store_true", help="a few cheap scenarios, in less than a minute")
    parser.add_argument("--patience", type=float, default=1, help="by how much everything may take longer than promised")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--markdown", action="store_true", help="print the table")
    parser.add_argument("--written", metavar="FILE", help="put the table between the markers of this document")
    parser.add_argument("--logs", metavar="FOLDER", help="keep the logs of what has failed")
    parser.add_argument("--verbose", action="store_true", help="print where something was raised")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
