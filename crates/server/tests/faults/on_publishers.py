"""Publishers that publish what is wrong, or too much of it."""

import asyncio
import json
import random
import time

from crowd import embedded
from on_redis import begin
from processes import KEY
from trial import scenario, within
from watchers import Rpc
from wire import Http, Socket

#: Not GeoJSON, so that every viewport lets it through.
END = b'"the end"'


@scenario(
    "publishers", "payloads that are wrong", "106 payloads that are no JSON, no UTF-8, no GeoJSON, not finite, too deep or too long, and 400 broken at random, by PUBLISH, to subscribers of 8 kinds",
    "nobody is closed; all that arrives is valid JSON; what comes after arrives everywhere", quick=True)
async def wrong_payloads(trial):
    redis = await trial.redis()
    node, crowd = await begin(trial, redis)
    readers = [await reader.open(node.address) for reader in kinds()]
    payloads = PAYLOADS + broken(400)
    # The end is sent again until it is there: a message that is too large may be the last that a connection takes in a second.
    await asyncio.to_thread(publish, redis, payloads)
    heard = lambda: all(reader.has_ended for reader in readers)
    deadline = time.monotonic() + 30 * trial.patience
    while not heard() and time.monotonic() < deadline:
        await asyncio.to_thread(publish, redis, [END])
        await within(2, heard)
    for reader in readers:
        trial.check(reader.has_ended and reader.socket.is_open, f"{reader.name}: the end has not come, closed with {reader.socket.code}")
        trial.faults.extend(f"{reader.name}: {fault}" for fault in reader.faults[:3])
    trial.measure(f"{len(payloads)} payloads, of which readers got {sorted(reader.count for reader in readers)} messages")
    for reader in readers:
        reader.socket.abort()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "publishers", "as fast as they can", "20 publishers over HTTP for 5 s, one request after the other, half of them with 100 KiB",
    "the well-behaved get all messages in order; maps right; memory within bound")
async def as_fast_as_they_can(trial):
    node, crowd = await embedded(trial)
    begun, total = time.monotonic(), 0

    async def publisher(size):
        nonlocal total
        http, body = Http(node.address, [f"Authorization: Bearer {KEY}"]), json.dumps("x" * size).encode()
        while time.monotonic() - begun < 5:
            status, _ = await http.ask("POST", "/api/publish/flood", body)
            trial.check(status == 200, f"a publication is answered by {status}")
            total += 1
        http.close()

    follower = await Rpc(lambda *_: None).open(node.address)
    await follower.call("subscribe", channel="flood")
    await asyncio.gather(*(publisher(100 if number % 2 else 100 << 10) for number in range(20)))
    trial.measure(f"{total / 5:.0f} publications a second")
    trial.check(follower.socket.code in (None, 3008), f"who reads all of it was closed with {follower.socket.code}")
    trial.measure("who reads all of it kept up" if follower.socket.is_open else "who reads all of it was too slow: 3008")
    follower.socket.abort()
    await crowd.settle()
    crowd.none_missed()


class Reader:
    """A subscriber that asks of what it gets nothing but to be what its dialect says."""

    def __init__(self, name, path, *frames, is_json=True):
        self.name, self._path, self._frames, self._is_json = name, path, frames, is_json
        self.count, self.faults, self.has_ended = 0, [], False

    async def open(self, address):
        self.socket = await Socket.open(address, self._path, self._take)
        for frame in self._frames:
            self.socket.send(frame)
        await asyncio.sleep(0.2)
        return self

    def _take(self, message):
        self.count += 1
        self.has_ended = self.has_ended or END[1:-1] in message
        if self._is_json:
            try:
                json.loads(message.decode(), parse_int=str, parse_constant=lambda name: self.faults.append(f"{name} is no JSON"))
            except (ValueError, RecursionError) as error:
                self.faults.append(f"{error}: {message[:100]}")


def kinds():
    call = lambda method, **parameters: json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
    box = [0, 0, 10, 10]
    return [
        Reader("text", "/ws", "SUB bad"),
        Reader("text with a box", "/ws", "BBOX 0 0 10 10", "SUB bad"),
        Reader("text, projected, trimmed", "/ws", "PROJECTION epsg:3857", "BBOX 0 0 1113194 1118889 members=inside precision=2", "SUB bad"),
        Reader("text, in Switzerland", "/ws", "PROJECTION epsg:2056", "BBOX 2600000 1200000 2700000 1300000 zoom=9 tolerance=2", "SUB bad"),
        Reader("json-rpc", "/rpc", call("viewport", bbox=box, properties={"a": [1, None]}, fields=["a"]), call("subscribe", channel="bad")),
        Reader("tracked", "/rpc", call("viewport", bbox=box), call("subscribe", channel="bad", track=True)),
        Reader("for MapLibre", "/ws", "BUFFER 50 10", "SUB bad track maplibre"),
        Reader("rohrpost", "/ws/rohrpost/", json.dumps({"id": 1, "type": "subscribe", "data": {"type": "bad", "id": 1}})),
    ]


def publish(redis, payloads):
    with redis.client() as client, client.pipeline(transaction=False) as pipe:
        for payload in payloads:
            # rohrpost's groups have names of their own.
            for channel in ("bad", "bad-1"):
                pipe.publish(channel, payload)
        pipe.execute()


def broken(number):
    """Features with bytes changed, cut out and doubled."""
    seeds, whole = random.Random(3), [payload for payload in PAYLOADS if 20 < len(payload) < 2000]
    made = []
    for _ in range(number):
        payload = bytearray(seeds.choice(whole))
        for _ in range(seeds.randrange(1, 6)):
            at = seeds.randrange(len(payload))
            payload[at:at + seeds.randrange(3)] = seeds.choice([b"", seeds.randbytes(2), b"[", b"}", b"1e309", b"null", b"\\u", b'"', bytes(payload[at:at + 9])])
            payload = payload or bytearray(b"{")
        made.append(bytes(payload))
    return made


def feature(geometry, rest=""):
    return f'{{"type":"Feature","id":7,"geometry":{geometry},"properties":{{"a":1}}{rest}}}'.encode()


def point(coordinates):
    return f'{{"type":"Point","coordinates":{coordinates}}}'


PAYLOADS = [
    b"", b" ", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{", b"}", b"[", b'"', b"nul", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-", b"0123", b"'x'", b"{}{}", b"[1,]", b'{"a":1,}', b"{a:1}",
    b"null", b"true", b"7", b'""', b"[]", b"{}", b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\x01"', b'"\xc3\x28"', b"text", b"text\nwith lines", "ünïcödé 🚂".encode(), b'"\xe2\x80\xa8"',
    b"[" * 100_000, b"[" * 60_000 + b"]" * 60_000, b'{"a":' * 50_000, b"9" * 100_000, b"1e" + b"9" * 10_000, b"x" * (1 << 20), b"x" * ((1 << 20) + 1), json.dumps("x" * (1 << 20)).encode(),
    *(feature(point(text)) for text in ("[5,5]", "[5,5,5]", "[5,5,5,5,5]", "[5]", "[]", "5", "null", '["5","5"]', "[NaN,5]", "[1e999,5]", "[5,-1e400]", "[5,null]", "[[5,5]]", '{"x":5}', "[1e308,1e308]", "[5e-324,5]", "[0.1000000000000000055511151231257827,5]", "[180,90]", "[-180.0000001,-90.0000001]", "[360,5]", "[5,91]")),
    *(feature(text) for text in (
        "null", "{}", "[]", "7", '"Point"', '{"type":"Point"}', '{"type":"point","coordinates":[5,5]}', '{"type":"Circle","coordinates":[5,5],"radius":3}', '{"coordinates":[5,5]}', '{"type":["Point"],"coordinates":[5,5]}',
        '{"type":"LineString","coordinates":[[5,5]]}', '{"type":"LineString","coordinates":[]}', '{"type":"Polygon","coordinates":[[[1,1],[2,2]]]}', '{"type":"Polygon","coordinates":[[]]}', '{"type":"Polygon","coordinates":[[[0,0],[10,10],[0,10],[10,0],[0,0]]]}',
        '{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[]]}', '{"type":"GeometryCollection"}', '{"type":"GeometryCollection","geometries":[null,7,{}]}',
        '{"type":"GeometryCollection","geometries":[' * 40 + point("[5,5]") + "]}" * 40, '{"type":"LineString","coordinates":[' + ",".join(["[5,5]"] * 100_001) + "]}",
        '{"type":"Point","coordinates":[5,5],"coordinates":[99,99]}', '{"type":"Point","type":"LineString","coordinates":[5,5]}')),
    feature(point("[5,5]"), ',"bbox":["a"]'), feature(point("[5,5]"), ',"id":{}'), feature(point("[5,5]"), ',"id":null,"deleted":true'), feature(point("[5,5]"), ',"deleted":"yes"'), feature(point("[5,5]"), ',"crs":{"type":"name","properties":{"name":"/etc/passwd"}}'),
    feature(point("[5,5]")).replace(b'{"a":1}', b"null"), feature(point("[5,5]")).replace(b'{"a":1}', b"[]"), feature(point("[5,5]")).replace(b'"id":7', b'"id":1e999'), feature(point("[5,5]")).replace(b'"id":7', b'"id":123456789012345678901234567890'), feature(point("[5,5]")).replace(b'"id":7', b'"id":"' + b"k" * 10_000 + b'"'),
    b'{"type":"FeatureCollection"}', b'{"type":"FeatureCollection","features":{}}', b'{"type":"FeatureCollection","features":[null,7,[],{}]}', b'{"type":"FeatureCollection","features":[' + b",".join([feature(point("[5,5]"))] * 3000) + b"]}",
    b'{"type":"FeatureCollection","features":[' + feature(point("[50,50]")) + b"," + feature(point("[NaN,5]")) + b"]}",
    b'{"id":"x","type":"subscription-update","data":{"group":"other-1","type":"update","object":{}}}', b'{"jsonrpc":"2.0","id":1,"result":"forged"}', b'{"group":"bad-1","type":"delete","object":7}', b'{"source":"websocket","content":"PONG","timestamp":0,"client_reference":null}',
]
