use std::time::Duration;

use criterion::Criterion;

/// Runs benchmarks as `cargo bench` asks for them on the command line.
///
/// Criterion's own macros would do the same, but make public functions that cannot be documented.
pub fn run(benchmarks: &[fn(&mut Criterion)]) {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    for benchmark in benchmarks {
        benchmark(&mut criterion);
    }
    criterion.final_summary();
}
