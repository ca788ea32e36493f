use super::{kind::Kind, position::Position};

/// The way of a line: what its vehicles follow, there and back.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// What is written on a vehicle that goes to the beginning, and to the end.
    pub(super) destinations: [String; 2],
    /// The way as a polyline, each vertex with its metres from the beginning, in rising order.
    way: Vec<(f64, Position)>,
    /// Metres from the beginning, in rising order; the first and the last are the ends of the way.
    stops: Vec<f64>,
}

impl Line {
    /// A line along these positions, of which there are two at least, that stops at the given ones and, where its kind
    /// has it, in between.
    pub(super) fn new(
        name: String,
        kind: Kind,
        destinations: [String; 2],
        positions: &[Position],
        stations: &[usize],
    ) -> Self {
        let mut way: Vec<(f64, Position)> = Vec::with_capacity(positions.len());
        for position in positions {
            let metres = way.last().map_or(0.0, |(metres, last)| metres + last.distance_to(*position));
            way.push((metres, *position));
        }
        let mut stops = vec![0.0];
        for &station in stations {
            let (from, to) = (stops[stops.len() - 1], way[station].0);
            let parts = ((to - from) / kind.stop_spacing()).round().max(1.0);
            if to > from {
                stops.extend((1..=parts as usize).map(|part| from + (to - from) * part as f64 / parts));
            }
        }
        Self { name, destinations, way, stops }
    }

    /// From end to end, in metres.
    pub(super) fn length(&self) -> f64 {
        self.way.last().map_or(0.0, |(metres, _)| *metres)
    }

    /// Where so many metres from the beginning are.
    pub(super) fn position(&self, metres: f64) -> Position {
        let (from, to) = self.edge(metres);
        let part = (metres - from.0) / (to.0 - from.0);
        from.1.toward(to.1, part.clamp(0.0, 1.0))
    }

    /// The direction there, in degrees clockwise from north.
    pub(super) fn heading(&self, metres: f64, forward: bool) -> f64 {
        let (from, to) = self.edge(metres);
        if forward { from.1.heading_to(to.1) } else { to.1.heading_to(from.1) }
    }

    /// The next stop behind so many metres, in this direction. Nothing at the end.
    pub(super) fn next_stop(&self, metres: f64, forward: bool) -> Option<f64> {
        // A vehicle at a stop is not before it.
        if forward {
            self.stops.iter().copied().find(|stop| *stop > metres + TOLERANCE)
        } else {
            self.stops.iter().copied().rev().find(|stop| *stop < metres - TOLERANCE)
        }
    }

    /// The two vertices between which so many metres are.
    fn edge(&self, metres: f64) -> ((f64, Position), (f64, Position)) {
        let behind = self.way.partition_point(|(start, _)| *start <= metres);
        let behind = behind.clamp(1, self.way.len() - 1);
        (self.way[behind - 1], self.way[behind])
    }
}

/// Metres within which a vehicle is at a stop.
const TOLERANCE: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: Kind) -> Line {
        let positions: Vec<_> = (0..=10).map(|i| Position::new(8.0 + f64::from(i) * 0.01, 47.0)).collect();
        Line::new("1".to_owned(), kind, ["West".to_owned(), "Ost".to_owned()], &positions, &[4, 10])
    }

    #[test]
    fn trains_stop_at_stations_and_trams_in_between() {
        let (rail, tram) = (line(Kind::Rail), line(Kind::Tram));
        assert_eq!(rail.stops.len(), 3);
        assert!((rail.stops[1] / rail.length() - 0.4).abs() < 1e-6);
        assert!(tram.stops.len() > 15);
        assert!(tram.stops.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((tram.stops[tram.stops.len() - 1] - tram.length()).abs() < 1e-6);
    }

    #[test]
    fn metres_become_positions_and_headings() {
        let line = line(Kind::Rail);
        assert_eq!(line.position(0.0), Position::new(8.0, 47.0));
        assert!((line.position(line.length() / 2.0).longitude - 8.05).abs() < 1e-6);
        assert!((line.position(line.length() * 2.0).longitude - 8.1).abs() < 1e-6);
        assert!((line.heading(1.0, true) - 90.0).abs() < 1e-6);
        assert!((line.heading(line.length(), false) - 270.0).abs() < 1e-6);
    }

    #[test]
    fn stops_come_in_both_directions_and_end() {
        let line = line(Kind::Rail);
        let middle = line.stops[1];
        assert_eq!(line.next_stop(0.0, true), Some(middle));
        assert_eq!(line.next_stop(middle, true), Some(line.stops[2]));
        assert_eq!(line.next_stop(line.stops[2], true), None);
        assert_eq!(line.next_stop(middle, false), Some(0.0));
        assert_eq!(line.next_stop(0.0, false), None);
    }
}
