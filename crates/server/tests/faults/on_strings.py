"""Strings that want to be something else: a path, a URL, a command, a line of a log."""

import asyncio
import re
from urllib.parse import quote

from crowd import embedded
from processes import KEY, free_port
from trial import scenario, within
from watchers import Rpc
from wire import Http, Refused, Socket, split

#: What would show that something outside was reached for.
TRACED = "trace=open,openat,openat2,creat,connect,bind,execve,unlink,unlinkat,rename,renameat,mkdir,mkdirat,symlink,link"
#: The name of a client's own channel in the scenario of channel names, to know when all has come.
LAST = "last"


@scenario(
    "strings", "coordinate systems", "63 hostile strings as a CRS (paths, pipelines, grids at URLs, options of PROJ), in 8 commands each, the server under `strace -f`",
    "each is answered by an error or nothing; between the first and the last no file is opened and no connection made")
async def coordinate_systems(trial):
    trace = trial.folder.path / "trace.txt"
    # -D: the server stays our child, and the tracer is its grandchild.
    node = await trial.node(wrapper=["strace", "-D", "-f", "-qq", "-o", str(trace), "-e", TRACED])
    listening = free_port()
    called = []
    trap = await asyncio.start_server(lambda _, writer: called.append(writer.close()), "127.0.0.1", listening)
    hostile = [text.replace("{port}", str(listening)) for text in HOSTILE_SYSTEMS]
    rpc, answers = await Rpc().open(node.address), []
    text = await Socket.open(node.address, "/ws", answers.append)
    # What a system that exists needs is opened now.
    await rpc.call("projection", crs="EPSG:2056")
    await rpc.call("ping")
    before = len(trace.read_text().splitlines())
    trial.check(before > 10, f"strace has seen {before} calls only")
    accepted = []
    for crs in hostile:
        for method, parameters in calls_with(crs):
            try:
                accepted.append((method, crs, await rpc.call(method, **parameters)))
            except RuntimeError:
                pass
        for command in (f"PROJECTION {crs}", f"BBOX 0 0 1 1 crs={crs}", f"PGET x projection={crs}", f"BBOX 0 0 1 1 {crs}"):
            text.send(command)
    text.send("PING client_ref=end")
    trial.check(await within(120, lambda: any(b'"end"' in answer for answer in answers)) is not None, "the end is not answered")
    trial.check(rpc.socket.is_open and text.is_open, f"closed with {rpc.socket.code}, {text.code}")
    trial.check(not accepted, f"accepted: {accepted[:2]}")
    lines = trace.read_text().splitlines()[before:]
    trial.check(not lines, f"{len(lines)} calls of the system: {lines[:3]}")
    trial.check(not called, "the server has connected to an address in a string")
    trial.measure(f"{len(hostile) * 8} commands, {len(lines)} files or connections, {sum(b'error' in answer for answer in answers)} errors told in text")
    trap.close()
    rpc.socket.abort()
    text.abort()


@scenario(
    "strings", "channel names", "52 names with line ends, commands of Redis, patterns, names of internals, in SUB, GET, subscribe, get, publish and URLs, with MONITOR on",
    "Redis is sent exactly the commands of the valid names, each as one argument; nothing else changes", quick=True)
async def channel_names(trial):
    redis = await trial.redis()
    node = await trial.node(redis=redis.url)
    seen = Monitor(redis)
    await seen.begin()
    rpc, answers = await Rpc().open(node.address, f"/rpc?pwd={KEY}"), []
    text = await Socket.open(node.address, "/ws", answers.append)
    http = Http(node.address, [f"Authorization: Bearer {KEY}"])
    accepted = set()
    for name in HOSTILE_NAMES:
        for method in ("subscribe", "get", "publish"):
            parameters = {"channel": name} | ({"data": 1} if method == "publish" else {})
            try:
                await rpc.call(method, **parameters)
                accepted.add(name)
            except RuntimeError:
                pass
        for command in (f"SUB {name}", f"GET {name}", f"GET x {name}", f"SUB channel={name}"):
            text.send(command)
        path = quote(name, "")
        if (await http.ask("POST", f"/api/publish/{path}", b"1"))[0] == 200:
            accepted.add(name)
        await http.ask("PUT", f"/api/state/x/{path}", b"1")
    await rpc.call("publish", channel=LAST, data=1)
    text.send("PING client_ref=end")
    trial.check(await within(60, lambda: any(b'"end"' in answer for answer in answers)) is not None, "the end is not answered")
    commands = await seen.until(LAST)
    trial.check(rpc.socket.is_open and text.is_open, f"closed with {rpc.socket.code}, {text.code}")
    words = {word for name in HOSTILE_NAMES for word in re.split(r"\s+", name)} | accepted | {"x", LAST}
    wrong = [command for command in commands if not is_expected(command, words)]
    trial.check(not wrong, f"{len(wrong)} commands are not expected: {wrong[:5]}")
    unaccepted = [name for name in FORBIDDEN_NAMES if name in accepted]
    trial.check(not unaccepted, f"accepted: {unaccepted}")
    keys = set(await asyncio.to_thread(redis.ask, "KEYS", "*"))
    trial.check(keys <= {"x"}, f"keys have come into being: {keys}")
    trial.measure(f"{len(HOSTILE_NAMES)} names, {len(accepted)} of them valid, {len(commands)} commands seen by MONITOR, all expected")
    for socket in (rpc.socket, text):
        socket.abort()
    http.close()


@scenario(
    "strings", "lines of the log", "line ends, escape sequences and forged lines in paths, origins, sub-protocols, channels, tokens, at log level debug",
    "each line begins with the time and a level of its own, without a control character; no token is in it")
async def log_lines(trial):
    node, crowd = await embedded(trial, log="debug")
    for name in FORGED:
        await say_everywhere(node, name)
    await crowd.settle()
    crowd.none_missed()
    # What is said to people when it starts, between the first lines, is indented but for its beginning.
    lines = [line for line in re.split(r"\r\n|\r|\n", node.log().strip()) if not re.match(r"  |geocast [\d.]+ listens", line)]
    wrong = [line for line in lines if not is_a_line(line)]
    trial.check(not wrong, f"{len(wrong)} lines are none: {wrong[:3]}")
    controls = re.findall(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e]", node.log())
    trial.check(not controls, f"characters that control: {controls[:5]}")
    trial.check(SECRET not in node.log(), "a secret stands in the log")
    trial.check("forged" in node.log(), "nothing of it was logged: the scenario does not do what it says")
    trial.measure(f"{len(lines)} lines, all with a time and a level of their own")


async def say_everywhere(node, name):
    """Says this wherever something is said."""
    path, bearer = quote(name, ""), f"Authorization: Bearer {SECRET}"
    rpc = await Rpc().open(node.address)
    for method in ("subscribe", name):
        try:
            await rpc.call(method, channel=name)
        except RuntimeError:
            pass
    rpc.socket.abort()
    answers = []
    text = await Socket.open(node.address, "/ws", answers.append)
    for command in (f"SUB {name}", f"GET {name}", name, f"PROJECTION {name}", "PING client_ref=end"):
        text.send(command)
    await within(20, lambda: any(b'"end"' in answer for answer in answers))
    text.abort()
    for headers in ([bearer], [bearer, f"Origin: http://{path}"], [bearer, f"X-Forwarded-For: {path}"]):
        http = Http(node.address, headers)
        await http.ask("POST", f"/api/publish/{path}", name.encode())
        http.close()
    for query, headers in ((f"token={SECRET}&key={path}", []), ("", [f"Sec-WebSocket-Protocol: {path}"]), ("", [f"Origin: http://{path}"]), (f"x={path}", [])):
        try:
            (await Socket.open(node.address, f"/ws?{query}", headers=headers)).abort()
        except (Refused, OSError):
            pass
    for raw in (f"GET /{name} HTTP/1.1", f"GET /ws HTTP/1.1\r\nOrigin: http://{name}", f"GET /ws HTTP/1.1\r\nOrigin: http://a\x1b[31m{name}"):
        reader, writer = await asyncio.open_connection(*split(node.address))
        writer.write(f"{raw}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        try:
            await asyncio.wait_for(reader.read(), 20)
        except (OSError, TimeoutError):
            pass
        writer.close()


class Monitor:
    """What Redis is told, by MONITOR."""

    def __init__(self, redis):
        self._redis = redis
        self._commands, self._task = [], None

    async def begin(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._redis.port)
        self._writer.write(b"MONITOR\r\n")
        await self._reader.readline()

    async def until(self, word):
        """All commands until one with that word was seen; each is a list of words."""
        commands = []
        while True:
            line = (await asyncio.wait_for(self._reader.readline(), 60)).decode(errors="backslashreplace")
            if "[0 lua]" in line:
                continue
            # The words are quoted, and what is not printable in them is escaped.
            words = [unquoted(word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', line)]
            commands.append(words)
            if word in words:
                self._writer.close()
                return commands


def unquoted(word):
    raw = word.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1", "replace")
    return raw.decode(errors="backslashreplace")


def is_expected(command, words):
    """Whether it is one that the server sends, with a name that was asked for as one argument."""
    name, *arguments = command
    match name.upper():
        case "PING":
            return all(argument.isdecimal() for argument in arguments)
        case "HELLO":
            return not arguments
        case "CLIENT":
            return arguments[0] in ("SETNAME", "SETINFO")
        case "SUBSCRIBE" | "UNSUBSCRIBE" | "HSTRLEN" | "HGET" | "HSCAN" | "PUBLISH":
            return arguments[0].startswith("__geocast_probe:") or all(argument in words for argument in arguments[: None if name.upper().endswith("SUBSCRIBE") else 1])
        case "EVAL" | "EVALSHA":
            return arguments[2] in words
        case _:
            return False


def calls_with(crs):
    yield "projection", {"crs": crs}
    yield "viewport", {"bbox": [0, 0, 1, 1], "crs": crs}
    yield "get", {"channel": "x", "projection": crs}
    yield "projection", {"crs": [crs]}


def is_a_line(line):
    return re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z +(ERROR|WARN|INFO|DEBUG|TRACE) ", line) and "ERROR forged" not in line[:50]


SECRET = "sEcReTtOkEn"
FORGED = ["x\r\n2026-01-01T00:00:00.000000Z ERROR forged", "x\n2026-01-01T00:00:00.000000Z ERROR forged", "\x1b[31mforged", "\x9b31mforged", "\u202eforged", "\u2028forged", "forged\x00b\x07", "\u0085forged"]
HOSTILE_SYSTEMS = [
    "/etc/passwd", "./proj.db", "../../../../etc/passwd", "file:///etc/passwd", "\\\\127.0.0.1\\share", "//127.0.0.1/x", "C:\\x",
    "http://127.0.0.1:{port}/crs", "https://127.0.0.1:{port}/crs", "ftp://127.0.0.1:{port}/", "@http://127.0.0.1:{port}/", "/vsicurl/http://127.0.0.1:{port}/x",
    "+init=epsg:4326", "+init=/etc/passwd:x", "+init=./x:1", "init=epsg:2056", "+proj=longlat", "+proj=longlat+datum=WGS84",
    "+proj=longlat +nadgrids=/etc/passwd", "+proj=longlat +nadgrids=http://127.0.0.1:{port}/g.gsb", "+proj=longlat+nadgrids=@/etc/passwd", "+nadgrids=/etc/passwd",
    "+proj=pipeline +step +proj=hgridshift +grids=/etc/shadow", "+proj=hgridshift +grids=http://127.0.0.1:{port}/x", "+proj=vgridshift +grids=/etc/passwd",
    "+proj=deformation +t_epoch=1 +grids=/etc/passwd", "+proj=xyzgridshift +grids=/dev/zero", "+proj=defmodel +model=/etc/passwd", "+proj=tinshift +file=/etc/passwd",
    "+proj=merc +geoidgrids=/etc/passwd", "+proj=utm +zone=32 +file=/etc/passwd", "proj=noop", "cs2cs", "--help",
    "EPSG:0", "EPSG:-1", "EPSG:99999999", "EPSG:4294967296", "EPSG:18446744073709551617", "EPSG:1e3", "EPSG:0x10e6", "EPSG:4326+5773", "EPSG:4326@2020",
    "EPSG:4326;DROP TABLE crs", "EPSG:4326' OR '1'='1", "EPSG:4326%00", "EPSG:4326\u0000/etc/passwd", "EPSG:४३२६", "EPSG: 4326", "EPSG::4326", "ESRI:102100", "OGC:CRS84", "IAU_2015:30100",
    "urn:ogc:def:crs:EPSG::4326", "http://www.opengis.net/def/crs/EPSG/0/4326", "urn:ogc:def:coordinateOperation:EPSG::1671",
    'GEOGCS["x",DATUM["x",SPHEROID["x",1,1]]]', 'PROJCRS["x"]', '{"$schema":"https://proj.org/schemas/v0.7/projjson.schema.json","type":"GeographicCRS"}',
    "WGS 84", "%s%s%s%n", "A" * 4000, "EPSG:" + "9" * 4000,
]
FORBIDDEN_NAMES = [
    "a\r\nFLUSHALL", "a\r\n*1\r\n$8\r\nFLUSHALL\r\n", "a\nb", "a b", "a\tb", "a\x00b", "\x1b[31m", "a\x7fb", "", " ", "*", "a*", "a?b", "[a]", "\ud7ff\u0085x", "x" * 256, "x" * 5000,
]
HOSTILE_NAMES = [
    *FORBIDDEN_NAMES, "FLUSHALL", "SET", "a;FLUSHALL", "a'b", 'a"b', 'a\\"b', "a\\r\\nFLUSHALL", "%0d%0aFLUSHALL", "$8", "*1", "a{b}c", "{geocast}", "{geocast}x",
    "__geocast_probe:1", "__keyevent@0__:set", "__keyspace@0__:x", "__sentinel__:hello", "geocast:history:x", "geocast:history-epoch:x", "geocast:presence:x",
    "../../x", "/etc/passwd", "http://127.0.0.1/", "redis.call('FLUSHALL')", "KEYS[1]", "<script>", "${jndi:ldap://x}", "ünïcödé", "日本", "\u202ex", "\u200bx", "é", "e\u0301", "🚂", "x" * 255,
]
