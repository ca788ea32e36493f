//! The index of viewports: filling it, moving one viewport, and who looks at a point; against a list that is looked at
//! from end to end, and against the R-tree of `rstar`.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use fastrand::Rng;
use geocast_benches::{OURS, run};
use geocast_geo_filter::{Bbox, ViewportIndex};
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

fn main() {
    run(&[fill, move_one, mixed, elsewhere, gaps, same_place]);
}

/// Without optimisation nothing is measured, each benchmark is only run once: fewer viewports show the same.
const SIZES: [usize; 3] =
    if cfg!(debug_assertions) { [100, 1_000, 10_000] } else { [1_000, 10_000, 100_000] };

/// How many points are asked for in an iteration: enough for a processor not to know by heart what comes.
const POINTS: usize = 256;

fn fill(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index fill");
    for size in SIZES {
        let boxes: Vec<Bbox> = anywhere().take(size).collect();
        group.throughput(Throughput::Elements(size as u64));
        let mut bench = |name: &str, fill: &dyn Fn()| {
            group.bench_function(BenchmarkId::new(name, size), |bencher| bencher.iter(fill));
        };
        bench(OURS, &|| drop(black_box(index(&boxes))));
        bench("list", &|| drop(black_box(boxes.clone())));
        bench("rstar", &|| drop(black_box(tree(&boxes))));
    }
}

/// Each viewport in its turn to some other place, at some other zoom.
fn move_one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index move");
    group.throughput(Throughput::Elements(1));
    for size in SIZES {
        let boxes: Vec<Bbox> = anywhere().take(size).collect();
        let targets: Vec<Bbox> = anywhere().skip(size).take(size).collect();
        let next = |step: &mut usize| {
            *step += 1;
            let key = *step % size;
            // Forth in one round, back in the next.
            let (from, to) =
                if (*step / size).is_multiple_of(2) { (&boxes, &targets) } else { (&targets, &boxes) };
            (key, from[key], to[key])
        };
        let (mut ours, mut step) = (index(&boxes), 0);
        // The steps begin at 1: key 0 of the first round is moved here, so that every round finds all as it expects.
        ours.insert(0, &[targets[0]]);
        group.bench_function(BenchmarkId::new(OURS, size), |bencher| {
            bencher.iter_batched(
                || next(&mut step),
                |(key, _, to)| ours.insert(key, &[to]),
                BatchSize::NumIterations(1000),
            );
        });
        let (mut list, mut step) = (boxes.clone(), 0);
        group.bench_function(BenchmarkId::new("list", size), |bencher| {
            bencher.iter_batched(
                || next(&mut step),
                |(key, _, to)| list[key] = to,
                BatchSize::NumIterations(1000),
            );
        });
        let (mut rstar, mut step) = (tree(&boxes), 0);
        rstar.remove(&entry(0, &boxes[0]));
        rstar.insert(entry(0, &targets[0]));
        group.bench_function(BenchmarkId::new("rstar", size), |bencher| {
            bencher.iter_batched(
                || next(&mut step),
                |(key, from, to)| {
                    assert!(rstar.remove(&entry(key, &from)).is_some());
                    rstar.insert(entry(key, &to));
                },
                BatchSize::NumIterations(1000),
            );
        });
    }
}

/// All zooms, half of the viewports about one town, where the points are: about one in six is hit.
fn mixed(criterion: &mut Criterion) {
    let mut random = Rng::with_seed(1);
    let points = [(); POINTS].map(|()| [7.15 + 0.6 * random.f64(), 46.65 + 0.6 * random.f64()]);
    query(criterion, "index mixed", anywhere(), &points, 0.1..0.3);
}

/// The same viewports, all in the eastern half of the world, and points in the western.
fn elsewhere(criterion: &mut Criterion) {
    let mut random = Rng::with_seed(2);
    let points = [(); POINTS].map(|()| [-170.0 + 150.0 * random.f64(), -80.0 + 160.0 * random.f64()]);
    let east = anywhere().filter(|bbox| bbox.min_x() > 0.0);
    query(criterion, "index elsewhere", east, &points, 0.0..f64::MIN_POSITIVE);
}

/// Small viewports all over the world, none with a point in it, and points all over the world between them.
fn gaps(criterion: &mut Criterion) {
    let mut random = Rng::with_seed(3);
    let mut place = move || {
        let mut along = |from: f64, length: f64| from + (random.f64() * length * 512.0).floor() / 512.0;
        [along(-180.0, 360.0), along(-85.0, 170.0)]
    };
    let points = [(); POINTS].map(|()| place().map(|number| number + 0.45 / 512.0));
    let mut random = Rng::with_seed(4);
    let small = std::iter::repeat_with(|| {
        let ([x, y], side) = (place(), 0.8 / 512.0 * (-8.0 * random.f64()).exp2());
        bbox(x, y, side.min(0.4 / 512.0), side)
    });
    query(criterion, "index gaps", small, &points, 0.0..f64::MIN_POSITIVE);
}

/// Everybody looks at the place where something happens.
fn same_place(criterion: &mut Criterion) {
    let mut random = Rng::with_seed(5);
    let boxes =
        std::iter::repeat_with(|| bbox(7.0 + 0.1 * random.f64(), 46.5 + 0.1 * random.f64(), 0.7, 0.7));
    let mut random = Rng::with_seed(6);
    let points = [(); POINTS].map(|()| [7.2 + 0.3 * random.f64(), 46.7 + 0.3 * random.f64()]);
    query(criterion, "index same place", boxes, &points, 1.0..2.0);
}

/// Who looks at each of the points, of whom a share within these bounds is to be hit on average.
fn query(
    criterion: &mut Criterion,
    name: &str,
    boxes: impl Iterator<Item = Bbox>,
    points: &[[f64; 2]],
    share: std::ops::Range<f64>,
) {
    let all: Vec<Bbox> = boxes.take(SIZES[2]).collect();
    let mut group = criterion.benchmark_group(name);
    for size in SIZES {
        let boxes = &all[..size];
        let (ours, rstar) = (index(boxes), tree(boxes));
        let mut hits = 0;
        for &point in points {
            let mut found = [Vec::new(), Vec::new(), Vec::new()];
            ours.for_each_at(point, |key| found[0].push(key));
            in_list(boxes, point, |key| found[1].push(key));
            found[2].extend(rstar.locate_all_at_point(&point).map(|entry| entry.data));
            found.iter_mut().for_each(|keys| keys.sort_unstable());
            assert!(found[0] == found[1] && found[1] == found[2], "{point:?} in {name}");
            hits += found[0].len();
        }
        let found = hits as f64 / (points.len() * size) as f64;
        assert!(share.contains(&found), "{found} of {name} are hit");
        group.throughput(Throughput::Elements(points.len() as u64));
        sum(&mut group, BenchmarkId::new(OURS, size), points, |point| {
            let mut sum = 0;
            ours.for_each_at(point, |key| sum += key);
            sum
        });
        sum(&mut group, BenchmarkId::new("list", size), points, |point| {
            let mut sum = 0;
            in_list(boxes, point, |key| sum += key);
            sum
        });
        sum(&mut group, BenchmarkId::new("rstar", size), points, |point| {
            rstar.locate_all_at_point(&point).map(|entry| entry.data).sum()
        });
    }
}

/// Adds up the keys, so that each is really visited.
fn sum(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    points: &[[f64; 2]],
    query: impl Fn([f64; 2]) -> usize,
) {
    group.bench_function(id, |bencher| {
        bencher.iter(|| points.iter().map(|point| query(black_box(*point))).fold(0, usize::wrapping_add));
    });
}

/// Viewports at all zooms from a continent to a block of houses; every other about one town, the rest all over the world.
fn anywhere() -> impl Iterator<Item = Bbox> {
    let mut random = Rng::with_seed(7);
    (0..).map(move |index| {
        let width = 360.0 * (-5.0 - 10.0 * random.f64()).exp2();
        let [x, y] = if index % 2 == 0 {
            [6.95 + random.f64(), 46.45 + random.f64()]
        } else {
            [-170.0 + 340.0 * random.f64(), -75.0 + 150.0 * random.f64()]
        };
        bbox(x - width / 2.0, y - width * 0.3, width, width * 0.6)
    })
}

fn bbox(x: f64, y: f64, width: f64, height: f64) -> Bbox {
    Bbox::try_from([x, y, x + width, y + height]).expect("a box")
}

fn index(boxes: &[Bbox]) -> ViewportIndex<usize> {
    let mut index = ViewportIndex::new();
    for (key, bbox) in boxes.iter().enumerate() {
        index.insert(key, &[*bbox]);
    }
    index
}

fn in_list(boxes: &[Bbox], point: [f64; 2], mut visit: impl FnMut(usize)) {
    for (key, bbox) in boxes.iter().enumerate() {
        if bbox.contains_point(point) {
            visit(key);
        }
    }
}

type Entry = GeomWithData<Rectangle<[f64; 2]>, usize>;

fn tree(boxes: &[Bbox]) -> RTree<Entry> {
    let mut tree = RTree::new();
    for (key, bbox) in boxes.iter().enumerate() {
        tree.insert(entry(key, bbox));
    }
    tree
}

fn entry(key: usize, bbox: &Bbox) -> Entry {
    let [left, bottom, right, top] = bbox.to_array();
    Entry::new(Rectangle::from_corners([left, bottom], [right, top]), key)
}
