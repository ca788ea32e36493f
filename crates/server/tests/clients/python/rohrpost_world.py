"""What the conformance of a rohrpost server is checked with: the server, its store, an endpoint for handlers, a bare connection."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from websockets.asyncio.client import connect

from rohrpost_client import UPDATE, check_update, decode

SECRET = b"a secret of more than thirty-two bytes, for conformance"
QUIET = 0.4  # seconds without a frame that count as silence
PATIENCE = 5
CHECKS = []  # of all files, in their order


def check(function):
    CHECKS.append(function)
    return function


def equal(got, expected, what=""):
    if got != expected or json.dumps(got, sort_keys=True) != json.dumps(expected, sort_keys=True):
        raise AssertionError(f"{what}\n      expected {json.dumps(expected)}\n      got      {json.dumps(got)}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


class Server:
    """`geocast serve` on a free port, ended by its pid."""

    def __init__(self, binary, redis, *options):
        command = [binary, "serve", "--log-format", "human", "--port", "0", "--commands-per-second", "10000", "--command-burst", "10000", *options]
        if redis:
            command += ["--redis", redis]
        self.redis = redis
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"listens on ([\d.]+:\d+)", line)
            if found:
                self.address = found[1]
                break
        else:
            raise SystemExit("the server did not start:\n" + "".join(self.lines))
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()
        self.url = f"ws://{self.address}/rohrpost/"
        for _ in range(100):
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"http://{self.address}/ready", timeout=2).close()
                return
            time.sleep(0.1)
        raise SystemExit("the server is never ready:\n" + "".join(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    async def http(self, method, path, body=None):
        request = urllib.request.Request(f"http://{self.address}{path}", body, method=method)

        def send():
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.read()

        return await asyncio.to_thread(send)

    async def publish(self, channel, body):
        """On Redis as any publisher there would."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        if self.redis:
            return await command(self.redis, "PUBLISH", channel, body)
        return await self.http("POST", f"/api/publish/{urllib.parse.quote(channel, safe='')}", body)

    async def hset(self, name, field, value):
        value = json.dumps(value).encode()
        if self.redis:
            return await command(self.redis, "HSET", name, field, value)
        return await self.http("PUT", f"/api/state/{urllib.parse.quote(name, safe='')}/{urllib.parse.quote(field, safe='')}", value)

    async def hdel(self, name, field):
        if self.redis:
            return await command(self.redis, "HDEL", name, field)
        return await self.http("DELETE", f"/api/state/{urllib.parse.quote(name, safe='')}/{urllib.parse.quote(field, safe='')}")


async def command(redis, *words):
    """One command to the Redis of this URL."""
    at = urllib.parse.urlsplit(redis)
    reader, writer = await asyncio.open_connection(at.hostname, at.port or 6379)
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    writer.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
    await writer.drain()
    line = await reader.readline()
    writer.close()
    true(not line.startswith(b"-"), f"Redis refused {words}: {line}")


async def told_of_writes(server):
    """Waits until the server has seen what there is in Redis, and hears of what is written."""
    async with subscribed(server, "conformance", "probe") as one:
        for attempt in range(100):
            await server.hset("conformance:probe", "n", time.time())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(one.websocket.recv(), 0.1)
                return
        raise AssertionError("the server never hears of writes")


class Endpoint(http.server.ThreadingHTTPServer):
    """An endpoint of handlers, which does what the path says and keeps what it was sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(request)
        if self.path == "/slow":
            time.sleep(0.5)
        body = b"not JSON" if self.path == "/garbage" else json.dumps({"echo": request.get("data")}).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def token(**claims):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    claims = {"sub": "somebody", "iat": int(time.time()), "exp": int(time.time()) + 600, **claims}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(SECRET, signed, hashlib.sha256))).decode()


class Raw:
    """A connection on which anything may be sent and nothing is expected."""

    def __init__(self, websocket):
        self.websocket = websocket

    async def ask(self, frame):
        """The next frame after this one was sent, as an object."""
        await self.websocket.send(json.dumps(frame) if isinstance(frame, dict) else frame)
        return decode(await self.next())

    async def next(self):
        return await asyncio.wait_for(self.websocket.recv(), PATIENCE)

    async def update(self):
        frame = await self.next()
        message = decode(frame)
        equal(message.get("type"), UPDATE)
        return check_update(message, frame)

    async def quiet(self, what, seconds=QUIET):
        with contextlib.suppress(asyncio.TimeoutError):
            frame = await asyncio.wait_for(self.websocket.recv(), seconds)
            raise AssertionError(f"{what}: {frame!r}")


@contextlib.asynccontextmanager
async def raw(server):
    async with connect(server.url) as websocket:
        yield Raw(websocket)


@contextlib.asynccontextmanager
async def subscribed(server, kind, object_id, **options):
    async with raw(server) as one:
        reply = await one.ask({"id": 1, "type": "subscribe", "data": {"type": kind, "id": object_id}, **options})
        equal(reply, {"id": 1, "type": "subscribe", "data": {"group": f"{kind}-{object_id}"}})
        yield one


async def updates(one, last, what):
    """Updates up to the first that `last` takes."""
    got = []
    with contextlib.suppress(asyncio.TimeoutError):
        while True:
            got.append(await one.update())
            if last(got[-1]):
                return got
    raise AssertionError(f"{what}: {got}")
