//! geocast-protocol: see README.md.
