//! What a server tells of itself, in the form that Prometheus reads.
//!
//! Nothing is counted for it that is counted per message and subscriber: [`Counters`](crate::Counters) exist anyway, and each
//! round of a worker is timed once. When somebody asks, the counters are read, and each worker is asked how it is.
//!
//! | Module | Holds |
//! |---|---|
//! | `scrape` | [`Metrics`]: gathering all of it |
//! | `counted` | counters, each under the name by which it is shown |
//! | `measured` | what is so at the moment: connections, outboxes, the store, certificates |
//! | `process` | what the system says about the process |
//! | `tallies` | counts by reason |
//! | `dialects` | who speaks which dialect |
//! | `histogram` | how often something took how long |
//! | `family` | a metric with its samples |
//! | `format` | [`MetricsFormat`]: how metrics are written |

mod counted;
mod dialects;
mod family;
mod format;
mod histogram;
mod measured;
mod process;
mod scrape;
mod tallies;

pub use format::MetricsFormat;
pub use scrape::Metrics;

pub(crate) use dialects::Dialects;
pub(crate) use histogram::Histogram;
pub(crate) use tallies::{GONE, Tallies};
