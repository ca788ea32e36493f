"""One trial of one scenario: its processes, what was measured, what was wrong, and the invariants of all scenarios."""

import asyncio
import signal
import time
from dataclasses import dataclass, field
from typing import Callable

import wire
from processes import MIB, Folder, Node, RedisServer, until
from wire import Http

#: docs/protocol.md has what each of them means.
DOCUMENTED = {1000, 1002, 1007, 1009, 1012, 3008, 3009, 3010}
#: How long a node may take to end after SIGTERM, in seconds.
END = 30


@dataclass(frozen=True)
class Scenario:
    """What is done to the server, and what it has to do then."""

    theme: str
    name: str
    injected: str
    expected: str
    run: Callable
    #: Among those that are run in each test of the whole project.
    is_quick: bool


SCENARIOS = []


def scenario(theme, name, injected, expected, quick=False):
    """Registers a coroutine that is given a Trial."""

    def register(run):
        SCENARIOS.append(Scenario(theme, name, injected, expected, run, quick))
        return run

    return register


@dataclass
class Trial:
    """Measures a scenario. What it checks goes on when something was wrong, so that all of it is seen."""

    binary: str
    folder: Folder
    #: By how much everything may take longer than promised: other machines are slower.
    patience: float = 1
    faults: list = field(default_factory=list)
    measured: list = field(default_factory=list)
    #: Resident memory that a node may have at most.
    memory_bound: int = 200 * MIB
    #: Whether sockets may end without a close frame, because there is no way to send one.
    allows_cuts: bool = False
    nodes: list = field(default_factory=list)

    def check(self, is_so, what):
        """Notes a fault unless something is so; returns whether it is."""
        if not is_so:
            self.faults.append(what)
        return bool(is_so)

    def measure(self, what):
        self.measured.append(what)

    async def redis(self, *options, name="redis", keeps=False):
        """A Redis that answers."""
        return await self.folder.add(RedisServer(name, self.folder.path, *options, keeps=keeps)).up()

    async def node(self, *options, redis=None, name="node", descriptors=None, wrapper=(), log="info", spread="200ms"):
        """A node that listens; stopping, it spreads closes over that time."""
        store = ["--redis", redis] if redis else []
        fixed = ["--drain-spread", spread]
        node = Node(name, self.folder.path, self.binary, *fixed, *store, *options, descriptors=descriptors, wrapper=wrapper, log=log)
        self.nodes.append(self.folder.add(node))
        return await node.up()

    async def is_healthy(self, node, seconds=5, ready=200, live=200):
        """What `/ready` and `/live` say at last within that time, and since when."""
        seconds *= self.patience
        begun, http = time.monotonic(), Http(node.address, patience=seconds)
        while True:
            try:
                said = [(await http.ask("GET", path))[0] for path in ("/ready", "/live")]
            except OSError as error:
                said = str(error)
            passed = time.monotonic() - begun
            if said == [ready, live] or passed > seconds:
                http.close()
                self.check(said == [ready, live], f"{node.name}: /ready and /live say {said} after {passed:.1f} s")
                return passed
            await asyncio.sleep(0.02)

    async def finish(self):
        """Holds all nodes to what has to be so in every scenario, and ends them in order."""
        closes = dict(wire.closes)
        for node in self.nodes:
            if node.is_running:
                now, most = node.memory()
                self.check(most <= self.memory_bound, f"{node.name} took {most // MIB} MiB, {self.memory_bound // MIB} at most")
                self.measure(f"{most // MIB} MiB at most")
                await self._end(node)
            else:
                self.check(not node.wanted, f"{node.name} has ended by itself")
            log = node.log()
            self.check("panicked" not in log, f"{node.name} panicked: {log[log.find('panicked'):][:300]}")
        for code, number in closes.items():
            allowed = code in DOCUMENTED or code == wire.CUT and self.allows_cuts
            self.check(allowed, f"{number} connections ended with code {code}")

    async def _end(self, node):
        node.send(signal.SIGTERM)
        code = await node.ended(END)
        self.check(code == 0, f"{node.name} does not end in order: exit code {code}")


async def within(seconds, is_so):
    """Waits until something is so; returns the seconds that it took, or None."""
    begun = time.monotonic()
    return time.monotonic() - begun if await until(is_so, seconds) else None
