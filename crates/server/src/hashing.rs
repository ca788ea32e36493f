//! Tables of what strangers name: the standard library's hasher is seeded, so that they cannot make names collide. In a simulation it is
//! not, so that what is gone through one by one has the same order in every run.

#[cfg(not(feature = "simulation"))]
use std::hash::RandomState as Hashing;

#[cfg(feature = "simulation")]
type Hashing = std::hash::BuildHasherDefault<rustc_hash::FxHasher>;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, Hashing>;
pub(crate) type HashSet<T> = std::collections::HashSet<T, Hashing>;
