"""Vehicles that drive about in a box, for the publishers beside this file."""

import math
import random

# Longitudes and latitudes in degrees: west, south, east, north.
SWITZERLAND = (6.5, 46.2, 9.8, 47.6)

# So many metres are one degree of latitude, and of longitude at the equator.
METRES = 111_320


class Vehicle:
    """One of them: a key, a place, a heading in degrees clockwise from north, a speed in metres per second."""

    def __init__(self, number, box=SWITZERLAND):
        west, south, east, north = box
        self.key = f"bus-{number}"
        self.box = box
        self.longitude = random.uniform(west, east)
        self.latitude = random.uniform(south, north)
        self.heading = random.uniform(0, 360)
        self.speed = random.uniform(5, 25)

    def drive(self, seconds):
        """Goes on for so long, and turns a little; at the edge of the box it turns around."""
        west, south, east, north = self.box
        self.heading = (self.heading + random.gauss(0, 10) * math.sqrt(seconds)) % 360
        way = self.speed * seconds / METRES
        self.latitude += way * math.cos(math.radians(self.heading))
        self.longitude += way * math.sin(math.radians(self.heading)) / math.cos(math.radians(self.latitude))
        if not (west <= self.longitude <= east and south <= self.latitude <= north):
            self.heading = (self.heading + 180) % 360
            self.longitude = min(max(self.longitude, west), east)
            self.latitude = min(max(self.latitude, south), north)

    def feature(self):
        """What is published: GeoJSON (RFC 7946), longitude first. The member `id` is the key."""
        return {
            "type": "Feature",
            "id": self.key,
            "geometry": {"type": "Point", "coordinates": [round(self.longitude, 6), round(self.latitude, 6)]},
            "properties": {"type": "bus", "heading": round(self.heading), "speed": round(self.speed * 3.6)},
        }

    def deleted(self):
        """What tells clients that it is gone: a feature without geometry."""
        return {"type": "Feature", "id": self.key, "geometry": None, "properties": None, "deleted": True}
