//! Shared, deterministic data for the benchmarks.
