//! geocast-geo-filter: see README.md.
