"""The ways in: HTTP and JSON-RPC of each node, and Redis. Each returns once the store has what it was given; `delete` returns
whether there was something to delete."""

import asyncio
import http.client
import json
import time
from itertools import count
from urllib.parse import quote

from redis.asyncio import Redis
from websockets.asyncio.client import connect

from ledger import Fault
from process import KEY, PATIENCE

#: A connection that nothing was said on for so many seconds is not used again: the server may be about to close it.
IDLE = 2.0


def tombstone(key):
    return {"type": "Feature", "id": key, "geometry": None, "properties": None, "deleted": True}


class HttpWay:
    """`PUT` and `DELETE /api/state/CHANNEL/KEY`, `POST /api/publish/CHANNEL` of one node."""

    def __init__(self, address):
        self._connection, self._used = http.client.HTTPConnection(address, timeout=PATIENCE), 0.0

    async def put(self, channel, key, document):
        await self._request("PUT", f"/api/state/{quote(channel, '')}/{quote(key, '')}", json.dumps(document))

    async def delete(self, channel, key):
        path = f"/api/state/{quote(channel, '')}/{quote(key, '')}"
        return await self._request("DELETE", path, "", allowed=(200, 404)) == 200

    async def tell(self, channel, document):
        await self._request("POST", f"/api/publish/{quote(channel, '')}", json.dumps(document))

    async def close(self):
        self._connection.close()

    async def _request(self, method, path, body, allowed=(200,)):
        if time.monotonic() - self._used > IDLE:
            self._connection.close()

        def exchange():
            self._connection.request(method, path, body.encode(), {"Authorization": f"Bearer {KEY}"})
            response = self._connection.getresponse()
            return response.status, response.read()

        status, said = await asyncio.to_thread(exchange)
        self._used = time.monotonic()
        if status not in allowed:
            raise Fault(f"{method} {path} is answered by {status} {said}")
        return status


class RpcWay:
    """The method `publish` of one node."""

    def __init__(self, address):
        self._url, self._numbers, self._socket = f"ws://{address}/rpc?pwd={KEY}", count(1), None

    async def put(self, channel, key, document):
        await self._call({"channel": channel, "key": key, "data": document})

    async def delete(self, channel, key):
        """By a deleted feature, which becomes the stored state."""
        await self.put(channel, key, tombstone(key))
        return True

    async def tell(self, channel, document):
        await self._call({"channel": channel, "data": document})

    async def close(self):
        if self._socket:
            await self._socket.close()

    async def _call(self, parameters):
        if self._socket is None:
            self._socket = await connect(self._url, compression=None, open_timeout=PATIENCE)
        call = {"jsonrpc": "2.0", "id": next(self._numbers), "method": "publish", "params": parameters}
        await self._socket.send(json.dumps(call))
        answer = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
        if answer.get("id") != call["id"] or "result" not in answer:
            raise Fault(f"{call} is answered by {answer}")


class RedisWay:
    """Any program that writes a hash and publishes on the channel of its name."""

    def __init__(self, port):
        self._redis = Redis(host="127.0.0.1", port=port, socket_timeout=PATIENCE)

    async def put(self, channel, key, document):
        text = json.dumps(document, ensure_ascii=False)
        await self._both(lambda pipe: pipe.hset(channel, key, text), channel, text)

    async def delete(self, channel, key):
        await self._both(lambda pipe: pipe.hdel(channel, key), channel, json.dumps(tombstone(key)))
        return True

    async def tell(self, channel, document):
        await self._redis.publish(channel, json.dumps(document))

    async def cut(self):
        """Breaks off all connections that subscribe."""
        await self._redis.client_kill_filter(_type="pubsub")

    async def close(self):
        await self._redis.aclose()

    async def _both(self, write, channel, text):
        async with self._redis.pipeline(transaction=False) as pipe:
            write(pipe)
            pipe.publish(channel, text)
            await pipe.execute()


def ways(site):
    """All ways into a site, by name."""
    by_name = {}
    for number, address in enumerate(site.addresses):
        by_name |= {f"http{number}": HttpWay(address), f"rpc{number}": RpcWay(address)}
    if site.redis:
        by_name["redis"] = RedisWay(site.redis)
    return by_name
