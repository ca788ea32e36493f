"""A random run, made from a seed alone: the site, its clients and the steps, as a value that can be written down.

The truth is followed while it is made, so that no geometry comes near to the edge of a box that looks at it.
"""

import random as standard

import areas
import wishes
from client_requests import Requests
from draft import Draft
from publications import Publications


def plan(seed, site=None, length=30, without=()):
    """One run. `site` is `(store, nodes)`, by the seed if not given: the embedded store has one node, redis one or two.
    `without` names what is left out: `wrap` (boxes across the antimeridian), `maplibre`, `expiry`, `slow` phases, `tell`
    (publications without state), `buffer`, `lv95` (a channel in another system), `named` (one whose key is a property), `cut`
    (connections to Redis that break off), `plain` (channels that are not tracked), `properties`, `fields`, `members`, `detail`,
    `rights`."""
    random = standard.Random(f"site {seed}")
    store, nodes = site or random.choice((("embedded", 1), ("redis", 1), ("redis", 2)))
    channels = {"cars": {}, "zürich/trams": {}}
    if random.random() < 0.4 and "expiry" not in without:
        channels["brief"] = {"stale_after": 1.0}
    if random.random() < 0.3 and "lv95" not in without:
        channels["lv95"] = {"code": 2056}
    if random.random() < 0.3 and "named" not in without:
        channels["named"] = {"track_key": "name"}
    clients = [_client(random, nodes, without) for _ in range(random.randint(2, 5))]
    ways = [f"{way}{node}" for way in ("http", "rpc") for node in range(nodes)] + ["redis"] * (store == "redis")
    if store == "redis" and "brief" not in channels and random.random() < 0.4 and "cut" not in without:
        # When state is read again, what is not stored or has expired is another: these are runs without.
        without = {*without, "tell"}
    else:
        without = {*without, "cut"}
    # Who does not track gets every padded feature, and is closed if it is too slow for them.
    without = {*without, "slow"} if random.random() < 0.4 else {*without, "plain"}
    draft = Draft(seed, channels, clients)
    steps = Steps(draft, Publications(draft, ways, without), Requests(draft, without), without).make(length)
    return {
        "seed": seed, "store": store, "nodes": nodes, "channels": channels, "clients": clients,
        "options": _options(random, channels), "steps": steps,
    }


def _client(random, nodes, without):
    dialect = random.choice(("text", "rpc"))
    path = "/rpc" if dialect == "rpc" and random.random() < 0.7 else "/ws"
    client = {"dialect": dialect, "path": path, "node": random.randrange(nodes), "deflate": random.random() < 0.3}
    if random.random() < 0.3 and "rights" not in without:
        ways = ["query", "header"] + ["protocol"] * ((dialect, path) in (("text", "/ws"), ("rpc", "/rpc")))
        client |= {"geo": _claim(random), "presents": random.choice(ways)}
    return client


def _claim(random):
    """What a token limits its bearer to."""
    claim = {"within": areas.area(random)} if random.random() < 0.75 else {}
    if not claim or random.random() < 0.15:
        claim["properties"] = wishes.asked(random)
    if random.random() < 0.15:
        claim["max_area"] = round(10 ** random.uniform(3, 6))
    if random.random() < 0.1:
        claim["zoom"] = [random.randint(0, 6), random.randint(7, 12)]
    return claim


def _options(random, channels):
    options = ["--workers", str(random.randint(1, 3)), "--commands-per-second", "100000", "--command-burst", "100000"]
    # Who does not read for a while is not to be given up, and padded features go through JSON-RPC as well.
    # On a machine that is slow, a client that is there must not look like one that is gone.
    options += ["--write-timeout", "60s", "--pong-timeout", "10m", "--max-message", "1MiB"]
    if random.random() < 0.3:
        options += ["--deflate"]
    if random.random() < 0.3:
        options += ["--overflow", random.choice(("drop-oldest", "latest"))]
    for name, settings in channels.items():
        options += ["--channel-crs", f"{name}=epsg:{settings['code']}"] if "code" in settings else []
        options += ["--stale-after", f"{name}={settings['stale_after']:.0f}s"] if "stale_after" in settings else []
        options += ["--track-key", f"{name}={settings['track_key']}"] if "track_key" in settings else []
    return options


class Steps:
    """Makes the steps. The actions of one step go on at the same time, those of one client in their order, and all
    publications in theirs; then the maps are looked at, if the step says so."""

    def __init__(self, draft, publications, requests, without):
        self._draft, self._random = draft, draft.random
        self._publications, self._requests = publications, requests
        self._clients = range(len(draft.truth.sessions))
        self._steps, self._without = [], without

    def make(self, length):
        for _ in range(self._random.randint(0, 20)):
            self._add([self._publications.put()], look=False)
        self._add([action for client in self._clients for action in self._requests.opening(client)], look=True)
        kinds = {self._one_publication: 30, self._one_request: 35, self._flurry: 15, self._burst: 8, self._slow_phase: 4 * ("slow" not in self._without),
                 self._wait: 8 * ("brief" in self._draft.channels)}
        kinds[self._cut] = 4 * ("cut" not in self._without)
        while len(self._steps) < length:
            self._random.choices(list(kinds), kinds.values())[0]()
        self._add([], look=True)
        return self._steps

    def _add(self, actions, look=None):
        look = self._random.random() < 0.85 if look is None else look
        self._steps.append({"actions": actions, "look": look})

    def _one_publication(self):
        self._add([self._publications.any()])

    def _one_request(self):
        self._add(self._requests.any(self._random.choice(self._clients)))

    def _flurry(self):
        """Publications, and clients that change what they want, all at once."""
        actions = [self._publications.any() for _ in range(self._random.randint(2, 12))]
        for client in self._random.sample(self._clients, self._random.randint(0, len(self._clients))):
            at = self._random.randint(0, len(actions))
            actions[at:at] = self._requests.any(client)
        self._add(actions)

    def _burst(self):
        """A client that pans faster than it is answered."""
        client = self._random.choice(self._clients)
        self._add([action for _ in range(self._random.randint(2, 15)) for action in self._requests.view(client)])

    def _slow_phase(self):
        """A client stops reading while much is published and it goes on panning; then it reads on."""
        random, client = self._random, self._random.choice(self._clients)
        if not self._draft.truth.sessions[client].subscriptions:
            return
        self._add([{"do": "stall", "client": client}], look=False)
        for _ in range(random.randint(2, 4)):
            actions = [self._publications.put(random.randint(10_000, 40_000)) for _ in range(random.randint(20, 50))]
            if random.random() < 0.5:
                actions.append(self._publications.delete())
            if random.random() < 0.5:
                at = random.randint(0, len(actions))
                actions[at:at] = self._requests.view(client)
            self._add(actions)
        self._add([{"do": "go on", "client": client}], look=True)

    def _cut(self):
        """The nodes' subscriptions to Redis break off while something is published."""
        actions = [self._publications.any() for _ in range(self._random.randint(0, 8))]
        actions.insert(self._random.randint(0, len(actions)), {"do": "cut"})
        self._add(actions, look=True)

    def _wait(self):
        """Keys of a channel with stale_after may expire."""
        self._add([{"do": "wait", "seconds": self._random.choice((0.5, 1.1, 2.8))}], look=True)
