"""Real processes on ports of their own on 127.0.0.1: servers of geocast and of Redis, which end with the trial."""

import asyncio
import ctypes
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

#: Without it, nobody publishes over HTTP.
KEY = "faults"
#: How long something may take to start, in seconds. Debug builds on a busy machine are slow.
PATIENCE = 30
#: prctl(2)
PR_SET_PDEATHSIG = 1
MIB = 1 << 20


class Process:
    """A program with a log. What is asked of it after its end, it answers as it was before."""

    def __init__(self, name, command, folder, descriptors=None):
        """`descriptors`: the limit of open files that it begins with."""
        self.name, self.log_path = name, Path(folder) / f"{name}.log"
        self._command, self._descriptors, self._child = command, descriptors, None
        self.wanted = False

    def run(self):
        """Starts it, again."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GEOCAST_")}

        def prepare():
            _end_with_parent()
            if self._descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (self._descriptors, self._descriptors))

        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, preexec_fn=prepare)
        self.wanted = True

    def send(self, number):
        """Sends a signal. After SIGKILL and SIGTERM an end is expected."""
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.wanted = False
        if self._child.poll() is None:
            self._child.send_signal(number)

    def kill(self):
        """Sends SIGKILL and waits for the end."""
        if self._child:
            self.send(signal.SIGKILL)
            self._child.wait()

    async def ended(self, seconds):
        """Waits for the end; returns the exit code, or None if it did not come in time."""
        await until(lambda: self._child.poll() is not None, seconds)
        return self._child.returncode

    @property
    def pid(self):
        return self._child.pid

    @property
    def is_running(self):
        return self._child is not None and self._child.poll() is None

    def log(self):
        """All that it has said."""
        return self.log_path.read_text(errors="backslashreplace") if self.log_path.exists() else ""

    def memory(self):
        """Resident bytes now, and at most since its start."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return tuple(int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) << 10 for field in ("VmRSS", "VmHWM"))

    def processor_time(self):
        """Seconds that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")")[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sockets(self):
        """Established TCP connections that it has accepted."""
        port, here = int(self.address.rsplit(":", 1)[1]), 0
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            here += fields[3] == "01" and int(fields[1].split(":")[1], 16) == port
        return here

    def descriptors(self):
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class RedisServer(Process):
    """A `redis-server`; with `keeps`, a killed one comes back with its data."""

    def __init__(self, name, folder, *options, keeps=False):
        self.port = free_port()
        self.folder = Path(folder) / name
        self.folder.mkdir()
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if keeps else ["--appendonly", "no"]
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        super().__init__(name, ["redis-server", *fixed, *kept, *options], folder)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def client(self, seconds=PATIENCE):
        """A client that waits for answers so long."""
        return Redis(host="127.0.0.1", port=self.port, socket_timeout=seconds, decode_responses=True)

    def ask(self, *words):
        """One command, without blocking longer than a moment."""
        with self.client(5) as client:
            return client.execute_command(*words)

    async def up(self):
        """Starts it and waits until it answers."""
        self.run()
        if not await until(self._answers, PATIENCE):
            raise RuntimeError(f"{self.name} does not start: {self.log()}")
        return self

    def _answers(self):
        try:
            return self.ask("PING")
        except (RedisError, OSError):
            return False


class Node(Process):
    """`geocast serve`."""

    def __init__(self, name, folder, binary, *options, descriptors=None, wrapper=(), log="info"):
        fixed = ["--channels", "*", "--publish-key", KEY, "--log", log, "--log-format", "human"]
        port = [] if "--port" in options else ["--port", "0"]
        command = [*wrapper, str(binary), "serve", *port, *fixed, *options]
        super().__init__(name, command, folder, descriptors)
        self.address = None

    async def up(self):
        """Starts it and waits until it listens."""
        said = len(self.log())
        self.run()
        listens = lambda: re.search(r"listens on (\S+)", self.log()[said:])
        if not await until(lambda: listens() or not self.is_running, PATIENCE) or not listens():
            raise RuntimeError(f"{self.name} does not start: {self.log()}")
        self.address = listens()[1]
        return self


class Folder:
    """A folder for temporary files, which ends with the `with`, and all processes that were put into it with it."""

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="geocast-faults-"))
        self.processes = []
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
        shutil.rmtree(self.path, ignore_errors=True)

    def add(self, process):
        self.processes.append(process)
        return process


async def until(is_so, seconds, pause=0.02):
    """Waits until something is so; returns what it was, or what it is not after so long."""
    deadline = time.monotonic() + seconds
    while not (value := is_so()):
        if time.monotonic() > deadline:
            return value
        await asyncio.sleep(pause)
    return value


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
