#!/usr/bin/env python3
"""Measures geocast, a bare loop and its peers by turns, and prints medians and ratios.

    cargo build --release -p geocast
    (cd /tmp && npm install bun)
    benches/peers/compare.py --geocast target/release/geocast --bun /tmp/node_modules/.bin/bun

Server on core 0, clients (and Redis) on core 1. A measurement that other processes disturbed is taken again, because
the processor time of a delivery grows with what else goes through the caches.
"""

import argparse, json, os, shutil, signal, statistics, subprocess, sys, time

PORT, REDIS = 3117, 7417
HERE = os.path.dirname(os.path.abspath(__file__))


def jiffies():
    fields = [int(field) for field in open("/proc/stat").readline().split()[1:]]
    return sum(fields[:3]) + sum(fields[5:8])  # all but idle and waiting for disks


def wait_for_quiet(limit):
    """Until both cores together are busy for less than a tenth of half a second, or it takes too long."""
    end = time.time() + limit
    while time.time() < end:
        before = jiffies()
        time.sleep(0.5)
        if jiffies() - before < 5:
            return


class Bun:
    def __init__(self, bun, redis):
        environment = dict(os.environ, PORT=str(PORT))
        if redis:
            environment["REDIS"] = f"redis://127.0.0.1:{REDIS}"
        command = ["taskset", "-c", "0", bun, os.path.join(HERE, "bun", "server.js")]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        if " listens on " not in self.process.stderr.readline():
            sys.exit("bun does not start")

    def end(self):
        self.process.kill()
        self.process.wait()


class Reference(Bun):
    def __init__(self, python, loop):
        environment = dict(os.environ, PORT=str(PORT), REDIS_DSN=f"redis://127.0.0.1:{REDIS}", LOOP=loop)
        command = ["taskset", "-c", "0", python, os.path.join(HERE, "reference", "serve.py")]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        if " listens on " not in self.process.stderr.readline():
            sys.exit("the reference does not start")
        time.sleep(0.5)


def benchmark(arguments, server, line):
    """One measurement, with what others used of the two cores in the meantime, in seconds."""
    words, peer = line.split(), None
    redis = "--redis" in words
    if server in ("bun", "asyncio", "uvloop"):
        peer = Bun(arguments.bun, redis) if server == "bun" else Reference(arguments.reference, server)
        words += f"--url ws://127.0.0.1:{PORT}/ --server-pid {peer.process.pid} --core 1".split()
    elif words[0] != "limit":
        words.append("--spawn")
    words = [f"redis://127.0.0.1:{REDIS}" if word == "REDIS" else word for word in words]
    before, start = jiffies(), time.time()
    own = os.times()
    try:
        run = subprocess.run([arguments.geocast, "bench", *words, "--json"], capture_output=True, text=True)
    finally:
        if peer:
            time.sleep(0.1)
            peer.end()
    if run.returncode:
        sys.exit(f"{server}, {line}: {run.stderr}")
    # The generator, its server and a Bun that has ended are children whose time is known.
    now = os.times()
    ours = now.children_user + now.children_system - own.children_user - own.children_system
    busy = (jiffies() - before) / os.sysconf("SC_CLK_TCK")
    return json.loads(run.stdout), (busy - ours) / (time.time() - start)


# What is measured, by whom, which figure counts, and how a report is made comparable to the first.
SINGLE = "--messages 400 --pause 4ms"
BURST = "--messages 6000 --burst 100 --pause 40ms"
MANY = "--connections 10000 --messages 100 --pause 20ms"
PACED = "--messages 500 --rate 100"
BOXES = "--redis REDIS --viewports random:10x10"
CPU = "server_cpu_us_per_delivery"
ROWS = [
    ("A one at a time, us per delivery", CPU, [
        ("bare write", "limit", f"limit --with write {SINGLE}"),
        ("geocast", "geocast", f"fanout {SINGLE}"),
        ("geocast, Redis", "geocast", f"fanout --redis REDIS {SINGLE}"),
        ("bun", "bun", f"fanout {SINGLE}"),
        ("bun, Redis", "bun", f"fanout --redis REDIS {SINGLE}"),
    ]),
    ("B bursts of 100, us per delivery", CPU, [
        ("bare writev", "limit", f"limit --with writev {BURST}"),
        ("geocast", "geocast", f"fanout {BURST}"),
        ("geocast, Redis", "geocast", f"fanout --redis REDIS {BURST}"),
        ("bun", "bun", f"fanout {BURST}"),
        ("bun, Redis", "bun", f"fanout --redis REDIS {BURST}"),
    ]),
    ("C 10 000 clients, us per delivery", CPU, [
        ("bare write", "limit", f"limit --with write {MANY}"),
        ("geocast", "geocast", f"fanout {MANY}"),
        ("bun", "bun", f"fanout {MANY}"),
    ]),
    ("D 100 messages per second, p99 in ms", "latency_ms.p99", [
        ("bun", "bun", f"fanout {PACED}"),
        ("bare write", "limit", f"limit --with write {PACED}"),
        ("geocast", "geocast", f"fanout {PACED}"),
        ("geocast, Redis", "geocast", f"fanout --redis REDIS {PACED}"),
        ("bun, Redis", "bun", f"fanout --redis REDIS {PACED}"),
    ]),
    ("E 10 000 idle clients, bytes per client", "server_memory_bytes_per_connection", [
        ("bun", "bun", "idle"),
        ("geocast", "geocast", "idle"),
    ]),
    ("F connecting, clients per second and core", "server_connections_per_cpu_second", [
        ("bun", "bun", "connect"),
        ("geocast", "geocast", "connect"),
    ]),
    ("G 1 000 boxes of 10 x 10 degrees, us per feature", "server_cpu_us_per_message", [
        ("asyncio", "asyncio", f"fanout {BOXES} --messages 60 --pause 60ms"),
        ("uvloop", "uvloop", f"fanout {BOXES} --messages 60 --pause 60ms"),
        ("geocast", "geocast", f"fanout {BOXES} --messages 20000 --pause 1ms"),
        ("geocast, 3857", "geocast", f"fanout {BOXES} --messages 20000 --pause 1ms --projection epsg:3857"),
        ("geocast, bursts", "geocast", f"fanout {BOXES} --messages 20000 --burst 100 --pause 20ms"),
    ]),
]


def figure(report, name):
    for part in name.split("."):
        report = report[part]
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geocast", default="target/release/geocast")
    parser.add_argument("--bun", default=shutil.which("bun"), help="without it Bun is left out")
    parser.add_argument("--reference", help="a Python that has the reference's packages; without it, it is left out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default="ABCDEFG", help="which of A to G")
    parser.add_argument("--disturbance", type=float, default=0.15, help="what others may use, in cores")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a quiet machine")
    parser.add_argument("--reports", help="append all reports to this file, one JSON object per line")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    redis = subprocess.Popen(
        ["taskset", "-c", "1", "redis-server", "--port", str(REDIS), "--save", ""], stdout=subprocess.DEVNULL
    )
    found = {}
    try:
        time.sleep(0.5)
        for row, name, contenders in ROWS:
            if row[0] not in arguments.rows:
                continue
            for number in range(arguments.rounds):
                for label, server, line in contenders:
                    if not getattr(arguments, {"bun": "bun", "geocast": "geocast", "limit": "geocast"}.get(server, "reference")):
                        continue
                    for attempt in range(3):
                        wait_for_quiet(arguments.patience)
                        report, others = benchmark(arguments, server, line)
                        # Redis is not our child's child, and is part of the work.
                        if others < arguments.disturbance + (0.2 if "REDIS" in line else 0):
                            break
                    value = figure(report, name)
                    found.setdefault(row, {}).setdefault(label, []).append(value)
                    print(f"{number + 1} {row[0]} {label:16}{value:14.4f}   others {others:.2f}", file=sys.stderr)
                    if arguments.reports:
                        with open(arguments.reports, "a") as file:
                            file.write(json.dumps({"row": row[0], "label": label, "others": others, **report}) + "\n")
    finally:
        redis.send_signal(signal.SIGTERM)
        redis.wait()
    for row, values in found.items():
        print(row)
        base = statistics.median(next(iter(values.values())))
        for label, each in values.items():
            median = statistics.median(each)
            print(f"  {label:16}{median:12.4f}  [{min(each):.4f} .. {max(each):.4f}]  x {median / base:.3f}")


main()
