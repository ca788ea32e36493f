"""Tests of the oracle itself: what it computes against values worked out elsewhere, and that it sees every fault of a
server that makes them. Run by `python -m unittest` in this folder."""

import asyncio
import unittest
from concurrent.futures import ProcessPoolExecutor
from unittest import mock

from fake import FAULTS, FAULTS_OF_RIGHTS, Fake, Storing
from feature import Feature, difference
from ledger import Event, Fault, Ledger, MapLibreLedger
from look import Look
from message import Message
from plain import GAP, order_fault
from plan import plan
from properties import has
from rights import Rights
from run import Run
from truth import Heard, Truth
from view import TooClose, View


#: Of so many runs, one has to see a fault.
SEEDS = 150


def feature(geometry, **members):
    return Feature({"type": "Feature", "id": 1, "geometry": geometry, "properties": {"v": 1}} | members)


def point_document(x, y, version):
    return {"type": "Feature", "geometry": point(x, y), "properties": {"v": version, "other": 1}}


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
            self.assertEqual(difference(document, known, code, Look()) is None, same, (document, code))


class Wishes(unittest.TestCase):
    def test_properties_in_words(self):
        for value, words, is_so in (
            ("7", ["7"], True), (7, ["7"], True), (7.0, ["7"], False), (7.0, ["7.0"], True), (True, ["true"], True),
            (1, ["true"], False), (None, ["null"], False), ("rail", ["bus", "rail"], True), (["rail"], ["rail"], False),
        ):
            self.assertEqual(has({"a": value}, {"a": words}, in_words=True), is_so, (value, words))
        self.assertFalse(has({}, {"a": ["7"]}, in_words=True))
        self.assertTrue(has(None, {}, in_words=True))

    def test_properties_in_json(self):
        for value, wish, is_so in (
            ("7", 7, False), (7, 7.0, True), (True, 1, False), (True, True, True), (None, None, True), (7, [1, 7], True),
            (7, [], False), (7, {"min": 7}, True), (7, {"max": 7.0}, True), (7, {"min": 7.5}, False), ("7", {"min": 0}, False),
            (True, {"min": 0}, False), (7, {"min": None, "max": 8}, True),
        ):
            self.assertEqual(has({"a": value}, {"a": wish}, in_words=False), is_so, (value, wish))
        self.assertFalse(has({"b": None}, {"a": None}, in_words=False))

    def test_fields_and_members(self):
        look = Look.of({"box": [0, 0, 2, 2], "code": 4326, "fields": ["v"], "members": "inside"})
        inside, outside = (point_document(at, at, 1) for at in (1, 9))
        message = Message({"type": "FeatureCollection", "features": [inside, outside], "v": 3}, 4326)
        cut = inside | {"properties": {"v": 1}}
        whole = message.document
        self.assertIsNone(message.difference(whole | {"features": [cut]}, 4326, look, None))
        self.assertIsNotNone(message.difference(whole | {"features": [inside]}, 4326, look, None))
        self.assertIsNotNone(message.difference(whole, 4326, look, None))
        self.assertIsNone(message.difference(whole, 4326, Look(look.view), None))


class Limits(unittest.TestCase):
    def rights(self, *rings):
        return Rights({"within": {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}})

    def test_within(self):
        box = lambda left, right: [[left, 0], [right, 0], [right, 9], [left, 9], [left, 0]]
        line = lambda a, b: {"type": "LineString", "coordinates": [[a, 1], [b, 2]]}
        for rings, geometry, is_so in (
            ([box(0, 9)], point(9, 9), True),
            ([box(0, 9)], point(9.0001, 9), False),
            ([box(0, 9)], line(1, 8), True),
            ([box(0, 9)], line(8, 10), False),
            ([box(0, 9), box(9, 20)], line(8, 10), True),
            ([box(0, 9), box(10, 20)], line(8, 12), False),
            ([box(170, 190)], line(-179, -175), True),
            ([box(170, 180), box(-180, -170)], point(180, 1), True),
            ([box(0, 9)], None, False),
        ):
            self.assertEqual(self.rights(*rings).grants(feature(geometry)), is_so, (rings, geometry))
        self.assertTrue(self.rights(box(0, 9)).grants(feature(None, id="a", properties={"v": "bcd"})))
        with self.assertRaises(TooClose):
            self.rights(box(0, 9)).grants(feature(line(5, 9)))

    def test_collections_are_cut(self):
        rights, members = self.rights([[0, 0], [5, 0], [5, 5], [0, 5], [0, 0]]), [point_document(1, 1, 1), point_document(9, 9, 2)]
        message = Message({"type": "FeatureCollection", "features": members, "v": 3}, 4326)
        cut = {"type": "FeatureCollection", "features": members[:1]}
        self.assertIsNone(message.difference(cut, 4326, Look(), rights))
        self.assertIsNotNone(message.difference(cut | {"v": 3}, 4326, Look(), rights))
        self.assertIsNotNone(message.difference(message.document, 4326, Look(), rights))


class Order(unittest.TestCase):
    def test_only_a_gap_excuses_what_is_missing(self):
        for heard, may_skip, is_fault in (
            ([1, 2, 3], False, False), ([1, 3], False, True), ([1, 3, 2], False, True), ([1, 2, 2, 3], False, True), ([1, 2], False, True),
            ([1, GAP, 3], True, False), ([GAP, 1, 2, 3], True, False), ([GAP, 1, 2, 3], False, True), ([1, GAP], True, False),
            ([GAP, 1, 3], True, True), ([1, GAP, 4], True, True),
        ):
            self.assertEqual(order_fault(heard, [1, 2, 3], may_skip) is not None, is_fault, heard)


class Maps(unittest.TestCase):
    def test_a_map_follows_publications_and_requests(self):
        truth = Truth({"cars": {}}, [{}, {}])
        near, far = feature(point(1, 1)), feature(point(50, 50))
        truth.ask({"do": "track", "client": 0, "channel": "cars", "form": "events"})
        truth.settle(0)
        truth.publish("cars", "1", near, stored=True)
        truth.publish("cars", "2", far, stored=False)
        self.assertEqual(truth.map(0, "cars"), ({"1": near, "2": far}, {}))
        truth.ask({"do": "view", "client": 0, "box": [0, 0, 2, 2], "code": 4326})
        self.assertEqual(truth.map(0, "cars"), ({"1": near}, {}))
        truth.ask({"do": "track", "client": 1, "channel": "cars", "form": "events"})
        self.assertEqual(truth.map(1, "cars"), ({"1": near}, {"2": {far, None}}))
        truth.settle(1)
        truth.publish("cars", "1", None, stored=True)
        truth.publish("cars", "2", feature(None), stored=True)
        self.assertEqual(list(truth.map(0, "cars")[0]), ["2"])
        self.assertEqual(list(truth.map(1, "cars")[0]), ["2"])

    def test_a_key_grows_old(self):
        truth = Truth({"brief": {"stale_after": 1.0}}, [{}])
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


def play(made, fault=None):
    """A run against the fake. Nothing is late there, so that little patience shows what a fault keeps back."""
    async def run():
        async with Fake(made["channels"], fault) as fake:
            return await Run(made, [fake.address], {"http0": fake, "rpc0": Storing(fake)}).play()

    if fault is None:
        return asyncio.run(run())
    with mock.patch.multiple("run", BEHIND=0.3, BEHIND_AFTER_STALL=1.0, PATIENCE=3), mock.patch("client.PATIENCE", 3):
        return asyncio.run(run())


def is_seen(fault):
    """Whether one of some runs sees a fault."""
    without = ("expiry", "slow")
    if "expir" in fault:
        without = ()
    elif fault in FAULTS_OF_RIGHTS:
        without = ("expiry", "slow", "maplibre", "wrap", "lv95", "named", "properties")
    runs = (plan(seed, ("embedded", 1), without=without) for seed in range(SEEDS))
    if fault in FAULTS_OF_RIGHTS:
        runs = (run for run in runs if any("geo" in client for client in run["clients"]))
    said = (play(run, fault).fault or "" for run in runs)
    return any(one and not one.startswith(("a way in", "the server closed")) for one in said)


class Runs(unittest.TestCase):
    def test_a_server_without_faults_passes(self):
        with ProcessPoolExecutor(4) as pool:
            outcomes = list(pool.map(play, [plan(seed, ("embedded", 1)) for seed in range(16)]))
        for seed, outcome in enumerate(outcomes):
            self.assertIsNone(outcome.fault, f"seed {seed}, step {outcome.step}, client {outcome.client}: {outcome.fault}")

    def test_every_fault_is_seen(self):
        # They wait more than they compute.
        with ProcessPoolExecutor(4) as pool:
            faults = FAULTS + FAULTS_OF_RIGHTS
            blind = [fault for fault, was_seen in zip(faults, pool.map(is_seen, faults)) if not was_seen]
        self.assertEqual(blind, [])


if __name__ == "__main__":
    unittest.main()
