"""Masters that are replaced, by sentinels and in a cluster."""

import asyncio

from crowd import Crowd
from on_redis import HISTORY, back
from processes import KEY, PATIENCE, Process, free_port, until
from publishers import FLEET, NUMBERS, HttpPublisher
from redis import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisError
from trial import scenario, within
from wire import Http


@scenario(
    "sentinel", "master killed", "kill -9 of the master under load; three sentinels make its replica the master",
    "not ready until there is one; within 2 s of it messages come again, gap told, maps read again")
async def master_killed(trial):
    watched = await Watched(trial).up()
    node, crowd = await begin(trial, watched.url)
    watched.servers[0].kill()
    unready = await trial.is_healthy(node, ready=503)
    chosen = await within(PATIENCE, lambda: watched.master() == watched.servers[1].port)
    trial.check(chosen is not None, "the sentinels have chosen nobody")
    await back(trial, node, crowd)
    trial.measure(f"not ready after {unready:.1f} s, another master {chosen or 0:.1f} s later")
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")


@scenario(
    "sentinel", "master demoted", "SENTINEL FAILOVER under load, three times: the old master goes on as a replica",
    "the old one is left when the first sentinel tells; gap told, maps right, nobody closed")
async def master_demoted(trial):
    watched = await Watched(trial).up()
    node, crowd = await begin(trial, watched.url)
    for _ in range(3):
        trial.check(await watched.replace(), "the sentinels have chosen nobody")
        await back(trial, node, crowd)
        # Until the one that was demoted is a replica that can be chosen.
        await until(lambda: watched.is_replicated(), PATIENCE, pause=0.2)
    await crowd.settle()
    trial.check(crowd.gaps >= 3, f"{crowd.gaps} gaps were told")


@scenario(
    "cluster", "master killed", "a cluster of three masters, of which the one of the channel `numbers` has a replica; kill -9 of it under load",
    "other slots are served meanwhile; messages of all channels again when the replica has its slots; gap told, maps right")
async def cluster_master_killed(trial):
    cluster = await Cluster(trial).up()
    node, crowd = await begin(trial, cluster.url, history=False)
    cluster.masters[cluster.owner].kill()
    status = await cluster.put_elsewhere(node)
    trial.check(status == 200, f"a write to another master is answered by {status}")
    replaced = await within(PATIENCE, lambda: "master" in cluster.replica_role())
    trial.check(replaced is not None, "the replica does not take over")
    await back(trial, node, crowd)
    trial.measure(f"the replica had the slots after {replaced or 0:.1f} s")
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")


@scenario(
    "cluster", "slots move", "the slots of the numbers and of the points are moved to other masters, 10 times, under load",
    "what is published with PUBLISH is not missed, though messages of two masters may change places; no write is refused; maps right; gaps may be told because of SPUBLISH")
async def slots_move(trial):
    cluster = await Cluster(trial).up()
    node, crowd = await begin(trial, cluster.url, history=False)
    for watcher in crowd.watchers:
        watcher.may_change_places = True
    await move_slots(cluster)
    await crowd.goes_on()
    await crowd.settle()
    trial.measure(f"{max(watcher.changed_places for watcher in crowd.watchers)} of {len(crowd.watchers[0].events)} messages changed places")
    trial.check(crowd.publisher.failed == 0, f"{crowd.publisher.failed} publications were refused")
    trial.check(crowd.lost == 0, f"{crowd.lost} messages were missed")


@scenario(
    "cluster", "slots move under SPUBLISH", "the same, where numbers are published with SPUBLISH",
    "subscriptions follow the slots; what is missed meanwhile is told (`gap`) before the next message")
async def slots_move_under_spublish(trial):
    cluster = await Cluster(trial).up()
    node, crowd = await begin(trial, cluster.url, False, lambda address: ShardPublisher(cluster, address))
    await move_slots(cluster)
    await crowd.goes_on()
    await crowd.settle()


@scenario(
    "cluster", "master killed under SPUBLISH", "kill -9 of the master of the numbers, which has a replica, under load with SPUBLISH",
    "numbers come again when the replica has the slots; what is missed is told before the next message")
async def master_killed_under_spublish(trial):
    cluster = await Cluster(trial).up()
    node, crowd = await begin(trial, cluster.url, False, lambda address: ShardPublisher(cluster, address))
    cluster.masters[cluster.owner].kill()
    replaced = await within(PATIENCE, lambda: "master" in cluster.replica_role())
    trial.check(replaced is not None, "the replica does not take over")
    await back(trial, node, crowd)
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")


async def move_slots(cluster):
    for _ in range(10):
        for channel in (NUMBERS, FLEET):
            await asyncio.to_thread(cluster.move, channel)
        await asyncio.sleep(0.3)


async def begin(trial, url, history=True, publisher=None):
    """A node there, and clients that follow what is published through it, or by that publisher."""
    node = await trial.node(*(HISTORY if history else []), redis=url)
    await trial.is_healthy(node, seconds=20)
    publisher = publisher(node.address) if publisher else HttpPublisher([node.address], history=history)
    crowd = await Crowd(trial, publisher, history).open(node.address)
    await crowd.goes_on()
    await crowd.follow(1)
    return node, crowd


class ShardPublisher(HttpPublisher):
    """Publishes numbers with SPUBLISH, whichever master has their slot, and the rest over HTTP."""

    def __init__(self, cluster, address):
        super().__init__([address], history=False)
        nodes = [ClusterNode("127.0.0.1", server.port) for server in cluster.masters]
        self._cluster = RedisCluster(startup_nodes=nodes, socket_timeout=5)

    async def close(self):
        await super().close()
        await self._cluster.aclose()

    async def _publish(self, channel, number):
        await self._cluster.execute_command("SPUBLISH", channel, number)


class Watched:
    """A master, its replica and three sentinels, which take a second of silence for its end."""

    def __init__(self, trial):
        self._trial, self.sentinels = trial, []

    async def up(self):
        options = ["--repl-diskless-sync-delay", "0"]
        master = await self._trial.redis(*options, name="first")
        replica = await self._trial.redis(*options, "--replicaof", "127.0.0.1", str(master.port), name="second")
        self.servers = [master, replica]
        for number in range(3):
            port, folder = free_port(), self._trial.folder.path / f"sentinel{number}"
            folder.mkdir()
            lines = [f"port {port}", "bind 127.0.0.1", f"dir {folder}", f"sentinel monitor map 127.0.0.1 {master.port} 2",
                     "sentinel down-after-milliseconds map 1000", "sentinel failover-timeout map 4000"]
            (folder / "sentinel.conf").write_text("\n".join(lines) + "\n")
            process = Process(f"sentinel{number}", ["redis-server", str(folder / "sentinel.conf"), "--sentinel"], self._trial.folder.path)
            self._trial.folder.add(process).run()
            self.sentinels.append(port)
        if not await until(lambda: all(self._knows(port) for port in self.sentinels) and self.is_replicated(), PATIENCE, pause=0.1):
            raise RuntimeError("the sentinels do not find each other")
        return self

    @property
    def url(self):
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{port}" for port in self.sentinels) + "/map"

    def ask(self, *words, port=None):
        """What a sentinel says, or None."""
        try:
            with Redis(port=port or self.sentinels[0], socket_timeout=5, decode_responses=True) as client:
                return client.execute_command(*words)
        except (RedisError, OSError):
            return None

    async def replace(self):
        """Has the sentinels make the other one the master; whether they have. They may give up, and are asked again then."""
        before = self.master()
        for _ in range(6):
            self.ask("SENTINEL", "FAILOVER", "map")
            if await within(10, lambda: self.master() not in (before, None)) is not None:
                return True
        return False

    def master(self):
        """The port of the one that the first sentinel takes for the master."""
        address = self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "map")
        return address and int(address[1])

    def is_replicated(self):
        """Whether the one that is no master has what the master has."""
        other = next(server for server in self.servers if server.port != self.master())
        try:
            return other.ask("INFO", "replication").get("master_link_status") == "up"
        except (RedisError, OSError):
            return False

    def _knows(self, port):
        known = self.ask("SENTINEL", "MASTER", "map", port=port)
        return known and str(known["num-slaves"]) == "1" and str(known["num-other-sentinels"]) == "2"


class Cluster:
    """Three masters that share the slots, and a replica of the one that has the slot of the numbers."""

    def __init__(self, trial):
        self._trial = trial

    async def up(self):
        self.masters = [await self._server(f"master{number}") for number in range(3)]
        self.replica = await self._server("replica")
        await self._manage("create", *(server.address for server in self.masters))
        await self._all_know(3, self.masters)
        slot = self.masters[0].ask("CLUSTER", "KEYSLOT", NUMBERS)
        self.owner = next(number for number, server in enumerate(self.masters) if self._has(server, slot))
        owner = self.masters[self.owner].ask("CLUSTER", "MYID")
        await self._manage("add-node", self.replica.address, self.masters[0].address, "--cluster-slave", "--cluster-master-id", owner)
        await self._all_know(4, [*self.masters, self.replica])
        link = lambda: self.replica.ask("INFO", "replication").get("master_link_status") == "up"
        if not await until(link, PATIENCE, pause=0.1):
            raise RuntimeError("the replica has nothing")
        return self

    @property
    def url(self):
        return "redis+cluster://" + ",".join(server.address for server in self.masters[:2])

    async def put_elsewhere(self, node):
        """What the node answers to a write whose slot is with one of the other masters."""
        other = self.masters[(self.owner + 1) % 3]
        slot = lambda name: other.ask("CLUSTER", "KEYSLOT", name)
        channel = next(name for name in (f"c{number}" for number in range(100)) if self._has(other, slot(name)))
        http = Http(node.address, [f"Authorization: Bearer {KEY}"])
        status, _ = await http.ask("PUT", f"/api/state/{channel}/x", b"1")
        http.close()
        return status

    def replica_role(self):
        return self.replica.ask("INFO", "replication")["role"]

    def move(self, channel):
        """Moves the slot of a channel to the next master, with its key, as redis-cli does it."""
        slot = self.masters[0].ask("CLUSTER", "KEYSLOT", channel)
        source = next(number for number, server in enumerate(self.masters) if self._has(server, slot))
        old, new = self.masters[source], self.masters[(source + 1) % 3]
        old_id, new_id = old.ask("CLUSTER", "MYID"), new.ask("CLUSTER", "MYID")
        new.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", old_id)
        old.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", new_id)
        while keys := old.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            old.ask("MIGRATE", "127.0.0.1", new.port, "", 0, 5000, "KEYS", *keys)
        for server in (new, old, *self.masters):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", new_id)

    async def _server(self, name):
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", str(free_port()),
                   "--cluster-replica-validity-factor", "0", "--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"]
        return await self._trial.redis(*options, name=name)

    async def _manage(self, *words):
        run = await asyncio.create_subprocess_exec("redis-cli", "--cluster", *words, "--cluster-yes", stdout=asyncio.subprocess.PIPE)
        said = (await run.communicate())[0]
        if run.returncode:
            raise RuntimeError(f"redis-cli --cluster {words}: {said.decode()}")

    async def _all_know(self, number, servers):
        def is_well(server):
            info = server.ask("CLUSTER", "INFO")
            return "cluster_state:ok" in info and f"cluster_known_nodes:{number}\r" in info

        if not await until(lambda: all(is_well(server) for server in servers), PATIENCE, pause=0.1):
            raise RuntimeError("the cluster does not come about")

    def _has(self, server, slot):
        own = server.ask("CLUSTER", "MYID")
        return any(low <= slot <= high and node[2] == own for low, high, node, *_ in server.ask("CLUSTER", "SLOTS"))
