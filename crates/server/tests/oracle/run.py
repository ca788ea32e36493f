"""Plays a plan against real servers, and holds every client's map to the truth."""

import asyncio
import re
import time
from itertools import count
from dataclasses import dataclass, field
from http.client import HTTPException

from redis.exceptions import RedisError
from websockets.exceptions import WebSocketException

import sentinel
from accounts import Accounts
from client import PATIENCE, Client
from expectations import Registry
from ledger import Fault
from message import Message
from process import Site
from publications import published
from publisher import ways
from truth import Heard, Truth

#: How long a map may be behind after the sentinel has come, in seconds: longer for who has just begun to read again.
BEHIND, BEHIND_AFTER_STALL = 2.0, 10.0
#: How long a note is waited for before there is another, in seconds: while Redis is not there, notes are lost.
NOTED = 1.0


@dataclass
class Outcome:
    """What came of a run."""

    fault: str | None = None
    step: int = 0
    client: str | None = None
    log: str = ""
    counts: dict = field(default_factory=dict)


def play(plan, binary):
    """Plays a plan and returns its Outcome."""
    with Site(binary, plan["store"], plan["nodes"], plan["options"]) as site:
        run = Run(plan, site.addresses, ways(site))
        outcome = asyncio.run(run.play())
        if outcome.fault:
            outcome.fault = re.sub(r"'padding': '[^']*'", "'padding': …", outcome.fault)
            outcome.fault += f" ({ended})" if (ended := site.ended()) else ""
            outcome.log = site.log()
        return outcome


class Run:
    """One run. Steps are as plan.Steps makes them."""

    def __init__(self, plan, addresses, ways):
        self._plan, self._ways = plan, ways
        self._truth = Truth(plan["channels"], plan["clients"])
        self._registry = Registry()
        track_keys = {name: channel.track_key for name, channel in self._truth.channels.items()}
        self._clients = [
            Client(f"{number} ({kind['dialect']}, node {kind['node']})", kind, f"ws://{addresses[kind['node']]}",
                   self._registry, track_keys)
            for number, kind in enumerate(plan["clients"])
        ]
        self._accounts = Accounts(self._truth, self._clients)
        self._sentinels, self._stalled = count(sentinel.FIRST), set()
        self._outcome = Outcome()

    async def play(self):
        outcome, client = self._outcome, None
        try:
            await asyncio.gather(*(client.open() for client in self._clients))
            for outcome.step, step in enumerate(self._plan["steps"]):
                await self._act(step["actions"])
                if step["look"]:
                    await self._look()
        except Fault as fault:
            outcome.fault = str(fault)
        except (OSError, TimeoutError, HTTPException, WebSocketException, RedisError) as error:
            outcome.fault = f"a way in or a connection failed: {error!r}"
        for client in self._clients:
            if client.fault and not outcome.client:
                outcome.fault, outcome.client = client.fault, client.name
        await asyncio.gather(*(client.close() for client in self._clients), return_exceptions=True)
        await asyncio.gather(*(way.close() for way in self._ways.values()), return_exceptions=True)
        outcome.counts = self._accounts.counts
        return outcome

    async def _act(self, actions):
        """Publications in their order, each client's requests in theirs, all at the same time."""
        queues, done = {}, []
        for action in actions:
            queues.setdefault(action.get("client"), []).append(action)
        await asyncio.gather(*(self._do(queue, done) for queue in queues.values()))
        # Last, as a subscription that began at the same time may have been told the state before a publication or after it.
        for action in actions:
            if "client" in action:
                self._truth.ask(action, time.monotonic())
        self._accounts.add(done)

    async def _do(self, queue, done):
        for action in queue:
            happened = True
            if "client" in action:
                await self._clients[action["client"]].ask(action)
                if action["do"] == "stall":
                    self._stalled.add(action["client"])
            elif action["do"] == "wait":
                await asyncio.sleep(action["seconds"])
            elif action["do"] == "cut":
                await self._ways["redis"].cut()
            else:
                happened = await self._publish(action)
            if happened:
                done.append(action)

    async def _publish(self, action):
        """Publishes; returns whether there was something to publish: what is not stored cannot be deleted over HTTP."""
        document, channel, key = published(action), action["channel"], action["key"]
        feature = self._truth.feature(channel, document) if document and key is not None else None
        if key is None:
            self._registry.add(Message(document, self._truth.channels[channel].code))
        elif feature and not feature.is_deletion:
            self._registry.features[feature.version] = (key, feature)
        start, way = time.monotonic(), self._ways[action["by"]]
        match action["do"]:
            case "put":
                await way.put(channel, key, document)
            case "delete":
                if not await way.delete(channel, key):
                    if key in self._truth.channels[channel].stored:
                        raise Fault(f"{key} of {channel} cannot be deleted, as if it were not stored")
                    return False
            case "tell":
                await way.tell(channel, document)
        if key is not None:
            self._truth.publish(channel, key, feature, action["do"] == "put", Heard(start, time.monotonic()))
        return True

    async def _look(self):
        """Waits until everything has come that is on its way to those who read, and compares their maps."""
        awake = [number for number, client in enumerate(self._clients) if not client.is_stalled]
        await asyncio.gather(*(self._clients[number].answered() for number in awake))
        for number in awake:
            self._truth.settle(number)
        behind = BEHIND_AFTER_STALL if self._stalled & set(awake) else BEHIND
        deadline = time.monotonic() + behind
        while True:
            begin = time.monotonic()
            await self._wait_for_sentinel(awake)
            for number in awake:
                self._clients[number].settle(self._truth.sessions[number])
            wrong = {number: said for number in awake if (said := self._difference(number, begin))}
            if not wrong:
                break
            if time.monotonic() > deadline:
                number, said = next(iter(wrong.items()))
                self._clients[number].fail(f"{said}, for {behind} s")
            self._accounts.counts["late after stalling" if self._stalled & set(wrong) else "late"] += 1
            await asyncio.sleep(0.05)
        for number in awake:
            self._accounts.settle(number, was_stalled=number in self._stalled)
        self._stalled -= set(awake)

    async def _wait_for_sentinel(self, awake):
        """Waits for a feature where it is shown on a map, and for a note elsewhere."""
        versions = {channel: await self._publish_sentinel(channel, "put") for channel in self._plan["channels"]}
        noted = []
        for number, channel, ledger in ((n, c, ledger) for n in awake for c, ledger in self._clients[n].ledgers.items()):
            session, document = self._truth.sessions[number], sentinel.feature(versions[channel])
            if session.is_blind:
                continue
            if session.subscriptions[channel].form != "plain" and session.shows(self._truth.feature(channel, document)):
                said = f"the feature that was published last on {channel}, {document},"
                await self._clients[number].until(lambda: ledger.versions.get(sentinel.KEY, 0) >= versions[channel], said)
            else:
                noted.append((number, channel, ledger))
        await self._wait_for_notes(noted)

    async def _wait_for_notes(self, noted):
        first, deadline = {}, time.monotonic() + PATIENCE
        while noted:
            for channel in sorted({channel for _, channel, _ in noted}):
                version = await self._publish_sentinel(channel, "tell")
                first.setdefault(channel, version)
            came = await asyncio.gather(*(self._has_note(*one, first) for one in noted))
            noted = [one for one, has_come in zip(noted, came) if not has_come]
            self._accounts.counts["note lost"] += len(noted)
            if noted and time.monotonic() > deadline:
                self._clients[noted[0][0]].fail(f"no note on {noted[0][1]} came within {PATIENCE} s")

    async def _has_note(self, number, channel, ledger, first):
        return await self._clients[number].within(lambda: ledger.versions.get(sentinel.NOTE, 0) >= first[channel], NOTED)

    async def _publish_sentinel(self, channel, do):
        """Publishes a feature (`put`) or a note (`tell`), and returns its number."""
        version, names = next(self._sentinels), list(self._ways)
        key, document = (sentinel.KEY, sentinel.feature(version)) if do == "put" else (None, sentinel.note(version))
        way = names[version % len(names)]
        await self._publish({"do": do, "channel": channel, "key": key, "document": document, "by": way})
        return version

    def _difference(self, number, begin):
        """Says where a client's maps are not what they must be, or nothing."""
        client, session = self._clients[number], self._truth.sessions[number]
        for channel, ledger in client.ledgers.items():
            if session.subscriptions[channel].form == "plain":
                continue
            must, may = self._truth.map(number, channel, begin, time.monotonic())
            missing, surplus = set(must) - set(ledger.features), set(ledger.features) - set(must) - set(may)
            if missing or surplus:
                return f"on {channel} {sorted(missing)} are missing and {sorted(surplus)} are too much"
            for key, got in ledger.features.items():
                states = [must[key]] if key in must else [state for state in may[key] if state]
                said = [ledger.differs(got, state, session.code, session.look) for state in states]
                if all(said):
                    return f"on {channel} {key} has {said[0]}"
            for key, states in may.items():
                if key not in ledger.features and None not in states:
                    return f"on {channel} {key} is missing"
        return None
