"""What the watchers follow: rising numbers, rising numbers with a history, and points that move, by one publisher each trial."""

import asyncio
import json
import random

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from processes import KEY
from watchers import Rpc
from wire import Http

#: The channels: numbers, numbers with a history, points.
NUMBERS, LOG, FLEET = "numbers", "log", "fleet"
KEYS = 100
#: How many messages Redis keeps of those with a history, as nobody else trims what we add: more than anybody here comes back for.
KEPT = 2000


class Publisher:
    """Publishes at a steady rate. A publication that fails may or may not have been made: it is not `told`."""

    def __init__(self, rate, history):
        self._pause, self._channels = 1 / rate, [NUMBERS, LOG, FLEET] if history else [NUMBERS, FLEET]
        self._random, self._number, self._task = random.Random(7), 0, None
        #: By channel, the numbers that the store has surely taken.
        self.told = {NUMBERS: set(), LOG: set()}
        self.failed = 0

    def begin(self):
        self._task = asyncio.create_task(self._go_on())

    async def end(self):
        """Publishes no more; what is under way is finished."""
        if self._task:
            self._ending = True
            await self._task
            self._task = None

    async def number(self, channel):
        """Publishes the next number; returns it, or None if that has failed."""
        self._number += 1
        number = self._number
        try:
            await self._publish(channel, number)
        except (OSError, RedisError, TimeoutError):
            self.failed += 1
            return None
        self.told[channel].add(number)
        return number

    async def move(self):
        """Puts a point somewhere, or takes one away."""
        key, away = f"k{self._random.randrange(KEYS)}", self._random.random() < 0.1
        try:
            await (self._delete(key) if away else self._put(key, self._feature(key)))
        except (OSError, RedisError, TimeoutError):
            self.failed += 1

    async def _go_on(self):
        self._ending = False
        loop, turn = asyncio.get_running_loop(), 0
        due = loop.time()
        while not self._ending:
            failed, channel = self.failed, self._channels[turn % len(self._channels)]
            await (self.move() if channel == FLEET else self.number(channel))
            turn += 1
            # Who has fallen behind does not catch up all at once.
            due = max(due + self._pause, loop.time() - 0.2)
            await asyncio.sleep(0.05 if self.failed > failed else max(0, due - loop.time()))

    def _feature(self, key):
        place = [round(self._random.uniform(-5, 15), 3), round(self._random.uniform(-5, 15), 3)]
        return {"type": "Feature", "id": key, "geometry": {"type": "Point", "coordinates": place}, "properties": {"n": self._random.randrange(1 << 30)}}


class RedisPublisher(Publisher):
    """Any program that speaks to Redis. It waits for one that hangs."""

    def __init__(self, port, rate=150, history=True):
        super().__init__(rate, history)
        self._redis = Redis(host="127.0.0.1", port=port, socket_timeout=120, socket_connect_timeout=120, decode_responses=True, retry=Retry(NoBackoff(), 0))

    async def state(self):
        """What the store has of the points."""
        return {key: json.loads(value) for key, value in (await self._redis.hgetall(FLEET)).items()}

    async def close(self):
        await self._redis.aclose()

    async def _publish(self, channel, number):
        if channel == LOG:
            await self._redis.xadd(f"geocast:history:{LOG}", {"payload": number}, maxlen=KEPT)
        else:
            await self._redis.publish(channel, number)

    async def _put(self, key, feature):
        text = json.dumps(feature)
        await self._both(lambda pipe: pipe.hset(FLEET, key, text), text)

    async def _delete(self, key):
        text = json.dumps({"type": "Feature", "id": key, "geometry": None, "properties": None, "deleted": True})
        await self._both(lambda pipe: pipe.hdel(FLEET, key), text)

    async def _both(self, write, text):
        async with self._redis.pipeline(transaction=True) as pipe:
            write(pipe)
            pipe.publish(FLEET, text)
            await pipe.execute()


class HttpPublisher(Publisher):
    """Over HTTP, through a node, or whichever of several answers."""

    def __init__(self, addresses, rate=150, history=True):
        super().__init__(rate, history)
        self._ways = [Http(address, [f"Authorization: Bearer {KEY}"], patience=20) for address in addresses]

    async def state(self):
        """What `get` answers to a client without a viewport."""
        rpc = await Rpc().open(self._ways[0].address)
        values = (await rpc.call("get", channel=FLEET))["values"]
        rpc.socket.abort()
        return {value["id"]: value for value in values}

    async def close(self):
        for way in self._ways:
            way.close()

    async def _publish(self, channel, number):
        await self._ask("POST", f"/api/publish/{channel}", str(number))

    async def _put(self, key, feature):
        await self._ask("PUT", f"/api/state/{FLEET}/{key}", json.dumps(feature))

    async def _delete(self, key):
        await self._ask("DELETE", f"/api/state/{FLEET}/{key}", "", allowed=(200, 404))

    async def _ask(self, method, path, body, allowed=(200,)):
        try:
            status, said = await self._ways[0].ask(method, path, body.encode())
        except OSError:
            self._ways.append(self._ways.pop(0))
            raise
        if status not in allowed:
            raise OSError(f"{method} {path}: {status} {said}")
