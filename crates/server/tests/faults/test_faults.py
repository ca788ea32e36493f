"""What the watchers have to see."""

import unittest

from publishers import FLEET
from watchers import GAP, Map, Numbers, RpcNumbers


class NumbersTest(unittest.TestCase):
    def check(self, events, told, expected):
        numbers = Numbers("n", "numbers")
        numbers.events = events
        self.assertEqual([fault.split(":")[1].split(",")[0].strip() for fault in numbers.faults_against(told)], expected)
        return numbers

    def test_what_is_told_has_to_come(self):
        everything = set(range(1, 9))
        self.check([1, 2, 3], everything, [])
        self.check([1, 3], everything, ["[2] did not come before 3"])
        # What may not have been published may be missing.
        self.check([1, 3], everything - {2}, [])
        self.check([2], everything, ["[1] did not come before 2"])

    def test_gaps_are_told_between(self):
        everything = set(range(1, 9))
        numbers = self.check([1, GAP, 5, 6], everything, [])
        self.assertEqual((numbers.lost, numbers.gaps), (3, 1))
        self.check([1, 5, GAP, 6], everything, ["[2"])
        self.check([1, GAP, 5, 8], everything, ["[6"])

    def test_nothing_goes_back(self):
        self.check([1, 2, 2], {1, 2}, ["2 came after 2"])
        self.check([1, 3, GAP, 2], {1, 2, 3}, ["[2] did not come before 3", "2 came after 3"])

    def test_places_may_be_changed_where_it_is_said(self):
        numbers = Numbers("n", "numbers")
        numbers.events, numbers.may_change_places = [1, 3, GAP, 2, 5], True
        self.assertEqual(len(numbers.faults_against({1, 2, 3, 4, 5})), 1)
        self.assertEqual((numbers.lost, numbers.changed_places), (1, 2))

    def test_offsets_rise(self):
        numbers = RpcNumbers("n", "log", history=True)
        for offset in ("5-0", "5-1", "10-0"):
            numbers._take("message", {"content": 1, "offset": offset})
        self.assertEqual(numbers.faults, [])
        numbers._take("message", {"content": 1, "offset": "9-7"})
        numbers._take("message", {"content": 1})
        self.assertEqual(len(numbers.faults), 2)


class MapTest(unittest.TestCase):
    def feature(self, x):
        return {"geometry": {"coordinates": [x, 1]}}

    def test_a_map_is_what_its_box_shows(self):
        shown = Map("m", FLEET, [0, 0, 10, 10])
        state = {"a": self.feature(1), "b": self.feature(11)}
        self.assertFalse(shown.shows(state))
        shown.take("enter", {"key": "a", "content": self.feature(1)})
        self.assertTrue(shown.shows(state))
        shown.take("update", {"key": "a", "content": self.feature(2)})
        self.assertFalse(shown.shows(state))
        self.assertFalse(Map("m", FLEET).shows(state))

    def test_events_make_sense(self):
        shown = Map("m", FLEET)
        shown.take("leave", {"key": "a"})
        shown.take("enter", {"key": "a", "content": 1})
        shown.take("enter", {"key": "a", "content": 1})
        shown.take("update", {"key": "b", "content": 1})
        self.assertEqual(len(shown.faults), 3)


if __name__ == "__main__":
    unittest.main()
