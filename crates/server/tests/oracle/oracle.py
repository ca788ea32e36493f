"""Holds real geocast servers to what shapely and pyproj say that each client must have on its map.

    python oracle.py BINARY --runs 50                  seeds 0 to 49, over both stores, one node and two
    python oracle.py BINARY --seed 17                  one run again
    python oracle.py BINARY --seed 17 --replay         the run as it was written down when it failed
    python oracle.py BINARY --seed 17 --replay --shrink   as few steps and actions as still fail

A run that fails is written to a file below --written, and the program ends with code 1.
"""

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from plan import plan
from run import play
from shrink import shrink

SITES = (("embedded", 1), ("redis", 1), ("redis", 2))


def main():
    options = _options()
    if options.seed is None:
        sys.exit(_many(options))
    path = _path(options, options.seed)
    made = json.loads(path.read_text()) if options.replay else _plan(options, options.seed)
    if options.shrink:
        made = shrink(made, lambda smaller: play(smaller, options.binary).fault is not None, print)
        path = path.with_suffix(".small.json")
    outcome = play(made, options.binary)
    if outcome.fault:
        sys.exit(_failed(path, made, outcome))
    print(f"seed {options.seed}: sets equal after each of {len(made['steps'])} steps; {_told(outcome.counts)}")


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="path of the program geocast")
    parser.add_argument("--runs", type=int, default=50, help="how many runs (default 50)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default 0)")
    parser.add_argument("--jobs", type=int, default=4, help="runs at the same time (default 4): they mostly wait")
    parser.add_argument("--length", type=int, default=30, help="steps of a run (default 30)")
    parser.add_argument("--without", nargs="*", default=(), help="what to leave out: see plan.plan")
    parser.add_argument("--seed", type=int, help="make this run only")
    parser.add_argument("--replay", action="store_true", help="with --seed: play what was written down")
    parser.add_argument("--shrink", action="store_true", help="with --seed: drop what the fault does not need")
    parser.add_argument("--written", type=Path, default=Path("oracle-runs"), help="where failed runs are written")
    return parser.parse_args()


def _many(options):
    """Makes many runs, and returns the exit code."""
    begun, failed, counts = time.monotonic(), 0, Counter()
    seeds = range(options.first, options.first + options.runs)
    with ProcessPoolExecutor(options.jobs) as pool:
        running = {pool.submit(_one, options, seed): seed for seed in seeds}
        for done in as_completed(running):
            made, outcome = done.result()
            counts.update(outcome.counts)
            if outcome.fault:
                failed += 1
                _failed(_path(options, running[done]), made, outcome)
    took = time.monotonic() - begun
    print(f"{len(seeds)} runs, {failed} failed, {took:.0f} s; {_told(counts)}")
    return 1 if failed else 0


def _one(options, seed):
    made = _plan(options, seed)
    return made, play(made, options.binary)


def _plan(options, seed):
    return plan(seed, SITES[seed % len(SITES)], options.length, options.without)


def _failed(path, made, outcome):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made))
    site = f"{made['store']} store, {made['nodes']} node{'s' * (made['nodes'] > 1)}"
    step = made["steps"][outcome.step]
    done = Counter(action["do"] for action in step["actions"])
    print(f"seed {made['seed']} ({site}), step {outcome.step} ({dict(done)}), client {outcome.client}:")
    print(f"  {outcome.fault}\n  written to {path}; the nodes said: {outcome.log or 'nothing'}", flush=True)
    return 1


def _path(options, seed):
    return options.written / f"seed-{seed}.json"


def _told(counts):
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)


if __name__ == "__main__":
    main()
