"""The processes that a run is made against: one or two nodes, and the Redis between them."""

import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bearer import SECRET

#: The key without which nobody publishes here.
KEY = "oracle"
PATIENCE = 20
#: prctl(2)
PR_SET_PDEATHSIG = 1


class Site:
    """Real servers on ports of their own on 127.0.0.1. They end with the `with`."""

    def __init__(self, binary, stores, nodes, options):
        self._binary, self._nodes, self._options = binary, nodes, options
        self.redis = None if stores == "embedded" else free_port()
        self.addresses, self._children = [], []

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="geocast-oracle-")
        try:
            if self.redis:
                self._start_redis()
            self._secret().write_text(SECRET)
            self.addresses = [self._start_node(number) for number in range(self._nodes)]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self._children:
            child.kill()
            child.wait()
        self._folder.cleanup()

    def log(self):
        """What the nodes complained of, the last lines of each."""
        said = []
        for path in sorted(Path(self._folder.name).glob("node*.log")):
            lines = [line for line in path.read_text().splitlines()[1:] if not line.startswith("  ")]
            said += [f"{path.stem}: {line}" for line in lines[-8:]]
        return "\n".join(said)

    def ended(self):
        """Says which process has ended by itself, or nothing."""
        return next((f"{child.args[0]} has ended: {child.returncode}" for child in self._children if child.poll() is not None), None)

    def _secret(self):
        return Path(self._folder.name) / "secret.txt"

    def _start_redis(self):
        folder = self._folder.name
        options = ["--port", str(self.redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        self._start(["redis-server", *options], "redis.log")
        self._wait(lambda: _listens(self.redis), "redis.log")

    def _start_node(self, number):
        name = f"node{number}.log"
        store = ["--redis", f"redis://127.0.0.1:{self.redis}"] if self.redis else []
        fixed = ["--port", "0", "--log", "warn", "--log-format", "human", "--channels", "*", "--publish-key", KEY]
        fixed += ["--jwt-key-file", self._secret()]
        self._start([self._binary, "serve", *fixed, *store, *self._options], name)
        said = lambda: re.search(r"listens on (\S+)", (Path(self._folder.name) / name).read_text())
        self._wait(said, name)
        return said()[1]

    def _start(self, command, log):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GEOCAST_")}
        with open(Path(self._folder.name) / log, "w") as file:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, preexec_fn=_end_with_parent)
        self._children.append(child)

    def _wait(self, is_so, log):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if self._children[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it does not start: {(Path(self._folder.name) / log).read_text()}")
            time.sleep(0.005)


def free_port():
    """A port below the range from which the kernel takes those of outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as tcp:
            if tcp.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _end_with_parent():
    """Has Linux end this process with the one that started it, also if that is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _listens(port):
    with socket.socket() as tcp:
        return tcp.connect_ex(("127.0.0.1", port)) == 0
