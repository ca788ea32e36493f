"""Nodes that die."""

import asyncio

from crowd import Crowd
from on_redis import HISTORY
from processes import free_port
from publishers import LOG, RedisPublisher
from trial import scenario, within
from watchers import Rpc
from wire import Refused


@scenario(
    "nodes", "one of two killed 20 times", "kill -9 of one of two nodes on one Redis, started again, 20 times, under load; 20 clients of a history are on it, go to the other one, and come back",
    "who is on the other node notices nothing; who comes back gets all that was missed, in order, with `recovered`")
async def one_of_two_killed(trial):
    redis = await trial.redis()
    port = str(free_port())
    stays = await trial.node(*HISTORY, redis=redis.url, name="stays")
    dies = await trial.node(*HISTORY, "--port", port, redis=redis.url, name="dies")
    crowd = await Crowd(trial, RedisPublisher(redis.port)).open(stays.address)
    await crowd.goes_on()
    followers = [Follower([dies.address, stays.address]) for _ in range(20)]
    for follower in followers:
        follower.begin()
    trial.check(await within(30, lambda: all(follower.numbers for follower in followers)) is not None, "nothing comes at the beginning")
    trial.allows_cuts = True
    for _ in range(20):
        dies.kill()
        await asyncio.sleep(0.3)
        await dies.up()
        for follower in followers:
            follower.move()
        await asyncio.sleep(0.5)
    await trial.is_healthy(stays)
    await trial.is_healthy(dies)
    await crowd.settle()
    crowd.none_missed()
    last = max(crowd.publisher.told[LOG])
    await within(20 * trial.patience, lambda: all(follower.numbers[-1] == last for follower in followers))
    for follower in followers:
        follower.end()
        missing = [number for number in crowd.publisher.told[LOG] if follower.numbers[0] < number and number not in set(follower.numbers)]
        trial.check(not missing, f"{len(missing)} messages are missing after {follower.returns} returns: {sorted(missing)[:5]}")
        trial.check(follower.numbers == sorted(set(follower.numbers)), "messages came twice or in another order")
        trial.check(not follower.lost, f"{follower.lost} returns were answered by recovered: false")
    trial.check(sum(follower.returns for follower in followers) > 500, "followers did not come back often enough")
    trial.measure(f"20 kills, {sum(follower.returns for follower in followers)} returns, all recovered")


class Follower:
    """Follows a channel with a history over any number of connections, as docs/guarantees.md says how."""

    def __init__(self, addresses):
        self._addresses, self._standing, self._task, self._socket = addresses, {}, None, None
        #: How often it came back, and was told that something is gone.
        self.returns, self.lost = -1, 0
        self.numbers = []

    def begin(self):
        self._task = asyncio.create_task(self._go_on())

    def end(self):
        self._task.cancel()

    def move(self):
        """Goes to the other node."""
        if self._socket:
            self._socket.abort()

    async def _go_on(self):
        turn = 0
        while True:
            rpc = Rpc(self._take)
            try:
                await rpc.open(self._addresses[turn % len(self._addresses)])
                self._socket = rpc.socket
                came_back = bool(self._standing)
                result = await rpc.call("subscribe", channel=LOG, **self._standing)
                self.returns += 1
                self.lost += came_back and not result.get("recovered")
                # A push may have come before this, and stands further.
                self._standing = {"since": result["offset"]} | self._standing | {"epoch": result["epoch"]}
                await rpc.socket.ended
            except (OSError, Refused, RuntimeError, TimeoutError):
                await asyncio.sleep(0.05)
            finally:
                if rpc.socket:
                    rpc.socket.abort()
            turn += 1

    def _take(self, method, parameters):
        if method == "message":
            self.numbers.append(parameters["content"])
            self._standing = self._standing | {"since": parameters["offset"]}
