"""Tests of the oracle itself: what it computes against values worked out elsewhere, and that it sees every fault of a
server that makes them. Run by `python -m unittest` in this folder."""

import asyncio
import unittest
from concurrent.futures import ProcessPoolExecutor
from unittest import mock

from fake import FAULTS, Fake, Storing
from feature import Feature, difference
from ledger import Event, Fault, Ledger, MapLibreLedger
from plan import plan
from run import Run
from truth import Heard, Truth
from view import TooClose, View


def feature(geometry, **members):
    return Feature({"type": "Feature", "id": 1, "geometry": geometry, "properties": {"v": 1}} | members)


def point(*position):
    return {"type": "Point", "coordinates": list(position)}


class Geometry(unittest.TestCase):
    def test_positions_in_other_systems(self):
        # Bern's old observatory is the origin of LV95, by swisstopo (E 2 600 000, N 1 200 000).
        bern = feature(point(7.438632495, 46.951082877, 553.2)).geometry(2056)["coordinates"]
        self.assertAlmostEqual(bern[0], 2_600_000, delta=1.5)
        self.assertAlmostEqual(bern[1], 1_200_000, delta=1.5)
        self.assertEqual(bern[2], 553.2)
        # The world of EPSG:3857 is square, and as wide as the equator of a sphere of 6378137 m.
        self.assertAlmostEqual(feature(point(180, 0)).geometry(3857)["coordinates"][0], 20037508.342789, delta=1e-5)
        # The origins of EPSG:3035 and EPSG:32632, by their definitions.
        self.assertEqual([round(x, 3) for x in feature(point(10, 52)).geometry(3035)["coordinates"]], [4321000, 3210000])
        self.assertEqual([round(x, 3) for x in feature(point(9, 0)).geometry(32632)["coordinates"]], [500000, 0])
        self.assertFalse(feature(point(99, 0.5)).is_finite(32632))
        self.assertTrue(feature(point(99, 0.5)).is_finite(3857))

    def test_inside(self):
        square = View((0, 0, 10, 10), 4326)
        ring = [[-5, -5], [15, -5], [15, 15], [-5, 15], [-5, -5]]
        hole = [[-1, -1], [11, -1], [11, 11], [-1, 11], [-1, -1]]
        for geometry, inside in (
            (point(10, 10), True),
            (point(10.000001, 10), False),
            ({"type": "LineString", "coordinates": [[-5, 5], [15, 6]]}, True),
            ({"type": "LineString", "coordinates": [[-5, 5], [5, 16]]}, False),
            ({"type": "Polygon", "coordinates": [ring]}, True),
            ({"type": "Polygon", "coordinates": [ring, hole]}, False),
            ({"type": "GeometryCollection", "geometries": [point(20, 20), point(1, 1)]}, True),
            (None, True),
        ):
            self.assertEqual(square.holds(feature(geometry)), inside, geometry)
        with self.assertRaises(TooClose):
            square.holds(feature({"type": "LineString", "coordinates": [[10, -5], [10, 15]]}))

    def test_inside_in_another_system(self):
        # Of a line along a parallel only the ends are transformed; between them it is straight in the box's system.
        line = feature({"type": "LineString", "coordinates": [[-60, 60], [60, 60]]})
        self.assertTrue(line.shape(3413).length > 1e6)
        self.assertTrue(View((-20037508, 8399000, 20037508, 8400000), 3857).holds(line))
        bern = feature(point(7.438632495, 46.951082877))
        self.assertTrue(View((2_599_000, 1_199_000, 2_601_000, 1_201_000), 2056).holds(bern))
        self.assertFalse(View((2_600_010, 1_199_000, 2_601_000, 1_201_000), 2056).holds(bern))
        self.assertFalse(View((-1e9, -1e9, 1e9, 1e9), 32632).holds(feature(point(99, 0.5))))

    def test_across_the_antimeridian(self):
        for box in ((170, -10, -170, 10), (170, -10, 190, 10), (-190, -10, -170, 10), (530, -10, 550, 10)):
            for longitude, inside in ((175, True), (-175, True), (180, True), (-180, True), (165, False), (0, False)):
                self.assertEqual(View(box, 4326).holds(feature(point(longitude, 0))), inside, (box, longitude))
        self.assertTrue(View((-200, -10, 200, 10), 4326).holds(feature(point(0, 0))))

    def test_differences(self):
        known = feature(point(8, 47, 400), other=[1])
        for document, code, same in (
            (known.document, 4326, True),
            (known.document, 3857, False),
            (known.document | {"geometry": point(890555.926, 5942074.072, 400)}, 3857, True),
            (known.document | {"geometry": point(890555.936, 5942074.072, 400)}, 3857, False),
            (known.document | {"geometry": point(890555.926, 5942074.072)}, 3857, False),
            (known.document | {"other": [2]}, 4326, False),
            (known.document | {"new": 1}, 4326, False),
            (known.document | {"geometry": None}, 4326, False),
        ):
            self.assertEqual(difference(document, known, code) is None, same, (document, code))


class Maps(unittest.TestCase):
    def test_a_map_follows_publications_and_requests(self):
        truth = Truth({"cars": {}}, 2)
        near, far = feature(point(1, 1)), feature(point(50, 50))
        truth.ask({"do": "track", "client": 0, "channel": "cars", "form": "events"})
        truth.publish("cars", "1", near, stored=True)
        truth.publish("cars", "2", far, stored=False)
        self.assertEqual(truth.map(0, "cars"), ({"1": near, "2": far}, {}))
        truth.ask({"do": "view", "client": 0, "box": [0, 0, 2, 2], "code": 4326})
        self.assertEqual(truth.map(0, "cars"), ({"1": near}, {}))
        truth.ask({"do": "track", "client": 1, "channel": "cars", "form": "events"})
        self.assertEqual(truth.map(1, "cars"), ({"1": near}, {"2": {far, None}}))
        truth.publish("cars", "1", None, stored=True)
        truth.publish("cars", "2", feature(None), stored=True)
        self.assertEqual(list(truth.map(0, "cars")[0]), ["2"])
        self.assertEqual(list(truth.map(1, "cars")[0]), ["2"])

    def test_a_key_grows_old(self):
        truth = Truth({"brief": {"stale_after": 1.0}}, 1)
        truth.ask({"do": "track", "client": 0, "channel": "brief", "form": "events"})
        truth.publish("brief", "1", feature(None), True, Heard(10.0, 10.1))
        self.assertEqual([list(part) for part in truth.map(0, "brief", 10.2, 10.9)], [["1"], []])
        self.assertEqual([list(part) for part in truth.map(0, "brief", 10.2, 11.1)], [[], ["1"]])
        self.assertEqual([list(part) for part in truth.map(0, "brief", 19.0, 19.1)], [[], []])


class Rules(unittest.TestCase):
    class Anything:
        def content_fault(self, *_):
            return None

    def ledger(self, kind=Ledger):
        return kind(self.Anything())

    def test_a_ledger_is_strict(self):
        content = lambda version: {"type": "Feature", "properties": {"v": version}}
        enter, older = Event("enter", 7, content(2)), Event("update", 7, content(1))
        leave, update = Event("leave", "7", None, "moved"), Event("update", "7", content(3))
        for events, faulty in (
            ([enter, update, leave], False),
            ([enter, leave, Event("enter", 7, content(2))], False),
            ([enter, Event("enter", "7", content(3))], True),
            ([update], True),
            ([leave], True),
            ([enter, older], True),
            ([enter, leave, Event("enter", 7, content(1))], True),
            ([enter, Event("leave", 7, None, "bored")], True),
            ([Event("enter", 7, None)], True),
        ):
            ledger = self.ledger()
            if faulty:
                with self.assertRaises(Fault):
                    for event in events:
                        ledger.take(event)
            else:
                for event in events:
                    ledger.take(event)

    def test_diffs_are_taken_as_maplibre_takes_them(self):
        ledger, one = self.ledger(MapLibreLedger), {"type": "Feature", "id": 7, "geometry": None, "properties": {"v": 1, "a": 1}}
        ledger.take_diff({"add": [one]})
        change = {"id": 7, "newGeometry": point(1, 2), "removeAllProperties": True}
        ledger.take_diff({"update": [change | {"addOrUpdateProperties": [{"key": "v", "value": 2}]}]})
        self.assertEqual(ledger.features["7"], one | {"geometry": point(1, 2), "properties": {"v": 2}})
        ledger.take_diff({"remove": [7], "add": [one | {"id": "7", "properties": {"v": 3}}]})
        for wrong in ({"remove": [7]}, {"add": [one | {"id": "7"}]}, {"update": [{"id": 8}]}, {"remove": [9]}):
            with self.assertRaises(Fault):
                ledger.take_diff(wrong)
        ledger.take_diff({"remove": ["7"]})
        self.assertEqual(ledger.features, {})


def play(seed, fault=None, **options):
    """A run against the fake. Nothing is late there."""
    async def run():
        made = plan(seed, ("embedded", 1), **options)
        async with Fake(made["channels"], fault) as fake:
            return await Run(made, [fake.address], {"http0": fake, "rpc0": Storing(fake)}).play()

    with mock.patch.multiple("run", BEHIND=0.3, BEHIND_AFTER_STALL=1.0), mock.patch("client.PATIENCE", 3):
        return asyncio.run(run())


def seen(fault):
    """Whether one of some runs sees a fault."""
    without = () if "expir" in fault else ("expiry", "slow")
    return any(play(seed, fault, without=without).fault for seed in range(30))


class Runs(unittest.TestCase):
    def test_a_server_without_faults_passes(self):
        for seed in range(12):
            outcome = play(seed)
            self.assertIsNone(outcome.fault, f"seed {seed}, step {outcome.step}, client {outcome.client}: {outcome.fault}")

    def test_every_fault_is_seen(self):
        # They wait more than they compute.
        with ProcessPoolExecutor(4) as pool:
            blind = [fault for fault, is_seen in zip(FAULTS, pool.map(seen, FAULTS)) if not is_seen]
        self.assertEqual(blind, [])


if __name__ == "__main__":
    unittest.main()
